"""Searches find the most that passes, within their precision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.standard.search import largest, shortest


def asked(limit: int):
    """What passes from `limit` on, and what was tried."""
    tried: list[int] = []

    def passes(value: int) -> bool:
        tried.append(value)
        return value >= limit

    return passes, tried


def test_what_passes_at_once_needs_one_trial():
    passes, tried = asked(10)
    assert (shortest(10, 50, passes), tried) == (10, [10])


def test_a_likely_answer_needs_three_trials():
    passes, tried = asked(50_000)
    assert (shortest(10, 50_000, passes), tried) == (50_000, [10, 50_000, 49_950])


@pytest.mark.parametrize("limit", [11, 12, 700, 999, 1001, 5000, 123_456])
def test_an_answer_is_one_nanosecond_or_one_part_in_a_thousand_from_what_failed(limit: int):
    passes, tried = asked(limit)
    found = shortest(10, 1000, passes)
    assert found is not None
    assert passes(found)
    assert found - limit <= max(1, found // 1000) - (found < 1000)
    assert len(tried) < 40


def test_a_device_that_carries_nothing_has_no_rate():
    assert shortest(10, 20, lambda _: False) is None


def test_the_next_nanosecond_of_the_first_is_the_answer():
    passes, _ = asked(11)
    assert shortest(10, 11, passes) == 11


@given(limit=st.integers(0, 300), most=st.integers(1, 300))
def test_the_largest_count_is_found_exactly(limit: int, most: int):
    assert largest(most, lambda count: count <= limit) == min(limit, most)
