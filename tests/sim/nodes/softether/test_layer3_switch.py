"""The virtual layer-3 switch: a router that says little. Facts 4."""

import pytest

from sim.network import Network
from sim.nodes.softether.layer3_switch import (
    MAX_NUM_L3_IF,
    L3If,
    L3Table,
    Layer3Interface,
    Layer3Switch,
    interface_mac,
)
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.server import SoftEtherServer
from tests import builders as b
from tests.sim.networks import Listener, echo
from virtualtap import UsageError, ip
from virtualtap.units import MS, SECOND
from virtualtap.wire import icmp
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, Ip
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, IPV4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import DONT_FRAGMENT, Ipv4

MASK = ip("255.255.255.0")
ONE, TWO = L3If("DEFAULT", ip("10.1.0.1"), MASK), L3If("OTHER", ip("10.2.0.1"), MASK)
ME, YOU, FAR = ip("10.1.0.5"), ip("10.2.0.5"), ip("192.0.2.1")
MY_MAC, YOUR_MAC = b.PEER_MAC, b.STRANGER_MAC


class Trial:
    """A switch of two interfaces without servers: who is where is known."""

    def __init__(self, *routes: L3Table, known: bool = True, more: tuple[L3If, ...] = ()) -> None:
        self.switch = Layer3Switch("SW", (ONE, TWO, *more), routes)
        self.one, self.two = (self.switch.interface(n) for n in (0, 1))
        for n in range(2, 2 + len(more)):
            self.switch.interface(n)
        if known:
            self.hear(self.one, b.arp_request(MY_MAC, ME, ip("10.1.0.77")))
            self.hear(self.two, b.arp_request(YOUR_MAC, YOU, ip("10.2.0.77")))
        for one in (self.one, self.two):
            said(one, 0)

    def hear(self, interface: Layer3Interface, frame: bytes, now: int = 0) -> None:
        interface.receive(frame, now)

    def send(self, packet: bytes, now: int = 0, to: bytes | None = None) -> None:
        """I send a packet to the switch."""
        self.one.receive(b.frame(packet, to or self.one.mac, MY_MAC), now)

    def came(self, now: int = 0) -> list[Ipv4]:
        """What I get."""
        return packets(without_beacons(said(self.one, now)))

    def went(self, now: int = 0) -> list[Ipv4]:
        """What goes to the other side."""
        return packets(without_beacons(said(self.two, now)))


def said(interface: Layer3Interface, now: int) -> list[bytes]:
    interface.poll(now)
    return interface.take_frames()


def packets(frames: list[bytes]) -> list[Ipv4]:
    return [Ipv4.parse(frame[14:]) for frame in frames if frame[12:14] == IPV4]


def without_beacons(frames: list[bytes]) -> list[bytes]:
    """Neither datagrams of port 7 nor replies to everybody."""
    return [one for one in frames if one[34:38] != b"\0\7\0\7" and one[32:38] != BROADCAST]


def packet(to: Ip = YOU, **fields: int | bytes) -> bytes:
    return b.packet(to, ME, **fields)


def test_the_mac_of_an_interface_is_made_of_its_names_and_address():
    one = interface_mac("SW", "HUB", ONE.ip)
    assert (one[:2], len(one)) == (b"\x5e\xa3", 6)
    assert one == interface_mac("SW", "HUB", ONE.ip) != interface_mac("SW", "HUB2", ONE.ip)


def test_it_forwards_with_one_hop_less_and_nothing_else_changed():
    trial = Trial()
    trial.send(packet(fragment=DONT_FRAGMENT, identification=9, payload=bytes(1560)))
    (frame,) = said(trial.two, 0)
    assert frame[:12] == YOUR_MAC + trial.two.mac
    expected = packet(fragment=DONT_FRAGMENT, identification=9, payload=bytes(1560), ttl=63)
    assert frame[14:] == expected  # of 1580 bytes, in one piece


def test_it_forwards_on_the_interface_where_it_came_from():
    trial = Trial()
    trial.hear(trial.one, b.arp_request(YOUR_MAC, ip("10.1.0.9"), ip("10.1.0.77")))
    trial.send(packet(ip("10.1.0.9")))
    (frame,) = said(trial.one, 0)  # and nothing like a redirect
    assert frame[:6] == YOUR_MAC


@pytest.mark.parametrize("to", [BROADCAST, b"\x01\x00\x5e\x00\x00\x01"])
def test_it_routes_nothing_that_came_to_a_broadcast_or_group_mac(to: bytes):
    trial = Trial()
    trial.send(packet(), to=to)
    assert (trial.went(), trial.came()) == ([], [])


