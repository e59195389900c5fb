"""`vtap conform` as a stranger meets it: targets, exit statuses, JSON, JUnit, Markdown."""

import json
import re
from xml.etree import ElementTree

import pytest

from sim.conformance import campaign
from sim.conformance.campaign import Judgement, conform
from sim.conformance.findings import junit, markdown, write_capture
from sim.conformance.registry import Case, cases
from sim.conformance.verdicts import Outcome, Verdict, judge
from tests.sim.conformance.strange_translators import Deaf
from tests.sim.scenarios import ONE_LINE, called, refused
from virtualtap import VirtualTap

STRANGE = "python:tests.sim.conformance.strange_translators"
EVIL = "c:[x](file:///y) <b>&amp;|\\|`z`\x1b[31m\u202e"


@pytest.fixture
def judged(capsys):
    """The exit status and the JSON of `vtap conform` over the cases of ethernet."""

    def call(*arguments):
        status, out, err = called(capsys, "conform", "--family", "ethernet", "--json", *arguments)
        assert err == ""
        return status, json.loads(out)

    return call


def test_the_engine_leaves_with_0_and_these_fields(judged):
    status, told = judged()
    assert (status, [*told]) == (
        0,
        ["schema", "cases", "clauses", "stimuli", "verdicts", "failures"],
    )
    count = len(cases("ethernet"))
    assert (told["cases"], told["stimuli"]) == (count, count) and 0 < told["clauses"] < count
    assert told["verdicts"] == {"engine": {"pass": count, "fail": 0, "unsupported": 0, "error": 0}}
    assert told["failures"] == {"engine": {}}


def test_a_wrong_translator_leaves_with_1_and_its_failures(judged):
    name = f"{STRANGE}:Deaf"
    status, told = judged("--target", name, "--target", "engine")
    assert (status, [*told["verdicts"]]) == (1, [name, "engine"])
    failures = told["failures"][name]
    assert failures["ethernet/snap-request-is-answered-in-ethernet-ii"] == (
        "to the lan: expected 1, saw 0"
    )
    assert len(failures) == told["verdicts"][name]["fail"] < told["cases"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Talker", "TypeError: the target gave a `str`, not bytes"),
        ("leaver", "SystemExit: 0"),
    ],
)
def test_what_a_python_target_does_wrong_is_a_verdict(judged, name, why):
    status, told = judged("--target", f"{STRANGE}:{name}")
    assert (status, {*told["failures"][f"{STRANGE}:{name}"].values()}) == (1, {why})


def test_what_is_shown_has_a_row_for_a_family_and_every_fail_explained(capsys):
    arguments = ("conform", "--family", "ethernet", "--target", f"{STRANGE}:Thrower")
    status, out, err = called(capsys, *arguments)
    assert (status, err) == (1, "")
    assert re.search(r"^ethernet +\d+ ", out, re.MULTILINE)
    assert "\nethernet/padding-is-cut: error\n" in out
    assert "\n  RuntimeError: \\x1b[31m60 | bytes\n" in out and "\x1b" not in out


@pytest.mark.parametrize(
    "name",
    [
        *("", "nothing", "engine:x", "python:", "python::", "python:os", "python:no_such:x"),
        *("python:os:sep", "python:os:no_such", "python:.os:sep", "python:a\nb:c", "c:", "c:/"),
        *("c:nothing.so", f"c:{__file__}", EVIL, f"{STRANGE}:NOT_CALLABLE"),
    ],
)
def test_a_wrong_target_is_one_line_with_a_hint(capsys, name):
    status, out, err = called(capsys, "conform", "--target", name)
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err) and err.replace("\n", "").isprintable(), err


@pytest.mark.parametrize(
    "text", ["def (", "1 / 0", "raise SystemExit(0)", "raise Exception('a\\nb')"]
)
def test_a_module_that_cannot_be_imported_is_one_line(tmp_path, monkeypatch, text):
    (tmp_path / "unreadable_translator.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    error = refused(conform, ["python:unreadable_translator:make"])
    assert str(error).startswith("cannot load `python:unreadable_translator:make`: ")


def test_a_wrong_family_is_one_line_that_names_the_right_ones(capsys):
    status, out, err = called(capsys, "conform", "--family", "token-ring")
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err) and "there are arp, dhcp, ethernet, " in err


def test_a_file_that_cannot_be_written_is_one_line(tmp_path, capsys):
    path = tmp_path / "none" / "table.md"
    status, out, err = called(capsys, "conform", "--family", "ethernet", "--markdown", path)
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err)


def test_junit_and_markdown_are_written(tmp_path, capsys):
    xml, table = tmp_path / "it.xml", tmp_path / "it.md"
    arguments = ("conform", "--family", "ethernet", "--junit", xml, "--markdown", table)
    assert called(capsys, *arguments)[0] == 0
    (suite,) = ElementTree.parse(xml).getroot()
    assert (suite.get("name"), suite.get("failures"), suite.get("errors")) == ("engine", "0", "0")
    assert [one.get("name") for one in suite] == [case.id for case in cases("ethernet")]
    assert table.read_text(encoding="utf-8").count("| pass |\n") == len(suite)


def a_judgement(name):
    """One outcome of each verdict, on a target of that name, with evil words."""
    case = Case("rig/case", "rig", "RFC 0, a|b", "that <b> is `x`", ("TC8:X_1",), print)
    return Judgement([case] * 4, {name: [Outcome(case, verdict, EVIL) for verdict in Verdict]})


def test_junit_parses_whatever_the_words():
    (suite,) = ElementTree.fromstring(junit(a_judgement(EVIL)))
    assert [[child.tag for child in case] for case in suite] == [
        [],
        ["failure"],
        ["skipped"],
        ["error"],
    ]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "1")
    told = suite.get("name") + suite[1][0].get("message") + suite[1][0].text
    assert told.replace("\n", "").isprintable() and "<b>&amp;|" in told


def test_markdown_takes_no_word_for_a_mark():
    lines = markdown(a_judgement(EVIL)).splitlines()
    (head,) = (line for line in lines if line.startswith("| clause | demands | case | "))
    assert head.removeprefix("| clause | demands | case | ") == (
        r"c:\[x\](file:///y) &lt;b\>\&amp;\|\\\|\`z\`\\x1b\[31m\\u202e |"
    )
    rows = [line for line in lines if "`rig/case`" in line]
    shared = r"| RFC 0, a\|b | that &lt;b> is `x` | `rig/case` (TC8:X_1) | "
    assert rows == [f"{shared}{mark} |" for mark in ("pass", "FAIL", "not asked", "ERROR")]


def test_the_exchange_of_a_case_is_a_capture(tmp_path):
    (case,) = (one for one in cases() if one.id == "arp/request-for-us-is-answered")
    outcome = judge(case, VirtualTap)
    write_capture(outcome, tmp_path / "it.pcapng")
    data = (tmp_path / "it.pcapng").read_bytes()
    assert [one.into for one in outcome.exchange] == [True, False]
    assert [one.data in data for one in outcome.exchange] == [True, True]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # xdist has threads
@pytest.mark.parametrize(("survivors", "status"), [([], 0), (["honest"], 1)])
def test_mutants_are_counted_and_a_survivor_leaves_with_1(judged, monkeypatch, survivors, status):
    mutants = {"deaf": Deaf, **dict.fromkeys(survivors, VirtualTap)}
    monkeypatch.setattr(campaign, "MUTANTS", mutants)
    left, told = judged("--mutants")
    assert (left, told["mutants"], told["killed"]) == (status, 1 + len(survivors), 1)
    assert (told["survivors"], "idle_cases" in told) == (survivors, True)
