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
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

SCHEMA = 1
RUN_FILE, GRAPH_FILE, CAPTURE_FILE = "run.json", "graph.json", "capture.pcapng"
PAGE_FILE = "report.html"  # reports write it
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
    "frames": (  # with `--parents`
        *("frame", "at_ns", "source", "length", "parent", "cause", "fate", "fate_at_ns"),
    ),
    "nodes": (
        *("node", "kind", "received", "consumed", "translated", "held", "forwarded", "dropped"),
        *("sent", "copies", "originated", "released"),
    ),
}

TEXT = (  # columns of text; all others hold numbers or nothing
    *("sender", "next_hop", "hub", "mac", "flow", "kind", "source", "destination"),
    *("where", "reason", "node", "cause", "fate"),
)

Cell = str | int | float | None
Rows = list[tuple[Cell, ...]]


class ResultError(ValueError):
    """Files that are no run of ours; one line, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if hint:
            self.add_note(f"hint: {hint}")


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One expectation that was missed."""

    field: str
    value: float | int | str | None
    limit: str  # in words: "at most 0.2"
    at_s: float  # the first moment at which it was missed


class Learning(msgspec.Struct, frozen=True):
    """How far broadcasts have taught the hubs."""

    share: float | None
    time_to_all_s: float | None
    flooded_share: float | None


class Latency(msgspec.Struct, frozen=True):
    """Quantiles of the one-way delay."""

    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None


class Throughput(msgspec.Struct, frozen=True):
    """Payload a second."""

    offered: float | None
    delivered: float | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The form of the object that `--json` prints; None: nothing was there to measure it."""

    schema: int
    scenario: str
    seed: int
    digest: str | None
    verdict: str
    failed: list[Failure]
    simulated_s: float
    setup_s: float
    wall_s: float
    process_s: float
    events: int
    crossings: int
    delivered: int
    dropped: dict[str, int]
    arp_convergence_s: float | None
    arp_unresolved: int | None
    arp_reconvergence_s: float | None = None
    broadcast_learning: Learning
    latency_s: Latency
    throughput_bps: Throughput
    warmup_s: float | None = None  # what was sent before it counts for no delay and no throughput


class GraphNode(msgspec.Struct, frozen=True):
    """A node of `graph.json`, as far as it is drawn."""

    id: str
    kind: str
    latitude: float | None = None
    longitude: float | None = None


class GraphEdge(msgspec.Struct, frozen=True):
    """An edge of `graph.json`, as far as it is drawn."""

    source: str
    target: str
    delay: int | None = None
    rate: int | None = None


class Drawn(msgspec.Struct, frozen=True):
    """The form of `graph.json`."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]


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
    max_events: int  # what would have ended the run, or did
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
    beside, aside = (final.with_name(f".{seed}.{os.getpid()}.{what}") for what in ("new", "old"))
    if os.path.lexists(final) and not _is_ours(final):
        raise ResultError(f"`{final}` is there and is no run", "choose another `--out`")
    try:
        _tidy(final)
        beside.mkdir(parents=True)
    except OSError as error:
        raise _unwritable(root, error) from None
    try:
        try:
            yield beside
        except OSError as error:
            raise _unwritable(root, error) from None
        if final.exists():
            final.rename(aside)
        try:
            beside.rename(final)
        except BaseException:
            if aside.exists():
                aside.rename(final)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Whether it may be replaced: a run, or an empty folder."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return (folder / RUN_FILE).is_file() or not any(folder.iterdir())


def _tidy(final: Path) -> None:
    """Remove what processes left that were killed while they wrote this run."""
    for left in final.parent.glob(f".{final.name}.*.*"):
        process = left.name.split(".")[2]
        if process == str(os.getpid()) or not _is_alive(process):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: str) -> bool:
    if os.name != "posix" or not process.isdecimal():
        return True  # not ours to judge
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _unwritable(root: Path, error: OSError) -> ResultError:
    why = (error.strerror or "not possible").lower()
    return ResultError(f"cannot write results to `{root}`: {why}", "choose another `--out`")


