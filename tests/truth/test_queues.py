"""The queues are what they say, and twenty sweeps of each agree with the truth."""

import pytest

from sim.campaigns.compare import DIFFERENT, compare
from sim.campaigns.outcomes import Outcomes
from tests.truth.__main__ import covered
from tests.truth.queues import (
    BYTE_NS,
    GAP,
    LENGTH,
    QUEUES,
    RATE,
    constant,
    exponential,
    geometric,
    pollaczek_khinchine,
)

pytest.importorskip("scipy", reason="the extra `stats` is not installed")


def test_lengths_of_all_packets_have_a_chance_of_one_together():
    assert sum(geometric().values()) == pytest.approx(1, abs=1e-12)
    assert sum(length * chance for length, chance in geometric().items()) == pytest.approx(
        LENGTH - 0.46, abs=0.01
    )  # the whole part is half a byte less; what is shorter than 8 is 8


def test_pollaczek_khinchine_gives_the_textbooks_closed_forms():
    service = LENGTH * BYTE_NS
    assert (pollaczek_khinchine({LENGTH: 1.0}), service / GAP) == (1.5 * service, 0.5)
    for queue in QUEUES:
        assert queue.truth == pytest.approx(queue.textbook, rel=1e-3)


@pytest.mark.parametrize("run", [exponential, constant])
def test_the_same_seed_is_the_same_queue(run):
    assert run(5) == run(5) != run(6)


@pytest.mark.long
@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_of_twenty_sweeps_most_intervals_hold_the_truth(queue):
    share, pooled = covered(queue, 20)
    assert share >= 0.8 and pooled == pytest.approx(1, abs=0.02)


@pytest.mark.long
def test_a_link_three_percent_slower_is_shown_with_an_interval_that_holds_the_truth():
    rates = RATE, RATE * 97 // 100
    sides = [Outcomes(f"{rate} bit/s", ("delay",)) for rate in rates]
    for side, rate in zip(sides, rates, strict=True):
        for seed in range(20):
            side.add(("M/D/1", seed), {"verdict": "pass", "delay": constant(seed, rate)})
    [row] = compare(*sides).rows
    before, after = (pollaczek_khinchine({LENGTH: 1.0}, 8e9 / rate) for rate in rates)
    assert (row.verdict, row.pairs) == (DIFFERENT, 20)  # nobody said which delay is better
    assert row.difference.interval.holds(after - before)
    assert row.ratio.holds(after / before) and row.ratio.low > 1.03
