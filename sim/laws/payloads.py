"""What tells one payload from all others, and laws that are told of payloads: UDP and echoes."""

from zlib import crc32

from sim.laws.law import Invariant
from sim.probes import Place
from virtualtap.units import Instant

_CONTROL = (b"\x00\x35", b"\x00\x43", b"\x00\x44")  # ports of DNS and DHCP


class PayloadLaw(Invariant):
    """Is told what endpoints say and take: IP packets, each with what `payload_key` gives."""

    def said(self, at: Instant, place: Place | None, packet: bytes, key: bytes) -> None:
        """An endpoint gave this to its link; None: somebody outside did."""

    def took(self, at: Instant, place: Place, packet: bytes, key: bytes) -> None:
        """An endpoint was given this, and did not refuse it."""


def payload_key(packet: bytes) -> bytes | None:
    """What tells the payload of UDP or an echo from all others, through NAT too; None: no such.

    Its first byte tells requests from replies; it is empty for a fragment, and behind extension
    headers. DNS and DHCP are not judged: servers on the way answer those.
    """
    if packet[0] >> 4 == 6:
        protocol, inside = packet[6:7], packet[40 : 40 + int.from_bytes(packet[4:6])]
        if protocol in _EXTENSIONS:
            return b""
    else:
        protocol, inside = packet[9:10], packet[(packet[0] & 15) * 4 :]
        if packet[6] & 0x3F or packet[7]:
            return b""
        inside = inside[: int.from_bytes(packet[2:4]) - (packet[0] & 15) * 4]
    if protocol == b"\x11":
        if inside[:2] in _CONTROL or inside[2:4] in _CONTROL:
            return None
        inside = b"\0" + inside[1:]  # NAT changes ports
    elif (protocol, inside[:1]) not in _ECHOES:
        return None
    payload = inside[8:]
    return inside[:1] + payload[:16] + crc32(payload).to_bytes(4)


def origin(packet: bytes) -> bytes:
    """What the pieces of a packet share: the source, of IPv4 with the identification.

    Which of IPv6's belong together stands behind its headers, and all of a source count as one.
    """
    return packet[8:24] if packet[0] >> 4 == 6 else packet[12:16] + packet[4:6]


_EXTENSIONS = (b"\x00", b"\x2b", b"\x2c", b"\x3c")  # RFC 8200 4
_ECHOES = ((b"\x01", b"\x00"), (b"\x01", b"\x08"), (b"\x3a", b"\x80"), (b"\x3a", b"\x81"))
