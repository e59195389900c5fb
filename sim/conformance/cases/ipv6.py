"""IPv6: where a packet goes, what it must be, what is too long. RFC 8200, 2464, 4291, 4443."""

from sim.conformance.frames import EXPERIMENT, frame, packet6, patched, wrapped
from sim.conformance.packets import SYN, meet6, mss, ours, segment, tcp6, to_us6, too_big
from sim.conformance.registry import clause
from sim.conformance.script import (
    GATEWAY6,
    GATEWAY_MAC,
    OUR_MAC,
    PEER6,
    PEER_MAC,
    US6,
    Script,
)
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, Mac, ip, mac, multicast_mac6, solicited_node
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv6 import ICMPV6, Ipv6

NOBODY, LOOPBACK, ALL_NODES, MDNS = ip("::"), ip("::1"), ip("ff02::1"), ip("ff02::fb")
FAR = ip("2001:db8::9")


def check_mac(tap: Script, group: str, expected: Mac) -> None:
    """The group's packet goes to that MAC, and nobody is asked for."""
    tap.host(packet6(ip(group))).expect(ours(packet6(ip(group)), expected))


def sent_group(tap: Script, group: bytes) -> Script:
    """A group's packet comes from the LAN."""
    return tap.lan(frame(to_us6(to=group), to=multicast_mac6(group)))


@clause("RFC 2464, 7", "a group's packet goes to 33:33 and the last four bytes of the group")
def group_has_its_own_mac(tap: Script) -> None:
    check_mac(tap, "ff02::fb", mac("33:33:00:00:00:fb"))
    check_mac(tap, "ff05::8765:4321", mac("33:33:87:65:43:21"))


@clause("RFC 2464, 7", "the packet for a solicited-node group goes to 33:33:ff and three bytes")
def solicited_node_group_has_its_mac(tap: Script) -> None:
    check_mac(tap, "ff02::1:ff12:3456", mac("33:33:ff:12:34:56"))


@clause("RFC 4861, 5.2", "a group needs no router")
def group_needs_no_router(tap: Script) -> None:
    tap.start(gateway_ip6=None)
    check_mac(tap, "ff02::fb", mac("33:33:00:00:00:fb"))


@clause("RFC 4861, 5.2", "a neighbor gets its packets itself, not by the router")
def neighbor_gets_its_packets_itself(tap: Script) -> None:
    meet6(meet6(tap, GATEWAY6, GATEWAY_MAC)).host(packet6()).expect(wrapped(packet6()))


@clause("RFC 4861, 5.2", "what is for another network goes to the router")
def far_destination_goes_to_the_router(tap: Script) -> None:
    meet6(tap, GATEWAY6, GATEWAY_MAC)
    tap.host(packet6(FAR)).expect(wrapped(packet6(FAR), GATEWAY_MAC))


@clause("RFC 8200, 3", "every byte leaves as it came: class, flow label, hop limit, extensions")
def packet_leaves_unchanged(tap: Script) -> None:
    options = bytes((EXPERIMENT, 0, 1, 4, 0, 0, 0, 0)) + b"behind options"
    whole = Ipv6(US6, PEER6, 0, options, 1, traffic_class=0xB8, flow_label=0x12345).to_bytes()
    meet6(tap).host(whole).expect(wrapped(whole))


@clause("RFC 8200, 3", "every byte comes in as it came: hop limit zero too, for it has arrived")
def packet_comes_in_unchanged(tap: Script) -> None:
    options = bytes((EXPERIMENT, 0, 1, 4, 0, 0, 0, 0)) + b"behind options"
    whole = Ipv6(PEER6, US6, 60, options, 0, traffic_class=0xB8, flow_label=0x12345).to_bytes()
    tap.lan(frame(whole)).expect_host(whole)


@clause("RFC 8200, 3", "a payload length of more than came is refused on both sides")
def length_beyond_the_end_is_refused(tap: Script) -> None:
    meet6(tap).lan(frame(to_us6())[:-1]).host(packet6()[:-1])
    tap.lan(frame(patched(to_us6(), 4, b"\xff\xff"))).host(patched(packet6(), 4, b"\xff\xff"))


@clause("RFC 8200, 3", "less than 40 bytes is no packet")
def less_than_a_header_is_refused(tap: Script) -> None:
    meet6(tap).lan(frame(to_us6(payload=b""))[:53]).host(packet6(payload=b"")[:39])


