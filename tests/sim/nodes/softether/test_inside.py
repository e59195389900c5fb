"""Sessions that end inside the server: the loop that drives a machine."""

import pytest

from sim.network import Network
from sim.nodes.softether.constants import constants
from sim.nodes.softether.inside import Inside
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from tests.sim.networks import Listener, around, station_mac
from tests.sim.nodes.softether.hubs import sent
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST

MAC = station_mac(99)
INSIDE = Terms(kind=Kind.SECURE_NAT)


class Beacon:
    """A machine that says something every five seconds, and gives back what it is sent."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self._next = 0
        self._out: list[bytes] = []

    def receive(self, frame: bytes, now: int) -> None:
        self.heard.append((now, frame))
        self._out.append(frame[6:12] + MAC + frame[12:])

    def poll(self, now: int) -> None:
        if now >= self._next:
            self._next = now + 5 * SECOND
            self._out.append(sent(BROADCAST, MAC))

    def next_deadline(self) -> int | None:
        return self._next

    def take_frames(self) -> list[bytes]:
        out, self._out = self._out, []
        return out


class Mute(Beacon):
    def poll(self, now: int) -> None:
        pass

    def next_deadline(self) -> None:
        return None


def a_server(make: type[Beacon] = Beacon, **settings: object) -> tuple[Network, Inside, Listener]:
    server = SoftEtherServer("hub")
    network, (one,) = around(server, 1)
    inside = server.install(make, INSIDE, **settings)  # type: ignore[arg-type]  # as given
    return network, inside, one


def test_a_machine_gets_floods_and_its_unicasts_and_is_learned():
    network, inside, one = a_server(Mute)
    one.say_at(3, sent(BROADCAST), sent(MAC))
    network.run(10)
    assert isinstance(inside.machine, Mute)
    assert inside.machine.heard == [(3, sent(BROADCAST)), (3, sent(MAC))]
    assert one.heard == [(3, sent(station_mac(1), MAC))] * 2
    server = network.nodes["hub"]
    assert (server.fates.forwarded, server.fates.copies, server.fates.originated) == (2, 0, 2)
    assert network.ledger() == []


def test_a_timer_is_seen_when_the_loop_turns_every_256_ms():
    network, _, one = a_server()
    network.run(16 * SECOND)
    assert [at // MS for at in one.times()] == [0, 5120, 10_240, 15_360]


def test_a_frame_turns_the_loop_and_the_timer_is_seen_with_it():
    network, _, one = a_server()
    one.say_at(5001 * MS, sent(BROADCAST))
    network.run(6 * SECOND)
    assert [at // MS for at in one.times()] == [0, 5001, 5001]


def test_where_somebody_waits_the_loop_turns_every_30_ms():
    network, _, one = a_server(is_hasty=lambda: True)
    network.run(6 * SECOND)
    assert [at // MS for at in one.times()] == [0, 5010]


def test_what_a_machine_says_and_the_hub_refuses_is_the_servers_own_loss():
    network, inside, one = a_server(Mute)
    one.say_at(0, sent(BROADCAST)[:12] + b"\x88\xb5" + b"x")
    inside.machine._out.append(sent(MAC, MAC))
    network.run(10)
    server = network.nodes["hub"]
    assert (server.fates.dropped, server.fates.dropped_own) == ({"malformed": 1}, 1)
    assert network.ledger() == []


def test_a_machine_has_a_queue_of_1024_frames():
    woken: list[int] = []
    inside = Inside(Mute(), constants(), lambda: woken.append(1))
    assert [inside.put(b"x", 0) for _ in range(1026)].count(True) == 1024
    assert woken == [1]
    inside.turn(0)
    assert inside.put(b"x", 0)
    assert woken == [1, 1]


def test_after_a_crash_it_is_another_machine():
    network, _, one = a_server()
    server = network.nodes["hub"]
    assert isinstance(server, SoftEtherServer)
    network.call_at(1 * SECOND, network.crash, server)
    network.call_at(2 * SECOND, network.restart, server)
    network.run(8 * SECOND)
    assert [at // MS for at in one.times()] == [0, 2000, 7120]


def test_a_machine_whose_deadline_does_not_move_is_polled_once_a_turn():
    class Stuck(Mute):
        polls = 0

        def poll(self, now: int) -> None:
            Stuck.polls += 1

        def next_deadline(self) -> int:
            return 0

    network, _, _ = a_server(Stuck)
    network.run(1 * SECOND)
    assert Stuck.polls == 4


@pytest.mark.parametrize("kind", [Kind.SECURE_NAT, Kind.LAYER3, Kind.IPC])
def test_a_session_inside_never_times_out(kind: Kind):
    server = SoftEtherServer("hub")
    server.install(Mute, Terms(kind=kind))
    assert server.hub.sessions[0].timeout is None
    assert server.hub.sessions[0].name == kind.value
