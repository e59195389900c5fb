"""What a comparison says: on a terminal, as JSON, as Markdown for a pull request, as suites."""

import re
from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from sim.campaigns.compare import (
    BETTER,
    BROKEN,
    HELD,
    NOT_JUDGED,
    NOTHING,
    WORSE,
    Comparison,
    Judged,
    Row,
)
from sim.capture import escaped
from sim.cli.console import counted, out
from sim.junit import FAILURE, SKIPPED, Case, Suites
from sim.markdown import literal
from sim.statistics import CONFIDENCE, POWER, Interval

SCHEMA = 1
_COLORS = {BETTER: "green", WORSE: "red", BROKEN: "red", HELD: "green"}
_LONG, _WIDE = 120, 2000
_HEADS = ("metric", "A", "B", "difference", "95 % interval", "verdict", "could have shown")
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def facts(found: Comparison) -> dict[str, Any]:
    """The object of `--json`."""
    return {
        "schema": SCHEMA,
        "confidence": CONFIDENCE,
        "power": POWER,
        "a": _side(found.first.name, found.first.bad(), found.alone[0]),
        "b": _side(found.second.name, found.second.bad(), found.alone[1]),
        "pairs": found.seeds,
        "unlike": {key: list(words) for key, words in found.unlike().items()},
        "metrics": [_row_facts(row) for row in found.rows],
        "gates": [_gate_facts(judged) for judged in found.gates],
    }


def show(found: Comparison) -> None:
    """A table for each scenario point, then the gates."""
    for line in _head(found):
        out.print(Text(escaped(line, 1000)))
    for point, rows in _by_point(found).items():
        out.print(Text(escaped(point, _LONG), style="bold"))
        table = Table(box=None, pad_edge=False)
        for head in _HEADS:
            table.add_column(head, no_wrap=True)
        for row in rows:
            *cells, verdict, least = _cells(row)
            styled = Text(verdict, style=_COLORS.get(row.verdict, ""))
            table.add_row(*map(Text, cells), styled, Text(least))
        table.width = out.measure(table, options=out.options.update(max_width=_WIDE)).maximum
        out.print(table, crop=False)
    for judged in found.gates:
        words = f"gate {_gate_words(judged)}"
        out.print(Text(escaped(words, 1000), style=_COLORS.get(judged.verdict, "yellow")))


