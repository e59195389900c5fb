"""ARP: who is asked and answered, and in which form. RFC 826, RFC 1122 2.3.2."""

from sim.conformance.frames import (
    arp_probe,
    arp_reply,
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    padded,
    wrapped,
)
from sim.conformance.registry import clause
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
from virtualtap.wire.address import ANY4, BROADCAST, ip, mac

HUB_POLL, HUB_MAC = ip("172.31.57.70"), mac("00:ae:38:45:57:46")  # Hub.c:HubWatchDogThread
FAR = ip("192.0.2.9")
RECEPTION = "RFC 826, Packet Reception"
GENERATION = "RFC 826, Packet Generation"


# asks


@clause(
    GENERATION,
    "for an unknown neighbour a request of the right form is broadcast",
    *("TC8:ARP_07", "TC8:ARP_08", "TC8:ARP_09", "TC8:ARP_10", "TC8:ARP_11"),
    *("TC8:ARP_12", "TC8:ARP_13", "TC8:ARP_14", "TC8:ARP_15"),
)
def unknown_neighbor_is_asked_for(tap: Script) -> None:
    tap.host(packet(NOBODY)).expect(our_request(NOBODY))


@clause("RFC 1122, 3.3.1.1", "for a destination off the subnet the gateway is asked for")
def gateway_is_asked_for_what_is_far(tap: Script) -> None:
    tap.host(packet(FAR)).expect(our_request(GATEWAY))


@clause("RFC 1122, 3.3.1.1", "the packet for a far destination goes to the gateway's MAC")
def far_packet_goes_to_the_gateway(tap: Script) -> None:
    tap.host(packet(FAR)).expect(our_request(GATEWAY))
    tap.lan(arp_reply(GATEWAY, at=GATEWAY_MAC)).expect(wrapped(packet(FAR), GATEWAY_MAC))


@clause("RFC 826, Packet Generation", "who has no address asks in the name of the packet")
def without_an_address_the_packet_lends_its_own(tap: Script) -> None:
    tap.start(our_ip=None, gateway_ip=None)
    tap.host(packet(PEER, source=OTHER)).expect(arp_request(PEER, by=OTHER, at=OUR_MAC))


@clause(
    "RFC 1122, 3.3.1.1", "a configured MAC of the gateway is used without a request", "TC8:ARP_01"
)
def configured_gateway_needs_no_request(tap: Script) -> None:
    tap.start(gateway_mac=GATEWAY_MAC)
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), GATEWAY_MAC))


@clause(
    "virtualtap, handle_arp_internally",
    "where the caller handles ARP, an unknown neighbour is not asked for",
)
def caller_who_handles_arp_asks_himself(tap: Script) -> None:
    tap.start(handle_arp_internally=False)
    tap.host(packet(PEER)).expect(wrapped(packet(PEER), BROADCAST))


# answers


@clause(
    RECEPTION,
    "a request for our address is answered to its sender",
    *("TC8:ARP_16", "TC8:ARP_20", "TC8:ARP_26", "TC8:ARP_36", "TC8:ARP_41"),
    *("TC8:ARP_43", "TC8:ARP_44", "TC8:ARP_46", "TC8:ARP_47"),
)
def request_for_us_is_answered(tap: Script) -> None:
    tap.lan(arp_request()).expect(our_reply())


@clause(RECEPTION, "each of two askers gets an answer of his own", "TC8:ARP_45")
def answer_follows_the_asker(tap: Script) -> None:
    tap.lan(arp_request()).lan(arp_request(by=OTHER, at=OTHER_MAC))
    tap.expect(our_reply(), our_reply(OTHER_MAC, OTHER))


@clause(RECEPTION, "the same question is answered each time it is asked")
def asked_again_answers_again(tap: Script) -> None:
    tap.lan(arp_request()).lan(arp_request()).expect(our_reply(), our_reply())


@clause(RECEPTION, "a target MAC of all ones does not matter in a request", "TC8:ARP_17")
def target_mac_broadcast_is_answered(tap: Script) -> None:
    tap.lan(arp_request(target_mac=BROADCAST)).expect(our_reply())


@clause(RECEPTION, "another's target MAC does not matter in a request", "TC8:ARP_18")
def target_mac_of_another_is_answered(tap: Script) -> None:
    tap.lan(arp_request(target_mac=OTHER_MAC)).expect(our_reply())


@clause(RECEPTION, "our own target MAC does not matter in a request", "TC8:ARP_19")
def target_mac_of_ours_is_answered(tap: Script) -> None:
    tap.lan(arp_request(target_mac=OUR_MAC)).expect(our_reply())


