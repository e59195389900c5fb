"""Defects of links: frames that vanish, overtake, come after a cut, or come cut short."""

from collections.abc import Callable

from sim.fuzz.defects import plants
from sim.link import Direction
from virtualtap.units import Instant

_LONG = 1400  # bytes


@plants(Direction, "arrive", law="ledger")
def loses_without_a_word(right: Callable[..., None], way: Direction, frame: bytes) -> None:
    """The second frame of each way of a link does not arrive, and nobody counts it."""
    if way.sent != 2:
        right(way, frame)


@plants(Direction, "arrive", law="links-are-faithful")
def cuts_long_frames(right: Callable[..., None], way: Direction, frame: bytes) -> None:
    """Frames of more than 1,400 bytes arrive without what is beyond."""
    right(way, frame[:_LONG] if len(frame) > _LONG else frame)


@plants(Direction, "lose_in_flight", law="links-are-faithful")
def delivers_after_the_cut(_: Callable[..., None], way: Direction) -> None:
    """What is on a link when it goes down arrives all the same."""
    way.free_at = 0


@plants(Direction, "put", law="links-are-faithful")
def lets_short_ones_pass(
    right: Callable[..., Instant | None], way: Direction, frame: bytes
) -> Instant | None:
    """No frame waits until the wire is free: a short one is there before a long one."""
    way.free_at = 0
    return right(way, frame)
