"""The other side: Ethernet peers whose way out speaks only IP. RFC 1812, RFC 826, RFC 919, 3927."""

from sim.conformance.frames import (
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    packet6,
    wrapped,
)
from sim.conformance.registry import clause
from sim.conformance.script import NOBODY, OTHER_MAC, OUR_MAC, PEER, PEER_MAC, US, US6, Script
from virtualtap.serving import Serving
from virtualtap.wire import ipv4
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, ip, multicast_mac4, multicast_mac6

FAR, FAR6 = ip("192.0.2.9"), ip("2001:db8::9")
LOCAL, LOCAL6 = ip("169.254.7.7"), ip("fe80::7")
DIRECTED, GROUP, GROUP6 = ip("10.0.0.255"), ip("239.1.2.3"), ip("ff05::123")
ROUTER6 = ip("fe80::2")  # the router's own, of the link
ROUTES = "RFC 1812, 5.2.1"


def gateway(tap: Script, serve: Serving | None = None, **changes: object) -> Script:
    """The router of a LAN: 10.0.0.2 and fd00::2."""
    alone = {"gateway_ip": None, "gateway_ip6": None, "our_ip6": (ROUTER6, US6)}
    return tap.start(**{**alone, "serve": serve or Serving(), **changes})


@clause(ROUTES, "what a peer sends to anywhere by the router's MAC goes to the way out as it is")
def packet_of_a_peer_goes_out(tap: Script) -> None:
    inside = packet(FAR, source=PEER)
    gateway(tap).lan(frame(inside)).expect_host(inside).expect()


@clause(ROUTES, "and so does the next one")
def next_packet_of_a_peer_goes_out(tap: Script) -> None:
    inside = packet(FAR, source=PEER)
    gateway(tap).lan(frame(inside)).expect_host(inside)
    tap.lan(frame(inside)).expect_host(inside)


@clause("virtualtap, serve", "the time to live stays: the router is behind the translator")
def time_to_live_stays(tap: Script) -> None:
    inside = packet(FAR, source=PEER, ttl=1)
    gateway(tap).lan(frame(inside)).expect_host(inside).expect()


@clause(ROUTES, "what a peer sends to the router itself goes to the way out, too")
def packet_to_the_router_goes_out(tap: Script) -> None:
    inside = packet(US, source=PEER)
    gateway(tap).lan(frame(inside)).expect_host(inside)


@clause("RFC 1122, 3.2.1.3", "who serves nobody takes nothing for anywhere")
def host_takes_nothing_for_anywhere(tap: Script) -> None:
    tap.lan(frame(packet(FAR, source=PEER))).expect_host()


@clause("RFC 1812, 5.3.4", "a unicast packet that went to every station is not passed on")
def unicast_in_a_broadcast_is_not_passed_on(tap: Script) -> None:
    gateway(tap).lan(frame(packet(FAR, source=PEER), to=BROADCAST)).expect_host()


@clause("RFC 1812, 5.2.1.1", "a packet at the MAC of another station is not passed on")
def packet_at_another_mac_is_not_passed_on(tap: Script) -> None:
    gateway(tap).lan(frame(packet(FAR, source=PEER), to=OTHER_MAC)).expect_host()


@clause("RFC 826, Packet Reception", "the router's address is answered for")
def router_is_answered_for(tap: Script) -> None:
    gateway(tap).lan(arp_request()).expect(our_reply())


@clause("RFC 1812, 3.3.2", "no address beyond the router is answered for")
def far_addresses_are_not_answered_for(tap: Script) -> None:
    gateway(tap).lan(arp_request(FAR)).lan(arp_request(NOBODY)).expect()


@clause("RFC 826, Packet Generation", "a packet for a peer asks in the router's name")
def request_is_in_the_routers_name(tap: Script) -> None:
    gateway(tap).host(packet(PEER, source=FAR)).expect(our_request(PEER))


@clause(ROUTES, "a packet of the way out reaches the peer's MAC")
def packet_reaches_the_peer(tap: Script) -> None:
    sent = packet(PEER, source=FAR)
    gateway(tap).lan(arp_request()).expect(our_reply())
    tap.host(sent).expect(wrapped(sent)).host(sent).expect(wrapped(sent))


@clause(ROUTES, "a packet for somewhere else has no way back into the LAN")
def packet_for_elsewhere_does_not_enter(tap: Script) -> None:
    gateway(tap).host(packet(FAR, source=FAR)).expect()


