"""A baseline: saved, committed, and held against later runs."""

import json

import pytest

from sim.campaigns import baseline
from sim.campaigns.compare import read
from sim.campaigns.outcomes import Outcomes
from sim.metrics import COMPARED, better, check, value
from sim.results import ResultError
from sim.versions import code
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, on_disk, refused

pytest.importorskip("scipy", reason="the extra `stats` is not installed")

METRICS = ("delivered", "latency_s.p50", "arp_convergence_s")


def saved(folder, tolerance="5%"):
    """A baseline of two runs, and the folder of the runs."""
    for seed in (1, 2):
        on_disk(folder / "runs", seed=seed)
    path = folder / "base.json"
    baseline.write(baseline.baseline_of(read(folder / "runs", METRICS), tolerance), path)
    return path, folder / "runs"


def test_it_is_read_as_it_was_written_and_the_same_runs_give_the_same_bytes(tmp_path):
    path, runs = saved(tmp_path)
    first = path.read_bytes()
    kept = baseline.read(path)
    assert kept == baseline.baseline_of(read(runs, METRICS), "5%")
    baseline.write(kept, path)
    assert path.read_bytes() == first
    assert len(first.splitlines()) == 6 + 1 + 1 + len(METRICS) + 3  # one for each metric
    again = read(path, METRICS)
    before = read(runs, METRICS)
    assert again.rows == before.rows and {**again.about, "code": code()} == before.about


def test_what_no_run_measured_is_not_kept(tmp_path):
    for seed in (1, 2):
        on_disk(tmp_path, seed=seed, bare=True)
    kept = baseline.baseline_of(read(tmp_path, METRICS), "5%")
    assert (kept.metrics, [point.seeds for point in kept.points]) == (["delivered"], [[1, 2]])


def test_runs_that_never_ended_are_no_baseline():
    empty = Outcomes("x", METRICS)
    empty.add(("x", 1), {"verdict": "stopped", "delivered": 3})
    assert "came to its end" in str(refused(baseline.baseline_of, empty, "5%"))


@pytest.mark.slow
def test_the_same_runs_hold_and_slower_ones_break_it(tmp_path, capsys):
    runs, path = tmp_path / "a", tmp_path / "base.json"
    for seed in (1, 2, 3):
        on_disk(runs, seed=seed)
        on_disk(tmp_path / "b", seed=seed, changes=('links=[{match="*", delay="9ms"}]',))
    words = (runs, path, "--metric", "latency_s.p50", "--metric", "delivered")
    status, out, _ = called(capsys, "baseline", "save", *words, "--json")
    assert (status, json.loads(out)["runs"]) == (0, 3)
    assert called(capsys, "baseline", "save", *words)[0] == 0
    status, out, _ = called(capsys, "baseline", "check", runs, path)
    assert status == 0 and "held" in out
    files = ("--junit", tmp_path / "c.xml", "--markdown", tmp_path / "c.md")
    status, out, _ = called(capsys, "baseline", "check", tmp_path / "b", path, "--json", *files)
    told = json.loads(out)
    verdicts = {one["gate"].split()[0]: one["verdict"] for one in told["gates"]}
    assert (status, verdicts["latency_s.p50"]) == (1, "broken")
    assert 'failures="1"' in (tmp_path / "c.xml").read_text()
    status, _, _ = called(
        capsys, "baseline", "check", tmp_path / "b", path, "--tolerance", "999%", "--json"
    )
    assert status == 0


