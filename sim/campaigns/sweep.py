"""A sweep: one scenario at every point of some parameters, with every seed; a row for each run.

A point's seeds are independent replications. All points have the same ones, from the first on.
"""

import csv
import json
import re
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import product
from math import ceil, prod
from pathlib import Path
from statistics import mean
from typing import Any

from sim.campaigns.campaign import Campaign, Kept, canonical
from sim.campaigns.cluster import Cluster
from sim.campaigns.workers import Done, Processes, Task, Team
from sim.fuzz.foreign import maker
from sim.metrics import is_in, unknown, value
from sim.results import ResultError, fingerprint, safe
from sim.run import Order, built, perform
from sim.statistics import Estimate, estimate, is_there
from sim.versions import packages
from topologies import GraphError
from virtualtap.errors import UsageError

FILE, SERIES = "sweep.sqlite", "series.csv"
SEEDS_MAX = 200  # of one point, where a precision is wanted
RUNS_MAX = 1_000_000
METRICS = ("arp_convergence_s", "latency_s.p50", "latency_s.p99", "throughput_bps.delivered")
_WALL = ("setup_s", "wall_s", "process_s")  # of the summary: not the same on every machine
ERROR = "error"
Point = tuple[str, ...]  # changes: `key=value`, one for each `--vary`


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everything that `vtap sweep` can say."""

    text: str
    folder: Path  # what file names in the scenario are relative to
    where: str
    vary: tuple[str, ...] = ()
    seeds: range
    out: Path
    resume: bool = False
    metrics: tuple[str, ...] = METRICS
    precision: float | None = None  # half of an interval, as a share of its mean
    seeds_max: int = SEEDS_MAX  # with a precision: of one point
    jobs: int = 1
    dask: str | None = None
    insecure: bool = False

    def what(self) -> dict[str, Any]:
        """On what the rows depend, and their numbers."""
        scenario = fingerprint(self.text)
        seeds = [self.seeds.start, self.seeds.stop]
        own: dict[str, Any] = {
            "kind": "sweep",
            "scenario": scenario,
            "vary": [*self.vary],
            "seeds": seeds,
        }
        if self.precision is not None:
            own["seeds_max"] = self.all_seeds().stop
        return {**own, "versions": packages()}

    def all_seeds(self) -> range:
        """Those that may be used at a point."""
        most = max(self.seeds_max, len(self.seeds)) if self.precision is not None else 0
        return range(self.seeds.start, max(self.seeds.stop, self.seeds.start + most))

    def points(self) -> list[Point]:
        """Every combination, the last parameter fastest. UsageError, GraphError: what cannot be."""
        choices = [_choices(words) for words in self.vary]
        keys = [words.partition("=")[0].strip() for words in self.vary]
        if "seed" in keys:
            raise UsageError("`--vary seed`: each point has all of `--seeds`", "`--seeds 0:20`")
        if len({*keys}) < len(keys):
            raise UsageError("`--vary` has one key twice", "give all its values in one: `key=1,2`")
        runs = prod(map(len, choices)) * len(self.all_seeds())
        if runs > RUNS_MAX:
            told = f"this would be {runs} runs; at most {RUNS_MAX} are allowed"
            raise UsageError(told, "vary less, or take fewer seeds")
        points = list(product(*choices))
        for point in points:
            built(self.order(point, self.seeds.start))  # a bad call is told before the first run
        return points

    def order(self, point: Point, seed: int) -> Order:
        """One run of it."""
        return Order(
            text=self.text,
            folder=self.folder,
            where=self.where,
            changes=point,
            seed=seed,
            capture="none",
        )


@dataclass(slots=True)
class Gathered:
    """What a sweep has so far; a number of a row is point · seeds + seed."""

    points: list[Point]
    seeds: range  # that may be used at a point
    counts: list[int] = field(default_factory=list)  # how many of them are, by point; else all
    rows: int = 0
    fresh: int = 0  # rows that this call made
    bad: dict[int, str] = field(default_factory=dict)  # number → its verdict, if it did not pass
    estimates: list[list[Estimate]] = field(default_factory=list)  # by point and metric

    def __post_init__(self) -> None:
        self.counts = self.counts or [len(self.seeds)] * len(self.points)

    @property
    def means(self) -> list[list[float | None]]:
        """By point and metric, over the runs in which it was measured."""
        return [[one.mean for one in of_point] for of_point in self.estimates]

    def all(self) -> int:
        """How many rows there will be."""
        return sum(self.counts)

    def numbers(self) -> list[int]:
        """Those of the rows there will be."""
        wide = len(self.seeds)
        return [i * wide + j for i, count in enumerate(self.counts) for j in range(count)]

    def add(self, number: int, row: dict[str, Any]) -> None:
        self.rows += 1
        if row["verdict"] != "pass":
            self.bad[number] = str(row["verdict"])

    def at(self, number: int) -> tuple[Point, int]:
        """The point and the seed of a row."""
        point, seed = divmod(number, len(self.seeds))
        return self.points[point], self.seeds[seed]


Tell = Callable[[Gathered], None]


def sweep(order: Sweep, tell: Tell = lambda found: None) -> Gathered:
    """Do it. UsageError or ResultError, one line, where it cannot be done."""
    points, seeds = order.points(), order.all_seeds()
    found = Gathered(points, seeds, [len(order.seeds)] * len(points))
    if order.precision is not None:
        estimate([0.0, 1.0])  # can there be intervals at all?
    with ExitStack() as last:
        team: Team = (  # first: a campaign is begun where there is somebody to do it
            Processes([0] * order.jobs)
            if order.dask is None
            else Cluster(order.dask, insecure=order.insecure)
        )
        last.enter_context(closing(team))
        campaign = Campaign(order.out / FILE, order.what(), resume=order.resume)
        last.enter_context(closing(campaign))
        for number, text in campaign.rows():
            found.add(number, row_of(text))
        while True:
            _round(order, found, campaign, team, tell)
            found.estimates = _estimates(campaign, found, order.metrics)
            counts = _wanted(order, found)
            if counts == found.counts:
                break
            found.counts = counts
        _write_series(order, found, campaign)
    return found


def missed(found: Gathered, order: Sweep) -> list[tuple[Point, str, float | None]]:
    """Point, metric and precision where what was wanted was not reached within the budget."""
    return [
        (point, metric, one.precision())
        for point, estimates in zip(found.points, found.estimates, strict=True)
        for metric, one in zip(order.metrics, estimates, strict=True)
        if order.precision is not None and not _is_reached(one, order.precision)
    ]


def precision(text: str) -> float:
    """`5%` as 0.05. UsageError for anything else, and for 0."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?%", text) or not float(text[:-1]):
        raise UsageError(f"`--until-precision {text:.60}` is no share", "`--until-precision 5%`")
    return float(text[:-1]) / 100


