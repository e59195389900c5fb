"""Searches for the most that still passes. RFC 2544 26.1, RFC 2889 5.7.3, 5.8.3."""

from collections.abc import Callable

PRECISION = 1000  # a rate is found to one part in so many, or one nanosecond of the interval
SLOWEST = 1 << 12  # times the first interval: a device that needs longer carries nothing


def shortest(
    first: int, likely: int, passes: Callable[[int], bool], precision: int = PRECISION
) -> int | None:
    """The shortest interval between frames, in ns, that passes; None where none does.

    None shorter than `first` is tried. A step of one part in `precision` below the answer failed,
    or one nanosecond. `likely` is tried early: where it is the answer, three trials are enough.
    """
    if passes(first):
        return first
    good = max(likely, first + 1)
    while not passes(good):
        first, good = good, good * 2
        if good > SLOWEST * likely:
            return None
    bad = good - max(1, good // precision)
    if bad <= first:
        return good
    if not passes(bad):
        return good
    good, bad = bad, first
    while good - bad > max(1, good // precision):
        middle = (good + bad) // 2
        if passes(middle):
            good = middle
        else:
            bad = middle
    return good


def largest(most: int, passes: Callable[[int], bool]) -> int:
    """The largest count from 1 to `most` that passes; 0 where none does."""
    good, bad = 0, 1
    while bad <= most and passes(bad):
        good, bad = bad, bad * 2
    bad = min(bad, most + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        if passes(middle):
            good = middle
        else:
            bad = middle
    return good
