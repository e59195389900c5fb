"""An address is probed for, announced, defended and given up. RFC 5227."""

from itertools import pairwise

from sim.conformance.frames import (
    arp_probe,
    arp_reply,
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    wrapped,
)
from sim.conformance.registry import clause
from sim.conformance.script import NOBODY, OTHER_MAC, OUR_MAC, PEER, PEER_MAC, US, Script
from virtualtap.units import MS, SECOND, Instant
from virtualtap.wire.address import ANY4, BROADCAST, ip, mac

PROBE = arp_request(US, by=ANY4, at=OUR_MAC)
ANNOUNCEMENT = our_request(US)
CLAIMED = (PROBE, PROBE, PROBE, ANNOUNCEMENT, ANNOUNCEMENT)
THEIRS = arp_request(US, by=US, at=OTHER_MAC)  # another announces our address
PROBING, ANNOUNCING, DEFENDING = "RFC 5227, 2.1.1", "RFC 5227, 2.3", "RFC 5227, 2.4"
# the earliest and the latest instant at which a claim that began at 0 can succeed
SOONEST, LATEST = 4 * SECOND, 7 * SECOND


def probing(tap: Script) -> Script:
    return tap.start(claim="probed").at(0)


def claimed(tap: Script) -> Script:
    """The address is probed and announced, and nothing of it is left to expect."""
    return probing(tap).at(20 * SECOND).expect(*CLAIMED)


def when(tap: Script, sent: bytes) -> list[Instant]:
    """When this frame left, each time."""
    return [each.at for each in tap.exchange if not each.into and each.data == sent]


def objected(tap: Script, objection: bytes) -> None:
    """An objection just before a claim can succeed keeps the address from being taken."""
    probing(tap).at(SOONEST - 100 * MS).lan(objection)
    tap.at(LATEST).forget()
    assert when(tap, ANNOUNCEMENT) == [], "the address was taken all the same"


def not_objected(tap: Script, harmless: bytes) -> None:
    """What is no objection changes nothing and is not answered."""
    probing(tap).at(SOONEST - 100 * MS).lan(harmless)
    tap.at(20 * SECOND).expect(*CLAIMED)


def lost(tap: Script) -> Script:
    """Two conflicts in a row: the address is given up."""
    return tap.at(0).lan(THEIRS).expect(ANNOUNCEMENT).lan(THEIRS).expect()


# probing


@clause("virtualtap, claim", "unless it is configured, an address is neither probed nor announced")
def silent_by_default(tap: Script) -> None:
    tap.at(60 * SECOND).expect()


@clause(PROBING, "an address is probed three times, announced twice, and then is ours")
def probes_then_announcements(tap: Script) -> None:
    probing(tap).at(60 * SECOND).expect(*CLAIMED)


@clause(PROBING, "the first probe comes within a second")
def first_probe_comes_within_a_second(tap: Script) -> None:
    probing(tap).at(1 * SECOND).expect(PROBE)


@clause(PROBING, "probes are one to two seconds apart")
def probes_are_spaced(tap: Script) -> None:
    claimed(tap)
    gaps = [later - earlier for earlier, later in pairwise(when(tap, PROBE))]
    assert all(1 * SECOND <= gap <= 2 * SECOND for gap in gaps), f"gaps {gaps}"


@clause(PROBING, "the spacing of probes is random: two hosts do not probe in step")
def probes_are_spread(tap: Script) -> None:
    claimed(tap)
    first, second, third = when(tap, PROBE)
    assert len({first % SECOND, second % SECOND, third % SECOND}) == 3, "they come like a clock"


@clause(PROBING, "two seconds after the last probe the address is announced")
def announcement_follows_the_last_probe(tap: Script) -> None:
    claimed(tap)
    assert when(tap, ANNOUNCEMENT)[0] - when(tap, PROBE)[-1] == 2 * SECOND


@clause(PROBING, "a request for an address that is still probed is not answered")
def tentative_address_is_not_answered_for(tap: Script) -> None:
    not_objected(tap, arp_request())


@clause(PROBING, "a host's packet does not leave from an address that is still probed")
def tentative_address_sends_no_packet(tap: Script) -> None:
    probing(tap).at(SOONEST - 100 * MS).host(packet(PEER))
    tap.at(20 * SECOND).expect(*CLAIMED)


@clause(PROBING, "a host's broadcast does not leave from an address that is still probed")
def tentative_address_sends_no_broadcast(tap: Script) -> None:
    probing(tap).at(SOONEST - 100 * MS).host(packet(ip("255.255.255.255")))
    tap.at(20 * SECOND).expect(*CLAIMED)


@clause(PROBING, "a packet for an address that is still probed does not reach the host")
def tentative_address_receives_no_packet(tap: Script) -> None:
    not_objected(tap, frame(packet(US, source=PEER)))


