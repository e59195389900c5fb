"""The driver's contract in four lines, for every platform: input, answer, the rest, one timer."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from time import monotonic_ns
from typing import TypeAlias

from virtualtap.tap import Translator
from virtualtap.units import MS, SECOND, Duration, Instant

WAIT_MIN: Duration = 1 * MS  # what is still due after a poll waits so long: nothing ever spins
WAIT_MAX: Duration = 3_600 * SECOND  # epoll takes no more than 2**31 ms; an early poll is no harm

Send: TypeAlias = Callable[[list[bytes]], object]
Arm: TypeAlias = Callable[[float | None], object]


class Driver:
    """Carries one tap's packets and frames; whoever made it has polled it once.

    `to_lan` gets frames and `to_host` packets, in the order in which they belong, never an empty
    list. `arm` gets the seconds after which `poll` is wanted, and replaces the timer before; None:
    no timer is needed. `lock` is held from input to output. `clock` gives nanoseconds and never
    goes back.
    """

    def __init__(
        self,
        tap: Translator,
        to_lan: Send,
        to_host: Send,
        arm: Arm,
        *,
        clock: Callable[[], Instant] = monotonic_ns,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._tap, self._to_lan, self._to_host, self._arm = tap, to_lan, to_host, arm
        self._clock, self._lock = clock, lock or nullcontext()
        self._deadline: Instant | None = None
        self.closed = False

    def from_host(self, packets: Iterable[bytes]) -> None:
        """IP packets that the platform sends."""
        self._carry(packets, outward=True)

    def from_lan(self, frames: Iterable[bytes]) -> None:
        """Ethernet frames that came from the VPN."""
        self._carry(frames, outward=False)

    def poll(self) -> float | None:
        """Run what is due; the seconds after which to do it again. Too early is no harm."""
        with self._lock:
            if self.closed:
                return None
            now = self._clock()
            self._tap.poll(now)
            self._deadline = self._tap.next_deadline()
            self._arm(self._seconds(now))  # whatever is armed by now: a timer has fired
            self._send(self._tap.take_frames(), self._tap.take_packets())
            return self._seconds(now)  # as it is after the answers

    def stop(self) -> None:
        """Disarm the timer; whatever comes later is ignored. From anywhere, a sender included."""
        self.closed = True  # before the lock, so that those who crowd it leave at once
        with self._lock:
            self._arm(None)

    def _carry(self, data: Iterable[bytes], *, outward: bool) -> None:
        with self._lock:
            if self.closed:
                return
            tap, now = self._tap, self._clock()  # read inside the lock: time may not go back
            translate = tap.ip_to_ethernet if outward else tap.ethernet_to_ip
            frames: list[bytes] = []
            packets: list[bytes] = []
            out = frames if outward else packets
            take_frames, take_packets = tap.take_frames, tap.take_packets
            for each in data:
                answer = translate(each, now)
                if answer is not None:
                    out.append(answer)
                frames += take_frames()
                packets += take_packets()
            deadline = tap.next_deadline()
            if deadline != self._deadline:
                self._deadline = deadline
                self._arm(self._seconds(now))
            self._send(frames, packets)

    def _seconds(self, now: Instant) -> float | None:
        if self._deadline is None:
            return None
        return min(max(self._deadline - now, WAIT_MIN), WAIT_MAX) / SECOND

    def _send(self, frames: list[bytes], packets: list[bytes]) -> None:
        """Last of all: whoever is sent to may answer in the same breath, or fail."""
        if frames:
            self._to_lan(frames)
        if packets:
            self._to_host(packets)