def run_json(task: str) -> str:
    """One run, from a task as JSON → its row as JSON: the summary, without what the wall took."""
    words = json.loads(task)
    order = Order(
        text=words["text"],
        folder=Path(words["folder"]),
        where=words["where"],
        changes=tuple(words["point"]),
        seed=words["seed"],
        capture="none",
        make=maker(words.get("target", "engine")),
    )
    row = {"point": words["point"], "seed": words["seed"]}
    try:
        run, _ = perform(order, None)
    except (UsageError, GraphError, ResultError) as error:
        return canonical({**row, "verdict": ERROR, "why": f"{error}"[:1000]})
    except Exception as error:  # one run of many: the others go on
        why = f"{type(error).__name__}: {error}"[:1000]
        return canonical({**row, "verdict": ERROR, "why": why})
    kept = {name: value for name, value in run.summary.items() if name not in _WALL}
    return canonical({**kept, **row})


def row_of(text: str) -> dict[str, Any]:
    """A row as it was written. ResultError for anything else."""
    try:
        row = json.loads(text)
        if isinstance(row, dict) and isinstance(row.get("verdict"), str):
            return row
    except (ValueError, RecursionError):
        pass
    raise ResultError("the campaign holds a row that is none", "choose another `--out`")


def _choices(words: str) -> list[str]:
    """`key=1,2,3` → `key=1`, `key=2`, `key=3`. What is in brackets or quotes is not parted."""
    key, equals, values = words.partition("=")
    parts = [part.strip() for part in _parted(values)]
    if not equals or not key.strip() or not all(parts):
        raise UsageError(
            f"`--vary {words:.100}` is not `key=value,value`", "`--vary topology.sites=2,4,8`"
        )
    return [f"{key.strip()}={part}" for part in parts]


