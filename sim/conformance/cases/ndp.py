"""Neighbour discovery, who asks and who answers: RFC 4861 7.2, RFC 2464 6 and 7."""

from sim.conformance.frames import packet6, padded, patched, wrapped
from sim.conformance.frames6 import (
    FAR6,
    OTHER6,
    O,
    S,
    dad,
    expect_stale,
    expect_unknown,
    na,
    ns,
    our_na,
    our_ns,
)
from sim.conformance.registry import clause
from sim.conformance.script import (
    GATEWAY6,
    GATEWAY_MAC,
    NOBODY6,
    OTHER_MAC,
    OUR_MAC,
    PEER_MAC,
    US6,
    Script,
)
from virtualtap.units import SECOND
from virtualtap.wire.address import ALL_NODES6, BROADCAST, NO_MAC, ip

NONCE = (14, b"nonce!")  # RFC 7527 4.1
UNKNOWN = (200, bytes(14))
LOCAL6 = ip("fe80::2")  # an address of ours on the link only


# who is answered


@clause(
    "RFC 4861, 7.2.4",
    "one who asks in our group is told our MAC: solicited, overriding, to its own address",
    "v6LC.2.1.8.B",
)
def solicitation_in_our_group_is_answered(tap: Script) -> None:
    tap.lan(ns()).expect(our_na())


@clause("RFC 4861, 7.2.4", "one who asks at our address is told our MAC", "v6LC.2.1.8.A")
def solicitation_at_our_address_is_answered(tap: Script) -> None:
    tap.lan(ns(to=US6)).expect(our_na())


@clause("RFC 4861, 7.2.3", "one who asks for somebody else is not answered")
def solicitation_for_another_is_not_answered(tap: Script) -> None:
    tap.lan(ns(NOBODY6)).expect()


@clause("RFC 4861, 7.2.4", "one who is off our prefixes is answered like any other")
def solicitation_from_off_our_prefixes_is_answered(tap: Script) -> None:
    tap.lan(ns(by=FAR6)).expect(our_na(to=FAR6))


@clause("RFC 4861, 7.2.4", "one with a link-local address only, as a hub that polls, is answered")
def solicitation_from_link_local_is_answered(tap: Script) -> None:
    tap.lan(ns(by=ip("fe80::3"), to=US6)).expect(our_na(to=ip("fe80::3")))


@clause("RFC 4861, 7.2.4", "each of our addresses is answered for, in its own name")
def each_of_our_addresses_is_answered_for(tap: Script) -> None:
    tap.start(our_ip6=(US6, LOCAL6)).lan(ns(LOCAL6)).expect(our_na(of=LOCAL6))


@clause("RFC 4861, 7.2.4", "the answer goes to the MAC of the option, not to the frame's source")
def answer_goes_to_the_option(tap: Script) -> None:
    tap.lan(ns(says=OTHER_MAC)).expect(our_na(mac=OTHER_MAC))


@clause(
    "RFC 4861, 7.2.4",
    "a stranger who asks at our address and says no MAC is asked for it, then answered",
    "v6LC.2.1.8.C",
)
def stranger_without_option_is_asked_first(tap: Script) -> None:
    tap.lan(ns(says=None, to=US6)).expect(our_ns())
    tap.lan(na()).expect(our_na())


@clause("RFC 4861, 4.3", "a stranger who asks in our group and says no MAC gets no answer")
def stranger_without_option_in_the_group_is_ignored(tap: Script) -> None:
    tap.lan(ns(says=None)).expect()


@clause("RFC 4861, 7.2.4", "one whom we know is answered though it says no MAC")
def known_one_without_option_is_answered(tap: Script) -> None:
    tap.lan(ns()).expect(our_na())
    tap.lan(ns(says=None)).expect(our_na())


@clause("RFC 4861, 7.2.4", "one who probes for our address is told before everyone, unsolicited")
def prober_of_our_address_is_told(tap: Script) -> None:
    tap.lan(dad(at=PEER_MAC)).expect(our_na(O, to=ALL_NODES6, mac=None))


@clause("RFC 4862, 5.4.3", "one who probes for another address is not answered")
def prober_of_another_address_is_not_told(tap: Script) -> None:
    tap.lan(dad(NOBODY6, at=PEER_MAC)).expect()


@clause("RFC 7527, 4.1", "a probe that carries a nonce is answered like any other")
def probe_with_nonce_is_answered(tap: Script) -> None:
    tap.lan(dad(at=PEER_MAC, options=(NONCE,))).expect(our_na(O, to=ALL_NODES6, mac=None))


@clause("RFC 4861, 4.3", "an option that nobody knows is passed over")
def unknown_option_is_passed_over(tap: Script) -> None:
    tap.lan(ns(options=(UNKNOWN,))).expect(our_na())


@clause("RFC 4861, 4.3", "the reserved field is not looked at")
def reserved_field_is_not_looked_at(tap: Script) -> None:
    tap.lan(ns(reserved=0xFFFFFFFF)).expect(our_na())


@clause("RFC 2464, 6", "an option of 16 bytes names no MAC of Ethernet")
def long_option_names_no_mac(tap: Script) -> None:
    tap.lan(ns(says=None, options=((1, PEER_MAC + bytes(8)),))).expect()


@clause("RFC 2464, 6", "a group, zero, or our own MAC in the option is nobody's")
def impossible_mac_is_not_answered(tap: Script) -> None:
    for wrong in (BROADCAST, NO_MAC, OUR_MAC):
        tap.lan(ns(says=wrong)).expect()
    expect_unknown(tap)


@clause("RFC 4861, 7.2.3", "zeros behind the packet, as a wire pads, do not matter")
def padding_does_not_matter(tap: Script) -> None:
    tap.lan(padded(ns(says=None, to=US6)) + bytes(9)).expect(our_ns())


