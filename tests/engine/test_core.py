"""What handlers share: questions repeated, packets held, neighbours forgotten. RFC 1122 2.3.2."""

import pytest

from tests.builders import (
    FAR,
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    NOBODY6,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_reply,
    arp_request,
    dropped,
    frame,
    packet,
    packet6,
)
from virtualtap import (
    SECOND,
    DropReason,
    GatewayLearned,
    NeighborFailed,
    NeighborLearned,
    ip,
)

# questions, and what waits for the answer


def test_unanswered_requests_are_a_second_apart_and_three(tap):
    # RFC 1122 2.3.2.1
    asked = []
    tap.ip_to_ethernet(packet(NOBODY), now=0)
    while (deadline := tap.next_deadline()) is not None:
        asked += [(deadline, request) for request in tap.take_frames()]
        tap.poll(deadline)
    request = arp_request(OUR_MAC, OUR_IP, NOBODY)
    assert asked == [(1 * SECOND, request), (2 * SECOND, request), (3 * SECOND, request)]


@pytest.mark.parametrize(
    ("data", "asked", "failed_at"),
    [(packet(NOBODY), 1, 2 * SECOND), (packet6(NOBODY6), 2, 6 * SECOND)],
    ids=["ARP", "NDP"],
)
def test_each_family_has_its_own_interval_and_number_of_questions(data, asked, failed_at):
    tap = a_tap(
        arp_interval=2 * SECOND, arp_retries_max=1, ndp_interval=3 * SECOND, ndp_retries_max=2
    )
    tap.ip_to_ethernet(data, now=0)
    tap.poll(failed_at - 1)
    assert (tap.stats.requests_sent, tap.holding()) == (asked, 1)
    tap.poll(failed_at)
    assert (tap.stats.requests_sent, tap.holding()) == (asked, 0)


def test_a_nanosecond_early_nothing_is_asked(tap):
    tap.ip_to_ethernet(packet(NOBODY), now=0)
    tap.take_frames()
    tap.poll(1 * SECOND - 1)
    assert tap.take_frames() == []
    tap.poll(1 * SECOND)
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, NOBODY)]


def test_when_nobody_answers_what_waited_is_dropped(tap):
    for _ in range(2):
        tap.ip_to_ethernet(packet(NOBODY), now=0)
    tap.poll(3 * SECOND - 1)
    assert (tap.holding(), tap.take_events()) == (2, [])
    tap.poll(3 * SECOND)
    assert (tap.holding(), tap.take_events()) == (0, [NeighborFailed(NOBODY)])
    assert dropped(tap, DropReason.UNRESOLVED) == 2
    assert tap.next_deadline() is None


def test_after_a_failure_the_next_packet_asks_anew(tap):
    tap.ip_to_ethernet(packet(NOBODY), now=0)
    tap.poll(3 * SECOND)
    tap.take_frames()
    tap.ip_to_ethernet(packet(NOBODY))
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, NOBODY)]


def test_a_reply_releases_the_packets_that_waited_in_order(tap):
    waiting = [packet(PEER, payload=bytes((number,))) for number in range(3)]
    for each in waiting:
        assert tap.ip_to_ethernet(each) is None
    tap.take_frames()
    assert tap.ethernet_to_ip(arp_reply()) is None
    assert tap.take_frames() == [frame(each, PEER_MAC, OUR_MAC) for each in waiting]
    assert (tap.stats.held, tap.stats.released, tap.stats.answers_received) == (3, 3, 1)
    assert tap.holding() == 0


def test_a_request_of_the_one_asked_for_releases_too(tap):
    tap.ip_to_ethernet(packet(PEER))
    tap.take_frames()
    tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, OUR_IP))
    released, answer = tap.take_frames()
    assert released == frame(packet(PEER), PEER_MAC, OUR_MAC)
    assert answer == arp_reply(OUR_MAC, OUR_IP, PEER_MAC, PEER)


