"""UDP datagrams."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import OUR_IP, OUR_IP6, PEER, PEER6, vector
from virtualtap import WireError, ip
from virtualtap.wire import checksum, udp
from virtualtap.wire.udp import Udp

BEACON = Udp(7, 7, b"SecureNAT Virtual TCP/IP Stack Beacon\0", 0x8E3B)


def test_a_real_datagram_is_read():
    assert Udp.parse(vector("udp_beacon")) == BEACON


def test_a_real_datagram_is_written():
    assert vector("udp_beacon") == BEACON.to_bytes()


def test_the_checksum_is_the_one_that_the_sender_computed():
    bare = Udp(7, 7, BEACON.payload)
    assert vector("udp_beacon") == bare.between(ip("192.168.30.1"), ip("192.168.30.255"))


@given(strategies.udps)
def test_what_is_written_is_read_back(message):
    assert message == Udp.parse(message.to_bytes())


@pytest.mark.parametrize(("source", "to"), [(OUR_IP, PEER), (OUR_IP6, PEER6)])
@given(message=strategies.udps)
def test_a_datagram_between_two_addresses_sums_to_zero_with_them(source, to, message):
    data = message.between(source, to)
    assert checksum.transport_is_right(source, to, udp.PROTOCOL, data)


def test_a_checksum_of_zero_is_sent_as_all_ones():
    # RFC 768: zero means that there is none
    payload = next(
        word.to_bytes(2)
        for word in range(0x10000)
        if checksum.transport(OUR_IP, PEER, udp.PROTOCOL, Udp(1, 2, word.to_bytes(2)).to_bytes())
        == 0xFFFF
    )
    data = Udp(1, 2, payload).between(OUR_IP, PEER)
    assert data[6:8] == b"\xff\xff"
    assert checksum.transport_is_right(OUR_IP, PEER, udp.PROTOCOL, data)


@pytest.mark.parametrize("length", [0, 7])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 8 bytes, got {length}"):
        Udp.parse(bytes(length))


@pytest.mark.parametrize("claim", [7, 47])
def test_a_length_that_lies_is_a_wire_error(claim):
    data = vector("udp_beacon")
    with pytest.raises(WireError, match=f"claims {claim} bytes, got 46"):
        Udp.parse(data[:4] + claim.to_bytes(2) + data[6:])


def test_padding_is_cut():
    assert Udp.parse(vector("udp_beacon") + b"\0\0") == BEACON


def test_a_datagram_is_received_if_its_checksum_is_right():
    data = Udp(1, 2, b"hello").between(OUR_IP, PEER)
    datagram = udp.received(OUR_IP, PEER, data + b"\0\0")
    assert datagram == Udp(1, 2, b"hello", int.from_bytes(data[6:8]))
    assert udp.received(OUR_IP, PEER, data[:-1] + b"!") is None


def test_only_ipv4_may_leave_the_checksum_out():
    bare = Udp(1, 2, b"hello")
    assert udp.received(OUR_IP, PEER, bare.to_bytes()) == bare
    assert udp.received(OUR_IP6, PEER6, bare.to_bytes()) is None
