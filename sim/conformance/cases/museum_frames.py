"""Exhibits: what is answered, wrapped, unwrapped, tagged, cut. RFC 826, 894, 1112, 1122, 6691."""

from sim.conformance.cases.museum_predecessor import untaken
from sim.conformance.frames import arp_reply, arp_request, frame, our_reply, packet, packet6, padded
from sim.conformance.museum import exhibit
from sim.conformance.packets import (
    ACK,
    meet,
    meet6,
    mss,
    must_cut,
    ours,
    segment,
    tagged,
    tcp4,
    to_us,
)
from sim.conformance.script import (
    NOBODY,
    OTHER_MAC,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    US,
    US6,
    Script,
)
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, ip, multicast_mac4
from virtualtap.wire.ipv4 import DONT_FRAGMENT

RECEPTION, PADDING, LENGTH = "RFC 826, Packet Reception", "RFC 894", "RFC 791, 3.2"
MDNS, DIRECTED = ip("224.0.0.251"), ip("10.0.0.255")


@exhibit("OpenVPN/tap-windows6#140", "RFC 1122, 2.3.2.1", "a request to our MAC alone is answered")
def revalidation_is_answered(tap: Script) -> None:
    """A host that asked at the MAC it knew was not answered: only broadcasts were looked at."""
    tap.lan(arp_request()).expect(our_reply())
    tap.lan(arp_request(target_mac=OUR_MAC, to=OUR_MAC)).expect(our_reply())


@exhibit("KallistiOS/KallistiOS#200", RECEPTION, "who is asked for decides whether to answer")
def request_for_another_is_not_answered(tap: Script) -> None:
    """Every request that was broadcast got an answer, whoever it asked for."""
    tap.lan(arp_request(NOBODY)).expect().lan(arp_request()).expect(our_reply())


@exhibit("genodelabs/genode#3624", RECEPTION, "the answer goes to the sender in the message")
def answer_goes_to_the_sender(tap: Script) -> None:
    """The answer named the source of the frame where the sender in the message belongs."""
    tap.lan(arp_request(link_source=OTHER_MAC)).expect(our_reply())


@exhibit("secdev/scapy#2169", RECEPTION, "a message with fields by luck is answered by silence")
def odd_fields_are_survived(tap: Script) -> None:
    """A message whose fields were drawn by luck raised an exception where it was made."""
    right = arp_request()
    for at in range(14, 22):
        for value in (0x00, 0x7F, 0xFF):
            if right[at] != value:
                tap.lan(right[:at] + bytes((value,)) + right[at + 1 :])
    tap.expect().expect_host().lan(right).expect(our_reply())


@exhibit("tianocore/edk2#8097", RECEPTION, "lengths that a message claims are not believed")
def claimed_lengths_are_not_believed(tap: Script) -> None:
    """A message that claimed addresses of 255 bytes was read beyond its end."""
    right = arp_request()
    for lengths in (b"\xff\xff", b"\x06\xff", b"\xff\x04"):
        tap.lan(right[:18] + lengths + right[20:]).expect()
    tap.lan(right).expect(our_reply())


@exhibit("OpenFastPath/ofp#166", PADDING, "the host gets the packet, not what pads the frame")
def padding_is_no_data(tap: Script) -> None:
    """A segment with one byte of data was read together with what padded its frame."""
    typed = tcp4(segment(b"", ACK, (PEER, US), b"x"), PEER, US)
    tap.lan(padded(frame(typed))).expect_host(typed)


@exhibit("OpenFastPath/ofp#197", PADDING, "what stands behind a packet stays where it was")
def trailer_is_not_sent(tap: Script) -> None:
    """Padding of a short packet went on to the next link; in IPv6 also after it had been fixed."""
    meet(tap).host(packet() + b"behind").expect(ours(packet(), PEER_MAC))
    meet6(tap).host(packet6() + b"behind").expect(ours(packet6(), PEER_MAC))


@exhibit("SoftEtherVPN/SoftEtherVPN#2140", "IEEE 802.1Q, 6.9", "behind a tag stands a packet, too")
def packet_behind_a_tag_is_read(tap: Script) -> None:
    """Of a frame with a tag only the tag was read, not what it carried."""
    tap.start(vlan_id=10).lan(tagged(frame(to_us()), 10)).expect_host(to_us())


@exhibit("SoftEtherVPN/SoftEtherVPN#894", "RFC 894", "what is neither IP nor ARP goes nowhere")
def other_types_go_nowhere(tap: Script) -> None:
    """Everything beside IP and ARP passed, or nothing did: nobody could choose by type."""
    for kind in (b"\x88\xb8", b"\x88\xa4", b"\x89\x02"):
        tap.lan(OUR_MAC + PEER_MAC + kind + to_us()).lan(BROADCAST + PEER_MAC + kind + to_us())


