"""What a hub answers in the name of a web server: go elsewhere. Hub.c:ForceRedirectToUrl.

The product adds a page to read, and puts the visitor's name and a hash into a URL that asks for
them; here the URL stays as it is written.
"""

from sim.nodes.softether.packet import L3, Packet
from virtualtap.wire import checksum
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6

_ACK_PSH = 0x18
_TCP = 6


def answer(packet: Packet, url: str) -> bytes:
    """The frame to whoever sent this TCP segment with data: HTTP 302, from whom he had asked."""
    frame, at = packet.frame, packet.l4_at
    assert packet.source is not None
    assert packet.target is not None
    header = (frame[at + 12] >> 4) * 4
    reached = int.from_bytes(frame[at + 4 : at + 8]) + len(frame) - at - header
    segment = (
        frame[at + 2 : at + 4]
        + frame[at : at + 2]
        + frame[at + 8 : at + 12]
        + (reached & 0xFFFFFFFF).to_bytes(4)
        + bytes((0x50, _ACK_PSH))
        + b"\xff\xff\0\0\0\0"
        + _page(url.strip())
    )
    value = checksum.transport(packet.target, packet.source, _TCP, segment)
    segment = segment[:16] + value.to_bytes(2) + segment[18:]
    if packet.l3 is L3.IPV4:
        whole = Ipv4(packet.target, packet.source, _TCP, segment, ttl=128, fragment=0x4000)
        payload = whole.to_bytes()
    else:
        payload = Ipv6(packet.target, packet.source, _TCP, segment).to_bytes()
    return frame[6:12] + frame[:6] + frame[12 : packet.at] + payload


def _page(url: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()
