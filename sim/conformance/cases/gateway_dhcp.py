"""The other side's DHCP server: who gets which address, and what it hears. RFC 2131 4.3."""

from dataclasses import replace

from sim.conformance.cases.gateway import FAR
from sim.conformance.dhcp_client import (
    CAMERA_MAC,
    FIRST,
    LAPTOP_MAC,
    LAST,
    SERVE,
    SERVER,
    TABLET_MAC,
    answer,
    asks_for,
    lease,
    no_offer,
    offer,
    said,
    server,
)
from sim.conformance.frames import arp_reply, arp_request, frame, packet
from sim.conformance.registry import clause
from sim.conformance.script import OUR_MAC, PEER, PEER_MAC, US, Script
from virtualtap.serving import Serving
from virtualtap.units import MS, SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, ip

DISCOVERING, REQUESTING = "RFC 2131, 4.3.1", "RFC 2131, 4.3.2"
FREE = ip("10.0.0.51")  # in the middle of the pool
ALL_CLIENTS = (PEER_MAC, LAPTOP_MAC, TABLET_MAC)


@clause("RFC 2131, 3.1", "who looks for an address is offered one of the pool")
def address_is_offered(tap: Script) -> None:
    found = offer(server(tap))
    assert FIRST <= found.ip <= LAST, f"saw {found.ip.hex()}"
    assert (found.message.xid, found.message.client_mac) == (77, PEER_MAC)
    assert found.message.value(dhcp.SERVER_ID) == SERVER, "expected the server's identifier"
    assert found.message.client_ip == ANY4, "expected no `ciaddr` in an offer"


@clause("RFC 2131, 3.1", "who takes the offer has the address")
def offer_is_granted(tap: Script) -> None:
    found = lease(server(tap))
    assert FIRST <= found.ip <= LAST, f"saw {found.ip.hex()}"


@clause("RFC 2131, 2.2", "before an address is offered it is asked for by ARP")
def new_address_is_asked_for(tap: Script) -> None:
    server(tap).lan(said(dhcp.DISCOVER, options=((dhcp.REQUESTED_IP, FREE),)))
    tap.expect(arp_request(FREE, by=SERVER, at=OUR_MAC)).at(2 * SECOND)
    assert answer(tap, dhcp.OFFER).ip == FREE, "expected an offer of it"


@clause("RFC 2131, 2.2", "an address that somebody has is not offered")
def taken_address_is_not_offered(tap: Script) -> None:
    server(tap).lan(said(dhcp.DISCOVER, options=((dhcp.REQUESTED_IP, FREE),)))
    tap.forget().at(100 * MS).lan(arp_reply(FREE, at=TABLET_MAC)).at(5 * SECOND)
    assert answer(tap, dhcp.OFFER).ip != FREE, "expected another address"


@clause("RFC 2131, 2.2", "an address that the client itself answers for is offered to it")
def own_address_is_offered(tap: Script) -> None:
    server(tap).lan(said(dhcp.DISCOVER, options=((dhcp.REQUESTED_IP, FREE),)))
    tap.forget().lan(arp_reply(FREE)).at(5 * SECOND)
    assert answer(tap, dhcp.OFFER).ip == FREE, "expected the address"


@clause(DISCOVERING, "an address that is wished for and free is offered")
def wish_is_fulfilled(tap: Script) -> None:
    assert offer(server(tap), options=((dhcp.REQUESTED_IP, FREE),)).ip == FREE


@clause(DISCOVERING, "a wish beyond the pool is not fulfilled")
def wish_beyond_the_pool_is_not_fulfilled(tap: Script) -> None:
    wish = ip("10.0.0.99")
    assert offer(server(tap), options=((dhcp.REQUESTED_IP, wish),)).ip != wish


@clause(DISCOVERING, "two clients never get the same address")
def clients_get_different_addresses(tap: Script) -> None:
    server(tap)
    found = {lease(tap, by=by, options=((dhcp.REQUESTED_IP, FREE),)).ip for by in ALL_CLIENTS}
    assert len(found) == 3, f"expected 3 addresses, saw {len(found)}"


@clause(DISCOVERING, "who has an address is offered the same again")
def client_keeps_its_address(tap: Script) -> None:
    server(tap)
    lease(tap, by=LAPTOP_MAC)
    had = lease(tap).ip
    assert offer(tap, options=((dhcp.REQUESTED_IP, LAST),)).ip == had


@clause(DISCOVERING, "who had an address is offered the same again")
def client_gets_its_old_address(tap: Script) -> None:
    server(tap)
    lease(tap, by=LAPTOP_MAC)
    had = lease(tap).ip
    tap.at(2 * 3600 * SECOND)
    assert offer(tap, options=((dhcp.REQUESTED_IP, LAST),)).ip == had


