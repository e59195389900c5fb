"""Links: serialisation, queue, delay, faults, up and down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions import timeline
from sim.faults import Duplication, Jitter, Loss, Reordering
from sim.observers import Kind
from tests.sim.networks import GIGABIT, NANOBYTE, Record, a_wire
from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND, US

FRAME = bytes(60)


# when a frame arrives


@given(
    st.integers(1, 2000),
    st.integers(1, 10**12),
    st.integers(0, 10**9),
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_a_frame_takes_the_time_of_its_bits_rounded_up_and_the_delay(
    length: int, rate: int, delay: int, overhead: int, least: int
):
    network, a, b, _ = a_wire(rate=rate, delay=delay, overhead=overhead, least=least)
    a.say_at(0, bytes(length))
    bits = (max(length, least) + overhead) * 8
    expected = delay + (bits * SECOND + rate - 1) // rate
    network.run(expected)
    assert b.heard == []
    network.run(expected + 1)
    assert b.times() == [expected]


def test_the_shortest_frame_of_a_gigabit_lan_takes_672_ns():
    network, a, b, _ = a_wire(rate=GIGABIT, overhead=24, least=60)
    a.say_at(0, bytes(42))
    network.run(1 * MS)
    assert b.heard == [(672, bytes(42))]  # not padded: the wire only takes as long


def test_frames_of_one_instant_leave_one_behind_the_other():
    network, a, b, _ = a_wire(rate=NANOBYTE, delay=1000)
    a.say_at(0, bytes(60), bytes(100), bytes(14))
    network.run(1 * MS)
    assert b.heard == [(1060, bytes(60)), (1160, bytes(100)), (1174, bytes(14))]


def test_a_wire_that_came_free_starts_at_once():
    network, a, b, _ = a_wire(rate=NANOBYTE)
    a.say_at(0, FRAME)
    a.say_at(59, FRAME)
    a.say_at(500, FRAME)
    network.run(1 * MS)
    assert b.times() == [60, 120, 560]


def test_the_two_directions_are_independent():
    network, a, b, _ = a_wire(rate=NANOBYTE)
    a.say_at(0, FRAME)
    b.say_at(0, FRAME)
    network.run(1 * MS)
    assert (a.times(), b.times()) == ([60], [60])


def test_without_rate_and_delay_a_frame_arrives_the_same_instant_later_in_order():
    network, a, b, _ = a_wire()
    order: list[str] = []
    watch = Record()
    network.observers.append(watch)
    a.say_at(7, FRAME)
    network.call_at(7, order.append, "scheduled before the frame was sent")
    network.run(8)
    assert b.heard == [(7, FRAME)]
    assert [(m.at, m.kind, m.where) for m in watch.moments] == [
        (7, Kind.SENT, "a.p"),
        (7, Kind.ARRIVED, "b.p"),
    ]
    assert order == ["scheduled before the frame was sent"]


def test_a_frame_without_delay_comes_after_what_was_scheduled_for_its_instant():
    network, a, b, _ = a_wire()
    seen: list[int] = []
    a.say_at(7, FRAME)
    network.call_at(7, lambda _: seen.append(len(b.heard)), None)
    network.run(8)
    assert (seen, len(b.heard)) == ([0], 1)


# the queue


def test_what_finds_more_than_the_queue_waiting_is_dropped_at_the_tail():
    network, a, b, link = a_wire(rate=NANOBYTE, queue=100)
    a.say_at(0, *(bytes([i]) * 60 for i in range(4)))  # 0, 60 and 120 bytes wait
    network.run(1 * MS)
    assert [frame[0] for frame in b.frames()] == [0, 1]
    assert link.directions[0].lost == {"link-queue": 2}


@given(
    st.lists(st.integers(1, 1500) | st.just(100), min_size=1, max_size=40),
    st.integers(0, 5000) | st.sampled_from((100, 300)),
    st.booleans(),
)
def test_the_queue_is_counted_in_bytes(lengths: list[int], queue: int, watched: bool):
    network, a, b, link = a_wire(rate=NANOBYTE, queue=queue)
    network.observers += [Record()] * watched
    a.say_at(0, *(bytes(length) for length in lengths))
    network.run(1 * SECOND)
    waiting, accepted = 0, []
    for length in lengths:
        if waiting <= queue:
            accepted.append(length)
            waiting += length
    assert [len(frame) for frame in b.frames()] == accepted
    assert link.directions[0].lost.get("link-queue", 0) == len(lengths) - len(accepted)


@pytest.mark.parametrize("watched", [False, True])
def test_exactly_the_queue_may_wait(watched: bool):
    network, a, b, _ = a_wire(rate=NANOBYTE, queue=100)
    network.observers += [Record()] * watched
    a.say_at(0, bytes(100), bytes(100), bytes(100))
    network.run(1 * MS)
    assert b.times() == [100, 200]


def test_a_queue_drains_at_the_rate_of_the_wire():
    network, a, b, _ = a_wire(rate=NANOBYTE, queue=100)
    a.say_at(0, FRAME, FRAME)  # 120 ns to go
    a.say_at(19, FRAME)
    a.say_at(20, FRAME)
    network.run(1 * MS)
    assert b.times() == [60, 120, 180]  # only the one that found 100 bytes


def test_a_queue_without_bound_refuses_nothing():
    network, a, b, _ = a_wire(rate=NANOBYTE, queue=None)
    a.say_at(0, *([bytes(1500)] * 1000))
    network.run(1 * SECOND)
    assert len(b.heard) == 1000


def test_the_default_queue_is_256_kib():
    network, a, b, link = a_wire(rate=NANOBYTE)
    a.say_at(0, *([bytes(1024)] * 300))
    network.run(1 * SECOND)
    assert (len(b.heard), link.directions[0].lost) == (257, {"link-queue": 43})


# faults on the way


def test_reordering_swaps_two_frames():
    network, a, b, link = a_wire(rate=NANOBYTE, faults=(Reordering(1.0, 1000),))
    a.say_at(0, b"first" * 12)
    network.run(1)
    link.faults = ()
    a.say_at(1, b"later" * 12)
    network.run(1 * MS)
    assert b.heard == [(120, b"later" * 12), (1060, b"first" * 12)]


def test_a_duplicate_crosses_twice_and_is_counted():
    network, a, b, link = a_wire(delay=5, faults=(Duplication(1.0),))
    a.say_at(0, FRAME)
    network.run(1 * MS)
    way = link.directions[0]
    assert b.heard == [(5, FRAME), (5, FRAME)]
    assert (way.sent, way.duplicated, way.arrived) == (1, 1, 2)
    assert (network.crossings(), network.ledger()) == (2, [])


def test_loss_takes_the_share_it_says_and_is_told():
    network, a, b, link = a_wire(faults=(Loss(0.25),))
    watch = Record()
    network.observers.append(watch)
    for i in range(2000):
        a.say_at(i, FRAME)
    network.run(1 * MS)
    lost = link.directions[0].lost["link-loss"]
    assert abs(lost - 500) < 80
    assert len(b.heard) == 2000 - lost
    assert len(watch.of(Kind.DROPPED, "a.p")) == lost
    assert network.drops() == {"link-loss": lost}


def test_what_a_fault_lost_took_its_time_on_the_wire():
    network, a, b, link = a_wire(rate=NANOBYTE, faults=(Loss(1.0),))
    a.say_at(0, FRAME)
    network.run(1)
    link.faults = ()
    a.say_at(1, FRAME)
    network.run(1 * MS)
    assert b.times() == [120]


# up and down


def test_a_link_that_goes_down_loses_what_is_in_flight():
    network, a, b, link = a_wire(rate=NANOBYTE, delay=1000)
    watch = Record()
    network.observers.append(watch)
    a.say_at(0, b"1" * 60, b"2" * 60, b"3" * 60)
    timeline.arm(network, [(1100, timeline.Down(link))])
    network.run(1 * MS)
    assert b.heard == [(1060, b"1" * 60)]
    assert link.directions[0].lost == {"link-down": 2}
    assert watch.of(Kind.DROPPED) == [b"2" * 60, b"3" * 60]
    assert network.ledger() == []


def test_a_link_that_is_down_loses_all_that_is_sent():
    network, a, b, link = a_wire()
    link.set_up(False)
    a.say_at(0, FRAME)
    b.say_at(0, FRAME)
    network.run(1)
    assert (a.heard, b.heard) == ([], [])
    assert network.drops() == {"link-down": 2}


def test_a_link_that_comes_up_starts_with_a_free_wire():
    network, a, b, link = a_wire(rate=NANOBYTE)
    a.say_at(0, *([bytes(1000)] * 50))
    timeline.arm(network, [(10, timeline.Down(link)), (20, timeline.Up(link))])
    a.say_at(20, FRAME)
    network.run(1 * MS)
    assert b.heard == [(80, FRAME)]


# settings


def test_new_settings_hold_from_the_next_frame_on():
    network, a, b, link = a_wire(rate=NANOBYTE, delay=1000)
    a.say_at(0, FRAME)
    network.run(1)
    link.change(rate=NANOBYTE // 2, delay=10, overhead=20)
    a.say_at(1, FRAME)
    network.run(1 * MS)
    assert b.times() == [60 + 2 * 80 + 10, 1060]


def test_a_setting_that_is_not_given_stays():
    _, _, _, link = a_wire(rate=NANOBYTE, delay=1000, queue=77)
    link.change(rate=None, delay=5)
    assert (link.rate, link.delay, link.queue) == (NANOBYTE, 5, 77)


@pytest.mark.parametrize(
    "settings",
    [
        {"rate": 0},
        {"rate": -1},
        {"delay": -1},
        {"overhead": -1},
        {"least": -1},
        {"queue": -1},
    ],
)
def test_a_setting_below_zero_is_refused(settings: dict[str, int]):
    with pytest.raises(UsageError, match=r"`a\.p`, `b\.p`: rate, delay and sizes are positive"):
        a_wire(**settings)


def test_bits_on_the_wire_are_counted_while_a_run_is_watched():
    network, a, _, link = a_wire(rate=NANOBYTE, overhead=24, least=60)
    network.observers.append(Record())
    a.say_at(0, bytes(42), bytes(100))
    network.run(1 * MS)
    assert [way.bits for way in link.directions] == [(84 + 124) * 8, 0]


def test_observers_do_not_change_what_happens():
    def run(*observers: Record) -> tuple[list[tuple[int, bytes]], int]:
        settings = {"rate": GIGABIT, "delay": 5 * US, "queue": 5000}
        network, a, b, link = a_wire(seed=3, **settings, faults=(Loss(0.3), Jitter(700)))
        network.observers += observers
        for i in range(200):
            a.say_at(i * 400, bytes(60 + i))
        network.run(1 * MS)
        return b.heard, link.directions[0].lost["link-queue"]

    assert run() == run(Record())
