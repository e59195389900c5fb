"""DHCP, until an address is ours: RFC 2131 3.1, 4.1, 4.4.1, 4.4.2."""

from sim.conformance.dhcp_server import (
    FIRST_BY,
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
    start,
)
from sim.conformance.frames import arp_reply, arp_request, packet, wrapped
from sim.conformance.registry import clause
from sim.conformance.script import OTHER, OTHER_MAC, OUR_MAC, PEER, Script
from virtualtap.units import SECOND
from virtualtap.wire import checksum, dhcp, udp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, ip

CLIENT_ID = b"\1" + OUR_MAC


@clause(
    "RFC 2131, 4.4.1",
    "the first message is sent one to ten seconds after the start",
)
def first_message_waits(tap: Script) -> None:
    start(tap).at(1 * SECOND - 1).expect()
    tap.until_sent(FIRST_BY)
    question(tap, dhcp.DISCOVER)


@clause("RFC 2131, 4.4.1", "two clients do not begin at the same moment, nor with the same xid")
def clients_are_apart(tap: Script) -> None:
    one, two = Script(tap.make), Script(tap.make)
    first, second = discover(one, random_seed=1), discover(two, random_seed=2)
    assert first.at != second.at, "both began at the same moment"
    assert first.message.xid != second.message.xid, "both took the same transaction id"


@clause(
    "RFC 2131, 4.1",
    "a DISCOVER goes from 0.0.0.0 to everyone on both layers",
    "TC8:DHCPv4_CLIENT_ALLOCATING_01",
)
def discover_goes_to_everyone(tap: Script) -> None:
    asked = discover(tap)
    assert (asked.packet.source, asked.packet.destination) == (ANY4, LIMITED_BROADCAST)
    assert (asked.to, asked.source) == (BROADCAST, OUR_MAC)


@clause(
    "RFC 2131, 4.1",
    "a client speaks from port 68 to port 67",
    "TC8:DHCPv4_CLIENT_SUMMARY_01",
)
def ports_are_68_and_67(tap: Script) -> None:
    asked = discover(tap)
    ports = asked.datagram.source_port, asked.datagram.destination_port
    assert ports == (68, 67)


@clause("RFC 768", "the UDP checksum of a DISCOVER is right")
def udp_checksum_is_right(tap: Script) -> None:
    asked = discover(tap).packet
    assert asked.payload[6:8] != b"\0\0", "no checksum"
    assert checksum.transport_is_right(asked.source, asked.destination, udp.PROTOCOL, asked.payload)


@clause(
    "RFC 2131, 2",
    "a DISCOVER is a BOOTP request of an Ethernet client that has no address and knows no server",
)
def discover_has_no_addresses(tap: Script) -> None:
    asked = discover(tap).message
    assert asked.operation == dhcp.TO_SERVER
    assert asked.hops == 0
    addresses = asked.client_ip, asked.your_ip, asked.next_server, asked.relay_ip
    assert addresses == (ANY4,) * 4


@clause("RFC 2131, 2, Figure 2", "the reserved flag bits are zero", "TC8:DHCPv4_CLIENT_SUMMARY_04")
def reserved_flags_are_zero(tap: Script) -> None:
    assert discover(tap).message.flags & 0x7FFF == 0


@clause(
    "RFC 2131, 4.1",
    "a client that hears unicast before it has an address leaves the broadcast flag clear",
)
def broadcast_flag_is_clear(tap: Script) -> None:
    assert discover(tap).message.flags & dhcp.BROADCAST_FLAG == 0


@clause("SoftEther, Virtual.c:VirtualDhcpServer", "the frame's source is the client's own MAC")
def source_is_the_client(tap: Script) -> None:
    asked = discover(tap)
    assert asked.source == asked.message.client_mac == OUR_MAC


@clause("RFC 1542, 2.1", "a DISCOVER has at least 300 bytes")
def discover_is_long_enough(tap: Script) -> None:
    assert len(discover(tap).datagram.payload) >= dhcp.LEN_MIN


@clause(
    "RFC 2131, 4.1",
    "the options end with the end mark",
    "TC8:DHCPv4_CLIENT_CONSTRUCTING_MESSAGES_01",
)
def options_end(tap: Script) -> None:
    options = discover(tap).datagram.payload[dhcp.HEADER_LEN :].rstrip(b"\0")
    assert options[-1:] == b"\xff"


