"""Ethernet II frames."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import OUR_MAC, PEER_MAC, padded, vector
from virtualtap import WireError, mac
from virtualtap.wire import ethernet
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.ethernet import ARP, IPV6, Ethernet

FLOODED = Ethernet(BROADCAST, mac("02:dd:00:00:00:05"), b"\x88\xb5", b"PRB00001" + b"x" * 38)


def test_a_real_frame_is_read():
    assert Ethernet.parse(vector("ethernet_local_experimental")) == FLOODED


def test_a_real_frame_is_written():
    assert vector("ethernet_local_experimental") == FLOODED.to_bytes()


@given(strategies.ethernets)
def test_what_is_written_is_read_back(frame):
    assert frame == Ethernet.parse(frame.to_bytes())


@pytest.mark.parametrize("length", [0, 13])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 14 bytes, got {length}"):
        Ethernet.parse(bytes(length))


def test_padding_stays_in_the_payload():
    frame = Ethernet.parse(padded(Ethernet(OUR_MAC, PEER_MAC, ARP, b"short").to_bytes()))
    assert frame.payload == b"short" + bytes(41)


def test_a_peek_at_the_type_equals_the_parsed_type():
    assert ethernet.ethertype(vector("ndp_solicitation")) == IPV6


def test_a_peek_into_a_short_frame_gives_what_is_there():
    assert ethernet.ethertype(bytes(13)) == b"\0"


def test_a_tag_is_cut_and_all_twelve_bits_of_its_vlan_are_read():
    ends = BROADCAST + PEER_MAC
    assert ethernet.untagged(ends + b"\x81\0" + b"\xe1\x23" + IPV6) == (0x123, ends + IPV6)


@pytest.mark.parametrize(
    ("length", "plain"), [(7, None), (8, IPV6), (9, IPV6 + b"a"), (10, IPV6 + b"ab")]
)
def test_snap_has_eight_bytes_before_what_it_carries(length, plain):
    ends = BROADCAST + PEER_MAC
    frame = ends + length.to_bytes(2) + b"\xaa\xaa\3\0\0\0" + IPV6 + b"ab"
    assert ethernet.from_snap(frame) == (None if plain is None else ends + plain)
