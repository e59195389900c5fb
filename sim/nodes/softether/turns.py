"""The loop of a session moves 128 frames to its connection in a turn. Session.c, Connection.c.

A frame wakes the loop. What a burst leaves behind waits for the next frame, or for SELECT_TIME: a
burst of 300 that nothing follows comes as 128, 128 and 44, each 256 ms after the one before.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

from sim.node import Port
from sim.nodes.softether.constants import Constants
from sim.nodes.softether.session import Backlog, FloodQuota
from virtualtap.units import Instant


class Turns:
    """Frames on their way from the hub's queue to a port: a far end of a session.

    `send` sends one that waited, and `call_at` calls something at an instant.
    """

    def __init__(
        self,
        constants: Constants,
        backlog: Backlog,
        send: Callable[[bytes], None],
        call_at: Callable[[Instant, Callable[[], None]], None],
    ) -> None:
        self.port: Port | None = backlog.port
        self._constants = constants
        self._most = constants.MAX_SEND_SOCKET_QUEUE_NUM  # in a turn
        self._has_room, self._send, self._call_at = backlog.room, send, call_at
        self._waiting: deque[bytes] = deque()
        self._turned: Instant = -1
        self._taken = 0

    def room(self, now: Instant, quota: FloodQuota | None = None, length: int = 0) -> bool:
        """Whether the loop takes a frame in this very turn; if so, the caller sends it now."""
        if self._waiting:
            return False
        if now != self._turned:
            self._turned, self._taken = now, 0
        if self._taken >= self._most or not self._has_room(now, quota, length):
            return False
        self._taken += 1
        if self._taken == self._most:
            self._rest()
        return True

    def put(self, frame: bytes, now: Instant) -> bool:
        """A frame from the hub wakes the loop; False where the queue is full."""
        if self.room(now):
            self._send(frame)
            return True
        if len(self._waiting) >= self._constants.MAX_STORED_QUEUE_NUM or not self._has_room(now):
            return False
        self._waiting.append(frame)
        if now != self._turned:
            self._turned, self._taken = now, 0
        self._take()
        return True

    def _take(self) -> None:
        waiting, most = self._waiting, self._most
        while waiting and self._taken < most:
            self._taken += 1
            self._send(waiting.popleft())
            if self._taken == most:
                self._rest()

    def _rest(self) -> None:
        """A full turn: more may come, and has to wait."""
        again = self._turned + self._constants.SELECT_TIME
        self._call_at(again, partial(self._turn, again))

    def _turn(self, now: Instant) -> None:
        """SELECT_TIME has passed, unless a frame has woken the loop since."""
        if now == self._turned + self._constants.SELECT_TIME:
            self._turned, self._taken = now, 0
            self._take()
