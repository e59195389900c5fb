"""Private networks in SoftEther's words: hub and spoke, cascade, site to site; endpoints."""

from itertools import count, cycle, islice

import networkx as nx
from networkx.utils import UnionFind

from topologies.shapes import DELAY, RATE, shape
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

WAN_DELAY = 10_000_000  # ns: two thousand kilometers of fiber
WAN_RATE = 100_000_000  # bit/s


def hub_and_spoke(sites: int = 4, *, delay: int = WAN_DELAY, rate: int = WAN_RATE) -> Graph:
    """A hub `center` and in each site a hub `site1`... cascaded to it."""
    within("`sites`", sites, 1, NODES_MAX - 1)
    graph: Graph = nx.Graph(name="hub-and-spoke")
    graph.add_node("center", kind=HUB)
    for site in range(1, sites + 1):
        graph.add_node(f"site{site}", kind=HUB)
        graph.add_edge("center", f"site{site}", delay=delay, rate=rate)
    return graph


def cascade(
    hubs: int = 4, branching: int = 1, *, delay: int = WAN_DELAY, rate: int = WAN_RATE
) -> Graph:
    """Hubs `hub1`... that each cascade to one above; at most `branching` to the same one."""
    within("`hubs`", hubs, 1, NODES_MAX)
    within("`branching`", branching, 1, NODES_MAX)
    edges = (((hub - 1) // branching, hub) for hub in range(1, hubs))
    return shape("cascade", hubs, edges, HUB, delay, rate)


def site_to_site(
    sites: int = 3, stations: int = 2, *, delay: int = WAN_DELAY, rate: int = WAN_RATE
) -> Graph:
    """Local networks made one: a switch `lan1`... with stations, bridged into a hub `site1`...

    The hubs of the sites are cascaded to the hub `center`; `delay` and `rate` are the cascades'.
    """
    within("`sites`", sites, 1, NODES_MAX)
    within("`stations`", stations, 0, NODES_MAX)
    check_size(1 + sites * (2 + stations), sites * (2 + stations))
    graph = hub_and_spoke(sites, delay=delay, rate=rate)
    graph.graph["name"] = "site-to-site"
    for site in range(1, sites + 1):
        lan = f"lan{site}"
        graph.add_node(lan, kind=SWITCH)
        graph.add_edge(f"site{site}", lan, delay=DELAY, rate=RATE)
        for number in range((site - 1) * stations + 1, site * stations + 1):
            graph.add_node(f"s{number}", kind="station")
            graph.add_edge(lan, f"s{number}", delay=DELAY, rate=RATE)
    return graph


def server(clients: int = 2, bridges: int = 1, cascades: int = 0, ipcs: int = 0) -> Graph:
    """One hub `server`, and all that may connect: clients, bridged networks, cascades.

    Each client is a tap `tap1`... with a host, each bridged network a switch `lan1`... with a
    station, each cascade a hub `remote1`... with a station, and each in-process client an `ipc1`...
    with a host, numbered after the others.
    """
    counts = {"clients": clients, "bridges": bridges, "cascades": cascades, "ipcs": ipcs}
    for what, value in counts.items():
        within(f"`{what}`", value, 0, NODES_MAX)
    pairs = sum(counts.values())
    check_size(1 + 2 * pairs, 2 * pairs)
    graph: Graph = nx.Graph(name="server")
    graph.add_node("server", kind=HUB)
    for number in range(1, clients + 1):
        _attach(graph, "server", f"tap{number}", "tap")
        _attach(graph, f"tap{number}", f"h{number}", "host")
    for number in range(1, ipcs + 1):
        _attach(graph, "server", f"ipc{number}", "ipc")
        _attach(graph, f"ipc{number}", f"h{clients + number}", "host")
    sites = [(f"lan{number}", SWITCH) for number in range(1, bridges + 1)]
    sites += [(f"remote{number}", HUB) for number in range(1, cascades + 1)]
    for number, (site, kind) in enumerate(sites, 1):
        _attach(graph, "server", site, kind)
        _attach(graph, site, f"s{number}", "station")
    return graph


def populate(graph: Graph, taps: int = 1, stations: int = 1, gateways: int = 1) -> Graph:
    """A copy with endpoints on each hub and switch that has none.

    Per site `taps` taps with a host each (`tap1` and `h1`...) and `stations` stations (`s1`...),
    numbered over the whole graph in site order; a number whose name is taken is passed over. Then
    `gateways` gateways in all (`gw1`...), those the graph already has included, on the sites with
    most links to other sites. The new edges carry no attributes: what a link to an endpoint is like
    is the builder's to say.
    """
    kinds = _kinds(graph)
    sites = [name for name, kind in kinds.items() if kind in SITES]
    if not sites:
        raise GraphError("the graph has neither hub nor switch", "add one to attach endpoints to")
    for what, value in (("taps", taps), ("stations", stations), ("gateways", gateways)):
        within(f"`{what}`", value, 0, NODES_MAX)
    bare = [site for site in sites if all(kinds[near] in SITES for near in graph[site])]
    new = len(bare) * (2 * taps + stations) + gateways
    check_size(len(graph) + new, graph.number_of_edges() + new)

    backbone = graph.subgraph(sites)
    ranked = sorted(sites, key=lambda site: -backbone.degree(site))
    present = list(kinds.values()).count("gateway")

    full: Graph = graph.copy()
    tap_numbers, station_numbers, gateway_numbers = count(1), count(1), count(1)
    for site in bare:
        for _ in range(taps):
            number = _free(full, tap_numbers, "tap", "h")
            full.add_node(f"tap{number}", kind="tap")
            full.add_node(f"h{number}", kind="host")
            full.add_edge(site, f"tap{number}")
            full.add_edge(f"tap{number}", f"h{number}")
        for _ in range(stations):
            _attach(full, site, f"s{_free(full, station_numbers, 's')}", "station")
    for site in islice(cycle(ranked), max(0, gateways - present)):
        _attach(full, site, f"gw{_free(full, gateway_numbers, 'gw')}", "gateway")
    return full


def cascade_tree(graph: Graph) -> tuple[Graph, list[tuple[str, str]]]:
    """A copy without loops between hubs and switches, and the links left out, sorted.

    SoftEther's hubs have no spanning tree protocol: one broadcast in a loop of them never ends.
    Kept is the minimum spanning tree (of each component) by delay, then by names; links of
    endpoints stay as they are.
    """
    kinds = _kinds(graph)
    links = sorted(
        (attributes.get("delay", 0), min(one, other), max(one, other))
        for one, other, attributes in graph.edges(data=True)
        if kinds[one] in SITES and kinds[other] in SITES
    )
    joined = UnionFind(kinds)
    left_out = []
    for _, one, other in links:
        if joined[one] == joined[other]:
            left_out.append((one, other))
        else:
            joined.union(one, other)
    kept: Graph = graph.copy()
    kept.remove_edges_from(left_out)
    return kept, sorted(left_out)


def _kinds(graph: Graph) -> dict[str, str]:
    return {name: attributes["kind"] for name, attributes in graph.nodes(data=True)}


def _attach(graph: Graph, site: str, name: str, kind: str) -> None:
    graph.add_node(name, kind=kind)
    graph.add_edge(site, name)


def _free(graph: Graph, numbers: "count[int]", *prefixes: str) -> int:
    return next(n for n in numbers if not any(f"{prefix}{n}" in graph for prefix in prefixes))
