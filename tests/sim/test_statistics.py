"""Intervals: by hand, by scipy, and what must hold of any numbers."""

import importlib
from math import inf
from statistics import mean, stdev

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sim import statistics
from sim.statistics import (
    Estimate,
    Interval,
    detectable,
    difference,
    estimate,
    holm,
    mean_interval,
    p_value,
    quantile_interval,
    ratio_interval,
)
from tests.sim.scenarios import refused

scipy_stats = pytest.importorskip("scipy.stats", reason="the extra `stats` is not installed")

SLEEP = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]  # Student (1908), table of sleep
SLEEP_TOO = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
SAMPLES = st.lists(NUMBERS, min_size=2, max_size=30)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30)


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("value", [0.1, 0.0036, 1e-9, 7.0])
def test_of_equal_values_the_interval_is_that_value_and_no_more(value):
    found = estimate([value] * 7)
    assert (found.mean, found.interval, found.precision()) == (value, Interval(value, value), 0.0)


def test_the_interval_of_one_to_five_is_as_by_hand():
    found = mean_interval([1, 2, 3, 4, 5])  # 3 ± 2.776445 · √2.5 / √5
    assert (found.low, found.high) == pytest.approx((3 - 1.963243, 3 + 1.963243), abs=1e-6)


def test_students_own_data_give_students_own_difference():
    found = difference(SLEEP, SLEEP_TOO)
    assert (found.count, found.mean) == (10, close(1.58))
    assert (found.interval.low, found.interval.high) == pytest.approx((0.7001, 2.4599), abs=1e-4)
    assert found.p == pytest.approx(0.002833, abs=1e-6)


@given(SAMPLES)
def test_the_interval_of_a_mean_is_that_of_scipy(values):
    spread = stdev(values)
    assume(spread)
    low, high = scipy_stats.t.interval(
        0.95, len(values) - 1, mean(values), spread / len(values) ** 0.5
    )
    found = mean_interval(values)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)


@given(PAIRS)
def test_the_chance_of_a_difference_is_that_of_scipy(pairs):
    first, second = zip(*pairs, strict=True)
    assume(stdev([b - a for a, b in pairs]) > 1e-3)
    expected = scipy_stats.ttest_rel(second, first).pvalue
    assert expected == pytest.approx(difference(first, second).p, rel=1e-6, abs=1e-12)


@given(SAMPLES, st.floats(0.5, 0.9), st.floats(0.91, 0.999))
def test_more_confidence_is_a_wider_interval_about_the_same_mean(values, less, more):
    narrow, wide = (mean_interval(values, confidence) for confidence in (less, more))
    assert wide.half_width >= narrow.half_width
    assert wide.holds(narrow.low) and wide.holds(narrow.high)
    assert narrow.holds(mean(values))


@given(PAIRS)
def test_a_difference_turned_round_is_its_negative(pairs):
    first, second = zip(*pairs, strict=True)
    one, other = difference(first, second), difference(second, first)
    assert (one.mean, one.p) == (close(-other.mean), close(other.p))
    assert (one.interval.low, one.interval.high) == (
        close(-other.interval.high),
        close(-other.interval.low),
    )


@given(PAIRS)
def test_a_chance_below_five_percent_is_an_interval_without_zero(pairs):
    first, second = zip(*pairs, strict=True)
    found = difference(first, second)
    assume(abs(found.p - 0.05) > 1e-6)
    assert (found.p < 0.05) == (not found.interval.holds(0.0))


def test_pairs_that_never_differ_show_nothing_and_pairs_that_always_do_show_it():
    assert difference([1, 2, 3], [1, 2, 3]).p == 1.0
    always = difference([1, 2, 3], [2, 3, 4])
    assert (always.p, always.interval, always.detectable) == (0.0, Interval(1, 1), 0.0)


def test_one_value_has_no_interval():
    assert mean_interval([1.0]) is quantile_interval([1.0], 0.5) is ratio_interval([1], [2]) is None
    assert difference([1.0], [3.0]) == statistics.Difference(1, 2.0, None, None, None)
    assert estimate([4.0]) == Estimate(1, 4.0, None, 4.0, None)
    assert estimate([]) == Estimate(0, None)