@clause(DISCOVERING, "where all addresses are lent nobody is answered")
def empty_pool_is_silent(tap: Script) -> None:
    server(tap)
    for by in ALL_CLIENTS:
        lease(tap, by=by)
    no_offer(tap, by=CAMERA_MAC)


@clause(DISCOVERING, "an address whose time is over is lent again")
def ended_lease_is_lent_again(tap: Script) -> None:
    server(tap)
    for by in ALL_CLIENTS:
        lease(tap, by=by)
    tap.at(2 * 3600 * SECOND)
    assert FIRST <= lease(tap, by=CAMERA_MAC).ip <= LAST


@clause(DISCOVERING, "an offer that nobody takes ends, too")
def ended_offer_is_offered_again(tap: Script) -> None:
    server(tap)
    for by in ALL_CLIENTS:
        offer(tap, by=by)
    no_offer(tap, by=CAMERA_MAC)
    tap.at(tap.now + 100 * SECOND)
    assert FIRST <= offer(tap, by=CAMERA_MAC).ip <= LAST


@clause("RFC 2131, 3.5", "neither the router's address nor a broadcast address is lent")
def own_addresses_are_not_lent(tap: Script) -> None:
    server(tap, Serving(pool=(ip("10.0.0.1"), ip("10.0.0.3"))))
    found = {offer(tap).ip, offer(tap, by=LAPTOP_MAC).ip}
    assert found == {ip("10.0.0.1"), ip("10.0.0.3")}, "expected those that are not the router's"
    no_offer(tap, by=TABLET_MAC)


@clause("virtualtap, leases_max", "above the limit nobody is answered")
def no_lease_above_the_limit(tap: Script) -> None:
    server(tap, replace(SERVE, leases_max=2))
    lease(tap)
    lease(tap, by=LAPTOP_MAC)
    no_offer(tap, by=TABLET_MAC)


# requests


@clause(REQUESTING, "a request for what was not offered is refused, to all")
def wrong_request_is_refused(tap: Script) -> None:
    server(tap)
    offer(tap)
    found = answer(tap.lan(said(dhcp.REQUEST, options=asks_for(LAST))), dhcp.NAK)
    assert (found.to, found.packet.destination) == (BROADCAST, LIMITED_BROADCAST)
    assert found.ip == ANY4, "expected no address"


@clause(REQUESTING, "who takes another server's offer is not answered")
def request_to_another_server_is_silence(tap: Script) -> None:
    server(tap)
    found = offer(tap)
    tap.lan(said(dhcp.REQUEST, options=asks_for(found.ip, ip("10.0.0.4")))).expect()


@clause(REQUESTING, "what was offered to one who took another's offer is free at once")
def refused_offer_is_free(tap: Script) -> None:
    server(tap)
    for by in ALL_CLIENTS:
        offer(tap, by=by)
    tap.lan(said(dhcp.REQUEST, options=asks_for(FIRST, ip("10.0.0.4")))).expect()
    assert FIRST <= offer(tap, by=CAMERA_MAC).ip <= LAST


@clause(REQUESTING, "who comes back with an address of another network is refused")
def reboot_in_another_network_is_refused(tap: Script) -> None:
    server(tap).lan(said(dhcp.REQUEST, options=asks_for(ip("192.168.1.5"), None)))
    answer(tap, dhcp.NAK)


@clause(REQUESTING, "who comes back, and is not known, is let be")
def unknown_reboot_is_silence(tap: Script) -> None:
    server(tap).lan(said(dhcp.REQUEST, options=asks_for(FREE, None))).expect()


@clause(REQUESTING, "who comes back with its address has it")
def reboot_is_granted(tap: Script) -> None:
    had = lease(server(tap)).ip
    tap.lan(said(dhcp.REQUEST, options=asks_for(had, None)))
    assert answer(tap, dhcp.ACK).ip == had


@clause(REQUESTING, "who comes back with another's address is refused")
def reboot_with_anothers_address_is_refused(tap: Script) -> None:
    server(tap)
    other = lease(tap, by=LAPTOP_MAC).ip
    lease(tap)
    answer(tap.lan(said(dhcp.REQUEST, options=asks_for(other, None))), dhcp.NAK)


@clause("RFC 2131, 4.1", "who asks for more time is answered alone, as it is called")
def renewal_is_answered_to_the_client(tap: Script) -> None:
    had = lease(server(tap)).ip
    tap.lan(said(dhcp.REQUEST, source=had, to=SERVER, mac=OUR_MAC))
    found = answer(tap, dhcp.ACK)
    assert (found.to, found.packet.destination) == (PEER_MAC, had)
    assert (found.ip, found.message.client_ip) == (had, had)