@clause("RFC 2464, 3", "another version inside the type of IPv6 is left alone")
def other_version_is_left_alone(tap: Script) -> None:
    for version in (b"\x45", b"\x00", b"\x75"):
        tap.lan(patched(frame(to_us6()), 14, version))


@clause("RFC 8200, 3", "what stands behind a packet is not sent")
def nothing_behind_a_packet_is_sent(tap: Script) -> None:
    meet6(tap).host(packet6() + b"behind").expect(wrapped(packet6()))


@clause("RFC 4291, 2.7", "a group is no source")
def group_is_no_source(tap: Script) -> None:
    meet6(tap).lan(frame(to_us6(source=ALL_NODES))).host(packet6(source=ALL_NODES))


@clause("RFC 4291, 2.5.3", "the loopback address is no source on a link")
def loopback_is_no_source(tap: Script) -> None:
    meet6(tap).lan(frame(to_us6(source=LOOPBACK))).host(packet6(source=LOOPBACK))


@clause("RFC 4291, 2.5.3", "the loopback address is no destination on a link")
def loopback_is_no_destination(tap: Script) -> None:
    tap.start(our_ip6=()).lan(frame(to_us6(to=LOOPBACK))).host(packet6(LOOPBACK))


@clause("RFC 4291, 2.5.2", "who has no address yet does not speak to one host")
def unspecified_does_not_speak_to_one_host(tap: Script) -> None:
    meet6(tap).lan(frame(to_us6(source=NOBODY))).host(packet6(source=NOBODY))


@clause("RFC 4291, 2.5.2", "who has no address yet may speak to a group: it probes or reports")
def unspecified_speaks_to_a_group(tap: Script) -> None:
    said = packet6(MDNS, source=NOBODY)
    tap.host(said).expect(ours(said, multicast_mac6(MDNS)))


@clause("RFC 4291, 2.5.2", "nothing is sent to the unspecified address")
def nothing_is_sent_to_nobody(tap: Script) -> None:
    meet6(tap, GATEWAY6, GATEWAY_MAC).host(packet6(NOBODY))


@clause("RFC 4291, 2.7", "a group of one interface stays inside the host")
def group_of_one_interface_stays(tap: Script) -> None:
    sent_group(tap, ip("ff01::1")).host(packet6(ip("ff01::1")))


@clause("RFC 4291, 2.7", "a group of the reserved scope 0 is neither sent nor taken in")
def group_of_reserved_scope_is_refused(tap: Script) -> None:
    sent_group(tap, ip("ff00::1")).host(packet6(ip("ff00::1")))


@clause("RFC 4291, 2.8", "a packet for another address is left alone")
def packet_for_another_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us6())).expect_host(to_us6())
    tap.lan(frame(to_us6(to=PEER6))).lan(frame(to_us6(to=FAR)))


@clause("RFC 4291, 2.8", "a packet for us inside a frame for many is left alone")
def unicast_inside_a_group_is_left_alone(tap: Script) -> None:
    tap.lan(frame(to_us6(), to=multicast_mac6(ALL_NODES))).lan(frame(to_us6(), to=BROADCAST))


@clause("RFC 4291, 2.8", "where the tap knows of no group, the host chooses for itself")
def host_chooses_where_no_group_is_said(tap: Script) -> None:
    sent_group(tap, MDNS).expect_host(to_us6(to=MDNS))


@clause("RFC 4291, 2.8", "the packets of a group that was joined come in, those of others not")
def joined_group_comes_in(tap: Script) -> None:
    sent_group(tap.start(groups=(MDNS,)), MDNS).expect_host(to_us6(to=MDNS))
    sent_group(tap, ip("ff02::c"))


@clause("RFC 4291, 2.8", "the group of all nodes comes in, whatever was joined")
def all_nodes_group_comes_in(tap: Script) -> None:
    sent_group(tap.start(groups=(MDNS,)), ALL_NODES).expect_host(to_us6(to=ALL_NODES))


@clause("RFC 4291, 2.8", "the solicited-node group of our address comes in, whatever was joined")
def solicited_node_group_comes_in(tap: Script) -> None:
    group = solicited_node(US6)
    sent_group(tap.start(groups=(MDNS,)), group).expect_host(to_us6(to=group))
    sent_group(tap, solicited_node(PEER6))


