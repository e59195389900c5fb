"""DNS messages, names in their wire form. RFC 1035 4.1, RFC 2308 5, RFC 4343."""

from dataclasses import dataclass, field
from struct import Struct

from virtualtap.errors import WireError

PORT = 53
HEADER_LEN = 12
UDP_LEN_MAX = 512  # RFC 1035 2.3.4: of a message over UDP where nobody agreed on more
NAME_LEN_MAX = 255  # RFC 1035 2.3.4
IS_ANSWER, AUTHORITATIVE, TRUNCATED, RECURSION_DESIRED = 0x8000, 0x0400, 0x0200, 0x0100
RECURSION_AVAILABLE, OPCODE, CODE = 0x0080, 0x7800, 0x000F
NO_ERROR, NAME_ERROR = 0, 3  # of a response code: RFC 1035 4.1.1
A, CNAME, SOA, AAAA, OPT = 1, 5, 6, 28, 41
INTERNET = 1
_SOA_LEN_MIN = 22  # two names of one byte, five numbers: RFC 1035 3.3.13
_POINTER = 0xC0
_HEADER = Struct("!6H")
_ENDS = Struct("!HH")
_RECORD = Struct("!HHIH")
assert _HEADER.size == HEADER_LEN


@dataclass(slots=True)
class Question:
    """What is asked; `name` as labels with their lengths, the root's zero byte last."""

    name: bytes
    type: int
    of: int = INTERNET  # the class

    def to_bytes(self) -> bytes:
        """The question as it stands in a message."""
        return self.name + _ENDS.pack(self.type, self.of)

    @property
    def key(self) -> bytes:
        """The same for whatever asks the same: case does not matter. RFC 4343 3."""
        return self.name.lower() + _ENDS.pack(self.type, self.of)


@dataclass(slots=True)
class Record:
    """One resource record; names inside `data` stay as they came, pointers too."""

    name: bytes
    type: int
    of: int
    ttl: int  # seconds, as it stands; RFC 2181 8: with the top bit set it means zero
    data: bytes
    ttl_at: int = field(default=0, compare=False)  # where it stands in the message that was read

    def to_bytes(self) -> bytes:
        """The record, its name not compressed."""
        return self.name + _RECORD.pack(self.type, self.of, self.ttl, len(self.data)) + self.data

    def minimum(self) -> int:
        """How long a SOA record lets nobody ask again, in seconds; WireError where it is cut."""
        if len(self.data) < _SOA_LEN_MIN:
            raise WireError(f"a SOA record needs {_SOA_LEN_MIN} bytes, got {len(self.data)}")
        return int.from_bytes(self.data[-4:])


@dataclass(slots=True)
class Dns:
    """One message. Names are read through their pointers, and written without any."""

    id: int
    flags: int
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authorities: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> "Dns":
        """WireError where counts and bytes disagree, and for names that no message may have."""
        if len(data) < HEADER_LEN:
            raise WireError(f"DNS needs {HEADER_LEN} bytes, got {len(data)}")
        id_, flags, *counts = _HEADER.unpack_from(data)
        at = HEADER_LEN
        questions = []
        for _ in range(counts[0]):
            question, at = _question(data, at)
            questions.append(question)
        sections = []
        for count in counts[1:]:
            records = []
            for _ in range(count):
                record, at = _record(data, at)
                records.append(record)
            sections.append(tuple(records))
        return cls(id_, flags, tuple(questions), *sections)

    def to_bytes(self) -> bytes:
        """The message with its counts."""
        sections = (self.questions, self.answers, self.authorities, self.additional)
        head = _HEADER.pack(self.id, self.flags, *map(len, sections))
        return head + b"".join(each.to_bytes() for section in sections for each in section)


def _question(data: bytes, at: int) -> tuple[Question, int]:
    name, at = _name(data, at)
    if at + _ENDS.size > len(data):
        raise WireError(f"a DNS question needs {_ENDS.size} bytes, got {len(data) - at}")
    return Question(name, *_ENDS.unpack_from(data, at)), at + _ENDS.size


def _record(data: bytes, at: int) -> tuple[Record, int]:
    name, at = _name(data, at)
    start = at + _RECORD.size
    if start > len(data):
        raise WireError(f"a DNS record needs {_RECORD.size} bytes, got {len(data) - at}")
    type_, of, ttl, length = _RECORD.unpack_from(data, at)
    if start + length > len(data):
        raise WireError(f"a DNS record claims {length} bytes, got {len(data) - start}")
    return Record(name, type_, of, ttl, data[start : start + length], at + 4), start + length


def _name(data: bytes, at: int) -> tuple[bytes, int]:
    """The name at `at`, and where it ends there. RFC 1035 4.1.4.

    A pointer leads to what stands before the part of the name that ends in it, so no way is
    endless: names stand earlier in the message than what refers to them.
    """
    name, start, end = b"", at, -1
    while at < len(data) and data[at]:
        if data[at] < _POINTER:
            following = at + 1 + data[at]
            name += data[at:following]
            if data[at] > 63 or following > len(data) or len(name) >= NAME_LEN_MAX:
                raise WireError(f"a DNS name needs labels of 63 bytes, 255 in all, got {name!r:.9}")
            at = following
            continue
        target = int.from_bytes(data[at : at + 2]) & 0x3FFF
        end = at + 2 if end < 0 else end
        if end > len(data) or target >= start:
            raise WireError(f"a DNS name points from {at} to {target}")
        at = start = target
    if at >= len(data):
        raise WireError(f"a DNS name has no end in {len(data)} bytes")
    return name + b"\0", at + 1 if end < 0 else end


def name(text: str) -> bytes:
    """`"www.example"` in its wire form; for tools and tests, of ASCII labels."""
    labels = [label.encode("ascii") for label in text.split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
