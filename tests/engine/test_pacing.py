"""Turns to ask: how many at once, how far apart, how long each address rests."""

from hypothesis import given
from hypothesis import strategies as st

from virtualtap import MS, SECOND
from virtualtap.pacing import Pace

A, B = b"\x0a\0\0\x01", b"\x0a\0\0\x02"


def a_pace(burst_max=3, spacing=100 * MS, interval=SECOND):
    return Pace(burst_max, spacing, interval)


def test_a_burst_goes_at_once_and_the_rest_one_by_one():
    pace = a_pace()
    assert [pace.turn(7) - 7 for _ in range(6)] == [0, 0, 0, 100 * MS, 200 * MS, 300 * MS]


def test_what_is_not_used_comes_back_up_to_a_burst():
    pace = a_pace()
    for _ in range(3):
        pace.turn(0)
    assert pace.turn(100 * MS) == 100 * MS
    assert [pace.turn(SECOND * 60) - SECOND * 60 for _ in range(4)] == [0, 0, 0, 100 * MS]


def test_an_address_rests_for_the_interval():
    pace = a_pace()
    pace.note(A, 5)
    assert (pace.rested(A, 6), pace.rested(B, 6)) == (5 + SECOND, 6)
    assert pace.rested(A, 5 + SECOND) == 5 + SECOND


def test_what_has_rested_is_forgotten():
    pace = a_pace()
    pace.note(A, 0)
    pace.note(B, SECOND)
    assert list(pace._asked) == [B]


def test_an_address_asked_again_rests_from_then_on():
    pace = a_pace()
    for now in (0, 10):
        pace.note(A, now)
    pace.note(B, SECOND)
    assert pace.rested(A, SECOND) == SECOND + 10


@given(st.lists(st.integers(0, 300 * MS), max_size=60), st.integers(1, 8), st.integers(1, 200 * MS))
def test_no_window_holds_more_than_a_burst_and_what_the_spacing_allows(gaps, burst, spacing):
    pace, now, turns = a_pace(burst, spacing), 0, []
    for gap in gaps:
        now += gap
        turns.append(pace.turn(now))
    assert turns == sorted(turns)
    window = 500 * MS
    most = max(
        (sum(start <= turn <= start + window for turn in turns) for start in turns), default=0
    )
    assert most <= burst + window // spacing
