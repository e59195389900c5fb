"""Metrics: numbers of a run's JSON that runs are compared by, and which way is better."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal

from virtualtap.errors import UsageError

Better = Literal["lower", "higher"]

COMPARED: dict[str, Better] = {  # unless it is said which
    "arp_convergence_s": "lower",
    "arp_unresolved": "lower",
    "arp_reconvergence_s": "lower",
    "broadcast_learning.share": "higher",
    "broadcast_learning.time_to_all_s": "lower",
    "broadcast_learning.flooded_share": "lower",
    "latency_s.p50": "lower",
    "latency_s.p90": "lower",
    "latency_s.p99": "lower",
    "latency_s.p999": "lower",
    "throughput_bps.delivered": "higher",
    "dropped": "lower",
    "wakeups_per_hour": "lower",
    "unprompted_frames_per_hour": "lower",
    "timers_per_hour": "lower",
}
_OTHERS: dict[str, Better] = {"delivered": "higher"}
_DROPPED = "dropped."
LARGEST = 1e60  # whose powers are still numbers
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def better(metric: str) -> Better | None:
    """Which way is better; None: neither, or nobody has said."""
    if metric.startswith(_DROPPED):
        return "lower"
    return COMPARED.get(metric) or _OTHERS.get(metric)


def value(summary: Mapping[str, Any], metric: str) -> float | None:
    """A number of the object that `--json` prints, dotted; None where it was not measured.

    A reason's count of drops is 0 where there is none; `dropped` is their sum.
    """
    found: Any = summary
    for part in metric.split(".", 1):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is None and metric.startswith(_DROPPED) and "dropped" in summary:
        return 0.0
    if metric == "dropped" and isinstance(found, Mapping):
        counts = [number for number in map(_number, found.values()) if number is not None]
        return float(sum(counts))
    return _number(found)


def is_in(summary: Mapping[str, Any], metric: str) -> bool:
    """Whether it is a measure there, though perhaps one that was not measured this time."""
    whole, _, part = metric.partition(".")
    found = summary.get(whole)
    is_told = not part or not isinstance(found, Mapping) or part in found
    return metric.startswith(_DROPPED) or (whole in summary and is_told)


def check(metrics: Iterable[str]) -> tuple[str, ...]:
    """Each once, in their order. UsageError for what can be no name of one."""
    for metric in metrics:
        if not _NAME.fullmatch(metric):
            raise UsageError(f"`{metric:.60}` is no metric", "`--metric latency_s.p99`")
    return tuple(dict.fromkeys(metrics))


def unknown(metric: str) -> UsageError:
    """What to say of one that no run has."""
    close = get_close_matches(metric, [*COMPARED, *_OTHERS], 1)
    hint = f"did you mean `{close[0]}`?" if close else "any number of `vtap run --json`"
    return UsageError(f"no run here has a `{metric:.60}`", hint)


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if abs(found) <= LARGEST else None  # nor is it one if it is not a number
