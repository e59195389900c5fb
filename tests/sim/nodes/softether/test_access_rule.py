"""One access rule: what it matches, its order among others, and what is corrected."""

from dataclasses import replace

import pytest

from sim.nodes.softether.access_rule import AccessRule, matches, simple_name
from sim.nodes.softether.constants import constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.session import Session, Terms
from tests import builders as b
from tests.sim.networks import datagram, echo
from tests.sim.nodes.softether.hubs import Far, sent
from tests.sim.nodes.softether.test_limiter import tcp, tcp6
from tests.sim.nodes.softether.test_parsing import BRIDGE, STP
from virtualtap.errors import UsageError
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, ip, mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ipv4 import UDP, Ipv4

PLAIN, ARP_TOO = HubOptions(), HubOptions(ApplyIPv4AccessListOnArpPacket=True)
ONES = b"\xff" * 4
NET6 = b"\xff" * 8 + bytes(8)
UDP4, UDP6 = b.frame(datagram(b.PEER, b.OUR_IP)), b.frame(datagram(b.PEER6, b.OUR_IP6))
PING, OTHER, ASKS = b.frame(echo(b.PEER, b.OUR_IP)), sent(), b.arp_request()
FROM_PEER = AccessRule(SrcIpAddress=b.PEER, SrcSubnetMask=ONES)
TO_US = AccessRule(DestIpAddress=b.OUR_IP, DestSubnetMask=ONES)


def someone(user: str = "", group: str = "") -> Session:
    return Session(1, Far(), Terms(user=user, group=group), constants(), PLAIN)


ANYBODY = someone()


def of(rule: AccessRule, *frames: bytes, options: HubOptions = PLAIN) -> list[bool]:
    return [matches(rule, Packet(frame), ANYBODY, None, options) for frame in frames]


# what it matches


@pytest.mark.parametrize("ipv6", [False, True])
def test_a_rule_that_asks_for_nothing_matches_all_but_arp(ipv6: bool):
    rule = AccessRule(IsIPv6=ipv6)
    assert of(rule, UDP4, UDP6, OTHER, STP) == [True] * 4
    assert of(rule, ASKS) == [False]
    assert of(rule, ASKS, options=ARP_TOO) == [True]


def test_addresses_are_compared_under_their_masks_and_only_in_their_family():
    assert of(FROM_PEER, UDP4, b.frame(datagram(b.NOBODY, b.OUR_IP)), UDP6) == [True, False, False]
    assert of(TO_US, UDP4, b.frame(datagram(b.PEER, b.NOBODY)), OTHER) == [True, False, False]
    net = AccessRule(SrcIpAddress=ip("10.0.0.99"), SrcSubnetMask=ip("255.255.255.0"))
    assert of(net, UDP4, b.frame(datagram(b.FAR, b.OUR_IP))) == [True, False]
    net6 = AccessRule(IsIPv6=True, SrcIpAddress=b.PEER6, SrcSubnetMask=NET6)
    assert of(net6, UDP6, b.frame(datagram(b.FAR6, b.OUR_IP6)), UDP4) == [True, False, False]
    to6 = AccessRule(IsIPv6=True, DestIpAddress=b.OUR_IP6, DestSubnetMask=b"\xff" * 16)
    assert of(to6, UDP6, ASKS, options=ARP_TOO) == [True, False]


def test_an_arp_has_its_sender_and_target_as_addresses_if_the_option_is_on():
    assert of(FROM_PEER, ASKS) == of(TO_US, ASKS) == [False]
    assert of(FROM_PEER, ASKS, options=ARP_TOO) == of(TO_US, ASKS, options=ARP_TOO) == [True]
    assert of(FROM_PEER, b.arp_request(sender_ip=b.FAR), options=ARP_TOO) == [False]


@pytest.mark.parametrize("sender", [ANY4, LIMITED_BROADCAST])
def test_an_arp_probe_matches_no_address(sender: bytes):
    anywhere = AccessRule(SrcIpAddress=b.PEER, SrcSubnetMask=ANY4)
    assert of(anywhere, b.arp_request(sender_ip=sender), options=ARP_TOO) == [False]
    assert of(anywhere, ASKS, options=ARP_TOO) == [True]


def test_a_question_of_a_hub_matches_no_address():
    hub = mac("00:ae:01:02:03:04")
    asks = b.arp_request(hub, ip("172.31.5.5"))
    anywhere = AccessRule(SrcIpAddress=b.PEER, SrcSubnetMask=ANY4)
    assert of(anywhere, asks, options=ARP_TOO) == [False]


def test_an_arp_of_another_hardware_matches_no_address():
    odd = ASKS[:14] + b"\0\6" + ASKS[16:]
    assert of(FROM_PEER, odd, options=ARP_TOO) == [False]


def test_a_protocol_matches_in_its_family_and_never_an_arp():
    assert of(AccessRule(Protocol=1), PING, UDP4, b.frame(echo(b.PEER6, b.OUR_IP6))) == [
        *(True, False, False)
    ]
    assert of(AccessRule(IsIPv6=True, Protocol=17), UDP6, UDP4) == [True, False]
    assert of(AccessRule(Protocol=17), ASKS, options=ARP_TOO) == [False]


def test_ports_are_ranges_of_tcp_and_udp():
    port = Packet(UDP4).target_port
    assert of(AccessRule(DestPortStart=port), UDP4, PING, UDP6) == [True, False, False]
    assert of(AccessRule(DestPortStart=port - 1, DestPortEnd=port + 1), UDP4) == [True]
    assert of(AccessRule(DestPortStart=port + 1, DestPortEnd=port + 9), UDP4) == [False]
    assert of(AccessRule(SrcPortStart=port + 1), UDP4) == [False]
    assert of(AccessRule(SrcPortEnd=65535), UDP4, tcp(2), ASKS) == [True, True, False]


