"""Multicast listener discovery: both versions. RFC 2710 3, RFC 3810 5, RFC 2711 (the alert)."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip
from virtualtap.wire.igmp import Record, addresses, records
from virtualtap.wire.ipv6 import HEADER_LEN, HOP_BY_HOP, ICMPV6

LEN, QUERY2_LEN, REPORT2_LEN = 24, 28, 8
QUERY, REPORT, DONE, REPORT2 = 130, 131, 132, 143
KINDS = (QUERY, REPORT, DONE, REPORT2)
_ALERT = b"\5\2\0\0"  # RFC 2711 2.1: a router alert of the value "MLD"
ALERT = bytes((ICMPV6, 0)) + _ALERT + b"\1\0"  # hop-by-hop, up to eight bytes by a PadN
_LAYOUT = Struct("!BBHHH16s")
_QUERY_TAIL = Struct("!BBH")
_REPORT = Struct("!BBHHH")
assert (_LAYOUT.size, _QUERY_TAIL.size, _REPORT.size, len(ALERT)) == (LEN, 4, 8, 8)


@dataclass(slots=True)
class Mld:
    """A message of 24 bytes: a query, report or done of version 1. RFC 2710 3."""

    type: int
    group: Ip
    delay: int = 0  # in a query: how long an answer may take, in milliseconds
    code: int = 0
    reserved: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Mld":
        """WireError below 24 bytes; the checksum is read, not judged."""
        if len(data) < LEN:
            raise WireError(f"MLD needs {LEN} bytes, got {len(data)}")
        kind, code, value, delay, reserved, group = _LAYOUT.unpack_from(data)
        return cls(kind, group, delay, code, reserved, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = (self.type, self.code, self.checksum, self.delay, self.reserved)
        return _LAYOUT.pack(*head, self.group)


@dataclass(slots=True)
class MldQuery:
    """A query of version 2; `flags` are S and the querier's robustness. RFC 3810 5.1."""

    group: Ip
    sources: tuple[Ip, ...] = ()
    code: int = 10_000
    flags: int = 2
    interval_code: int = 125
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "MldQuery":
        """WireError below 28 bytes, for other types, and where sources are missing."""
        if len(data) < QUERY2_LEN or data[0] != QUERY:
            raise WireError(f"an MLDv2 query needs {QUERY2_LEN} bytes of type 130, got {len(data)}")
        _, _, value, code, _, group = _LAYOUT.unpack_from(data)
        flags, interval, count = _QUERY_TAIL.unpack_from(data, LEN)
        return cls(group, addresses(data, QUERY2_LEN, count, 16), code, flags, interval, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _LAYOUT.pack(QUERY, 0, self.checksum, self.code, 0, self.group)
        tail = _QUERY_TAIL.pack(self.flags, self.interval_code, len(self.sources))
        return head + tail + b"".join(self.sources)


@dataclass(slots=True)
class MldReport:
    """A report of version 2; its records are IGMP's with longer addresses. RFC 3810 5.2."""

    records: tuple[Record, ...]
    reserved: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "MldReport":
        """WireError below 8 bytes, for other types, and where records are missing."""
        if len(data) < REPORT2_LEN or data[0] != REPORT2:
            raise WireError(
                f"an MLDv2 report needs {REPORT2_LEN} bytes of type 143, got {data[:1]!r}"
            )
        _, _, value, reserved, count = _REPORT.unpack_from(data)
        return cls(records(data, REPORT2_LEN, count, 16), reserved, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _REPORT.pack(REPORT2, 0, self.checksum, self.reserved, len(self.records))
        return head + b"".join(record.to_bytes() for record in self.records)


def summed(message: Mld | MldQuery | MldReport, source: Ip, to: Ip) -> bytes:
    """The message with its right checksum for these addresses. RFC 4443 2.3."""
    data = message.to_bytes()
    bare = data[:2] + bytes(2) + data[4:]
    value = checksum.transport(source, to, ICMPV6, bare)
    return bare[:2] + value.to_bytes(2) + bare[4:]


def version(query: bytes) -> int:
    """Of a query, by its length; WireError for lengths of none. RFC 3810 8.1."""
    if len(query) >= QUERY2_LEN:
        return 2
    if len(query) != LEN:
        raise WireError(f"an MLD query has 24 bytes, or 28 and more, got {len(query)}")
    return 1


def decoded(code: int) -> int:
    """What a code of 16 bits means: from 32768 with 12 bits of mantissa. RFC 3810 5.1.3."""
    return code if code < 0x8000 else (code & 0xFFF | 0x1000) << ((code >> 12 & 7) + 3)


def start(packet: bytes) -> int:
    """Where a message begins in an IPv6 packet, behind hop-by-hop options or not; 0: none."""
    if len(packet) <= HEADER_LEN:
        return 0
    at, kind = HEADER_LEN, packet[6]
    if kind == HOP_BY_HOP and len(packet) > at + 1:
        kind, at = packet[at], at + 8 + packet[at + 1] * 8
    return at if kind == ICMPV6 and len(packet) > at and packet[at] in KINDS else 0


def is_alerted(packet: bytes) -> bool:
    """Whether the hop-by-hop options, if any, hold a router alert for MLD. RFC 2711 2.1."""
    if packet[6] != HOP_BY_HOP or len(packet) < HEADER_LEN + 2:
        return False
    at, end = HEADER_LEN + 2, min(len(packet), HEADER_LEN + 8 + packet[HEADER_LEN + 1] * 8)
    while at + len(_ALERT) <= end:
        if packet[at] == 0:  # Pad1
            at += 1
            continue
        if packet[at : at + len(_ALERT)] == _ALERT:
            return True
        at += 2 + packet[at + 1]
    return False