@exhibit("smoltcp-rs/smoltcp#10", "RFC 1122, 3.3.6", "a frame for another station is left alone")
def frame_for_another_is_left_alone(tap: Script) -> None:
    """The destination MAC was not looked at: what a switch floods was taken for one's own."""
    tap.lan(frame(to_us(), to=OTHER_MAC)).lan(arp_request(to=OTHER_MAC)).expect()


@exhibit("smoltcp-rs/smoltcp#33", "RFC 919, 7", "nobody is asked for the limited broadcast")
def broadcast_is_not_asked_for(tap: Script) -> None:
    """A packet for 255.255.255.255 waited for an answer from 255.255.255.255."""
    to_all = packet(LIMITED_BROADCAST)
    tap.host(to_all).expect(ours(to_all, BROADCAST))


@exhibit("smoltcp-rs/smoltcp#377", "RFC 1122, 3.3.6", "the subnet's broadcast is for us, too")
def directed_broadcast_is_heard(tap: Script) -> None:
    """Only 255.255.255.255 was taken for a broadcast, not the last address of the subnet."""
    inside = to_us(to=DIRECTED)
    tap.lan(frame(inside, to=BROADCAST)).expect_host(inside)


@exhibit("zerotier/ZeroTierOne#884", "RFC 1122, 3.3.6", "a broadcast on the LAN reaches the host")
def broadcast_reaches_the_host(tap: Script) -> None:
    """On a phone behind a TUN a game's broadcasts arrived at the adapter, not at the game."""
    inside = to_us(to=LIMITED_BROADCAST)
    tap.lan(frame(inside, to=BROADCAST)).expect_host(inside)


@exhibit("tailscale/tailscale#1013", "RFC 1112, 6.4", "multicast passes in both directions")
def multicast_passes_both_ways(tap: Script) -> None:
    """Over a VPN of layer 3 no device was ever found by mDNS: groups were not carried."""
    said, heard = packet(MDNS), to_us(to=MDNS)
    tap.host(said).expect(ours(said, multicast_mac4(MDNS)))
    tap.lan(frame(heard, to=multicast_mac4(MDNS))).expect_host(heard)


@exhibit("google/gvisor#6532", "virtualtap, ethernet_to_ip", "the host's side has no Ethernet")
def host_gets_packets_not_frames(tap: Script) -> None:
    """A device that carries packets was given Ethernet frames."""
    tap.lan(frame(to_us())).expect_host(to_us())
    six = packet6(US6, source=PEER6)
    tap.lan(frame(six)).expect_host(six)


@exhibit(
    "libremesh/lime-packages#681", "RFC 6691, 2", "a SYN asks for no more than the way carries"
)
def syn_fits_the_way(tap: Script) -> None:
    """Through a VLAN of 1496 bytes connections opened and then hung: nobody had told TCP."""
    meet(tap.start(mtu=1496, clamp_mss=True)).host(tcp4(segment(mss(1460))))
    tap.expect(ours(tcp4(segment(mss(1456))), PEER_MAC))


@exhibit(
    "siomiz/SoftEtherVPN#41", LENGTH, "what is longer than the tunnel carries leaves in pieces"
)
def pieces_fit_the_tunnel(tap: Script) -> None:
    """With an MTU of 1500 in a tunnel of 1395 every full packet was cut again on its way."""
    meet(tap.start(mtu=1395)).host(packet(payload=bytes(1480)))
    assert [len(each) for each in tap.frames()] == [14 + 20 + 1368, 14 + 20 + 112]


@exhibit("zerotier/ZeroTierOne#287", "RFC 1191, 4", "who may not be cut is told how much fits")
def sender_is_told_what_fits(tap: Script) -> None:
    """Long packets vanished on a way with a small MTU, and transfers stalled."""
    long = packet(payload=bytes(1480), fragment=DONT_FRAGMENT)
    meet(tap.start(mtu=1395)).host(long).expect_host(must_cut(long, 1395))


@exhibit("libremesh/lime-packages#898", "IEEE 802.1Q, annex G", "a tag takes nothing from the MTU")
def tag_takes_nothing_from_the_mtu(tap: Script) -> None:
    """The four bytes of a tag were taken from the packet: of 1500 bytes 1496 were left."""
    full = packet(payload=bytes(1480))
    tap.start(vlan_id=10).lan(tagged(arp_request(), 10)).expect(tagged(our_reply(), 10))
    tap.host(full).expect(tagged(ours(full, PEER_MAC), 10))


@exhibit("SoftEtherUnofficial/TapTun", RECEPTION, "each of two askers is answered")
def both_askers_are_answered(tap: Script) -> None:
    """Of two stations that asked before the answers were taken only one got its own."""
    untaken(tap, arp_request())
    tap.lan(arp_request(by=NOBODY, at=OTHER_MAC))
    tap.expect(our_reply(), arp_reply(US, at=OUR_MAC, to=OTHER_MAC, to_ip=NOBODY))
    tap.lan(frame(to_us(PEER))).expect_host(to_us(PEER))
