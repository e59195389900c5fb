"""ARP: who is answered, who is learned, who is asked. RFC 826, RFC 1122 2.3.2, RFC 5227."""

import pytest

from tests.builders import (
    FAR,
    GATEWAY_MAC,
    HUB_POLL,
    NOBODY,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_frame,
    arp_probe,
    arp_reply,
    arp_request,
    dropped,
    frame,
    packet,
    padded,
    vector,
)
from virtualtap import (
    SECOND,
    AddressConflict,
    ArpReceived,
    DropReason,
    NeighborLearned,
    ip,
    ip_text,
    mac,
    mac_text,
)
from virtualtap.wire import arp
from virtualtap.wire.address import ANY4, BROADCAST, NO_MAC
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP

# answers


def test_a_request_for_us_is_answered_to_its_sender(tap):
    assert tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, OUR_IP)) is None
    assert tap.take_frames() == [arp_reply(OUR_MAC, OUR_IP, PEER_MAC, PEER)]


def test_an_answer_is_42_bytes_and_not_padded(tap):
    tap.ethernet_to_ip(padded(arp_request()))
    assert [len(answer) for answer in tap.take_frames()] == [42]


def test_the_real_poll_of_a_hub_is_answered():
    tap = a_tap(our_mac=mac("5e:c7:03:6b:63:8e"), our_ip=ip("192.168.30.10"), gateway_ip=None)
    tap.ethernet_to_ip(vector("arp_request"))
    hub, polled = mac("00:ae:38:45:57:46"), ip("172.31.57.70")
    expected = arp_reply(tap._our_mac, ip("192.168.30.10"), hub, polled)
    assert tap.take_frames() == [expected]
    assert tap.neighbors() == {}


def test_a_unicast_request_is_answered_too(tap):
    tap.ethernet_to_ip(arp_request(to=OUR_MAC))
    assert len(tap.take_frames()) == 1


def test_an_answer_goes_to_the_sender_inside_the_message(tap):
    request = Arp(arp.REQUEST, PEER_MAC, PEER, NO_MAC, OUR_IP)
    tap.ethernet_to_ip(arp_frame(request, source=STRANGER_MAC))
    assert tap.take_frames()[0][:6] == PEER_MAC


def test_a_request_for_another_is_not_answered(tap):
    tap.ethernet_to_ip(arp_request(asks=NOBODY))
    assert tap.take_frames() == []
    assert tap.neighbors() == {}
    assert tap.stats.dropped_total == 0


def test_a_tap_without_an_address_answers_nobody():
    tap = a_tap(our_ip=None, gateway_ip=None)
    tap.ethernet_to_ip(arp_request(asks=ANY4))
    tap.ethernet_to_ip(arp_request(asks=OUR_IP))
    assert tap.take_frames() == []


def test_a_probe_is_answered_without_learning(tap):
    # RFC 5227 2.1.1: its sender has no address yet
    tap.ethernet_to_ip(arp_probe(OUR_IP))
    assert tap.take_frames() == [arp_reply(OUR_MAC, OUR_IP, PEER_MAC, ANY4)]
    assert tap.neighbors() == {}


def test_a_sender_off_our_subnet_is_answered_and_not_learned(tap):
    tap.ethernet_to_ip(arp_request(PEER_MAC, HUB_POLL, OUR_IP))
    assert tap.take_frames() == [arp_reply(OUR_MAC, OUR_IP, PEER_MAC, HUB_POLL)]
    assert tap.neighbors() == {}
    assert tap.take_events() == []


def test_answers_are_counted(tap):
    tap.ethernet_to_ip(arp_request())
    assert tap.stats.requests_answered == 1


def test_an_answer_without_room_is_a_drop():
    tap = a_tap(outbox_max=1)
    tap.ethernet_to_ip(arp_request())
    tap.ethernet_to_ip(arp_request())
    assert len(tap.take_frames()) == 1
    assert (tap.stats.requests_answered, dropped(tap, DropReason.OUTBOX_FULL)) == (1, 1)


# the merge rule of RFC 826 "Packet Reception"


