"""ARP, neighbours that a route puts on our link: RFC 1122 3.3.1, RFC 3442."""

from sim.conformance.frames import arp_reply, arp_request, our_request, packet, wrapped
from sim.conformance.registry import clause
from sim.conformance.script import PEER_MAC, Script
from virtualtap.wire.address import ANY4, ip

FAR, ROUTER = ip("192.0.2.9"), ip("198.51.100.1")
ON_LINK = (ip("192.0.2.0"), 24, ANY4)
BY_ROUTER = (ip("192.0.2.0"), 24, ROUTER)


@clause("RFC 3442", "who is on-link by a route is a neighbour, though outside our network")
def neighbor_by_a_route_is_learned(tap: Script) -> None:
    tap.start(routes=(ON_LINK,)).lan(arp_request(by=FAR)).forget()
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), PEER_MAC))


@clause("RFC 3442", "the router of a route is a neighbour, though outside our network")
def router_of_a_route_is_learned(tap: Script) -> None:
    tap.start(routes=(BY_ROUTER,)).host(packet(FAR)).expect(our_request(ROUTER))
    tap.lan(arp_reply(ROUTER)).expect(wrapped(packet(FAR), PEER_MAC))
