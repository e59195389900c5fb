"""IPv4: what is longer than the MTU. RFC 791 3.2, 1191, 1122 3.2.2, 6691."""

from sim.conformance.frames import arp_reply, frame, our_request, packet, patched, wrapped
from sim.conformance.packets import ACK, SYN, meet, mss, must_cut, ours, segment, tcp4, to_us
from sim.conformance.registry import clause
from sim.conformance.script import NOBODY, PEER, PEER_MAC, US, Script
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, ip
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import ICMP, Ipv4

EVERYONE, MDNS = ip("255.255.255.255"), ip("224.0.0.251")
WHOLE, MORE = 0x4000, 0x2000  # do not cut; more follow
DATA = bytes(range(256)) * 12


def piece(first: int, end: int, more: bool = True, **fields: object) -> bytes:
    """The bytes of `DATA` from `first` on, as a fragment to the peer."""
    word = first // 8 | (MORE if more else 0)
    return packet(PEER, payload=DATA[first:end], identification=7, fragment=word, **fields)  # type: ignore[arg-type]  # header fields


def whole(length: int, **fields: object) -> bytes:
    """That much of `DATA` in one packet to the peer."""
    return packet(PEER, payload=DATA[:length], identification=7, **fields)  # type: ignore[arg-type]  # header fields


@clause(
    "RFC 791, 3.2", "a packet one byte too long leaves in two fragments", "TC8:IPv4_FRAGMENTS_01"
)
def long_packet_leaves_in_fragments(tap: Script) -> None:
    meet(tap).host(whole(1481)).expect(wrapped(piece(0, 1480)), wrapped(piece(1480, 1481, False)))


@clause("RFC 791, 3.2", "a packet as long as the MTU leaves whole")
def packet_of_the_mtu_leaves_whole(tap: Script) -> None:
    meet(tap.start(mtu=600)).host(whole(580)).expect(wrapped(whole(580)))


@clause("RFC 791, 3.2", "all fragments but the last end on 8 bytes")
def fragments_end_on_8_bytes(tap: Script) -> None:
    pieces = [piece(0, 568), piece(568, 1136), piece(1136, 1200, False)]
    meet(tap.start(mtu=595)).host(whole(1200)).expect(*map(wrapped, pieces))


@clause("RFC 791, 3.2", "over the smallest MTU of all, 68, every fragment carries 48 bytes")
def smallest_mtu_works(tap: Script) -> None:
    pieces = [piece(at, at + 48) for at in range(0, 96, 48)] + [piece(96, 100, False)]
    meet(tap.start(mtu=68)).host(whole(100)).expect(*map(wrapped, pieces))


@clause("RFC 791, 3.1", "only options marked so stand in later fragments")
def marked_options_are_copied(tap: Script) -> None:
    kept, left = (
        b"\x94\x04\0\0",
        b"\x07\x07\x04\0\0\0\0\0",
    )  # router alert; record route, and an end
    first = piece(0, 32, options=kept + left)
    later = [piece(32, 72, options=kept), piece(72, 80, False, options=kept)]
    meet(tap.start(mtu=68)).host(whole(80, options=kept + left))
    tap.expect(*map(wrapped, [first, *later]))


@clause("RFC 791, 3.2", "a fragment that is cut again keeps its place, and says that more follow")
def fragment_is_cut_again(tap: Script) -> None:
    cut = piece(800, 1600)
    meet(tap.start(mtu=508)).host(cut).expect(wrapped(piece(800, 1288)), wrapped(piece(1288, 1600)))


