"""An IP endpoint behind a tap: one uplink, no MAC."""

import pytest

from sim.actions import timeline
from sim.network import Network
from sim.node import Medium
from sim.nodes.host import L3Host
from tests import builders as b
from tests.sim.networks import Listener, datagram, echo
from virtualtap.wire.address import ip
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6


def a_host() -> tuple[Network, L3Host, Listener]:
    network = Network()
    host = network.add(L3Host("h1", b.OUR_IP, 24, (b.OUR_IP6,)))
    tunnel = network.add(Listener("tunnel", Medium.IP))
    network.connect(host.uplink, tunnel.port)
    return network, host, tunnel


def test_it_sends_packets_as_they_are():
    network, host, tunnel = a_host()
    packet = datagram(b.OUR_IP, b.FAR)
    network.call_at(3, host.stack.transmit, packet)
    network.run(10)
    assert (tunnel.heard, host.fates.originated) == ([(3, packet)], 1)


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"), [(b.OUR_IP, b.PEER, Ipv4), (b.OUR_IP6, b.PEER6, Ipv6)]
)
def test_it_answers_echo_requests_with_the_same_payload(
    ours: bytes, theirs: bytes, kind: type[Ipv4] | type[Ipv6]
):
    network, host, tunnel = a_host()
    request = echo(theirs, ours, b"sixty-four" * 3)
    tunnel.say_at(0, request)
    network.run(10)
    [reply] = (kind.parse(packet) for packet in tunnel.frames())
    assert (reply.source, reply.destination) == (ours, theirs)
    assert reply.payload[4:] == kind.parse(request).payload[4:]
    assert reply.payload[0] == (0 if kind is Ipv4 else 129)
    assert (host.fates.consumed, host.fates.originated, network.ledger()) == (1, 1, [])


def test_its_packets_have_identifications_that_wrap():
    _, host, _ = a_host()
    numbers = [host.stack.next_identification() for _ in range(65_537)]
    assert (numbers[:2], numbers[-3:]) == ([1, 2], [65_535, 0, 1])


@pytest.mark.parametrize("to", [ip("255.255.255.255"), ip("10.0.0.255"), ip("224.0.0.1")])
def test_it_takes_what_is_for_everyone(to: bytes):
    network, host, tunnel = a_host()
    got: list[bytes] = []
    host.stack.bind_udp(9, lambda packet: bool(got.append(packet)) or True)
    packet = datagram(b.PEER, to)
    tunnel.say_at(0, packet)
    network.run(10)
    assert got == [packet]


def test_it_refuses_what_is_for_others_and_says_where():
    network, host, tunnel = a_host()
    tunnel.say_at(0, datagram(b.PEER, b.NOBODY), datagram(b.PEER6, b.NOBODY6), b"")
    network.run(10)
    assert host.fates.dropped == {"not-for-us": 2, "malformed": 1}
    assert network.ledger() == []


def test_a_crashed_host_says_and_hears_nothing():
    network, host, tunnel = a_host()
    timeline.arm(network, [(0, timeline.Crash(host))])
    network.call_at(1, host.stack.transmit, datagram(b.OUR_IP, b.PEER))
    tunnel.say_at(1, echo(b.PEER, b.OUR_IP))
    network.run(10)
    assert (tunnel.heard, host.fates.dropped) == ([], {"node-down": 1})
