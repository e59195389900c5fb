"""What a tap may be told to serve, and what passes it then."""

import pytest

from tests.builders import (
    FAR6,
    OUR_MAC,
    PEER,
    PEER6,
    config,
    dropped,
    frame,
    packet,
    packet6,
    solicitation,
)
from virtualtap import SECOND, DropReason, Serving, UsageError, VirtualTap, ip
from virtualtap.wire import ipv4, ipv6, ndp
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

POOL = (ip("10.0.0.50"), ip("10.0.0.60"))
PREFIX, LINK_LOCAL, FAR = ip("fd00:1::"), ip("fe80::1"), ip("192.0.2.9")
ALONE = {"gateway_ip": None, "gateway_ip6": None, "our_ip6": (LINK_LOCAL,)}


def serving(**changes):
    return config(**{**ALONE, "serve": Serving(pool=POOL), **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pool": (POOL[1], POOL[0])}, "`pool` must be a first address and a last one"),
        ({"pool": ()}, "`pool` must be a first address and a last one"),
        ({"pool": POOL[:1]}, "`pool` must be a first address and a last one"),
        ({"pool": (*POOL, POOL[1])}, "`pool` must be a first address and a last one"),
        ({"pool": 5}, "`pool` must be a tuple, got 5"),
        ({"dns": None}, "`dns` must be a tuple, got None"),
        ({"routes": ((FAR, 32),)}, "`routes` must hold"),
        ({"prefixes": (ip("ff02::"),)}, "nobody forms an address of `ff02::` in `prefixes`"),
        ({"prefixes": (ip("::"),)}, "nobody forms an address of `::`"),
        ({"prefixes": (ip("fe80::"),)}, "nobody forms an address of `fe80::`"),
        ({"pool": ("10.0.0.1", "10.0.0.2")}, "`pool` must hold IPv4 addresses"),
        ({"dns": (b"123",)}, "`dns` must hold IPv4 addresses"),
        ({"pool": POOL, "server_ip": b"\xff" * 4}, "`server_ip` must hold IPv4 addresses"),
        ({"server_ip": POOL[0]}, "`server_ip` without `pool`"),
        ({"dns": (FAR,) * 9}, "more than 8 DNS servers"),
        ({"routes": ((FAR, 33, FAR),)}, "`routes` must be from 0 to 32"),
        ({"routes": ((FAR, 24, FAR),)}, "bits below its prefix of 24"),
        ({"routes": ((FAR, 32, b"1"),)}, "`routes` must hold addresses of 4 bytes"),
        ({"prefixes": (b"\xfd" * 16,)}, "`prefixes` must be 16 bytes, 8 of them zero"),
        ({"leases_max": 0}, "`leases_max` must be from 1"),
        ({"lease_time": 1}, "`lease_time` must be from"),
        ({"probe_wait": 0}, "`probe_wait` must be from 1"),
        ({"advertisement_interval": SECOND}, "`advertisement_interval` must be from"),
        ({"router_lifetime": SECOND}, "`router_lifetime` must be from"),
        ({"prefix_lifetime": SECOND}, "`prefix_preferred` is longer than `prefix_lifetime`"),
    ],
)
def test_what_cannot_be_served_is_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        Serving(**changes)


def test_a_router_that_is_no_default_router_may_be_advertised():
    assert Serving(router_lifetime=0, prefixes=(PREFIX,)).router_lifetime == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"our_ip": None}, "`serve` without `our_ip`"),
        ({"dhcp": True}, "`serve` with a way out"),
        ({"gateway_ip": PEER}, "`serve` with a way out"),
        ({"gateway_ip6": LINK_LOCAL}, "`serve` with a way out"),
        ({"handle_arp_internally": False}, "`serve`, but the caller handles ARP"),
        ({"our_ip6": (), "serve": Serving(prefixes=(PREFIX,))}, "without a link-local address"),
        ({"serve": Serving(pool=POOL, server_ip=ip("10.0.0.1"))}, "is an address of ours already"),
        ({"serve": Serving(pool=(FAR, FAR))}, "`192.0.2.9` of `serve` is not in our network"),
        ({"serve": Serving(pool=POOL, server_ip=FAR)}, "`192.0.2.9` of `serve` is not in our"),
    ],
)
def test_who_cannot_serve_is_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        serving(**changes)


def test_a_router_passes_on_what_peers_send_to_anywhere():
    tap, inside = VirtualTap(serving()), packet(FAR, PEER)
    assert [tap.ethernet_to_ip(frame(inside)) for _ in range(3)] == [inside] * 3
    assert tap.stats.to_ip == 3


def test_link_local_packets_are_not_passed_on():
    tap = VirtualTap(serving())
    tap.ethernet_to_ip(frame(packet(FAR, ip("169.254.1.1"))))
    tap.ethernet_to_ip(frame(packet(ip("169.254.1.1"), PEER)))
    assert dropped(tap, DropReason.NOT_FOR_US) == 2


def test_link_local_packets_of_ipv6_reach_only_the_router():
    tap = VirtualTap(serving())
    for inside in (packet6(FAR6, ip("fe80::9")), packet6(ip("fe80::9"), PEER6)):
        assert tap.ethernet_to_ip(frame(inside)) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 2
    to_us = packet6(LINK_LOCAL, ip("fe80::9"))
    assert tap.ethernet_to_ip(frame(to_us)) == to_us


def test_an_ipv6_fragment_that_passes_is_not_kept():
    tap = VirtualTap(serving())
    piece = Ipv6(PEER6, FAR6, ipv6.FRAGMENT, b"\x11\0\0\1" + bytes(12)).to_bytes()
    assert tap.ethernet_to_ip(frame(piece)) == piece
    assert tap.next_deadline() is None


def test_an_advertisement_of_a_neighbor_that_serves_says_router():
    tap = VirtualTap(serving())
    tap.ethernet_to_ip(solicitation(asks=LINK_LOCAL))
    (sent,) = tap.take_frames()
    assert NeighborMessage.parse(sent[54:]).flags & ndp.ROUTER


def test_a_router_that_lost_its_address_passes_nothing_on():
    tap = VirtualTap(serving(claim="probed"))
    assert tap.ethernet_to_ip(frame(packet(FAR, PEER))) is None


def test_a_fragment_that_passes_is_not_kept():
    tap = VirtualTap(serving())
    piece = packet(FAR, PEER, payload=bytes(8), fragment=ipv4.MORE_FRAGMENTS)
    assert tap.ethernet_to_ip(frame(piece)) == piece
    assert tap.next_deadline() is None


def test_the_dhcp_server_may_have_an_address_and_a_mac_of_its_own():
    server = ip("10.0.0.9")
    tap = VirtualTap(serving(serve=Serving(pool=POOL, server_ip=server)))
    assert list(tap.hosts()) == [server]
    assert tap.hosts()[server] != OUR_MAC
    assert tap.ip_to_ethernet(packet(server, FAR)) is None
    assert (dropped(tap, DropReason.NO_ROUTE), tap.take_frames()) == (1, [])


def test_a_tagged_router_tags_what_it_says():
    tap = VirtualTap(serving(vlan_id=7, serve=Serving(pool=POOL, prefixes=(PREFIX,))))
    tap.poll(0)
    (sent,) = tap.take_frames()
    assert sent[12:18] == b"\x81\0\0\x07\x86\xdd"
