"""`vtap conform` as a stranger meets it: targets, exit statuses, JSON, JUnit, Markdown."""

import json
import os
import pickle
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sim.cli import main as cli
from sim.conformance import campaign
from sim.conformance.campaign import Judgement, conform
from sim.conformance.findings import explain, markdown, suites, write_capture
from sim.conformance.frames import our_request, packet
from sim.conformance.registry import Case, cases
from sim.conformance.script import OTHER, PEER
from sim.conformance.targets import target
from sim.conformance.verdicts import Outcome, Verdict, judge
from sim.junit import junit
from tests.sim.conformance.strange_translators import Deaf
from tests.sim.scenarios import ONE_LINE, called, refused
from virtualtap import VirtualTap
from virtualtap.profiles import PROFILES

STRANGE = "python:tests.sim.conformance.strange_translators"
CASES = {case.id: case for case in cases()}
ASKED, SILENT = CASES["arp/request-for-us-is-answered"], CASES["arp/silent-by-default"]
EVIL = "c:[x](file:///y) <b>&amp;|\\|`z`\x1b[31m\u202e"

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # xdist has threads


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
        ["schema", "cases", "clauses", "stimuli", "verdicts", "failures", "not_applicable"],
    )
    count = len(cases("ethernet"))
    assert (told["cases"], told["stimuli"]) == (count, count) and 0 < told["clauses"] < count
    others = dict.fromkeys(("fail", "inconclusive", "unsupported", "error"), 0)
    assert told["verdicts"] == {"engine": {"pass": count, **others}}
    assert (told["failures"], told["not_applicable"]) == ({"engine": {}}, {"engine": []})


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
        ("nobody", "TypeError: the factory gave a `NoneType`, without `ip_to_ethernet`"),
        ("vanisher", "ended with status 0"),
    ],
)
def test_what_a_python_target_does_wrong_is_a_verdict(judged, name, why):
    status, told = judged("--target", f"{STRANGE}:{name}")
    assert (status, {*told["failures"][f"{STRANGE}:{name}"].values()}) == (1, {why})


@pytest.mark.parametrize(
    ("name", "case", "verdict", "why"),
    [
        ("Late", SILENT, Verdict.ERROR, "Restless: the deadline stays at 0, and it is 0"),
        ("Wordless", ASKED, Verdict.ERROR, "Unspeakable: it cannot say why"),
        ("Sure", ASKED, Verdict.FAIL, "an assertion without words"),
    ],
)
def test_what_has_no_words_is_told_in_ours(name, case, verdict, why):
    outcome = judge(case, target(f"{STRANGE}:{name}"))
    assert (outcome.verdict, outcome.why) == (verdict, why)


def test_a_module_of_the_current_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "translator_of_this_folder.py").write_text("from virtualtap import VirtualTap")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    make = target("python:translator_of_this_folder:VirtualTap")
    assert judge(ASKED, make).verdict is Verdict.PASS
    assert sys.path[-1] == str(tmp_path)


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
    assert ONE_LINE.fullmatch(err) and "there are arp, dhcp, " in err


def test_a_file_that_cannot_be_written_is_one_line(tmp_path, capsys):
    path = tmp_path / "none" / "table.md"
    status, out, err = called(capsys, "conform", "--family", "ethernet", "--markdown", path)
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err)


@pytest.mark.parametrize("option", ["--junit", "--markdown", "--html", "--captures"])
@pytest.mark.parametrize("where", ["file/below", "folder", "none/file", "/proc/version", "/proc/x"])
def test_what_cannot_be_written_is_said_before_anything_is_judged(
    tmp_path, capsys, monkeypatch, option, where
):
    if option == "--captures" and where in ("folder", "none/file"):
        where = "file"  # a folder is made where none is
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    if where.startswith("/"):
        monkeypatch.setattr(os, "access", lambda path, _: False)  # root may write everywhere
    monkeypatch.setattr(cli, "judge_targets", None)
    status, out, err = called(capsys, "conform", option, tmp_path / where)
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err), err


def test_what_fails_to_be_written_at_last_was_shown_before(tmp_path, capsys):
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    arguments = ("conform", "--family", "ethernet", "--markdown", "/dev/full")
    status, out, err = called(capsys, *arguments)
    assert (status, err) == (2, "error: no space left on device (hint: is the disk full?)\n")
    assert "ethernet" in out


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
    outcomes = [*(Outcome(case, verdict, EVIL) for verdict in Verdict), None]
    return Judgement([case] * len(outcomes), {name: outcomes}, profiles={name: "rfc826"})


def test_junit_parses_whatever_the_words():
    (suite,) = ElementTree.fromstring(junit(suites(a_judgement(EVIL))))
    assert [[child.tag for child in case] for case in suite] == [
        [],
        ["failure"],
        ["skipped"],
        ["skipped"],
        ["error"],
        ["skipped"],
    ]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "1", "1")
    told = suite.get("name") + suite[1][0].get("message") + suite[1][0].text
    assert told.replace("\n", "").isprintable() and "<b>&amp;|" in told


