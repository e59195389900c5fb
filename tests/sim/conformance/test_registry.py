"""The cases as a body: each has its name, its clause and its sentence."""

import re
from pathlib import Path

import pytest

from sim.conformance import cases as folder
from sim.conformance.otherwise import OTHERWISE
from sim.conformance.registry import ALL, cases, clause
from sim.conformance.scope import gaps
from sim.conformance.verdicts import Verdict, judge
from virtualtap import VirtualTap

CASES = cases()
THREAD = r"[\w.-]+/[\w.-]+(#\d+)?"  # where a bug of the museum was told
SOURCE = re.compile(rf"(RFC \d+|IEEE 802(\.\w+)?|IANA|SoftEther|virtualtap)(, \S.*)?|{THREAD}")
ALIAS = re.compile(r"TC8:\w+_\d+|IWL:0\d\d|v6LC(\.\d+){3}(\.[A-Z])?")


def test_every_case_has_an_id_of_its_own():
    ids = [case.id for case in CASES]
    assert len({*ids}) == len(ids) >= 450
    assert [one for one in ids if not re.fullmatch(r"[a-z0-9]+/[a-z0-9]+(-[a-z0-9]+)*", one)] == []


def test_a_second_case_of_the_same_name_is_refused():
    def same(tap):
        pass

    same.__module__, same.__name__ = "cases.arp", "unknown_neighbor_is_asked_for"
    with pytest.raises(AssertionError, match="two cases are called arp/unknown-neighbor"):
        clause("RFC 826, Packet Generation", "again")(same)
    assert cases() == CASES


def test_every_case_names_its_source():
    assert [(one.id, one.source) for one in CASES if not SOURCE.fullmatch(one.source)] == []


def test_every_case_says_in_a_sentence_what_its_clause_demands():
    odd = [one for one in CASES if not re.fullmatch(r"\S.{15,99}[^.\s]", one.meaning)]
    assert [(one.id, one.meaning) for one in odd] == []


def test_aliases_are_spelled_as_their_owners_spell_them():
    odd = [(one.id, name) for one in CASES for name in one.aliases if not ALIAS.fullmatch(name)]
    assert odd == []


def test_the_family_is_the_name_of_the_file():
    files = {path.stem.partition("_")[0] for path in Path(folder.__file__).parent.glob("[a-z]*.py")}
    assert {one.family for one in CASES} == files
    assert {one.id.partition("/")[0] for one in CASES} == files


def test_a_family_is_its_own_cases_in_order():
    assert cases("arp") == [one for one in CASES if one.family == "arp"] != []
    assert cases("nothing") == []


def test_nothing_is_left_out_that_is_not_there():
    ids = {case.id for case in CASES}
    named = [one for each in OTHERWISE for one in each.ids.split()]
    assert [one for one in named if one not in ids] == []
    assert {profile for each in OTHERWISE for profile in each.profiles} <= {*ALL[1:]}


@pytest.mark.slow
def test_what_a_profile_leaves_out_it_would_not_pass():
    by_id = {case.id: case for case in CASES}
    stale = [
        (profile, one)
        for each in OTHERWISE
        for profile in each.profiles
        for one in each.ids.split()
        if judge(by_id[one], VirtualTap, profile).verdict is Verdict.PASS
    ]
    assert stale == []


def test_a_case_that_is_left_out_says_what_is_done_instead():
    (snap,) = (one for one in CASES if one.id == "ethernet/snap-is-read")
    assert snap.manner("linux") == "frames in the form of RFC 1042 are not read"
    (letter,) = (one for one in CASES if one.id == "profiles/packet-is-thrown-away")
    assert letter.manner("strict") == "this is a manner of rfc826"


def test_what_is_listed_as_not_done_is_not_done():
    claimed = {name for one in CASES for name in one.aliases}
    left = {name for gap in gaps() for name in gap.aliases}
    assert "IWL:041" in left
    assert claimed & left == set()
    assert [name for name in left if not ALIAS.fullmatch(name)] == []
