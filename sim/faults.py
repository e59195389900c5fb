"""What can happen to a frame: a function from one frame to the deliveries it becomes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from sim.reasons import Reason
from sim.rng import Stream
from virtualtap.units import Duration, Instant

if TYPE_CHECKING:
    from sim.link import Direction

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
        return ((0, flipped(frame, rng.below(len(frame) * 8))),)


@dataclass(frozen=True, slots=True)
class Truncation:
    """The frame arrives cut to a shorter length, at least one byte, each length alike."""

    name: ClassVar[str] = "truncation"
    probability: float

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        if len(frame) < 2 or not rng.chance(self.probability):
            return ((0, frame),)
        return ((0, frame[: 1 + rng.below(len(frame) - 1)]),)


@dataclass(frozen=True, slots=True)
class Mtu:
    """A frame longer than `most` bytes does not arrive, and nobody is told: a black hole."""

    name: ClassVar[str] = "mtu"
    most: int

    def apply(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        return () if len(frame) > self.most else ((0, frame),)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one frame: first its bit is flipped, then it is cut, late, repeated."""

    lost: bool = False
    copies: int = 1
    late: Duration = 0
    flip: int | None = None  # the bit, the first of the frame is 0
    cut: int | None = None  # bytes that are left

    def of(self, frame: bytes) -> Sequence[Delivery]:
        """The deliveries. What a frame is too short for does not happen to it."""
        if self.lost:
            return ()
        if self.flip is not None and self.flip < len(frame) * 8:
            frame = flipped(frame, self.flip)
        return ((self.late, frame[: self.cut]),) * self.copies


@dataclass(frozen=True, slots=True)
class Exactly:
    """Decisions made before, of one way: the frame of each number, from 1, becomes what is said.

    All others arrive.
    """

    name: ClassVar[str] = "exactly"
    outcomes: tuple[tuple[int, Outcome], ...]
    _of: dict[int, Outcome] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_of", dict(self.outcomes))

    def nth(self, number: int, frame: bytes) -> Sequence[Delivery]:
        """What the frame of this number becomes."""
        outcome = self._of.get(number)
        return ((0, frame),) if outcome is None else outcome.of(frame)


@dataclass(frozen=True, slots=True)
class Toward:
    """A fault that befalls only what is on its way to the node of this name."""

    fault: Fault | Exactly
    node: str

    @property
    def name(self) -> str:
        """As the fault's."""
        return self.fault.name


Trouble: TypeAlias = Fault | Exactly | Toward  # what a link may have


class Spell:
    """A fault at work on one way, since `began` (-1: before the run), and how much it has seen."""

    __slots__ = ("began", "fault", "reason", "seen")

    def __init__(self, fault: Fault | Exactly, began: Instant) -> None:
        self.fault, self.began, self.seen = fault, began, 0
        self.reason = Reason.LINK_MTU if isinstance(fault, Mtu) else Reason.LINK_LOSS

    def befall(self, frame: bytes, rng: Stream) -> Sequence[Delivery]:
        """What becomes of the next frame."""
        self.seen += 1
        fault = self.fault
        return (
            fault.nth(self.seen, frame) if isinstance(fault, Exactly) else fault.apply(frame, rng)
        )


class Recorder(Protocol):
    """Is told what faults decide."""

    def decided(
        self, way: "Direction", spell: Spell, frame: bytes, become: Sequence[Delivery]
    ) -> None:
        """On this way the spell has let its latest frame, number `seen`, become that."""


def spells(
    before: Sequence[Spell], troubles: Sequence[Trouble], toward: str, now: Instant
) -> list[Spell]:
    """Those at work on the way to the node `toward`: what is there already goes on."""
    there = list(before)
    found = []
    for fault in _of_way(troubles, toward):
        spell = next((one for one in there if one.fault is fault), None)
        if spell is None:
            spell = Spell(fault, now)
        else:
            there.remove(spell)
        found.append(spell)
    return found


def ended(
    troubles: Sequence[Trouble], name: str, ends: Sequence[str], toward: str | None
) -> tuple[Trouble, ...]:
    """What is left when the faults of this name end, on a link of these two nodes.

    With `toward` they end on the way to that node alone.
    """
    left: list[Trouble] = []
    for trouble in troubles:
        if trouble.name != name:
            left.append(trouble)
        elif toward is not None and not isinstance(trouble, Toward):
            left += [Toward(trouble, node) for node in ends if node != toward]
        elif isinstance(trouble, Toward) and toward not in (None, trouble.node):
            left.append(trouble)
    return tuple(left)


def flipped(frame: bytes, bit: int) -> bytes:
    """The frame with this bit wrong; the first is 0."""
    changed = bytearray(frame)
    changed[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(changed)


def _of_way(troubles: Sequence[Trouble], toward: str) -> Iterator[Fault | Exactly]:
    for trouble in troubles:
        if not isinstance(trouble, Toward):
            yield trouble
        elif trouble.node == toward:
            yield trouble.fault
