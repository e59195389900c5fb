"""IPv4 packets."""

import pytest
from hypothesis import given

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