@clause("RFC 1112, 7.2", "to have joined a group of one family says nothing of the other's")
def families_of_groups_are_apart(tap: Script) -> None:
    sent_group(tap.start(groups=(ip("224.0.0.251"),)), MDNS).expect_host(to_us6(to=MDNS))


@clause("RFC 8200, 5", "nobody on the way cuts a packet: too long, it does not leave")
def long_packet_does_not_leave(tap: Script) -> None:
    meet6(tap).host(packet6(payload=bytes(1461))).expect()
    assert [data[40] for data in tap.packets()] == [2]


@clause("RFC 8200, 5", "a packet as long as the MTU leaves")
def packet_of_the_mtu_leaves(tap: Script) -> None:
    long = packet6(payload=bytes(1240))
    meet6(tap.start(mtu=1280)).host(long).expect(wrapped(long))


@clause("RFC 4443, 3.2", "the host is told how long a packet may be, by the router")
def host_is_told_the_mtu(tap: Script) -> None:
    long = packet6(payload=bytes(1461))
    meet6(tap.start(mtu=1400)).host(long).expect_host(too_big(long, 1400))


@clause("RFC 4443, 2.4 (c)", "an error is not longer than 1280 bytes")
def error_is_not_longer_than_1280_bytes(tap: Script) -> None:
    meet6(tap).host(packet6(payload=bytes(3000)))
    assert [len(data) for data in tap.packets()] == [1280]


@clause("RFC 4443, 2.2", "without a router the destination itself is said to complain")
def destination_complains_without_a_router(tap: Script) -> None:
    long = packet6(payload=bytes(1461))
    meet6(tap.start(gateway_ip6=None)).host(long).expect_host(too_big(long, 1500, by=PEER6))


@clause("RFC 4443, 2.4 (e.1)", "no error about an error")
def no_error_about_an_error(tap: Script) -> None:
    error = Icmp(1, 4, 0, bytes(1461)).between(US6, PEER6)
    meet6(tap).host(Ipv6(US6, PEER6, ICMPV6, error).to_bytes())


@clause(
    "RFC 4443, 2.4 (e.3)", "a group's packet that is too long is an exception: the host is told"
)
def host_is_told_about_a_group(tap: Script) -> None:
    long = packet6(MDNS, payload=bytes(1461))
    tap.host(long).expect_host(too_big(long, 1500))


@clause("RFC 4443, 2.4 (e.6)", "no error to the unspecified address")
def no_error_to_nobody(tap: Script) -> None:
    tap.host(packet6(MDNS, source=NOBODY, payload=bytes(1461)))


@clause("RFC 4443, 2.4 (f)", "errors have a limit for each second")
def errors_have_a_limit(tap: Script) -> None:
    long = packet6(payload=bytes(1461))
    meet6(tap.start(icmp_errors_max=1)).host(long).host(long)
    tap.expect_host(too_big(long, 1500)).at(SECOND - 1).host(long).expect_host()
    tap.at(SECOND).host(long).expect_host(too_big(long, 1500))
    tap.forget()


@clause("RFC 6691, 2", "a SYN asks for no more than fits the MTU behind 60 bytes, both ways")
def syn_is_clamped(tap: Script) -> None:
    meet6(tap.start(mtu=1400, clamp_mss=True)).host(tcp6(segment(mss(1440), ends=(US6, PEER6))))
    tap.expect(wrapped(tcp6(segment(mss(1340), ends=(US6, PEER6)))))
    came, due = (tcp6(segment(mss(size), SYN, (PEER6, US6)), PEER6, US6) for size in (1440, 1340))
    tap.lan(frame(came)).expect_host(due)


@clause("RFC 8200, 3", "where only lengths are asked for, any source passes, but no wrong length")
def any_source_passes_where_only_lengths_count(tap: Script) -> None:
    odd = to_us6(source=LOOPBACK)
    tap.start(validate="length").lan(frame(odd)).expect_host(odd).lan(frame(odd)[:-1])


@clause("RFC 8200, 3", "where nothing is asked for, a length that cannot be passes as it is")
def wrong_length_passes_where_nothing_counts(tap: Script) -> None:
    short = to_us6()[:-1]
    tap.start(validate="off").lan(frame(short)).expect_host(short)
    tap.lan(OUR_MAC + PEER_MAC + b"\x86\xdd" + short[:39])