@pytest.mark.parametrize(
    "heard",
    [
        arp_request(STRANGER_MAC, PEER, OUR_IP),
        arp_request(STRANGER_MAC, PEER, NOBODY),
        arp_request(STRANGER_MAC, PEER, PEER),
        arp_reply(STRANGER_MAC, PEER, OUR_MAC, OUR_IP),
        arp_reply(STRANGER_MAC, PEER, BROADCAST, PEER),
    ],
    ids=["asks us", "asks another", "announces itself", "replies to us", "replies to all"],
)
def test_one_who_is_known_is_updated_whatever_the_target(heard):
    tap = a_tap_that_knows(PEER)
    tap.ethernet_to_ip(heard)
    assert tap.neighbors() == {PEER: STRANGER_MAC}
    assert tap.take_events() == [NeighborLearned(PEER, STRANGER_MAC)]


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (arp_request(PEER_MAC, PEER, OUR_IP), {PEER: PEER_MAC}),
        (arp_reply(PEER_MAC, PEER, OUR_MAC, OUR_IP), {PEER: PEER_MAC}),
        (arp_request(PEER_MAC, PEER, NOBODY), {}),
        (arp_request(PEER_MAC, PEER, PEER), {}),
        (arp_reply(PEER_MAC, PEER, BROADCAST, PEER), {}),
    ],
    ids=["asks us", "replies to us", "asks another", "announces itself", "replies to all"],
)
def test_one_who_is_not_known_is_added_only_if_the_message_is_for_us(tap, heard, expected):
    tap.ethernet_to_ip(heard)
    assert tap.neighbors() == expected


def test_an_update_goes_into_the_frames_that_follow():
    tap = a_tap_that_knows(PEER)
    assert tap.ip_to_ethernet(packet(PEER)) == frame(packet(PEER), PEER_MAC, OUR_MAC)
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, PEER, PEER))
    assert tap.ip_to_ethernet(packet(PEER)) == frame(packet(PEER), STRANGER_MAC, OUR_MAC)


def test_hearing_the_same_again_is_no_event():
    tap = a_tap_that_knows(PEER)
    tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, OUR_IP))
    assert tap.take_events() == []


@pytest.mark.parametrize("sender", ["0.0.0.0", "224.0.0.1", "127.0.0.1", "255.255.255.255"])
def test_an_address_that_no_neighbor_can_have_is_not_learned(sender):
    tap = a_tap(prefix_length=0)
    tap.ethernet_to_ip(arp_request(PEER_MAC, ip(sender), OUR_IP))
    assert tap.neighbors() == {}


@pytest.mark.parametrize("sender", ["224.0.0.1", "127.0.0.1", "255.255.255.255", "10.0.0.255"])
def test_an_address_that_no_neighbor_can_have_is_not_answered(tap, sender):
    tap.ethernet_to_ip(arp_request(PEER_MAC, ip(sender), OUR_IP))
    assert (tap.take_frames(), dropped(tap, DropReason.MALFORMED)) == ([], 1)


def test_our_own_address_at_another_mac_is_a_conflict_and_not_learned(tap):
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, OUR_IP, OUR_IP))
    assert tap.take_events() == [AddressConflict(OUR_IP, STRANGER_MAC)]
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, OUR_IP)]  # RFC 5227 2.4: defended
    assert tap.neighbors() == {}


@pytest.mark.parametrize("sender", [BROADCAST, mac("01:00:5e:00:00:01"), NO_MAC], ids=mac_text)
def test_a_sender_mac_of_a_group_or_of_nobody_is_malformed(tap, sender):
    request = Arp(arp.REQUEST, sender, PEER, NO_MAC, OUR_IP)
    tap.ethernet_to_ip(arp_frame(request, source=PEER_MAC))
    assert dropped(tap, DropReason.MALFORMED) == 1
    assert (tap.neighbors(), tap.take_frames()) == ({}, [])


def test_a_message_that_carries_our_own_mac_is_our_own(tap):
    ours = Arp(arp.REQUEST, OUR_MAC, PEER, NO_MAC, OUR_IP)
    tap.ethernet_to_ip(arp_frame(ours, source=PEER_MAC))
    assert dropped(tap, DropReason.OWN_FRAME) == 1
    assert (tap.neighbors(), tap.take_frames()) == ({}, [])


@pytest.mark.parametrize("operation", [0, 3, 25])
def test_another_operation_than_request_and_reply_is_unsupported(tap, operation):
    tap.ethernet_to_ip(arp_frame(Arp(operation, PEER_MAC, PEER, NO_MAC, OUR_IP)))
    assert dropped(tap, DropReason.UNSUPPORTED) == 1
    assert tap.neighbors() == {}


