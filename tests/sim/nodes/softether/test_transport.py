"""What carries a session: how it begins, lives, ends, and begins anew."""

import pytest

from sim.actions import timeline
from sim.network import Network
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.nodes.softether.transport import Transport, Wish, is_session
from tests.sim.networks import Listener
from tests.sim.nodes.softether.sessions import FROM_CLIENT, LoseAll, Road
from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND


def test_a_session_is_there_from_the_beginning():
    road = Road()
    road.say(0, b"hello")
    road.tell(1 * MS, b"hello yourself")
    road.run(1 * SECOND)
    assert (len(road.lan.heard), len(road.client.heard)) == (1, 1)
    assert road.transport.is_connected


@pytest.mark.parametrize(
    ("wish", "at_once", "later"),
    [
        ({"connections": 1}, (1, 1), (1, 1)),
        ({"connections": 5, "qos": False}, (1, 1), (5, 5)),
        ({"connections": 5}, (2, 2), (5, 5)),  # quality of service needs two
        ({"connections": 2, "half_duplex": True}, (1, 1), (1, 1)),
        ({"connections": 3, "half_duplex": True, "qos": False}, (1, 1), (1, 2)),
        ({"connections": 7, "half_duplex": True}, (2, 2), (3, 4)),  # and four
    ],
)
def test_the_connections_that_are_required_come_at_once_the_others_every_second(
    wish: dict, at_once: tuple[int, int], later: tuple[int, int]
):
    road = Road(**wish)
    road.run(1)
    assert road.sockets() == at_once
    road.run(5 * SECOND)
    assert road.sockets() == later


def test_a_policy_may_allow_fewer_connections():
    road = Road(connections=8, policy=Policy(MaxConnection=3))
    road.run(10 * SECOND)
    assert road.sockets() == (3, 3)


def test_the_only_connection_that_a_policy_allows_goes_both_ways():
    road = Road(connections=8, half_duplex=True, policy=Policy(MaxConnection=1))
    road.say(1 * SECOND, b"hello")
    road.tell(2 * SECOND, b"hello yourself")
    road.run(10 * SECOND)
    assert road.sockets() == (1, 1)
    assert (len(road.lan.heard), len(road.client.heard)) == (1, 1)


@pytest.mark.parametrize(("policy", "passes"), [(Policy(), False), (Policy(NoQoS=True), True)])
def test_a_policy_may_keep_no_socket_for_what_is_urgent(policy: Policy, passes: bool):
    road = Road(connections=2, policy=policy)
    road.say(2 * SECOND, *[b"x" * 1386] * 40)
    road.say(2 * SECOND + 10, b"y")  # not urgent, and the other socket is free
    road.run(3 * SECOND)
    assert len(road.lan.heard) == 41
    assert (road.lan.frames()[0] == FROM_CLIENT + b"y") is passes


def test_without_quality_of_service_one_connection_is_enough_at_first():
    road = Road(connections=5, policy=Policy(NoQoS=True))
    road.run(1)
    assert road.sockets() == (1, 1)


@pytest.mark.parametrize(
    "wish",
    [{"connections": 0}, {"connections": 33}, {"half_duplex": True}, {"retry": 4 * SECOND}],
)
def test_a_wish_that_no_client_has_is_refused(wish: dict):
    with pytest.raises(UsageError):
        Wish(**wish)


def test_only_the_session_of_a_client_has_a_transport():
    network = Network()
    server, one = network.add(SoftEtherServer("hub")), network.add(Listener("one"))
    bridged = network.connect(one.port, server.session(Terms(kind=Kind.BRIDGE)))
    two, three = network.add(Listener("two")), network.add(Listener("three"))
    other = network.connect(two.port, three.port)
    for link in (bridged, other):
        assert not is_session(link)
        with pytest.raises(UsageError, match="is no client's session"):
            Transport(link, network, Wish(), None)


def test_keep_alives_come_every_4_to_10_seconds_where_nothing_else_does():
    road = Road()
    road.network.run(3600 * SECOND)
    for lane in (road.transport.up, road.transport.down):
        assert 360 <= lane.keep_alives <= 900
    assert road.transport.is_connected


def test_data_puts_a_keep_alive_off():
    road = Road()
    for second in range(1, 60, 3):
        road.say(second * SECOND, b"x")
    road.run(60 * SECOND)
    assert road.transport.up.keep_alives == 0
    assert road.transport.down.keep_alives > 5


# when the way is gone


