"""A graph becomes a network: addresses, LANs, gateways, links; every catalog topology carries."""

import networkx as nx
import pytest

from sim.actions.traffic import Ping, Timing
from sim.build import Built, build
from sim.nodes.gateway import LanGateway
from sim.nodes.host import L3Host
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.nodes.virtual_tap import VirtualTapNode
from topologies import CATALOG, Graph, GraphError, cascade_tree, check, populate
from virtualtap.units import MS, SECOND, US
from virtualtap.wire.address import ip, ip_text, mac

KINDS = {"sw": "switch", "hub": "hub", "tap": "tap", "h": "host", "s": "station", "gw": "gateway"}


def a_graph(*links: str, **attributes: int) -> Graph:
    """`"sw1-s1"` links two nodes, whose kinds are in their names; the graph is one that may be."""
    graph: Graph = nx.Graph()
    for link in links:
        for name in link.split("-"):
            graph.add_node(name, kind=KINDS[name.rstrip("0123456789")])
        graph.add_edge(*link.split("-"), **attributes)
    check(graph)
    return graph


def addresses(built: Built) -> dict[str, str]:
    """Port at which an endpoint speaks → its address."""
    return {place.speaks: ip_text(place.ip) for place in built.places}


def ping(built: Built, source: str, to: str, family: int = 4, until: int = 5 * SECOND) -> int:
    """How many payloads one ping hands over: 2 if it goes there and comes back."""
    network = built.network
    ends = built.endpoints[source], built.endpoints[to]
    before = network.tally.delivered
    now = network.now
    Ping(network, 1, ends, Timing(SECOND, now, now + 1), family=family).start()
    network.run(now + until)
    assert network.ledger() == []
    return network.tally.delivered - before


def test_every_kind_of_node_is_made():
    built = build(a_graph("hub1-sw1", "hub1-tap1", "tap1-h1", "sw1-s1", "sw1-gw1"), 0)
    assert {name: type(node) for name, node in built.network.nodes.items()} == {
        "hub1": SoftEtherServer,
        "sw1": Switch,
        "tap1": VirtualTapNode,
        "h1": L3Host,
        "s1": Station,
        "gw1": LanGateway,
    }
    assert list(built.endpoints) == ["h1", "s1", "gw1"]
    assert list(built.bridges) == ["hub1", "sw1"]
    assert list(built.links) == ["hub1--sw1", "hub1--tap1", "sw1--s1", "sw1--gw1", "tap1--h1"]


def test_endpoints_of_one_lan_are_numbered_in_the_order_of_the_graph():
    built = build(a_graph("hub1-sw1", "sw1-s1", "hub1-tap1", "tap1-h1", "sw1-gw1"), 0)
    assert addresses(built) == {
        "s1.eth0": "10.0.0.1",
        "h1.uplink": "10.0.0.2",
        "gw1.lan1": "10.0.0.3",
    }
    assert {place.prefix_length for place in built.places} == {16}
    assert [place.gateway for place in built.places] == [ip("10.0.0.3"), ip("10.0.0.3"), None]


def test_every_endpoint_has_a_mac_of_its_own_and_a_tap_that_of_its_host():
    built = build(a_graph("hub1-tap1", "tap1-h1", "hub1-s1", "hub1-gw1"), 0)
    macs = {place.name: place.mac for place in built.places}
    assert len(set(macs.values())) == 3
    assert all(found[:2] == mac("02:00:00:00:00:00")[:2] for found in macs.values())
    tap = built.network.nodes["tap1"]
    assert isinstance(tap, VirtualTapNode)
    assert (tap.config.our_mac, tap.config.our_ip) == (macs["h1"], ip("10.0.0.1"))
    assert tap.config.gateway_ip == ip("10.0.0.3")
    assert [place.lan for place in built.places] == ["tap1.lan", "s1.eth0", "gw1.lan1"]


def test_lans_are_what_no_router_divides():
    built = build(a_graph("sw1-s1", "sw2-s2", "sw1-gw1", "sw2-gw1", "sw3-s3", "sw3-hub1"), 0)
    assert addresses(built) == {
        "s1.eth0": "10.0.0.1",
        "s2.eth0": "10.1.0.1",
        "gw1.lan1": "10.0.0.2",
        "gw1.lan2": "10.1.0.2",
        "s3.eth0": "10.2.0.1",
    }
    assert [place.gateway for place in built.places[:2]] == [ip("10.0.0.2"), ip("10.1.0.2")]


def test_without_ipv6_there_are_no_such_addresses():
    built = build(a_graph("sw1-s1", "sw1-gw1"), 0)
    assert [(place.ip6, place.gateway6) for place in built.places] == [((), None)] * 2


