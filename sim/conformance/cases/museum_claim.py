"""Exhibits: probes, announcements, conflicts, taken for what they are not. RFC 5227, 3927."""

from sim.conformance.cases.arp_conflict import (
    ANNOUNCEMENT,
    CLAIMED,
    PROBE,
    THEIRS,
    not_objected,
    objected,
    probing,
    when,
)
from sim.conformance.dhcp_client import lease, offer, server
from sim.conformance.dhcp_server import LEASED, SERVER, SERVER_MAC, question, reply, request
from sim.conformance.frames import arp_probe, arp_reply, arp_request, our_reply
from sim.conformance.museum import exhibit
from sim.conformance.script import NOBODY, OTHER_MAC, OUR_MAC, PEER, PEER_MAC, US, Script
from virtualtap.units import MS, SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, ip

PROBING, ANNOUNCING, DEFENDING = "RFC 5227, 2.1.1", "RFC 5227, 2.3", "RFC 5227, 2.4"
TERMS = "RFC 5227, 1.1"


@exhibit("inet-framework/inet#406", PROBING, "an address is probed for and announced when asked to")
def claim_is_heard_on_the_link(tap: Script) -> None:
    """The method that announces an address was there, and nobody called it."""
    probing(tap).at(20 * SECOND).expect(*CLAIMED)


@exhibit("smoltcp-rs/smoltcp#1131", ANNOUNCING, "an address can be announced without a probe")
def announcement_can_be_had(tap: Script) -> None:
    """There was no way to announce an address after a start, a move or a new lease."""
    tap.start(claim="announced").at(10 * SECOND).expect(ANNOUNCEMENT, ANNOUNCEMENT)


@exhibit("mirage/mirage-tcpip#225", "RFC 5227, 3", "an announcement is a request for oneself")
def announcement_is_a_request(tap: Script) -> None:
    """Addresses were announced by replies for nobody, which many caches do not hear."""
    tap.start(claim="announced").at(0)
    assert tap.frames() == (arp_request(US, by=US, at=OUR_MAC),)
    tap.at(10 * SECOND).forget()


@exhibit("netblue30/firejail#1406", TERMS, "a probe names no sender")
def probe_has_no_sender(tap: Script) -> None:
    """The probe carried another's address, so that all caches on the link went wrong."""
    probing(tap).until_sent(1 * SECOND).expect(PROBE).at(20 * SECOND).forget()


@exhibit("avahi/avahi#6", PROBING, "a plain request for a probed address is no conflict")
def plain_request_is_no_conflict(tap: Script) -> None:
    """Somebody asked for the address while it was probed, and another one was chosen."""
    not_objected(tap, arp_request(US, by=PEER, at=PEER_MAC))


@exhibit("zephyrproject-rtos/zephyr#80429", PROBING, "the server may ask for what it has just lent")
def servers_question_is_no_conflict(tap: Script) -> None:
    """The server asked for the address it had lent: the client gave it back, again and again."""
    asked = request(tap, claim="probed")
    tap.lan(reply(asked, dhcp.ACK)).at(tap.now + 500 * MS)
    tap.lan(arp_request(LEASED, by=SERVER, at=SERVER_MAC)).at(tap.now + 20 * SECOND).forget()
    tap.lan(arp_request(LEASED, by=PEER, at=PEER_MAC))
    tap.expect(arp_reply(LEASED, at=OUR_MAC, to=PEER_MAC, to_ip=PEER))


@exhibit("zephyrproject-rtos/zephyr#102116", TERMS, "what is not broadcast is no probe")
def unicast_request_is_no_probe(tap: Script) -> None:
    """A request from 0.0.0.0 to the station alone was taken for another's probe."""
    not_objected(tap, arp_request(US, by=ANY4, at=OTHER_MAC, to=OUR_MAC))


@exhibit(
    "NetworkConfiguration/dhcpcd#145", DEFENDING, "a probe whose addresses differ takes nothing"
)
def odd_probes_take_nothing(tap: Script) -> None:
    """Bursts of probes, sent from another MAC than they named, ended one lease after another."""
    for _ in range(5):
        tap.at(tap.now + 100 * MS).lan(arp_request(US, by=ANY4, at=PEER_MAC, link_source=OTHER_MAC))
        tap.expect(our_reply(PEER_MAC, ANY4))
    tap.lan(arp_request()).expect(our_reply())