def test_markdown_takes_no_word_for_a_mark():
    lines = markdown(a_judgement(EVIL)).splitlines()
    (head,) = (line for line in lines if line.startswith("| clause | demands | case | "))
    assert head.removeprefix("| clause | demands | case | ") == (
        r"c:\[x\](file\:///y) &lt;b\>\&amp;\|\\\|\`z\`\\x1b\[31m\\u202e |"
    )
    rows = [line for line in lines if "`rig/case` (TC8:X_1)" in line]
    shared = r"| RFC 0, a\|b | that &lt;b> is `x` | `rig/case` (TC8:X_1) | "
    marks = ("pass", "FAIL", "not set up", "not asked", "ERROR", "—")
    assert rows == [f"{shared}{mark} |" for mark in marks]


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
    monkeypatch.setattr(campaign, "family_of", lambda _: "ethernet")
    left, told = judged("--mutants")
    assert (left, told["mutants"], told["killed"]) == (status, 1 + len(survivors), 1)
    assert (told["survivors"], "idle_cases" in told) == (survivors, True)


def test_each_profile_is_a_column_of_its_own(judged):
    status, told = judged("--profile", "strict", "--profile", "linux")
    assert (status, [*told["verdicts"]]) == (0, ["engine", "engine (linux)"])
    others = told["not_applicable"]["engine (linux)"]
    assert "ethernet/snap-is-read" in others and told["not_applicable"]["engine"] == []
    assert told["verdicts"]["engine (linux)"]["pass"] == told["cases"] - len(others)


def test_all_is_every_profile(judged):
    _, told = judged("--profile", "all")
    assert [*told["verdicts"]] == [
        "engine",
        *(f"engine ({profile})" for profile in [*PROFILES][1:]),
    ]


def test_a_wrong_profile_is_one_line_that_names_the_right_ones(capsys):
    status, out, err = called(capsys, "conform", "--profile", "windows")
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err) and "there are strict, rfc826, linux, " in err


def test_what_another_manner_leaves_out_is_told_with_the_manner(tmp_path, capsys):
    xml, table = tmp_path / "it.xml", tmp_path / "it.md"
    arguments = ("conform", "--family", "ethernet", "--profile", "linux", "--junit", xml)
    assert called(capsys, *arguments, "--markdown", table)[0] == 0
    manner = "frames in the form of RFC 1042 are not read"
    assert f'message="otherwise: {manner}"' in xml.read_text(encoding="utf-8")
    assert f"| linux | {manner} | `ethernet/snap-is-read`" in table.read_text(encoding="utf-8")


def test_the_workers_find_what_one_process_finds():
    one_by_one = [judge(case, VirtualTap) for case in cases("ndp")]
    assert len(one_by_one) >= 2 * campaign._CHUNK
    assert conform(["engine"], "ndp").outcomes == {"engine": one_by_one}


def test_a_fail_in_a_worker_comes_back_whole():
    (case,) = (one for one in cases() if one.id == "arp/request-for-us-is-answered")
    home = judge(case, Deaf)
    there = pickle.loads(pickle.dumps(home))
    assert (there.verdict, there.exchange) == (Verdict.FAIL, home.exchange)
    assert (there.missed.side, there.missed.seen) == (home.missed.side, ())
    assert there.missed.expected == home.missed.expected


def test_the_frames_of_each_fail_are_written(tmp_path, capsys):
    arguments = ("--family", "ethernet", "--target", f"{STRANGE}:Deaf", "--captures", tmp_path)
    status, out, _ = called(capsys, "conform", *arguments)
    folder = tmp_path / "0-python-tests-sim-conformance-strange-translators-Deaf"
    names = sorted(path.name for path in folder.iterdir())
    assert (status, "ethernet-snap-request-is-answered-in-ethernet-ii.pcapng" in names) == (1, True)
    assert len(names) == out.count("frames: ") == out.count(": fail\n") > 0
    assert all(path.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a" for path in folder.iterdir())


def test_the_page_is_written(tmp_path, capsys):
    page = tmp_path / "it.html"
    arguments = ("conform", "--family", "ethernet", "--profile", "linux", "--html", page)
    assert called(capsys, *arguments)[0] == 0
    assert "ethernet/snap-is-read" in page.read_text(encoding="utf-8")


def test_a_long_field_is_shown_where_it_differs():
    def flips(config):
        tap = VirtualTap(config)
        right = tap.ethernet_to_ip
        tap.ethernet_to_ip = lambda frame, now: turned(right(frame, now))
        return tap

    def turned(data):
        return data and data[:700] + bytes((data[700] ^ 1,)) + data[701:]

    (case,) = (one for one in cases() if one.id == "ethernet/packet-of-1500-bytes-comes-in")
    (line,) = (line for line in explain(judge(case, flips)) if line.startswith("  payload: "))
    expected, seen = line.removeprefix("  payload: expected ").split(", saw ")
    assert expected[0] == expected[-1] == seen[0] == seen[-1] == "…"
    differing = [at for at in range(len(seen)) if seen[at] != expected[at]]
    assert (len(seen), differing) == (122, [10])


def test_of_several_frames_the_wrong_one_is_named():
    def backwards(tap):
        tap.host(packet(PEER)).host(packet(OTHER)).expect(our_request(PEER), our_request(PEER))

    case = Case("rig/case", "rig", "RFC 0", "a test", (), backwards)
    lines = [*explain(judge(case, VirtualTap))]
    assert lines[2:] == [
        "  to the lan: expected 2, saw others",
        "  frame 2 of 2",
        "  ARP target address: expected 10.0.0.3, saw 10.0.0.4",
    ]
