"""What CI is told: JUnit that parses, workflow commands that hold one line, a summary of text."""

import json
from functools import partial
from xml.etree import ElementTree

import pytest

from sim.campaigns import hunt
from sim.campaigns.sweep import Gathered, Sweep
from sim.campaigns.workers import Processes
from sim.cli import ci
from sim.github import ANNOTATIONS_MAX, annotations, append_summary, summary
from sim.junit import ERROR, FAILURE, SKIPPED, Case, junit
from sim.markdown import literal
from sim.trail import Comparison, Difference
from tests.sim.hunts import working
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, order

EVIL = "a\n::error::b%0A\x1b[31m\u202e</failure>&<b>|`x`[y](http://z) @all"
MISSED = f"{SMALL}[expect]\ndelivered = 1\nevents = {{ min = 1 }}\n"


def some(*outcomes, name="it holds"):
    return {"suite": [Case("group", name, outcome, "because") for outcome in outcomes]}


def test_a_suite_counts_its_cases_by_outcome():
    [suite] = ElementTree.fromstring(junit(some("", FAILURE, FAILURE, ERROR, SKIPPED)))
    counts = [suite.get(word) for word in ("tests", "failures", "errors", "skipped")]
    assert counts == ["5", "2", "1", "1"]
    assert [[child.tag for child in case] for case in suite] == [
        ["system-out"],
        *([FAILURE], [FAILURE], [ERROR], [SKIPPED]),
    ]


def test_junit_parses_whatever_the_words():
    suites = {EVIL: [Case(EVIL, EVIL, FAILURE, EVIL, (EVIL, EVIL))]}
    [[case]] = ElementTree.fromstring(junit(suites))
    assert (case.get("name"), case[0].get("message")) == (case[0].text.split("\n")[0],) * 2
    assert case.get("name").isprintable()


def test_an_annotation_is_one_line_whose_words_cannot_command():
    [line] = annotations({EVIL: [Case("group", EVIL, FAILURE, EVIL, (EVIL,), "a,b:c.toml")]})
    assert line.isprintable()
    head, told = line.removeprefix("::error ").split("::", 1)
    assert head.startswith("file=a%2Cb%3Ac.toml,title=")
    assert head.count(",") == 1
    assert "%250A" in told


def test_what_held_or_was_not_asked_is_not_annotated():
    assert list(annotations(some("", SKIPPED))) == []


def test_what_is_said_at_length_is_said_once():
    cases = [Case("group", "it", FAILURE, "why", ("why", "again: x"))]
    assert list(annotations({"s": cases})) == ["::error title=s%3A it::why%0Aagain: x"]


def test_more_annotations_than_are_shown_are_counted():
    lines = list(annotations(some(*[FAILURE] * (ANNOTATIONS_MAX + 3))))
    assert len(lines) == ANNOTATIONS_MAX
    assert lines[-1] == "::error title=vtap::4 more failed"


