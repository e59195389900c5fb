"""Which groups of IPv6 we are in, said to routers. RFC 2710, RFC 3590, RFC 3810, RFC 4861 7.2.1."""

from sim.conformance.frames import frame, packet6
from sim.conformance.frames6 import FAR6, LINK_LOCAL, dad, na, prefix, ra, rs
from sim.conformance.membership import (
    ALL_ROUTERS6,
    IS_EX,
    IS_IN,
    MDNS6,
    NODE6,
    OWN6,
    QUIET,
    REPORTS6,
    SSDP6,
    TO_EX,
    TO_IN,
    asks1,
    asks2,
    listeners,
    old6,
    ours6,
    said6,
    seen,
    spoiled,
    theirs6,
)
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, OUR_MAC, PEER6, US6, Script, without_nonce
from virtualtap.units import MS, SECOND
from virtualtap.wire import mld
from virtualtap.wire.address import ALL_NODES6, ANY6, ip, multicast_mac6, solicited_node
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.mld import Mld, MldQuery

PRESENT = 260 * SECOND  # RFC 3810 9.12: 2 times 125 s and 10 s
NODE_OF_FORMED = solicited_node(LINK_LOCAL)  # all our autonomous addresses end alike


@clause("RFC 3810, 6.1", "groups are said at once and once more, from our link-local address")
def groups_are_said_twice(tap: Script) -> None:
    tap.start(groups=(MDNS6,), our_ip6=(OWN6,)).at(0).expect(ours6(TO_EX, MDNS6, NODE6))
    tap.at(SECOND).expect(ours6(TO_EX, MDNS6, NODE6)).at(600 * SECOND).expect()


@clause("RFC 3810, 5.2.13", "without a link-local address a report is from nobody")
def report_without_link_local_address_is_from_nobody(tap: Script) -> None:
    tap.start(groups=(MDNS6,), our_ip6=(US6,)).at(0).expect(ours6(TO_EX, MDNS6, NODE6, by=ANY6))
    tap.at(QUIET).forget()


@clause("RFC 3810, 6", "nobody says that it is in ff02::1, nor what stays inside a host")
def everybodys_group_is_not_said_in_ipv6(tap: Script) -> None:
    groups = (ALL_NODES6, ip("ff01::fb"), ip("ff10::1"), MDNS6)
    tap.start(groups=groups, our_ip6=(OWN6,)).at(0).expect(ours6(TO_EX, MDNS6, NODE6))
    tap.at(QUIET).forget()


@clause("RFC 4861, 7.2.1", "the groups in which our addresses are asked for are said, each once")
def groups_of_addresses_are_said(tap: Script) -> None:
    tap.start(groups=(MDNS6,), our_ip6=(OWN6, US6, ip("fd00::7"))).at(0)
    expected = [(TO_EX, MDNS6), (TO_EX, NODE6), (TO_EX, ip("ff02::1:ff00:7"))]
    assert seen(tap.frames()) == sorted(expected)
    tap.at(QUIET).forget()


@clause("RFC 3810, 6", "without groups nothing is said, and the host answers for itself")
def without_groups_the_host_answers_in_ipv6(tap: Script) -> None:
    for asked in (asks2(), asks1(), theirs6()):
        tap.lan(asked).expect_host(asked[14:])
    tap.at(300 * SECOND).expect()


@clause("RFC 3810, 6.2", "a query is answered in time, with all groups; the host never sees it")
def general_query_is_answered_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6)
    for _ in range(4):
        tap.lan(asks2(delay=300)).expect_host().at(tap.now + 300 * MS)
        tap.expect(ours6(IS_EX, MDNS6, NODE6))


@clause("RFC 3810, 5.1.3", "a code of 32768 and more is a number with an exponent")
def long_time_is_used_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6)
    waits = []
    for _ in range(8):  # code 0x8fa0: (0xfa0 | 0x1000) << 3 ms
        begin = tap.lan(asks2(delay=0x8FA0)).now
        waits.append(tap.until_sent(begin + 64_768 * MS).now - begin)
        tap.expect(ours6(IS_EX, MDNS6, NODE6))
    assert max(waits) > 36_768 * MS, f"answered within {max(waits)} ns"


