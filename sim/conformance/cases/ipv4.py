"""IPv4: where a packet goes, and which ones are for the host. RFC 791, 919, 1122 3.2.1.3, 3.3."""

from sim.conformance.frames import arp_request, frame, our_request, packet, wrapped
from sim.conformance.packets import meet, ours, to_us
from sim.conformance.registry import clause
from sim.conformance.script import (
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    OTHER,
    OTHER_MAC,
    PEER,
    PEER_MAC,
    US,
    Script,
)
from virtualtap.wire.address import BROADCAST, Ip, ip

FAR, FARTHER = ip("192.0.2.9"), ip("198.51.100.9")
EVERYONE, HERE = ip("255.255.255.255"), ip("10.0.0.255")


def lead(network: str, length: int, router: Ip) -> tuple[Ip, int, Ip]:
    """A route."""
    return ip(network), length, router


@clause("RFC 1122, 3.3.1.1", "a destination in our network is asked for itself")
def on_link_destination_is_asked_for_itself(tap: Script) -> None:
    meet(tap, GATEWAY, GATEWAY_MAC).host(packet(NOBODY)).expect(our_request(NOBODY))
    tap.forget()


@clause("RFC 1122, 3.3.1.1", "a neighbor gets its packets itself, not by the gateway")
def neighbor_gets_its_packets_itself(tap: Script) -> None:
    meet(meet(tap, GATEWAY, GATEWAY_MAC)).host(packet(PEER)).expect(wrapped(packet(PEER)))


@clause("RFC 1122, 3.3.1.2", "what is for another network goes to the gateway")
def far_destination_goes_to_the_gateway(tap: Script) -> None:
    meet(tap, GATEWAY, GATEWAY_MAC)
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), GATEWAY_MAC))


@clause("RFC 1122, 3.3.1.2", "for another network nobody but the gateway is asked for")
def gateway_is_asked_for(tap: Script) -> None:
    tap.host(packet(FAR)).expect(our_request(GATEWAY))
    tap.host(packet(FARTHER)).expect()
    tap.lan(arp_request(by=GATEWAY, at=GATEWAY_MAC))
    released = [data for data in tap.frames() if data[12:14] == b"\x08\x00"]
    assert released == [wrapped(packet(to), GATEWAY_MAC) for to in (FAR, FARTHER)]


@clause("RFC 1122, 3.3.1.2", "without a gateway another network is out of reach")
def far_destination_without_gateway_goes_nowhere(tap: Script) -> None:
    tap.start(gateway_ip=None).host(packet(FAR))


@clause("RFC 1122, 3.3.1.2", "the gateway is never guessed to be the network's first address")
def gateway_is_not_guessed(tap: Script) -> None:
    meet(tap.start(gateway_ip=None), GATEWAY, GATEWAY_MAC).host(packet(FAR))


@clause("RFC 3442, Client Behavior", "a route leads to its router, not to the gateway")
def route_leads_to_its_router(tap: Script) -> None:
    tap.start(routes=(lead("192.0.2.0", 24, OTHER),))
    meet(meet(tap, GATEWAY, GATEWAY_MAC), OTHER, OTHER_MAC)
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), OTHER_MAC))


@clause("RFC 1812, 5.2.4.3", "of two routes the longer one leads")
def longer_route_leads(tap: Script) -> None:
    tap.start(routes=(lead("192.0.0.0", 8, PEER), lead("192.0.2.0", 24, OTHER)))
    tap.host(packet(FAR)).expect(our_request(OTHER))
    tap.host(packet(ip("192.0.3.9"))).expect(our_request(PEER))
    tap.forget()


@clause("RFC 1122, 3.3.1.2", "where no route leads, the gateway does")
def gateway_leads_where_no_route_does(tap: Script) -> None:
    tap.start(routes=(lead("192.0.2.0", 24, OTHER),))
    meet(meet(tap, GATEWAY, GATEWAY_MAC), OTHER, OTHER_MAC)
    tap.host(packet(FARTHER)).expect(wrapped(packet(FARTHER), GATEWAY_MAC))


@clause("RFC 3442, Local Subnet Routes", "a route without a router is a network on our link")
def route_without_router_is_on_link(tap: Script) -> None:
    tap.start(routes=(lead("192.0.2.0", 24, bytes(4)),))
    tap.host(packet(FAR)).expect(our_request(FAR))
    tap.forget()


