"""Fragments until whole: any order, any cuts, hostile floods, counters."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import OUR_IP, OUR_IP6, PEER, PEER6, a_tap, dropped, frame, packet
from tests.properties.test_deterministic import feed, outcome
from virtualtap import SECOND, DropReason, VirtualTap, ip
from virtualtap.wire import ipv4, ipv6
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6

FEW = {
    "reassembly_datagrams_max": 3,
    "reassembly_bytes_max": 300,
    "reassembly_fragments_max": 4,
    "outbox_max": 8,
}
OPTIONS = bytes((1, 4, 0, 0, 0, 0))  # of a header of 8 bytes: PadN


def cut4(whole: bytes, sizes: list[int]) -> list[bytes]:
    """An IPv4 packet in fragments, each of the next size in units of 8 bytes."""
    at, offset, rest = 20, 0, []
    head = Ipv4.parse(whole)
    while at + sizes[len(rest) % len(sizes)] * 8 < len(whole):
        length = sizes[len(rest) % len(sizes)] * 8
        rest.append((offset, True, whole[at : at + length]))
        at, offset = at + length, offset + length
    rest.append((offset, False, whole[at:]))
    return [
        packet(
            OUR_IP,
            PEER,
            payload,
            identification=head.identification,
            fragment=offset // 8 | (ipv4.MORE_FRAGMENTS if more else 0),
            ttl=head.ttl,
            tos=head.tos,
        )
        for offset, more, payload in rest
    ]


def behind(options: bool, kind: int, payload: bytes) -> bytes:
    """An IPv6 packet for us, a header of hop-by-hop options first if asked for."""
    if options:
        return Ipv6(PEER6, OUR_IP6, 0, bytes((kind, 0)) + OPTIONS + payload).to_bytes()
    return Ipv6(PEER6, OUR_IP6, kind, payload).to_bytes()


def piece6(options: bool, offset: int, more: bool, payload: bytes, number: int = 7) -> bytes:
    """A fragment of IPv6."""
    header = bytes((253, 0)) + (offset | more).to_bytes(2) + number.to_bytes(4)
    return behind(options, ipv6.FRAGMENT, header + payload)


payloads = st.binary(min_size=9, max_size=600)
cuts = st.lists(st.integers(1, 20), min_size=1, max_size=5)


@given(payloads, cuts, st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_of_any_cuts_of_an_ipv4_packet_gives_the_packet(payload, sizes, luck, again):
    tap = a_tap(reassembly_fragments_max=128)
    whole = packet(OUR_IP, PEER, payload, identification=9, ttl=7, tos=0xB8)
    pieces = cut4(whole, sizes)
    luck.shuffle(pieces)
    doubled = pieces[:-1] + luck.choices(pieces[:-1], k=again) if pieces[:-1] else []
    given_ = [tap.ethernet_to_ip(frame(piece)) for piece in [*doubled, pieces[-1]]]
    assert given_ == [None] * len(doubled) + [whole]
    assert tap.stats.to_ip == 1
    assert tap.stats.reassembled == (len(pieces) > 1)
    assert (tap.stats.dropped_total, tap.next_deadline()) == (0, None)


@given(
    payloads,
    cuts,
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_any_order_of_any_cuts_of_an_ipv6_packet_gives_the_packet(payload, sizes, options, luck):
    tap, at, pieces = a_tap(reassembly_fragments_max=128), 0, []
    while at < len(payload):
        end = min(at + sizes[len(pieces) % len(sizes)] * 8, len(payload))
        pieces.append(piece6(options, at, end < len(payload), payload[at:end]))
        at = end
    luck.shuffle(pieces)
    given_ = [tap.ethernet_to_ip(frame(piece)) for piece in pieces]
    assert given_ == [None] * (len(pieces) - 1) + [behind(options, 253, payload)]
    assert (tap.stats.dropped_total, tap.next_deadline()) == (0, None)


@given(payloads, st.integers(68, 200))
def test_what_the_engine_cuts_it_joins(payload, mtu):
    whole = packet(OUR_IP, PEER, payload, options=b"\x94\x04\0\0\x07\x07\x04\0\0\0\0\0")
    tap, pieces = a_tap(), ipv4.fragments(whole, mtu)
    assert [tap.ethernet_to_ip(frame(piece)) for piece in pieces][-1] == whole


fragments4 = st.builds(
    lambda number, offset, more, length: frame(
        packet(
            OUR_IP,
            PEER,
            bytes(length),
            identification=number,
            fragment=offset | (ipv4.MORE_FRAGMENTS if more else 0),
        )
    ),
    st.integers(0, 5),
    st.integers(0, 12) | st.integers(0, 0x1FFF),
    st.booleans(),
    st.integers(0, 8).map(lambda words: words * 8) | st.integers(0, 100),
)
fragments6 = st.builds(
    lambda number, offset, more, length: frame(
        piece6(False, offset * 8, more, bytes(length), number)
    ),
    st.integers(0, 5),
    st.integers(0, 12) | st.integers(0, 0x1FFF),
    st.booleans(),
    st.integers(0, 8).map(lambda words: words * 8) | st.integers(0, 100),
)
storms = st.lists(
    st.tuples(st.just(False), fragments4 | fragments6, strategies.gaps) | strategies.happenings,
    max_size=40,
)


def kept(tap: VirtualTap) -> list[int]:
    """The sizes of the datagrams that wait."""
    return [datagram.size for datagram in store(tap)._datagrams.values()]


def store(tap: VirtualTap):
    return tap._ipv4._join.__self__._reassembly


@given(storms)
def test_whatever_comes_in_pieces_keeps_the_limits(happenings):
    tap, now = a_tap(**FEW), 0
    for from_host, data, gap in happenings:
        now += gap
        feed(tap, from_host, data, now)
        reassembly = store(tap)
        assert len(reassembly) <= 3
        assert sum(kept(tap)) == reassembly._bytes <= 300
        assert all(len(each.starts) <= 4 for each in reassembly._datagrams.values())
        assert all(each.expires > now for each in reassembly._datagrams.values())
        assert max(len(tap._core.frames), len(tap._core.packets)) <= 8
    tap.poll(now + 60 * SECOND)
    assert (len(store(tap)), store(tap)._bytes) == (0, 0)


@given(storms, st.lists(st.floats(0, 1), max_size=6))
def test_one_poll_to_an_instant_equals_many_on_the_way(happenings, stops):
    at_once, in_steps, now = a_tap(**FEW), a_tap(**FEW), 0
    for from_host, data, gap in happenings:
        for stop in sorted(int(part * gap) for part in stops):
            in_steps.poll(now + stop)
        now += gap
        assert feed(at_once, from_host, data, now) == feed(in_steps, from_host, data, now)
        assert outcome(at_once) == outcome(in_steps)


def fragment(number: int, offset: int = 0, more: bool = True, size: int = 64) -> bytes:
    word = offset // 8 | (ipv4.MORE_FRAGMENTS if more else 0)
    return frame(packet(OUR_IP, PEER, bytes(size), identification=number, fragment=word))


@pytest.mark.slow
def test_memory_stays_where_a_flood_of_fragments_took_it():
    def flood(tap: VirtualTap, numbers: range) -> None:
        for number in numbers:
            tap.ethernet_to_ip(fragment(number, size=1480))
            tap.ethernet_to_ip(fragment(number, 2960))
            tap.ethernet_to_ip(frame(piece6(False, 0, True, bytes(1000), number)))

    tap = a_tap()
    tracemalloc.start()
    try:
        flood(tap, range(200))
        full = tracemalloc.get_traced_memory()[0]
        flood(tap, range(200, 2000))
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after < full + 16 * 1024
    assert full < 256 * 1024 + 128 * 1024


def test_a_datagram_that_had_to_go_is_counted_once():
    tap = a_tap(**FEW)
    for number in range(4):
        tap.ethernet_to_ip(fragment(number))
    assert tap.stats.dropped == {DropReason.REASSEMBLY_FULL: 1}


def test_an_overlap_is_counted_and_so_is_all_that_comes_after_it():
    tap = a_tap()
    for offset in (0, 56, 64, 128):
        tap.ethernet_to_ip(fragment(1, offset))
    assert tap.stats.dropped == {DropReason.OVERLAP: 3}
    tap.poll(60 * SECOND)
    assert tap.stats.dropped == {DropReason.OVERLAP: 3}


def test_a_datagram_that_never_was_whole_is_counted_when_its_time_is_over():
    tap = a_tap()
    tap.ethernet_to_ip(fragment(1, 64), 5)
    assert tap.next_deadline() == 60 * SECOND + 5
    tap.poll(60 * SECOND + 5)
    assert tap.stats.dropped == {DropReason.REASSEMBLY_TIMEOUT: 1}
    assert tap.next_deadline() is None


def test_a_told_sender_is_an_error_sent():
    tap = a_tap(handle_arp_internally=False)
    tap.ethernet_to_ip(fragment(1))
    tap.poll(60 * SECOND)
    assert tap.stats.errors_sent == 1
    assert [Ipv4.parse(sent[14:]).protocol for sent in tap.take_frames()] == [ipv4.ICMP]


def test_an_error_that_finds_no_room_is_dropped():
    tap = a_tap(handle_arp_internally=False, outbox_max=1)
    tap.ethernet_to_ip(fragment(1))
    tap.ethernet_to_ip(fragment(2))
    tap.poll(60 * SECOND)
    assert (tap.stats.errors_sent, dropped(tap, DropReason.OUTBOX_FULL)) == (1, 1)


@given(st.binary(max_size=80))
def test_the_walk_through_headers_ends_within_any_bytes(tail):
    for kind in (0, 43, 44, 51, 60, 135):
        data = Ipv6(PEER6, OUR_IP6, kind, tail).to_bytes()
        _, at = ipv6.upper_layer(data)
        assert at >= 40
        assert ipv6.is_headed(data) in (True, False)


def test_an_authentication_header_is_counted_in_words_of_four_bytes():
    header = bytes((ipv6.UDP, 4)) + bytes(22)  # RFC 4302 2.2: 24 bytes
    data = Ipv6(PEER6, OUR_IP6, ipv6.AUTHENTICATION, header + bytes(8)).to_bytes()
    assert ipv6.upper_layer(data) == (ipv6.UDP, 64)
    assert ipv6.is_headed(data)
    assert not ipv6.is_headed(data[:-1])


def test_datagrams_of_two_senders_or_two_numbers_are_two():
    def piece(source: bytes, number: int, offset: int) -> bytes:
        word = offset // 8 | (0 if offset else ipv4.MORE_FRAGMENTS)
        return frame(packet(OUR_IP, source, bytes(8), identification=number, fragment=word))

    tap = a_tap()
    assert tap.ethernet_to_ip(piece(PEER, 0x0107, 0)) is None
    assert tap.ethernet_to_ip(piece(b"\x0b" + PEER[1:], 0x0107, 8)) is None
    assert tap.ethernet_to_ip(piece(PEER, 0x0207, 8)) is None
    assert tap.ethernet_to_ip(piece(PEER, 0x0107, 8)) is not None


def test_datagrams_of_two_senders_of_ipv6_are_two():
    tap = a_tap()
    first, last = piece6(False, 0, True, bytes(8)), piece6(False, 8, False, bytes(8))
    assert tap.ethernet_to_ip(frame(first)) is None
    assert tap.ethernet_to_ip(frame(last[:8] + b"\xfc" + last[9:])) is None
    assert tap.ethernet_to_ip(frame(last)) is not None


@pytest.mark.parametrize("version", [4, 6])
def test_each_datagram_that_is_joined_is_counted(version):
    tap = a_tap()
    for number in range(2):
        for offset in (0, 64):
            if version == 4:
                tap.ethernet_to_ip(fragment(number, offset, more=not offset))
            else:
                tap.ethernet_to_ip(frame(piece6(False, offset, not offset, bytes(64), number)))
    assert (tap.stats.reassembled, tap.stats.to_ip) == (2, 2)


FULL = 0xFFF8  # the last offset there is


@pytest.mark.parametrize("validate", ["strict", "off"])
@pytest.mark.parametrize(
    "pieces",
    [
        [fragment(1, 0, size=9)],  # not in units of eight
        [fragment(1, FULL, more=False)],  # beyond the longest packet
        [frame(piece6(False, 0, True, bytes(9)))],
        [frame(piece6(False, FULL, False, bytes(64)))],
        [frame(piece6(False, 8, True, b""))],
        [frame(Ipv6(PEER6, OUR_IP6, ipv6.FRAGMENT, b"\x3a" + bytes(7) + b"\x87").to_bytes())],
    ],
)
def test_a_piece_that_cannot_be_is_malformed(pieces, validate):
    tap = a_tap(validate=validate)
    for piece in pieces:
        assert tap.ethernet_to_ip(piece) is None
    assert (tap.stats.dropped, tap.stats.reassembled) == ({DropReason.MALFORMED: 1}, 0)


def test_a_datagram_whose_pieces_are_marked_as_cannot_be_is_malformed():
    # RFC 3168 5.3
    tap = a_tap()
    for offset, tos in ((0, 0), (64, 3)):
        word = offset // 8 | (0 if offset else ipv4.MORE_FRAGMENTS)
        tap.ethernet_to_ip(frame(packet(OUR_IP, PEER, bytes(64), fragment=word, tos=tos)))
    assert tap.stats.dropped == {DropReason.MALFORMED: 1}


def test_only_neighbor_messages_must_come_whole():
    # RFC 6980 5: their types are the first byte of many a datagram, too
    inside = Ipv6(PEER6, OUR_IP6, ipv6.UDP, b"\x87" + bytes(15)).to_bytes()
    alone = Ipv6(PEER6, OUR_IP6, ipv6.FRAGMENT, b"\x11" + bytes(7) + b"\x87" + bytes(15))
    assert a_tap().ethernet_to_ip(frame(alone.to_bytes())) == inside


@pytest.mark.parametrize("to", [OUR_IP, PEER])
def test_pieces_of_what_is_not_for_us_are_not_kept(to):
    tap = a_tap()
    for protocol in (6, 17):
        word = ipv4.MORE_FRAGMENTS
        tap.ethernet_to_ip(frame(Ipv4(PEER, to, protocol, bytes(8), fragment=word).to_bytes()))
    assert len(store(tap)) == (2 if to == OUR_IP else 0)
    assert dropped(tap, DropReason.NOT_FOR_US) == (0 if to == OUR_IP else 2)


def test_nobody_is_told_of_what_came_for_many_or_from_nobody():
    # RFC 1122 3.2.2, RFC 4443 2.4 (e)
    tap = a_tap(handle_arp_internally=False, validate="off")
    word = ipv4.MORE_FRAGMENTS
    for to, source in ((b"\x0a\0\0\xff", PEER), (b"\xff" * 4, PEER), (OUR_IP, bytes(4))):
        tap.ethernet_to_ip(frame(packet(to, source, bytes(8), fragment=word)))
    whole = piece6(False, 0, True, bytes(8))
    for ends in (bytes(16) + OUR_IP6, PEER6 + ip("ff02::1"), OUR_IP6 + OUR_IP6):
        tap.ethernet_to_ip(frame(whole[:8] + ends + whole[40:]))
    tap.poll(60 * SECOND)
    assert (tap.stats.errors_sent, tap.take_frames()) == (0, [])
    assert tap.stats.dropped == {DropReason.REASSEMBLY_TIMEOUT: 6}


def test_each_sender_that_is_told_is_counted():
    tap = a_tap(handle_arp_internally=False)
    for number in range(2):
        tap.ethernet_to_ip(fragment(number))
    tap.poll(60 * SECOND)
    assert tap.stats.errors_sent == 2


@pytest.mark.parametrize("version", [4, 6])
def test_a_whole_that_no_packet_can_be_is_malformed(version):
    """The first piece has a longer header than the last one, whose own length would be right."""
    tap, half = a_tap(reassembly_bytes_max=200_000), 32_768
    if version == 4:
        options, last = bytes((1,)) * 40, bytes(65_535 - 20 - half)
        word = ipv4.MORE_FRAGMENTS
        tap.ethernet_to_ip(frame(packet(OUR_IP, PEER, bytes(half), fragment=word, options=options)))
        tap.ethernet_to_ip(frame(packet(OUR_IP, PEER, last, fragment=half // 8)))
    else:
        head = bytes((ipv6.FRAGMENT, 1, 1, 12)) + bytes(12)
        first = bytes((253, 0, 0, 1)) + (7).to_bytes(4) + bytes(half)
        tap.ethernet_to_ip(frame(Ipv6(PEER6, OUR_IP6, 0, head + first).to_bytes()))
        tap.ethernet_to_ip(frame(piece6(False, half, False, bytes(65_535 - 8 - half))))
    assert (tap.stats.dropped, tap.stats.to_ip) == ({DropReason.MALFORMED: 1}, 0)


@pytest.mark.parametrize(("source", "is_told"), [("ff02::1", False), ("fdff::2", True)])
def test_who_sent_a_piece_is_told_unless_it_is_a_group(source, is_told):
    tap, whole = a_tap(validate="off"), piece6(False, 0, True, bytes(8))
    tap.ethernet_to_ip(frame(whole[:8] + ip(source) + whole[24:]))
    tap.poll(60 * SECOND)
    assert bool(tap.take_frames()) == is_told
