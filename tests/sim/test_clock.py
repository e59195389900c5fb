"""A clock that is not right: it never goes back, and tells when it will say something."""

from hypothesis import given
from hypothesis import strategies as st

from sim.clock import RIGHT, Clock

PPM = st.integers(-500_000, 500_000)
INSTANTS = st.integers(0, 10**18)


def test_a_right_clock_says_what_it_is():
    assert [RIGHT.at(7), RIGHT.when(7), RIGHT.most(7)] == [7, 7, 7]


def test_a_clock_gains_and_loses_millionths():
    assert RIGHT.skewed(1_000, 500_000).at(3_000) == 4_000
    assert RIGHT.skewed(1_000, -500_000).at(3_000) == 2_000


@given(ppm=PPM, since=INSTANTS, span=INSTANTS, step=st.integers(0, 10**9))
def test_a_clock_never_goes_back(ppm: int, since: int, span: int, step: int):
    clock = RIGHT.skewed(since, ppm)
    assert clock.at(since) == since
    assert clock.at(since + span) <= clock.at(since + span + step)


@given(ppm=PPM, since=INSTANTS, span=INSTANTS)
def test_when_is_the_first_instant_at_which_it_says_so(ppm: int, since: int, span: int):
    clock = RIGHT.skewed(since, ppm)
    when = clock.when(since + span)
    assert clock.at(when) >= since + span
    assert span == 0 or clock.at(when - 1) < since + span


@given(first=PPM, second=PPM, span=st.integers(0, 10**15))
def test_another_speed_goes_on_from_what_it_said(first: int, second: int, span: int):
    before = RIGHT.skewed(5, first)
    after = before.skewed(5 + span, second)
    assert after.at(5 + span) == before.at(5 + span)
    assert after.slowest == min(first, second, 0)


@given(ppm=PPM, span=st.integers(0, 10**15))
def test_as_much_has_passed_by_it_after_the_most_that_it_takes(ppm: int, span: int):
    clock = Clock(0, 0, ppm, ppm)
    assert clock.at(clock.most(span)) >= span
