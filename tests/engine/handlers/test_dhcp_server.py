"""The DHCP server: whom it answers, what it remembers, what it refuses. RFC 2131 4.3."""

from dataclasses import replace

import pytest

from sim.conformance.dhcp_client import asks_for, said
from sim.conformance.script import PEER_MAC
from tests.builders import (
    OUR_IP,
    OUR_MAC,
    STRANGER_MAC,
    arp_reply,
    config,
    dropped,
    packet,
)
from virtualtap import (
    MS,
    SECOND,
    AddressConflict,
    DropReason,
    LeaseGranted,
    LeaseReturned,
    Serving,
    VirtualTap,
    ip,
)
from virtualtap.wire import dhcp
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP

POOL = (ip("10.0.0.50"), ip("10.0.0.52"))
SERVE = Serving(pool=POOL)
CLIENTS = tuple(b"\2\0\0\0\1" + bytes((n,)) for n in range(200))


def a_server(serve=SERVE, **changes):
    alone = {"gateway_ip": None, "gateway_ip6": None, "our_ip6": ()}
    return VirtualTap(config(**{**alone, "serve": serve, **changes}))


def replies(tap):
    """What it said since, ARP left out."""
    return [Dhcp.parse(each[42:]) for each in tap.take_frames() if each[12:14] != ARP]


def hear(tap, message, wait=SECOND):
    """One message, and the answers until `wait` later."""
    tap.ethernet_to_ip(message)
    tap.poll(tap._core.now + wait)
    return replies(tap)


def lease(tap, by=PEER_MAC, **options):
    (offered,) = hear(tap, said(dhcp.DISCOVER, by=by, **options))
    (granted,) = hear(tap, said(dhcp.REQUEST, by=by, options=asks_for(offered.your_ip, OUR_IP)))
    assert granted.kind == dhcp.ACK
    return granted.your_ip


def test_a_lease_and_its_return_are_reported():
    tap = a_server()
    tap.poll(0)
    had = lease(tap)
    hear(tap, said(dhcp.RELEASE, source=had, to=OUR_IP, mac=OUR_MAC))
    expires = SECOND + 3600 * SECOND
    assert tap.take_events() == [LeaseGranted(had, PEER_MAC, expires), LeaseReturned(had)]


def test_an_offer_waits_for_the_look_whether_somebody_is_there():
    tap = a_server()
    assert hear(tap, said(dhcp.DISCOVER), 499 * MS) == []
    tap.poll(500 * MS)
    assert [each.kind for each in replies(tap)] == [dhcp.OFFER]


def test_who_asks_again_meanwhile_is_answered_once_with_the_later_number():
    tap = a_server()
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    (answer,) = hear(tap, said(dhcp.DISCOVER, xid=99))
    assert answer.xid == 99


def test_who_asks_again_later_is_offered_the_same_for_longer():
    tap = a_server()
    (first,) = hear(tap, said(dhcp.DISCOVER), 50 * SECOND)
    (again,) = hear(tap, said(dhcp.DISCOVER), 50 * SECOND)
    (granted,) = hear(tap, said(dhcp.REQUEST, options=asks_for(first.your_ip, OUR_IP)))
    assert first.your_ip == again.your_ip == granted.your_ip


def test_who_has_a_lease_and_looks_for_one_keeps_the_time_that_it_has():
    tap = a_server()
    had = lease(tap)
    before = tap._ipv4._udp[67].__self__.loans.at(had).until
    (offered,) = hear(tap, said(dhcp.DISCOVER))
    assert offered.your_ip == had
    assert tap._ipv4._udp[67].__self__.loans.at(had).until == before


def test_an_address_with_an_owner_rests_and_another_is_looked_for():
    tap = a_server()
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    tap.ethernet_to_ip(arp_reply(STRANGER_MAC, POOL[0]))
    tap.poll(2 * SECOND)
    (offered,) = replies(tap)
    assert offered.your_ip == ip("10.0.0.51")
    assert AddressConflict(POOL[0], STRANGER_MAC) in tap.take_events()


