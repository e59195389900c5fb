"""What runs saw: the steps of the engine's tables, and what is varied next because of it."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.conformance.registry import cases
from sim.conformance.verdicts import judge
from sim.fuzz import coverage
from sim.fuzz.generate import world
from sim.fuzz.judge import Task
from sim.fuzz.judge import judge as judge_world
from sim.fuzz.transitions import REACHABLE, TRANSITIONS, UNREACHABLE
from sim.limits import Limits
from sim.run import Order, perform
from virtualtap import tap
from virtualtap.config import TapConfig
from virtualtap.core import Core
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND

_STEPS = ("nud:", "nud4:", "arp:", "dhcp:")
_TALK = """
name = "talk"
until = "3s"
topology = { name = "chain", nodes = 2 }
sites = {}
ipv6 = true
[[traffic]]
kind = "ping"
from = "h*"
to = "s*"
every = "1s"
[[traffic]]
kind = "ping"
from = "h*"
to = "s*"
every = "1s"
family = 6
"""


@dataclass
class Told:
    seed: int
    fingerprint: str
    seen: list[str]


def steps(seen):
    return {one for one in seen if one.startswith(_STEPS)}


def seen_in(text):
    order = Order(text=text, folder=Path(), capture="none", limits=Limits(events=20_000))
    with coverage.collected() as seen:
        run, _ = perform(order, None)
    return seen | coverage.of_run(run), run


def test_no_step_is_unreachable_and_nowhere_in_the_tables():
    assert sorted(set(UNREACHABLE) - set(TRANSITIONS)) == []
    assert len(REACHABLE) == len(TRANSITIONS) - len(UNREACHABLE)
    assert all(UNREACHABLE.values())


def test_engines_made_outside_are_the_plain_ones():
    with coverage.collected() as seen:
        noting = VirtualTap(TapConfig(our_mac=b"\2\0\0\0\0\1", our_ip=b"\n\0\0\1", dhcp=True))
    plain = VirtualTap(TapConfig(our_mac=b"\2\0\0\0\0\1", our_ip=b"\n\0\0\1", dhcp=True))
    noting.poll(20 * SECOND)
    plain.poll(20 * SECOND)
    assert seen == set()
    assert tap.Core is Core
    assert noting.take_frames() == plain.take_frames()


def test_a_talk_is_seen_in_both_families():
    seen, _ = seen_in(_TALK)
    assert "arp:UNKNOWN+sent>ASKED/strict" in seen
    assert "arp:ASKED+replied>KNOWN/strict" in seen
    assert "nud:ABSENT+sent>INCOMPLETE/strict" in seen
    assert "nud:INCOMPLETE+confirmed>REACHABLE/strict" in seen
    assert "nud:REACHABLE+sent>REACHABLE/strict" in seen


def test_nobody_answers_and_that_is_seen():
    text = (
        _TALK.replace('until = "3s"', 'until = "9s"')
        + """
[[timeline]]
at = "0s"
crash = "s*"
"""
    )
    seen, _ = seen_in(text)
    assert "arp:ASKED+timed_out>ASKED/strict" in seen
    assert "arp:ASKED+exhausted>UNKNOWN/strict" in seen
    assert "nud:INCOMPLETE+timed_out>INCOMPLETE/strict" in seen
    assert "nud:INCOMPLETE+exhausted>ABSENT/strict" in seen
    assert "mark:neighbor-failed" in seen
    assert "drop:unresolved" in seen


def test_the_profile_says_whose_step_it_was():
    seen, _ = seen_in(
        _TALK
        + """
[[taps]]
match = "tap1"
profile = "linux"
"""
    )
    assert "nud4:ABSENT+sent>INCOMPLETE/linux" in seen
    assert "nud4:INCOMPLETE+confirmed>REACHABLE/linux" in seen
    assert "arp:UNKNOWN+sent>ASKED/strict" in seen


def test_what_was_never_seen_is_named():
    seen, _ = seen_in(_TALK)
    lacks = coverage.missing(seen)
    assert "dhcp:INIT+begin>SELECTING" in lacks["transitions"]
    assert "arp:UNKNOWN+sent>ASKED/strict" not in lacks["transitions"]
    assert "mark:lease-bound" in lacks["marks"]
    assert "drop:link-queue" in lacks["drops"]
    assert coverage.missing([*REACHABLE])["transitions"] == []


def test_a_fingerprint_names_its_features():
    assert coverage.features_of("ring12+dhcp+bit-flip:7f3a") == ("dhcp", "bit-flip")
    assert coverage.features_of("star3:00ff") == ()


def test_what_went_along_with_the_rare_is_drawn_more_often():
    rows = [Told(i, "star3+dhcp:0", ["a", "b", f"rare {i}"]) for i in range(8)]
    rows += [Told(8 + i, "star3+loss:0", ["a", "b"]) for i in range(8)]
    weights = coverage.steer(1, rows)
    assert weights["dhcp"] > 70
    assert weights["loss"] == 10


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    rows = [Told(i, f"star3+f{i % 3}:0", ["a", f"b{i % 5}"]) for i in range(30)]
    assert coverage.steer(1, rows) == coverage.steer(1, rows[::-1])
    assert coverage.steer(1, rows) != coverage.steer(2, rows)
    assert coverage.steer(1, []) == {}
    assert coverage.steer(1, [Told(0, "star3+dhcp:0", [])]).keys() == {"dhcp"}


@pytest.mark.long
def test_a_collector_changes_no_moment():
    text = world(7).text
    order = Order(text=text, folder=Path(), capture="none", limits=Limits(events=20_000))
    assert seen_in(text)[1].digest == perform(order, None)[0].digest


@pytest.mark.long
def test_every_step_of_the_conformance_cases_is_in_the_tables():
    with coverage.collected() as seen:
        for case in cases():
            for profile in case.profiles:
                judge(case, VirtualTap, profile)
    found = steps(seen)
    assert sorted(found - set(TRANSITIONS)) == []
    impossible = sorted(found & set(UNREACHABLE))
    # of engines, not of worlds: no node calls `release`, and no tap of a world serves
    assert [one for one in impossible if not re.search(r"\+(release|forgotten)>", one)] == []
    assert len(found) > 350


@pytest.mark.long
def test_no_world_makes_a_step_that_is_called_unreachable():
    found = set()
    for seed in range(40):
        found |= steps(judge_world(Task(seed=seed)).seen)
    assert sorted(found & set(UNREACHABLE)) == []
    assert sorted(found - set(TRANSITIONS)) == []
    assert len({one.partition("/")[2] for one in found if one.startswith("nud")}) > 1