def markdown(found: Comparison) -> str:
    """For a pull request: gates first."""
    lines = ["## Comparison", "", *(f"{literal(line, 1000)}  " for line in _head(found)), ""]
    if found.gates:
        lines += [f"- {literal(_gate_words(judged), 1000)}" for judged in found.gates] + [""]
    for point, rows in _by_point(found).items():
        lines += [f"### {literal(point)}", "", f"| {' | '.join(_HEADS)} |", "|---" * 7 + "|"]
        lines += [f"| {' | '.join(map(literal, _cells(row)))} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def suites(found: Comparison) -> Suites:
    """A case for each gate and point; where there are no gates, one that says so."""
    outcomes = {BROKEN: FAILURE, NOT_JUDGED: SKIPPED}
    cases = [
        Case(
            group=judged.point,
            name=judged.gate.text,
            outcome=outcomes.get(judged.verdict, ""),
            why=_gate_words(judged),
        )
        for judged in found.gates
    ]
    return {"vtap compare": cases or [Case("compare", "no gates")]}


def _head(found: Comparison) -> Iterator[str]:
    yield f"A: {found.first.name}"
    yield f"B: {found.second.name}"
    yield f"{counted(found.seeds, 'run')} of each, with the same seeds"
    for name, one, alone in zip("AB", (found.first, found.second), found.alone, strict=True):
        if alone:
            yield f"{counted(alone, 'run')} of {name} without a counterpart, left out"
        for verdict, count in one.bad().items():
            yield f"{name}: verdict of {counted(count, 'run')}: {verdict}"
    for key, words in found.unlike().items():
        yield f"not the same: {key}: {words[0] or 'not said'}, {words[1] or 'not said'}"
    if all(row.pairs < 2 for row in found.rows):
        yield "one run: no interval, and nothing that could be shown"


def _by_point(found: Comparison) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in found.rows:
        rows.setdefault(row.point, []).append(row)
    return rows


def _cells(row: Row) -> tuple[str, ...]:
    """As `_HEADS` says."""
    name = row.metric + (f" ({row.pairs} of {row.runs})" if row.pairs < row.runs else "")
    if row.means is None or row.difference is None:
        return escaped(name, _LONG), *("",) * 4, row.verdict, ""
    interval = row.difference.interval
    return (
        escaped(name, _LONG),
        *(_amount(row.metric, mean) for mean in row.means),
        _change(row, row.difference.mean, sign=True),
        "" if interval is None else _ends(row, interval),
        row.verdict,
        _least(row),
    )


def _least(row: Row) -> str:
    """The smallest difference that so many pairs could have shown, where they showed none."""
    least = None if row.difference is None else row.difference.detectable
    if least is None or row.verdict != NOTHING:
        return ""
    return _change(row, least, sign=False) if least else "every pair is equal"


def _change(row: Row, amount: float, *, sign: bool) -> str:
    """As a share of A's mean where there is one, else as it is."""
    assert row.means is not None
    mark = "+" if sign and amount >= 0 else ""
    if row.ratio is None or not row.means[0]:
        return mark + _amount(row.metric, amount)
    return f"{mark}{_digits(100 * amount / abs(row.means[0]))} %"


def _ends(row: Row, interval: Interval) -> str:
    if row.ratio is None or row.means is None or row.means[0] <= 0:
        low, high = (_amount(row.metric, end) for end in (interval.low, interval.high))
        return f"{low} to {high}"
    low, high = (_digits(100 * (end - 1)) for end in (row.ratio.low, row.ratio.high))
    return f"{low} to {high} %"


def _amount(metric: str, value: float) -> str:
    """Seconds in the unit that suits them."""
    if not re.search(r"_s(\.|$)", metric) or not value:
        return _digits(value)
    size, unit = next((one for one in _SECONDS if abs(value) >= one[0]), _SECONDS[-1])
    return f"{_digits(value / size)} {unit}"


def _digits(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _gate_words(judged: Judged) -> str:
    words = f"{judged.gate.text}, {judged.point}: {judged.verdict}"
    if judged.excess is None or judged.interval is None:
        return f"{words}: it was not measured in two pairs at least, or not in all"
    metric, interval = judged.gate.metric, judged.interval
    low, high = (_amount(metric, end) for end in (interval.low, interval.high))
    return f"{words}: past the limit by {_amount(metric, judged.excess)} ({low} to {high})"


def _side(name: str, bad: dict[str, int], alone: int) -> dict[str, Any]:
    return {"name": name, "not_passed": bad, "without_counterpart": alone}


def _row_facts(row: Row) -> dict[str, Any]:
    difference = row.difference
    interval = None if difference is None else difference.interval
    return {
        "point": row.point,
        "metric": row.metric,
        "better": row.better,
        "pairs": row.pairs,
        "missing": row.missing,
        "a": None if row.means is None else row.means[0],
        "b": None if row.means is None else row.means[1],
        "difference": None if difference is None else difference.mean,
        "interval": _pair(interval),
        "ratio_interval": _pair(row.ratio),
        "p": None if difference is None else difference.p,
        "p_corrected": row.corrected,
        "detectable": None if difference is None else difference.detectable,
        "verdict": row.verdict,
    }


def _gate_facts(judged: Judged) -> dict[str, Any]:
    return {
        "gate": judged.gate.text,
        "point": judged.point,
        "verdict": judged.verdict,
        "excess": judged.excess,
        "interval": _pair(judged.interval),
    }


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
