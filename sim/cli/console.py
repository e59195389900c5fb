"""What a terminal shows: words on stderr, data on stdout, nothing from a stranger as markup."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sim import plugins
from sim.capture import escaped
from sim.causes import Story
from sim.conformance.campaign import Judgement
from sim.conformance.findings import explain
from sim.conformance.verdicts import Outcome, Verdict
from sim.results import Run, as_word
from sim.trail import Comparison
from virtualtap.units import SECOND, Duration, Instant

_LONGEST = 200
_CHAIN = 32  # frames that are shown of a longer chain
_COLORS = {"pass": "green", "fail": "red", "stopped": "yellow"}

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def counted(count: int, what: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def complain(message: str, hint: str = "") -> None:
    """One line: what is wrong, and what would do."""
    text = escaped(message, 1000)
    if hint:
        text += f" (hint: {escaped(hint, 1000)})"
    err.print(Text(f"error: {text}"))


def in_our_words(message: str) -> str:
    """Typer's complaint: one line, lower-case, literals in backticks, no final period."""
    line = " ".join(re.sub(r"'([^']*)'", r"`\1`", message).split()).removesuffix(".")
    return line[:1].lower() + line[1:]


def say(text: str) -> None:
    """A word on the way."""
    err.print(Text(escaped(text, 1000)))


def print_json(content: dict[str, Any]) -> None:
    """One object on stdout."""
    if sys.stdout is not None:  # closed by the caller
        sys.stdout.write(json.dumps(content, indent=2) + "\n")


