"""An address is probed for, announced, defended, given up: states and events. RFC 5227."""

import pytest

from tests.builders import (
    NOBODY,
    OUR_IP,
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
)
from virtualtap import AddressClaimed, AddressConflict, AddressLost, DropReason, NeighborFailed
from virtualtap.handlers import claim
from virtualtap.units import SECOND
from virtualtap.wire.address import ANY4
from virtualtap.wire.ethernet import ARP

PROBE = arp_probe(OUR_IP, OUR_MAC)
ANNOUNCEMENT = arp_request(OUR_MAC, OUR_IP, OUR_IP)
THEIRS = arp_request(STRANGER_MAC, OUR_IP, OUR_IP)
CONFLICT = AddressConflict(OUR_IP, STRANGER_MAC)
CLAIMED = [PROBE] * 3 + [ANNOUNCEMENT] * 2
LATEST = 7 * SECOND  # no claim takes longer


def test_a_probed_address_is_claimed_once():
    tap = a_tap(claim="probed")
    tap.poll(60 * SECOND)
    assert tap.next_deadline() <= 61 * SECOND
    tap.poll(80 * SECOND)
    assert (tap.take_frames(), tap.take_events()) == (CLAIMED, [AddressClaimed(OUR_IP)])
    assert tap.next_deadline() is None


@pytest.mark.parametrize("claim", ["probed", "announced"])
def test_a_claim_begins_at_the_first_instant_that_is_told(claim):
    tap, start = a_tap(claim=claim), 10**18
    assert tap.next_deadline() == 0
    tap.poll(start)
    assert tap.take_frames() == ([ANNOUNCEMENT] if claim == "announced" else [])
    assert start < tap.next_deadline() <= start + 2 * SECOND


def test_a_claim_in_one_step_is_a_claim_in_many():
    one, many = a_tap(claim="probed"), a_tap(claim="probed")
    one.poll(0)
    one.poll(LATEST)
    for tenth in range(71):
        many.poll(tenth * SECOND // 10)
    assert one.take_frames() == many.take_frames()
    assert one.next_deadline() == many.next_deadline()


def test_the_seed_and_the_mac_decide_when_probes_are_sent():
    def first(**changes):
        tap = a_tap(claim="probed", **changes)
        tap.poll(0)
        return tap.next_deadline()

    assert first() == first()
    assert len({first(), first(random_seed=1), first(our_mac=STRANGER_MAC)}) == 3


def test_ipv6_goes_on_while_ipv4_is_probed():
    tap = a_tap(claim="probed")
    tap.poll(0)
    tap.ip_to_ethernet(packet6())
    assert len(tap.take_frames()) == 1


def test_what_may_not_be_sent_yet_is_counted():
    tap = a_tap(claim="probed")
    tap.poll(0)
    assert tap.ip_to_ethernet(packet(PEER)) is None
    assert tap.ethernet_to_ip(frame(packet(OUR_IP, PEER))) is None
    assert (dropped(tap, DropReason.NO_ADDRESS), dropped(tap, DropReason.NOT_FOR_US)) == (1, 1)


def test_a_conflict_while_probing_is_an_event_and_nothing_is_lost():
    tap = a_tap(claim="probed")
    tap.poll(0)
    tap.ethernet_to_ip(THEIRS)
    assert tap.take_events() == [CONFLICT]


def test_a_question_from_nobody_to_us_alone_is_no_probe():
    tap = a_tap(claim="probed")
    tap.poll(0)
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, ANY4, OUR_IP, to=OUR_MAC))
    tap.poll(LATEST)
    assert tap.take_events() == [AddressClaimed(OUR_IP)]
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, OUR_IP, OUR_IP, to=OUR_MAC))
    assert tap.take_events() == [CONFLICT]  # but a claim is one, wherever it is said


def test_the_tenth_conflict_makes_the_next_attempt_wait_a_minute_or_two():
    tap = a_tap(claim="probed")
    tap.poll(0)
    for _ in range(claim.MAX_CONFLICTS - 1):
        tap.ethernet_to_ip(THEIRS)
        assert tap.next_deadline() <= SECOND
    tap.ethernet_to_ip(THEIRS)
    most = 2 * claim.RATE_LIMIT_INTERVAL
    assert claim.RATE_LIMIT_INTERVAL <= tap.next_deadline() <= most


