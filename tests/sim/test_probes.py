"""Probes, by hand-made moments: every definition of what is measured, and its edges."""

from hashlib import blake2b
from zlib import crc32

import pytest

from sim.observers import Kind, Moment, Observer
from sim.probes import (
    ArpConvergence,
    BroadcastLearning,
    Digest,
    Drops,
    Place,
)
from tests import builders as b
from tests.sim.networks import a_lan, datagram, echo, place_of
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST, ip

SENT, ARRIVED, DROPPED = Kind.SENT, Kind.ARRIVED, Kind.DROPPED

# a station at PEER and a host behind a tap at OUR_IP, on one /24 led out by GATEWAY
STATION = Place("s", "s.eth0", "s.eth0", b.PEER_MAC, b.PEER, 24, (b.PEER6,), b.GATEWAY, None)
HOST = Place("h", "h.uplink", "tap.lan", b.OUR_MAC, b.OUR_IP, 24, (b.OUR_IP6,), b.GATEWAY, None)
ROUTER = Place("gw", "gw.lan1", "gw.lan1", b.GATEWAY_MAC, b.GATEWAY, 24, (), None, None)
PLACES = (STATION, HOST, ROUTER)

SEED = 7


def show(observer: Observer, *moments: tuple[int, Kind, str, bytes]) -> None:
    for at, kind, where, data in moments:
        observer.see(Moment(at, kind, where, data))


def converged(*moments: tuple[int, Kind, str, bytes]) -> ArpConvergence:
    probe = ArpConvergence(PLACES)
    show(probe, *moments)
    return probe


# whom one must ask for


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        (b.OUR_IP, b.OUR_IP),
        (b.FAR, b.GATEWAY),
        (b.PEER, None),
        (ip("10.0.0.255"), None),
        (ip("255.255.255.255"), None),
        (ip("224.0.0.251"), None),
        (b.OUR_IP6, b.OUR_IP6),
        (b.PEER6, None),
        (b.FAR6, None),
        (ip("ff02::1"), None),
    ],
)
def test_the_next_hop_is_the_neighbor_or_the_gateway_or_nobody(
    destination: bytes, expected: bytes | None
):
    assert STATION.next_hop(destination) == expected


def test_the_next_hop_of_ipv6_may_be_a_gateway():
    place = Place("s", "p", "p", b.PEER_MAC, b.PEER, 24, (b.PEER6,), None, b.GATEWAY6)
    assert place.next_hop(b.FAR6) == b.GATEWAY6


def test_a_lone_address_has_no_broadcast():
    place = Place("s", "p", "p", b.PEER_MAC, b.PEER, 32, (), b.GATEWAY, None)
    assert place.next_hop(ip("10.0.0.255")) == b.GATEWAY


# ARP convergence

ASKS = (10, SENT, "s.eth0", b.arp_request(asks=b.OUR_IP))
ANSWER = b.arp_reply(b.OUR_MAC, b.OUR_IP, b.PEER_MAC, b.PEER)


def test_convergence_is_from_the_first_question_to_the_first_true_answer():
    probe = converged(
        ASKS,
        (1_000_010, SENT, "s.eth0", b.arp_request(asks=b.OUR_IP)),
        (1_500_010, ARRIVED, "s.eth0", ANSWER),
        (1_900_010, ARRIVED, "s.eth0", ANSWER),
    )
    assert (probe.value(), probe.unresolved) == (0.0015, 0)
    assert probe.asked == {("s", b.OUR_IP): 10}
    assert probe.resolved == {("s", b.OUR_IP): 1_500_010}


def test_behind_a_tap_the_first_question_is_the_first_ip_packet():
    probe = converged(
        (5, SENT, "h.uplink", datagram(b.OUR_IP, b.PEER)),
        (9, SENT, "tap.lan", b.arp_request(b.OUR_MAC, b.OUR_IP, b.PEER)),
        (1005, ARRIVED, "tap.lan", b.arp_reply()),
    )
    assert (probe.value(), probe.asked) == (1e-6, {("h", b.PEER): 5})


def test_for_a_packet_that_leaves_the_subnet_the_gateway_is_asked_for():
    probe = converged(
        (5, SENT, "h.uplink", datagram(b.OUR_IP, b.FAR)),
        (7, ARRIVED, "tap.lan", b.arp_reply(b.GATEWAY_MAC, b.GATEWAY)),
    )
    assert (probe.value(), list(probe.asked)) == (2e-9, [("h", b.GATEWAY)])


def test_convergence_is_zero_where_an_answer_came_before_the_question():
    probe = converged((3, ARRIVED, "s.eth0", b.arp_request(b.OUR_MAC, b.OUR_IP, b.PEER)), ASKS)
    assert (probe.value(), probe.unresolved, probe.resolved) == (0.0, 0, {("s", b.OUR_IP): 10})


