"""One line on a frame, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import glance
from tests import builders as b
from tests.sim.networks import datagram, echo
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST
from virtualtap.wire.ipv4 import UDP, Ipv4
from virtualtap.wire.udp import Udp

MACS = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x01"
ARP = bytes.fromhex("00010800060400010200000000010a0000010000000000000a000002")

DISCOVER, NO_KIND = (
    Ipv4(
        *(ANY4, LIMITED_BROADCAST, UDP),
        Udp(68, 67, message).between(ANY4, LIMITED_BROADCAST),
    ).to_bytes()
    for message in (
        b.vector("dhcp_discover"),
        b.vector("dhcp_discover").replace(bytes((53, 1, 1)), bytes((53, 1, 9))),
    )
)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (
            MACS + b"\x08\x06" + ARP,
            "ARP who has 10.0.0.2, says 10.0.0.1 at 02:00:00:00:00:01",
        ),
        (
            MACS + b"\x81\x00\x00\x07\x08\x06" + ARP[:7] + b"\x02" + ARP[8:],
            "VLAN 7, ARP reply to 10.0.0.2, says 10.0.0.1 at 02:00:00:00:00:01",
        ),
        (MACS + b"\x88\xb5", "type 0x88b5, 02:00:00:00:00:01 to ff:ff:ff:ff:ff:ff"),
        (MACS + b"\x08\x00" + echo(b.OUR_IP, b.PEER), "ICMP echo request, 10.0.0.1 to 10.0.0.2"),
        (MACS, "12 bytes, too short for Ethernet"),
    ],
)
def test_a_frame_in_words(frame, words):
    assert glance.frame(frame) == words


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (datagram(b.OUR_IP, b.PEER), "UDP port 1024 to 9, 10.0.0.1 to 10.0.0.2"),
        (
            datagram(b.OUR_IP, b.PEER)[:6] + b"\x00\x10" + datagram(b.OUR_IP, b.PEER)[8:],
            "a later fragment, 10.0.0.1 to 10.0.0.2",
        ),
        (bytes.fromhex("45") + bytes(8) + b"\xfd" + bytes(10), "protocol 253, 0.0.0.0 to 0.0.0.0"),
        (DISCOVER, "UDP port 68 to 67, DHCP discover, 0.0.0.0 to 255.255.255.255"),
        (NO_KIND, "UDP port 68 to 67, 0.0.0.0 to 255.255.255.255"),
        (DISCOVER[:96], "UDP port 68 to 67, 0.0.0.0 to 255.255.255.255"),
        (b"", "no IP packet"),
        (b"\x60" * 39, "no IP packet"),
    ],
)
def test_a_packet_in_words(packet, words):
    assert glance.packet(packet) == words


@given(st.binary(max_size=120))
def test_no_bytes_break_it(data):
    assert glance.frame(data)
    assert glance.packet(data)
