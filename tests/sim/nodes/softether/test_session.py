"""Egress of a session: a queue of 1024 or 384 frames, tail drop, no priority."""

import pytest

from sim.actions import timeline
from sim.network import Network
from sim.nodes.softether.constants import Strategy, constants
from sim.nodes.softether.server import SoftEtherServer
from tests.sim.networks import NANOBYTE, Listener, station_mac
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST

FRAME = (BROADCAST + station_mac(1) + b"\x88\xb5").ljust(100, b"x")


def a_slow_session(
    strategy: Strategy = Strategy.PERFORMANCE,
) -> tuple[Network, Listener, SoftEtherServer, Listener]:
    """A listener whose frames come at once, a hub, and one to whom a byte takes 1 ns."""
    network = Network()
    server = network.add(SoftEtherServer("hub", strategy))
    fast, slow = network.add(Listener("fast")), network.add(Listener("slow"))
    network.connect(fast.port, server.session())
    network.connect(slow.port, server.session(), rate=NANOBYTE, queue=None)
    return network, fast, server, slow


@pytest.mark.parametrize(
    ("strategy", "limit"), [(Strategy.PERFORMANCE, 1024), (Strategy.LOW_MEMORY, 384)]
)
def test_behind_the_frame_that_leaves_1024_or_384_wait_and_the_new_one_is_dropped(
    strategy: Strategy, limit: int
):
    network, fast, server, slow = a_slow_session(strategy)
    frames = [FRAME[:-2] + i.to_bytes(2) for i in range(limit + 10)]
    fast.say_at(0, *frames)
    network.run(1 * SECOND)
    assert limit == constants(strategy).MAX_STORED_QUEUE_NUM
    assert slow.frames() == frames[: limit + 1]
    assert (server.fates.dropped, server.fates.dropped_own) == ({"session-queue": 9}, 9)
    assert (server.fates.forwarded, server.fates.copies) == (limit + 10, limit + 1)
    assert network.ledger() == []


def test_a_place_comes_free_when_a_frame_leaves():
    network, fast, _, slow = a_slow_session(Strategy.LOW_MEMORY)
    fast.say_at(0, *[FRAME] * 385)  # one leaves, 384 wait
    fast.say_at(99, FRAME)
    fast.say_at(100, FRAME, FRAME)  # the first has left
    network.run(1 * SECOND)
    assert len(slow.heard) == 386


def test_a_session_without_a_rate_never_drops():
    network = Network()
    server = network.add(SoftEtherServer("hub", Strategy.LOW_MEMORY))
    one, two = network.add(Listener("one")), network.add(Listener("two"))
    for listener in (one, two):
        network.connect(listener.port, server.session())
    one.say_at(0, *[FRAME] * 5000)
    network.run(1)
    assert (len(two.heard), network.drops()) == (5000, {})


def test_what_a_link_lost_waits_no_longer():
    network, fast, _, slow = a_slow_session(Strategy.LOW_MEMORY)
    fast.say_at(0, *[FRAME] * 385)
    link = network.links[1]
    timeline.arm(network, [(10, timeline.Down(link)), (20, timeline.Up(link))])
    fast.say_at(30, *[FRAME] * 385)
    network.run(1 * SECOND)
    assert (len(slow.heard), network.drops()) == (385, {"link-down": 385})


def test_a_crashed_server_has_nothing_waiting():
    network, fast, server, slow = a_slow_session(Strategy.LOW_MEMORY)
    fast.say_at(0, *[FRAME] * 385)
    timeline.arm(network, [(10, timeline.Crash(server)), (20, timeline.Restart(server))])
    fast.say_at(30, *[FRAME] * 384)
    network.run(1 * SECOND)
    assert len(slow.heard) == 385 + 384  # what the wire had taken goes on
    assert network.ledger() == []


def test_a_unicast_is_refused_by_a_full_queue_too():
    network, fast, server, slow = a_slow_session(Strategy.LOW_MEMORY)
    slow.say_at(0, BROADCAST + station_mac(2) + FRAME[12:])
    fast.say_at(200, *[station_mac(2) + FRAME[6:]] * 400)
    network.run(1 * SECOND)
    assert (len(slow.heard), server.fates.dropped) == (385, {"session-queue": 15})
    assert network.ledger() == []
