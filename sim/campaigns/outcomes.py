"""Outcomes: what many runs measured, a row for each scenario point and seed, wherever they are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sim import metrics as names
from sim import results
from sim.campaigns.campaign import canonical, kept
from sim.campaigns.sweep import ERROR, row_of
from sim.campaigns.workers import Processes, Task
from sim.fuzz.foreign import maker
from sim.results import ResultError
from sim.run import Order
from sim.versions import packages
from virtualtap.errors import UsageError

JUDGED = ("pass", "fail")  # verdicts of runs that came to their end

Key = tuple[str, int]  # scenario point, seed
Values = tuple[float | None, ...]


@dataclass(slots=True)
class Outcomes:
    """Runs by point and seed: of each the values of `metrics`, in their order."""

    name: str
    metrics: tuple[str, ...]
    rows: dict[Key, Values] = field(default_factory=dict)
    verdicts: dict[Key, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)  # on what the values depend, in words

    def add(self, key: Key, summary: Mapping[str, Any]) -> None:
        """A run's own object; of one that did not come to its end, only that."""
        if key in self.verdicts:
            told = f"`{self.name:.200}` holds `{key[0]:.100}`, seed {key[1]}, more than once"
            raise ResultError(told, "compare runs of one kind")
        verdict = str(summary.get("verdict"))
        self.verdicts[key] = verdict
        measured = [names.value(summary, metric) for metric in self.metrics]
        self.rows[key] = tuple(measured) if verdict in JUDGED else (None,) * len(measured)

    def bad(self) -> dict[str, int]:
        """How many runs ended with another verdict than `pass`."""
        counts: dict[str, int] = {}
        for verdict in self.verdicts.values():
            if verdict != "pass":
                counts[verdict] = counts.get(verdict, 0) + 1
        return dict(sorted(counts.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is different about one side of runs that are done now."""

    target: str = "engine"
    changes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return ", ".join((self.target, *self.changes))


def run(
    sides: Sequence[Side],
    order: Order,
    seeds: range,
    metrics: Sequence[str],
    jobs: int,
    tell: Callable[[int, int], None] = lambda done, all_: None,
) -> list[Outcomes]:
    """Run the order once for each side and seed. `tell` hears how many runs there are, of how many.

    UsageError where a side cannot be run at all.
    """
    point = ""
    for side in sides:
        maker(side.target)
        point = replace(order, changes=(*order.changes, *side.changes)).scenario().name
    found = [Outcomes(side.name, names.check(metrics), about=_about(side, order)) for side in sides]
    why = [""] * len(sides)
    with closing(Processes([0] * jobs)) as team:
        done = 0
        for one in team.done("sweep", _tasks(sides, order, seeds)):
            if one is not None:
                place, which = divmod(one.task.number, len(sides))
                row = row_of(one.row) if one.row else {"verdict": ERROR, "why": "workers died"}
                found[which].add((point, seeds[place]), row)
                why[which] = why[which] or str(row.get("why", ""))
                done += 1
            tell(done, len(sides) * len(seeds))
    for side, outcomes, reason in zip(sides, found, why, strict=True):
        if set(outcomes.verdicts.values()) == {ERROR}:
            raise UsageError(f"`{side.name:.200}`: {reason:.300}", "`vtap run` it alone")
    return found


def read_folder(path: Path, metrics: Sequence[str]) -> Outcomes:
    """Those of a results root, a scenario of it, or a run. ResultError where one is none."""
    found = Outcomes(str(path), names.check(metrics))
    told: dict[str, set[str]] = {}
    for folder in results.find(path):
        one = results.read(folder, whole=False)
        found.add((one.scenario, one.seed), {**one.summary, "verdict": one.verdict})
        said = {"scenario": results.fingerprint(one.scenario_text), **one.versions}
        for key, words in {**said, "changes": ", ".join(one.changes)}.items():
            told.setdefault(key, set()).add(words)
    found.about = {key: "; ".join(sorted(words)) for key, words in told.items()}
    return found


def read_sweep(path: Path, metrics: Sequence[str]) -> Outcomes:
    """Those of a sweep's database. ResultError where it is none."""
    what, rows = kept(path)
    if what.get("kind") != "sweep":
        raise ResultError(f"`{path}` is no sweep", "compare sweeps")
    found = Outcomes(str(path), names.check(metrics), about={"scenario": str(what.get("scenario"))})
    if isinstance(versions := what.get("versions"), dict):
        found.about |= {str(key): str(words) for key, words in versions.items()}
    called = _called(path)
    for _, text in rows:
        row = row_of(text)
        point, seed = row.get("point"), row.get("seed")
        if not isinstance(point, list) or isinstance(seed, bool) or not isinstance(seed, int):
            raise ResultError(f"`{path}` holds a row that is none", "sweep again")
        found.add((", ".join((called, *map(str, point))), seed), row)
    return found


def _called(path: Path) -> str:
    """The scenario's name: rows of runs that could not be run do not say it."""
    _, rows = kept(path)
    said = (row_of(text).get("scenario") for _, text in rows)
    return str(next((name for name in said if name is not None), "sweep"))


def _tasks(sides: Sequence[Side], order: Order, seeds: range) -> Iterator[Task]:
    for number in range(len(sides) * len(seeds)):
        side = sides[number % len(sides)]
        words = {
            "text": order.text,
            "folder": str(order.folder.resolve()),
            "where": order.where,
            "point": [*order.changes, *side.changes],
            "seed": seeds[number // len(sides)],
            "target": side.target,
        }
        yield Task(number, canonical(words))


def _about(side: Side, order: Order) -> dict[str, str]:
    told = {"target": side.target, "changes": ", ".join((*order.changes, *side.changes))}
    return {**told, "scenario": results.fingerprint(order.text), **packages()}
