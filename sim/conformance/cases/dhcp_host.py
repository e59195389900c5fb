"""DHCP, a lease that the host's own client gets through us: RFC 2131 3.1, 4.1, 4.4."""

from sim.conformance.dhcp_host import (
    HOST_MAC,
    REQUESTED,
    WANTED,
    XID,
    answer,
    asks,
    bound,
    heard,
    says,
    start,
    summed,
    to_host,
)
from sim.conformance.dhcp_server import (
    HOUR,
    LEASED,
    SERVER,
    SERVER_MAC,
    in_frame,
    introduce_server,
    message,
    owns,
    owns_nothing,
    seconds,
)
from sim.conformance.frames import arp_reply, arp_request, packet, wrapped
from sim.conformance.packets import to_us
from sim.conformance.registry import clause
from sim.conformance.script import OTHER, OTHER_MAC, OUR_MAC, PEER, PEER_MAC, Script
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Ip, Route, ip

FAR = ip("192.0.2.9")
END = HOUR * SECOND


def sends_to(tap: Script, destination: Ip, next_hop: Ip) -> None:
    """For `destination` the tap asks who has `next_hop`, in the name of the lease."""
    tap.host(packet(destination, source=LEASED))
    tap.expect(arp_request(next_hop, by=LEASED, at=OUR_MAC))


def ask_from(tap: Script, kind: int, options: dict[int, bytes] | None = None) -> bytes:
    """The host, called by its lease, says something to its server, which is known."""
    introduce_server(tap)
    said = says(kind, options, source=LEASED, to=SERVER)
    tap.host(said)
    return says(kind, options, source=LEASED, to=SERVER, client_mac=OUR_MAC)


@clause("RFC 2131, 4.1", "the host's message names our MAC, for that is where answers reach it")
def question_names_our_mac(tap: Script) -> None:
    start(tap).host(says(dhcp.DISCOVER))
    tap.expect(wrapped(says(dhcp.DISCOVER, client_mac=OUR_MAC), BROADCAST))


@clause("RFC 2131, 4.1", "whether answers are broadcast is left to the host")
def broadcast_flag_is_the_host_s(tap: Script) -> None:
    start(tap)
    for flags in (dhcp.BROADCAST_FLAG, 0):
        assert asks(tap, dhcp.DISCOVER, flags=flags).message.flags == flags


@clause("RFC 1624, 3", "a message with a wrong checksum leaves with a checksum as wrong")
def wrong_checksum_stays_wrong(tap: Script) -> None:
    right, changed = says(dhcp.DISCOVER), says(dhcp.DISCOVER, client_mac=OUR_MAC)
    wrong = [(int.from_bytes(each[26:28]) + 0x101) % 0xFFFF for each in (right, changed)]
    start(tap).host(summed(right, wrong[0]))
    tap.expect(wrapped(summed(changed, wrong[1]), BROADCAST))


@clause("RFC 768", "a message without a checksum leaves without one")
def absent_checksum_stays_absent(tap: Script) -> None:
    start(tap).host(summed(says(dhcp.DISCOVER), 0))
    tap.expect(wrapped(summed(says(dhcp.DISCOVER, client_mac=OUR_MAC), 0), BROADCAST))


@clause("RFC 2131, 4.1", "the host hears an answer under its own hardware address")
def answer_names_the_host(tap: Script) -> None:
    asked = asks(start(tap), dhcp.DISCOVER)
    tap.lan(answer(asked, dhcp.OFFER)).expect()
    assert heard(tap) == message(asked, dhcp.OFFER, client_mac=HOST_MAC)


@clause("RFC 2131, 4.1", "the host hears a broadcast answer alike")
def broadcast_answer_names_the_host(tap: Script) -> None:
    asked = asks(start(tap), dhcp.DISCOVER, flags=dhcp.BROADCAST_FLAG)
    tap.lan(answer(asked, dhcp.OFFER, to=BROADCAST, destination=LIMITED_BROADCAST)).expect()
    assert heard(tap).client_mac == HOST_MAC


