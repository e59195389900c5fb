"""The other side's DHCP server: what its answers say, and to whom. RFC 2131 4.1, RFC 2132, 6842."""

from dataclasses import replace

from sim.conformance.dhcp_client import (
    LAPTOP_MAC,
    SERVE,
    TABLET_MAC,
    Answer,
    answer,
    asks_for,
    lease,
    offer,
    said,
    server,
)
from sim.conformance.frames import arp_request
from sim.conformance.registry import clause
from sim.conformance.script import OUR_MAC, PEER, PEER_MAC, US, Script
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Route, ip
from virtualtap.wire.arp import Arp
from virtualtap.wire.dhcp import BROADCAST_FLAG
from virtualtap.wire.ethernet import HEADER_LEN

TIMES = (dhcp.LEASE_TIME, dhcp.RENEWAL_TIME, dhcp.REBINDING_TIME)
SERVER_IP = ip("10.0.0.9")
APART = replace(SERVE, server_ip=SERVER_IP)
INSIDE = ip("172.16.0.0")


def times(found: Answer) -> tuple[int | None, ...]:
    """How long, when to renew, when to rebind, in seconds."""
    return tuple(found.message.number(code) for code in TIMES)


@clause("RFC 2131, 4.4.5", "a lease says how long, and asks back after a half and seven eighths")
def lease_says_its_times(tap: Script) -> None:
    assert times(lease(server(tap))) == (3600, 1800, 3150)


@clause("RFC 2131, 4.3.1", "who asks for less time gets less")
def shorter_lease_is_granted(tap: Script) -> None:
    found = lease(server(tap), options=((dhcp.LEASE_TIME, (600).to_bytes(4)),))
    assert times(found)[0] == 600, f"expected 600 s, saw {times(found)[0]}"


@clause("RFC 2131, 4.3.1", "who asks for more time than we lend gets what we lend")
def longer_lease_is_not_granted(tap: Script) -> None:
    found = lease(server(tap), options=((dhcp.LEASE_TIME, b"\xff" * 4),))
    assert times(found)[0] == 3600, f"expected 3600 s, saw {times(found)[0]}"


@clause("RFC 2132, 3.3", "the mask stands before the router, and both are right")
def mask_stands_before_the_router(tap: Script) -> None:
    found = offer(server(tap)).message
    assert found.value(dhcp.MASK) == ip("255.255.255.0")
    assert found.addresses(dhcp.ROUTER) == (US,)
    codes = [code for code, _ in found.options]
    assert codes.index(dhcp.MASK) < codes.index(dhcp.ROUTER), "expected the mask first"


@clause("RFC 2132, 3.8", "the DNS servers are named")
def dns_servers_are_named(tap: Script) -> None:
    assert offer(server(tap)).message.addresses(dhcp.DNS) == (ip("10.0.0.53"),)


@clause("RFC 2132, 5.1", "the MTU of the link is named")
def mtu_is_named(tap: Script) -> None:
    assert offer(server(tap, mtu=1400)).message.number(dhcp.MTU, 2) == 1400


@clause("RFC 3442, Classless Route Option Format", "routes are named, the way out among them")
def routes_are_named(tap: Script) -> None:
    serve = replace(SERVE, routes=((INSIDE, 12, PEER),))
    said_routes = offer(server(tap, serve)).message.value(dhcp.ROUTES)
    assert said_routes is not None, "expected option 121"
    assert dhcp.routes(said_routes) == (Route(INSIDE, 12, PEER), Route(ANY4, 0, US))


@clause("RFC 2131, 4.3.1", "what the client did not ask for is left out")
def unasked_options_are_left_out(tap: Script) -> None:
    wants = ((dhcp.PARAMETERS, bytes((dhcp.MASK, dhcp.ROUTER))),)
    found = offer(server(tap), options=wants).message
    assert (found.value(dhcp.DNS), found.value(dhcp.MTU)) == (None, None)
    assert found.value(dhcp.ROUTER) == US, "expected what it did ask for"


