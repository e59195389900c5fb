"""ARP: RFC 826, RFC 1122 2.3.2."""

from sim.conformance.frames import arp_reply, arp_request, our_reply, our_request, packet, wrapped
from sim.conformance.registry import clause
from sim.conformance.script import NOBODY, PEER, Script
from virtualtap.units import SECOND


@clause(
    "RFC 826, Packet Reception",
    "a request for our address is answered to its sender",
    "TC8:ARP_36",
    "TC8:ARP_20",
)
def request_for_us_is_answered(tap: Script) -> None:
    tap.lan(arp_request()).expect(our_reply())


@clause("RFC 1122, 2.3.2.1", "unanswered requests are not repeated faster than once a second")
def requests_are_a_second_apart(tap: Script) -> None:
    tap.at(0).host(packet(NOBODY)).expect(our_request(NOBODY))
    tap.at(1 * SECOND - 1).expect()
    tap.at(1 * SECOND).expect(our_request(NOBODY))
    tap.forget()


@clause("RFC 1122, 2.3.2.2", "the packet that waited is sent when the answer comes")
def held_packet_is_released(tap: Script) -> None:
    tap.host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))