@clause(
    "RFC 2131, 4.1", "an answer that names another address than the host's now reaches the host"
)
def answer_to_a_new_address_is_heard(tap: Script) -> None:
    bound(tap)
    asked = asks(tap, dhcp.DISCOVER)
    tap.lan(answer(asked, dhcp.OFFER, your_ip=OTHER, destination=OTHER))
    assert heard(tap).your_ip == OTHER


@clause("RFC 2131, 4.1", "what a server says to others is not the host's")
def answers_to_others_are_not_changed(tap: Script) -> None:
    asked = asks(start(tap), dhcp.DISCOVER)
    for mac, xid in ((OTHER_MAC, XID), (OUR_MAC, XID + 1)):
        said = message(asked, dhcp.OFFER, client_mac=mac, xid=xid)
        tap.lan(in_frame(said.to_bytes()))
        assert heard(tap) == said


@clause("RFC 2131, 4.1", "what the host says from another port is no client's")
def other_ports_are_not_changed(tap: Script) -> None:
    said = says(dhcp.DISCOVER, port=1068)
    start(tap).host(said).expect(wrapped(said, BROADCAST))


@clause("RFC 2131, 3.1.4", "what the server grants to the host is our address")
def ack_names_us(tap: Script) -> None:
    bound(tap)
    owns(tap)


@clause("RFC 2131, 3.1.4", "without being told to, nothing is learned and nothing changed")
def nothing_is_learned_unasked(tap: Script) -> None:
    start(tap, learn_ip=False).host(says(dhcp.DISCOVER))
    tap.expect(wrapped(says(dhcp.DISCOVER), BROADCAST))
    tap.host(says(dhcp.REQUEST, REQUESTED, client_mac=OUR_MAC)).forget()
    said = dhcp.Dhcp(dhcp.TO_CLIENT, XID, OUR_MAC, ((dhcp.KIND, b"\5"),)).to_bytes()
    tap.lan(in_frame(said)).forget()
    owns_nothing(tap)


@clause("RFC 2132, 3.3", "the mask and the router are the lease's")
def mask_and_router_are_learned(tap: Script) -> None:
    bound(tap, {dhcp.MASK: ip("255.255.255.240"), dhcp.ROUTER: ip("10.0.0.49")})
    sends_to(tap, ip("10.0.0.60"), ip("10.0.0.60"))
    sends_to(tap, PEER, ip("10.0.0.49"))


@clause("RFC 3442", "classless routes are the lease's")
def routes_are_learned(tap: Script) -> None:
    routes = (Route(ip("192.0.2.0"), 24, OTHER), Route(ANY4, 0, SERVER))
    bound(tap, {dhcp.ROUTES: dhcp.route_bytes(routes)})
    sends_to(tap, FAR, OTHER)


@clause("RFC 2132, 5.1", "the MTU is the lease's")
def mtu_is_learned(tap: Script) -> None:
    bound(tap, {dhcp.MTU: (1000).to_bytes(2)})
    tap.host(packet(PEER, source=LEASED, payload=bytes(981), fragment=0x4000)).expect()
    tap.forget()  # what the host is told of it is another clause


@clause("RFC 2131, 3.1.3", "an offer to the host gives us nothing")
def offer_is_not_learned(tap: Script) -> None:
    tap.lan(answer(asks(start(tap), dhcp.DISCOVER), dhcp.OFFER)).forget()
    owns_nothing(tap)


@clause("RFC 2131, 4.3.1", "only a REQUEST is granted: neither a DISCOVER nor an INFORM is")
def only_a_request_is_granted(tap: Script) -> None:
    start(tap)
    for kind in (dhcp.DISCOVER, dhcp.INFORM):
        tap.lan(answer(asks(tap, kind, WANTED), dhcp.ACK)).forget()
        owns_nothing(tap)


@clause("RFC 2131, 4.4.1", "what nobody asked for is not learned")
def unasked_ack_is_not_learned(tap: Script) -> None:
    said = dhcp.Dhcp(dhcp.TO_CLIENT, XID, OUR_MAC, (*_GRANT, *_NAME), your_ip=LEASED)
    start(tap).lan(in_frame(said.to_bytes(), to=OUR_MAC, destination=LEASED)).forget()
    owns_nothing(tap)


