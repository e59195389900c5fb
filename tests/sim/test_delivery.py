"""Delay, loss, duplication, reordering and throughput of payloads, by hand-made moments."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions.traffic import DatagramStream, Flow, Ping, Timing, flow_key
from sim.delivery import Delivery, FlowCounts, flow_quantiles
from sim.network import Network
from sim.nodes.gateway import LanGateway
from sim.nodes.station import Station
from sim.observers import Kind, Moment, Observer
from sim.probes import Place
from tests import builders as b
from tests.sim.networks import addresses, datagram, place_of
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST

SENT, ARRIVED, DROPPED = Kind.SENT, Kind.ARRIVED, Kind.DROPPED

# a station at PEER and a host behind a tap at OUR_IP, on one /24 led out by GATEWAY
STATION = Place("s", "s.eth0", "s.eth0", b.PEER_MAC, b.PEER, 24, (b.PEER6,), b.GATEWAY, None)
HOST = Place("h", "h.uplink", "tap.lan", b.OUR_MAC, b.OUR_IP, 24, (b.OUR_IP6,), b.GATEWAY, None)
ROUTER = Place("gw", "gw.lan1", "gw.lan1", b.GATEWAY_MAC, b.GATEWAY, 24, (), None, None)
PLACES = (STATION, HOST, ROUTER)


def show(observer: Observer, *moments: tuple[int, Kind, str, bytes]) -> None:
    for at, kind, where, data in moments:
        observer.see(Moment(at, kind, where, data))


QUERY = datagram(b.PEER, b.OUR_IP, b"0123456789abcdef")
FLOW = Flow("0", "stream", "s", "h", (flow_key(QUERY),))


def numbered(number: int) -> bytes:
    return datagram(b.PEER, b.OUR_IP, number.to_bytes(16))


def sent(at: int, packet: bytes) -> tuple[int, Kind, str, bytes]:
    return at, SENT, "s.eth0", b.frame(packet, b.OUR_MAC, b.PEER_MAC)


def arrived(at: int, packet: bytes, where: str = "h.uplink") -> tuple[int, Kind, str, bytes]:
    return at, ARRIVED, where, packet


def delivery(
    *moments: tuple[int, Kind, str, bytes], until: int = 1000, keep: int = SECOND
) -> Delivery:
    probe = Delivery(PLACES, [FLOW], until, keep)
    show(probe, *moments)
    return probe


def test_delay_is_from_the_first_sending_to_the_arrival_at_the_receiver():
    probe = delivery(sent(10, QUERY), (30, SENT, "tap.host", QUERY), arrived(75, QUERY))
    assert probe.curve(1) == [(0.0, 65), (1.0, 65)]
    [counts] = probe.counts
    assert (counts.offered, counts.delivered, counts.duplicated, counts.reordered) == (1, 1, 0, 0)


def test_what_never_arrives_is_lost():
    probe = delivery(sent(10, numbered(1)), sent(20, numbered(2)), arrived(25, numbered(2)))
    assert (probe.counts[0].offered, probe.counts[0].delivered) == (2, 1)


def test_what_arrives_a_second_time_is_a_duplicate():
    probe = delivery(sent(10, QUERY), *(arrived(at, QUERY) for at in (20, 30, 40)))
    assert (probe.counts[0].delivered, probe.counts[0].duplicated) == (1, 2)
    assert list(probe.delays) == [10]


def test_what_arrives_behind_a_later_one_is_reordered():
    moments = [sent(i, numbered(i)) for i in range(5)]
    moments += [arrived(100 + at, numbered(i)) for at, i in enumerate((0, 3, 1, 2, 4))]
    assert delivery(*moments).counts[0].reordered == 2


def test_what_arrives_changed_has_not_arrived():
    probe = delivery(sent(10, QUERY), arrived(20, QUERY[:-1] + b"!"))
    assert (probe.counts[0].delivered, probe.counts[0].duplicated) == (0, 0)


def test_what_arrives_with_fewer_hops_left_is_the_same():
    fewer = QUERY[:8] + b"\x3e" + QUERY[9:10] + b"\x12\x34" + QUERY[12:]
    assert delivery(sent(10, QUERY), arrived(20, fewer)).counts[0].delivered == 1


def test_padding_is_not_seen_on_the_ip_side_alone():
    probe = delivery(sent(10, QUERY), arrived(20, QUERY, "tap.lan"))
    assert probe.counts[0].delivered == 0  # the tap's port is not where the host listens


def test_what_reaches_somebody_else_is_not_delivered():
    frame = b.frame(QUERY, BROADCAST, b.PEER_MAC)
    probe = delivery(sent(10, QUERY), (20, ARRIVED, "gw.lan1", frame))
    assert probe.counts[0].delivered == 0


def test_packets_of_no_flow_are_not_counted():
    other = datagram(b.PEER, b.OUR_IP, port=99)
    probe = delivery(sent(10, other), arrived(20, other), arrived(20, b""), arrived(20, bytes(19)))
    assert (probe.counts[0], list(probe.delays)) == (FlowCounts(), [])


def test_what_is_older_than_the_run_keeps_is_lost_and_forgotten():
    probe = delivery(
        sent(10, numbered(1)), sent(300, numbered(2)), arrived(310, numbered(1)), keep=100
    )
    assert (probe.counts[0].offered, probe.counts[0].delivered) == (2, 0)
    assert len(probe._on_way) == 1


def test_throughput_is_in_a_hundred_bins():
    probe = delivery(sent(5, QUERY), sent(15, numbered(7)), arrived(995, QUERY))
    bits = 16 * 8
    assert probe.width == 10
    assert {i: pair for i, pair in enumerate(probe.bins) if any(pair)} == {
        0: [bits, 0],
        1: [bits, 0],
        99: [0, bits],
    }


def routed_lans() -> tuple[Network, Station, Station, LanGateway, list[Place]]:
    """Two stations with a gateway between them, and their places."""
    network = Network()
    gateway = network.add(LanGateway("gw"))
    stations, places = [], []
    for lan in (0, 1):
        own = addresses(1, lan=lan, gateway=254)
        station = network.add(Station(f"s{lan + 1}", own))
        interface = gateway.add_interface(addresses(254, lan=lan))
        network.connect(station.port, interface.port, delay=1 * MS)
        stations.append(station)
        places.append(place_of(station))
        port, mac = interface.port.name, interface.mac
        places.append(Place("gw", port, port, mac, interface.ip, 24, interface.ip6, None, None))
    return network, stations[0], stations[1], gateway, places


def test_a_router_on_the_way_neither_offers_nor_takes():
    network, one, two, _, places = routed_lans()
    timing = Timing(10 * MS, 100 * MS, 200 * MS)
    talk = DatagramStream(network, 0, (one, two), timing, size=100)
    ping = Ping(network, 1, (one, two), Timing(500 * MS, 0, 1))
    probe = Delivery(places, [talk.flow, ping.flow], 1 * SECOND, SECOND)
    network.observers.append(probe)
    talk.start()
    ping.start()
    network.run(1 * SECOND)
    assert [(one.offered, one.delivered) for one in probe.counts] == [(10, 10), (2, 2)]
    assert set(probe.counts[0].delays) == {2 * MS}


def test_a_router_that_is_spoken_to_at_its_far_address_takes():
    network, _, two, gateway, places = routed_lans()
    ping = Ping(network, 0, (two, gateway), Timing(500 * MS, 0, 1))  # to its first address
    probe = Delivery(places, [ping.flow], 1 * SECOND, SECOND)
    network.observers.append(probe)
    ping.start()
    network.run(1 * SECOND)
    assert (probe.counts[0].offered, probe.counts[0].delivered) == (2, 2)


# quantiles


def with_delays(delays: Iterable[int]) -> Delivery:
    probe = delivery()
    probe.delays.extend(delays)
    return probe


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.9, 90), (0.99, 99), (0.999, 100), (0.001, 1), (1.0, 100)]
)
def test_a_quantile_is_the_nearest_rank(share: float, expected: int):
    assert with_delays(range(100, 0, -1)).quantile(share) == expected


def test_without_delays_there_is_no_quantile():
    probe = with_delays(())
    assert (probe.quantile(0.5), probe.curve()) == (None, [])


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50), st.integers(1, 1000))
def test_a_quantile_is_what_its_share_did_not_exceed(delays: list[int], thousandths: int):
    value = with_delays(delays).quantile(thousandths / 1000)
    assert value in delays
    assert sum(delay <= value for delay in delays) * 1000 >= thousandths * len(delays)
    assert sum(delay < value for delay in delays) * 1000 < thousandths * len(delays)


def test_quantiles_follow_the_delays_that_come_later():
    probe = with_delays([5])
    assert probe.quantile(0.5) == 5
    probe.delays.extend([1, 1])
    assert probe.quantile(0.5) == 1


def test_the_curve_rises_from_the_least_to_the_largest():
    curve = with_delays([30, 10, 20]).curve(4)
    assert curve == [(0.0, 10), (0.25, 10), (0.5, 20), (0.75, 30), (1.0, 30)]


def test_a_flow_has_its_own_quantiles_and_variation():
    counts = FlowCounts()
    assert flow_quantiles(counts) == (None, None, None, None)
    counts.delays.extend(range(101, 1, -1))
    assert flow_quantiles(counts) == (51, 100, 101, 98)
