"""Files from strangers: whatever is in them, the answer is one line with a hint, and soon."""

import bz2
import gzip
import io
import lzma
import os
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topologies import gml as gml_reader
from topologies import graphml as graphml_reader
from topologies.real import BYTES_MAX, from_file
from topologies.survey import Survey
from topologies.vocabulary import GraphError, check

KEYS = """<key id="n" for="node" attr.name="label" attr.type="string"/>
<key id="a" for="node" attr.name="Latitude" attr.type="double"/>
<key id="o" for="node" attr.name="Longitude" attr.type="double"/>
<key id="r" for="edge" attr.name="LinkSpeedRaw" attr.type="double"/>"""
PAIR = '<node id="0"/><node id="1"/>'
LINK = '<edge source="0" target="1"/>'


def graphml(body: str, opening: str = '<graph edgedefault="undirected">') -> bytes:
    return f"<graphml>{KEYS}{opening}{body}</graph></graphml>".encode()


def node(data: str) -> bytes:
    return graphml(f'<node id="0">{data}</node>')


def place(latitude: str, longitude: str = "0") -> bytes:
    return node(f'<data key="a">{latitude}</data><data key="o">{longitude}</data>')


def rate(text: str) -> bytes:
    return graphml(f'{PAIR}<edge source="0" target="1"><data key="r">{text}</data></edge>')


def doctype(inside: str, use: str) -> bytes:
    return f'<?xml version="1.0"?><!DOCTYPE graphml {inside}>'.encode() + node(use)


def gml(body: str) -> bytes:
    return f"graph [\n{body}\n]\n".encode()


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net.graphml", data)
    return buffer.getvalue()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HONEST = graphml(PAIR + LINK)

