"""What a server has received and not read yet, bounded for all its sessions. Connection.c, Cedar.c.

A full FIFO is not read into, so TCP closes its window and the sender's socket fills: back-pressure,
from client to server alone.
"""

from collections import deque

from sim.nodes.softether.constants import Constants
from virtualtap.units import SECOND, Instant


class Budget:
    """FIFO_BUDGET: the bytes that the receive FIFOs of a whole server may hold."""

    def __init__(self, numbers: Constants) -> None:
        self.numbers = numbers
        self.readers: list[Reader] = []

    def balance(self, now: Instant) -> int:
        """How many bytes more may be received."""
        return self.numbers.FIFO_BUDGET - sum(reader.unread(now) for reader in self.readers)


class Reader:
    """How fast one session's thread takes what has arrived: `rate` in bit/s."""

    def __init__(self, rate: int, budget: Budget) -> None:
        self._rate = rate
        self._budget = budget
        self._unread: deque[tuple[Instant, int]] = deque()  # when it will be read, bytes
        self._bytes = 0
        self._done_at: Instant = 0
        budget.readers.append(self)

    def unread(self, now: Instant) -> int:
        """Bytes that were sent and are not read, those on their way included."""
        while self._unread and self._unread[0][0] <= now:
            self._bytes -= self._unread.popleft()[1]
        return self._bytes

    def take(self, size: int, at: Instant) -> Instant:
        """`size` bytes arrive at `at`: when they have been read."""
        self._done_at = max(self._done_at, at) + -(-size * 8 * SECOND // self._rate)
        self._unread.append((self._done_at, size))
        self._bytes += size
        return self._done_at

    def room_at(self, now: Instant) -> Instant:
        """When the FIFO takes more: now, or as soon as something more has been read."""
        is_full = self.unread(now) >= self._budget.numbers.MAX_BUFFERING_PACKET_SIZE
        if not is_full and self._budget.balance(now) > 0:
            return now
        return min(r.reads_at for r in self._budget.readers if r.reads_at > now)

    @property
    def reads_at(self) -> Instant:
        """When the next bytes will have been read; 0 where nothing waits."""
        return self._unread[0][0] if self._unread else 0
