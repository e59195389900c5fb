"""`[expect]`: what a run must show, judged while it goes and at its end."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sim.entries import FIELDS as ENTRIES
from sim.reasons import REASONS
from sim.results import Failure
from sim.words.quantities import duration
from virtualtap.errors import UsageError
from virtualtap.units import Instant

Value = float | int | str | None
Measure = Callable[[str], Value]

FIELDS = [
    *("simulated_s", "setup_s", "wall_s", "process_s", "events", "crossings", "delivered"),
    *("arp_convergence_s", "arp_unresolved", "arp_reconvergence_s", "digest", "warmup_s"),
    *("broadcast_learning.share", "broadcast_learning.time_to_all_s"),
    *("broadcast_learning.flooded_share", "latency_s.p50", "latency_s.p90", "latency_s.p99"),
    *("latency_s.p999", "throughput_bps.offered", "throughput_bps.delivered"),
    *("wakeups_per_hour", "unprompted_frames_per_hour", "timers_per_hour"),
    *(f"entries.{name}" for name in ENTRIES),
]
_DROPPED = "dropped."
_LIMITS = ("min", "max", "equal")
LOOKS = 100  # a limit is looked at this often during a run, so that its first miss has a time


@dataclass(frozen=True, slots=True)
class Expectation:
    """One field, its limits, and when it is judged (None: at the end)."""

    field: str
    limits: tuple[tuple[str, Value], ...]
    at: Instant | None

    def missed(self, value: Value) -> str | None:
        """The limit that `value` misses, in words. A null misses every limit."""
        for kind, limit in self.limits:
            if kind == "equal":
                held = value == limit
            elif isinstance(value, int | float) and isinstance(limit, int | float):
                held = value >= limit if kind == "min" else value <= limit
            else:
                held = False
            if not held:
                return f"{_WORDS[kind]} {limit}"
        return None


_WORDS = {"min": "at least", "max": "at most", "equal": "exactly"}


def parse(words: dict[str, Any], until: Instant, prefix: str = "") -> list[Expectation]:
    """The `[expect]` table, nested or dotted. UsageError lists the right fields and limits."""
    found: list[Expectation] = []
    known = (*FIELDS, *_DROPS)
    for key, value in words.items():
        field = prefix + key
        if field in FIELDS or field.startswith(_DROPPED):
            found.append(_expectation(field, value, until))
        elif isinstance(value, dict) and any(one.startswith(field + ".") for one in known):
            found += parse(value, until, field + ".")
        else:
            close = get_close_matches(field[:64], known, 1)
            hint = f"did you mean `{close[0]}`? " if close else ""
            raise UsageError(
                f"`expect`: there is no field `{field:.60}`",
                f"{hint}the fields are {', '.join(FIELDS)} and dropped.REASON",
            )
    return found


_DROPS = tuple(_DROPPED + reason for reason in sorted(REASONS))


def strange_reasons(expectations: list[Expectation]) -> list[str]:
    """In words: the reasons that no node and no link of ours gives; a plugin's may."""
    named = [each.field.removeprefix(_DROPPED) for each in expectations]
    fields = [each.field for each in expectations]
    return [
        f"`expect`: nothing here drops for the reason `{reason:.60}`"
        for reason, field in zip(named, fields, strict=True)
        if field.startswith(_DROPPED) and reason not in REASONS
    ]


class Judge:
    """Looks at every expectation now and then; `failures` at the end."""

    def __init__(self, expectations: list[Expectation], until: Instant) -> None:
        self._expectations = expectations
        self._until = until
        self._first: dict[int, Failure] = {}

    def instants(self) -> list[Instant]:
        """When `look` wants to be called before the end."""
        regular = {self._until * i // LOOKS for i in range(1, LOOKS)}
        chosen = {each.at for each in self._expectations if each.at is not None}
        return sorted(regular | chosen) if self._expectations else []

    def look(self, now: Instant, measure: Measure) -> None:
        """Judge what is due now, and note what has just passed an upper limit."""
        for i, each in enumerate(self._expectations):
            if each.at == now:
                self._judge(i, each, now, measure)
            elif each.at is None and any(kind == "max" for kind, _ in each.limits):
                value = measure(each.field)
                missed = None if value is None else each.missed(value)
                if missed is None or not missed.startswith(_WORDS["max"]):
                    self._first.pop(i, None)
                elif i not in self._first:
                    self._first[i] = Failure(each.field, value, missed, now / 1e9)

    def failures(self, measure: Measure) -> list[Failure]:
        """What was missed, in the scenario's order, with its final value."""
        for i, each in enumerate(self._expectations):
            if each.at is None:
                self._judge(i, each, self._until, measure)
        return [self._first[i] for i in sorted(self._first)]

    def _judge(self, i: int, each: Expectation, now: Instant, measure: Measure) -> None:
        value = measure(each.field)
        missed = each.missed(value)
        if missed is None:
            self._first.pop(i, None)
            return
        earlier = self._first.get(i)
        at = earlier.at_s if earlier is not None and earlier.limit == missed else now / 1e9
        self._first[i] = Failure(each.field, value, missed, at)


def _expectation(field: str, value: Any, until: Instant) -> Expectation:
    if not isinstance(value, dict):
        value = {"equal": value}
    at = value.get("at")
    limits = tuple((kind, value[kind]) for kind in _LIMITS if kind in value)
    unknown = set(value) - {*_LIMITS, "at"}
    wrong = [
        limit
        for kind, limit in limits
        if isinstance(limit, bool)
        or not isinstance(limit, int | float | str if kind == "equal" else int | float)
        or str(limit) == "nan"
    ]
    if unknown or wrong or not limits:
        raise UsageError(
            f"`expect`: `{field:.60}` cannot be {_shown(unknown, wrong)}",
            'write `{ min = …, max = … }`, a number for exactly that, and `at = "5s"` if need be',
        )
    if field == "digest" and any(kind != "equal" for kind, _ in limits):
        raise UsageError("`expect`: a digest has neither `min` nor `max`", 'write `digest = "…"`')
    instant = None if at is None else duration(at if isinstance(at, str) else str(at))
    if instant is not None and not 0 < instant < until:
        raise UsageError(
            f"`expect`: `{field:.60}` at {at} is not within the run", "choose a time before `until`"
        )
    return Expectation(field, limits, instant)


def _shown(unknown: set[str], wrong: list[Any]) -> str:
    if unknown:
        return f"limited by `{min(unknown):.60}`"
    return f"limited to `{wrong[0]!s:.60}`" if wrong else "without a limit"
