"""Numbers with units and text made harmless."""

import pytest

from reports import words


@pytest.mark.parametrize(
    ("ns", "said"),
    [
        (0, "0 s"),
        (1, "1 ns"),
        (1500, "1.5 µs"),
        (83_100_000, "83.1 ms"),
        (12e9, "12 s"),
        (2e13, "20,000 s"),
    ],
)
def test_a_time_has_the_unit_that_suits_it(ns, said):
    assert words.duration(ns) == said


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (0, "0 %"),
        (0.5, "50 %"),
        (1, "100 %"),
        (0.99999, "99.999 %"),
        (1e-6, "0.000100 %"),
        (8.96e-7, "0.0000896 %"),
    ],
)
def test_a_share_that_is_not_all_never_reads_as_all(part, said):
    assert words.share(part) == said


@pytest.mark.parametrize("value", [None, "7", True, float("nan"), float("inf"), 10**400, [], {}])
def test_what_is_no_finite_number_is_none(value):
    assert words.number(value) is None


def test_what_was_not_measured_is_a_dash():
    assert {form(None) for form in (words.duration, words.rate, words.share, words.count)} == {"—"}


def test_text_that_hides_or_moves_other_text_is_escaped():
    assert words.visible("a\u202eb\x1b\n") == "a\\u202eb\\x1b\\n"


def test_long_text_is_cut_and_says_so():
    assert words.visible("x" * 100, 10) == "x" * 9 + "…"


def test_lists_read_as_sentences():
    assert [words.listed(each) for each in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
