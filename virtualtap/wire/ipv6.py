"""IPv6 packets without reading extension headers. RFC 8200 3."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire.address import Ip

HEADER_LEN = 40
HOP_BY_HOP, TCP, UDP, ICMPV6 = 0, 6, 17, 58
_LAYOUT = Struct("!IHBB16s16s")
assert _LAYOUT.size == HEADER_LEN


@dataclass(slots=True)
class Ipv6:
    """One packet; `next_header` names what `payload` begins with."""

    source: Ip
    destination: Ip
    next_header: int
    payload: bytes
    hop_limit: int = 64
    traffic_class: int = 0
    flow_label: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Ipv6":
        """WireError where the version or the length is wrong; padding is cut."""
        if len(data) < HEADER_LEN:
            raise WireError(f"IPv6 needs {HEADER_LEN} bytes, got {len(data)}")
        first, length, next_header, hop_limit, source, destination = _LAYOUT.unpack_from(data)
        if first >> 28 != 6:
            raise WireError(f"IPv6 needs version 6, got {first >> 28}")
        if HEADER_LEN + length > len(data):
            raise WireError(f"IPv6 claims {HEADER_LEN + length} bytes, got {len(data)}")
        return cls(
            source,
            destination,
            next_header,
            data[HEADER_LEN : HEADER_LEN + length],
            hop_limit,
            (first >> 20) & 0xFF,
            first & 0xFFFFF,
        )

    def to_bytes(self) -> bytes:
        """The packet with its payload length."""
        first = 6 << 28 | self.traffic_class << 20 | self.flow_label
        return (
            _LAYOUT.pack(
                first,
                len(self.payload),
                self.next_header,
                self.hop_limit,
                self.source,
                self.destination,
            )
            + self.payload
        )


def total_len(packet: bytes) -> int:
    """The packet's length in bytes as its header claims it, the header included."""
    return HEADER_LEN + ((packet[4] << 8) | packet[5])


def trimmed(data: bytes) -> bytes:
    """The packet without what stands behind it; as it is where its length cannot be."""
    total = total_len(data)
    return data[:total] if total <= len(data) else data