@clause("RFC 6842, 3", "the client's identifier comes back")
def client_identifier_comes_back(tap: Script) -> None:
    name = (dhcp.CLIENT_ID, b"\0phone")
    assert offer(server(tap), options=(name,)).message.value(dhcp.CLIENT_ID) == b"\0phone"


@clause("RFC 2131, 4.2", "the identifier tells clients apart, and not the hardware address")
def identifier_tells_clients_apart(tap: Script) -> None:
    server(tap)
    one = lease(tap, options=((dhcp.CLIENT_ID, b"\0one"),)).ip
    two = lease(tap, options=((dhcp.CLIENT_ID, b"\0two"),)).ip
    assert one != two, "expected different addresses"
    again = offer(tap, by=LAPTOP_MAC, options=((dhcp.CLIENT_ID, b"\0one"),))
    assert again.ip == one, "expected the same address for the same identifier"


@clause("RFC 2131, 4.1", "an offer goes to the client's MAC and the address that it may have")
def offer_goes_to_the_client(tap: Script) -> None:
    found = offer(server(tap))
    assert (found.to, found.packet.destination) == (PEER_MAC, found.ip)
    assert found.source == OUR_MAC, "expected it from our MAC"


@clause("RFC 2131, 4.1", "who cannot hear that yet, and says so, is answered to all")
def broadcast_flag_is_honored(tap: Script) -> None:
    found = offer(server(tap), flags=BROADCAST_FLAG)
    assert (found.to, found.packet.destination) == (BROADCAST, LIMITED_BROADCAST)
    assert found.message.flags == BROADCAST_FLAG, "expected the flag to come back"


@clause("RFC 2131, 4.3.1", "a refusal says whose it is, and nothing else")
def refusal_says_little(tap: Script) -> None:
    tap = server(tap)
    tap.lan(said(dhcp.REQUEST, options=asks_for(ip("192.168.1.5"), None)))
    found = answer(tap, dhcp.NAK).message
    assert {code for code, _ in found.options} == {dhcp.KIND, dhcp.SERVER_ID}


@clause("virtualtap, server_ip", "a DHCP server with an address of its own has its own MAC")
def server_apart_has_its_own_mac(tap: Script) -> None:
    frames = server(tap, APART).lan(arp_request(SERVER_IP)).frames()
    assert len(frames) == 1, f"expected one ARP reply, saw {len(frames)} frames"
    mac = Arp.parse(frames[0][HEADER_LEN:]).sender_mac
    assert mac not in (OUR_MAC, PEER_MAC), "expected a MAC of its own"
    assert mac[0] & 3 == 2, "expected unicast, locally administered"
    found = offer(tap)
    assert (found.source, found.packet.source) == (mac, SERVER_IP)
    assert found.message.value(dhcp.SERVER_ID) == SERVER_IP
    assert found.message.value(dhcp.ROUTER) == US, "expected the router's own address"


@clause("virtualtap, server_ip", "a DHCP server with an address of its own hears at its MAC")
def server_apart_is_heard_at_its_mac(tap: Script) -> None:
    found = offer(server(tap, APART), by=TABLET_MAC)
    options = asks_for(found.ip, SERVER_IP)
    tap.lan(said(dhcp.REQUEST, by=TABLET_MAC, options=options))
    assert answer(tap, dhcp.ACK).ip == found.ip
    tap.at(1800 * SECOND)
    tap.lan(said(dhcp.REQUEST, by=TABLET_MAC, source=found.ip, to=SERVER_IP, mac=found.source))
    assert answer(tap, dhcp.ACK).ip == found.ip


@clause("virtualtap, server_ip", "the server's own address is not lent")
def address_of_the_server_is_not_lent(tap: Script) -> None:
    serve = replace(APART, pool=(SERVER_IP, ip("10.0.0.10")))
    assert offer(server(tap, serve)).ip == ip("10.0.0.10")