def test_a_message_cut_short_is_malformed(tap):
    tap.ethernet_to_ip(arp_request()[:41])
    assert dropped(tap, DropReason.MALFORMED) == 1


# questions


def test_a_packet_for_an_unknown_neighbor_asks_everyone_for_it(tap):
    assert tap.ip_to_ethernet(packet(PEER)) is None
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, PEER)]
    assert (tap.stats.requests_sent, tap.holding()) == (1, 1)


def test_more_packets_for_it_do_not_ask_again(tap):
    for _ in range(3):
        tap.ip_to_ethernet(packet(PEER))
    assert len(tap.take_frames()) == 1


@pytest.mark.parametrize("asked", [PEER, NOBODY], ids=ip_text)
def test_a_tap_without_an_address_asks_in_the_name_of_the_packet(asked):
    tap = a_tap(our_ip=None, gateway_ip=None)
    theirs = ip("10.0.0.5")
    tap.ip_to_ethernet(packet(asked, source=theirs))
    assert tap.take_frames() == [arp_request(OUR_MAC, theirs, asked)]
    tap.ethernet_to_ip(arp_reply(PEER_MAC, asked, OUR_MAC, theirs))
    assert tap.take_frames() == [frame(packet(asked, source=theirs), PEER_MAC, OUR_MAC)]


def test_many_neighbors_are_asked_for_in_turns():
    tap = a_tap(arp_burst_max=2)
    tap.poll(0)
    for last in range(10, 14):
        tap.ip_to_ethernet(packet(bytes((10, 0, 0, last))))
    assert (len(tap.take_frames()), tap.holding()) == (2, 4)
    for turn in (1, 2):
        assert tap.next_deadline() == turn * tap._core.config.arp_spacing
        tap.poll(tap.next_deadline())
        assert len(tap.take_frames()) == 1


def test_one_who_was_evicted_is_not_asked_for_again_within_the_second():
    tap = a_tap(neighbors_max=1, gateway_ip=None)
    tap.ip_to_ethernet(packet(PEER))
    tap.ethernet_to_ip(arp_reply(PEER_MAC, PEER))
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, NOBODY))
    tap.take_frames()
    tap.ip_to_ethernet(packet(PEER))
    assert (tap.take_frames(), tap.holding(), tap.next_deadline()) == ([], 1, SECOND)
    tap.poll(SECOND)
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, PEER)]


# `handle_arp_internally` off: the caller asks and answers


def test_an_arp_frame_comes_out_as_an_event_where_the_caller_handles_it():
    tap = a_tap(handle_arp_internally=False)
    assert tap.ethernet_to_ip(arp_request()) is None
    assert tap.take_events() == [ArpReceived(arp_request())]
    assert (tap.take_frames(), tap.neighbors()) == ([], {})


@pytest.mark.parametrize("destination", [PEER, FAR], ids=ip_text)
def test_packets_go_to_the_gateways_mac_where_the_caller_handles_arp(destination):
    tap = a_tap(handle_arp_internally=False, gateway_ip=None, gateway_mac=GATEWAY_MAC)
    expected = frame(packet(destination), GATEWAY_MAC, OUR_MAC)
    assert tap.ip_to_ethernet(packet(destination)) == expected
    assert tap.gateway_mac == GATEWAY_MAC


@pytest.mark.parametrize("destination", [PEER, FAR], ids=ip_text)
def test_packets_go_to_everyone_where_the_caller_handles_arp_and_named_no_gateway(destination):
    tap = a_tap(handle_arp_internally=False, gateway_ip=None)
    expected = frame(packet(destination), BROADCAST, OUR_MAC)
    assert tap.ip_to_ethernet(packet(destination)) == expected
    assert (tap.gateway_mac, tap.take_frames()) == (None, [])


def test_a_broken_arp_frame_is_the_callers_too():
    tap = a_tap(handle_arp_internally=False)
    broken = BROADCAST + PEER_MAC + ARP
    tap.ethernet_to_ip(broken)
    assert tap.take_events() == [ArpReceived(broken)]


def test_each_answer_to_us_is_counted(tap):
    for _ in range(2):
        tap.ethernet_to_ip(arp_reply())
    assert tap.stats.answers_received == 2