@clause("RFC 2131, 4.1", "a host that asks for a lease speaks from no address, while one is probed")
def lease_is_asked_for_while_probing(tap: Script) -> None:
    discover = packet(ip("255.255.255.255"), source=ANY4)
    probing(tap).at(SOONEST - 100 * MS).host(discover).at(20 * SECOND)
    sent = (*(PROBE,) * 3, wrapped(discover, BROADCAST))
    seen = sorted(each.data for each in tap.exchange if not each.into and each.at <= LATEST)
    assert [data for data in seen if data != ANNOUNCEMENT] == sorted(sent)
    tap.forget()


# objections


@clause(PROBING, "a reply from the probed address means that another has it")
def reply_objects(tap: Script) -> None:
    objected(tap, arp_reply(US, at=OTHER_MAC))


@clause(PROBING, "a request from the probed address means that another has it")
def request_objects(tap: Script) -> None:
    objected(tap, arp_request(NOBODY, by=US, at=OTHER_MAC))


@clause(PROBING, "another's probe for the same address at the same time is an objection")
def simultaneous_probe_objects(tap: Script) -> None:
    objected(tap, arp_probe(at=OTHER_MAC))


@clause(PROBING, "an objection counts before the first probe is sent")
def objection_before_the_first_probe_counts(tap: Script) -> None:
    probing(tap).lan(THEIRS).at(SOONEST - 1).forget()
    assert when(tap, ANNOUNCEMENT) == []
    tap.at(20 * SECOND).forget()
    assert when(tap, ANNOUNCEMENT) != []


@clause(PROBING, "an objection counts until two seconds after the last probe")
def objection_after_the_last_probe_counts(tap: Script) -> None:
    probing(tap)
    while len(when(tap, PROBE)) < 3:
        assert tap.now < LATEST, "it stopped probing"
        tap.at(tap.now + 10 * MS)
    tap.at(when(tap, PROBE)[2] + 2 * SECOND - 1).lan(THEIRS).at(LATEST).forget()
    assert when(tap, ANNOUNCEMENT) == []


@clause(PROBING, "after an objection the address is probed anew, and taken if nobody objects again")
def objected_address_is_probed_anew(tap: Script) -> None:
    probing(tap).at(SOONEST - 100 * MS).forget()
    before = len(when(tap, PROBE))
    tap.lan(THEIRS).at(20 * SECOND).expect(*CLAIMED)
    assert before > 0


@clause(PROBING, "after ten conflicts there is no new attempt for a minute")
def ten_conflicts_make_patient(tap: Script) -> None:
    probing(tap)
    for number in range(10):
        tap.at(number * 10 * MS).lan(THEIRS)
    tap.forget().at(60 * SECOND).expect()
    tap.at(300 * SECOND).expect(*CLAIMED)


@clause(PROBING, "nine conflicts leave an attempt at once")
def nine_conflicts_do_not(tap: Script) -> None:
    probing(tap)
    for _ in range(9):
        tap.lan(THEIRS)
    tap.at(2 * SECOND).forget()
    assert when(tap, PROBE) != []


# no objections


@clause(PROBING, "our own probe that comes back is no objection")
def echo_of_our_probe_is_harmless(tap: Script) -> None:
    not_objected(tap, PROBE)


@clause(PROBING, "our own probe that a bridge sends back from its MAC is no objection")
def echo_through_a_bridge_is_harmless(tap: Script) -> None:
    not_objected(tap, arp_request(US, by=ANY4, at=OUR_MAC, link_source=OTHER_MAC))


@clause(PROBING, "another's probe for another address is no objection")
def probe_for_another_address_is_harmless(tap: Script) -> None:
    not_objected(tap, arp_probe(NOBODY, at=OTHER_MAC))


@clause("IEEE 802, I/G bit", "who claims our address from a group's MAC does not object")
def claim_from_a_group_is_harmless(tap: Script) -> None:
    group = mac("01:00:5e:00:00:01")
    not_objected(tap, arp_request(US, by=US, at=group, link_source=PEER_MAC))


# announcing


@clause(ANNOUNCING, "an address that was probed is answered for")
def claimed_address_is_answered_for(tap: Script) -> None:
    claimed(tap).lan(arp_request()).expect(our_reply())


@clause(ANNOUNCING, "packets leave from an address that was probed, and reach it")
def claimed_address_carries_packets(tap: Script) -> None:
    inside = packet(US, source=PEER)
    claimed(tap).host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))
    tap.lan(frame(inside)).expect_host(inside)


@clause(ANNOUNCING, "the two announcements are two seconds apart")
def announcements_are_two_seconds_apart(tap: Script) -> None:
    claimed(tap)
    first, second = when(tap, ANNOUNCEMENT)
    assert second - first == 2 * SECOND


@clause("virtualtap, claim", "an address may be announced without probing, and is used at once")
def announced_without_probing(tap: Script) -> None:
    tap.start(claim="announced").at(0).lan(arp_request()).expect(ANNOUNCEMENT, our_reply())
    tap.at(60 * SECOND).expect(ANNOUNCEMENT)


