"""A sweep's intervals, and seeds that are added until they are narrow enough."""

import csv
import json

import pytest

from sim import statistics
from sim.campaigns.sweep import SERIES, Gathered, Sweep, _wanted, missed, precision, sweep
from sim.statistics import estimate
from tests.sim.scenarios import SMALL, as_file, called, refused

pytest.importorskip("scipy", reason="the extra `stats` is not installed")

LUCKY = SMALL.replace('kind = "ping"', 'kind = "poisson"').replace('"100ms"', '"3ms"')
P50 = "throughput_bps.delivered"


def order(out, text=LUCKY, **words):
    usual = {"seeds": range(3), "metrics": (P50,), "jobs": 1}
    return Sweep(text=text, folder=out, where="small.toml", out=out, **{**usual, **words})


def gathered(*samples, most=40):
    """Points with such values, as after a round."""
    found = Gathered([(f"a={i}",) for i in range(len(samples))], range(most), [*map(len, samples)])
    found.estimates = [[estimate(values)] for values in samples]
    return found


@pytest.fixture(scope="module")
def narrowed(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep")
    return out, sweep(order(out, precision=0.03, vary=("traffic.0.every=3ms,1ms",)))


@pytest.mark.slow
def test_seeds_are_added_until_each_interval_is_narrow_enough(narrowed):
    out, found = narrowed
    assert missed(found, order(out, precision=0.03)) == []
    assert all(one.precision() <= 0.03 for [one] in found.estimates)
    assert found.counts[0] > found.counts[1] >= 3  # more packets of one run vary less


@pytest.mark.slow
def test_seeds_of_all_points_are_the_same_ones(narrowed):
    out, found = narrowed
    rows = [*csv.DictReader((out / SERIES).read_text(encoding="utf-8").splitlines())]
    seeds = {"3ms": [], "1ms": []}
    for row in rows:
        seeds[row["traffic.0.every"]].append(int(row["seed"]))
    assert [*seeds.values()] == [[*range(count)] for count in found.counts]
    assert {row["verdict"] for row in rows} == {"pass"} and float(rows[0][P50]) > 0


@pytest.mark.slow
def test_resumed_it_needs_no_run_more(narrowed):
    out, found = narrowed
    words = {"precision": 0.03, "vary": ("traffic.0.every=3ms,1ms",), "resume": True}
    again = sweep(order(out, **words))
    assert (again.fresh, again.counts, again.estimates) == (0, found.counts, found.estimates)


@pytest.mark.slow
def test_the_budget_ends_it_and_says_where_it_was_not_enough(tmp_path, capsys):
    path = as_file(tmp_path, LUCKY)
    words = ("sweep", path, "--seeds", "0:2", "--until-precision", "0.001%", "--seeds-max", 3)
    words += ("--metric", P50, "--out", tmp_path / "a", "--jobs", 1)
    status, out, _ = called(capsys, *words)
    assert status == 0
    assert f"3 seeds were not enough at {P50}: " in out and " ± " in out
    told = json.loads(called(capsys, *words, "--resume", "--json")[1])
    assert (told["reached"], told["precision"], told["runs"]) == (False, 0.00001, 3)
    [point] = told["points"]
    low, high = point["interval"][P50]
    assert low < point["mean"][P50] < high and point["median_interval"][P50] is None


def test_one_seed_has_no_interval_and_says_so(tmp_path, capsys):
    path = as_file(tmp_path, LUCKY)
    words = ("--seeds", "0:1", "--metric", P50, "--out", tmp_path / "a", "--jobs", 1)
    _, out, _ = called(capsys, "sweep", path, *words)
    assert "1 run, one run at each point: no interval" in out and "±" not in out


def test_what_is_reached_is_said(tmp_path, capsys):
    path = as_file(tmp_path)
    words = ("--seeds", "0:2", "--metric", "delivered", "--metric", "warmup_s", "--jobs", 1)
    more = ("--until-precision", "5%", "--out", tmp_path / "a")
    out = called(capsys, "sweep", path, *words, *more)[1]
    assert "within 5 % of each mean\nno run measured warmup_s\n" in out
    nothing = (*words[:2], "--metric", "warmup_s", "--jobs", 1, *more[:2], "--out", tmp_path / "b")
    assert "within" not in called(capsys, "sweep", path, *nothing)[1]


def test_a_point_gets_what_its_interval_promises_twice_at_most(tmp_path):
    wide, narrow = [9.0, 11.0, 10.0, 10.5], [10.0, 10.01, 10.0, 10.01]
    found = gathered(wide, narrow)
    half = estimate(wide).precision()
    assert _wanted(order(tmp_path, precision=half / 1.2), found) == [6, 4]  # 4 · 1.2² is 5.8
    assert _wanted(order(tmp_path, precision=half / 100), found) == [8, 4]
    assert _wanted(order(tmp_path, precision=half / 100), gathered(wide, most=5)) == [5]
    assert _wanted(order(tmp_path), found) == [4, 4]


def test_what_is_nothing_on_average_reaches_no_share_and_what_nobody_measured_asks_for_none(
    tmp_path,
):
    found = gathered([-1.0, 1.0], [])
    asked = order(tmp_path, precision=0.05)
    assert _wanted(asked, found) == [4, 0]
    assert missed(found, asked) == [(("a=0",), P50, None)]


@pytest.mark.parametrize("text", ["", "5", "0%", "x%", "-5%", "5 %"])
def test_what_is_no_share_is_refused(text):
    assert "5%" in refused(precision, text).hint


def test_without_scipy_a_sweep_has_means_and_a_precision_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sim.campaigns.sweep.is_there", lambda: False)
    found = sweep(order(tmp_path / "a", seeds=range(2)))
    assert found.estimates[0][0].interval is None and found.means[0][0] > 0
    monkeypatch.setattr(statistics.importlib, "import_module", lambda name: __import__("nowhere"))
    assert "need scipy" in str(refused(sweep, order(tmp_path / "b", precision=0.05)))
