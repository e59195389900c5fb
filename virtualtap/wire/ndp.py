"""Neighbour solicitations and advertisements with their options. RFC 4861 4.3, 4.4, 4.6."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip, Mac

LEN = 24
SOLICITATION, ADVERTISEMENT = 135, 136
ROUTER, SOLICITED, OVERRIDE = 0x80000000, 0x40000000, 0x20000000  # RFC 4861 4.4
SOURCE_MAC, TARGET_MAC = 1, 2  # RFC 4861 4.6.1
PROTOCOL = 58
_LAYOUT = Struct("!BBHI16s")
assert _LAYOUT.size == LEN

Options = tuple[tuple[int, bytes], ...]


@dataclass(slots=True)
class NeighborMessage:
    """A solicitation or advertisement; options are (code, value) in order, unknown ones kept."""

    type: int
    flags: int
    target: Ip
    options: Options = ()
    code: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "NeighborMessage":
        """WireError below 24 bytes, for other types, and where an option's length is wrong."""
        if len(data) < LEN:
            raise WireError(f"a neighbour message needs {LEN} bytes, got {len(data)}")
        kind, code, value, flags, target = _LAYOUT.unpack_from(data)
        if kind not in (SOLICITATION, ADVERTISEMENT):
            raise WireError(f"a neighbour message has type 135 or 136, got {kind}")
        return cls(kind, flags, target, _options(data[LEN:]), code, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _LAYOUT.pack(self.type, self.code, self.checksum, self.flags, self.target)
        return head + b"".join(
            bytes((code, (len(value) + 2) // 8)) + value for code, value in self.options
        )

    def between(self, source: Ip, destination: Ip) -> bytes:
        """The message with its right checksum for these addresses. RFC 4443 2.3."""
        self.checksum = 0
        self.checksum = checksum.transport(source, destination, PROTOCOL, self.to_bytes())
        return self.to_bytes()

    def mac(self, code: int) -> Mac | None:
        """The first link-layer address option of this code, or None. RFC 4861 4.6.1."""
        for found, value in self.options:
            if found == code and len(value) == 6:
                return value
        return None


def _options(data: bytes) -> Options:
    """RFC 4861 4.6: lengths count 8 bytes, zero is never right."""
    found = []
    at = 0
    while at < len(data):
        length = data[at + 1] * 8 if at + 1 < len(data) else 0
        if length == 0 or at + length > len(data):
            raise WireError(f"an option claims {length} bytes, {len(data) - at} are left")
        found.append((data[at], data[at + 2 : at + length]))
        at += length
    return tuple(found)
