"""SecureNAT's fragments until whole: its limits, and later bytes win. Virtual.c, Virtual.h.

RFC 815 leaves the choice; the engine's own (virtualtap.reassembly) refuses what overlaps.
"""

from dataclasses import dataclass, field

from sim.nodes.softether.expiring import Expiring
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import Ip
from virtualtap.wire.ipv4 import MORE_FRAGMENTS, OFFSET_MASK, Ipv4

IP_COMBINE_TIMEOUT: Duration = 10 * SECOND  # since the first piece, whatever comes later
IP_COMBINE_WAIT_QUEUE_SIZE_QUOTA = 50 * 1024 * 1024  # bytes of buffers
IP_COMBINE_INITIAL_BUFFER_SIZE = 1480  # bytes; four times as much whenever it is too small
PAYLOAD_MAX = 65_535 - 20

Key = tuple[int, Ip, Ip, int]


@dataclass(slots=True)
class _Whole:
    buffer: bytearray = field(default_factory=lambda: bytearray(IP_COMBINE_INITIAL_BUFFER_SIZE))
    pieces: list[tuple[int, int]] = field(default_factory=list)  # from, to; in order, apart
    length: int | None = None  # known from the last piece

    def take(self, start: int, data: bytes) -> None:
        end = start + len(data)
        self.buffer[start:end] = data
        apart = [one for one in self.pieces if one[1] < start or one[0] > end]
        touched = [one for one in self.pieces if one[1] >= start and one[0] <= end]
        first = min([start, *(one[0] for one in touched)])
        last = max([end, *(one[1] for one in touched)])
        self.pieces = sorted([*apart, (first, last)])


class NatReassembly:
    """The datagrams that are not whole."""

    def __init__(self) -> None:
        self._wholes: Expiring[Key, _Whole] = Expiring()
        self._bytes = 0

    def add(self, packet: Ipv4, now: Instant) -> bytes | None:
        """The whole payload, if this piece was the last that was missing."""
        offset = (packet.fragment & OFFSET_MASK) * 8
        end = offset + len(packet.payload)
        if end > PAYLOAD_MAX:
            return None
        key = packet.identification, packet.destination, packet.source, packet.protocol
        whole = self._wholes.get(key)
        known = whole or _Whole()
        size = len(known.buffer)
        while size < end:
            size *= 4
        more = size - (0 if whole is None else len(whole.buffer))
        if self._bytes + more > IP_COMBINE_WAIT_QUEUE_SIZE_QUOTA:
            return None
        if whole is None:
            self._wholes.put(key, known, now + IP_COMBINE_TIMEOUT)
        self._bytes += more
        known.buffer.extend(bytes(size - len(known.buffer)))
        known.take(offset, packet.payload)
        if not packet.fragment & MORE_FRAGMENTS:
            known.length = end
        if known.length is None or known.pieces[0] != (0, known.length):
            return None
        self._wholes.pop(key)
        self._bytes -= len(known.buffer)
        return bytes(known.buffer[: known.length])

    def poll(self, now: Instant) -> None:
        """Give up what has waited too long, without a word."""
        for _, whole in self._wholes.sweep(now):
            self._bytes -= len(whole.buffer)

    @property
    def due(self) -> Instant | None:
        """When `poll` has something to do."""
        return self._wholes.due

    def __len__(self) -> int:
        return len(self._wholes)
