"""A hunt: rounds that follow from one another; the same findings however often it is cut off."""

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from sim import versions
from sim.campaigns.hunt import FILE, FINDINGS, ROUND, Hunt, hunt
from sim.fuzz.coverage import steer
from sim.fuzz.defects import load
from sim.fuzz.judge import Row
from sim.results import ResultError
from tests.sim.hunts import hunted
from tests.sim.scenarios import refused

ROOT = Path(__file__).parents[3]
END = 3 * ROUND - 20
DEFECT = next(iter(load()))
pytestmark = pytest.mark.slow  # each starts processes


def asked(out, what):
    with closing(sqlite3.connect(out / FILE)) as file:
        return file.execute(what).fetchall()


def everything(out):
    """All that a hunt leaves: rows, rounds, findings, and the files of these."""
    tables = [asked(out, f"SELECT * FROM {name}") for name in ("rows", "rounds")]
    findings = [json.loads(text) for (text,) in asked(out, "SELECT finding FROM findings")]
    told = {one["signature"]: (one["seed"], one["fingerprint"]) for one in findings}
    below = out / FINDINGS
    return tables, told, {str(path.relative_to(below)) for path in below.rglob("*")}


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    """A hunt that nothing disturbed."""
    out = tmp_path_factory.mktemp("uncut")
    return out, hunted(out, end=END)


def test_every_seed_has_a_row_and_every_kind_of_failure_a_finding(uncut):
    out, bag = uncut
    assert [number for (number,) in asked(out, "SELECT number FROM rows")] == list(range(END))
    assert (bag.rows, bag.fresh, bag.rounds) == (END, END, 3)
    assert sorted(one.signature for one in bag.discoveries) == sorted(bag.kinds)
    assert len(bag.kinds) > 4 and sum(bag.kinds.values()) > len(bag.kinds)


def test_a_finding_is_the_lowest_seed_of_its_kind(uncut):
    out, bag = uncut
    lowest = {}
    for (row,) in asked(out, "SELECT row FROM rows ORDER BY number DESC"):
        content = json.loads(row)
        lowest[content["signature"]] = content["seed"]
    assert {one.signature: one.seed for one in bag.discoveries} == {
        signature: seed for signature, seed in lowest.items() if signature
    }


def test_the_weights_of_a_round_follow_from_the_rows_of_the_one_before(uncut):
    out, _ = uncut
    rows = [Row(**json.loads(row)) for (row,) in asked(out, "SELECT row FROM rows ORDER BY number")]
    weights = [json.loads(text) for (text,) in asked(out, "SELECT weights FROM rounds")]
    assert weights == [{}, steer(0, rows[:ROUND]), steer(0, rows[ROUND : 2 * ROUND])]
    assert weights[1] != weights[2]


def test_one_worker_finds_what_two_find(uncut, tmp_path):
    out, _ = uncut
    hunted(tmp_path, end=END, jobs=1)
    assert everything(tmp_path) == everything(out)


def test_a_longer_hunt_goes_on_with_a_shorter_one(uncut, tmp_path):
    out, bag = uncut
    hunted(tmp_path, end=ROUND + 5)
    again = hunted(tmp_path, end=END, resume=True)
    assert everything(tmp_path) == everything(out)
    assert (again.rows, again.fresh, again.kinds) == (END, END - ROUND - 5, bag.kinds)
    assert again.discoveries == [
        msgspec.structs.replace(one, folder=mine.folder, replay=mine.replay)
        for one, mine in zip(bag.discoveries, again.discoveries, strict=True)
    ]


def test_one_that_is_over_only_tells_what_it_found(uncut):
    out, bag = uncut
    before = (out / FILE).read_bytes()
    again = hunted(out, end=END, resume=True)
    assert (again.fresh, again.verdicts, again.seen) == (0, bag.verdicts, bag.seen)
    assert again.discoveries == bag.discoveries
    assert everything(out)[0] and (out / FILE).read_bytes()[:5000] == before[:5000]


