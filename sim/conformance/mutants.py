"""Wrong engines, one line each: every case must catch at least one, every one must be caught.

A mutant is a function from a configuration to a tap that has been made wrong in one way.
"""

import importlib
import pkgutil
from collections.abc import Callable

import sim.conformance
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap

Mutant = Callable[[TapConfig], VirtualTap]

MUTANTS: dict[str, Mutant] = {}


def mutant(make: Mutant) -> Mutant:
    """Register a wrong engine under its name, `learns-from-any-arp`."""
    name = make.__name__.replace("_", "-")
    assert name not in MUTANTS, f"two mutants are called {name}"
    MUTANTS[name] = make
    return make


def load() -> None:
    """Import every family's mutants."""
    for module in pkgutil.iter_modules(sim.conformance.__path__):
        if module.name.startswith("mutants_"):
            importlib.import_module(f"sim.conformance.{module.name}")


def family_of(make: Mutant) -> str:
    """The family whose cases are there to catch it: its module is `mutants_FAMILY…`."""
    return make.__module__.rpartition(".mutants_")[2].partition("_")[0]