@clause("RFC 2132, 9.14", "the client names itself by its hardware address")
def client_names_itself(tap: Script) -> None:
    assert discover(tap).value(dhcp.CLIENT_ID) == CLIENT_ID


@clause("RFC 2131, 4.4.1", "what a client wants to know it asks for: mask, router, routes")
def parameters_are_asked_for(tap: Script) -> None:
    wanted = discover(tap).value(dhcp.PARAMETERS) or b""
    assert {dhcp.MASK, dhcp.ROUTER, dhcp.ROUTES} <= set(wanted)


@clause("RFC 3442", "the classless routes are asked for before the router")
def routes_are_asked_for_first(tap: Script) -> None:
    wanted = discover(tap).value(dhcp.PARAMETERS) or b""
    assert -1 < wanted.find(dhcp.ROUTES) < wanted.find(dhcp.ROUTER)


@clause("RFC 2132, 9.10", "a client's size limit is what its link carries, at least 576")
def size_limit_is_the_link_s(tap: Script) -> None:
    assert discover(tap, mtu=1400).value(dhcp.SIZE_MAX) == (1400).to_bytes(2)


@clause(
    "RFC 2131, 4.1",
    "a DISCOVER that nobody answers is repeated after 4, 8, 16, 32, 64 seconds, give or take one",
    "TC8:DHCPv4_CLIENT_CONSTRUCTING_MESSAGES_12",
)
def discover_backs_off(tap: Script) -> None:
    before = discover(tap).at
    for wait in (4, 8, 16, 32, 64, 64):
        tap.at(before + (wait - 1) * SECOND - 1).expect()
        tap.until_sent(before + (wait + 1) * SECOND)
        before = question(tap, dhcp.DISCOVER).at


@clause("RFC 2131, 4.1", "the waits are spread: no two clients repeat in step")
def waits_are_spread(tap: Script) -> None:
    waits = set()
    for seed in range(4):
        one = Script(tap.make)
        first = discover(one, random_seed=seed).at
        one.until_sent(first + 5 * SECOND)
        waits.add(question(one, dhcp.DISCOVER).at - first)
    assert len(waits) == 4, f"four clients waited {sorted(waits)}"


@clause("RFC 2131, 2", "`secs` tells how long the client has been asking")
def secs_count_from_the_start(tap: Script) -> None:
    first = discover(tap)
    assert first.message.secs == 0
    tap.until_sent(first.at + 5 * SECOND)
    second = question(tap, dhcp.DISCOVER)
    assert second.message.secs == (second.at - first.at) // SECOND


@clause("RFC 2131, 4.4.1", "a repeated DISCOVER keeps its transaction id")
def repeated_discover_keeps_its_xid(tap: Script) -> None:
    first = discover(tap)
    tap.until_sent(first.at + 5 * SECOND)
    assert question(tap, dhcp.DISCOVER).message.xid == first.message.xid


@clause(
    "RFC 2131, 3.1.3",
    "an offer is requested from everyone, still without an address",
    "TC8:DHCPv4_CLIENT_ALLOCATING_05",
    "TC8:DHCPv4_CLIENT_REQUEST_01",
)
def request_goes_to_everyone(tap: Script) -> None:
    asked = request(tap)
    assert (asked.packet.source, asked.packet.destination) == (ANY4, LIMITED_BROADCAST)
    assert (asked.to, asked.message.client_ip) == (BROADCAST, ANY4)


@clause(
    "RFC 2131, 3.1.3",
    "a REQUEST names the server whose offer it takes",
    "TC8:DHCPv4_CLIENT_ALLOCATING_03",
)
def request_names_the_server(tap: Script) -> None:
    assert request(tap).value(dhcp.SERVER_ID) == SERVER


@clause("RFC 2131, 3.1.3", "a REQUEST names the address offered", "TC8:DHCPv4_CLIENT_REQUEST_02")
def request_names_the_address(tap: Script) -> None:
    assert request(tap).value(dhcp.REQUESTED_IP) == LEASED


@clause("RFC 2131, 4.4.1", "a REQUEST has the transaction id of its offer")
def request_keeps_the_xid(tap: Script) -> None:
    asked = discover(tap)
    tap.lan(reply(asked, dhcp.OFFER))
    assert question(tap, dhcp.REQUEST).message.xid == asked.message.xid


