"""An Ethernet interface: asks, answers and learns as Linux does."""

import pytest

from sim.network import Network
from sim.nodes import interface as limits
from sim.nodes.interface import Addresses, Interface
from sim.nodes.station import Station
from tests import builders as b
from tests.sim.networks import (
    Listener,
    a_station_and_a_listener,
    addresses,
    datagram,
    echo,
    station_mac,
)
from virtualtap.units import SECOND
from virtualtap.wire import arp, ndp
from virtualtap.wire.address import ALL_NODES6, ANY6, BROADCAST, ip, mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, IPV4, IPV6
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

OURS, OURS6, OUR_MAC = ip("10.0.0.1"), ip("fd00::1"), station_mac(1)
PEER, PEER6, PEER_MAC = b.PEER, b.PEER6, b.PEER_MAC


def hears(*frames: bytes, pause: int = 0) -> tuple[Station, list[bytes]]:
    """What a station says when these frames come to it, `pause` ns apart."""
    network, station, listener = a_station_and_a_listener()
    for i, frame in enumerate(frames):
        listener.say_at(i * pause, frame)
    network.run(100 + len(frames) * pause)
    assert network.ledger() == []
    return station, listener.frames()


def reply_of(frame: bytes) -> Arp:
    assert frame[12:14] == ARP
    return Arp.parse(frame[14:])


def our_echo_reply(frame: bytes, source: bytes = OURS) -> bool:
    if len(source) == 16:
        packet = Ipv6.parse(frame[14:])
        return packet.source == source and packet.payload[0] == 129
    found = Ipv4.parse(frame[14:])
    return found.source == source and found.payload[0] == 0


# answering


def test_a_request_for_its_address_is_answered_to_the_sender():
    _, said = hears(b.arp_request(asks=OURS))
    assert said == [PEER_MAC + OUR_MAC + ARP + Arp(2, OUR_MAC, OURS, PEER_MAC, PEER).to_bytes()]


def test_a_request_for_another_address_is_not_answered():
    assert hears(b.arp_request(asks=b.NOBODY))[1] == []


def test_a_hub_that_polls_from_another_subnet_is_answered():
    _, said = hears(b.arp_request(PEER_MAC, b.HUB_POLL, OURS, to=OUR_MAC))
    assert reply_of(said[0]).target_ip == b.HUB_POLL


def test_a_probe_for_its_address_is_answered():
    _, said = hears(b.arp_probe(OURS))
    assert (len(said), reply_of(said[0]).sender_ip) == (1, OURS)


def test_a_solicitation_is_answered_with_its_mac():
    station, said = hears(b.solicitation(asks=OURS6))
    message = NeighborMessage.parse(said[0][54:])
    assert (said[0][:6], message.target, message.mac(ndp.TARGET_MAC)) == (PEER_MAC, OURS6, OUR_MAC)
    assert message.flags == ndp.SOLICITED | ndp.OVERRIDE
    assert station.fates.originated == 1


def test_one_who_checks_whether_the_address_is_free_is_told_with_all_others():
    _, said = hears(b.solicitation(sender_ip=ANY6, asks=OURS6))
    assert said[0][:6] == mac("33:33:00:00:00:01")
    assert Ipv6.parse(said[0][14:]).destination == ALL_NODES6
    assert NeighborMessage.parse(said[0][54:]).flags == ndp.OVERRIDE


@pytest.mark.parametrize("source", [PEER, PEER6])
def test_an_echo_request_is_answered_after_asking_for_the_sender(source: bytes):
    to = OURS if len(source) == 4 else OURS6
    network, station, listener = a_station_and_a_listener()
    listener.say_at(0, b.frame(echo(source, to), OUR_MAC))
    answer = (
        b.arp_reply(target_mac=OUR_MAC, target_ip=OURS)
        if to == OURS
        else OUR_MAC + b.advertisement(to=OURS6)[6:]
    )
    listener.say_at(50, answer)
    network.run(100)
    asked, replied = listener.frames()
    assert asked[12:14] == (ARP if to == OURS else IPV6)
    assert our_echo_reply(replied, to)
    assert (replied[:6], listener.times()) == (PEER_MAC, [0, 50])
    assert (network.tally.delivered, network.tally.offered) == (1, 1)
    assert (station.fates.consumed, network.ledger()) == (2, [])


@pytest.mark.parametrize(
    "frame",
    [
        b.frame(echo(ip("224.0.0.1"), OURS), OUR_MAC),
        b.frame(echo(ip("255.255.255.255"), OURS), OUR_MAC),
        b.frame(echo(ip("ffff::"), OURS6), OUR_MAC),
        b.solicitation(sender_ip=ip("ffff::"), asks=OURS6),
    ],
)
def test_whoever_speaks_as_a_group_is_not_heard(frame):
    station, said = hears(frame)
    assert (said, station.fates.dropped) == ([], {"bad-address": 1})


