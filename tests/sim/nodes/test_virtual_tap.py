"""The driver's contract: give input, send what comes out, arm one timer, book every frame."""

import pytest

from sim.actions import timeline
from sim.network import Network
from sim.node import Medium
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind
from tests import builders as b
from tests.sim.networks import Listener, Record, datagram
from virtualtap.units import MS, SECOND
from virtualtap.wire.ethernet import ARP, IPV4
from virtualtap.wire.ipv4 import DONT_FRAGMENT

PACKET = datagram(b.OUR_IP, b.PEER)
FRAME = b.frame(datagram(b.PEER, b.OUR_IP))


def a_tap(**changes: object) -> tuple[Network, Listener, VirtualTapNode, Listener]:
    """A host, the tap, a LAN."""
    network = Network()
    host, lan = network.add(Listener("host", Medium.IP)), network.add(Listener("lan"))
    tap = network.add(VirtualTapNode("tap", b.config(**changes)))
    network.connect(host.port, tap.host)
    network.connect(tap.lan, lan.port)
    return network, host, tap, lan


def test_a_packet_waits_for_the_answer_and_leaves_as_a_frame():
    network, host, tap, lan = a_tap()
    host.say_at(0, PACKET)
    lan.say_at(50, b.arp_reply())
    host.say_at(60, PACKET)
    network.run(100)
    asked, released, at_once = lan.frames()
    assert (asked[12:14], lan.times()) == (ARP, [0, 50, 60])
    assert released == at_once == b.PEER_MAC + b.OUR_MAC + IPV4 + PACKET
    fates = tap.fates
    assert (fates.held, fates.released, fates.translated) == (1, 1, 1)
    assert (fates.originated, fates.consumed, fates.dropped) == (1, 1, {})


def test_a_frame_leaves_as_a_packet():
    network, host, tap, lan = a_tap()
    lan.say_at(3, b.padded(FRAME))
    network.run(10)
    assert host.heard == [(3, FRAME[14:])]
    assert (tap.fates.translated, network.ledger()) == (1, [])


def test_a_request_is_answered_inside():
    network, host, tap, lan = a_tap()
    lan.say_at(0, b.arp_request())
    network.run(10)
    assert (len(lan.heard), host.heard) == (1, [])
    assert (tap.fates.consumed, tap.fates.originated, network.ledger()) == (1, 1, [])


def test_its_timer_lets_the_engine_ask_again_and_give_up():
    network, host, tap, lan = a_tap()
    host.say_at(0, PACKET, PACKET)
    network.run(10 * SECOND)
    assert lan.times() == [0, 1 * SECOND, 2 * SECOND]
    assert tap.fates.dropped == {"unresolved": 2}
    assert (tap.fates.held, tap.fates.dropped_held, tap.holding()) == (2, 2, 0)
    assert network.ledger() == []


@pytest.mark.parametrize("until", [1, 500 * MS, 1 * SECOND + 1, 3 * SECOND, 4 * SECOND])
def test_what_it_holds_is_in_its_books_at_any_time(until: int):
    network, host, tap, _ = a_tap(held_packets_max=2)
    host.say_at(0, PACKET, PACKET, PACKET)
    network.run(until)
    assert network.ledger() == []
    assert tap.holding() == (2 if until <= 3 * SECOND else 0)
    assert tap.fates.dropped["held-full"] == 1


def test_one_timer_is_armed_for_one_deadline():
    network, host, _, lan = a_tap(neighbor_lifetime=300 * SECOND)
    lan.say_at(0, b.arp_request())
    for i in range(1, 50):
        host.say_at(i, PACKET)
    network.run(299 * SECOND)
    before = network.events()
    network.run(400 * SECOND)
    assert (len(lan.heard), network.events() - before) == (50, 1)


def test_timers_do_not_pile_up_however_often_the_engine_wants_an_earlier_one():
    network, host, _, lan = a_tap(neighbor_lifetime=300 * SECOND)
    for i in range(50):  # each asks, with a deadline before those of all who are known
        peer = b.PEER[:3] + bytes([100 + i])
        at = 2 * i * SECOND
        host.say_at(at, datagram(b.OUR_IP, peer))
        lan.say_at(at + 10 * MS, b.arp_reply(sender_ip=peer))
    network.run(299 * SECOND)
    before = network.events()
    network.run(1000 * SECOND)
    assert network.events() - before <= 2 * 50  # each expires once; a stale timer is no more


def test_every_refused_frame_has_the_engines_reason():
    network, host, tap, lan = a_tap()
    lan.say_at(0, b.frame(PACKET, b.STRANGER_MAC), FRAME[:20], FRAME[:12] + b"\x88\xb5")
    host.say_at(0, b"", b.packet(b.FAR, payload=bytes(2000), fragment=DONT_FRAGMENT))
    watch = Record()
    network.observers.append(watch)
    network.run(10)
    expected = {"not-for-us": 1, "malformed": 2, "unsupported": 1, "too-big": 1}
    assert (tap.fates.dropped, network.drops()) == (expected, expected)
    places = [(m.where, m.why) for m in watch.moments if m.kind is Kind.DROPPED]
    assert places == [
        ("tap.lan", "not-for-us"),
        ("tap.lan", "malformed"),
        ("tap.lan", "unsupported"),
        ("tap.host", "malformed"),
        ("tap.host", "too-big"),
    ]
    assert network.ledger() == []


def test_a_packet_without_room_among_the_neighbors_is_refused():
    network, host, tap, _ = a_tap(neighbors_max=1)
    host.say_at(0, PACKET, datagram(b.OUR_IP, b.NOBODY))
    network.run(10)
    assert (tap.fates.held, tap.fates.dropped) == (1, {"neighbors-full": 1})
    assert network.ledger() == []


def test_what_the_engine_reports_is_noted_while_somebody_watches():
    network, _, _, lan = a_tap()
    watch = Record()
    network.observers.append(watch)
    lan.say_at(0, b.arp_request())
    network.run(10)
    facts = [(m.where, m.why) for m in watch.moments if m.kind is Kind.NOTED]
    assert len(facts) == 1
    assert facts[0][0] == "tap"
    assert facts[0][1].startswith("NeighborLearned(")


def test_a_crash_loses_what_it_held_and_whom_it_knew():
    network, host, tap, lan = a_tap()
    lan.say_at(0, b.arp_request())
    host.say_at(1, datagram(b.OUR_IP, b.NOBODY))
    timeline.arm(network, [(10, timeline.Crash(tap)), (20, timeline.Restart(tap))])
    host.say_at(15, PACKET)
    lan.say_at(15, FRAME)
    host.say_at(30, PACKET)
    network.run(40)
    assert tap.fates.dropped == {"node-down": 3}
    assert (tap.fates.dropped_held, tap.holding()) == (1, 1)
    assert lan.frames()[-1][12:14] == ARP  # it must ask again
    assert network.ledger() == []


def test_the_timers_of_a_crashed_tap_do_not_fire():
    network, host, tap, lan = a_tap()
    host.say_at(0, PACKET)
    timeline.arm(network, [(10, timeline.Crash(tap)), (20, timeline.Restart(tap))])
    network.run(10 * SECOND)
    assert (lan.times(), network.ledger()) == ([0], [])


def test_a_client_of_dhcp_that_comes_back_asks_again():
    network, _, tap, lan = a_tap(our_ip=None, gateway_ip=None, dhcp=True)
    timeline.arm(network, [(SECOND, timeline.Crash(tap)), (2 * SECOND, timeline.Restart(tap))])
    network.run(20 * SECOND)
    assert min(lan.times()) > 2 * SECOND
    assert network.ledger() == []