# what each file holds, by what is wrong with it; the name's first word is the format
HOSTILE: dict[str, bytes] = {
    "graphml billion laughs": doctype(f'[<!ENTITY l0 "ha">{LAUGHS}]', '<data key="n">&l9;</data>'),
    "graphml quadratic entity": doctype(f'[<!ENTITY l "{"x" * 9999}">]', "&l;" * 9999),
    "graphml external entity": doctype(
        '[<!ENTITY x SYSTEM "file:///etc/hostname">]', '<data key="n">&x;</data>'
    ),
    "graphml parameter entity": doctype('[<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]', ""),
    "graphml external document type": doctype('SYSTEM "http://127.0.0.1/graphml.dtd"', ""),
    "graphml bare document type": doctype("", ""),
    "graphml undefined entity": node('<data key="n">&nbsp;</data>'),
    "graphml gzip inside": gzip.compress(HONEST),
    "graphml bzip2 inside": bz2.compress(HONEST),
    "graphml xz inside": lzma.compress(HONEST),
    "graphml zip inside": zipped(HONEST),
    "gml gzip inside": gzip.compress(gml("node [ id 0 ]")),
    "graphml.gz honest suffix": gzip.compress(HONEST),
    "graphml.bz2 by suffix alone": HONEST,
    "zip by suffix alone": HONEST,
    "txt unknown suffix": HONEST,
    "graphml empty": b"",
    "gml empty": b"",
    "graphml white space": b" \n\t ",
    "graphml zero bytes": bytes(1000),
    "gml zero bytes": bytes(1000),
    "graphml binary": bytes(range(256)) * 16,
    "gml binary": bytes(range(255, -1, -1)) * 16,
    "graphml that is gml": gml("node [ id 0 ]"),
    "gml that is graphml": HONEST,
    "graphml that is html": b"<!doctype html><html><body>404</body></html>",
    "graphml that is other xml": b"<html><body>404</body></html>",
    "graphml of another namespace": b'<graphml xmlns="http://evil"><graph/></graphml>',
    "graphml truncated": HONEST[:-30],
    "graphml with junk after it": HONEST + b"<graphml/>",
    "graphml unbalanced": graphml("<node id='0'></edge>"),
    "graphml utf-16 mark on utf-8": b"\xff\xfe" + HONEST,
    "gml utf-16": gml("node [ id 0 ]").decode().encode("utf-16"),
    "graphml latin-1 unsaid": node('<data key="n">K\xf6ln</data>').decode().encode("latin-1"),
    "gml latin-1": 'graph [ node [ id 0 label "K\xf6ln" ] ]'.encode("latin-1"),
    "graphml unknown encoding": b'<?xml version="1.0" encoding="klingon"?>' + HONEST,
    "graphml encoding of many bytes": b'<?xml version="1.0" encoding="big5"?>' + HONEST,
    "graphml encoding that is no text": b'<?xml version="1.0" encoding="zlib"?>' + HONEST,
    "graphml no graph": b"<graphml></graphml>",
    "graphml no nodes": graphml(""),
    "graphml two graphs": b"<graphml><graph><node id='0'/></graph><graph/></graphml>",
    "graphml nested graph": node('<graph><node id="1"/></graph>'),
    "graphml hyperedge": graphml(PAIR + '<hyperedge><endpoint node="0"/></hyperedge>'),
    "graphml port": node('<port name="north"/>'),
    "graphml duplicate ids": graphml('<node id="0"/><node id="0"/>'),
    "graphml duplicate keys": b"<graphml><key id='k'/><key id='k'/><graph/></graphml>",
    "graphml key without id": b"<graphml><key for='node'/><graph/></graphml>",
    "graphml node without id": graphml("<node/>"),
    "graphml node of empty id": graphml('<node id=""/>'),
    "graphml long id": graphml(f'<node id="{"i" * 257}"/>'),
    "graphml edge without source": graphml(PAIR + '<edge target="1"/>'),
    "graphml edge without target": graphml(PAIR + '<edge source="1"/>'),
    "graphml dangling edge": graphml(PAIR + '<edge source="0" target="\x7f&#x202e;2"/>'),
    "graphml loop": graphml(PAIR + '<edge source="0" target="0"/>'),
    "graphml undeclared key": node('<data key="x">1</data>'),
    "graphml data without key": node("<data>1</data>"),
    "graphml data twice": node('<data key="n">a</data><data key="n">b</data>'),
    "graphml long label": node(f'<data key="n">{"n" * 300}</data>'),
    "graphml endless label": node(f'<data key="n">{"n" * 10**6}</data>'),
    "graphml label of a million blanks": node(f'<data key="n">{"&#10;" * 10**6}</data>'),
    "graphml label with nul": node('<data key="n">a&#0;b</data>'),
    "graphml label with a control": node('<data key="n">a\x1b[31mb</data>'),
    "graphml label with half a character": node('<data key="n">&#xd800;</data>'),
    "graphml latitude 999": place("999"),
    "graphml latitude nan": place("NaN"),
    "graphml latitude infinite": place("-inf"),
    "graphml latitude overflowing": place("1e999"),
    "graphml latitude of words": place("north"),
    "graphml latitude of nothing": place(""),
    "graphml latitude with underscore": place("1_0"),
    "graphml latitude of other digits": place("\u0665"),
    "graphml latitude in hexadecimal": place("0x10"),
    "graphml latitude of many digits": place("1" * 4000),
    "graphml longitude 180.1": place("0", "180.1"),
    "graphml rate negative": rate("-1"),
    "graphml rate nan": rate("nan"),
    "graphml rate huge": rate("9" * 60),
    "graphml rate overflowing": rate("1e999"),
    "graphml rate of words": rate("10 Gbit/s"),
    "graphml deep": b"<graphml>" + b"<a>" * 200_000,
    "graphml deep and balanced": b"<graphml>" + b"<a>" * 99_999 + b"</a>" * 99_999 + b"</graphml>",
    "graphml long namespace": f'<graphml xmlns="{"n" * 300}"/>'.encode(),
    "graphml long root": b"<" + b"r" * 10**6 + b"/>",
    "graphml many equal attributes": b"<graphml " + b'a="1" ' * 1000 + b"/>",
    "gml deep": b"graph [ " + b"a [ " * 100_000,
    "gml deep brackets": b"graph " + b"[" * 100_000,
    "gml unopened bracket": b"]",
    "gml unclosed bracket": b"graph [ node [ id 0 ]",
    "gml bracket too many": gml("node [ id 0 ]") + b"]",
    "gml unclosed string": gml('node [ id 0 label "never'),
    "gml value without key": gml("node [ 5 ]"),
    "gml key without value": gml("node [ id ]"),
    "gml key at the end": b"graph",
    "gml word for a value": gml("node [ id 0 Latitude NAN ]"),
    "gml strange character": gml("node [ id 0 ; ]"),
    "gml no graph": b"Creator 1",
    "gml graph of one number": b"graph 1",
    "gml no nodes": gml(""),
    "gml two graphs": gml("node [ id 0 ]") * 2,
    "gml nested graph": gml("node [ id 0 graph [ ] ]"),
    "gml node without id": gml("node [ label 0 ]"),
    "gml node of float id": gml("node [ id 1.5 ]"),
    "gml node of text id": gml('node [ id "a" ]'),
    "gml node of huge id": gml(f"node [ id {'1' * 60} ]"),
    "gml node of endless id": gml(f"node [ id {'1' * 10**6} ]"),
    "gml two ids": gml("node [ id 0 id 1 ]"),
    "gml list for an id": gml("node [ id [ a 1 ] ]"),
    "gml list for a label": gml("node [ id 0 label [ ] ]"),
    "gml duplicate ids": gml("node [ id 0 ] node [ id 00 ]"),
    "gml dangling edge": gml("node [ id 0 ] edge [ source 0 target 1 ]"),
    "gml loop": gml("node [ id 0 ] edge [ source 0 target 0 ]"),
    "gml edge without target": gml("node [ id 0 ] edge [ source 0 ]"),
    "gml number of two dots": gml("node [ id 0 Latitude 1.2.3 Longitude 0 ]"),
    "gml latitude overflowing": gml("node [ id 0 Latitude 1e999 Longitude 0 ]"),
    "gml latitude of words": gml('node [ id 0 Latitude "nan" Longitude 0 ]'),
    "gml rate negative": gml("node[id 0]node[id 1]edge[source 0 target 1 LinkSpeedRaw -1]"),
    "gml long label": gml(f'node [ id 0 label "{"n" * 300}" ]'),
    "gml label with nul": gml('node [ id 0 label "a\0b" ]'),
    "gml label of endless reference": gml(f'node [ id 0 label "&#{"1" * 5000};" ]'),
    "gml label long in all": gml(f'node [ id 0 label "{"&#955;" * 300}" ]'),
}


