"""Forty hostile files, each through the command line: one line, status 2, and nothing written."""

import gzip
import json
import os
import time
from pathlib import Path
from struct import pack

import pytest

from sim.results import READ_MAX
from sim.scenario import SCENARIO_MAX
from tests.sim.capture_bytes import pcap_header, pcap_record
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, on_disk

HEAD = 'name = "a"\ntopology = { name = "star" }\n'
REPLAY = (
    f'{SMALL}[[traffic]]\nkind = "replay"\nfile = "file.pcap"\n'
    'address = "10.0.0.1"\nfrom = "h1"\nto = "h2"\n'
)


def scenario(content):
    """`vtap run` of a scenario file with this content, text or bytes."""

    def make(folder):
        path = folder / "file.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return ["run", path]

    return make


def topology(name, content):
    """`vtap run --topology` of a file with this name and content."""

    def make(folder):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return ["run", "--topology", folder / name]

    return make


def capture(content):
    """`vtap run` of a scenario that says a capture again, which is this."""

    def make(folder):
        (folder / "file.pcap").write_bytes(content)
        return ["run", as_file(folder, REPLAY)]

    return make


def hollow(name, size):
    """A scenario file or capture of so many zeros."""

    def make(folder):
        with (folder / name).open("wb") as file:
            file.truncate(size)
        return ["run", as_file(folder, REPLAY) if name.endswith("pcap") else folder / name]

    return make


def special(make_it, *arguments):
    """A scenario file that is no file."""

    def make(folder):
        make_it(folder / "file.toml", *arguments)
        return ["run", folder / "file.toml"]

    return make


def run_folder(command, name, change):
    """`vtap replay` or `report` of a run one file of which was changed: its JSON, or its text."""

    def make(folder):
        _, written = on_disk(folder / "theirs")
        path = written / name
        if path.suffix == ".json":
            content = change(json.loads(path.read_text()))
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        else:
            path.write_text(change(path.read_text()))
        return [command, written]

    return make


def gml(body):
    return topology("file.gml", f"graph [ {body} ]")


def graphml(body, before=""):
    return topology("file.graphml", f"{before}<graphml>{body}</graphml>")


LAUGHS = '<!DOCTYPE g [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
PAIR = 'node [ id 0 label "a" ] node [ id 1 label "b" ]'
CUT = pcap_header() + pcap_record(b"\0" * 60)[:-10]
HUGE = pcap_header() + pack("<IIII", 0, 0, 2**31, 2**31)

