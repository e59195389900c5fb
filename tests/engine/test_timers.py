"""One heap of deadlines."""

from virtualtap.timers import NEVER, Timers


def run(timers: Timers, now: int) -> None:
    while (action := timers.pop(now)) is not None:
        action()


def test_actions_run_by_deadline_and_not_before():
    done: list[str] = []
    timers = Timers()
    timers.set("late", 30, lambda: done.append("late"))
    timers.set("early", 10, lambda: done.append("early"))
    run(timers, 29)
    assert done == ["early"]
    run(timers, 30)
    assert done == ["early", "late"]


def test_equal_deadlines_run_in_the_order_in_which_they_were_set():
    done: list[int] = []
    timers = Timers()
    for number in (3, 1, 2):
        timers.set(number, 10, lambda number=number: done.append(number))
    run(timers, 10)
    assert done == [3, 1, 2]


def test_the_next_deadline_is_the_earliest_of_those_that_live():
    timers = Timers()
    timers.set("a", 10, lambda: None)
    timers.set("b", 20, lambda: None)
    assert timers.next == 10
    timers.cancel("a")
    assert timers.next == 20
    timers.cancel("b")
    assert timers.next == NEVER


def test_setting_a_key_again_forgets_its_earlier_timer():
    done: list[str] = []
    timers = Timers()
    timers.set("a", 10, lambda: done.append("first"))
    timers.set("a", 20, lambda: done.append("second"))
    assert timers.next == 20
    run(timers, 30)
    assert done == ["second"]


def test_a_cancelled_timer_does_not_run():
    timers = Timers()
    timers.set("a", 10, lambda: None)
    timers.cancel("a")
    assert timers.pop(10) is None


def test_cancelling_what_was_never_set_changes_nothing():
    timers = Timers()
    timers.set("a", 10, lambda: None)
    timers.cancel("b")
    assert timers.next == 10


def test_a_deadline_of_never_is_no_timer():
    timers = Timers()
    timers.set("a", 10, lambda: None)
    timers.set("a", NEVER, lambda: None)
    assert timers.next == NEVER
    assert timers.pop(NEVER - 1) is None


def test_timers_that_are_set_again_and_again_do_not_pile_up():
    done: list[str] = []
    timers = Timers()
    timers.set("first", 1, lambda: done.append("first"))
    for deadline in range(2, 10_000):
        timers.set("again", deadline, lambda deadline=deadline: done.append(f"at {deadline}"))
    assert len(timers._heap) <= 68
    run(timers, 9_999)
    assert done == ["first", "at 9999"]
