"""Two sets of runs, seed by seed: what is said of them, and which gates hold."""

import json
import sqlite3
from contextlib import closing
from xml.etree import ElementTree

import pytest

from sim.campaigns.compare import (
    BETTER,
    BROKEN,
    DIFFERENT,
    HELD,
    NOT_JUDGED,
    NOT_SHOWN,
    NOTHING,
    ONE_RUN,
    UNMEASURED,
    WORSE,
    compare,
    gate,
    read,
    tolerances,
)
from sim.campaigns.outcomes import Outcomes, Side, run
from sim.campaigns.sweep import FILE, Sweep, sweep
from sim.cli import comparisons
from sim.junit import junit
from sim.results import ResultError
from sim.statistics import Interval
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, on_disk, order, refused

pytest.importorskip("scipy", reason="the extra `stats` is not installed")

P99, RATE, DROPS = "latency_s.p99", "throughput_bps.delivered", "dropped"
BUSY = """\
name = "busy"
until = "500ms"
topology = { name = "drawn", nodes = { sw1 = "switch", s1 = "station", s2 = "station" }, \
links = [["s1", "sw1"], ["s2", "sw1"]] }
[[links]]
match = "*"
rate = "10Mbit"
[[traffic]]
kind = "poisson"
from = "s1"
to = "s2"
every = "2ms"
"""
SLOWER = ("links.0.rate=9.7Mbit",)  # 3 %
EVIL = "[/]<b>|*`x`\x1b[31m\u202e"


def results(*values, metric=P99, name="a", point="here", verdict="pass", **about):
    """Runs that measured this, with seeds 0, 1, …; None is what could not be measured."""
    found = Outcomes(name, (metric,), about=about)
    head, _, tail = metric.partition(".")
    for seed, value in enumerate(values):
        summary = {head: {tail: value} if tail else value}
        found.add((point, seed), {"verdict": verdict, **summary})
    return found


def only(first, second, *gates):
    """The row and the gates of a comparison of one metric."""
    found = compare(first, second, [gate(text) for text in gates])
    [row] = found.rows
    return row, found.gates


BEFORE = (1.0, 1.1, 0.9, 1.05, 0.95)
AFTER = tuple(value + more for value, more in zip(BEFORE, (0.1, 0.11, 0.1, 0.09, 0.1), strict=True))


def test_less_delay_is_better_and_more_is_worse():
    assert only(results(*BEFORE), results(*AFTER))[0].verdict == WORSE
    assert only(results(*AFTER), results(*BEFORE))[0].verdict == BETTER


def test_less_throughput_is_worse_and_of_what_has_no_better_side_nothing_but_a_difference_is_said():
    sides = [results(*values, metric=RATE) for values in (AFTER, BEFORE)]
    assert only(*sides)[0].verdict == WORSE
    sides = [results(*values, metric="crossings") for values in (AFTER, BEFORE)]
    assert only(*sides)[0].verdict == DIFFERENT


def test_the_same_runs_show_no_difference_and_it_is_said_that_they_are_equal(capsys):
    comparisons.show(compare(results(*BEFORE), results(*BEFORE)))
    assert f"{NOTHING}  every pair is equal" in capsys.readouterr().out
    row, _ = only(results(*BEFORE), results(*BEFORE))
    assert (row.verdict, row.corrected, row.difference.detectable) == (NOTHING, 1.0, 0.0)
    assert row.difference.interval == Interval(0, 0)


def test_where_nothing_is_shown_the_smallest_that_could_have_been_is_named():
    noisy = tuple(
        value + more for value, more in zip(BEFORE, (0.3, -0.2, 0.1, -0.3, 0.2), strict=True)
    )
    row, _ = only(results(*BEFORE), results(*noisy))
    assert row.verdict == NOTHING
    assert row.difference.detectable == pytest.approx(0.436, abs=0.01)  # 1.68 · 0.259


def test_with_one_seed_there_is_no_interval_and_no_gate_is_judged():
    found = compare(results(1.0), results(9.0), [gate(f"{P99} <= +5%")])
    [row] = found.rows
    assert (row.verdict, row.ratio, row.difference.interval) == (ONE_RUN, None, None)
    assert found.verdicts() == [NOT_JUDGED]
    assert "one run: no interval" in comparisons.markdown(found)


