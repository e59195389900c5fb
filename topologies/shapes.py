"""Shapes without chance: star, chain, ring, tree, mesh, fat tree. Hubs or switches only."""

from collections.abc import Iterable, Iterator
from itertools import combinations

import networkx as nx

from topologies.vocabulary import (
    HUB,
    NODES_MAX,
    SITES,
    SWITCH,
    Graph,
    GraphError,
    check_size,
    within,
)

DELAY = 5_000  # ns: a kilometer of fiber
RATE = 1_000_000_000  # bit/s

_PREFIX = {HUB: "hub", SWITCH: "sw"}


def star(sites: int = 8, *, kind: str = HUB, delay: int = DELAY, rate: int = RATE) -> Graph:
    """One node in the middle (`hub1`) and `sites` around it."""
    within("`sites`", sites, 1, NODES_MAX - 1)
    return shape("star", sites + 1, ((0, site) for site in range(1, sites + 1)), kind, delay, rate)


def chain(nodes: int = 4, *, kind: str = HUB, delay: int = DELAY, rate: int = RATE) -> Graph:
    """Each node linked to the next."""
    within("`nodes`", nodes, 1, NODES_MAX)
    return shape("chain", nodes, ((node - 1, node) for node in range(1, nodes)), kind, delay, rate)


def ring(nodes: int = 6, *, kind: str = HUB, delay: int = DELAY, rate: int = RATE) -> Graph:
    """A chain whose last node is linked to the first: a loop."""
    within("`nodes`", nodes, 3, NODES_MAX)
    return shape(
        "ring", nodes, ((node, (node + 1) % nodes) for node in range(nodes)), kind, delay, rate
    )


def tree(
    nodes: int = 7, branching: int = 2, *, kind: str = HUB, delay: int = DELAY, rate: int = RATE
) -> Graph:
    """Node n, counted from 0, hangs from node (n - 1) // branching."""
    within("`nodes`", nodes, 1, NODES_MAX)
    within("`branching`", branching, 1, NODES_MAX)
    edges = (((node - 1) // branching, node) for node in range(1, nodes))
    return shape("tree", nodes, edges, kind, delay, rate)


def mesh(nodes: int = 5, *, kind: str = HUB, delay: int = DELAY, rate: int = RATE) -> Graph:
    """Each node linked to every other."""
    within("`nodes`", nodes, 1, NODES_MAX)
    check_size(nodes, nodes * (nodes - 1) // 2)
    return shape("mesh", nodes, combinations(range(nodes), 2), kind, delay, rate)


def fat_tree(k: int = 4, *, kind: str = HUB, delay: int = DELAY, rate: int = RATE) -> Graph:
    """The switch fabric of a k-ary fat tree (Al-Fares, Loukissas, Vahdat, SIGCOMM 2008).

    (k/2)^2 core nodes, then k pods of k/2 aggregation and k/2 edge nodes. `k` is even.
    """
    within("`k`", k, 2, 124)  # k^3/2 links
    if k % 2:
        raise GraphError(f"`k` is {k}, an odd number", "choose an even number of ports")
    return shape("fat-tree", 5 * k * k // 4, _fabric(k), kind, delay, rate)


def shape(
    name: str, nodes: int, edges: Iterable[tuple[int, int]], kind: str, delay: int, rate: int
) -> Graph:
    """A graph of `nodes` nodes of one kind, numbered from 1 in their names, and of like links."""
    if kind not in SITES:
        raise GraphError(f"`kind` is `{kind}`", f"choose {' or '.join(SITES)}")
    names = [f"{_PREFIX[kind]}{number}" for number in range(1, nodes + 1)]
    graph: Graph = nx.Graph(name=name)
    graph.add_nodes_from(names, kind=kind)
    graph.add_edges_from(((names[a], names[b]) for a, b in edges), delay=delay, rate=rate)
    return graph


def _fabric(k: int) -> Iterator[tuple[int, int]]:
    half = k // 2
    for pod in range(k):
        first = half * half + pod * k  # of the pod: its aggregation nodes, then its edge nodes
        for row in range(half):
            above = first + row
            yield from ((row * half + core, above) for core in range(half))
            yield from ((above, first + half + edge) for edge in range(half))
