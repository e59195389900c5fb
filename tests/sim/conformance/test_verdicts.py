"""What is judged as what: the engine passes, wrong ones do not."""

import pytest

from sim.conformance import dissect
from sim.conformance.campaign import Judgement, fails
from sim.conformance.findings import explain
from sim.conformance.frames import our_request, patched
from sim.conformance.frames6 import our_na
from sim.conformance.mutants import MUTANTS, load
from sim.conformance.registry import ALL, Case, cases
from sim.conformance.script import PEER
from sim.conformance.verdicts import Outcome, Unsupported, Verdict, judge
from virtualtap import VirtualTap

FAMILIES = [*dict.fromkeys(case.family for case in cases())]
load()


def outcome(play):
    return judge(Case("rig/case", "rig", "RFC 0", "a test", (), play), VirtualTap)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_passes_on_the_engine(family):
    assert wrong(judge(case, VirtualTap) for case in cases(family)) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", ALL[1:])
def test_the_engine_meets_what_each_profile_says(profile):
    chosen = [case for case in cases() if profile in case.profiles]
    found = wrong(judge(case, VirtualTap, profile) for case in chosen)
    assert found == [], "if its manner is another one: sim/conformance/otherwise.py"


def wrong(outcomes):
    return [line for one in outcomes if one.verdict is not Verdict.PASS for line in explain(one)]


@pytest.mark.parametrize("name", [*MUTANTS][::25])
def test_a_wrong_engine_is_caught(name):
    assert any(fails(case, MUTANTS[name]) for case in cases())


class Mute(VirtualTap):
    """It says nothing to the LAN."""

    def take_frames(self):
        super().take_frames()
        return []


class Deaf(VirtualTap):
    """It hears nothing from the LAN."""

    def ethernet_to_ip(self, *data, **now):
        return None


@pytest.mark.slow
@pytest.mark.parametrize("target", [Mute, Deaf])
def test_a_target_that_does_not_do_its_work_breaks_no_case(target):
    broken = [case.id for case in cases() if judge(case, target).verdict is Verdict.ERROR]
    assert broken == []


def test_what_a_case_or_a_target_raises_is_a_verdict():
    def claims_wrongly(tap):
        raise AssertionError("five is not six")

    def asks_too_much(tap):
        raise Unsupported("it has no clock")

    def needs_an_answer(tap):
        tap.lan(b"").given(b"an answer")

    def breaks(tap):
        raise ZeroDivisionError("nothing to divide by")

    def leaves(tap):
        raise SystemExit(0)

    told = [
        outcome(play) for play in (claims_wrongly, asks_too_much, needs_an_answer, breaks, leaves)
    ]
    assert [(one.verdict, one.why) for one in told] == [
        (Verdict.FAIL, "five is not six"),
        (Verdict.UNSUPPORTED, "it has no clock"),
        (Verdict.INCONCLUSIVE, "not set up: to the lan: expected 1, saw 0"),
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
        ([Verdict.PASS, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE], None, False),
        ([Verdict.PASS, Verdict.FAIL], None, True),
        ([Verdict.PASS, Verdict.ERROR], None, True),
        ([Verdict.PASS], {"caught": ["a/b"]}, False),
        ([Verdict.PASS], {"caught": ["a/b"], "survivor": []}, True),
    ],
)
def test_a_judgement_fails_by_a_fail_an_error_or_a_survivor(verdicts, killed, failed):
    case = cases()[0]
    outcomes = [Outcome(case, one) for one in verdicts]
    judgement = Judgement([case] * len(outcomes), {"it": outcomes}, killed)
    assert judgement.failed() is failed


def test_a_summary_counts_survivors_and_idle_cases():
    chosen = cases()[:2]
    killed = {"caught": [chosen[0].id], "survivor": []}
    summary = Judgement(chosen, {}, killed).summary()
    assert (summary["mutants"], summary["killed"]) == (2, 1)
    assert (summary["survivors"], summary["idle_cases"]) == (["survivor"], [chosen[1].id])


def test_a_tag_and_a_neighbour_message_are_read_by_their_fields():
    request, answer = our_request(PEER), our_na()
    (tagged,) = (
        {*dissect.frame(request[:12] + b"\x81\0\x20\x07" + request[12:])}
        - {*dissect.frame(request)}
        - {("length", "46"), ("Ethernet type", "0x8100"), ("tagged type", "0x0806")}
    )
    assert tagged == ("VLAN tag", "0x2007")
    fields = dict(dissect.frame(answer))
    assert (fields["ICMPv6 type"], fields["NDP flags"]) == ("136", "0x60000000")
    assert (fields["NDP target"], fields["NDP option 2"]) == ("fd00::2", "02005e000002")
    echo = patched(answer, 54, b"\x80")
    assert "payload" in dict(dissect.frame(echo)) and "NDP target" not in dict(dissect.frame(echo))
