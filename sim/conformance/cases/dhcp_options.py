"""DHCP, what a lease says and how: RFC 2132, RFC 3396, RFC 3442."""

from sim.conformance.dhcp_server import (
    LEASED,
    SERVER,
    bind,
    discover,
    in_frame,
    message,
    owns,
    owns_nothing,
    question,
    reply,
    request,
    seconds,
)
from sim.conformance.frames import arp_request, packet, padded
from sim.conformance.registry import clause
from sim.conformance.script import OTHER, OUR_MAC, PEER, Script
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, Ip, Route, ip

FAR, FARTHER = ip("192.0.2.9"), ip("198.51.100.9")


def with_options(data: bytes, options: bytes, *, file: bytes = b"", name: bytes = b"") -> bytes:
    """The message with other bytes behind its cookie, and in the fields of the two names."""
    fields = name.ljust(64, b"\0") + file.ljust(128, b"\0")
    return data[:44] + fields + data[236 : dhcp.HEADER_LEN] + options


def asks(tap: Script, destination: Ip, next_hop: Ip) -> None:
    """For `destination` the tap asks who has `next_hop`."""
    tap.host(packet(destination, source=LEASED))
    tap.expect(arp_request(next_hop, by=LEASED, at=OUR_MAC))


def offered(tap: Script, options: bytes, **fields: bytes) -> Script:
    """The DISCOVER is answered by an offer of exactly these options."""
    offer = message(discover(tap), dhcp.OFFER).to_bytes()
    return tap.lan(in_frame(with_options(offer, options, **fields)))


KIND, LEASE = b"\x35\x01\x02", b"\x33\x04" + seconds(3600)
NAME = b"\x36\x04" + SERVER


@clause("RFC 2132, 3.3", "the mask says who is on-link")
def mask_says_who_is_on_link(tap: Script) -> None:
    bind(tap, {dhcp.MASK: ip("255.255.255.192")})
    asks(tap, ip("10.0.0.60"), ip("10.0.0.60"))
    asks(tap, ip("10.0.0.70"), SERVER)


@clause("RFC 2132, 3.3", "a mask with holes is not believed")
def mask_with_holes_is_refused(tap: Script) -> None:
    tap.lan(reply(request(tap), dhcp.ACK, {dhcp.MASK: ip("255.0.255.0")})).expect()
    owns_nothing(tap)


@clause(
    "RFC 2132, 3.5",
    "the router is the gateway to everywhere else",
)
def router_is_the_gateway(tap: Script) -> None:
    bind(tap)
    asks(tap, FAR, SERVER)


@clause("RFC 2132, 3.5", "of several routers the first is preferred")
def first_router_is_preferred(tap: Script) -> None:
    bind(tap, {dhcp.ROUTER: OTHER + SERVER})
    asks(tap, FAR, OTHER)


@clause("RFC 1122, 3.3.1.1", "without a router only neighbors are reached")
def without_router_only_neighbors(tap: Script) -> None:
    bind(tap, {dhcp.ROUTER: None})
    tap.host(packet(FAR, source=LEASED)).expect()
    asks(tap, PEER, PEER)


@clause("RFC 3442", "a classless route leads to its router")
def route_leads_to_its_router(tap: Script) -> None:
    routes = Route(ip("192.0.2.0"), 24, OTHER), Route(ANY4, 0, SERVER)
    bind(tap, {dhcp.ROUTES: dhcp.route_bytes(routes), dhcp.ROUTER: None})
    asks(tap, FAR, OTHER)
    asks(tap, FARTHER, SERVER)


@clause("RFC 3442", "with classless routes the router option is ignored")
def routes_overrule_the_router(tap: Script) -> None:
    routes = (Route(ip("192.0.2.0"), 24, OTHER),)
    bind(tap, {dhcp.ROUTES: dhcp.route_bytes(routes)})
    tap.host(packet(FARTHER, source=LEASED)).expect()


