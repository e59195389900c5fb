"""IPv4 packets. RFC 791 3.1."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip

HEADER_LEN = 20
ICMP, IGMP, TCP, UDP = 1, 2, 6, 17
DONT_FRAGMENT, MORE_FRAGMENTS = 0x4000, 0x2000
_LAYOUT = Struct("!BBHHHBBH4s4s")
assert _LAYOUT.size == HEADER_LEN


@dataclass(slots=True)
class Ipv4:
    """One packet; `fragment` holds the three flags and the offset in units of 8 bytes."""

    source: Ip
    destination: Ip
    protocol: int
    payload: bytes
    ttl: int = 64  # RFC 1700
    identification: int = 0
    fragment: int = 0
    tos: int = 0
    options: bytes = b""  # a multiple of 4 bytes, at most 40

    @classmethod
    def parse(cls, data: bytes) -> "Ipv4":
        """WireError where version, lengths or the header checksum are wrong; padding is cut."""
        if len(data) < HEADER_LEN:
            raise WireError(f"IPv4 needs {HEADER_LEN} bytes, got {len(data)}")
        first, tos, total, identification, fragment, ttl, protocol, _, source, destination = (
            _LAYOUT.unpack_from(data)
        )
        header_len = (first & 15) * 4
        if first >> 4 != 4 or header_len < HEADER_LEN:
            raise WireError(f"IPv4 needs version 4 and 20 header bytes, got {first:#04x}")
        if not header_len <= total <= len(data):
            raise WireError(f"IPv4 claims {total} bytes, got {len(data)}")
        if not checksum.is_right(data[:header_len]):
            raise WireError("IPv4 needs a right header checksum")
        return cls(
            source,
            destination,
            protocol,
            data[header_len:total],
            ttl,
            identification,
            fragment,
            tos,
            data[HEADER_LEN:header_len],
        )

    def to_bytes(self) -> bytes:
        """The packet with its lengths and header checksum."""
        words = 5 + len(self.options) // 4
        head = _LAYOUT.pack(
            0x40 | words,
            self.tos,
            words * 4 + len(self.payload),
            self.identification,
            self.fragment,
            self.ttl,
            self.protocol,
            0,
            self.source,
            self.destination,
        )
        value = checksum.internet(head + self.options)
        return head[:10] + value.to_bytes(2) + head[12:] + self.options + self.payload


def header_len(packet: bytes) -> int:
    """The header's length in bytes as the first byte claims it."""
    return (packet[0] & 15) * 4


def total_len(packet: bytes) -> int:
    """The packet's length in bytes as its header claims it."""
    return (packet[2] << 8) | packet[3]