def test_a_conflict_between_two_attempts_is_nothing():
    tap = a_tap(claim="probed")
    tap.poll(0)
    for _ in range(claim.MAX_CONFLICTS):
        tap.ethernet_to_ip(THEIRS)
    tap.take_events()
    tap.ethernet_to_ip(THEIRS)
    assert (tap.take_events(), tap.neighbors()) == ([], {})


@pytest.mark.parametrize(
    ("defend", "frames", "events"),
    [
        ("once", [ANNOUNCEMENT], [CONFLICT, CONFLICT, AddressLost(OUR_IP)]),
        ("never", [], [CONFLICT, AddressLost(OUR_IP), CONFLICT]),
        ("always", [ANNOUNCEMENT], [CONFLICT, CONFLICT]),
    ],
)
def test_two_conflicts_in_a_row_are_met_as_configured(defend, frames, events):
    tap = a_tap(defend=defend)
    tap.ethernet_to_ip(THEIRS)
    tap.ethernet_to_ip(THEIRS)
    assert (tap.take_frames(), tap.take_events()) == (frames, events)


def test_a_lost_address_comes_back_if_nobody_objects():
    tap = a_tap(defend="never")
    tap.ethernet_to_ip(THEIRS, 0)
    tap.take_events()
    tap.poll(20 * SECOND)
    assert (tap.take_frames(), tap.take_events()) == (CLAIMED, [AddressClaimed(OUR_IP)])
    tap.ethernet_to_ip(arp_request())
    assert tap.take_frames() == [arp_reply(OUR_MAC, OUR_IP, PEER_MAC, PEER)]


def test_who_was_known_before_the_loss_is_known_after_it():
    tap = a_tap_that_knows(PEER, defend="never")
    tap.ethernet_to_ip(THEIRS, 0)
    assert tap.ip_to_ethernet(packet(PEER)) is None
    tap.poll(20 * SECOND)
    assert tap.ip_to_ethernet(packet(PEER)) is not None


def test_what_waited_when_the_address_was_lost_has_failed():
    tap = a_tap(defend="never")
    tap.ip_to_ethernet(packet(NOBODY))
    tap.ip_to_ethernet(packet6())
    tap.ethernet_to_ip(THEIRS)
    assert NeighborFailed(NOBODY) in tap.take_events()
    assert (dropped(tap, DropReason.UNRESOLVED), tap.holding()) == (1, 1)  # IPv6 still waits


def test_a_tap_without_an_address_has_no_conflicts():
    tap = a_tap(our_ip=None, gateway_ip=None)
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, ANY4, ANY4))
    tap.ethernet_to_ip(THEIRS)
    assert tap.take_events() == []


def test_a_defense_without_room_is_a_drop():
    tap = a_tap(outbox_max=1)
    tap.ethernet_to_ip(arp_request())
    tap.ethernet_to_ip(THEIRS)
    assert dropped(tap, DropReason.OUTBOX_FULL) == 1
    assert tap.take_frames() == [arp_reply(OUR_MAC, OUR_IP, PEER_MAC, PEER)]


def test_an_address_that_went_between_its_announcements_is_not_announced_again():
    tap = a_tap(claim="announced")
    tap.poll(0)
    tap._core.rename(None)  # as when a lease is given back
    tap.poll(20 * SECOND)
    assert tap.take_frames() == [ANNOUNCEMENT]


@pytest.mark.parametrize("later", [0, SECOND, 20 * SECOND])
def test_of_two_who_want_one_address_one_gets_it(later):
    taps = a_tap(claim="probed"), a_tap(claim="probed", our_mac=STRANGER_MAC)
    taps[0].poll(0)
    taps[1].poll(later)
    while (now := min(tap.next_deadline() or 600 * SECOND for tap in taps)) < 600 * SECOND:
        for tap, other in (taps, taps[::-1]):
            tap.poll(max(now, tap._core.now))
            for sent in tap.take_frames():
                other.ethernet_to_ip(sent)
    for tap in taps:
        tap.take_frames()
        tap.ethernet_to_ip(arp_request())
    assert sum(len(tap.take_frames()) for tap in taps) == 1


def test_an_address_that_only_a_lease_can_give_is_not_probed_before_it():
    tap = a_tap(gateway_ip=None, our_ip6=(), gateway_ip6=None, dhcp=True, claim="probed")
    tap.poll(0)
    tap.poll(60 * SECOND)
    assert all(sent[12:14] != ARP for sent in tap.take_frames())