def test_what_was_heard_of_an_address_before_does_not_count():
    tap = a_server()
    had = lease(tap)
    tap.ethernet_to_ip(arp_reply(PEER_MAC, had))
    hear(tap, said(dhcp.RELEASE, source=had, to=OUR_IP, mac=OUR_MAC))
    wish = ((dhcp.REQUESTED_IP, had),)
    (offered,) = hear(tap, said(dhcp.DISCOVER, by=STRANGER_MAC, options=wish))
    assert offered.your_ip == had


def test_a_flood_of_clients_asks_no_faster_than_a_hub_allows():
    tap = a_server(replace(SERVE, pool=(POOL[0], ip("10.0.0.200"))))
    for by in CLIENTS:
        tap.ethernet_to_ip(said(dhcp.DISCOVER, by=by), 0)
    assert len(tap.take_frames()) == 6
    assert dropped(tap, DropReason.NO_LEASE) == 194


def test_a_question_waits_for_its_turn():
    tap = a_server(arp_burst_max=2)
    for by in CLIENTS[:2]:
        tap.ethernet_to_ip(said(dhcp.DISCOVER, by=by))
    tap.poll(600 * MS)
    tap.take_frames()
    for by in CLIENTS[2:4]:
        tap.ethernet_to_ip(said(dhcp.DISCOVER, by=by))
    tap.ethernet_to_ip(said(dhcp.DISCOVER, by=CLIENTS[4]))
    assert dropped(tap, DropReason.NO_LEASE) == 2  # no room in the pool, and none to look


def test_a_question_that_has_no_turn_yet_is_asked_then():
    tap = a_server(arp_burst_max=1)
    tap.ip_to_ethernet(said(dhcp.DISCOVER)[14:])  # a broadcast, which takes no turn
    tap._core.pace.turn(0)
    tap.take_frames()
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    assert tap.take_frames() == []
    tap.poll(100 * MS)
    assert [each[12:14] for each in tap.take_frames()] == [ARP]


def test_a_table_without_room_lends_nothing():
    tap = a_server(replace(SERVE, leases_max=1))
    lease(tap)
    assert hear(tap, said(dhcp.DISCOVER, by=STRANGER_MAC)) == []
    assert dropped(tap, DropReason.NO_LEASE) == 1


def test_a_client_that_takes_another_offer_ends_the_look_for_its_address():
    tap = a_server()
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    tap.take_frames()
    assert hear(tap, said(dhcp.REQUEST, options=asks_for(POOL[0], ip("10.0.0.9")))) == []
    assert tap.next_deadline() is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


@pytest.mark.parametrize("had_one", [False, True])
def test_a_request_to_another_server_ends_no_lease(had_one):
    tap = a_server()
    had = lease(tap) if had_one else POOL[0]
    assert hear(tap, said(dhcp.REQUEST, options=asks_for(had, ip("10.0.0.9")))) == []
    assert (had in tap._ipv4._udp[67].__self__.loans._loans) == had_one


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (said(dhcp.DISCOVER, operation=dhcp.TO_CLIENT), DropReason.MALFORMED),
        (said(dhcp.DISCOVER, client_mac=bytes(6)), DropReason.MALFORMED),
        (said(dhcp.DISCOVER, relay_ip=POOL[0]), DropReason.UNSUPPORTED),
        (said(dhcp.OFFER), DropReason.UNSUPPORTED),
        (said(0), DropReason.UNSUPPORTED),
        (said(dhcp.DISCOVER, wrong_by=1), DropReason.MALFORMED),
        (said(dhcp.DISCOVER, options=((dhcp.REQUESTED_IP, b"12345"),)), DropReason.MALFORMED),
        (said(dhcp.DISCOVER, options=((dhcp.CLIENT_ID, bytes(256)),)), DropReason.MALFORMED),
        (said(dhcp.REQUEST), DropReason.MALFORMED),
        (said(dhcp.REQUEST, options=asks_for(POOL[0], None)), DropReason.NO_LEASE),
        (said(dhcp.DECLINE, options=asks_for(POOL[0], OUR_IP)), DropReason.NO_LEASE),
        (said(dhcp.RELEASE, source=POOL[0], to=OUR_IP, mac=OUR_MAC), DropReason.NO_LEASE),
        (said(dhcp.INFORM, source=ip("192.0.2.1")), DropReason.NOT_FOR_US),
    ],
)
def test_what_is_not_answered_is_counted(message, reason):
    tap = a_server()
    assert hear(tap, message) == []
    assert (dropped(tap, reason), tap.stats.dropped_total) == (1, 1)


