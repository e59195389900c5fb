"""ARP messages that say what nobody may say: ignored, and nothing learned. RFC 826, 1122, 5227."""

from sim.conformance.frames import (
    arp_reply,
    arp_request,
    our_request,
    packet,
    patched,
    wrapped,
)
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, OUR_MAC, PEER, PEER_MAC, Script
from virtualtap.wire.address import ANY4, BROADCAST, NO_MAC, ip, mac

HARDWARE, PROTOCOL, HARDWARE_LEN, PROTOCOL_LEN, OPERATION = 14, 16, 18, 19, 20  # in the frame
GROUP_MAC = mac("01:00:5e:00:00:01")
RECEPTION = "RFC 826, Packet Reception"


def ignored(tap: Script, message: bytes) -> None:
    """Neither answered nor learned from, though PEER is waited for."""
    tap.host(packet(PEER)).expect(our_request(PEER))
    tap.lan(message).expect()
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


def learned_nothing(tap: Script, message: bytes) -> None:
    """Not answered, and PEER is still unknown."""
    tap.lan(message).expect()
    tap.host(packet(PEER)).expect(our_request(PEER))


# types and lengths


@clause(RECEPTION, "a request of unknown hardware type is ignored", "TC8:ARP_21", "IWL:003")
def request_of_other_hardware(tap: Script) -> None:
    learned_nothing(tap, patched(arp_request(), HARDWARE, b"\x7f\xff"))


@clause(RECEPTION, "a reply of unknown hardware type is not learned", "TC8:ARP_22", "IWL:005")
def reply_of_other_hardware(tap: Script) -> None:
    ignored(tap, patched(arp_reply(), HARDWARE, b"\x7f\xff"))


@clause(RECEPTION, "a request of unknown protocol type is ignored", "TC8:ARP_27", "IWL:004")
def request_of_other_protocol(tap: Script) -> None:
    learned_nothing(tap, patched(arp_request(), PROTOCOL, b"\x86\xdd"))


@clause(RECEPTION, "a reply of unknown protocol type is not learned", "TC8:ARP_28", "IWL:006")
def reply_of_other_protocol(tap: Script) -> None:
    ignored(tap, patched(arp_reply(), PROTOCOL, b"\x86\xdd"))


@clause(RECEPTION, "a request with a hardware length other than 6 is ignored", "IWL:007", "IWL:008")
def request_of_other_hardware_length(tap: Script) -> None:
    for length in (0, 4, 8):
        tap.lan(patched(arp_request(), HARDWARE_LEN, bytes((length,)))).expect()
    tap.host(packet(PEER)).expect(our_request(PEER))


@clause(
    RECEPTION, "a reply with a hardware length other than 6 is not learned", "IWL:009", "IWL:010"
)
def reply_of_other_hardware_length(tap: Script) -> None:
    ignored(tap, patched(arp_reply(), HARDWARE_LEN, b"\x04"))


@clause(RECEPTION, "a request with a protocol length other than 4 is ignored", "IWL:011", "IWL:012")
def request_of_other_protocol_length(tap: Script) -> None:
    for length in (0, 6, 16):
        tap.lan(patched(arp_request(), PROTOCOL_LEN, bytes((length,)))).expect()
    tap.host(packet(PEER)).expect(our_request(PEER))


@clause(
    RECEPTION, "a reply with a protocol length other than 4 is not learned", "IWL:013", "IWL:014"
)
def reply_of_other_protocol_length(tap: Script) -> None:
    ignored(tap, patched(arp_reply(), PROTOCOL_LEN, b"\x06"))


@clause("RFC 826, Packet Format", "a request cut short by one byte is ignored")
def request_cut_short(tap: Script) -> None:
    learned_nothing(tap, arp_request()[:-1])


@clause("RFC 826, Packet Format", "a frame of type ARP with nothing inside is ignored")
def request_of_nothing(tap: Script) -> None:
    learned_nothing(tap, arp_request()[:14])


@clause("RFC 903", "a message under the type of reverse ARP is not ARP")
def reverse_arp_is_another_type(tap: Script) -> None:
    learned_nothing(tap, patched(arp_request(), 12, b"\x80\x35"))


# operations


@clause(RECEPTION, "operation 0 is ignored", "IWL:015")
def operation_zero(tap: Script) -> None:
    ignored(tap, patched(arp_request(), OPERATION, b"\0\0"))


@clause("IANA, ARP parameters", "an operation that nobody assigned is ignored", "IWL:016")
def operation_unassigned(tap: Script) -> None:
    ignored(tap, patched(arp_request(), OPERATION, b"\0\x1a"))