HOSTILE = {
    "scenario: empty": scenario(""),
    "scenario: bytes that are no text": scenario(b"\xff\xfe\x00"),
    "scenario: NUL": scenario(HEAD + "\0"),
    "scenario: compressed": scenario(gzip.compress(HEAD.encode())),
    "scenario: too long": hollow("file.toml", SCENARIO_MAX + 1),
    "scenario: brackets": scenario("a = " + "[" * 200_000),
    "scenario: a key of 100,000 parts": scenario("a" + ".a" * 100_000 + " = 1"),
    "scenario: a number of 100,000 digits": scenario(HEAD + "seed = " + "9" * 100_000),
    "scenario: hexadecimal without end": scenario(f"{HEAD}seed = 0x{'f' * 100_000}"),
    "scenario: a huge parameter": scenario(HEAD.replace(" }", f", sites = 0x{'f' * 5000} }}")),
    "scenario: not a number": scenario(HEAD + "seed = nan"),
    "scenario: escapes in a key": scenario(HEAD + '"\\u001b[31m\\u202e\\n" = 1'),
    "scenario: a name out of the folder": scenario(HEAD.replace('"a"', '"../../a"')),
    "scenario: a million years": scenario(HEAD + 'until = "365000000d"'),
    "scenario: too many nodes": scenario(HEAD.replace(" }", ", sites = 200000 }")),
    "scenario: too many payloads": scenario(SMALL.replace("100ms", "1ns")),
    "scenario: an expectation out of the world": scenario(f"{SMALL}[expect]\n__class__ = 1"),
    "scenario: a pipe": special(os.mkfifo),
    "scenario: a folder": special(os.mkdir),
    "scenario: a link to itself": special(lambda path: path.symlink_to(path)),
    "topology: empty": topology("file.gml", ""),
    "topology: billion laughs": graphml("<graph><node id='&b;'/></graph>", LAUGHS),
    "topology: a stranger's entity": graphml(
        "<graph/>", '<!DOCTYPE g SYSTEM "http://127.0.0.1:9/x">'
    ),
    "topology: compressed": topology("file.graphml.gz", gzip.compress(b"<graphml/>")),
    "topology: compressed inside": topology("file.gml", gzip.compress(b"graph [ ]")),
    "topology: nested": topology("file.gml", "graph [ " + "a [ " * 100_000),
    "topology: not a number": gml(f"{PAIR} edge [ source 0 target 1 LinkSpeedRaw NAN ]"),
    "topology: a rate below 0": gml(f"{PAIR} edge [ source 0 target 1 LinkSpeedRaw -1 ]"),
    "topology: a loop": gml(f"{PAIR} edge [ source 0 target 0 ]"),
    "topology: the same id twice": gml("node [ id 0 ] node [ id 0 ]"),
    "topology: a long label": gml(f'node [ id 0 label "{"x" * 257}" ]'),
    "topology: half a line": topology("file.graphml", "<graphml><graph><node id="),
    "capture: empty": capture(b""),
    "capture: no capture": capture(b"GET / HTTP/1.0\r\n\r\n" * 10),
    "capture: cut": capture(CUT),
    "capture: a record of 2 GiB": capture(HUGE),
    "capture: too long": hollow("file.pcap", 64 * 2**20 + 1),
    "replay: no JSON": run_folder("replay", "run.json", lambda run: "{"),
    "replay: nested": run_folder("replay", "graph.json", lambda graph: "[" * 10**6),
    "replay: a name out of the folder": run_folder(
        "replay", "run.json", lambda run: run | {"changes": ['name="../../x"']}
    ),
    "replay: a scenario without end": run_folder(
        "replay", "run.json", lambda run: run | {"scenario_text": "a" + ".a" * 10**6 + "=1"}
    ),
    "replay: a graph of lists": run_folder(
        "replay", "graph.json", lambda graph: graph | {"nodes": [[]]}
    ),
    "replay: a file that is not its own": run_folder(
        "replay", "run.json", lambda run: run | {"scenario_text": REPLAY}
    ),
    "report: another schema": run_folder("report", "run.json", lambda run: run | {"schema": 9}),
    "report: nothing summed up": run_folder(
        "report", "run.json", lambda run: run | {"summary": {}}
    ),
    "report: infinity": run_folder(
        "report", "run.json", lambda run: json.dumps(run).replace('"wall_s": ', '"wall_s": 1e999')
    ),
    "report: a formula": run_folder("report", "nodes.csv", lambda text: f"{text}=1+1\n"),
    "report: text for numbers": run_folder(
        "report", "latency.csv", lambda text: "share,delay_ns\n0.5,<script>\n"
    ),
}


def files(folder):
    """Every file below a folder, and how long it is."""
    return {path: path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()}


def test_they_are_forty():
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_one_line_and_writes_nothing(tmp_path, capsys, make):
    arguments = make(tmp_path)
    out = tmp_path / "out"
    before, began = files(tmp_path), time.perf_counter()
    if arguments[0] == "run":
        arguments = [*arguments, "--bare", "--out", out]
    status, said, complaint = called(capsys, *arguments)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint), complaint
    assert complaint.removesuffix("\n").isprintable() and len(complaint) < 2200
    assert not out.exists() and files(tmp_path) == before
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("name", ["run.json", "latency.csv"])
def test_a_file_of_a_run_that_is_too_long_is_one_line(tmp_path, capsys, name):
    _, folder = on_disk(tmp_path)
    with (folder / name).open("wb") as file:
        file.truncate(READ_MAX + 1)
    for command in ("replay", "report"):
        status, said, complaint = called(capsys, command, folder)
        assert (status, said) == (2, "")
        assert ONE_LINE.fullmatch(complaint)
    assert not (folder / "report.html").exists()
