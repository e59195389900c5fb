"""Names are found whatever their capitals, and stay as they were spelled."""

import pytest

from sim.words.names import Named


def test_a_name_is_found_whatever_its_capitals():
    named = Named([("Sales", 1), ("SALES", 2), ("b", 3)])
    assert (named["sALES"], named.spelled("sales"), len(named), list(named)) == (
        1,
        "Sales",
        2,
        ["Sales", "b"],
    )


def test_capitals_beyond_ascii_are_another_name():
    assert "\u00c9" not in Named([("\u00e9", 1)])
    with pytest.raises(KeyError):
        Named([("a", 1)]).spelled("b")
