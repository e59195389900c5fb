"""Cases by family: registered by `@clause`, found by importing `sim.conformance.cases`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from sim.conformance import cases as _cases
from sim.conformance.script import Script

Play = Callable[[Script], object]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what a clause demands, and the script that shows it."""

    id: str  # family/what-is-so
    family: str
    source: str  # "RFC 826, Packet Reception"
    meaning: str  # one sentence
    aliases: tuple[str, ...]  # TC8:ARP_36, IWL:023, v6LC.2.1.5
    play: Play


_REGISTERED: dict[str, Case] = {}


def clause(source: str, meaning: str, *aliases: str) -> Callable[[Play], Play]:
    """Register a case: `@clause("RFC 826, Packet Reception", "a request for us is answered")`."""

    def register(play: Play) -> Play:
        family = play.__module__.rpartition(".")[2].partition("_")[0]
        name = f"{family}/{play.__name__.replace('_', '-')}"
        assert name not in _REGISTERED, f"two cases are called {name}"
        _REGISTERED[name] = Case(name, family, source, meaning, aliases, play)
        return play

    return register


def cases(family: str | None = None) -> list[Case]:
    """All cases, or those of one family, in the order of their files."""
    for module in pkgutil.iter_modules(_cases.__path__):
        importlib.import_module(f"{_cases.__name__}.{module.name}")
    in_order = sorted(_REGISTERED.values(), key=lambda case: case.play.__module__)
    return [case for case in in_order if family in (None, case.family)]
