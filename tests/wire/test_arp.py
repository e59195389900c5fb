"""ARP messages."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import OUR_IP, OUR_MAC, PEER, PEER_MAC, padded, vector
from virtualtap import WireError, ip, mac
from virtualtap.wire import arp
from virtualtap.wire.address import NO_MAC
from virtualtap.wire.arp import Arp

HUB_POLLS = Arp(
    arp.REQUEST,
    mac("00:ae:38:45:57:46"),
    ip("172.31.57.70"),
    NO_MAC,
    ip("192.168.30.10"),
)


def test_a_real_request_is_read():
    assert Arp.parse(vector("arp_request")[14:]) == HUB_POLLS


def test_a_real_reply_is_written():
    asked = Arp(
        arp.REQUEST, mac("5e:c7:03:6b:63:8e"), ip("192.168.30.10"), NO_MAC, ip("192.168.30.1")
    )
    answer = arp.reply(mac("5e:00:ba:ce:6d:5b"), ip("192.168.30.1"), asked)
    assert vector("arp_reply")[14:] == answer


def test_a_request_leaves_the_mac_it_asks_for_zero():
    assert Arp(arp.REQUEST, OUR_MAC, OUR_IP, bytes(6), PEER) == Arp.parse(
        arp.request(OUR_MAC, OUR_IP, PEER)
    )


@given(strategies.arps)
def test_what_is_written_is_read_back(message):
    assert message == Arp.parse(message.to_bytes())


@pytest.mark.parametrize("length", [0, 27])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 28 bytes, got {length}"):
        Arp.parse(HUB_POLLS.to_bytes()[:length])


def test_padding_is_passed_over():
    assert Arp.parse(padded(vector("arp_request"))[14:]) == HUB_POLLS


@pytest.mark.parametrize(
    ("at", "wrong"), [(1, 6), (2, 0x86), (4, 8), (5, 16)], ids=["hardware", "protocol", "mac", "ip"]
)
def test_other_types_and_lengths_than_ethernet_and_ipv4_are_a_wire_error(at, wrong):
    data = bytearray(arp.request(PEER_MAC, PEER, OUR_IP))
    data[at] = wrong
    with pytest.raises(WireError, match="types and lengths 1, 0x0800, 6, 4, got"):
        Arp.parse(bytes(data))
