"""A task becomes a row: what held, what broke and how that is called, and never an exception."""

import msgspec

from sim.fuzz.judge import EVENTS_MAX, Row, Task, judge, judge_json, signature_of
from tests.sim.scenarios import SMALL

KINDS = {"tap1": "tap", "hub1": "hub", "h1": "host", "s2": "station"}


def failure(field: str, value: object, at_s: float | None) -> dict:
    return {"field": field, "value": value, "limit": "", "at_s": at_s}


def test_a_world_that_holds_passes_and_says_what_it_saw():
    row = judge(Task(seed=1, text=SMALL))
    assert (row.verdict, row.failed, row.signature) == ("pass", [], "")
    assert (row.seed, row.fingerprint, row.nodes) == (1, "given", 13)
    assert row.delivered > 0
    assert row.seen == sorted(row.seen)
    assert "arp:UNKNOWN+sent>ASKED/strict" in row.seen


def test_a_task_and_its_row_are_json():
    said = judge_json('{"seed": 4}')
    assert msgspec.json.decode(said, type=Row) == judge(Task(seed=4))


def test_what_fails_is_called_by_the_law_that_broke():
    row = judge(Task(seed=1, text=SMALL + "[expect]\ndelivered = 1000000\n"))
    assert (row.verdict, row.signature) == ("fail", "delivered")


def test_a_scenario_that_cannot_be_run_is_an_error_with_a_name():
    row = judge(Task(seed=1, text="name = 3"))
    assert (row.verdict, row.signature) == ("error", "exception:UsageError:sim.scenario.decode")
    assert row.failed[0]["limit"] == "no exception"


def test_a_world_that_does_too_much_is_stopped():
    ring = SMALL.replace('"300ms"', '"5s"').replace('"star", sites = 2', '"ring", loops = true')
    row = judge(Task(seed=1, text=ring))
    assert (row.verdict, row.signature) == ("stopped", "")
    assert row.crossings < 2 * EVENTS_MAX


def test_the_law_that_broke_first_gives_the_name_and_the_kinds_it_speaks_of():
    failed = [
        failure("ledger", "tap1.lan: sent 3 is not", 2.0),
        failure("invariants.no-storm", "33 times at hub1.s2 of h1", 1.0),
        failure("delivered", 7, None),
    ]
    assert signature_of(failed, KINDS) == "no-storm/host/hub"
    assert signature_of(failed[:1], KINDS) == "ledger/tap"
    assert signature_of([], KINDS) == ""
