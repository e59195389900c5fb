"""DHCP, once an address is ours: RFC 2131 3.3, 3.4, 4.4.2, 4.4.5, 4.4.6."""

from sim.conformance.dhcp_server import (
    LEASED,
    SERVER,
    SERVER_MAC,
    Question,
    bind,
    in_frame,
    introduce_server,
    message,
    owns,
    owns_nothing,
    question,
    release,
    renewal,
    reply,
    seconds,
    start,
)
from sim.conformance.frames import arp_reply, arp_request, frame, packet
from sim.conformance.registry import clause
from sim.conformance.script import OTHER, OTHER_MAC, OUR_MAC, PEER, Script
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST

T1, T2, END = 1800 * SECOND, 3150 * SECOND, 3600 * SECOND


def rebinding(tap: Script) -> tuple[Question, Question]:
    """The REQUEST that brought the lease, and that of T2, after a server that is silent."""
    asked = bind(tap)
    tap.at(asked.at + T2 - 1).forget()
    tap.at(asked.at + T2)
    return asked, question(tap, dhcp.REQUEST)


@clause(
    "RFC 2131, 4.4.5",
    "at half of the lease the client asks its server for more",
    "TC8:DHCPv4_CLIENT_REACQUISITION_03",
)
def lease_is_renewed_at_half(tap: Script) -> None:
    asked = bind(tap)
    renewal(tap, asked.at + T1)


@clause(
    "RFC 2131, 4.3.6, Table 4",
    "a renewal goes from our address straight to the server",
    "TC8:DHCPv4_CLIENT_REACQUISITION_01",
)
def renewal_goes_to_the_server(tap: Script) -> None:
    asked = renewal(tap, bind(tap).at + T1)
    assert (asked.packet.source, asked.packet.destination) == (LEASED, SERVER)
    assert asked.to == SERVER_MAC


@clause("RFC 2131, 4.3.2", "a renewal carries our address as the client's own")
def renewal_fills_in_the_client_address(tap: Script) -> None:
    assert renewal(tap, bind(tap).at + T1).message.client_ip == LEASED


@clause(
    "RFC 2131, 4.3.2",
    "a renewal names no server",
    "TC8:DHCPv4_CLIENT_REQUEST_06",
)
def renewal_names_no_server(tap: Script) -> None:
    assert renewal(tap, bind(tap).at + T1).value(dhcp.SERVER_ID) is None


@clause(
    "RFC 2131, 4.3.2", "a renewal requests no address by option", "TC8:DHCPv4_CLIENT_REQUEST_07"
)
def renewal_requests_no_address(tap: Script) -> None:
    assert renewal(tap, bind(tap).at + T1).value(dhcp.REQUESTED_IP) is None


@clause("RFC 2131, 4.4.5", "a renewal is a new transaction")
def renewal_has_a_new_xid(tap: Script) -> None:
    asked = bind(tap)
    assert renewal(tap, asked.at + T1).message.xid != asked.message.xid


@clause("RFC 1122, 2.3.2.2", "a renewal waits for the server's MAC")
def renewal_asks_for_the_server_s_mac(tap: Script) -> None:
    asked = bind(tap)
    tap.at(asked.at + T1).expect(arp_request(SERVER, by=LEASED, at=OUR_MAC))
    tap.lan(arp_reply(SERVER, at=SERVER_MAC, to_ip=LEASED))
    question(tap, dhcp.REQUEST)


@clause("RFC 2131, 4.4.5", "a renewed lease is counted from the renewal")
def renewed_lease_is_counted_anew(tap: Script) -> None:
    asked = bind(tap)
    again = renewal(tap, asked.at + T1)
    tap.lan(reply(again, dhcp.ACK)).expect()
    tap.at(again.at + T1 - 1).forget()
    owns(tap)
    tap.at(again.at + T1).forget()
    tap.at(again.at + END - 1).forget()
    owns(tap)


@clause("RFC 2131, 4.4.5", "the answer to a renewal is heard at our own address")
def renewal_is_answered_by_unicast(tap: Script) -> None:
    again = renewal(tap, bind(tap).at + T1)
    granted = message(again, dhcp.ACK).to_bytes()
    tap.lan(in_frame(granted, to=OUR_MAC, destination=LEASED)).expect().expect_host()
    tap.at(again.at + T1 - 1).expect()


