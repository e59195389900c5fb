"""Groups, and who asks for them: older queriers come and go, answers wait and are put off."""

from dataclasses import replace

import pytest

from sim.conformance.membership import (
    ALL_ROUTERS,
    IS_EX,
    IS_IN,
    MDNS,
    MDNS6,
    NODE6,
    OWN6,
    SSDP,
    TO_EX,
    TO_IN,
    asks1,
    asks2,
    old,
    old6,
    ours,
    ours6,
    query1,
    query2,
    query3,
    said4,
    said6,
    seen,
    theirs,
)
from sim.conformance.script import CONFIG, GATEWAY_MAC, OUR_MAC, US
from tests.builders import dropped
from virtualtap import SECOND, DropReason, VirtualTap, ip
from virtualtap.wire import checksum, igmp, mld
from virtualtap.wire.address import ALL_NODES6, multicast_mac4
from virtualtap.wire.ethernet import IPV4
from virtualtap.wire.igmp import Igmp
from virtualtap.wire.ipv4 import IGMP, Ipv4
from virtualtap.wire.mld import Mld, MldReport

FIRST, SECOND_SOURCE = ip("192.0.2.1"), ip("192.0.2.2")
PRESENT = 260 * SECOND  # as long as an older querier counts: RFC 3376 8.12
LEFT = said4(Igmp(igmp.LEAVE, MDNS), ALL_ROUTERS, by=US, at=OUR_MAC)


def member(*groups: bytes, **changes) -> VirtualTap:
    """A tap that has said everything twice, at 2 s."""
    tap = VirtualTap(replace(CONFIG, groups=groups, our_ip6=(OWN6,), **changes))
    tap.poll(0)
    tap.poll(2 * SECOND)
    tap.take_frames()
    return tap


def hear(tap: VirtualTap, *frames: bytes) -> VirtualTap:
    for frame in frames:
        assert tap.ethernet_to_ip(frame) is None
    return tap


def answers(tap: VirtualTap, *frames: bytes, until: int = 60) -> list[bytes]:
    hear(tap, *frames).poll(until * SECOND)
    return tap.take_frames()


# what others say


def test_in_the_newest_version_another_s_report_is_no_answer_of_ours():
    assert answers(member(MDNS), query3(MDNS), theirs()) == [ours(IS_EX, MDNS)]


def test_a_report_of_a_group_that_we_are_not_in_does_not_let_us_in():
    assert answers(member(MDNS), query2(), theirs(SSDP), query2()) == [old()]


def test_one_who_leaves_has_not_reported():
    theirs_left = said4(Igmp(igmp.LEAVE, MDNS), ALL_ROUTERS, by=ip("10.0.0.3"))
    assert answers(member(MDNS), query2(), theirs_left) == [old()]
    done = said6(Mld(mld.DONE, MDNS6), ip("ff02::2"))
    assert sorted(answers(member(MDNS6), asks1(), done)) == sorted((old6(), old6(NODE6)))


def test_a_report_with_more_behind_it_is_a_report():
    # RFC 2236 2.5: a message may be longer than eight bytes
    said = b"\x16\0\0\0" + MDNS + b"more"
    said = said[:2] + checksum.internet(said).to_bytes(2) + said[4:]
    packet = Ipv4(ip("10.0.0.3"), MDNS, IGMP, said, ttl=1).to_bytes()
    assert answers(member(MDNS), query2(), multicast_mac4(MDNS) + GATEWAY_MAC + IPV4 + packet) == []


def test_a_message_of_fewer_than_eight_bytes_is_malformed():
    tap = member(MDNS6)
    whole = said6(MldReport(()), ALL_NODES6)
    short = bytes((mld.DONE, 0, 0, 0))
    value = checksum.transport(whole[22:38], whole[38:54], 58, short)
    packet = whole[14:18] + (8 + 4).to_bytes(2) + whole[20:62] + short[:2] + value.to_bytes(2)
    assert answers(tap, whole[:14] + packet) == []
    assert dropped(tap, DropReason.MALFORMED) == 1


# when an answer is due


def test_every_version_waits_as_long_as_the_query_allows():
    dues = [hear(member(MDNS), query).next_deadline() for query in (query1(), query2(), query3())]
    assert dues[0] == dues[1] == dues[2] <= 12 * SECOND


def test_in_the_newest_version_the_soonest_of_several_answers_counts():
    tap = member(MDNS)
    dues = [hear(tap, query3(MDNS)).next_deadline() for _ in range(20)]
    assert dues == sorted(dues, reverse=True)
    assert dues[-1] < dues[0]


def test_in_an_older_version_an_answer_that_comes_in_time_is_not_drawn_again():
    # RFC 2236 3
    tap = hear(member(MDNS), query2())
    due = tap.next_deadline()
    for _ in range(20):
        assert hear(tap, query2()).next_deadline() == due


def test_an_answer_for_all_that_is_due_now_is_enough():
    assert answers(member(MDNS), query3(tenths=0), query3(MDNS, tenths=0)) == [ours(IS_EX, MDNS)]