@clause("RFC 791, 3.2", "a long packet for everyone leaves in fragments too")
def long_broadcast_leaves_in_fragments(tap: Script) -> None:
    long = packet(EVERYONE, payload=DATA[:1500])
    first = packet(EVERYONE, payload=DATA[:1480], fragment=MORE)
    last = packet(EVERYONE, payload=DATA[1480:1500], fragment=1480 // 8)
    tap.host(long).expect(ours(first, BROADCAST), ours(last, BROADCAST))


@clause("RFC 1122, 2.3.2.2", "a long packet that waited leaves in fragments when the answer comes")
def held_packet_leaves_in_fragments(tap: Script) -> None:
    tap.host(whole(1481)).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(piece(0, 1480)), wrapped(piece(1480, 1481, False)))


@clause("RFC 791, 3.1", "a packet that may not be cut is not cut, and does not leave")
def packet_that_may_not_be_cut_does_not_leave(tap: Script) -> None:
    meet(tap).host(whole(1481, fragment=WHOLE)).expect()
    assert [data[20] for data in tap.packets()] == [3]


@clause("RFC 1191, 4", "the host is told how long a packet may be, by the gateway")
def host_is_told_the_mtu(tap: Script) -> None:
    long = whole(1481, fragment=WHOLE)
    meet(tap.start(mtu=1400)).host(long).expect_host(must_cut(long, 1400))


@clause("RFC 1191, 4", "it is told so too while nobody knows the neighbor, who is not asked for")
def host_is_told_before_anybody_is_asked_for(tap: Script) -> None:
    long = packet(NOBODY, payload=bytes(1500), fragment=WHOLE)
    tap.host(long).expect().expect_host(must_cut(long, 1500))


@clause("RFC 1812, 4.3.2.3", "an error quotes as much as fits into 576 bytes")
def error_is_not_longer_than_576_bytes(tap: Script) -> None:
    meet(tap).host(whole(3000, fragment=WHOLE))
    assert [len(data) for data in tap.packets()] == [576]


@clause("RFC 1122, 3.2.2", "without a gateway the destination itself is said to complain")
def destination_complains_without_a_gateway(tap: Script) -> None:
    long = whole(1481, fragment=WHOLE)
    meet(tap.start(gateway_ip=None)).host(long).expect_host(must_cut(long, 1500, by=PEER))


@clause("RFC 1122, 3.2.2", "no error about an error", "TC8:ICMPv4_ERROR_05")
def no_error_about_an_error(tap: Script) -> None:
    error = Icmp(3, 3, 0, bytes(1480)).summed()
    meet(tap).host(Ipv4(US, PEER, ICMP, error, fragment=WHOLE).to_bytes())


@clause("RFC 1122, 3.2.2", "but about a question of ICMP there is one")
def error_about_an_echo_request(tap: Script) -> None:
    ping = Ipv4(US, PEER, ICMP, Icmp(8, 0, 1, bytes(1480)).summed(), fragment=WHOLE).to_bytes()
    meet(tap).host(ping).expect_host(must_cut(ping, 1500))


@clause("RFC 1122, 3.2.2", "no error about what is for many", "TC8:ICMPv4_ERROR_04")
def no_error_about_broadcast_and_groups(tap: Script) -> None:
    for to in (EVERYONE, ip("10.0.0.255"), MDNS):
        tap.host(packet(to, payload=bytes(1500), fragment=WHOLE))


@clause("RFC 1122, 3.2.2", "no error about a later fragment", "TC8:ICMPv4_ERROR_02")
def no_error_about_a_later_fragment(tap: Script) -> None:
    meet(tap).host(whole(1481, fragment=WHOLE | 100))


@clause("RFC 4443, 2.4 (f)", "errors have a limit for each second, and the next second another")
def errors_have_a_limit(tap: Script) -> None:
    long = whole(1481, fragment=WHOLE)
    meet(tap.start(icmp_errors_max=2)).host(long).host(long).host(long)
    tap.expect_host(*[must_cut(long, 1500)] * 2)
    tap.at(SECOND).host(long).expect_host(must_cut(long, 1500))


@clause("RFC 6691, 2", "a SYN from the host asks for no more than fits the MTU")
def syn_from_the_host_is_clamped(tap: Script) -> None:
    meet(tap.start(mtu=1400, clamp_mss=True)).host(tcp4(segment(mss(1460))))
    tap.expect(wrapped(tcp4(segment(mss(1360)))))


