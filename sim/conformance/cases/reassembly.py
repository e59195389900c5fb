"""IPv4 in pieces: joined, bounded, refused, given up. RFC 791 3.2, 815, 1122 3.3.2, 1858, 3168."""

from typing import Any

from sim.conformance.frames import EXPERIMENT, frame, patched, wrapped
from sim.conformance.packets import SYN, meet, mss, segment, summed, tcp4, to_us
from sim.conformance.registry import clause
from sim.conformance.script import NOBODY, OTHER, OTHER_MAC, PEER, US, Script
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, Ip, ip, multicast_mac4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import ICMP, TCP, Ipv4

DATA = bytes(range(256)) * 12
EVERYONE, MDNS = ip("255.255.255.255"), ip("224.0.0.251")
MORE, UNCUT = 0x2000, 0x4000
TIMEOUT = 60 * SECOND


def piece(  # a fragment has that many fields
    first: int,
    end: int,
    more: bool = True,
    number: int = 7,
    source: Ip = PEER,
    to: Ip = US,
    flags: int = 0,
    data: bytes = DATA,
    **fields: Any,
) -> bytes:
    """The bytes of `data` from `first` to `end` in a frame, as a fragment for us."""
    word = first // 8 | (MORE if more else 0) | flags
    inside = to_us(source, to, data[first:end], fragment=word, identification=number, **fields)
    return frame(inside)


def whole(length: int, number: int = 7, **fields: Any) -> bytes:
    """That much of `DATA` in one packet."""
    return to_us(payload=DATA[:length], identification=number, **fields)


def overdue(first: bytes) -> bytes:
    """RFC 792: the time for reassembly is over, to who sent this frame."""
    inside = first[14:]
    body = Icmp(11, 1, 0, inside[:548]).summed()
    return wrapped(Ipv4(inside[16:20], inside[12:16], ICMP, body).to_bytes())


@clause("RFC 791, 3.2", "two fragments come in as one packet", "TC8:IPv4_REASSEMBLY_04")
def two_fragments_are_joined(tap: Script) -> None:
    tap.lan(piece(0, 1480)).expect_host().lan(piece(1480, 2000, False)).expect_host(whole(2000))


@clause("RFC 791, 3.2", "the order of coming does not matter", "TC8:IPv4_REASSEMBLY_06")
def order_does_not_matter(tap: Script) -> None:
    tap.lan(piece(1600, 2001, False)).lan(piece(800, 1600)).expect_host()
    tap.lan(piece(0, 800)).expect_host(whole(2001))


@clause("RFC 815, 3", "a hole in the middle is waited for")
def hole_in_the_middle_is_waited_for(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(128, 192, False)).expect_host()
    tap.lan(piece(64, 128)).expect_host(whole(192))


@clause("RFC 791, 3.2", "fragments of eight bytes are joined too", "TC8:IPv4_FRAGMENTS_02")
def smallest_fragments_are_joined(tap: Script) -> None:
    for at in range(0, 80, 8):
        tap.lan(piece(at, at + 8))
    tap.lan(piece(80, 81, False)).expect_host(whole(81))


@clause("RFC 791, 3.2", "two datagrams between the same hosts are told apart by their numbers")
def numbers_tell_datagrams_apart(tap: Script) -> None:
    tap.lan(piece(0, 64, number=1)).lan(piece(0, 128, number=2))
    tap.lan(piece(64, 99, False, number=1)).expect_host(whole(99, 1))
    tap.lan(piece(128, 200, False, number=2)).expect_host(whole(200, 2))


@clause("RFC 791, 3.2", "the same number of two senders is two datagrams", "TC8:IPv4_REASSEMBLY_07")
def senders_are_told_apart(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(64, 99, False, source=OTHER)).expect_host()
    tap.lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 791, 3.2", "the same number of two protocols is two datagrams")
def protocols_are_told_apart(tap: Script) -> None:
    other = Ipv4(PEER, US, EXPERIMENT + 1, DATA[64:99], identification=7, fragment=8).to_bytes()
    tap.lan(piece(0, 64)).lan(frame(other)).expect_host()
    tap.lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 791, 3.2", "the same number to two destinations is two datagrams")
def destinations_are_told_apart(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(64, 99, False, to=EVERYONE)).expect_host()
    tap.lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 791, 3.2", "a number may come again once its datagram is whole")
def number_may_come_again(tap: Script) -> None:
    for end in (100, 90):
        tap.lan(piece(0, 64)).lan(piece(64, end, False)).expect_host(whole(end))


@clause("RFC 791, 3.2", "the header is that of the first fragment: TTL, service, options")
def header_is_that_of_the_first(tap: Script) -> None:
    first: dict[str, Any] = {"ttl": 9, "tos": 0xB8, "options": b"\x07\x07\x04\0\0\0\0\0"}
    tap.lan(piece(64, 80, False, ttl=3)).lan(piece(0, 64, **first)).expect_host(whole(80, **first))