@pytest.mark.slow
def test_a_sweep_is_a_baseline_too(tmp_path, capsys):
    path = as_file(tmp_path)
    vary = ("--vary", "traffic.0.every=50ms,100ms", "--seeds", "0:2", "--jobs", 1)
    assert called(capsys, "sweep", path, *vary, "--out", tmp_path / "s")[0] == 0
    made = tmp_path / "base.json"
    assert called(capsys, "baseline", "save", tmp_path / "s", made)[0] == 0
    assert [point.point for point in baseline.read(made).points] == [
        "small, traffic.0.every=100ms",
        "small, traffic.0.every=50ms",
    ]
    for results in (tmp_path / "s", tmp_path / "s" / "sweep.sqlite"):
        assert called(capsys, "baseline", "check", results, made)[0] == 0
    assert called(capsys, "compare", tmp_path / "s", made)[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told | {"schema": 2},
        lambda told: told | {"kind": "else"},
        lambda told: told | {"more": 1},
        lambda told: told | {"points": [told["points"][0] | {"seeds": [1]}]},
        lambda told: told | {"points": told["points"] * 2},
        lambda told: (
            told | {"points": [told["points"][0] | {"seeds": [1], "values": {"x": [1e99]}}]}
        ),
        lambda told: {},
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path, change):
    path, _ = saved(tmp_path)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(ResultError) as caught:
        read(path, METRICS)
    assert "\n" not in str(caught.value) and caught.value.hint


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"points": []}, "holds no runs"),
        ({"points": [{"point": "x", "seeds": [], "values": {}}]}, "holds no runs"),
        ({"tolerance": "lots"}, "is no share"),
        ({"schema": 2, "more": 1}, "has schema 2, this version reads 1"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, change, told):
    path, _ = saved(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ResultError, match=told):
        baseline.read(path)


def test_a_baseline_that_could_hold_nothing_is_refused(tmp_path, capsys):
    path, runs = saved(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metrics": ["events"]}))
    for words in (("check", runs, path), ("save", runs, path, "--metric", "events")):
        status, out, complaint = called(capsys, "baseline", *words)
        assert (status, out) == (2, "") and ONE_LINE.fullmatch(complaint)


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff", b'{"schema":NaN}', b"null"])
def test_any_other_file_is_refused(tmp_path, content):
    path = tmp_path / "base.json"
    path.write_bytes(content)
    with pytest.raises(ResultError):
        baseline.read(path)


def test_a_file_that_is_too_long_is_not_read(tmp_path, monkeypatch):
    path, _ = saved(tmp_path)
    monkeypatch.setattr(baseline, "READ_MAX", 10)
    with pytest.raises(ResultError, match="longer than 10 bytes"):
        baseline.read(path)


def test_a_wrong_call_is_one_line(tmp_path, capsys):
    path, runs = saved(tmp_path)
    for words in (
        ("save", runs, path, "--tolerance", "x"),
        ("save", tmp_path / "nowhere", path),
        ("save", runs, tmp_path / "no" / "folder"),
        ("check", runs, tmp_path / "nowhere"),
        ("check", runs, path, "--markdown", tmp_path / "no" / "folder"),
        ("check", tmp_path / "nowhere", path),
    ):
        status, out, complaint = called(capsys, "baseline", *words)
        assert (status, out) == (2, "") and ONE_LINE.fullmatch(complaint)


def test_a_metric_is_a_number_of_the_json_and_drops_are_summed():
    summary = {"dropped": {"storm": 3, "link-loss": 2}, "latency_s": {"p50": 1}, "delivered": True}
    values = [value(summary, name) for name in ("dropped", "dropped.storm", "dropped.x")]
    assert values == [5.0, 3.0, 0.0]
    values = [value(summary, name) for name in ("latency_s.p50", "latency_s", "delivered", "a.b.c")]
    assert values == [1.0, None, None, None]
    wild = (float("inf"), float("nan"), 10**400, -1e61)
    assert [value({"delivered": one}, "delivered") for one in wild] == [None] * 4


def test_every_metric_that_is_compared_unasked_has_a_better_side():
    assert {better(metric) for metric in COMPARED} == {"lower", "higher"}
    assert (better("dropped.storm"), better("delivered"), better("events")) == (
        "lower",
        "higher",
        None,
    )
    assert check(("a", "b", "a")) == ("a", "b")


def test_every_metric_that_is_compared_unasked_is_in_the_json(tmp_path):
    run, _ = on_disk(tmp_path, SMALL)
    for metric in COMPARED:
        whole = run.summary
        for part in metric.split("."):
            assert part in whole
            whole = whole[part]
