"""What an observer sees: moments, in the order in which they happen."""

from enum import StrEnum
from typing import NamedTuple

from virtualtap.units import Instant


class Kind(StrEnum):
    """What happened."""

    SENT = "sent"  # a port gave a frame to its link; `where` is the sending port
    ARRIVED = "arrived"  # a frame came out of a link; `where` is the receiving port
    DROPPED = "dropped"  # a node refused it (`where`: the port it came in by) or a link lost it
    NOTED = "noted"  # a node reports a fact; `where` is the node

    __hash__ = str.__hash__  # that of an Enum is slow, and the judges look every moment up


class Moment(NamedTuple):
    """One thing that happened to one frame (or packet, on an IP link)."""

    at: Instant
    kind: Kind
    where: str  # a port is named "node.port", a node by its name
    data: bytes
    why: str = ""  # DROPPED: the reason; NOTED: the fact in words


class Observer:
    """Sees every moment of a run. Probes measure, the capture records, the digest sums up."""

    def see(self, moment: Moment) -> None:
        """One moment, after every earlier one."""

    def finish(self, now: Instant) -> None:
        """The run has ended at `now`."""


class Handed:
    """Holds an arrival back until the next moment shows whether it was refused on the spot.

    A node deals with what arrives at once: if it refuses it, that is the very next moment.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: Moment | None = None

    def hold(self, arrival: Moment) -> None:
        """This arrived; what `before` or `last` gives next is it, unless it is refused."""
        self._held = arrival

    def before(self, moment: Moment) -> Moment | None:
        """What had arrived before `moment` and was not refused by it; each only once."""
        held, self._held = self._held, None
        if held is not None and moment.kind is Kind.DROPPED and moment.where == held.where:
            return None
        return held

    def last(self) -> Moment | None:
        """What arrived last; nothing more is said of it now."""
        held, self._held = self._held, None
        return held
