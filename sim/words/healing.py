"""What a scenario may say of its two phases: when what is broken is healed, and where."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from sim.words.quantities import Time, duration
from sim.words.tables import Few, Part, Pattern
from virtualtap.errors import UsageError


class Heal(Part, frozen=True, kw_only=True):
    """From `at` on nothing is wrong among the nodes of `core`; all else is cut off."""

    at: Time
    core: Annotated[tuple[Pattern, ...], Few, Meta(min_length=1)]


def check(heal: Heal | None, instants: Iterable[Time], until: Time) -> None:
    """UsageError where the heal never happens, or something of the timeline does after it."""
    if heal is None:
        return
    if duration(heal.at) >= duration(until):
        raise UsageError(
            f"`heal` at {heal.at} never happens", f"`until` is {until}, exclusive: let it be later"
        )
    for at in instants:
        if duration(at) > duration(heal.at):
            raise UsageError(
                f"`timeline` at {at} comes after the `heal` at {heal.at}",
                "what is broken is broken before",
            )


TABLES: dict[str, tuple[type[msgspec.Struct], ...]] = {"$.heal": (Heal,)}
