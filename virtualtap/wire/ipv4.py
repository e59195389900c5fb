"""IPv4 packets. RFC 791 3.1."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip

HEADER_LEN = 20
ICMP, IGMP, TCP, UDP = 1, 2, 6, 17
DONT_FRAGMENT, MORE_FRAGMENTS, OFFSET_MASK = 0x4000, 0x2000, 0x1FFF
LEN_MAX = 0xFFFF
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


def fragment_word(packet: bytes) -> int:
    """The three flags and the offset in units of 8 bytes."""
    return (packet[6] << 8) | packet[7]


def has_option(options: bytes, kind: int) -> bool:
    """Whether one of a header's options is of this kind. RFC 791 3.1."""
    at = 0
    while at + 1 < len(options) and options[at] != 0:
        if options[at] == kind:
            return True
        at += 1 if options[at] == 1 else max(2, options[at + 1])
    return False


def trimmed(data: bytes) -> bytes:
    """The packet without what stands behind it; as it is where its lengths cannot be."""
    total = total_len(data)
    return data[:total] if HEADER_LEN <= header_len(data) <= total <= len(data) else data


def fragments(packet: bytes, mtu: int) -> list[bytes]:
    """A packet longer than `mtu` (68 or more) in pieces of at most that. RFC 791 3.2.

    Only the first keeps all options; a fragment's pieces keep its place in the whole. A header
    that claims less than 20 bytes is cut as one of 20, for where nothing is checked it may come.
    """
    word, at = fragment_word(packet), max(HEADER_LEN, header_len(packet))
    head = packet[:at]
    flags, offset = word & ~(MORE_FRAGMENTS | OFFSET_MASK), word & OFFSET_MASK
    pieces = []
    while at + mtu - len(head) < len(packet):
        length = (mtu - len(head)) // 8 * 8
        more = flags | MORE_FRAGMENTS | offset
        pieces.append(_headed(head, more, packet[at : at + length]))
        if len(pieces) == 1:
            head = _copied(head)
        at, offset = at + length, offset + length // 8
    last = flags | word & MORE_FRAGMENTS | offset
    return [*pieces, _headed(head, last, packet[at:])]


def joined(head: bytes, payload: bytes, mark: int = 0) -> bytes:
    """The packet whose first fragment had this header: not in pieces, free to be cut. RFC 791 3.2.

    `mark` is set in the two bits of congestion. A checksum that came wrong stays wrong.
    """
    return _headed(head, 0, payload, mark)


def _headed(head: bytes, word: int, payload: bytes, mark: int = 0) -> bytes:
    """`head` with new lengths, flags and offset, the checksum paid by RFC 1624."""
    total = len(head) + len(payload)
    lengths = bytes((0x40 | len(head) // 4, head[1] | mark)) + total.to_bytes(2)
    now = lengths + head[4:6] + word.to_bytes(2)
    value = int.from_bytes(head[10:12])
    value = checksum.update(value, checksum.total(head[:8]), checksum.total(now))
    return now + head[8:10] + value.to_bytes(2) + head[12:] + payload


def _copied(head: bytes) -> bytes:
    """The header with those options that every fragment carries (RFC 791 3.1: the copied flag)."""
    kept, at = b"", HEADER_LEN
    while at < len(head) and head[at] != 0:
        length = 1 if head[at] == 1 or at + 1 == len(head) else max(2, head[at + 1])
        if head[at] & 0x80:
            kept += head[at : at + length]
        at += length
    return _with_options(head, kept + bytes(-len(kept) % 4))


def _with_options(head: bytes, options: bytes) -> bytes:
    """The header with other options, the checksum paid for them."""
    value = int.from_bytes(head[10:12])
    value = checksum.update(value, checksum.total(head[20:]), checksum.total(options))
    return head[:10] + value.to_bytes(2) + head[12:20] + options
