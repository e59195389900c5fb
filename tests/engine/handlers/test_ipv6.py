"""IPv6: the next hop, who is meant, what lengths must hold. RFC 8200, 2464, 4861 5.2."""

import pytest

from tests.builders import (
    FAR6,
    GATEWAY6,
    OUR_IP6,
    OUR_MAC,
    PEER6,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    dropped,
    frame,
    packet6,
    vector,
)
from virtualtap import DropReason, Serving, ip, mac
from virtualtap.wire import ipv6, ndp
from virtualtap.wire.address import ANY6, BROADCAST
from virtualtap.wire.icmp import ECHO_REQUEST6, Icmp
from virtualtap.wire.ipv6 import HOP_BY_HOP, ICMPV6, Ipv6
from virtualtap.wire.ndp import NeighborMessage


def to_us(payload: bytes = b"hello") -> bytes:
    return packet6(to=OUR_IP6, source=PEER6, payload=payload)


# towards the network


def test_a_packet_for_a_known_neighbor_gets_14_bytes_in_front():
    tap = a_tap_that_knows(PEER6)
    assert tap.ip_to_ethernet(packet6()) == PEER_MAC + OUR_MAC + b"\x86\xdd" + packet6()


def test_a_group_maps_to_its_mac_without_a_question(tap):
    # RFC 2464 7
    group = ip("ff02::1:2")
    sent = tap.ip_to_ethernet(packet6(group))
    assert sent == frame(packet6(group), mac("33:33:00:01:00:02"), OUR_MAC)
    assert tap.take_frames() == []


def asked(tap, destination: str) -> bytes | None:
    """Whom a packet for `destination` asks for."""
    assert tap.ip_to_ethernet(packet6(ip(destination))) is None
    frames = tap.take_frames()
    return NeighborMessage.parse(frames[0][54:]).target if frames else None


@pytest.mark.parametrize(
    ("destination", "next_hop"),
    [
        ("fd00::77", "fd00::77"),
        ("fe80::5", "fe80::5"),
        ("febf::5", "febf::5"),
        ("fe80::fe", "fe80::fe"),
        ("fec0::5", "fe80::fe"),
        ("fd00:0:0:1::77", "fe80::fe"),
        ("2001:db8::9", "fe80::fe"),
    ],
)
def test_the_next_hop_is_the_destination_on_link_and_else_the_gateway(tap, destination, next_hop):
    assert asked(tap, destination) == ip(next_hop)


def test_a_gateway_off_our_prefixes_is_asked_for_itself():
    tap = a_tap(gateway_ip6=FAR6)
    assert asked(tap, "2001:db8::9") == FAR6


def test_without_an_address_all_but_link_local_goes_to_the_gateway():
    tap = a_tap(our_ip6=())
    assert asked(tap, "fd00::77") == GATEWAY6
    assert asked(tap, "fe80::77") == ip("fe80::77")


def test_without_an_address_and_a_gateway_every_destination_is_on_link():
    tap = a_tap(our_ip6=(), gateway_ip6=None)
    assert asked(tap, "2001:db8::9") == FAR6


@pytest.mark.parametrize("destination", ["2001:db8::9", "::", "::1", "fd00::1"])
def test_there_is_no_route_to_far_places_without_a_gateway_nor_to_nobody_nor_to_ourselves(
    destination,
):
    tap = a_tap(gateway_ip6=None)
    assert asked(tap, destination) is None
    assert (dropped(tap, DropReason.NO_ROUTE), tap.holding()) == (1, 0)


def test_a_packet_as_long_as_the_mtu_is_sent_and_one_byte_more_is_not():
    tap = a_tap_that_knows(PEER6, mtu=1280)
    assert tap.ip_to_ethernet(packet6(payload=bytes(1240))) is not None
    assert tap.ip_to_ethernet(packet6(payload=bytes(1241))) is None
    assert dropped(tap, DropReason.TOO_BIG) == 1


def test_what_stands_behind_a_packet_is_not_sent():
    tap = a_tap_that_knows(PEER6)
    assert tap.ip_to_ethernet(packet6() + b"behind") == frame(packet6(), PEER_MAC, OUR_MAC)


