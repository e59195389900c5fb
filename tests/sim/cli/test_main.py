"""`vtap` as a stranger meets it: exit statuses, one line for every error, data alone on stdout."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.cli import main as cli
from sim.results import find
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, on_disk

ROOT = Path(__file__).parents[3]
FIELDS = """
    schema scenario seed digest verdict failed simulated_s setup_s wall_s process_s events crossings
    delivered dropped arp_convergence_s arp_unresolved arp_reconvergence_s broadcast_learning
    latency_s throughput_bps wakeups_per_hour unprompted_frames_per_hour timers_per_hour entries
    warmup_s
"""
LONG = f"{SMALL}[expect]\ndelivered = {{ min = 1 }}\n".replace("300ms", "1h")


def process(*arguments, **choices):
    """`vtap ARGUMENTS` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sim", *map(str, arguments)],
        cwd=ROOT,
        text=True,
        stdout=choices.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        preexec_fn=hears_interrupts,  # noqa: PLW1509  # it is one system call
        **choices,
    )


def hears_interrupts():
    # what a shell starts in the background ignores them, and so do its children
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def bare(tmp_path, capsys):
    """Calls `vtap run` without a page, below a folder of its own."""

    def call(text=SMALL, *more):
        path = as_file(tmp_path, text)
        return called(capsys, "run", path, "--bare", "--out", tmp_path / "out", *more)

    return call


def test_what_held_leaves_with_0(bare):
    status, out, err = bare()
    assert (status, err) == (0, "")
    assert out.startswith("small seed 1: pass\n")


def test_what_was_judged_and_failed_leaves_with_1(bare):
    status, out, err = bare(f"{SMALL}[expect]\ndelivered = {{ max = 3 }}\n")
    assert (status, err) == (1, "")
    assert re.search(r"\ndelivered: 18 is not at most 3, first at 0\.\d+ s\n", out)


def test_the_command_that_repeats_a_run_repeats_it(bare, capsys):
    _, out, _ = bare()
    (command,) = re.findall(r"^replay: vtap (.*)$", out, re.MULTILINE)
    status, out, _ = called(capsys, *command.split())
    assert (status, out.splitlines()[-1]) == (0, "same as before: all counts")


def test_json_is_one_object_with_exactly_these_fields(bare):
    status, out, err = bare(SMALL, "--json")
    summary = json.loads(out)
    assert (status, err, [*summary]) == (0, "", FIELDS.split())
    assert [*summary["broadcast_learning"]] == ["share", "time_to_all_s", "flooded_share"]
    assert [*summary["latency_s"]] == ["p50", "p90", "p99", "p999"]
    assert [*summary["throughput_bps"]] == ["offered", "delivered"]


def test_bare_json_has_counts_and_null_for_the_rest(bare):
    summary = json.loads(bare(SMALL, "--json")[1])
    told = {key: value for key, value in summary.items() if value is not None}
    nothing = {"digest", "arp_convergence_s", "arp_unresolved", "timers_per_hour"}
    nothing |= {"wakeups_per_hour", "unprompted_frames_per_hour", "warmup_s", "arp_reconvergence_s"}
    assert summary.keys() - told.keys() == nothing
    nested = (*told["broadcast_learning"].values(), *told["latency_s"].values())
    assert set(nested) == {None}
    assert (told["delivered"], told["dropped"]) == (18, {})