def test_a_reply_ends_the_questions(tap):
    tap.ip_to_ethernet(packet(PEER), now=0)
    tap.ethernet_to_ip(arp_reply())
    tap.take_frames()
    tap.poll(10 * SECOND)
    assert tap.take_frames() == []


def test_the_seventeenth_packet_pushes_out_the_oldest(tap):
    waiting = [packet(PEER, payload=bytes((number,))) for number in range(17)]
    for each in waiting:
        tap.ip_to_ethernet(each)
    assert dropped(tap, DropReason.HELD_FULL) == 1
    tap.take_frames()
    tap.ethernet_to_ip(arp_reply())
    assert tap.take_frames() == [frame(each, PEER_MAC, OUR_MAC) for each in waiting[1:]]


def test_the_bytes_that_wait_have_a_limit():
    tap = a_tap(held_bytes_max=1000)
    for _ in range(3):
        tap.ip_to_ethernet(packet(PEER, payload=bytes(480)))  # 500 bytes each
    assert (tap.holding(), dropped(tap, DropReason.HELD_FULL)) == (2, 1)
    tap.ip_to_ethernet(packet(NOBODY, payload=bytes(480)))
    assert (tap.holding(), dropped(tap, DropReason.HELD_FULL)) == (2, 2)


def test_held_packets_without_room_in_the_outbox_are_dropped():
    tap = a_tap(outbox_max=2)
    for _ in range(3):
        tap.ip_to_ethernet(packet(PEER))
    tap.ethernet_to_ip(arp_reply())
    assert len(tap.take_frames()) == 2  # the request is one of them
    assert (tap.stats.released, dropped(tap, DropReason.HELD_FULL)) == (1, 2)


def test_a_question_without_room_is_asked_a_second_later():
    tap = a_tap(outbox_max=1)
    tap.ip_to_ethernet(packet(PEER), now=0)
    tap.ip_to_ethernet(packet(NOBODY), now=0)
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, PEER)]
    tap.ethernet_to_ip(arp_reply(PEER_MAC, PEER))
    tap.take_frames()
    tap.poll(1 * SECOND)
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, NOBODY)]
    assert tap.stats.requests_sent == 2


# lifetimes and limits


def test_a_neighbor_is_forgotten_after_its_lifetime(tap):
    # RFC 1122 2.3.2.1
    tap.ethernet_to_ip(arp_request(), now=5)
    assert tap.next_deadline() == 300 * SECOND + 5
    tap.poll(300 * SECOND + 4)
    assert tap.ip_to_ethernet(packet(PEER)) is not None
    tap.poll(300 * SECOND + 5)
    tap.ethernet_to_ip(arp_request(asks=NOBODY))  # would update one who is known
    assert tap.neighbors() == {}
    assert tap.ip_to_ethernet(packet(PEER)) is None


def test_hearing_of_a_neighbor_begins_its_lifetime_anew(tap):
    tap.ethernet_to_ip(arp_request(), now=0)
    tap.ethernet_to_ip(arp_request(asks=NOBODY), now=200 * SECOND)
    tap.poll(500 * SECOND - 1)
    assert tap.neighbors() == {PEER: PEER_MAC}


def test_a_full_table_lets_the_longest_unheard_of_go():
    tap = a_tap(neighbors_max=2)
    first, second, third = ip("10.0.0.11"), ip("10.0.0.12"), ip("10.0.0.13")
    for address in (first, second, third):
        tap.ethernet_to_ip(arp_request(PEER_MAC, address, OUR_IP))
    assert tap.neighbors() == {second: PEER_MAC, third: PEER_MAC}
    assert tap.ip_to_ethernet(packet(first)) is None


def test_one_who_went_is_not_sent_to_from_memory():
    tap = a_tap_that_knows(PEER, neighbors_max=1)
    assert tap.ip_to_ethernet(packet(PEER)) is not None
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, NOBODY, OUR_IP))
    assert tap.ip_to_ethernet(packet(PEER)) is None


