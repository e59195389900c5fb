"""IPv4 packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import packet, vector
from virtualtap import WireError, ip
from virtualtap.wire import ipv4
from virtualtap.wire.ipv4 import Ipv4

BEACON = Ipv4(
    ip("192.168.30.1"),
    ip("192.168.30.255"),
    ipv4.UDP,
    vector("udp_beacon"),
    ttl=128,
    identification=0x15,
)
REPORT = Ipv4(
    ip("0.0.0.0"),
    ip("224.0.0.22"),
    ipv4.IGMP,
    bytes.fromhex("2200f9930000000104000000e000006a"),
    ttl=1,
    fragment=ipv4.DONT_FRAGMENT,
    tos=0xC0,
    options=bytes.fromhex("94040000"),  # RFC 2113: router alert
)


def changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


@pytest.mark.parametrize(
    ("name", "expected"), [("ipv4_beacon", BEACON), ("ipv4_router_alert", REPORT)]
)
def test_a_real_packet_is_read(name, expected):
    assert Ipv4.parse(vector(name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("ipv4_beacon", BEACON), ("ipv4_router_alert", REPORT)]
)
def test_a_real_packet_is_written(name, expected):
    assert vector(name) == expected.to_bytes()


@given(strategies.ipv4s)
def test_what_is_written_is_read_back(message):
    assert message == Ipv4.parse(message.to_bytes())


@given(strategies.ipv4s)
def test_peeks_equal_the_parsed_lengths(message):
    data = message.to_bytes()
    assert (20 + len(message.options), len(data)) == (ipv4.header_len(data), ipv4.total_len(data))


@pytest.mark.parametrize("length", [0, 19])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 20 bytes, got {length}"):
        Ipv4.parse(vector("ipv4_beacon")[:length])


def test_padding_is_cut():
    assert Ipv4.parse(vector("ipv4_beacon") + bytes(7)) == BEACON


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (0, 0x65, "version 4"),
        (0, 0x44, "20 header bytes"),
        (3, 200, "claims 200 bytes, got 25"),
        (3, 19, "claims 19 bytes, got 25"),
        (8, 63, "header checksum"),
    ],
    ids=["version", "header length", "too long", "too short", "checksum"],
)
def test_a_header_that_lies_is_a_wire_error(at, value, says):
    with pytest.raises(WireError, match=says):
        Ipv4.parse(changed(packet(), at, value))


def joined(pieces: list[bytes]) -> bytes:
    """The payload of fragments in their order, each of which must begin where the last ended."""
    payload, start = b"", None
    for data in pieces:
        piece = Ipv4.parse(data)
        offset = (piece.fragment & ipv4.OFFSET_MASK) * 8
        start = offset if start is None else start
        assert offset == start + len(payload)
        payload += piece.payload
    return payload


@given(strategies.ipv4s, st.integers(68, 200))
def test_fragments_join_to_the_packet_and_none_is_too_long(message, mtu):
    message.fragment &= ipv4.MORE_FRAGMENTS | 0xFF
    data = message.to_bytes()
    pieces = ipv4.fragments(data, mtu)
    assert joined(pieces) == message.payload  # and every checksum is right, or parse had raised
    assert max(map(len, pieces)) <= max(mtu, min(len(data), mtu))
    flags = [Ipv4.parse(piece).fragment & ipv4.MORE_FRAGMENTS for piece in pieces]
    assert flags == [ipv4.MORE_FRAGMENTS] * (len(pieces) - 1) + [
        message.fragment & ipv4.MORE_FRAGMENTS
    ]


def test_a_wrong_checksum_stays_wrong_in_every_fragment():
    data = packet(payload=bytes(200))
    wrong = changed(data, 8, 63)
    for piece in ipv4.fragments(wrong, 68):
        with pytest.raises(WireError, match="header checksum"):
            Ipv4.parse(piece)


@pytest.mark.parametrize(
    ("options", "there"),
    [
        (b"\1\1\x94\2", True),
        (b"\7\2\x94\4\0\0", True),
        (b"\7\4\x94\4", False),
        (b"\1\1\1\x94", False),
        (b"\0\1\x94\4", False),
        (b"\7\0\x94\4", True),
    ],
    ids=["last", "behind another", "inside another", "cut", "behind the end", "behind no length"],
)
def test_an_option_is_found_where_one_begins(options, there):
    assert ipv4.has_option(options, 0x94) == there


@given(st.binary(min_size=60, max_size=80), st.integers(68, 300))
def test_any_bytes_are_cut_to_what_fits(head, mtu):
    packet = head + bytes(mtu)
    pieces = ipv4.fragments(packet, mtu)
    assert max(map(len, pieces)) <= mtu
    assert sum(len(piece) - ipv4.header_len(piece) for piece in pieces) >= len(packet) - 60


@pytest.mark.parametrize(
    ("options", "copied"),
    [
        ("94040000 07040101", "94040000"),
        ("01940400 00000000", "94040000"),
        ("00029404 00000000", ""),
        ("01010194", "94000000"),
        ("07029404 00000000", "94040000"),
        ("86041234 94040000", "86041234 94040000"),
    ],
    ids=[
        *("one of two", "behind a NOP", "behind the end", "without a length", "behind another"),
        "both",
    ],
)
def test_later_fragments_have_the_options_that_are_to_be_copied(options, copied):
    options, copied = bytes.fromhex(options), bytes.fromhex(copied)
    whole = Ipv4(bytes(4), bytes(4), 253, bytes(300), options=options).to_bytes()
    first, second, *_ = (Ipv4.parse(piece) for piece in ipv4.fragments(whole, 200))
    assert (first.options, second.options) == (options, copied)


def test_what_is_joined_is_marked_only_where_it_is_asked_for():
    whole = packet(payload=bytes(9))
    assert ipv4.joined(whole[:20], whole[20:]) == whole
    assert ipv4.joined(whole[:20], whole[20:], 3)[1] == 3


def test_what_fits_exactly_is_not_cut_once_more():
    whole = packet(payload=bytes(400))
    assert [len(piece) for piece in ipv4.fragments(whole, 220)] == [220, 220]


def test_what_stands_behind_a_packet_is_cut_where_its_lengths_can_be():
    bare = packet(payload=b"")
    assert ipv4.trimmed(bare + bytes(26)) == bare
    wrong = bare[:2] + bytes((0, 19)) + bare[4:]
    assert ipv4.trimmed(wrong) == wrong
