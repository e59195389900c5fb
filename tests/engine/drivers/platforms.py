"""Fakes of the platforms: a clock that jumps, a flow of packets, a wire with two ends."""

import selectors
import socket
from collections.abc import Callable

from tests.builders import OUR_IP, PEER, packet
from virtualtap import SECOND
from virtualtap.drivers.descriptor import Descriptor
from virtualtap.wire.ipv4 import DONT_FRAGMENT

START = 100 * SECOND  # any clock's beginning is long past
TOO_BIG = packet(PEER, OUR_IP, bytes(2_000), fragment=DONT_FRAGMENT)  # may not be cut: RFC 1191


class Clock:
    """Stands still until somebody waits."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def seconds(self) -> float:
        return self.now / SECOND


class JumpingSelector(selectors.SelectSelector):
    """Whoever would wait finds that the time is over; nobody waits for ever, or not at all."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def select(self, timeout: float | None = None):
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "it would wait for ever"
            self.clock.now += max(0, round(timeout * SECOND))
        return ready


class Insatiable:
    """A translator that is due whenever it is asked: not ours, and wrong."""

    def __init__(self) -> None:
        self.polls: list[int] = []

    def ip_to_ethernet(self, packet: bytes, now: int | None = None) -> bytes | None:
        return None

    ethernet_to_ip = ip_to_ethernet

    def poll(self, now: int) -> None:
        self.polls.append(now)

    def next_deadline(self) -> int:
        return START

    def take_frames(self) -> list[bytes]:
        return []

    take_packets = take_frames


class Flow:
    """An iOS packet flow: it keeps the handler and what is written."""

    def __init__(self) -> None:
        self.handlers: list[Callable] = []
        self.written: list[tuple[list[bytes], list[int]]] = []

    def read_packets(self, handler: Callable) -> None:
        self.handlers.append(handler)

    def write_packets(self, packets: list[bytes], families: list[int]) -> None:
        self.written.append((packets, families))

    def give(self, packets: list[bytes], families: list[int]) -> None:
        (handler,) = self.handlers
        self.handlers.clear()
        handler(packets, families)


class Wire:
    """A link of whole messages: `far` is the platform's end, `near` ours."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.far.setblocking(False)
        self.side = Descriptor(self.near.fileno())

    def received(self) -> list[bytes]:
        taken = []
        while True:
            try:
                data = self.far.recv(0x10000)
            except BlockingIOError:
                data = b""
            if not data:
                return taken
            taken.append(data)

    def close(self) -> None:
        self.near.close()
        self.far.close()
