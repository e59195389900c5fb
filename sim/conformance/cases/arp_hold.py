"""What waits for ARP, how often is asked, and how long an answer lasts. RFC 1122 2.3.2."""

from itertools import pairwise

from sim.conformance.frames import arp_reply, arp_request, our_reply, our_request, packet, wrapped
from sim.conformance.registry import clause
from sim.conformance.script import (
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    OTHER,
    OTHER_MAC,
    PEER,
    Script,
)
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import ip
from virtualtap.wire.ethernet import ARP

HOLD, FLOOD, AGE = "RFC 1122, 2.3.2.2", "RFC 1122, 2.3.2.1: flooding", "RFC 1122, 2.3.2.1: timeout"
STORM = "SoftEther, Hub.c:CheckBroadcastStorm"
FAR = ip("192.0.2.9")
FIRST, SECOND_ONE, THIRD = (packet(PEER, identification=number) for number in (1, 2, 3))
MANY = [bytes((10, 0, 0, last)) for last in range(100, 200)]


def asked(tap: Script) -> list[int]:
    """When each ARP request left, in order."""
    return [each.at for each in tap.exchange if not each.into and each.data[12:14] == ARP]


# what waits


@clause(HOLD, "the packet that waited is sent when the answer comes")
def held_packet_is_released(tap: Script) -> None:
    tap.host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@clause(HOLD, "what waited is sent in the order in which it came")
def held_packets_keep_their_order(tap: Script) -> None:
    tap.host(FIRST).host(SECOND_ONE).host(THIRD).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(FIRST), wrapped(SECOND_ONE), wrapped(THIRD))


@clause(HOLD, "where one packet may wait it is the latest")
def latest_packet_is_held(tap: Script) -> None:
    tap.start(held_packets_max=1)
    tap.host(FIRST).host(SECOND_ONE).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(SECOND_ONE))


@clause(HOLD, "where two packets may wait the oldest of three goes")
def oldest_packet_goes(tap: Script) -> None:
    tap.start(held_packets_max=2)
    tap.host(FIRST).host(SECOND_ONE).host(THIRD).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(SECOND_ONE), wrapped(THIRD))


@clause(HOLD, "an answer lets go only what waited for that neighbour")
def each_neighbor_has_its_own_packets(tap: Script) -> None:
    tap.host(packet(PEER)).host(packet(OTHER)).expect(our_request(PEER), our_request(OTHER))
    tap.lan(arp_reply(OTHER, at=OTHER_MAC)).expect(wrapped(packet(OTHER), OTHER_MAC))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@clause(HOLD, "what waited is sent once, not again at the next answer")
def held_packet_is_released_once(tap: Script) -> None:
    tap.host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply()).lan(arp_reply()).expect(wrapped(packet(PEER)))


@clause(HOLD, "packets for two far hosts wait together for the gateway")
def far_packets_wait_together(tap: Script) -> None:
    far, farther = packet(FAR), packet(ip("198.51.100.1"))
    tap.host(far).host(farther).expect(our_request(GATEWAY))
    tap.lan(arp_reply(GATEWAY, at=GATEWAY_MAC))
    tap.expect(wrapped(far, GATEWAY_MAC), wrapped(farther, GATEWAY_MAC))


@clause(HOLD, "one who is waited for keeps its place in a full table")
def awaited_neighbor_keeps_its_place(tap: Script) -> None:
    tap.start(neighbors_max=1)
    tap.host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_request(by=OTHER, at=OTHER_MAC)).expect(our_reply(OTHER_MAC, OTHER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@clause("RFC 1122, 2.3.2.1", "strangers who ask for us do not push the gateway out of a full table")
def gateway_keeps_its_place(tap: Script) -> None:
    tap.start(neighbors_max=2)
    tap.lan(arp_request(by=GATEWAY, at=GATEWAY_MAC))
    tap.lan(arp_request()).lan(arp_request(by=OTHER, at=OTHER_MAC)).forget()
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), GATEWAY_MAC))


# how often is asked


@clause(FLOOD, "more packets for one neighbour do not ask again")
def more_packets_do_not_ask_again(tap: Script) -> None:
    tap.host(FIRST).expect(our_request(PEER))
    tap.at(500 * MS).host(SECOND_ONE).expect()
    tap.lan(arp_reply()).expect(wrapped(FIRST), wrapped(SECOND_ONE))


@clause(FLOOD, "unanswered requests are not repeated faster than once a second")
def requests_are_a_second_apart(tap: Script) -> None:
    tap.at(0).host(packet(NOBODY)).expect(our_request(NOBODY))
    tap.at(1 * SECOND - 1).expect()
    tap.at(1 * SECOND).expect(our_request(NOBODY))


@clause("RFC 1122, 2.3.2.1", "a request that is lost is repeated, and the second is enough")
def lost_request_is_repeated(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).expect(our_request(PEER))
    tap.at(1 * SECOND).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@clause(FLOOD, "after the third request in vain nobody is asked any more")
