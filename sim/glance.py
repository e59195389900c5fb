"""One line on a frame or packet: who says what to whom. RFC 826, 791, 792, 2131, 4443, 4861."""

from virtualtap.errors import WireError
from virtualtap.wire import ethernet
from virtualtap.wire.address import ip_text, mac_text
from virtualtap.wire.dhcp import CLIENT_PORT, SERVER_PORT, Dhcp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6, VLAN

_ARP_WORDS = {1: "who has", 2: "reply to"}
_PROTOCOLS = {1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
_ICMP = {0: "echo reply", 3: "unreachable", 8: "echo request", 11: "time exceeded"}
_ICMP6 = {
    1: "unreachable",
    2: "too big",
    3: "time exceeded",
    128: "echo request",
    129: "echo reply",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbor solicitation",
    136: "neighbor advertisement",
    137: "redirect",
}
_DHCP = dict(
    enumerate(("discover", "offer", "request", "decline", "ack", "nak", "release", "inform"), 1)
)
_DHCP_PORTS = ((CLIENT_PORT, SERVER_PORT), (SERVER_PORT, CLIENT_PORT))


def frame(data: bytes) -> str:
    """An Ethernet frame, of which the first bytes suffice."""
    if len(data) < HEADER_LEN:
        return f"{len(data)} bytes, too short for Ethernet"
    kind, inside, tag = ethernet.ethertype(data), data[HEADER_LEN:], ""
    if kind == VLAN and len(inside) >= 4:
        tag = f"VLAN {(inside[0] & 0x0F) << 8 | inside[1]}, "
        kind, inside = inside[2:4], inside[4:]
    if kind == ARP and len(inside) >= 28:
        word = _ARP_WORDS.get(inside[7], "?")
        says, about = ip_text(inside[14:18]), ip_text(inside[24:28])
        return f"{tag}ARP {word} {about}, says {says} at {mac_text(inside[8:14])}"
    if kind in (IPV4, IPV6):
        return tag + packet(inside)
    return f"{tag}type 0x{kind.hex()}, {mac_text(data[6:12])} to {mac_text(data[:6])}"


def packet(data: bytes) -> str:
    """An IP packet, of which the first bytes suffice."""
    if data[:1] >= b"\x60" and len(data) >= 40:
        source, target, protocol, inside = data[8:24], data[24:40], data[6], data[40:]
    elif data[:1] and data[0] >> 4 == 4 and len(data) >= 20:
        source, target, protocol = data[12:16], data[16:20], data[9]
        inside = data[(data[0] & 15) * 4 :]
        if data[6] & 0x1F or data[7]:
            protocol = -1
    else:
        return "no IP packet"
    what = "a later fragment" if protocol < 0 else _PROTOCOLS.get(protocol, f"protocol {protocol}")
    ends = f"{ip_text(source)} to {ip_text(target)}"
    return f"{what}{_more(protocol, inside)}, {ends}"


def _more(protocol: int, inside: bytes) -> str:
    if protocol in (6, 17) and len(inside) >= 4:
        ports = int.from_bytes(inside[:2]), int.from_bytes(inside[2:4])
        said = _dhcp(inside[8:]) if protocol == 17 and ports in _DHCP_PORTS else ""
        return f" port {ports[0]} to {ports[1]}{said}"
    if protocol in (1, 58) and inside:
        names = _ICMP if protocol == 1 else _ICMP6
        return f" {names.get(inside[0], f'type {inside[0]}')}"
    return ""


def _dhcp(message: bytes) -> str:
    """What kind of message; nothing where that is not told, or not to be read."""
    try:
        return f", DHCP {_DHCP[Dhcp.parse(message).kind]}"
    except (WireError, KeyError):
        return ""
