"""The tap in an asyncio event loop: its clock, its timers, its one thread."""

from asyncio import TimerHandle, get_running_loop

from virtualtap.drivers.contract import Driver, Send
from virtualtap.tap import Translator
from virtualtap.units import SECOND


def carry(tap: Translator, to_lan: Send, to_host: Send) -> Driver:
    """A driver in the loop that runs, to be called in its thread only; time is the loop's.

    RuntimeError where no loop runs.
    """
    loop = get_running_loop()
    timer: TimerHandle | None = None

    def arm(seconds: float | None) -> None:
        nonlocal timer
        if timer is not None:
            timer.cancel()
        timer = None if seconds is None else loop.call_later(seconds, driver.poll)

    driver = Driver(tap, to_lan, to_host, arm, clock=lambda: int(loop.time() * SECOND))
    driver.poll()
    return driver