def test_a_directed_broadcast_becomes_a_broadcast_on_the_other_side():
    trial = Trial()
    trial.send(packet(TWO.broadcast))
    (frame,) = said(trial.two, 0)
    assert (frame[:6], frame[30:34]) == (BROADCAST, TWO.broadcast)


def test_a_wrong_header_checksum_is_dropped_and_teaches_nothing():
    trial = Trial(known=False)
    wrong = bytearray(packet())
    wrong[10] ^= 1
    trial.send(bytes(wrong))
    trial.send(packet()[:19])
    assert (trial.went(), trial.one.is_asking) == ([], False)
    trial.one.put(ME, Ipv4.parse(packet(ME)))
    assert said(trial.one, 0) == []


@pytest.mark.parametrize(
    "frame",
    [
        b.frame(packet(), b.OUR_MAC, MY_MAC),
        b.frame(
            packet(), interface_mac("SW", ONE.hub, ONE.ip), interface_mac("SW", "DEFAULT", ONE.ip)
        ),
        b.frame(b.packet6(), interface_mac("SW", ONE.hub, ONE.ip)),
    ],
)
def test_it_ignores_what_is_for_others_its_own_frames_and_ipv6(frame: bytes):
    trial = Trial(known=False)
    trial.hear(trial.one, frame)
    assert (trial.went(), trial.one.take_frames()) == ([], [])


def test_time_to_live_that_ends_here_is_told_by_the_ingress_with_254():
    trial = Trial()
    sent = packet(ttl=1)
    trial.send(sent)
    (error,) = trial.came()
    assert (error.source, error.destination, error.ttl) == (ONE.ip, ME, 254)
    message = Icmp.parse(error.payload)
    assert (message.type, message.code) == (icmp.TIME_EXCEEDED, 0)
    assert message.payload == sent[:25]  # header and what there is of the eight bytes behind
    assert trial.went() == []


def test_where_no_route_leads_the_ingress_says_net_unreachable():
    trial = Trial()
    for to in (FAR, LIMITED_BROADCAST):
        trial.send(packet(to))
        (error,) = trial.came()
        message = Icmp.parse(error.payload)
        assert (error.source, error.ttl) == (ONE.ip, 254)
        assert (message.type, message.code) == (icmp.UNREACHABLE, icmp.NET_UNREACHABLE)


def test_where_no_route_leads_back_nothing_is_said():
    trial = Trial()
    trial.send(b.packet(FAR, FAR, ttl=1))
    assert (trial.came(), trial.went()) == ([], [])


@pytest.mark.parametrize("to", [ONE.ip, TWO.ip])
def test_an_echo_to_any_interface_is_answered_with_255(to: Ip):
    trial = Trial()
    trial.send(echo(ME, to, fragment=DONT_FRAGMENT, tos=4, identification=3))
    (reply,) = trial.came()
    assert (reply.source, reply.destination, reply.ttl, reply.fragment) == (to, ME, 255, 0)
    assert Icmp.parse(reply.payload).type == icmp.ECHO_REPLY


def test_an_echo_with_one_hop_left_is_answered_by_the_ingress_alone():
    trial = Trial()
    for to, kind in ((ONE.ip, icmp.ECHO_REPLY), (TWO.ip, icmp.TIME_EXCEEDED)):
        trial.send(echo(ME, to, ttl=1))
        (answer,) = trial.came()
        assert Icmp.parse(answer.payload).type == kind


def test_all_else_to_an_interface_is_swallowed():
    trial = Trial()
    wrong = bytearray(echo(ME, ONE.ip))
    wrong[22] ^= 1
    reply = Icmp(icmp.ECHO_REPLY, 0, 0, b"").summed()
    for sent in (packet(ONE.ip), bytes(wrong), Ipv4(ME, ONE.ip, 1, reply).to_bytes()):
        trial.send(sent)
    assert (trial.came(), trial.went()) == ([], [])


def test_it_answers_who_asks_for_its_address_and_nobody_else():
    trial = Trial(known=False)
    for asks in (ONE.ip, TWO.ip):
        trial.hear(trial.one, b.arp_request(MY_MAC, ME, asks))
    assert trial.one.take_frames() == [b.arp_reply(trial.one.mac, ONE.ip, MY_MAC, ME)]
    lying = b.arp_frame(Arp(1, MY_MAC, ME, bytes(6), ONE.ip), source=YOUR_MAC)
    trial.hear(trial.one, lying)
    assert trial.one.take_frames() == []


