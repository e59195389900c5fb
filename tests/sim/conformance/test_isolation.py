"""Foreign code in a process of its own: whatever it does is a verdict, and the run goes on."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from sim.conformance import isolation
from sim.conformance.findings import explain
from sim.conformance.isolation import judge_apart
from sim.conformance.registry import cases
from sim.conformance.targets import is_foreign, target
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


@pytest.mark.parametrize(
    ("wrong", "why"), [(CRASHES, "ended by SIGSEGV"), (LEAVES, "ended with status 7")]
)
def test_an_end_is_a_verdict(built, wrong, why):
    outcome = judge_apart(ANSWERED, target(f"c:{built(wrong)}"))
    assert (outcome.verdict, outcome.why) == (Verdict.ERROR, why)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [HANGS, FLOODS, SPINS])
def test_what_does_not_end_is_ended(built, monkeypatch, wrong):
    monkeypatch.setattr(isolation, "_SECONDS", 1.0)
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


def test_only_c_libraries_are_foreign():
    assert [is_foreign(name) for name in ("engine", "python:a:b", "c:a.so")] == [False, False, True]