_NAME = ((dhcp.KIND, b"\5"), (dhcp.SERVER_ID, SERVER))
_GRANT = ((dhcp.LEASE_TIME, seconds(HOUR)), (dhcp.MASK, ip("255.255.255.0")))


@clause("RFC 2131, 4.4.1", "what is granted to another transaction, or another client, is not ours")
def other_s_ack_is_not_learned(tap: Script) -> None:
    asked = asks(start(tap))
    tap.lan(answer(asked, dhcp.ACK, xid=XID + 1)).forget()
    owns_nothing(tap)
    tap.lan(answer(asked, dhcp.ACK, client_mac=OTHER_MAC, to=BROADCAST)).forget()
    owns_nothing(tap)


@clause("RFC 2131, 3.1.3", "what another server grants than was asked is not ours")
def other_server_s_grant_is_not_learned(tap: Script) -> None:
    tap.lan(answer(asks(start(tap)), dhcp.ACK, {dhcp.SERVER_ID: OTHER})).forget()
    owns_nothing(tap)


@clause("RFC 2131, 3.1.4", "another address than the host asked for is not ours")
def other_address_is_not_learned(tap: Script) -> None:
    tap.lan(answer(asks(start(tap)), dhcp.ACK, your_ip=OTHER)).forget()
    owns_nothing(tap, OTHER)


@clause("RFC 768", "a grant with a wrong checksum is the host's to refuse, and not learned")
def wrong_grant_is_not_learned(tap: Script) -> None:
    granted = answer(asks(start(tap)), dhcp.ACK)
    tap.lan(granted[:-1] + b"\1").forget()
    owns_nothing(tap)


@clause("RFC 2131, 4.3.1, Table 3", "a grant without an end is not learned, but heard by the host")
def grant_without_duration_is_heard(tap: Script) -> None:
    tap.lan(answer(asks(start(tap)), dhcp.ACK, {dhcp.LEASE_TIME: None}))
    assert heard(tap).client_mac == HOST_MAC
    owns_nothing(tap)


@clause("RFC 2131, 2", "a message that is a question grants nothing")
def question_grants_nothing(tap: Script) -> None:
    tap.lan(answer(asks(start(tap)), dhcp.ACK, operation=dhcp.TO_SERVER)).forget()
    owns_nothing(tap)


@clause("RFC 2131, 4.3.2", "a host that asks for its old address may be answered by any server")
def reboot_of_the_host_is_learned(tap: Script) -> None:
    tap.lan(answer(asks(start(tap), dhcp.REQUEST, WANTED), dhcp.ACK, {dhcp.SERVER_ID: OTHER}))
    tap.forget()
    owns(tap)


@clause("RFC 2131, 4.4.5", "a lease of the host that is over is not ours any longer")
def host_s_lease_ends(tap: Script) -> None:
    asked = bound(tap)
    tap.at(asked.at + END - 1).forget()
    owns(tap)
    tap.at(asked.at + END).forget()
    owns_nothing(tap)


@clause("RFC 2131, 3.3", "a lease of the host without end has none")
def host_s_lease_without_end(tap: Script) -> None:
    bound(tap, {dhcp.LEASE_TIME: b"\xff" * 4})
    tap.at(1 << 62).forget()
    owns(tap)


