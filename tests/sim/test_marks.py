"""Marks: seen only where somebody collects, and each is passed somewhere."""

from pathlib import Path

import pytest

from sim import marks

SOURCES = sorted((Path(__file__).parents[2] / "sim").rglob("*.py"))


def test_nothing_is_kept_where_nobody_collects():
    marks.reachable("lease-bound")
    with marks.collected() as seen:
        pass
    assert seen == set()


def test_what_was_passed_is_collected_once():
    with marks.collected() as seen:
        marks.reachable("lease-bound")
        marks.reachable("lease-bound")
        marks.sometimes("conflict-4", False)
        marks.note("a fact")
    marks.reachable("lease-lost")
    assert seen == {"mark:lease-bound", "a fact"}


def test_only_the_inner_one_sees():
    with marks.collected() as outer:
        with marks.collected() as inner:
            marks.reachable("lease-bound")
        marks.reachable("lease-lost")
    assert (outer, inner) == ({"mark:lease-lost"}, {"mark:lease-bound"})


def test_what_did_not_always_hold_is_found():
    with marks.collected() as seen:
        marks.always("converged", True)
        assert marks.broken(seen) == []
        marks.always("converged", False)
    assert marks.broken(seen) == ["mark:converged!"]


def test_a_name_that_is_not_declared_is_a_mistake():
    with marks.collected(), pytest.raises(AssertionError):
        marks.reachable("nowhere declared")


def test_every_mark_that_is_declared_is_passed_somewhere():
    text = "".join(path.read_text() for path in SOURCES if path.name != "marks.py")
    assert [name for name in marks.MARKS if f'"{name}"' not in text] == []