def test_seeds_without_a_counterpart_are_left_out_and_counted():
    found = compare(results(*BEFORE), results(*AFTER[:3]))
    assert (found.seeds, found.alone, found.rows[0].pairs) == (3, (2, 0), 3)


def test_a_difference_is_of_pairs_however_much_seeds_differ():
    wild = (1.0, 50.0, 7.0, 900.0)
    row, _ = only(results(*wild), results(*(value + 0.01 for value in wild)))
    assert row.verdict == WORSE


def test_of_many_measures_a_small_chance_is_corrected():
    first, second = Outcomes("a", ("m0", "m1", "m2")), Outcomes("b", ("m0", "m1", "m2"))
    for seed, more in enumerate((0.1, 0.3, 0.2, -0.05, 0.15)):
        first.add(("x", seed), {"verdict": "pass", "m0": 1.0, "m1": 1.0, "m2": 1.0})
        second.add(("x", seed), {"verdict": "pass", "m0": 1 + more, "m1": 1.0, "m2": 1.0})
    rows = compare(first, second).rows
    assert rows[0].corrected == pytest.approx(3 * rows[0].difference.p)
    assert [row.metric for row in rows] == ["m0", "m1", "m2"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (f"{P99} <= +5%", BROKEN),
        (f"{P99} <= +20%", HELD),
        (f"{P99} <= +10%", HELD),  # it is 10 % to the digit
        (f"{P99} <= +9.9%", NOT_SHOWN),
        (f"{P99} <= +0.05", BROKEN),
        (f"{P99}<=+0.2", HELD),
        (f"{P99} >= -5%", HELD),
        (f"{P99} >= +20%", BROKEN),
    ],
)
def test_a_gate_is_broken_only_where_the_whole_interval_is_beyond(text, verdict):
    assert only(results(*BEFORE), results(*AFTER), text)[1][0].verdict == verdict


def test_gates_share_the_five_percent():
    alone = only(results(*BEFORE), results(*AFTER), f"{P99} <= +5%")[1][0]
    shared = only(results(*BEFORE), results(*AFTER), f"{P99} <= +5%", f"{P99} <= +6%")[1][0]
    assert shared.interval.half_width > alone.interval.half_width


def test_what_only_one_side_measured_is_counted_and_lets_no_gate_be_judged():
    row, [judged] = only(results(*BEFORE), results(*AFTER[:4], None), f"{P99} <= +50%")
    assert (row.pairs, row.missing, judged.verdict) == (4, 1, NOT_JUDGED)
    row, _ = only(results(1.0, None), results(None, 1.0))
    assert (row.pairs, row.missing, row.verdict) == (0, 2, UNMEASURED)


def test_what_neither_side_measured_is_counted_and_says_nothing(capsys):
    comparisons.show(compare(results(*BEFORE, None), results(*AFTER, None)))
    assert f"{P99} (5 of 6)" in capsys.readouterr().out
    row, [judged] = only(results(*BEFORE, None), results(*AFTER, None), f"{P99} <= +50%")
    assert (row.pairs, row.missing, judged.verdict) == (5, 0, HELD)


def test_runs_that_were_stopped_measured_nothing():
    found = compare(results(*BEFORE), results(*AFTER, verdict="stopped"), [gate(f"{P99} <= +50%")])
    assert (found.rows[0].pairs, found.verdicts(), found.second.bad()) == (
        0,
        [NOT_JUDGED],
        {"stopped": 5},
    )


def test_what_the_sides_are_known_to_differ_in_is_said():
    found = compare(results(1.0, name="a", simpy="4"), results(1.0, name="b", simpy="5"))
    assert found.unlike() == {"simpy": ("4", "5")}
    assert "not the same: simpy: 4, 5" in comparisons.markdown(found)


def test_sides_without_a_common_seed_and_metrics_that_nobody_has_are_refused():
    apart = results(1.0), results(1.0, point="there")
    assert "`there` with seed 0" in refused(compare, *apart).hint
    same = results(1.0, metric="latency_s.p98"), results(None, metric="latency_s.p98")
    assert compare(*same).rows
    nobody = results(None, metric="latency_s.p98"), results(None, metric="latency_s.p98")
    assert "latency_s.p9" in refused(compare, *nobody).hint
    assert (
        "any number"
        in refused(compare, results(None, metric="zzz"), results(None, metric="zzz")).hint
    )


