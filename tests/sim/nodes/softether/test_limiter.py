"""The bandwidth limiter: it polices in windows of a second, and some packets are exempt."""

import pytest

from sim.nodes.softether.limiter import Limiter
from sim.nodes.softether.packet import Packet
from tests import builders as b
from tests.sim.networks import datagram, echo
from tests.sim.nodes.softether.hubs import sent
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ipv4 import TCP, Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp

BITS = 60 * 8


def segment(flags: int) -> bytes:
    return bytes(12) + bytes((0x50, flags)) + bytes(6)


def tcp(flags: int) -> bytes:
    return b.frame(Ipv4(b.PEER, b.OUR_IP, TCP, segment(flags)).to_bytes())


def tcp6(flags: int) -> bytes:
    return b.frame(Ipv6(b.PEER6, b.OUR_IP6, TCP, segment(flags)).to_bytes())


def dhcp() -> bytes:
    body = Udp(68, 67, Dhcp(1, 1, b.PEER_MAC).to_bytes()).between(ANY4, LIMITED_BROADCAST)
    return b.frame(Ipv4(ANY4, LIMITED_BROADCAST, 17, body).to_bytes())


def passed(limiter: Limiter, times: list[int], length: int = 60) -> list[int]:
    return [now for now in times if limiter.passes(Packet(sent(length=length)), now)]


def test_frames_pass_until_their_bits_exceed_the_limit():
    assert passed(Limiter(3 * BITS), [0, 1, 2, 3]) == [0, 1, 2]


def test_what_was_dropped_has_used_its_bits_up():
    limiter = Limiter(3 * BITS)
    assert passed(limiter, [0, 1]) == [0, 1]
    assert passed(limiter, [2], length=1000) == []
    assert passed(limiter, [3]) == []


def test_a_window_begins_anew_with_the_first_frame_after_more_than_a_second():
    times = [5 * MS, 1005 * MS, 1006 * MS, 1007 * MS]
    assert passed(Limiter(BITS), times) == [5 * MS, 1006 * MS]


def test_nothing_is_queued_a_frame_beyond_the_limit_is_gone():
    limiter = Limiter(BITS)
    assert passed(limiter, [0, 1]) == [0]
    assert passed(limiter, [10 * SECOND]) == [10 * SECOND]


@pytest.mark.parametrize(
    "frame",
    [b.arp_request(), b.frame(echo(b.PEER, b.OUR_IP)), tcp(2), tcp(0x12), tcp(1), tcp(4), dhcp()],
    ids=["arp", "icmp", "syn", "syn-ack", "fin", "rst", "dhcp"],
)
def test_arp_icmp_tcp_control_and_dhcp_are_exempt_and_not_counted(frame: bytes):
    limiter = Limiter(BITS)
    assert all(limiter.passes(Packet(frame), 0) for _ in range(10))
    assert passed(limiter, [0]) == [0]


@pytest.mark.parametrize(
    "frame",
    [
        *(sent(), tcp(0x10), b.frame(datagram(b.PEER, b.OUR_IP)), tcp6(2)),
        *(b.solicitation(), b.frame(echo(b.PEER6, b.OUR_IP6))),
    ],
    ids=["other", "ack", "udp", "syn6", "ndp", "icmp6"],
)
def test_everything_else_counts_and_all_of_ipv6(frame: bytes):
    assert not Limiter(1).passes(Packet(frame), 0)