def test_with_ipv6_each_lan_has_a_prefix_of_its_own():
    built = build(a_graph("sw1-s1", "sw2-s2", "sw1-gw1", "sw2-gw1"), 0, ipv6=True)
    assert {place.speaks: [ip_text(one) for one in place.ip6] for place in built.places} == {
        "s1.eth0": ["fd00::1"],
        "s2.eth0": ["fd00:0:0:1::1"],
        "gw1.lan1": ["fd00::2"],
        "gw1.lan2": ["fd00:0:0:1::2"],
    }
    assert built.places[1].gateway6 == ip("fd00:0:0:1::2")


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(("source", "to"), [("s1", "s2"), ("s2", "s1"), ("h1", "s2"), ("s2", "h1")])
def test_a_gateway_between_two_lans_carries_a_ping(family: int, source: str, to: str):
    graph = a_graph("sw1-s1", "sw2-s2", "sw1-gw1", "sw2-gw1", "sw1-hub1", "hub1-tap1", "tap1-h1")
    built = build(graph, 0, ipv6=True)
    assert ping(built, source, to, family) == 2
    assert built.network.drops() == {}


@pytest.mark.parametrize("links", [("sw1-gw1", "sw2-gw1"), ("sw2-gw1", "sw1-gw1")])
def test_a_gateway_has_its_address_where_its_link_leads_whatever_the_order(
    links: tuple[str, str],
):
    built = build(a_graph("sw1-s1", "sw2-s2", *links), 0)
    for place in built.places:
        if place.name == "gw1":
            out = built.endpoints["gw1"].ports[place.speaks.removeprefix("gw1.")].out
            assert out is not None
            lan = "10.0." if out.target.node.name == "sw1" else "10.1."
            assert ip_text(place.ip).startswith(lan)
    assert ping(built, "s1", "s2") == 2


def test_a_second_link_of_a_gateway_into_one_lan_is_refused():
    with pytest.raises(GraphError, match="gateway `gw1` has two links into one LAN") as caught:
        build(a_graph("sw1-sw2", "sw1-gw1", "sw2-gw1"), 0)
    assert "`sw2`" in str(caught.value)
    assert caught.value.hint == "a router has one link to each LAN"


def test_the_first_gateway_of_a_lan_leads_out_of_it():
    built = build(a_graph("sw1-gw1", "sw1-gw2", "sw1-s1"), 0)
    assert [place.gateway for place in built.places] == [None, ip("10.0.0.1"), ip("10.0.0.1")]


def test_more_lans_than_have_addresses_are_refused():
    graph: Graph = nx.Graph()
    graph.add_nodes_from((f"sw{i}" for i in range(257)), kind="switch")
    with pytest.raises(GraphError, match="257 separate LANs"):
        build(graph, 0)


# links


def test_links_are_by_default_what_they_stand_for():
    graph = a_graph("hub1-hub2", "hub1-tap1", "tap1-h1", "hub1-sw1", "sw1-s1", "sw1-gw1")
    built = build(graph, 0)
    found = {
        name: (link.rate, link.delay, link.overhead, link.least, link.queue)
        for name, link in built.links.items()
    }
    lan = (10**9, 5 * US, 24, 60, 256 * 1024)
    assert found == {
        "hub1--hub2": (10**9, 1 * MS, 82, 0, None),
        "hub1--tap1": (10**8, 5 * MS, 82, 0, None),
        "tap1--h1": (None, 0, 0, 0, 256 * 1024),
        "hub1--sw1": lan,
        "sw1--s1": lan,
        "sw1--gw1": lan,
    }


def test_what_an_edge_says_is_what_its_link_is():
    built = build(a_graph("sw1-s1", rate=5000, delay=7, overhead=8, least=9, queue=10), 0)
    link = built.links["sw1--s1"]
    said = (link.rate, link.delay, link.overhead, link.least, link.queue)
    assert said == (5000, 7, 8, 9, 10)


def test_the_seed_is_that_of_the_network():
    assert build(a_graph("sw1-s1"), 42).network.seed == 42


# the catalog


def catalogued(name: str) -> Built:
    graph, _ = cascade_tree(CATALOG[name]())
    graph = populate(graph, taps=1, stations=1, gateways=1)
    check(graph)
    return build(graph, 0, ipv6=True)


@pytest.mark.parametrize("name", CATALOG)
@pytest.mark.parametrize("family", [4, 6])
def test_every_topology_builds_and_carries_a_ping(name: str, family: int):
    built = catalogued(name)
    names = list(built.endpoints)
    assert ping(built, names[0], names[-1], family) == 2
    assert ping(built, names[-1], names[len(names) // 2], family) == 2
    assert set(built.network.drops()) <= {"not-for-us"}  # flooded, and not for everyone


def test_two_builds_of_one_graph_are_alike():
    one, other = catalogued("hub-and-spoke"), catalogued("hub-and-spoke")
    assert one.places == other.places
    assert list(one.links) == list(other.links)
