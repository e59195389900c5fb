"""A burst of more than 128 frames comes in parts, 256 ms apart, unless a later frame follows."""

import pytest

from sim.network import Network
from sim.nodes.softether.constants import Strategy
from sim.nodes.softether.server import SoftEtherServer
from tests.sim.networks import NANOBYTE, Listener
from tests.sim.nodes.softether.hubs import sent
from virtualtap.units import MS, SECOND

FRAMES = [sent()[:-2] + i.to_bytes(2) for i in range(2000)]


def a_server(
    strategy: Strategy = Strategy.PERFORMANCE, **settings: int | None
) -> tuple[Network, Listener, Listener]:
    network = Network()
    server = network.add(SoftEtherServer("hub", strategy, turns=True))
    one, two = network.add(Listener("one")), network.add(Listener("two"))
    network.connect(one.port, server.session())
    network.connect(two.port, server.session(), queue=None, **settings)
    return network, one, two


def parts(listener: Listener) -> list[tuple[int, int]]:
    """(when in ms, how many)."""
    times = [at // MS for at in listener.times()]
    return [(at, times.count(at)) for at in dict.fromkeys(times)]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (128, [(0, 128)]),
        (129, [(0, 128), (256, 1)]),
        (300, [(0, 128), (256, 128), (512, 44)]),
        (500, [(0, 128), (256, 128), (512, 128), (768, 116)]),
    ],
)
def test_a_burst_comes_in_parts_of_128(count: int, expected: list[tuple[int, int]]):
    network, one, two = a_server()
    one.say_at(0, *FRAMES[:count])
    network.run(2 * SECOND)
    assert parts(two) == expected
    assert two.frames() == FRAMES[:count]
    assert network.ledger() == []


def test_a_later_frame_wakes_the_loop():
    network, one, two = a_server()
    one.say_at(0, *FRAMES[:200])
    one.say_at(20 * MS, FRAMES[200])
    network.run(2 * SECOND)
    assert parts(two) == [(0, 128), (20, 73)]
    assert two.frames() == FRAMES[:201]


def test_frames_that_do_not_come_at_once_never_wait():
    network, one, two = a_server()
    for i in range(400):
        one.say_at(i * 100, FRAMES[i])
    network.run(2 * SECOND)
    assert two.times() == [i * 100 for i in range(400)]


def test_1024_wait_and_the_next_is_dropped():
    network, one, two = a_server()
    one.say_at(0, *FRAMES)
    network.run(10 * SECOND)
    assert two.frames() == FRAMES[: 128 + 1024]
    assert network.drops() == {"session-queue": 2000 - 128 - 1024}
    assert network.ledger() == []


def test_what_waits_for_the_link_counts_too():
    network, one, _ = a_server(Strategy.LOW_MEMORY, rate=NANOBYTE // 10**9)
    for i in range(500):
        one.say_at(i, FRAMES[i])
    network.run(1 * SECOND)
    assert network.drops() == {"session-queue": 500 - 385}


def test_a_crash_forgets_what_waits():
    network, one, two = a_server()
    one.say_at(0, *FRAMES[:300])
    network.call_at(10 * MS, network.crash, network.nodes["hub"])
    network.call_at(20 * MS, network.restart, network.nodes["hub"])
    network.run(2 * SECOND)
    assert parts(two) == [(0, 128)]
    assert network.ledger() == []
