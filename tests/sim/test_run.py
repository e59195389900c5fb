"""A run is a seed plus a scenario: the same two, the same digest, byte for byte."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.limits import Limits
from sim.results import read
from sim.run import INPUTS, order_of, perform
from tests.sim.scenarios import SMALL, STREAM, as_file, called, done, on_disk, order, refused
from topologies import GraphError
from virtualtap.errors import UsageError

ROOT = Path(__file__).parents[2]
LUCKY = f"""{SMALL}
[[traffic]]
kind = "poisson"
from = "s*"
to = "next"
every = "5ms"

[[links]]
match = "hub1--*"
faults = [{{ fault = "loss", probability = 0.1 }}, {{ fault = "jitter", most = "1ms" }}]
"""
COUNTS = ("events", "crossings", "delivered", "dropped")


@pytest.mark.slow
def test_two_processes_whose_hashes_differ_agree(tmp_path):
    path = as_file(tmp_path, LUCKY)
    digests = set()
    for seed in ("0", "4711"):
        code = (
            "import pathlib, sys; from sim.run import Order, perform; p = pathlib.Path(sys.argv[1])"
            "; print(perform(Order(text=p.read_text(), folder=p.parent), None)[0].digest)"
        )
        said = subprocess.run(
            [sys.executable, "-c", code, path],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(said.stdout.strip())
    assert digests == {done(LUCKY).digest}


def test_another_seed_is_another_run():
    assert len({done(LUCKY, seed=seed).digest for seed in (1, 2, 3)}) == 3
    assert done(LUCKY, seed=2).digest == done(LUCKY, changes=("seed=2",)).digest


def test_what_is_recorded_changes_nothing(tmp_path):
    _, folder = perform(order(LUCKY, capture="all"), tmp_path)
    assert read(folder).digest == done(LUCKY).digest


def test_watched_and_bare_runs_have_the_same_counts():
    watched, bare = done(LUCKY).summary, done(LUCKY, bare=True).summary
    assert [bare[name] for name in COUNTS] == [watched[name] for name in COUNTS]
    assert bare["throughput_bps"] == watched["throughput_bps"]
    assert watched["dropped"]["link-loss"] > 0


def test_expectations_change_nothing_but_the_verdict():
    judged = done(f"{LUCKY}\n[expect]\ndelivered = {{ max = 1e9 }}\n")
    assert judged.digest == done(LUCKY).digest


@pytest.mark.parametrize("bare", [False, True])
def test_replay_says_same(tmp_path, capsys, bare):
    changes = ("until=200ms", "topology.sites=3")
    _, folder = on_disk(tmp_path, LUCKY, changes=changes, seed=9, bare=bare)
    status, out, err = called(capsys, "replay", folder, "--json")
    assert (status, err, json.loads(out)["same"]) == (0, "", True)


def tampered(tmp_path, capsys, name, change):
    """What replay says after `change` of one file's JSON."""
    _, folder = on_disk(tmp_path, SMALL)
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return called(capsys, "replay", folder)


def test_another_graph_is_noticed(tmp_path, capsys):
    def slower(graph):
        graph["edges"][0]["delay"] += 1000

    status, out, err = tampered(tmp_path, capsys, "graph.json", slower)
    assert (status, err) == (1, "")
    assert "not as before" in out


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.update(digest="\x1b[31m0"),
        lambda run: run.update(until_ns=1, digest=None),
        lambda run: run.update(scenario_text=SMALL.replace("100ms", "50ms")),
        lambda run: run["changes"].append("until=200ms"),
    ],
)
def test_another_run_file_is_noticed(tmp_path, capsys, change):
    status, out, err = tampered(tmp_path, capsys, "run.json", change)
    assert (status, err) == (1, "")
    assert "not as before" in out and "\x1b" not in out


def test_other_versions_are_said_where_a_run_is_not_the_same(tmp_path, capsys):
    def older(run):
        run.update(digest="0", versions={"python": "2.7\u202e"})

    _, _, err = tampered(tmp_path, capsys, "run.json", older)
    assert "differs: version: python was 2.7" in err and "\u202e" not in err


@pytest.fixture
def replayed(tmp_path):
    """A run that says a capture again, on disk; what it named is gone."""
    _, first = on_disk(tmp_path, SMALL, capture="taps")
    text = SMALL.replace('"small"', '"again"') + (
        '[[traffic]]\nkind = "replay"\nfile = "capture.pcapng"\n'
        'address = "10.0.0.1"\nfrom = "s1"\nto = "s2"\n'
    )
    _, folder = on_disk(tmp_path, text, folder=first)
    (first / "capture.pcapng").unlink()
    return folder


def test_a_run_keeps_the_files_it_needs(replayed):
    before = read(replayed)
    (kept,) = (replayed / INPUTS).iterdir()
    assert before.inputs == {"capture.pcapng": kept.name}
    assert perform(order_of(before, replayed, Limits()), None)[0].digest == before.digest


