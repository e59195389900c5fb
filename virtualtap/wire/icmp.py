"""ICMP and ICMPv6 messages: type, code, checksum, body. RFC 792, 4443 2.1."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip

HEADER_LEN = 8
ECHO_REPLY, UNREACHABLE, ECHO_REQUEST, TIME_EXCEEDED = 0, 3, 8, 11  # RFC 792
NET_UNREACHABLE, HOST_UNREACHABLE, FRAGMENTATION_NEEDED = 0, 1, 4
ERRORS4 = (UNREACHABLE, 4, 5, TIME_EXCEEDED, 12)  # RFC 1122 3.2.2: what no error answers
UNREACHABLE6, TOO_BIG6, TIME_EXCEEDED6, ECHO_REQUEST6, ECHO_REPLY6 = 1, 2, 3, 128, 129  # RFC 4443
PARAMETER_PROBLEM6, WRONG_FIELD, HEADERS_INCOMPLETE = 4, 0, 3  # RFC 4443 3.4, RFC 7112 5
REASSEMBLY_EXCEEDED = 1  # RFC 792, RFC 4443 3.3: the code, of either family
PROTOCOL6 = 58
_LAYOUT = Struct("!BBHI")
assert _LAYOUT.size == HEADER_LEN


@dataclass(slots=True)
class Icmp:
    """One message; `rest` is the 32-bit word behind the checksum (an echo's id and sequence)."""

    type: int
    code: int
    rest: int
    payload: bytes
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Icmp":
        """WireError below 8 bytes; the checksum is read, not judged."""
        if len(data) < HEADER_LEN:
            raise WireError(f"ICMP needs {HEADER_LEN} bytes, got {len(data)}")
        kind, code, value, rest = _LAYOUT.unpack_from(data)
        return cls(kind, code, rest, data[HEADER_LEN:], value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        return _LAYOUT.pack(self.type, self.code, self.checksum, self.rest) + self.payload

    def summed(self) -> bytes:
        """The ICMP (version 4) message with its right checksum. RFC 792."""
        bare = _LAYOUT.pack(self.type, self.code, 0, self.rest) + self.payload
        return bare[:2] + checksum.internet(bare).to_bytes(2) + bare[4:]

    def between(self, source: Ip, destination: Ip) -> bytes:
        """The ICMPv6 message with its right checksum for these addresses. RFC 4443 2.3."""
        bare = _LAYOUT.pack(self.type, self.code, 0, self.rest) + self.payload
        value = checksum.transport(source, destination, PROTOCOL6, bare)
        return bare[:2] + value.to_bytes(2) + bare[4:]
