"""A sweep: every point with every seed, a row each, and the means."""

import json
import sqlite3
from contextlib import closing

import pytest

from sim.campaigns.sweep import FILE, RUNS_MAX, Gathered, Sweep, _choices, run_json, sweep
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, done, refused

VARY = ("topology.sites=1,2", "traffic.0.every=50ms,100ms")


def order(out, text=SMALL, **words):
    words = {"vary": VARY, "seeds": range(3), "jobs": 2, **words}
    return Sweep(text=text, folder=out, where="small.toml", out=out, **words)


def rows(out):
    with closing(sqlite3.connect(out / FILE)) as file:
        return dict(file.execute("SELECT number, row FROM rows"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep")
    return out, sweep(order(out))


@pytest.mark.slow
def test_every_point_has_a_row_for_each_seed(swept):
    out, found = swept
    assert sorted(rows(out)) == list(range(12)) and found.rows == found.all() == 12
    assert [found.at(number) for number in (0, 3, 11)] == [
        (("topology.sites=1", "traffic.0.every=50ms"), 0),
        (("topology.sites=1", "traffic.0.every=100ms"), 0),
        (("topology.sites=2", "traffic.0.every=100ms"), 2),
    ]


@pytest.mark.slow
def test_a_row_is_the_summary_of_the_run_without_wall_times(swept):
    out, found = swept
    point, seed = found.at(7)
    alone = done(changes=point, seed=seed).summary
    row = json.loads(rows(out)[7])
    assert {name for name in alone if name not in row} == {"setup_s", "wall_s", "process_s"}
    assert {**alone, **row} == {
        **json.loads(json.dumps(alone)),
        "point": list(point),
        "seed": seed,
    }


@pytest.mark.slow
def test_the_means_are_those_of_the_rows(swept):
    out, found = swept
    delays = [json.loads(rows(out)[number])["latency_s"]["p50"] for number in range(3)]
    assert found.means[0][1] == pytest.approx(sum(delays) / 3)
    assert [len(one) for one in found.means] == [4] * 4


@pytest.mark.slow
def test_resumed_it_goes_on_and_one_worker_gives_the_same_rows(swept, tmp_path):
    out, found = swept
    sweep(order(tmp_path, jobs=1))
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute("DELETE FROM rows WHERE number > 3")
        file.commit()
    again = sweep(order(tmp_path, jobs=1, resume=True))
    assert (rows(tmp_path), again.means) == (rows(out), found.means)
    assert (again.rows, again.fresh) == (12, 8)


@pytest.mark.slow
def test_the_table_and_the_object_say_the_same(tmp_path, capsys):
    path = as_file(tmp_path)
    words = ("sweep", path, "--vary", VARY[0], "--seeds", "0:2", "--metric", "delivered")
    status, out, _ = called(capsys, *words, "--out", tmp_path / "a", "--jobs", 1, "--json")
    told = json.loads(out)
    assert (status, told["runs"], told["not_passed"]) == (0, 4, [])
    assert [one["point"] for one in told["points"]] == [
        {"topology.sites": "1"},
        {"topology.sites": "2"},
    ]
    status, out, _ = called(capsys, *words, "--out", tmp_path / "a", "--resume")
    head, *lines = out.splitlines()
    assert head.split() == ["topology.sites", "delivered"]
    assert [float(line.split()[1]) for line in lines[:2]] == [
        one["mean"]["delivered"] for one in told["points"]
    ]
    assert lines[2] == "4 runs, 2 seeds at each point: mean ± half of the 95 % interval"


@pytest.mark.slow
def test_what_fails_is_named_with_the_command_that_runs_it_alone(tmp_path, capsys):
    path = as_file(tmp_path, f"{SMALL}[expect]\ndelivered = {{ max = 60 }}\n")
    words = ("--vary", "traffic.0.every=10ms,100ms", "--seeds", "4:5", "--out", tmp_path / "a")
    status, out, _ = called(capsys, "sweep", path, *words)
    assert status == 1
    assert f"run it alone: vtap run {path} --seed 4 --set traffic.0.every=10ms" in out
    assert out.count("run it alone") == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("traffic.0.to=nobody", "nobody"),
        ("topology.name=nowhere", "nowhere"),
        ("until=1", "expected `str`"),
    ],
)
def test_a_run_that_cannot_be_is_a_row_that_says_why(change, why):
    task = {"text": SMALL, "folder": ".", "where": "x", "point": [change], "seed": 1}
    row = json.loads(run_json(json.dumps(task)))
    assert (row["verdict"], row["point"], row["seed"]) == ("error", [change], 1)
    assert why in row["why"]


