"""The bandwidth limit of one session and direction. Hub.c:StorePacketFilterByTrafficLimiter.

It polices and does not shape: once the second's bits are used up, all that counts is dropped until
a window begins anew.
"""

from sim.nodes.softether.packet import L3, L4, Packet
from virtualtap.units import MS, Duration, Instant

LIMITER_SAMPLING_SPAN: Duration = 1000 * MS  # Hub.h
_OPENS_OR_ENDS = 0x07  # FIN, SYN, RST


class Limiter:
    """So many bits in a second of the session's frames, headers and all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._start: int | None = None  # milliseconds
        self._bits = 0

    def passes(self, packet: Packet, now: Instant) -> bool:
        """Whether the packet is within the limit. One that is dropped has used its bits up too."""
        if _is_exempt(packet):
            return True
        at = now // MS
        if self._start is None or self._start + LIMITER_SAMPLING_SPAN // MS < at:
            self._start, self._bits = at, 0
        self._bits += len(packet.frame) * 8
        return self._bits <= self._limit


def _is_exempt(packet: Packet) -> bool:
    """ARP, and of IPv4 what opens, closes or configures. Hub.c:IsMostHighestPriorityPacket.

    Of IPv6 nothing is, not even neighbor discovery.
    """
    if packet.l3 is not L3.IPV4:
        return packet.l3 is L3.ARP
    if packet.l4 is L4.TCP:
        return bool(packet.flags & _OPENS_OR_ENDS)
    return packet.l4 is L4.ICMP or bool(packet.dhcp)
