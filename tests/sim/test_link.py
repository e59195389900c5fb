"""Links: serialisation, queue, delay, faults, up and down, and books that balance at any time."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import timeline
from sim.faults import BitFlip, Duplication, Jitter, Loss, Reordering, Truncation
from sim.network import Network
from sim.node import Node
from sim.nodes.host import L3Host
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind
from sim.traffic import DatagramStream, Ping, Timing
from tests.sim.networks import GIGABIT, NANOBYTE, Listener, Record, a_wire, addresses
from virtualtap import TapConfig
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


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=40), st.integers(0, 5000))
def test_the_queue_is_counted_in_bytes(lengths: list[int], queue: int):
    network, a, b, link = a_wire(rate=NANOBYTE, queue=queue)
    a.say_at(0, *(bytes(length) for length in lengths))
    network.run(1 * SECOND)
    waiting, accepted = 0, []
    for length in lengths:
        if waiting <= queue:
            accepted.append(length)
            waiting += length
    assert [len(frame) for frame in b.frames()] == accepted
    assert link.directions[0].lost.get("link-queue", 0) == len(lengths) - len(accepted)


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


# the books

FAULTS = st.one_of(
    st.builds(Loss, st.sampled_from((0.1, 0.5, 1.0))),
    st.builds(Jitter, st.integers(0, 5 * MS)),
    st.builds(Duplication, st.sampled_from((0.1, 0.5))),
    st.builds(Reordering, st.sampled_from((0.1, 0.5)), st.integers(0, 5 * MS)),
    st.builds(BitFlip, st.sampled_from((0.1, 0.9))),
    st.builds(Truncation, st.sampled_from((0.1, 0.9))),
)
SETTINGS = st.fixed_dictionaries(
    {
        "rate": st.sampled_from((None, 100_000, 10**7, GIGABIT)),
        "delay": st.sampled_from((0, 5 * US, 3 * MS)),
        "queue": st.sampled_from((None, 0, 500, 10_000)),
        "faults": st.lists(FAULTS, max_size=3).map(tuple),
    }
)


def a_mixed_network(
    seed: int, middle: Callable[[str], Node], settings: list[dict[str, object]]
) -> Network:
    """Two hosts behind taps and two stations on one bridge, all talking to the next."""
    network = Network(seed)
    bridge = network.add(middle("bridge"))
    assert isinstance(bridge, Switch | SoftEtherServer)
    make_port = bridge.port if isinstance(bridge, Switch) else bridge.session
    ends: list[L3Host | Station] = []
    for i in (1, 2):
        own = addresses(i)
        host = network.add(L3Host(f"h{i}", own.ip, 24, own.ip6))
        config = TapConfig(our_mac=own.mac, our_ip=own.ip, our_ip6=own.ip6, held_packets_max=2)
        tap = network.add(VirtualTapNode(f"tap{i}", config))
        network.connect(host.uplink, tap.host)
        network.connect(tap.lan, make_port(), **settings[i - 1])
        ends.append(host)
    for i in (3, 4):
        station = network.add(Station(f"s{i}", addresses(i)))
        network.connect(station.port, make_port(), **settings[i - 1])
        ends.append(station)
    for number, sender in enumerate(ends):
        pair, family = (sender, ends[(number + 1) % 4]), 4 + 2 * (number % 2)
        every = Timing(3 * MS, number * MS, 60 * MS, 2)
        DatagramStream(network, number, pair, every, size=100, family=family).start()
        Ping(network, number, pair, Timing(7 * MS, 0, 60 * MS), family=10 - family).start()
    return network


def the_timeline(network: Network, words: list[tuple[int, str, int]]) -> timeline.Timeline:
    nodes, links = list(network.nodes.values()), network.links
    make: dict[str, Callable[[int], timeline.Happening]] = {
        "down": lambda i: timeline.Down(links[i % len(links)]),
        "up": lambda i: timeline.Up(links[i % len(links)]),
        "crash": lambda i: timeline.Crash(nodes[i % len(nodes)]),
        "restart": lambda i: timeline.Restart(nodes[i % len(nodes)]),
        "begin": lambda i: timeline.Begin(links[i % len(links)], Loss(0.5)),
        "end": lambda i: timeline.End(links[i % len(links)], "loss"),
    }
    return [(at, make[what](i)) for at, what, i in words]


HAPPENINGS = st.lists(
    st.tuples(
        st.integers(0, 60 * MS),
        st.sampled_from(("down", "up", "crash", "restart", "begin", "end")),
        st.integers(0, 20),
    ),
    max_size=8,
)


@pytest.mark.slow
@given(
    seed=st.integers(0, 1000),
    middle=st.sampled_from((Switch, SoftEtherServer)),
    settings=st.lists(SETTINGS, min_size=4, max_size=4),
    words=HAPPENINGS,
    looks=st.lists(st.integers(0, 70 * MS), max_size=6),
    watched=st.booleans(),
)
def test_the_ledger_balances_whenever_it_is_asked_for(
    seed: int,
    middle: Callable[[str], Node],
    settings: list[dict[str, object]],
    words: list[tuple[int, str, int]],
    looks: list[int],
    watched: bool,
):
    network = a_mixed_network(seed, middle, settings)
    network.observers += [Record()] * watched
    timeline.arm(network, the_timeline(network, words))
    found: list[list[str]] = []
    for at in looks:
        network.call_at(at, lambda _: found.append(network.ledger()), None)
    for until in sorted((*looks, 70 * MS, 5 * SECOND)):
        network.run(until)
        assert network.ledger() == []
    assert found == [[]] * len(looks)


def test_the_ledger_says_where_the_books_do_not_balance():
    network, a, b, link = a_wire(delay=10)
    a.say_at(0, FRAME)
    network.run(5)
    assert network.ledger() == []  # one is in flight
    link.directions[0].sent += 1
    b.fates.held += 1
    first, *rest = network.ledger()
    assert first == ("a.p to b.p: sent 2 + duplicated 0 is not arrived 0 + lost {} + in flight 1")
    assert [line.split(":")[0] for line in rest] == ["a", "b", "b"]


def test_a_listener_alone_hears_nothing():
    network = Network()
    alone = network.add(Listener("alone"))
    network.run(1 * SECOND)
    assert (alone.heard, network.crossings(), network.ledger()) == ([], 0, [])
