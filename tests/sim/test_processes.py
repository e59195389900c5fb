"""A user's ordinary SimPy processes run among the frames, in time order."""

from collections.abc import Generator
from typing import Any

import pytest
import simpy

from sim.network import Network
from tests.sim.networks import a_wire
from virtualtap.errors import UsageError
from virtualtap.units import SECOND

FRAME = bytes(60)
Process = Generator[simpy.Event, Any, Any]


def test_a_process_runs_among_the_frames_in_time_order():
    network, a, b, _ = a_wire(delay=10)
    seen: list[tuple[int, int]] = []

    def watch() -> Process:
        for _ in range(4):
            yield network.timeout(5)
            seen.append((network.now, len(b.heard)))

    network.process(watch())
    a.say_at(2, FRAME)  # arrives at 12
    network.run(100)
    assert seen == [(5, 0), (10, 0), (15, 1), (20, 1)]


def test_a_process_may_send_frames():
    network, a, b, _ = a_wire(delay=1)

    def speak() -> Process:
        for _ in range(3):
            yield network.timeout(100)
            a.say(FRAME)

    network.process(speak())
    network.run(1000)
    assert b.times() == [101, 201, 301]


def test_a_timeout_comes_where_its_instant_was_scheduled():
    network = Network()
    order: list[str] = []

    def wait(name: str) -> Process:
        yield network.timeout(5)
        order.append(name)

    network.call_at(5, order.append, "before")
    network.process(wait("process"))
    network.call_at(5, order.append, "after")  # the process begins when the run does
    network.run(6)
    assert order == ["before", "after", "process"]


def test_a_process_hands_its_value_to_the_one_that_waits_for_it():
    network = Network()
    got: list[tuple[int, str]] = []

    def work() -> Process:
        yield network.timeout(7)
        return "done"

    def wait() -> Process:
        value = yield network.process(work())
        got.append((network.now, value))

    network.process(wait())
    network.run(100)
    assert got == [(7, "done")]


def test_a_process_can_be_interrupted():
    network = Network()
    got: list[tuple[int, object]] = []

    def sleep() -> Process:
        try:
            yield network.timeout(1 * SECOND)
        except simpy.Interrupt as interrupt:
            got.append((network.now, interrupt.cause))

    sleeper = network.process(sleep())
    network.call_at(30, sleeper.interrupt, "wake up")
    network.run(100)
    assert got == [(30, "wake up")]


def test_an_event_wakes_all_who_wait_for_it():
    network, a, b, _ = a_wire(delay=4)
    arrival = network.event()
    woken: list[tuple[str, int, object]] = []

    def wait(name: str) -> Process:
        value = yield arrival
        woken.append((name, network.now, value))

    for name in ("one", "two"):
        network.process(wait(name))
    network.call_at(20, arrival.succeed, "now")
    a.say_at(17, FRAME)
    network.run(100)
    assert woken == [("one", 20, "now"), ("two", 20, "now")]
    assert b.times() == [21]


def test_any_of_and_all_of_wait_for_the_first_and_the_last():
    network = Network()
    ends: dict[str, int] = {}

    def wait(name: str) -> Process:
        both = [network.timeout(5), network.timeout(9)]
        yield network.any_of(both) if name == "any" else network.all_of(both)
        ends[name] = network.now

    network.process(wait("any"))
    network.process(wait("all"))
    network.run(100)
    assert ends == {"any": 5, "all": 9}


def test_a_store_passes_things_between_processes():
    network = Network()
    store = simpy.Store(network, capacity=1)
    got: list[tuple[int, int]] = []

    def put() -> Process:
        for i in range(3):
            yield store.put(i)

    def take() -> Process:
        while True:
            yield network.timeout(10)
            item = yield store.get()
            got.append((network.now, item))

    network.process(put())
    network.process(take())
    network.run(100)
    assert got == [(10, 0), (20, 1), (30, 2)]


def test_an_exception_in_a_process_ends_the_run():
    network = Network()

    def fail() -> Process:
        yield network.timeout(3)
        raise ZeroDivisionError("three")

    network.process(fail())
    with pytest.raises(ZeroDivisionError, match="three"):
        network.run(100)
    assert network.now == 3


def test_a_process_that_waits_for_a_failed_one_may_catch_it():
    network = Network()
    caught: list[str] = []

    def fail() -> Process:
        yield network.timeout(3)
        raise ZeroDivisionError("three")

    def wait() -> Process:
        try:
            yield network.process(fail())
        except ZeroDivisionError as error:
            caught.append(str(error))

    network.process(wait())
    network.run(100)
    assert caught == ["three"]


@pytest.mark.parametrize("delay", [0.5, 1.0, 1e9])
def test_a_timeout_is_an_integer(delay: float):
    with pytest.raises(UsageError, match="time is integer nanoseconds, got"):
        Network().timeout(delay)


def test_one_thing_at_a_time_as_in_simpy():
    network, a, b, _ = a_wire(delay=4)
    a.say_at(2, FRAME)
    assert network.peek() == 2
    network.step()
    assert (network.now, network.peek()) == (2, 6)
    network.step()
    assert (network.now, network.peek()) == (6, simpy.core.Infinity)
    assert b.heard == [(6, FRAME)]
    with pytest.raises(simpy.core.EmptySchedule):
        network.step()