@exhibit("NetworkConfiguration/dhcpcd#272", DEFENDING, "probes of many stations are no attack")
def probes_of_many_take_nothing(tap: Script) -> None:
    """Two stations that probed within ten seconds took a configured interface down."""
    for last in range(1, 20):
        prober = bytes((2, 0, 0, 0, 1, last))
        tap.at(tap.now + 100 * MS).lan(arp_probe(at=prober)).expect(our_reply(prober, ANY4))
    tap.at(tap.now + 20 * SECOND).lan(arp_request()).expect(our_reply())


@exhibit(
    "NetworkConfiguration/dhcpcd#488", "RFC 2131, 4.4.1", "a lease is probed for before its use"
)
def lease_is_looked_at_first(tap: Script) -> None:
    """An address that somebody else had already was taken from the server and used."""
    asked = request(tap, claim="probed")
    tap.lan(reply(asked, dhcp.ACK)).until_sent(tap.now + 1 * SECOND)
    tap.expect(arp_probe(LEASED, at=OUR_MAC))
    tap.lan(arp_request(LEASED, by=LEASED, at=OTHER_MAC))
    question(tap, dhcp.DECLINE)


@exhibit("netblue30/firejail#6133", PROBING, "a reply about another address is no conflict")
def reply_about_another_is_no_conflict(tap: Script) -> None:
    """A station that answered every probe with its own address made all addresses seem taken."""
    not_objected(tap, arp_reply(NOBODY, at=OTHER_MAC, to=OUR_MAC, to_ip=ANY4))


@exhibit("netblue30/firejail#6157", PROBING, "a reply about the probed address is a conflict")
def reply_about_the_probed_is_a_conflict(tap: Script) -> None:
    """The target of a reply was compared where its sender should have been."""
    objected(tap, arp_reply(US, at=OTHER_MAC, to=OUR_MAC, to_ip=ANY4))


@exhibit("lwip-tcpip/lwip#95", PROBING, "our own message that comes back is no conflict")
def echo_is_no_conflict(tap: Script) -> None:
    """A repeater or access point sent our own claim back, and the lease was declined for ever."""
    not_objected(tap, arp_request(US, by=US, at=OUR_MAC, link_source=OTHER_MAC))


@exhibit("lwip-tcpip/lwip#97", "RFC 2131, 3.1.5", "after a DECLINE the client begins anew")
def declined_client_begins_anew(tap: Script) -> None:
    """Once it had declined an address the client waited for a timer that nobody had set."""
    asked = request(tap, claim="probed")
    tap.lan(reply(asked, dhcp.ACK)).until_sent(tap.now + 1 * SECOND).forget()
    tap.lan(arp_request(LEASED, by=LEASED, at=OTHER_MAC))
    declined = question(tap, dhcp.DECLINE)
    tap.at(declined.at + 10 * SECOND - 1).expect().until_sent(declined.at + 20 * SECOND)
    question(tap, dhcp.DISCOVER)


@exhibit("LekKit/RVVM#223", PROBING, "who probes for the address it was offered hears nobody")
def clients_probe_is_not_answered(tap: Script) -> None:
    """A user-mode gateway answered its guest's probe, and the guest looked for a lease for ever."""
    found = offer(server(tap))
    tap.lan(arp_probe(found.ip, at=PEER_MAC)).expect()


@exhibit("LekKit/RVVM#217", "RFC 826, Packet Reception", "the client alone answers for its address")
def clients_address_is_its_own(tap: Script) -> None:
    """The gateway answered for the address that it had lent, and its client saw a conflict."""
    found = lease(server(tap))
    tap.lan(arp_request(found.ip, by=found.ip, at=PEER_MAC)).expect()
    tap.lan(arp_request(found.ip, by=PEER, at=OTHER_MAC)).expect()


@exhibit("genodelabs/genode#2534", "RFC 3927, 2.2.1", "probes for link-local addresses hear nobody")
def link_local_probe_is_not_answered(tap: Script) -> None:
    """A router answered each link-local address that a guest tried, so that none was free."""
    server(tap)
    for last in range(1, 5):
        tap.lan(arp_probe(ip(f"169.254.7.{last}"), at=PEER_MAC)).expect()


@exhibit("SoftEtherUnofficial/VirtualTap", DEFENDING, "another's claim to our address is met")
def conflict_is_met(tap: Script) -> None:
    """A station that announced our address got a reply, addressed to that address."""
    tap.at(0).lan(THEIRS).expect(ANNOUNCEMENT)
    assert when(tap, ANNOUNCEMENT) == [0]
