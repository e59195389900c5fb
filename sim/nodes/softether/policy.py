"""What a user may do: the policy of a session, by the product's names. Account.c, Hub.c."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import TypeAlias

from sim.nodes.softether.packet import L3, L4, Packet

Refuses: TypeAlias = Callable[[Packet], bool]  # whether a filter drops this packet

_IPV4, _IPV6 = (b"\x08\x00", b"\x08\x06"), (b"\x86\xdd",)  # FilterIPv4 means ARP too
_SYN_ACK = 0x12
_BOOT_REPLY = 2
_ROUTER_SOLICITATION, _ROUTER_ADVERTISEMENT = 133, 134
_DHCP6_CLIENT, _DHCP6_SERVER = 546, 547


class Kind(StrEnum):
    """What is at the far end of a session."""

    CLIENT = "client"  # a VPN client, or a VPN bridge as one
    BRIDGE = "bridge"  # a local bridge: a network card of the server
    CASCADE = "cascade"  # the end of a link between two hubs
    SECURE_NAT = "secure-nat"
    LAYER3 = "layer3"  # an interface of a virtual layer-3 switch
    IPC = "ipc"  # an in-process layer-3 client

    @property
    def connects(self) -> bool:
        """Whether it asks to be let in: only those count for MaxSession. Protocol.c:ServerAccept"""
        return self in (Kind.CLIENT, Kind.IPC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Account.c:GetDefaultPolicy: everything off, access granted."""

    Access: bool = True
    DHCPFilter: bool = False
    DHCPNoServer: bool = False
    DHCPForce: bool = False
    NoBridge: bool = False
    NoRouting: bool = False
    PrivacyFilter: bool = False
    NoServer: bool = False
    CheckMac: bool = False
    CheckIP: bool = False
    ArpDhcpOnly: bool = False
    MonitorPort: bool = False
    NoBroadcastLimiter: bool = False
    FixPassword: bool = False
    NoQoS: bool = False
    RSandRAFilter: bool = False
    RAFilter: bool = False
    DHCPv6Filter: bool = False
    DHCPv6NoServer: bool = False
    NoRoutingV6: bool = False
    CheckIPv6: bool = False
    NoServerV6: bool = False
    NoSavePassword: bool = False
    FilterIPv4: bool = False
    FilterIPv6: bool = False
    FilterNonIP: bool = False
    NoIPv6DefaultRouterInRA: bool = False
    NoIPv6DefaultRouterInRAWhenIPv6: bool = False
    MaxUpload: int = 0  # bit/s; 0: no limit
    MaxDownload: int = 0  # bit/s; 0: no limit
    MaxMac: int = 0  # 0: no limit
    MaxIP: int = 0
    MaxIPv6: int = 0
    MaxConnection: int = 32
    TimeOut: int = 20  # seconds, 5 to 60
    MultiLogins: int = 0
    AutoDisconnect: int = 0  # seconds; enforced by the client
    VLanId: int = 0  # 1 to 4095; 0: none

    def ingress(self) -> tuple[Refuses, ...]:
        """The filters on what a session with this policy sends."""
        return tuple(refuses for name, refuses in _INGRESS.items() if getattr(self, name))

    def egress(self) -> tuple[Refuses, ...]:
        """The filters on what it is sent."""
        return tuple(refuses for name, refuses in _EGRESS.items() if getattr(self, name))


@cache
def policy_of(
    kind: Kind, granted: Policy, *, bridge: bool = False, limit_broadcast: bool = False
) -> Policy:
    """What holds for a session whose user was `granted` this. Protocol.c:ServerAccept, Link.c.

    A client that does not ask for bridge mode may neither bridge nor route, whatever it was
    granted. `limit_broadcast` is the setting of a local bridge.
    """
    if kind in (Kind.CLIENT, Kind.IPC) and not bridge:
        return replace(granted, NoBridge=True, NoRouting=True)
    if kind is Kind.IPC:
        return replace(granted, NoBridge=False, NoRouting=False)
    if kind is Kind.CASCADE:  # Link.c: normalised
        changed = {"Access": True, "NoBridge": False, "NoRouting": False, "MonitorPort": False}
        return replace(granted, **changed, MaxConnection=32, TimeOut=20)
    if kind in (Kind.SECURE_NAT, Kind.LAYER3, Kind.BRIDGE):
        return replace(granted, NoBroadcastLimiter=not limit_broadcast)
    return granted