def hostile_file(what: str, folder: Path) -> Path:
    path = folder / f"net.{what.partition(' ')[0]}"
    path.write_bytes(HOSTILE[what])
    return path


def answer(path: Path) -> str:
    """The line and hint that a bad file gets, having been looked at themselves."""
    with pytest.raises(GraphError) as caught:
        from_file(path)
    line, hint = str(caught.value), caught.value.hint
    assert line.isprintable()
    assert hint.isprintable()
    assert hint
    assert len(line) < 300
    assert "Traceback" not in line
    assert line[-1] not in ".\n"
    return line


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_gets_one_line_with_a_hint(what: str, tmp_path: Path) -> None:
    path = hostile_file(what, tmp_path)
    began = time.perf_counter()
    assert answer(path).startswith("`")
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("graphml billion laughs", "it declares a document type or entities"),
        ("graphml gzip inside", "the file is compressed"),
        (
            "graphml dangling edge",
            r"an edge names the node `\x7f\u202e2`, which is not in the file",
        ),
        ("graphml duplicate ids", "line 4: the id `0` is given to two nodes"),
        ("graphml loop", "line 4: an edge joins the node `0` to itself"),
        ("graphml rate negative", "line 4: `LinkSpeedRaw` is `-1.0`"),
        ("graphml latitude 999", "line 4: `Latitude` is `999`"),
        ("graphml hyperedge", "line 4: a hyperedge has no counterpart here"),
        ("graphml no nodes", "the graph has no nodes"),
        ("graphml that is other xml", "line 1: the root element is `html`"),
        ("graphml label with nul", "line 4: not well-formed XML"),
        ("graphml deep", "line 1: more than 3000000 elements or 32 levels"),
        ("gml label with nul", r"line 2: the name `a\x00b` holds NUL or half a character"),
        ("gml deep", "line 1: lists nested deeper than 32"),
        ("gml latin-1", "line 1: not UTF-8"),
        ("gml unclosed string", "line 2: a string is not closed"),
        ("gml list for an id", "line 2: `id` is a list"),
        ("gml node of float id", "line 2: `id` is `1.5`"),
        ("gml word for a value", "line 2: `NAN` where a value was due"),
    ],
)
def test_the_line_says_what_and_where(what: str, said: str, tmp_path: Path) -> None:
    path = hostile_file(what, tmp_path)
    where, _, fault = answer(path).partition(": ")
    assert fault == said
    assert where.startswith("`/")


