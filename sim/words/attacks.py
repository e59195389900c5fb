"""What a scenario may say of attackers: frames of their own making, false claims, rogue servers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sim.words.quantities import Time, duration
from sim.words.tables import Few, Part, Pattern
from virtualtap.errors import UsageError

SHOTS_MAX = 10_000  # frames of one entry of the timeline
FRAME = r"^([0-9A-Fa-f]{2})+\Z"
FRAME_MAX = 65_535  # bytes

Times = Annotated[int, Meta(ge=1, le=SHOTS_MAX)]
Frame = Annotated[str, Meta(pattern=FRAME, max_length=2 * FRAME_MAX)]


class Volley(Part, frozen=True, kw_only=True, rename={"from_": "from", "as_": "as"}):
    """Who sends frames that nobody's stack would: one now, the next after `every`."""

    from_: Pattern
    every: Time = "1s"
    times: Times = 1


class Inject(Volley, frozen=True, kw_only=True):
    """These frames, one after another; all of them `times` times. A host's are IP packets."""

    frames: Annotated[tuple[Frame, ...], Few, Meta(min_length=1)]
    every: Time = "1ms"


class Spoof(Volley, frozen=True, kw_only=True):
    """The address of `claims` is at the MAC of `from`: told to one, or to `all`."""

    claims: Pattern
    to: Pattern
    family: Literal[4, 6] = 4
    as_: Literal["reply", "request", "advertisement"] | None = None


class Flap(Volley, frozen=True, kw_only=True):
    """Frames with the source MAC of `of`."""

    of: Pattern


class RepeatArp(Volley, frozen=True, kw_only=True):
    """ARP frames that `from` heard before, the oldest first."""


class Storm(Volley, frozen=True, kw_only=True):
    """Broadcasts."""

    times: Times
    every: Time = "1ms"


class Rogue(Part, frozen=True, kw_only=True):
    """A station leases addresses, with itself as the gateway, until `stop`."""

    node: Pattern
    first: Pattern | None = None  # None: from .200.1 of its /16 on
    last: Pattern | None = None  # None: up to .200.254
    lease: Time = "1h"
    stop: Time | None = None  # None: the end of the run


class Duplicate(Part, frozen=True, kw_only=True):
    """From now on a station has the address, or the MAC, of `of` too."""

    node: Pattern
    of: Pattern
    what: Literal["address", "mac"] = "address"


KEYS = ("inject", "spoof", "flap", "repeat_arp", "storm", "rogue", "duplicate")  # of the timeline


def check(at: Time, words: object) -> None:
    """UsageError for what is too much, or never begins; other words than these pass."""
    count = shots(words)
    if count > SHOTS_MAX:
        raise UsageError(
            f"`timeline` at {at}: {count} frames are injected", f"at most {SHOTS_MAX} are allowed"
        )
    if isinstance(words, Volley) and words.times > 1 and duration(words.every) == 0:
        raise UsageError(f"`timeline` at {at}: `every` is 0", "give the next some time: `1us`")
    if isinstance(words, Rogue) and words.stop is not None and duration(words.stop) <= duration(at):
        raise UsageError(
            f"`timeline` at {at}: the `rogue` stops at {words.stop}", "let it `stop` later"
        )


def shots(words: object) -> int:
    """How many frames an attacker sends; 0 where it only answers."""
    if not isinstance(words, Volley):
        return 0
    return words.times * (len(words.frames) if isinstance(words, Inject) else 1)


TABLES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "$.timeline[...].inject": (Inject,),
    "$.timeline[...].spoof": (Spoof,),
    "$.timeline[...].flap": (Flap,),
    "$.timeline[...].repeat-arp": (RepeatArp,),
    "$.timeline[...].storm": (Storm,),
    "$.timeline[...].rogue": (Rogue,),
    "$.timeline[...].duplicate": (Duplicate,),
}