@clause("RFC 2131, 4.4.5", "the host's renewal names our MAC, and its answer lengthens the lease")
def host_s_renewal_is_learned(tap: Script) -> None:
    asked = bound(tap)
    tap.at(asked.at + END // 2)
    tap.expect()
    said = ask_from(tap, dhcp.REQUEST)
    tap.expect(wrapped(said, SERVER_MAC))
    tap.lan(answer(asked, dhcp.ACK)).expect()
    assert heard(tap).client_mac == HOST_MAC
    tap.at(asked.at + END + END // 2 - 1).forget()
    owns(tap)
    tap.at(asked.at + END + END // 2).forget()
    owns_nothing(tap)


@clause("RFC 2131, 4.4.5", "a NAK to the host's renewal takes the address from us")
def host_s_nak_is_learned(tap: Script) -> None:
    asked = bound(tap)
    ask_from(tap, dhcp.REQUEST)
    tap.forget().lan(answer(asked, dhcp.NAK)).forget()
    owns_nothing(tap)


@clause("RFC 2131, 3.1.3", "a NAK of another server than was asked takes nothing")
def other_server_s_nak_is_not_learned(tap: Script) -> None:
    asked = bound(tap)
    ask_from(tap, dhcp.REQUEST, {dhcp.SERVER_ID: SERVER})
    tap.forget().lan(answer(asked, dhcp.NAK, {dhcp.SERVER_ID: OTHER})).forget()
    owns(tap)


@clause("RFC 2131, 3.1.5", "a NAK about another address takes nothing")
def nak_about_another_address_takes_nothing(tap: Script) -> None:
    bound(tap)
    asked = asks(tap, dhcp.REQUEST, {dhcp.REQUESTED_IP: OTHER})
    tap.lan(answer(asked, dhcp.NAK)).forget()
    owns(tap)


@clause("RFC 2131, 4.4.6", "what the host gives back leaves as it should, and is soon not ours")
def host_s_release_is_learned(tap: Script) -> None:
    bound(tap)
    said = ask_from(tap, dhcp.RELEASE, {dhcp.SERVER_ID: SERVER})
    tap.expect(wrapped(said, SERVER_MAC))
    tap.at(tap.now + SECOND).forget()
    owns_nothing(tap)


@clause("RFC 1122, 2.3.2.2", "a farewell of the host's waits for its server's MAC")
def host_s_release_waits(tap: Script) -> None:
    bound(tap)
    tap.host(says(dhcp.RELEASE, source=LEASED, to=SERVER))
    tap.expect(arp_request(SERVER, by=LEASED, at=OUR_MAC))
    tap.lan(arp_reply(SERVER, at=SERVER_MAC, to_ip=LEASED))
    gone = says(dhcp.RELEASE, source=LEASED, to=SERVER, client_mac=OUR_MAC)
    tap.expect(wrapped(gone, SERVER_MAC))


@clause("RFC 2131, 4.4.4", "what the host declines is not ours at once")
def host_s_decline_is_learned(tap: Script) -> None:
    bound(tap)
    asks(tap, dhcp.DECLINE, REQUESTED)
    owns_nothing(tap)


@clause("RFC 2131, 4.4.4", "to give back or to decline another address takes nothing")
def other_farewells_take_nothing(tap: Script) -> None:
    bound(tap)
    asks(tap, dhcp.DECLINE, {dhcp.REQUESTED_IP: OTHER})
    owns(tap)
    asks(tap, dhcp.RELEASE, client_ip=OTHER)
    tap.at(tap.now + 2 * SECOND)
    owns(tap)


@clause("RFC 5227, 2.4", "an address of the host's lease that another defends is not ours any more")
def contested_lease_of_the_host_is_lost(tap: Script) -> None:
    bound(tap, defend="never")
    tap.lan(arp_reply(LEASED, at=OTHER_MAC, to=OUR_MAC, to_ip=LEASED)).forget()
    owns_nothing(tap)


@clause("RFC 2131, 4.4.1", "ordinary traffic tells nobody who we are")
def ordinary_traffic_teaches_nothing(tap: Script) -> None:
    start(tap).lan(arp_request(LEASED, by=PEER, at=PEER_MAC)).expect()
    tap.lan(to_host(to_us(PEER, LEASED))).host(packet(PEER, source=LEASED)).forget()
    tap.lan(arp_reply(PEER, at=PEER_MAC, to_ip=LEASED)).forget()
    owns_nothing(tap)


@clause("RFC 2131, 4.4.1", "a lease runs from the question: one that is over when it comes is none")
def lease_that_is_over_is_not_learned(tap: Script) -> None:
    asked = asks(start(tap))
    tap.at(7200 * SECOND).lan(answer(asked, dhcp.ACK, {dhcp.LEASE_TIME: seconds(60)})).forget()
    owns_nothing(tap)
