"""All cases against all targets and profiles, and against the mutants: rows of outcomes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from sim.conformance.isolation import judge_apart
from sim.conformance.mutants import MUTANTS, family_of, load
from sim.conformance.registry import Case, cases
from sim.conformance.script import Make
from sim.conformance.target_kernel import judge_in_time
from sim.conformance.targets import is_foreign, target
from sim.conformance.verdicts import Outcome, Verdict, judge
from virtualtap.errors import UsageError
from virtualtap.profiles import PROFILES
from virtualtap.tap import VirtualTap

_BAD = (Verdict.FAIL, Verdict.ERROR)
_CHUNK = 64  # cases that a worker takes at once; fewer are not worth a worker


@dataclass(slots=True)
class Judgement:
    """Every case's outcome in each column: a target under a profile.

    None: the profile has another manner there, so the case is not for it.
    """

    cases: list[Case]
    outcomes: dict[str, list[Outcome | None]] = field(default_factory=dict)  # column → as `cases`
    killed: dict[str, list[str]] | None = None  # mutant → ids of the cases that it fails
    profiles: dict[str, str] = field(default_factory=dict)  # column → its profile

    def found(self, column: str) -> list[Outcome]:
        """The outcomes of the cases that are for this column."""
        return [one for one in self.outcomes[column] if one is not None]

    def failures(self) -> Iterator[tuple[str, Outcome]]:
        """Each fail and error, with its column."""
        for column in self.outcomes:
            yield from ((column, one) for one in self.found(column) if one.verdict in _BAD)

    def summary(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        counts, failures, others = {}, {}, {}
        for column, outcomes in self.outcomes.items():
            found = [one.verdict for one in self.found(column)]
            counts[column] = {verdict.value: found.count(verdict) for verdict in Verdict}
            failures[column] = {
                one.case.id: one.why for one in self.found(column) if one.verdict in _BAD
            }
            pairs = zip(self.cases, outcomes, strict=True)
            others[column] = [case.id for case, one in pairs if one is None]
        found_all: dict[str, Any] = {
            "schema": 1,
            "cases": len(self.cases),
            "clauses": len({case.source for case in self.cases}),
            "stimuli": len({case.id for case in self.cases}),
            "verdicts": counts,
            "failures": failures,
            "not_applicable": others,
        }
        if self.killed is not None:
            useful = {one for ids in self.killed.values() for one in ids}
            found_all["mutants"] = len(self.killed)
            found_all["killed"] = sum(bool(ids) for ids in self.killed.values())
            found_all["survivors"] = sorted(name for name, ids in self.killed.items() if not ids)
            found_all["idle_cases"] = [case.id for case in self.cases if case.id not in useful]
        return found_all

    def failed(self) -> bool:
        """Whether any verdict is a fail or an error, or a mutant survived."""
        if next(self.failures(), None) is not None:
            return True
        return self.killed is not None and not all(self.killed.values())


def conform(
    names: Sequence[str],
    family: str | None = None,
    *,
    profiles: Sequence[str] = ("strict",),
    mutants: bool = False,
) -> Judgement:
    """Judge each target under each profile by all cases of a family, or all.

    UsageError for a wrong target, family or profile.
    """
    chosen = cases(family)
    if not chosen:
        known = dict.fromkeys(case.family for case in cases())
        raise UsageError(f"no family is named `{family!s:.60}`", f"there are {', '.join(known)}")
    for profile in profiles:
        if profile not in PROFILES:
            hint = f"there are {', '.join(PROFILES)}"
            raise UsageError(f"no profile is named `{profile:.60}`", hint)
    judgement = Judgement(chosen)
    found: dict[str, list[Outcome]] = {}
    columns = {_column(name, each): (name, each) for name in names for each in profiles}
    for column, (name, profile) in columns.items():  # forks, so before any worker starts
        if name != "engine":
            asked = [case for case in chosen if profile in case.profiles]
            found[column] = _theirs(name, asked, profile)
    with ProcessPoolExecutor() as pool:
        ours = {
            column: _ours(pool, [case for case in chosen if profile in case.profiles], profile)
            for column, (name, profile) in columns.items()
            if name == "engine"
        }
        found |= {column: list(outcomes) for column, outcomes in ours.items()}
        if mutants:
            judgement.killed = _killed(pool, chosen, family)
    for column, (_, profile) in columns.items():
        outcomes = iter(found[column])
        judgement.outcomes[column] = [
            next(outcomes) if profile in case.profiles else None for case in chosen
        ]
        judgement.profiles[column] = profile
    return judgement


def _theirs(name: str, asked: list[Case], profile: str) -> list[Outcome]:
    make = target(name)
    if name == "kernel":
        return judge_in_time(asked, make, profile)
    play = judge_apart if is_foreign(name) else judge
    return [play(case, make, profile) for case in asked]


def _column(name: str, profile: str) -> str:
    return name if profile == "strict" else f"{name} ({profile})"


def _ours(pool: Executor, asked: list[Case], profile: str) -> Iterator[Outcome]:
    """The engine's outcomes in order; a worker for each core where there is enough to do."""
    if len(asked) < 2 * _CHUNK:
        return iter([judge(case, VirtualTap, profile) for case in asked])
    return pool.map(_judge_ours, asked, repeat(profile), chunksize=_CHUNK)


def _judge_ours(case: Case, profile: str) -> Outcome:
    return judge(case, VirtualTap, profile)


def _killed(pool: Executor, chosen: list[Case], family: str | None) -> dict[str, list[str]]:
    """Mutant → ids of cases that it fails. Once a case and a mutant are of use, that is enough.

    Each mutant meets the cases of its own family, and the others only if it passes all of these;
    a case that caught none of them then meets every mutant. Of one family only its own mutants.
    """
    load()
    names = [name for name in MUTANTS if family in (None, family_of(MUTANTS[name]))]
    ids = pool.map(_killers, names, repeat(family), chunksize=4)
    killed = dict(zip(names, ids, strict=True))
    useful = {one for found in killed.values() for one in found}
    idle = [case for case in chosen if case.id not in useful]
    for case, name in zip(idle, pool.map(_killed_by, idle, repeat(names)), strict=True):
        if name is not None:
            killed[name].append(case.id)
    return killed


def _killers(name: str, family: str | None) -> list[str]:
    load()
    make = MUTANTS[name]
    own = family_of(make)
    among = cases(family)
    near = [case for case in among if case.family == own]
    found = [case.id for case in near if fails(case, make)]
    return found or [case.id for case in among if case.family != own and fails(case, make)]


def _killed_by(case: Case, names: list[str]) -> str | None:
    load()
    return next((name for name in names if fails(case, MUTANTS[name])), None)


def fails(case: Case, make: Make) -> bool:
    """Under `strict`, or under each profile where that has another manner."""
    profiles = case.profiles[:1] if "strict" in case.profiles else case.profiles
    return any(judge(case, make, profile).verdict in _BAD for profile in profiles)
