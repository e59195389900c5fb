"""What a terminal shows of campaigns: how far they are, what they found, what was measured."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sim.campaigns.hunt import Bag, Hunt
from sim.campaigns.sweep import Gathered, Sweep, missed
from sim.capture import escaped
from sim.cli.console import counted, err, out
from sim.fuzz.transitions import REACHABLE
from sim.results import SCHEMA
from sim.statistics import Estimate, Interval, is_there

_BAD = 20  # runs that are named of those that did not pass
_WIDE = 60  # of a signature in a table
_TABLE_WIDE = 2000
_NEVER = 5  # that are named of those never seen


@contextmanager
def hunting(order: Hunt, *, quiet: bool) -> Iterator[Callable[[Bag], None]]:
    """Worlds a second, kinds of failure, states seen, round; only on a terminal."""
    with _bar(quiet=quiet) as bar:
        wanted = None if order.end is None else order.end - order.first

        def step(bag: Bag) -> None:
            if bar is not None:
                words = (
                    f"{_speed(bar, bag.fresh)} worlds/s, {len(bag.kinds)} kinds of failure, "
                    f"{bag.states()} of {len(REACHABLE)} states, round {bag.rounds}"
                )
                bar.update(bar.task_ids[0], total=wanted, completed=bag.rows, words=words)

        yield step


@contextmanager
def sweeping(*, quiet: bool) -> Iterator[Callable[[Gathered], None]]:
    """Runs a second, and how many did not pass; only on a terminal."""
    with _bar(quiet=quiet) as bar:

        def step(found: Gathered) -> None:
            if bar is not None:
                words = f"{_speed(bar, found.fresh)} runs/s, {len(found.bad)} did not pass"
                bar.update(bar.task_ids[0], total=found.all(), completed=found.rows, words=words)

        yield step


@contextmanager
def comparing(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """How many runs are done, of how many; only on a terminal."""
    with _bar(quiet=quiet) as bar:

        def step(done: int, of: int) -> None:
            if bar is not None:
                words = f"{_speed(bar, done)} runs/s"
                bar.update(bar.task_ids[0], total=of, completed=done, words=words)

        yield step


def show_hunt(bag: Bag) -> None:
    """Every finding, and how to see it again."""
    _show_worlds(bag)
    if bag.states():  # of somebody else's translator none is known
        _show_states(bag)
    if bag.discoveries:
        table = Table(box=None, pad_edge=False)
        for head in ("worlds", "first seed", "nodes", "frames", "failure"):
            table.add_column(head, overflow="fold")
        for one in bag.discoveries:
            sizes = (str(size) if size else "" for size in (one.nodes, one.frames))
            words = Text(escaped(one.signature, _WIDE))
            table.add_row(str(bag.kinds[one.signature]), str(one.seed), *sizes, words)
        out.print(table)
    for one in bag.discoveries:
        out.print(Text(escaped(one.signature, 300), style="red"))
        out.print(Text(escaped(f"{one.failed}; {one.shrinking or 'not shrunk'}", 1000)))
        out.print(Text(f"replay: {escaped(one.replay, 4096)}"))


def _show_worlds(bag: Bag) -> None:
    if bag.rows:
        verdicts = ", ".join(f"{count} {name}" for name, count in sorted(bag.verdicts.items()))
        worlds, rounds = counted(bag.rows, "world"), counted(bag.rounds, "round")
        out.print(Text(f"{worlds} in {rounds}: {verdicts}"))
    if bag.corpus:
        known = ", ".join(f"{count} {name}" for name, count in sorted(bag.corpus.items()))
        strayed = f"; {bag.strayed} draw another world now" if bag.strayed else ""
        worlds = counted(bag.corpus.total(), "world")
        out.print(Text(f"{worlds} of the corpus: {known}{strayed}"))


def _show_states(bag: Bag) -> None:
    out.print(Text(f"{bag.states()} of {len(REACHABLE)} states seen"))
    for what, names in bag.never().items():
        if names:
            more = f" and {len(names) - _NEVER} more" if len(names) > _NEVER else ""
            told = f"{what} never seen: {', '.join(names[:_NEVER])}{more}"
            out.print(Text(escaped(told, 2000), style="dim"))


def hunt_facts(bag: Bag, order: Hunt) -> dict[str, Any]:
    """The object of `--json`."""
    findings = [
        {
            "signature": one.signature,
            "worlds": bag.kinds[one.signature],
            "seed": one.seed,
            "fingerprint": one.fingerprint,
            "failed": one.failed,
            "folder": one.folder or None,
            "shrinking": one.shrinking,
            "nodes": one.nodes,
            "frames": one.frames,
            "replay": one.replay,
        }
        for one in bag.discoveries
    ]
    corpus = {"verdicts": dict(sorted(bag.corpus.items())), "strayed": bag.strayed}
    return {
        "schema": SCHEMA,
        "first_seed": order.first,
        "worlds": bag.rows,
        "rounds": bag.rounds,
        "verdicts": dict(sorted(bag.verdicts.items())),
        "states": bag.states(),
        "states_reachable": len(REACHABLE),
        "never": bag.never(),
        "findings": findings,
        **({} if order.seeds_from is None else {"corpus": corpus}),
    }


def show_sweep(found: Gathered, order: Sweep) -> None:
    """The mean of each measure at each point; then what did not pass, and how to see it again."""
    table = Table(box=None, pad_edge=False)
    keys = [words.partition("=")[0] for words in order.vary]
    for head in (*keys, *order.metrics):
        table.add_column(Text(escaped(head, _WIDE)), no_wrap=True)
    for point, estimates in zip(found.points, found.estimates, strict=True):
        values = [escaped(change.partition("=")[2], _WIDE) for change in point]
        numbers = [_mean(one) for one in estimates]
        table.add_row(*map(Text, (*values, *numbers)))
    table.width = out.measure(table, options=out.options.update(max_width=_TABLE_WIDE)).maximum
    out.print(table, crop=False)
    out.print(Text(f"{counted(found.all(), 'run')}, {_replications(found)}"))
    _show_precision(found, order)
    for number in sorted(found.bad)[:_BAD]:
        point, seed = found.at(number)
        where = ", ".join((*point, f"seed {seed}"))
        out.print(Text(escaped(f"{found.bad[number]}: {where}", 1000), style="red"))
        words = ["vtap", "run", order.where, "--seed", str(seed)]
        words += [word for change in point for word in ("--set", change)]
        out.print(Text(f"run it alone: {escaped(shlex.join(words), 4096)}"))
    if len(found.bad) > _BAD:
        out.print(Text(f"and {len(found.bad) - _BAD} more that did not pass"))


def sweep_facts(found: Gathered, order: Sweep) -> dict[str, Any]:
    """The object of `--json`."""
    keys = [words.partition("=")[0] for words in order.vary]
    return {
        "schema": SCHEMA,
        "runs": found.rows,
        "seeds": [order.seeds.start, order.seeds.stop],
        "precision": order.precision,
        "reached": None if order.precision is None else not missed(found, order),
        "points": [
            {
                "point": dict(zip(keys, (one.partition("=")[2] for one in point), strict=True)),
                "runs": count,
                **_estimated(dict(zip(order.metrics, estimates, strict=True))),
            }
            for point, count, estimates in zip(
                found.points, found.counts, found.estimates, strict=True
            )
        ],
        "not_passed": [
            {"point": list(found.at(number)[0]), "seed": found.at(number)[1], "verdict": verdict}
            for number, verdict in sorted(found.bad.items())
        ],
    }


def _mean(one: Estimate) -> str:
    if one.mean is None:
        return "null"
    half = "" if one.interval is None else f" ± {one.interval.half_width:.2g}"
    return f"{one.mean:.6g}{half}"


def _replications(found: Gathered) -> str:
    least, most = min(found.counts), max(found.counts)
    if most == 1:
        return "one run at each point: no interval"
    seeds = f"{least}" if least == most else f"{least} to {most}"
    what = "mean ± half of the 95 % interval" if is_there() else "the mean (intervals need scipy)"
    return f"{seeds} seeds at each point: {what}"


def _show_precision(found: Gathered, order: Sweep) -> None:
    """Whether it was reached, and where not."""
    if order.precision is None:
        return
    short = missed(found, order)
    measured = {
        metric
        for of_point in found.estimates
        for metric, one in zip(order.metrics, of_point, strict=True)
        if one.mean is not None
    }
    if measured and not short:
        out.print(Text(f"within {100 * order.precision:.3g} % of each mean", style="green"))
    for metric in order.metrics:
        if metric not in measured:
            out.print(Text(escaped(f"no run measured {metric}", 1000), style="yellow"))
    for point, metric, reached in short[:_BAD]:
        by = "no share of a mean" if reached is None else f"{100 * reached:.3g} %"
        where = ", ".join((*point, metric))
        told = f"{len(found.seeds)} seeds were not enough at {where}: {by}"
        out.print(Text(escaped(told, 1000), style="yellow"))


def _estimated(estimates: dict[str, Estimate]) -> dict[str, Any]:
    def ends(interval: Interval | None) -> list[float] | None:
        return None if interval is None else [interval.low, interval.high]

    return {
        "mean": {metric: one.mean for metric, one in estimates.items()},
        "interval": {metric: ends(one.interval) for metric, one in estimates.items()},
        "median": {metric: one.median for metric, one in estimates.items()},
        "median_interval": {metric: ends(one.median_interval) for metric, one in estimates.items()},
        "measured": {metric: one.count for metric, one in estimates.items()},
    }


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Progress | None]:
    if quiet or not err.is_terminal:
        yield None
        return
    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        bar.add_task("", total=None, words="")
        yield bar


def _speed(bar: Progress, fresh: int) -> str:
    elapsed = bar.tasks[0].elapsed or 0.0
    return f"{fresh / elapsed:.0f}" if elapsed else "0"