def test_an_echo_request_to_everyone_stays_unanswered():
    request = echo(PEER, ip("10.0.0.255"))
    station, said = hears(b.frame(request, BROADCAST))
    assert (said, station.fates.consumed) == ([], 1)


# asking


def test_who_is_unknown_is_asked_for_and_gets_what_waited_in_order():
    network, station, listener = a_station_and_a_listener()
    packets = [datagram(OURS, PEER, bytes([i]) * 20) for i in range(3)]
    for packet in packets:
        network.call_at(0, station.stack.transmit, packet)
    listener.say_at(70, b.arp_reply(target_mac=OUR_MAC, target_ip=OURS))
    network.run(100)
    asked, *released = listener.frames()
    assert asked == BROADCAST + OUR_MAC + ARP + arp.request(OUR_MAC, OURS, PEER)
    assert released == [PEER_MAC + OUR_MAC + IPV4 + packet for packet in packets]
    assert listener.times() == [0, 70, 70, 70]


def test_it_asks_three_times_a_second_apart_and_gives_up():
    network, station, listener = a_station_and_a_listener()
    network.call_at(0, station.stack.transmit, datagram(OURS, PEER))
    network.run(10 * SECOND)
    assert listener.times() == [0, 1 * SECOND, 2 * SECOND]
    assert (station.fates.dropped, network.ledger()) == ({"unresolved": 1}, [])


def test_after_giving_up_the_next_packet_asks_again():
    network, station, listener = a_station_and_a_listener()
    for at in (0, 5 * SECOND):
        network.call_at(at, station.stack.transmit, datagram(OURS, PEER))
    network.run(20 * SECOND)
    assert listener.times() == [n * SECOND for n in (0, 1, 2, 5, 6, 7)]


def test_of_what_waits_only_the_newest_101_are_kept():
    network, station, listener = a_station_and_a_listener()
    for i in range(103):
        network.call_at(0, station.stack.transmit, datagram(OURS, PEER, bytes([i]) * 20))
    listener.say_at(70, b.arp_reply(target_mac=OUR_MAC, target_ip=OURS))
    network.run(100)
    assert [frame[-1] for frame in listener.frames()[1:]] == list(range(2, 103))
    assert station.fates.dropped == {"held-full": 2}


def test_a_neighbor_is_known_for_60_seconds_after_it_was_heard():
    network, station, listener = a_station_and_a_listener()
    network.call_at(0, station.stack.transmit, datagram(OURS, PEER))
    listener.say_at(1, b.arp_reply(target_mac=OUR_MAC, target_ip=OURS))
    for at in (60 * SECOND, 60 * SECOND + 2):
        network.call_at(at, station.stack.transmit, datagram(OURS, PEER))
    network.run(61 * SECOND)
    kinds = [(at, frame[12:14]) for at, frame in listener.heard]
    assert kinds == [(0, ARP), (1, IPV4), (60 * SECOND, IPV4), (60 * SECOND + 2, ARP)]


def test_hearing_a_neighbor_again_prolongs_it():
    network, station, listener = a_station_and_a_listener()
    for at in (0, 40 * SECOND):
        listener.say_at(at, b.arp_request(asks=OURS))
    network.call_at(90 * SECOND, station.stack.transmit, datagram(OURS, PEER))
    network.run(91 * SECOND)
    assert listener.frames()[-1][12:14] == IPV4


def test_what_is_off_its_subnet_goes_to_the_gateway():
    network = Network()
    station = network.add(Station("s1", addresses(1, gateway=254)))
    listener = network.add(Listener("x"))
    network.connect(station.port, listener.port)
    network.call_at(0, station.stack.transmit, datagram(OURS, b.FAR))
    network.call_at(0, station.stack.transmit, datagram(OURS6, b.FAR6))
    network.run(10)
    request, solicitation = listener.frames()
    assert reply_of(request).target_ip == b.GATEWAY
    assert NeighborMessage.parse(solicitation[54:]).target == ip("fd00::254")


@pytest.mark.parametrize(("source", "to"), [(OURS, b.FAR), (OURS6, b.FAR6)])
def test_without_a_gateway_there_is_no_way_out(source: bytes, to: bytes):
    network, station, listener = a_station_and_a_listener()
    network.call_at(0, station.stack.transmit, datagram(source, to))
    network.run(10)
    assert (listener.heard, station.fates.dropped) == ([], {"no-route": 1})


