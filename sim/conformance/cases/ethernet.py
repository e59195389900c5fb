"""Ethernet: which frames are for us, where they end. RFC 894, 1042, 1122 2.3, IEEE 802.3."""

from sim.conformance.frames import (
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    packet6,
    padded,
    patched,
    wrapped,
)
from sim.conformance.packets import in_snap, meet, meet6, ours, to_us, to_us6
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, OUR_MAC, PEER, PEER_MAC, Script
from virtualtap.wire.address import BROADCAST, NO_MAC, ip, mac

EVERYONE = ip("255.255.255.255")


@clause("RFC 894, Frame Format", "a packet leaves behind 14 bytes: to, from, the type of IPv4")
def packet_gets_fourteen_bytes(tap: Script) -> None:
    meet(tap).host(packet(PEER))
    tap.expect(PEER_MAC + OUR_MAC + b"\x08\x00" + packet(PEER))


@clause("RFC 2464, 3", "an IPv6 packet leaves behind 14 bytes with the type of IPv6")
def ipv6_packet_gets_its_own_type(tap: Script) -> None:
    meet6(tap).host(packet6()).expect(PEER_MAC + OUR_MAC + b"\x86\xdd" + packet6())


@clause("RFC 894, Frame Format", "what stands behind a packet is not sent")
def nothing_behind_a_packet_is_sent(tap: Script) -> None:
    meet(tap).host(packet(PEER) + b"behind").expect(wrapped(packet(PEER)))


@clause("RFC 894, Maximum Length", "a packet of 1500 bytes leaves whole, in 1514 bytes")
def packet_of_1500_bytes_leaves_whole(tap: Script) -> None:
    long = packet(PEER, payload=bytes(1480))
    meet(tap).host(long).expect(wrapped(long))


@clause("IEEE 802.3, 3.2.4", "a frame for our MAC is taken in")
def frame_for_our_mac_is_taken(tap: Script) -> None:
    tap.lan(frame(to_us())).expect_host(to_us())


@clause("IEEE 802.3, 3.2.4", "a frame for another MAC is left alone: a switch flooded it")
def frame_for_another_mac_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(), to=OTHER_MAC))


@clause("IEEE 802.3, 3.2.4", "also after one for our own from the same sender")
def frame_for_another_mac_is_left_alone_after_ours(tap: Script) -> None:
    tap.lan(frame(to_us())).expect_host(to_us())
    tap.lan(frame(to_us(), to=OTHER_MAC))


@clause("IEEE 802.3, 3.2.4", "an ARP request in a frame for another MAC is not answered")
def arp_for_another_mac_is_not_answered(tap: Script) -> None:
    tap.lan(arp_request(to=OTHER_MAC))


@clause("IEEE 802.3, 3.2.4", "a frame for all is taken in")
def broadcast_frame_is_taken(tap: Script) -> None:
    tap.lan(frame(to_us(to=EVERYONE), to=BROADCAST)).expect_host(to_us(to=EVERYONE))


@clause("IEEE 802.1D, 7.12.6", "our own frame that comes back through a loop is left alone")
def own_frame_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(to=EVERYONE), to=BROADCAST, source=OUR_MAC))


@clause("IEEE 802.3, 3.2.3", "a frame from a group address is left alone")
def group_source_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(), source=mac("01:00:5e:00:00:03")))


@clause("IEEE 802.3, 3.2.3", "a frame from the broadcast address is left alone")
def broadcast_source_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(), source=BROADCAST))


@clause("IEEE 802, 8.2", "a frame from the address of zeros is left alone")
def zero_source_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us(), source=NO_MAC))


@clause("IEEE 802.3, 3.4", "a frame cut inside its header is left alone, and does no harm")
def runt_is_left_alone(tap: Script) -> None:
    for length in (0, 1, 6, 12, 13):
        tap.lan(frame(to_us())[:length])
    tap.lan(frame(to_us())).expect_host(to_us())


@clause("IEEE 802.3, 3.4", "a frame of a header and nothing else is left alone")
def bare_header_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us())[:14])
    tap.lan(frame(to_us6())[:14])


@clause("RFC 894, Frame Format", "zeros that pad a frame do not reach the host")
def padding_is_cut(tap: Script) -> None:
    tap.lan(padded(frame(to_us()))).expect_host(to_us())


@clause("RFC 894, Frame Format", "whatever pads a frame does not reach the host")
def padding_of_any_kind_is_cut(tap: Script) -> None:
    tap.lan(frame(to_us()).ljust(60, b"\xa5")).expect_host(to_us())


@clause("RFC 894, Frame Format", "padding does not reach the host after an unpadded frame either")
def padding_is_cut_after_an_unpadded_frame(tap: Script) -> None:
    tap.lan(frame(to_us())).expect_host(to_us())
    tap.lan(padded(frame(to_us()))).expect_host(to_us())


@clause("RFC 2464, 3", "what pads an IPv6 frame does not reach the host")
def padding_of_ipv6_is_cut(tap: Script) -> None:
    tap.lan(frame(to_us6(payload=b"")) + b"\xa5" * 6).expect_host(to_us6(payload=b""))


@clause("IEEE 802.3, 3.2.9", "a check sequence left at the end does not reach the host")
def frame_check_sequence_is_cut(tap: Script) -> None:
    long = to_us(payload=bytes(1480))
    tap.lan(frame(long) + b"\xde\xad\xbe\xef").expect_host(long)


@clause("RFC 894, Maximum Length", "a packet of 1500 bytes comes in whole")
def packet_of_1500_bytes_comes_in(tap: Script) -> None:
    long = to_us(payload=bytes(1480))
    tap.lan(frame(long)).expect_host(long)


@clause("RFC 1122, 2.3.3", "a type that is nobody's here is left alone")
def unknown_type_is_left_alone(tap: Script) -> None:
    tap.lan(patched(frame(to_us()), 12, b"\x88\xb5"))


@clause("IEEE 802.3, 3.2.6", "a field from 1501 to 1535 is neither length nor type")
def field_between_length_and_type_is_left_alone(tap: Script) -> None:
    body = in_snap(frame(to_us()))[14:]
    tap.lan(OUR_MAC + PEER_MAC + b"\x05\xdd" + body.ljust(1501, b"\0"))
    tap.lan(OUR_MAC + PEER_MAC + b"\x05\xff" + body.ljust(1535, b"\0"))


@clause("IEEE 802.3, 3.2.6", "a field of 1536 is a type, whatever follows")
def field_of_1536_is_a_type(tap: Script) -> None:
    body = in_snap(frame(to_us()))[14:]
    tap.lan(OUR_MAC + PEER_MAC + b"\x06\x00" + body.ljust(1536, b"\0"))


@clause("RFC 1122, 2.3.3", "a packet in the form of RFC 1042 comes in")
def snap_is_read(tap: Script) -> None:
    tap.lan(in_snap(frame(to_us()))).expect_host(to_us())


@clause("RFC 1042, Frame Format", "its length field says where the frame ends")
def snap_ends_at_its_length(tap: Script) -> None:
    whole = in_snap(frame(to_us()))
    tap.lan(whole.ljust(60, b"\xa5")).expect_host(to_us())
    tap.lan(patched(whole, 12, (len(whole) - 14 - 1).to_bytes(2)))


@clause("RFC 1042, Frame Format", "a field of 1500 is still a length")
def snap_of_1500_bytes_is_read(tap: Script) -> None:
    long = to_us(payload=bytes(1500 - 8 - 20))
    tap.lan(in_snap(frame(long))).expect_host(long)


@clause("RFC 1122, 2.3.3", "a request in the form of RFC 1042 is answered in that of RFC 894")
def snap_request_is_answered_in_ethernet_ii(tap: Script) -> None:
    tap.lan(in_snap(arp_request())).expect(our_reply())


@clause("IEEE 802.3, 3.2.6", "a length beyond the end of the frame is refused")
def length_beyond_the_end_is_refused(tap: Script) -> None:
    whole = in_snap(frame(to_us()))
    tap.lan(whole[:-1]).lan(patched(whole, 12, (len(whole) - 14 + 1).to_bytes(2)))


@clause("IEEE 802.2, 3", "another LLC than SNAP is left alone: a spanning tree's")
def other_llc_is_left_alone(tap: Script) -> None:
    tap.lan(in_snap(frame(to_us()), bytes.fromhex("424203 000000")))


@clause("RFC 1042, Frame Format", "SNAP of another organization is left alone")
def other_organization_is_left_alone(tap: Script) -> None:
    tap.lan(in_snap(frame(to_us()), bytes.fromhex("aaaa03 0000f8")))


@clause("IEEE 802.2, 3", "LLC too short for SNAP is left alone")
def short_llc_is_left_alone(tap: Script) -> None:
    tap.lan(OUR_MAC + PEER_MAC + b"\x00\x07" + in_snap(frame(to_us()))[14:])


@clause("RFC 1122, 2.3.3", "what is sent is sent in the form of RFC 894, whoever spoke otherwise")
def ethernet_ii_is_sent(tap: Script) -> None:
    tap.lan(in_snap(arp_request())).expect(our_reply())
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))


@clause("RFC 1122, 2.5", "IP traffic does not teach who is where", "IWL:001")
def frames_with_packets_teach_nothing(tap: Script) -> None:
    tap.lan(frame(to_us())).expect_host(to_us())
    tap.host(packet(PEER)).expect(our_request(PEER))


@clause("RFC 894, Frame Format", "the source of what is sent is our MAC, whatever came before")
def source_is_always_ours(tap: Script) -> None:
    meet(tap).lan(frame(to_us())).expect_host(to_us())
    tap.host(packet(EVERYONE)).expect(ours(packet(EVERYONE), BROADCAST))