@clause(REQUESTING, "who asks for more time gets it")
def renewal_prolongs(tap: Script) -> None:
    server(tap)
    had = lease(tap).ip
    for by in ALL_CLIENTS[1:]:
        lease(tap, by=by)
    tap.at(1800 * SECOND).lan(said(dhcp.REQUEST, source=had, to=SERVER, mac=OUR_MAC)).forget()
    tap.at(3700 * SECOND)
    wish = ((dhcp.REQUESTED_IP, had),)
    assert offer(tap, by=CAMERA_MAC, options=wish).ip != had, "expected another address"


@clause("RFC 2131, 4.3.4", "what is given back is lent to others")
def released_address_is_free(tap: Script) -> None:
    server(tap)
    had = [lease(tap, by=by).ip for by in ALL_CLIENTS]
    tap.lan(said(dhcp.RELEASE, source=had[0], to=SERVER, mac=OUR_MAC)).expect()
    assert offer(tap, by=CAMERA_MAC).ip == had[0]


@clause("RFC 2131, 4.3.4", "nobody gives back what another has")
def anothers_address_is_not_released(tap: Script) -> None:
    server(tap)
    had = [lease(tap, by=by).ip for by in ALL_CLIENTS]
    tap.lan(said(dhcp.RELEASE, source=had[1], to=SERVER, mac=OUR_MAC)).expect()
    no_offer(tap, by=CAMERA_MAC)


@clause("RFC 2131, 4.3.3", "a declined address is nobody's for a while")
def declined_address_rests(tap: Script) -> None:
    had = lease(server(tap)).ip
    tap.lan(said(dhcp.DECLINE, options=asks_for(had))).expect()
    wish = ((dhcp.REQUESTED_IP, had),)
    assert offer(tap, options=wish).ip != had, "expected another address"


@clause("RFC 2131, 4.3.3", "nobody declines what another has")
def anothers_address_is_not_declined(tap: Script) -> None:
    server(tap)
    had = lease(tap).ip
    tap.lan(said(dhcp.DECLINE, by=LAPTOP_MAC, options=asks_for(had))).expect()
    tap.lan(said(dhcp.REQUEST, options=asks_for(had, None)))
    assert answer(tap, dhcp.ACK).ip == had


@clause("RFC 2131, 4.3.5", "who has an address is told the rest, and lent nothing")
def inform_is_answered(tap: Script) -> None:
    server(tap).lan(said(dhcp.INFORM, source=PEER, to=SERVER, mac=OUR_MAC))
    found = answer(tap, dhcp.ACK)
    assert (found.to, found.packet.destination) == (PEER_MAC, PEER)
    assert (found.ip, found.message.value(dhcp.LEASE_TIME)) == (ANY4, None)
    assert found.message.value(dhcp.ROUTER) == US, "expected the router"


# what is not heard


@clause("RFC 2131, 2", "what a server said is not answered")
def replies_are_not_answered(tap: Script) -> None:
    no_offer(server(tap), operation=dhcp.TO_CLIENT)


@clause("RFC 768, Fields", "a wrong checksum of UDP is not answered")
def wrong_checksum_is_not_answered(tap: Script) -> None:
    no_offer(server(tap), wrong_by=1)


@clause("RFC 2131, 4.1", "a relay's message is not for a server of one link")
def relayed_message_is_not_answered(tap: Script) -> None:
    no_offer(server(tap), relay_ip=ip("10.0.0.4"))


@clause("RFC 2131, 4.4", "a client whose hardware address is a group is not answered")
def group_as_a_client_is_not_answered(tap: Script) -> None:
    no_offer(server(tap), client_mac=b"\x03\0\0\0\0\7")


@clause("RFC 2131, 4.3", "no message for the server reaches the way out")
def messages_do_not_go_out(tap: Script) -> None:
    server(tap).lan(said(dhcp.DISCOVER)).expect_host().at(2 * SECOND).expect_host().forget()


@clause("RFC 2131, 4.3.2", "a message for a server beyond the router is passed on")
def message_for_a_far_server_goes_out(tap: Script) -> None:
    sent = said(dhcp.REQUEST, source=PEER, to=FAR, mac=OUR_MAC)
    server(tap).lan(sent).expect_host(sent[14:]).expect()


@clause("virtualtap, serve", "a router without a pool is no DHCP server")
def router_without_a_pool_is_no_server(tap: Script) -> None:
    sent = said(dhcp.DISCOVER)
    server(tap, Serving()).lan(sent).expect_host(sent[14:]).at(5 * SECOND).expect()


@clause("RFC 2131, 3.1", "a packet for a client reaches it by ARP")
def packet_reaches_the_client(tap: Script) -> None:
    had = lease(server(tap)).ip
    inside = packet(had, source=FAR)
    tap.host(inside).expect(arp_request(had, by=US, at=OUR_MAC))
    tap.lan(arp_reply(had)).expect(frame(inside, to=PEER_MAC, source=OUR_MAC))
