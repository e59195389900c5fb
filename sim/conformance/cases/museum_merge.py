"""Exhibits: who got an entry, whose was changed, and whose was not. RFC 826, RFC 1122 2.3.2."""

from sim.conformance.dhcp_server import LEASED, bind, question, renewal, reply
from sim.conformance.frames import (
    arp_reply,
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    wrapped,
)
from sim.conformance.museum import exhibit
from sim.conformance.packets import meet
from sim.conformance.script import (
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    OTHER,
    OTHER_MAC,
    OUR_MAC,
    PEER,
    PEER_MAC,
    US,
    Script,
)
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import BROADCAST, Ip, Mac, ip

RECEPTION, ETHERNET, AGING = "RFC 826, Packet Reception", "RFC 1122, 2.3.3", "RFC 1122, 2.3.2.1"
FAR, OFF_SUBNET = ip("192.0.2.9"), ip("172.31.5.7")
NEW, NEW_ROUTER = ip("172.16.9.50"), ip("172.16.9.1")


def at(tap: Script, mac: Mac, of: Ip = PEER) -> None:
    """What is sent to `of` goes to `mac` at once."""
    tap.host(packet(of)).expect(wrapped(packet(of), mac))


@exhibit("tass-belgium/picotcp#84", RECEPTION, "a message for somebody else adds nobody")
def overheard_sender_is_not_stored(tap: Script) -> None:
    """The sender of every request was stored, whoever was asked for."""
    tap.lan(arp_request(NOBODY)).expect()
    tap.host(packet(PEER)).expect(our_request(PEER))


@exhibit(
    "tass-belgium/picotcp#101", RECEPTION, "who is known is updated by what is for others, too"
)
def overheard_move_is_noticed(tap: Script) -> None:
    """A known peer asked for somebody from a new MAC, and was still looked for at the old one."""
    meet(tap).lan(arp_request(NOBODY, at=OTHER_MAC)).expect()
    at(tap, OTHER_MAC)


@exhibit("mirage/mirage-tcpip#227", RECEPTION, "the operation is looked at after the merge")
def requests_update_as_replies_do(tap: Script) -> None:
    """Only replies changed the cache: a peer that asked from a new MAC was not found any more."""
    tap.host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))
    tap.lan(arp_request(at=OTHER_MAC)).expect(our_reply(OTHER_MAC))
    at(tap, OTHER_MAC)


@exhibit("zephyrproject-rtos/zephyr#117562", RECEPTION, "a reply nobody asked for updates, too")
def unasked_reply_moves_the_known(tap: Script) -> None:
    """A peer with a new MAC said so by a reply, which was dropped: nothing had been asked."""
    meet(tap).lan(arp_reply(at=OTHER_MAC)).expect()
    at(tap, OTHER_MAC)


@exhibit("CS144/minnow#24", RECEPTION, "a reply that nothing waits for does no harm")
def unasked_reply_does_no_harm(tap: Script) -> None:
    """A reply that had not been asked for was looked up in a table that did not have it."""
    tap.lan(arp_reply(OTHER, at=OTHER_MAC, link=BROADCAST)).lan(arp_reply(NOBODY, at=OTHER_MAC))
    tap.expect().expect_host()
    meet(tap)
    at(tap, PEER_MAC)


@exhibit("CS144/minnow#19", RECEPTION, "a request of the one who is waited for lets packets go")
def request_lets_packets_go(tap: Script) -> None:
    """The awaited peer asked us itself: its question was answered, and the packet stayed."""
    tap.host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_request())
    assert set(tap.frames()) == {our_reply(), wrapped(packet(PEER))}


@exhibit("smoltcp-rs/smoltcp#544", ETHERNET, "IP packets say nothing about MACs")
def packets_teach_no_macs(tap: Script) -> None:
    """Packets of far hosts filled the cache with addresses that are not on the link."""
    tap.lan(frame(packet(US, source=FAR), source=OTHER_MAC)).forget()
    meet(tap, GATEWAY, GATEWAY_MAC)
    at(tap, GATEWAY_MAC, FAR)


@exhibit("FreeRTOS/FreeRTOS-Plus-TCP#318", ETHERNET, "who only sent a packet is asked for by ARP")
def sender_of_a_packet_is_asked_for(tap: Script) -> None:
    """The answer to a datagram went to the MAC it came from, without a question."""
    tap.lan(frame(packet(US, source=PEER))).forget()
    tap.host(packet(PEER)).expect(our_request(PEER))


@exhibit("smoltcp-rs/smoltcp#536", AGING, "a sender off our subnet is of no use in the table")
def stranger_off_the_subnet_is_not_stored(tap: Script) -> None:
    """Whoever asked was stored, also from another subnet, in the place of a neighbor."""
    meet(tap.start(neighbors_max=1, gateway_ip=None))
    tap.lan(arp_request(by=OFF_SUBNET, at=OTHER_MAC)).expect(our_reply(OTHER_MAC, OFF_SUBNET))
    at(tap, PEER_MAC)


@exhibit("tass-belgium/picotcp#83", "RFC 1812, 3.3.2", "a group is no station's MAC")
def group_is_no_mac(tap: Script) -> None:
    """A reply that said `broadcast` or a group's MAC was entered, and packets went there."""
    tap.host(packet(PEER)).expect(our_request(PEER))
    for said in (BROADCAST, b"\x01\x00\x5e\x00\x00\x01"):
        tap.lan(arp_reply(at=said, link_source=PEER_MAC)).expect()
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@exhibit("mirage/mirage-tcpip#104", AGING, "an entry ends, and its neighbor is asked for anew")
def entry_ends(tap: Script) -> None:
    """Entries stayed for ever: who moved without a word was never found again."""
    meet(tap.start(neighbor_lifetime=60 * SECOND).at(0))
    tap.at(59 * SECOND)
    at(tap, PEER_MAC)
    tap.at(60 * SECOND).host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply(at=OTHER_MAC)).expect(wrapped(packet(PEER), OTHER_MAC))


@exhibit("smoltcp-rs/smoltcp#564", AGING, "a new network has neighbors of its own")
def new_address_has_new_neighbors(tap: Script) -> None:
    """After the address had changed, packets still went to the neighbors of the old network."""
    asked = renewal(tap, bind(tap).at + 1800 * SECOND)
    tap.lan(arp_request(LEASED))
    tap.expect(arp_reply(LEASED, at=OUR_MAC, to=PEER_MAC, to_ip=PEER))
    tap.lan(reply(asked, dhcp.NAK))
    elsewhere: dict[int, bytes | None] = {dhcp.ROUTER: NEW_ROUTER}
    tap.lan(reply(question(tap, dhcp.DISCOVER), dhcp.OFFER, elsewhere, your_ip=NEW))
    tap.lan(reply(question(tap, dhcp.REQUEST), dhcp.ACK, elsewhere, your_ip=NEW)).expect()
    tap.host(packet(PEER, source=NEW)).expect(arp_request(NEW_ROUTER, by=NEW, at=OUR_MAC))