@clause("RFC 6691, 2", "a SYN from the LAN asks for no more than fits the MTU")
def syn_from_the_lan_is_clamped(tap: Script) -> None:
    came, due = (
        tcp4(segment(mss(size), SYN | ACK, ends=(PEER, US)), PEER, US) for size in (1460, 1360)
    )
    tap.start(mtu=1400, clamp_mss=True).lan(frame(to_us())).expect_host(to_us())
    tap.lan(frame(came)).expect_host(due)


@clause("RFC 6691, 2", "a SYN that asks for less keeps what it asks for")
def smaller_mss_stays(tap: Script) -> None:
    small = tcp4(segment(mss(536)))
    meet(tap.start(mtu=1400, clamp_mss=True)).host(small).expect(wrapped(small))


@clause("RFC 9293, 3.7.1", "a SYN that asks for nothing gets no option")
def syn_without_mss_stays(tap: Script) -> None:
    bare = tcp4(segment(b"\x01\x03\x03\x07"))
    meet(tap.start(mtu=1400, clamp_mss=True)).host(bare).expect(wrapped(bare))


@clause("RFC 1624, 3", "the option is found at an odd place, and the checksum is right there too")
def mss_at_an_odd_place_is_clamped(tap: Script) -> None:
    came, due = (tcp4(segment(b"\x01" + mss(size) + b"\x01\x01\0")) for size in (1460, 1360))
    meet(tap.start(mtu=1400, clamp_mss=True)).host(came).expect(wrapped(due))


@clause("RFC 1624, 3", "a TCP checksum that came wrong leaves as wrong as it came")
def wrong_tcp_checksum_stays_wrong(tap: Script) -> None:
    came, due = (segment(mss(size)) for size in (1460, 1360))
    wrong, still = (
        patched(data, 16, ((int.from_bytes(data[16:18]) + 5) % 0xFFFF).to_bytes(2))
        for data in (came, due)
    )
    meet(tap.start(mtu=1400, clamp_mss=True)).host(tcp4(wrong)).expect(wrapped(tcp4(still)))


@clause("RFC 9293, 3.2", "only a SYN has an option of segment size: others stay as they are")
def other_segments_stay(tap: Script) -> None:
    other = tcp4(segment(mss(1460), ACK))
    meet(tap.start(mtu=1400, clamp_mss=True)).host(other).expect(wrapped(other))


@clause("RFC 9293, 3.2", "a SYN is clamped after other segments of the same length too")
def syn_is_clamped_after_other_segments(tap: Script) -> None:
    other = tcp4(segment(mss(1460), ACK))
    meet(tap.start(mtu=1400, clamp_mss=True)).host(other).expect(wrapped(other))
    tap.host(tcp4(segment(mss(1460)))).expect(wrapped(tcp4(segment(mss(1360)))))


@clause("RFC 9293, 3.2", "what stands behind the end of options is none of them")
def mss_behind_the_end_stays(tap: Script) -> None:
    odd = tcp4(segment(b"\0\0\0\0" + mss(1460)))
    meet(tap.start(mtu=1400, clamp_mss=True)).host(odd).expect(wrapped(odd))


@clause("RFC 791, 3.2", "a later fragment is no TCP header")
def later_fragment_stays(tap: Script) -> None:
    later = tcp4(segment(mss(1460)), fragment=1)
    meet(tap.start(mtu=1400, clamp_mss=True)).host(later).expect(wrapped(later))


@clause("RFC 9293, 3.7.1", "unless asked to, nobody changes a SYN")
def syn_stays_unless_asked(tap: Script) -> None:
    syn = tcp4(segment(mss(1460)))
    meet(tap.start(mtu=1400)).host(syn).expect(wrapped(syn, PEER_MAC))