@clause("RFC 791, 3.1", "what was cut may be cut: its flag that forbids it is clear")
def whole_packet_may_be_cut(tap: Script) -> None:
    tap.lan(piece(0, 64, flags=UNCUT)).lan(piece(64, 80, False, flags=UNCUT))
    tap.expect_host(whole(80))


@clause("RFC 894", "padding behind a short last fragment is no data")
def padding_is_no_data(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(64, 65, False) + bytes(25)).expect_host(whole(65))


@clause("RFC 791, 3.2", "the very same fragment twice does no harm", "TC8:IPv4_REASSEMBLY_09")
def duplicate_does_no_harm(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(0, 64)).lan(piece(128, 140, False)).lan(piece(128, 140, False))
    tap.lan(piece(64, 128)).expect_host(whole(140))


@clause("RFC 1858, 4", "a fragment that says other bytes for a place spoils all, before and after")
def other_bytes_for_a_place_spoil_all(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(0, 64, data=DATA[1:]))
    tap.lan(piece(0, 64)).lan(piece(64, 80, False)).expect_host()


@clause("RFC 1858, 4", "one that begins within another spoils all", "TC8:IPv4_REASSEMBLY_10")
def beginning_within_another_spoils(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(56, 128)).lan(piece(128, 140, False)).expect_host()


@clause("RFC 1858, 4", "one that ends within another spoils all", "TC8:IPv4_REASSEMBLY_11")
def ending_within_another_spoils(tap: Script) -> None:
    tap.lan(piece(64, 128)).lan(piece(0, 72)).lan(piece(128, 140, False)).expect_host()


@clause("RFC 3128, 2", "one that covers another spoils all")
def covering_another_spoils(tap: Script) -> None:
    tap.lan(piece(8, 16)).lan(piece(0, 64)).lan(piece(64, 80, False)).expect_host()


@clause("RFC 815, 3", "two that both claim to be last, at two ends, spoil all")
def two_ends_spoil(tap: Script) -> None:
    tap.lan(piece(128, 140, False)).lan(piece(64, 72, False)).lan(piece(0, 64))
    tap.lan(piece(72, 128)).expect_host()


@clause("RFC 815, 3", "one behind the last spoils all")
def one_behind_the_last_spoils(tap: Script) -> None:
    tap.lan(piece(64, 80, False)).lan(piece(80, 88)).lan(piece(0, 64)).expect_host()


@clause("RFC 815, 3", "the last, if it ends before what came, spoils all")
def last_before_what_came_spoils(tap: Script) -> None:
    tap.lan(piece(128, 136)).lan(piece(64, 128, False)).lan(piece(0, 64)).expect_host()


@clause("RFC 5722, 3", "what was spoiled is over with its time: its number may come again then")
def spoiled_number_comes_again_later(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(56, 80, False)).at(TIMEOUT - 1).lan(piece(64, 80, False))
    tap.at(TIMEOUT).lan(piece(0, 64)).lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 5722, 3", "nobody is told of an overlap, also not when its time is over")
def overlap_is_silent(tap: Script) -> None:
    meet(tap).lan(piece(0, 64)).lan(piece(56, 80, False)).at(2 * TIMEOUT).expect()


@clause("RFC 791, 3.2", "an overlap spoils its own datagram only")
def overlap_spoils_its_own_only(tap: Script) -> None:
    tap.lan(piece(0, 64, number=8)).lan(piece(0, 64)).lan(piece(56, 128))
    tap.lan(piece(64, 80, False, number=8)).expect_host(whole(80, 8))


@clause("RFC 791, 3.2", "a fragment without data is nothing to wait for")
def empty_fragment_is_refused(tap: Script) -> None:
    meet(tap).lan(piece(0, 0)).lan(piece(8, 8, False)).at(2 * TIMEOUT).expect()


@clause("RFC 791, 3.2", "65,535 bytes are the most that come in")
def longest_packet_comes_in(tap: Script) -> None:
    data = bytes(65515)
    for at in range(0, 65515, 1480):
        end = min(at + 1480, 65515)
        tap.lan(piece(at, end, end < 65515, data=data))
    tap.expect_host(to_us(payload=data, identification=7))


@clause("RFC 791, 3.1", "a header with options and all the data above 65,535 bytes are no packet")
def longer_packet_is_refused(tap: Script) -> None:
    data = bytes(65515)
    for at in range(0, 65515, 1480):
        end = min(at + 1480, 65515)
        options = b"" if at else b"\x07\x07\x04\0\0\0\0\0"
        tap.lan(piece(at, end, end < 65515, data=data, options=options))
    tap.expect_host()


