"""IPv4: what a packet must be before it may pass, on both sides. RFC 791 3.1, RFC 1122 3.2.1."""

from sim.conformance.frames import frame, packet, patched, wrapped
from sim.conformance.packets import meet, ours, summed, to_us
from sim.conformance.registry import clause
from sim.conformance.script import PEER, Script
from virtualtap.wire.address import ANY4, BROADCAST, Ip, ip

OPTIONS = b"\x94\x04\0\0"  # RFC 2113: router alert
EVERYONE = ip("255.255.255.255")


def lan_and_host(tap: Script, at: int, value: bytes) -> None:
    """A packet with these bytes, its checksum right, passes on neither side."""
    meet(tap).lan(frame(summed(patched(to_us(), at, value))))
    tap.host(summed(patched(packet(PEER), at, value)))


def claimed_source(tap: Script, source: Ip) -> None:
    """A packet from that address passes on neither side."""
    meet(tap).lan(frame(to_us(source=source))).host(packet(PEER, source=source))


@clause("RFC 791, 3.1", "a total length of more than came is refused: 1000 in 40 bytes")
def total_length_beyond_the_end_is_refused(tap: Script) -> None:
    lan_and_host(tap, 2, b"\x03\xe8")


@clause("RFC 791, 3.1", "one byte too few is refused, also after a whole packet of the kind")
def last_byte_missing_is_refused(tap: Script) -> None:
    meet(tap).lan(frame(to_us())).expect_host(to_us()).lan(frame(to_us())[:-1])
    tap.host(packet(PEER)).expect(wrapped(packet(PEER))).host(packet(PEER)[:-1])


@clause("RFC 791, 3.1", "a total length shorter than the header is refused")
def total_length_below_the_header_is_refused(tap: Script) -> None:
    lan_and_host(tap, 2, b"\x00\x13")


@clause("RFC 791, 3.1", "a header of less than five words is refused", "TC8:IPv4_HEADER_01")
def short_header_is_refused(tap: Script) -> None:
    lan_and_host(tap, 0, b"\x44")


@clause("RFC 791, 3.1", "a header longer than the packet is refused")
def header_beyond_the_end_is_refused(tap: Script) -> None:
    lan_and_host(tap, 0, b"\x4f")


@clause(
    "RFC 1122, 3.2.1.1",
    "another version inside the type of IPv4 is left alone",
    "TC8:IPv4_VERSION_03",
)
def other_version_is_left_alone(tap: Script) -> None:
    for version in (b"\x05", b"\x55", b"\x65", b"\xf5"):
        tap.lan(frame(to_us())[:14] + summed(patched(to_us(), 0, version)))
        tap.lan(patched(frame(to_us()), 14, version))


@clause("RFC 1122, 3.2.1.1", "a version that is neither 4 nor 6 does not leave")
def unknown_version_does_not_leave(tap: Script) -> None:
    meet(tap).host(b"").host(b"\x05" + packet(PEER)[1:]).host(b"\x75" + packet(PEER)[1:])


@clause("RFC 791, 3.1", "less than 20 bytes is no packet")
def less_than_a_header_is_refused(tap: Script) -> None:
    meet(tap).lan(frame(to_us())[:33]).host(packet(PEER)[:19])


@clause("RFC 1122, 3.2.1.2", "a wrong header checksum is left alone", "TC8:IPv4_CHECKSUM_02")
def wrong_checksum_is_left_alone(tap: Script) -> None:
    tap.lan(frame(patched(to_us(), 10, b"\x00\x00"))).lan(frame(patched(to_us(), 8, b"\x3f")))


@clause("RFC 1122, 3.2.1.2", "a wrong header checksum is left alone after right ones")
def wrong_checksum_is_left_alone_after_right_ones(tap: Script) -> None:
    tap.lan(frame(to_us())).expect_host(to_us())
    tap.lan(frame(patched(to_us(), 8, b"\x3f")))
    tap.lan(frame(patched(to_us(), 4, b"\x00\x01")))


@clause("RFC 1122, 3.2.1.2", "a wrong header checksum does not leave, nor after right ones")
def wrong_checksum_does_not_leave(tap: Script) -> None:
    meet(tap).host(patched(packet(PEER), 8, b"\x3f"))
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))
    tap.host(patched(packet(PEER), 4, b"\x00\x01"))


@clause("RFC 791, 3.1", "the checksum counts options too", "TC8:IPv4_CHECKSUM_05")
def checksum_counts_options(tap: Script) -> None:
    whole = to_us(options=OPTIONS)
    tap.lan(frame(whole)).expect_host(whole)
    tap.lan(frame(patched(whole, 22, b"\x00\x01")))


@clause("RFC 1624, 3", "a checksum of ones where zero is right counts as right")
def both_zeros_are_right(tap: Script) -> None:
    both = [to_us(identification=number) for number in range(0x10000)]
    zero = next(data for data in both if data[10:12] == b"\0\0")
    tap.lan(frame(zero)).expect_host(zero)
    ones = patched(zero, 10, b"\xff\xff")
    tap.lan(frame(ones)).expect_host(ones)


@clause("RFC 1122, 3.2.1.3", "a group is no source")
def group_is_no_source(tap: Script) -> None:
    claimed_source(tap, ip("224.0.0.5"))


