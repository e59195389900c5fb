"""Policies: what each filter refuses, on which side, and who gets which policy."""

from dataclasses import fields

import pytest

from sim.nodes.softether.packet import Packet
from sim.nodes.softether.policy import Kind, Policy, may_connect, policy_of
from tests.sim.networks import datagram
from tests.sim.nodes.softether.hubs import ONE, TWO, sent
from virtualtap.wire.address import BROADCAST, ip
from virtualtap.wire.ethernet import IPV6

V4, V6 = (ip("10.0.0.1"), ip("10.0.0.2")), (ip("fe80::1"), ip("fe80::2"))
ARP = bytes.fromhex("0001080006040001") + ONE + V4[0] + bytes(6) + V4[1]


def framed(packet: bytes, to: bytes = TWO) -> bytes:
    return to + ONE + (b"\x08\x00" if packet[0] >> 4 == 4 else IPV6) + packet


def ported(ends: tuple[bytes, bytes], source: int, target: int, payload: bytes = b"") -> bytes:
    packet = datagram(*ends, payload or bytes(20))
    at = 40 if len(ends[0]) == 16 else 20
    return framed(packet[:at] + source.to_bytes(2) + target.to_bytes(2) + packet[at + 4 :])


def segment(ends: tuple[bytes, bytes], flags: int) -> bytes:
    body = bytes(12) + bytes((0x50, flags)) + bytes(6)
    packet = datagram(*ends, bytes(12))
    at, field = (40, 6) if len(ends[0]) == 16 else (20, 9)
    return framed(packet[:field] + b"\x06" + packet[field + 1 : at] + body)


def icmp6(kind: int, to: bytes = TWO) -> bytes:
    packet = datagram(*V6, bytes(8))
    return framed(packet[:6] + b"\x3a" + packet[7:40] + bytes((kind,)) + bytes(23), to)


def to_all(frame: bytes) -> bytes:
    return BROADCAST + frame[6:]


DHCP_ASKS = ported(V4, 68, 67, b"\x01".ljust(44, b"\0"))
DHCP_SAYS = ported(V4, 67, 68, b"\x02".ljust(44, b"\0"))
FRAMES = {
    "ARP": TWO + ONE + b"\x08\x06" + ARP,
    "IPv4": ported(V4, 1000, 2000),
    "IPv6": ported(V6, 1000, 2000),
    "other": sent(TWO),
    "tagged IPv4": TWO + ONE + b"\x81\x00\x00\x05\x08\x00" + datagram(*V4),
    "DHCP request": DHCP_ASKS,
    "DHCP reply": DHCP_SAYS,
    "DHCP relayed": ported(V4, 67, 67, b"\x01".ljust(44, b"\0")),
    "DHCP too short": ported(V4, 67, 68, b"\x02".ljust(43, b"\0")),
    "DHCPv6 request": ported(V6, 546, 547),
    "DHCPv6 reply": ported(V6, 547, 546),
    "DHCPv6 to a relay": ported(V6, 547, 1000),
    "SYN": segment(V4, 0x02),
    "SYN and ACK": segment(V4, 0x12),
    "SYN6 and ACK": segment(V6, 0x12),
    "RS": icmp6(133),
    "RA": icmp6(134),
    "NS": icmp6(135),
    "BPDU": TWO + ONE + b"\x00\x26\x42\x42\x03" + bytes(35),
}
DHCP4 = {"DHCP request", "DHCP reply"}
IPV4S = {"IPv4", "DHCP relayed", "DHCP too short", "SYN", "SYN and ACK", *DHCP4}
IPV6S = {
    *("IPv6", "DHCPv6 request", "DHCPv6 reply", "DHCPv6 to a relay", "SYN6 and ACK"),
    *("RS", "RA", "NS"),
}
NON_IP = {"other", "BPDU"}
INGRESS = {
    "DHCPFilter": DHCP4,
    "DHCPNoServer": {"DHCP reply"},
    "DHCPv6Filter": {"DHCPv6 request", "DHCPv6 reply"},
    "DHCPv6NoServer": {"DHCPv6 reply", "DHCPv6 to a relay"},
    "NoServer": {"SYN and ACK"},
    "NoServerV6": {"SYN6 and ACK"},
    "RAFilter": {"RA"},
    "RSandRAFilter": {"RS", "RA"},
    "FilterIPv4": {*IPV4S, "ARP"},
    "FilterIPv6": IPV6S,
    "FilterNonIP": {*NON_IP, "tagged IPv4"},  # by the outer type
}
EGRESS = {
    "DHCPFilter": DHCP4,
    "DHCPv6Filter": {"DHCPv6 request", "DHCPv6 reply"},
    "RSandRAFilter": {"RS", "RA"},
    "FilterIPv4": {*IPV4S, "ARP", "tagged IPv4"},  # by the inner type
    "FilterIPv6": IPV6S,
    "FilterNonIP": NON_IP,
}
NEITHER = {
    *("Access", "DHCPForce", "NoBridge", "NoRouting", "NoRoutingV6", "PrivacyFilter", "CheckMac"),
    *("CheckIP", "CheckIPv6", "MonitorPort", "NoBroadcastLimiter", "FixPassword", "NoQoS"),
    *("NoSavePassword", "NoIPv6DefaultRouterInRA", "NoIPv6DefaultRouterInRAWhenIPv6"),
}


