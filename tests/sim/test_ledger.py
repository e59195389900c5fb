"""Every frame is accounted for at any time: whatever is lost, held, crashed or cut off."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions import timeline
from sim.actions.traffic import DatagramStream, Ping, Timing
from sim.faults import BitFlip, Duplication, Jitter, Loss, Reordering, Truncation
from sim.network import Network
from sim.node import Node
from sim.nodes.host import L3Host
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.nodes.virtual_tap import VirtualTapNode
from tests.sim.networks import GIGABIT, Listener, Record, a_wire, addresses
from virtualtap import TapConfig
from virtualtap.units import MS, SECOND, US

FRAME = bytes(60)

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
