"""A hub asks every address it knows whether it is still there: Hub.c:HubWatchDogThread."""

import pytest

from sim.network import Network
from sim.nodes.softether.constants import Constants, Version, constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.polling import Polling
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.tables import IpTable
from sim.nodes.station import Station
from tests.sim.networks import Listener, addresses, station_mac
from tests.sim.nodes.softether.hubs import Trial, client, sent
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST, ip, mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ndp import SOURCE_MAC, NeighborMessage

HUB = mac("00:ae:42:11:01:4a")
ONE = station_mac(1)
OWNER = Trial(client()).sessions[0]


def a_table(*known: str, now: int = 0) -> IpTable:
    table = IpTable(constants())
    for address in known:
        if ":" in address:
            table.learn6(ip(address), ONE, OWNER, now, managed=True, exempt=False)
        else:
            table.learn4(ip(address), ONE, OWNER, now, managed=True)
    return table


def questions(
    table: IpTable, until: int, numbers: Constants | None = None, **settings: object
) -> list[tuple[int, bytes]]:
    """When it asks, in ms, and what."""
    polling = Polling(table, HUB, numbers or constants(), **settings)  # type: ignore[arg-type]  # as given
    asked: list[tuple[int, bytes]] = []
    polling.poll(0)
    asked += [(0, frame) for frame in polling.take_frames()]
    while (now := polling.next_deadline()) is not None and now <= until:
        polling.poll(now)
        asked += [(now // MS, frame) for frame in polling.take_frames()]
    return asked


def test_the_question_is_a_unicast_arp_request_of_42_bytes_from_172_31():
    ((_, frame),) = questions(a_table("10.0.0.1"), 6 * SECOND, version=Version.STABLE)
    assert (len(frame), frame[:14]) == (42, ONE + HUB + b"\x08\x06")
    assert Arp.parse(frame[14:]) == Arp(1, HUB, ip("172.31.67.18"), bytes(6), ip("10.0.0.1"))


def test_the_question_of_ipv6_is_a_unicast_solicitation_to_the_address_itself():
    ((_, frame),) = questions(a_table("fe80::1"), 6 * SECOND)
    assert (len(frame), frame[:14]) == (86, ONE + HUB + b"\x86\xdd")
    assert frame[14 + 8 : 14 + 40] == ip("fe80::2ae:42ff:fe00:ae42") + ip("fe80::1")
    assert frame[14 + 7] == 255
    message = NeighborMessage.parse(frame[54:])
    assert (message.type, message.target) == (135, ip("fe80::1"))
    assert message.mac(SOURCE_MAC) == HUB


def test_a_round_takes_five_seconds_and_the_next_begins_100_ms_later():
    one = [at for at, _ in questions(a_table("10.0.0.1"), 21 * SECOND)]
    assert one == [5000, 10_100, 15_200, 20_300]
    three = [at for at, _ in questions(a_table("10.0.0.1", "10.0.0.2", "10.0.0.3"), 11 * SECOND)]
    assert three == [1666, 3332, 4998, 6764, 8430, 10_096]


def test_all_ipv4_addresses_are_asked_first():
    asked = questions(a_table("fe80::2", "10.0.0.9", "fe80::1", "10.0.0.8"), 5 * SECOND)
    assert [frame[38:42] if len(frame) == 42 else frame[62:78] for _, frame in asked] == [
        *(ip("10.0.0.8"), ip("10.0.0.9"), ip("fe80::1"), ip("fe80::2")),
    ]


def test_ipv6_is_left_out_where_the_hub_says_so():
    assert len(questions(a_table("10.0.0.1", "fe80::1"), 6 * SECOND, ipv6=False)) == 1


def test_an_empty_table_is_looked_at_every_five_seconds():
    table = a_table()
    polling = Polling(table, HUB, constants())
    polling.poll(0)
    polling.poll(5 * SECOND)
    assert polling.next_deadline() == 10 * SECOND


def test_more_addresses_than_milliseconds_of_the_interval_are_asked_at_once():
    few = constants(overrides={"HUB_ARP_SEND_INTERVAL": 3})  # and four are more than 3 ms
    asked = [at for at, _ in questions(a_table(*(f"10.0.0.{i}" for i in range(4))), 100 * MS, few)]
    assert asked == [0] * 4 + [100] * 4


def test_who_was_silent_for_60_seconds_is_asked_no_more_with_a_lease_or_without():
    table = a_table("10.0.0.1")
    table.granted(ip("10.0.0.2"), ONE, OWNER, 0)
    assert [at for at, _ in questions(table, 300 * SECOND)][-2:] == [58_600, 61_100]


def test_an_acknowledgement_to_all_leaves_an_address_that_cannot_be_asked():
    table = a_table()
    table.granted(ip("10.0.0.2"), BROADCAST, OWNER, 0)
    assert questions(table, 20 * SECOND) == []


@pytest.mark.parametrize("option", ["NoArpPolling", "NoIpTable"])
def test_a_hub_does_not_poll_where_its_options_say_so(option: str):
    assert Trial(options=HubOptions(**{option: True})).hub.polling is None
    assert Trial(options=HubOptions()).hub.polling is not None


def a_polled_network() -> tuple[SoftEtherServer, Station, Listener]:
    network = Network()
    server = network.add(SoftEtherServer("hub", options=HubOptions()))
    station, silent = network.add(Station("s1", addresses(1))), network.add(Listener("x"))
    for port in (station.port, silent.port):
        network.connect(port, server.session())
    return server, station, silent


def test_who_answers_stays_in_both_tables_and_his_answers_reach_nobody():
    server, station, silent = a_polled_network()
    mine = station.interface
    hello = sent(BROADCAST, mine.mac, head=b"\x08\x06")[:14]
    hello += Arp(1, mine.mac, mine.ip, bytes(6), ip("10.0.0.99")).to_bytes()
    silent.say_at(0, hello)  # heard on another session first, as if he had moved
    server.network.call_at(1, station.port.send, hello)
    station.fates.originated += 1
    silent.say_at(
        2,
        sent(BROADCAST, station_mac(7), head=b"\x08\x06")[:14]
        + Arp(1, station_mac(7), ip("10.0.0.7"), bytes(6), ip("10.0.0.99")).to_bytes(),
    )
    silent.say_at(700 * SECOND, sent(BROADCAST, station_mac(8)))  # something new: the old goes
    server.network.run(701 * SECOND)
    assert list(server.hub.ips.entries) == [mine.ip, ip("10.0.0.7")]  # no new address was stored
    assert server.table() == {mine.mac: "hub.s1", station_mac(8): "hub.s2"}
    polls = [frame for frame in silent.frames() if frame[6:8] == b"\x00\xae"]
    assert len(polls) == 11  # every 5.1 s from 5 s on, for 60 s
    assert {frame[6:12] for frame in silent.frames()} == {server.hub.mac, mine.mac}
    assert server.network.ledger() == []


def test_a_restarted_server_polls_whom_it_hears_then():
    server, _, silent = a_polled_network()
    arp = Arp(1, ONE, ip("10.0.0.1"), bytes(6), ip("10.0.0.99")).to_bytes()
    silent.say_at(0, sent(BROADCAST, ONE, head=b"\x08\x06")[:14] + arp)
    server.network.call_at(SECOND, server.network.crash, server)
    server.network.call_at(2 * SECOND, server.network.restart, server)
    server.network.run(30 * SECOND)
    assert silent.heard == []
