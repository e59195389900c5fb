"""Checksums that were left to a network card: a hub computes them, and no others."""

import pytest

from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.parsing import parse
from tests import builders as b
from tests.sim.nodes.softether.test_parsing import TAG, claims, four, six, whole
from virtualtap.wire import checksum
from virtualtap.wire.address import ANY4, ip
from virtualtap.wire.ipv4 import TCP, UDP, Ipv4
from virtualtap.wire.ipv6 import ICMPV6
from virtualtap.wire.udp import Udp


def left(packet: bytes, at: int, value: int) -> bytes:
    """The packet with another word at `at`."""
    return packet[:at] + value.to_bytes(2) + packet[at + 2 :]


def bare(protocol: int, length: int, v6: bool) -> int:
    ends = (b.PEER6, b.OUR_IP6) if v6 else (b.PEER, b.OUR_IP)
    return checksum.pseudo_header(*ends, protocol, length)


SEGMENT = bytes(12) + b"\x50\x10" + bytes(6) + b"data!"
OPTIONS = b"\x11\0" + bytes(6)


def carried(protocol: int, v6: bool, given: int | None = None, payload: bytes = b"data!") -> bytes:
    """A packet with its right checksum, or the one given."""
    if protocol == TCP:
        body, at = SEGMENT[:20] + payload, 16
    else:
        body, at = Udp(9, 9, payload).to_bytes(), 6
    ends = (b.PEER6, b.OUR_IP6) if v6 else (b.PEER, b.OUR_IP)
    value = checksum.transport(*ends, protocol, body) if given is None else given
    body = left(body, at, value)
    return six(protocol, body) if v6 else four(protocol, body)


FILLS = HubOptions()


@pytest.mark.parametrize("tag", [b"", TAG], ids=["plain", "tagged"])
def test_an_ipv4_header_checksum_of_zero_is_computed(tag: bytes):
    packet = four(253, bytes(8))
    assert parse(whole(left(packet, 10, 0), tag), FILLS) == whole(packet, tag)
    wrong = whole(left(packet, 10, 1), tag)
    assert parse(wrong, FILLS) == wrong


@pytest.mark.parametrize("v6", [False, True], ids=["v4", "v6"])
@pytest.mark.parametrize(("protocol", "length"), [(TCP, 25), (UDP, 13)], ids=["tcp", "udp"])
def test_a_bare_sum_of_the_pseudo_header_or_its_complement_is_computed(
    protocol: int, length: int, v6: bool
):
    right, part = whole(carried(protocol, v6)), bare(protocol, length, v6)
    for value in (part, 0xFFFF - part):
        frame = whole(carried(protocol, v6, value))
        assert parse(frame, FILLS) == right
        assert parse(frame, HubOptions(DisableCorrectIpOffloadChecksum=True)) == frame
        assert parse(frame) == frame


@pytest.mark.parametrize("v6", [False, True], ids=["v4", "v6"])
def test_a_checksum_of_zero_is_computed_for_tcp_and_means_none_for_udp(v6: bool):
    assert parse(whole(carried(TCP, v6, 0)), FILLS) == whole(carried(TCP, v6))
    udp = whole(carried(UDP, v6, 0))
    assert parse(udp, FILLS) == udp


@pytest.mark.parametrize("v6", [False, True], ids=["v4", "v6"])
@pytest.mark.parametrize("protocol", [TCP, UDP], ids=["tcp", "udp"])
def test_a_checksum_that_is_merely_wrong_is_forwarded(protocol: int, v6: bool):
    frame = whole(carried(protocol, v6, 0x1234))
    assert parse(frame, FILLS) == frame


def test_a_first_fragment_of_udp_loses_its_bare_sum_and_one_of_tcp_keeps_it():
    def first(protocol: int, length: int) -> tuple[bytes, int]:
        packet = carried(protocol, False, bare(protocol, length, False))
        return whole(packet[:6] + b"\x20\0" + packet[8:]), 14 + 20 + (6 if protocol == UDP else 16)

    frame, at = first(UDP, 13)
    assert parse(frame, FILLS) == left(frame, at, 0)
    frame, at = first(TCP, 25)
    assert parse(frame, FILLS) == frame
    body = left(Udp(9, 9, b"data!").to_bytes(), 6, bare(UDP, 13, True))
    frame = whole(six(44, b"\x11\0\0\1" + bytes(4) + body))
    assert parse(frame, FILLS) == left(frame, 14 + 40 + 8 + 6, 0)


def test_a_udp_length_beyond_the_packet_loses_its_bare_sum():
    body = b"\0\x09\0\x09" + (100).to_bytes(2) + bytes(2)
    frame = whole(four(UDP, left(body, 6, bare(UDP, 100, False))))
    assert parse(frame, FILLS) == left(frame, 14 + 20 + 6, 0)


def test_later_fragments_other_protocols_and_broken_headers_stay():
    for frame in (
        whole(four(TCP, SEGMENT, fragment=1)),
        whole(four(253, bytes(20))),
        whole(four(TCP, bytes(20))),  # a header of 0 bytes
        whole(four(TCP, bytes(12) + b"\xf0\x10" + bytes(6))),  # of 60
        whole(six(59, bytes(20))),
        whole(six(ICMPV6, bytes(20))),
        whole(claims(four(TCP, bytes(12) + b"\x10\x10" + bytes(6)), 0)),
    ):
        assert parse(frame, FILLS) == frame


def test_a_pseudo_header_that_sums_to_zero_is_written_as_ones():
    ends = ip("255.255.255.225"), ANY4  # with 17 and 13 it makes 0xffff
    body = Udp(9, 9, b"data!")
    given = left(body.to_bytes(), 6, 0xFFFF)
    frame = whole(Ipv4(*ends, UDP, given).to_bytes())
    assert parse(frame, FILLS) == whole(Ipv4(*ends, UDP, body.between(*ends)).to_bytes())


def test_the_checksum_behind_extension_headers_is_found():
    body = Udp(9, 9, b"data!").to_bytes()
    frame = whole(six(0, OPTIONS + left(body, 6, bare(UDP, 13, True))))
    value = checksum.transport(b.PEER6, b.OUR_IP6, UDP, body)
    assert parse(frame, FILLS) == left(frame, 14 + 40 + 8 + 6, value)
