"""A session of a hub: a port, and the queue of frames that wait to be sent. Hub.c, Connection.c."""

from collections import deque
from enum import StrEnum

from sim.node import Port
from virtualtap.units import SECOND, Instant

TIMEOUT = 20 * SECOND  # policy TimeOut, Account.c: without a byte for so long, a session ends
MAX_PACKET_SIZE = 1600  # Cedar.h; Connection.c:ConnectionReceive drops what is longer


class Strategy(StrEnum):
    """How the server was built. Mayaqua.h: low memory on everything but x86 and SPARC."""

    PERFORMANCE = "performance"
    LOW_MEMORY = "low-memory"


MAX_STORED_QUEUE_NUM = {Strategy.PERFORMANCE: 1024, Strategy.LOW_MEMORY: 384}  # Cedar.h


class Session:
    """Egress of one session: frames in order, tail drop, no priority. Hub.c:StorePacketToHubPa."""

    __slots__ = ("_limit", "_waiting", "number", "port", "silent_since")

    def __init__(self, number: int, port: Port, strategy: Strategy) -> None:
        self.number = number
        self.port = port
        self.silent_since: Instant | None = None  # its link is down
        self._limit = MAX_STORED_QUEUE_NUM[strategy]
        self._waiting: deque[Instant] = deque()  # when each waiting frame will leave

    def send(self, frame: bytes, now: Instant) -> bool:
        """Queue one frame; False where the queue is full, and the new frame goes."""
        out = self.port.out
        assert out is not None, f"{self.port.name} is not connected"
        leaves = out.free_at
        waiting = self._waiting
        if leaves <= now:
            waiting.clear()  # also what a link that went down has lost
        else:
            while waiting and waiting[0] <= now:
                waiting.popleft()
            if len(waiting) >= self._limit:
                return False
            waiting.append(leaves)
        self.port.send(frame)
        return True

    def forget(self) -> None:
        """Lose what waits."""
        self._waiting.clear()