@clause("RFC 1122, 3.3.2", "after sixty seconds the pieces are given up", "TC8:IPv4_REASSEMBLY_12")
def pieces_are_given_up(tap: Script) -> None:
    tap.lan(piece(64, 80, False)).at(TIMEOUT).lan(piece(0, 64)).expect_host()
    tap.lan(piece(64, 90, False)).expect_host(whole(90))


@clause("RFC 1122, 3.3.2", "just before that they are joined, for time runs from the first to come")
def pieces_are_kept_until_then(tap: Script) -> None:
    tap.lan(piece(0, 64)).at(TIMEOUT - 1).lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 1122, 3.3.2", "another piece does not lengthen the time")
def time_is_not_lengthened(tap: Script) -> None:
    tap.lan(piece(128, 140, False)).at(TIMEOUT // 2).lan(piece(64, 128)).at(TIMEOUT)
    tap.lan(piece(0, 64)).expect_host().lan(piece(64, 128)).expect_host()


@clause("RFC 1122, 3.3.2", "each datagram has its own time")
def each_has_its_own_time(tap: Script) -> None:
    tap.lan(piece(64, 80, False, number=1)).at(SECOND).lan(piece(64, 80, False, number=2))
    tap.at(TIMEOUT).lan(piece(0, 64, number=2)).expect_host(whole(80, 2))


@clause("RFC 792", "who sent the first piece is told that its time is over, once, in our name")
def sender_is_told(tap: Script) -> None:
    meet(tap).lan(piece(0, 1480)).at(TIMEOUT - 1).expect().at(TIMEOUT)
    tap.expect(overdue(piece(0, 1480))).at(3 * TIMEOUT)


@clause("RFC 792", "without the first piece nobody is told", "TC8:IPv4_REASSEMBLY_13")
def nobody_is_told_without_the_first(tap: Script) -> None:
    meet(tap).lan(piece(64, 128)).at(2 * TIMEOUT).expect()


@clause("RFC 792", "who has all been heard is told nothing")
def nobody_is_told_when_whole(tap: Script) -> None:
    meet(tap).lan(piece(0, 64)).lan(piece(64, 80, False)).expect_host(whole(80)).at(2 * TIMEOUT)


@clause("RFC 1122, 3.2.2", "nobody is told about what was for many", "TC8:ICMPv4_ERROR_03")
def nobody_is_told_about_many(tap: Script) -> None:
    tap.start(our_ip=US)
    for to, at in ((EVERYONE, BROADCAST), (ip("10.0.0.255"), BROADCAST), (MDNS, None)):
        inside = piece(0, 64, to=to)[14:]
        tap.lan(frame(inside, to=at or multicast_mac4(to)))
    meet(tap).at(2 * TIMEOUT).expect()


@clause("RFC 1122, 3.2.2", "nobody is told about an error")
def nobody_is_told_about_an_error(tap: Script) -> None:
    error = Icmp(3, 3, 0, bytes(56)).summed()
    meet(tap).lan(frame(Ipv4(PEER, US, ICMP, error, fragment=MORE).to_bytes())).at(2 * TIMEOUT)


@clause("RFC 4443, 2.4 (f)", "what is told has the limit of all errors")
def told_has_its_limit(tap: Script) -> None:
    meet(tap.start(icmp_errors_max=2))
    for number in range(3):
        tap.lan(piece(0, 64, number=number))
    tap.at(TIMEOUT).expect(*(overdue(piece(0, 64, number=number)) for number in range(2)))


@clause("RFC 792", "a sender whose MAC is not known is asked for first")
def unknown_sender_is_asked_for(tap: Script) -> None:
    tap.lan(piece(0, 64, source=NOBODY)).at(TIMEOUT)
    assert [data[12:14] for data in tap.frames()] == [b"\x08\x06"]
    tap.forget()
    meet(tap.start(), NOBODY, OTHER_MAC).lan(piece(0, 64, source=NOBODY)).at(tap.now + TIMEOUT)
    tap.expect(OTHER_MAC + overdue(piece(0, 64, source=NOBODY))[6:])


@clause("RFC 3168, 5.3", "a piece that met congestion says so for the whole")
def congestion_is_kept(tap: Script) -> None:
    tap.lan(piece(0, 64, tos=0xBA)).lan(piece(64, 80, False, tos=0xBB))
    tap.expect_host(whole(80, tos=0xBB))


@clause("RFC 3168, 5.3", "congestion beside a piece that cannot say so drops the whole")
def congestion_beside_the_incapable_drops(tap: Script) -> None:
    tap.lan(piece(0, 64, tos=3)).lan(piece(64, 80, False, tos=0)).expect_host()


@clause("RFC 1122, 3.3.2", "of too many datagrams the oldest goes, and nobody is told of it")
def oldest_datagram_goes(tap: Script) -> None:
    meet(tap.start(reassembly_datagrams_max=2))
    for number in (1, 2, 3):
        tap.lan(piece(0, 64, number=number))
    tap.lan(piece(64, 80, False, number=3)).lan(piece(64, 80, False, number=2))
    tap.expect_host(whole(80, 3), whole(80, 2)).lan(piece(64, 80, False, number=1)).expect_host()
    tap.at(2 * TIMEOUT).expect()


@clause("RFC 1122, 3.3.2", "of too many bytes the oldest go")
def oldest_bytes_go(tap: Script) -> None:
    tap.start(reassembly_bytes_max=2000).lan(piece(0, 1200, number=1)).lan(piece(0, 800, number=2))
    tap.lan(piece(1200, 1300, False, number=1)).expect_host()
    tap.lan(piece(800, 900, False, number=2)).expect_host(whole(900, 2))


@clause("RFC 1122, 3.3.2", "the bytes of what is whole or spoiled are free again")
def bytes_are_free_again(tap: Script) -> None:
    tap.start(reassembly_bytes_max=1000)
    for number in range(3):
        tap.lan(piece(0, 800, number=number)).lan(piece(800, 900, False, number=number))
        tap.expect_host(whole(900, number))
    for number in range(3, 6):
        tap.lan(piece(0, 800, number=number)).lan(piece(8, 16, number=number)).expect_host()
    tap.lan(piece(0, 800)).lan(piece(800, 900, False)).expect_host(whole(900))


@clause("RFC 1858, 3", "a datagram in too many pieces is refused, all of it")
def too_many_pieces_are_refused(tap: Script) -> None:
    tap.start(reassembly_fragments_max=3)
    for at in (0, 8, 16):
        tap.lan(piece(at, at + 8))
    tap.lan(piece(24, 30, False)).lan(piece(24, 30, False)).expect_host()
    tap.lan(piece(0, 8, number=8)).lan(piece(8, 16, number=8))
    tap.lan(piece(16, 20, False, number=8)).expect_host(whole(20, 8))


@clause("RFC 1122, 3.2.1.3", "fragments for others are neither kept nor answered")
def fragments_for_others_are_left_alone(tap: Script) -> None:
    meet(tap).lan(piece(0, 64, to=OTHER)).lan(piece(64, 80, False, to=OTHER)).expect_host()
    tap.lan(frame(piece(0, 64)[14:], to=BROADCAST)).at(2 * TIMEOUT).expect()


@clause("RFC 791, 3.2", "a group's packet in pieces is joined too")
def groups_packet_is_joined(tap: Script) -> None:
    for one in (piece(0, 64, to=MDNS), piece(64, 80, False, to=MDNS)):
        tap.lan(frame(one[14:], to=multicast_mac4(MDNS)))
    tap.expect_host(whole(80, to=MDNS))


@clause("RFC 1624, 3", "where checksums are not judged, one that came wrong stays as wrong")
def wrong_checksum_stays_wrong(tap: Script) -> None:
    def off(data: bytes, at: int) -> bytes:
        return patched(data, at, ((int.from_bytes(data[at : at + 2]) + 5) % 0xFFFF).to_bytes(2))

    tap.start(validate="length").lan(off(piece(0, 64), 24)).lan(piece(64, 80, False))
    tap.expect_host(off(whole(80), 10))


@clause("RFC 791, 3.2", "where only lengths are asked for, a middle piece of odd length is refused")
def odd_length_is_refused_without_strictness(tap: Script) -> None:
    tap.start(validate="length").lan(piece(0, 63)).lan(piece(64, 80, False)).expect_host()
    tap.lan(piece(0, 64)).expect_host(whole(80))


@clause("RFC 791, 3.2", "where only lengths are asked for, one beyond 65,535 bytes is refused")
def end_beyond_is_refused_without_strictness(tap: Script) -> None:
    meet(tap.start(validate="off")).lan(piece(0, 64))
    late = summed(patched(piece(64, 128, False)[14:], 6, b"\x1f\xff"))
    tap.lan(frame(late)).lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 6691, 2", "a SYN that came in pieces asks for no more than fits either")
def syn_in_pieces_is_clamped(tap: Script) -> None:
    came, due = (segment(mss(size), SYN, (PEER, US)) for size in (1460, 1360))
    tap.start(mtu=1400, clamp_mss=True)
    tap.lan(frame(Ipv4(PEER, US, TCP, came[:8], fragment=MORE).to_bytes()))
    tap.lan(frame(Ipv4(PEER, US, TCP, came[8:], fragment=1).to_bytes()))
    tap.expect_host(tcp4(due, PEER, US))


@clause("RFC 791, 3.2", "a whole packet of the same number comes in at once, and spoils nothing")
def whole_packet_passes_by(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(frame(whole(99))).expect_host(whole(99))
    tap.lan(piece(64, 80, False)).expect_host(whole(80))
