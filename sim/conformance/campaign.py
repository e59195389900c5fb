"""All cases against all targets, and against the mutants: rows of outcomes."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sim.conformance.isolation import judge_apart
from sim.conformance.mutants import MUTANTS, load
from sim.conformance.registry import Case, cases
from sim.conformance.targets import is_foreign, target
from sim.conformance.verdicts import Outcome, Verdict, judge
from virtualtap.errors import UsageError


@dataclass(slots=True)
class Judgement:
    """Every case's outcome on each target, in the order of the targets."""

    cases: list[Case]
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)  # target → as `cases`
    killed: dict[str, list[str]] | None = None  # mutant → ids of the cases that it fails

    def summary(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        verdicts = {
            name: {
                verdict.value: sum(one.verdict is verdict for one in outcomes)
                for verdict in Verdict
            }
            for name, outcomes in self.outcomes.items()
        }
        found: dict[str, Any] = {
            "schema": 1,
            "cases": len(self.cases),
            "clauses": len({case.source for case in self.cases}),
            "stimuli": len({case.id for case in self.cases}),
            "verdicts": verdicts,
            "failures": {
                name: {
                    one.case.id: one.why
                    for one in outcomes
                    if one.verdict in (Verdict.FAIL, Verdict.ERROR)
                }
                for name, outcomes in self.outcomes.items()
            },
        }
        if self.killed is not None:
            useful = {one for ids in self.killed.values() for one in ids}
            found["mutants"] = len(self.killed)
            found["killed"] = sum(bool(ids) for ids in self.killed.values())
            found["survivors"] = sorted(name for name, ids in self.killed.items() if not ids)
            found["idle_cases"] = [case.id for case in self.cases if case.id not in useful]
        return found

    def failed(self) -> bool:
        """Whether the verdict on any target is a fail or an error, or a mutant survived."""
        bad = (Verdict.FAIL, Verdict.ERROR)
        if any(one.verdict in bad for outcomes in self.outcomes.values() for one in outcomes):
            return True
        return self.killed is not None and not all(self.killed.values())


def conform(names: Sequence[str], family: str | None = None, *, mutants: bool = False) -> Judgement:
    """Judge each target by all cases of a family, or all. UsageError for a wrong target."""
    chosen = cases(family)
    if not chosen:
        known = dict.fromkeys(case.family for case in cases())
        raise UsageError(f"no family is named `{family!s:.60}`", f"there are {', '.join(known)}")
    judgement = Judgement(chosen)
    for name in names:
        make = target(name)
        play = judge_apart if is_foreign(name) else judge
        judgement.outcomes[name] = [play(case, make) for case in chosen]
    if mutants:
        load()
        with ProcessPoolExecutor() as pool:
            killers = pool.map(_killers, MUTANTS, [family] * len(MUTANTS), chunksize=4)
            judgement.killed = dict(zip(MUTANTS, killers, strict=True))
    return judgement


def _killers(name: str, family: str | None) -> list[str]:
    load()
    make = MUTANTS[name]
    return [case.id for case in cases(family) if judge(case, make).verdict is not Verdict.PASS]