@clause("RFC 2131, 3.1.3", "a REQUEST has the `secs` of its DISCOVER")
def request_keeps_the_secs(tap: Script) -> None:
    asked = discover(tap)
    tap.at(asked.at + 2 * SECOND).lan(reply(asked, dhcp.OFFER))
    assert question(tap, dhcp.REQUEST).message.secs == asked.message.secs


@clause("RFC 2131, 4.2", "a REQUEST has the client identifier of the DISCOVER")
def request_names_the_client(tap: Script) -> None:
    assert request(tap).value(dhcp.CLIENT_ID) == CLIENT_ID


@clause("RFC 2131, 3.1", "of two offers one is taken")
def one_offer_is_taken(tap: Script) -> None:
    asked = discover(tap)
    tap.lan(reply(asked, dhcp.OFFER))
    tap.lan(reply(asked, dhcp.OFFER, {dhcp.SERVER_ID: OTHER}, your_ip=OTHER))
    assert question(tap, dhcp.REQUEST).value(dhcp.SERVER_ID) == SERVER


@clause("RFC 2131, 3.1.3", "an offer alone gives no address")
def offer_gives_no_address(tap: Script) -> None:
    request(tap)
    owns_nothing(tap)


@clause(
    "RFC 2131, 4.4.1",
    "a reply with another transaction id is ignored",
    "TC8:DHCPv4_CLIENT_SUMMARY_02",
)
def foreign_xid_is_ignored(tap: Script) -> None:
    asked = discover(tap)
    tap.lan(reply(asked, dhcp.OFFER, xid=asked.message.xid ^ 1)).expect().expect_host()


@clause("RFC 2131, 4.1", "an offer for another client's hardware is ignored")
def other_client_s_offer_is_ignored(tap: Script) -> None:
    tap.lan(reply(discover(tap), dhcp.OFFER, client_mac=OTHER_MAC)).expect()


@clause("RFC 2131, 2", "a message that is a request is no answer")
def request_is_no_answer(tap: Script) -> None:
    tap.lan(reply(discover(tap), dhcp.OFFER, operation=dhcp.TO_SERVER)).expect()


@clause("RFC 2131, 4.3.1, Table 3", "an offer without a server identifier is ignored")
def offer_without_server_is_ignored(tap: Script) -> None:
    tap.lan(reply(discover(tap), dhcp.OFFER, {dhcp.SERVER_ID: None})).expect()


@clause("RFC 2131, 4.3.1, Table 3", "an offer without a lease time is ignored")
def offer_without_duration_is_ignored(tap: Script) -> None:
    tap.lan(reply(discover(tap), dhcp.OFFER, {dhcp.LEASE_TIME: None})).expect()


@clause("RFC 1122, 3.2.1.3", "an offer of an address that no host may own is ignored")
def offer_of_a_group_is_ignored(tap: Script) -> None:
    asked = discover(tap)
    groups = ip("224.0.0.1"), ip("10.0.0.255"), LIMITED_BROADCAST
    for address in (ANY4, ip("127.0.0.1"), *groups):
        tap.lan(reply(asked, dhcp.OFFER, your_ip=address)).expect()


@clause("RFC 2131, 4.1", "an offer sent to our MAC and the offered address is heard")
def unicast_offer_is_heard(tap: Script) -> None:
    offer = message(discover(tap), dhcp.OFFER).to_bytes()
    tap.lan(in_frame(offer, to=OUR_MAC, destination=LEASED))
    question(tap, dhcp.REQUEST)
    tap.expect_host()


@clause("RFC 768", "an offer without a UDP checksum is heard")
def offer_without_checksum_is_heard(tap: Script) -> None:
    tap.lan(in_frame(message(discover(tap), dhcp.OFFER).to_bytes(), checksum=False))
    question(tap, dhcp.REQUEST)


@clause("RFC 768", "an offer with a wrong UDP checksum is dropped")
def offer_with_wrong_checksum_is_dropped(tap: Script) -> None:
    tap.lan(in_frame(message(discover(tap), dhcp.OFFER).to_bytes(), wrong_by=1)).expect()


