"""File descriptors of whole packets: Android's VpnService, Linux' TUN, sockets of datagrams."""

import errno
import os
from collections import Counter
from collections.abc import Callable
from selectors import EVENT_READ, DefaultSelector
from time import monotonic_ns
from typing import Literal, Protocol, TypeAlias

from virtualtap.drivers.contract import Driver
from virtualtap.tap import Translator
from virtualtap.units import Instant

LENGTH_MAX = 0x10000 + 64  # one read: the longest IP packet and what may stand before it
BATCH_MAX = 64  # reads in a row, so that neither side nor the timer starves
DOWN = (errno.EIO, getattr(errno, "EBADFD", errno.EIO))  # EBADFD: Linux' TUN that was deleted

Ended: TypeAlias = Literal["host down", "lan down", "stopped"]


class Channel(Protocol):
    """One side of a tap: what `carry` asks of it, and `Descriptor` gives."""

    def fileno(self) -> int:
        """The descriptor to watch."""

    def read(self) -> list[bytes] | None:
        """What is there now, without waiting; None: the link is down, nothing will come."""

    def write(self, batch: list[bytes]) -> object:
        """Send packets or frames, or lose them, without waiting."""


class Descriptor:
    """A descriptor where one read is one packet or frame, and so is one write; non-blocking.

    A link that takes no more loses packets, as any link does: `lost` counts them by the name of
    the error (`EAGAIN`: full; `EIO`: a TUN that is not up), or as `short` where only a part was
    taken. Whoever opened the descriptor closes it.
    """

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self.lost: Counter[str] = Counter()

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._fd

    def read(self) -> list[bytes] | None:
        """Up to `BATCH_MAX` packets that are there; None at the end of file, and for `DOWN`.

        An empty datagram reads like an end: give strangers no datagram socket of yours to write to.
        """
        read, fd = os.read, self._fd
        batch: list[bytes] = []
        try:
            while len(batch) < BATCH_MAX:
                data = read(fd, LENGTH_MAX)
                if not data:
                    return batch or None  # the next read says it again
                batch.append(data)
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in DOWN:
                raise
            return batch or None
        return batch

    def write(self, batch: list[bytes]) -> None:
        """Send packets or frames; each that is not taken whole is counted in `lost`."""
        write, fd = os.write, self._fd
        for data in batch:
            try:
                if write(fd, data) < len(data):
                    self.lost["short"] += 1
            except OSError as error:  # a descriptor that is gone says so when it is read
                self.lost[errno.errorcode.get(error.errno or 0, "unknown")] += 1


def carry(
    tap: Translator,
    host: Channel,
    lan: Channel,
    *,
    until: int | None = None,
    clock: Callable[[], Instant] = monotonic_ns,
) -> Ended:
    """Carry everything between two channels until one goes down; says which.

    "stopped" as soon as the descriptor `until` can be read: a pipe that another thread or a signal
    handler writes to, or closes. OSError from a channel.
    """
    driver = Driver(tap, lan.write, host.write, lambda _: None, clock=clock)
    with DefaultSelector() as selector:
        selector.register(host.fileno(), EVENT_READ, ("host down", host.read, driver.from_host))
        selector.register(lan.fileno(), EVENT_READ, ("lan down", lan.read, driver.from_lan))
        if until is not None:
            selector.register(until, EVENT_READ, ("stopped", lambda: None, None))
        while True:
            for key, _ in selector.select(driver.poll()):
                end: Ended
                end, read, give = key.data
                batch = read()
                if batch is None:
                    return end
                give(batch)