@clause(DEFENDING, "an address that is lost between its announcements is not announced again")
def lost_address_is_not_announced_again(tap: Script) -> None:
    tap.start(claim="announced").at(0).expect(ANNOUNCEMENT)
    tap.lan(THEIRS).expect(ANNOUNCEMENT).lan(THEIRS)
    tap.at(SOONEST - 1).forget()
    assert when(tap, ANNOUNCEMENT) == [0, 0]


# defending


@clause(DEFENDING, "another's announcement of our address is met by one of ours", "IWL:034")
def announcement_of_ours_is_met(tap: Script) -> None:
    tap.lan(THEIRS).expect(ANNOUNCEMENT)


@clause(DEFENDING, "another's reply from our address is met by an announcement", "IWL:035")
def reply_from_ours_is_met(tap: Script) -> None:
    tap.lan(arp_reply(US, at=OTHER_MAC, to=PEER_MAC, to_ip=PEER, link=BROADCAST))
    tap.expect(ANNOUNCEMENT)


@clause(DEFENDING, "another's request from our address is met by an announcement", "IWL:036")
def request_from_ours_is_met(tap: Script) -> None:
    tap.lan(arp_request(PEER, by=US, at=OTHER_MAC)).expect(ANNOUNCEMENT)


@clause(DEFENDING, "our own announcement that comes back is no conflict")
def echo_of_our_announcement_is_harmless(tap: Script) -> None:
    tap.lan(arp_request(US, by=US, at=OUR_MAC, link_source=OTHER_MAC)).lan(ANNOUNCEMENT).expect()
    tap.lan(THEIRS).expect(ANNOUNCEMENT)


@clause(DEFENDING, "a probe for an address in use is answered and is no conflict")
def probe_for_an_address_in_use_is_no_conflict(tap: Script) -> None:
    tap.at(0).lan(arp_probe(at=OTHER_MAC)).lan(arp_probe(at=OTHER_MAC))
    tap.expect(our_reply(OTHER_MAC, ANY4), our_reply(OTHER_MAC, ANY4))


@clause(DEFENDING, "a conflict after more than ten seconds is met again", "IWL:040")
def slow_conflicts_are_met(tap: Script) -> None:
    for number in range(4):
        tap.at(number * 11 * SECOND).lan(THEIRS).expect(ANNOUNCEMENT)
    tap.lan(arp_request()).expect(our_reply())


@clause(DEFENDING, "at a second conflict within ten seconds the address is given up", "IWL:043")
def fast_conflict_is_given_in_to(tap: Script) -> None:
    tap.at(0).lan(THEIRS).expect(ANNOUNCEMENT)
    tap.at(9 * SECOND).lan(THEIRS).lan(arp_request()).expect()


@clause(DEFENDING, "an address given up sends no packet to a neighbour that is known")
def lost_address_sends_no_packet(tap: Script) -> None:
    tap.lan(arp_request()).host(packet(PEER)).expect(our_reply(), wrapped(packet(PEER)))
    lost(tap).host(packet(PEER)).expect()


@clause(DEFENDING, "an address given up receives no packet")
def lost_address_receives_no_packet(tap: Script) -> None:
    inside = packet(US, source=PEER)
    tap.lan(frame(inside)).expect_host(inside)
    lost(tap).lan(frame(inside)).expect_host()


@clause(DEFENDING, "what waited for a neighbour is not sent from an address given up")
def lost_address_lets_nothing_wait(tap: Script) -> None:
    tap.host(packet(PEER)).expect(our_request(PEER))
    lost(tap).lan(arp_reply()).at(SOONEST - 1).forget()
    sent = {each.data for each in tap.exchange if each.side == "lan" and not each.into}
    assert sent == {our_request(PEER), ANNOUNCEMENT, PROBE}


@clause(DEFENDING, "an address given up is probed for before it is used again")
def lost_address_is_probed_for(tap: Script) -> None:
    lost(tap).at(20 * SECOND).expect(*CLAIMED)
    tap.lan(arp_request()).expect(our_reply())


@clause("RFC 5227, 2.4 (a)", "who never defends gives up at the first conflict")
def never_defending_gives_up_at_once(tap: Script) -> None:
    tap.start(defend="never").at(0).lan(THEIRS).lan(arp_request()).expect()


@clause(
    "RFC 5227, 2.4 (c)", "who always defends stays, but answers only one conflict in ten seconds"
)
def always_defending_stays(tap: Script) -> None:
    tap.start(defend="always").at(0)
    for second in range(9):
        tap.at(second * SECOND).lan(THEIRS)
    tap.expect(ANNOUNCEMENT).lan(arp_request()).expect(our_reply())
    tap.at(11 * SECOND).lan(THEIRS).expect(ANNOUNCEMENT)
