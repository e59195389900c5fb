"""What is too long: pieces, errors, limits. RFC 791 3.2, 1191, 4443."""

import pytest

from tests.builders import (
    NOBODY,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_reply,
    dropped,
    frame,
    packet,
    packet6,
    vector,
)
from virtualtap import DropReason
from virtualtap.wire import checksum
from virtualtap.wire.ipv4 import Ipv4

LONG = packet(PEER, payload=bytes(3000))
WHOLE = packet(PEER, payload=bytes(3000), fragment=0x4000)


def test_a_packet_in_pieces_counts_once():
    tap = a_tap_that_knows(PEER)
    assert tap.ip_to_ethernet(LONG)[:12] == PEER_MAC + OUR_MAC
    assert len(tap.take_frames()) == 2
    assert (tap.stats.to_ethernet, tap.stats.fragmented) == (1, 1)


def test_a_packet_that_waited_counts_once_in_pieces():
    tap = a_tap()
    tap.ip_to_ethernet(LONG)
    tap.take_frames()
    tap.ethernet_to_ip(arp_reply())
    assert len(tap.take_frames()) == 3
    assert (tap.stats.held, tap.stats.released, tap.stats.fragmented) == (1, 1, 1)


def test_pieces_without_room_are_not_sent_in_part():
    tap = a_tap_that_knows(PEER, outbox_max=1)
    assert tap.ip_to_ethernet(LONG) is None
    assert (tap.take_frames(), dropped(tap, DropReason.OUTBOX_FULL)) == ([], 1)


def test_pieces_of_what_waited_without_room_are_not_sent_in_part():
    tap = a_tap(outbox_max=2)
    tap.ip_to_ethernet(LONG)
    tap.take_frames()
    tap.ethernet_to_ip(arp_reply())
    assert (tap.take_frames(), dropped(tap, DropReason.HELD_FULL)) == ([], 1)


def test_an_error_is_counted_and_its_sums_are_right():
    tap = a_tap_that_knows(PEER)
    assert tap.ip_to_ethernet(WHOLE) is None
    (error,) = tap.take_packets()
    assert checksum.is_right(Ipv4.parse(error).payload)
    assert (tap.stats.errors_sent, dropped(tap, DropReason.TOO_BIG)) == (1, 1)


def test_errors_without_room_are_not_counted():
    tap = a_tap_that_knows(PEER, PEER6, outbox_max=1)
    for _ in range(3):
        tap.ip_to_ethernet(WHOLE)
        tap.ip_to_ethernet(packet6(PEER6, payload=bytes(1461)))
    assert (len(tap.take_packets()), tap.stats.errors_sent) == (1, 1)


def test_only_tcp_is_clamped():
    tap = a_tap_that_knows(PEER6, clamp_mss=True, mtu=1280)
    assert tap.ip_to_ethernet(packet6(payload=vector("tcp_syn")))[14:] == packet6(
        payload=vector("tcp_syn")
    )


# for callers who send both parts without joining them


@pytest.mark.parametrize("known", [True, False], ids=["from memory", "first"])
def test_the_header_alone_is_what_stands_before_the_packet(known):
    tap = a_tap_that_knows(PEER, PEER6)
    if known:
        tap.ip_to_ethernet(packet(PEER))
    assert tap.header_for(packet(PEER)) + packet(PEER) == frame(packet(PEER), PEER_MAC, OUR_MAC)
    assert tap.header_for(packet6()) + packet6() == frame(packet6(), PEER_MAC, OUR_MAC)


def test_the_header_alone_has_its_tag_in_a_vlan():
    tap = a_tap(vlan_id=10)
    assert tap.header_for(packet(b"\xff" * 4)) == b"\xff" * 6 + OUR_MAC + bytes.fromhex(
        "8100000a0800"
    )


def test_there_is_no_header_while_nobody_is_known():
    tap = a_tap()
    assert tap.header_for(packet(NOBODY), now=5) is None
    assert (len(tap.take_frames()), tap.holding(), tap.next_deadline() > 5) == (1, 1, True)


def test_what_is_not_sent_as_it_is_comes_out_of_the_outbox_in_order():
    tap, other = (a_tap_that_knows(PEER) for _ in range(2))
    assert tap.header_for(LONG) is None
    assert tap.take_frames() == [other.ip_to_ethernet(LONG), *other.take_frames()]
    assert tap.header_for(packet(PEER) + b"behind") is None
    assert tap.take_frames() == [frame(packet(PEER), PEER_MAC, OUR_MAC)]


def test_what_is_not_sent_as_it_is_needs_room_in_the_outbox():
    tap = a_tap_that_knows(PEER, outbox_max=2)
    assert tap.header_for(LONG) is None
    assert (len(tap.take_frames()), dropped(tap, DropReason.OUTBOX_FULL)) == (2, 1)


def test_a_header_may_be_asked_for_at_the_same_instant():
    tap = a_tap_that_knows(PEER)
    assert tap.header_for(packet(PEER), now=7) == tap.header_for(packet(PEER), now=7)


@pytest.mark.parametrize("claimed", range(5))
def test_where_nothing_is_checked_a_header_too_short_is_cut_as_one_of_twenty_bytes(claimed):
    tap = a_tap_that_knows(PEER, validate="off")
    wrong = bytes((0x40 | claimed,)) + LONG[1:]
    pieces = [tap.ip_to_ethernet(wrong), *tap.take_frames()]
    assert b"".join(piece[34:] for piece in pieces) == LONG[20:]


def test_each_error_is_counted():
    tap = a_tap_that_knows(PEER)
    for _ in range(2):
        tap.ip_to_ethernet(WHOLE)
    assert tap.stats.errors_sent == 2