def test_it_asks_five_times_in_five_seconds_and_gives_up_in_silence():
    trial = Trial(known=False)
    trial.send(packet())
    trial.hear(trial.one, b.arp_request(MY_MAC, ME, ip("10.1.0.77")))
    times, now = [], 0
    assert without_beacons(said(trial.two, 0)) == []  # it is asked for with the next poll
    assert trial.two.next_deadline() == 0
    while now < 10 * SECOND:
        asked = without_beacons(said(trial.two, now))
        times += [now] * len(asked)
        now = max(now + 1, trial.two.next_deadline())
    assert times == [0, 1 * SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND]
    assert (trial.two.is_asking, trial.came(now)) == (False, [])
    trial.hear(trial.two, b.arp_reply(YOUR_MAC, YOU, trial.two.mac, TWO.ip), now)
    assert trial.went(now) == []


def test_packets_wait_five_seconds_each_in_any_number():
    trial = Trial(known=False)
    for _ in range(2000):
        trial.send(packet())
    said(trial.two, 0)
    trial.send(packet(), 3 * SECOND)
    said(trial.two, 3 * SECOND)
    said(trial.two, 4 * SECOND)
    trial.hear(trial.two, b.arp_reply(YOUR_MAC, YOU, trial.two.mac, TWO.ip), 4900 * MS)
    assert len(trial.two.take_frames()) == 2001


def test_a_packet_that_waited_for_too_long_does_not_go_with_the_others():
    trial = Trial(known=False)
    trial.send(packet())
    said(trial.two, 0)
    trial.send(packet(), 3 * SECOND)
    said(trial.two, 3 * SECOND)
    trial.hear(trial.two, b.arp_reply(YOUR_MAC, YOU, trial.two.mac, TWO.ip), 6 * SECOND)
    assert len(trial.two.take_frames()) == 1


def test_an_entry_ends_30_seconds_after_it_was_heard_at_a_full_second():
    trial = Trial()
    trial.send(packet(), 29 * SECOND)
    assert len(trial.went(29 * SECOND)) == 1  # and what is sent prolongs nothing
    said(trial.two, 30 * SECOND)
    trial.send(packet(), 30 * SECOND)
    assert trial.went(30 * SECOND) == []
    assert trial.two.is_asking


def test_a_packet_from_a_host_prolongs_its_entry():
    trial = Trial()
    trial.hear(trial.two, b.frame(b.packet(TWO.ip, YOU), trial.two.mac, YOUR_MAC), 29 * SECOND)
    trial.send(packet(), 58 * SECOND)
    assert len(trial.went(58 * SECOND)) == 1


def test_a_host_that_changes_its_mac_is_unreachable_until_30_seconds_of_silence():
    trial = Trial()
    new = b.GATEWAY_MAC
    for second in range(1, 100):  # it keeps talking, with its new MAC
        trial.hear(trial.two, b.arp_request(new, YOU, TWO.ip), second * SECOND)
        said(trial.two, second * SECOND)
    trial.send(packet(), 100 * SECOND)
    (frame,) = without_beacons(said(trial.two, 100 * SECOND))
    assert frame[:6] == YOUR_MAC
    said(trial.two, 130 * SECOND)
    trial.hear(trial.two, b.arp_request(new, YOU, TWO.ip), 130 * SECOND)
    trial.send(packet(), 130 * SECOND)
    frames = [one for one in said(trial.two, 130 * SECOND) if one[30:34] == YOU]
    assert [one[:6] for one in frames] == [new]


def test_nobody_outside_the_subnet_is_learned():
    trial = Trial(known=False)
    trial.hear(trial.two, b.arp_request(YOUR_MAC, b.HUB_POLL, TWO.ip))
    assert trial.two.take_frames() != []  # it answers
    trial.two.put(b.HUB_POLL, Ipv4.parse(packet(b.HUB_POLL)))
    assert said(trial.two, 0) == []


def test_it_says_every_five_seconds_who_it_is():
    trial = Trial()
    assert trial.two.next_deadline() == 5 * SECOND
    datagram, announced = said(trial.two, 5 * SECOND)
    assert (datagram[:6], datagram[30:34]) == (BROADCAST, TWO.broadcast)
    assert datagram[34:38] == b"\0\7\0\7"
    message = Arp(2, trial.two.mac, TWO.ip, BROADCAST, TWO.broadcast)
    assert announced == b.arp_frame(message)
    assert trial.two.next_deadline() == 10 * SECOND


def route(network: str, mask: str, gateway: str, metric: int = 1) -> L3Table:
    return L3Table(ip(network), ip(mask), ip(gateway), metric)


