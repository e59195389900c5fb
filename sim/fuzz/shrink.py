"""A failing world shrinks until nothing can be left out of it. ddmin: Zeller, TSE 28 (2002)."""

import dataclasses
import time
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from msgspec.structs import replace

from sim.decisions import Decisions
from sim.fuzz.explicit import Words, as_drawn, kinds, spoken_out
from sim.fuzz.judge import Task, judge, staged
from sim.fuzz.reductions import PASSES, Pass, calm, is_lucky, shortest, weight
from sim.fuzz.text import to_toml
from sim.fuzz.witness import watch
from sim.run import Order, graph_of
from sim.words.quantities import duration
from topologies import GraphError
from virtualtap.errors import UsageError


@dataclasses.dataclass(frozen=True, slots=True)
class Budget:
    """How much shrinking may cost. The seconds are the wall clock's."""

    runs: int = 3000
    seconds: float = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest world that was found, of so many nodes; None: as it was given.

    Unless it `is_least`, the budget ended the search, or the world does not fail once it is drawn.
    """

    text: str
    nodes: int | None
    runs: int
    is_least: bool


class _Spent(Exception):
    """The budget is used up."""


def shrunk(task: Task, signature: str, budget: Budget = Budget()) -> Shrunk:
    """The least world found that fails as the task's does, as `shrink`.

    The task has the text of the world. If that holds without the task's defect, so will the least.
    """
    assert task.text is not None
    right = None if task.defect is None else replace(task, defect=None)
    if right is not None and judge(right).verdict != "pass":
        right = None  # it is not the defect, or not alone, that makes it fail

    def fails(text: str) -> bool:
        if judge(replace(task, text=text)).signature != signature:
            return False
        return right is None or judge(replace(right, text=text)).verdict == "pass"

    def stage(text: str) -> AbstractContextManager[Order]:
        return staged(replace(task, text=text))

    # somebody else's code runs in a process of its own, which says nothing of what links decide
    return shrink(task.text, signature, fails, budget, None if task.target else stage)


def shrink(
    text: str,
    signature: str,
    fails: Callable[[str], bool],
    budget: Budget = Budget(),
    stage: Callable[[str], AbstractContextManager[Order]] | None = None,
) -> Shrunk:
    """The least world found that still `fails`, from the scenario `text`.

    `stage` gives what a world is run with, so that what its faults decide can be written down. The
    same for the same arguments, unless the seconds of the budget end it. UsageError where `text`
    does not fail.
    """
    search = _Search(fails, budget, stage)
    is_least = False
    with suppress(_Spent):
        if not signature or not search.fails(text):
            raise UsageError(
                f"the world does not fail with `{signature}`", "run it with what it was found with"
            )
        if search.begin(text):
            search.follow(shortest)
            search.decide()
            while search.round():
                search.decide()
            is_least = True
    words = search.words
    if words is None:
        return Shrunk(text, None, search.runs, is_least)
    return Shrunk(to_toml(words), len(kinds(words)), search.runs, is_least)


class _Search:
    """The least world so far, and what has been tried."""

    def __init__(
        self,
        fails: Callable[[str], bool],
        budget: Budget,
        stage: Callable[[str], AbstractContextManager[Order]] | None,
    ) -> None:
        self.words: Words | None = None
        self.runs = 0
        self._fails, self._budget, self._stage = fails, budget, stage
        self._began = time.monotonic()
        self._known: dict[str, bool] = {}

    def fails(self, text: str) -> bool:
        """Whether it does; each text is run once. _Spent where the budget does not reach."""
        if text not in self._known:
            seconds = time.monotonic() - self._began
            if self.runs >= self._budget.runs or seconds > self._budget.seconds:
                raise _Spent
            self.runs += 1
            try:
                self._known[text] = self._fails(text)
            except (UsageError, GraphError):
                self._known[text] = False
        return self._known[text]

    def begin(self, text: str) -> bool:
        """Say the world outright, as far as it still fails then; False: it does not at all."""
        order = Order(text=text, folder=Path())
        words = as_drawn(tomllib.loads(text), graph_of(order, order.scenario())[0])
        spoken = spoken_out(words)
        for candidate in (spoken, words):
            if self.fails(to_toml(candidate)):
                self.words = candidate
                return True
        return False

    def decide(self) -> None:
        """Where links leave something to luck: nothing goes wrong there, or just what did."""
        words = self.words
        if words is None or self._stage is None or not is_lucky(words):
            return
        self.follow(calm)
        if self.words is words:
            decisions = Decisions()
            with self._stage(to_toml(words)) as order:
                until = duration(order.scenario().until)
                watch(dataclasses.replace(order, recorder=decisions), until)
            self._takes(decisions.recorded(words))

    def round(self) -> bool:
        """Every pass once; whether anything was taken."""
        before = self.words
        for one in PASSES:
            self.follow(one)
        return self.words is not before

    def follow(self, reduction: Callable[[Words], Pass]) -> None:
        """Take what a pass offers, if it is less and still fails."""
        assert self.words is not None
        candidates = reduction(self.words)
        with suppress(StopIteration):
            candidate = next(candidates)
            while True:
                candidate = candidates.send(self._takes(candidate))

    def _takes(self, candidate: Words) -> bool:
        assert self.words is not None
        is_better = weight(candidate) < weight(self.words) and self.fails(to_toml(candidate))
        if is_better:
            self.words = candidate
        return is_better
