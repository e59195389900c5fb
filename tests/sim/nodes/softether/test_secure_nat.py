"""SecureNAT's virtual host: who it is, what it takes, what it says. Facts 2.1 to 2.8."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.nodes.segment import ACK, RST, SYN, Segment
from sim.nodes.softether.nat_table import Site
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.secure_nat import SecureNat
from sim.nodes.softether.vh_option import Mode, Ping, VhOption
from sim.rng import stream
from tests.sim.nodes.softether.nats import (
    ALL,
    FAR,
    HOST,
    ME,
    MY_MAC,
    NAT_MAC,
    OTHER,
    SITE,
    Trial,
    arp_of,
    dhcp_frame,
    framed,
    message,
    ping,
    tcp,
    udp,
)
from virtualtap.units import SECOND
from virtualtap.wire import arp, checksum, dhcp, icmp, ipv4
from virtualtap.wire.address import BROADCAST, ip
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp


def test_its_defaults_are_the_products():
    option = VhOption()
    assert (option.mtu, option.ip_mss, option.tcp_mss) == (1500, 1480, 1456)
    assert option.broadcast == ALL
    assert not option.leases(ip("192.168.30.201"))
    assert option.leases(ip("192.168.30.200"))


@pytest.mark.parametrize(("given", "mtu"), [(0, 1500), (9000, 1500), (20, 62), (1400, 1400)])
def test_the_mtu_is_at_most_1500_and_at_least_62(given, mtu):
    assert VhOption(Mtu=given).mtu == mtu


def test_time_outs_have_bounds():
    low, high = VhOption(NatTcpTimeout=1, NatUdpTimeout=1), VhOption(NatTcpTimeout=10**9)
    assert (low.tcp_timeout, low.udp_timeout) == (60 * SECOND, 10 * SECOND)
    assert high.tcp_timeout == 2_000_000 * SECOND


def test_its_mac_is_5e_and_five_bytes_that_are_drawn():
    one, again = (SecureNat(VhOption(), stream(3, "nat")).mac for _ in range(2))
    assert one[0] == 0x5E
    assert one == again != SecureNat(VhOption(), stream(4, "nat")).mac


def test_the_beacon_begins_at_the_start_and_comes_every_five_seconds():
    nat = SecureNat(VhOption(MacAddress=NAT_MAC), stream(1, "nat"))
    assert nat.next_deadline() == 0
    nat.poll(0)
    datagram, announcement = nat.take_frames()
    assert (datagram[:6], announcement[:6]) == (BROADCAST, BROADCAST)
    packet = Ipv4.parse(datagram[14:])
    body = Udp.parse(packet.payload)
    assert (packet.source, packet.destination) == (HOST, ALL)
    assert (body.source_port, body.destination_port, len(body.payload)) == (7, 7, 38)
    assert announcement[12:14] == ARP
    assert Arp.parse(announcement[14:]) == Arp(arp.REPLY, NAT_MAC, HOST, BROADCAST, ALL)
    assert nat.next_deadline() == 5 * SECOND
    nat.poll(5 * SECOND - 1)
    assert nat.take_frames() == []
    nat.poll(5 * SECOND)
    assert len(nat.take_frames()) == 2


@pytest.mark.parametrize("to", [OTHER[:2] + MY_MAC[2:], b"\x02\x00\x5e\x00\x00\x44"])
def test_a_frame_for_another_is_not_looked_at(to):
    trial = Trial()
    assert trial.say(framed(ping(HOST), to=to)) == []
    assert trial.nat.arp.lookup(ME) is None


def test_its_own_frames_are_ignored():
    trial = Trial()
    assert trial.say(arp_of(HOST, NAT_MAC)) == []
    assert trial.nat.arp.lookup(HOST) is None


@pytest.mark.parametrize(
    "frame",
    [
        b"short",
        framed(b"\x45"),
        framed(ping(HOST)[:-1]),
        framed(b"\x60" + bytes(60)),
        NAT_MAC + MY_MAC + ARP + bytes(28),
        NAT_MAC + MY_MAC + b"\x86\xdd\x60" + bytes(60),
        framed(Ipv4(ME, HOST, 253, b"what").to_bytes()),
        framed(Ipv4(ME, FAR, ipv4.TCP, bytes(20)).to_bytes()),
        framed(Ipv4(ME, FAR, ipv4.UDP, bytes(8)).to_bytes()),
    ],
)
def test_what_it_cannot_read_goes_without_a_word(frame):
    trial = Trial()
    assert trial.say(frame) == []
    assert trial.nat.take_outside() == []


def test_a_ping_of_the_host_is_answered_with_ttl_128():
    packet = ping(HOST, ttl=1)
    (answer,) = Trial().asked(packet)
    got = Ipv4.parse(answer)
    assert (got.source, got.destination, got.ttl, got.fragment) == (HOST, ME, 128, 0)
    said = Icmp.parse(got.payload)
    assert (said.type, said.rest, said.payload) == (0, 7 << 16 | 1, b"are you there")


def test_options_of_a_packet_are_not_returned():
    (answer,) = Trial().asked(ping(HOST, options=b"\x01\x01\x01\x00"))
    assert answer[0] == 0x45


def test_a_ping_to_all_or_with_a_wrong_checksum_is_not_answered():
    trial = Trial()
    assert trial.say(framed(ping(HOST), to=BROADCAST)) == []
    wrong = Ipv4(ME, HOST, ipv4.ICMP, b"\x08\x00\x12\x34" + bytes(8)).to_bytes()
    assert trial.asked(wrong) == []


@pytest.mark.parametrize("kind", [icmp.ECHO_REPLY, icmp.UNREACHABLE, 13])
def test_other_icmp_of_a_client_is_ignored(kind):
    packet = Ipv4(ME, HOST, ipv4.ICMP, Icmp(kind, 0, 0, b"").summed()).to_bytes()
    assert Trial().asked(packet) == []


def test_a_ping_of_another_on_the_subnet_is_ignored_in_user_mode():
    trial = Trial()
    assert trial.asked(ping(OTHER)) == []
    assert trial.nat.take_outside() == []


def test_a_ping_whose_ttl_ends_here_is_told_so_by_the_host():
    trial = Trial()
    packet = ping(FAR, ttl=1)
    (answer,) = trial.asked(packet)
    got = Ipv4.parse(answer)
    error = Icmp.parse(got.payload)
    assert (got.source, error.type, error.code) == (HOST, icmp.TIME_EXCEEDED, 0)
    assert error.payload == packet[:28]
    assert trial.nat.take_outside() == []


def test_traceroute_by_udp_does_not_show_it():
    trial = Trial()
    packet = Ipv4(ME, FAR, ipv4.UDP, Udp(5000, 33_434, b"").between(ME, FAR), ttl=1).to_bytes()
    (sent,) = trial.left(packet)
    assert sent.ttl == 128
    assert trial.said(0) == []


@pytest.mark.parametrize("to", [HOST, OTHER])
def test_tcp_to_the_subnet_is_ignored_and_nothing_is_reset(to):
    trial = Trial()
    assert trial.asked(tcp(Segment(5000, 80, 1, 0, SYN, 65535), to)) == []


def test_udp_to_the_host_is_ignored_and_nothing_is_unreachable():
    assert Trial().asked(udp(HOST, 5001)) == []


def test_udp_whose_length_is_not_its_packets_is_dropped():
    body = Udp(5000, 53, b"hello").between(ME, FAR)
    packet = Ipv4(ME, FAR, ipv4.UDP, body + b"x").to_bytes()
    assert Trial().left(packet) == []


def test_tcp_to_the_mac_of_all_is_ignored():
    trial = Trial()
    syn = tcp(Segment(5000, 80, 1, 0, SYN, 65535))
    assert trial.say(framed(syn, to=BROADCAST)) == []
    assert trial.nat.take_outside() == []


def test_it_sends_fragments_of_1480_bytes_and_never_df():
    trial = Trial()
    body = Icmp(icmp.ECHO_REQUEST, 0, 1, bytes(3000)).summed()
    whole = Ipv4(ME, HOST, ipv4.ICMP, body, identification=9, fragment=0).to_bytes()
    pieces = ipv4.fragments(whole, 1500)
    answers = [Ipv4.parse(one) for piece in pieces for one in trial.asked(piece)]
    assert [len(one.payload) for one in answers] == [1480, 1480, 48]
    assert [one.fragment for one in answers] == [0x2000, 0x2000 | 185, 370]


def test_df_of_what_came_does_not_matter():
    assert len(Trial().asked(ping(HOST, fragment=ipv4.DONT_FRAGMENT))) == 1


def test_a_turn_says_128_frames_at_most():
    trial = Trial()
    for _ in range(200):
        trial.nat.receive(framed(ping(HOST)), 0)
    trial.nat.poll(0)
    assert len(trial.nat.take_frames()) == 128
    assert trial.nat.next_deadline() == 0
    assert len(trial.nat.take_frames()) == 72


@pytest.mark.parametrize("by_option", [True, False])
def test_without_any_mode_nothing_is_pinged_and_tcp_is_reset(by_option):
    options = HubOptions(DisableUserModeSecureNAT=by_option)
    trial = Trial(mode=Mode.USER if by_option else Mode.OFF, options=options)
    assert trial.asked(ping(HOST)) == []
    assert trial.asked(udp(HOST, 53)) == []
    (answer,) = trial.asked(tcp(Segment(5000, 80, 41, 0, SYN, 65535)))
    reset = Segment.parse(Ipv4.parse(answer).payload)
    assert (reset.flags, reset.acknowledges) == (RST | ACK, 42)
    assert trial.asked(tcp(Segment(5000, 80, 41, 0, RST))) == []


def test_the_option_does_not_end_the_kernel_mode():
    trial = Trial(mode=Mode.KERNEL, options=HubOptions(DisableUserModeSecureNAT=True))
    assert len(trial.asked(ping(HOST))) == 1


def test_without_nat_nothing_goes_outside():
    trial = Trial(option={"UseNat": False})
    for packet in (ping(FAR), udp(FAR, 9), udp(HOST, 53), tcp(Segment(1, 2, 3, 0, SYN))):
        assert trial.left(packet) == []
    assert len(trial.asked(ping(HOST))) == 1


def test_where_nothing_can_ping_every_address_answers():
    trial = Trial(ping=Ping.FAKE)
    for address in (FAR, OTHER):
        (answer,) = trial.asked(ping(address))
        assert Ipv4.parse(answer).source == address
    assert trial.nat.take_outside() == []


@pytest.mark.parametrize(
    "packet",
    [
        b"short",
        Ipv4(FAR, OTHER, ipv4.UDP, Udp(9, 32_768, b"").between(FAR, OTHER)).to_bytes(),
        Ipv4(FAR, SITE.ip, ipv4.UDP, Udp(9, 32_768, b"", 1).to_bytes()).to_bytes(),
        Ipv4(FAR, SITE.ip, ipv4.ICMP, b"\x00\x00\x12\x34" + bytes(8)).to_bytes(),
        Ipv4(FAR, SITE.ip, ipv4.TCP, bytes(4)).to_bytes(),
        Ipv4(FAR, SITE.ip, ipv4.UDP, bytes(12), fragment=0x2000).to_bytes(),
        Ipv4(FAR, SITE.ip, 253, bytes(12)).to_bytes(),
    ],
)
def test_what_the_servers_system_does_not_take_does_not_come_in(packet):
    trial = Trial()
    trial.left(udp(FAR, 9))
    assert trial.came(packet) == []


def test_a_site_says_who_the_server_is_outside():
    site = Site(ip("198.18.0.1"), ip("198.18.0.53"))
    (sent,) = Trial(site=site).left(udp(FAR, 9))
    assert sent.source == ip("198.18.0.1")


_FRAMES = (
    framed(ping(HOST)),
    framed(ping(FAR, ttl=1, options=bytes(40))),
    framed(udp(FAR, 9)),
    framed(udp(HOST, 53, b"\x12\x34\1\0\0\1" + bytes(6) + b"\1a\0\0\1\0\1")),
    framed(udp(ALL, 5355, b"\x12\x34\0\0\0\1" + bytes(6) + b"\1a\0\0\1\0\1"), to=BROADCAST),
    framed(tcp(Segment(5000, 80, 1, 0, SYN, 9, mss=1460, scale=3))),
    framed(Ipv4(ME, HOST, ipv4.ICMP, bytes(16), fragment=0x2000).to_bytes()),
    framed(Ipv4(ME, FAR, ipv4.ICMP, bytes(27), ttl=1, fragment=8186, options=bytes(40)).to_bytes()),
    dhcp_frame(message(dhcp.DISCOVER)),
    dhcp_frame(message(dhcp.REQUEST, options=((dhcp.REQUESTED_IP, b"\x01"),))),
    arp_of(ME, MY_MAC),
)
_CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([Mode.USER, Mode.KERNEL, Mode.OFF]),
    st.lists(st.tuples(st.sampled_from(_FRAMES), _CHANGES, st.integers(0, 500)), max_size=8),
)
def test_no_frame_and_no_packet_upsets_it(mode, stimuli):
    trial = Trial(mode=mode)
    for now, (frame, changes, cut) in enumerate(stimuli):
        made = bytearray(frame)
        for at, value in changes:
            made[at % len(made)] = value
        if len(made) > 34 and made[12:14] == b"\x08\x00" and made[14] == 0x45:
            made[24:26] = b"\0\0"  # or else hardly anything gets past the header's checksum
            made[24:26] = checksum.internet(bytes(made[14:34])).to_bytes(2)
        for one in (bytes(made), bytes(made[: max(14, len(made) - cut)])):
            trial.say(one, now * SECOND)
        for packet in trial.nat.take_outside():
            turned = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
            trial.came(turned, now * SECOND)
    assert trial.nat.next_deadline() >= 0