LIES = {
    "short": packet6()[:39],
    "longer than given": packet6()[:4] + b"\xff\xff" + packet6()[6:],
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_packet_that_lies_is_malformed(tap, lie):
    assert tap.ip_to_ethernet(lie) is None
    assert tap.ethernet_to_ip(frame(lie)) is None
    assert dropped(tap, DropReason.MALFORMED) == tap.stats.dropped_total == 2


# towards the host


def test_a_packet_for_us_comes_out_without_its_14_bytes(tap):
    assert tap.ethernet_to_ip(frame(to_us())) == to_us()
    assert tap.stats.to_ip == 1


def test_padding_is_trimmed(tap):
    assert tap.ethernet_to_ip(frame(to_us(b"")) + bytes(6)) == to_us(b"")


def test_a_packet_of_another_version_than_its_type_says_is_malformed(tap):
    assert tap.ethernet_to_ip(frame(b"\x45" + to_us()[1:], ethertype=b"\x86\xdd")) is None
    assert dropped(tap, DropReason.MALFORMED) == 1


def test_a_group_packet_comes_out(tap):
    sent = packet6(ip("ff02::1"), source=PEER6)
    assert tap.ethernet_to_ip(frame(sent, mac("33:33:00:00:00:01"))) == sent


def test_a_unicast_packet_inside_a_link_broadcast_is_refused(tap):
    assert tap.ethernet_to_ip(frame(to_us(), BROADCAST)) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


def test_a_packet_for_another_is_refused(tap):
    assert tap.ethernet_to_ip(frame(packet6(FAR6, source=PEER6))) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


def test_without_an_address_every_packet_to_our_mac_comes_out():
    tap = a_tap(our_ip6=())
    sent = packet6(FAR6, source=PEER6)
    assert tap.ethernet_to_ip(frame(sent)) == sent


def test_other_icmp_messages_than_those_of_neighbors_are_for_the_host(tap):
    ping = Icmp(ECHO_REQUEST6, 0, 0x00010001, b"hello").between(PEER6, OUR_IP6)
    sent = Ipv6(PEER6, OUR_IP6, ICMPV6, ping).to_bytes()
    assert tap.ethernet_to_ip(frame(sent)) == sent


def test_a_neighbor_message_behind_an_extension_header_is_for_the_host(tap):
    message = NeighborMessage(ndp.SOLICITATION, 0, OUR_IP6).between(PEER6, OUR_IP6)
    hop_by_hop = bytes((ICMPV6, 0, 5, 2, 0, 0, 1, 0))
    sent = Ipv6(PEER6, OUR_IP6, HOP_BY_HOP, hop_by_hop + message, hop_limit=255).to_bytes()
    assert tap.ethernet_to_ip(frame(sent)) == sent
    assert tap.take_frames() == []


def test_each_packet_of_a_group_is_counted(tap):
    for _ in range(2):
        tap.ip_to_ethernet(packet6(ip("ff02::1")))
    assert tap.stats.to_ethernet == 2


def test_nobody_s_packet_goes_to_no_one_station():
    # RFC 4291 2.5.2
    tap = a_tap_that_knows(PEER6, validate="off")
    assert tap.ip_to_ethernet(packet6(PEER6, ANY6)) is None
    assert dropped(tap, DropReason.NO_ROUTE) == 1


def test_what_comes_is_clamped_only_if_asked_for(tap):
    said = Ipv6(PEER6, OUR_IP6, ipv6.TCP, vector("tcp_syn")).to_bytes()
    assert tap.ethernet_to_ip(frame(said)) == said
    clamping = a_tap(clamp_mss=True, mtu=1280)
    assert clamping.ethernet_to_ip(frame(said)) not in (None, said)


def test_a_router_joins_what_comes_in_pieces_for_itself():
    tap = a_tap(gateway_ip=None, gateway_ip6=None, serve=Serving())
    pieces = [b"\x11\0" + offset.to_bytes(2) + b"abcd" + bytes(8) for offset in (1, 8)]
    said = [Ipv6(PEER6, OUR_IP6, ipv6.FRAGMENT, piece).to_bytes() for piece in pieces]
    whole = Ipv6(PEER6, OUR_IP6, ipv6.UDP, bytes(16)).to_bytes()
    assert [tap.ethernet_to_ip(frame(each)) for each in said] == [None, whole]
