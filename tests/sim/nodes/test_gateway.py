"""A router between LANs: hops, errors, checksums by RFC 1624, both families."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sim.faults import BitFlip, Truncation
from sim.network import Network
from sim.nodes.gateway import LanGateway, _one_hop_less
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.observers import Kind
from tests import builders as b
from tests import strategies as some
from tests.sim.networks import Listener, Record, addresses, datagram, echo, station_mac
from virtualtap.units import MS, SECOND
from virtualtap.wire import checksum, icmp
from virtualtap.wire.address import BROADCAST, NO_MAC, ip
from virtualtap.wire.arp import REPLY, Arp
from virtualtap.wire.ethernet import ARP, IPV4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import ICMP, UDP, Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6

GATEWAY_MAC, LISTENER_MAC = station_mac(254), station_mac(2)
HERE, HERE6 = ip("10.0.0.2"), ip("fd00::2")  # the listener's
THERE, THERE6 = ip("10.0.1.1"), ip("fd00:0:0:1::1")  # the station's, beyond
OURS, OURS6 = ip("10.0.0.254"), ip("fd00::254")
BEYOND, BEYOND6 = ip("10.0.1.254"), ip("fd00:0:0:1::254")  # the gateway's other addresses


def a_gateway() -> tuple[Network, Listener, LanGateway, Station]:
    """A listener on one LAN, a station on the other, and the gateway between; all know each."""
    network = Network()
    listener = network.add(Listener("x"))
    gateway = network.add(LanGateway("gw"))
    station = network.add(Station("s1", addresses(1, lan=1, gateway=254)))
    here = gateway.add_interface(addresses(254))
    there = gateway.add_interface(addresses(254, lan=1))
    network.connect(listener.port, here.port)
    network.connect(there.port, station.port)
    here._learn(HERE, LISTENER_MAC)
    here._learn(HERE6, LISTENER_MAC)
    there._learn(THERE, station.interface.mac)
    there._learn(THERE6, station.interface.mac)
    return network, listener, gateway, station


def routed(packet: bytes, to: bytes = GATEWAY_MAC) -> tuple[list[bytes], list[bytes], LanGateway]:
    """The packets that come out on the far side and on the near side."""
    network, listener, gateway, _ = a_gateway()
    watch = Record()
    network.observers.append(watch)
    listener.say_at(0, b.frame(packet, to, LISTENER_MAC))
    network.run(10)
    assert network.ledger() == []
    far = [frame[14:] for frame in watch.of(Kind.SENT, "gw.lan2")]
    return far, [frame[14:] for frame in listener.frames()], gateway


# one hop


@given(some.ipv4s)
def test_one_hop_less_is_what_a_full_recomputation_gives(packet: Ipv4):
    assume(packet.ttl > 1)
    before = packet.to_bytes()
    packet.ttl -= 1
    assert _one_hop_less(before) == packet.to_bytes()


def test_one_hop_less_is_right_for_every_ttl():
    for ttl in range(2, 256):
        for identification in (0, 1, 0x7B3C, 0xFFFF):
            packet = Ipv4(HERE, THERE, UDP, b"", ttl=ttl, identification=identification)
            expected = Ipv4(HERE, THERE, UDP, b"", ttl=ttl - 1, identification=identification)
            assert _one_hop_less(packet.to_bytes()) == expected.to_bytes()


@given(some.ipv6s)
def test_one_hop_less_of_ipv6_changes_one_byte(packet: Ipv6):
    assume(packet.hop_limit > 1)
    before = packet.to_bytes()
    packet.hop_limit -= 1
    assert _one_hop_less(before) == packet.to_bytes()


@pytest.mark.parametrize(("source", "to"), [(HERE, THERE), (HERE6, THERE6)])
def test_a_packet_for_the_other_lan_is_routed(source: bytes, to: bytes):
    packet = datagram(source, to)
    far, near, gateway = routed(packet)
    assert (far, near) == ([_one_hop_less(packet)], [])
    assert (gateway.fates.forwarded, gateway.fates.copies, gateway.fates.dropped) == (1, 1, {})


def test_padding_is_not_routed():
    packet = datagram(HERE, THERE, b"x")
    far, _, _ = routed(packet + bytes(17))
    assert far == [_one_hop_less(packet)]


def test_a_packet_back_into_its_own_lan_is_routed_there():
    far, near, _ = routed(datagram(ip("10.0.0.9"), HERE))
    assert (far, len(near)) == ([], 1)


# errors


@pytest.mark.parametrize("ttl", [0, 1])
def test_the_last_hop_is_told_as_time_exceeded(ttl: int):
    packet = echo(HERE, THERE, ttl=ttl)
    far, near, gateway = routed(packet)
    [answer] = map(Ipv4.parse, near)
    message = Icmp.parse(answer.payload)
    assert far == []
    assert (answer.source, answer.destination, answer.protocol) == (OURS, HERE, ICMP)
    assert (message.type, message.code) == (icmp.TIME_EXCEEDED, 0)
    assert message.payload == packet[:28]  # RFC 792: the header and 64 bits
    assert checksum.is_right(answer.payload)
    assert gateway.fates.dropped == {"ttl-expired": 1}


@pytest.mark.parametrize("hop_limit", [0, 1])
def test_the_last_hop_is_told_in_ipv6_too(hop_limit: int):
    packet = echo(HERE6, THERE6, b"x" * 1400, hop_limit=hop_limit)
    far, near, _ = routed(packet)
    [answer] = map(Ipv6.parse, near)
    message = Icmp.parse(answer.payload)
    assert (far, message.type, message.code) == ([], icmp.TIME_EXCEEDED6, 0)
    assert (answer.source, answer.destination) == (OURS6, HERE6)
    assert len(near[0]) == 1280  # RFC 4443 2.4 (c)
    assert packet.startswith(message.payload)
    assert checksum.transport_is_right(OURS6, HERE6, ICMPV6, answer.payload)


@pytest.mark.parametrize(("source", "to"), [(HERE, b.FAR), (HERE6, b.FAR6)])
def test_where_no_route_leads_is_told_as_unreachable(source: bytes, to: bytes):
    packet = datagram(source, to)
    far, near, gateway = routed(packet)
    kind = icmp.UNREACHABLE if len(to) == 4 else icmp.UNREACHABLE6
    payload = near[0][20:] if len(to) == 4 else near[0][40:]
    assert (far, len(near), payload[0], payload[1]) == ([], 1, kind, 0)
    assert packet.startswith(payload[8:])
    assert gateway.fates.dropped == {"no-route": 1}


def test_two_hops_left_are_enough_for_one():
    far, near, _ = routed(Ipv4(HERE, THERE, UDP, bytes(8), ttl=2).to_bytes())
    assert (Ipv4.parse(far[0]).ttl, near) == (1, [])


ERROR4 = Icmp(icmp.UNREACHABLE, 0, 0, bytes(28)).summed()
ERROR6 = Icmp(icmp.UNREACHABLE6, 0, 0, bytes(48))
UNTOLD = {
    "an error": Ipv4(HERE, b.FAR, ICMP, ERROR4).to_bytes(),
    "an error in ipv6": Ipv6(HERE6, b.FAR6, ICMPV6, ERROR6.between(HERE6, b.FAR6)).to_bytes(),
    "a later fragment": Ipv4(HERE, b.FAR, UDP, bytes(8), fragment=5).to_bytes(),
    "a packet from nobody": Ipv4(bytes(4), b.FAR, UDP, bytes(8)).to_bytes(),
    "a packet from a group": Ipv4(ip("224.0.0.9"), b.FAR, UDP, bytes(8)).to_bytes(),
    "a v6 packet from nobody": Ipv6(bytes(16), b.FAR6, UDP, bytes(8)).to_bytes(),
}


@pytest.mark.parametrize("what", UNTOLD)
def test_no_error_is_told_about(what: str):
    far, near, gateway = routed(UNTOLD[what])
    assert (far, near, gateway.fates.dropped) == ([], [], {"no-route": 1})


def test_an_echo_that_cannot_be_routed_is_told_of():
    assert len(routed(echo(HERE, b.FAR))[1]) == 1


# not routed


@pytest.mark.parametrize("to", [OURS, BEYOND, OURS6, BEYOND6])
def test_it_answers_at_all_its_addresses(to: bytes):
    source = HERE if len(to) == 4 else HERE6
    far, near, gateway = routed(echo(source, to))
    [reply] = near
    parsed = Ipv4.parse(reply) if len(to) == 4 else Ipv6.parse(reply)
    assert (far, parsed.source, parsed.payload[0]) == ([], to, 0 if len(to) == 4 else 129)
    assert gateway.fates.consumed == 1


def test_a_broadcast_is_not_routed():
    far, near, gateway = routed(datagram(HERE, ip("10.0.0.255")), BROADCAST)
    assert (far, near, gateway.fates.dropped) == ([], [], {"no-listener": 1})


def test_unicast_inside_a_broadcast_frame_is_not_routed():
    far, near, gateway = routed(datagram(HERE, THERE), BROADCAST)
    assert (far, near, gateway.fates.dropped) == ([], [], {"not-for-us": 1})


@pytest.mark.parametrize("to", [ip("224.0.0.5"), ip("127.0.0.1"), ip("255.255.255.255")])
def test_groups_and_what_is_no_host_are_not_routed(to: bytes):
    far, near, _ = routed(datagram(HERE, to))
    assert (far, near) == ([], [])


def test_a_group_of_ipv6_is_not_routed():
    far, near, gateway = routed(datagram(HERE6, ip("ff05::2")))
    assert (far, near, gateway.fates.dropped) == ([], [], {"no-listener": 1})


@pytest.mark.parametrize("length", [*range(15), 19, 20, 23, 24, 27, 39, 40])
@pytest.mark.parametrize(
    "whole", [datagram(HERE, THERE), datagram(HERE6, THERE6)], ids=["v4", "v6"]
)
def test_a_packet_cut_short_is_malformed(whole: bytes, length: int):
    network, listener, gateway, _ = a_gateway()
    ethertype = IPV4 if whole[0] >> 4 == 4 else b"\x86\xdd"
    listener.say_at(0, GATEWAY_MAC + LISTENER_MAC + ethertype + whole[:length])
    network.run(10)
    assert (listener.heard, gateway.fates.dropped) == ([], {"malformed": 1})
    assert network.ledger() == []


def test_a_wrong_header_checksum_is_not_routed():
    packet = bytearray(datagram(HERE, THERE))
    packet[10] ^= 1
    far, near, gateway = routed(bytes(packet))
    assert (far, near, gateway.fates.dropped) == ([], [], {"malformed": 1})


def test_what_waits_for_an_address_counts_as_consumed_and_then_as_originated():
    network, listener, gateway, _ = a_gateway()
    unknown = ip("10.0.1.7")
    listener.say_at(0, b.frame(datagram(HERE, unknown), GATEWAY_MAC, LISTENER_MAC))
    network.run(1)
    assert (gateway.fates.consumed, gateway.fates.forwarded) == (1, 0)
    assert gateway.fates.originated == 1  # the request
    answer = Arp(REPLY, station_mac(7), unknown, NO_MAC, BEYOND).to_bytes()
    gateway.receive(gateway.ports["lan2"], BROADCAST + station_mac(7) + ARP + answer)
    assert gateway.fates.originated == 2


# two LANs


def two_lans(seed: int = 0) -> tuple[Network, Station, Station]:
    """Station `s1` and `s2`, a switch each, and a gateway between them; nobody knows anybody."""
    network = Network(seed)
    gateway = network.add(LanGateway("gw"))
    ends = []
    for lan in (0, 1):
        switch = network.add(Switch(f"sw{lan + 1}"))
        station = network.add(Station(f"s{lan + 1}", addresses(1, lan=lan, gateway=254)))
        interface = gateway.add_interface(addresses(254, lan=lan))
        network.connect(station.port, switch.port(), delay=1 * MS)
        network.connect(interface.port, switch.port(), delay=1 * MS)
        ends.append(station)
    return network, ends[0], ends[1]


@pytest.mark.parametrize("family", [4, 6])
def test_two_lans_reach_each_other_through_the_gateway(family: int):
    network, one, two = two_lans()
    source, to = (
        (one.stack.ip, two.stack.ip) if family == 4 else (one.stack.ip6[0], two.stack.ip6[0])
    )
    got: list[bytes] = []
    one.stack.bind_echo(7, lambda packet: bool(got.append(packet)) or True)
    network.call_at(0, one.stack.transmit, echo(source, to))
    network.run(1 * SECOND)
    [reply] = got
    left = reply[8] if family == 4 else reply[7]
    assert (left, network.drops(), network.ledger()) == (63, {}, [])


@pytest.mark.slow
@given(st.integers(0, 10_000), st.sampled_from((0.03, 0.2, 0.5)))
def test_damaged_packets_never_break_a_gateway_or_its_books(seed: int, probability: float):
    network, one, two = two_lans(seed)
    for link in network.links:
        link.faults = (BitFlip(probability), Truncation(probability))
    for i in range(20):
        for sender, receiver in ((one, two), (two, one)):
            at = i * 10 * MS
            network.call_at(at, sender.stack.transmit, echo(sender.stack.ip, receiver.stack.ip))
            packet = echo(sender.stack.ip6[0], receiver.stack.ip6[0])
            network.call_at(at, sender.stack.transmit, packet)
    network.run(5 * SECOND)
    assert network.ledger() == []
