"""A baseline: what some runs measured, as a small file that is committed beside a scenario."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from sim import metrics as names
from sim.campaigns.outcomes import Outcomes
from sim.results import ResultError
from sim.versions import CODE
from virtualtap.errors import UsageError

SCHEMA = 1
KIND = "baseline"
READ_MAX = 16 * 1024 * 1024  # bytes
TOLERANCE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?%")
_Read = TypeVar("_Read")
_HINT = "name a results folder, a `sweep.sqlite`, or what `vtap baseline save` wrote"


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario point: of each metric a value for each seed; null where none was measured."""

    point: str
    seeds: list[int]
    values: dict[str, list[float | None]]


class _Head(msgspec.Struct, frozen=True):
    """What says whether the rest can be read."""

    schema: int
    kind: str


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the file holds."""

    schema: int
    kind: str
    about: dict[str, str]  # scenario, versions: on what the values depend
    tolerance: str  # how much worse is borne: `5%`
    metrics: list[str]
    points: list[Point]


def baseline_of(found: Outcomes, tolerance: str) -> Baseline:
    """Points and seeds in order, and of the metrics those that a run has."""
    measured = [
        (metric, place)
        for place, metric in enumerate(found.metrics)
        if any(values[place] is not None for values in found.rows.values())
    ]
    if not measured:
        raise UsageError(f"no run in `{found.name:.200}` came to its end", "look at them first")
    seeds: dict[str, list[int]] = {}
    for point, seed in sorted(found.rows):
        seeds.setdefault(point, []).append(seed)
    return Baseline(
        schema=SCHEMA,
        kind=KIND,
        about={key: said for key, said in sorted(found.about.items()) if key != CODE},
        tolerance=tolerance,
        metrics=[metric for metric, _ in measured],
        points=[
            Point(
                point,
                of_point,
                {
                    metric: [found.rows[point, s][place] for s in of_point]
                    for metric, place in measured
                },
            )
            for point, of_point in seeds.items()
        ],
    )


def write(baseline: Baseline, path: Path) -> None:
    """The same runs give the same bytes; what is there is replaced. OSError."""
    head = msgspec.to_builtins(baseline)
    points = ",\n".join(map(_lines, head.pop("points")))
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    text = ",\n".join([*lines, f' "points": [\n{points}\n ]'])
    path.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


def read(path: Path) -> Baseline:
    """ResultError for what `write` did not write."""
    try:
        with path.open("rb") as stream:
            content = stream.read(READ_MAX + 1)
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise ResultError(f"cannot read `{path}`: {why}", _HINT) from None
    if len(content) > READ_MAX:
        raise ResultError(f"`{path}` is longer than {READ_MAX} bytes", _HINT)
    head = _decoded(path, content, _Head)
    if (head.schema, head.kind) != (SCHEMA, KIND):
        told = f"`{path}` has schema {head.schema}, this version reads {SCHEMA}"
        raise ResultError(told, "save it again with this version")
    found = _decoded(path, content, Baseline)
    _check(found, path)
    return found


def outcomes(baseline: Baseline, name: str, metrics: Sequence[str]) -> Outcomes:
    """The same as rows."""
    found = Outcomes(name, names.check(metrics), about=baseline.about)
    for point in baseline.points:
        for place, seed in enumerate(point.seeds):
            key = point.point, seed
            if key in found.rows:
                raise ResultError(f"`{name:.200}` has a seed twice", "save it again")
            found.rows[key] = tuple(
                point.values[metric][place] if metric in point.values else None
                for metric in found.metrics
            )
            found.verdicts[key] = "pass"  # what it was is not kept
    return found


def _check(found: Baseline, path: Path) -> None:
    """What the types do not say."""
    if not any(point.seeds for point in found.points):
        raise ResultError(f"`{path}` holds no runs", _HINT)
    if not TOLERANCE.fullmatch(found.tolerance):
        raise ResultError(f"the tolerance in `{path}` is no share", "write it as `5%`")
    for point in found.points:
        for values in point.values.values():
            wild = any(value is not None and abs(value) > names.LARGEST for value in values)
            if len(values) != len(point.seeds) or wild:
                raise ResultError(f"`{path}` has not one number for each seed", "save it again")


def _decoded(path: Path, content: bytes, what: type[_Read]) -> _Read:
    try:
        return msgspec.json.decode(content, type=what)
    except (ValueError, RecursionError):
        raise ResultError(f"`{path}` holds no runs", _HINT) from None


def _lines(point: dict[str, Any]) -> str:
    """One for each metric, so that a change of one is a change of a line."""
    head = ", ".join(f"{json.dumps(key)}: {json.dumps(point[key])}" for key in ("point", "seeds"))
    values = [f"   {json.dumps(key)}: {json.dumps(ones)}" for key, ones in point["values"].items()]
    rows = ",\n".join(values)
    return f'  {{{head}, "values": {{\n{rows}\n  }}}}'
