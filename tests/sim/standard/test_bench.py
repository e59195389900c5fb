"""`vtap bench`: what it prints, writes and refuses."""

import json
import tomllib
from pathlib import Path

import pytest

from sim.run import Order, perform
from sim.scenario import decode
from sim.standard.bench import TESTS
from sim.words.quantities import duration
from tests.sim.scenarios import ONE_LINE, called
from virtualtap.units import SECOND

SHORT = ("--trial", "20ms", "--sizes", "1518", "--set", "links.0.queue=0", "--quiet")


def test_the_json_says_what_was_measured_and_how(capsys):
    status, out, err = called(capsys, "bench", "throughput", "--on", "tap", *SHORT, "--json")
    said = json.loads(out)
    assert (status, err) == (0, "")
    assert (said["schema"], said["on"], said["trial_s"], said["repeat"]) == (1, "tap", 0.02, 20)
    assert said["changes"] == ["links.0.queue=0"]
    (row,) = said["tests"]["throughput"]["rows"]
    assert said["tests"]["throughput"]["source"] == "RFC 2544 26.1"
    assert (row["size"], row["interval_ns"]) == (1518, (1514 + 82) * 800)


def test_the_same_bench_says_the_same(capsys):
    once, again = (called(capsys, "bench", "latency", "jitter", *SHORT, "--json") for _ in range(2))
    assert once == again


def test_a_terminal_gets_a_table_for_each_test(capsys, monkeypatch):
    monkeypatch.setattr("sim.standard.rfc2889.ADDRESSES_MAX", 8)
    status, out, _ = called(capsys, "bench", "caching", "broadcast", *SHORT)
    assert status == 0
    assert "caching, RFC 2889 5.7" in out
    assert "at least 10" in out
    assert "broadcast, RFC 2889 5.10" in out
    assert "trials of 0.02 s of simulated time" in out


def test_all_tests_are_run_where_none_is_named(capsys, monkeypatch):
    monkeypatch.setattr("sim.standard.rfc2889.ADDRESSES_MAX", 8)
    _, out, _ = called(capsys, "bench", *SHORT, "--json")
    assert [*json.loads(out)["tests"]] == [*TESTS]


@pytest.mark.parametrize("on", ["hub", "switch", "tap"])
def test_the_scenarios_it_shows_run(capsys, on: str):
    status, out, _ = called(capsys, "bench", "--show", "--on", on, *SHORT)
    texts: list[str] = []
    for line in out.splitlines(keepends=True):
        if line.startswith("name ="):
            texts.append("")
        texts[-1] += line
    assert status == 0
    assert len(texts) == (4 if on == "tap" else 5)
    for text in texts:
        assert tomllib.loads(text)["until"].endswith("s")
        run, _ = perform(Order(text=text, folder=Path(), capture="none"), None)
        assert run.verdict == "pass"


def test_a_trial_may_last_longer_than_its_nanoseconds_have_digits(capsys):
    _, out, _ = called(capsys, "bench", "throughput", "--show", "--trial", "2000s", "--sizes", "64")
    assert duration(decode(out, (), "bench").until) == 2004 * SECOND


def test_tables_and_a_page_are_written(capsys, tmp_path):
    sheet, page = tmp_path / "bench.md", tmp_path / "bench.html"
    status, *_ = called(capsys, "bench", "throughput", *SHORT, "--markdown", sheet, "--html", page)
    assert status == 0
    text = sheet.read_text(encoding="utf-8")
    assert "| 1518 | 812.7 | 812.7 | 100.00% | sw1--s1 | 9,869,961 | 1 |" in text
    assert "data:image/svg+xml;base64," in page.read_text(encoding="utf-8")


def test_changes_are_no_markup(capsys, tmp_path):
    sheet = tmp_path / "bench.md"
    change = "expect.delivered.min=0 # <script>|`[a](b)"
    called(capsys, "bench", "jitter", *SHORT, "--set", change, "--markdown", sheet)
    text = sheet.read_text(encoding="utf-8")
    assert "\\<script\\>\\|\\`\\[a\\](b)" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nothing",), "no test is named `nothing`"),
        (("--on", "moon"), "there is no `moon` to test"),
        (("--sizes", "63"), "`--sizes` is `63`"),
        (("--sizes", "64,,128"), "`--sizes` is `64,,128`"),
        (("--sizes", "9999999999999999999999"), "`--sizes` is"),
        (("--trial", "soon"), "'soon' is not a time"),
        (("--trial", "0s"), "a trial takes no time"),
        (("--set", "links.0.rate=none"), "no link of the device has a rate"),
        (("--set", "until=nonsense"), "`bench`:"),
        (("--max-events", "1"), "events"),
        (("--trial", "30000d"), "events"),
    ],
)
def test_what_cannot_be_tested_is_one_line(capsys, words, told):
    status, out, err = called(capsys, "bench", *SHORT[:4], *words)
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err), err
    assert told in err