@clause("RFC 3442", "the longest of the routes that match is taken, in whatever order they come")
def longest_route_is_taken(tap: Script) -> None:
    routes = Route(ip("192.0.0.0"), 8, OTHER), Route(ip("192.0.2.0"), 25, PEER)
    bind(tap, {dhcp.ROUTES: dhcp.route_bytes(routes)})
    asks(tap, FAR, PEER)


@clause("RFC 3442", "a route whose router is 0.0.0.0 is on-link")
def route_without_router_is_on_link(tap: Script) -> None:
    routes = (Route(ip("192.0.2.0"), 24, ANY4),)
    bind(tap, {dhcp.ROUTES: dhcp.route_bytes(routes)})
    asks(tap, FAR, FAR)


@clause("RFC 3442", "routes that are cut short refuse the whole message")
def broken_routes_are_refused(tap: Script) -> None:
    tap.lan(reply(request(tap), dhcp.ACK, {dhcp.ROUTES: b"\x18\xc0\x00\x02" + OTHER[:2]}))
    owns_nothing(tap)


@clause("RFC 2132, 5.1", "a smaller MTU of the server's is kept to")
def mtu_is_the_server_s(tap: Script) -> None:
    bind(tap, {dhcp.MTU: (1000).to_bytes(2)})
    tap.host(packet(PEER, source=LEASED, payload=bytes(981), fragment=0x4000)).expect()
    tap.forget()  # what the host is told of it is another clause
    asks_long = packet(PEER, source=LEASED, payload=bytes(980))
    tap.host(asks_long).expect(arp_request(PEER, by=LEASED, at=OUR_MAC))


@clause("RFC 791, 3.1", "an MTU below 576 is not believed")
def tiny_mtu_is_not_believed(tap: Script) -> None:
    bind(tap, {dhcp.MTU: (68).to_bytes(2)})
    tap.host(packet(PEER, source=LEASED, payload=bytes(500), fragment=0x4000))
    tap.expect(arp_request(PEER, by=LEASED, at=OUR_MAC))


@clause("RFC 2132, 5.1", "an MTU above our link's is not used")
def large_mtu_is_not_used(tap: Script) -> None:
    bind(tap, {dhcp.MTU: (9000).to_bytes(2)})
    tap.host(packet(PEER, source=LEASED, payload=bytes(1481), fragment=0x4000)).expect()
    tap.forget()  # what the host is told of it is another clause


@clause("RFC 2132, 2", "an option that nobody knows is passed over")
def unknown_option_is_passed_over(tap: Script) -> None:
    bind(tap, {200: b"whatever", 224: b""})
    owns(tap)


@clause("RFC 2132, 3.1", "pad bytes between options mean nothing")
def pads_mean_nothing(tap: Script) -> None:
    offered(tap, b"\0\0" + KIND + b"\0" + NAME + b"\0\0\0" + LEASE + b"\xff")
    question(tap, dhcp.REQUEST)


@clause("RFC 2132, 3.2", "what stands behind the end mark is not read")
def behind_the_end_is_not_read(tap: Script) -> None:
    offered(tap, KIND + NAME + LEASE + b"\xff\x36\x04" + OTHER)
    assert question(tap, dhcp.REQUEST).value(dhcp.SERVER_ID) == SERVER


@clause("RFC 2131, 4.1", "a message without options but padding is no offer")
def only_pads_are_no_offer(tap: Script) -> None:
    offered(tap, bytes(60)).expect()


@clause("RFC 2131, 3", "a message without the magic cookie is no DHCP")
def cookie_is_demanded(tap: Script) -> None:
    offer = message(discover(tap), dhcp.OFFER).to_bytes()
    tap.lan(in_frame(offer[:236] + b"\0\0\0\0" + offer[240:])).expect()


@clause("RFC 2131, 2", "a message that is cut short is dropped")
def short_message_is_dropped(tap: Script) -> None:
    offer = message(discover(tap), dhcp.OFFER).to_bytes()
    for length in (0, 1, 43, 235, 239):
        tap.lan(padded(in_frame(offer[:length]))).expect()


@clause("RFC 2132, 2", "an option that claims more than there is drops the message")
def overrun_drops_the_message(tap: Script) -> None:
    offered(tap, KIND + NAME + LEASE + b"\x0f\x20abc").expect()


