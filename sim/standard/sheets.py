"""What a bench measured as tables of words, for a terminal, Markdown and a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sim.capture import escaped

Row = Mapping[str, Any]
Columns = tuple[tuple[str, Callable[[Row], str]], ...]
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One test: title, names of columns, rows of words."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def sheets(summary: Mapping[str, Any]) -> list[Sheet]:
    """One for each test of `vtap bench --json`."""
    return [
        Sheet(
            f"{name}, {test['source']}",
            [column for column, _ in _COLUMNS[name]],
            [[say(row) for _, say in _COLUMNS[name]] for row in test["rows"]],
        )
        for name, test in summary["tests"].items()
    ]


def conditions(summary: Mapping[str, Any]) -> str:
    """How it was measured, in one line."""
    changes = "".join(f", {escaped(change, 200)}" for change in summary["changes"])
    return (
        f"on a {summary['on']}, trials of {summary['trial_s']:g} s of simulated time, "
        f"at most {summary['repeat']} trials of a latency, seed {summary['seed']}{changes}; "
        "frame sizes in bytes with the FCS, rates to 0.1 % or 1 ns of the interval"
    )


def markdown(summary: Mapping[str, Any]) -> str:
    """All sheets as Markdown."""
    lines = [f"# Bench: {summary['on']}", "", _cell(conditions(summary)), ""]
    for sheet in sheets(summary):
        lines += [f"## {sheet.title}", "", _line(sheet.columns), "|---:" * len(sheet.columns) + "|"]
        lines += [*map(_line, sheet.rows), ""]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}")
    return text


def _number(key: str, digits: int = 1) -> Callable[[Row], str]:
    return lambda row: NOTHING if row[key] is None else f"{row[key]:,.{digits}f}"


def _micros(key: str) -> Callable[[Row], str]:
    return lambda row: NOTHING if row[key] is None else f"{row[key] * 1e6:,.3f}"


def _share(row: Row) -> str:
    return NOTHING if row["share"] is None else f"{row['share']:.2%}"


def _repeats(row: Row) -> str:
    return f"{row['trials']}{', the same in every frame' if row['identical'] else ''}"


def _room(row: Row) -> str:
    if row["addresses"] is None:
        return NOTHING
    return f"{'at least ' if row['most'] else ''}{row['addresses']:,}"


def _ports(row: Row) -> str:
    found = (f"{name} {delay * 1e6:,.3f}" for name, delay in row["latency_s"].items())
    return ", ".join(found) or NOTHING


_SIZE = ("frame size", lambda row: str(row["size"]))
_RATE = ("frames/s", _number("frames_per_s"))
_LIMIT = ("the medium allows", _number("theoretical_frames_per_s"))

_COLUMNS: dict[str, Columns] = {
    "throughput": (
        *(_SIZE, _RATE, _LIMIT, ("share", _share), ("medium", lambda row: str(row["medium"]))),
        *(("bits/s", _number("bits_per_s", 0)), ("trials", lambda row: str(row["trials"]))),
    ),
    "latency": (
        *(_SIZE, _RATE, ("latency, µs", _micros("latency_s"))),
        *(("one-way delay, µs", _micros("one_way_s")), ("trials", _repeats)),
    ),
    "jitter": (
        *(_SIZE, _RATE, ("least, µs", _micros("least_s")), ("mean, µs", _micros("mean_s"))),
        ("largest, µs", _micros("largest_s")),
    ),
    "caching": (("addresses", _room),),
    "learning": (
        ("addresses", lambda row: NOTHING if row["addresses"] is None else f"{row['addresses']:,}"),
        *(("addresses/s", _number("addresses_per_s")), _LIMIT),
    ),
    "broadcast": (
        *(_SIZE, _RATE, _LIMIT, ("share", _share), ("latency by port, µs", _ports)),
        ("trials", lambda row: str(row["trials"])),
    ),
}
