"""The network: one heap for frames, timers and SimPy's processes, in time order."""

from collections.abc import Generator
from typing import Any

import pytest
import simpy

from sim.network import Network
from sim.node import Medium, Node
from sim.observers import Kind, Observer
from tests.sim.networks import Listener, Record, a_wire
from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND

FRAME = bytes(60)
Process = Generator[simpy.Event, Any, Any]


# time


def test_until_is_exclusive():
    network, a, b, _ = a_wire(delay=10)
    a.say_at(0, FRAME)
    network.run(10)
    assert (network.now, b.heard) == (10, [])
    network.run(11)
    assert (network.now, b.heard) == (11, [(10, FRAME)])


def test_run_again_goes_on_where_it_ended():
    def times(*stops: int) -> list[int]:
        network, a, b, _ = a_wire(rate=10**8, delay=3)
        for at in range(0, 50_000, 7000):
            a.say_at(at, FRAME)
        for stop in stops:
            network.run(stop)
        return b.times()

    assert times(60_000) == times(1, 1, 7000, 7001, 30_000, 60_000)


def test_time_stands_at_until_though_nothing_is_left_to_do():
    network = Network()
    network.run(5 * SECOND)
    assert network.now == 5 * SECOND


def test_the_past_cannot_be_run():
    network = Network()
    network.run(10)
    with pytest.raises(UsageError, match="the network is at 10 ns already, `until` is 9"):
        network.run(9)


@pytest.mark.parametrize("until", [1.0, 1e9, "1s", None])
def test_until_is_an_integer(until: Any):
    with pytest.raises(UsageError, match="`until` is integer nanoseconds, got"):
        Network().run(until)


def test_what_is_due_at_one_instant_happens_in_the_order_of_scheduling():
    network = Network()
    order: list[int] = []
    for i in (3, 1, 2):
        network.call_at(5, order.append, i)
    network.call_at(4, order.append, 0)
    network.run(6)
    assert order == [0, 3, 1, 2]


def test_a_look_now_and_then_may_end_a_run_where_it_stands():
    network = Network()

    def again(_: None) -> None:
        network.call_at(network.now + 1, again, None)

    def stop() -> None:
        raise InterruptedError

    network.call_at(0, again, None)
    with pytest.raises(InterruptedError):
        network.run(1 * SECOND, stop)
    stood = network.now
    assert 0 < stood < 1 * MS
    network.run(stood + 5)
    assert network.now == stood + 5


# building


def test_a_name_is_given_once():
    network = Network()
    network.add(Listener("a"))
    with pytest.raises(UsageError, match="there is a node `a` already"):
        network.add(Listener("a"))


def test_unlike_media_are_not_connected():
    network = Network()
    a, b = network.add(Listener("a")), network.add(Listener("b", Medium.IP))
    with pytest.raises(UsageError, match=r"`a\.p` carries ethernet and `b\.p` ip") as caught:
        network.connect(a.port, b.port)
    assert caught.value.hint == "a tap stands between the two"
    assert (network.links, a.port.out, b.port.out) == ([], None, None)


def test_a_port_is_connected_once():
    network, a, _, _ = a_wire()
    c = network.add(Listener("c"))
    for ends in ((a.port, c.port), (c.port, a.port)):
        with pytest.raises(UsageError, match=r"port `a\.p` is connected already"):
            network.connect(*ends)
    assert len(network.links) == 1


def test_a_port_that_is_not_connected_cannot_send():
    network = Network()
    a = network.add(Listener("a"))
    with pytest.raises(UsageError, match=r"port `a\.p` is not connected"):
        a.port.send(FRAME)


def test_a_node_belongs_to_a_network():
    with pytest.raises(AttributeError, match="network"):
        _ = Listener("a").network


# counts


def test_events_counts_what_happened():
    network, a, b, _ = a_wire(delay=4)
    assert network.events() == 0
    a.say_at(1, FRAME)
    a.say_at(50, FRAME)
    assert network.events() == 0
    network.run(3)
    assert network.events() == 1
    network.run(40)
    assert (network.events(), network.events()) == (2, 2)
    network.run(100)
    assert (network.events(), len(b.heard)) == (4, 2)


def test_events_counts_simpy_events_too():
    network = Network()

    def wait() -> Process:
        yield network.timeout(5)

    network.process(wait())
    network.run(100)
    assert network.events() == 3  # the process begins, its time-out, it ends


def test_what_was_cancelled_never_happened():
    network, a, b, link = a_wire(delay=10)
    a.say_at(0, FRAME)
    network.run(5)
    link.set_up(False)
    network.run(100)
    assert (network.events(), b.heard) == (1, [])


def test_cancel_gives_back_what_was_to_come_the_earliest_first():
    network = Network()
    done: list[int] = []
    other: list[int] = []
    act, keep = done.append, other.append
    for at in (5, 3, 4, 3):
        network.call_at(at, act, at)
        network.call_at(at, keep, at)
    assert network.cancel(act) == [3, 3, 4, 5]
    network.run(10)
    assert (done, other, network.events()) == ([], [3, 3, 4, 5], 4)


# observers


class Ends(Observer):
    """When it was told that the run has ended."""

    def __init__(self) -> None:
        self.at: list[int] = []

    def finish(self, now: int) -> None:
        self.at.append(now)


def test_observers_are_told_that_the_run_has_ended():
    network, ends = Network(), Ends()
    network.observers.append(ends)
    network.run(7)
    assert ends.at == []
    network.finish()
    assert ends.at == [7]


def test_every_observer_sees_every_moment():
    network, a, _, _ = a_wire(delay=3)
    one, other = Record(), Record()
    network.observers += [one, other]
    a.say_at(2, FRAME)
    network.run(10)
    network.note("a", "a fact")
    assert one.moments == other.moments
    assert one.moments == [
        (2, Kind.SENT, "a.p", FRAME, ""),
        (5, Kind.ARRIVED, "b.p", FRAME, ""),
        (10, Kind.NOTED, "a", b"", "a fact"),
    ]


def test_an_observer_may_come_between_two_runs():
    network, a, _, _ = a_wire(delay=3)
    a.say_at(2, FRAME)
    a.say_at(12, FRAME)
    network.run(10)
    late = Record()
    network.observers.append(late)
    network.run(20)
    assert [moment.at for moment in late.moments] == [12, 15]


def test_without_observers_facts_are_not_kept():
    network = Network()
    network.note("a", "a fact")
    assert not network.watched


# nodes


def test_a_kind_of_node_says_what_it_does_with_frames():
    with pytest.raises(NotImplementedError):
        Node("a").receive(Listener("b").port, FRAME)


def test_crossings_and_drops_are_counted_without_observers():
    network, a, b, link = a_wire()
    a.say_at(0, FRAME)
    b.say_at(0, FRAME)
    network.run(1)
    link.set_up(False)
    a.say_at(1, FRAME)
    network.crash(b)
    network.run(2)
    link.set_up(True)
    a.say_at(2, FRAME)
    network.run(3)
    assert network.crossings() == 3
    assert network.drops() == {"link-down": 1, "node-down": 1}
