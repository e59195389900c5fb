"""Two taps on a wire that loses, doubles and reorders: what arrives is what was sent, unharmed."""

from collections import Counter
from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import OUR_IP, OUR_IP6, OUR_MAC, PEER, PEER6, PEER_MAC
from virtualtap import MS, SECOND, TapConfig, VirtualTap, ip
from virtualtap.wire import checksum, ipv4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp

ENDS = ((OUR_MAC, OUR_IP, OUR_IP6), (PEER_MAC, PEER, PEER6))
GROUPS4 = (ip("255.255.255.255"), ip("10.0.0.255"), ip("224.0.0.251"), ip("239.255.3.4"))
GROUPS6 = (ip("ff02::1"), ip("ff02::fb"), ip("ff0e::1:3"))
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION, NO_NEXT = 0, 43, 44, 60, 59
LOSS, DOUBLE, LATE = 0.25, 0.15, 60 * MS


class Wire:
    """Two taps, their clocks, and the frames between them, each with a fate of its own."""

    def __init__(self, mtu: int, luck: Random) -> None:
        self.taps = [
            VirtualTap(TapConfig(our_mac=mac, our_ip=own, our_ip6=(own6,), mtu=mtu))
            for mac, own, own6 in ENDS
        ]
        self.luck, self.lossy, self.now = luck, True, 0
        self.arrived: tuple[list[bytes], list[bytes]] = ([], [])
        self._under_way: list[tuple[int, int, int, bytes]] = []  # at, number, to whom, frame
        self._sent = 0

    def send(self, end: int, packet: bytes) -> None:
        self._put(end, self.taps[end].ip_to_ethernet(packet, self.now))

    def pass_time(self, until: int) -> None:
        """Every frame and every deadline at its time."""
        while True:
            due = [(tap.next_deadline(), end) for end, tap in enumerate(self.taps)]
            deadline, end = min((at, end) for at, end in (*due, (until, 2)) if at is not None)
            if self._under_way and self._under_way[0][0] <= deadline:
                self._arrive(*heappop(self._under_way))
            elif end == 2:
                break
            else:
                self.now = max(self.now, deadline)
                self.taps[end].poll(self.now)
                self._put(end, None)
        self.now = until

    def _put(self, end: int, frame: bytes | None) -> None:
        taken = self.taps[end].take_frames()
        for each in taken if frame is None else [frame, *taken]:
            copies = 1
            if self.lossy:
                copies = (self.luck.random() >= LOSS) * (1 + (self.luck.random() < DOUBLE))
            for _ in range(copies):
                late = self.luck.randrange(LATE) if self.lossy else 1
                self._sent += 1
                heappush(self._under_way, (self.now + late, self._sent, 1 - end, each))

    def _arrive(self, at: int, _: int, end: int, frame: bytes) -> None:
        self.now = at
        packet = self.taps[end].ethernet_to_ip(frame.ljust(60, b"\0"), at)
        taken = self.taps[end].take_packets()
        self.arrived[end].extend(taken if packet is None else [packet, *taken])
        self._put(end, None)


def tcp(ends: tuple[bytes, bytes], body: bytes) -> bytes:
    """A SYN that asks for large segments; nobody clamps it."""
    bare = bytes.fromhex("c000 0050 00000001 00000000 6002 ffff 0000 0000 0204 2300") + body
    value = checksum.transport(*ends, 6, bare)
    return bare[:16] + value.to_bytes(2) + bare[18:]


def upper(kind: str, ends: tuple[bytes, bytes], body: bytes) -> tuple[int, bytes]:
    """The protocol's number and what it carries."""
    version = len(ends[0])
    if kind == "tcp":
        return 6, tcp(ends, body)
    if kind == "udp":
        return 17, Udp(40000, 7, body).between(*ends)
    if kind == "echo":
        return (
            (1, Icmp(8, 0, 7, body).summed())
            if version == 4
            else (
                58,
                Icmp(128, 0, 7, body).between(*ends),
            )
        )
    return 253, body  # RFC 3692


KINDS = ("tcp", "udp", "echo", "other")
OPTIONS4 = (b"", b"\x94\x04\0\0", b"\x07\x07\x04\0\0\0\0\0", b"\x01" * 40)


def packet4(draw, ends: tuple[bytes, bytes], number: int, body: bytes) -> bytes:
    protocol, inside = upper(draw(st.sampled_from(KINDS)), ends, body)
    return Ipv4(
        *ends,
        protocol,
        inside,
        ttl=draw(st.integers(1, 255)),
        identification=number,
        tos=draw(st.integers(0, 255)),
        options=draw(st.sampled_from(OPTIONS4)),
    ).to_bytes()


def headed(kind: int, inside: tuple[int, bytes], luck: Random) -> tuple[int, bytes]:
    """An extension header before what is inside; routing without segments left."""
    following, data = inside
    if kind == ROUTING:
        return kind, bytes((following, 0, 4, 0)) + bytes(4) + data
    return kind, bytes((following, 1, 1, 12)) + luck.randbytes(12) + data


