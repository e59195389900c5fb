"""Valid frames of every kind, from one endpoint to another, for hostile ones to be made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.nodes.interface import Addresses
from sim.rng import Stream
from virtualtap.wire import arp, dhcp, dns, icmp, igmp, ipv4, ipv6, mld, ndp, udp
from virtualtap.wire.address import (
    ALL_HOSTS4,
    ALL_NODES6,
    ANY4,
    BROADCAST,
    LIMITED_BROADCAST,
    NO_MAC,
    Ip,
    Mac,
    multicast_mac4,
    multicast_mac6,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.dns import Dns, Question, Record
from virtualtap.wire.ethernet import ARP, IPV4, IPV6
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.igmp import IgmpQuery
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.mld import MldQuery
from virtualtap.wire.ndp import NeighborMessage, Prefix, Redirect, RouterAdvertisement
from virtualtap.wire.udp import Udp


@dataclass(frozen=True, slots=True)
class Ends:
    """Who sends, to whom, and a third one whose name may be used."""

    sender: Addresses
    receiver: Addresses
    third: Addresses


def _arp(operation: int) -> Callable[[Ends, Stream], bytes]:
    def make(ends: Ends, luck: Stream) -> bytes:
        spoken_for = luck.choice((ends.sender, ends.third)).ip
        asked = luck.choice((ends.receiver, ends.receiver, ends.third)).ip
        message = Arp(operation, ends.sender.mac, spoken_for, ends.receiver.mac, asked)
        if luck.chance(0.3):
            message = Arp(operation, ends.sender.mac, luck.choice((ANY4, asked)), NO_MAC, asked)
        to = luck.choice((BROADCAST, ends.receiver.mac))
        return to + ends.sender.mac + ARP + message.to_bytes()

    return make


def _udp4(ends: Ends, luck: Stream) -> bytes:
    datagram = Udp(1024 + luck.below(60_000), luck.choice((7, 9, 53, 4500)), _filled(luck))
    return _ipv4(ends, udp.PROTOCOL, datagram.between(ends.sender.ip, ends.receiver.ip), luck)


def _echo4(ends: Ends, luck: Stream) -> bytes:
    kind = luck.choice((icmp.ECHO_REQUEST, icmp.ECHO_REPLY))
    return _ipv4(ends, ipv4.ICMP, Icmp(kind, 0, luck.below(2**32), _filled(luck)).summed(), luck)


def _error4(ends: Ends, luck: Stream) -> bytes:
    """About a packet that the receiver may have sent."""
    inside = Ipv4(ends.receiver.ip, ends.third.ip, udp.PROTOCOL, bytes(8)).to_bytes()
    kind, code = luck.choice(((3, 4), (3, 1), (11, 0), (5, 1), (12, 0)))
    rest = luck.choice((0, 68, 576, 1280, 65_535))
    return _ipv4(ends, ipv4.ICMP, Icmp(kind, code, rest, inside).summed(), luck)


def _piece4(ends: Ends, luck: Stream) -> bytes:
    """One fragment: the first, the last, or one between."""
    word = luck.choice((ipv4.MORE_FRAGMENTS, 0)) | luck.choice((0, 1, 2, 185, 8191))
    body = bytes(8 * (1 + luck.below(180)))
    packet = Ipv4(
        ends.sender.ip, ends.receiver.ip, udp.PROTOCOL, body, fragment=word, identification=7
    )
    return ends.receiver.mac + ends.sender.mac + IPV4 + packet.to_bytes()


def _tcp4(ends: Ends, luck: Stream) -> bytes:
    head = bytes.fromhex("04d20050000000010000000060020fff00000000020405b401010101")
    return _ipv4(ends, ipv4.TCP, head + bytes(luck.below(40)), luck)


def _dhcp4(ends: Ends, luck: Stream) -> bytes:
    """A server's word, or a client's."""
    kind = 1 + luck.below(8)
    is_server = kind in (dhcp.OFFER, dhcp.ACK, dhcp.NAK)
    options = (
        (dhcp.KIND, bytes((kind,))),
        (dhcp.SERVER_ID, ends.sender.ip),
        (dhcp.LEASE_TIME, luck.choice((0, 1, 3600, 0xFFFFFFFF)).to_bytes(4)),
        (dhcp.MASK, luck.choice((b"\xff\xff\0\0", b"\0\xff\0\xff"))),
        (dhcp.ROUTER, ends.third.ip),
    )
    client = ends.receiver.mac if is_server else ends.sender.mac
    direction = dhcp.TO_CLIENT if is_server else dhcp.TO_SERVER
    message = Dhcp(direction, luck.below(2**32), client, options, your_ip=ends.receiver.ip)
    ports = (dhcp.SERVER_PORT, dhcp.CLIENT_PORT)
    datagram = Udp(*(ports if is_server else ports[::-1]), message.to_bytes())
    inside = datagram.between(ends.sender.ip, LIMITED_BROADCAST)
    packet = Ipv4(ends.sender.ip, LIMITED_BROADCAST, udp.PROTOCOL, inside)
    return BROADCAST + ends.sender.mac + IPV4 + packet.to_bytes()


def _dns4(ends: Ends, luck: Stream) -> bytes:
    name = dns.name("example.org")
    answer = Record(name, dns.A, dns.INTERNET, luck.below(2**32), ends.third.ip)
    message = Dns(luck.below(65_536), 0x8180, (Question(name, dns.A),), (answer,))
    datagram = Udp(dns.PORT, 1024 + luck.below(60_000), message.to_bytes())
    return _ipv4(ends, udp.PROTOCOL, datagram.between(ends.sender.ip, ends.receiver.ip), luck)


def _igmp4(ends: Ends, luck: Stream) -> bytes:
    sources = tuple(ends.third.ip for _ in range(luck.below(4)))
    body = igmp.summed(IgmpQuery(luck.choice((ANY4, b"\xef\1\2\3")), sources, luck.below(256)))
    alert = b"\x94\x04\x00\x00"
    packet = Ipv4(ends.sender.ip, ALL_HOSTS4, ipv4.IGMP, body, ttl=1, options=alert)
    return multicast_mac4(ALL_HOSTS4) + ends.sender.mac + IPV4 + packet.to_bytes()


def _echo6(ends: Ends, luck: Stream) -> bytes:
    kind = luck.choice((icmp.ECHO_REQUEST6, icmp.ECHO_REPLY6))
    body = Icmp(kind, 0, luck.below(2**32), _filled(luck))
    return _icmp6(ends, body.between(_ip6(ends.sender), _ip6(ends.receiver)))


def _error6(ends: Ends, luck: Stream) -> bytes:
    inside = Ipv6(_ip6(ends.receiver), _ip6(ends.third), ipv6.UDP, bytes(8)).to_bytes()
    body = Icmp(luck.choice((1, 2, 3, 4)), 0, luck.choice((0, 1280, 65_535)), inside)
    return _icmp6(ends, body.between(_ip6(ends.sender), _ip6(ends.receiver)))


def _piece6(ends: Ends, luck: Stream) -> bytes:
    at = luck.choice((0, 8, 16, 1448, 65_528))
    head = bytes((ipv6.UDP, 0)) + (at | luck.below(2)).to_bytes(2) + bytes(3) + b"\7"
    packet = Ipv6(
        _ip6(ends.sender), _ip6(ends.receiver), ipv6.FRAGMENT, head + bytes(8 * luck.below(180))
    )
    return ends.receiver.mac + ends.sender.mac + IPV6 + packet.to_bytes()


def _neighbor6(ends: Ends, luck: Stream) -> bytes:
    """A solicitation or an advertisement, of the sender's address or somebody's."""
    kind = luck.choice((ndp.SOLICITATION, ndp.ADVERTISEMENT))
    about = luck.choice((ends.receiver, ends.sender, ends.third))
    flags = (luck.below(8) << 29) if kind == ndp.ADVERTISEMENT else 0
    code = ndp.SOURCE_MAC if kind == ndp.SOLICITATION else ndp.TARGET_MAC
    options = ((code, ends.sender.mac),) if luck.chance(0.8) else ()
    return _nd(ends, NeighborMessage(kind, flags, _ip6(about), options), luck)


def _router6(ends: Ends, luck: Stream) -> bytes:
    lifetimes = (0, 1, 7200, 0xFFFFFFFF)
    prefix = b"\x20\x01\x0d\xb8" + bytes((0, luck.below(3))) + bytes(10)
    one = Prefix(prefix, luck.choice((0, 64, 128)), 0xC0, luck.choice(lifetimes), 1)
    options = ((ndp.PREFIX, one.to_bytes()), (ndp.SOURCE_MAC, ends.sender.mac))
    return _nd(ends, RouterAdvertisement(luck.choice((0, 1, 1800)), options), luck)


def _redirect6(ends: Ends, luck: Stream) -> bytes:
    option = (ndp.TARGET_MAC, ends.sender.mac)
    return _nd(ends, Redirect(_ip6(ends.sender), _ip6(ends.third), (option,)), luck)


def _mld6(ends: Ends, luck: Stream) -> bytes:
    source = _link_local(ends.sender.mac)
    query = MldQuery(bytes(16), tuple(_ip6(ends.third) for _ in range(luck.below(3))))
    inside = mld.ALERT + mld.summed(query, source, ALL_NODES6)
    packet = Ipv6(source, ALL_NODES6, ipv6.HOP_BY_HOP, inside, hop_limit=1)
    return multicast_mac6(ALL_NODES6) + ends.sender.mac + IPV6 + packet.to_bytes()


def _alien(ends: Ends, luck: Stream) -> bytes:
    """A protocol that is none of ours: spanning tree, discovery, loop-back, priority tags."""
    kinds = ("88cc", "9000", "8863", "0026424203", "81000007", "8100ffff0800", "88a8000181000002")
    to = luck.choice((BROADCAST, ends.receiver.mac, bytes.fromhex("0180c2000000")))
    return to + ends.sender.mac + bytes.fromhex(luck.choice(kinds)) + bytes(46)


LETTERS: Mapping[str, Callable[[Ends, Stream], bytes]] = {
    "arp-request": _arp(arp.REQUEST),
    "arp-reply": _arp(arp.REPLY),
    "udp": _udp4,
    "echo": _echo4,
    "error": _error4,
    "piece": _piece4,
    "tcp": _tcp4,
    "dhcp": _dhcp4,
    "dns": _dns4,
    "igmp": _igmp4,
    "echo6": _echo6,
    "error6": _error6,
    "piece6": _piece6,
    "neighbor6": _neighbor6,
    "router6": _router6,
    "redirect6": _redirect6,
    "mld6": _mld6,
    "alien": _alien,
}


def _ipv4(ends: Ends, protocol: int, payload: bytes, luck: Stream) -> bytes:
    number = luck.below(65_536)
    packet = Ipv4(ends.sender.ip, ends.receiver.ip, protocol, payload, identification=number)
    return ends.receiver.mac + ends.sender.mac + IPV4 + packet.to_bytes()


def _icmp6(ends: Ends, message: bytes, hop_limit: int = 64) -> bytes:
    packet = Ipv6(_ip6(ends.sender), _ip6(ends.receiver), ipv6.ICMPV6, message, hop_limit)
    return ends.receiver.mac + ends.sender.mac + IPV6 + packet.to_bytes()


def _nd(ends: Ends, message: ndp.Message, luck: Stream) -> bytes:
    source = luck.choice((_ip6(ends.sender), _link_local(ends.sender.mac)))
    to, link = luck.choice(
        (
            (_ip6(ends.receiver), ends.receiver.mac),
            (ALL_NODES6, multicast_mac6(ALL_NODES6)),
        )
    )
    return link + ends.sender.mac + IPV6 + ndp.packet(message, source, to)


def _ip6(one: Addresses) -> Ip:
    return one.ip6[0] if one.ip6 else _link_local(one.mac)


def _link_local(mac: Mac) -> Ip:
    """RFC 4291, appendix A."""
    return b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def _filled(luck: Stream) -> bytes:
    """No zeros: the first payload of a world's first flow is nothing else."""
    return b"\x5a" * luck.choice((0, 1, 16, 100, 1472))
