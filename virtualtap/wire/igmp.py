"""IGMP: queries, reports and leaves of all three versions. RFC 1112 I, 2236 2, 3376 4."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip

LEN, QUERY3_LEN = 8, 12
QUERY, REPORT1, REPORT2, LEAVE, REPORT3 = 0x11, 0x12, 0x16, 0x17, 0x22
IS_INCLUDE, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE = 1, 2, 3, 4  # RFC 3376 4.2.12
ALERT = 0x94  # the IP option that routers look at: RFC 2113
_LAYOUT = Struct("!BBH4s")
_QUERY_TAIL = Struct("!BBH")
_REPORT = Struct("!BBHHH")
_RECORD = Struct("!BBH")
assert (_LAYOUT.size, _QUERY_TAIL.size, _REPORT.size, _RECORD.size) == (LEN, 4, 8, 4)


@dataclass(slots=True)
class Igmp:
    """A message of 8 bytes: a query of version 1 or 2, their reports, a leave."""

    type: int
    group: Ip
    code: int = 0  # in a query of version 2 how long an answer may take, in tenths of a second
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Igmp":
        """WireError below 8 bytes; the checksum is read, not judged."""
        if len(data) < LEN:
            raise WireError(f"IGMP needs {LEN} bytes, got {len(data)}")
        kind, code, value, group = _LAYOUT.unpack_from(data)
        return cls(kind, group, code, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        return _LAYOUT.pack(self.type, self.code, self.checksum, self.group)


@dataclass(slots=True)
class IgmpQuery:
    """A query of version 3; `flags` are S and the querier's robustness. RFC 3376 4.1."""

    group: Ip
    sources: tuple[Ip, ...] = ()
    code: int = 100
    flags: int = 2
    interval_code: int = 125
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "IgmpQuery":
        """WireError below 12 bytes, for other types, and where sources are missing."""
        if len(data) < QUERY3_LEN or data[0] != QUERY:
            raise WireError(
                f"an IGMPv3 query needs {QUERY3_LEN} bytes of type 17, got {data[:1]!r}"
            )
        _, code, value, group = _LAYOUT.unpack_from(data)
        flags, interval, count = _QUERY_TAIL.unpack_from(data, LEN)
        return cls(group, addresses(data, QUERY3_LEN, count, 4), code, flags, interval, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _LAYOUT.pack(QUERY, self.code, self.checksum, self.group)
        tail = _QUERY_TAIL.pack(self.flags, self.interval_code, len(self.sources))
        return head + tail + b"".join(self.sources)


@dataclass(frozen=True, slots=True)
class Record:
    """What a report says of one group; of IPv4 or IPv6. RFC 3376 4.2.4, RFC 3810 5.2.4."""

    type: int
    group: Ip
    sources: tuple[Ip, ...] = ()
    auxiliary: bytes = b""  # a multiple of 4 bytes

    def to_bytes(self) -> bytes:
        """Its bytes, without padding."""
        head = _RECORD.pack(self.type, len(self.auxiliary) // 4, len(self.sources))
        return head + self.group + b"".join(self.sources) + self.auxiliary


@dataclass(slots=True)
class IgmpReport:
    """A report of version 3. RFC 3376 4.2."""

    records: tuple[Record, ...]
    reserved: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "IgmpReport":
        """WireError below 8 bytes, for other types, and where records are missing."""
        if len(data) < LEN or data[0] != REPORT3:
            raise WireError(f"an IGMPv3 report needs {LEN} bytes of type 34, got {data[:1]!r}")
        _, _, value, reserved, count = _REPORT.unpack_from(data)
        return cls(records(data, LEN, count, 4), reserved, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _REPORT.pack(REPORT3, 0, self.checksum, self.reserved, len(self.records))
        return head + b"".join(record.to_bytes() for record in self.records)


def summed(message: Igmp | IgmpQuery | IgmpReport) -> bytes:
    """The message with its right checksum. RFC 3376 4.1.2."""
    data = message.to_bytes()
    bare = data[:2] + bytes(2) + data[4:]
    return bare[:2] + checksum.internet(bare).to_bytes(2) + bare[4:]


def version(query: bytes) -> int:
    """Of a query: by its length and its code; WireError for lengths of none. RFC 3376 7.1."""
    if len(query) >= QUERY3_LEN:
        return 3
    if len(query) != LEN:
        raise WireError(f"an IGMP query has 8 bytes, or 12 and more, got {len(query)}")
    return 2 if query[1] else 1


def decoded(code: int) -> int:
    """What a code of 8 bits means: from 128 with 4 bits of mantissa. RFC 3376 4.1.1, 4.1.7."""
    return code if code < 128 else (code & 15 | 16) << ((code >> 4 & 7) + 3)


def addresses(data: bytes, at: int, count: int, length: int) -> tuple[Ip, ...]:
    """So many addresses of `length` bytes from `at` on; WireError where they are missing."""
    end = at + count * length
    if end > len(data):
        raise WireError(f"{count} addresses need {end} bytes, got {len(data)}")
    return tuple(data[start : start + length] for start in range(at, end, length))


def records(data: bytes, at: int, count: int, length: int) -> tuple[Record, ...]:
    """So many records of groups of `length` bytes; WireError where they are missing."""
    found = []
    for _ in range(count):
        if at + _RECORD.size + length > len(data):
            raise WireError(f"a record needs {_RECORD.size + length} bytes, got {len(data) - at}")
        kind, words, sources = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        group, *named = addresses(data, at, 1 + sources, length)
        at += length * (1 + sources)
        auxiliary = data[at : at + 4 * words]
        if len(auxiliary) < 4 * words:
            raise WireError(f"a record claims {4 * words} bytes more, got {len(auxiliary)}")
        found.append(Record(kind, group, tuple(named), auxiliary))
        at += 4 * words
    return tuple(found)


def is_inside(packet: bytes) -> bool:
    """Whether an IPv4 packet is a whole IGMP message to a group, or one that routers look at."""
    if packet[9:10] != b"\x02" or int.from_bytes(packet[6:8]) & 0x3FFF:
        return False
    return packet[16:17] >= b"\xe0" or packet[0] & 15 > 5
