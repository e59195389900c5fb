"""A flood is one heap entry where its copies arrive together, and nobody can tell."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions import timeline
from sim.faults import Duplication, Jitter, Loss
from sim.network import Network
from sim.node import Node, Port
from sim.nodes.softether.egress import carry_each
from sim.nodes.softether.server import SoftEtherServer
from sim.observers import Moment
from sim.probes import Digest
from tests.sim.networks import GIGABIT, NANOBYTE, Listener, Record, around, station_mac
from tests.sim.test_ledger import FAULTS, a_mixed_network, the_timeline
from virtualtap.units import MS, US
from virtualtap.wire.address import BROADCAST

FRAME = (BROADCAST + station_mac(1) + b"\x88\xb5").ljust(60, b"x")


def one_by_one(network: Network) -> Network:
    """The same network, where every copy has a heap entry of its own."""
    network.flood = carry_each  # type: ignore[method-assign]  # what `flood` must be equal to
    return network


def both_ways(make: Callable[[], Network], until: int) -> list[tuple[list[Moment], Network]]:
    told = []
    for network in (make(), one_by_one(make())):
        watch = Record()
        network.observers.append(watch)
        network.run(until)
        assert network.ledger() == []
        told.append((watch.moments, network))
    return told


def a_crowd(count: int, **settings: int) -> Network:
    """A hub in whose sessions one says something every 100 µs, three times."""
    network, listeners = around(SoftEtherServer("hub"), count, **settings)
    for i in range(3):
        listeners[i].say_at(i * 100 * US, FRAME[:6] + station_mac(i) + FRAME[12:])
    return network


def test_copies_over_equal_links_are_one_entry():
    network = a_crowd(1001, rate=GIGABIT, delay=5 * US)
    network.run(1 * MS)
    said, to_the_hub, floods = 3, 3, 3
    assert network.crossings() == to_the_hub + 3 * 1000
    assert network.events() == said + to_the_hub + floods
    assert network.ledger() == []


@pytest.mark.slow
def test_the_digest_of_a_thousand_sessions_is_that_of_single_copies():
    digests, events = [], []
    for network in (a_crowd(1000, rate=GIGABIT), one_by_one(a_crowd(1000, rate=GIGABIT))):
        digest = Digest(0)
        network.observers.append(digest)
        network.run(1 * MS)
        digests.append(digest.value())
        events.append(network.events())
    assert digests[0] == digests[1]
    assert events == [9, 3 + network.crossings()]


WORDS = st.tuples(
    st.integers(0, 60 * MS),
    st.sampled_from(("down", "up", "crash", "restart", "begin", "end")),
    st.integers(0, 12),
)
LINKS = st.fixed_dictionaries(
    {
        "rate": st.sampled_from((None, 10**7, GIGABIT)),
        "delay": st.sampled_from((0, 5 * US, 3 * MS)),
        "queue": st.sampled_from((None, 500)),
        "faults": st.lists(FAULTS, max_size=1).map(tuple),
    }
)


@pytest.mark.slow
@given(
    settings=st.lists(LINKS, min_size=1, max_size=2).map(lambda some: (some * 4)[:4]),
    words=st.lists(WORDS, max_size=5),
    seed=st.integers(0, 99),
)
def test_no_observer_can_tell_whatever_befalls_the_links(settings, words, seed):
    def make() -> Network:
        network = a_mixed_network(seed, SoftEtherServer, settings)
        timeline.arm(network, the_timeline(network, words))
        return network

    (together, one), (alone, other) = both_ways(make, 100 * MS)
    assert together == alone
    assert one.crossings() == other.crossings()
    assert one.events() <= other.events()


def test_copies_that_arrive_at_other_times_are_other_entries():
    def make() -> Network:
        network = Network()
        server = network.add(SoftEtherServer("hub"))
        one = network.add(Listener("x1"))
        network.connect(one.port, server.session())
        for i, delay in enumerate((5, 5, 9, 9, 5), 2):
            network.connect(network.add(Listener(f"x{i}")).port, server.session(), delay=delay)
        one.say_at(0, FRAME)
        return network

    (together, network), (alone, _) = both_ways(make, 100)
    assert together == alone
    assert network.events() == 2 + 3  # said, heard, and 5 5, 9 9, 5


def test_a_copy_with_faults_is_an_entry_of_its_own_and_keeps_its_place():
    def make() -> Network:
        network, _ = around(SoftEtherServer("hub"), 9, delay=5)
        network.links[4].faults = (Duplication(1.0),)
        network.links[6].faults = (Loss(1.0),)
        network.links[7].faults = (Jitter(0),)
        listener = network.nodes["x1"]
        assert isinstance(listener, Listener)
        listener.say_at(0, FRAME)
        return network

    (together, network), (alone, _) = both_ways(make, 100)
    assert together == alone
    assert network.events() == 2 + 1 + 2 + 1 + 1 + 1  # x2 to x4, x5 twice, x6, x8, x9


def test_a_copy_that_finds_the_links_queue_full_is_lost_and_the_others_are_one_entry():
    def make() -> Network:
        network, listeners = around(SoftEtherServer("hub"), 5, rate=NANOBYTE, queue=100)
        listeners[0].say_at(0, FRAME)
        listeners[1].say_at(0, FRAME[:6] + station_mac(2) + FRAME[12:])
        listeners[2].say_at(0, FRAME[:6] + station_mac(3) + FRAME[12:])
        listeners[3].say_at(0, FRAME[:6] + station_mac(4) + FRAME[12:])
        return network

    (together, network), (alone, _) = both_ways(make, 1000)
    assert together == alone
    assert network.drops() == {"link-queue": 6}  # two on the way to x5, one to each of the others


class Saboteur(Node):
    """Does something when a frame arrives."""

    def __init__(self, name: str, act: Callable[[], None]) -> None:
        super().__init__(name)
        self.port = self.add_port("p")
        self._act = act

    def receive(self, port: Port, data: bytes) -> None:
        self.fates.consumed += 1
        self._act()


def a_crowd_with(act: Callable[[Network], None]) -> Callable[[], Network]:
    """Six sessions; who is in the third does something when the flood comes."""

    def make() -> Network:
        network, (one, _) = around(SoftEtherServer("hub"), 2, delay=5)
        server = network.nodes["hub"]
        assert isinstance(server, SoftEtherServer)
        third = network.add(Saboteur("x3", lambda: act(network)))
        others = [third, *(network.add(Listener(f"x{i}")) for i in (4, 5, 6))]
        for other in others:
            network.connect(other.port, server.session(), delay=5)
        one.say_at(0, FRAME)
        return network

    return make


def test_a_link_that_goes_down_among_the_arrivals_loses_the_copy_on_it():
    make = a_crowd_with(lambda network: network.links[4].set_up(False))
    (together, network), (alone, _) = both_ways(make, 100)
    assert together == alone
    assert network.drops() == {"link-down": 1}


def test_a_link_that_goes_down_before_loses_its_copy_and_the_others_arrive():
    def make() -> Network:
        network = a_crowd_with(lambda network: None)()
        timeline.arm(network, [(7, timeline.Down(link)) for link in network.links[1:6:2]])
        return network

    (together, network), (alone, _) = both_ways(make, 100)
    assert together == alone
    assert network.drops() == {"link-down": 3}


def test_when_every_link_goes_down_nothing_is_left_in_the_heap():
    def make() -> Network:
        network = a_crowd_with(lambda network: None)()
        timeline.arm(network, [(7, timeline.Down(link)) for link in network.links])
        return network

    (together, network), (alone, other) = both_ways(make, 100)
    assert together == alone
    assert network.events() == other.events() == 2 + 6


def test_a_process_that_an_arrival_starts_runs_before_the_next_copy():
    def begin(network: Network) -> None:
        def process():
            network.note("process", "runs")
            yield network.timeout(0)
            network.note("process", "ends")

        network.process(process())

    (together, _), (alone, _) = both_ways(a_crowd_with(begin), 100)
    assert together == alone
    assert [moment.where for moment in together if moment.at == 10] == [
        *("x2.p", "x3.p", "process", "x4.p", "x5.p", "x6.p", "process"),
    ]


def test_the_ledger_balances_among_the_arrivals():
    seen: list[list[str]] = []
    network = a_crowd_with(lambda network: seen.append(network.ledger()))()
    network.run(100)
    assert seen == [[]]


def test_limits_and_progress_are_looked_at_as_often_as_for_single_copies():
    looks: list[int] = []
    network, listeners = around(SoftEtherServer("hub"), 1001)
    listeners[0].say_at(0, *[FRAME] * 40)
    network.run(1 * MS, lambda: looks.append(network.work()))
    alone, listeners = around(SoftEtherServer("hub"), 1001)
    one_by_one(alone)
    listeners[0].say_at(0, *[FRAME] * 40)
    alone.run(1 * MS)
    assert len(looks) == 4
    assert network.work() == alone.work() == alone.events()