@clause("RFC 2131, 4.1", "what is for port 68 goes to the client and not to the host")
def late_answer_is_not_the_host_s(tap: Script) -> None:
    asked = bind(tap)
    unasked = message(asked, dhcp.ACK).to_bytes()
    tap.lan(in_frame(packet_of_ours(), to=OUR_MAC, destination=LEASED)).forget()
    tap.lan(in_frame(unasked, to=OUR_MAC, destination=LEASED)).expect().expect_host()


def packet_of_ours() -> bytes:
    """A payload that is no DHCP message at all."""
    return b"not DHCP"


@clause("RFC 2131, 4.4.5", "the ACK of another server to a renewal is ignored")
def other_server_s_ack_renews_nothing(tap: Script) -> None:
    asked = bind(tap)
    again = renewal(tap, asked.at + T1)
    tap.lan(reply(again, dhcp.ACK, {dhcp.SERVER_ID: OTHER})).expect()
    tap.at(asked.at + T2 - 1).forget()
    tap.at(asked.at + T2)
    question(tap, dhcp.REQUEST)


@clause(
    "RFC 2131, 4.4.5",
    "a renewal that nobody answers is repeated after half of what remains until T2",
    "TC8:DHCPv4_CLIENT_ALLOCATING_10",
)
def renewal_is_repeated(tap: Script) -> None:
    asked = bind(tap)
    renewal(tap, asked.at + T1)
    introduce_server(tap)
    tap.at(asked.at + (T1 + T2) // 2 - 1).expect()
    introduce_server(tap)
    tap.at(asked.at + (T1 + T2) // 2)
    question(tap, dhcp.REQUEST)


@clause("RFC 2131, 4.4.5", "a renewal is not repeated within a minute")
def renewal_is_not_repeated_within_a_minute(tap: Script) -> None:
    asked = bind(tap, {dhcp.LEASE_TIME: seconds(240)})
    again = renewal(tap, asked.at + 120 * SECOND)
    tap.at(again.at + 60 * SECOND - 1).expect()
    introduce_server(tap)
    tap.at(again.at + 60 * SECOND)
    question(tap, dhcp.REQUEST)


@clause(
    "RFC 2131, 4.4.5",
    "at seven eighths of the lease the client asks everyone",
    "TC8:DHCPv4_CLIENT_REACQUISITION_02",
)
def rebinding_asks_everyone(tap: Script) -> None:
    _, again = rebinding(tap)
    assert (again.packet.destination, again.to) == (LIMITED_BROADCAST, BROADCAST)


@clause(
    "RFC 2131, 4.3.6, Table 4",
    "a rebinding comes from our address",
)
def rebinding_comes_from_our_address(tap: Script) -> None:
    _, again = rebinding(tap)
    assert (again.packet.source, again.message.client_ip) == (LEASED, LEASED)


@clause(
    "RFC 2131, 4.3.2",
    "a rebinding names neither server nor address by option",
    "TC8:DHCPv4_CLIENT_REQUEST_09",
    "TC8:DHCPv4_CLIENT_REQUEST_10",
)
def rebinding_names_nobody(tap: Script) -> None:
    _, again = rebinding(tap)
    assert (again.value(dhcp.SERVER_ID), again.value(dhcp.REQUESTED_IP)) == (None, None)


@clause("RFC 2131, 4.4.5", "any server may answer a rebinding, and is asked from then on")
def any_server_rebinds(tap: Script) -> None:
    _, again = rebinding(tap)
    tap.lan(reply(again, dhcp.ACK, {dhcp.SERVER_ID: OTHER})).expect()
    tap.at(again.at + T1).expect(arp_request(OTHER, by=LEASED, at=OUR_MAC))


@clause(
    "RFC 2131, 4.4.5",
    "a lease that is over is no longer used",
    "TC8:DHCPv4_CLIENT_REACQUISITION_07",
)
def lease_that_is_over_is_not_used(tap: Script) -> None:
    asked = bind(tap)
    tap.at(asked.at + END - 1).forget()
    owns(tap)
    tap.at(asked.at + END).forget()
    owns_nothing(tap)
    tap.host(packet(PEER, source=LEASED)).expect()


@clause("RFC 2131, 4.4.5", "what comes for an address whose lease is over is not the host's")
def lease_that_is_over_receives_nothing(tap: Script) -> None:
    asked = bind(tap)
    for_us = packet(LEASED, source=PEER)
    tap.lan(frame(for_us)).lan(frame(for_us)).expect_host(for_us, for_us)
    tap.at(asked.at + END).forget()
    tap.lan(frame(for_us)).expect_host()


@clause(
    "RFC 2131, 4.4.5",
    "when a lease is over the client begins anew",
    "TC8:DHCPv4_CLIENT_REACQUISITION_08",
)
def expiry_begins_anew(tap: Script) -> None:
    asked = bind(tap)
    tap.at(asked.at + END - 1).forget()
    tap.until_sent(asked.at + END + 10 * SECOND)
    question(tap, dhcp.DISCOVER)


@clause("RFC 2131, 4.4.1", "a lease is counted from when its REQUEST was sent")
def lease_is_counted_from_the_request(tap: Script) -> None:
    start(tap).until_sent(10 * SECOND)
    tap.lan(reply(question(tap, dhcp.DISCOVER), dhcp.OFFER))
    asked = question(tap, dhcp.REQUEST)
    tap.at(asked.at + 2 * SECOND).lan(reply(asked, dhcp.ACK)).expect()
    renewal(tap, asked.at + T1)


@clause("RFC 2131, 4.4.5", "T1 is the server's where it says so")
def t1_is_the_server_s(tap: Script) -> None:
    asked = bind(tap, {dhcp.RENEWAL_TIME: seconds(600)})
    renewal(tap, asked.at + 600 * SECOND)


@clause("RFC 2131, 4.4.5", "T2 is the server's where it says so")
def t2_is_the_server_s(tap: Script) -> None:
    asked = bind(tap, {dhcp.REBINDING_TIME: seconds(2000)})
    tap.at(asked.at + 2000 * SECOND - 1).forget()
    tap.at(asked.at + 2000 * SECOND)
    assert question(tap, dhcp.REQUEST).packet.destination == LIMITED_BROADCAST


@clause("RFC 2131, 4.4.5", "T1 after T2 is not believed")
def t1_after_t2_is_not_believed(tap: Script) -> None:
    times: dict[int, bytes | None] = {
        dhcp.RENEWAL_TIME: seconds(3000),
        dhcp.REBINDING_TIME: seconds(2000),
    }
    renewal(tap, bind(tap, times).at + T1)


@clause("RFC 2131, 4.4.5", "T2 after the end of the lease is not believed")
def t2_after_the_end_is_not_believed(tap: Script) -> None:
    asked = bind(tap, {dhcp.REBINDING_TIME: seconds(7200)})
    tap.at(asked.at + T2 - 1).forget()
    tap.at(asked.at + T2)
    question(tap, dhcp.REQUEST)


@clause("RFC 2131, 4.4.5", "T1 of zero is not believed")
def t1_of_zero_is_not_believed(tap: Script) -> None:
    renewal(tap, bind(tap, {dhcp.RENEWAL_TIME: seconds(0)}).at + T1)


@clause("RFC 2131, 3.3", "a lease of 0xffffffff seconds has no end")
def infinite_lease_has_no_end(tap: Script) -> None:
    asked = bind(tap, {dhcp.LEASE_TIME: b"\xff" * 4})
    owns(tap)
    tap.at(asked.at + (1 << 31) * SECOND).expect()  # half of what the number would mean
    owns(tap)


@clause("RFC 2132, 9.2", "a lease of no seconds is no lease")
def lease_of_zero_is_none(tap: Script) -> None:
    start(tap).until_sent(10 * SECOND)
    tap.lan(reply(question(tap, dhcp.DISCOVER), dhcp.OFFER))
    tap.lan(reply(question(tap, dhcp.REQUEST), dhcp.ACK, {dhcp.LEASE_TIME: seconds(0)})).expect()
    owns_nothing(tap)


@clause(
    "RFC 2131, 4.4.5",
    "a NAK to a renewal takes the address away",
    "TC8:DHCPv4_CLIENT_ALLOCATING_09",
)
def nak_takes_the_address(tap: Script) -> None:
    again = renewal(tap, bind(tap).at + T1)
    tap.lan(reply(again, dhcp.NAK)).until_sent(again.at + 10 * SECOND)
    question(tap, dhcp.DISCOVER)
    owns_nothing(tap)


@clause("RFC 2131, 4.4.5", "a NAK of a server that was not asked renews and takes nothing")
def other_server_s_nak_takes_nothing(tap: Script) -> None:
    again = renewal(tap, bind(tap).at + T1)
    tap.lan(reply(again, dhcp.NAK, {dhcp.SERVER_ID: OTHER})).expect()
    owns(tap)


@clause("RFC 2131, 4.4.1", "a NAK while nothing is asked takes nothing")
def nak_in_peace_takes_nothing(tap: Script) -> None:
    tap.lan(reply(bind(tap), dhcp.NAK)).expect()
    owns(tap)


@clause("RFC 2131, 4.4.5", "an ACK to a renewal that names another address is ignored")
def renewal_keeps_the_address(tap: Script) -> None:
    again = renewal(tap, bind(tap).at + T1)
    tap.lan(reply(again, dhcp.ACK, your_ip=OTHER)).expect()
    owns(tap)


@clause("RFC 2131, 3.2", "an address that we had before is asked for again, from everyone")
def reboot_asks_for_the_address(tap: Script) -> None:
    start(tap, our_ip=LEASED).until_sent(10 * SECOND)
    asked = question(tap, dhcp.REQUEST)
    assert (asked.value(dhcp.REQUESTED_IP), asked.packet.source) == (LEASED, ANY4)
    assert asked.packet.destination == LIMITED_BROADCAST
    owns_nothing(tap)


@clause("RFC 2131, 4.3.2", "a client that reboots names no server, and fills in no address")
def reboot_names_no_server(tap: Script) -> None:
    start(tap, our_ip=LEASED).until_sent(10 * SECOND)
    asked = question(tap, dhcp.REQUEST)
    assert (asked.value(dhcp.SERVER_ID), asked.message.client_ip) == (None, ANY4)


@clause("RFC 2131, 3.2", "whoever knows the client may grant its old address at once")
def reboot_is_granted(tap: Script) -> None:
    start(tap, our_ip=LEASED).until_sent(10 * SECOND)
    tap.lan(reply(question(tap, dhcp.REQUEST), dhcp.ACK)).expect()
    owns(tap)


@clause("RFC 2131, 3.2", "a NAK to a client that reboots makes it begin anew")
def reboot_is_refused(tap: Script) -> None:
    start(tap, our_ip=LEASED).until_sent(10 * SECOND)
    tap.lan(reply(question(tap, dhcp.REQUEST), dhcp.NAK)).until_sent(tap.now + 10 * SECOND)
    question(tap, dhcp.DISCOVER)


@clause("RFC 2131, 4.4.6", "a lease is given back to its server")
def release_goes_to_the_server(tap: Script) -> None:
    bind(tap)
    introduce_server(tap)
    bye = release(tap)
    assert (bye.packet.source, bye.packet.destination) == (LEASED, SERVER)
    assert bye.to == SERVER_MAC


@clause("RFC 2131, 4.4.4, Table 5", "a RELEASE carries our address, the server, and no wishes")
def release_carries_address_and_server(tap: Script) -> None:
    bind(tap)
    introduce_server(tap)
    bye = release(tap)
    assert (bye.message.client_ip, bye.value(dhcp.SERVER_ID)) == (LEASED, SERVER)
    assert (bye.value(dhcp.REQUESTED_IP), bye.value(dhcp.PARAMETERS)) == (None, None)


@clause("RFC 2131, 4.4.6", "after a RELEASE the address is not used, and no other asked for")
def release_is_the_end(tap: Script) -> None:
    bind(tap)
    introduce_server(tap)
    release(tap)
    owns_nothing(tap)
    tap.at(tap.now + 2 * END).expect()


@clause("RFC 5227, 2.4", "an address that somebody else defends is given up and declined")
def contested_address_is_declined(tap: Script) -> None:
    bind(tap, defend="never")
    tap.lan(arp_reply(LEASED, at=OTHER_MAC, to=OUR_MAC, to_ip=LEASED))
    assert question(tap, dhcp.DECLINE).value(dhcp.REQUESTED_IP) == LEASED
    owns_nothing(tap)