def test_another_input_is_noticed(replayed, capsys):
    (kept,) = (replayed / INPUTS).iterdir()
    kept.write_bytes(kept.read_bytes() + bytes(4))
    status, out, err = called(capsys, "replay", replayed)
    assert (status, out) == (2, "")
    assert "`capture.pcapng`" in err and "is not what it was" in err


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"other": "0" * 32},
        {"capture.pcapng": "../../run.json"},
        {"capture.pcapng": ""},
        {"capture.pcapng": "."},
        {"capture.pcapng": "0" * 32},
        {"capture.pcapng": "a" * 5000},
        {"capture.pcapng": "\0"},
        {"\n" * 90: "x"},
    ],
)
def test_only_its_own_files_are_an_input_of_a_run(replayed, inputs):
    run = read(replayed)
    run.inputs = inputs
    with pytest.raises(UsageError):
        perform(order_of(run, replayed, Limits()), None)


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph.clear(),
        lambda graph: graph.update(nodes=5),
        lambda graph: graph.update(nodes=[{}]),
        lambda graph: graph.update(nodes=[]),
        lambda graph: graph.update(nodes=[{"id": ["a"], "kind": "hub"}], edges=[]),
        lambda graph: graph.update(nodes=[{"id": "a", "kind": ["hub"]}], edges=[]),
        lambda graph: graph.update(nodes=[{"id": "a" * 257, "kind": "hub"}], edges=[]),
        lambda graph: graph.update(edges=[[]]),
        lambda graph: graph.update(edges={"a": 1}),
        lambda graph: graph.update(directed=True),
        lambda graph: graph.update(multigraph=True),
        lambda graph: graph["edges"][0].update(delay=-1),
        lambda graph: graph["edges"][0].update(rate=0),
        lambda graph: graph["edges"][0].update(source="nobody"),
        lambda graph: graph["nodes"].append({"id": deep(700), "kind": "hub"}),
    ],
)
def test_a_graph_that_is_none_is_refused(tmp_path, change):
    run, folder = on_disk(tmp_path)
    change(run.graph)
    with pytest.raises((UsageError, GraphError)):
        perform(order_of(run, folder, Limits()), None)


def deep(levels):
    nested = "a"
    for _ in range(levels):
        nested = [nested]
    return nested


def test_sites_of_a_map_that_has_some_are_refused():
    text = SMALL.replace('"star", sites = 2', '"site-to-site"')
    assert "leave `sites` out" in refused(perform, order(text), None).hint


def test_links_left_out_are_kept_in_the_run(tmp_path):
    run, _ = on_disk(tmp_path, SMALL.replace('"star", sites = 2', '"ring", nodes = 3'))
    assert run.links_left_out == [("hub2", "hub3")]


def test_a_map_beside_the_scenario_is_found(tmp_path):
    (tmp_path / "two.gml").write_text(
        "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 ] ]"
    )
    text = SMALL.replace('"star", sites = 2', '"two.gml"')
    assert done(text, folder=tmp_path).summary["delivered"] == 12
    assert done(SMALL + STREAM).summary["delivered"] > 18


def test_a_run_that_a_limit_stopped_is_repeated_to_where_it_stopped(tmp_path):
    storm = SMALL.replace('"star", sites = 2', '"mesh", nodes = 3, loops = true')
    before, folder = on_disk(tmp_path, storm, limits=Limits(events=30_000))
    again, _ = perform(order_of(before, folder, Limits()), None)
    assert (before.verdict, again.verdict) == ("stopped", "stopped")
    assert 0 < before.summary["simulated_s"] == again.summary["simulated_s"] < 0.3
    assert again.digest == before.digest


def test_what_a_crashed_receiver_refuses_is_not_delivered_to_anybody():
    text = SMALL + STREAM.replace('"s*"', '"h1"').replace('"next"', '"s1"')
    run = done(text + '[[timeline]]\nat = "100ms"\ncrash = "s1"\n')
    flows = {row[1]: row for row in run.tables["flows"] if row[3] == "s1"}
    _, _, _, _, offered, delivered, *_ = flows["stream"]
    refused = run.summary["dropped"]["node-down"]
    assert 0 < delivered < offered
    assert offered - refused <= delivered <= offered - refused + 1  # one may be on its way


def test_a_crashed_sender_offers_nothing():
    text = SMALL.replace('"h*"', '"h1"') + '[[timeline]]\nat = "150ms"\ncrash = "h1"\n'
    run = done(text)
    assert [row[4] for row in run.tables["flows"]] == [4]  # two requests and their replies
    assert round(run.summary["throughput_bps"]["offered"] * 0.3 / 8) == 4 * 56


def test_faults_that_multiply_one_frame_find_no_room_at_last():
    twice = '{ fault = "duplication", probability = 1.0 }'
    text = SMALL + f'[[links]]\nmatch = "h1--tap1"\nfaults = [{", ".join([twice] * 10)}]\n'
    run = done(text, limits=Limits(events=200_000))
    assert run.verdict == "pass"
    assert run.summary["dropped"]["link-queue"] > 0


def test_a_packet_longer_than_the_mtu_is_refused_by_stations_and_by_taps():
    text = SMALL + STREAM.replace('"next"', '"h*"') + "size = 1473\n"
    run = done(text)
    assert run.summary["dropped"]["too-big"] > 0
    assert run.verdict == "pass"