@clause("RFC 1812, 5.2.4.3", "a route to one host leads away from our own network")
def host_route_is_longer_than_our_network(tap: Script) -> None:
    tap.start(routes=(lead("10.0.0.77", 32, OTHER),))
    meet(tap, OTHER, OTHER_MAC).host(packet(NOBODY)).expect(wrapped(packet(NOBODY), OTHER_MAC))


@clause("RFC 1122, 3.2.1.3", "what is for ourselves does not go to the network")
def packet_to_ourselves_stays(tap: Script) -> None:
    tap.host(packet(US))


@clause("RFC 919, 7", "a packet for everyone goes to everyone, and nobody is asked for")
def limited_broadcast_goes_to_everyone(tap: Script) -> None:
    meet(tap, GATEWAY, GATEWAY_MAC)
    tap.host(packet(EVERYONE)).expect(ours(packet(EVERYONE), BROADCAST))


@clause("RFC 919, 7", "a packet for all of our network goes to everyone")
def directed_broadcast_goes_to_everyone(tap: Script) -> None:
    meet(tap, GATEWAY, GATEWAY_MAC)
    tap.host(packet(HERE)).expect(ours(packet(HERE), BROADCAST))


@clause("RFC 1122, 3.3.6", "a packet for all of another network goes to the gateway")
def directed_broadcast_elsewhere_goes_to_the_gateway(tap: Script) -> None:
    there = packet(ip("192.0.2.255"))
    meet(tap, GATEWAY, GATEWAY_MAC).host(there).expect(wrapped(there, GATEWAY_MAC))


@clause(
    "RFC 919, 7", "the last address of a smaller network is its broadcast, that of a larger not"
)
def prefix_decides_what_a_broadcast_is(tap: Script) -> None:
    last = ip("10.0.0.127")
    tap.start(prefix_length=25).host(packet(last)).expect(ours(packet(last), BROADCAST))
    tap.start(prefix_length=16).host(packet(HERE)).expect(our_request(HERE))
    tap.forget()


@clause("RFC 3021, 2.1", "a network of two has no broadcast address")
def network_of_two_has_no_broadcast(tap: Script) -> None:
    tap.start(prefix_length=31).host(packet(PEER)).expect(our_request(PEER))
    tap.forget()


@clause("RFC 1122, 3.2.1.3 (a)", "nothing is sent to the address of zeros, and nobody asked for")
def nothing_is_sent_to_zero(tap: Script) -> None:
    tap.host(packet(bytes(4))).host(packet(ip("0.0.0.9")))


@clause("RFC 1122, 3.2.1.3 (g)", "a loopback destination does not leave the host")
def loopback_destination_does_not_leave(tap: Script) -> None:
    meet(tap, GATEWAY, GATEWAY_MAC).host(packet(ip("127.0.0.1"))).host(packet(ip("127.9.9.9")))


@clause("RFC 1112, 4", "the reserved addresses from 240 on are not sent to")
def reserved_destination_does_not_leave(tap: Script) -> None:
    meet(tap, GATEWAY, GATEWAY_MAC).host(packet(ip("240.0.0.1"))).host(
        packet(ip("255.255.255.254"))
    )


@clause("RFC 1122, 3.2.1.3 (a)", "a host without an address may ask everyone for one")
def host_without_address_asks_everyone(tap: Script) -> None:
    asks = packet(EVERYONE, source=bytes(4))
    tap.host(asks).expect(ours(asks, BROADCAST))


@clause("RFC 791, 3.2", "every byte of a packet leaves as it came: TTL, service, options, flags")
def packet_leaves_unchanged(tap: Script) -> None:
    whole = packet(PEER, ttl=1, tos=0xB8, identification=7, fragment=0x4000)
    with_options = packet(PEER, options=b"\x94\x04\0\0")  # type: ignore[arg-type]  # bytes here
    meet(tap).host(whole).expect(wrapped(whole))
    tap.host(with_options).expect(wrapped(with_options))


@clause("RFC 791, 3.2", "every byte of a packet comes in as it came: TTL, service, options, flags")
def packet_comes_in_unchanged(tap: Script) -> None:
    whole = to_us(ttl=7, tos=0xB8, identification=7, fragment=0x4000)
    with_options = to_us(options=b"\x94\x04\0\0")
    tap.lan(frame(whole)).expect_host(whole)
    tap.lan(frame(with_options)).expect_host(with_options)