@pytest.mark.parametrize(
    "text", ["", "x", f"{P99} <= 5%", f"{P99} < +5%", f"{P99} <= +5 parsecs", "a b <= +1"]
)
def test_what_is_no_gate_is_refused(text):
    assert "latency_s.p99 <= +5%" in refused(gate, text).hint


def test_a_tolerance_is_a_gate_on_the_worse_side_of_each_metric():
    found = tolerances("5%", (P99, RATE, "crossings"))
    assert [one.text for one in found] == [f"{P99} <= +5%", f"{RATE} >= -5%"]
    assert "5%" in refused(tolerances, "much", ()).hint


def test_names_of_strangers_are_nobodys_markup(capsys):
    found = compare(
        results(*BEFORE, name=EVIL, point=EVIL),
        results(*AFTER, name=EVIL, point=EVIL),
        [gate(f"{P99} <= +5%")],
    )
    comparisons.show(found)
    said = capsys.readouterr().out + comparisons.markdown(found)
    assert "\x1b" not in said and "\u202e" not in said
    assert "<b>" not in comparisons.markdown(found)
    [[case]] = ElementTree.fromstring(junit(comparisons.suites(found)))
    assert case.find("failure") is not None


def test_junit_has_a_case_for_each_gate_and_one_where_there_is_none():
    sides = results(*BEFORE), results(*AFTER)
    [empty] = ElementTree.fromstring(junit(comparisons.suites(compare(*sides))))
    assert (empty.get("tests"), len(empty)) == ("1", 1)
    gates = [gate(f"{P99} <= +{share}%") for share in (5, 50)]
    [suite] = ElementTree.fromstring(junit(comparisons.suites(compare(*sides, gates))))
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["2", "1", "0"]


def test_amounts_are_in_the_unit_that_suits_them():
    first = results(0.0, 0.0, 0.0, metric="arp_convergence_s")
    text = comparisons.markdown(compare(first, results(1e-5, 2e-5, 3e-5, metric=first.metrics[0])))
    assert "| 0 | 20 µs | +20 µs |" in text


@pytest.mark.slow
def test_a_link_three_percent_slower_is_shown_with_an_interval_that_holds_the_truth():
    sides = run([Side(), Side(changes=SLOWER)], order(BUSY), range(20), ("latency_s.p50",), 2)
    [row] = compare(*sides).rows
    wire = [8 * (1000 + 28 + 14 + 24) / rate for rate in (10e6, 9.7e6)]  # most need not wait
    assert row.verdict == WORSE and row.ratio.low > 1
    assert row.difference.interval.low - 1e-8 <= 2 * (wire[1] - wire[0])
    assert 2 * (wire[1] - wire[0]) <= row.difference.interval.high + 1e-8


@pytest.mark.slow
def test_the_same_engine_twice_shows_no_difference(tmp_path, capsys):
    path = as_file(tmp_path, BUSY)
    words = ("compare", "engine", "engine", "--scenario", path, "--seeds", "0:3", "--jobs", 1)
    status, out, _ = called(capsys, *words, "--json", "--gate", f"{P99} <= +0%")
    told = json.loads(out)
    assert (status, told["schema"], told["pairs"]) == (0, 1, 3)
    assert {row["verdict"] for row in told["metrics"]} == {NOTHING}
    assert told["gates"][0]["verdict"] == HELD


@pytest.mark.slow
def test_a_broken_gate_is_the_exit_status(tmp_path, capsys):
    path = as_file(tmp_path, BUSY)
    words = ("compare", "engine", "engine", "--scenario", path, "--seeds", "0:4", "--jobs", 1)
    files = ("--markdown", tmp_path / "c.md", "--junit", tmp_path / "c.xml")
    slow = ("--set-b", "links.0.rate=5Mbit", "--gate", "latency_s.p50 <= +5%")
    status, out, _ = called(capsys, *words, *slow, *files)
    assert status == 1 and "broken" in out and "worse" in out
    assert "worse" in (tmp_path / "c.md").read_text()
    assert 'failures="1"' in (tmp_path / "c.xml").read_text()


