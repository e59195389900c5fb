"""Hostile input in bulk: floods of every kind that fills a table, from both sides, by one seed."""

from collections.abc import Callable
from random import Random

from tests.builders import (
    GATEWAY,
    GATEWAY6,
    GATEWAY_MAC,
    OUR_IP,
    OUR_IP6,
    OUR_MAC,
    PEER,
    PEER6,
    advertisement,
    arp_reply,
    arp_request,
    frame,
    icmp6_frame,
    packet,
    packet6,
    solicitation,
)
from virtualtap.units import MS, SECOND
from virtualtap.wire import dhcp, igmp, ipv4, ipv6, mld, ndp, udp
from virtualtap.wire.address import ALL_HOSTS4, ALL_NODES6, multicast_mac4, multicast_mac6
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP
from virtualtap.wire.igmp import IgmpQuery
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.mld import MldQuery
from virtualtap.wire.ndp import Prefix, Redirect, RouterAdvertisement
from virtualtap.wire.udp import Udp

Happening = tuple[bool, bytes, int]  # is it a packet of the host?, bytes, nanoseconds since
JOINED4, JOINED6 = b"\xe0\x00\x00\xfb", b"\xff\x02" + bytes(13) + b"\xfb"
GAPS = (0, 0, 0, 1, 1000, MS, 20 * MS, SECOND)


def _mac(luck: Random) -> bytes:
    return b"\x02" + luck.randbytes(5)


def _ip(luck: Random) -> bytes:
    return b"\x0a" + luck.randbytes(3)


def _ip6(luck: Random) -> bytes:
    return b"\xfd" + bytes(7) + luck.randbytes(8)


def _router(luck: Random) -> bytes:
    return b"\xfe\x80" + bytes(6) + luck.randbytes(8)


def _strangers_ask(luck: Random) -> bytes:
    return arp_request(_mac(luck), _ip(luck), OUR_IP)


def _strangers_answer(luck: Random) -> bytes:
    return arp_reply(_mac(luck), _ip(luck))


def _endless_arp(luck: Random) -> bytes:
    return frame(
        arp_request(_mac(luck), _ip(luck))[14:] + bytes(luck.randrange(60_000)),
        OUR_MAC,
        _mac(luck),
        ARP,
    )


def _strangers_solicit(luck: Random) -> bytes:
    return solicitation(_mac(luck), _ip6(luck))


def _strangers_advertise(luck: Random) -> bytes:
    return advertisement(_mac(luck), _ip6(luck))


def _routers(luck: Random) -> bytes:
    """Many of them, with many prefixes that live for a second, and clocks of their own."""
    prefixes = [
        Prefix(b"\x20" + luck.randbytes(7) + bytes(8), 64, 0xC0, luck.choice((1, 7200)), 1)
        for _ in range(luck.randrange(1, 30))
    ]
    options = tuple((ndp.PREFIX, each.to_bytes()) for each in prefixes)
    options += ((ndp.SOURCE_MAC, _mac(luck)), (ndp.MTU, luck.randbytes(6)))
    timers = {"reachable_time": luck.getrandbits(32), "retrans_timer": luck.getrandbits(32)}
    message = RouterAdvertisement(luck.choice((0, 9000)), options, **timers)
    link = (_mac(luck), multicast_mac6(ALL_NODES6))
    return icmp6_frame(message, _router(luck), ALL_NODES6, link)


def _redirects(luck: Random) -> bytes:
    message = Redirect(_router(luck), _ip6(luck), ((ndp.TARGET_MAC, _mac(luck)),))
    return icmp6_frame(message, GATEWAY6, OUR_IP6, (GATEWAY_MAC, OUR_MAC))


