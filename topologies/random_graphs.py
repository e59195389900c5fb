"""Random graphs: Waxman, preferential attachment, small world, Internet. `seed` fixes each of them.

The draws are NetworkX's own, from a generator that nobody else uses. Every result is connected.
"""

import math
from collections.abc import Iterable
from itertools import pairwise
from random import Random

import networkx as nx

from topologies.shapes import RATE, shape
from topologies.survey import fiber_delay
from topologies.vocabulary import (
    EDGES_MAX,
    HUB,
    NODES_MAX,
    Graph,
    GraphError,
    check_size,
    quoted,
    within,
)

DELAY = 1_000_000  # ns: two hundred kilometers of fiber


def waxman(
    nodes: int = 30,
    beta: float = 0.4,
    alpha: float = 0.2,
    side_km: int = 1_000,
    *,
    rate: int = RATE,
    seed: int = 0,
) -> Graph:
    """Nodes strewn over a square; near ones are linked more often (Waxman, JSAC 6(9), 1988).

    Two nodes d apart are linked with probability beta * exp(-d / (alpha * L)), where L is the
    largest distance. Delays are the fiber's over the distance.
    """
    within("`nodes`", nodes, 2, 2_000)  # every pair is looked at
    within("`side_km`", side_km, 1, 40_000)
    _share("beta", beta)
    _share("alpha", alpha, least=0.01)
    drawn = nx.waxman_graph(nodes, beta, alpha, seed=_luck(seed, "waxman"))
    graph = _connected("waxman", drawn, DELAY, rate)
    spots = (attributes["pos"] for _, attributes in drawn.nodes(data=True))
    places: dict[str, tuple[float, float]] = dict(zip(graph, spots, strict=True))
    for one, other, attributes in graph.edges(data=True):
        attributes["delay"] = fiber_delay(side_km * math.dist(places[one], places[other]))
    return graph


def preferential(
    nodes: int = 50, links: int = 2, *, delay: int = DELAY, rate: int = RATE, seed: int = 0
) -> Graph:
    """Each new node links to `links` others, sooner to those of many (Barabasi, Albert, 1999)."""
    within("`nodes`", nodes, 2, NODES_MAX)
    within("`links`", links, 1, nodes - 1)
    check_size(nodes, nodes * links)
    drawn = nx.barabasi_albert_graph(nodes, links, seed=_luck(seed, "preferential"))
    return _connected("preferential", drawn, delay, rate)


def small_world(
    nodes: int = 50,
    neighbors: int = 4,
    rewired: float = 0.1,
    *,
    delay: int = DELAY,
    rate: int = RATE,
    seed: int = 0,
) -> Graph:
    """A ring of near neighbors with some links thrown far (Watts, Strogatz, Nature 393, 1998).

    `rewired` is the probability, 0 to 1, with which a link is thrown.
    """
    within("`nodes`", nodes, 3, NODES_MAX)
    within("`neighbors`", neighbors, 2, min(nodes - 1, 2 * EDGES_MAX // nodes))
    _share("rewired", rewired)
    drawn = nx.watts_strogatz_graph(nodes, neighbors, rewired, seed=_luck(seed, "small-world"))
    return _connected("small-world", drawn, delay, rate)


def internet(nodes: int = 100, *, delay: int = DELAY, rate: int = RATE, seed: int = 0) -> Graph:
    """Autonomous systems and who buys transit from whom (Elmokashfi, Kvalbein, Dovrolis, 2010)."""
    within("`nodes`", nodes, 10, 10_000)
    drawn = nx.random_internet_as_graph(nodes, seed=_luck(seed, "internet"))
    return _connected("internet", drawn, delay, rate)


def _luck(seed: int, name: str) -> Random:
    within("`seed`", seed, 0, 2**64 - 1)
    return Random(f"{seed}/{name}")  # noqa: S311 - simulated luck is not cryptography


def _share(what: str, value: float, least: float = 0) -> None:
    if not least <= value <= 1:
        raise GraphError(f"`{what}` is {quoted(value)}", f"choose a number from {least} to 1")


def _connected(name: str, drawn: "nx.Graph[int]", delay: int, rate: int) -> Graph:
    """The drawn nodes as hubs; the first nodes of the components are linked in a chain."""
    firsts = sorted(min(component) for component in nx.connected_components(drawn))
    edges: Iterable[tuple[int, int]] = [*drawn.edges(), *pairwise(firsts)]
    return shape(name, len(drawn), edges, HUB, delay, rate)
