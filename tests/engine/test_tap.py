"""The switchboard: the two verbs, time, outboxes, and what is counted."""

import pytest

import virtualtap
from tests.builders import (
    FAR,
    NOBODY,
    OUR_IP,
    OUR_IP6,
    OUR_MAC,
    PEER,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_probe,
    arp_reply,
    arp_request,
    dropped,
    frame,
    packet,
    packet6,
    solicitation,
    vector,
)
from virtualtap import (
    SECOND,
    ArpReceived,
    DropReason,
    NeighborLearned,
    TapConfig,
    Translator,
    UsageError,
    VirtualTap,
    WireError,
    ip,
    mac,
    mac_text,
    random_mac,
)
from virtualtap.wire.address import ANY4, BROADCAST, NO_MAC
from virtualtap.wire.ethernet import VLAN


def test_every_public_name_is_there():
    assert [name for name in virtualtap.__all__ if not hasattr(virtualtap, name)] == []


def test_the_first_example_of_the_design_works():
    tap: Translator = VirtualTap(TapConfig(our_mac=random_mac(1), handle_arp_internally=True))
    to_all = packet(ip("255.255.255.255"))
    assert tap.ip_to_ethernet(to_all) == frame(to_all, BROADCAST, random_mac(1))
    assert tap.ip_to_ethernet(packet(PEER)) is None
    assert tap.take_frames() == [arp_request(random_mac(1), OUR_IP, PEER)]
    tap.ethernet_to_ip(arp_reply(PEER_MAC, PEER, random_mac(1), OUR_IP))
    assert tap.take_frames() == [frame(packet(PEER), PEER_MAC, random_mac(1))]
    answer = packet(OUR_IP, source=PEER)
    assert tap.ethernet_to_ip(frame(answer, random_mac(1))) == answer


# which frames are looked at

# an ordinary packet takes the short way through the tap, one with options the long one
both_ways = pytest.mark.parametrize(
    "whole", [packet(OUR_IP), packet(OUR_IP, options=bytes(4))], ids=["short way", "long way"]
)


@pytest.mark.parametrize("length", range(14))
def test_a_frame_shorter_than_its_header_is_malformed(tap, length):
    assert tap.ethernet_to_ip(frame(packet(OUR_IP))[:length]) is None
    assert dropped(tap, DropReason.MALFORMED) == 1


@both_ways
def test_a_frame_for_another_mac_is_refused(tap, whole):
    assert tap.ethernet_to_ip(frame(whole, to=STRANGER_MAC)) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


def test_an_arp_frame_for_another_mac_teaches_nothing(tap):
    tap.ethernet_to_ip(arp_request(to=STRANGER_MAC))
    assert (tap.neighbors(), tap.take_frames()) == ({}, [])
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


@pytest.mark.parametrize(
    "ours",
    [
        frame(packet(OUR_IP), source=OUR_MAC),
        frame(packet(OUR_IP, options=bytes(4)), source=OUR_MAC),
        arp_request(OUR_MAC, OUR_IP, PEER),
    ],
    ids=["packet", "packet with options", "our own request"],
)
def test_our_own_frame_that_comes_back_is_refused(tap, ours):
    assert tap.ethernet_to_ip(ours) is None
    assert dropped(tap, DropReason.OWN_FRAME) == 1
    assert tap.take_events() == []


@pytest.mark.parametrize("source", [BROADCAST, mac("01:00:5e:00:00:01"), NO_MAC], ids=mac_text)
@both_ways
def test_a_source_that_no_station_can_have_is_malformed(tap, whole, source):
    assert tap.ethernet_to_ip(frame(whole, source=source)) is None
    assert dropped(tap, DropReason.MALFORMED) == 1


@pytest.mark.parametrize("ethertype", [VLAN, b"\x88\xa8", b"\x88\xcc", b"\x00\x26"], ids=bytes.hex)
def test_a_type_that_we_do_not_speak_is_unsupported(tap, ethertype):
    assert tap.ethernet_to_ip(frame(bytes(46), BROADCAST, ethertype=ethertype)) is None
    assert dropped(tap, DropReason.UNSUPPORTED) == 1


def test_a_packet_for_us_inside_another_type_is_unsupported(tap):
    assert tap.ethernet_to_ip(frame(packet(OUR_IP), ethertype=b"\x88\xb5")) is None
    assert dropped(tap, DropReason.UNSUPPORTED) == 1


def test_the_real_flood_of_another_type_is_unsupported(tap):
    assert tap.ethernet_to_ip(vector("ethernet_local_experimental")) is None
    assert dropped(tap, DropReason.UNSUPPORTED) == 1


@pytest.mark.parametrize("version", [0, 5, 7, 15])
def test_a_packet_of_no_known_version_is_malformed(tap, version):
    assert tap.ip_to_ethernet(bytes((version << 4,)) + bytes(59)) is None
    assert dropped(tap, DropReason.MALFORMED) == 1


# time


def test_without_now_no_time_has_passed(tap):
    tap.ip_to_ethernet(packet(NOBODY), now=7 * SECOND)
    tap.take_frames()
    for _ in range(3):
        tap.ip_to_ethernet(packet(NOBODY))
        tap.ethernet_to_ip(arp_request(asks=NOBODY))
    assert (tap.take_frames(), tap.next_deadline()) == ([], 8 * SECOND)


def test_now_may_be_the_same_again(tap):
    tap.poll(5)
    tap.poll(5)
    tap.ip_to_ethernet(packet(), now=5)
    assert tap.next_deadline() == 5 + SECOND


@pytest.mark.parametrize(
    "call",
    [
        lambda tap: tap.poll(4),
        lambda tap: tap.ip_to_ethernet(packet(), now=4),
        lambda tap: tap.ethernet_to_ip(arp_request(), now=4),
    ],
    ids=["poll", "ip_to_ethernet", "ethernet_to_ip"],
)
def test_time_that_goes_back_is_a_usage_error_and_changes_nothing(tap, call):
    tap.poll(5)
    with pytest.raises(UsageError, match="time went back from 5 to 4"):
        call(tap)
    assert (tap.take_frames(), tap.holding(), tap.neighbors()) == ([], 0, {})
    tap.poll(5)


def test_time_ends_at_63_bits(tap):
    tap.ethernet_to_ip(arp_request())
    with pytest.raises(UsageError, match=r"`now` must be below 2\*\*63 nanoseconds"):
        tap.poll(1 << 63)
    tap.poll((1 << 63) - 1)
    assert tap.neighbors() == {}


def test_whatever_is_due_happens_before_the_input(tap):
    tap.ip_to_ethernet(packet(PEER), now=0)
    tap.ethernet_to_ip(arp_reply(), now=3 * SECOND)
    # the questions had ended: what waited is gone, and the reply is for nobody's question
    assert dropped(tap, DropReason.UNRESOLVED) == 1
    assert tap.stats.released == 0


def test_each_timer_runs_at_its_own_instant(tap):
    tap.ip_to_ethernet(packet(NOBODY), now=0)
    tap.poll(100 * SECOND)
    assert len(tap.take_frames()) == 3
    assert tap.next_deadline() is None
    tap.ip_to_ethernet(packet(NOBODY))
    assert tap.next_deadline() == 101 * SECOND


def test_a_quiet_tap_waits_for_nothing(tap):
    assert tap.next_deadline() is None


def test_bytes_that_are_wrong_in_a_timer_are_a_drop_too(tap):
    def find_wrong_bytes() -> None:
        raise WireError("wrong")

    tap._core.timers.set("any", 5, find_wrong_bytes)
    tap.poll(5)
    assert dropped(tap, DropReason.MALFORMED) == 1


# what comes out


def test_what_is_taken_is_gone(tap):
    tap.ethernet_to_ip(arp_request())
    assert (len(tap.take_frames()), len(tap.take_events())) == (1, 1)
    assert (tap.take_frames(), tap.take_events(), tap.take_packets()) == ([], [], [])


def test_the_outbox_of_frames_has_a_limit():
    tap = a_tap(outbox_max=3)
    for _ in range(10):
        tap.ethernet_to_ip(arp_request())
    assert dropped(tap, DropReason.OUTBOX_FULL) == 7
    assert len(tap.take_frames()) == 3


def test_of_more_events_than_the_limit_the_newest_stay():
    tap = a_tap(outbox_max=2, handle_arp_internally=False)
    requests = [arp_request(asks=bytes((10, 0, 0, last))) for last in range(5)]
    for request in requests:
        tap.ethernet_to_ip(request)
    assert tap.take_events() == [ArpReceived(request) for request in requests[-2:]]


def test_events_compare_by_what_they_say():
    assert NeighborLearned(PEER, PEER_MAC) == NeighborLearned(PEER, PEER_MAC)
    assert NeighborLearned(PEER, PEER_MAC) != NeighborLearned(PEER, STRANGER_MAC)


def test_both_families_of_neighbors_stand_in_one_table(tap):
    tap.ethernet_to_ip(arp_request())
    tap.ethernet_to_ip(solicitation(STRANGER_MAC))
    assert list(tap.neighbors().values()) == [PEER_MAC, STRANGER_MAC]


def test_counts_tell_what_happened():
    tap = a_tap_that_knows(PEER)
    tap.ip_to_ethernet(packet(PEER))
    tap.ip_to_ethernet(packet(NOBODY))
    tap.ethernet_to_ip(arp_reply(STRANGER_MAC, NOBODY))
    tap.ethernet_to_ip(frame(packet(OUR_IP)))
    tap.ethernet_to_ip(frame(packet6(OUR_IP6)))
    tap.ethernet_to_ip(frame(packet(FAR)))
    tap.ethernet_to_ip(arp_probe(OUR_IP))
    stats = tap.stats
    assert (stats.to_ethernet, stats.to_ip, stats.held, stats.released) == (1, 2, 1, 1)
    assert (stats.requests_sent, stats.requests_answered, stats.answers_received) == (1, 2, 1)
    assert (stats.dropped, stats.dropped_total) == ({DropReason.NOT_FOR_US: 1}, 1)


def test_a_probe_is_no_event(tap):
    tap.ethernet_to_ip(arp_probe(OUR_IP))
    tap.ethernet_to_ip(arp_request(sender_ip=ANY4, asks=PEER))
    assert tap.take_events() == []


def test_frames_of_more_pairs_than_are_remembered_come_out_all_the_same():
    tap = a_tap(headers_max=2)
    sources = [ip(f"10.0.0.{n}") for n in range(2, 7)]
    for source in sources * 2:
        sent = packet(OUR_IP, source)
        assert tap.ethernet_to_ip(frame(sent)) == sent
        assert 1 <= len(tap._core.inward) <= 2


@pytest.mark.parametrize("now", [float("nan"), 1.5, "1"])
def test_time_is_a_whole_number_of_nanoseconds(tap, now):
    for verb in (tap.poll, lambda at: tap.ip_to_ethernet(b"", at)):
        with pytest.raises(UsageError, match="`now` must be an int of nanoseconds"):
            verb(now)