@clause("RFC 1122, 2.3.2.1", "a unicast request, as a poll sends it, is answered")
def unicast_request_is_answered(tap: Script) -> None:
    tap.lan(arp_request(to=OUR_MAC)).expect(our_reply())


@clause("SoftEther, Hub.c:HubWatchDogThread", "a hub that polls from off our subnet is answered")
def poll_of_a_hub_is_answered(tap: Script) -> None:
    poll = arp_request(by=HUB_POLL, at=HUB_MAC, to=OUR_MAC)
    tap.lan(poll).expect(our_reply(HUB_MAC, HUB_POLL))


@clause("RFC 5227, 2.1.1", "a probe for our address is answered to the prober's MAC")
def probe_for_us_is_answered(tap: Script) -> None:
    tap.lan(arp_probe()).expect(our_reply(PEER_MAC, ANY4))


@clause("RFC 5227, 2.1.1", "a probe for another's address is not answered")
def probe_for_another_is_silence(tap: Script) -> None:
    tap.lan(arp_probe(NOBODY)).expect()


@clause(
    RECEPTION, "the answer goes to the sender in the message, not to the link source", "IWL:002"
)
def answer_goes_to_the_sender_inside(tap: Script) -> None:
    tap.lan(arp_request(link_source=OTHER_MAC)).expect(our_reply())


@clause(RECEPTION, "a request for another's address is not answered", "TC8:ARP_37")
def request_for_another_is_silence(tap: Script) -> None:
    tap.lan(arp_request(NOBODY)).expect()


@clause("RFC 1122, 3.2.1.3", "a request for the broadcast address of our subnet is not answered")
def request_for_the_broadcast_is_silence(tap: Script) -> None:
    tap.lan(arp_request(ip("10.0.0.255"))).expect()


@clause("RFC 1122, 2.3.2.1", "we answer for nobody else: not for the gateway either")
def no_proxy_for_the_gateway(tap: Script) -> None:
    tap.lan(arp_request(GATEWAY)).expect()


@clause(RECEPTION, "a reply is not answered", "TC8:ARP_42")
def reply_is_not_answered(tap: Script) -> None:
    tap.lan(arp_reply()).expect()


@clause(RECEPTION, "another's announcement is not answered")
def announcement_is_not_answered(tap: Script) -> None:
    tap.lan(arp_request(PEER)).expect()


@clause("IEEE 802.3, 4.2.8", "padding of zeros does not matter, and the answer has none")
def padded_request_is_answered(tap: Script) -> None:
    tap.lan(padded(arp_request())).expect(our_reply())


@clause("IEEE 802.3, 4.2.8", "padding that is not zero does not matter", "IWL:050")
def padding_of_garbage_is_ignored(tap: Script) -> None:
    tap.lan(arp_request() + b"\xa5" * 18).expect(our_reply())


@clause("RFC 826, Packet Format", "a request in a frame of full length is answered", "IWL:049")
def request_in_a_long_frame_is_answered(tap: Script) -> None:
    tap.lan(arp_request().ljust(1514, b"\0")).expect(our_reply())


@clause(
    "RFC 826, Packet Reception", "a request to another's MAC is not for us, even for our address"
)
def request_to_another_mac_is_ignored(tap: Script) -> None:
    tap.lan(arp_request(to=OTHER_MAC)).expect()


@clause("RFC 826, Packet Reception", "who has no address answers nobody")
def without_an_address_nobody_is_answered(tap: Script) -> None:
    tap.start(our_ip=None, gateway_ip=None)
    tap.lan(arp_request(US)).lan(arp_probe(ANY4)).expect()


@clause(
    "virtualtap, handle_arp_internally", "where the caller handles ARP, a request is not answered"
)
def caller_who_handles_arp_answers_himself(tap: Script) -> None:
    tap.start(handle_arp_internally=False)
    tap.lan(arp_request()).expect()


@clause("RFC 826, Packet Reception", "an ARP message is never given to the host")
def messages_do_not_reach_the_host(tap: Script) -> None:
    tap.lan(arp_request()).lan(arp_reply()).lan(arp_probe(NOBODY)).expect_host()
    tap.expect(our_reply())


@clause("RFC 826, Packet Reception", "a host's packet is received while its sender is unknown")
def packets_of_strangers_are_received(tap: Script) -> None:
    inside = packet(US, source=NOBODY)
    tap.lan(frame(inside)).expect_host(inside)
