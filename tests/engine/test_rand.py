"""The engine's luck."""

import pytest

from virtualtap.rand import Rand


def test_the_numbers_are_those_of_splitmix64():
    rand = Rand(1234567)  # the reference sequence of the algorithm's C version
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [rand.below(1 << 64) for _ in range(3)] == expected


def test_whose_it_is_keeps_luck_apart():
    assert Rand(1, b"\1").below(1 << 32) != Rand(1, b"\2").below(1 << 32)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_every_number_below_comes_and_no_other(n):
    rand = Rand(0)
    assert {rand.below(n) for _ in range(200)} == set(range(n))
