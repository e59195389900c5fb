"""scapy and dpkt on the same bytes: field by field they must say the same."""

import warnings
from collections.abc import Callable, Iterator

import dpkt

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the ciphers that scapy imports
    from scapy.layers.dhcp import BOOTP
    from scapy.layers.inet import ICMP, IP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import ARP, Dot1Q, Ether
from virtualtap import ip_text, mac_text
from virtualtap.wire import dhcp
from virtualtap.wire.dhcp import CLIENT_PORT, SERVER_PORT

Rows = Iterator[tuple[str, tuple, tuple]]  # what it is, as scapy reads it, as dpkt reads it


def alike(data: bytes, side: str) -> list[str]:
    """The protocols in a frame (`lan`) or packet (`host`), each read alike; AssertionError else."""
    rows = list(_ethernet(data) if side == "lan" else _ip(data))
    for kind, scapys, dpkts in rows:
        assert scapys == dpkts, f"{kind}: {scapys} by scapy, {dpkts} by dpkt, in {data.hex()}"
    return [kind for kind, _, _ in rows]


def _ethernet(data: bytes) -> Rows:
    one, other = Ether(data), dpkt.ethernet.Ethernet(data[:18])  # the rest is read below
    kind, start = (one.type, other.type), 14
    if Dot1Q in one:
        kind, start = (one[Dot1Q].type, other.vlan_tags[0].type), 18
    yield "Ethernet", (one.src, one.dst), (mac_text(other.src), mac_text(other.dst))
    yield "Ethernet", kind[:1], kind[1:]
    yield from _arp(data[start:]) if kind[0] == 0x0806 else _ip(data[start:])


def _arp(data: bytes) -> Rows:
    one, other = ARP(data), dpkt.arp.ARP(data)
    yield (
        "ARP",
        (one.hwtype, one.ptype, one.hwlen, one.plen, one.op),
        (other.hrd, other.pro, other.hln, other.pln, other.op),
    )
    yield (
        "ARP",
        (one.hwsrc, one.psrc, one.hwdst, one.pdst),
        (mac_text(other.sha), ip_text(other.spa), mac_text(other.tha), ip_text(other.tpa)),
    )


def _ip(data: bytes) -> Rows:
    yield from (_ipv6 if data[0] >> 4 == 6 else _ipv4)(data)


def _ipv4(data: bytes) -> Rows:
    one, other = IP(data), dpkt.ip.IP(data)
    start = one.ihl * 4
    yield (
        "IPv4",
        (one.version, start, one.tos, one.len, one.id, int(one.flags) << 13 | one.frag),
        (other.v, other.hl * 4, other.tos, other.len, other.id, int.from_bytes(data[6:8])),
    )
    yield (
        "IPv4",
        (one.ttl, one.proto, one.chksum, one.src, one.dst),
        (other.ttl, other.p, other.sum, ip_text(other.src), ip_text(other.dst)),
    )
    if int(one.flags) & 1 or one.frag:
        return
    read = _UPPER4.get(one.proto)
    if read is not None:
        yield from read(one, data[start : one.len])


def _ipv6(data: bytes) -> Rows:
    is_error = data[6] == 58 and data[40] < 128  # dpkt raises on some packets that errors quote
    one, other = IPv6(data), dpkt.ip6.IP6(data[:48] if is_error else data)
    yield (
        "IPv6",
        (one.version, one.tc, one.fl, one.plen, one.nh, one.hlim),
        (other.v, other.fc, other.flow, other.plen, other.nxt, other.hlim),
    )
    yield "IPv6", (one.src, one.dst), (ip_text(other.src), ip_text(other.dst))
    if one.nh == 58:
        icmp = dpkt.icmp6.ICMP6(data[40:44])
        theirs = one.payload
        yield "ICMPv6", (theirs.type, theirs.code, theirs.cksum), (icmp.type, icmp.code, icmp.sum)


def _udp(packet: IP, data: bytes) -> Rows:
    one, other = packet[UDP], dpkt.udp.UDP(data)
    yield (
        "UDP",
        (one.sport, one.dport, one.len, one.chksum),
        (other.sport, other.dport, other.ulen, other.sum),
    )
    if {one.sport, one.dport} == {CLIENT_PORT, SERVER_PORT}:
        yield from _dhcp(one[BOOTP], dpkt.dhcp.DHCP(data[8 : one.len]))


def _dhcp(one: BOOTP, other: "dpkt.dhcp.DHCP") -> Rows:
    yield (
        "DHCP",
        (one.op, one.htype, one.hlen, one.hops, one.xid, one.secs, int(one.flags)),
        (other.op, other.hrd, other.hln, other.hops, other.xid, other.secs, other.flags),
    )
    addresses = (other.ciaddr, other.yiaddr, other.siaddr, other.giaddr)
    texts = tuple(ip_text(each.to_bytes(4)) for each in addresses)
    yield "DHCP", (one.ciaddr, one.yiaddr, one.siaddr, one.giaddr), texts
    yield "DHCP", (one.chaddr[:6],), (other.chaddr[:6],)
    named = [each for each in one.payload.options if isinstance(each, tuple)]
    kind = {name: value for name, value, *_ in named}.get("message-type")
    kinds = dict(other.opts).get(dhcp.KIND, b"\0")
    yield "DHCP", (len(named), kind), (len(other.opts), kinds[0])


def _icmp(packet: IP, data: bytes) -> Rows:
    one, other = packet[ICMP], dpkt.icmp.ICMP(data)
    yield "ICMP", (one.type, one.code, one.chksum), (other.type, other.code, other.sum)


def _igmp(_: IP, data: bytes) -> Rows:
    other = dpkt.igmp.IGMP(data)
    yield (
        "IGMP",
        (data[0], data[1], int.from_bytes(data[2:4])),
        (other.type, other.maxresp, other.sum),
    )


_UPPER4: dict[int, Callable[[IP, bytes], Rows]] = {1: _icmp, 2: _igmp, 17: _udp}
