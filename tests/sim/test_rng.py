"""One seed, a named stream for each part: golden values, shapes, independence."""

from math import exp, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.rng import Stream, stream

MEAN = 1_000_000
DRAWS = 20_000

BELOW = [89, 261, 942, 526, 999, 627]
CHANCES = [True, False, True, True, False, True, False, False]
GAPS = [570545, 361131, 891386, 8644444]
CHOICES = ["d", "b", "e", "d", "e", "b"]
ORDER = [8, 5, 0, 4, 6, 2, 9, 1, 3, 7]
EMPTY = 276500602075618338
FOREIGN = 11785691585869478393


def test_golden_values_of_every_kind_of_draw():
    luck = stream(7, "link/a.p")
    assert [luck.below(1000) for _ in range(6)] == BELOW
    assert [luck.chance(0.5) for _ in range(8)] == CHANCES
    assert [luck.exponential_ns(MEAN) for _ in range(4)] == GAPS
    assert [luck.choice("abcdef") for _ in range(6)] == CHOICES
    order = list(range(10))
    luck.shuffle(order)
    assert order == ORDER


def test_golden_values_at_the_edges_of_seed_and_name():
    assert stream(0, "").below(1 << 64) == EMPTY
    assert stream((1 << 63) - 1, "名前").below(1 << 64) == FOREIGN


def test_two_streams_of_one_seed_differ():
    one, other = stream(7, "link/a.p"), stream(7, "link/b.p")
    assert [one.below(1 << 32) for _ in range(4)] != [other.below(1 << 32) for _ in range(4)]


def test_two_seeds_of_one_name_differ():
    assert stream(7, "link/a.p").below(1 << 64) != stream(8, "link/a.p").below(1 << 64)


def test_another_stream_does_not_disturb_this_one():
    alone = stream(7, "link/a.p")
    expected = [alone.below(1 << 32) for _ in range(50)]
    disturbed, other = stream(7, "link/a.p"), stream(7, "traffic/0")
    actual = []
    for _ in range(50):
        other.exponential_ns(MEAN)
        actual.append(disturbed.below(1 << 32))
    assert expected == actual


@given(st.integers(1, 1 << 70), st.integers(0, 1 << 63))
def test_below_is_from_zero_to_the_limit(limit: int, seed: int):
    assert 0 <= stream(seed, "x").below(limit) < limit


def test_below_gives_each_value_alike():
    luck = stream(3, "die")
    counts = [0] * 6
    for _ in range(DRAWS):
        counts[luck.below(6)] += 1
    expected = DRAWS / 6
    assert sum((count - expected) ** 2 / expected for count in counts) < 20.5  # chi², p = 0.001


def test_a_probability_of_zero_never_happens_and_of_one_always():
    luck = stream(3, "chance")
    assert not any(luck.chance(0.0) for _ in range(1000))
    assert all(luck.chance(1.0) for _ in range(1000))


def test_a_chance_happens_as_often_as_it_says():
    luck = stream(3, "chance")
    happened = sum(luck.chance(0.1) for _ in range(DRAWS))
    assert abs(happened - DRAWS * 0.1) < 4 * sqrt(DRAWS * 0.1 * 0.9)


def test_exponential_gaps_have_the_mean_that_was_asked_for():
    luck = stream(3, "gaps")
    gaps = [luck.exponential_ns(MEAN) for _ in range(DRAWS)]
    assert abs(sum(gaps) / DRAWS - MEAN) < 4 * MEAN / sqrt(DRAWS)


def test_exponential_gaps_follow_the_exact_distribution():
    luck = stream(3, "gaps")
    gaps = sorted(luck.exponential_ns(MEAN) for _ in range(DRAWS))
    exact = [1 - exp(-gap / MEAN) for gap in gaps]
    furthest = max(
        max(abs(exact[i] - i / DRAWS), abs(exact[i] - (i + 1) / DRAWS)) for i in range(DRAWS)
    )
    assert furthest < 1.95 / sqrt(DRAWS)  # Kolmogorov and Smirnov, p = 0.001


class Bits(Stream):
    """A stream whose words are given: 64 bits for the leading zeros, 52 for the mantissa."""

    def __init__(self, *words: int) -> None:
        given = iter(words)
        self._bits = lambda _: next(given)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((1 << 63, (1 << 52) - 1), 1 - 2.0**-53),  # u is all but 1
        ((1 << 63, 0), 0.5),
        ((1 << 62, 1 << 51), 0.375),
        ((0, 1 << 63, 0), 2.0**-65),  # 64 zeros, and one word more
    ],
)
def test_a_gap_is_minus_the_logarithm_of_the_bits(words: tuple[int, ...], expected: float):
    one_second = 10**9
    gap = Bits(*words).exponential_ns(one_second)
    assert abs(exp(-gap / one_second) / expected - 1) < 1e-6


@given(st.lists(st.integers(), max_size=30), st.integers(0, 1000))
def test_shuffle_keeps_what_it_orders(items: list[int], seed: int):
    shuffled = items.copy()
    stream(seed, "x").shuffle(shuffled)
    assert sorted(shuffled) == sorted(items)


def test_shuffle_reaches_every_order_alike():
    luck = stream(3, "orders")
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        items = [1, 2, 3]
        luck.shuffle(items)
        counts[tuple(items)] = counts.get(tuple(items), 0) + 1
    assert len(counts) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 20.5  # chi², p = 0.001


def test_choice_takes_one_of_the_items():
    luck = stream(3, "choice")
    assert {luck.choice("abc") for _ in range(100)} == set("abc")
