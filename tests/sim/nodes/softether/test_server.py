"""A server: its hubs, who is let in, how sessions end and begin anew."""

import pytest

from sim.network import Network
from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import Version
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from tests.sim.networks import Listener, around
from tests.sim.nodes.softether.hubs import ONE, THREE, TWO, arp, bridge, client, sent, udp
from virtualtap.errors import UsageError
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST


def test_hubs_of_one_server_know_nothing_of_one_another():
    network = Network()
    server = network.add(SoftEtherServer("vpn"))
    other = server.add_hub("OTHER", HubOptions(NoArpPolling=True))
    listeners = [network.add(Listener(f"x{i}")) for i in range(4)]
    for i, one in enumerate(listeners):
        network.connect(one.port, server.session(hub="OTHER" if i > 1 else ""))
    listeners[0].say_at(0, sent(BROADCAST, ONE))
    listeners[2].say_at(1, sent(BROADCAST, TWO))
    network.run(10)
    assert [one.times() for one in listeners] == [[], [0], [], [1]]
    assert server.table() == {ONE: "vpn.s1", TWO: "vpn.s3"}
    assert server.hub.mac != other.mac


def test_a_hub_has_one_name_and_a_session_a_hub_that_is_there():
    server = SoftEtherServer("vpn")
    with pytest.raises(UsageError, match="has a hub `DEFAULT` already"):
        server.add_hub("DEFAULT", HubOptions())
    with pytest.raises(UsageError, match="has no hub `NONE`") as caught:
        server.session(hub="NONE")
    assert caught.value.hint == "its hubs are DEFAULT"


def test_a_hub_takes_as_many_sessions_as_its_options_say():
    server = SoftEtherServer("vpn", options=HubOptions(MaxSession=2))
    server.session()
    server.session()
    with pytest.raises(UsageError, match="takes 2 sessions"):
        server.session()


def test_only_clients_count_for_the_sessions_that_a_hub_takes():
    server = SoftEtherServer("vpn", options=HubOptions(MaxSession=1))
    server.session(Terms(kind=Kind.BRIDGE))
    server.session(Terms(kind=Kind.IPC))
    server.session(Terms(kind=Kind.CASCADE))
    with pytest.raises(UsageError, match="takes 1 sessions"):
        server.session(Terms(kind=Kind.CLIENT))


def test_it_polls_only_where_its_options_ask_for_it():
    assert SoftEtherServer("a").hub.polling is None
    polled = SoftEtherServer("a", options=HubOptions(), version=Version.STABLE).hub
    assert polled.polling is not None
    assert polled.polling.ip[2] == polled.mac[2] % 254 + 1
    assert polled.polling.ip[3] == polled.mac[3] % 254 + 1


def test_a_session_may_get_other_terms_before_the_run():
    server = SoftEtherServer("vpn")
    network, (one, two, three) = around(server, 3)
    assert server.assign(two.port.out.target, client(FilterNonIP=True)).policy.FilterNonIP
    one.say_at(0, sent())
    network.run(10)
    assert (two.times(), three.times()) == ([], [0])
    assert network.drops() == {"policy": 1}


def test_it_keeps_its_place_in_the_order_of_floods_but_in_another_hub_it_is_the_last():
    server = SoftEtherServer("vpn")
    other = server.add_hub("OTHER", HubOptions())
    ports = [server.session() for _ in range(3)]
    server.session(hub="OTHER")
    server.assign(ports[1], client())
    assert [session.port for session in server.hub.sessions] == ports
    server.assign(ports[0], client(), "OTHER")
    assert [session.port for session in server.hub.sessions] == ports[1:]
    assert other.sessions[-1].port is ports[0]
    server.end_session(ports[1])
    server.assign(ports[1], client())
    assert [session.port for session in server.hub.sessions] == [ports[2], ports[1]]


def test_a_session_that_was_ended_gets_nothing_and_its_frames_are_refused():
    server = SoftEtherServer("vpn")
    network, (one, two, _) = around(server, 3)
    port = one.port.out.target
    one.say_at(0, sent(BROADCAST, ONE))
    network.call_at(1, server.end_session, port)
    one.say_at(2, sent(BROADCAST, ONE))
    two.say_at(3, sent(BROADCAST, TWO))
    network.run(10)
    assert (server.table(), server.session_of(port)) == ({TWO: "vpn.s2"}, None)
    assert (one.times(), network.drops()) == ([], {"no-session": 1})
    server.end_session(port)
    server.begin_session(port)
    session = server.session_of(port)
    server.begin_session(port)
    assert session is server.session_of(port)
    assert server.hub.sessions[-1] is session  # the last in the order of floods
    assert network.ledger() == []


def test_with_its_link_a_session_begins_anew_and_its_limits_with_it():
    server = SoftEtherServer("vpn")
    network, (one, two) = around(server, 2)
    ordinary = Terms(bridge=False)
    server.assign(one.port.out.target, ordinary)
    for i in range(5):
        one.say_at(i, sent(BROADCAST, ONE[:5] + bytes((i,))))
    network.call_at(SECOND, network.links[0].set_up, False)
    network.call_at(30 * SECOND, network.links[0].set_up, True)
    for i in range(5, 9):
        one.say_at(31 * SECOND + i, sent(BROADCAST, ONE[:5] + bytes((i,))))
    network.run(40 * SECOND)
    assert len(two.heard) == 6
    assert network.drops() == {"mac-limit": 3}