def test_a_run_that_ends_in_an_exception_is_a_row_too(monkeypatch):
    monkeypatch.setattr("sim.run._Stage.run", lambda *_: 1 // 0)
    task = {"text": SMALL, "folder": ".", "where": "x", "point": [], "seed": 1}
    row = json.loads(run_json(json.dumps(task)))
    assert row["why"] == "ZeroDivisionError: integer division or modulo by zero"


def test_values_are_parted_at_commas_outside_of_brackets_and_quotes():
    assert _choices("a.b=1, 2,3") == ["a.b=1", "a.b=2", "a.b=3"]
    assert _choices('a=[1,2],{ x = [3,4], y = 5 },"6,7"') == [
        "a=[1,2]",
        "a={ x = [3,4], y = 5 }",
        'a="6,7"',
    ]


@pytest.mark.parametrize("words", ["", "a", "=1", "a=", "a=1,,2", "a=1,"])
def test_a_parameter_without_values_is_refused(words):
    assert "is not `key=value,value`" in str(refused(_choices, words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"vary": ("nothing=1",)}, "nothing"),
        ({"vary": ("until=5 parsecs",)}, "until"),
        ({"vary": ("traffic.0.from=h*,nobody*",)}, "no endpoint is named `nobody*`"),
        ({"vary": ("seed=1,2",)}, "each point has all of `--seeds`"),
        ({"vary": ("topology.sites=1", "topology.sites=2")}, "one key twice"),
        ({"dask": "tcp://10.0.0.1:8786"}, "is another machine, without TLS"),
        ({"seeds": range(RUNS_MAX)}, f"this would be {4 * RUNS_MAX} runs"),
    ],
)
def test_what_cannot_be_swept_is_said_before_anything_is_written(tmp_path, words, said):
    assert said in str(refused(sweep, order(tmp_path / "out", **words)))
    assert not (tmp_path / "out").exists()


def test_a_measure_that_no_run_had_has_no_mean(tmp_path):
    text = SMALL.replace('"h*"', '"s1"').replace('"gateway"', '"s2"')
    metrics = ("arp_reconvergence_s", "warmup_s", "dropped.x")
    found = sweep(order(tmp_path, text, vary=(), seeds=range(1), metrics=metrics))
    assert found.means == [[None, None, 0.0]]


@pytest.mark.parametrize(
    ("metric", "hint"),
    [
        ("latency_s.p98", "did you mean `latency_s.p99`?"),
        ("zzz", "any number of `vtap run --json`"),
    ],
)
def test_a_measure_that_is_none_is_said_after_the_first_run(tmp_path, metric, hint):
    error = refused(sweep, order(tmp_path, seeds=range(50), metrics=("delivered", metric)))
    assert (str(error), error.hint) == (f"no run here has a `{metric}`", hint)
    assert len(rows(tmp_path)) < 50


def test_a_wrong_call_is_one_line(tmp_path, capsys):
    path = as_file(tmp_path)
    for words in (("--seeds", "x"), ("--vary", "a"), ("--dask", "tcp://1.2.3.4:5")):
        status, out, complaint = called(capsys, "sweep", path, *words, "--out", tmp_path / "b")
        assert (status, out) == (2, "") and ONE_LINE.fullmatch(complaint)


def test_how_many_rows_there_will_be_is_points_times_seeds():
    assert Gathered([("a=1",), ("a=2",)], range(5, 8)).all() == 6
