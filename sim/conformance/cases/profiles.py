"""Manners in which profiles differ: RFC 826 by its letter, TC8, SoftEther's client, the first."""

from sim.conformance.frames import (
    arp_reply,
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    wrapped,
)
from sim.conformance.packets import in_snap, tagged
from sim.conformance.registry import clause
from sim.conformance.script import (
    GATEWAY_MAC,
    NOBODY,
    OTHER,
    OTHER_MAC,
    PEER,
    PEER_MAC,
    US,
    Script,
)
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST, ip

LETTER, TC8, IPC, FIRST = ("rfc826",), ("tc8",), ("softether-ipc",), ("predecessor",)
GENERATION, RECEPTION = "RFC 826, Packet Generation", "RFC 826, Packet Reception"
CLIENT, CONSTANTS = "SoftEther, IPC.c", "SoftEther, IPC.h"
TRANSLATOR = "virtualtap, predecessor"
OFF_SUBNET = ip("172.31.57.70")
SSDP, LOCAL_GROUP = ip("239.255.255.250"), ip("239.1.2.3")
THEIRS = arp_request(US, by=US)  # PEER announces our address


def peer_is_unknown(tap: Script) -> None:
    tap.host(packet(PEER)).expect(our_request(PEER))


def peer_is_at(tap: Script, mac: bytes) -> None:
    tap.host(packet(PEER)).expect(wrapped(packet(PEER), mac))


# RFC 826 by its letter


@clause(GENERATION, "the packet is thrown away: whoever sent it sends it again", profiles=LETTER)
def packet_is_thrown_away(tap: Script) -> None:
    peer_is_unknown(tap)
    tap.lan(arp_reply()).expect()
    peer_is_at(tap, PEER_MAC)


@clause(GENERATION, "a request is sent once; the next packet asks again", profiles=LETTER)
def packet_asks_once(tap: Script) -> None:
    tap.at(0)
    peer_is_unknown(tap)
    tap.at(10 * SECOND).expect()
    peer_is_unknown(tap)


@clause(RECEPTION, "who has our address is answered as anybody who asks for it", profiles=LETTER)
def one_with_our_address_is_answered(tap: Script) -> None:
    tap.lan(THEIRS).expect(our_reply(PEER_MAC, US))


@clause(RECEPTION, "the sender's MAC is taken as it is: all ones too", profiles=LETTER)
def any_mac_is_taken(tap: Script) -> None:
    tap.lan(arp_request(at=BROADCAST, link_source=PEER_MAC)).expect(our_reply(BROADCAST))
    peer_is_at(tap, BROADCAST)


@clause(
    RECEPTION, "a sender with our subnet's broadcast address is one like others", profiles=LETTER
)
def sender_with_our_broadcast_address_is_answered(tap: Script) -> None:
    by = ip("10.0.0.255")
    tap.lan(arp_request(by=by)).expect(our_reply(PEER_MAC, by))


@clause(RECEPTION, "it knows of no subnets: who is off ours gets an entry", profiles=LETTER)
def sender_off_the_subnet_takes_a_place(tap: Script) -> None:
    tap.start(neighbors_max=1, gateway_ip=None)
    tap.lan(arp_request()).given(our_reply())
    tap.lan(arp_request(by=OFF_SUBNET, at=OTHER_MAC)).given(our_reply(OTHER_MAC, OFF_SUBNET))
    peer_is_unknown(tap)


@clause(RECEPTION, "who replies to us unasked is known from then on", profiles=LETTER)
def unasked_reply_is_taken(tap: Script) -> None:
    tap.lan(arp_reply())
    peer_is_at(tap, PEER_MAC)


@clause(RECEPTION, "who asks for us is known from then on", profiles=(*LETTER, *TC8, *IPC, *FIRST))
def asker_is_taken(tap: Script) -> None:
    tap.lan(arp_request()).expect(our_reply())
    peer_is_at(tap, PEER_MAC)


# TC8


@clause(
    "virtualtap, tc8",
    "an unasked reply to everyone makes an entry, and no request is needed",
    *("TC8:ARP_05", "TC8:ARP_06"),
    profiles=(*TC8, *IPC),
)
def gratuitous_reply_makes_an_entry(tap: Script) -> None:
    tap.lan(arp_reply(to=BROADCAST, to_ip=PEER)).expect()
    peer_is_at(tap, PEER_MAC)


@clause("virtualtap, tc8", "who replies to us unasked is known from then on", profiles=(*TC8, *IPC))
def reply_to_us_makes_an_entry(tap: Script) -> None:
    tap.lan(arp_reply()).expect()
    peer_is_at(tap, PEER_MAC)


# SoftEther's own client


@clause(CONSTANTS, "it asks once and gives up after a second", profiles=IPC)
def client_asks_once(tap: Script) -> None:
    tap.at(0)
    peer_is_unknown(tap)
    tap.at(1 * SECOND - 1).expect()
    tap.at(1 * SECOND).lan(arp_reply(to_ip=OTHER)).expect()


@clause(CONSTANTS, "ten thousand packets wait for one answer", profiles=IPC)
def client_holds_many(tap: Script) -> None:
    many = [packet(PEER, identification=number, payload=bytes(100)) for number in range(1001)]
    tap.start(outbox_max=2000)
    for each in many:
        tap.host(each)
    tap.expect(our_request(PEER))
    tap.lan(arp_reply()).expect(*map(wrapped, many))


