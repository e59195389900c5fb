"""Crash and restart, link down and up, a fault begins and ends: at their times."""

from sim.actions import timeline
from sim.faults import Duplication, Loss
from sim.nodes.switch import Switch
from sim.observers import Kind
from tests import builders as b
from tests.sim.networks import (
    Record,
    a_lan,
    a_station_and_a_listener,
    a_wire,
    around,
    datagram,
    echo,
    station_mac,
)
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST

FRAME = bytes(60)


def test_a_crashed_node_refuses_frames_as_node_down():
    network, a, listener, _ = a_wire()
    watch = Record()
    network.observers.append(watch)
    timeline.arm(network, [(10, timeline.Crash(listener)), (20, timeline.Restart(listener))])
    for at in (9, 10, 19, 20):
        a.say_at(at, FRAME)
    network.run(100)
    assert listener.times() == [9, 20]
    assert listener.fates.dropped == {"node-down": 2}
    assert watch.of(Kind.DROPPED, "b.p") == [FRAME] * 2
    assert network.ledger() == []


def test_a_frame_in_flight_reaches_a_node_that_has_crashed_and_is_refused():
    network, a, listener, _ = a_wire(delay=100)
    a.say_at(0, FRAME)
    timeline.arm(network, [(50, timeline.Crash(listener))])
    network.run(200)
    assert (listener.heard, network.drops(), network.crossings()) == ([], {"node-down": 1}, 1)


def test_a_crashed_switch_has_forgotten_whom_it_knew():
    network, (one, two, three) = around(Switch("sw"), 3)
    switch = network.nodes["sw"]
    first, second = station_mac(1), station_mac(2)
    one.say_at(1, b.frame(b.packet(), BROADCAST, first))
    two.say_at(2, b.frame(b.packet(), first, second))
    network.run(3)
    assert (len(one.heard), len(three.heard)) == (1, 1)
    timeline.arm(network, [(10, timeline.Crash(switch)), (11, timeline.Restart(switch))])
    two.say_at(12, b.frame(b.packet(), first, second))
    network.run(20)
    assert (len(one.heard), len(three.heard)) == (2, 2)  # flooded again


def test_a_crashed_station_has_forgotten_its_neighbors():
    network, (one, two) = a_lan(2)
    for at in (0, 10, 30):
        network.call_at(at, one.stack.transmit, datagram(one.stack.ip, two.stack.ip))
    watch = Record()
    network.observers.append(watch)
    timeline.arm(network, [(20, timeline.Crash(one)), (21, timeline.Restart(one))])
    network.run(100)
    kinds = [frame[12:14] for frame in watch.of(Kind.SENT, "s1.eth0")]
    arp, ipv4 = b"\x08\x06", b"\x08\x00"
    assert kinds == [arp, ipv4, ipv4, arp, ipv4]


def test_the_timers_of_a_crashed_node_do_not_fire():
    network, station, listener = a_station_and_a_listener()
    network.call_at(0, station.stack.transmit, datagram(station.stack.ip, b.PEER))
    timeline.arm(
        network, [(1500 * MS, timeline.Crash(station)), (1600 * MS, timeline.Restart(station))]
    )
    network.run(10 * SECOND)
    assert listener.times() == [0, 1 * SECOND]  # asked twice, and never again
    assert station.fates.dropped == {}  # what waited is gone with the rest


def test_a_timer_set_after_the_restart_fires():
    network, _, listener, _ = a_wire()
    fired: list[int] = []

    def arm(_: None) -> None:
        listener.call_at(network.now + 50, lambda: fired.append(network.now))

    for at in (0, 30):
        network.call_at(at, arm, None)
    timeline.arm(network, [(10, timeline.Crash(listener)), (20, timeline.Restart(listener))])
    network.run(100)
    assert fired == [80]


def test_a_crashed_station_says_nothing():
    network, station, listener = a_station_and_a_listener()
    timeline.arm(network, [(0, timeline.Crash(station))])
    network.call_at(5, station.stack.transmit, echo(station.stack.ip, b.PEER))
    network.run(10 * SECOND)
    assert (listener.heard, network.ledger()) == ([], [])


def test_a_link_goes_down_and_comes_up():
    network, a, listener, link = a_wire()
    timeline.arm(network, [(10, timeline.Down(link)), (20, timeline.Up(link))])
    for at in (9, 10, 19, 20):
        a.say_at(at, FRAME)
    network.run(100)
    assert (listener.times(), network.drops()) == ([9, 20], {"link-down": 2})


def test_a_fault_begins_and_ends_among_the_others():
    network, a, listener, link = a_wire(faults=(Duplication(1.0),))
    timeline.arm(network, [(10, timeline.Begin(link, Loss(1.0))), (20, timeline.End(link, "loss"))])
    for at in (9, 10, 19, 20):
        a.say_at(at, FRAME)
    network.run(15)
    assert link.faults == (Duplication(1.0), Loss(1.0))
    network.run(100)
    assert link.faults == (Duplication(1.0),)
    assert (listener.times(), network.drops()) == ([9, 9, 20, 20], {"link-loss": 4})


def test_the_end_of_a_fault_that_is_not_there_changes_nothing():
    network, _, _, link = a_wire(faults=(Duplication(1.0),))
    timeline.arm(network, [(1, timeline.End(link, "loss"))])
    network.run(10)
    assert link.faults == (Duplication(1.0),)


def test_all_that_happens_is_noted():
    network, _, listener, link = a_wire()
    watch = Record()
    network.observers.append(watch)
    timeline.arm(
        network,
        [
            (1, timeline.Down(link)),
            (2, timeline.Crash(listener)),
            (3, timeline.Begin(link, Loss(0.5))),
            (4, timeline.End(link, "loss")),
        ],
    )
    network.run(10)
    assert [(m.at, m.where, m.why) for m in watch.moments if m.kind is Kind.NOTED] == [
        (1, "down", "a--b"),
        (2, "crash", "b"),
        (3, "begin", "a--b Loss(probability=0.5)"),
        (4, "end", "a--b loss"),
    ]


def test_a_happening_comes_before_the_frames_of_its_instant():
    network, a, listener, link = a_wire(delay=10)
    timeline.arm(network, [(10, timeline.Down(link))])
    a.say_at(0, FRAME)
    network.run(100)
    assert (listener.heard, network.drops()) == ([], {"link-down": 1})


def test_a_node_that_comes_back_twice_is_up():
    network, a, listener, _ = a_wire()
    timeline.arm(
        network,
        [
            (1, timeline.Crash(listener)),
            (2, timeline.Crash(listener)),
            (3, timeline.Restart(listener)),
            (4, timeline.Restart(listener)),
        ],
    )
    a.say_at(5, FRAME)
    network.run(10)
    assert (listener.times(), listener.fates.dropped) == ([5], {})
