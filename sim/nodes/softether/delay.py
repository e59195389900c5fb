"""Frames that an access rule delays: what is due first leaves first. Hub.c:StorePacket.

The product keeps a list for each session and looks at it every millisecond; the clock of 5.01 moves
in steps of 10 ms, so that a delay of 100 ms was seen to take 92 to 104.
"""

from heapq import heappop, heappush

from sim.nodes.softether.constants import Version
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.session import Session
from virtualtap.units import MS, Duration, Instant

TICK: dict[Version, Duration] = {Version.STABLE: 10 * MS, Version.DEVELOPER: 1 * MS}


class DelayLine:
    """The frames of a hub that wait, each with the session that sent it."""

    def __init__(self, version: Version) -> None:
        self._tick = TICK[version]
        self._waiting: list[tuple[Instant, int, Session, Packet]] = []
        self._count = 0

    def hold(self, session: Session, packet: Packet, delay: Duration, now: Instant) -> bool:
        """Keep a frame for `delay`; False where that is less than the clock can tell."""
        due = now - now % self._tick + delay
        if due <= now:
            return False
        self._count += 1
        heappush(self._waiting, (due, self._count, session, packet))
        return True

    def next_deadline(self) -> Instant | None:
        """When the first is due."""
        return self._waiting[0][0] if self._waiting else None

    def release(self, now: Instant) -> list[tuple[Session, Packet]]:
        """Those that are due; of those due together, the first that came."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            _, _, session, packet = heappop(self._waiting)
            due.append((session, packet))
        return due
