"""A session whose far end is a machine inside the server, as SecureNAT. Session.c:SessionMain.

It is a loop: a frame wakes it at once, a timer is looked at when the loop turns,
every SELECT_TIME at the latest. So timers of machines are late by up to 256 ms, as the product's.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from sim.node import Port
from sim.nodes.softether.constants import Constants
from sim.nodes.softether.session import FloodQuota
from virtualtap.units import Duration, Instant


class Machine(Protocol):
    """The contract of the engine: give input, take what came out, poll at the deadline."""

    def receive(self, frame: bytes, now: Instant) -> None: ...
    def poll(self, now: Instant) -> None: ...
    def next_deadline(self) -> Instant | None: ...
    def take_frames(self) -> list[bytes]: ...


class Inside:
    """The loop of one machine: what the hub sent since the last turn, then timers, then its frames.

    `wake` is called when a turn is wanted at once. `is_hasty` says whether the loop turns every
    SELECT_TIME_FOR_NAT: somebody waits for an answer inside the machine.
    """

    def __init__(
        self,
        machine: Machine,
        constants: Constants,
        wake: Callable[[], None],
        is_hasty: Callable[[], bool] | None = None,
    ) -> None:
        self.port: Port | None = None  # nothing leaves the server here
        self.machine = machine
        self._constants = constants
        self.wake = wake
        self._is_hasty = is_hasty
        self._waiting: deque[bytes] = deque()
        self._turned: Instant = 0

    def room(self, now: Instant, quota: FloodQuota | None = None, length: int = 0) -> bool:
        """Nothing is sent past the loop."""
        return False

    def put(self, frame: bytes, now: Instant) -> bool:
        """A frame from the hub; False where the queue is full."""
        if len(self._waiting) >= self._constants.MAX_STORED_QUEUE_NUM:
            return False
        if not self._waiting:
            self.wake()
        self._waiting.append(frame)
        return True

    def turn(self, now: Instant) -> list[bytes]:
        """One turn of the loop: what the machine says."""
        self._turned = now
        machine, waiting = self.machine, self._waiting
        while waiting:
            machine.receive(waiting.popleft(), now)
        machine.poll(now)
        return machine.take_frames()

    def next_turn(self, now: Instant) -> Instant | None:
        """The first turn at which the machine's timer is seen to be due; None without a timer."""
        deadline = self.machine.next_deadline()
        if deadline is None:
            return None
        period = self._period()
        turns = -(-(max(deadline, now) - self._turned) // period)
        return max(now, self._turned + max(1, turns) * period)

    def _period(self) -> Duration:
        hasty = self._is_hasty is not None and self._is_hasty()
        return self._constants.SELECT_TIME_FOR_NAT if hasty else self._constants.SELECT_TIME