def test_convergence_of_a_run_is_the_largest_of_its_pairs():
    probe = converged(
        ASKS,
        (20, SENT, "h.uplink", datagram(b.OUR_IP, b.PEER)),
        (30, ARRIVED, "s.eth0", ANSWER),
        (90, ARRIVED, "tap.lan", b.arp_reply()),
    )
    assert probe.value() == 70e-9


def test_convergence_is_null_while_one_pair_is_unresolved_and_says_how_many():
    probe = converged(
        ASKS,
        (20, SENT, "h.uplink", datagram(b.OUR_IP, b.PEER)),
        (30, ARRIVED, "s.eth0", ANSWER),
    )
    assert (probe.value(), probe.unresolved) == (None, 1)


def test_convergence_is_null_where_nobody_ever_asked():
    assert converged((3, ARRIVED, "s.eth0", ANSWER)).value() is None


UNTRUE = {
    "another mac": b.arp_reply(b.STRANGER_MAC, b.OUR_IP, b.PEER_MAC, b.PEER),
    "another address": b.arp_reply(b.OUR_MAC, b.NOBODY, b.PEER_MAC, b.PEER),
    "an address of nobody": b.arp_reply(b.STRANGER_MAC, b.NOBODY, b.PEER_MAC, b.PEER),
    "no arp at all": b.frame(datagram(b.OUR_IP, b.PEER), b.PEER_MAC, b.OUR_MAC),
    "an arp cut short": ANSWER[:26],
}


@pytest.mark.parametrize("what", UNTRUE)
def test_no_answer_is(what: str):
    assert converged(ASKS, (30, ARRIVED, "s.eth0", UNTRUE[what])).unresolved == 1


def test_an_answer_that_arrives_elsewhere_is_none():
    assert converged(ASKS, (30, ARRIVED, "sw.p1", ANSWER)).unresolved == 1
    assert converged(ASKS, (30, SENT, "s.eth0", ANSWER)).unresolved == 1


def test_a_question_lost_on_the_way_is_a_question():
    assert converged((10, DROPPED, "s.eth0", ASKS[3])).unresolved == 0
    assert converged(ASKS, (10, DROPPED, "s.eth0", ASKS[3])).unresolved == 1


def test_a_reply_and_a_probe_are_no_questions():
    probe = converged(
        (10, SENT, "s.eth0", b.arp_reply(b.PEER_MAC, b.PEER, b.OUR_MAC, b.OUR_IP)),
        (10, SENT, "s.eth0", b.arp_probe(b.OUR_IP)),
        (10, SENT, "s.eth0", b.frame(datagram(b.PEER, ip("10.0.0.255")), BROADCAST)),
    )
    assert (probe.asked, probe.value()) == ({}, None)


def test_a_packet_sent_without_asking_asks():
    probe = converged((10, SENT, "s.eth0", b.frame(datagram(b.PEER, b.OUR_IP))))
    assert (probe.asked, probe.unresolved) == ({("s", b.OUR_IP): 10}, 1)


def test_neighbor_discovery_converges_alike():
    asks = b.solicitation(b.PEER_MAC, b.PEER6, b.OUR_IP6)
    answer = b.advertisement(b.OUR_MAC, b.OUR_IP6, b.PEER6)
    probe = converged((10, SENT, "s.eth0", asks), (60, ARRIVED, "s.eth0", answer))
    assert (probe.value(), probe.asked) == (50e-9, {("s", b.OUR_IP6): 10})


def test_a_solicitation_carries_the_mac_of_its_sender():
    asks = b.solicitation(b.PEER_MAC, b.PEER6, b.OUR_IP6)
    heard = b.solicitation(b.OUR_MAC, b.OUR_IP6, b.PEER6)
    probe = converged((5, ARRIVED, "s.eth0", heard), (10, SENT, "s.eth0", asks))
    assert probe.value() == 0.0


def test_an_advertisement_without_a_mac_is_no_answer():
    asks = b.solicitation(b.PEER_MAC, b.PEER6, b.OUR_IP6)
    bare = b.advertisement(b.OUR_MAC, b.OUR_IP6, b.PEER6, options=())
    probe = converged((10, SENT, "s.eth0", asks), (60, ARRIVED, "s.eth0", bare))
    assert probe.unresolved == 1


def test_stations_that_talk_converge_as_fast_as_their_links_allow():
    network, stations = a_lan(2, delay=1 * MS)
    probe = ArpConvergence(place_of(one) for one in stations)
    network.observers.append(probe)
    one, two = stations
    network.call_at(5, one.stack.transmit, echo(one.stack.ip, two.stack.ip))
    network.run(1 * SECOND)
    # the request crosses two links and the answer two; who answers has heard the asker
    assert probe.resolved == {("s1", two.stack.ip): 5 + 4 * MS, ("s2", one.stack.ip): 5 + 6 * MS}
    assert probe.value() == 0.004


# broadcast learning

