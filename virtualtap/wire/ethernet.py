"""Ethernet II frames without preamble and frame check sequence. RFC 894, IEEE 802.3."""

from dataclasses import dataclass

from virtualtap.errors import WireError
from virtualtap.wire.address import Mac

HEADER_LEN = 14
MIN_LEN = 60  # on a wire, without the frame check sequence; SoftEther carries shorter ones
IPV4 = b"\x08\x00"
ARP = b"\x08\x06"
VLAN = b"\x81\x00"  # IEEE 802.1Q
IPV6 = b"\x86\xdd"


@dataclass(slots=True)
class Ethernet:
    """One frame: destination and source of 6 bytes, a type of 2 bytes, the payload."""

    destination: Mac
    source: Mac
    ethertype: bytes
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> "Ethernet":
        """WireError below 14 bytes."""
        if len(data) < HEADER_LEN:
            raise WireError(f"Ethernet needs {HEADER_LEN} bytes, got {len(data)}")
        return cls(data[0:6], data[6:12], data[12:14], data[14:])

    def to_bytes(self) -> bytes:
        """The frame, not padded."""
        return self.destination + self.source + self.ethertype + self.payload


def ethertype(frame: bytes) -> bytes:
    """The type field, 2 bytes (fewer if the frame is short)."""
    return frame[12:14]