@pytest.mark.parametrize(
    ("terms", "gone_after"),
    [
        (client(), 20),
        (client(TimeOut=5), 5),
        (client(TimeOut=1), 5),
        (client(TimeOut=99), 60),
        (Terms(kind=Kind.CASCADE, policy=Policy(TimeOut=60)), 20),
    ],
)
def test_without_its_link_a_session_ends_after_its_time_out(terms: Terms, gone_after: int):
    server = SoftEtherServer("vpn")
    network, (one, _) = around(server, 2)
    server.assign(one.port.out.target, terms)
    one.say_at(0, sent(BROADCAST, ONE))
    network.call_at(1, network.links[0].set_up, False)
    network.run(gone_after * SECOND)
    assert list(server.table()) == [ONE]  # for so long it is listed, and so are its addresses
    network.run((gone_after + 1) * SECOND)
    assert server.table() == {}


@pytest.mark.parametrize(("terms", "stays"), [(client(), False), (bridge(), True)])
def test_a_server_that_crashes_has_no_session_of_who_cannot_reach_it(terms: Terms, stays: bool):
    server = SoftEtherServer("vpn")
    network, (one, two) = around(server, 2)
    port = one.port.out.target
    server.assign(port, terms)
    network.call_at(10 * SECOND, network.links[0].set_up, False)
    network.call_at(12 * SECOND, network.crash, server)
    network.call_at(13 * SECOND, network.restart, server)
    network.run(14 * SECOND)
    assert (server.session_of(port) is not None) is stays
    assert len(server.hub.sessions) == 1 + stays
    network.call_at(20 * SECOND, network.links[0].set_up, True)
    two.say_at(22 * SECOND, sent(BROADCAST, THREE))
    network.run(30 * SECOND)
    assert one.times() == [22 * SECOND]
    assert network.ledger() == []


def test_a_local_bridge_never_times_out():
    server = SoftEtherServer("vpn")
    network, (one, _) = around(server, 2)
    server.assign(one.port.out.target, bridge())
    one.say_at(0, sent(BROADCAST, ONE))
    network.call_at(1, network.links[0].set_up, False)
    network.run(1000 * SECOND)
    assert list(server.table()) == [ONE]


def test_a_link_that_came_up_while_the_server_was_down_has_its_session_when_it_is_back():
    server = SoftEtherServer("vpn")
    network, (one, two) = around(server, 2)
    network.call_at(1, network.links[0].set_up, False)
    network.call_at(30 * SECOND, network.crash, server)
    network.call_at(31 * SECOND, network.links[0].set_up, True)
    network.call_at(32 * SECOND, network.restart, server)
    two.say_at(33 * SECOND, sent(BROADCAST, THREE))
    network.run(40 * SECOND)
    assert one.times() == [33 * SECOND]


def test_a_session_floods_30_frames_a_second_and_no_more_unless_its_policy_says_so():
    for terms, all_pass in ((client(), False), (client(NoBroadcastLimiter=True), True)):
        server = SoftEtherServer("vpn")
        network, (one, two) = around(server, 2)
        server.assign(one.port.out.target, terms)
        for i in range(100):
            one.say_at(i * SECOND // 100, sent(BROADCAST, ONE))
        network.run(2 * SECOND)
        assert (len(two.heard) == 100) is all_pass
        assert set(network.drops()) == (set() if all_pass else {"storm"})
        assert network.ledger() == []


def test_the_clock_that_storms_are_told_by_has_steps_of_10_ms_in_the_stable_version():
    """A window is closed by the first frame more than 500 ms after its start."""
    lost = []
    for version in (Version.DEVELOPER, Version.STABLE):
        server = SoftEtherServer("vpn", version=version)
        network, (one, _) = around(server, 2)
        for i in range(17):
            one.say_at(i, sent(BROADCAST, ONE))
        one.say_at(502 * SECOND // 1000, sent(BROADCAST, ONE))
        network.run(1 * SECOND)
        lost.append(network.drops())
    assert lost == [{"storm": 1}, {}]


def test_a_policy_limits_what_a_session_sends_and_gets():
    server = SoftEtherServer("vpn")
    network, (one, two, three) = around(server, 3)
    server.assign(one.port.out.target, client(MaxUpload=60 * 8 * 3))
    server.assign(two.port.out.target, client(MaxDownload=60 * 8 * 2))
    for i in range(5):
        one.say_at(i, sent(BROADCAST, ONE))
    network.run(1 * SECOND)
    assert (len(two.heard), len(three.heard)) == (2, 3)
    assert network.drops() == {"download-limit": 1, "upload-limit": 2}


def test_a_hub_has_its_access_list_and_the_filters_of_its_options():
    server = SoftEtherServer("vpn", options=HubOptions(FilterNonIP=True, NoArpPolling=True))
    network, (one, two) = around(server, 2)
    one.say_at(0, sent(BROADCAST, ONE))
    network.call_at(1, lambda _: server.set_rules(server.hub, [AccessRule(Discard=True)]), None)
    one.say_at(2, arp())
    one.say_at(3, udp("10.0.0.1"))
    network.run(10)
    assert two.times() == [2]  # no rule without addresses matches ARP
    assert network.drops() == {"access-list": 1, "hub-filter": 1}