def refused(policy: Policy, *, out: bool) -> set[str]:
    filters = policy.egress() if out else policy.ingress()
    return {
        name for name, frame in FRAMES.items() if any(refuses(Packet(frame)) for refuses in filters)
    }


@pytest.mark.parametrize("name", INGRESS)
def test_on_the_way_in_each_filter_refuses(name: str):
    assert refused(Policy(**{name: True}), out=False) == INGRESS[name]


@pytest.mark.parametrize("name", EGRESS)
def test_on_the_way_out_each_filter_refuses(name: str):
    assert refused(Policy(**{name: True}), out=True) == EGRESS[name]


def test_no_other_policy_filters():
    switches = {field.name for field in fields(Policy) if field.type is bool}
    assert switches == NEITHER | set(INGRESS) | {"ArpDhcpOnly"}
    everything = Policy(**dict.fromkeys(NEITHER, True))
    assert (everything.ingress(), everything.egress()) == ((), ())
    assert Policy(RAFilter=True, NoServer=True, DHCPNoServer=True).egress() == ()


@pytest.mark.parametrize("out", [False, True])
def test_arp_dhcp_only_refuses_what_is_for_all_and_neither_resolves_nor_configures(out: bool):
    filters = Policy(ArpDhcpOnly=True).egress() if out else Policy(ArpDhcpOnly=True).ingress()
    passed = {name for name in FRAMES if not filters[0](Packet(to_all(FRAMES[name])))}
    assert passed == {"ARP", *DHCP4, "DHCPv6 request", "DHCPv6 reply", "RS", "RA", "NS"}
    assert refused(Policy(ArpDhcpOnly=True), out=out) == set()  # as none of them is for all


def test_the_default_policy_allows_everything_for_20_seconds_over_32_connections():
    policy = Policy()
    assert (policy.Access, policy.MaxConnection, policy.TimeOut) == (True, 32, 20)
    others = {f.name for f in fields(Policy)} - {"Access", "MaxConnection", "TimeOut"}
    assert {name for name in others if getattr(policy, name)} == set()


def test_a_client_that_does_not_ask_for_bridge_mode_may_neither_bridge_nor_route():
    for kind in (Kind.CLIENT, Kind.IPC):
        policy = policy_of(kind, Policy(MaxMac=10), bridge=False)
        assert (policy.NoBridge, policy.NoRouting, policy.NoRoutingV6) == (True, True, False)
        assert policy.MaxMac == 10


def test_a_client_that_asks_for_it_has_the_policy_of_its_user():
    granted = Policy(NoBridge=True, MaxIP=7)
    assert policy_of(Kind.CLIENT, granted, bridge=True) == granted


def test_an_in_process_client_that_asks_for_it_may_always():
    policy = policy_of(Kind.IPC, Policy(NoBridge=True, NoRouting=True), bridge=True)
    assert (policy.NoBridge, policy.NoRouting) == (False, False)


@pytest.mark.parametrize("bridge", [False, True])
@pytest.mark.parametrize("no_routing", [False, True])
@pytest.mark.parametrize("no_bridge", [False, True])
def test_who_asks_for_bridge_mode_and_may_do_neither_is_not_let_in(
    no_bridge: bool, no_routing: bool, bridge: bool
):
    granted = Policy(NoBridge=no_bridge, NoRouting=no_routing)
    assert may_connect(granted, bridge=bridge) is not (bridge and no_bridge and no_routing)
    assert not may_connect(Policy(Access=False), bridge=bridge)


def test_a_cascade_has_the_links_policy_normalised():
    granted = Policy(Access=False, NoBridge=True, NoRouting=True, MonitorPort=True, TimeOut=60)
    assert policy_of(Kind.CASCADE, granted) == Policy()
    assert policy_of(Kind.CASCADE, Policy(CheckMac=True, MaxConnection=1)) == Policy(CheckMac=True)


def test_the_storm_limiter_is_off_for_secure_nat_layer_3_and_local_bridges():
    for kind in (Kind.SECURE_NAT, Kind.LAYER3, Kind.BRIDGE):
        assert policy_of(kind, Policy()).NoBroadcastLimiter
    for kind in (Kind.CLIENT, Kind.CASCADE, Kind.IPC):
        assert not policy_of(kind, Policy()).NoBroadcastLimiter
    assert not policy_of(Kind.BRIDGE, Policy(), limit_broadcast=True).NoBroadcastLimiter


def test_a_fragment_that_is_not_the_first_has_no_ports_and_no_flags():
    frame = bytearray(FRAMES["SYN and ACK"])
    frame[21] = 1  # offset
    assert not any(f(Packet(bytes(frame))) for f in Policy(NoServer=True).ingress())