def _parted(values: str) -> list[str]:
    parts, depth, quote = [""], 0, ""
    for char in values:
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "[{") - (char in "]}")
        if char == "," and not (quote or depth):
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _task(order: Sweep, found: Gathered, number: int) -> Task:
    point, seed = found.at(number)
    words = {
        "text": order.text,
        "folder": str(order.folder.resolve()),
        "where": order.where,
        "point": point,
        "seed": seed,
    }
    return Task(number, canonical(words))


def _kept(done: Done | None, found: Gathered) -> Kept | None:
    if done is None:
        return None
    point, seed = found.at(done.task.number)
    died = {"point": point, "seed": seed, "verdict": ERROR, "why": "workers died over it"}
    return done.task.number, seed, done.row or canonical(died)


def _round(order: Sweep, found: Gathered, campaign: Campaign, team: Team, tell: Tell) -> None:
    """Every run that is wanted now and is not there."""
    there = campaign.numbers()
    tasks = (_task(order, found, one) for one in found.numbers() if one not in there)
    rows = (_kept(done, found) for done in team.done("sweep", tasks))
    with closing(campaign.keep(rows)) as kept:
        for one in kept:
            if one is not None:
                row = row_of(one[2])
                _check(order.metrics, row)
                found.fresh += 1
                found.add(one[0], row)
            tell(found)


def _check(metrics: tuple[str, ...], row: dict[str, Any]) -> None:
    """UsageError for a metric that no run has, as soon as one has been run."""
    for metric in metrics:
        if row["verdict"] != ERROR and not is_in(row, metric):
            raise unknown(metric)


def _rows(campaign: Campaign, found: Gathered, point: int) -> list[dict[str, Any]]:
    first = point * len(found.seeds)
    return [row_of(text) for _, text in campaign.rows(first, first + found.counts[point])]


def _estimates(
    campaign: Campaign, found: Gathered, metrics: tuple[str, ...]
) -> list[list[Estimate]]:
    """For each point, of each metric: over the runs in which it was measured."""
    estimates = []
    for point in range(len(found.points)):
        rows = _rows(campaign, found, point)
        estimates.append([_estimate([value(row, metric) for row in rows]) for metric in metrics])
    return estimates


def _estimate(values: list[float | None]) -> Estimate:
    """Without intervals where they cannot be."""
    measured = [one for one in values if one is not None]
    if is_there() or not measured:
        return estimate(measured)
    return Estimate(len(measured), mean(measured))


def _wanted(order: Sweep, found: Gathered) -> list[int]:
    """How many seeds each point should have: what the intervals so far promise, twice at most."""
    if order.precision is None:
        return found.counts
    wanted = []
    for count, estimates in zip(found.counts, found.estimates, strict=True):
        short = [one for one in estimates if not _is_reached(one, order.precision)]
        ratios = [(one.precision() or 2 * order.precision) / order.precision for one in short]
        more = max((max(count + 1, ceil(count * ratio**2)) for ratio in ratios), default=count)
        wanted.append(min(more, 2 * count, len(found.seeds)))
    return wanted


def _is_reached(one: Estimate, wanted: float) -> bool:
    """What no run measured asks for no more of them."""
    reached = one.precision()
    return one.mean is None or (reached is not None and reached <= wanted)


def _write_series(order: Sweep, found: Gathered, campaign: Campaign) -> None:
    """A line for each run: the values of the parameters, the seed, the metrics."""
    keys = [words.partition("=")[0] for words in order.vary]
    with (order.out / SERIES).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([safe(head) for head in (*keys, "seed", "verdict", *order.metrics)])
        for number, point in enumerate(found.points):
            values = [change.partition("=")[2] for change in point]
            for row in _rows(campaign, found, number):
                measured = [value(row, metric) for metric in order.metrics]
                cells = (*values, row["seed"], row["verdict"], *measured)
                writer.writerow([safe(cell) for cell in cells])
