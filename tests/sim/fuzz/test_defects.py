"""Every planted defect is noticed by the law that it names, and is gone afterwards."""

import re
from contextlib import suppress
from pathlib import Path

import pytest

from sim.fuzz.defects import DEFECTS, found, load, planted
from sim.laws.invariants import INVARIANTS
from sim.run import Order, perform
from tests.sim.fuzz.scenes import SCENES
from tests.sim.scenarios import refused

load()


def broken(text: str) -> list[str]:
    """The laws that a scenario breaks; an exception counts as one."""
    try:
        run, _ = perform(Order(text=text, folder=Path(), capture="none"), None)
    except ValueError:
        return ["exception"]
    return [one.field.removeprefix("invariants.") for one in run.failed]


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_breaks_its_law_in_its_scene(name):
    with planted(name):
        assert DEFECTS[name].law in broken(SCENES[name])


@pytest.mark.parametrize("name", DEFECTS)
def test_without_the_defect_its_scene_passes(name):
    assert broken(SCENES[name]) == []


def test_there_are_thirty_and_a_third_of_them_were_once_somebodys():
    parts = [defect.part for defect in DEFECTS.values()]
    assert len(parts) == 30
    assert {part: parts.count(part) for part in parts} == {
        "engine": 14,
        "hub": 7,
        "hosts": 5,
        "links": 4,
    }
    assert sum(bool(defect.thread) for defect in DEFECTS.values()) >= 10


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_says_what_is_wrong_and_names_a_law_that_there_is(name):
    defect = DEFECTS[name]
    assert defect.law in {*INVARIANTS, "exception"}
    assert defect.says.endswith(".")


@pytest.mark.parametrize("name", DEFECTS)
def test_what_was_wrong_is_right_again_also_after_an_exception(name):
    defect = DEFECTS[name]
    right = vars(defect.owner)[defect.attribute]
    with suppress(RuntimeError), planted(name):
        assert vars(defect.owner)[defect.attribute] is not right
        raise RuntimeError
    assert vars(defect.owner)[defect.attribute] is right


def test_with_none_planted_nothing_is_wrong():
    before = [vars(defect.owner)[defect.attribute] for defect in DEFECTS.values()]
    with planted(None):
        assert [vars(one.owner)[one.attribute] for one in DEFECTS.values()] == before


def test_a_defect_that_nobody_planted_lists_those_there_are():
    error = refused(found, "ask-twice")
    assert str(error) == "there is no defect `ask-twice`"
    assert error.hint.startswith("did you mean `asks-twice`? there are loses-the-first-packet, ")
    assert refused(found, "x").hint.startswith("there are ")


def test_the_guide_lists_each_defect_its_thread_and_its_law():
    guide = (Path(__file__).parents[3] / "docs" / "fuzzing.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"(?m)^\| `([a-z0-9-]+)` \| (.+) \|$", guide.partition("## Planted")[2]))
    assert list(rows) == list(DEFECTS)
    for name, defect in DEFECTS.items():
        part, says, whose, law = rows[name].split(" | ")
        assert (part, says, law) == (defect.part, defect.says, f"`{defect.law}`")
        assert defect.thread in whose
