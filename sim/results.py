"""Run: one run on disk, written and read here and nowhere else.

    <root>/<scenario>/<seed>/run.json          scenario, seed, digest, verdict, summary, versions
                             graph.json        the built graph, node-link form
                             <table>.csv       one file for each entry of TABLES
                             capture.pcapng    if frames were recorded

A run is written beside its final place and renamed; an older run of the same name is moved aside
and removed only afterwards. Depends on nothing of ours, so that reports need no simulator.
"""

import csv
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

SCHEMA = 1
RUN_FILE, GRAPH_FILE, CAPTURE_FILE = "run.json", "graph.json", "capture.pcapng"
READ_MAX = 64 * 1024 * 1024  # bytes of one file; a run of ours stays far below

TABLES: dict[str, tuple[str, ...]] = {
    # times in ns of simulated time; an empty cell: it did not happen
    "arp_convergence": ("sender", "next_hop", "asked_ns", "resolved_ns"),
    "broadcast_learning": ("hub", "mac", "reached_ns", "in_table"),
    "latency": ("share", "delay_ns"),  # one-way delays: 1,001 quantiles, share from 0 to 1
    "throughput": ("at_ns", "offered_bps", "delivered_bps"),  # at_ns: the end of the interval
    "flows": (
        *("flow", "kind", "source", "destination", "offered", "delivered", "duplicated"),
        *("reordered", "p50_ns", "p99_ns", "max_ns", "variation_ns"),
    ),
    "drops": ("where", "reason", "count"),
    "links": (
        *("source", "destination", "rate_bps", "delay_ns", "sent", "duplicated", "arrived"),
        *("lost", "utilization"),
    ),
    "nodes": (
        *("node", "kind", "received", "consumed", "translated", "held", "forwarded", "dropped"),
        *("sent", "copies", "originated", "released"),
    ),
}

Cell = str | int | float | None
Rows = list[tuple[Cell, ...]]


class ResultError(ValueError):
    """Files that are no run of ours; one line, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One expectation that was missed."""

    field: str
    value: float | int | str | None
    limit: str  # in words: "at most 0.2"
    at_s: float  # the first moment at which it was missed


class Run(msgspec.Struct, kw_only=True):
    """One run. `summary` is the object that `--json` prints."""

    scenario: str
    scenario_text: str  # the TOML
    changes: list[str] = []  # what `--set` changed in it, before the seed
    seed: int
    verdict: str  # pass, fail, stopped
    failed: list[Failure]
    summary: dict[str, Any]
    digest: str | None = None
    until_ns: int
    bare: bool = False
    remarks: list[str] = []  # what a reader should know: links left out, the capture stopped, …
    links_left_out: list[tuple[str, str]] = []
    inputs: dict[str, str] = {}  # file → BLAKE2b of its bytes
    versions: dict[str, str] = {}
    schema: int = SCHEMA
    graph: dict[str, Any] = {}
    tables: dict[str, Rows] = {}

    @property
    def name(self) -> str:
        """Scenario and seed."""
        return f"{self.scenario}/{self.seed}"


_BESIDE = ("graph", "tables")  # kept in files of their own


@contextmanager
def writing(root: Path, scenario: str, seed: int) -> Iterator[Path]:
    """A folder to fill, which becomes `<root>/<scenario>/<seed>` if all goes well, or vanishes.

    ResultError where it cannot be written.
    """
    final = root / scenario / str(seed)
    beside = final.with_name(f".{seed}.{os.getpid()}.new")
    try:
        beside.mkdir(parents=True)
    except OSError as error:
        why = error.strerror or "not possible"
        raise ResultError(
            f"cannot write results to `{root}`: {why.lower()}", "choose another `--out`"
        ) from None
    try:
        yield beside
        aside = final.with_name(f".{seed}.{os.getpid()}.old")
        if final.exists():
            final.rename(aside)
        beside.rename(final)
        shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write(run: Run, folder: Path) -> None:
    """Write everything but the capture into `folder`, which exists."""
    content = {key: value for key, value in msgspec.to_builtins(run).items() if key not in _BESIDE}
    (folder / RUN_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (folder / GRAPH_FILE).write_text(json.dumps(run.graph, indent=1) + "\n", encoding="utf-8")
    for name, columns in TABLES.items():
        if name in run.tables:
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows([_safe(cell) for cell in row] for row in run.tables[name])


def read(path: Path) -> Run:
    """The run in a folder, or of its `run.json`. ResultError for anything else."""
    folder = path.parent if path.name == RUN_FILE else path
    content = _load(folder / RUN_FILE)
    if content.get("schema") != SCHEMA:
        raise ResultError(
            f"`{folder / RUN_FILE}` has schema {content.get('schema')!r:.20}, "
            f"this version reads {SCHEMA}",
            "run it again with this version",
        )
    content["graph"] = _load(folder / GRAPH_FILE)
    content["tables"] = {
        name: _read_table(folder / f"{name}.csv", columns)
        for name, columns in TABLES.items()
        if (folder / f"{name}.csv").is_file()
    }
    try:
        return msgspec.convert(content, Run)
    except msgspec.ValidationError as error:
        raise ResultError(f"`{folder / RUN_FILE}` is no run: {error}", _HINT) from None


def find(path: Path) -> list[Path]:
    """Every finished run at or below `path`, in the order of their names."""
    if (path / RUN_FILE).is_file() or path.name == RUN_FILE:
        return [path]
    return sorted(
        file.parent
        for file in path.glob("**/" + RUN_FILE)
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


_HINT = "name a folder that `vtap run` wrote"


def _load(path: Path) -> dict[str, Any]:
    content = None
    try:
        if path.is_file() and path.stat().st_size <= READ_MAX:
            content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError):
        pass
    if not isinstance(content, dict):
        raise ResultError(f"`{path}` holds no run", _HINT)
    return content


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _read_table(path: Path, columns: tuple[str, ...]) -> Rows:
    try:
        if path.stat().st_size > READ_MAX:
            raise ValueError
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        if tuple(header) != columns or any(len(row) != len(columns) for row in rows):
            raise ValueError
    except (OSError, ValueError, csv.Error):
        raise ResultError(f"`{path}` is no table of a run", _HINT) from None
    return [tuple(_cell(text) for text in row) for row in rows]


def _cell(text: str) -> Cell:
    if text == "":
        return None
    try:
        return int(text) if len(text) < 20 else text
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text.removeprefix("'") if text[:2] in _FORMULAS else text


_FORMULAS = ("'=", "'+", "'-", "'@", "'\t", "'\r")


def _safe(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula gets an apostrophe."""
    if isinstance(cell, str):
        if f"'{cell[:1]}" in _FORMULAS:
            return f"'{cell}"
        return cell
    return cell
