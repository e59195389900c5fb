"""DHCP, a last look before an address is used, and what is declined: RFC 2131 3.1.5, 4.4.4."""

from sim.conformance.dhcp_server import (
    LEASED,
    SERVER,
    give_back,
    owns_nothing,
    question,
    reply,
    request,
    seconds,
)
from sim.conformance.frames import arp_probe, arp_reply
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, OUR_MAC, Script
from virtualtap.units import MS, SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST


@clause("RFC 5227, 2.1.1", "an address is probed before it is used")
def address_is_probed(tap: Script) -> None:
    asked = request(tap, claim="probed")
    tap.lan(reply(asked, dhcp.ACK)).until_sent(tap.now + 1 * SECOND)
    tap.expect(arp_probe(LEASED, at=OUR_MAC))
    owns_nothing(tap)


@clause(
    "RFC 2131, 3.1.5",
    "an address that somebody else has is declined",
    "TC8:DHCPv4_CLIENT_ALLOCATING_07",
)
def taken_address_is_declined(tap: Script) -> None:
    asked = request(tap, claim="probed")
    tap.lan(reply(asked, dhcp.ACK)).until_sent(tap.now + 1 * SECOND).forget()
    tap.lan(arp_reply(LEASED, at=OTHER_MAC, to_ip=ANY4))
    declined = question(tap, dhcp.DECLINE)
    said = declined.value(dhcp.REQUESTED_IP), declined.value(dhcp.SERVER_ID)
    assert said == (LEASED, SERVER)
    assert (declined.packet.source, declined.packet.destination) == (ANY4, LIMITED_BROADCAST)
    assert (declined.message.client_ip, declined.value(dhcp.PARAMETERS)) == (ANY4, None)
    owns_nothing(tap)


@clause(
    "RFC 2131, 3.1.5",
    "after a DECLINE the client waits ten seconds before it begins anew",
    "TC8:DHCPv4_CLIENT_ALLOCATING_08",
)
def decline_is_followed_by_a_wait(tap: Script) -> None:
    asked = request(tap, claim="probed")
    tap.lan(reply(asked, dhcp.ACK)).until_sent(tap.now + 1 * SECOND).forget()
    tap.lan(arp_reply(LEASED, at=OTHER_MAC, to_ip=ANY4))
    declined = question(tap, dhcp.DECLINE)
    tap.at(declined.at + 10 * SECOND - 1).expect()
    tap.until_sent(declined.at + 20 * SECOND)
    question(tap, dhcp.DISCOVER)


@clause("RFC 2131, 4.4.6", "an address that is given back while it is probed is probed no more")
def address_given_back_is_probed_no_more(tap: Script) -> None:
    asked = request(tap, claim="probed")
    tap.lan(reply(asked, dhcp.ACK)).until_sent(tap.now + 1 * SECOND)
    tap.expect(arp_probe(LEASED, at=OUR_MAC))
    give_back(tap).forget()  # a farewell, or none: the address was not in use yet
    tap.at(tap.now + 60 * SECOND).expect()
    owns_nothing(tap)


@clause("RFC 2131, 4.4.1", "a lease runs from the question: an ACK that comes too late gives none")
def lease_that_is_over_is_not_taken(tap: Script) -> None:
    asked = request(tap)
    tap.at(tap.now + 2500 * MS).lan(reply(asked, dhcp.ACK, {dhcp.LEASE_TIME: seconds(2)}))
    owns_nothing(tap.forget())