@clause("RFC 3810, 6.2", "a query for one group is answered for it, for another one not")
def specific_query_is_answered_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks2(MDNS6)).lan(asks2(SSDP6)).at(20 * SECOND)
    tap.expect(ours6(IS_EX, MDNS6))


@clause("RFC 3810, 6.2", "asked for sources, we want them: no source is excluded")
def query_for_sources_is_answered_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks2(MDNS6, (FAR6, PEER6))).at(20 * SECOND)
    tap.expect(ours6(IS_IN, MDNS6, sources=(FAR6, PEER6)))


@clause("RFC 3810, 6.2", "a query from beyond the link, or from nobody, is not answered")
def query_from_elsewhere_is_ignored(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks2(by=PEER6)).lan(asks2(by=ANY6)).lan(asks1(by=PEER6))
    tap.at(30 * SECOND).expect().expect_host()


@clause("RFC 3810, 6.2", "a query with another hop limit than 1 is not answered")
def query_with_other_hop_limit_is_ignored(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks2(hop_limit=2)).lan(asks2(hop_limit=255)).at(30 * SECOND)


@clause("RFC 3810, 6.2", "a query without a router alert is not answered")
def query_without_alert_is_ignored_in_ipv6(tap: Script) -> None:
    padding, other = bytes.fromhex("3a00010400000000"), bytes.fromhex("3a00050200010100")
    listeners(tap, MDNS6).lan(asks2(options=b"")).lan(asks2(options=padding))
    tap.lan(asks2(options=other)).at(30 * SECOND).expect().expect_host()


@clause("RFC 2711, 2.1", "a router alert is found behind other options")
def alert_behind_options_is_found_in_ipv6(tap: Script) -> None:
    options = bytes.fromhex("3a01 00 0100 1e0100 05020000 01020000")
    listeners(tap, MDNS6).lan(asks2(options=options)).at(20 * SECOND)
    tap.expect(ours6(IS_EX, MDNS6, NODE6))


@clause("RFC 2710, 4", "a query with a wrong checksum is not answered")
def query_with_wrong_checksum_is_ignored_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6).lan(spoiled(asks2())).lan(spoiled(asks1())).at(30 * SECOND)


@clause("RFC 3810, 8.1", "a query of 25 to 27 bytes is of no version, and is not answered")
def query_of_no_version_is_ignored_in_ipv6(tap: Script) -> None:
    by = ip("fe80::1")
    body = MldQuery(ANY6, code=1000, flags=0, interval_code=0).to_bytes()[:26]
    value = -(sum(by[i] << 8 | by[i + 1] for i in range(0, 16, 2))) % 0xFFFF
    value = (value - 0xFF02 - 1 - 26 - 58 - 0x8200 - 1000) % 0xFFFF
    body = body[:2] + value.to_bytes(2) + body[4:]
    inside = Ipv6(by, ALL_NODES6, 0, mld.ALERT + body, 1).to_bytes()
    listeners(tap, MDNS6).lan(frame(inside, to=multicast_mac6(ALL_NODES6))).at(30 * SECOND)


@clause("RFC 3810, 5.1.15", "a query to our own address is answered")
def query_to_us_is_answered_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks2(to=OWN6, mac=OUR_MAC)).at(20 * SECOND)
    tap.expect(ours6(IS_EX, MDNS6, NODE6)).expect_host()


@clause("RFC 3810, 5.1.15", "a query to an address that is not ours is not answered")
def query_to_another_is_ignored(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks2(to=SSDP6)).lan(asks2(to=REPORTS6)).at(30 * SECOND)


@clause("RFC 2710, 4", "a router of version 1 gets answers of version 1, each to its group")
def version_1_is_answered_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks1(delay=500)).at(QUIET + 500 * MS)
    assert set(tap.frames()) == {old6(), old6(NODE6)}


@clause("RFC 3810, 9.12", "260 s after the last router of version 1 the newest is spoken")
def version_1_ends(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks1()).at(20 * SECOND).forget()
    tap.at(QUIET + PRESENT - 1).lan(asks2(MDNS6, delay=0)).at(QUIET + PRESENT - 1).expect(old6())
    tap.at(QUIET + PRESENT).lan(asks2(MDNS6)).at(300 * SECOND).expect(ours6(IS_EX, MDNS6))


