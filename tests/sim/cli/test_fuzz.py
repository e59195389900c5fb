"""`vtap fuzz` on its own worlds: what it says, what it leaves, and its exit status."""

import json
import re
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from sim.campaigns import hunt
from sim.campaigns.discovery import Discovery
from sim.campaigns.hunt import FILE, Bag, Hunt
from sim.campaigns.sweep import Gathered
from sim.campaigns.workers import Processes
from sim.cli import scoreboard
from sim.cli.scoreboard import show_hunt
from sim.fuzz.defects import load
from tests.sim.hunts import hunted, working
from tests.sim.scenarios import ONE_LINE, called
from tests.sim.test_evil_names import is_harmless

STRANGE = "python:tests.sim.strange_taps"
NAMES = """
    schema first_seed worlds rounds verdicts states states_reachable never findings
"""


def fuzz(capsys, out, *words):
    status, said, complaint = called(capsys, "fuzz", "--out", out, "--jobs", 1, *words)
    return status, said, complaint


@pytest.mark.long
def test_a_wrong_translator_in_the_taps_is_found_and_its_last_line_replays_it(tmp_path, capsys):
    words = ("--seeds", "0:6", "--target", f"{STRANGE}:Impostor", "--no-shrink")
    status, said, complaint = fuzz(capsys, tmp_path, *words)
    assert (status, complaint) == (1, "")
    assert said.startswith("6 worlds in 1 round: ")
    assert re.search(rf"replay: pytest {tmp_path}/findings/[^\n]+/test_world.py\n\Z", said)


@pytest.mark.long
def test_as_json_it_is_one_object(tmp_path, capsys):
    words = ("--seeds", "0:2", "--target", f"{STRANGE}:Impostor", "--no-shrink", "--json")
    status, said, _ = fuzz(capsys, tmp_path, *words)
    told = json.loads(said)
    assert (status, told["worlds"], told["first_seed"]) == (1, 2, 0)
    assert list(told) == NAMES.split()
    assert sum(one["worlds"] for one in told["findings"]) == told["verdicts"]["fail"]


@pytest.mark.long
def test_a_call_that_found_nothing_leaves_with_0(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(hunt, "Processes", partial(Processes, life=working))
    status, said, _ = fuzz(capsys, tmp_path, "--seeds", "1:4")
    assert status == 0 and said.startswith("3 worlds in 1 round: 3 pass\n")
    status, _, _ = fuzz(capsys, tmp_path, "--seeds", "1:30", "--resume")
    assert status == 1  # seed 19


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--seeds", "1"),
        ("--for", "soon"),
        ("--seeds", "0:1", "--target", "nothing:x"),
        ("--seeds", "0:1", "--defect", "none-such"),
        ("--seeds", "0:1", "--dask", "tcp://10.0.0.1:8786"),
        ("--seeds", "0:1", "--dask", "nowhere"),
        ("--seeds", "0:1", "--check", "--dask", "tcp://127.0.0.1:1"),
        ("--seeds", "0:1", "--jobs", "0"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_with_2(tmp_path, capsys, words):
    status, out, complaint = called(capsys, "fuzz", "--out", tmp_path / "out", *words)
    assert (status, out) == (2, "") and ONE_LINE.fullmatch(complaint)


def test_a_place_that_holds_something_else_is_left_as_it_is(tmp_path, capsys):
    (tmp_path / FILE).write_text("something else")
    for words in ((), ("--resume",)):
        status, _, complaint = fuzz(capsys, tmp_path, "--seeds", "0:1", *words)
        assert status == 2 and ONE_LINE.fullmatch(complaint)
    assert (tmp_path / FILE).read_text() == "something else"


@pytest.mark.long
def test_what_strangers_say_is_text(tmp_path, capsys):
    bag = hunted(tmp_path, end=60)
    assert bag.discoveries
    evil = Discovery(
        signature="[/]\x1b[31m\u202e", seed=1, fingerprint="", failed="[bold]\x07", replay="\x9b x"
    )
    bag.discoveries.append(evil)
    show_hunt(bag)
    said = capsys.readouterr().out
    assert is_harmless(said) and "[/]" in said and "[bold]" in said


def test_a_defect_that_there_is_is_one_of_those_that_are_listed(tmp_path, capsys):
    status, _, complaint = fuzz(capsys, tmp_path, "--seeds", "0:1", "--defect", "x")
    assert status == 2 and all(name in complaint for name in list(load())[:5])


def test_progress_is_for_terminals_alone(monkeypatch):
    shown = StringIO()
    order, bag = Hunt(out=Path(), end=10), Bag(rows=4, fresh=4, rounds=1)
    for is_terminal in (False, True):
        assert shown.getvalue() == ""
        terminal = Console(file=shown, force_terminal=is_terminal, width=200)
        monkeypatch.setattr(scoreboard, "err", terminal)
        with scoreboard.hunting(order, quiet=False) as step:
            step(bag)
    assert "0 kinds of failure" in shown.getvalue() and "round 1" in shown.getvalue()


def test_progress_of_a_sweep_counts_what_did_not_pass(monkeypatch):
    shown = StringIO()
    monkeypatch.setattr(scoreboard, "err", Console(file=shown, force_terminal=True, width=200))
    with scoreboard.sweeping(quiet=False) as step:
        step(Gathered([("a=1",)], range(9), rows=3, fresh=3, bad={1: "fail"}))
    assert "1 did not pass" in shown.getvalue()
