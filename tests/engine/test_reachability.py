"""The table of neighbour states: each row is shown by the engine. RFC 4861 7.3.3, appendix C."""

import pytest

from tests.builders import (
    OUR_IP6,
    OUR_MAC,
    PEER6,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    advertisement,
    frame,
    packet6,
    solicitation,
)
from virtualtap import MS, SECOND, NeighborFailed, VirtualTap, ip
from virtualtap.neighbors import State
from virtualtap.reachability import NEXT, Happening
from virtualtap.wire import ndp

LINK_LOCAL = ip("fe80::7")
SOLICITED, OVERRIDE = ndp.SOLICITED, ndp.OVERRIDE


def in_state(state: State, **changes) -> VirtualTap:
    """A tap whose neighbour is in this state, reached as a driver would."""
    tap = a_tap(**changes)
    if state is State.INCOMPLETE:
        tap.ip_to_ethernet(packet6())
    elif state is State.REACHABLE:
        tap.ip_to_ethernet(packet6())
        tap.ethernet_to_ip(advertisement())
    elif state is not State.ABSENT:
        tap.ethernet_to_ip(solicitation())
        if state is not State.STALE:
            tap.ip_to_ethernet(packet6())
        if state is State.PROBE:
            tap.poll(5 * SECOND)
    tap.take_frames()
    assert state_of(tap) is state
    return tap


def state_of(tap: VirtualTap) -> State:
    return tap._core.neighbors.state(PEER6)


def pass_time(tap: VirtualTap, *, until_exhausted: bool) -> None:
    state = state_of(tap)
    while (deadline := tap.next_deadline()) is not None and state_of(tap) is state:
        tap.poll(deadline)
        if not until_exhausted:
            return


HAPPENS = {
    Happening.SENT: lambda tap: tap.ip_to_ethernet(packet6()),
    Happening.HEARD: lambda tap: tap.ethernet_to_ip(solicitation()),
    Happening.MOVED: lambda tap: tap.ethernet_to_ip(solicitation(STRANGER_MAC)),
    Happening.CONFIRMED: lambda tap: tap.ethernet_to_ip(advertisement(flags=SOLICITED)),
    Happening.ADVERTISED: lambda tap: tap.ethernet_to_ip(advertisement(flags=OVERRIDE)),
    Happening.REPLACED: lambda tap: tap.ethernet_to_ip(advertisement(STRANGER_MAC, flags=OVERRIDE)),
    Happening.CONTRADICTED: lambda tap: tap.ethernet_to_ip(
        advertisement(STRANGER_MAC, flags=SOLICITED)
    ),
    Happening.TIMED_OUT: lambda tap: pass_time(tap, until_exhausted=False),
    Happening.EXHAUSTED: lambda tap: pass_time(tap, until_exhausted=True),
}


@pytest.mark.parametrize(
    ("state", "happening"), NEXT, ids=[f"{state}: {happening.name}" for state, happening in NEXT]
)
def test_each_step_of_the_table_is_taken(state, happening):
    tap = in_state(state)
    waited = tap.holding()
    HAPPENS[happening](tap)
    expected = NEXT[state, happening]
    if waited and expected is State.STALE:
        expected = NEXT[State.STALE, Happening.SENT]  # what waited was sent
    assert state_of(tap) is expected


def test_every_state_is_left_by_time():
    for state in State:
        if state is not State.ABSENT:
            tap = in_state(state)
            tap.poll(400 * SECOND)
            assert (state_of(tap), tap.next_deadline()) == (State.ABSENT, None)


@pytest.mark.parametrize("seed", range(20))
def test_reachability_lasts_from_half_to_one_and_a_half_of_its_base(seed):
    tap = in_state(State.REACHABLE, random_seed=seed)
    assert 15 * SECOND <= tap.next_deadline() <= 45 * SECOND


def test_another_seed_is_another_time():
    times = {in_state(State.REACHABLE, random_seed=seed).next_deadline() for seed in range(20)}
    assert len(times) == 20


