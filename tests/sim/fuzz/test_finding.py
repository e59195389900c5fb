"""A finding's folder: a world that runs, a test that fails, and files that are safe to open."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sim.capture import ENHANCED, OPTION_COMMENT
from sim.capture_reader import read_capture
from sim.fuzz.finding import FRAMES, SEQUENCE, TEST, WORLD, folder_name, write_finding
from sim.fuzz.judge import Task, judge
from sim.fuzz.text import to_toml
from tests.sim.fuzz.worlds import SIGNATURE, spoil
from tests.sim.scenarios import refused
from tests.sim.test_evil_names import NAMES, is_harmless

DEFECT = "loses-the-first-packet"
ROOT = Path(__file__).parents[3]
SMALL = """\
name = "small"
until = "20ms"
topology = { name = "drawn", nodes = { sw1 = "switch", s1 = "station", s2 = "station", \
tap1 = "tap", h1 = "host" }, links = [["sw1", "s1"], ["sw1", "s2"], ["sw1", "tap1"], \
["tap1", "h1"]] }

[[traffic]]
kind = "ping"
from = "s1"
to = "h1"

[[traffic]]
kind = "ping"
from = "s2"
to = "h1"
"""
MISSED = f"{SMALL}\n[expect]\ndelivered = 99\n"
LINE = re.compile(
    r"sequenceDiagram|"
    r"    participant n\d+ as [\w .,:()/+#;-]+ \((hub|switch|tap|host|station)\)|"
    r"    n\d+(->>|-x|-\))n\d+: [\w .,:()/+#;-]+|"
    r"    Note over n\d+(,n\d+)?: [\w .,:()/+#;-]+"
)


def written(folder, text=MISSED, **words):
    return write_finding(folder, Task(seed=5, text=text, **words), "world 5, star7+loss:0a1b")


def lines(folder, name):
    return (folder / name).read_text(encoding="utf-8").splitlines()


def comments(folder):
    """Of each record of the capture."""
    data, at, found = (folder / FRAMES).read_bytes(), 0, []
    while at < len(data):
        kind, length = (int.from_bytes(data[i : i + 4], "little") for i in (at, at + 4))
        if kind == ENHANCED:
            captured = int.from_bytes(data[at + 20 : at + 24], "little")
            option = at + 28 + captured + -captured % 4
            code, size = (int.from_bytes(data[i : i + 2], "little") for i in (option, option + 2))
            assert code == OPTION_COMMENT
            found.append(data[option + 4 : option + 4 + size].decode())
        at += length
    return found


def test_the_world_is_the_same_scenario_and_says_what_it_is(tmp_path):
    said = written(tmp_path)
    world = (tmp_path / WORLD).read_text(encoding="utf-8")
    assert lines(tmp_path, WORLD)[:3] == [
        "# delivered at 0.020000000 s",
        "# expected: exactly 99; seen: 4",
        f"# found: world 5, star7+loss:0a1b; {said.nodes} nodes, {said.frames} frames",
    ]
    assert tomllib.loads(world) == tomllib.loads(MISSED)
    assert judge(Task(seed=5, text=world)).signature == said.signature == "delivered"


def test_frames_are_counted_once_however_often_they_are_passed_on(tmp_path):
    # each station asks and is answered, then pings, and is answered; the switch copies all that
    said = written(tmp_path)
    assert (said.nodes, said.frames) == (5, 8)


def test_each_record_says_what_it_came_of_and_what_became_of_it(tmp_path):
    written(tmp_path)
    records = list(read_capture(tmp_path / FRAMES))
    drawn = [line for line in lines(tmp_path, SEQUENCE) if re.match(r" +n\d+-", line)]
    assert len(records) == len(drawn) > 8
    assert {record.interface.partition(".")[0] for record in records} == {
        *("s1", "s2", "sw1", "tap1", "h1"),
    }
    said = comments(tmp_path)
    first = "frame 1, because of a send of flow 0: ping from s1 to h1; arrived at sw1.p1"
    assert said[0] == first
    assert all(one.startswith(f"frame {i}, because of ") for i, one in enumerate(said, 1))
    assert any(one.startswith("frame 3, because of frame 1; ") for one in said)


def test_the_failing_frame_is_traced_to_its_beginning(tmp_path, monkeypatch):
    spoil(monkeypatch)
    assert written(tmp_path, SMALL).signature == SIGNATURE
    told = lines(tmp_path, "explanation.md")
    assert told[0].startswith("# no-foreign-source at 0.00")
    assert "own MAC as source" in told[2]
    assert "- expected: 02:00:00:00:00:03" in told
    assert "- seen: source 02:bb:00:00:00:01 of tap1" in told
    chain = [line for line in told if re.match(r"\d+\. ", line)]
    assert "a send of flow 1: ping from s2 to h1" in chain[0]
    assert "who has 10.0.0.3" in chain[0] and "from s2 to sw1" in chain[0]
    assert "from sw1 to tap1" in chain[1]
    assert "ARP reply to 10.0.0.2" in chain[2] and "from tap1 to sw1" in chain[2]


def test_an_exception_is_explained_by_the_last_frame_before_it(tmp_path, monkeypatch):
    def wrong(*_):
        raise ZeroDivisionError("no such thing")

    monkeypatch.setattr("virtualtap.tap.VirtualTap.ethernet_to_ip", wrong)
    said = written(tmp_path, SMALL)
    assert said.signature.startswith("exception:ZeroDivisionError:")
    told = lines(tmp_path, "explanation.md")
    assert "- seen: no such thing" in told
    assert any("from sw1 to tap1: arrived" in line for line in told)


def test_a_lost_frame_a_refused_one_and_one_on_its_way_look_different(tmp_path):
    lossy = '[[links]]\nmatch = "s1--sw1"\nfaults = [{ fault = "loss", probability = 1 }]\n'
    late = '[[timeline]]\nat = "3us"\ncrash = "tap1"\n'
    written(tmp_path, f"{SMALL.replace('20ms', '8us')}\n{lossy}\n{late}\n[expect]\ndelivered = 9\n")
    drawn = lines(tmp_path, SEQUENCE)
    assert any("-x" in line and "lost: link-loss" in line for line in drawn)
    assert any("-)" in line for line in drawn)
    written(tmp_path, f"{SMALL}\n{late}\n[expect]\ndelivered = 9\n")
    assert any("dropped by tap1" in line for line in lines(tmp_path, SEQUENCE))


def test_a_world_that_cannot_be_built_has_no_frames(tmp_path):
    said = written(tmp_path, SMALL.replace('to = "h1"', 'to = "nobody"'))
    assert (said.signature.partition(":")[0], said.frames) == ("exception", 0)
    assert lines(tmp_path, SEQUENCE) == ["sequenceDiagram"]
    assert "No frame was seen before it." in lines(tmp_path, "explanation.md")


def test_with_a_target_the_same_is_seen_from_a_process_of_its_own(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert written(ours) == written(theirs, target="engine")
    assert lines(ours, SEQUENCE) == lines(theirs, SEQUENCE)
    assert "target='engine'" in (theirs / TEST).read_text(encoding="utf-8")


def test_of_a_target_that_crashes_no_frames_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr("virtualtap.tap.VirtualTap.ethernet_to_ip", lambda *_: os.abort())
    said = written(tmp_path, target="engine")
    assert (said.signature, said.frames) == ("crash:SIGABRT", 0)
    assert lines(tmp_path, SEQUENCE) == ["sequenceDiagram"]
    assert "No frame was seen before it." in lines(tmp_path, "explanation.md")


def test_of_an_endless_world_the_beginning_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr("sim.network._CHUNK", 10)
    monkeypatch.setattr("sim.fuzz.witness.SENDS_MAX", 3)
    assert 3 < written(tmp_path).frames < 8


def test_a_world_that_holds_is_no_finding(tmp_path):
    assert "does not fail" in str(refused(written, tmp_path / "none", SMALL))
    assert not (tmp_path / "none").exists()


def test_of_many_frames_the_last_are_drawn(tmp_path):
    busy = MISSED.replace('kind = "ping"', 'kind = "stream"\nevery = "100us"')
    written(tmp_path, busy)
    drawn = lines(tmp_path, SEQUENCE)
    assert sum("->>" in line or "-)" in line for line in drawn) == 200
    assert any("frames before these" in line for line in drawn)


def test_a_test_without_a_defect_is_about_ten_lines_and_fails_while_the_world_does(tmp_path):
    written(tmp_path)
    assert len([line for line in lines(tmp_path, TEST) if line]) <= 10
    space = {"__file__": str(tmp_path / TEST)}
    exec(compile((tmp_path / TEST).read_text(encoding="utf-8"), TEST, "exec"), space)
    with pytest.raises(AssertionError, match="delivered"):
        space["test_the_world_holds"]()
    (tmp_path / WORLD).write_text(SMALL, encoding="utf-8")
    space["test_the_world_holds"]()


def pytested(folder, **environment):
    """What pytest says of the test file, alone in a fresh process."""
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder / TEST))
    words = {"PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        command, check=False, cwd=folder, env=words, capture_output=True, text=True
    )
    return done.returncode, done.stdout


@pytest.mark.long
def test_run_alone_the_test_fails_with_the_defect_and_passes_without(tmp_path):
    text = SMALL.replace('from = "s1"\nto = "h1"', 'from = "h1"\nto = "s1"')
    assert written(tmp_path, text, defect=DEFECT).signature == "nothing-vanishes/tap"
    status, said = pytested(tmp_path)
    assert (status, "nothing-vanishes" in said) == (1, True)
    assert pytested(tmp_path, VTAP_DEFECT="")[0] == 0


@pytest.mark.long
def test_evil_names_are_text_in_every_file(tmp_path):
    names = [" ".join(name.split()) or "blank" for name in NAMES]
    nodes = {"hub": "hub", **dict.fromkeys(names, "station")}
    links = [["hub", name] for name in names]
    world = {
        "name": "evil",
        "until": "50ms",
        "topology": {"name": "drawn", "nodes": nodes, "links": links},
        "traffic": [{"kind": "ping", "from": "*", "to": "next", "every": "1s"}],
        "expect": {"delivered": 9999},
    }
    write_finding(tmp_path, Task(seed=1, text=to_toml(world)), "\n".join(NAMES))
    for line in lines(tmp_path, SEQUENCE):
        assert LINE.fullmatch(line), line
    told = (tmp_path / "explanation.md").read_text(encoding="utf-8")
    assert is_harmless(told)
    assert not re.search(r"(?<!\\)[<\[|]", told.replace("`", ""))
    assert all(one.isprintable() for one in comments(tmp_path))
    compile((tmp_path / TEST).read_text(encoding="utf-8"), TEST, "exec")


@pytest.mark.parametrize(
    "signature", ["no-storm/hub", "exception:KeyError:a.b.c", "x" * 300, "../../x", "", "ö\n`"]
)
def test_a_folder_has_a_tame_name_of_its_own(signature):
    name = folder_name(signature)
    assert re.fullmatch(r"[a-z0-9-]{1,70}", name)
    assert name != folder_name(f"{signature}.")
