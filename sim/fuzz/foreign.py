"""Somebody else's translator in every tap, driven as ours is; what only ours tells is nothing."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import msgspec

from sim.apart import CRASH, EXIT, HANG, Bounds, Ended, apart
from sim.conformance.targets import is_foreign, target
from sim.conformance.verdicts import Unsupported
from sim.nodes.virtual_tap import Make
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.events import Event
from virtualtap.stats import Stats
from virtualtap.tap import Translator, VirtualTap
from virtualtap.units import Instant

# of a world with its code
BOUNDS = Bounds(seconds=10.0, cpu_seconds=10, memory=4 * 2**30, answer=4 * 2**20)

T = TypeVar("T")


def found_apart(do: Callable[[], T], kind: type[T]) -> T:
    """What `do` returns, done in a process of its own. Ended where nothing of the kind came."""
    said = apart(lambda _: msgspec.json.encode(do()), BOUNDS)
    try:
        return msgspec.json.decode(said, type=kind)
    except msgspec.MsgspecError:  # its code may have written where it should not
        raise Ended(EXIT, "0") from None


def signature(ended: Ended) -> str:
    """`hang`, `crash:SIGSEGV` or `exit`: alike, whatever the status."""
    if ended.how == HANG or ended.which == "SIGXCPU":
        return HANG
    return str(ended) if ended.how == CRASH else EXIT


@cache
def maker(name: str) -> Make:
    """What makes a tap's engine of a target: `engine`, `python:…`, `c:…`, `exec:…`. UsageError."""
    if name == "kernel":
        told = "`kernel` lives in real time, and a world does not"
        raise UsageError(told, "`vtap conform --target kernel` judges it")
    if not is_foreign(name):
        return VirtualTap
    make = target(name)
    return lambda config: Foreign(make(config), config)


class Foreign:
    """What it takes is consumed, whatever it holds; what it sends later is its own.

    Of one that cannot be told the time, no time passes.
    """

    def __init__(self, translator: Translator, config: TapConfig) -> None:
        self.config = config
        self.stats = Stats()
        self._translator = translator
        self._hears_time = True

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        if self._hears_time:
            try:
                return self._translator.ip_to_ethernet(packet, now)
            except Unsupported:
                self._hears_time = False
        return self._translator.ip_to_ethernet(packet)

    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None:
        if self._hears_time:
            try:
                return self._translator.ethernet_to_ip(frame, now)
            except Unsupported:
                self._hears_time = False
        return self._translator.ethernet_to_ip(frame)

    def poll(self, now: Instant) -> None:
        if self._hears_time:
            self._translator.poll(now)

    def next_deadline(self) -> Instant | None:
        return self._translator.next_deadline() if self._hears_time else None

    def take_frames(self) -> list[bytes]:
        return self._translator.take_frames()

    def take_packets(self) -> list[bytes]:
        return self._translator.take_packets()

    def take_events(self) -> list[Event]:
        return []

    def holding(self) -> int:
        return 0