def test_a_client_gives_back_only_what_it_has():
    tap = a_server()
    had = lease(tap)
    hear(tap, said(dhcp.RELEASE, source=POOL[1], to=OUR_IP, mac=OUR_MAC))
    hear(tap, said(dhcp.DECLINE, options=asks_for(POOL[1], OUR_IP)))
    assert dropped(tap, DropReason.NO_LEASE) == 2
    (granted,) = hear(tap, said(dhcp.REQUEST, options=asks_for(had, None)))
    assert granted.kind == dhcp.ACK


def test_who_comes_back_while_its_address_is_looked_into_is_refused():
    tap = a_server()
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    tap.take_frames()
    tap.ethernet_to_ip(said(dhcp.REQUEST, options=asks_for(POOL[0], None)))
    assert [each.kind for each in replies(tap)] == [dhcp.NAK]


def test_an_offer_that_finds_no_room_is_dropped():
    tap = a_server(outbox_max=1)
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    tap.poll(SECOND)
    assert dropped(tap, DropReason.OUTBOX_FULL) == 1


def test_a_message_without_a_checksum_is_heard():
    tap = a_server()
    message = said(dhcp.DISCOVER)
    assert len(hear(tap, message[:40] + b"\0\0" + message[42:])) == 1


def test_an_empty_identifier_is_none():
    tap = a_server()
    had = lease(tap)
    (offered,) = hear(tap, said(dhcp.DISCOVER, options=((dhcp.CLIENT_ID, b""),)))
    assert offered.your_ip == had


def test_the_servers_answers_are_what_its_own_client_understands():
    server, client = (
        a_server(),
        VirtualTap(
            config(
                our_mac=PEER_MAC,
                our_ip=None,
                gateway_ip=None,
                our_ip6=(),
                gateway_ip6=None,
                dhcp=True,
            )
        ),
    )
    for tenth in range(200):
        now = tenth * SECOND // 10
        client.poll(now)
        server.poll(now)
        for each in client.take_frames():
            server.ethernet_to_ip(each)
        for each in server.take_frames():
            client.ethernet_to_ip(each)
    assert client.lease is not None
    assert (client.lease.ip, client.lease.gateway) == (POOL[0], OUR_IP)


def test_a_declined_address_rests_and_that_is_reported():
    tap = a_server()
    had = lease(tap)
    tap.take_events()
    assert hear(tap, said(dhcp.DECLINE, options=asks_for(had, OUR_IP))) == []
    assert tap.take_events() == [LeaseReturned(had)]
    (offered,) = hear(tap, said(dhcp.DISCOVER, options=((dhcp.REQUESTED_IP, had),)))
    assert offered.your_ip != had


def test_what_is_configured_is_said():
    dns, route = ip("10.0.0.53"), (ip("172.16.0.0"), 12, ip("10.0.0.7"))
    tap = a_server(replace(SERVE, dns=(dns,), routes=(route,)))
    tap.ethernet_to_ip(said(dhcp.INFORM, source=ip("10.0.0.8"), to=OUR_IP, mac=OUR_MAC))
    (sent,) = tap.take_frames()
    message = Dhcp.parse(sent[42:])
    routes = dhcp.routes(message.value(dhcp.ROUTES))
    assert message.addresses(dhcp.DNS) == (dns,)
    assert routes == (route, (bytes(4), 0, OUR_IP))
    assert (sent[:6], sent[30:34]) == (PEER_MAC, ip("10.0.0.8"))
    assert message.value(dhcp.LEASE_TIME) is None


def test_who_cannot_hear_its_new_address_yet_is_answered_to_all():
    tap = a_server()
    tap.ethernet_to_ip(said(dhcp.DISCOVER, flags=dhcp.BROADCAST_FLAG))
    tap.take_frames()
    tap.poll(SECOND)
    (sent,) = tap.take_frames()
    assert (sent[:6], sent[30:34]) == (b"\xff" * 6, b"\xff" * 4)


