"""IPv4 groups: their MACs, and which ones come in. RFC 1112."""

from sim.conformance.frames import frame, packet
from sim.conformance.packets import meet, ours, to_us
from sim.conformance.registry import clause
from sim.conformance.script import GATEWAY, GATEWAY_MAC, OTHER, OUR_MAC, PEER, Script
from virtualtap.wire.address import Ip, Mac, ip, mac

MDNS, SSDP, EVERYBODY = ip("224.0.0.251"), ip("239.255.255.250"), ip("224.0.0.1")
MDNS_MAC, EVERYBODY_MAC = mac("01:00:5e:00:00:fb"), mac("01:00:5e:00:00:01")


def check_mac(tap: Script, group: Ip, expected: Mac) -> None:
    """The group's packet goes to that MAC, and nobody is asked for."""
    tap.host(packet(group)).expect(ours(packet(group), expected))


@clause("RFC 1112, 6.4", "a group's packet goes to the group's MAC, not to the gateway's")
def group_has_its_own_mac(tap: Script) -> None:
    meet(tap, GATEWAY, GATEWAY_MAC)
    check_mac(tap, MDNS, MDNS_MAC)


@clause("RFC 1112, 6.4", "the 9th bit of a group's address is not in its MAC")
def ninth_bit_is_not_in_the_mac(tap: Script) -> None:
    check_mac(tap, ip("224.128.0.1"), EVERYBODY_MAC)
    check_mac(tap, ip("239.255.255.255"), mac("01:00:5e:7f:ff:ff"))


@clause("RFC 1112, 6.4", "the first byte of a group's address is not in its MAC")
def first_byte_is_not_in_the_mac(tap: Script) -> None:
    check_mac(tap, ip("225.0.0.1"), EVERYBODY_MAC)
    check_mac(tap, ip("239.0.0.1"), EVERYBODY_MAC)


@clause("RFC 1112, 6.4", "the other 7 bits of the second byte are in its MAC")
def second_byte_is_in_the_mac(tap: Script) -> None:
    check_mac(tap, ip("224.127.255.255"), mac("01:00:5e:7f:ff:ff"))
    check_mac(tap, ip("224.64.0.1"), mac("01:00:5e:40:00:01"))


@clause("RFC 1112, 6.1", "a group needs no gateway")
def group_needs_no_gateway(tap: Script) -> None:
    tap.start(gateway_ip=None)
    check_mac(tap, MDNS, MDNS_MAC)


@clause("RFC 1112, 6.1", "no route leads a group's packet to a router")
def route_does_not_lead_groups(tap: Script) -> None:
    tap.start(routes=((ip("224.0.0.0"), 4, OTHER),))
    check_mac(tap, MDNS, MDNS_MAC)


@clause("RFC 1112, 6.4", "the last group is a group, the address after it is not")
def last_group_is_a_group(tap: Script) -> None:
    check_mac(tap, ip("239.255.255.255"), mac("01:00:5e:7f:ff:ff"))
    tap.host(packet(ip("240.0.0.0")))


@clause("RFC 1112, 7.2", "where the tap knows of no group, the host chooses for itself")
def host_chooses_where_no_group_is_said(tap: Script) -> None:
    for group in (MDNS, SSDP):
        tap.lan(frame(to_us(to=group), to=MDNS_MAC)).expect_host(to_us(to=group))


@clause("RFC 1112, 7.2", "the packets of a group that was joined come in")
def joined_group_comes_in(tap: Script) -> None:
    tap.start(groups=(MDNS,)).lan(frame(to_us(to=MDNS), to=MDNS_MAC)).expect_host(to_us(to=MDNS))


@clause("RFC 1112, 7.2", "where groups were joined, those of others are left alone")
def other_group_is_left_alone(tap: Script) -> None:
    tap.start(groups=(MDNS,)).lan(frame(to_us(to=SSDP), to=mac("01:00:5e:7f:ff:fa")))


@clause(
    "RFC 1112, 7.2", "a group is known by its address: another one of the same MAC is left alone"
)
def other_group_of_the_same_mac_is_left_alone(tap: Script) -> None:
    tap.start(groups=(MDNS,)).lan(frame(to_us(to=ip("225.0.0.251")), to=MDNS_MAC))


@clause("RFC 1112, 4", "224.0.0.1 is everybody's, whatever was joined")
def all_hosts_group_comes_in(tap: Script) -> None:
    tap.start(groups=(MDNS,)).lan(frame(to_us(to=EVERYBODY), to=EVERYBODY_MAC))
    tap.expect_host(to_us(to=EVERYBODY))


@clause("RFC 1112, 7.2", "joining a group does not keep out what is for us or for everyone")
def joining_keeps_nothing_else_out(tap: Script) -> None:
    everyone = to_us(to=ip("255.255.255.255"))
    tap.start(groups=(MDNS,)).lan(frame(to_us())).expect_host(to_us())
    tap.lan(frame(everyone, to=b"\xff" * 6)).expect_host(everyone)


@clause("RFC 1112, 6.1", "our own packet for a group does not come back to the host")
def own_group_packet_is_not_looped(tap: Script) -> None:
    sent = ours(packet(MDNS), MDNS_MAC)
    tap.start(groups=(MDNS,)).host(packet(MDNS)).expect(sent)
    tap.lan(sent)


@clause("RFC 1112, 7.2", "a group's packet with a time to live of 1 is sent and comes in")
def group_packet_that_stays_on_the_link_passes(tap: Script) -> None:
    tap.host(packet(MDNS, ttl=1)).expect(ours(packet(MDNS, ttl=1), MDNS_MAC))
    tap.lan(frame(to_us(to=MDNS, ttl=1), to=MDNS_MAC)).expect_host(to_us(to=MDNS, ttl=1))


@clause("RFC 3376, 4.2.13", "a report from a host without an address is sent")
def report_without_address_is_sent(tap: Script) -> None:
    report = packet(ip("224.0.0.22"), source=bytes(4))
    tap.host(report).expect(ours(report, mac("01:00:5e:00:00:16")))


@clause("RFC 1112, 6.4", "a group's packet is ours alone to send: its frame is from our MAC")
def group_packet_is_from_our_mac(tap: Script) -> None:
    meet(tap).host(packet(MDNS))
    assert [data[6:12] for data in tap.frames()] == [OUR_MAC], PEER