def test_a_query_of_version_1_for_one_group_is_answered_for_it_alone():
    assert answers(member(MDNS6), asks1(MDNS6)) == [ours6(IS_EX, MDNS6)]


# how often, how long: what the querier says


@pytest.mark.parametrize(
    ("group", "query", "said"),
    [
        (MDNS, query3(robustness=3), ours(TO_IN, MDNS)),
        (MDNS6, asks2(robustness=3), ours6(TO_IN, MDNS6)),
    ],
    ids=["IGMP", "MLD"],
)
def test_a_change_is_said_as_often_as_the_querier_is_robust(group, query, said):
    tap = member(group)
    answers(tap, query)
    (tap._members or tap._listeners).leave(group)
    tap.poll(99 * SECOND)
    assert tap.take_frames() == [said] * 3


def test_an_older_querier_is_present_for_as_long_as_the_newer_one_said():
    tap = hear(member(MDNS6), asks2(robustness=3, every=20), asks1())
    tap.poll((2 + 3 * 20 + 10) * SECOND - 1)
    assert tap._listeners.version == 1
    tap.poll((2 + 3 * 20 + 10) * SECOND)
    assert tap._listeners.version == 2


# when older queriers come and go


def test_both_families_say_their_changes_twice():
    tap = VirtualTap(replace(CONFIG, groups=(MDNS, MDNS6), our_ip6=(OWN6,)))
    tap.poll(0)
    tap.poll(2 * SECOND)
    frames = tap.take_frames()
    assert sorted(frames) == sorted([ours(TO_EX, MDNS)] * 2 + [ours6(TO_EX, MDNS6, NODE6)] * 2)


def test_changes_that_wait_are_forgotten_where_the_querier_turns_out_older():
    tap = VirtualTap(replace(CONFIG, groups=(MDNS,)))
    tap.poll(0)
    tap.take_frames()
    hear(tap, query2())
    assert tap.next_deadline() == tap._members._due[MDNS]
    assert answers(tap) == [old()]


def test_changes_are_said_again_once_the_older_querier_is_gone():
    tap = member(MDNS)
    answers(tap, query2(), until=PRESENT // SECOND + 3)
    tap._members.join([SSDP])
    assert tap.take_frames() == [ours(TO_EX, SSDP)]


def test_a_querier_that_is_gone_changes_nothing_while_an_older_one_is_present():
    tap = member(MDNS)
    answers(tap, query2(), until=60)
    tap.poll(PRESENT + SECOND)
    hear(tap, query1())
    due = tap._members._due[MDNS]
    assert due > PRESENT + 2 * SECOND  # when the one of version 2 is gone
    tap.poll(due)
    assert tap.take_frames() == [old(kind=igmp.REPORT1)]


def test_what_waits_is_forgotten_with_the_last_older_querier():
    tap = member(MDNS)
    answers(tap, query2(), until=60)
    tap.poll(PRESENT + 2 * SECOND - 1)
    hear(tap, query2(MDNS))
    tap.poll(PRESENT + 20 * SECOND)
    assert tap.take_frames() == []
    hear(tap, query3(MDNS, (FIRST,)))
    tap.poll(PRESENT + 40 * SECOND)
    assert tap.take_frames() == [ours(IS_IN, MDNS, sources=(FIRST,))]


# what is left


def test_a_group_that_was_left_is_not_answered_for():
    tap = hear(member(MDNS, SSDP), query3(MDNS, (FIRST,)))
    tap._members.leave(MDNS)
    tap._members.join([MDNS])
    hear(tap, query3(MDNS, (SECOND_SOURCE,)))
    tap.poll(60 * SECOND)
    said = [frame for frame in tap.take_frames() if seen((frame,))[0][0] == IS_IN]
    assert said == [ours(IS_IN, MDNS, sources=(SECOND_SOURCE,))]


def test_who_joins_again_reported_last():
    tap = hear(member(MDNS), query2(), theirs())
    tap._members.join([MDNS])
    tap._members.leave(MDNS)
    assert tap.take_frames() == [old(), LEFT]


def test_who_joins_while_version_1_is_present_says_so_in_its_words():
    tap = VirtualTap(replace(CONFIG, groups=(MDNS,)))
    hear(tap, query1())
    tap.poll(0)
    assert tap.take_frames() == [old(kind=igmp.REPORT1)]


# what fits


@pytest.mark.parametrize("spare", [0, 7])
def test_a_report_is_filled_to_the_last_byte(spare):
    groups = tuple(ip(f"239.1.{n // 256}.{n % 256}") for n in range(2 * 183))
    frames = answers(member(*groups, mtu=20 + 4 + 8 + 183 * 8 + spare), query3())
    assert [len(seen((frame,))) for frame in frames] == [183, 183]


@pytest.mark.parametrize("spare", [0, 19])
def test_a_report_of_ipv6_is_filled_to_the_last_byte(spare):
    groups = tuple(ip(f"ff05::{n + 1:x}") for n in range(2 * 62 - 1))
    frames = answers(member(*groups, mtu=40 + 8 + 8 + 62 * 20 + spare), asks2())
    assert [len(seen((frame,))) for frame in frames] == [62, 62]
