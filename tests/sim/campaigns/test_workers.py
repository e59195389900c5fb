"""Work for several processes: each task gets its row, whoever dies."""

import os
import signal
from contextlib import closing

import pytest

from sim.campaigns import workers
from sim.campaigns.workers import Done, Processes, Task, job
from tests.sim.lives import shouting, stillborn
from tests.sim.scenarios import refused

pytestmark = pytest.mark.slow  # each starts processes


def tasks(*texts, kind=0):
    return [Task(number, text, kind) for number, text in enumerate(texts)]


def rows(team, *texts):
    """What came of each text, by its number."""
    done = [one for one in team.done("shout", tasks(*texts)) if one is not None]
    assert len(done) == len(texts)
    return {one.task.number: one.row for one in done}


@pytest.fixture
def pair():
    with closing(Processes([0, 0], life=shouting)) as team:
        yield team


def test_each_task_has_its_row(pair):
    assert rows(pair, *"abcde") == dict(enumerate("ABCDE"))


def test_workers_live_from_one_call_to_the_next(pair):
    first, second = ({*rows(pair, *["who"] * 6).values()} for _ in range(2))
    assert first | second == first
    assert str(os.getpid()) not in first


def test_the_task_of_a_worker_that_died_is_done_again(pair, tmp_path):
    place = tmp_path / "died"
    found = rows(pair, "a", f"dies once {place}", "b", "c")
    assert found == {0: "A", 1: "LIVES", 2: "B", 3: "C"}


def test_a_worker_killed_from_outside_is_replaced(pair):
    victim = next(iter(rows(pair, "who").values()))
    os.kill(int(victim), signal.SIGKILL)
    assert rows(pair, *"abcd") == dict(enumerate("ABCD"))


def test_a_task_that_takes_three_workers_with_it_has_no_row(pair):
    found = rows(pair, "a", "dies", "b", "c")
    assert found == {0: "A", 1: None, 2: "B", 3: "C"}


def test_workers_that_cannot_even_begin_are_one_line():
    with closing(Processes([0, 0], life=stillborn)) as team:
        error = refused(list, team.done("shout", tasks(*"abc")))
    assert str(error) == "worker processes end as soon as they begin"


def test_what_cannot_be_done_at_all_is_said_as_it_was(pair):
    error = refused(list, pair.done("shout", tasks("refuses")))
    assert (str(error), error.hint) == ("no such thing", "another thing")


def test_a_worker_that_is_silent_for_too_long_is_taken_for_dead(pair, monkeypatch):
    rows(pair, "a", "b")  # both are there: the first words of one take a while
    monkeypatch.setattr(workers, "SILENCE_S", 0.5)
    monkeypatch.setattr(workers, "TRIES", 1)
    (worker, *_) = pair._workers
    os.kill(worker.process.pid, signal.SIGSTOP)
    done = [one for one in pair.done("shout", tasks(*"ab")) if one is not None]
    assert sorted(one.row is None for one in done) == [False, True]


def test_each_kind_has_a_hash_seed_of_its_own():
    with closing(Processes([0, 1, 0], (1, 2), shouting)) as team:
        both = [*tasks("hash", "hash"), *tasks("hash", kind=1)]
        done = [one for one in team.done("shout", both) if one is not None]
    found = {kind: {one.row for one in done if one.task.kind == kind} for kind in (0, 1)}
    assert [len(one) for one in found.values()] == [1, 1]
    assert found[0] != found[1]


def test_no_more_tasks_are_made_than_are_wanted(pair):
    made = []

    def making():
        for task in tasks(*"abcdefgh"):
            made.append(task)
            yield task

    coming = pair.done("shout", making())
    while not isinstance(next(coming), Done):
        pass
    assert len(made) <= 4
    assert len([one for one in coming if one is not None]) == 7


def test_nothing_is_named_but_what_stands_in_the_table():
    with pytest.raises(KeyError):
        job("os:system")


@pytest.mark.parametrize("name", workers.JOBS)
def test_every_name_of_the_table_is_a_function(name):
    assert callable(job(name))
