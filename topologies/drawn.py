"""An explicit graph: its nodes and their kinds, and its links, as a scenario writes them."""

import networkx as nx

from topologies.vocabulary import HUB, Graph, GraphError, check, check_size, quoted

_ALONE: dict[str, str] = {"hub1": HUB}
_NO_LINKS: list[list[str]] = []


def drawn(nodes: dict[str, str] = _ALONE, links: list[list[str]] = _NO_LINKS) -> Graph:
    """The nodes in this order, each name with its kind, and a link for each pair of names.

    The links carry no attributes: what they are like is the builder's to say. GraphError unless
    `check` accepts the graph, and each link is written once.
    """
    check_size(len(nodes), len(links))
    graph: Graph = nx.Graph(name="drawn")
    for name, kind in nodes.items():
        graph.add_node(name, kind=kind)
    for number, link in enumerate(links, 1):
        one, other = _ends(number, link)
        for end in (one, other):
            if end not in graph:
                raise GraphError(f"link {number} ends at the unknown node {quoted(end)}", _HINT)
        if graph.has_edge(one, other):
            raise GraphError(
                f"the link {quoted(one)} to {quoted(other)} is written twice", "remove one"
            )
        graph.add_edge(one, other)
    check(graph)
    return graph


def _ends(number: int, link: object) -> tuple[str, str]:
    match link:
        case [str() as one, str() as other]:
            return one, other
        case _:
            raise GraphError(f"link {number} is {quoted(link)}, not two names of nodes", _HINT)


_HINT = 'write `nodes = { hub1 = "hub", s1 = "station" }, links = [["s1", "hub1"]]`'