def test_a_file_in_the_workspace_is_named_from_its_root(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    case = Case("group", "it", FAILURE, "why", (), str(tmp_path / "tests" / "a.toml"))
    assert list(annotations({"s": [case]})) == ["::error file=tests/a.toml,title=s%3A it::why"]


def test_the_summary_has_a_line_for_each_case_that_failed():
    lines = summary(some("", FAILURE, SKIPPED)).split("\n")
    assert lines == [
        *("### suite: failed", "", "1 held, 1 failed, 1 not asked", ""),
        *("| what | verdict | why |", "|---|---|---|", "| it holds | failed | because |", "", ""),
    ]
    assert summary(some("")).startswith("### suite: passed\n\n1 held, 0 failed\n")


def test_the_summary_names_so_many_and_counts_the_rest():
    text = summary(some(*[FAILURE] * 203))
    assert text.count("\n| it holds | failed |") == 200
    assert "\nand 3 more\n" in text


def test_no_word_of_a_stranger_is_markup():
    assert literal(EVIL) == (
        r"a\\n::error::b%0A\\x1b\[31m\\u202e&lt;/failure\>\&&lt;b\>\|\`x\`\[y\](http\://z) "
        r"\@<!-- -->all"
    )
    assert literal("www.x.example WWW.y") == r"www\.x.example WWW\.y"
    assert literal("me@x.example #1 #") == r"me\@<!-- -->x.example \#<!-- -->1 \#"


def test_a_summary_is_added_to_what_is_there(tmp_path, monkeypatch):
    path = tmp_path / "summary.md"
    path.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    append_summary(some(""))
    append_summary(some(FAILURE))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n### suite: passed\n")
    assert text.count("### suite") == 2


def test_a_summary_that_would_not_be_shown_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "summary.md"
    path.write_bytes(b"x" * 1024 * 1024)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    append_summary(some(""))
    assert path.stat().st_size == 1024 * 1024


def test_a_run_has_a_case_for_each_expectation(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    path, xml = as_file(tmp_path, MISSED), tmp_path / "it.xml"
    words = ("run", path, "--bare", "--out", tmp_path, "--junit", xml, "--github", "--json")
    status, said, complaint = called(capsys, *words)
    assert (status, json.loads(said)["verdict"]) == (1, "fail")
    [suite] = ElementTree.parse(xml).getroot()
    assert [(case.get("name"), [one.tag for one in case]) for case in suite] == [
        ("runs to its end", []),
        ("delivered", [FAILURE]),
        ("events", []),
    ]
    assert f"again: vtap run {path} --seed 1" in suite[1][0].text
    assert complaint.startswith(f"::error file={path},title=vtap run small/1%3A delivered::")
    assert complaint.count("\n") == 1


def test_a_run_that_was_stopped_is_an_error_and_nothing_of_it_was_asked(tmp_path, capsys):
    flood = SMALL.replace("sites = 2", "sites = 20").replace('"h*"', '"h1"')
    path, xml = as_file(tmp_path, f"{flood}[expect]\ndelivered = 0\n"), tmp_path / "it.xml"
    words = ("run", path, "--bare", "--max-events", "50", "--out", tmp_path, "--junit", xml)
    assert called(capsys, *words)[0] == 3
    [cases] = ElementTree.parse(xml).getroot()
    assert [case[0].tag for case in cases] == [ERROR, SKIPPED]
    assert "`--max-events`" in cases[0][0].get("message")


def test_a_run_of_a_topology_is_repeated_by_its_name(monkeypatch):
    words = order(where="abilene", changes=("seed=2",))
    run = type("R", (), {"scenario": "a", "seed": 1, "name": "a/1", "verdict": "fail"})
    failure = type("F", (), {"field": "ledger", "value": "x", "limit": "balanced", "at_s": 1})
    run.failed, run.remarks = [failure], []
    [[_, case]] = ci.of_run(run, words).values()
    assert case.told[1] == "again: vtap run --topology abilene --seed 1 --set seed=2"
    assert case.file == ""


@pytest.mark.parametrize(
    ("difference", "outcome"), [(None, ""), (Difference(1, "a", "b"), FAILURE)]
)
def test_a_check_is_one_case(difference, outcome):
    [[case]] = ci.of_check(Comparison("d", 3, difference), order(where="a.toml")).values()
    assert (case.name, case.outcome) == ("the same twice", outcome)


def test_a_hunt_has_a_case_for_each_kind_of_failure(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(hunt, "Processes", partial(Processes, life=working))
    xml = tmp_path / "it.xml"
    words = ("fuzz", "--seeds", "1:30", "--out", tmp_path / "fuzz", "--jobs", 1, "--junit", xml)
    assert called(capsys, *words)[0] == 1
    [suite] = ElementTree.parse(xml).getroot()
    assert suite[0].get("name") == "worlds hold"
    assert int(suite.get("failures")) == len(suite) - 1 > 0


def a_sweep(bad):
    found = Gathered([("a=1",), ("a=2",)], range(3), bad=bad)
    words = Sweep(text="", folder=None, where="a.toml", seeds=range(3), out=None)
    [cases] = ci.of_sweep(found, words).values()
    return [(case.name, case.outcome, case.why) for case in cases]


def test_a_sweep_has_a_case_for_each_point():
    assert a_sweep({}) == [("a=1", "", ""), ("a=2", "", "")]
    assert a_sweep({1: "stopped", 4: "fail", 5: "stopped"}) == [
        ("a=1", ERROR, "1 of 3 seeds did not pass"),
        ("a=2", FAILURE, "2 of 3 seeds did not pass"),
    ]


@pytest.mark.parametrize("command", ["run", "fuzz", "sweep", "conform"])
def test_a_file_that_cannot_be_written_is_said_first(tmp_path, capsys, command):
    words = {"run": [as_file(tmp_path)], "sweep": [as_file(tmp_path)]}.get(command, [])
    status, said, complaint = called(capsys, command, *words, "--junit", tmp_path)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint)


@pytest.mark.slow
def test_a_gate_that_broke_is_annotated(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    path = as_file(tmp_path)
    words = ("compare", "engine", "engine", "--scenario", path, "--seeds", "0:4", "--jobs", 1)
    slow = ("--set-b", "links=[{match='*',delay='9ms'}]")
    gate = ("--gate", "latency_s.p50 <= +5%", "--github", "--json")
    status, _, complaint = called(capsys, *words, *slow, *gate)
    assert status == 1
    assert complaint.startswith("::error title=vtap compare%3A latency_s.p50 <= +5%25::")
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("### vtap compare: failed\n\n0 held, 1 failed\n")
