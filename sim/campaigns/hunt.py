"""A hunt: worlds by their seeds, in rounds, until the seeds or the time end; and what they found.

Round n + 1 is drawn with weights that follow from the first seed and the rows of round n, in order:
a hunt is as repeatable as a run, whoever does its work, and however often it is cut off.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from sim.campaigns import corpus
from sim.campaigns.campaign import Campaign, Kept
from sim.campaigns.cluster import Cluster
from sim.campaigns.corpus import Entry
from sim.campaigns.discovery import (
    DIED,
    DIFFERS,
    Discovery,
    Wanted,
    read_discovery,
    undiscovered,
)
from sim.campaigns.workers import TRIES, Done, Processes, Task, Team
from sim.fuzz.coverage import missing, steer
from sim.fuzz.defects import found as defect
from sim.fuzz.foreign import maker
from sim.fuzz.judge import Row
from sim.fuzz.judge import Task as World
from sim.fuzz.transitions import REACHABLE
from sim.results import ResultError
from sim.trail import HASH_SEEDS
from sim.versions import packages
from virtualtap.errors import UsageError

ROUND = 128  # worlds
FILE, FINDINGS = "campaign.sqlite", "findings"
SEEDS_MAX = 2**53
BAD = ("fail", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """Everything that `vtap fuzz` can say. Of `end` and `seconds` one is there at least."""

    first: int = 0
    end: int | None = None  # seeds
    seconds: float | None = None  # of all calls together; a round is always finished
    out: Path
    resume: bool = False
    jobs: int = 1
    defect: str | None = None
    target: str | None = None
    check: bool = False
    dask: str | None = None
    insecure: bool = False
    shrink: bool = True
    seeds_from: Path | None = None  # a corpus, which goes first

    def what(self) -> dict[str, Any]:
        """On what the rows depend; how many there are is not among it."""
        return {
            "kind": "fuzz",
            "first": self.first,
            "round": ROUND,
            "defect": self.defect,
            "target": self.target,
            "check": self.check,
            "versions": packages(),
        }


@dataclass(slots=True)
class Bag:
    """What a hunt knows so far."""

    rounds: int = 0
    fresh: int = 0  # rows that this call made
    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)  # of failure, by signature
    seen: set[str] = field(default_factory=set)
    discoveries: list[Discovery] = field(default_factory=list)
    corpus: Counter[str] = field(default_factory=Counter)  # verdicts of the worlds of the corpus
    strayed: int = 0  # of them: their seeds draw other worlds now

    def add(self, row: Row) -> None:
        self.rows += 1
        self.verdicts[row.verdict] += 1
        self.seen.update(row.seen)
        if row.verdict in BAD:
            self.kinds[row.signature] += 1

    def add_known(self, row: Row, entry: Entry) -> None:
        """A world of the corpus: it is none of the hunt's own."""
        self.corpus[row.verdict] += 1
        prints = {row.fingerprint, entry.fingerprint} - {""}
        self.strayed += len(prints) > 1
        if row.verdict in BAD:
            self.kinds[row.signature] += 1

    def states(self) -> int:
        """How many of the transitions that can be seen were."""
        return len(self.seen.intersection(REACHABLE))

    def never(self) -> dict[str, list[str]]:
        """What no world has shown: transitions, marks, drop reasons."""
        return missing(self.seen)


Tell = Callable[[Bag], None]