@clause("RFC 2132, 9.2", "a lease time that has not four bytes drops the message")
def short_number_drops_the_message(tap: Script) -> None:
    tap.lan(reply(discover(tap), dhcp.OFFER, {dhcp.LEASE_TIME: b"\x0e\x10"})).expect()


@clause(
    "RFC 2131, 4.1",
    "options in the overloaded file field are read",
    "TC8:DHCPv4_CLIENT_CONSTRUCTING_MESSAGES_06",
)
def overloaded_file_is_read(tap: Script) -> None:
    offered(tap, KIND + NAME + b"\x34\x01\x01\xff", file=LEASE + b"\xff")
    question(tap, dhcp.REQUEST)


@clause("RFC 2131, 4.1", "options in the overloaded server name field are read")
def overloaded_name_is_read(tap: Script) -> None:
    offered(tap, KIND + NAME + b"\x34\x01\x02\xff", name=LEASE + b"\xff")
    question(tap, dhcp.REQUEST)


@clause("RFC 2132, 9.3", "the fields of names are not read as options unless they are overloaded")
def names_are_not_options(tap: Script) -> None:
    offered(tap, KIND + NAME + b"\xff", file=LEASE + b"\xff").expect()


@clause("RFC 3396, 7", "the parts of a split option are joined")
def split_option_is_joined(tap: Script) -> None:
    half, rest = LEASE[2:4], LEASE[4:]
    offered(tap, KIND + b"\x33\x02" + half + NAME + b"\x33\x02" + rest + b"\xff")
    question(tap, dhcp.REQUEST)


@clause("RFC 3396, 5", "an option is joined over the fields: first the file, then the name")
def split_option_is_joined_over_the_fields(tap: Script) -> None:
    server = [b"\x36" + bytes((len(part),)) + part for part in (SERVER[:2], SERVER[2:3])]
    offered(
        tap,
        KIND + LEASE + b"\x34\x01\x03" + server[0] + b"\xff",
        file=server[1] + b"\xff",
        name=b"\x36\x01" + SERVER[3:] + b"\xff",
    )
    assert question(tap, dhcp.REQUEST).value(dhcp.SERVER_ID) == SERVER


@clause("RFC 3396, 7", "routes longer than 255 bytes are read whole")
def long_routes_are_read(tap: Script) -> None:
    filler = tuple(Route(bytes((100, 0, at, 0)), 24, SERVER) for at in range(40))
    routes = (*filler, Route(ip("192.0.2.0"), 24, OTHER))
    bind(tap, {dhcp.ROUTES: dhcp.route_bytes(routes)})
    asks(tap, FAR, OTHER)


@clause("RFC 2131, 4.1", "an offer whose end mark is missing is read to its end")
def missing_end_is_forgiven(tap: Script) -> None:
    offered(tap, KIND + NAME + LEASE)
    question(tap, dhcp.REQUEST)


@clause("RFC 2131, 3", "the options begin with the magic cookie", "TC8:DHCPv4_CLIENT_PROTOCOL_01")
def options_begin_with_the_cookie(tap: Script) -> None:
    payload = discover(tap).datagram.payload
    assert payload[236 : dhcp.HEADER_LEN] == bytes((99, 130, 83, 99))


@clause("RFC 2132, 9.6", "a message says by an option what it is", "TC8:DHCPv4_CLIENT_PROTOCOL_02")
def message_says_what_it_is(tap: Script) -> None:
    assert discover(tap).value(dhcp.KIND) == b"\1"


@clause(
    "RFC 2131, 3.1.3",
    "a REQUEST wishes for what the DISCOVER wished for",
    "TC8:DHCPv4_CLIENT_PARAMETERS_04",
)
def request_has_the_same_wishes(tap: Script) -> None:
    asked = discover(tap)
    tap.lan(reply(asked, dhcp.OFFER))
    wished = question(tap, dhcp.REQUEST).value(dhcp.PARAMETERS)
    assert wished == asked.value(dhcp.PARAMETERS)
