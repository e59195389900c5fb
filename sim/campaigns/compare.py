"""Compare: two sets of runs, seed by seed; what differs, and which gates it breaks.

Common random numbers: the same seed is the same luck on both sides, so differences are of pairs.
Definitions: docs/statistics.md.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean

from sim import metrics, statistics
from sim.campaigns import baseline, outcomes
from sim.campaigns.outcomes import Key, Outcomes
from sim.campaigns.sweep import FILE
from sim.metrics import Better
from sim.results import RUN_FILE, ResultError
from sim.statistics import CONFIDENCE, Difference, Interval
from sim.versions import CODE
from virtualtap.errors import UsageError

BETTER, WORSE, DIFFERENT = "better", "worse", "different"
NOTHING, ONE_RUN, UNMEASURED = "no difference shown", "one run", "not measured"
HELD, BROKEN, NOT_SHOWN, NOT_JUDGED = "held", "broken", "missed, not shown", "not judged"
_FUZZ = 1e-9  # of the limit: what arithmetic may leave
_GATE = re.compile(
    r"([A-Za-z0-9_.-]{1,100})\s*(<=|>=)\s*([+-])\s*([0-9]{1,12}(?:\.[0-9]{1,12})?)(%?)"
)
_HINT = "name a results folder, a `sweep.sqlite`, or what `vtap baseline save` wrote"
_MAGIC = b"SQLite format 3\0"

Pairs = tuple[list[float], list[float], int]  # of each side; how many only one side measured


@dataclass(frozen=True, slots=True)
class Gate:
    """How far the mean of a metric may be from what it was: a share of it, or an amount."""

    text: str
    metric: str
    at_most: bool
    amount: float
    is_share: bool

    def excess(self, first: float, second: float) -> float:
        """How far a pair is beyond the limit; below 0: within."""
        beyond = second - first - self.amount * (first if self.is_share else 1.0)
        return beyond if self.at_most else -beyond


@dataclass(frozen=True, slots=True)
class Row:
    """A metric at a scenario point."""

    point: str
    metric: str
    better: Better | None
    pairs: int
    missing: int  # pairs of which one side was not measured
    runs: int  # of each side, measured or not
    means: tuple[float, float] | None = None
    difference: Difference | None = None
    ratio: Interval | None = None  # of the means, second by first
    corrected: float | None = None  # p after Holm, over all rows
    verdict: str = UNMEASURED


@dataclass(frozen=True, slots=True)
class Judged:
    """A gate at a scenario point."""

    gate: Gate
    point: str
    verdict: str
    excess: float | None = None  # its mean
    interval: Interval | None = None  # of the mean excess: all gates together hold 95 %


@dataclass(slots=True)
class Comparison:
    """All that is said of two sets of runs."""

    first: Outcomes
    second: Outcomes
    seeds: int = 0  # pairs, of all points
    alone: tuple[int, int] = (0, 0)  # runs that have no counterpart
    rows: list[Row] = field(default_factory=list)
    gates: list[Judged] = field(default_factory=list)

    def unlike(self) -> dict[str, tuple[str, str]]:
        """In what the two sides are known to differ; a baseline says nothing of the code."""
        one, other = self.first.about, self.second.about
        keys = {*one, *other} - ({CODE} - ({*one} & {*other}))
        pairs = {key: (one.get(key, ""), other.get(key, "")) for key in sorted(keys)}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    def verdicts(self) -> list[str]:
        return [judged.verdict for judged in self.gates]


def read(path: Path, wanted: Sequence[str]) -> Outcomes:
    """Outcomes of a results folder or a run, a sweep's database or its folder, or a baseline.

    ResultError: one line, where it is none of them.
    """
    database = path / FILE if path.is_dir() else path
    try:
        if database.is_file() and (path.is_dir() or _is_database(path)):
            found = outcomes.read_sweep(database, wanted)
        elif path.is_file() and path.name != RUN_FILE:
            return baseline.outcomes(baseline.read(path), str(path), wanted)
        else:
            found = outcomes.read_folder(path, wanted)
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise ResultError(f"cannot read `{path}`: {why}", _HINT) from None
    except ResultError as error:
        raise ResultError(str(error), _HINT) from None
    if not found.rows:
        raise ResultError(f"there is no run in `{path}`", _HINT)
    return found


def gate(text: str) -> Gate:
    """`latency_s.p99 <= +5%`, `throughput_bps.delivered >= -1%`, `dropped <= +0`. UsageError."""
    found = _GATE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"`--gate {text:.100}` is no gate", "`--gate 'latency_s.p99 <= +5%'`")
    name, relation, sign, digits, percent = found.groups()
    amount = float(digits) / (100 if percent else 1)
    amount = -amount if sign == "-" else amount
    return Gate(text.strip(), name, relation == "<=", amount, bool(percent))


def tolerances(tolerance: str, wanted: Sequence[str]) -> list[Gate]:
    """A gate for each metric that has a better side: no worse than this (`5%`).

    UsageError for what is no share, and where there is no such metric.
    """
    if not baseline.TOLERANCE.fullmatch(tolerance):
        raise UsageError(f"`--tolerance {tolerance:.60}` is no share", "`--tolerance 5%`")
    relations = {"lower": "<= +", "higher": ">= -"}
    sides = ((metric, metrics.better(metric)) for metric in wanted)
    found = [gate(f"{metric} {relations[side]}{tolerance}") for metric, side in sides if side]
    if not found:
        raise UsageError("none of the metrics has a better side", "`--metric latency_s.p99`")
    return found


def compare(first: Outcomes, second: Outcomes, gates: Sequence[Gate] = ()) -> Comparison:
    """Pair the runs of the same point and seed, and judge. UsageError where there is no pair."""
    assert first.metrics == second.metrics
    keys = sorted(first.rows.keys() & second.rows.keys())
    if not keys:
        some = [next(iter(one.rows)) for one in (first, second)]
        told = " and ".join(f"`{point:.100}` with seed {seed}" for point, seed in some)
        raise UsageError("no run of the one has a counterpart in the other", f"there is {told}")
    found = Comparison(first, second, len(keys))
    found.alone = len(first.rows) - len(keys), len(second.rows) - len(keys)
    seeds: dict[str, list[int]] = {}
    for point, seed in keys:
        seeds.setdefault(point, []).append(seed)
    pairs = {
        (point, metric): _pairs(found, place, [(point, seed) for seed in seeds[point]])
        for point in seeds
        for place, metric in enumerate(first.metrics)
    }
    measured = {key: pair for key, pair in pairs.items() if pair is not None}
    for metric in (*first.metrics, *(one.metric for one in gates)):
        if metric not in metrics.COMPARED and not any(metric == name for _, name in measured):
            raise metrics.unknown(metric)
    tests = sum(len(pair[0]) > 1 for pair in measured.values())
    rows = [_row(key, pair, len(seeds[key[0]]), tests) for key, pair in measured.items()]
    found.rows = list(_corrected(rows))
    asked = [(one, point) for one in gates for point in seeds]
    for one, point in asked:
        found.gates.append(_judged(one, point, measured.get((point, one.metric)), len(asked)))
    return found


def _pairs(found: Comparison, place: int, keys: Sequence[Key]) -> Pairs | None:
    """What both sides measured; None where neither ever measured it."""
    both = [(found.first.rows[key][place], found.second.rows[key][place]) for key in keys]
    if all(a is None and b is None for a, b in both):
        return None
    whole = [(a, b) for a, b in both if a is not None and b is not None]
    missing = sum((a is None) != (b is None) for a, b in both)
    return [a for a, _ in whole], [b for _, b in whole], missing


def _row(key: tuple[str, str], pair: Pairs, runs: int, tests: int) -> Row:
    point, metric = key
    first, second, missing = pair
    row = Row(point, metric, metrics.better(metric), len(first), missing, runs)
    if not first:
        return row
    return replace(
        row,
        means=(mean(first), mean(second)),
        difference=statistics.difference(first, second, CONFIDENCE, max(tests, 1)),
        ratio=statistics.ratio_interval(first, second),
        verdict=ONE_RUN,
    )


def _corrected(rows: Sequence[Row]) -> Iterator[Row]:
    """With p after Holm, and the verdict that follows from it."""
    chances = [row.difference.p for row in rows if row.difference and row.difference.p is not None]
    after = iter(statistics.holm(chances))
    for row in rows:
        if row.difference is None or row.difference.p is None:
            yield row
            continue
        chance = next(after)
        shown = NOTHING if chance >= 1 - CONFIDENCE else _way(row.better, row.difference.mean)
        yield replace(row, corrected=chance, verdict=shown)


def _way(better: Better | None, change: float) -> str:
    if better is None:
        return DIFFERENT
    return BETTER if (change < 0) == (better == "lower") else WORSE


def _judged(one: Gate, point: str, pair: Pairs | None, judged: int) -> Judged:
    """Broken: the whole interval is beyond the limit. All gates share the 5 % of error."""
    if pair is None or len(pair[0]) < 2 or pair[2]:
        return Judged(one, point, NOT_JUDGED)
    apart = [one.excess(a, b) for a, b in zip(pair[0], pair[1], strict=True)]
    interval = statistics.mean_interval(apart, 1 - (1 - CONFIDENCE) / judged)
    excess = mean(apart)
    assert interval is not None
    least = _FUZZ * max(map(abs, pair[0]))
    verdict = HELD if excess <= least else BROKEN if interval.low > least else NOT_SHOWN
    return Judged(one, point, verdict, excess, interval)


def _is_database(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC
