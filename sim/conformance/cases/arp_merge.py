"""What ARP learns, from whom, and what it never learns. RFC 826 "Packet Reception", RFC 1122."""

from sim.conformance.frames import (
    arp_probe,
    arp_reply,
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    wrapped,
)
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
from virtualtap.wire.address import BROADCAST, Mac, ip

FAR, OFF_SUBNET = ip("192.0.2.9"), ip("172.31.57.70")
MERGE, CREATE = "RFC 826, Packet Reception: merge", "RFC 826, Packet Reception: add"


def announcement(at: Mac) -> bytes:
    """PEER says at which MAC it is: a request for itself. RFC 5227 2.3."""
    return arp_request(PEER, at=at)


def unasked_reply(at: Mac) -> bytes:
    """PEER says at which MAC it is: a reply to itself and everyone."""
    return arp_reply(at=at, to=BROADCAST, to_ip=PEER)


def peer_is_at(tap: Script, mac: Mac) -> None:
    tap.host(packet(PEER)).expect(wrapped(packet(PEER), mac))


def peer_is_unknown(tap: Script) -> None:
    tap.host(packet(PEER)).expect(our_request(PEER))


def knowing(tap: Script) -> Script:
    """PEER has asked for us and is known."""
    return tap.lan(arp_request()).given(our_reply())


def waiting(tap: Script) -> Script:
    """A packet waits for PEER."""
    return tap.host(packet(PEER)).given(our_request(PEER))


# who is added


@clause(CREATE, "who asks for us is known from then on", "TC8:ARP_03", "TC8:ARP_04")
def asker_is_added(tap: Script) -> None:
    peer_is_at(knowing(tap), PEER_MAC)


@clause(CREATE, "who replies to us unasked is known from then on", "IWL:024")
def unasked_replier_to_us_is_added(tap: Script) -> None:
    tap.lan(arp_reply())
    peer_is_at(tap, PEER_MAC)


@clause(CREATE, "a reply's target MAC does not matter, its target address does", "IWL:025")
def reply_to_our_address_at_a_wrong_mac_is_taken(tap: Script) -> None:
    tap.lan(arp_reply(to=OTHER_MAC, link=BROADCAST))
    peer_is_at(tap, PEER_MAC)


@clause(CREATE, "a stranger's announcement adds nobody")
def announcement_of_a_stranger_adds_nobody(tap: Script) -> None:
    tap.lan(announcement(PEER_MAC))
    peer_is_unknown(tap)


@clause(CREATE, "a stranger's reply to everyone adds nobody", "IWL:023")
def reply_to_all_adds_nobody(tap: Script) -> None:
    tap.lan(unasked_reply(PEER_MAC))
    peer_is_unknown(tap)


@clause(CREATE, "a reply for another's address adds nobody", "TC8:ARP_38", "IWL:026")
def reply_to_another_adds_nobody(tap: Script) -> None:
    tap.lan(arp_reply(to_ip=OTHER))
    peer_is_unknown(tap)


@clause(CREATE, "a stranger's request for another adds nobody")
def request_for_another_adds_nobody(tap: Script) -> None:
    tap.lan(arp_request(NOBODY))
    peer_is_unknown(tap)


@clause("RFC 1122, 2.3.2.1", "IP packets add nobody", "IWL:001")
def packets_add_nobody(tap: Script) -> None:
    inside = packet(US, source=PEER)
    tap.lan(frame(inside)).expect_host(inside)
    peer_is_unknown(tap)


@clause("RFC 826, Packet Reception", "the sender inside counts, not the source of the frame")
def sender_inside_is_added(tap: Script) -> None:
    tap.lan(arp_request(link_source=OTHER_MAC)).expect(our_reply())
    peer_is_at(tap, PEER_MAC)


@clause("RFC 5227, 1.1", "a prober takes nobody's place in the table: it has no address yet")
def prober_is_not_added(tap: Script) -> None:
    knowing(tap.start(neighbors_max=1, gateway_ip=None))
    tap.lan(arp_probe(NOBODY, at=OTHER_MAC)).lan(arp_probe(at=OTHER_MAC)).forget()
    peer_is_at(tap, PEER_MAC)


@clause("RFC 1122, 2.3.2.1", "a sender off our subnet takes nobody's place in the table")
def sender_off_the_subnet_is_not_added(tap: Script) -> None:
    knowing(tap.start(neighbors_max=1, gateway_ip=None))
    tap.lan(arp_request(by=OFF_SUBNET, at=OTHER_MAC)).expect(our_reply(OTHER_MAC, OFF_SUBNET))
    peer_is_at(tap, PEER_MAC)


@clause(CREATE, "a gateway off our subnet is known when it asks for us")
def gateway_off_the_subnet_is_added(tap: Script) -> None:
    tap.start(gateway_ip=OFF_SUBNET)
    tap.lan(arp_request(by=OFF_SUBNET, at=GATEWAY_MAC)).expect(our_reply(GATEWAY_MAC, OFF_SUBNET))
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), GATEWAY_MAC))


# who is known is updated, whatever the target


@clause(MERGE, "a request, then one from a new MAC: the new one is used", "TC8:ARP_32")
def request_after_request(tap: Script) -> None:
    knowing(tap).lan(arp_request(at=OTHER_MAC)).expect(our_reply(OTHER_MAC))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "a reply, then one from a new MAC: the new one is used", "TC8:ARP_33")
