"""The bug museum: regressions from public threads, each a case and the wrong engine it is about."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.conformance.mutants import Mutant, mutant
from sim.conformance.registry import ALL, Play, clause

PREDECESSORS = "SoftEtherUnofficial"  # measured by us; there is no thread


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One mistake that was made, and where it was told."""

    name: str  # museum/what-is-so
    thread: str  # owner/repository#number, or owner/repository
    symptom: str  # one sentence
    rule: str  # "RFC 826, Packet Reception"

    @property
    def link(self) -> str:
        """Where to read it; GitHub leads from an issue's number to a pull request by itself."""
        return "https://github.com/" + self.thread.replace("#", "/issues/")


EXHIBITS: dict[str, Exhibit] = {}
BUGS: dict[str, str] = {}  # case → the mutant that remakes its bug


def exhibit(
    thread: str, rule: str, meaning: str, profiles: tuple[str, ...] = ALL
) -> Callable[[Play], Play]:
    """Register a case of the museum: its clause is the thread, its docstring the symptom."""

    def register(play: Play) -> Play:
        name = _name(play.__name__)
        EXHIBITS[name] = Exhibit(name, thread, (play.__doc__ or "").strip(), rule)
        return clause(thread, f"{meaning} ({rule})", profiles=profiles)(play)

    return register


def bug(case: str) -> Callable[[Mutant], Mutant]:
    """Register the wrong engine that a case of the museum, by its function's name, is about."""

    def register(make: Mutant) -> Mutant:
        assert _name(case) not in BUGS, f"two mutants are the bug of {case}"
        make.__name__ = f"museum_{make.__name__}"  # a name that no other family has
        BUGS[_name(case)] = make.__name__.replace("_", "-")
        return mutant(make)

    return register


def _name(function: str) -> str:
    return f"museum/{function.replace('_', '-')}"