def test_the_median_lies_between_order_statistics_whatever_the_distribution():
    twenty = list(range(1, 21))  # B(20, 1/2) is at most 5 with probability 0.0207: ranks 6 and 15
    assert quantile_interval(twenty, 0.5) == Interval(6, 15)
    six = [3.0, 1.0, 2.0, 5.0, 4.0, 9.0]  # 1/64 on either side
    assert quantile_interval(six, 0.5) == Interval(1.0, 9.0)
    assert quantile_interval(six[:5], 0.5) is None  # 1/32 is more than 2.5 %


@given(st.integers(2, 200), st.floats(0.05, 0.95))
def test_ranks_of_a_quantile_leave_out_at_most_half_of_five_percent_each(count, share):
    found = quantile_interval(range(1, count + 1), share)
    binomial = scipy_stats.binom(count, share)
    if found is None:
        assert min(binomial.pmf(0), 1) > 0.025 or binomial.pmf(count) > 0.025
        return
    assert binomial.cdf(found.low - 1) <= 0.025 + 1e-12 < binomial.cdf(found.low) + 1e-9
    assert binomial.sf(found.high - 1) <= 0.025 + 1e-12 < binomial.sf(found.high - 2) + 1e-9


def test_the_median_of_an_even_number_is_the_lower_of_the_two_in_the_middle():
    assert (estimate([4, 1, 3, 2]).median, estimate([3, 1, 2]).median) == (2, 2)


def test_the_ends_of_a_ratio_are_where_the_difference_may_just_be_nothing():
    first, second = [10.0, 11.0, 12.0, 9.5], [10.4, 11.3, 12.1, 9.9]
    found = ratio_interval(first, second)
    for end in (found.low, found.high):
        rest = [b - end * a for a, b in zip(first, second, strict=True)]
        assert p_value(rest) == close(0.05)
    assert found.holds(sum(second) / sum(first))


def test_there_is_no_ratio_to_what_may_be_nothing():
    assert ratio_interval([-1.0, 1.0, 0.5], [1.0, 1.0, 1.0]) is None


def test_a_ratio_of_what_never_varies_is_a_point():
    found = ratio_interval([2.0, 2.0, 2.0], [3.0, 3.0, 3.0])
    assert (found.low, found.high) == (close(1.5), close(1.5))


def test_holm_multiplies_the_least_chance_most_and_keeps_their_order():
    assert holm([0.01, 0.04, 0.03]) == [close(0.03), close(0.06), close(0.06)]
    assert holm([]) == [] and holm([0.6, 0.9]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=20))
def test_a_corrected_chance_is_no_smaller_and_ranks_as_before(chances):
    found = holm(chances)
    assert all(chance <= after <= 1 for chance, after in zip(chances, found, strict=True))
    ranks = sorted(zip(chances, found, strict=True))
    assert [after for _, after in ranks] == sorted(found)


def test_thirty_four_pairs_show_half_a_deviation_with_a_power_of_four_fifths():
    assert detectable(1.0, 34) == pytest.approx(0.495, abs=5e-4)  # tables say n = 34 for d = 0.5


@given(st.integers(2, 300), st.floats(0.001, 0.2))
def test_the_power_at_what_is_detectable_is_four_fifths(count, significance):
    shift = detectable(1.0, count, significance) * count**0.5
    limit = scipy_stats.t.isf(significance / 2, count - 1)
    assert scipy_stats.nct.sf(limit, count - 1, shift) == pytest.approx(0.8, abs=1e-4)


def test_precision_is_half_the_interval_as_a_share_of_the_mean():
    assert estimate([9.0, 11.0, 10.0]).precision() == pytest.approx(0.2484, abs=1e-4)
    assert (estimate([1.0]).precision(), estimate([-1.0, 1.0]).precision()) == (None, None)
    assert estimate([0.0, 0.0]).precision() == 0.0


def test_without_scipy_one_line_says_what_to_install(monkeypatch):
    def import_module(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    assert "need scipy" in str(refused(mean_interval, [1.0, 2.0]))
    assert statistics.is_there()


def test_an_interval_holds_its_ends():
    assert Interval(1, 2).holds(1) and Interval(1, 2).holds(2)
    assert not Interval(1, 2).holds(inf)