@clause("RFC 903, RFC 2390", "reverse and inverse ARP are ignored")
def operation_of_reverse_and_inverse_arp(tap: Script) -> None:
    for operation in (3, 4, 8, 9):
        tap.lan(patched(arp_request(), OPERATION, bytes((0, operation)))).expect()
    tap.host(packet(PEER)).expect(our_request(PEER))


@clause("RFC 826, Packet Format", "an operation in the wrong byte order is ignored")
def operation_swapped(tap: Script) -> None:
    ignored(tap, patched(arp_request(), OPERATION, b"\1\0"))


# sender MACs


@clause("IEEE 802, I/G bit", "a request whose sender is the broadcast MAC is ignored", "IWL:017")
def sender_mac_of_all(tap: Script) -> None:
    learned_nothing(tap, arp_request(at=BROADCAST, link_source=PEER_MAC))


@clause("IEEE 802, I/G bit", "a request whose sender is a group's MAC is ignored", "IWL:018")
def sender_mac_of_a_group(tap: Script) -> None:
    learned_nothing(tap, arp_request(at=GROUP_MAC, link_source=PEER_MAC))


@clause("RFC 826, Definitions", "a request whose sender MAC is zero is ignored")
def sender_mac_of_nobody(tap: Script) -> None:
    learned_nothing(tap, arp_request(at=NO_MAC, link_source=PEER_MAC))


@clause("IEEE 802, I/G bit", "a reply that says an address is at the broadcast MAC is not learned")
def reply_says_all(tap: Script) -> None:
    ignored(tap, arp_reply(at=BROADCAST, link_source=PEER_MAC))


@clause("IEEE 802, I/G bit", "a reply that says an address is at a group's MAC is not learned")
def reply_says_a_group(tap: Script) -> None:
    ignored(tap, arp_reply(at=GROUP_MAC, link_source=PEER_MAC))


@clause("RFC 826, Definitions", "a reply that says an address is at no MAC is not learned")
def reply_says_nobody(tap: Script) -> None:
    ignored(tap, arp_reply(at=NO_MAC, link_source=PEER_MAC))


@clause("IEEE 802, I/G bit", "a request in a frame from the broadcast MAC is ignored", "IWL:019")
def link_source_of_all(tap: Script) -> None:
    learned_nothing(tap, arp_request(link_source=BROADCAST))


@clause("IEEE 802, I/G bit", "a request in a frame from a group's MAC is ignored", "IWL:020")
def link_source_of_a_group(tap: Script) -> None:
    learned_nothing(tap, arp_request(link_source=GROUP_MAC))


@clause("RFC 5227, 1.1", "a request that carries our own MAC is our own echo", "IWL:028")
def request_carries_our_mac(tap: Script) -> None:
    learned_nothing(tap, arp_request(at=OUR_MAC, link_source=PEER_MAC))


@clause("RFC 5227, 1.1", "a reply that says an address is at our MAC is not learned", "IWL:029")
def reply_carries_our_mac(tap: Script) -> None:
    ignored(tap, arp_reply(at=OUR_MAC, link_source=PEER_MAC))


@clause("RFC 5227, 1.1", "a frame from our own MAC is a loop, whatever is in it", "IWL:030")
def link_source_is_our_mac(tap: Script) -> None:
    learned_nothing(tap, arp_request(link_source=OUR_MAC))


# sender addresses


@clause("RFC 1122, 3.2.1.3", "a sender with the limited broadcast address is ignored", "IWL:021")
def sender_ip_of_all(tap: Script) -> None:
    tap.lan(arp_request(by=ip("255.255.255.255"))).expect()


@clause("RFC 1122, 3.2.1.3", "a sender with a loopback address is ignored", "IWL:022")
def sender_ip_of_loopback(tap: Script) -> None:
    tap.lan(arp_request(by=ip("127.0.0.1"))).expect()


@clause("RFC 1112, 7.2", "a sender with a group's address is ignored")
def sender_ip_of_a_group(tap: Script) -> None:
    tap.lan(arp_request(by=ip("224.0.0.1"))).expect()


@clause("RFC 1122, 3.2.1.3", "a sender with our subnet's broadcast address is ignored")
def sender_ip_of_our_broadcast(tap: Script) -> None:
    tap.lan(arp_request(by=ip("10.0.0.255"))).expect()


@clause("RFC 5227, 1.1", "a reply without a sender address tells nothing")
def reply_of_nobody(tap: Script) -> None:
    tap.start(neighbors_max=1).lan(arp_request()).forget()
    tap.lan(arp_reply(ANY4, at=OTHER_MAC))
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))
