"""Which groups of IPv4 we are in, said to routers. RFC 1112 appendix I, RFC 2236, RFC 3376."""

from sim.conformance.frames import frame, packet, wrapped
from sim.conformance.membership import (
    ALERT,
    IS_EX,
    IS_IN,
    MDNS,
    QUIET,
    REPORTS,
    SSDP,
    TO_EX,
    members,
    old,
    ours,
    query1,
    query2,
    query3,
    said4,
    seen,
    spoiled,
    theirs,
)
from sim.conformance.registry import clause
from sim.conformance.script import OUR_MAC, PEER, US, Script
from virtualtap.units import MS, SECOND
from virtualtap.wire import igmp
from virtualtap.wire.address import ANY4, ip, multicast_mac4
from virtualtap.wire.igmp import Igmp, IgmpQuery
from virtualtap.wire.ipv4 import Ipv4

SOURCES = (ip("192.0.2.1"), ip("192.0.2.2"))
EVERYBODY = ip("224.0.0.1")
PRESENT = 260 * SECOND  # RFC 3376 8.12: 2 times 125 s and 10 s


@clause("RFC 3376, 5.1", "a group is said at once: its filter becomes exclude nothing")
def group_is_said_at_once(tap: Script) -> None:
    tap.start(groups=(MDNS,)).at(0).expect(ours(TO_EX, MDNS)).at(QUIET).forget()


@clause("RFC 3376, 5.1", "it is said once more, within a second, and then no more")
def group_is_said_twice(tap: Script) -> None:
    tap.start(groups=(MDNS,)).at(0).forget()
    tap.at(SECOND).expect(ours(TO_EX, MDNS)).at(600 * SECOND).expect()


@clause("RFC 3376, 5.1", "when it is said again is left to luck: not at once, not always alike")
def second_report_is_spread(tap: Script) -> None:
    instants = set()
    for seed in range(4):
        begin = tap.now
        tap.start(groups=(MDNS,), random_seed=seed).at(begin).forget()
        instants.add(tap.until_sent(begin + SECOND).now - begin)
        tap.expect(ours(TO_EX, MDNS))
    assert len(instants) > 1, f"always said again after {instants}"
    assert 0 not in instants, "said again at once"


@clause("RFC 3376, 5.1", "all groups are said at the start")
def all_groups_are_said(tap: Script) -> None:
    tap.start(groups=(MDNS, SSDP)).at(0)
    assert seen(tap.frames()) == [(TO_EX, MDNS), (TO_EX, SSDP)]
    tap.at(QUIET)
    assert seen(tap.frames()) == [(TO_EX, MDNS), (TO_EX, SSDP)]


