"""Cases by family: registered by `@clause`, found by importing `sim.conformance.cases`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from sim.conformance import cases as _cases
from sim.conformance.otherwise import manners
from sim.conformance.script import Script
from virtualtap.profiles import PROFILES

Play = Callable[[Script], object]
ALL = tuple(PROFILES)


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what a clause demands, and the script that shows it."""

    id: str  # family/what-is-so
    family: str
    source: str  # "RFC 826, Packet Reception"
    meaning: str  # one sentence
    aliases: tuple[str, ...]  # TC8:ARP_36, IWL:023, v6LC.2.1.5
    play: Play
    profiles: tuple[str, ...] = ALL  # under which it is demanded; the others have another manner

    def manner(self, profile: str) -> str:
        """What a profile does instead that does not follow this case."""
        return manners(self.id).get(profile) or f"this is a manner of {', '.join(self.profiles)}"


_REGISTERED: dict[str, Case] = {}


def clause(
    source: str, meaning: str, *aliases: str, profiles: tuple[str, ...] = ALL
) -> Callable[[Play], Play]:
    """Register a case: `@clause("RFC 826, Packet Reception", "a request for us is answered")`.

    `profiles`: whose manner it is, where it is not everybody's; `otherwise` says who has another.
    """

    def register(play: Play) -> Play:
        family = play.__module__.rpartition(".")[2].partition("_")[0]
        name = f"{family}/{play.__name__.replace('_', '-')}"
        assert name not in _REGISTERED, f"two cases are called {name}"
        followed = tuple(each for each in profiles if each not in manners(name))
        _REGISTERED[name] = Case(name, family, source, meaning, aliases, play, followed)
        return play

    return register


def cases(family: str | None = None) -> list[Case]:
    """All cases, or those of one family, in the order of their files."""
    for module in pkgutil.iter_modules(_cases.__path__):
        importlib.import_module(f"{_cases.__name__}.{module.name}")
    in_order = sorted(_REGISTERED.values(), key=lambda case: case.play.__module__)
    return [case for case in in_order if family in (None, case.family)]