@clause("RFC 1122, 3.2.1.3 (c)", "everyone is no source")
def limited_broadcast_is_no_source(tap: Script) -> None:
    claimed_source(tap, ip("255.255.255.255"))


@clause("RFC 1122, 3.2.1.3 (d)", "all of our network is no source")
def directed_broadcast_is_no_source(tap: Script) -> None:
    claimed_source(tap, ip("10.0.0.255"))


@clause("RFC 1122, 3.2.1.3 (g)", "a loopback address is no source on a link")
def loopback_is_no_source(tap: Script) -> None:
    claimed_source(tap, ip("127.0.0.1"))


@clause("RFC 1112, 4", "a reserved address is no source")
def reserved_address_is_no_source(tap: Script) -> None:
    claimed_source(tap, ip("240.0.0.1"))


@clause("RFC 1122, 3.2.1.3 (a)", "who has no address yet does not speak to one host")
def zero_source_does_not_speak_to_one_host(tap: Script) -> None:
    claimed_source(tap, ANY4)


@clause("RFC 1122, 3.2.1.3 (b)", "a host number without a network does not speak to one host")
def host_number_does_not_speak_to_one_host(tap: Script) -> None:
    claimed_source(tap, ip("0.0.0.3"))


@clause("RFC 1122, 3.2.1.3 (a)", "who has no address yet may be heard by everyone")
def zero_source_is_heard_by_everyone(tap: Script) -> None:
    asks = to_us(source=bytes(4), to=EVERYONE)
    tap.lan(frame(asks, to=BROADCAST)).expect_host(asks)


@clause("RFC 1122, 3.2.1.3", "a wrong source is left alone after right ones from the same station")
def wrong_source_is_left_alone_after_right_ones(tap: Script) -> None:
    meet(tap).lan(frame(to_us())).expect_host(to_us())
    tap.lan(frame(to_us(source=ip("224.0.0.5"))))
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))
    tap.host(packet(PEER, source=ip("224.0.0.5")))


@clause(
    "RFC 1122, 3.2.1.3 (g)", "a loopback destination is left alone, even by a tap of any address"
)
def loopback_destination_is_left_alone(tap: Script) -> None:
    tap.start(our_ip=None).lan(frame(to_us(to=ip("127.0.0.1"))))


@clause("RFC 791, 3.2", "a fragment that ends beyond 65,535 bytes is refused")
def fragment_beyond_the_end_is_refused(tap: Script) -> None:
    meet(tap).lan(frame(to_us(payload=bytes(64), fragment=0x1FFF)))
    tap.host(packet(PEER, payload=bytes(64), fragment=0x1FFF))


@clause("RFC 791, 3.2", "a fragment that more follow ends on 8 bytes")
def fragment_that_others_follow_ends_on_8_bytes(tap: Script) -> None:
    meet(tap).lan(frame(to_us(payload=bytes(9), fragment=0x2000)))
    tap.host(packet(PEER, payload=bytes(9), fragment=0x2000))


@clause("RFC 791, 3.1", "where only lengths are asked for, wrong checksums pass as they are")
def wrong_checksum_passes_where_only_lengths_count(tap: Script) -> None:
    wrong_in, wrong_out = patched(to_us(), 10, b"\x12\x34"), patched(packet(PEER), 10, b"\x12\x34")
    meet(tap.start(validate="length")).lan(frame(wrong_in)).expect_host(wrong_in)
    tap.lan(frame(wrong_in)).expect_host(wrong_in)
    tap.host(wrong_out).expect(wrapped(wrong_out))


@clause("RFC 791, 3.1", "where only lengths are asked for, wrong lengths are refused")
def wrong_length_is_refused_where_lengths_count(tap: Script) -> None:
    lan_and_host(tap.start(validate="length"), 2, b"\x03\xe8")


@clause("RFC 791, 3.1", "where nothing is asked for, lengths that cannot be pass as they are")
def wrong_length_passes_where_nothing_counts(tap: Script) -> None:
    wrong_in, wrong_out = patched(to_us(), 2, b"\x03\xe8"), patched(packet(PEER), 2, b"\x03\xe8")
    meet(tap.start(validate="off")).lan(frame(wrong_in)).expect_host(wrong_in)
    tap.host(wrong_out).expect(wrapped(wrong_out))


@clause("RFC 894, Frame Format", "where nothing is asked for, padding is cut all the same")
def padding_is_cut_where_nothing_counts(tap: Script) -> None:
    tap.start(validate="off").lan(frame(to_us()).ljust(60, b"\0")).expect_host(to_us())


@clause("RFC 791, 3.1", "where nothing is asked for, less than a header is refused all the same")
def less_than_a_header_is_refused_where_nothing_counts(tap: Script) -> None:
    meet(tap.start(validate="off")).lan(frame(to_us())[:33]).host(packet(PEER)[:19])


@clause("RFC 791, 3.1", "the right packet passes after every wrong one")
def right_packet_passes_after_wrong_ones(tap: Script) -> None:
    for at in range(12):
        meet(tap).lan(frame(patched(to_us(), at, b"\xee")))
        tap.lan(frame(to_us())).expect_host(to_us())
    tap.host(packet(EVERYONE)).expect(ours(packet(EVERYONE), BROADCAST))