def test_a_later_fragment_has_no_ports():
    later = b.frame(Ipv4(b.PEER, b.OUR_IP, UDP, bytes(16), fragment=1).to_bytes())
    assert of(AccessRule(SrcPortEnd=65535), later) == [False]
    assert of(AccessRule(Protocol=17), later) == [True]


def test_established_is_all_of_tcp_but_a_syn_without_ack():
    opens, answers, goes_on = tcp(0x02), tcp(0x12), tcp(0x10)
    yes = AccessRule(CheckTcpState=True, Established=True)
    assert of(yes, opens, answers, goes_on, UDP4, OTHER) == [False, True, True, False, False]
    no = replace(yes, Established=False)
    assert of(no, opens, answers, goes_on, UDP4, OTHER) == [True, False, False, False, False]
    assert of(replace(yes, IsIPv6=True), tcp6(0x10), goes_on) == [True, False]


def test_macs_are_compared_under_their_masks_and_a_bpdu_has_that_of_its_bridge():
    source = AccessRule(CheckSrcMac=True, SrcMacAddress=b.PEER_MAC, SrcMacMask=BROADCAST)
    assert of(source, UDP4, OTHER) == [True, False]
    prefix = replace(source, SrcMacMask=b"\xff\xff\xff\0\0\0")
    assert of(prefix, b.frame(b.packet(), source=b.STRANGER_MAC)) == [True]
    bridge = replace(source, SrcMacAddress=BRIDGE)
    assert of(bridge, STP) == [True]
    assert of(bridge, STP, options=HubOptions(NoLookBPDUBridgeId=True)) == [False]
    target = AccessRule(CheckDstMac=True, DstMacAddress=b.OUR_MAC, DstMacMask=BROADCAST)
    assert of(target, UDP4, OTHER) == [True, False]


def test_users_and_groups_match_whatever_their_case_and_domain():
    packet = Packet(UDP4)
    rule = AccessRule(SrcUsername="Desk")
    for session, expected in (
        (someone("desk"), True),
        (someone("LAN\\desk"), True),
        (someone("bob", "DESK"), True),
        (someone("bob"), False),
        (someone(), False),
    ):
        assert matches(rule, packet, session, None, PLAIN) is expected


def test_a_destination_user_matches_on_the_way_out_only():
    packet, rule = Packet(UDP4), AccessRule(DestUsername="desk")
    assert not matches(rule, packet, ANYBODY, None, PLAIN)
    assert matches(rule, packet, ANYBODY, someone("desk"), PLAIN)
    assert not matches(rule, packet, someone("desk"), ANYBODY, PLAIN)


def test_a_simple_name_has_no_domain():
    assert [simple_name(name) for name in ("lan\\Bob", "bob@lan", " bob ")] == ["BOB"] * 3


# order


def test_the_lowest_priority_number_comes_first_and_then_pass_before_discard():
    rules = [
        AccessRule(Priority=2),
        AccessRule(Priority=1, Discard=True, Active=False),
        AccessRule(Priority=1, Protocol=255),
    ]
    assert sorted(rules, key=AccessRule.order) == [rules[2], rules[1], rules[0]]


def test_then_memory_decides_byte_for_byte():
    low_first = [  # a number lies with its low byte first, an address as it is written
        AccessRule(Active=False, Loss=100),
        AccessRule(SrcIpAddress=b"\1\0\0\0", SrcSubnetMask=ONES),
        AccessRule(SrcIpAddress=b"\1\0\0\1", SrcSubnetMask=ONES),
    ]
    assert sorted([low_first[i] for i in (2, 0, 1)], key=AccessRule.order) == low_first
    ports = [AccessRule(DestPortStart=256, DestPortEnd=256), AccessRule(DestPortStart=1)]
    assert sorted(ports, key=AccessRule.order) == ports
    four, six = AccessRule(), AccessRule(IsIPv6=True, DestIpAddress=b.PEER6)
    assert sorted([six, four], key=AccessRule.order) == [four, six]
    users = [AccessRule(), AccessRule(SrcUsername="a"), AccessRule(DestUsername="b")]
    assert len({rule.order() for rule in users}) == 3


# what is corrected


def test_values_out_of_range_are_clamped():
    rule = AccessRule(Delay=20_000, Jitter=200, Loss=101, SrcPortStart=9, DestPortStart=9)
    assert (rule.Delay, rule.Jitter, rule.Loss) == (10_000, 100, 100)
    assert (rule.SrcPortEnd, rule.DestPortEnd) == (9, 9)
    low = AccessRule(Delay=-1, Jitter=-1, Loss=-1)
    assert (low.Delay, low.Jitter, low.Loss) == (0, 0, 0)


def test_an_address_of_the_other_family_is_refused():
    with pytest.raises(UsageError, match="`SrcIpAddress` of an access rule has 16 bytes"):
        AccessRule(SrcIpAddress=b.PEER6)
    with pytest.raises(UsageError, match="`DestSubnetMask` of an access rule has 4 bytes"):
        AccessRule(IsIPv6=True, DestSubnetMask=ONES)


@pytest.mark.parametrize("name", ["include:users.txt", "EXCLUDE:users.txt"])
def test_users_in_a_file_are_refused(name: str):
    with pytest.raises(UsageError, match="names its users by a file"):
        AccessRule(DestUsername=name)


def test_an_arp_of_zeros_has_addresses_that_no_rule_is_about():
    blank = b.arp_frame(Arp(1, b.PEER_MAC, ANY4, b.OUR_MAC, ANY4))
    assert of(TO_US, blank, options=ARP_TOO) == [False]