def write(run: Run, folder: Path) -> None:
    """Write everything but the capture into `folder`, which exists."""
    content = {key: value for key, value in msgspec.to_builtins(run).items() if key not in _BESIDE}
    (folder / RUN_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    graph = {"schema": SCHEMA, **run.graph}
    (folder / GRAPH_FILE).write_text(json.dumps(graph, indent=1) + "\n", encoding="utf-8")
    for name, columns in TABLES.items():
        if name in run.tables:
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows([safe(cell) for cell in row] for row in run.tables[name])


def read(path: Path, *, whole: bool = True) -> Run:
    """The run in a folder, or of its `run.json`. ResultError for anything else.

    If not `whole`, only what `run.json` holds: no graph, no tables.
    """
    folder = path.parent if path.name == RUN_FILE else path
    content = _load(folder / RUN_FILE)
    _check_schema(content.get("schema"), folder / RUN_FILE)
    if whole:
        content["graph"] = graph = _load(folder / GRAPH_FILE)
        _check_schema(graph.pop("schema", SCHEMA), folder / GRAPH_FILE)  # once it had none
        content["tables"] = {
            name: _read_table(folder / f"{name}.csv", columns)
            for name, columns in TABLES.items()
            if (folder / f"{name}.csv").is_file()
        }
    try:
        run = msgspec.convert(content, Run)
        msgspec.convert(run.summary, Summary)
        if whole:
            msgspec.convert(run.graph, Drawn)
    except msgspec.ValidationError as error:
        raise ResultError(f"`{folder / RUN_FILE}` is no run: {error}", _HINT) from None
    return run


def as_word(path: Path) -> str:
    """A path as a word of a shell's command line, and never an option."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


def fingerprint(text: str) -> str:
    """Which scenario it is: 32 hexadecimal digits of its text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def find(path: Path) -> list[Path]:
    """Every finished run in `path`, a results root, a scenario of it, or a run; by their names."""
    if (path / RUN_FILE).is_file() or path.name == RUN_FILE:
        return [path]
    return sorted(
        file.parent
        for depth in ("*/", "*/*/")  # <scenario>/<seed>, or <seed>
        for file in path.glob(depth + RUN_FILE)
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


_HINT = "name a folder that `vtap run` wrote"


def _check_schema(found: object, path: Path) -> None:
    if found != SCHEMA:
        raise ResultError(
            f"`{path}` has schema {found!r:.20}, this version reads {SCHEMA}",
            "run it again with this version",
        )


def _load(path: Path) -> dict[str, Any]:
    content = None
    try:
        if path.is_file() and path.stat().st_size <= READ_MAX:
            content = msgspec.json.decode(path.read_bytes())  # no NaN, no half characters
    except (OSError, ValueError, RecursionError):
        pass
    if not isinstance(content, dict):
        raise ResultError(f"`{path}` holds no run", _HINT)
    return content


def _read_table(path: Path, columns: tuple[str, ...]) -> Rows:
    try:
        if path.stat().st_size > READ_MAX:
            raise ValueError
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        if tuple(header) != columns or any(len(row) != len(columns) for row in rows):
            raise ValueError
        readers = [_text if column in TEXT else _number for column in columns]
        return [tuple(read(cell) for read, cell in zip(readers, row, strict=True)) for row in rows]
    except (OSError, ValueError, csv.Error):
        raise ResultError(f"`{path}` is no table of a run", _HINT) from None


_INTEGER = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,2})?", re.ASCII)


def _number(cell: str) -> Cell:
    if cell == "":
        return None
    if _INTEGER.fullmatch(cell):
        return int(cell)
    if _DECIMAL.fullmatch(cell):
        return float(cell)
    raise ValueError(cell)


def _text(cell: str) -> Cell:
    return cell.removeprefix("'")


_FORMULAS = tuple("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")  # the last four are = + - @, full width


def safe(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula gets an apostrophe, as does one more of it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell
