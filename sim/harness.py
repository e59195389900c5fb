"""What tests use: networks of their own, a translator frame by frame, and what must hold."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from sim import plugins, results
from sim.capture import escaped
from sim.conformance import script, targets
from sim.conformance.findings import differences, write_exchange
from sim.conformance.script import Missed
from sim.expect import Judge, Value, parse
from sim.fuzz.foreign import maker
from sim.fuzz.text import to_toml
from sim.results import TABLES, Cell, Failure, ResultError, Run
from sim.run import Order, perform
from sim.scenario import read
from sim.words.quantities import duration
from topologies import GraphError
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.tap import Translator
from virtualtap.units import SECOND

__all__ = ["Networks", "Script", "Trial", "assert_converges", "assert_delivered"]

_SHOWN = 8  # pairs or flows that an assertion names
_PATH_MAX = 4096


class Trial:
    """One run of a test: its numbers, its tables, and the folder where all of it lies."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.folder = folder
        self.run = run

    @property
    def summary(self) -> dict[str, Any]:
        """What `vtap run --json` prints: docs/measures.md."""
        return self.run.summary

    @property
    def seed(self) -> int:
        """All the luck of it."""
        return self.run.seed

    @property
    def capture(self) -> Path | None:
        """The frames (pcapng); None where none were recorded."""
        path = self.folder / results.CAPTURE_FILE
        return path if path.is_file() else None

    def rows(self, table: str) -> list[dict[str, Cell]]:
        """The rows of a table (`flows`, `links`, …), by column. UsageError: there is none."""
        if table not in self.run.tables:
            raise UsageError(f"there is no table `{table:.60}`", f"there are {', '.join(TABLES)}")
        columns = TABLES[table]
        return [dict(zip(columns, row, strict=True)) for row in self.run.tables[table]]

    def expect(self, **limits: Any) -> None:
        """As `[expect]` says it, of the end: `arp_convergence_s={"max": 0.2}`. AssertionError."""
        __tracebackhide__ = True
        expectations = parse(limits, self.run.until_ns)
        for one in expectations:
            if one.at is not None:
                hint = "say it before: `network(expect={…})`"
                raise UsageError(f"`expect`: the run is over, `{one.field:.60}` has no `at`", hint)
        judge = Judge(expectations, self.run.until_ns)
        _hold(judge.failures(partial(_value, self.summary)))


class Networks:
    """Makes networks of a scenario's words and runs them, each into a folder of its own."""

    def __init__(self, name: str, seed: int, out: Path, here: Path, target: str = "engine") -> None:
        """`name` is what a scenario without one is called; its files are relative to `here`.

        `target` drives every tap: `engine`, `c:PATH`, `python:MODULE:FACTORY`, `exec:COMMAND`.
        """
        self.seed = seed
        self._name, self._out, self._here = name, out, here
        self._target = target
        self._numbers = count(1)  # of folders: each call has one, also in threads
        self.trials: list[Trial] = []

    def __call__(self, **words: Any) -> Trial:
        """Run the scenario of these words (docs/scenarios.md), which must hold; record all frames.

        AssertionError names each law that broke and each of its own expectations that was missed.
        """
        __tracebackhide__ = True
        _check_no_seed(words)
        _check_words("`network`", words)
        text = to_toml({"name": self._name, "capture": "all", **words})
        return self._run(Order(text=text, folder=self._here, where=self._name))

    def scenario(self, file: str | Path, *changes: str) -> Trial:
        """Run a scenario file, with changes as `--set` has them: `"until=1s"`. It must hold."""
        __tracebackhide__ = True
        _check_no_seed(one.partition("=")[0].strip() for one in changes)
        path = self._here / file
        order = Order(text=read(path), folder=path.parent, where=str(file), changes=changes)
        return self._run(order)

    def told(self) -> list[str]:
        """Where the runs lie, and how to repeat each, a line for each fact."""
        lines = [f"seed: {self.seed}"]
        for trial in self.trials:
            capture = escaped(str(trial.capture or "none"), _PATH_MAX)
            lines += [f"capture: {capture}"]
            if not targets.is_foreign(self._target):
                folder = escaped(shlex.quote(str(trial.folder)), _PATH_MAX)
                lines += [f"replay: vtap replay {folder}{plugins.options()}"]
        return lines

    def _run(self, order: Order) -> Trial:
        __tracebackhide__ = True
        order = replace(order, seed=self.seed, make=maker(self._target))
        try:
            run, folder = perform(order, self._out / str(next(self._numbers)))
        except (UsageError, GraphError, ResultError) as error:
            raise error.with_traceback(None) from None
        assert folder is not None
        self.trials.append(Trial(run, folder))
        if run.verdict != "pass":
            _hold(run.failed)
            raise AssertionError("; ".join(run.remarks))
        return self.trials[-1]


