"""What `check` lets pass and what it names as wrong."""

import pickle

import networkx as nx
import pytest

from topologies.vocabulary import EDGES_MAX, NODES_MAX, GraphError, check, check_size, quoted


def site() -> nx.Graph:
    """A hub with everything that may hang from it."""
    graph = nx.Graph()
    for name, kind in (
        ("hub1", "hub"),
        ("sw1", "switch"),
        ("tap1", "tap"),
        ("h1", "host"),
        ("s1", "station"),
        ("gw1", "gateway"),
    ):
        graph.add_node(name, kind=kind)
    graph.add_edges_from((("hub1", "sw1"), ("hub1", "tap1"), ("tap1", "h1")))
    graph.add_edges_from((("sw1", "s1"), ("sw1", "gw1"), ("hub1", "gw1")))
    return graph


def fault(graph: nx.Graph) -> str:
    with pytest.raises(GraphError) as caught:
        check(graph)
    assert caught.value.hint
    return str(caught.value)


def test_every_kind_in_its_place_passes() -> None:
    graph = site()
    graph.add_edge("hub1", "sw1", delay=5_000, rate=10**9, overhead=24, least=60, queue=262_144)
    graph.add_node("hub1", latitude=-90, longitude=180.0)
    check(graph)


def test_a_graph_in_several_pieces_passes() -> None:
    graph = site()
    graph.add_node("hub2", kind="hub")
    check(graph)


@pytest.mark.parametrize("kind", [nx.DiGraph, nx.MultiGraph])
def test_only_plain_graphs_pass(kind: type[nx.Graph]) -> None:
    assert fault(kind(site())) == "the graph is directed or has parallel edges"


def test_a_graph_without_nodes_is_named() -> None:
    assert fault(nx.Graph()) == "the graph has no nodes"


@pytest.mark.parametrize("kind", ["router", "", None, ["hub"], pytest.param(10**5000, id="huge")])
def test_an_unknown_kind_is_named(kind: object) -> None:
    graph = site()
    graph.nodes["hub1"]["kind"] = kind
    assert fault(graph).startswith("node `hub1` is of the unknown kind ")


@pytest.mark.parametrize("name", [7, "", ("a", "b"), "n" * 257, "a\0b", "\ud800"], ids=range(6))
def test_a_name_that_cannot_serve_is_named(name: object) -> None:
    graph = site()
    graph.add_node(name, kind="hub")
    assert " name" in fault(graph)


def test_a_name_of_256_characters_of_any_sort_passes() -> None:
    graph = site()
    graph.add_node("\x1b[31m\u202e" + "n" * 250, kind="hub")
    check(graph)


@pytest.mark.parametrize(
    "value", [90.001, -91, float("nan"), float("inf"), "12", pytest.param(10**400, id="huge")]
)
def test_a_latitude_off_the_globe_is_named(value: object) -> None:
    graph = site()
    graph.nodes["hub1"]["latitude"] = value
    assert fault(graph).startswith("node `hub1` has the latitude ")


def test_an_unknown_edge_attribute_is_named() -> None:
    graph = site()
    graph.edges["hub1", "sw1"]["weight"] = 1
    assert fault(graph) == "the edge `hub1` to `sw1` has the unknown attribute `weight`"


@pytest.mark.parametrize("what", ["delay", "rate", "overhead", "least", "queue"])
@pytest.mark.parametrize("value", [-1, 1.5, True, None, "1", 10**16])
def test_an_edge_attribute_is_a_sensible_integer(what: str, value: object) -> None:
    graph = site()
    graph.edges["hub1", "sw1"][what] = value
    assert fault(graph).startswith(f"`{what}` of the edge `hub1` to `sw1` is ")


def test_a_rate_of_nothing_is_named() -> None:
    graph = site()
    graph.edges["hub1", "sw1"]["rate"] = 0
    assert fault(graph).startswith("`rate` of the edge `hub1` to `sw1` is `0`")


def test_a_loop_is_named() -> None:
    graph = site()
    graph.add_edge("sw1", "sw1")
    assert fault(graph) == "the edge `sw1` to `sw1` is a loop"


@pytest.mark.parametrize(
    ("one", "other", "culprit"),
    [
        ("h1", "hub1", "the host `h1`"),
        ("h1", "s1", "the host `h1`"),
        ("tap1", "sw1", "the tap `tap1`"),
        ("tap1", "gw1", "the tap `tap1`"),
        ("s1", "hub1", "the station `s1`"),
        ("s1", "gw1", "the station `s1`"),
    ],
)
def test_an_edge_too_many_is_named(one: str, other: str, culprit: str) -> None:
    graph = site()
    graph.add_edge(one, other)
    assert fault(graph) == f"{culprit} is attached to the wrong nodes"


@pytest.mark.parametrize(
    ("one", "other", "culprit"),
    [
        ("hub1", "tap1", "the tap `tap1`"),
        ("tap1", "h1", "the tap `tap1`"),
        ("sw1", "s1", "the station `s1`"),
    ],
)
def test_an_edge_too_few_is_named(one: str, other: str, culprit: str) -> None:
    graph = site()
    graph.remove_edge(one, other)
    assert fault(graph) == f"{culprit} is attached to the wrong nodes"


def test_an_in_process_client_has_a_host_and_a_hub_and_no_switch() -> None:
    graph = site()
    graph.nodes["tap1"]["kind"] = "ipc"
    check(graph)
    graph.remove_edge("hub1", "tap1")
    graph.add_edge("sw1", "tap1")
    assert fault(graph) == "the ipc `tap1` is attached to the wrong nodes"


def test_a_gateway_without_links_or_with_a_wrong_one_is_named() -> None:
    graph = site()
    graph.add_node("gw2", kind="gateway")
    assert fault(graph) == "the gateway `gw2` is attached to the wrong nodes"
    graph.add_edge("gw2", "gw1")
    assert fault(graph) == "the gateway `gw1` is attached to the wrong nodes"


def test_size_has_a_limit_before_anything_is_built() -> None:
    check_size(NODES_MAX, EDGES_MAX)
    with pytest.raises(GraphError, match="200001 nodes are more than 200000"):
        check_size(NODES_MAX + 1, 0)
    with pytest.raises(GraphError, match="1000001 edges are more than 1000000"):
        check_size(1, EDGES_MAX + 1)


def test_an_error_is_one_printable_line() -> None:
    error = GraphError("a\nb\x1b[31m\u202e\0\ud800 Zürich", "c\rd")
    assert str(error) == r"a\nb\x1b[31m\u202e\x00\ud800 Zürich"
    assert error.hint == r"c\rd"


def test_an_error_keeps_its_hint_between_processes() -> None:
    error = pickle.loads(pickle.dumps(GraphError("what", "hint")))
    assert (str(error), error.hint) == ("what", "hint")


def test_long_values_are_cut() -> None:
    assert quoted("n" * 60) == "`" + "n" * 60 + "`"
    assert quoted("n" * 61) == "`" + "n" * 57 + "...`"
    assert quoted(10**5000) == "an integer of more than 60 digits"
