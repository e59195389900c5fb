"""`drawn`: a graph written out is that graph, in that order; anything else is one line."""

import re

import pytest

from topologies import GraphError, load

NODES = {"hub1": "hub", "tap1": "tap", "h1": "host"}
LINKS = [["h1", "tap1"], ["tap1", "hub1"]]


def test_a_drawn_graph_has_the_nodes_in_the_order_written_and_the_links() -> None:
    graph = load("drawn", nodes=NODES, links=LINKS)
    assert list(graph.nodes(data="kind")) == list(NODES.items())
    assert {frozenset(link) for link in LINKS} == {frozenset(edge) for edge in graph.edges}
    assert all(attributes == {} for _, _, attributes in graph.edges(data=True))


def test_a_drawing_without_a_word_is_one_hub() -> None:
    assert list(load("drawn").nodes(data="kind")) == [("hub1", "hub")]


@pytest.mark.parametrize(
    ("nodes", "links", "said"),
    [
        ({}, [], "the graph has no nodes"),
        ({"a": "router"}, [], "node `a` is of the unknown kind `router`"),
        ({"a": 7}, [], "node `a` is of the unknown kind `7`"),
        ({"": "hub"}, [], "node `` has no name of text"),
        ({"a" * 257: "hub"}, [], "has 257 characters"),
        ({"a": "hub"}, [["a", "a"]], "the edge `a` to `a` is a loop"),
        ({"a": "hub"}, [["a", "b"]], "link 1 ends at the unknown node `b`"),
        ({"a": "hub", "b": "hub"}, [["a", "b"], ["b", "a"]], "`b` to `a` is written twice"),
        ({"a": "hub"}, ["ab"], "link 1 is `ab`, not two names of nodes"),
        ({"a": "hub"}, [["a"]], "link 1 is `['a']`, not two names of nodes"),
        ({"a": "hub"}, [["a", ["b"]]], "link 1 is `['a', ['b']]`, not two names of nodes"),
        ({"a": "hub"}, [{"a": "b"}], "link 1 is `{'a': 'b'}`, not two names of nodes"),
        (NODES, LINKS[1:], "is attached to the wrong nodes"),
        ({"a": "hub"}, [["a", "b"]] * 1_000_001, "1000001 edges are more than 1000000"),
    ],
)
def test_what_is_no_graph_is_one_line(nodes: object, links: object, said: str) -> None:
    with pytest.raises(GraphError, match=re.escape(said)):
        load("drawn", nodes=nodes, links=links)


def test_nodes_and_links_are_of_their_types() -> None:
    with pytest.raises(GraphError, match="`nodes` of `drawn`"):
        load("drawn", nodes=[["a", "hub"]])
    with pytest.raises(GraphError, match="`links` of `drawn`"):
        load("drawn", links={"a": "b"})
