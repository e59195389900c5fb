"""Foreign code in a process of its own: whatever it does is a verdict, and the run goes on."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sim.conformance import isolation
from sim.conformance.findings import explain
from sim.conformance.isolation import judge_apart
from sim.conformance.registry import cases
from sim.conformance.targets import target
from sim.conformance.verdicts import Verdict, judge
from tests.sim.scenarios import called
from virtualtap import VirtualTap

CASES = {case.id: case for case in cases()}
ANSWERED = CASES["arp/request-for-us-is-answered"]
HONEST, CRASHES, HANGS, FLOODS, SPINS, LEAVES = range(6)

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # xdist has threads


@pytest.fixture
def built(tmp_path):
    """Compiles the tests' own translator, wrong in the way that is asked for: its path."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")

    def build(wrong):
        path = tmp_path / f"translator{wrong}.so"
        source = Path(__file__).with_name("translator.c")
        options = ["-shared", "-fPIC", f"-DWRONG={wrong}"]
        subprocess.run([compiler, *options, "-o", path, source], check=True)
        return path

    return build


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("arp/request-for-us-is-answered", Verdict.PASS),
        ("arp/request-for-another-is-silence", Verdict.PASS),
        ("ethernet/packet-gets-fourteen-bytes", Verdict.PASS),
        ("ethernet/frame-for-our-mac-is-taken", Verdict.PASS),
        ("ethernet/padding-is-cut", Verdict.FAIL),
        ("arp/unknown-neighbor-is-asked-for", Verdict.FAIL),
        ("arp/probes-are-spaced", Verdict.UNSUPPORTED),
    ],
)
def test_a_c_library_is_judged(built, name, verdict):
    assert judge_apart(CASES[name], target(f"c:{built(HONEST)}")).verdict is verdict


def test_a_fail_apart_is_explained_as_one_at_home():
    def silent(config):
        tap = VirtualTap(config)
        tap.take_frames = list
        return tap

    apart, home = judge_apart(ANSWERED, silent), judge(ANSWERED, silent)
    assert [*explain(apart)] == [*explain(home)]
    assert "  Ethernet type: expected 0x0806, saw nothing" in [*explain(apart)]
    assert apart.exchange == home.exchange != ()


@pytest.mark.slow
def test_one_that_closes_all_and_stays_is_ended(monkeypatch):
    def stays(_config):
        os.closerange(3, 1024)
        time.sleep(60)

    monkeypatch.setattr(isolation, "BOUNDS", replace(isolation.BOUNDS, seconds=0.5))
    outcome = judge_apart(ANSWERED, stays)
    assert (outcome.verdict, outcome.why[:12]) == (Verdict.ERROR, "no answer wi")


@pytest.mark.parametrize("said", [b"nothing", b"\xff", b"[1]", b'["fair", "", null, []]'])
def test_an_answer_that_nobody_can_read_is_an_error(monkeypatch, said):
    pipe = os.pipe()
    monkeypatch.setattr(os, "pipe", lambda: pipe)

    def writes(_config):
        os.write(pipe[1], said)
        os._exit(0)

    outcome = judge_apart(ANSWERED, writes)
    assert (outcome.verdict, outcome.why) == (Verdict.ERROR, "what it answered cannot be read")


@pytest.mark.slow
def test_each_translator_of_a_case_has_its_time(monkeypatch):
    def slow(config):
        time.sleep(0.4)
        return VirtualTap(config)

    monkeypatch.setattr(isolation, "BOUNDS", replace(isolation.BOUNDS, seconds=0.6))
    assert judge_apart(CASES["dhcp/clients-are-apart"], slow).verdict is Verdict.PASS


def test_a_long_exchange_is_told_from_its_start(monkeypatch):
    monkeypatch.setattr(isolation, "_EXCHANGE_MAX", 200)
    outcome = judge_apart(ANSWERED, VirtualTap)
    assert [one.into for one in outcome.exchange] == [True]


@pytest.mark.parametrize(
    ("wrong", "why"), [(CRASHES, "ended by SIGSEGV"), (LEAVES, "ended with status 7")]
)
def test_an_end_is_a_verdict(built, wrong, why):
    outcome = judge_apart(ANSWERED, target(f"c:{built(wrong)}"))
    assert (outcome.verdict, outcome.why) == (Verdict.ERROR, why)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [HANGS, FLOODS, SPINS])
def test_what_does_not_end_is_ended(built, monkeypatch, wrong):
    monkeypatch.setattr(isolation, "BOUNDS", replace(isolation.BOUNDS, seconds=1.0))
    started = time.monotonic()
    outcome = judge_apart(ANSWERED, target(f"c:{built(wrong)}"))
    assert (outcome.verdict, time.monotonic() - started < 5) == (Verdict.ERROR, True)
    assert judge_apart(ANSWERED, VirtualTap).verdict is Verdict.PASS


@pytest.mark.slow
def test_a_run_goes_on_past_a_target_that_crashes(built, capsys):
    names = [f"c:{built(CRASHES)}", f"c:{built(HONEST)}", "engine"]
    chosen = [part for name in names for part in ("--target", name)]
    status, out, err = called(capsys, "conform", "--family", "ethernet", "--json", *chosen)
    told = json.loads(out)
    assert (status, err, [*told["verdicts"]]) == (1, "", names)
    crashed, honest, engine = told["verdicts"].values()
    assert (crashed["error"], crashed["pass"]) == (told["cases"], 0)
    assert (honest["error"], engine["pass"]) == (0, told["cases"])
    assert 0 < honest["pass"] < told["cases"]
    assert {*told["failures"][names[0]].values()} == {"ended by SIGSEGV"}
