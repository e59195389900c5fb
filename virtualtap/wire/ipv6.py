"""IPv6 packets, and the way through their extension headers. RFC 8200 3, 4."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire.address import Ip

HEADER_LEN = 40
HOP_BY_HOP, TCP, UDP, ICMPV6 = 0, 6, 17, 58
ROUTING, FRAGMENT, AUTHENTICATION, NOTHING, DESTINATION_OPTIONS = 43, 44, 51, 59, 60
FRAGMENT_LEN = 8
OFFSET_MASK, MORE_FRAGMENTS = 0xFFF8, 1  # RFC 8200 4.5: the offset is in bytes as it stands
PAYLOAD_MAX = 0xFFFF
BEFORE_FRAGMENT = frozenset((HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS))
_EXTENSIONS = BEFORE_FRAGMENT | {FRAGMENT, AUTHENTICATION, 135, 139, 140}  # RFC 7045 4
_LEAST = {TCP: 20, UDP: 8, ICMPV6: 8, NOTHING: 0}  # of other protocols one byte
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


def fragment_header(packet: bytes) -> tuple[int, int] | None:
    """Where the byte stands that announces the fragment header, and where that begins; or None.

    WireError where it is announced and does not fit.
    """
    kind, field, at = packet[6], 6, HEADER_LEN
    while kind in BEFORE_FRAGMENT and at + 2 <= len(packet):
        kind, field, at = packet[at], at, at + 8 * (packet[at + 1] + 1)
    if kind != FRAGMENT:
        return None
    if at + FRAGMENT_LEN > len(packet):
        raise WireError(f"IPv6 needs a fragment header of 8 bytes, got {len(packet) - at}")
    return field, at


def fragment_word(packet: bytes, at: int) -> int:
    """Offset and flags of the fragment header at `at`."""
    return (packet[at + 2] << 8) | packet[at + 3]


def joined(head: bytes, payload: bytes, mark: int = 0) -> bytes:
    """The packet whose first fragment began so, up to the fragment header, which goes. 4.5.

    `mark` is set in the two bits of congestion.
    """
    found = fragment_header(head)
    assert found is not None
    field, at = found
    front = bytearray(head[:at])
    front[1] |= mark << 4
    front[4:6] = (at - HEADER_LEN + len(payload)).to_bytes(2)
    front[field] = head[at]
    return bytes(front) + payload


def upper_layer(packet: bytes) -> tuple[int, int]:
    """Which protocol stands behind the extension headers, and where; as far as they are there.

    What stands behind the header of a later fragment is unknown: the protocol is `FRAGMENT` then.
    """
    kind, at = packet[6], HEADER_LEN
    while kind in _EXTENSIONS and at + 8 <= len(packet):
        length = 8 * (packet[at + 1] + 1)
        if kind == FRAGMENT:
            if fragment_word(packet, at) & OFFSET_MASK:
                break
            length = FRAGMENT_LEN
        elif kind == AUTHENTICATION:
            length = 4 * (packet[at + 1] + 2)  # RFC 4302 2.2
        kind, at = packet[at], at + length
    return kind, at


def is_headed(packet: bytes) -> bool:
    """Whether all headers are there, that of the upper layer too. RFC 7112 4."""
    kind, at = upper_layer(packet)
    return kind not in _EXTENSIONS and at + _LEAST.get(kind, 1) <= len(packet)
