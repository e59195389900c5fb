"""The segment size that TCP opens with, lowered on its way. TcpIp.c:AdjustTcpMssL2, RFC 9293.

Unlike `wire.tcp.clamped` it knows the option in the first place only, and computes the whole
checksum anew, so that a wrong one becomes right.
"""

from sim.nodes.softether.packet import L3, L4, Packet
from virtualtap.wire import checksum, tcp

MTU_FOR_PPPOE = 1454  # Cedar.h: the base of UDP acceleration
_LEAST = 64
_IPV6_MORE, _TAG = 20, 4  # bytes that an IPv6 header, and a tag, are longer
_NOT_WITH = 0x2C  # RST, PSH, URG
_OPTION = b"\x02\x04"


def least(*values: int) -> int:
    """The lowest of those that are set; 0 where none is."""
    return min((value for value in values if value), default=0)


def udp_acceleration(*, ipv6: bool, encrypted: bool) -> int:
    """What fits below UDP acceleration, in bytes. UdpAccel.c:UdpAccelCalcMss.

    Off go the outer IP and UDP headers, the acceleration's own, hash and start value where it is
    encrypted, and the inner Ethernet, IP and TCP headers.
    """
    outer = (40 if ipv6 else 20) + 8 + 23 + (40 if encrypted else 0)
    return MTU_FOR_PPPOE - outer - 14 - 20 - 20


def clamp(frame: bytes, most: int, tpid: int = 0x8100) -> bytes:
    """The frame, if a SYN, says at most `most` bytes, and less for IPv6 and inside a tag."""
    if frame[12:14] == tpid.to_bytes(2):
        if most <= _TAG:
            return frame
        untagged = frame[:12] + frame[16:]
        changed = _clamp(untagged, most - _TAG)
        return frame if changed is untagged else changed[:12] + frame[12:16] + changed[12:]
    return _clamp(frame, most)


def _clamp(frame: bytes, most: int) -> bytes:
    if frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
        return frame
    packet = Packet(frame)
    end = _end(packet)
    segment = frame[packet.l4_at : end]
    if end == 0 or not _is_open(segment):
        return frame
    if packet.l3 is L3.IPV6 and most >= _IPV6_MORE:
        most -= _IPV6_MORE
    most = max(most, _LEAST)
    if int.from_bytes(segment[22:24]) <= most:
        return frame
    assert packet.source is not None
    assert packet.target is not None
    new = segment[:16] + b"\0\0" + segment[18:22] + most.to_bytes(2) + segment[24:]
    value = checksum.transport(packet.source, packet.target, 6, new)
    new = new[:16] + value.to_bytes(2) + new[18:]
    return frame[: packet.l4_at] + new + frame[end:]


def _end(packet: Packet) -> int:
    """Where a whole TCP segment ends in the frame; 0 where there is none."""
    frame, at = packet.frame, packet.at
    if packet.l4 is not L4.TCP or packet.is_fragment:
        return 0
    if packet.l3 is L3.IPV6:
        return len(frame)
    end = at + ((frame[at + 2] << 8) | frame[at + 3])
    return end if packet.l4_at <= end <= len(frame) else 0


def _is_open(segment: bytes) -> bool:
    """Whether it is a SYN that begins its options with the segment size."""
    if len(segment) < tcp.HEADER_LEN + 4 or segment[20:22] != _OPTION:
        return False
    flags, header = segment[13], (segment[12] >> 4) * 4
    return (
        bool(flags & tcp.SYN)
        and not flags & _NOT_WITH
        and tcp.HEADER_LEN + 4 <= header <= len(segment)
    )