def hunt(order: Hunt, tell: Tell = lambda bag: None) -> Bag:
    """Do it. UsageError or ResultError, one line, where it cannot be done."""
    if order.seeds_from is not None:
        corpus.check_place(order.seeds_from)
    elif order.end is None and order.seconds is None:
        raise UsageError("say how long: `--seeds` or `--for`", "`vtap fuzz --seeds 0:1000`")
    if order.check and order.dask is not None:
        raise UsageError("`--check` and `--dask` exclude one another", "check on this machine")
    if order.target is not None:
        maker(order.target)  # now, not in a worker: is there one at all?
    if order.defect is not None:
        defect(order.defect)
    kinds = [0, 1] * max(1, order.jobs // 2) if order.check else [0] * order.jobs
    with closing(Processes(kinds, HASH_SEEDS)) as here, ExitStack() as last:
        team: Team = here
        if order.dask is not None:  # first: a campaign is begun where there is somebody to do it
            cluster = Cluster(order.dask, insecure=order.insecure)
            team = last.enter_context(closing(cluster))
        campaign = last.enter_context(closing(_campaign(order)))
        return _Rounds(order, campaign, team, here, tell).all()


def _campaign(order: Hunt) -> Campaign:
    return Campaign(order.out / FILE, order.what(), resume=order.resume)


class _Rounds:
    """One after the other."""

    def __init__(
        self, order: Hunt, campaign: Campaign, team: Team, here: Processes, tell: Tell
    ) -> None:
        """`team` judges; what shrinks and writes is `here`, on this machine."""
        self._order = order
        self._campaign = campaign
        self._team = team
        self._here = here
        self._tell = tell
        self._bag = Bag()
        self._there = campaign.numbers()
        self._weights: Callable[[], dict[str, int]] = dict  # of the round

    def all(self) -> Bag:
        """Until seeds or seconds end."""
        self._play_corpus()
        rows: list[Row] = []
        for number in count():
            first = self._order.first + number * ROUND
            seeds = range(first, min(first + ROUND, self._end()))
            missing = [seed for seed in seeds if seed not in self._there]
            if not seeds or (missing and self._is_over()):
                break
            self._bag.rounds = number + 1
            self._weights = partial(steer, self._order.first, rows) if number else dict
            rows = self._read(seeds)
            for row in rows:
                self._bag.add(row)
            if missing:
                self._play(number, missing)
                rows = self._read(seeds)
            self._discover([(row, self._weights) for row in rows])
        return self._bag

    def _end(self) -> int:
        order = self._order
        if order.end is None and order.seconds is None:
            return order.first  # the corpus alone
        return SEEDS_MAX if order.end is None else order.end

    def _is_over(self) -> bool:
        seconds = self._order.seconds
        return seconds is not None and self._campaign.spent() >= seconds

    def _play(self, number: int, seeds: list[int]) -> None:
        """Judge the worlds of these seeds, and keep their rows."""
        weights = self._weights()
        self._campaign.begin_round(number, weights)
        rows = self._judged([self._world(seed, weights) for seed in seeds])
        with closing(self._campaign.keep(map(_kept, rows))) as kept:
            for one in kept:
                if one is not None:
                    self._bag.fresh += 1
                    self._bag.add(_decoded(one[2]))
                self._tell(self._bag)

    def _judged(self, worlds: list[World]) -> Iterator[Row | None]:
        """A row for each, whose seeds differ; now and then None, while time goes by."""
        tasks = [Task(one.seed, msgspec.json.encode(one).decode()) for one in worlds]
        if not self._order.check:
            return map(_once, self._team.done("judge", tasks))
        # from the last seed on: what a world leaves in a process then befalls another world
        tasks += [Task(one.number, one.text, kind=1) for one in reversed(tasks)]
        return _twice(self._team.done("judge", tasks))

    def _play_corpus(self) -> None:
        """Judge what once failed; its rows are not kept, and it goes first again."""
        path = self._order.seeds_from
        waiting = [] if path is None else corpus.read(path)
        while waiting:
            batch: dict[int, Entry] = {}
            later = [
                one
                for one in waiting
                if batch.setdefault(one.seed, one).weights != one.weights  # else it is that world
            ]
            worlds = [self._world(one.seed, one.weights) for one in batch.values()]
            rows = {}
            for row in self._judged(worlds):
                if row is not None:
                    rows[row.seed] = row
                    self._bag.add_known(row, batch[row.seed])
                self._tell(self._bag)
            self._discover(
                [(rows[seed], partial(dict, one.weights)) for seed, one in batch.items()]
            )
            waiting = later

    def _discover(self, rows: list[tuple[Row, Callable[[], Mapping[str, int]]]]) -> None:
        """See to the first world of each kind of failure that is new here; extend the corpus."""
        known = {one.signature for one in self._bag.discoveries}
        new: dict[str, tuple[Row, Mapping[str, int]]] = {}
        for row, weights in rows:
            if row.verdict in BAD and row.signature not in {*known, *new}:
                new[row.signature] = row, weights()
        told = self._campaign.findings() if new else {}
        wanted = []
        for signature, (row, drawn) in new.items():
            if signature in told:
                self._bag.discoveries.append(read_discovery(told[signature]))
            else:
                wanted.append(self._wanted(row, drawn))
        if wanted:
            with closing(self._campaign.keep(self._found(wanted))) as time_goes_by:
                for _ in time_goes_by:
                    self._tell(self._bag)
        if self._order.seeds_from is not None:
            failed = [
                Entry(row.seed, row.fingerprint, drawn, row.signature)
                for row, drawn in new.values()
            ]
            corpus.extend(self._order.seeds_from, failed)

    def _wanted(self, row: Row, weights: Mapping[str, int]) -> Wanted:
        task = self._world(row.seed, weights)
        return Wanted(task, row, str(self._order.out / FINDINGS), self._order.shrink)

    def _found(self, wanted: list[Wanted]) -> Iterator[None]:
        """In the order of their seeds, whenever each is done."""
        tasks = [Task(n, msgspec.json.encode(one).decode()) for n, one in enumerate(wanted)]
        found: dict[int, Discovery] = {}
        for done in self._here.done("discover", tasks):
            if done is not None:
                number = done.task.number
                found[number] = one = (
                    undiscovered(wanted[number]) if done.row is None else read_discovery(done.row)
                )
                self._campaign.find(one.signature, msgspec.json.encode(one).decode())
            yield None
        self._bag.discoveries += [found[number] for number in sorted(found)]

    def _world(self, seed: int, weights: Mapping[str, int]) -> World:
        order = self._order
        return World(seed=seed, weights=dict(weights), defect=order.defect, target=order.target)

    def _read(self, seeds: range) -> list[Row]:
        """All rows of a round, in order."""
        return [_decoded(row) for _, row in self._campaign.rows(seeds.start, seeds.stop)]


def _decoded(row: str) -> Row:
    try:
        return msgspec.json.decode(row, type=Row)
    except (msgspec.DecodeError, RecursionError):
        raise ResultError("the campaign holds a row that is none", "begin another") from None


def _kept(row: Row | None) -> Kept | None:
    return None if row is None else (row.seed, row.seed, msgspec.json.encode(row).decode())


def _once(done: Done | None) -> Row | None:
    """The row of a task, or that it took its workers with it."""
    if done is None:
        return None
    if done.row is not None:
        return _decoded(done.row)
    failed = {"field": DIED, "value": f"{TRIES} workers", "limit": "none", "at_s": None}
    return Row(
        seed=done.task.number, fingerprint="", verdict="error", failed=[failed], signature=DIED
    )


def _twice(finished: Iterable[Done | None]) -> Iterator[Row | None]:
    """One row of two: the same, or an error that they are not."""
    waiting: dict[int, Row] = {}
    for done in finished:
        row = _once(done)
        if row is None or (other := waiting.pop(row.seed, None)) is None:
            if row is not None:
                waiting[row.seed] = row
            yield None
        elif row == other or DIED in (row.signature, other.signature):
            yield row if row.signature == DIED else other
        else:
            names = row.__struct_fields__
            differs = [name for name in names if getattr(row, name) != getattr(other, name)]
            failed = {"field": DIFFERS, "value": ", ".join(differs), "limit": "none", "at_s": None}
            yield Row(
                seed=row.seed,
                fingerprint=row.fingerprint,
                verdict="error",
                failed=[failed],
                signature=DIFFERS,
            )
