"""What can happen to a frame: a function from one frame to the deliveries it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from sim.rng import Stream
from virtualtap.units import Duration

Delivery: TypeAlias = tuple[Duration, bytes]  # (extra delay, the bytes that arrive)


class Fault(Protocol):
    """Frozen, so that it prints, compares and serialises; draws only from the stream given."""

    name: ClassVar[str]

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]: ...


@dataclass(frozen=True, slots=True)
class Loss:
    """The frame does not arrive."""

    name: ClassVar[str] = "loss"
    probability: float

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        return () if rng.chance(self.probability) else ((0, frame),)


@dataclass(frozen=True, slots=True)
class Jitter:
    """Every frame is late by up to `most`, each delay alike; so frames may pass each other."""

    name: ClassVar[str] = "jitter"
    most: Duration

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        return ((rng.below(self.most + 1), frame),)


@dataclass(frozen=True, slots=True)
class Duplication:
    """The frame arrives twice at the same instant."""

    name: ClassVar[str] = "duplication"
    probability: float

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        once = (0, frame)
        return (once, once) if rng.chance(self.probability) else (once,)


@dataclass(frozen=True, slots=True)
class Reordering:
    """Now and then a frame is held long enough for later ones to pass."""

    name: ClassVar[str] = "reordering"
    probability: float
    hold: Duration

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        return ((self.hold if rng.chance(self.probability) else 0, frame),)


@dataclass(frozen=True, slots=True)
class BitFlip:
    """One bit, any of them, arrives wrong. There is no frame check sequence to notice it."""

    name: ClassVar[str] = "bit-flip"
    probability: float

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        if not frame or not rng.chance(self.probability):
            return ((0, frame),)
        bit = rng.below(len(frame) * 8)
        flipped = bytearray(frame)
        flipped[bit >> 3] ^= 0x80 >> (bit & 7)
        return ((0, bytes(flipped)),)


@dataclass(frozen=True, slots=True)
class Truncation:
    """The frame arrives cut to a shorter length, at least one byte, each length alike."""

    name: ClassVar[str] = "truncation"
    probability: float

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        if len(frame) < 2 or not rng.chance(self.probability):
            return ((0, frame),)
        return ((0, frame[: 1 + rng.below(len(frame) - 1)]),)


FAULTS: dict[str, type[Fault]] = {
    fault.name: fault for fault in (Loss, Jitter, Duplication, Reordering, BitFlip, Truncation)
}
