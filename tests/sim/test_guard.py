"""No clock and no global luck inside a run; everything is as before after it."""

import datetime
import os
import random
import re
import threading
import time
import uuid

import pytest

from sim.guard import guarded, lifted
from sim.node import Node, Port
from sim.run import built, perform
from tests.sim import scenarios
from virtualtap.errors import UsageError

FORBIDDEN = (
    *("time.time()", "time.monotonic_ns()", "time.perf_counter()", "time.sleep(0)"),
    *("time.localtime()", "random.random()", "random.shuffle([1])", "os.urandom(1)"),
    *("uuid.uuid1()", "uuid.uuid4()", "datetime.datetime.now()", "datetime.datetime.utcnow()"),
    "datetime.datetime.today()",
)
MODULES = (time, random, os, uuid, datetime)


def planted(code: str) -> object:
    return eval(compile(code, "planted.py", "eval"))


def attributes():
    return [(module.__name__, dict(vars(module))) for module in MODULES]


@pytest.mark.parametrize("code", FORBIDDEN)
def test_what_reads_a_clock_or_draws_luck_raises_with_file_and_line(code):
    with guarded():
        error = scenarios.refused(planted, code)
    name = code.partition("(")[0]
    assert str(error) == f"`{name}` is called inside a run, at `planted.py:1`"
    assert "network.now" in error.hint


def test_a_date_has_no_clock_either():
    with guarded(), pytest.raises(UsageError, match=r"`time\.time`"):
        planted("datetime.date.today()")


def test_everything_is_as_before_afterwards():
    before = attributes()
    with guarded():
        assert attributes() != before
    assert attributes() == before


def test_everything_is_as_before_after_an_exception():
    before = attributes()
    with pytest.raises(ZeroDivisionError), guarded():
        raise ZeroDivisionError
    assert attributes() == before


def test_a_run_within_a_run_ends_no_other():
    before = attributes()
    with guarded():
        with guarded():
            pass
        with pytest.raises(UsageError):
            time.time()
    assert attributes() == before


def test_other_threads_keep_their_clocks():
    told = []
    with guarded():
        other = threading.Thread(target=lambda: told.append((time.time(), os.urandom(3))))
        other.start()
        other.join()
    ((at, luck),) = told
    assert at > 0 and len(luck) == 3


def test_whoever_looks_at_a_run_from_outside_has_a_clock():
    with guarded():
        with lifted():
            assert time.monotonic() > 0
        with pytest.raises(UsageError):
            time.monotonic()


def test_luck_with_a_seed_and_dates_that_are_given_stay():
    with guarded():
        day = datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC)
        assert random.Random(7).random() == random.Random(7).random()
        assert isinstance(day, datetime.datetime)
        assert issubclass(type(day), datetime.datetime)
        assert datetime.datetime.fromtimestamp(0, datetime.UTC).year == 1970
    assert type(day) is datetime.datetime


class Impatient(Node):
    """Looks at the clock of the wall when something arrives."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.heard = 0.0

    def receive(self, port: Port, data: bytes) -> None:
        self.heard = time.time()


def test_a_node_that_reads_the_clock_ends_the_run_in_one_line(monkeypatch):
    monkeypatch.setattr("sim.nodes.station.Station.receive", Impatient.receive)
    before = attributes()
    error = scenarios.refused(perform, scenarios.order(scenarios.SMALL + scenarios.STREAM), None)
    found = re.fullmatch(r"`time.time` is called inside a run, at `(.+):(\d+)`", str(error))
    assert found is not None and found[1] == __file__
    assert attributes() == before


def test_a_network_that_somebody_else_runs_is_not_guarded():
    network = built(scenarios.order()).network
    network.call_at(0, lambda _: time.time(), None)
    network.run(1)
    assert network.now == 1
