"""A campaign's file: rows that were kept stay, and nothing of a stranger's is believed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sim.campaigns import campaign
from sim.campaigns.campaign import APPLICATION, ROW_MAX, Campaign, seconds, seeds
from sim.results import ResultError
from tests.sim.scenarios import refused

WHAT = {"kind": "test", "first": 0}


def opened(path, what=WHAT, *, resume=False):
    return closing(Campaign(path, what, resume=resume))


def refusal(path, what=WHAT, *, resume=True):
    """The one line of a file that must not be used; it is as it was."""
    before = path.read_bytes()
    with pytest.raises(ResultError) as caught:
        Campaign(path, what, resume=resume)
    assert path.read_bytes() == before
    assert "\n" not in f"{caught.value}{caught.value.hint}" and caught.value.hint
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    """A campaign with two rows."""
    found = tmp_path / "campaign.sqlite"
    with opened(found) as one:
        one.add([(2, 2, '{"b":1}'), (0, 0, '{"a":1}')], 1.5)
    return found


def changed(path, *asked):
    """What a stranger may do to a file."""
    with closing(sqlite3.connect(path)) as file:
        for each in asked:
            file.execute(each)
        file.commit()
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_rows_are_read_in_the_order_of_their_numbers(path):
    with opened(path, resume=True) as one:
        assert list(one.rows()) == [(0, '{"a":1}'), (2, '{"b":1}')]
        assert list(one.rows(1, 2)) == []
        assert (one.numbers(), one.spent()) == ({0, 2}, 1.5)


def test_the_first_row_of_a_number_stays(path):
    with opened(path, resume=True) as one:
        one.add([(0, 0, "another"), (1, 1, "new")], 0.5)
        assert dict(one.rows()) == {0: '{"a":1}', 1: "new", 2: '{"b":1}'}
        assert one.spent() == 2.0


def test_what_passes_by_is_kept_whatever_ends_it(tmp_path):
    place = tmp_path / "campaign.sqlite"
    with opened(place) as one:
        coming = iter([(0, 0, "a"), None, (1, 1, "b")])
        with closing(one.keep(coming)) as kept:
            assert [next(kept), next(kept)] == [(0, 0, "a"), None]
    with opened(place, resume=True) as one:
        assert dict(one.rows()) == {0: "a"}


def test_findings_are_read_in_the_order_in_which_they_were_found(path):
    with opened(path, resume=True) as one:
        one.find("z", "{}")
        one.find("a", "{}")
        assert list(one.findings()) == ["z", "a"]


def test_one_that_is_there_is_not_begun_again(path):
    assert refusal(path, resume=False) == f"`{path}` is there"


def test_a_path_that_begins_with_two_slashes_names_no_host(tmp_path):
    path = Path(f"/{tmp_path}/é ?#%20") / "campaign.sqlite"
    with closing(Campaign(path, {}, resume=False)):
        assert str(path).startswith("//") and path.is_file()


def test_resuming_what_is_not_there_begins_it(tmp_path):
    with opened(tmp_path / "new" / "campaign.sqlite", resume=True) as one:
        assert list(one.rows()) == []


def test_another_campaign_is_not_resumed_and_the_difference_is_named(path):
    said = refusal(path, {"kind": "test", "first": 7})
    assert said == f"`{path}` is of another campaign: first was `0`, is `7`"


def test_anything_but_a_campaign_is_refused_and_left_as_it_is(tmp_path):
    text, other = tmp_path / "a.txt", tmp_path / "other.sqlite"
    text.write_text("SQLite format 3")
    changed(other, "CREATE TABLE rows (number)")
    assert refusal(text) == f"`{text}` is no campaign"
    assert refusal(other) == f"`{other}` is no campaign"


def test_a_file_that_only_says_it_is_one_is_refused(tmp_path):
    place = tmp_path / "campaign.sqlite"
    changed(place, f"PRAGMA application_id = {APPLICATION}", "PRAGMA user_version = 1")
    changed(place, "CREATE TABLE campaign (what TEXT)")
    assert refusal(place) == f"`{place}` is no campaign: its tables are others"


@pytest.mark.parametrize(
    "trap",
    [
        "CREATE TRIGGER trap AFTER INSERT ON rows BEGIN DELETE FROM rows; END",
        "CREATE VIEW trap AS SELECT * FROM rows",
        "CREATE INDEX trap ON rows (seed)",
    ],
)
def test_a_trap_in_the_schema_is_refused(path, trap):
    changed(path, trap)
    assert refusal(path) == f"`{path}` is no campaign: its tables are others"


@pytest.mark.parametrize("what", ["'['", "'7'", "x'00ff'", "'[]'"])
def test_a_campaign_that_does_not_say_what_it_is_is_refused(path, what):
    changed(path, f"UPDATE campaign SET what = {what}")
    assert refusal(path) == f"`{path}` is no campaign of ours"


def test_another_schema_is_named(path):
    changed(path, "PRAGMA user_version = 9")
    assert refusal(path) == f"`{path}` has schema 9, this version reads 1"


def test_a_file_cut_short_is_one_line(path):
    path.write_bytes(path.read_bytes()[:5000])
    assert refusal(path).startswith(f"`{path}` cannot be used: ")


def test_a_row_longer_than_any_of_ours_is_one_line(path):
    changed(path, f"INSERT INTO rows VALUES (7, 7, hex(zeroblob({ROW_MAX})))")
    with opened(path, resume=True) as one, pytest.raises(ResultError, match="cannot be used"):
        list(one.rows())


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="cannot use") as caught:
        Campaign(tmp_path / "file" / "campaign.sqlite", WHAT, resume=False)
    assert caught.value.hint == "choose another `--out`"


def test_one_that_could_not_be_begun_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "_TABLES", {"rows": "CREATE NONSENSE"})
    with pytest.raises(ResultError):
        Campaign(tmp_path / "campaign.sqlite", WHAT, resume=False)
    assert list(tmp_path.iterdir()) == []


def test_seeds_are_a_range():
    assert seeds("5:9") == range(5, 9)


@pytest.mark.parametrize(
    "text", ["", "5", "9:5", "5:5", "-1:5", "1:2:3", "a:b", "1:٣", "0:" + "9" * 16]
)
def test_anything_else_is_no_range(text):
    assert refused(seeds, text).hint == "`--seeds 0:1000`: from 0 up to before 1000"


def test_times_have_a_unit():
    assert [seconds(text) for text in ("90s", "10m", "10min", "1.5h")] == [90, 600, 600, 5400]


@pytest.mark.parametrize("text", ["", "10", "m", "-1s", "1d", "1e3s", "inf", "1 s"])
def test_anything_else_is_no_time(text):
    assert refused(seconds, text).hint == "`90s`, `10m` or `1.5h`"