@clause(CONSTANTS, "packets of the longest kind wait in the same number", profiles=IPC)
def client_holds_long_packets(tap: Script) -> None:
    many = [packet(PEER, identification=number, payload=bytes(1480)) for number in range(300)]
    for each in many:
        tap.host(each)
    tap.expect(our_request(PEER))
    tap.lan(arp_reply()).expect(*map(wrapped, many))


@clause(CONSTANTS, "an entry lives three minutes", profiles=IPC)
def client_forgets_after_three_minutes(tap: Script) -> None:
    tap.at(0).lan(arp_request()).given(our_reply())
    tap.at(180 * SECOND)
    peer_is_unknown(tap)
    tap.forget()


@clause(CLIENT, "every packet sent to a neighbour prolongs its entry", profiles=IPC)
def client_prolongs_by_use(tap: Script) -> None:
    tap.at(0).lan(arp_request()).given(our_reply())
    for minute in range(1, 10):
        tap.at(minute * 60 * SECOND)
        peer_is_at(tap, PEER_MAC)


@clause(CLIENT, "who speaks to another is known from then on", profiles=IPC)
def client_learns_from_what_it_overhears(tap: Script) -> None:
    tap.lan(arp_request(NOBODY)).expect()
    peer_is_at(tap, PEER_MAC)


@clause(CLIENT, "IPv4 packets tell where their sender is", profiles=IPC)
def client_learns_from_packets(tap: Script) -> None:
    inside = packet(US, source=PEER)
    tap.lan(frame(inside)).expect_host(inside)
    peer_is_at(tap, PEER_MAC)
    tap.lan(frame(inside, source=OTHER_MAC)).expect_host(inside)
    peer_is_at(tap, OTHER_MAC)


@clause(CLIENT, "packets from off the subnet tell nothing of their sender", profiles=IPC)
def client_learns_nothing_of_what_is_far(tap: Script) -> None:
    tap.start(neighbors_max=1, gateway_ip=None).lan(arp_request()).given(our_reply())
    inside = packet(US, source=OFF_SUBNET)
    tap.lan(frame(inside, source=GATEWAY_MAC)).expect_host(inside)
    peer_is_at(tap, PEER_MAC)


@clause(CLIENT, "who has our address is not met, and nothing is given up", profiles=IPC)
def client_does_not_defend(tap: Script) -> None:
    tap.at(0).lan(THEIRS).lan(THEIRS).expect()
    tap.at(20 * SECOND).lan(arp_request(by=OTHER, at=OTHER_MAC)).expect(our_reply(OTHER_MAC, OTHER))


@clause(CLIENT, "a group whose second byte is above 239 is taken for no group", profiles=IPC)
def client_misreads_groups(tap: Script) -> None:
    discovery, local = packet(SSDP, source=PEER), packet(LOCAL_GROUP, source=PEER)
    tap.lan(frame(discovery, to=b"\x01\0\x5e\x7f\xff\xfa")).expect_host()
    tap.lan(frame(local, to=b"\x01\0\x5e\x01\x02\x03")).expect_host(local)


@clause(CLIENT, "the broadcast address is no misread group", profiles=IPC)
def client_hears_broadcasts(tap: Script) -> None:
    inside = packet(ip("255.255.255.255"), source=PEER)
    tap.lan(frame(inside, to=BROADCAST)).expect_host(inside)


@clause(CLIENT, "a tagged frame is of no type that it knows", profiles=IPC)
def client_reads_no_tags(tap: Script) -> None:
    tap.lan(tagged(arp_request(), 0, 5)).expect()


@clause(CLIENT, "a frame in the form of RFC 1042 is of no type that it knows", profiles=IPC)
def client_reads_no_snap(tap: Script) -> None:
    tap.lan(in_snap(arp_request())).expect()


@clause(CLIENT, "each neighbour is asked for at once, however many there are", profiles=IPC)
def client_asks_for_all_at_once(tap: Script) -> None:
    many = [bytes((10, 0, 0, last)) for last in range(100, 200)]
    tap.at(0)
    for neighbor in many:
        tap.host(packet(neighbor))
    tap.at(500 * MS).expect(*map(our_request, many))


# the translator before this one


@clause(TRANSLATOR, "what it cannot resolve goes to everyone, and nobody is asked", profiles=FIRST)
def unresolved_packet_goes_to_all(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).host(packet(PEER))
    tap.expect(wrapped(packet(PEER), BROADCAST), wrapped(packet(PEER), BROADCAST))
    tap.at(10 * SECOND).expect()


@clause(TRANSLATOR, "who replies is known from then on", profiles=FIRST)
def replier_is_known(tap: Script) -> None:
    tap.host(packet(PEER)).expect(wrapped(packet(PEER), BROADCAST))
    tap.lan(arp_reply()).expect()
    peer_is_at(tap, PEER_MAC)


@clause(TRANSLATOR, "a request from the broadcast MAC is answered to everyone", profiles=FIRST)
def broadcast_sender_is_answered(tap: Script) -> None:
    tap.lan(arp_request(at=BROADCAST, link_source=PEER_MAC)).expect(our_reply(BROADCAST))


@clause(TRANSLATOR, "who has our address is answered, and nobody is told", profiles=FIRST)
def one_with_our_address_gets_a_reply(tap: Script) -> None:
    tap.lan(THEIRS).expect(our_reply(PEER_MAC, US))
