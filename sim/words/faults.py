"""What a scenario may say of links that clog or are moved, and of clocks that are not right."""

from typing import Annotated

import msgspec
from msgspec import Meta

from sim.words.quantities import Time
from sim.words.tables import Part, Pattern

PPM_MOST = 100_000  # a tenth: no clock of any machine is so wrong


class Move(Part, frozen=True, kw_only=True):
    """Stations, gateways or taps are plugged into another hub or switch."""

    node: Pattern
    to: Annotated[str, Meta(min_length=1, max_length=256)]


class Clog(Part, frozen=True, kw_only=True):
    """Links keep what is sent: one after another within `over`, all for `hold`, then none."""

    links: Pattern
    over: Time = "0s"
    hold: Time


class Skew(Part, frozen=True, kw_only=True):
    """Clocks gain so many millionths, or lose them."""

    node: Pattern
    ppm: Annotated[int, Meta(ge=-PPM_MOST, le=PPM_MOST)]


TABLES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "$.timeline[...].move": (Move,),
    "$.timeline[...].clog": (Clog,),
    "$.timeline[...].skew": (Skew,),
}
