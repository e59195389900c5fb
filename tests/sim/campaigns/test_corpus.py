"""A corpus of seeds: read, extended, and judged first."""

import json
from functools import partial
from xml.etree import ElementTree

import pytest

from sim.campaigns import corpus, hunt
from sim.campaigns.corpus import Entry, check_place, extend, read
from sim.campaigns.workers import Processes
from tests.sim.hunts import hunted, working
from tests.sim.scenarios import ONE_LINE, called, refused

ONE = Entry(19, "star1:1c52", {"dhcp": 40, "loss": 5}, "law-b/hub says no")
TEXT = "# mine\n\n19 star1:1c52 dhcp=40,loss=5 law-b/hub says no\n7 - - -\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "corpus.txt"


def test_a_line_is_a_world_and_how_it_failed(path):
    path.write_text(TEXT, encoding="utf-8")
    assert read(path) == [ONE, Entry(7, "")]
    assert [one.line() for one in read(path)] == [line + "\n" for line in TEXT.split("\n")[2:4]]


def test_no_file_yet_is_an_empty_corpus(path):
    assert read(path) == []


def test_what_is_added_stands_below_and_once(path):
    path.write_text(TEXT.rstrip("\n"), encoding="utf-8")
    new = Entry(20, "x", {}, "a\nb\x1b")
    assert extend(path, [ONE, new, new]) == 1
    assert path.read_text(encoding="utf-8") == f"{TEXT}20 x - a\\nb\\x1b\n"
    assert extend(path, read(path)) == 0


def test_a_fresh_corpus_says_what_it_is(path):
    assert extend(path, []) == 0
    assert not path.exists()
    extend(path, [ONE])
    assert path.read_text(encoding="utf-8") == corpus.HEAD + ONE.line()
    assert [one.name for one in path.parent.iterdir()] == ["corpus.txt"]


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "19 a -",
        "-1 a - b",
        "1" * 17 + " a - b",
        "1 a dhcp=101 b",
        "1 a dhcp b",
        "1 a d=1,,e=2 b",
    ],
)
def test_a_line_that_is_none_is_named(path, line):
    path.write_text(f"# mine\n{line}\n", encoding="utf-8")
    assert "line 2: it is no seed" in str(refused(read, path))


def test_a_file_that_is_no_text_is_refused(path):
    path.write_bytes(b"\xff")
    assert "not UTF-8" in str(refused(read, path))
    with path.open("wb") as file:
        file.truncate(corpus.BYTES_MAX + 1)
    assert "no text of at most" in str(refused(read, path))
    assert "no text of at most" in str(refused(read, path.parent))


def test_so_many_seeds_are_read(path, monkeypatch):
    monkeypatch.setattr(corpus, "ENTRIES_MAX", 1)
    path.write_text(TEXT, encoding="utf-8")
    assert "more than 1 seeds" in str(refused(read, path))


def test_a_place_that_cannot_be_extended_is_said_first(tmp_path):
    assert "nothing may be written" in str(refused(check_place, tmp_path / "no" / "corpus.txt"))


@pytest.mark.slow
def test_what_a_hunt_finds_is_added_with_the_weights_of_its_round(tmp_path, path):
    bag = hunted(tmp_path / "first", end=hunt.ROUND + 60, seeds_from=path)
    entries = read(path)
    assert [one.signature for one in entries] == [one.signature for one in bag.discoveries]
    assert [one.seed for one in entries] == [one.seed for one in bag.discoveries]
    assert {bool(one.weights) for one in entries if one.seed >= hunt.ROUND} <= {True}
    assert bag.corpus.total() == 0


@pytest.mark.slow
def test_the_corpus_goes_first_and_nothing_is_added_twice(tmp_path, path):
    hunted(tmp_path / "first", end=60, seeds_from=path)
    before = path.read_bytes()
    bag = hunted(tmp_path / "again", end=60, seeds_from=path)
    assert path.read_bytes() == before
    assert (bag.rows, bag.corpus["fail"], bag.strayed) == (60, len(read(path)), 0)
    resumed = hunted(tmp_path / "again", end=60, seeds_from=path, resume=True)
    assert [one.signature for one in resumed.discoveries] == [
        one.signature for one in bag.discoveries
    ]


@pytest.mark.slow
def test_alone_only_the_corpus_is_judged_and_what_is_fixed_passes(tmp_path, path):
    path.write_text("1 another - law-b/hub\n1 another loss=9 law-b/hub\n19 x - law\n", "utf-8")
    bag = hunted(tmp_path / "only", seeds_from=path, check=True)
    assert (bag.rows, bag.rounds) == (0, 0)
    assert dict(bag.corpus) == {"pass": 2, "fail": 1}
    assert bag.strayed == 3
    assert [(one.seed, bag.kinds[one.signature]) for one in bag.discoveries] == [(19, 1)]
    assert len(read(path)) == 4  # seed 19 as it fails now


@pytest.mark.slow
def test_the_same_world_is_judged_once(tmp_path, path):
    path.write_text("1 a - law-b/hub\n1 b - law-c/hub\n", encoding="utf-8")
    assert hunted(tmp_path / "only", seeds_from=path).corpus.total() == 1


@pytest.mark.slow
def test_the_command_tells_of_the_corpus(tmp_path, path, capsys, monkeypatch):
    monkeypatch.setattr(hunt, "Processes", partial(Processes, life=working))
    path.write_text("1 - - law-b/hub\n19 x - law\n", encoding="utf-8")
    words = ("fuzz", "--seeds-from", path, "--out", tmp_path / "a", "--jobs", 1)
    status, said, _ = called(capsys, *words, "--junit", tmp_path / "it.xml")
    assert status == 1
    assert said.startswith("2 worlds of the corpus: 1 fail, 1 pass; 1 draw another world now\n")
    [suite] = ElementTree.parse(tmp_path / "it.xml").getroot()
    assert suite[1].get("name") == "worlds of the corpus hold"
    words = ("fuzz", "--seeds-from", path, "--out", tmp_path / "b", "--jobs", 1, "--json")
    told = json.loads(called(capsys, *words)[1])
    assert told["corpus"] == {"verdicts": {"fail": 1, "pass": 1}, "strayed": 1}


def test_a_wrong_corpus_ends_in_a_line(tmp_path, path, capsys):
    path.write_text("no seed\n", encoding="utf-8")
    status, said, complaint = called(capsys, "fuzz", "--seeds-from", path, "--out", tmp_path / "o")
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint)
    assert not (tmp_path / "o").exists()