def test_a_lease_that_ends_now_is_looked_into_again():
    tap = a_server()
    lease(tap)  # granted after a second
    tap.poll(3601 * SECOND)
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    assert [each[12:14] for each in tap.take_frames()] == [ARP]


def test_an_offer_is_kept_from_the_last_question_on():
    tap = a_server(replace(SERVE, pool=(POOL[0], POOL[0])))
    hear(tap, said(dhcp.DISCOVER), 50 * SECOND)
    hear(tap, said(dhcp.DISCOVER), 50 * SECOND)
    assert hear(tap, said(dhcp.DISCOVER, by=STRANGER_MAC), 10 * SECOND) == []
    (offered,) = hear(tap, said(dhcp.DISCOVER, by=STRANGER_MAC))
    assert offered.your_ip == POOL[0]


def test_a_client_that_takes_another_offer_before_its_turn_is_not_looked_for():
    tap = a_server(arp_burst_max=1)
    tap._core.pace.turn(0)
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    tap.ethernet_to_ip(said(dhcp.REQUEST, options=asks_for(POOL[0], ip("10.0.0.9"))))
    assert tap.next_deadline() is None


def test_who_is_being_looked_for_is_not_asked_for_again_within_a_second():
    tap = a_server()
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    assert len(tap.take_frames()) == 1
    assert (tap.ip_to_ethernet(packet(POOL[0])), tap.take_frames()) == (None, [])


def test_a_server_with_an_address_of_its_own_asks_in_its_name():
    server = ip("10.0.0.9")
    tap = a_server(replace(SERVE, server_ip=server))
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    (asked,) = tap.take_frames()
    assert (asked[6:12], asked[28:32]) == (tap.hosts()[server], server)


def test_an_address_declined_while_it_is_looked_into_is_not_offered():
    tap = a_server()
    tap.ethernet_to_ip(said(dhcp.DISCOVER))
    assert hear(tap, said(dhcp.DECLINE, options=asks_for(POOL[0], OUR_IP))) == []
    assert tap.next_deadline() is None


def test_every_declined_address_rests():
    tap = a_server()
    for address in POOL[0], ip("10.0.0.51"):
        assert lease(tap) == address
        hear(tap, said(dhcp.DECLINE, options=asks_for(address, OUR_IP)))
    assert lease(tap) == POOL[1]


def test_a_client_may_wish_for_a_second():
    tap = a_server()
    (offered,) = hear(tap, said(dhcp.DISCOVER, options=((dhcp.LEASE_TIME, (1).to_bytes(4)),)))
    assert offered.number(dhcp.LEASE_TIME) == 1


def test_several_servers_of_names_are_told():
    servers = ip("10.0.0.53"), ip("10.0.0.54")
    (offered,) = hear(a_server(replace(SERVE, dns=servers)), said(dhcp.DISCOVER))
    assert offered.addresses(dhcp.DNS) == servers


def test_a_client_without_an_address_is_answered_at_the_one_that_it_gets():
    # RFC 2131 4.1
    tap = a_server()
    (offered,) = hear(tap, said(dhcp.DISCOVER))
    tap.ethernet_to_ip(said(dhcp.REQUEST, options=asks_for(offered.your_ip, OUR_IP)))
    (granted,) = tap.take_frames()
    assert (granted[:6], granted[30:34]) == (PEER_MAC, offered.your_ip)


def test_an_identifier_may_be_as_long_as_an_option():
    (offered,) = hear(a_server(), said(dhcp.DISCOVER, options=((dhcp.CLIENT_ID, bytes(255)),)))
    assert offered.value(dhcp.CLIENT_ID) == bytes(255)


def test_who_names_itself_by_its_hardware_address_is_who_it_was():
    tap = a_server()
    had = lease(tap)
    (offered,) = hear(tap, said(dhcp.DISCOVER, options=((dhcp.CLIENT_ID, b"\1" + PEER_MAC),)))
    assert offered.your_ip == had