def packet6(draw, ends: tuple[bytes, bytes], luck: Random, body: bytes) -> bytes:
    inside = upper(draw(st.sampled_from(KINDS)), ends, body)
    if draw(st.booleans()) and draw(st.booleans()):
        inside = NO_NEXT, b""
    for kind in draw(st.sampled_from(((), (60,), (43, 60), (60, 43, 60, 0), (0,)))):
        inside = headed(kind, inside, luck)
    return Ipv6(
        *ends,
        *inside,
        hop_limit=draw(st.integers(1, 255)),
        traffic_class=draw(st.integers(0, 255)),
        flow_label=draw(st.integers(0, 0xFFFFF)),
    ).to_bytes()


def pieces6(packet: bytes, mtu: int, number: int) -> list[bytes]:
    """As an IPv6 host cuts what carries no extension headers. RFC 8200 4.5."""
    head, next_header, data = packet[:40], packet[6], packet[40:]
    step = (mtu - 48) // 8 * 8
    pieces = []
    for at in range(0, len(data), step):
        word = at | (at + step < len(data))
        inside = bytes((next_header, 0)) + word.to_bytes(2) + number.to_bytes(4)
        inside += data[at : at + step]
        pieces.append(head[:4] + len(inside).to_bytes(2) + bytes((FRAGMENT,)) + head[7:] + inside)
    return pieces


def is_overdue(packet: bytes) -> bool:
    """Whether a tap says that not all pieces came. RFC 792, RFC 4443 3.3."""
    if packet[0] >> 4 == 4:
        return (packet[9:10], packet[20:21]) == (b"\1", b"\x0b")
    return (packet[6:7], packet[40:41]) == (b"\x3a", b"\3")


@st.composite
def conversations(draw):
    """An MTU, and who says what: the packets of the host, and what is to arrive for them."""
    mtu, luck = draw(st.sampled_from((1280, 1500, 9000))), Random(draw(st.integers(0, 1 << 32)))
    said = []
    for number in range(1, draw(st.integers(2, 8))):
        end, is_for_many = draw(st.integers(0, 1)), draw(st.integers(0, 3)) == 0
        (_, own, own6), (_, to, to6) = ENDS[end], ENDS[1 - end]
        small = draw(st.integers(0, 1100))
        if draw(st.booleans()):
            to = draw(st.sampled_from(GROUPS4)) if is_for_many else to
            length = draw(st.sampled_from((small, mtu - 88, mtu, 5000, 65_400)))
            whole = packet4(draw, (own, to), number, luck.randbytes(length))
            said.append((end, [whole], whole))
            if draw(st.booleans()) and len(whole) > 700:  # the host cuts it before the tap does
                said[-1] = end, ipv4.fragments(whole, max(576, len(whole) // 3)), whole
        else:
            to6 = draw(st.sampled_from(GROUPS6)) if is_for_many else to6
            length = draw(st.sampled_from((small, mtu - 200)))
            whole = packet6(draw, (own6, to6), luck, luck.randbytes(length))
            said.append((end, [whole], whole))
            if draw(st.booleans()) and whole[6] in {6, 17, 253}:
                data = luck.randbytes(draw(st.sampled_from((20, 3000, 20_000))))
                whole = Ipv6(own6, to6, 253, data).to_bytes()
                said[-1] = end, pieces6(whole, mtu, number), whole
    return mtu, luck, said


@pytest.mark.slow
@settings(deadline=None)
@given(conversations())
def test_what_arrives_is_what_was_sent_whatever_is_lost_doubled_and_late(conversation):
    mtu, luck, said = conversation
    wire = Wire(mtu, luck)
    for end, packets, _ in said:
        for packet in packets:
            wire.send(end, packet)
        wire.pass_time(wire.now + luck.choice((0, MS, SECOND)))
    wire.pass_time(wire.now + 100 * SECOND)
    for side, arrived in enumerate(wire.arrived):
        sent = {whole for end, _, whole in said if end != side}
        assert {each for each in arrived if not is_overdue(each)} <= sent


@pytest.mark.slow
@settings(deadline=None)
@given(conversations())
def test_once_the_wire_is_good_everything_arrives_once(conversation):
    mtu, luck, said = conversation
    wire = Wire(mtu, luck)
    for end, packets, _ in said:
        for packet in packets:
            wire.send(end, packet)
    wire.pass_time(wire.now + 100 * SECOND)  # lost pieces are given up: RFC 8200 4.5
    wire.lossy = False
    for arrived in wire.arrived:
        arrived.clear()
    for end, packets, _ in said:
        for packet in packets:
            wire.send(end, packet)
        wire.pass_time(wire.now + SECOND)
    wire.pass_time(wire.now + 10 * SECOND)
    for side in (0, 1):
        expected = Counter(whole for end, _, whole in said if end != side)
        assert expected == Counter(wire.arrived[side])
