"""Intervals from independent replications: one value for each seed; packets of one run never.

Student's t for means; order statistics for quantiles; Fieller (1954) for ratios; Holm (1979).
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, fsum, sqrt
from statistics import mean, stdev
from typing import Any

from virtualtap.errors import UsageError

CONFIDENCE = 0.95
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both within."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """What some replications say of a measure; no interval of fewer than two."""

    count: int
    mean: float | None
    interval: Interval | None = None  # of the mean
    median: float | None = None
    median_interval: Interval | None = None

    def precision(self) -> float | None:
        """Half the interval as a share of the mean; None where there is none."""
        if self.interval is None or self.mean is None:
            return None
        half = self.interval.half_width
        return half / abs(self.mean) if self.mean else None if half else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Second less first, pair by pair."""

    count: int
    mean: float
    interval: Interval | None
    p: float | None  # two-sided: a mean so far from 0, or farther, if the true one were 0
    detectable: float | None  # the smallest true one that so many pairs show with POWER


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Mean and median of one value for each seed, each with its interval."""
    if not values:
        return Estimate(0, None)
    return Estimate(
        count=len(values),
        mean=mean(values),
        interval=mean_interval(values, confidence),
        median=sorted(values)[-(-len(values) // 2) - 1],
        median_interval=quantile_interval(values, 0.5, confidence),
    )


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """Student's, for the mean of what is drawn independently; None of fewer than two."""
    if len(values) < 2:
        return None
    half = _student(len(values), confidence) * stdev(values) / sqrt(len(values))
    return Interval(mean(values) - half, mean(values) + half)


def quantile_interval(
    values: Sequence[float], share: float, confidence: float = CONFIDENCE
) -> Interval | None:
    """Two order statistics that hold the quantile, whatever the distribution (0 < share < 1).

    What is left over is shared by both sides; None where there are too few values.
    """
    count, tail = len(values), (1 - confidence) / 2
    below = [comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)]
    low = high = 0  # how many values are cut off at either end
    while low < count and fsum(below[: low + 1]) <= tail:
        low += 1
    while high < count and fsum(below[count - high :]) <= tail:
        high += 1
    if not low or not high:
        return None
    ordered = sorted(values)
    return Interval(ordered[low - 1], ordered[count - high])


def difference(
    first: Sequence[float],
    second: Sequence[float],
    confidence: float = CONFIDENCE,
    comparisons: int = 1,
) -> Difference:
    """Of pairs: value i of each had the same seed. Of one pair at least.

    `detectable` holds however many of so many `comparisons` are real.
    """
    apart = [b - a for a, b in zip(first, second, strict=True)]
    if len(apart) < 2:
        return Difference(len(apart), mean(apart), None, None, None)
    spread = stdev(apart)
    least = detectable(spread, len(apart), (1 - confidence) / comparisons)
    interval = mean_interval(apart, confidence)
    return Difference(len(apart), mean(apart), interval, p_value(apart), least)


def p_value(values: Sequence[float]) -> float:
    """Two-sided, of Student's test that the mean is 0; of two values at least."""
    middle, spread = mean(values), stdev(values)
    if not spread:
        return 0.0 if middle else 1.0
    score = abs(middle) / (spread / sqrt(len(values)))
    return float(2 * _special().stdtr(len(values) - 1, -score))


def ratio_interval(
    first: Sequence[float], second: Sequence[float], confidence: float = CONFIDENCE
) -> Interval | None:
    """For mean(second) / mean(first), in pairs: each r for which second - r · first may be 0.

    None where there is no such interval: of fewer than two, or where mean(first) may be 0.
    """
    count = len(first)
    if count < 2:
        return None
    a, b = mean(first), mean(second)
    scale = _student(count, confidence) ** 2 / (count * (count - 1))
    aa = a * a - scale * fsum((x - a) ** 2 for x in first)
    bb = b * b - scale * fsum((y - b) ** 2 for y in second)
    ab = a * b - scale * fsum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    if aa <= 0:
        return None
    root = sqrt(max(ab * ab - aa * bb, 0.0))
    return Interval((ab - root) / aa, (ab + root) / aa)


def holm(chances: Sequence[float]) -> list[float]:
    """p-values as they are after Holm's correction, in their order."""
    corrected = [0.0] * len(chances)
    most = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        most = max(most, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = most
    return corrected


def detectable(
    spread: float, count: int, significance: float = 1 - CONFIDENCE, power: float = POWER
) -> float:
    """The smallest true mean that a two-sided test of `count` values shows with this power.

    By the noncentral t distribution; that it might be shown with the wrong sign is left out.
    """
    special = _special()
    limit = special.stdtrit(count - 1, 1 - significance / 2)
    return float(special.nctdtrinc(count - 1, 1 - power, limit)) * spread / sqrt(count)


def mser5(values: Sequence[int]) -> int:
    """How many at the front to leave out as warm-up: a multiple of 5, half of them at most.

    MSER-5 (White 1997): of means of five each, the cut that makes the standard error of the mean of
    what is left smallest; of equal ones the first. Integers only, so that platforms agree.
    """
    sums = [sum(values[at : at + 5]) for at in range(0, len(values) - 4, 5)]
    total, squares = sum(sums), sum(one * one for one in sums)
    best, least = 0, None
    for cut in range(len(sums) // 2 + 1):
        left = len(sums) - cut
        error = Fraction(left * squares - total * total, left**3) if left else Fraction(0)
        if least is None or error < least:
            best, least = cut, error
        if cut < len(sums):
            total -= sums[cut]
            squares -= sums[cut] * sums[cut]
    return best * 5


def is_there() -> bool:
    """Whether scipy is installed."""
    return importlib.util.find_spec("scipy") is not None


def _student(count: int, confidence: float) -> float:
    return float(_special().stdtrit(count - 1, (1 + confidence) / 2))


def _special() -> Any:
    try:
        return importlib.import_module("scipy.special")
    except ImportError:
        hint = "`pip install 'virtualtap[stats]'`"
        raise UsageError("intervals need scipy, which is not installed", hint) from None
