"""The MSS clamp: what becomes smaller, what stays, and what transports ask for."""

import pytest

from sim.nodes.softether.mss import clamp, least, udp_acceleration
from tests import builders as b
from virtualtap.wire import checksum
from virtualtap.wire.ipv4 import TCP, Ipv4
from virtualtap.wire.ipv6 import Ipv6

MSS = b"\x02\x04\x05\xb4"  # 1460
TAG = b"\x81\x00\x20\x05"


def segment(flags: int = 2, options: bytes = MSS, header: int = 0) -> bytes:
    header = header or (20 + len(options)) // 4
    return (
        bytes.fromhex("0400005000000001 00000000")
        + bytes((header << 4, flags))
        + bytes(6)
        + options
    )


def whole(part: bytes, tag: bytes = b"", **fields: int) -> bytes:
    value = checksum.transport(b.PEER, b.OUR_IP, TCP, part)
    part = part[:16] + value.to_bytes(2) + part[18:]
    frame = b.frame(Ipv4(b.PEER, b.OUR_IP, TCP, part, **fields).to_bytes())
    return frame[:12] + tag + frame[12:]


def whole6(part: bytes) -> bytes:
    value = checksum.transport(b.PEER6, b.OUR_IP6, TCP, part)
    part = part[:16] + value.to_bytes(2) + part[18:]
    return b.frame(Ipv6(b.PEER6, b.OUR_IP6, TCP, part).to_bytes())


def says(mss: int) -> bytes:
    return b"\x02\x04" + mss.to_bytes(2)


@pytest.mark.parametrize("flags", [0x02, 0x12, 0x42], ids=["syn", "syn-ack", "ecn"])
def test_a_syn_says_at_most_what_is_asked_and_its_checksum_is_right(flags: int):
    more = bytes.fromhex("0402 0103")
    assert clamp(whole(segment(flags, MSS + more)), 1309) == whole(
        segment(flags, says(1309) + more)
    )


def test_ipv6_says_20_bytes_less_and_a_tag_takes_4():
    assert clamp(whole6(segment()), 1309) == whole6(segment(options=says(1289)))
    assert clamp(whole(segment(), TAG), 1309) == whole(segment(options=says(1305)), TAG)


def test_only_the_tag_of_the_hub_counts():
    frame = whole(segment(), b"\x88\xa8\x00\x05")
    assert clamp(frame, 1309) == frame
    assert clamp(frame, 1309, 0x88A8) == whole(segment(options=says(1305)), b"\x88\xa8\x00\x05")
    assert clamp(whole(segment(), TAG), 4) == whole(segment(), TAG)


def test_it_never_says_less_than_64():
    assert clamp(whole(segment()), 10) == whole(segment(options=says(64)))
    assert clamp(whole6(segment()), 10) == whole6(segment(options=says(64)))


def test_it_only_lowers():
    for frame in (whole(segment()), whole(segment(options=says(1309)))):
        assert clamp(frame, 1460) == frame


def test_a_wrong_checksum_becomes_right():
    frame = whole(segment())
    wrong = frame[:50] + b"\x12\x34" + frame[52:]
    assert clamp(wrong, 1309) == clamp(frame, 1309)


@pytest.mark.parametrize(
    "frame",
    [
        *(whole(segment(flags)) for flags in (0x10, 0x06, 0x0A, 0x22)),
        whole(segment(options=b"\x01\x01\x02\x04\x05\xb4\x01\x01")),
        whole(segment(options=b"")),
        whole(segment(header=4)),
        whole(segment(header=15)),
        whole(segment(), fragment=0x2000),
        whole(segment(), fragment=0x0001),
        b.frame(b.packet()),
        b.arp_request(),
        whole(segment())[:50],
    ],
    ids=[
        *("ack", "rst", "psh", "urg", "not first", "no option", "short header", "long header"),
        *("first fragment", "later fragment", "udp", "arp", "cut"),
    ],
)
def test_anything_else_stays_as_it_is(frame: bytes):
    assert clamp(frame, 1309) == frame


def test_a_syn_of_ipv6_in_a_fragment_stays_as_it_is():
    for word in (b"\0\x01", b"\0\x08"):
        fragment = Ipv6(b.PEER6, b.OUR_IP6, 44, b"\x06\0" + word + bytes(4) + segment())
        frame = b.frame(fragment.to_bytes())
        assert clamp(frame, 1309) == frame


def test_the_least_of_what_is_set_is_asked_for():
    assert (least(1400, 1309), least(0, 1309), least(1400, 0), least(0, 0)) == (1309, 1309, 1400, 0)


def test_udp_acceleration_asks_for_1309_1289_or_1349():
    assert udp_acceleration(ipv6=False, encrypted=True) == 1309
    assert udp_acceleration(ipv6=True, encrypted=True) == 1289
    assert udp_acceleration(ipv6=False, encrypted=False) == 1349
