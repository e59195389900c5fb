"""The shapes: how many nodes and links, and where."""

import networkx as nx
import pytest

from topologies.shapes import chain, fat_tree, mesh, ring, star, tree
from topologies.vocabulary import Graph, GraphError


def size(graph: Graph) -> tuple[int, int]:
    return len(graph), graph.number_of_edges()


def test_a_star_has_one_node_more_than_sites() -> None:
    graph = star(sites=8)
    assert size(graph) == (9, 8)
    assert graph.degree("hub1") == 8


def test_a_chain_links_each_to_the_next() -> None:
    assert list(chain(nodes=3).edges) == [("hub1", "hub2"), ("hub2", "hub3")]


def test_a_ring_closes() -> None:
    graph = ring(nodes=5)
    assert size(graph) == (5, 5)
    assert {degree for _, degree in graph.degree} == {2}
    assert graph.has_edge("hub5", "hub1")


def test_a_tree_hangs_each_node_from_the_right_one() -> None:
    assert list(tree(nodes=7, branching=2).edges) == [
        ("hub1", "hub2"),
        ("hub1", "hub3"),
        ("hub2", "hub4"),
        ("hub2", "hub5"),
        ("hub3", "hub6"),
        ("hub3", "hub7"),
    ]


def test_a_mesh_links_every_pair() -> None:
    assert size(mesh(nodes=6)) == (6, 15)


@pytest.mark.parametrize("k", [2, 4, 6, 8])
def test_a_fat_tree_has_the_standard_counts(k: int) -> None:
    graph = fat_tree(k)
    assert size(graph) == (5 * k * k // 4, k**3 // 2)
    core = k * k // 4
    degrees = [degree for _, degree in graph.degree]
    assert degrees[:core] == [k] * core  # one link into each pod
    for pod in range(k):
        aggregation = core + pod * k
        assert degrees[aggregation : aggregation + k] == [k] * (k // 2) + [k // 2] * (k // 2)
    assert nx.is_connected(graph)


def test_a_fat_tree_of_odd_ports_is_refused() -> None:
    with pytest.raises(GraphError, match="`k` is 5, an odd number"):
        fat_tree(5)


@pytest.mark.parametrize("build", [star, chain, ring, tree, mesh, fat_tree])
def test_kind_delay_and_rate_are_everywhere(build: object) -> None:
    graph = build(kind="switch", delay=7, rate=11)
    assert list(graph)[:2] == ["sw1", "sw2"]
    assert {kind for _, kind in graph.nodes(data="kind")} == {"switch"}
    assert {(d["delay"], d["rate"]) for _, _, d in graph.edges(data=True)} == {(7, 11)}


@pytest.mark.parametrize("build", [star, chain, tree, mesh])
def test_the_smallest_have_one_node_or_link(build: object) -> None:
    graph = build(1)
    assert graph.number_of_edges() == len(graph) - 1


@pytest.mark.parametrize("build", [star, chain, ring, tree, mesh, fat_tree])
@pytest.mark.parametrize("amount", [0, -1, 200_001, pytest.param(10**5000, id="huge")])
def test_sizes_out_of_range_are_refused_before_building(build: object, amount: int) -> None:
    with pytest.raises(GraphError, match="not an integer from"):
        build(amount)


def test_a_mesh_of_too_many_links_is_refused_before_building() -> None:
    with pytest.raises(GraphError, match="1000405 edges are more than 1000000"):
        mesh(1415)