@pytest.mark.slow
def test_another_translator_is_a_side(tmp_path, capsys):
    path = as_file(tmp_path)
    target = "python:tests.sim.strange_taps:Impostor"
    words = ("compare", "engine", target, "--scenario", path, "--seeds", "0:2", "--jobs", 1)
    status, out, complaint = called(capsys, *words, "--json")
    told = json.loads(out)["b"]
    assert (status, complaint, told["name"], told["not_passed"]) == (0, "", target, {"fail": 2})
    leaver = ("engine", "python:tests.sim.strange_taps:Leaver", *words[3:])
    status, out, complaint = called(capsys, "compare", *leaver)
    assert (status, out) == (2, "") and "workers died" in complaint


def test_results_folders_are_compared_by_scenario_and_seed(tmp_path, capsys):
    for seed in (1, 2):
        on_disk(tmp_path / "a", seed=seed)
        on_disk(tmp_path / "b", seed=seed, changes=('traffic.0.every="50ms"',))
    status, out, _ = called(
        capsys, "compare", tmp_path / "a", tmp_path / "b", "--metric", "delivered", "--json"
    )
    told = json.loads(out)
    assert (status, told["pairs"]) == (0, 2)
    assert told["unlike"] == {"changes": ["", 'traffic.0.every="50ms"']}
    assert told["metrics"][0]["verdict"] == BETTER


@pytest.mark.parametrize(
    "words",
    [
        ("engine", "engine"),
        ("nowhere", "nowhere"),
        ("engine", "engine", "--gate", "x"),
        ("engine", "engine", "--scenario", "SCENARIO", "--markdown", "SCENARIO/x"),
        ("engine", "engine", "--set-a", "seed=1"),
        ("engine", "python:nothing:there", "--scenario", "SCENARIO"),
        ("engine", "engine", "--scenario", "SCENARIO", "--seeds", "2:1"),
        ("engine", "engine", "--scenario", "SCENARIO", "--set-b", "nothing=1"),
        ("engine", "engine", "--scenario", "SCENARIO", "--metric", "<b>"),
        ("SCENARIO", "SCENARIO"),
    ],
)
def test_a_wrong_call_is_one_line(tmp_path, capsys, words):
    path = str(as_file(tmp_path))
    words = [path if word == "SCENARIO" else word for word in words]
    status, out, complaint = called(capsys, "compare", *words)
    assert (status, out) == (2, "") and ONE_LINE.fullmatch(complaint)


def test_a_database_of_a_strangers_is_refused(tmp_path):
    path = tmp_path / "sweep.sqlite"
    for content in (b"", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(4096)):
        path.write_bytes(content)
        for place in (path, tmp_path):
            with pytest.raises(ResultError) as caught:
                read(place, (P99,))
            assert "\n" not in str(caught.value) and caught.value.hint


@pytest.mark.parametrize(
    "asked",
    [
        """UPDATE campaign SET what = '{"kind":"sweep","schema":1}'""",
        """UPDATE campaign SET what = '{"kind":"hunt","schema":1}'""",
        """UPDATE rows SET row = '{"verdict":"pass"}'""",
        """UPDATE rows SET row = '{"verdict":"pass","point":["x"],"seed":true}'""",
        """UPDATE rows SET row = x'ff'""",
        """UPDATE rows SET row = '{"verdict":"pass","point":[],"seed":1,"delivered":1e300}'""",
    ],
)
def test_a_sweep_that_was_changed_is_one_line_or_no_worse(tmp_path, capsys, swept, asked):
    path = tmp_path / "sweep.sqlite"
    path.write_bytes(swept)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(asked)
    status, _, complaint = called(capsys, "compare", path, path, "--metric", "delivered")
    assert status == 0 or (status == 2 and ONE_LINE.fullmatch(complaint))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The bytes of a sweep's database."""
    out = tmp_path_factory.mktemp("sweep")
    sweep(Sweep(text=SMALL, folder=out, where="small.toml", out=out, seeds=range(2)))
    with closing(sqlite3.connect(out / FILE)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (out / FILE).read_bytes()


def test_a_scenario_that_cannot_run_is_a_wrong_call():
    broken = SMALL.replace('"gateway"', '"nobody"')
    assert "nobody" in str(refused(run, [Side()], order(broken), range(2), (P99,), 1))
