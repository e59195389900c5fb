"""What a hub drops or cuts because of what is inside a frame. TcpIp.c:ParsePacketEx5.

A SoftEther hub is no pure layer-2 device: a frame whose IPv4, IPv6 or ARP is too short is dropped
whole, and bytes behind the end of an IP packet are cut off. Checksums are not judged.
"""

from virtualtap.wire.address import BROADCAST, NO_MAC, Mac

_IPV4, _ARP, _IPV6, _VLAN = b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00"
_MINIMA = {1: 4, 17: 8, 6: 20}  # ICMP, UDP, TCP: the bytes that must be there
_BPDU = b"\x42\x42"  # DSAP and SSAP of IEEE 802.1D
_BRIDGE_MAC_AT = 14 + 3 + 19  # behind LLC, protocol, version, type, flags, root, cost, priority
_EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing, destination options


def parse(frame: bytes) -> bytes | None:
    """The frame as the hub forwards it, perhaps shorter; None where the hub drops it."""
    if len(frame) < 14:
        return None
    source = frame[6:12]
    if source in (NO_MAC, BROADCAST, frame[:6]):
        return None
    kind = frame[12:14]
    start = 14
    if kind == _VLAN:
        if len(frame) < 18:
            return None
        kind, start = frame[16:18], 18
    if kind == _IPV4:
        return _ipv4(frame, start)
    if kind == _IPV6:
        return _ipv6(frame, start)
    if kind == _ARP and len(frame) - start < 28:
        return None
    return frame


def learning_key(frame: bytes) -> tuple[Mac, int]:
    """Whose place is learned: the source, in a BPDU the bridge inside; with its VLAN id."""
    if frame[12:14] == _VLAN:
        return frame[6:12], ((frame[14] << 8) | frame[15]) & 0x0FFF
    if frame[14:16] == _BPDU and (frame[12] << 8) | frame[13] <= 1500:
        bridge = frame[_BRIDGE_MAC_AT : _BRIDGE_MAC_AT + 6]
        return bridge if len(bridge) == 6 else frame[6:12], 0
    return frame[6:12], 0


def _ipv4(frame: bytes, start: int) -> bytes | None:
    available = len(frame) - start
    if available < 20:
        return None
    header = (frame[start] & 15) * 4
    if 20 <= header <= available and not (frame[start + 6] & 0x1F or frame[start + 7]):
        least = _MINIMA.get(frame[start + 9])
        if least is not None and available - header < least:
            return None
    return _cut(frame, start, (frame[start + 2] << 8) | frame[start + 3])


def _ipv6(frame: bytes, start: int) -> bytes | None:
    if len(frame) - start < 40 or frame[start] >> 4 != 6:
        return None
    kind, at = frame[start + 6], start + 40
    while kind in _EXTENSIONS:
        if len(frame) < at + 8 or len(frame) < at + (frame[at + 1] + 1) * 8:
            return None
        kind, at = frame[at], at + (frame[at + 1] + 1) * 8
    least = {17: 8, 6: 20}.get(kind)
    if least is not None and len(frame) - at < least:
        return None
    length = (frame[start + 4] << 8) | frame[start + 5]
    return _cut(frame, start, 40 + length) if length else frame


def _cut(frame: bytes, start: int, length: int) -> bytes:
    """Without what trails the IP packet; only frames of 24 bytes and more are cut."""
    if length >= 1 and len(frame) >= 24 and start + length < len(frame):
        return frame[: start + length]
    return frame