@clause("RFC 2131, 2", "an offer of 576 bytes is heard", "TC8:DHCPv4_CLIENT_SUMMARY_03")
def long_offer_is_heard(tap: Script) -> None:
    offer = message(discover(tap), dhcp.OFFER, {224: bytes(250)}).to_bytes()
    tap.lan(in_frame(offer.ljust(548, b"\0")))
    question(tap, dhcp.REQUEST)


@clause("RFC 2131, 3.1.5", "an ACK gives the address")
def ack_gives_the_address(tap: Script) -> None:
    bind(tap)
    owns(tap)


@clause("RFC 1122, 3.3.1", "with a lease the host's packets go to their neighbors")
def leased_tap_sends(tap: Script) -> None:
    bind(tap)
    tap.host(packet(PEER, source=LEASED)).expect(arp_request(PEER, by=LEASED, at=OUR_MAC))
    tap.lan(arp_reply(PEER, to_ip=LEASED))
    tap.expect(wrapped(packet(PEER, source=LEASED)))


@clause("RFC 2131, 3.1.5", "an ACK from another server is ignored")
def other_server_s_ack_is_ignored(tap: Script) -> None:
    tap.lan(reply(request(tap), dhcp.ACK, {dhcp.SERVER_ID: OTHER}))
    owns_nothing(tap)


@clause("RFC 2131, 3.1.5", "an ACK of another address than was asked for is ignored")
def ack_of_another_address_is_ignored(tap: Script) -> None:
    tap.lan(reply(request(tap), dhcp.ACK, your_ip=OTHER))
    owns_nothing(tap, OTHER)


@clause("RFC 2131, 4.4.1", "an ACK that was not asked for is ignored")
def ack_before_a_request_is_ignored(tap: Script) -> None:
    tap.lan(reply(discover(tap), dhcp.ACK)).expect()
    owns_nothing(tap)


@clause("RFC 2131, 4.4.1", "a second ACK changes nothing")
def second_ack_changes_nothing(tap: Script) -> None:
    asked = bind(tap)
    tap.lan(reply(asked, dhcp.ACK, your_ip=OTHER)).expect().expect_host()
    owns(tap)


@clause("RFC 2131, 3.1.5", "after a NAK the client begins anew")
def nak_begins_anew(tap: Script) -> None:
    asked = request(tap)
    tap.lan(reply(asked, dhcp.NAK)).until_sent(asked.at + 10 * SECOND)
    assert question(tap, dhcp.DISCOVER).message.xid != asked.message.xid


@clause("SoftEther, Virtual.c:VirtualDhcpServer", "a NAK of a server that was not asked is ignored")
def other_server_s_nak_is_ignored(tap: Script) -> None:
    asked = request(tap)
    tap.lan(reply(asked, dhcp.NAK, {dhcp.SERVER_ID: OTHER})).expect()
    tap.lan(reply(asked, dhcp.ACK)).expect()
    owns(tap)


@clause("RFC 2131, 4.3.2, Table 3", "a NAK without a server identifier is ignored")
def nak_without_server_is_ignored(tap: Script) -> None:
    tap.lan(reply(request(tap), dhcp.NAK, {dhcp.SERVER_ID: None})).expect()


@clause("RFC 2131, 4.1", "refused again and again, a client asks ever more slowly")
def refusals_are_answered_slowly(tap: Script) -> None:
    asked, since = request(tap), 0
    for _ in range(4):
        tap.lan(reply(asked, dhcp.NAK)).until_sent(asked.at + 70 * SECOND)
        since = tap.now - asked.at
        tap.lan(reply(question(tap, dhcp.DISCOVER), dhcp.OFFER))
        asked = question(tap, dhcp.REQUEST)
    assert since >= 8 * SECOND, f"asked again {since} ns after the fourth refusal"


@clause(
    "RFC 2131, 3.1.5",
    "a REQUEST that nobody answers is repeated, and given up after a minute",
)
def request_is_given_up(tap: Script) -> None:
    asked = request(tap)
    before = asked.at
    for wait in (4, 8, 16):
        tap.until_sent(before + (wait + 1) * SECOND)
        again = question(tap, dhcp.REQUEST)
        assert (wait - 1) * SECOND <= again.at - before
        assert again.value(dhcp.REQUESTED_IP) == LEASED
        before = again.at
    tap.until_sent(before + 33 * SECOND)
    question(tap, dhcp.DISCOVER)
