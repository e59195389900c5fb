"""Real networks: TopoHub's and the published files."""

from pathlib import Path

import networkx as nx
import pytest

from topologies.real import find_topohub, from_file, from_topohub, topohub_names
from topologies.vocabulary import GraphError, check

PUBLISHED = Path(__file__).parents[2] / ".." / "shared" / "topologies"
FILES = sorted(path for path in PUBLISHED.glob("*") if path.suffix in {".gml", ".graphml"})

published = pytest.mark.skipif(not FILES, reason="the published topology files are not here")


def file(name: str) -> Path:
    return PUBLISHED / name


@pytest.mark.slow
def test_every_network_of_the_topology_zoo_in_topohub_builds() -> None:
    names = [name for name in topohub_names() if name.startswith("topozoo/")]
    graphs = [from_topohub(name) for name in names]
    for graph in graphs:
        check(graph)
    assert len(graphs) == 203
    assert sum(map(len, graphs)) == 5_418
    delays = [delay for graph in graphs for _, _, delay in graph.edges(data="delay")]
    assert len(delays) == 6_885
    assert min(delays) == 1_000
    assert all(delay % 1_000 == 0 for delay in delays)


@pytest.mark.slow
@pytest.mark.parametrize("collection", ["backbone", "caida", "gabriel", "sndlib"])
def test_the_other_collections_of_topohub_build(collection: str) -> None:
    names = [name for name in topohub_names() if name.startswith(f"{collection}/")]
    assert names
    for name in names[::5]:
        check(from_topohub(name))


@pytest.mark.parametrize("name", ["topozoo/Abilene", "abilene", "ABILENE", "TopoZoo/abilene"])
def test_a_network_is_found_in_any_case(name: str) -> None:
    assert find_topohub(name) == "topozoo/Abilene"


@pytest.mark.parametrize(
    "name", ["", "abilen", "../__init__", "topozoo", "topozoo/", "data/topozoo/Abilene"]
)
def test_what_topohub_has_not_is_said(name: str) -> None:
    with pytest.raises(GraphError, match="TopoHub has no network"):
        from_topohub(name)


def test_a_network_drawn_on_a_plane_has_no_coordinates() -> None:
    graph = from_topohub("gabriel/10/0")
    assert all("latitude" not in node for _, node in graph.nodes(data=True))
    assert graph.edges["R0", next(iter(graph["R0"]))]["delay"] > 1_000


@published
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_published_file_builds_as_networkx_reads_it(path: Path) -> None:
    graph = from_file(path)
    check(graph)
    read = nx.read_gml if path.suffix == ".gml" else nx.read_graphml
    plain = nx.Graph(read(path))
    assert (len(graph), graph.number_of_edges()) == (len(plain), plain.number_of_edges())
    assert sorted(map(len, nx.connected_components(graph))) == sorted(
        map(len, nx.connected_components(plain))
    )


@published
def test_the_file_and_topohub_agree_on_delays() -> None:
    ours, theirs = from_file(file("Abilene.graphml")), from_topohub("abilene")
    assert set(ours) == set(theirs)
    assert nx.utils.edges_equal(ours.edges, theirs.edges)
    for one, other, delay in ours.edges(data="delay"):  # their globe is a little larger
        assert delay == pytest.approx(theirs.edges[one, other]["delay"], rel=5e-4, abs=1_000)


@published
def test_graphml_and_gml_of_one_network_agree() -> None:
    one, other = from_file(file("Abilene.graphml")), from_file(file("Abilene.gml"))
    assert nx.utils.graphs_equal(one, other)


@published
def test_the_capacity_is_the_files_where_it_gives_one() -> None:
    rates = [rate for _, _, rate in from_file(file("Geant2012.graphml")).edges(data="rate")]
    assert len(rates) == 61
    assert rates.count(1_000_000_000) >= 61 - 39
    assert 2_500_000_000 in rates


@published
def test_a_network_without_any_coordinates_has_a_millisecond_a_link() -> None:
    graph = from_file(file("Nsfcnet.graphml"))
    assert {delay for _, _, delay in graph.edges(data="delay")} == {1_000_000}