def _pieces4(luck: Random) -> bytes:
    """Never the last one; now and then over another one."""
    at = luck.randrange(0, 8000)
    body = bytes(luck.choice((8, 8, 1480, 65_000 - 8 * at if at < 1000 else 8)) // 8 * 8)
    fields = {"fragment": ipv4.MORE_FRAGMENTS | at, "identification": luck.getrandbits(16)}
    return frame(Ipv4(_ip(luck), OUR_IP, luck.choice((17, 6)), body, **fields).to_bytes())


def _pieces6(luck: Random) -> bytes:
    """First ones behind long headers, too."""
    options = bytes((ipv6.FRAGMENT, luck.choice((0, 0, 200)))) + bytes(6)
    options += bytes(8 * options[1])
    at = luck.choice((0, luck.randrange(8000)))
    head = bytes((17, 0)) + (at << 3 | 1).to_bytes(2) + luck.randbytes(4)
    inside = Ipv6(_ip6(luck), OUR_IP6, 60, options + head + bytes(8 * luck.randrange(1, 180)))
    return frame(inside.to_bytes())


def _leases(luck: Random) -> bytes:
    """Offers and acknowledgements with more routes than fit into anything."""
    routes = b"".join(b"\x20" + luck.randbytes(8) for _ in range(luck.choice((1, 4000))))
    options = (
        (dhcp.KIND, bytes((luck.choice((dhcp.OFFER, dhcp.ACK, dhcp.NAK)),))),
        (dhcp.SERVER_ID, GATEWAY),
        (dhcp.LEASE_TIME, luck.choice((60, 0xFFFFFFFF)).to_bytes(4)),
        (dhcp.ROUTES, routes),
        (dhcp.DNS, luck.randbytes(4 * luck.choice((1, 3000)))),
    )
    message = Dhcp(dhcp.TO_CLIENT, luck.getrandbits(32), OUR_MAC, options, your_ip=_ip(luck))
    datagram = Udp(dhcp.SERVER_PORT, dhcp.CLIENT_PORT, message.to_bytes())
    to = b"\xff" * 4
    inside = Ipv4(GATEWAY, to, udp.PROTOCOL, datagram.between(GATEWAY, to))
    return frame(inside.to_bytes(), b"\xff" * 6, GATEWAY_MAC)


def _queries4(luck: Random) -> bytes:
    group = luck.choice((JOINED4, luck.randbytes(4)))
    sources = tuple(luck.randbytes(4) for _ in range(luck.randrange(300)))
    body = igmp.summed(IgmpQuery(group, sources, luck.getrandbits(8)))
    inside = Ipv4(PEER, ALL_HOSTS4, ipv4.IGMP, body, ttl=1, options=b"\x94\x04\x00\x00")
    return frame(inside.to_bytes(), multicast_mac4(ALL_HOSTS4))


def _queries6(luck: Random) -> bytes:
    group = luck.choice((JOINED6, b"\xff\x02" + luck.randbytes(14)))
    sources = tuple(luck.randbytes(16) for _ in range(luck.randrange(80)))
    source = _router(luck)
    message = MldQuery(group, sources, luck.getrandbits(16))
    alert = bytes((ipv6.ICMPV6, 0, 5, 2, 0, 0, 1, 0))
    body = alert + mld.summed(message, source, ALL_NODES6)
    inside = Ipv6(source, ALL_NODES6, ipv6.HOP_BY_HOP, body, hop_limit=1)
    return frame(inside.to_bytes(), multicast_mac6(ALL_NODES6))


def _ordinary(luck: Random) -> bytes:
    return frame(packet(OUR_IP, _ip(luck), bytes(luck.randrange(1400))), source=_mac(luck))


def _noise(luck: Random) -> bytes:
    return OUR_MAC + _mac(luck) + luck.choice((b"\x08\x00", b"\x86\xdd", ARP)) + luck.randbytes(60)


FLOODS: tuple[Callable[[Random], bytes], ...] = (
    *(_strangers_ask, _strangers_answer, _endless_arp, _strangers_solicit, _strangers_advertise),
    *(_routers, _redirects, _pieces4, _pieces6, _leases, _queries4, _queries6, _ordinary, _noise),
)


def _said(luck: Random) -> bytes:
    """What a host says to everybody in turn, too long at times."""
    body = bytes(luck.choice((0, 20, 1400, 1480, 3000)))
    options = {"fragment": luck.choice((0, ipv4.DONT_FRAGMENT))}
    return luck.choice(
        (
            packet(_ip(luck), payload=body, **options),
            packet(PEER, _ip(luck), body),
            packet6(_ip6(luck), payload=body),
            packet6(PEER6, payload=body),
        )
    )


def hostile(seed: int, count: int) -> list[Happening]:
    """So many happenings: mostly frames, of all kinds alike, some packets, and little time."""
    luck = Random(seed)
    happenings = []
    for _ in range(count):
        from_host = luck.random() < 0.15
        data = _said(luck) if from_host else luck.choice(FLOODS)(luck)
        happenings.append((from_host, data, luck.choice(GAPS)))
    return happenings
