"""What the server changes inside DHCP and router advertisements, and what it leaves."""

from hashlib import sha1

import pytest

from sim.nodes.softether.packet import Packet
from sim.nodes.softether.rewriting import (
    is_for,
    is_from_native_nat,
    static_ip,
    with_static_ip,
    without_gateway,
    without_router,
)
from tests import builders as b
from virtualtap.wire import checksum, dhcp
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST, ip, mac
from virtualtap.wire.dhcp import Dhcp, Options
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6
from virtualtap.wire.udp import Udp

ROUTER, MASK, LEASE = (3, b.GATEWAY), (1, b"\xff\xff\xff\0"), (51, b"\0\0\x1c\x20")
DNS, DOMAIN, NETBIOS = (6, b.GATEWAY), (15, b"lan"), (44, b.GATEWAY)
STATIC = ip("192.168.30.222")


def message(kind: int, operation: int = 2, options: Options = (), **fields: bytes) -> Dhcp:
    return Dhcp(operation, 7, b.OUR_MAC, ((53, bytes((kind,))), *options), **fields)


def frame(said: Dhcp, tag: bytes = b"", data: bytes = b"") -> bytes:
    ports = (67, 68) if said.operation == 2 else (68, 67)
    body = Udp(*ports, data or said.to_bytes()).between(ANY4, LIMITED_BROADCAST)
    whole = b.frame(Ipv4(ANY4, LIMITED_BROADCAST, 17, body).to_bytes())
    return whole[:12] + tag + whole[12:]


# router advertisements


def advertisement(lifetime: int = 1800) -> bytes:
    body = b"\x86\0\0\0\x40\0" + lifetime.to_bytes(2) + bytes(8) + b"\x01\x01" + b.PEER_MAC
    value = checksum.transport(b.GATEWAY6, b.OUR_IP6, ICMPV6, body)
    body = body[:2] + value.to_bytes(2) + body[4:]
    return b.frame(Ipv6(b.GATEWAY6, b.OUR_IP6, ICMPV6, body, hop_limit=255).to_bytes())


def test_a_router_advertisement_loses_its_lifetime_and_its_checksum_is_right():
    assert without_router(Packet(advertisement())) == advertisement(0)
    tagged = advertisement()[:12] + b"\x81\0\0\x05" + advertisement()[12:]
    assert without_router(Packet(tagged))[16:] == advertisement(0)[12:]


@pytest.mark.parametrize(
    "other", [advertisement(0), b.solicitation(), b.frame(b.packet()), b.frame(b.packet6())]
)
def test_anything_else_keeps_what_it_says(other: bytes):
    assert without_router(Packet(other)) == other


def test_an_advertisement_without_a_lifetime_keeps_even_a_wrong_checksum():
    wrong = advertisement(0)[:56] + b"\x12\x34" + advertisement(0)[58:]
    assert without_router(Packet(wrong)) == wrong


# the way outside of the server's own host


@pytest.mark.parametrize("kind", [dhcp.OFFER, dhcp.ACK])
def test_an_offer_to_the_servers_host_leads_nowhere_outside(kind: int):
    said = message(kind, options=(MASK, ROUTER, DNS, DOMAIN, NETBIOS, LEASE))
    left = message(kind, options=(MASK, LEASE))
    assert without_gateway(Packet(frame(said))) == frame(left)


def test_the_lengths_in_the_headers_stay_where_a_long_message_becomes_shorter():
    fill = (43, bytes(100))
    said = frame(message(dhcp.ACK, options=(ROUTER, fill)))
    changed = without_gateway(Packet(said))
    assert len(changed) == len(said) - 6
    assert changed[16:18] == said[16:18]


def test_what_leads_nowhere_already_stays():
    data = message(dhcp.ACK, options=(MASK,)).to_bytes().rstrip(b"\0")
    bare = frame(message(dhcp.ACK), data=data)
    assert without_gateway(Packet(bare)) == bare


@pytest.mark.parametrize(
    "said",
    [
        frame(message(dhcp.NAK, options=(ROUTER,))),
        frame(message(dhcp.ACK, options=(ROUTER,)), data=bytes(240)),
    ],
    ids=["nak", "no cookie"],
)
def test_another_message_keeps_its_options(said: bytes):
    assert without_gateway(Packet(said)) == said


def test_an_answer_is_for_who_is_named_in_it():
    ours = frozenset((b.OUR_MAC,))
    assert is_for(message(dhcp.ACK).to_bytes(), ours)
    assert not is_for(message(dhcp.ACK).to_bytes(), frozenset())
    assert not is_for(message(dhcp.REQUEST, operation=1).to_bytes(), ours)


# the kernel's NAT


def test_the_kernels_nat_of_this_machine_is_known_by_its_mac():
    front = mac("da:11:22:33:00:00")[:4]
    ours = front + sha1(front + b"VPN", usedforsecurity=False).digest()[:2]

    def asks(client: bytes, operation: int = 1) -> bytes:
        return Dhcp(operation, 7, client, ((53, b"\x01"),)).to_bytes()

    assert is_from_native_nat(asks(ours), " vpn ")
    assert not is_from_native_nat(asks(ours), "other")
    assert not is_from_native_nat(asks(b"\xca" + ours[1:]), "vpn")
    assert not is_from_native_nat(asks(ours, operation=2), "vpn")


# static addresses


@pytest.mark.parametrize("kind", [dhcp.DISCOVER, dhcp.REQUEST])
@pytest.mark.parametrize("tag", [b"", b"\x81\0\0\x05"], ids=["plain", "tagged"])
def test_a_request_of_a_user_asks_for_the_address_in_his_note(kind: int, tag: bytes):
    said = frame(message(kind, 1, next_server=ip("1.2.3.4")), tag)
    asked = frame(message(kind, 1, next_server=STATIC), tag)
    changed = with_static_ip(said, STATIC)
    at = len(tag) + 40
    assert changed == asked[:at] + said[at : at + 2] + asked[at + 2 :]  # its checksum is not mended
    assert changed[at : at + 2] != asked[at : at + 2]


@pytest.mark.parametrize(
    "said",
    [
        frame(message(dhcp.INFORM, 1)),
        frame(message(dhcp.ACK, 2)),
        frame(message(dhcp.DISCOVER, 1), data=b"\x01" + bytes(250)),
        b.arp_request(),
    ],
    ids=["inform", "ack", "no cookie", "arp"],
)
def test_no_other_message_is_changed(said: bytes):
    assert with_static_ip(said, STATIC) == said


@pytest.mark.parametrize(
    ("note", "address"),
    [
        ("IPv4:192.168.30.222", STATIC),
        ("desk 4\nipv4: 192.168.30.222 printer", STATIC),
        ("IPv4:", ANY4),
        ("IPv4:nobody", ANY4),
        ("IPv4:fe80::1", ANY4),
        ("", ANY4),
    ],
)
def test_a_note_names_an_address_or_none(note: str, address: bytes):
    assert static_ip(note) == address