def test_without_ipv6_there_is_no_way_to_a_link_local_address():
    network = Network()
    bare = Addresses(OUR_MAC, OURS)
    station, listener = network.add(Station("s1", bare)), network.add(Listener("x"))
    network.connect(station.port, listener.port)
    network.call_at(0, station.stack.transmit, datagram(OURS6, ip("fe80::2")))
    network.run(10)
    assert (listener.heard, station.fates.dropped) == ([], {"no-route": 1})


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (ip("255.255.255.255"), BROADCAST),
        (ip("10.0.0.255"), BROADCAST),
        (ip("224.0.0.251"), mac("01:00:5e:00:00:fb")),
        (ip("ff02::fb"), mac("33:33:00:00:00:fb")),
    ],
)
def test_groups_need_no_asking(to: bytes, expected: bytes):
    network, station, listener = a_station_and_a_listener()
    network.call_at(0, station.stack.transmit, datagram(OURS if len(to) == 4 else OURS6, to))
    network.run(10)
    assert [frame[:6] for frame in listener.frames()] == [expected]


# learning


def known(*frames: bytes) -> list[bytes]:
    """The destination MACs of two datagrams to the peer, sent after these frames."""
    network, station, listener = a_station_and_a_listener()
    for i, frame in enumerate(frames):
        listener.say_at(i, frame)
    network.call_at(50, station.stack.transmit, datagram(OURS, PEER))
    network.run(100)
    return [frame[:6] for at, frame in listener.heard if at >= 50]


def test_it_learns_from_a_request_for_it():
    assert known(b.arp_request(asks=OURS)) == [PEER_MAC]


def test_it_does_not_learn_from_a_reply_nobody_asked_for():
    assert known(b.arp_reply(target_mac=OUR_MAC, target_ip=OURS)) == [BROADCAST]


def test_it_does_not_learn_from_a_request_for_somebody_else():
    assert known(b.arp_request(asks=b.NOBODY)) == [BROADCAST]


def test_it_does_not_learn_from_ip_packets():
    assert known(b.frame(echo(PEER, OURS)[:24], OUR_MAC)) == [BROADCAST]


def test_whom_it_knows_may_move_with_any_arp_of_his():
    moved = b.STRANGER_MAC
    assert known(b.arp_request(asks=OURS), b.arp_request(moved, PEER, PEER)) == [moved]


def test_one_who_takes_its_address_is_neither_learned_nor_fought():
    assert hears(b.arp_request(PEER_MAC, OURS, OURS))[1] == []


def test_it_learns_from_a_solicitation_and_an_advertisement_of_whom_it_asked():
    network, station, listener = a_station_and_a_listener()
    listener.say_at(0, OUR_MAC + b.advertisement(to=OURS6)[6:])  # unasked: not learned
    network.call_at(10, station.stack.transmit, datagram(OURS6, PEER6))
    listener.say_at(20, OUR_MAC + b.advertisement(to=OURS6)[6:])
    network.run(100)
    assert [at for at, _ in listener.heard] == [10, 20]
    assert listener.frames()[1][:6] == PEER_MAC


def test_the_oldest_neighbor_makes_room_and_its_ready_header_goes(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(limits, "ENTRIES_MAX", 2)
    network, station, listener = a_station_and_a_listener()
    other, third = ip("10.0.0.3"), ip("10.0.0.4")
    for at, address in enumerate((PEER, other)):
        listener.say_at(at, b.arp_request(station_mac(9 + at), address, OURS))
    network.call_at(10, station.stack.transmit, datagram(OURS, PEER))
    network.call_at(20, station.stack.transmit, datagram(OURS, third))  # PEER must go
    network.call_at(30, station.stack.transmit, datagram(OURS, PEER))
    network.run(100)
    assert [frame[:6] for at, frame in listener.heard if at == 10] == [station_mac(9)]
    assert [frame[:6] for at, frame in listener.heard if at == 30] == [BROADCAST]


def test_where_everybody_is_still_asked_for_nobody_makes_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "ENTRIES_MAX", 2)
    network, station, _ = a_station_and_a_listener()
    for number in (2, 3, 4):
        network.call_at(0, station.stack.transmit, datagram(OURS, ip(f"10.0.0.{number}")))
    network.run(100)
    assert station.fates.dropped == {"neighbors-full": 1}


def test_an_interface_knows_what_is_on_its_link():
    station = Station("s", addresses(1))
    on_link = Interface.is_on_link
    expected = {
        "10.0.0.200": True,
        "10.0.1.1": False,
        "fd00::9": True,
        "fd00:0:0:1::9": False,
        "fe80::1": True,
        "febf::1": True,
        "fec0::1": False,
    }
    assert {text: on_link(station.interface, ip(text)) for text in expected} == expected
