"""Cascades and local bridges: how they end, and how they come back. Facts 1.18, 1.19."""

import pytest

from sim.network import Network
from sim.nodes.softether.cascade import next_try, queue_of
from sim.nodes.softether.constants import constants
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from tests.sim.networks import Listener, around, station_mac
from tests.sim.nodes.softether.hubs import sent
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST

ONE, TWO = station_mac(1), station_mac(2)
LOCAL = Terms(kind=Kind.CASCADE)
REMOTE = Terms(kind=Kind.CLIENT, bridge=True)


def two_hubs(**settings: int | None) -> tuple[Network, Listener, Listener, list[SoftEtherServer]]:
    """Two servers in cascade, link 0, and a listener at each."""
    network = Network()
    servers = [network.add(SoftEtherServer(name)) for name in ("local", "remote")]
    ends = [server.session(terms) for server, terms in zip(servers, (LOCAL, REMOTE), strict=True)]
    network.connect(*ends, **settings)
    listeners = [network.add(Listener(name)) for name in ("one", "two")]
    for listener, server in zip(listeners, servers, strict=True):
        network.connect(listener.port, server.session())
    return network, *listeners, servers


def test_the_tries_come_ten_seconds_apart_since_the_end():
    ended = 21 * SECOND
    tries = [next_try(ended, at * SECOND, 10 * SECOND) // SECOND for at in (21, 22, 31, 42)]
    assert tries == [21, 31, 31, 51]


def test_frames_cross_a_cascade_and_both_hubs_learn_who_sent_them():
    network, one, two, servers = two_hubs()
    one.say_at(0, sent(BROADCAST, ONE))
    network.run(1)
    assert two.frames() == [sent(BROADCAST, ONE)]
    assert [server.table()[ONE] for server in servers] == ["local.s2", "remote.s1"]


def test_when_a_cascade_is_down_all_behind_it_is_forgotten_at_once():
    network, one, two, servers = two_hubs()
    one.say_at(0, sent(BROADCAST, ONE))
    two.say_at(0, sent(BROADCAST, TWO))
    network.call_at(1 * SECOND, network.links[0].set_up, False)
    network.run(20 * SECOND)
    assert [len(server.table()) for server in servers] == [2, 2]
    network.run(22 * SECOND)
    assert [list(server.table()) for server in servers] == [[ONE], [TWO]]


def test_it_comes_back_with_its_next_try_at_both_ends():
    network, one, two, servers = two_hubs()
    network.call_at(1 * SECOND, network.links[0].set_up, False)  # ends at 21, tries at 31, 41, 51
    network.call_at(42 * SECOND, network.links[0].set_up, True)
    for second in range(40, 55):
        one.say_at(second * SECOND + 500 * MS, sent(BROADCAST, ONE))
    network.run(60 * SECOND)
    assert [at // SECOND for at in two.times()] == [51, 52, 53, 54]
    assert [server.hub.sessions[-1].name for server in servers] == ["local.s1", "remote.s1"]
    assert network.ledger() == []


def test_a_try_that_finds_the_link_down_again_is_not_the_last():
    network, one, two, _ = two_hubs()
    link = network.links[0]
    network.call_at(1 * SECOND, link.set_up, False)
    for at, up in ((42, True), (43, False), (55, True)):
        network.call_at(at * SECOND, link.set_up, up)
    for second in range(40, 65):
        one.say_at(second * SECOND + 500 * MS, sent(BROADCAST, ONE))
    network.run(65 * SECOND)
    assert [at // SECOND for at in two.times()] == [61, 62, 63, 64]


def test_a_cascade_that_was_away_for_less_than_its_time_out_stays():
    network, one, two, servers = two_hubs()
    session = servers[0].hub.sessions[0]
    network.call_at(1 * SECOND, network.links[0].set_up, False)
    network.call_at(20 * SECOND, network.links[0].set_up, True)
    one.say_at(21 * SECOND, sent(BROADCAST, ONE))
    network.run(60 * SECOND)
    assert (len(two.heard), servers[0].hub.sessions[0]) == (1, session)


@pytest.mark.parametrize(("kind", "frames"), [(Kind.CASCADE, 2048), (Kind.CLIENT, 1024)])
def test_a_cascade_has_a_queue_of_its_own_behind_that_of_the_hub(kind: Kind, frames: int):
    assert queue_of(kind, constants()) == frames


def test_a_burst_into_a_cascade_loses_its_tail():
    network, one, two, _ = two_hubs(rate=1_000_000, queue=None)
    two.say_at(0, sent(BROADCAST, TWO))
    one.say_at(1 * SECOND, *[sent(TWO, ONE)] * 3000)
    network.run(10 * SECOND)
    assert len(two.heard) == 1 + 2048  # one leaves at once
    assert network.drops() == {"session-queue": 3000 - 2049}


def test_the_policy_of_a_cascade_is_made_to_fit():
    granted = Policy(NoBridge=True, NoRouting=True, MonitorPort=True, TimeOut=60, CheckMac=True)
    server = SoftEtherServer("local")
    server.session(Terms(kind=Kind.CASCADE, policy=granted))
    policy = server.hub.sessions[0].policy
    assert (policy.NoBridge, policy.NoRouting, policy.MonitorPort) == (False, False, False)
    assert (policy.TimeOut, policy.MaxConnection, policy.CheckMac) == (20, 32, True)


def test_a_card_that_was_gone_is_found_again_within_a_second():
    server = SoftEtherServer("vpn")
    network, (one, two) = around(server, 2)
    port = one.port.out.target
    server.assign(port, Terms(kind=Kind.BRIDGE))
    link = network.links[0]
    network.call_at(1 * SECOND, lambda _: server.end_session(port), None)
    network.call_at(1 * SECOND, link.set_up, False)
    network.call_at(3300 * MS, link.set_up, True)
    for tenth in range(33, 45):
        one.say_at(tenth * 100 * MS + 1 * MS, sent(BROADCAST, ONE))
    network.run(5 * SECOND)
    assert two.times()[0] == 4001 * MS