def test_one_that_does_not_answer_its_probes_is_reported():
    tap = in_state(State.PROBE)
    tap.take_events()
    tap.poll(8 * SECOND)
    assert tap.take_events() == [NeighborFailed(PEER6)]
    assert (tap.neighbors(), tap.next_deadline()) == ({}, None)


def test_the_numbers_and_times_are_the_configured_ones():
    tap = in_state(State.STALE, ndp_delay=2 * SECOND, ndp_unicast_retries_max=1)
    tap.ip_to_ethernet(packet6())
    tap.poll(2 * SECOND)
    probe = PEER_MAC + solicitation(OUR_MAC, OUR_IP6, PEER6, to=PEER6)[6:]
    assert tap.take_frames() == [probe]
    tap.poll(3 * SECOND)
    assert (tap.neighbors(), tap.take_frames()) == ({}, [])


def test_what_is_known_for_too_long_is_asked_for_anew_even_while_it_is_doubted():
    tap = in_state(State.STALE, neighbor_lifetime=SECOND)
    tap.ip_to_ethernet(packet6())
    tap.poll(2 * SECOND)
    assert tap.ip_to_ethernet(packet6()) is None
    assert tap.take_frames() == [solicitation(OUR_MAC, OUR_IP6, PEER6)]


@pytest.mark.parametrize("heard", [solicitation(), advertisement(flags=SOLICITED)])
def test_one_heard_of_when_what_was_known_is_too_old_begins_anew(heard):
    tap = in_state(State.STALE, neighbor_lifetime=SECOND)
    tap.ip_to_ethernet(packet6())
    tap.poll(2 * SECOND)
    tap.ethernet_to_ip(heard)
    tap.take_frames()
    assert tap.ip_to_ethernet(packet6()) == frame(packet6(), PEER_MAC, OUR_MAC)


def test_an_old_one_that_says_no_mac_says_nothing():
    tap = in_state(State.STALE, neighbor_lifetime=SECOND)
    tap.ip_to_ethernet(packet6())
    tap.poll(2 * SECOND)
    tap.ethernet_to_ip(advertisement(flags=SOLICITED, options=()))
    assert tap.neighbors() == {}


def test_where_the_table_is_full_nobody_new_is_in_any_state():
    tap = a_tap(neighbors_max=1)
    tap.ip_to_ethernet(packet6(b"\xfd" + bytes(14) + b"\x77"))
    tap.ethernet_to_ip(solicitation())
    assert state_of(tap) is State.ABSENT


def test_a_base_of_one_nanosecond_is_one():
    tap = in_state(State.REACHABLE, ndp_reachable_time=1)
    tap.poll(1 * MS)
    assert state_of(tap) is State.STALE


def test_nobody_is_asked_for_before_an_address_of_ours_may_be_used():
    tap = a_tap(dad=True, ndp_interval=3 * SECOND)
    tap.poll(0)
    tap.ip_to_ethernet(packet6(source=b"\x20\x01" + bytes(14)))
    assert tap.take_frames() == []
    tap.poll(6 * SECOND)
    assert tap.take_frames()[-1] == solicitation(OUR_MAC, OUR_IP6, PEER6)


@pytest.mark.parametrize(
    ("ours", "profile", "asks"),
    [
        ((OUR_IP6, LINK_LOCAL), "strict", OUR_IP6),
        ((OUR_IP6, LINK_LOCAL), "linux", LINK_LOCAL),
        ((OUR_IP6,), "linux", OUR_IP6),
    ],
)
def test_a_doubt_is_in_the_name_of_the_packet_or_as_linux_has_it(ours, profile, asks):
    tap = a_tap(our_ip6=ours, profile=profile)
    tap.ethernet_to_ip(solicitation())
    tap.ip_to_ethernet(packet6())
    tap.take_frames()
    tap.poll(5 * SECOND)
    (probe,) = tap.take_frames()
    assert probe[22:38] == asks


def test_who_is_doubted_past_his_lifetime_is_forgotten_and_not_asked():
    tap = in_state(State.DELAY, neighbor_lifetime=3 * SECOND)
    tap.poll(5 * SECOND)
    assert (tap.take_frames(), state_of(tap)) == ([], State.ABSENT)
