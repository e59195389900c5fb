"""A frame or packet as named fields, so that expected and seen can be laid side by side."""

from virtualtap.errors import WireError
from virtualtap.wire import ethernet, ipv4, ipv6, ndp
from virtualtap.wire.address import ip_text, mac_text
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6, VLAN
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

Fields = list[tuple[str, str]]


def frame(data: bytes) -> Fields:
    """An Ethernet frame: its header, and what it carries."""
    if len(data) < HEADER_LEN:
        return [("bytes", data.hex())]
    kind = ethernet.ethertype(data)
    fields = [
        ("length", str(len(data))),
        ("Ethernet destination", mac_text(data[:6])),
        ("Ethernet source", mac_text(data[6:12])),
        ("Ethernet type", f"0x{kind.hex()}"),
    ]
    inside = data[HEADER_LEN:]
    if kind == VLAN and len(inside) >= 4:
        fields += [("VLAN tag", f"0x{inside[:2].hex()}"), ("tagged type", f"0x{inside[2:4].hex()}")]
        kind, inside = inside[2:4], inside[4:]
    if kind == ARP:
        return fields + _arp(inside)
    return fields + (packet(inside) if kind in (IPV4, IPV6) else [("payload", inside.hex())])


def packet(data: bytes) -> Fields:
    """An IP packet: its header, and its payload in hexadecimal."""
    try:
        return _ipv6(data) if data[:1] >= b"\x60" else _ipv4(data)
    except WireError as wrong:
        return [("wrong", str(wrong)), ("bytes", data.hex())]


def beside(expected: Fields, seen: Fields) -> list[tuple[str, str, str, bool]]:
    """(field, expected, seen, alike) for every field of either, in order."""
    wanted, found = dict(expected), dict(seen)
    names = dict.fromkeys([*wanted, *found])
    return [
        (name, wanted.get(name, ""), found.get(name, ""), wanted.get(name) == found.get(name))
        for name in names
    ]


def _arp(data: bytes) -> Fields:
    try:
        message = Arp.parse(data)
    except WireError as wrong:
        return [("wrong", str(wrong)), ("bytes", data.hex())]
    return [
        ("ARP operation", str(message.operation)),
        ("ARP sender MAC", mac_text(message.sender_mac)),
        ("ARP sender address", ip_text(message.sender_ip)),
        ("ARP target MAC", mac_text(message.target_mac)),
        ("ARP target address", ip_text(message.target_ip)),
        ("behind it", data[28:].hex()),
    ]


def _ipv4(data: bytes) -> Fields:
    inside = Ipv4.parse(data)
    return [
        ("IPv4 length", str(ipv4.total_len(data))),
        ("IPv4 source", ip_text(inside.source)),
        ("IPv4 destination", ip_text(inside.destination)),
        ("IPv4 protocol", str(inside.protocol)),
        ("IPv4 TTL", str(inside.ttl)),
        ("IPv4 identification", str(inside.identification)),
        ("IPv4 flags and offset", f"{inside.fragment:#06x}"),
        ("IPv4 options", inside.options.hex()),
        ("payload", inside.payload.hex()),
        ("behind it", data[ipv4.total_len(data) :].hex()),
    ]


def _ipv6(data: bytes) -> Fields:
    inside = Ipv6.parse(data)
    return [
        ("IPv6 length", str(ipv6.total_len(data))),
        ("IPv6 source", ip_text(inside.source)),
        ("IPv6 destination", ip_text(inside.destination)),
        ("IPv6 next header", str(inside.next_header)),
        ("IPv6 hop limit", str(inside.hop_limit)),
        *(_neighbor(inside) or [("payload", inside.payload.hex())]),
        ("behind it", data[ipv6.total_len(data) :].hex()),
    ]


def _neighbor(packet: Ipv6) -> Fields:
    """A neighbour solicitation or advertisement; nothing where it is none."""
    if packet.next_header != ndp.PROTOCOL:
        return []
    try:
        message = NeighborMessage.parse(packet.payload)
    except WireError:
        return []
    return [
        ("ICMPv6 type", str(message.type)),
        ("ICMPv6 code", str(message.code)),
        ("ICMPv6 checksum", f"{message.checksum:#06x}"),
        ("NDP flags", f"{message.flags:#010x}"),
        ("NDP target", ip_text(message.target)),
        *((f"NDP option {code}", value.hex()) for code, value in message.options),
    ]
