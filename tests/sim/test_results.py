"""A run on disk comes back as it was; what is broken or a stranger's is refused in one line."""

import csv
import json
import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import results
from sim.results import (
    READ_MAX,
    TABLES,
    TEXT,
    Failure,
    ResultError,
    Run,
    find,
    read,
    write,
    writing,
)
from tests.sim.scenarios import SMALL, done, on_disk

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "'=1", "''", "'", "\uff1d1+1")


def broken(path):
    """The refusal of something that is no run: one line, and a hint."""
    with pytest.raises(ResultError) as caught:
        read(path)
    assert caught.value.hint and "\n" not in f"{caught.value}{caught.value.hint}"
    return caught.value


def test_a_run_comes_back_as_it_was(tmp_path):
    before = done(f"{SMALL}[expect]\ndelivered = 0\n")
    write(before, tmp_path)
    after = read(tmp_path)
    assert msgspec.structs.asdict(after) == msgspec.structs.asdict(before)
    assert after.failed[0].field == "delivered"
    assert read(tmp_path / "run.json").digest == before.digest


def test_a_bare_run_comes_back_as_it_was(tmp_path):
    before = done(bare=True)
    write(before, tmp_path)
    assert (read(tmp_path).digest, read(tmp_path).tables) == (None, before.tables)


@pytest.mark.slow
@given(st.lists(st.one_of(NAMES, st.sampled_from(FORMULAS)), min_size=1, max_size=5))
def test_any_name_survives_a_table_and_none_is_a_formula(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("run")
    run = done_once()
    rows = [(name, "storm", count) for count, name in enumerate(names)]
    write(msgspec.structs.replace(run, tables={"drops": rows}), folder)
    assert read(folder).tables["drops"] == rows
    with (folder / "drops.csv").open(encoding="utf-8", newline="") as file:
        cells = [row[0] for row in csv.reader(file)]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\n\r\uff1d"))]


_DONE: list[Run] = []


def done_once():
    if not _DONE:
        _DONE.append(done())
    return _DONE[0]


@pytest.mark.parametrize("name", ["42", "1e5", "nan", "inf", "", "0x1F", " 7 ", "-1"])
def test_a_name_that_looks_like_a_number_stays_a_name(tmp_path, name):
    rows = [(name, "storm", 1)]
    write(msgspec.structs.replace(done_once(), tables={"drops": rows}), tmp_path)
    assert read(tmp_path).tables["drops"] == rows


def test_every_column_is_text_or_number():
    written = done_once().tables
    for name, rows in written.items():
        for row in rows:
            kinds = [isinstance(cell, str) for cell in row]
            assert kinds == [column in TEXT for column in TABLES[name]]


def test_an_older_run_of_the_same_name_makes_place(tmp_path):
    _, folder = on_disk(tmp_path)
    (folder / "report.html").write_text("old")
    on_disk(tmp_path)
    assert folder == tmp_path / "small" / "1"
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
    assert not (folder / "report.html").exists()


def test_another_seed_lies_beside(tmp_path):
    for seed in (2, 1, 10):
        on_disk(tmp_path, seed=seed)
    found = [path.relative_to(tmp_path).as_posix() for path in find(tmp_path)]
    assert found == ["small/1", "small/10", "small/2"]


class Interruption(Exception):
    """What comes between."""


def interrupted(root):
    def half():
        with writing(root, "small", 1) as folder:
            write(done_once(), folder)
            raise Interruption

    with pytest.raises(Interruption):
        half()


def test_what_is_interrupted_leaves_nothing_that_looks_finished(tmp_path):
    interrupted(tmp_path)
    assert find(tmp_path) == []
    assert list((tmp_path / "small").iterdir()) == []


def test_what_is_interrupted_leaves_the_older_run_alone(tmp_path):
    before, folder = on_disk(tmp_path)
    interrupted(tmp_path)
    assert read(folder).digest == before.digest
    assert [path.name for path in folder.parent.iterdir()] == ["1"]


def test_while_it_is_written_it_is_not_found(tmp_path):
    with writing(tmp_path, "small", 1) as folder:
        write(done_once(), folder)
        assert find(tmp_path) == []
    assert find(tmp_path) == [tmp_path / "small" / "1"]


def test_what_a_killed_process_left_does_not_stand_in_the_way(tmp_path):
    for what in ("new", "old"):
        left = tmp_path / "small" / f".1.{os.getpid()}.{what}"
        left.mkdir(parents=True)
        (left / "run.json").write_text("{")
    on_disk(tmp_path)
    run, folder = on_disk(tmp_path)
    assert (run.verdict, [path.name for path in folder.parent.iterdir()]) == ("pass", ["1"])


def test_what_stands_in_the_way_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError) as caught:
        on_disk(tmp_path / "file")
    assert "cannot write results" in str(caught.value) and caught.value.hint
    assert (tmp_path / "file").read_text() == ""


def test_a_link_in_the_place_of_a_run_is_neither_replaced_nor_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("")
    (tmp_path / "out" / "small").mkdir(parents=True)
    (tmp_path / "out" / "small" / "1").symlink_to(outside)
    with pytest.raises(ResultError, match="is there and is no run"):
        on_disk(tmp_path / "out")
    assert [path.name for path in outside.iterdir()] == ["precious"]
    assert (tmp_path / "out" / "small" / "1").is_symlink()


