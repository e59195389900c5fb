"""A discovery: the world that failed first, shrunk and written, and the command that shows it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sim.campaigns.discovery import (
    AGAIN,
    DIED,
    DIFFERS,
    OUTLIVED,
    Discovery,
    Wanted,
    discover,
    discover_json,
    read_discovery,
    undiscovered,
)
from sim.fuzz.generate import world
from sim.fuzz.judge import Row, Task, judge
from tests.sim.scenarios import SMALL, called, refused

ROOT = Path(__file__).parents[3]
FAILING = f"{SMALL}[expect]\narp_unresolved = {{ min = 3 }}\n"
STRANGE = "python:tests.sim.strange_taps"
pytestmark = pytest.mark.long  # each runs worlds


def wanted(place, text=FAILING, *, row=None, shrinks=True, **words):
    task = Task(seed=1, text=text, **words)
    return Wanted(task, row or judge(task), str(place / "findings"), shrinks)


def names(folder):
    return {path.name for path in Path(folder).iterdir()}


@pytest.fixture
def failing(tmp_path):
    return discover(wanted(tmp_path))


def test_a_failing_world_is_shrunk_and_written(failing):
    world = (Path(failing.folder) / "world.toml").read_text()
    assert failing.nodes == 1 and failing.shrinking.startswith("shrunk in ")
    assert failing.signature == judge(Task(seed=1, text=world)).signature == "arp_unresolved"
    assert {"world.toml", "test_world.py", "explanation.md"} <= names(failing.folder)


def test_its_last_word_is_a_command_that_shows_it_again(failing, capsys, tmp_path):
    assert failing.replay == f"vtap run {failing.folder}/world.toml"
    status, out, _ = called(capsys, *failing.replay.split()[1:], "--out", tmp_path / "out")
    assert status == 1 and "arp_unresolved" in out


def test_nothing_else_is_left_beside_it(failing):
    assert [path.name for path in Path(failing.folder).parent.iterdir()] == [
        Path(failing.folder).name
    ]


def test_written_again_it_replaces_what_a_killed_process_left(failing, tmp_path):
    (Path(failing.folder) / "rest").touch()
    assert discover(wanted(tmp_path)) == failing
    assert "rest" not in names(failing.folder)


def test_unshrunk_it_is_the_world_as_it_was(tmp_path):
    found = discover(wanted(tmp_path, shrinks=False))
    assert found.shrinking == "not shrunk"
    assert (Path(found.folder) / "world.toml").read_text().endswith(FAILING)


def test_a_world_that_kills_its_process_is_written_and_not_run(tmp_path):
    row = Row(seed=1, fingerprint="x", verdict="error", failed=[failure(DIED)], signature=DIED)
    found = discover(wanted(tmp_path, "no scenario at all", row=row))
    assert names(found.folder) == {"world.toml", "explanation.md"}
    assert found.replay == f"vtap run {found.folder}/world.toml"


def test_one_that_is_the_same_alone_says_so(tmp_path):
    row = Row(
        seed=1, fingerprint="x", verdict="error", failed=[failure(DIFFERS)], signature=DIFFERS
    )
    found = discover(wanted(tmp_path, SMALL, row=row))
    said = (Path(found.folder) / "explanation.md").read_text()
    assert "alone, in two new processes, it is the same twice" in said
    assert found.replay == f"vtap run {found.folder}/world.toml --check"


def failure(name):
    return {"field": name, "value": "a", "limit": "b", "at_s": None}


def test_a_target_that_crashes_is_shrunk_and_does_not_take_us_with_it(tmp_path):
    found = discover(wanted(tmp_path, SMALL, target=f"{STRANGE}:Crasher"))
    assert found.signature == "crash:SIGSEGV"
    assert found.shrinking.startswith("shrunk in ")
    assert found.replay == f"pytest {found.folder}/test_world.py"


def test_a_target_that_is_wrong_comes_with_a_test_that_says_so(tmp_path):
    found = discover(wanted(tmp_path, SMALL, target=f"{STRANGE}:Impostor"))
    assert found.signature == "no-foreign-source/tap"
    test = Path(found.folder) / "test_world.py"
    assert found.replay == f"pytest {test}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 1 and b"no-foreign-source" in done.stdout


def test_its_words_are_of_what_broke_first(tmp_path):
    last = {"field": "late", "value": "a", "limit": "b", "at_s": 2.0}
    first = {"field": "early", "value": "a", "limit": "b", "at_s": 1.0}
    failed = [failure("never"), last, first]
    row = Row(seed=1, fingerprint="x", verdict="fail", failed=failed, signature="early")
    assert undiscovered(wanted(tmp_path, row=row)).failed.startswith("early: a")


@pytest.mark.parametrize("shrinks", [True, False])
def test_a_world_that_fails_no_more_is_written_and_ends_nothing(tmp_path, shrinks):
    row = Row(seed=1, fingerprint="x", verdict="fail", failed=[failure("a")], signature="a/tap")
    found = discover(wanted(tmp_path, SMALL, row=row, shrinks=shrinks))
    assert (found.signature, found.shrinking) == ("a/tap", AGAIN)
    assert names(found.folder) == {"world.toml", "explanation.md"}
    assert AGAIN in (Path(found.folder) / "explanation.md").read_text()


def test_one_that_kills_its_process_with_a_target_comes_with_a_test(tmp_path):
    row = Row(seed=1, fingerprint="x", verdict="error", failed=[failure(DIED)], signature=DIED)
    found = discover(wanted(tmp_path, "none", row=row, target="c:./mine.so"))
    assert found.replay == f"pytest {found.folder}/test_world.py"
    assert "target='c:./mine.so'" in (Path(found.folder) / "test_world.py").read_text()


def test_of_one_that_no_process_outlives_the_world_is_kept(tmp_path):
    weights = {"map-star": 80, "v6": 5}
    row = Row(seed=7, fingerprint="x", verdict="error", failed=[failure(DIED)], signature=DIED)
    task = Task(seed=7, weights=weights)
    found = undiscovered(Wanted(task, row, str(tmp_path / "findings"), True))
    kept = Path(found.folder) / "world.toml"
    assert kept.read_text(encoding="utf-8").endswith(world(7, weights).text)
    assert (found.shrinking, found.replay) == (OUTLIVED, f"vtap run {kept}")


def test_where_nothing_can_be_written_that_is_said(tmp_path):
    (tmp_path / "findings").touch()
    assert "cannot write below `" in str(refused(discover, wanted(tmp_path)))


def test_a_folder_that_looks_like_an_option_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = discover(wanted(Path("-a b")))
    assert found.replay == "vtap run './-a b/findings/arp-unresolved-{}/world.toml'".format(
        found.folder.rpartition("-")[2]
    )


def test_as_json_it_is_the_same(tmp_path, failing):
    said = discover_json(msgspec.json.encode(wanted(tmp_path)).decode())
    assert read_discovery(said) == failing


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[" * 5000, '{"signature":7}'])
def test_anything_else_is_one_line(text):
    assert str(refused(read_discovery, text)) == "the campaign holds a finding that is none"


def test_what_is_written_of_it_can_be_read_by_anybody(failing):
    content = json.loads(msgspec.json.encode(failing))
    assert Discovery(**content) == failing