@pytest.mark.slow
def test_a_watched_run_draws_a_page_and_says_where(tmp_path, capsys):
    path = as_file(tmp_path)
    status, out, err = called(capsys, "run", path, "--out", tmp_path / "out", "--quiet")
    page = tmp_path / "out" / "small" / "1" / "report.html"
    assert (status, err) == (0, "")
    assert f"page: {page}\n" in out and page.is_file()
    status, out, err = called(capsys, "report", tmp_path / "out", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {"schema": 1, "page": str(tmp_path / "out" / "report.html")}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sing"],
        ["--sing"],
        ["run"],
        ["run", "a.toml", "b.toml"],
        ["run", "nothing.toml"],
        ["run", "."],
        ["run", ""],
        ["run", "a\nb"],
        ["run", "--topology", "nothing"],
        ["run", "--topology", ""],
        ["run", "--topology", "."],
        ["run", "--topology", "../nothing.graphml"],
        ["run", "a.toml", "--topology", "star"],
        ["run", "--topology", "star", "--seed", "x"],
        ["run", "--topology", "star", "--seed", "-1"],
        ["run", "--topology", "star", "--seed", "9" * 30],
        ["run", "--topology", "star", "--seed", "9" * 5000],
        ["run", "--topology", "star", "--set", "x"],
        ["run", "--topology", "star", "--set"],
        ["run", "--topology", "star", "--capture", "some"],
        ["run", "--topology", "star", "--no-such-option"],
        ["run", "--topology", "star", "--max-nodes", "1"],
        ["run", "--topology=[/]"],
        ["run", "--topology=\x1b[31m"],
        ["run", "--topology=star", "--set=topology.name=[link=file:///x]"],
        ["replay"],
        ["replay", "nothing"],
        ["replay", ".", "--bare"],
        ["report"],
        ["report", "nothing"],
        ["report", "a\0b"],
        ["topologies", "nothing"],
        ["topologies", "--check", "nothing"],
        ["topologies", "--check", "."],
    ],
    ids=repr,
)
def test_a_bad_call_is_one_line_with_a_hint(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    status, out, err = called(capsys, *arguments)
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err), err
    assert err.isascii() or err.replace("\n", "").isprintable()
    assert "\x1b" not in err and list(tmp_path.iterdir()) == []


def test_the_words_of_typer_are_ours(capsys):
    _, _, err = called(capsys, "run", "--seed", "ABC")
    assert err.startswith("error: invalid value for `--seed`: ")
    assert called(capsys, "sing")[2] == "error: no such command `sing` (hint: `vtap --help`)\n"


def test_help_is_no_error(capsys):
    for arguments in (["--help"], ["run", "--help"]):
        status, out, err = called(capsys, *arguments)
        assert (status, err) == (0, "")
        assert out.lower().startswith("usage:")


def test_results_that_cannot_be_written_are_one_line(tmp_path, capsys):
    path = as_file(tmp_path)
    status, out, err = called(capsys, "run", path, "--bare", "--out", path / "below")
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err) and "--out" in err


@pytest.mark.parametrize("left", ["report.html", "figures", "figures/delay.svg"])
def test_a_page_is_not_drawn_through_a_link_out_of_a_strangers_folder(tmp_path, capsys, left):
    _, folder = on_disk(tmp_path / "out")
    outside = tmp_path / "precious"
    outside.mkdir()
    (folder / left).parent.mkdir(exist_ok=True)
    (folder / left).symlink_to(outside)
    status, out, err = called(capsys, "report", folder)
    assert (status, out, list(outside.iterdir())) == (2, "", [])
    assert ONE_LINE.fullmatch(err) and "symbolic link" in err


def test_a_run_whose_folder_has_an_odd_name_is_shown_escaped(tmp_path, capsys):
    path = as_file(tmp_path)
    _, out, _ = called(capsys, "run", path, "--bare", "--out", tmp_path / "a\x1b[31m b\u202e")
    assert "\x1b" not in out and "\u202e" not in out
    assert f"replay: vtap replay '{tmp_path}/a\\x1b[31m b\\u202e/small/1'\n" in out


def test_topologies_are_listed_and_described(tmp_path, capsys):
    names = json.loads(called(capsys, "topologies", "--json")[1])["topologies"]
    assert {"star", "fat-tree", "topozoo/Abilene"} <= {*names}
    told = json.loads(called(capsys, "topologies", "star", "--json")[1])
    assert (told["nodes"], told["links"], told["kinds"]) == (9, 8, {"hub": 9})
    out = called(capsys, "topologies", "star")[1]
    assert "nodes: 9\n" in out and "names: hub1, hub2" in out