@clause("RFC 4861, 7.2.3", "a frame to our MAC may carry what is meant for our group")
def group_in_a_unicast_frame_is_answered(tap: Script) -> None:
    tap.lan(patched(ns(), 0, OUR_MAC)).expect(our_na())


@clause("RFC 8200, 3", "what is sent to another's address is not ours to answer")
def solicitation_at_anothers_address_is_ignored(tap: Script) -> None:
    tap.lan(ns(to=OTHER6)).expect()
    expect_unknown(tap)


# who is asked


@clause(
    "RFC 4861, 7.2.2",
    "a packet for an unknown neighbour asks for it in its group, and says where we are",
    "v6LC.2.1.5.B",
)
def unknown_neighbor_is_asked_for(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())


@clause("RFC 4861, 5.2", "a link-local destination is asked for itself", "v6LC.2.1.1.A")
def link_local_destination_is_asked_for(tap: Script) -> None:
    tap.host(packet6(ip("fe80::3"))).expect(our_ns(ip("fe80::3")))


@clause("RFC 4861, 5.2", "a destination off the link goes through the router", "v6LC.2.1.1.C")
def far_destination_goes_to_the_router(tap: Script) -> None:
    tap.host(packet6(FAR6)).expect(our_ns(GATEWAY6))
    tap.lan(na(of=GATEWAY6, says=GATEWAY_MAC)).expect(wrapped(packet6(FAR6), GATEWAY_MAC))


@clause("RFC 4861, 7.2.2", "who asks is the address that the packet comes from, if it is ours")
def asks_in_the_name_of_the_packet(tap: Script) -> None:
    tap.start(our_ip6=(US6, LOCAL6))
    tap.host(packet6(source=LOCAL6)).expect(our_ns(by=LOCAL6))


@clause("RFC 4861, 7.2.2", "for a packet from an address that is not ours we ask in our own name")
def asks_in_our_own_name(tap: Script) -> None:
    tap.host(packet6(source=FAR6)).expect(our_ns())


@clause("RFC 4861, 7.2.2", "a second packet for the same neighbour does not ask again at once")
def second_packet_does_not_ask_again(tap: Script) -> None:
    tap.at(0).host(packet6()).expect(our_ns())
    tap.at(SECOND - 1).host(packet6(payload=b"second")).expect()


@clause("RFC 4861, 10", "solicitations are a second apart, and three", "v6LC.2.1.5.B")
def three_solicitations_a_second_apart(tap: Script) -> None:
    tap.at(0).host(packet6(NOBODY6)).expect(our_ns(NOBODY6))
    for second in (1, 2):
        tap.at(second * SECOND - 1).expect()
        tap.at(second * SECOND).expect(our_ns(NOBODY6))
    tap.at(60 * SECOND).expect()


@clause("RFC 4861, 7.2.2", "what waited for one who never answered is not sent later")
def packets_for_the_silent_are_dropped(tap: Script) -> None:
    tap.at(0).host(packet6()).expect(our_ns())
    tap.at(4 * SECOND).forget()
    tap.host(packet6(payload=b"later")).expect(our_ns())
    tap.lan(na()).expect(wrapped(packet6(payload=b"later")))


@clause("RFC 4861, 7.2.2", "packets that waited are sent in their order", "v6LC.2.1.2.A")
def waiting_packets_keep_their_order(tap: Script) -> None:
    waiting = [packet6(payload=bytes((number,))) for number in range(3)]
    for each in waiting:
        tap.host(each)
    tap.expect(our_ns()).lan(na()).expect(*map(wrapped, waiting))


@clause("RFC 4861, 7.2.2", "an answer releases only what waited for the one", "v6LC.2.1.2.B")
def answer_releases_only_its_own(tap: Script) -> None:
    tap.host(packet6()).host(packet6(OTHER6)).expect(our_ns(), our_ns(OTHER6))
    tap.lan(na()).expect(wrapped(packet6()))
    tap.lan(na(of=OTHER6, says=OTHER_MAC)).expect(wrapped(packet6(OTHER6), OTHER_MAC))


@clause("RFC 4861, 7.2.3", "one who is asked for and asks us is found, too", "v6LC.2.1.9")
def asked_one_that_asks_is_found(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())
    tap.lan(ns()).expect(wrapped(packet6()), our_na())


@clause("RFC 4861, 7.2.3", "one who asks us is known from then on", "v6LC.2.1.8.B")
def one_who_asks_is_known(tap: Script) -> None:
    tap.lan(ns()).expect(our_na())
    expect_stale(tap)


@clause("RFC 4861, 7.2.3", "one who asks for another is not known by that")
def one_who_asks_for_another_is_not_known(tap: Script) -> None:
    tap.lan(ns(NOBODY6)).expect()
    expect_unknown(tap)


@clause("RFC 4861, 7.2.5", "an answer for our own address changes nothing on our side")
def answer_for_our_own_address_is_not_believed(tap: Script) -> None:
    tap.lan(na(of=US6, says=OTHER_MAC, at=OTHER_MAC)).expect()
    tap.lan(ns()).expect(our_na())


@clause("RFC 4861, 7.2.5", "a group, zero, or our own MAC answers no question")
def impossible_mac_answers_nothing(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())
    for wrong in (BROADCAST, NO_MAC, OUR_MAC):
        tap.lan(na(says=wrong)).expect()
    tap.lan(na(S)).expect(wrapped(packet6()))


@clause("RFC 4861, 7.2.5", "an answer with an option that nobody knows is an answer")
def answer_with_unknown_option_is_one(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())
    tap.lan(na(options=(UNKNOWN,))).expect(wrapped(packet6()))
