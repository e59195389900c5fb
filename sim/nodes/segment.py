"""TCP segments: header, checksum, and two of the options. RFC 9293 3.1, 3.2, RFC 7323 2.2."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip
from virtualtap.wire.ipv4 import TCP

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
HEADER_LEN = 20
NUMBERS = 0xFFFFFFFF  # sequence numbers are 32 bits, and come round
_LAYOUT = Struct("!HHIIBBHHH")
assert _LAYOUT.size == HEADER_LEN


@dataclass(slots=True)
class Segment:
    """One TCP segment; `mss` and `scale` are the options of those names, None without."""

    source_port: int
    target_port: int
    sequence: int
    acknowledges: int
    flags: int
    window: int = 0
    payload: bytes = b""
    mss: int | None = None
    scale: int | None = None

    @classmethod
    def parse(cls, data: bytes) -> "Segment":
        """WireError below 20 bytes and where the header is longer than the data."""
        if len(data) < HEADER_LEN:
            raise WireError(f"TCP needs {HEADER_LEN} bytes, got {len(data)}")
        source, target, sequence, acknowledges, offset, flags, window, _, _ = _LAYOUT.unpack_from(
            data
        )
        end = (offset >> 4) * 4
        if not HEADER_LEN <= end <= len(data):
            raise WireError(f"TCP claims a header of {end} bytes, got {len(data)}")
        made = cls(source, target, sequence, acknowledges, flags, window, data[end:])
        at = HEADER_LEN
        while at + 1 < end and data[at] != 0:
            length = 1 if data[at] == 1 else max(2, data[at + 1])
            value = data[at + 2 : min(at + length, end)]
            if data[at] == 2 and len(value) == 2:
                made.mss = int.from_bytes(value)
            elif data[at] == 3 and len(value) == 1:
                made.scale = value[0]
            at += length
        return made

    def between(self, source: Ip, target: Ip) -> bytes:
        """The segment with its checksum for these two addresses."""
        options = b"" if self.mss is None else b"\x02\x04" + self.mss.to_bytes(2)
        if self.scale is not None:
            options += bytes((1, 3, 3, self.scale))
        words = (HEADER_LEN + len(options)) // 4
        ports = self.source_port, self.target_port
        numbers = self.sequence & NUMBERS, self.acknowledges & NUMBERS
        head = _LAYOUT.pack(*ports, *numbers, words << 4, self.flags, self.window, 0, 0)
        bare = head + options + self.payload
        value = checksum.transport(source, target, TCP, bare)
        return bare[:16] + value.to_bytes(2) + bare[18:]

    @property
    def length(self) -> int:
        """Sequence numbers that it takes."""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

    def refusal(self) -> "Segment":
        """The RST that answers it where nobody listens. RFC 9293 3.5.2."""
        ports = self.target_port, self.source_port
        if self.flags & ACK:
            return Segment(*ports, self.acknowledges, 0, RST)
        return Segment(*ports, 0, self.sequence + self.length, RST | ACK)