@clause("RFC 919, 7", "a limited broadcast of the way out reaches every peer")
def limited_broadcast_reaches_every_peer(tap: Script) -> None:
    sent = packet(LIMITED_BROADCAST, source=FAR)
    gateway(tap).host(sent).expect(wrapped(sent, BROADCAST)).expect_host()


@clause("RFC 919, 7", "a directed broadcast of the way out reaches every peer")
def directed_broadcast_reaches_every_peer(tap: Script) -> None:
    sent = packet(DIRECTED, source=FAR)
    gateway(tap).host(sent).expect(wrapped(sent, BROADCAST)).expect_host()


@clause("RFC 1112, 6.4", "a multicast of the way out reaches every peer")
def multicast_reaches_every_peer(tap: Script) -> None:
    sent = packet(GROUP, source=FAR)
    gateway(tap).host(sent).expect(wrapped(sent, multicast_mac4(GROUP)))


@clause("RFC 919, 7", "a peer's broadcast reaches the way out")
def broadcast_of_a_peer_goes_out(tap: Script) -> None:
    inside = packet(LIMITED_BROADCAST, source=PEER)
    gateway(tap).lan(frame(inside, to=BROADCAST)).expect_host(inside)


@clause("RFC 3927, 7", "nothing for a link-local address is passed on")
def link_local_destination_stays(tap: Script) -> None:
    gateway(tap).lan(frame(packet(LOCAL, source=PEER))).expect_host()


@clause("RFC 3927, 7", "nothing from a link-local address is passed on")
def link_local_source_stays(tap: Script) -> None:
    gateway(tap).lan(frame(packet(FAR, source=LOCAL))).expect_host()


@clause("RFC 1812, 5.2.6", "a fragment for anywhere is passed on as it is")
def fragment_is_passed_on(tap: Script) -> None:
    piece = packet(FAR, source=PEER, payload=bytes(8), fragment=ipv4.MORE_FRAGMENTS)
    gateway(tap).lan(frame(piece)).expect_host(piece)


@clause("RFC 791, 3.2", "what came in pieces for the router itself is made whole")
def fragments_for_the_router_are_joined(tap: Script) -> None:
    whole = packet(US, source=PEER, payload=bytes(16))
    pieces = [
        packet(US, source=PEER, payload=bytes(8), fragment=ipv4.MORE_FRAGMENTS),
        packet(US, source=PEER, payload=bytes(8), fragment=1),
    ]
    gateway(tap).lan(frame(pieces[0])).expect_host()
    tap.lan(frame(pieces[1])).expect_host(whole)


@clause("RFC 8200, 3", "an IPv6 packet of a peer for anywhere goes to the way out as it is")
def packet6_of_a_peer_goes_out(tap: Script) -> None:
    inside = packet6(FAR6, source=ip("fd00::3"))
    gateway(tap).lan(frame(inside)).expect_host(inside)


@clause("RFC 4291, 2.5.6", "nothing for another's link-local IPv6 address is passed on")
def link_local_destination6_stays(tap: Script) -> None:
    gateway(tap).lan(frame(packet6(LOCAL6, source=ip("fd00::3")))).expect_host()


@clause("RFC 4291, 2.5.6", "nothing from a link-local IPv6 address is passed on")
def link_local_source6_stays(tap: Script) -> None:
    gateway(tap).lan(frame(packet6(FAR6, source=LOCAL6))).expect_host()


@clause("RFC 4291, 2.5.6", "a link-local IPv6 address speaks to the router itself")
def link_local_source6_reaches_the_router(tap: Script) -> None:
    inside = packet6(ROUTER6, source=LOCAL6)
    gateway(tap).lan(frame(inside)).expect_host(inside)


@clause("RFC 2464, 7", "an IPv6 multicast of the way out reaches every peer")
def multicast6_reaches_every_peer(tap: Script) -> None:
    sent = packet6(GROUP6, source=FAR6)
    gateway(tap).host(sent).expect(frame(sent, to=multicast_mac6(GROUP6), source=OUR_MAC))


@clause("RFC 826, Packet Generation", "what a peer sends does not teach the router where it is")
def passing_packets_teach_nothing(tap: Script) -> None:
    gateway(tap).lan(frame(packet(FAR, source=PEER), source=PEER_MAC)).forget()
    tap.host(packet(PEER, source=FAR)).expect(our_request(PEER))