@clause("RFC 1122, 3.3.2", "fragments do not come in one by one: the host gets the whole at last")
def fragments_come_in(tap: Script) -> None:
    for word in (0x2000, 0x2001, 0x0002):
        piece = to_us(payload=bytes(8), identification=9, fragment=word)
        tap.expect_host().lan(frame(piece))
    tap.expect_host(to_us(payload=bytes(24), identification=9))


@clause("RFC 1122, 3.2.1.3", "a packet for another address is left alone", "TC8:IPv4_ADDRESSING_01")
def packet_for_another_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us())).expect_host(to_us())
    tap.lan(frame(to_us(to=OTHER))).lan(frame(to_us(to=FAR)))


@clause("RFC 1122, 3.3.6", "a packet for us inside a broadcast frame is left alone")
def unicast_inside_a_broadcast_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(), to=BROADCAST))


@clause("RFC 1122, 3.3.6", "a packet for us inside a group's frame is left alone")
def unicast_inside_a_group_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(), to=ip("1.0.94.0") + b"\x00\x01"))


@clause("RFC 1122, 3.2.1.3 (c)", "a packet for everyone comes in", "TC8:IPv4_ADDRESSING_02")
def limited_broadcast_comes_in(tap: Script) -> None:
    tap.lan(frame(to_us(to=EVERYONE), to=BROADCAST)).expect_host(to_us(to=EVERYONE))


@clause(
    "RFC 1122, 3.2.1.3 (d)", "a packet for all of our network comes in", "TC8:IPv4_ADDRESSING_03"
)
def directed_broadcast_comes_in(tap: Script) -> None:
    tap.lan(frame(to_us(to=HERE), to=BROADCAST)).expect_host(to_us(to=HERE))


@clause("RFC 1122, 3.2.1.3 (d)", "a packet for all of another network is left alone")
def directed_broadcast_of_another_network_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(to=ip("10.0.1.255")), to=BROADCAST))


@clause("RFC 1122, 3.3.6", "broadcast's old form comes in: all zeros")
def old_limited_broadcast_comes_in(tap: Script) -> None:
    tap.lan(frame(to_us(to=bytes(4)), to=BROADCAST)).expect_host(to_us(to=bytes(4)))


@clause("RFC 1122, 3.3.6", "broadcast's old form comes in: our network and zeros")
def old_directed_broadcast_comes_in(tap: Script) -> None:
    old = to_us(to=ip("10.0.0.0"))
    tap.lan(frame(old, to=BROADCAST)).expect_host(old)


@clause("RFC 1122, 3.3.6", "in a frame for us alone, broadcast's old form is for nobody")
def old_broadcast_in_a_unicast_frame_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(to=bytes(4)))).lan(frame(to_us(to=ip("10.0.0.0"))))


@clause("RFC 1122, 3.2.1.7", "a packet comes in however little it has to live", "TC8:IPv4_TTL_05")
def packet_with_little_to_live_comes_in(tap: Script) -> None:
    for ttl in (1, 0):
        tap.lan(frame(to_us(ttl=ttl))).expect_host(to_us(ttl=ttl))


@clause("RFC 1122, 3.2.1.7", "a packet with nothing to live is not sent", "TC8:IPv4_TTL_01")
def packet_with_nothing_to_live_is_not_sent(tap: Script) -> None:
    meet(tap).host(packet(PEER)).expect(wrapped(packet(PEER)))
    tap.host(packet(PEER, ttl=0))


@clause("RFC 1122, 3.2.1.3", "what comes in for 224.0.0.1 does not make that our address")
def group_is_not_taken_for_our_address(tap: Script) -> None:
    everybody = ip("224.0.0.1")
    tap.start(our_ip=None).lan(frame(to_us(to=everybody), to=b"\x01\x00\x5e\x00\x00\x01"))
    tap.expect_host(to_us(to=everybody))
    tap.lan(arp_request(asks=everybody)).lan(frame(to_us())).expect_host(to_us())


@clause("RFC 1122, 3.3.1.1", "a neighbor that moves gets the next packet where it is now")
def next_packet_follows_a_neighbor(tap: Script) -> None:
    meet(tap).host(packet(PEER)).expect(wrapped(packet(PEER), PEER_MAC))
    meet(tap, at=OTHER_MAC).host(packet(PEER)).expect(wrapped(packet(PEER), OTHER_MAC))
