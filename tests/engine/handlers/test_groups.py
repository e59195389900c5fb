"""Groups beyond the conformance cases: limits, reasons, sizes, hostile bytes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conformance.membership import (
    ALL_ROUTERS,
    IS_EX,
    IS_IN,
    MDNS,
    MDNS6,
    NODE6,
    OWN6,
    REPORTS6,
    TO_EX,
    TO_IN,
    asks2,
    old,
    ours,
    ours6,
    query1,
    query2,
    query3,
    said4,
    said6,
    seen,
    spoiled,
)
from sim.conformance.script import CONFIG, OUR_MAC, US
from tests.builders import dropped
from virtualtap import SECOND, DropReason, VirtualTap, ip
from virtualtap.core import Core
from virtualtap.handlers.groups import speaks_igmp
from virtualtap.wire import igmp
from virtualtap.wire.address import ALL_HOSTS4, ANY4, ANY6
from virtualtap.wire.igmp import Igmp, IgmpReport
from virtualtap.wire.mld import MldReport

MANY = tuple(ip(f"239.1.{n // 256}.{n % 256}") for n in range(400))


def member(*groups: bytes, **changes) -> VirtualTap:
    tap = VirtualTap(replace(CONFIG, groups=groups, our_ip6=(OWN6,), **changes))
    tap.poll(0)
    tap.poll(2 * SECOND)
    tap.take_frames()
    return tap


def answers(tap: VirtualTap, *frames: bytes) -> list[bytes]:
    for frame in frames:
        assert tap.ethernet_to_ip(frame) is None
    tap.poll(60 * SECOND)
    return tap.take_frames()


def test_nothing_is_said_before_the_time_is_known():
    tap = VirtualTap(replace(CONFIG, groups=(MDNS,)))
    assert (tap.take_frames(), tap.next_deadline()) == ([], 0)
    tap.poll(10**18)
    assert tap.take_frames() == [ours(TO_EX, MDNS)]


def test_groups_of_one_family_leave_the_other_to_the_host():
    four, six = member(MDNS), member(MDNS6)
    assert four.ethernet_to_ip(asks2()) == asks2()[14:]
    assert six.ethernet_to_ip(query3()) == query3()[14:]
    assert answers(four, query3()) == [ours(IS_EX, MDNS)]
    assert answers(six, asks2()) == [ours6(IS_EX, MDNS6, NODE6)]


def test_more_groups_than_fit_are_said_in_several_reports():
    frames = answers(member(*MANY), query3())
    assert [(IS_EX, group) for group in MANY] == seen(tuple(frames))
    assert len(frames) == 3
    assert max(map(len, frames)) <= 14 + 1500


def test_more_sources_than_fit_are_answered_by_the_group():
    assert answers(member(MDNS), query3(MDNS, MANY[:365])) == [
        ours(IS_IN, MDNS, sources=MANY[:365])
    ]
    assert answers(member(MDNS), query3(MDNS, MANY[:366])) == [ours(IS_EX, MDNS)]
    two = (query3(MDNS, MANY[:300]), query3(MDNS, MANY[300:]))
    assert answers(member(MDNS), *two) == [ours(IS_EX, MDNS)]


def test_a_source_asked_for_twice_is_answered_once():
    frames = answers(member(MDNS), query3(MDNS, MANY[:2]), query3(MDNS, MANY[1:3]))
    assert frames == [ours(IS_IN, MDNS, sources=MANY[:3])]


def test_a_query_that_is_not_valid_is_malformed():
    tap = member(MDNS, MDNS6)
    assert answers(tap, spoiled(query3()), spoiled(asks2()), asks2(hop_limit=2)) == []
    assert dropped(tap, DropReason.MALFORMED) == 3


def test_a_query_that_is_not_for_us_is_counted():
    tap = member(MDNS, MDNS6)
    elsewhere = (query3(to=ip("224.0.0.9")), asks2(to=ip("ff02::9")))
    assert answers(tap, *elsewhere) == []
    assert dropped(tap, DropReason.NOT_FOR_US) == 2


def test_a_report_without_room_is_counted():
    tap = member(MDNS, ip("239.1.1.1"), outbox_max=1)
    before = dropped(tap, DropReason.OUTBOX_FULL)
    assert len(answers(tap, query2())) == 1
    assert dropped(tap, DropReason.OUTBOX_FULL) == before + 1


def test_reports_are_tagged_in_a_vlan():
    tap = VirtualTap(replace(CONFIG, groups=(MDNS,), vlan_id=7))
    tap.poll(0)
    report = ours(TO_EX, MDNS)
    assert tap.take_frames() == [report[:12] + b"\x81\0\0\7" + report[12:]]


def test_the_same_seed_says_the_same_at_the_same_time():
    first, second = (VirtualTap(replace(CONFIG, groups=(MDNS, MDNS6))) for _ in range(2))
    for now in range(0, 2 * SECOND, SECOND // 50):
        first.poll(now)
        second.poll(now)
        assert first.take_frames() == second.take_frames()


@given(st.lists(st.tuples(st.sampled_from((query2(), query3(MDNS, MANY[:2]), asks2())), st.data())))
def test_no_bytes_make_it_raise_or_speak_to_the_host_of_groups(stimuli):
    tap = member(MDNS, MDNS6)
    for frame, data in stimuli[:4]:
        at = data.draw(st.integers(23, len(frame) - 1))
        tap.ethernet_to_ip(frame[:at] + data.draw(st.binary(max_size=40)))
    tap.poll(100 * SECOND)
    for frame in tap.take_frames():
        if frame[38:39] == b"\x22":
            IgmpReport.parse(frame[38:])


def test_what_is_first_said_to_an_older_querier_is_said_as_it_wants_it():
    tap = VirtualTap(replace(CONFIG, groups=(MDNS,)))
    tap.ethernet_to_ip(query2())
    tap.poll(0)
    assert tap.take_frames() == [old(MDNS)]
    tap.poll(10 * SECOND)  # RFC 2236 3: and once more
    assert tap.take_frames() == [old(MDNS)]


def test_an_answer_to_all_is_forgotten_where_the_querier_turns_out_older():
    other = ip("239.1.1.1")
    assert sorted(answers(member(MDNS, other), query3(), query2())) == sorted(
        (old(MDNS), old(other))
    )


def test_the_group_of_everybody_is_joined_without_a_word():
    tap = VirtualTap(replace(CONFIG, groups=(ALL_HOSTS4,)))
    tap.poll(0)
    assert (tap.take_frames(), tap.next_deadline()) == ([], None)
    assert answers(tap, query3()) == []


def test_a_query_from_a_group_is_malformed():
    tap = member(MDNS)
    assert answers(tap, said4(Igmp(igmp.QUERY, ANY4, 100), ALL_HOSTS4, by=MDNS)) == []
    assert dropped(tap, DropReason.MALFORMED) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (query3(), ours(TO_IN, MDNS)),
        (query2(), said4(Igmp(igmp.LEAVE, MDNS), ALL_ROUTERS, by=US, at=OUR_MAC)),
        (query1(), None),
    ],
    ids=["IGMPv3", "IGMPv2", "IGMPv1"],
)
def test_a_group_is_left_in_the_words_of_the_querier(query, said):
    core = Core(replace(CONFIG, groups=(MDNS,)))
    members = speaks_igmp(core)
    members.receive(query)
    members.leave(MDNS)
    assert core.frames == ([] if said is None else [said])


def test_a_report_from_nobody_is_no_matter_and_no_fault():
    tap = member(MDNS6)
    assert answers(tap, said6(MldReport(()), REPORTS6, by=ANY6)) == []
    assert tap.stats.dropped == {}
