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
