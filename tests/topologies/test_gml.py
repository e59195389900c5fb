"""GML as honest programs write it."""

from pathlib import Path

import networkx as nx

from topologies.real import from_file
from topologies.vocabulary import Graph


def read(tmp_path: Path, text: str) -> Graph:
    path = tmp_path / "net.gml"
    path.write_bytes(text.encode())
    return from_file(path)


def test_a_network_with_everything_is_read(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        """# a comment
        Creator "someone [" Version 1
        graph [
          directed 1 multigraph 1
          node [ id 1 label "K&#246;ln" Latitude 50.93 Longitude 6.95
                 graphics [ x 1.0 y -.5E+3 label "not this one" ] ]
          node [ id -02 label "Bonn" Latitude 50.73 Longitude 7.1 ]
          edge [ source 1 target -2 key 0 LinkSpeedRaw 10000000000.0 ]
          edge [ source 1 target -2 key 1 ]
        ]""",
    )
    assert dict(graph.nodes["Köln"]) == {"kind": "hub", "latitude": 50.93, "longitude": 6.95}
    # 24.6 km
    assert dict(graph.edges["Köln", "Bonn"]) == {"delay": 123_000, "rate": 10_000_000_000}


def test_what_networkx_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.gml"
    written = nx.relabel_nodes(nx.petersen_graph(), {node: f"n{node}" for node in range(10)})
    nx.write_gml(written, path)
    assert nx.utils.edges_equal(from_file(path).edges, written.edges)


def test_utf_8_is_read_with_and_without_its_mark(tmp_path: Path) -> None:
    text = 'graph [ node [ id 0 label "Zürich" ] ]'
    assert list(read(tmp_path, text)) == ["Zürich"]
    assert list(read(tmp_path, "\ufeff" + text)) == ["Zürich"]


def test_a_label_is_data_whatever_it_says(tmp_path: Path) -> None:
    text = 'graph [ node [ id 0 label "a\nb" ] node [ id 1 label "[/red]<b>\x1b[31m\u202e" ] ]'
    assert list(read(tmp_path, text)) == ["a b", "[/red]<b>\x1b[31m\u202e"]
