"""The museum is whole: each case has its thread, its symptom and the wrong engine it is about."""

import re

import pytest

from sim.conformance.campaign import fails
from sim.conformance.museum import BUGS, EXHIBITS
from sim.conformance.mutants import MUTANTS, load
from sim.conformance.registry import cases
from tests.house.museum import PAGE, page
from tests.sim.test_museum import SCENES

load()
CASES = {case.id: case for case in cases("museum")}
ALL = [*EXHIBITS.values(), *SCENES]


def test_there_are_more_than_forty_threads():
    assert len({each.thread for each in ALL}) > 40


@pytest.mark.parametrize("case_id", CASES)
def test_the_bug_that_a_case_is_about_is_caught_by_it(case_id):
    assert fails(CASES[case_id], MUTANTS[BUGS[case_id]])


@pytest.mark.parametrize("exhibit", ALL, ids=[each.name for each in ALL])
def test_an_exhibit_says_its_symptom_in_one_sentence_and_where_it_was_told(exhibit):
    assert re.fullmatch(r"[A-Z][^\n]*\.", exhibit.symptom)
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+(/issues/\d+)?", exhibit.link)


def test_the_page_of_the_museum_is_current():
    current = page() == PAGE.read_text(encoding="utf-8")
    assert current, "write it anew: `python -m tests.house.museum`"