def reply_after_reply(tap: Script) -> None:
    waiting(tap).lan(arp_reply()).expect(wrapped(packet(PEER)))
    tap.lan(arp_reply(at=OTHER_MAC))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "a request, then a reply from a new MAC: the new one is used", "TC8:ARP_34")
def reply_after_request(tap: Script) -> None:
    knowing(tap).lan(arp_reply(at=OTHER_MAC))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "a reply, then a request from a new MAC: the new one is used", "TC8:ARP_35")
def request_after_reply(tap: Script) -> None:
    waiting(tap).lan(arp_reply()).expect(wrapped(packet(PEER)))
    tap.lan(arp_request(at=OTHER_MAC)).expect(our_reply(OTHER_MAC))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "one who is known and announces a new MAC is followed there")
def announcement_of_one_known_updates(tap: Script) -> None:
    knowing(tap).lan(announcement(OTHER_MAC))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "a reply to everyone updates one who is known")
def reply_to_all_updates_one_known(tap: Script) -> None:
    knowing(tap).lan(unasked_reply(OTHER_MAC))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "a request for another updates one who is known", "IWL:027")
def request_for_another_updates_one_known(tap: Script) -> None:
    knowing(tap).lan(arp_request(NOBODY, at=OTHER_MAC)).expect()
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "a reply to another updates one who is known")
def reply_to_another_updates_one_known(tap: Script) -> None:
    knowing(tap).lan(arp_reply(at=OTHER_MAC, to_ip=OTHER))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "an update goes into the frames for a known neighbour that follow")
def update_reaches_a_running_conversation(tap: Script) -> None:
    peer_is_at(knowing(tap), PEER_MAC)
    tap.lan(announcement(OTHER_MAC))
    peer_is_at(tap, OTHER_MAC)


@clause("RFC 1122, 2.3.2.1", "IP packets from another MAC move nobody")
def packets_move_nobody(tap: Script) -> None:
    inside = packet(US, source=PEER)
    knowing(tap).lan(frame(inside, source=OTHER_MAC)).expect_host(inside)
    peer_is_at(tap, PEER_MAC)


@clause(MERGE, "an update of one neighbour leaves the others where they are")
def update_of_one_leaves_the_others(tap: Script) -> None:
    knowing(tap).lan(arp_request(by=OTHER, at=OTHER_MAC)).expect(our_reply(OTHER_MAC, OTHER))
    peer_is_at(tap, PEER_MAC)
    tap.host(packet(OTHER)).expect(wrapped(packet(OTHER), OTHER_MAC))


# who is waited for


@clause(MERGE, "a request from one who is waited for lets the packet go", "TC8:ARP_39")
def request_resolves_what_waits(tap: Script) -> None:
    waiting(tap).lan(arp_request(at=OTHER_MAC))
    tap.expect(wrapped(packet(PEER), OTHER_MAC), our_reply(OTHER_MAC))


@clause(MERGE, "a second reply from another MAC is the one that counts", "TC8:ARP_40")
def second_reply_counts(tap: Script) -> None:
    waiting(tap).lan(arp_reply()).lan(arp_reply(at=OTHER_MAC)).expect(wrapped(packet(PEER)))
    peer_is_at(tap, OTHER_MAC)


@clause(MERGE, "an announcement of one who is waited for lets the packet go")
def announcement_resolves_what_waits(tap: Script) -> None:
    waiting(tap).lan(announcement(PEER_MAC)).expect(wrapped(packet(PEER)))


@clause(MERGE, "a reply to everyone from one who is waited for lets the packet go")
def reply_to_all_resolves_what_waits(tap: Script) -> None:
    waiting(tap).lan(unasked_reply(PEER_MAC)).expect(wrapped(packet(PEER)))


@clause("RFC 5227, 1.1", "another's probe for one who is waited for tells nothing")
def probe_does_not_resolve_what_waits(tap: Script) -> None:
    waiting(tap).lan(arp_probe(PEER, at=OTHER_MAC)).expect()
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@clause(MERGE, "a reply from one neighbour does not resolve another")
def reply_of_another_resolves_nothing(tap: Script) -> None:
    waiting(tap).lan(arp_reply(OTHER, at=OTHER_MAC)).expect()
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


# the gateway


@clause(MERGE, "a gateway that moves is followed")
def gateway_that_moves_is_followed(tap: Script) -> None:
    tap.lan(arp_request(by=GATEWAY, at=GATEWAY_MAC)).expect(our_reply(GATEWAY_MAC, GATEWAY))
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), GATEWAY_MAC))
    tap.lan(arp_request(GATEWAY, by=GATEWAY, at=OTHER_MAC))
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), OTHER_MAC))


@clause("SoftEther, Virtual.c beacon", "a beacon's odd target moves a known gateway all the same")
def beacon_moves_a_known_gateway(tap: Script) -> None:
    tap.start(gateway_mac=GATEWAY_MAC)
    tap.lan(arp_reply(GATEWAY, at=OTHER_MAC, to=BROADCAST, to_ip=ip("10.0.0.255"))).expect()
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), OTHER_MAC))


@clause(
    "virtualtap, learn_gateway_mac", "a pinned gateway stays where it was configured", "TC8:ARP_02"
)
def pinned_gateway_stays(tap: Script) -> None:
    tap.start(gateway_mac=GATEWAY_MAC, learn_gateway_mac=False)
    tap.lan(arp_reply(GATEWAY, at=OTHER_MAC))
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), GATEWAY_MAC))