@clause("RFC 2710, 4", "what another listener reported first we do not report")
def report_of_another_suffices_in_ipv6(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks1()).lan(theirs6()).at(60 * SECOND).expect(old6(NODE6))


@clause("RFC 2710, 3", "a report that is not from a link-local address silences nobody")
def report_from_elsewhere_silences_nobody(tap: Script) -> None:
    listeners(tap, MDNS6).lan(asks1()).lan(theirs6(by=PEER6)).lan(theirs6(by=ANY6))
    tap.at(60 * SECOND)
    assert set(tap.frames()) == {old6(), old6(NODE6)}


@clause("RFC 4862, 5.4.2", "the group of an address is joined before the address is probed")
def group_is_joined_before_the_probe(tap: Script) -> None:
    tap.start(groups=(MDNS6,), dad=True, our_ip6=(US6,)).at(0)
    tap.expect(ours6(TO_EX, MDNS6, by=ANY6)).at(5 * SECOND)
    frames = tuple(map(without_nonce, tap.frames()))
    asked = frames.index(dad())
    assert (TO_EX, NODE6) in seen(frames[:asked])
    assert all(frame != dad() for frame in frames[asked + 1 :])


@clause("RFC 3590, 4", "once a link-local address is ours all groups are said again, from it")
def new_link_local_address_says_all(tap: Script) -> None:
    tap.start(groups=(MDNS6,), dad=True, our_ip6=(OWN6,)).at(5 * SECOND)
    assert tap.frames()[-2:] == (ours6(TO_EX, MDNS6, NODE6),) * 2


@clause("RFC 3810, 6.1", "the group of an address that another has is left, and that is said")
def group_of_a_lost_address_is_left(tap: Script) -> None:
    tap.start(groups=(MDNS6,), dad=True, our_ip6=(US6,)).at(SECOND).forget()
    tap.lan(na(0, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6)).at(10 * SECOND)
    assert (TO_IN, NODE6) in seen(tap.frames())
    tap.lan(asks2()).at(30 * SECOND).expect(ours6(IS_EX, MDNS6, by=ANY6))


@clause("RFC 2710, 4", "in version 1 who reported last says that it leaves, to all routers")
def last_reporter_says_that_it_leaves(tap: Script) -> None:
    tap.start(groups=(MDNS6,), dad=True, dad_transmits=30, our_ip6=(US6,)).at(QUIET)
    tap.lan(asks1()).at(20 * SECOND).forget()
    tap.lan(na(0, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6))
    tap.expect(said6(Mld(mld.DONE, NODE6), ALL_ROUTERS6, by=ANY6, at=OUR_MAC))
    tap.at(60 * SECOND).expect()


@clause("RFC 2710, 4", "in version 1 who did not report last leaves silently")
def silent_member_leaves_silently(tap: Script) -> None:
    tap.start(groups=(MDNS6,), dad=True, dad_transmits=30, our_ip6=(US6,)).at(QUIET)
    tap.lan(asks1()).lan(theirs6(NODE6)).at(20 * SECOND).forget()
    tap.lan(na(0, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6)).at(60 * SECOND).expect()


@clause("RFC 3810, 6.1", "the group of an address is left when its time is over")
def group_of_an_ended_address_is_left(tap: Script) -> None:
    short = prefix(valid=9000, preferred=60)
    tap.start(groups=(MDNS6,), slaac=True, our_ip6=(ip("fe80::9"),)).at(5 * SECOND).forget()
    tap.lan(ra(options=(short,))).at(20 * SECOND)
    joined = [frame for frame in tap.frames() if frame[20] == 0]
    assert seen(tuple(joined)) == [(TO_EX, NODE_OF_FORMED)] * 2
    tap.at(9004 * SECOND).forget()
    tap.at(9007 * SECOND)
    assert seen(tap.frames()) == [(TO_IN, NODE_OF_FORMED)] * 2


@clause("RFC 3810, 6", "what is no membership message still goes where it went")
def other_icmp_goes_where_it_went(tap: Script) -> None:
    echo = packet6(OWN6, source=PEER6)
    listeners(tap, MDNS6).lan(rs()).expect_host().lan(frame(echo)).expect_host(echo)