@clause("RFC 3376, 5", "nobody says that it is in 224.0.0.1")
def everybodys_group_is_not_said(tap: Script) -> None:
    tap.start(groups=(EVERYBODY, MDNS)).at(QUIET)
    tap.expect(ours(TO_EX, MDNS), ours(TO_EX, MDNS))
    tap.lan(query3()).at(20 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 4.2.13", "who has no address yet reports from 0.0.0.0")
def report_without_address_is_from_nobody(tap: Script) -> None:
    tap.start(groups=(MDNS,), claim="probed").at(0).expect(ours(TO_EX, MDNS, by=ANY4))
    tap.at(SECOND).forget()


@clause("RFC 1112, 7.2", "without groups nothing is said, and the host answers for itself")
def without_groups_the_host_answers(tap: Script) -> None:
    for asked in (query3(), query2(MDNS), theirs()):
        tap.lan(asked).expect_host(asked[14:])
    tap.at(300 * SECOND).expect()


@clause("RFC 3376, 5.2", "with groups a query is answered here: the host never sees it")
def query_is_not_given_to_the_host(tap: Script) -> None:
    members(tap, MDNS).lan(query3()).expect_host().at(20 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 4.2", "what other members report does not reach the host")
def reports_are_not_given_to_the_host(tap: Script) -> None:
    members(tap, MDNS).lan(theirs()).lan(theirs(kind=igmp.LEAVE)).expect_host()


@clause("RFC 1112, 7.2", "a group's own packets still reach the host")
def packets_of_a_group_reach_the_host(tap: Script) -> None:
    data = packet(MDNS, source=PEER)
    members(tap, MDNS).lan(frame(data, to=multicast_mac4(MDNS))).expect_host(data)


@clause("RFC 1112, 7.1", "a report of the host's own leaves as it is")
def reports_of_the_host_leave(tap: Script) -> None:
    report = said4(Igmp(igmp.REPORT2, SSDP), SSDP, by=US)[14:]
    members(tap, MDNS).host(report).expect(wrapped(report, multicast_mac4(SSDP)))


@clause("RFC 3376, 5.2", "a general query is answered once, with the state of each group")
def general_query_is_answered(tap: Script) -> None:
    members(tap, MDNS, SSDP).lan(query3()).at(20 * SECOND)
    assert seen(tap.frames()) == [(IS_EX, MDNS), (IS_EX, SSDP)]


@clause("RFC 3376, 4.1.1", "the answer comes within the time that the query allows")
def answer_comes_in_time(tap: Script) -> None:
    members(tap, MDNS)
    for _ in range(5):
        tap.lan(query3(tenths=5)).at(tap.now + 500 * MS).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 4.1.1", "a code of 128 and more is a number with an exponent")
def long_time_is_used(tap: Script) -> None:
    members(tap, MDNS)
    waits = []
    for _ in range(8):  # code 255: (15 | 16) << 10 tenths of a second
        begin = tap.lan(query3(tenths=255)).now
        waits.append(tap.until_sent(begin + 3174 * SECOND + 400 * MS).now - begin)
        tap.expect(ours(IS_EX, MDNS))
    assert max(waits) > 25 * SECOND + 500 * MS, f"answered within {max(waits)} ns"


@clause("RFC 3376, 5.2", "the answer's instant is left to luck")
def answer_is_spread(tap: Script) -> None:
    members(tap, MDNS)
    waits = set()
    for _ in range(4):
        begin = tap.lan(query3()).now
        waits.add(tap.until_sent(begin + 10 * SECOND).now - begin)
        tap.expect(ours(IS_EX, MDNS))
    assert len(waits) > 1, f"always after {waits}"


@clause("RFC 3376, 5.2", "two general queries that come together get one answer")
def queries_together_get_one_answer(tap: Script) -> None:
    members(tap, MDNS).lan(query3()).lan(query3()).at(20 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 5.2", "a query that allows less time is answered in that")
def urgent_query_hurries_the_answer(tap: Script) -> None:
    members(tap, MDNS)
    for _ in range(3):
        tap.lan(query3(tenths=250)).lan(query3(tenths=1)).at(tap.now + 100 * MS)
        tap.expect(ours(IS_EX, MDNS)).at(tap.now + 200 * SECOND).expect()


@clause("RFC 3376, 5.2", "a query for one group is answered for that group")
def specific_query_is_answered(tap: Script) -> None:
    members(tap, MDNS, SSDP).lan(query3(SSDP)).at(20 * SECOND).expect(ours(IS_EX, SSDP))


@clause("RFC 3376, 5.2", "a query for a group of others is not answered")
def query_for_another_group_is_not_answered(tap: Script) -> None:
    members(tap, MDNS).lan(query3(SSDP)).lan(query3(SSDP, to=MDNS)).at(20 * SECOND).expect()


@clause("RFC 3376, 5.2", "asked for sources, we want them: no source is excluded")
def query_for_sources_is_answered(tap: Script) -> None:
    members(tap, MDNS).lan(query3(MDNS, SOURCES)).at(20 * SECOND)
    tap.expect(ours(IS_IN, MDNS, sources=SOURCES))


@clause("RFC 3376, 5.2", "sources asked for one after the other are answered together")
def sources_are_answered_together(tap: Script) -> None:
    members(tap, MDNS).lan(query3(MDNS, SOURCES[:1])).lan(query3(MDNS, SOURCES[1:]))
    tap.at(20 * SECOND).expect(ours(IS_IN, MDNS, sources=SOURCES))


@clause("RFC 3376, 5.2", "asked for sources, and then for the group: the group is the answer")
def group_is_answered_rather_than_sources(tap: Script) -> None:
    members(tap, MDNS).lan(query3(MDNS, SOURCES)).lan(query3(MDNS)).at(20 * SECOND)
    tap.expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 5.2", "what the answer to a general query says soon is not said again")
def general_answer_is_enough(tap: Script) -> None:
    members(tap, MDNS).lan(query3(tenths=0)).lan(query3(MDNS)).at(20 * SECOND)
    tap.expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 9.1", "a query without a router alert is not answered")
def query_without_alert_is_ignored(tap: Script) -> None:
    three, two = IgmpQuery(ANY4), Igmp(igmp.QUERY, ANY4, 100)
    members(tap, MDNS)
    for query in (three, two):
        tap.lan(said4(query, EVERYBODY, options=b"")).lan(
            said4(query, EVERYBODY, options=b"\1" * 4)
        )
    tap.at(30 * SECOND).expect()


@clause("RFC 2113, 2.1", "a router alert is found behind other options")
def alert_behind_options_is_found(tap: Script) -> None:
    asked = said4(IgmpQuery(ANY4), EVERYBODY, options=b"\1\x88\4\0\0\1\1\1" + ALERT)
    members(tap, MDNS).lan(asked).at(20 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 4.1.2", "a query with a wrong checksum is not answered")
def query_with_wrong_checksum_is_ignored(tap: Script) -> None:
    members(tap, MDNS).lan(spoiled(query3())).lan(spoiled(query2())).at(30 * SECOND).expect()


@clause("RFC 3376, 7.1", "a query of 9 to 11 bytes is of no version, and is not answered")
def query_of_no_version_is_ignored(tap: Script) -> None:
    whole = igmp.summed(Igmp(igmp.QUERY, ANY4, 100))
    members(tap, MDNS)
    for extra in (2, 3):  # zeros: the checksum stays right
        inside = Ipv4(PEER, EVERYBODY, 2, whole + bytes(extra), ttl=1, options=ALERT)
        tap.lan(frame(inside.to_bytes(), to=multicast_mac4(EVERYBODY)))
    tap.at(30 * SECOND).expect()


@clause("RFC 3376, 4.1.10", "what stands behind the sources is summed, and otherwise ignored")
def additional_data_is_ignored(tap: Script) -> None:
    inside = Ipv4(PEER, EVERYBODY, 2, igmp.summed(IgmpQuery(ANY4)) + bytes(8), options=ALERT)
    members(tap, MDNS).lan(frame(inside.to_bytes(), to=multicast_mac4(EVERYBODY)))
    tap.at(30 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 9.1", "a general query to another group than 224.0.0.1 is not answered")
def general_query_elsewhere_is_ignored(tap: Script) -> None:
    members(tap, MDNS).lan(query3(to=MDNS)).lan(query3(to=REPORTS)).at(30 * SECOND).expect()


@clause("RFC 3376, 4.1.12", "a query to our own address is answered")
def query_to_us_is_answered(tap: Script) -> None:
    asked = said4(IgmpQuery(ANY4), US, mac=OUR_MAC)
    members(tap, MDNS).lan(asked).at(20 * SECOND).expect(ours(IS_EX, MDNS)).expect_host()


@clause("RFC 2236, 3", "a router of version 2 gets answers of version 2, each to its group")
def version_2_is_answered(tap: Script) -> None:
    members(tap, MDNS, SSDP).lan(query2()).at(20 * SECOND)
    assert set(tap.frames()) == {old(MDNS), old(SSDP)}


@clause("RFC 2236, 4", "a router of version 1 gets answers of version 1, within 10 seconds")
def version_1_is_answered(tap: Script) -> None:
    members(tap, MDNS).lan(query1()).at(QUIET + 10 * SECOND).expect(old(kind=igmp.REPORT1))


@clause("RFC 1112, I", "what a query of version 1 says of a group does not matter")
def group_of_version_1_is_ignored(tap: Script) -> None:
    members(tap, MDNS).lan(query1(SSDP)).at(20 * SECOND).expect(old(kind=igmp.REPORT1))


@clause("RFC 2236, 3", "a version 2 query for one group, allowing a second, is answered in it")
def version_2_specific_is_answered(tap: Script) -> None:
    members(tap, MDNS, SSDP).lan(query2()).at(20 * SECOND).forget()
    tap.lan(query2(SSDP, 10)).at(21 * SECOND).expect(old(SSDP))


@clause("RFC 3376, 7.2.1", "only a general query makes an older router: one for a group does not")
def specific_query_makes_no_older_router(tap: Script) -> None:
    members(tap, MDNS).lan(query2(MDNS)).at(20 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 7.2.1", "while an older router is present a newer one is answered as the older")
def older_version_stays(tap: Script) -> None:
    members(tap, MDNS).lan(query2()).at(20 * SECOND).forget()
    tap.at(QUIET + PRESENT - 20 * SECOND).lan(query3()).at(QUIET + PRESENT - SECOND).expect(old())


@clause("RFC 3376, 8.12", "when no older router was heard for 260 s the newest version is spoken")
def older_version_ends(tap: Script) -> None:
    members(tap, MDNS).lan(query2()).at(20 * SECOND).forget()
    tap.at(QUIET + PRESENT).lan(query3()).at(300 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 8.12", "how long that is follows from what the newest router said")
def older_version_ends_as_said(tap: Script) -> None:
    members(tap, MDNS).lan(query3(robustness=3, every=20)).at(20 * SECOND).forget()
    tap.lan(query2()).at(40 * SECOND).forget()
    tap.at(89 * SECOND).lan(query3(tenths=0)).at(89 * SECOND + 1).expect(old())
    tap.at(90 * SECOND).lan(query3()).at(110 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 3376, 7.2.1", "the oldest version heard is spoken until that router is gone")
def oldest_version_is_spoken(tap: Script) -> None:
    members(tap, MDNS).lan(query1()).at(20 * SECOND).forget()
    tap.lan(query2()).at(40 * SECOND).expect(old(kind=igmp.REPORT1))
    tap.at(QUIET + PRESENT).lan(query3()).at(QUIET + PRESENT + 10 * SECOND).expect(old())


@clause("RFC 3376, 7.2.1", "with the version what was pending is forgotten")
def version_forgets_what_is_pending(tap: Script) -> None:
    tap.start(groups=(MDNS,)).at(0).expect(ours(TO_EX, MDNS)).lan(query2()).at(20 * SECOND)
    tap.expect(old())


@clause("RFC 2236, 3", "what another member reported first we do not report")
def report_of_another_suffices(tap: Script) -> None:
    members(tap, MDNS, SSDP).lan(query2(tenths=255)).lan(theirs()).at(60 * SECOND)
    tap.expect(old(SSDP))


@clause("RFC 1112, I", "in version 1 one report is enough as well")
def report_of_another_suffices_in_version_1(tap: Script) -> None:
    members(tap, MDNS).lan(query1()).lan(theirs(kind=igmp.REPORT1)).at(60 * SECOND).expect()


@clause("RFC 2236, 3", "a report with a wrong checksum silences nobody")
def spoiled_report_silences_nobody(tap: Script) -> None:
    members(tap, MDNS).lan(query2()).lan(spoiled(theirs())).at(60 * SECOND).expect(old())


@clause("RFC 3376, 5.2", "in version 3 nobody is silenced by what others report")
def version_3_is_not_suppressed(tap: Script) -> None:
    members(tap, MDNS).lan(query3()).lan(theirs()).at(60 * SECOND).expect(ours(IS_EX, MDNS))


@clause("RFC 2236, 3", "a query that leaves us more time than is left changes nothing")
def timer_is_kept_where_it_ends_in_time(tap: Script) -> None:
    members(tap, MDNS).lan(query2()).lan(query2(tenths=255)).at(QUIET + 10 * SECOND).expect(old())
    tap.at(60 * SECOND).expect()