HUBS = {"hub1.s1": "hub1", "hub1.s2": "hub1", "hub2.s1": "hub2"}


def learned(*moments: tuple[int, Kind, str, bytes]) -> BroadcastLearning:
    probe = BroadcastLearning(HUBS, ("s.eth0", "tap.lan"))
    show(probe, *moments)
    return probe


CALL = b.frame(b.packet(), BROADCAST, b.PEER_MAC)


def test_a_hub_has_learned_when_a_frame_of_the_mac_has_reached_it():
    probe = learned(
        (10, SENT, "s.eth0", CALL),
        (20, ARRIVED, "hub1.s1", CALL),
    )
    assert (probe.pairs(), probe.share(), probe.time_to_all()) == (2, 0.5, None)
    show(probe, (2 * SECOND, ARRIVED, "hub2.s1", CALL), (3 * SECOND, ARRIVED, "hub1.s1", CALL))
    assert (probe.share(), probe.time_to_all()) == (1.0, 2.0)
    assert probe.reached[("hub1", b.PEER_MAC)] == 20


def test_the_pairs_are_hubs_and_macs_that_ever_sent():
    probe = learned(
        (20, ARRIVED, "hub1.s1", b.frame(b.packet(), BROADCAST, b.STRANGER_MAC)),  # never sent
        (30, SENT, "s.eth0", CALL),
        (30, SENT, "tap.lan", b.arp_request(b.OUR_MAC, b.OUR_IP, b.PEER)),
    )
    assert (probe.pairs(), probe.share()) == (4, 0.0)


def test_who_reached_a_hub_before_he_was_seen_to_send_counts():
    probe = learned((20, ARRIVED, "hub1.s1", CALL), (30, SENT, "s.eth0", CALL))
    assert probe.share() == 0.5


def test_without_senders_there_is_no_share():
    probe = learned()
    assert (probe.share(), probe.time_to_all(), probe.flooded_share()) == (None, None, None)


def test_a_lost_frame_teaches_nobody():
    probe = learned((10, SENT, "s.eth0", CALL), (10, DROPPED, "s.eth0", CALL))
    assert probe.share() == 0.0


def test_flooded_copies_are_told_from_those_to_one():
    known = b.frame(b.packet(), b.PEER_MAC, b.OUR_MAC)
    probe = learned(
        (1, ARRIVED, "hub1.s1", CALL),
        (1, SENT, "hub1.s2", CALL),  # flooded to the only other session
        (2, ARRIVED, "hub1.s2", known),
        (2, SENT, "hub1.s1", known),  # to one who was heard
    )
    assert probe.flooded_share() == 0.5


def test_more_than_one_copy_is_a_flood_though_the_mac_was_heard_once():
    known = b.frame(b.packet(), b.PEER_MAC, b.OUR_MAC)
    probe = learned(
        (1, ARRIVED, "hub1.s1", CALL),
        (2, ARRIVED, "hub1.s2", known),
        *((2, SENT, "hub1.s1", known) for _ in range(3)),
    )
    probe.finish(3)
    assert (probe.flooded, probe.copies) == (3, 3)


def test_copies_of_a_hub_that_is_not_at_work_are_none_of_a_flood():
    probe = learned((1, ARRIVED, "hub1.s1", CALL), (1, SENT, "hub2.s1", CALL))
    assert probe.flooded_share() is None


# drops and digest


def test_drops_are_counted_by_place_and_reason():
    probe = Drops()
    for where, why in (("a.p", "queue"), ("a.p", "queue"), ("b", "down")):
        probe.see(Moment(1, DROPPED, where, b"", why))
    probe.see(Moment(1, SENT, "a.p", b""))
    assert probe.counts == {("a.p", "queue"): 2, ("b", "down"): 1}


MOMENT = Moment(5, SENT, "a.p", b"bytes")


def digest(*moments: Moment) -> str:
    probe = Digest(SEED)
    for moment in moments:
        probe.see(moment)
    return probe.value()


def test_the_digest_is_blake2b_over_time_kind_place_length_and_crc():
    lines = f"5 sent a.p 5 {crc32(b'bytes')}\n6 noted a 0 0\n".encode()
    expected = blake2b(lines, digest_size=16, salt=SEED.to_bytes(8)).hexdigest()
    assert digest(MOMENT, Moment(6, Kind.NOTED, "a", b"", "a fact")) == expected
    assert len(expected) == 32


@pytest.mark.parametrize(
    "changes",
    [{"at": 6}, {"kind": ARRIVED}, {"where": "b.p"}, {"data": b"byteS"}, {"data": b"bytes!"}],
)
def test_the_digest_changes_with_every_part_of_a_moment(changes: dict[str, object]):
    assert digest(MOMENT._replace(**changes)) != digest(MOMENT)


def test_the_digest_depends_on_the_order():
    other = MOMENT._replace(where="b.p")
    assert digest(MOMENT, other) != digest(other, MOMENT)