@contextmanager
def progress(
    name: str, *, quiet: bool
) -> Iterator[Callable[[Instant, Duration, int], None] | None]:
    """A bar with simulated time and frames a second; only on a terminal."""
    if quiet or not err.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[simulated]}", markup=False),
        TextColumn("{task.fields[speed]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(escaped(name, 40), total=1.0, simulated="", speed="")

        def step(now: Instant, until: Duration, frames: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            bar.update(
                task,
                completed=now / until,
                simulated=f"{now / SECOND:.2f} of {until / SECOND:g} s",
                speed=f"{frames / elapsed:,.0f} frames/s" if elapsed else "",
            )

        yield step


def show_run(run: Run, page: Path | None, folder: Path | None) -> None:
    """The verdict, the numbers, and the command that repeats it."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", overflow="fold")
    table.add_column(overflow="fold")
    for name, value in _rows(run.summary):
        table.add_row(name, Text(value))
    out.print(
        Text.assemble(
            (f"{run.scenario} ", "bold"),
            f"seed {run.seed}: ",
            (run.verdict, _COLORS.get(run.verdict, "")),
        )
    )
    out.print(table)
    for remark in run.remarks:
        say(remark)
    for failure in run.failed:
        value = "null" if failure.value is None else f"{failure.value}"
        text = f"{failure.field}: {value} is not {failure.limit}, first at {failure.at_s:g} s"
        out.print(Text(escaped(text, 1000), style="red"))
    if page is not None:
        out.print(Text(f"page: {escaped(str(page), 4096)}"))
    if folder is not None:
        command = f"vtap replay {as_word(folder)}{plugins.options()}"
        out.print(Text(f"replay: {escaped(command, 4096)}"))


def show_topologies(summaries: dict[str, str], others: list[str]) -> None:
    """Each of ours in a line, and the names of the others."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, summary in summaries.items():
        table.add_row(name, Text(summary))
    out.print(table)
    out.print(Text(f"and {len(others)} real networks of TopoHub: " + ", ".join(others)))


def show_same(found: Comparison) -> None:
    """Whether a run was the same twice, and if not, the first moment that was not."""
    if found.difference is None:
        out.print(Text(f"the same twice, {found.moments} moments: {found.digest}"))
        return
    text = f"not the same twice: moment {found.difference.number} differs"
    out.print(Text(text, style="red"))
    for seen in (found.difference.first, found.difference.second):
        out.print(Text(escaped(seen, _LONGEST)))


def show_causes(chain: list[Story], children: list[Story]) -> None:
    """From a frame back to what began it, and what it caused itself."""
    shown = chain if len(chain) <= _CHAIN else [*chain[: _CHAIN // 2], *chain[-_CHAIN // 2 :]]
    for one in shown:
        if one.number != chain[0].number:
            out.print(Text("because of", style="dim"))
        if shown is not chain and one is chain[-_CHAIN // 2]:
            out.print(Text(f"{len(chain) - _CHAIN} frames more, because of", style="dim"))
        out.print(Text(escaped(one.words(), 1000)))
        if one.cause:
            out.print(Text("because of", style="dim"))
            out.print(Text(escaped(one.cause, 1000)))
    for one in children[:_CHAIN]:
        out.print(Text.assemble(("it caused ", "dim"), escaped(one.words(), 1000)))
    if len(children) > _CHAIN:
        out.print(Text(f"it caused {len(children) - _CHAIN} frames more", style="dim"))


def show_judgement(judgement: Judgement) -> None:
    """A row for each family, a column for each target; then every fail, explained."""
    summary = judgement.summary()
    table = Table(box=None, pad_edge=False)
    for head in ("family", "cases", *(escaped(name, 60) for name in judgement.outcomes)):
        table.add_column(Text(head), overflow="fold")
    families = dict.fromkeys(case.family for case in judgement.cases)
    for family in families:
        chosen = [i for i, case in enumerate(judgement.cases) if case.family == family]
        cells = [
            _counted([_word(outcomes[i]) for i in chosen])
            for outcomes in judgement.outcomes.values()
        ]
        table.add_row(family, str(len(chosen)), *cells)
    out.print(table)
    out.print(Text(f"{summary['cases']} cases of {summary['clauses']} clauses"))
    for column, outcome in judgement.failures():
        head, *lines = explain(outcome)
        where = f" on {escaped(column, 60)}" if len(judgement.outcomes) > 1 else ""
        out.print(Text(f"{head}{where}", style="red"))
        out.print(Text("\n".join(lines)))
    if judgement.killed is not None:
        text = f"{summary['killed']} of {summary['mutants']} mutants caught"
        for what in ("survivors", "idle_cases"):
            text += f"; {what.replace('_', ' ')}: {', '.join(summary[what]) or 'none'}"
        out.print(Text(text))


@contextmanager
def event_log(*, quiet: bool) -> Iterator[None]:
    """What a tap reports meanwhile, a line each, with its time."""
    handler = logging.StreamHandler(err.file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("virtualtap")
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def show_carried(summary: dict[str, Any], *, json: bool) -> None:
    """What went through a tunnel: an object, or its counts that are not zero."""
    if json:
        print_json(summary)
        return
    out.print(Text(f"ended: {summary['ended']}"))
    for side in ("host", "lan", "engine"):
        counts = (f"{name} {value}" for name, value in summary[side].items() if value)
        out.print(Text(f"{side}: {', '.join(counts) or 'nothing'}"))


def show_played(summary: dict[str, Any], *, json: bool) -> None:
    """What happened in a scenario in real time: an object, or its counts."""
    if json:
        print_json(summary)
        return
    for name, value in summary.items():
        out.print(Text(escaped(f"{name}: {value}", 2000)))


def _word(outcome: Outcome | None) -> str:
    return "otherwise" if outcome is None else outcome.verdict.value


def _counted(verdicts: list[str]) -> str:
    words = dict.fromkeys((*(verdict.value for verdict in Verdict), *verdicts))
    return ", ".join(f"{word} {verdicts.count(word)}" for word in words if word in verdicts)


def _rows(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "simulated", f"{summary['simulated_s']:g} s in {summary['wall_s']:.2f} s"
    yield "frames", f"{summary['crossings']:,} crossings, {summary['events']:,} events"
    yield "payloads", f"{summary['delivered']:,} delivered"
    dropped = ", ".join(f"{why} {count:,}" for why, count in summary["dropped"].items())
    yield "dropped", escaped(dropped or "nothing", _LONGEST)
    unresolved = summary["arp_unresolved"]
    if unresolved:
        yield "ARP convergence", f"{unresolved:,} pairs unresolved"
    else:
        yield "ARP convergence", _seconds(summary["arp_convergence_s"])
    if summary["arp_reconvergence_s"] is not None:
        yield "ARP re-convergence", _seconds(summary["arp_reconvergence_s"])
    learning = summary["broadcast_learning"]
    if learning["share"] is not None:
        yield (
            "broadcast learning",
            f"{learning['share']:.1%} of pairs{_all_at(learning['time_to_all_s'])}, "
            f"{learning['flooded_share'] or 0:.1%} of copies flooded",
        )
    latency = summary["latency_s"]
    if latency["p50"] is not None:
        yield "delay p50, p99", f"{_seconds(latency['p50'])}, {_seconds(latency['p99'])}"
    rates = summary["throughput_bps"]
    yield "throughput", f"{rates['delivered'] / 1e6:.3f} of {rates['offered'] / 1e6:.3f} Mbit/s"
    if summary["digest"] is not None:
        yield "digest", summary["digest"]


def _all_at(value: float | None) -> str:
    return "" if value is None else f", all at {_seconds(value)}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value * 1000:.3f} ms" if value < 1 else f"{value:.3f} s"