def test_a_folder_of_others_in_the_place_of_a_run_is_left_alone(tmp_path):
    place = tmp_path / "out" / "small" / "1"
    place.mkdir(parents=True)
    (place / "precious").write_text("")
    with pytest.raises(ResultError, match="is there and is no run"):
        on_disk(tmp_path / "out")
    assert [path.name for path in place.iterdir()] == ["precious"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    left = tmp_path / "out" / "small" / ".1.999999999.new"  # no process has this number
    left.mkdir(parents=True)
    (left / "half").write_text("")
    on_disk(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "small").iterdir()] == ["1"]


DEEP = "[" * 100_000
RUN_FILES = {
    "empty": lambda run: "",
    "no JSON": lambda run: "run",
    "half": lambda run: json.dumps(run)[:500],
    "a list": lambda run: "[]",
    "null": lambda run: "null",
    "nothing in it": lambda run: "{}",
    "deep nesting": lambda run: DEEP,
    "deep nesting inside": lambda run: json.dumps(run)[:-1] + f', "x": {DEEP}',
    "NaN": lambda run: json.dumps({**run, "until_ns": float("nan")}),
    "infinity": lambda run: json.dumps(run).replace('"until_ns": 300000000', '"until_ns": 1e999'),
    "many digits": lambda run: json.dumps(run).replace("300000000", "3" * 5000),
    "half a character": lambda run: json.dumps({**run, "scenario": "\udcff"}),
    "another schema": lambda run: json.dumps({**run, "schema": 2}),
    "no schema": lambda run: json.dumps({**run, "schema": None}),
    "a long schema": lambda run: json.dumps({**run, "schema": "x\n" * 1000}),
    "seed of text": lambda run: json.dumps({**run, "seed": "1"}),
    "no seed": lambda run: json.dumps({key: run[key] for key in run if key != "seed"}),
    "failures of text": lambda run: json.dumps({**run, "failed": "none"}),
    "a failure too many words": lambda run: json.dumps({**run, "failed": [{"x": 1}]}),
    "no summary": lambda run: json.dumps({**run, "summary": {}}),
    "counts of text": lambda run: json.dumps(
        {**run, "summary": {**run["summary"], "crossings": "<b>"}}
    ),
    "drops of text": lambda run: json.dumps({**run, "summary": {**run["summary"], "dropped": "x"}}),
    "no latency": lambda run: json.dumps({**run, "summary": {**run["summary"], "latency_s": None}}),
    "inputs of numbers": lambda run: json.dumps({**run, "inputs": {"a": 1}}),
}


@pytest.mark.parametrize("make", RUN_FILES.values(), ids=RUN_FILES)
def test_a_run_file_that_is_none_is_one_line(tmp_path, make):
    write(done_once(), tmp_path)
    path = tmp_path / "run.json"
    path.write_text(make(json.loads(path.read_text())), encoding="utf-8")
    assert str(tmp_path) in str(broken(tmp_path))


TABLE_FILES = {
    "empty": "",
    "no head": "hub1,storm,1\n",
    "another head": "where,reason,number\nhub1,storm,1\n",
    "a short row": "where,reason,count\nhub1,storm\n",
    "a long row": "where,reason,count\nhub1,storm,1,2\n",
    "text for a number": "where,reason,count\nhub1,storm,<b>\n",
    "a formula for a number": "where,reason,count\nhub1,storm,=1+1\n",
    "NaN": "where,reason,count\nhub1,storm,nan\n",
    "infinity": "where,reason,count\nhub1,storm,1e999\n",
    "many digits": f"where,reason,count\nhub1,storm,{'9' * 5000}\n",
    "digits of another script": "where,reason,count\nhub1,storm,\u0661\n",
    "a long cell": f"where,reason,count\n{'x' * 200_000},storm,1\n",
}


@pytest.mark.parametrize("text", TABLE_FILES.values(), ids=TABLE_FILES)
def test_a_table_that_is_none_is_one_line(tmp_path, text):
    write(done_once(), tmp_path)
    (tmp_path / "drops.csv").write_text(text, encoding="utf-8")
    assert "drops.csv" in str(broken(tmp_path))


@pytest.mark.parametrize("name", ["run.json", "graph.json", "links.csv"])
def test_a_huge_file_is_not_read(tmp_path, name):
    write(done_once(), tmp_path)
    with (tmp_path / name).open("wb") as file:
        file.truncate(READ_MAX + 1)
    assert name in str(broken(tmp_path))


@pytest.mark.parametrize("name", ["run.json", "graph.json"])
def test_what_is_no_file_is_not_read(tmp_path, name):
    write(done_once(), tmp_path)
    (tmp_path / name).unlink()
    broken(tmp_path)
    os.mkfifo(tmp_path / name)  # to open it would wait for ever
    broken(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(tmp_path / name)
    broken(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "a\0b", "n" * 300, "run.json"])
def test_where_nothing_is_nothing_is_found(tmp_path, name):
    broken(tmp_path / name)


def test_only_finished_runs_are_found(tmp_path):
    on_disk(tmp_path)
    (tmp_path / "small" / ".2.7.new").mkdir()
    (tmp_path / "small" / ".2.7.new" / "run.json").write_text("{}")
    (tmp_path / "round").symlink_to(tmp_path)
    assert find(tmp_path) == [tmp_path / "small" / "1"]
    assert find(tmp_path / "small" / "1") == [tmp_path / "small" / "1"]
    assert find(tmp_path / "nothing") == []


def test_results_know_nobody():
    assert Failure.__module__ == results.__name__ == "sim.results"
    assert done_once().summary["schema"] == results.SCHEMA
