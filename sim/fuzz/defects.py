"""Planted defects: one part is wrong in one way, often as it once was in public, until put right.

A campaign that finds none of them proves nothing: `vtap fuzz --defect NAME` shows what it finds.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal, TypeAlias

import sim.fuzz
from virtualtap.errors import UsageError

Part: TypeAlias = Literal["engine", "hub", "hosts", "links"]
Wrong: TypeAlias = Callable[..., Any]  # the right function, then what it is called with


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong, in one sentence; whose mistake it was; and the law that should notice."""

    name: str
    says: str
    part: Part
    thread: str  # `owner/repo#number`, a standard, or empty
    law: str  # a name of `INVARIANTS`, or `exception`
    owner: Any  # a class or a module
    attribute: str
    wrong: Wrong


DEFECTS: dict[str, Defect] = {}


def plants(owner: Any, attribute: str, *, law: str, thread: str = "") -> Callable[[Wrong], Wrong]:
    """Register a function that takes the place of `owner.attribute`.

    Its name is the defect's, its docstring the sentence, its module the part: `defects_PART`.
    """

    def register(wrong: Wrong) -> Wrong:
        name = wrong.__name__.replace("_", "-")
        assert name not in DEFECTS, f"two defects are called {name}"
        part: Any = wrong.__module__.rpartition("defects_")[2]
        says = " ".join((wrong.__doc__ or "").split())
        DEFECTS[name] = Defect(name, says, part, thread, law, owner, attribute, wrong)
        return wrong

    return register


@cache
def load() -> dict[str, Defect]:
    """Every defect by name."""
    for module in pkgutil.iter_modules(sim.fuzz.__path__):
        if module.name.startswith("defects_"):
            importlib.import_module(f"sim.fuzz.{module.name}")
    return DEFECTS


def found(name: str) -> Defect:
    """The defect of this name. UsageError lists what is close."""
    defects = load()
    if name not in defects:
        close = get_close_matches(name[:64], defects, 1)
        hint = f"did you mean `{close[0]}`? " if close else ""
        raise UsageError(
            f"there is no defect `{name:.60}`", f"{hint}there are {', '.join(defects)}"
        )
    return defects[name]


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """That part is wrong inside, and right again afterwards; None: nothing is.

    Whatever is built inside is wrong for its whole life. UsageError for a name that is none.
    """
    if name is None:
        yield
        return
    defect = found(name)
    right = getattr(defect.owner, defect.attribute)

    def wrong(*args: Any, **kwargs: Any) -> Any:
        return defect.wrong(right, *args, **kwargs)

    setattr(defect.owner, defect.attribute, wrong)
    try:
        yield
    finally:
        setattr(defect.owner, defect.attribute, right)
