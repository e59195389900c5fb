"""What the server changes inside a packet: DHCP and router advertisements. Hub.c, Session.c.

RFC 2131, 2132, 4861. NativeStack.c says which DHCP client is the server's own way outside.
"""

from hashlib import sha1

from sim.nodes.softether.packet import L3, L4, Packet
from virtualtap.errors import UsageError
from virtualtap.wire import checksum
from virtualtap.wire.address import ANY4, Ip, Mac, ip

NS_MAC_ADDRESS_BYTE_1 = 0xDA  # NativeStack.h
DHCP_MIN_SIZE = 300  # Virtual.h; bytes
_REQUEST, _REPLY = 1, 2  # operations
_DISCOVER, _OFFER, _ASK, _ACK = 1, 2, 3, 5  # RFC 2132 9.6
_HEADER_LEN, _SIADDR = 44, slice(20, 24)  # of the message as far as TcpIp.h knows it
_COOKIE = b"\x63\x82\x53\x63"
_KIND, _END = 53, 255
_OF_A_WAY_OUT = (3, 6, 15, 44)  # router, name servers, domain, NetBIOS name servers
_ADVERTISEMENT = 134
_ICMP6 = 58
_NOTE = "ipv4:"
_TO_SERVER, _TO_CLIENT = b"\0\x44\0\x43", b"\0\x43\0\x44"  # UDP ports 68 and 67


def without_router(packet: Packet) -> bytes:
    """A router advertisement whose router is none: lifetime 0. DeleteIPv6DefaultRouterInRA."""
    frame, at = packet.frame, packet.l4_at
    if packet.l3 is not L3.IPV6 or packet.l4 is not L4.ICMP or packet.flags != _ADVERTISEMENT:
        return frame
    if frame[at + 6 : at + 8] == b"\0\0":
        return frame
    assert packet.source is not None
    assert packet.target is not None
    message = frame[at : at + 2] + b"\0\0" + frame[at + 4 : at + 6] + b"\0\0" + frame[at + 8 :]
    value = checksum.transport(packet.source, packet.target, _ICMP6, message)
    return frame[:at] + message[:2] + value.to_bytes(2) + message[4:]


def is_from_native_nat(message: bytes, machine: str) -> bool:
    """Whether a DHCP message asks for the kernel's NAT on this machine. NsIsMacAddressOnLocalhost.

    Its MAC begins with DA and ends as SHA-1 of its other bytes and the machine's name begins.
    """
    client = message[28:34]
    if message[0] != _REQUEST or client[0] != NS_MAC_ADDRESS_BYTE_1:
        return False
    named = client[:4] + machine.strip().upper().encode()
    return client[4:] == sha1(named, usedforsecurity=False).digest()[:2]


def is_for(message: bytes, macs: frozenset[Mac]) -> bool:
    """Whether a DHCP message answers a client with one of these MACs."""
    return message[0] == _REPLY and message[28:34] in macs


def without_gateway(packet: Packet) -> bytes:
    """An offer or acknowledgement of DHCP that leads nowhere outside. TcpIp.c:DhcpModify.

    Router, name servers and domain go; the lengths in the headers stay, and so does the frame's
    where the message had at most 300 bytes.
    """
    frame, message = packet.frame, packet.dhcp
    start = message.find(_COOKIE, _HEADER_LEN) + len(_COOKIE)
    options = _options(message[start:]) if start >= _HEADER_LEN + len(_COOKIE) else []
    if (_KIND, bytes((_OFFER,))) not in options and (_KIND, bytes((_ACK,))) not in options:
        return frame
    kept = b"".join(
        bytes((code, len(value))) + value for code, value in options if code not in _OF_A_WAY_OUT
    )
    changed = message[:start] + kept + bytes((_END,))
    if message == changed:
        return frame
    at = packet.l4_at
    segment = frame[at : at + 6] + b"\0\0" + changed.ljust(DHCP_MIN_SIZE, b"\0")
    assert packet.source is not None
    assert packet.target is not None
    value = checksum.transport(packet.source, packet.target, 17, segment)
    return frame[:at] + segment[:6] + value.to_bytes(2) + segment[8:]


def with_static_ip(frame: bytes, static: Ip) -> bytes:
    """A client's DISCOVER or REQUEST that asks for `static` in siaddr; 0.0.0.0: for nothing.

    Its checksum is not mended. Session.c:PrepareDHCPRequestForStaticIPv4.
    """
    ports = frame[34:82]
    if _TO_SERVER not in ports and _TO_CLIENT not in ports:
        return frame  # as nearly all are
    packet = Packet(frame)
    message = packet.dhcp
    start = message.find(_COOKIE, _HEADER_LEN) + len(_COOKIE)
    if message[:1] != bytes((_REQUEST,)) or start < _HEADER_LEN + len(_COOKIE):
        return frame
    options = _options(message[start:])
    if (_KIND, bytes((_DISCOVER,))) not in options and (_KIND, bytes((_ASK,))) not in options:
        return frame
    at = packet.l4_at + 8
    return frame[: at + _SIADDR.start] + static + frame[at + _SIADDR.stop :]


def static_ip(note: str) -> Ip:
    """The address in a user's note, behind `IPv4:`; 0.0.0.0 where none can be read there."""
    _, found, rest = note.lower().partition(_NOTE)
    words = rest.split()
    try:
        value = ip(words[0]) if found and words else ANY4
    except UsageError:
        return ANY4
    return value if len(value) == len(ANY4) else ANY4


def _options(data: bytes) -> list[tuple[int, bytes]]:
    """Codes and values as far as they go; the product takes padding for an option too."""
    found, at = [], 0
    while at + 1 < len(data) and data[at] != _END:
        end = at + 2 + data[at + 1]
        found.append((data[at], data[at + 2 : end]))
        at = end
    return found