def may_connect(granted: Policy, *, bridge: bool) -> bool:
    """Whether a client is let in: one who asks for bridge mode needs one of its two rights."""
    return granted.Access and not (bridge and granted.NoBridge and granted.NoRouting)


def _is_to_dhcp6(packet: Packet) -> bool:
    return _is_udp6(packet) and packet.target_port in (_DHCP6_CLIENT, _DHCP6_SERVER)


def _is_from_dhcp6_server(packet: Packet) -> bool:
    ports = packet.target_port == _DHCP6_CLIENT or packet.source_port == _DHCP6_SERVER
    return _is_udp6(packet) and ports


def _is_udp6(packet: Packet) -> bool:
    return packet.l3 is L3.IPV6 and packet.l4 is L4.UDP


def _is_icmp6(packet: Packet) -> bool:
    return packet.l3 is L3.IPV6 and packet.l4 is L4.ICMP


def _is_syn_ack(packet: Packet, family: L3) -> bool:
    both = packet.flags & _SYN_ACK == _SYN_ACK
    return packet.l3 is family and packet.l4 is L4.TCP and both


def _is_from_router(packet: Packet) -> bool:
    return _is_icmp6(packet) and packet.flags == _ROUTER_ADVERTISEMENT


def _is_of_routers(packet: Packet) -> bool:
    kinds = (_ROUTER_SOLICITATION, _ROUTER_ADVERTISEMENT)
    return _is_icmp6(packet) and packet.flags in kinds


def _is_needless(packet: Packet) -> bool:
    """A broadcast or multicast that neither resolves nor configures."""
    needed = packet.l3 is L3.ARP or packet.dhcp or _is_icmp6(packet) or _is_to_dhcp6(packet)
    return packet.is_group and not needed


def _outer(packet: Packet) -> bytes:
    return packet.frame[12:14]


_SAME_BOTH_WAYS: dict[str, Refuses] = {
    "DHCPFilter": lambda packet: bool(packet.dhcp),
    "DHCPv6Filter": _is_to_dhcp6,
    "RSandRAFilter": _is_of_routers,
    "ArpDhcpOnly": _is_needless,
}
_INGRESS: dict[str, Refuses] = {
    **_SAME_BOTH_WAYS,
    "DHCPNoServer": lambda packet: packet.dhcp[:1] == bytes((_BOOT_REPLY,)),
    "DHCPv6NoServer": _is_from_dhcp6_server,
    "NoServer": lambda packet: _is_syn_ack(packet, L3.IPV4),
    "NoServerV6": lambda packet: _is_syn_ack(packet, L3.IPV6),
    "RAFilter": _is_from_router,
    "FilterIPv4": lambda packet: _outer(packet) in _IPV4,  # a tagged one is non-IP
    "FilterIPv6": lambda packet: _outer(packet) in _IPV6,
    "FilterNonIP": lambda packet: _outer(packet) not in (*_IPV4, *_IPV6),
}
_EGRESS: dict[str, Refuses] = {
    **_SAME_BOTH_WAYS,
    "FilterIPv4": lambda packet: packet.l3 in (L3.IPV4, L3.ARP),  # inside a tag too
    "FilterIPv6": lambda packet: packet.l3 is L3.IPV6,
    "FilterNonIP": lambda packet: packet.l3 not in (L3.IPV4, L3.ARP, L3.IPV6),
}
