"""UDP acceleration: when it carries a session's frames, and what it asks of them."""

from sim.network import Network
from sim.nodes.softether.fifo import Budget
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.nodes.softether.transport import Ear, Transport, Wish
from tests.sim.networks import Listener
from tests.sim.nodes.softether.sessions import LoseAll, Road
from virtualtap.units import MS, SECOND


def asked(**wish: bool) -> list[int]:
    """What the SYNs of such a client, and those sent to it, say at most."""
    session = Road(**wish).server.hub.sessions[0]
    return [session.mss_in, session.mss_out]


def test_where_udp_is_used_segments_are_small_enough_for_it():
    assert asked(udp_acceleration=True) == [1309, 1309]
    assert asked(udp_acceleration=True, encrypt=False) == [1349, 1349]
    assert asked() == [0, 0]


def test_over_ipv6_they_are_smaller_and_the_hub_may_forbid_it():
    for options, expected in ((HubOptions(), 1289), (HubOptions(DisableAdjustTcpMss=True), 0)):
        network = Network()
        server = network.add(SoftEtherServer("hub"))
        server.add_hub("OTHER", options)
        client = network.add(Listener("client"))
        port = server.session(Terms(over_ipv6=True), "OTHER")
        link = network.connect(client.port, port)
        Transport(link, network, Wish(udp_acceleration=True), Budget(server.constants))
        assert server.session_of(port).mss_in == expected
        assert server.hubs["OTHER"].sessions == [server.session_of(port)]


def test_a_session_that_begins_anew_asks_for_the_same():
    road = Road(udp_acceleration=True)
    road.network.call_at(1 * SECOND, road.network.crash, road.server)
    road.network.call_at(2 * SECOND, road.network.restart, road.server)
    road.run(3 * SECOND)
    assert road.server.session_of(road.port).mss_in == 1309


def test_udp_is_used_after_ten_seconds_of_steady_receipt():
    road = Road(udp_acceleration=True)
    road.say(9 * SECOND, b"x" * 86)
    road.say(20 * SECOND, b"y" * 86)
    road.run(21 * SECOND)
    # by TCP 4 + 4 + 22 + 52 bytes around a frame of 100, by UDP 79
    assert road.lan.times() == [9 * SECOND + 182, 20 * SECOND + 179]


def test_udp_loses_and_damages_for_good_what_tcp_sends_again():
    road = Road(udp_acceleration=True)
    road.network.run(20 * SECOND)
    road.link.faults = (LoseAll(lambda data: len(data) > 50),)
    road.say(21 * SECOND, b"x" * 86)
    road.run(22 * SECOND)
    assert (road.lan.heard, road.client.port.out.lost) == ([], {"link-loss": 1})


def test_without_udp_for_nine_seconds_the_session_falls_back_to_tcp():
    road = Road(udp_acceleration=True)
    road.network.run(20 * SECOND)
    road.link.faults = (LoseAll(lambda data: len(data) == 1),)  # the keep-alives of UDP
    road.say(32 * SECOND, b"x" * 86)
    road.run(33 * SECOND)
    assert road.lan.times() == [32 * SECOND + 182]


def test_fast_detection_falls_back_after_two_seconds():
    road = Road(udp_acceleration=True, fast_detection=True)
    road.network.run(20 * SECOND)
    road.link.faults = (LoseAll(lambda data: len(data) == 1),)
    road.say(20 * SECOND + 2200 * MS, b"x" * 86)
    road.run(23 * SECOND)
    assert road.lan.times() == [20 * SECOND + 2200 * MS + 182]


def test_where_udp_does_not_pass_tcp_carries_everything():
    road = Road(udp_acceleration=True)
    road.network.run(20 * SECOND)
    road.transport.roam(udp_passes=False)
    road.say(60 * SECOND, b"x" * 86)
    road.run(61 * SECOND)
    assert road.lan.times() == [60 * SECOND + 182]


def test_a_sleeping_client_says_nothing_by_udp_either():
    road = Road(udp_acceleration=True)
    road.network.run(20 * SECOND)
    road.transport.sleep()
    before = road.network.events()
    road.run(24 * SECOND)
    assert road.network.events() - before < 20
    assert road.transport.waiting(road.client.port.out) == 0


def test_an_ear_starts_anew_after_a_silence():
    ear = Ear(9 * SECOND)
    for second in (0, 5, 10, 20):
        ear.hear(second * SECOND)
    assert not ear.is_steady(29 * SECOND)
    ear.hear(29 * SECOND)
    assert ear.is_steady(30 * SECOND)
    assert not ear.is_steady(39 * SECOND)