def hop(*routes: L3Table, more: tuple[L3If, ...] = ()) -> bytes | None:
    """Whom a packet to FAR is given to on the other side, or None."""
    trial = Trial(*routes, known=False, more=more)
    trial.send(packet(FAR))
    said(trial.two, 0)
    asked = without_beacons(said(trial.two, 0))
    return asked[0][38:42] if asked else None


def test_a_longer_mask_leads():
    shorter = route("192.0.0.0", "255.255.0.0", "10.2.0.7")
    longer = route("192.0.2.0", "255.255.255.0", "10.2.0.8")
    other = route("198.51.100.0", "255.255.255.0", "10.2.0.9")
    assert hop(shorter, longer, other) == hop(longer, other, shorter) == ip("10.2.0.8")


def test_a_longer_mask_with_a_worse_metric_loses_to_a_route_before_it():
    shorter = route("192.0.0.0", "255.255.0.0", "10.2.0.7", 1)
    longer = route("192.0.2.0", "255.255.255.0", "10.2.0.8", 2)
    assert hop(shorter, longer) == ip("10.2.0.7")
    assert hop(longer, shorter) == ip("10.2.0.8")


def test_connected_subnets_go_before_routes_and_the_first_before_others():
    again = L3If("THIRD", ip("10.2.0.2"), MASK)
    trial = Trial(route("10.2.0.5", "255.255.255.255", "10.1.0.9"), more=(again,))
    trial.send(packet())
    assert len(trial.went()) == 1


def test_a_route_over_a_gateway_that_is_nowhere_leads_nowhere():
    trial = Trial(route("0.0.0.0", "0.0.0.0", "10.9.0.1"))
    trial.send(packet(FAR))
    assert Icmp.parse(trial.came()[0].payload).type == icmp.UNREACHABLE


def test_there_is_a_limit_to_interfaces_and_routes():
    with pytest.raises(UsageError, match="4097 interfaces, at most 4096"):
        Layer3Switch("SW", (ONE,) * (MAX_NUM_L3_IF + 1))
    with pytest.raises(UsageError, match="4097 routes"):
        Layer3Switch("SW", (), (route("0.0.0.0", "0.0.0.0", "10.0.0.1"),) * 4097)


def a_network() -> tuple[Network, Listener, Listener, SoftEtherServer]:
    """Two hubs of one server with a listener each, and a switch between them."""
    network = Network()
    server = network.add(SoftEtherServer("vpn"))
    server.add_hub("OTHER", HubOptions(NoArpPolling=True))
    me, you = network.add(Listener("me")), network.add(Listener("you"))
    network.connect(me.port, server.session())
    network.connect(you.port, server.session(hub="OTHER"))
    Layer3Switch("SW", (ONE, TWO)).attach(server)
    return network, me, you, server


def test_in_a_server_it_routes_between_hubs_and_asks_with_the_next_turn():
    network, me, you, server = a_network()
    mac = interface_mac("SW", "DEFAULT", ONE.ip)
    me.say_at(1 * SECOND, b.frame(packet(), mac, MY_MAC))
    your_answer = b.arp_reply(YOUR_MAC, YOU, interface_mac("SW", "OTHER", TWO.ip), TWO.ip)
    you.say_at(1500 * MS, your_answer)
    network.run(2 * SECOND)
    heard = [(at, frame) for at, frame in you.heard if at >= 1 * SECOND]
    assert [(at // MS, frame[12:14]) for at, frame in heard] == [(1030, ARP), (1500, IPV4)]
    assert heard[1][1][:6] == YOUR_MAC
    assert (server.hub.sessions[-1].kind, server.hub.sessions[-1].storm) == (Kind.LAYER3, None)
    assert network.ledger() == []


def test_after_a_crash_of_its_server_it_knows_nobody_and_works_on():
    network, me, you, server = a_network()
    mac = interface_mac("SW", "DEFAULT", ONE.ip)
    your_answer = b.arp_reply(YOUR_MAC, YOU, interface_mac("SW", "OTHER", TWO.ip), TWO.ip)
    you.say_at(1 * SECOND, your_answer)
    network.call_at(2 * SECOND, network.crash, server)
    network.call_at(3 * SECOND, network.restart, server)
    me.say_at(4 * SECOND, b.frame(packet(), mac, MY_MAC))
    you.say_at(5 * SECOND, your_answer)
    network.run(6 * SECOND)
    late = [frame for at, frame in you.heard if at > 4 * SECOND]
    assert [frame[12:14] for frame in without_beacons(late)] == [ARP, IPV4]
    assert network.ledger() == []
