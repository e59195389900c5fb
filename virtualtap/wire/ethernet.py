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
TAG_LEN, VLAN_ID_MAX = 4, 4094  # 4095 is reserved, 0 only says a priority: IEEE 802.1Q 9.6
LENGTH_MAX = 1500  # a type field of at most this is a length: IEEE 802.3 3.2.6
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"  # RFC 1042: LLC for SNAP, and the code of Ethernet types


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


def tag(vlan_id: int) -> bytes:
    """The 4 bytes between source and type that put a frame into a VLAN, at priority 0."""
    return VLAN + vlan_id.to_bytes(2)


def untagged(frame: bytes) -> tuple[int, bytes]:
    """The VLAN id of a frame whose type is `VLAN`, and the frame without its (outer) tag."""
    if len(frame) < HEADER_LEN + TAG_LEN:
        raise WireError(f"802.1Q needs {HEADER_LEN + TAG_LEN} bytes, got {len(frame)}")
    return (frame[14] << 8 | frame[15]) & 0xFFF, frame[:12] + frame[16:]


def from_snap(frame: bytes) -> bytes | None:
    """The Ethernet II form of an IEEE 802.3 frame that carries SNAP; None: it carries another LLC.

    RFC 1042; RFC 1122 2.3.3 asks hosts to receive it. WireError where its length is wrong.
    """
    length = frame[12] << 8 | frame[13]
    if length > len(frame) - HEADER_LEN:
        raise WireError(f"802.3 claims {length} bytes, got {len(frame) - HEADER_LEN}")
    if length < len(_SNAP) + 2 or frame[14:20] != _SNAP:
        return None
    return frame[:12] + frame[20 : HEADER_LEN + length]
