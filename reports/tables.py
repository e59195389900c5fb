"""The tables: one function for each, from runs to columns and rows of text. Numbers carry units."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from reports.words import NOTHING, count, duration, number, plural, rate, share
from sim.results import Cell, Run

Table: TypeAlias = tuple[tuple[str, ...], list[tuple[str, ...]]]
Form: TypeAlias = Callable[[float | None], str]


def summary(runs: Sequence[Run]) -> Table:
    """What the run measured, one line for each measure; of several runs, a column for each."""
    columns = ("measure", *(("value",) if len(runs) == 1 else _names(runs)))
    each = [dict(measures(run)) for run in runs]
    return columns, [(measure, *(of[measure] for of in each)) for measure in each[0]]


def flows(runs: Sequence[Run]) -> Table:
    """What each flow offered, and what became of it."""
    heads = ("flow", "kind", "from", "to", "offered", "delivered", "duplicated", "reordered")
    delays = ("median", "99 % within", "largest", "variation")
    forms = [_text] * 4 + [count] * 4 + [duration] * 4
    return _table(runs, "flows", (*heads, *delays), forms)


def drops(runs: Sequence[Run]) -> Table:
    """Where frames were refused or lost, and why; the most first."""
    columns, rows = _table(runs, "drops", ("where", "reason", "frames"), [_text, _text, count])
    return columns, sorted(rows, key=lambda row: -int(re.sub(r"\D", "", row[-1]) or 0))


def links(runs: Sequence[Run]) -> Table:
    """Each direction of each link: sent + duplicated = arrived + lost + in flight."""
    heads = ("from", "to", "rate", "delay", "sent", "duplicated", "arrived", "lost", "utilization")
    forms = [_text, _text, rate, duration, count, count, count, count, share]
    return _table(runs, "links", heads, forms)


def nodes(runs: Sequence[Run]) -> Table:
    """The ledger: what each node received and sent, and the one fate of each frame."""
    heads = ("node", "kind", "received", "consumed", "translated", "held", "forwarded", "dropped")
    sent = ("sent", "copies", "originated", "released")
    return _table(runs, "nodes", (*heads, *sent), [_text, _text, *[count] * 10])


TABLES: dict[str, Callable[[Sequence[Run]], Table]] = {
    "summary": summary,
    "flows": flows,
    "drops": drops,
    "links": links,
    "nodes": nodes,
}


def measures(run: Run) -> list[tuple[str, str]]:
    """(measure, value in words) of one run; what was not measured says so."""
    told = run.summary

    def of(*path: str) -> float | None:
        return _at(told, *path)

    def seconds(*path: str) -> str:
        value = of(*path)
        return NOTHING if value is None else duration(value * 1e9)

    dropped = told.get("dropped")
    refused = None
    if isinstance(dropped, Mapping):
        refused = sum(number(frames) or 0.0 for frames in dropped.values())
    return [
        ("verdict", run.verdict),
        (
            "simulated time",
            duration(run.until_ns) if of("simulated_s") is None else seconds("simulated_s"),
        ),
        ("ARP convergence", _convergence(run)),
        ("ARP re-convergence", seconds("arp_reconvergence_s")),
        ("broadcast learning", share(of("broadcast_learning", "share"))),
        ("time to all hubs", seconds("broadcast_learning", "time_to_all_s")),
        ("flooded share of copies", share(of("broadcast_learning", "flooded_share"))),
        ("one-way delay, median", seconds("latency_s", "p50")),
        ("one-way delay, 90 %", seconds("latency_s", "p90")),
        ("one-way delay, 99 %", seconds("latency_s", "p99")),
        ("one-way delay, 99.9 %", seconds("latency_s", "p999")),
        ("payload offered", rate(of("throughput_bps", "offered"))),
        ("payload delivered", rate(of("throughput_bps", "delivered"))),
        ("warm-up, left out of delays and rates", seconds("warmup_s")),
        ("payloads delivered", count(of("delivered"))),
        ("frames dropped", count(refused)),
        ("link crossings", count(of("crossings"))),
        ("events", count(of("events"))),
        ("time of the event loop", seconds("wall_s")),
        ("time to build", seconds("setup_s")),
        ("time of the process", seconds("process_s")),
        ("digest", run.digest or NOTHING),
    ]


def _convergence(run: Run) -> str:
    unresolved = _at(run.summary, "arp_unresolved")
    if unresolved:
        return f"{plural(int(unresolved), 'pair')} unresolved"
    value = _at(run.summary, "arp_convergence_s")
    return NOTHING if value is None else duration(value * 1e9)


def _at(told: Mapping[str, Any], *path: str) -> float | None:
    found: Any = told
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return number(found)


def _names(runs: Sequence[Run]) -> tuple[str, ...]:
    return tuple(run.name for run in runs)


def _text(cell: Cell) -> str:
    return NOTHING if cell is None else str(cell)


def _table(
    runs: Sequence[Run],
    table: str,
    columns: tuple[str, ...],
    forms: Sequence[Callable[..., str]],
) -> Table:
    """The rows of a table in words; of several runs, with the run in front."""
    several = len(runs) > 1
    rows = [
        (
            *((run.name,) if several else ()),
            *(
                form(cell if form is _text else number(cell))
                for form, cell in zip(forms, row, strict=True)
            ),
        )
        for run in runs
        for row in run.tables.get(table, ())
    ]
    return (("run", *columns) if several else columns), rows