def test_one_who_went_for_a_question_is_not_sent_to_from_memory():
    tap = a_tap_that_knows(PEER, neighbors_max=1)
    assert tap.ip_to_ethernet(packet(PEER)) is not None
    assert tap.ip_to_ethernet(packet(NOBODY)) is None
    assert tap.ip_to_ethernet(packet(PEER)) is None
    assert dropped(tap, DropReason.NEIGHBORS_FULL) == 1


def test_where_all_wait_there_is_no_room_for_another():
    tap = a_tap(neighbors_max=2)
    for last in (11, 12, 13):
        tap.ip_to_ethernet(packet(bytes((10, 0, 0, last))))
    assert (tap.holding(), dropped(tap, DropReason.NEIGHBORS_FULL)) == (2, 1)
    tap.ethernet_to_ip(arp_request())
    assert tap.neighbors() == {}


def test_those_who_went_leave_no_timer_behind():
    tap = a_tap(our_ip=OUR_IP, prefix_length=8, neighbors_max=4, outbox_max=1)
    for number in range(1000):
        tap.ethernet_to_ip(arp_request(PEER_MAC, b"\x0a\x01" + number.to_bytes(2), OUR_IP))
    assert len(tap._core.timers._live) == 4


# the gateway


def test_the_gateway_is_learned_from_arp_and_reported(tap):
    assert tap.gateway_mac is None
    tap.ethernet_to_ip(arp_request(GATEWAY_MAC, GATEWAY, OUR_IP))
    assert tap.gateway_mac == GATEWAY_MAC
    assert tap.take_events() == [
        NeighborLearned(GATEWAY, GATEWAY_MAC),
        GatewayLearned(GATEWAY, GATEWAY_MAC),
    ]


def test_a_gateway_off_our_subnet_is_learned():
    tap = a_tap(gateway_ip=FAR)
    tap.ethernet_to_ip(arp_request(GATEWAY_MAC, FAR, OUR_IP))
    assert tap.gateway_mac == GATEWAY_MAC


def test_a_configured_gateway_needs_no_question():
    tap = a_tap(gateway_mac=GATEWAY_MAC)
    assert tap.ip_to_ethernet(packet(FAR)) == frame(packet(FAR), GATEWAY_MAC, OUR_MAC)
    assert tap.take_events() == []


@pytest.mark.parametrize("learn", [True, False])
def test_a_configured_gateway_never_expires(learn):
    tap = a_tap(gateway_mac=GATEWAY_MAC, learn_gateway_mac=learn)
    assert tap.next_deadline() is None
    assert tap.ip_to_ethernet(packet(FAR), now=10**6 * SECOND) is not None
    assert tap.gateway_mac == GATEWAY_MAC


def test_a_configured_gateway_that_is_heard_of_never_expires_either():
    tap = a_tap(gateway_mac=GATEWAY_MAC)
    tap.ethernet_to_ip(arp_request(GATEWAY_MAC, GATEWAY, OUR_IP), now=SECOND)
    assert tap.ip_to_ethernet(packet(FAR), now=10**6 * SECOND) is not None
    assert tap.next_deadline() is None


def test_a_configured_gateway_that_moves_is_followed():
    tap = a_tap(gateway_mac=GATEWAY_MAC)
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, GATEWAY, GATEWAY))
    assert tap.gateway_mac == STRANGER_MAC


def test_a_configured_gateway_is_followed_by_no_one_if_it_may_not_be_learned():
    tap = a_tap(gateway_mac=GATEWAY_MAC, learn_gateway_mac=False)
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, GATEWAY, OUR_IP))
    assert tap.gateway_mac == GATEWAY_MAC
    assert len(tap.take_frames()) == 1  # it is answered all the same


def test_the_gateway_does_not_go_from_a_full_table():
    tap = a_tap_that_knows(GATEWAY, at=GATEWAY_MAC, neighbors_max=2)
    for last in range(10, 20):
        tap.ethernet_to_ip(arp_request(PEER_MAC, bytes((10, 0, 0, last)), OUR_IP))
    assert tap.gateway_mac == GATEWAY_MAC
    assert len(tap.neighbors()) == 2