class Script(script.Script):
    """A translator in the dark: `lan` and `host` give it bytes, `expect` demands exactly its own.

    Its configuration is that of the conformance cases (`sim.conformance.script.CONFIG`) unless
    `start` changes it; frames to speak in are in `sim.conformance.frames`.
    """

    def __init__(
        self,
        target: str | Callable[[TapConfig], Translator] = "engine",
        profile: str = "strict",
    ) -> None:
        """`target` is a name (`engine`, `c:PATH`, …) or makes a translator of a TapConfig."""
        make = targets.target(target) if isinstance(target, str) else target
        super().__init__(make, profile)

    def expect(self, *frames: bytes) -> "Script":
        """Exactly these frames went to the LAN since this was last asked. AssertionError."""
        __tracebackhide__ = True
        try:
            super().expect(*frames)
        except Missed as missed:
            raise _explained(missed) from None
        return self

    def expect_host(self, *packets: bytes) -> "Script":
        """Exactly these packets went to the host since this was last asked. AssertionError."""
        __tracebackhide__ = True
        try:
            super().expect_host(*packets)
        except Missed as missed:
            raise _explained(missed) from None
        return self

    def write(self, path: Path) -> None:
        """All that was given and came out so far, as pcapng."""
        write_exchange(self.exchange, path)


def assert_converges(trial: Trial, *, within: str) -> None:
    """Every pair of sender and next hop was resolved, each `within` that time of its question."""
    __tracebackhide__ = True
    limit, rows = duration(within), trial.rows("arp_convergence")
    if not rows:
        raise AssertionError("nobody ever asked for a next hop")
    missed = []
    for row in rows:
        asked, resolved = row["asked_ns"], row["resolved_ns"]
        pair = f"{row['sender']} to {row['next_hop']}"
        assert isinstance(asked, int)
        if not isinstance(resolved, int):
            missed.append(f"{pair}: unresolved, asked at {asked / SECOND:g} s")
        elif resolved - asked > limit:
            missed.append(f"{pair}: after {(resolved - asked) / SECOND:g} s")
    if missed:
        raise AssertionError(_listed(f"of {len(rows)} pairs not within {within}", missed))


def assert_delivered(trial: Trial, *, share: float = 1.0, flow: str = "*") -> None:
    """Of each flow `from--to` that fits the pattern, this share of payloads arrived, or more.

    What is still on its way at the end has not arrived: let traffic `stop` before `until`.
    """
    __tracebackhide__ = True
    if not 0 <= share <= 1:
        raise UsageError(f"`share` is `{share}`", "give a number from 0 to 1")
    rows = trial.rows("flows")
    fitting = [one for one in rows if fnmatchcase(f"{one['source']}--{one['destination']}", flow)]
    if not fitting:
        some = ", ".join(f"{one['source']}--{one['destination']}" for one in rows[:_SHOWN])
        raise UsageError(f"no flow is called `{flow:.60}`", f"there are {some or 'none'}")
    missed = []
    for one in fitting:
        offered, delivered = one["offered"], one["delivered"]
        assert isinstance(offered, int)
        assert isinstance(delivered, int)
        if not offered or delivered < share * offered:
            called = f"{one['source']}--{one['destination']} ({one['kind']})"
            missed.append(f"{called}: {delivered} of {offered} delivered")
    if missed:
        drops = ", ".join(f"{why} {count}" for why, count in _dropped(trial).items())
        what = f"of {len(fitting)} flows below {share:g}, dropped: {drops or 'nothing'}"
        raise AssertionError(_listed(what, missed))


def _check_no_seed(keys: Iterable[str]) -> None:
    if "seed" in keys:
        hint = "`--vtap-seed N`, or the marker `vtap_seeds`, says another"
        raise UsageError("the seed is the test's, not a word of its network", hint)


def _check_words(where: str, value: object) -> None:
    """Only what TOML has, and exactly that: an enum or a number of NumPy is written otherwise."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if not isinstance(key, str):
                raise UsageError(f"{where} has a key `{key!r:.60}`", "keys are texts")
            _check_words(f"`{key:.60}`", one)
    elif isinstance(value, list | tuple):
        for one in value:
            _check_words(where, one)
    elif not isinstance(value, str) and type(value) not in (bool, int, float):
        hint = "texts, numbers, booleans, lists and tables; what is not set is left out"
        raise UsageError(f"{where} is a `{type(value).__name__}`", hint)


def _value(summary: dict[str, Any], field: str) -> Value:
    name, _, inside = field.partition(".")
    found = summary.get(name)
    if name == "dropped":
        return int((found or {}).get(inside, 0))
    value: Value = found.get(inside) if isinstance(found, dict) else found
    return value


def _dropped(trial: Trial) -> Mapping[str, int]:
    found: dict[str, int] = trial.summary["dropped"]
    return found


def _hold(failures: list[Failure]) -> None:
    __tracebackhide__ = True
    if failures:
        raise AssertionError(
            "\n".join(
                f"{one.field}: {'null' if one.value is None else one.value} is not {one.limit}, "
                f"first at {one.at_s:g} s"
                for one in failures
            )
        )


def _listed(what: str, missed: list[str]) -> str:
    more = [f"and {len(missed) - _SHOWN} more"] if len(missed) > _SHOWN else []
    return "\n".join([f"{len(missed)} {what}", *missed[:_SHOWN], *more])


def _explained(missed: Missed) -> AssertionError:
    return AssertionError("\n".join([str(missed), *differences(missed)]))