@pytest.mark.parametrize("suffix", ["graphml", "gml"])
def test_a_file_too_large_is_not_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net.{suffix}"
    with path.open("wb") as file:
        file.truncate(BYTES_MAX + 2**20)
    assert answer(path).endswith(f"larger than {BYTES_MAX} bytes")


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "folder.gml").mkdir()
    os.mkfifo(tmp_path / "pipe.gml")
    (tmp_path / "zero.gml").symlink_to("/dev/zero")
    for name in ("folder", "pipe", "zero"):
        assert answer(tmp_path / f"{name}.gml").endswith("not a regular file")


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "circle.gml").symlink_to(tmp_path / "circle.gml")
    assert answer(tmp_path / "missing.gml").endswith("no such file or directory")
    assert "cannot be read: " in answer(tmp_path / "circle.gml")
    assert "cannot be read: " in answer(tmp_path / f"{'n' * 300}.gml")
    assert answer(Path("a\0\x1b[31mb.gml")) == r"`a\x00\x1b[31mb.gml`: cannot be read: not a path"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(tmp_path: Path) -> None:
    path = tmp_path / "net.gml"
    path.write_bytes(b"graph [ ]")
    path.chmod(0)
    assert "permission" in answer(path)


@pytest.mark.parametrize("text", ["<a/>", "<node/>", "x"])
def test_a_flood_of_elements_costs_no_more_memory_than_its_length(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("topologies.graphml.ELEMENTS_MAX", 10_000)
    path = tmp_path / "net.graphml"
    path.write_bytes(b"<graphml>" + text.encode() * 500_000)
    length = path.stat().st_size
    tracemalloc.start()
    try:
        answer(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * length + 2**20
    finally:
        tracemalloc.stop()


def test_a_flood_of_keys_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topologies.gml.PAIRS_MAX", 1_000)
    path = tmp_path / "net.gml"
    path.write_bytes(gml("a 1 " * 1_001))
    assert answer(path).endswith("more than 1000 keys")


def test_a_flood_of_comments_is_one_token(tmp_path: Path) -> None:
    path = tmp_path / "net.gml"
    path.write_bytes(b"#\n \n" * 500_000 + gml("node [ ]"))
    assert answer(path).endswith("line 1000002: no `id`")


@given(st.data())
def test_a_damaged_file_builds_or_gets_one_line(data: st.DataObject) -> None:
    read, whole = data.draw(
        st.sampled_from(
            [
                (graphml_reader.read, graphml(PAIR + LINK)),
                (graphml_reader.read, place("1.5", "-2")),
                (gml_reader.read, gml('node [ id 0 label "&amp;" ] node [ id 1 Latitude 1.5 ]')),
            ]
        )
    )
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 8)))
    survey = Survey("damaged")
    try:
        read(whole[:begin] + data.draw(st.binary(max_size=8)) + whole[end:], survey)
        check(survey.graph())
    except GraphError as error:
        assert str(error).isprintable()  # noqa: PT017 - it may as well build
        assert error.hint  # noqa: PT017


@pytest.mark.slow
def test_one_edge_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.graphml"
    path.write_bytes(graphml(PAIR + LINK * 1_000_001))
    assert answer(path).endswith("more than 1000000 edges")


@pytest.mark.slow
def test_one_node_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.gml"
    path.write_bytes(gml("".join(f"node[id {number}]" for number in range(200_001))))
    assert answer(path).endswith("more than 200000 nodes")