def test_a_folder_of_networks_is_checked_one_by_one(tmp_path, capsys):
    node = 'node [ id 0 label "a" ] node [ id 1 label "[/]" ] edge [ source 0 target 1 ]'
    (tmp_path / "good.gml").write_text(f"graph [ {node} ]")
    (tmp_path / "bad.gml").write_text("graph [ node [ id 0 ] edge [ source 0 target 0 ] ]")
    status, out, err = called(capsys, "topologies", "--check", tmp_path, "--json")
    rows = json.loads(out)["networks"]
    assert (status, [(row["name"], row["built"]) for row in rows]) == (
        0,
        [("bad.gml", False), ("good.gml", True)],
    )
    status, out, err = called(capsys, "topologies", "--check", tmp_path)
    assert (status, err) == (0, "1 of 2 built and run\n")
    assert "good.gml: built and run: 2 hubs" in out and "bad.gml: refused: " in out


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {}])
def test_only_a_terminal_sees_progress_and_no_color_is_kept(tmp_path, environment):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    path = as_file(tmp_path)  # short: a terminal that nobody reads takes 4 KiB
    neutral = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLORTERM")
    }
    surroundings = {**neutral, "TERM": "xterm", **environment}
    for quiet in ([], ["--quiet"]):
        command = [sys.executable, "-m", "sim", "run", path, "--bare", "--out", tmp_path, *quiet]
        subprocess.run(
            [*map(str, command)],
            cwd=ROOT,
            env=surroundings,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            check=True,
        )
        ready, _, _ = select.select([ours], [], [], 0)
        shown = os.read(ours, 65_536).decode() if ready else ""
        assert bool(shown) is not bool(quiet)
        assert bool(re.search(r"\x1b\[[0-9;]*3\dm", shown)) is (not quiet and not environment)
    os.close(ours)
    os.close(theirs)


@pytest.mark.slow
def test_an_interrupt_leaves_with_130_and_nothing_that_looks_finished(tmp_path):
    path, out = as_file(tmp_path, LONG), tmp_path / "out"
    with process("run", path, "--bare", "--out", out, "--json") as running:
        deadline = time.monotonic() + 20
        while not list(out.rglob(".*.new")):  # it is under way
            assert time.monotonic() < deadline and running.poll() is None
            select.select([], [], [], 0.01)
        running.send_signal(signal.SIGINT)
        said, complaint = running.communicate(timeout=20)
    assert (running.returncode, said) == (130, "")
    assert re.fullmatch(ONE_LINE, complaint) and "interrupted" in complaint
    assert find(out) == [] and not [path for path in out.rglob("*") if path.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["topologies"], ["topologies", "--json"]])
def test_a_reader_who_leaves_is_not_complained_about(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    with process(*arguments, stdout=writing) as running:
        os.close(writing)
        _, complaint = running.communicate(timeout=20)
    assert (running.returncode, complaint) == (3, "")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_stdout_is_one_line():
    with Path("/dev/full").open("w") as full, process("topologies", stdout=full) as running:
        _, complaint = running.communicate(timeout=20)
    assert running.returncode == 2
    assert re.fullmatch(ONE_LINE, complaint), complaint


@pytest.mark.slow
def test_a_terminal_that_knows_only_ascii_sees_names_escaped(tmp_path):
    path = tmp_path / "odd.gml"
    path.write_text('graph [ node [ id 0 label "&#233;&#128512;" ] ]')
    surroundings = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with process("topologies", path, env=surroundings) as running:
        said, complaint = running.communicate(timeout=20)
    assert (running.returncode, complaint) == (0, "")
    assert "names: \\xe9\\U0001f600\n" in said


def test_statuses_are_those_of_the_contract():
    statuses = (cli.HELD, cli.FAILED, cli.WRONG_CALL, cli.NOT_JUDGED, cli.INTERRUPTED)
    assert statuses == (0, 1, 2, 3, 130)
