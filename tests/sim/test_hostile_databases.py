"""Databases of strangers, each through the command line: one line, status 2, left as they are."""

import json
import os
import sqlite3
from contextlib import closing

import pytest

from sim.campaigns.campaign import APPLICATION, ROW_MAX
from sim.cli import main as cli
from tests.sim.scenarios import ONE_LINE, as_file, called

SWEEP = ("--seeds", "0:2", "--jobs", "1")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The bytes of a sweep's database, and the scenario it is of."""
    folder = tmp_path_factory.mktemp("sweep")
    path = as_file(folder)
    assert cli.call(["sweep", str(path), *SWEEP, "--out", str(folder), "--json"]) == 0
    with closing(sqlite3.connect(folder / "sweep.sqlite")) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / "sweep.sqlite").read_bytes()


def raw(change):
    """The bytes of a good one, changed."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def said(*asked):
    """What a stranger may do to a good one in SQL."""

    def change(path):
        with closing(sqlite3.connect(path)) as file:
            for each in asked:
                file.execute(each)
            file.commit()
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return change


def replaced(make):
    """Something else in its place."""

    def change(path):
        path.unlink()
        make(path)

    return change


def other(path):
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE rows (number)")
        file.commit()


HOSTILE = {
    "empty": raw(lambda content: b""),
    "text": raw(lambda content: b"SQLite format 3\0" + b"x" * 1000),
    "cut short": raw(lambda content: content[: len(content) // 2]),
    "zeros behind its header": raw(lambda content: content[:100] + bytes(len(content) - 100)),
    "somebody's own": replaced(other),
    "a pipe": replaced(os.mkfifo),
    "a folder": replaced(os.mkdir),
    "a link to itself": replaced(lambda path: path.symlink_to(path)),
    "another application": said("PRAGMA application_id = 7"),
    "another schema": said("PRAGMA user_version = 9"),
    "a trigger": said("CREATE TRIGGER t AFTER INSERT ON rows BEGIN DELETE FROM rows; END"),
    "a view": said("CREATE VIEW v AS SELECT load_extension('x')"),
    "a table more": said("CREATE TABLE more (x)"),
    "no campaign in it": said("DELETE FROM campaign"),
    "two campaigns": said("INSERT INTO campaign VALUES ('{}')"),
    "what it is: nested": said(f"UPDATE campaign SET what = '{'[' * 100_000}'"),
    "what it is: bytes": said("UPDATE campaign SET what = x'fffe00'"),
    "what it is: other words": said("UPDATE campaign SET what = '{\"\x1b[31mkind\": 1}'"),
    "a row that is no JSON": said("UPDATE rows SET row = '{'"),
    "a row that is nested": said(f"UPDATE rows SET row = '{'[' * 100_000}'"),
    "a row of nothing": said("UPDATE rows SET row = 'null'"),
    "a row of bytes": said("UPDATE rows SET row = x'fffe00'"),
    "a row without end": said(f"UPDATE rows SET row = hex(zeroblob({ROW_MAX}))"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_database_is_one_line_and_stays_as_it_is(tmp_path, capsys, good, change):
    scenario = as_file(tmp_path)
    path = tmp_path / "out" / "sweep.sqlite"
    path.parent.mkdir()
    path.write_bytes(good)
    change(path)
    before = path.read_bytes() if path.is_file() else None
    words = (scenario, *SWEEP, "--out", path.parent, "--resume")
    status, said_, complaint = called(capsys, "sweep", *words)
    assert (status, said_) == (2, "")
    assert ONE_LINE.fullmatch(complaint), complaint
    assert complaint.removesuffix("\n").isprintable() and len(complaint) < 2200
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_good_one_is_none_of_them(tmp_path, capsys, good):
    scenario = as_file(tmp_path)
    (tmp_path / "sweep.sqlite").write_bytes(good)
    words = (scenario, *SWEEP, "--out", tmp_path, "--resume", "--json")
    status, told, _ = called(capsys, "sweep", *words)
    assert (status, json.loads(told)["schema"]) == (0, 1)


def test_the_mark_of_ours_is_in_the_header(good):
    assert int.from_bytes(good[68:72]) == APPLICATION
