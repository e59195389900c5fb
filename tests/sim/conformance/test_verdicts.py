"""What is judged as what: the engine passes, wrong ones do not."""

import pytest

from sim.conformance.campaign import Judgement
from sim.conformance.findings import explain
from sim.conformance.mutants import MUTANTS, load
from sim.conformance.registry import Case, cases
from sim.conformance.verdicts import Outcome, Unsupported, Verdict, judge
from virtualtap import VirtualTap

FAMILIES = [*dict.fromkeys(case.family for case in cases())]
load()


def outcome(play):
    return judge(Case("rig/case", "rig", "RFC 0", "a test", (), play), VirtualTap)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_passes_on_the_engine(family):
    outcomes = [judge(case, VirtualTap) for case in cases(family)]
    wrong = [line for one in outcomes if one.verdict is not Verdict.PASS for line in explain(one)]
    assert wrong == []


@pytest.mark.parametrize("name", [*MUTANTS][::25])
def test_a_wrong_engine_is_caught(name):
    assert any(judge(case, MUTANTS[name]).verdict is not Verdict.PASS for case in cases())


def test_what_a_case_or_a_target_raises_is_a_verdict():
    def claims_wrongly(tap):
        raise AssertionError("five is not six")

    def asks_too_much(tap):
        raise Unsupported("it has no clock")

    def breaks(tap):
        raise ZeroDivisionError("nothing to divide by")

    def leaves(tap):
        raise SystemExit(0)

    told = [outcome(play) for play in (claims_wrongly, asks_too_much, breaks, leaves)]
    assert [(one.verdict, one.why) for one in told] == [
        (Verdict.FAIL, "five is not six"),
        (Verdict.UNSUPPORTED, "it has no clock"),
        (Verdict.ERROR, "ZeroDivisionError: nothing to divide by"),
        (Verdict.ERROR, "SystemExit: 0"),
    ]


def test_a_fail_is_explained_field_by_field():
    (case,) = (one for one in cases() if one.id == "arp/request-for-us-is-answered")
    missed = judge(case, silent)
    lines = [*explain(missed)]
    assert lines[:2] == [f"{case.id}: fail", f"  {case.source}: {case.meaning}"]
    assert "  Ethernet type: expected 0x0806, saw nothing" in lines


def silent(config):
    tap = VirtualTap(config)
    tap.take_frames = list
    return tap


@pytest.mark.parametrize(
    ("verdicts", "killed", "failed"),
    [
        ([Verdict.PASS, Verdict.UNSUPPORTED], None, False),
        ([Verdict.PASS, Verdict.FAIL], None, True),
        ([Verdict.PASS, Verdict.ERROR], None, True),
        ([Verdict.PASS], {"caught": ["a/b"]}, False),
        ([Verdict.PASS], {"caught": ["a/b"], "survivor": []}, True),
    ],
)
def test_a_judgement_fails_by_a_fail_an_error_or_a_survivor(verdicts, killed, failed):
    case = cases()[0]
    judgement = Judgement([case], {"it": [Outcome(case, one) for one in verdicts]}, killed)
    assert judgement.failed() is failed


def test_a_summary_counts_survivors_and_idle_cases():
    chosen = cases()[:2]
    killed = {"caught": [chosen[0].id], "survivor": []}
    summary = Judgement(chosen, {}, killed).summary()
    assert (summary["mutants"], summary["killed"]) == (2, 1)
    assert (summary["survivors"], summary["idle_cases"]) == (["survivor"], [chosen[1].id])
