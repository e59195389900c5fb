"""What a run may cost is estimated before it is built and watched while it goes."""

import gc
import json
import time
import tracemalloc

import pytest

from sim import limits as limits_module
from sim.limits import Limits, estimate
from sim.results import read
from sim.run import built, perform
from sim.scenario import decode
from tests.sim.scenarios import SMALL, STREAM, as_file, called, done, on_disk, order, refused
from topologies import GraphError, load

MESH = 'name = "mesh"\ntopology = { name = "mesh", nodes = 60, loops = true }\n'
SITES = 'name = "sites"\ntopology = { name = "star", sites = 40 }\nsites = { stations = 10 }\n'
FLOWS = f"{SITES}{STREAM}"
# one host that pings seldom, and many hubs that flood its question
FLOOD = SMALL.replace("sites = 2", "sites = 20").replace('"h*"', '"h1"')


def bytes_of(text):
    """What the network of a scenario takes, as `tracemalloc` counts."""
    built(order(text))  # what is made once is made
    gc.collect()
    tracemalloc.start()
    try:
        network = built(order(text))
        gc.collect()
        assert network.network.nodes
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def told(text, **choices):
    """The bytes of memory that the estimate says a scenario takes."""
    error = refused(done_with, text, Limits(memory=1), choices)
    return int(str(error).split()[4])


def done_with(text, limits, choices):
    return done(text, limits=limits, **choices)


@pytest.mark.slow
@pytest.mark.parametrize("text", [MESH, SITES, FLOWS])
def test_the_estimate_of_memory_is_not_below_a_network_nor_three_times_it(text):
    real, estimated = bytes_of(text), told(text, bare=True)
    assert real <= estimated * 1.1
    assert estimated <= 3 * real


@pytest.mark.parametrize(
    ("text", "limits", "what"),
    [
        (SMALL, Limits(nodes=9), "nodes"),
        (SMALL, Limits(events=10), "events"),
        (SMALL, Limits(memory=1000), "memory"),
        (SMALL.replace("300ms", "30d"), Limits(), "events"),
        ('name = "a"\ntopology = { name = "star", sites = 2000 }\n', Limits(nodes=2000), "nodes"),
        (f"{SMALL}{STREAM}size = 65000\n", Limits(memory=600_000), "memory"),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_built(text, limits, what):
    error = refused(done_with, text, limits, {})
    assert "this would take about" in str(error) and what in str(error)
    assert f"`--max-{what}`" in error.hint


def test_a_burst_that_no_memory_holds_is_refused_before_it_is_said():
    burst = 'kind = "burst"\nfrom = "h*"\nto = "gateway"\nevery = "1s"\n'
    text = f"{SMALL}[[traffic]]\n{burst}size = 65000\ncount = 100000\n"
    assert "memory" in str(refused(done_with, text, Limits(), {}))


def test_a_disk_that_is_too_small_for_a_capture_is_said(tmp_path):
    limits = Limits(disk=1024 * 1024)
    assert "of disk" in str(refused(perform, order(SMALL, limits=limits), tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert done(SMALL, limits=limits).verdict == "pass"  # without a capture


def test_the_files_that_a_scenario_names_count_too(tmp_path):
    path = tmp_path / "a.pcap"
    with path.open("wb") as file:
        file.truncate(10**6)
    ends = 'address = "10.0.0.1"\nfrom = "h*"\nto = "next"\n'
    replay = f'[[traffic]]\nkind = "replay"\nfile = "a.pcap"\n{ends}'
    scenario, graph = decode(SMALL + replay), load("star", sites=2)
    inputs = {"a.pcap": path}
    limits = Limits(disk=500_000)
    error = refused(lambda: estimate(graph, scenario, limits, inputs, bare=True))
    assert "bytes of disk" in str(error)


@pytest.mark.slow
def test_a_run_that_outgrows_its_events_stops_whole(tmp_path):
    # a loop of hubs: nobody can tell beforehand how often a broadcast goes round
    text = SMALL.replace('"star", sites = 2', '"ring", nodes = 3, loops = true')
    run, folder = on_disk(tmp_path, text, limits=Limits(events=20_000))
    assert run.verdict == "stopped"
    assert 10_000 < run.summary["events"] < 45_000  # copies that shared one count in the limit
    assert "`--max-events`" in run.remarks[-1]
    assert 0 < run.summary["simulated_s"] < 0.3
    assert read(folder).tables.keys() == run.tables.keys()


def test_a_short_run_is_looked_at_too():
    run = done(FLOOD, limits=Limits(events=50))
    assert (run.verdict, run.summary["simulated_s"] < 0.3) == ("stopped", True)


def test_a_stopped_run_is_not_judged_and_leaves_with_3(tmp_path, capsys):
    path = as_file(tmp_path, f"{FLOOD}[expect]\ndelivered = 0\n")
    choices = ("--json", "--bare", "--max-events", 50, "--out", tmp_path / "out")
    status, out, err = called(capsys, "run", path, *choices)
    assert (status, err) == (3, "")
    summary = json.loads(out)
    assert (summary["verdict"], summary["failed"]) == ("stopped", [])


def test_a_run_that_outgrows_its_memory_stops():
    if limits_module._peak_bytes is None:
        pytest.skip("this system does not say how much memory a process takes")
    run = done(SMALL, limits=Limits(memory=10**6))  # more than the estimate, less than Python
    assert (run.verdict, "`--max-memory`" in run.remarks[-1]) == ("stopped", True)


@pytest.mark.parametrize("what", ["nodes", "events", "memory", "disk"])
@pytest.mark.parametrize("value", ["0", "-1", "many", ""])
def test_a_limit_is_a_number_above_0(tmp_path, capsys, what, value):
    path = as_file(tmp_path)
    status, out, err = called(capsys, "run", path, f"--max-{what}={value}", "--out", tmp_path)
    assert (status, out) == (2, "")
    assert f"`--max-{what}`" in err
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "topology", ['"tree", nodes = 200001', '"mesh", nodes = 200000', '"waxman", nodes = 200000']
)
def test_a_map_that_no_limit_allows_is_refused_soon(topology):
    began = time.perf_counter()
    with pytest.raises(GraphError):
        done(f'name = "a"\ntopology = {{ name = {topology} }}\n')
    assert time.perf_counter() - began < 1
