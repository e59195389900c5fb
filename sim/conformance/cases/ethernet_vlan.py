"""Ethernet: tags. IEEE 802.1Q."""

from sim.conformance.frames import (
    arp_reply,
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    solicitation,
    wrapped,
)
from sim.conformance.packets import in_snap, tagged, to_us, to_us6
from sim.conformance.registry import clause
from sim.conformance.script import OUR_MAC, PEER, PEER_MAC, Script
from virtualtap.wire.address import BROADCAST, ip

EVERYONE = ip("255.255.255.255")


def meet_in_vlan(tap: Script) -> Script:
    """In VLAN 10, a peer's MAC is known."""
    tap.start(vlan_id=10)
    return tap.lan(tagged(arp_request(), 10)).expect(tagged(our_reply(), 10))


@clause("IEEE 802.1Q, 6.9.1", "a tag that only says a priority is read", "TC8:VLAN_VID_0")
def priority_tag_is_read(tap: Script) -> None:
    tap.lan(tagged(frame(to_us()), 0, priority=5)).expect_host(to_us())


@clause("IEEE 802.1Q, 6.9.1", "a priority tag around IPv6 is read")
def priority_tag_around_ipv6_is_read(tap: Script) -> None:
    tap.lan(tagged(frame(to_us6()), 0, priority=7)).expect_host(to_us6())


@clause("IEEE 802.1Q, 6.9.1", "a request with a priority tag is answered without one")
def request_with_priority_tag_is_answered(tap: Script) -> None:
    tap.lan(tagged(arp_request(), 0, priority=6)).expect(our_reply())


@clause("IEEE 802.1Q, 6.9", "without a VLAN of ours, frames of any VLAN are left alone")
def other_vlan_is_left_alone(tap: Script) -> None:
    tap.lan(tagged(frame(to_us()), 1))
    tap.lan(tagged(arp_request(), 10))


@clause("IEEE 802.1Q, 9.6", "the reserved VLAN 4095 is left alone")
def reserved_vlan_is_left_alone(tap: Script) -> None:
    tap.lan(tagged(frame(to_us()), 4095))


@clause("IEEE 802.1Q, 6.9", "a frame with two tags is left alone, even if the outer one is ours")
def second_tag_is_left_alone(tap: Script) -> None:
    tap.lan(tagged(tagged(frame(to_us()), 0), 0))
    tap.lan(tagged(tagged(frame(to_us()), 10), 0))


@clause("IEEE 802.1Q, 9.3", "a frame cut inside its tag is left alone")
def cut_tag_is_left_alone(tap: Script) -> None:
    for length in (14, 15, 16, 17):
        tap.lan(tagged(frame(to_us()), 0)[:length])


@clause("IEEE 802.1Q, 9.3", "a tagged frame of minimum size is cut where its packet ends")
def padding_of_a_tagged_frame_is_cut(tap: Script) -> None:
    tap.lan(tagged(frame(to_us()), 0).ljust(64, b"\xa5")).expect_host(to_us())


@clause("RFC 1122, 2.3.3", "a tag around RFC 1042 is read")
def tag_around_snap_is_read(tap: Script) -> None:
    tap.lan(tagged(in_snap(frame(to_us())), 0)).expect_host(to_us())


@clause("IEEE 802.1Q, 6.9", "in our VLAN a packet leaves with our tag")
def packet_leaves_with_our_tag(tap: Script) -> None:
    meet_in_vlan(tap).host(packet(PEER)).expect(tagged(wrapped(packet(PEER)), 10))
    tap.host(packet(PEER)).expect(tagged(wrapped(packet(PEER)), 10))


@clause("IEEE 802.1Q, 6.9", "in our VLAN a broadcast packet leaves with our tag")
def broadcast_leaves_with_our_tag(tap: Script) -> None:
    tap.start(vlan_id=10).host(packet(EVERYONE))
    tap.expect(tagged(BROADCAST + OUR_MAC + b"\x08\x00" + packet(EVERYONE), 10))


@clause("IEEE 802.1Q, 6.9", "in our VLAN we ask with our tag, and what waited leaves with it")
def question_and_what_waited_leave_with_our_tag(tap: Script) -> None:
    tap.start(vlan_id=10).host(packet(PEER)).expect(tagged(our_request(PEER), 10))
    tap.lan(tagged(arp_reply(), 10)).expect(tagged(wrapped(packet(PEER)), 10))


@clause("IEEE 802.1Q, 6.9", "a frame of our VLAN comes in without its tag, at any priority")
def frame_of_our_vlan_comes_in(tap: Script) -> None:
    meet_in_vlan(tap).lan(tagged(frame(to_us()), 10, priority=3)).expect_host(to_us())
    tap.lan(tagged(frame(to_us()), 10)).expect_host(to_us())


@clause("IEEE 802.1Q, 6.9", "in our VLAN an untagged frame is left alone, after ours too")
def untagged_frame_is_left_alone_in_a_vlan(tap: Script) -> None:
    meet_in_vlan(tap).lan(frame(to_us()))
    tap.lan(tagged(frame(to_us()), 10)).expect_host(to_us())
    tap.lan(frame(to_us())).lan(arp_request())


@clause("IEEE 802.1Q, 6.9", "in our VLAN a tag that only says a priority is left alone")
def priority_tag_is_left_alone_in_a_vlan(tap: Script) -> None:
    meet_in_vlan(tap).lan(tagged(frame(to_us()), 0, priority=3))


@clause("IEEE 802.1Q, 6.9", "in our VLAN the frames of another one are left alone")
def another_vlan_is_left_alone_in_a_vlan(tap: Script) -> None:
    meet_in_vlan(tap).lan(tagged(frame(to_us()), 11)).lan(tagged(arp_request(), 266))


@clause("IEEE 802.1Q, 6.9", "in our VLAN a neighbor solicitation is answered with our tag")
def solicitation_is_answered_with_our_tag(tap: Script) -> None:
    tap.start(vlan_id=10).lan(solicitation())
    tap.lan(tagged(solicitation(), 10))
    answered = tap.frames()
    assert [data[:16] for data in answered] == [PEER_MAC + OUR_MAC + b"\x81\x00\x00\x0a"]
    assert answered[0][16:18] == b"\x86\xdd", "an advertisement inside"


@clause("IEEE 802.1Q, G.2.3", "a tag does not count: 1500 bytes of packet leave in 1518")
def tag_does_not_count_for_the_length(tap: Script) -> None:
    long = packet(PEER, payload=bytes(1480))
    meet_in_vlan(tap).host(long).expect(tagged(wrapped(long), 10))


@clause("IEEE 802.1Q, 6.9", "every fragment leaves with our tag")
def every_fragment_leaves_with_our_tag(tap: Script) -> None:
    meet_in_vlan(tap).host(packet(PEER, payload=bytes(1481)))
    sent = tap.frames()
    assert [data[:18] for data in sent] == [tagged(wrapped(packet(PEER)), 10)[:18]] * 2
    assert [len(data) for data in sent] == [1518, 18 + 20 + 1]
