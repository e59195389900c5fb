"""UDP datagrams. RFC 768."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip

HEADER_LEN = 8
PROTOCOL = 17
CHECKSUM_AT = 6  # where it stands
_LAYOUT = Struct("!HHHH")
assert _LAYOUT.size == HEADER_LEN


@dataclass(slots=True)
class Udp:
    """One datagram; a checksum of 0 means none was computed."""

    source_port: int
    destination_port: int
    payload: bytes
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Udp":
        """WireError where the length field and the bytes disagree; padding is cut."""
        if len(data) < HEADER_LEN:
            raise WireError(f"UDP needs {HEADER_LEN} bytes, got {len(data)}")
        source_port, destination_port, length, value = _LAYOUT.unpack_from(data)
        if not HEADER_LEN <= length <= len(data):
            raise WireError(f"UDP claims {length} bytes, got {len(data)}")
        return cls(source_port, destination_port, data[HEADER_LEN:length], value)

    def to_bytes(self) -> bytes:
        """The datagram with the checksum it carries."""
        length = HEADER_LEN + len(self.payload)
        head = _LAYOUT.pack(self.source_port, self.destination_port, length, self.checksum)
        return head + self.payload

    def between(self, source: Ip, destination: Ip) -> bytes:
        """The datagram with its checksum for these two addresses, of either family."""
        bare = _LAYOUT.pack(
            self.source_port, self.destination_port, HEADER_LEN + len(self.payload), 0
        )
        value = checksum.transport(source, destination, PROTOCOL, bare + self.payload)
        return bare[:6] + value.to_bytes(2) + self.payload


def received(source: Ip, destination: Ip, data: bytes) -> Udp | None:
    """The datagram that came between these two; None where its checksum is wrong.

    Only IPv4 may leave it out: RFC 768, RFC 8200 8.1. WireError as `Udp.parse`.
    """
    datagram = Udp.parse(data)
    segment = data[: HEADER_LEN + len(datagram.payload)]
    if not datagram.checksum:
        return datagram if len(source) == 4 else None
    is_right = checksum.transport_is_right(source, destination, PROTOCOL, segment)
    return datagram if is_right else None