def test_killed_at_any_moment_and_resumed_it_finds_the_same(uncut, tmp_path):
    out, _ = uncut
    for rows in (0, 1, ROUND, ROUND + 30, END - 1):
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.sim.hunts", tmp_path, str(END)], cwd=ROOT
        )
        deadline = time.monotonic() + 60
        while running.poll() is None and count(tmp_path) < rows:
            assert time.monotonic() < deadline
            select.select([], [], [], 0.002)
        running.kill()
        running.wait()
    hunted(tmp_path, end=END, resume=True)
    assert everything(tmp_path) == everything(out)


def count(out):
    if not (out / FILE).exists():
        return 0
    return asked(out, "SELECT count(*) FROM rows")[0][0]


def test_for_a_time_it_plays_whole_rounds(tmp_path):
    bag = hunted(tmp_path, seconds=0.001)
    assert (bag.rows, bag.rounds) == (ROUND, 1)
    again = hunted(tmp_path, seconds=0.001, resume=True)
    assert (again.rows, again.fresh) == (ROUND, 0)


def test_what_is_not_the_same_twice_is_a_finding(tmp_path):
    bag = hunted(tmp_path, end=10, check=True, defect=DEFECT)
    (row,) = [json.loads(row) for (row,) in asked(tmp_path, "SELECT row FROM rows WHERE seed = 3")]
    assert (row["verdict"], row["signature"]) == ("error", "not-deterministic")
    assert row["failed"][0]["value"] == "signature"
    assert bag.kinds["not-deterministic"] == 1 and bag.rows == 10


def test_checked_or_not_the_rows_are_the_same(uncut, tmp_path):
    out, _ = uncut
    hunted(tmp_path, end=END, check=True)
    assert everything(tmp_path) == everything(out)


def test_the_words_on_which_rows_depend_are_asked_again(tmp_path):
    hunted(tmp_path, end=2, defect=DEFECT)
    with pytest.raises(ResultError) as caught:
        hunted(tmp_path, end=2, resume=True)
    assert f'defect was `"{DEFECT}"`, is `null`' in str(caught.value)


def test_a_row_of_a_stranger_that_is_none_is_one_line(tmp_path):
    hunted(tmp_path, end=2)
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute("UPDATE rows SET row = '[[[[' WHERE number = 1")
        file.commit()
    with pytest.raises(ResultError, match="a row that is none"):
        hunted(tmp_path, end=2, resume=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "say how long: `--seeds` or `--for`"),
        (
            {"end": 2, "check": True, "dask": "tls://a:1"},
            "`--check` and `--dask` exclude one another",
        ),
        ({"end": 2, "target": "c:/nowhere.so"}, "there is no library `/nowhere.so`"),
        ({"end": 2, "dask": "tcp://10.0.0.1:8786"}, "is another machine, without TLS"),
    ],
)
def test_what_cannot_be_hunted_is_one_line(tmp_path, words, said):
    assert said in str(refused(hunt, Hunt(out=tmp_path / "out", **words)))
    assert not (tmp_path / "out").exists()


def test_an_interrupt_leaves_with_130_and_all_that_was_done(tmp_path):
    command = [sys.executable, "-m", "sim", "fuzz", "--seeds", "0:100000", "--out", tmp_path]
    with subprocess.Popen(
        [*command, "--jobs", "1"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hears_interrupts,  # noqa: PLW1509  # it is one system call
        start_new_session=True,
    ) as running:
        deadline = time.monotonic() + 60
        while count(tmp_path) < 2:
            assert time.monotonic() < deadline and running.poll() is None
            select.select([], [], [], 0.01)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: its workers hear it too
        said, complaint = running.communicate(timeout=60)
    hint = "(hint: run it again; `--resume` goes on)"
    assert (running.returncode, said, complaint) == (130, "", f"error: interrupted {hint}\n")
    assert count(tmp_path) >= 2


def hears_interrupts():
    # what a shell starts in the background ignores them, and so do its children
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_other_code_is_another_campaign(tmp_path, monkeypatch):
    out = tmp_path / "hunt"
    hunted(out, end=8)
    monkeypatch.setattr(versions, "code", lambda: "0123456789abcdef")
    with pytest.raises(ResultError) as error:
        hunted(out, end=16, resume=True)
    said = str(error.value)
    assert said.startswith(f"`{out / 'campaign.sqlite'}` is of another campaign: versions was")
    assert '"code": "0123456789abcdef"' in said
