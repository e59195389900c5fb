"""The lock around a tap: many threads may call, one at a time comes in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from time import monotonic_ns

from virtualtap.drivers.contract import Driver, Send
from virtualtap.tap import Translator
from virtualtap.units import Instant

JOIN = 2.0  # seconds that the end waits for a sender that does not return


@contextmanager
def carry(
    tap: Translator,
    to_lan: Send,
    to_host: Send,
    *,
    clock: Callable[[], Instant] = monotonic_ns,
) -> Iterator[Driver]:
    """A driver that any thread may call, while a thread of its own waits for the timer.

    `to_lan` and `to_host` are called with the lock held, so that the order stays: let them write or
    queue, and never wait for another thread that calls this driver. Who is sent to may answer in
    the same breath. After the `with` nothing is sent, unless by one that hung longer than `JOIN`.
    """
    changed = Condition()  # its lock may be taken again by the thread that holds it
    driver = Driver(tap, to_lan, to_host, lambda _: changed.notify(), clock=clock, lock=changed)

    def wait() -> None:
        with changed:
            seconds = driver.poll()
            while not driver.closed:
                changed.wait(seconds)
                seconds = driver.poll()

    thread = Thread(target=wait, name="virtualtap-timer", daemon=True)
    thread.start()
    try:
        yield driver
    finally:
        driver.closed = True  # those who crowd the lock leave at once
        if changed.acquire(timeout=JOIN):
            driver.stop()
            changed.release()
            thread.join(JOIN)
