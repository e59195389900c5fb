"""How often a comparison is wrong where the truth is known: normal values, one seed of luck."""

from random import Random

import pytest

from sim.campaigns.compare import BROKEN, NOTHING, compare, gate
from sim.campaigns.outcomes import Outcomes
from sim.statistics import detectable

pytest.importorskip("scipy", reason="the extra `stats` is not installed")

TIMES, PAIRS = 400, 10
METRICS = tuple("abcde")


def sides(luck, shift, metrics):
    """What two sides measured: seeds differ by 5, sides by `shift`, with a deviation of 1."""
    both = Outcomes("a", metrics), Outcomes("b", metrics)
    for seed in range(PAIRS):
        base = [100 + luck.gauss(0, 5) for _ in metrics]
        for which, side in enumerate(both):
            measured = {"verdict": "pass"}
            for metric, value in zip(metrics, base, strict=True):
                measured[metric] = value + which * (shift + luck.gauss(0, 1))
            side.add(("x", seed), measured)
    return both


@pytest.mark.slow
def test_where_nothing_differs_five_comparisons_of_a_hundred_show_something_at_most():
    luck = Random(1)
    found = [compare(*sides(luck, 0, METRICS)) for _ in range(TIMES)]
    wrong = sum(any(row.verdict != NOTHING for row in one.rows) for one in found)
    assert 0.02 * TIMES < wrong < 0.07 * TIMES  # 5 %, and two deviations of 1.1 %


@pytest.mark.slow
def test_what_is_detectable_is_shown_four_times_of_five():
    luck = Random(2)
    shift = detectable(1.0, PAIRS)
    found = [compare(*sides(luck, shift, METRICS[:1])) for _ in range(4 * TIMES)]
    shown = sum(one.rows[0].verdict != NOTHING for one in found)
    assert 0.78 * 4 * TIMES < shown < 0.82 * 4 * TIMES  # two deviations of 1 %


@pytest.mark.slow
def test_at_their_limits_five_calls_of_a_hundred_break_a_gate_at_most():
    luck = Random(3)
    gates = [gate(f"{metric} <= +2") for metric in METRICS]
    found = [compare(*sides(luck, 2, METRICS), gates) for _ in range(TIMES)]
    assert sum(BROKEN in one.verdicts() for one in found) < 0.05 * TIMES