def test_a_session_without_its_link_ends_20_to_40_seconds_later_and_its_addresses_with_it():
    road = Road()
    road.say(0, b"hello")
    timeline.arm(road.network, [(30 * SECOND, timeline.Down(road.link))])
    road.run(30 * SECOND + 19 * SECOND)
    assert road.knows_client()
    road.run(30 * SECOND + 40 * SECOND)
    assert not road.knows_client()
    assert road.server.session_of(road.port) is None


@pytest.mark.parametrize(("wanted", "seconds"), [(1, 5), (5, 5), (60, 60), (1000, 60)])
def test_a_policy_sets_the_time_out_between_5_and_60_seconds(wanted: int, seconds: int):
    road = Road(policy=Policy(TimeOut=wanted))
    timeline.arm(road.network, [(0, timeline.Down(road.link))])
    road.run((2 * seconds - seconds // 2) * SECOND)  # half a time-out is the longest gap
    assert road.server.session_of(road.port) is not None
    road.run(2 * seconds * SECOND + 1)
    assert road.server.session_of(road.port) is None


def test_a_client_comes_back_after_the_retry_interval():
    road = Road()
    road.network.call_at(1 * SECOND, lambda _: road.transport.roam(), None)
    road.say(15 * SECOND, b"too early")
    road.say(16 * SECOND + 1, b"in time")
    road.run(17 * SECOND)
    assert [frame[14:] for frame in road.lan.frames()] == [b"in time"]
    assert road.client.port.out.lost == {"no-connection": 1}
    assert road.transport.connects == 2


def test_after_36_seconds_without_a_link_it_is_back_19_seconds_after_the_link():
    # as 5.01 was seen to do: tries at 15 s and 35 s fail after 5 s, the one at 55 s succeeds
    road = Road()
    down, up = timeline.Down(road.link), timeline.Up(road.link)
    timeline.arm(road.network, [(0, down), (36 * SECOND, up)])
    road.run(55 * SECOND)
    assert not road.transport.is_connected
    road.run(55 * SECOND + 1)
    assert road.transport.is_connected


def test_a_new_session_knows_nobody_and_floods_reach_it():
    road = Road()
    road.say(0, b"hello")
    road.network.call_at(1 * SECOND, lambda _: road.transport.roam(), None)
    road.network.run(16 * SECOND + 1)
    assert (road.transport.is_connected, road.knows_client()) == (True, False)
    road.tell(17 * SECOND, b"are you there")
    road.run(18 * SECOND)
    assert [frame[14:] for frame in road.client.frames()] == [b"are you there"]


def test_connecting_takes_four_round_trips():
    road = Road(delay=50 * MS)
    road.network.call_at(1 * SECOND, lambda _: road.transport.roam(), None)
    road.run(16 * SECOND + 400 * MS)
    assert not road.transport.is_connected
    road.run(16 * SECOND + 400 * MS + 1)
    assert road.transport.is_connected


def test_what_is_on_its_way_when_the_client_roams_is_lost():
    road = Road(delay=50 * MS)
    road.say(1 * SECOND, b"x")
    road.network.call_at(1 * SECOND + 1 * MS, lambda _: road.transport.roam(), None)
    road.run(2 * SECOND)
    assert road.client.port.out.lost == {"link-down": 1}


def test_a_way_on_which_nothing_gets_through_ends_the_session_for_the_client_too():
    road = Road()
    road.network.call_at(10 * SECOND, lambda _: setattr(road.link, "faults", (LoseAll(),)), None)
    road.say(11 * SECOND, b"into the dark")
    road.run(12 * SECOND)
    assert road.transport.is_connected
    road.run(45 * SECOND)
    assert not road.transport.is_connected
    assert road.client.port.out.lost == {"no-connection": 1}


def test_an_attempt_that_nothing_answers_is_repeated():
    road = Road(faults=(LoseAll(),))
    road.network.call_at(1 * SECOND, lambda _: road.transport.roam(), None)
    road.network.run(30 * SECOND)
    assert road.transport.connects == 1
    road.link.faults = ()
    road.run(36 * SECOND + 1)
    assert road.transport.connects == 2


def test_a_link_that_goes_down_while_it_connects_is_tried_again():
    road = Road(delay=100 * MS)
    happen = [
        (1 * SECOND, timeline.Down(road.link)),
        (2 * SECOND, timeline.Up(road.link)),
        (16 * SECOND + 500 * MS, timeline.Down(road.link)),  # the attempt is under way
        (17 * SECOND, timeline.Up(road.link)),
    ]
    timeline.arm(road.network, happen)
    road.run(31 * SECOND)
    assert not road.transport.is_connected
    road.run(33 * SECOND)
    assert road.transport.is_connected


def test_a_broken_connection_is_made_again_while_others_carry_on():
    road = Road(connections=2, qos=False, interval=2 * SECOND)
    road.network.run(10 * SECOND)
    number = road.transport.up.pipes[0].number
    road.transport._broke(number)
    assert road.sockets() == (1, 1)
    road.say(11 * SECOND, b"still here")
    road.run(12 * SECOND + 1)
    assert road.sockets() == (2, 2)
    assert len(road.lan.heard) == 1


def test_a_link_that_goes_down_again_while_nobody_is_connected_changes_nothing():
    road = Road()
    down, up = timeline.Down(road.link), timeline.Up(road.link)
    happen = [(1 * SECOND, down), (5 * SECOND, up), (6 * SECOND, down), (7 * SECOND, up)]
    timeline.arm(road.network, happen)
    road.run(16 * SECOND + 1)
    assert road.transport.connects == 2


def test_connections_of_a_session_that_is_gone_are_not_made_any_more():
    road = Road(connections=4, qos=False)
    road.network.call_at(500 * MS, lambda _: road.transport.roam(), None)
    road.run(5 * SECOND)
    assert road.sockets() == (0, 0)


# a client that sleeps


def test_who_roams_asleep_tries_when_he_wakes():
    road = Road()
    road.network.run(1 * SECOND)
    road.transport.sleep()
    road.transport.roam()
    road.network.run(100 * SECOND)
    assert (road.transport.is_connected, road.transport.connects) == (False, 1)
    road.transport.wake()
    road.run(115 * SECOND + 1)
    assert road.transport.connects == 2


def test_a_short_sleep_keeps_the_session_and_what_came_meanwhile():
    road = Road()
    road.say(0, b"hello")
    road.network.call_at(1 * SECOND, lambda _: road.transport.sleep(), None)
    road.tell(5 * SECOND, b"while you slept")
    road.network.call_at(15 * SECOND, lambda _: road.transport.wake(), None)
    road.run(15 * SECOND)
    assert road.client.heard == []
    road.run(40 * SECOND)
    assert [frame[14:] for frame in road.client.frames()] == [b"while you slept"]
    assert (road.transport.connects, road.client.times()[0] // SECOND) == (1, 15)


def test_a_long_sleep_ends_the_session_and_it_begins_anew_after_the_retry_interval():
    road = Road()
    road.say(0, b"hello")
    road.network.call_at(1 * SECOND, lambda _: road.transport.sleep(), None)
    road.tell(5 * SECOND, b"for nobody")
    road.network.run(60 * SECOND)
    assert not road.knows_client()
    road.network.call_at(60 * SECOND, lambda _: road.transport.wake(), None)
    road.run(75 * SECOND)
    assert not road.transport.is_connected
    road.run(75 * SECOND + 1)
    assert road.transport.is_connected
    assert road.server.session_of(road.port) is not None
    assert road.port.out.lost == {"no-connection": 1}


def test_who_wakes_and_sleeps_again_is_given_up_a_time_out_after_the_last_word():
    road = Road()
    sleep, wake = (lambda _: road.transport.sleep()), (lambda _: road.transport.wake())
    for at, what in ((1, sleep), (10, wake), (12, sleep)):
        road.network.call_at(at * SECOND, what, None)
    road.say(11 * SECOND, b"a word")
    road.run(25 * SECOND)
    assert road.transport.is_connected
    road.run(32 * SECOND)
    assert not road.transport.is_connected


def test_a_client_that_lost_its_way_tries_only_when_it_is_awake():
    road = Road()
    road.network.call_at(1 * SECOND, lambda _: road.transport.roam(), None)
    road.network.call_at(2 * SECOND, lambda _: road.transport.sleep(), None)
    road.network.run(100 * SECOND)
    assert road.transport.connects == 1
    road.transport.wake()
    road.transport.wake()  # nothing more
    road.run(115 * SECOND + 1)
    assert road.transport.connects == 2


def test_who_roams_between_two_tries_and_sleeps_during_the_last_is_back_after_waking():
    road = Road(delay=100 * MS)
    for at in (1 * SECOND, 2 * SECOND):
        road.network.call_at(at, lambda _: road.transport.roam(), None)
    road.network.call_at(16 * SECOND + 1 * MS, lambda _: road.transport.sleep(), None)
    road.network.call_at(20 * SECOND, lambda _: road.transport.wake(), None)
    road.run(30 * SECOND)
    assert road.transport.connects == 1
    road.run(36 * SECOND)
    assert road.transport.connects == 2
