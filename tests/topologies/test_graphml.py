"""GraphML as honest programs write it."""

from pathlib import Path

import pytest

from topologies.real import from_file

HEAD = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> object:
    path = tmp_path / "net.graphml"
    path.write_bytes(text.encode(encoding))
    return from_file(path)


def test_the_least_file_names_nodes_by_their_ids(tmp_path: Path) -> None:
    graph = read(tmp_path, '<graphml><graph><node id="a"/></graph></graphml>')
    assert graph.graph == {"name": "net"}
    assert dict(graph.nodes(data=True)) == {"a": {"kind": "hub"}}


def test_edges_may_come_before_their_nodes(tmp_path: Path) -> None:
    body = '<graph><edge source="a" target="b"/><node id="a"/><node id="b"/></graph>'
    assert list(read(tmp_path, f"{HEAD}{body}</graphml>").edges) == [("a", "b")]


def test_keys_defaults_and_entities_are_honored(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        f"""{HEAD}
        <key id="n" for="node" attr.name="label" attr.type="string"/>
        <key id="r" for="edge" attr.name="LinkSpeedRaw"><default>2.5e9</default></key>
        <key id="l" for="edge" attr.name="label" attr.type="string"/>
        <graph edgedefault="undirected">
          <node id="0"><data key="n">K&#246;ln &amp; Bonn</data></node>
          <node id="1"><data key="n"> Essen </data></node>
          <node id="2"/>
          <edge source="0" target="1"><data key="l">A1</data></edge>
          <edge source="1" target="2"><data key="r"> 45000000 </data></edge>
        </graph></graphml>""",
    )
    assert list(graph) == ["Köln & Bonn", "Essen", "2"]
    assert [d["rate"] for _, _, d in graph.edges(data=True)] == [2_500_000_000, 45_000_000]


def test_a_directed_graph_is_read_as_links_that_carry_both_ways(tmp_path: Path) -> None:
    body = """<graph edgedefault="directed"><node id="a"/><node id="b"/>
        <edge source="a" target="b" directed="true"/><edge source="b" target="a"/></graph>"""
    assert list(read(tmp_path, f"{HEAD}{body}</graphml>").edges) == [("a", "b")]


@pytest.mark.parametrize("value", ["0", "0.0", "0.4"])
def test_a_rate_of_nothing_says_nothing(tmp_path: Path, value: str) -> None:
    graph = read(
        tmp_path,
        f"""{HEAD}<key id="r" for="edge" attr.name="LinkSpeedRaw"/><graph>
        <node id="0"/><node id="1"/>
        <edge source="0" target="1"><data key="r">{value}</data></edge></graph></graphml>""",
    )
    assert graph.edges["0", "1"]["rate"] == (1 if value == "0.4" else 1_000_000_000)


def test_extensions_of_others_are_passed_over(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        f"""{HEAD}<key id="g" for="node" yfiles.type="nodegraphics"/><desc>drawn</desc><graph>
        <node id="0"><data key="g"><y:S xmlns:y="http://y"><node/><y:node id="9"/></y:S></data>
        </node></graph></graphml>""",
    )
    assert list(graph) == ["0"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_that_are_said_are_read(tmp_path: Path, encoding: str) -> None:
    said = {"utf-8-sig": "utf-8", "utf-16": "utf-16", "latin-1": "iso-8859-1"}[encoding]
    text = '<graphml><graph><node id="Köln"/></graph></graphml>'
    head = f'<?xml version="1.0" encoding="{said}"?>'
    assert list(read(tmp_path, head + text, encoding)) == ["Köln"]


def test_half_a_place_is_none(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        f"""{HEAD}<key id="a" for="node" attr.name="Latitude"/><graph>
        <node id="0"><data key="a">50</data></node></graph></graphml>""",
    )
    assert dict(graph.nodes["0"]) == {"kind": "hub"}