def three_requests_are_enough(tap: Script) -> None:
    tap.at(0).host(packet(NOBODY)).at(60 * SECOND)
    tap.expect(our_request(NOBODY), our_request(NOBODY), our_request(NOBODY))


@clause(FLOOD, "an answer ends the asking")
def answer_ends_the_asking(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))
    tap.at(10 * SECOND).expect()


@clause(HOLD, "what waited in vain is dropped: a late answer sends nothing")
def late_answer_releases_nothing(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).at(10 * SECOND).forget()
    tap.lan(arp_reply()).expect()


@clause(FLOOD, "after giving up a new packet asks anew")
def new_packet_asks_anew(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).at(10 * SECOND).forget()
    tap.host(FIRST).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(FIRST))


@clause(FLOOD, "packets that never stop ask no more than once a second, across giving up")
def asking_is_paced_across_giving_up(tap: Script) -> None:
    for tenth in range(100):
        tap.at(tenth * 100 * MS).host(packet(NOBODY))
    times = asked(tap)
    assert all(later - earlier >= SECOND for earlier, later in pairwise(times))
    assert len(times) >= 5, "it stopped asking"
    tap.forget()


@clause(FLOOD, "one whose place in the table was taken is not asked for again within the second")
def asking_is_paced_across_eviction(tap: Script) -> None:
    tap.start(neighbors_max=1)
    tap.at(0).host(packet(PEER)).lan(arp_reply()).forget()
    tap.at(100 * MS).lan(arp_request(by=OTHER, at=OTHER_MAC)).forget()
    tap.host(packet(PEER)).at(1 * SECOND - 1).expect()
    tap.at(1 * SECOND).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@clause(STORM, "a hundred neighbours at once are not asked for in one burst: 15 in 500 ms at most")
def burst_stays_below_a_hubs_limit(tap: Script) -> None:
    tap.at(0)
    for neighbor in MANY:
        tap.host(packet(neighbor))
    tap.at(20 * SECOND).forget()
    times = asked(tap)
    window = 500 * MS
    counts = [sum(start <= time <= start + window for time in times) for start in times]
    most = max(counts, default=0)
    assert most <= 15, f"{most} requests within 500 ms"


@clause(STORM, "whoever waits for a turn is asked for in the end")
def everyone_gets_a_turn(tap: Script) -> None:
    tap.at(0)
    for neighbor in MANY:
        tap.host(packet(neighbor))
    tap.at(60 * SECOND).forget()
    sent = {each.data[38:42] for each in tap.exchange if each.side == "lan" and not each.into}
    assert sent == set(MANY), f"{len(sent)} of {len(MANY)} were asked for"


@clause(STORM, "a packet whose neighbour waits for a turn is held and sent")
def packets_wait_for_the_turn(tap: Script) -> None:
    tap.at(0)
    for neighbor in MANY:
        tap.host(packet(neighbor))
    last = packet(MANY[-1])
    tap.forget().lan(arp_reply(MANY[-1])).expect(wrapped(last))
    tap.at(60 * SECOND).forget()


# how long an answer lasts


@clause(AGE, "after its lifetime a neighbour is asked for again", "TC8:ARP_48")
def idle_neighbor_is_asked_for_again(tap: Script) -> None:
    tap.start(neighbor_lifetime=60 * SECOND).at(0)
    tap.lan(arp_request()).expect(our_reply())
    tap.at(60 * SECOND).host(FIRST).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(FIRST))


@clause(AGE, "until its lifetime ends a neighbour is not asked for")
def young_neighbor_is_not_asked_for(tap: Script) -> None:
    tap.start(neighbor_lifetime=60 * SECOND).at(0)
    tap.lan(arp_request()).expect(our_reply())
    tap.at(60 * SECOND - 1).host(FIRST).expect(wrapped(FIRST))


@clause(AGE, "use does not lengthen a neighbour's lifetime", "TC8:ARP_49")
def busy_neighbor_is_asked_for_again(tap: Script) -> None:
    tap.start(neighbor_lifetime=60 * SECOND).at(0)
    tap.lan(arp_request()).expect(our_reply())
    for second in range(10, 60, 10):
        tap.at(second * SECOND).host(FIRST).expect(wrapped(FIRST))
    tap.at(60 * SECOND).host(FIRST).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(FIRST))


@clause(AGE, "a neighbour that is heard again lives on")
def heard_neighbor_lives_on(tap: Script) -> None:
    tap.start(neighbor_lifetime=60 * SECOND).at(0)
    tap.lan(arp_request()).at(50 * SECOND).lan(arp_request()).forget()
    tap.at(100 * SECOND).host(FIRST).expect(wrapped(FIRST))


@clause(AGE, "a neighbour that is too old gets no frame at its last MAC")
def old_mac_is_not_used(tap: Script) -> None:
    tap.start(neighbor_lifetime=60 * SECOND).at(0)
    tap.lan(arp_request()).host(FIRST).forget()
    tap.at(61 * SECOND).host(SECOND_ONE).expect(our_request(PEER))
    tap.lan(arp_reply(at=OTHER_MAC)).expect(wrapped(SECOND_ONE, OTHER_MAC))
