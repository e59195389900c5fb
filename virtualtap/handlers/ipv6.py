"""Wraps and unwraps IPv6: next hop, group mapping, length. RFC 8200, RFC 2464, RFC 4861 5.2."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from virtualtap.core import Core
from virtualtap.stats import DropReason
from virtualtap.validator import HOST, LAN, Validator
from virtualtap.wire import ipv6
from virtualtap.wire.address import (
    ALL_NODES6,
    ANY6,
    Ip,
    is_group,
    is_multicast6,
    is_unicast6,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ethernet import HEADER_LEN, IPV6

Deliver: TypeAlias = Callable[[Ip, Ip, bytes], bytes | None]  # (next hop, source, packet)
Join: TypeAlias = Callable[[bytes], bytes | None]  # a fragment: the packet, once it is whole


class Path(Protocol):
    """What knows about lengths: `handlers.path_mtu`."""

    def refuse6(self, packet: bytes) -> None: ...
    def clamp6(self, packet: bytes) -> bytes: ...


class Ipv6Handler:
    """Where an IPv6 packet goes, and which ones are for the host."""

    def __init__(self, core: Core, deliver: Deliver, path: Path, join: Join) -> None:
        self._core = core
        self._path = path
        self._validator = Validator(core.config.validate, core.interface)
        self._groups = frozenset(group for group in core.config.groups if len(group) == 16)
        self._interface = core.interface6
        self._deliver = deliver
        self._join = join

    def send(self, packet: bytes) -> bytes | None:
        """The frame for one packet of the host, or None while its next hop is asked for."""
        core = self._core
        refused = self._validator.refusal(6, HOST, packet)
        if refused is not None:
            core.drop(refused)
            return None
        packet = ipv6.trimmed(packet)
        if len(packet) > self._interface.mtu:
            self._path.refuse6(packet)
            return None
        if core.config.clamp_mss:
            packet = self._path.clamp6(packet)
        destination = packet[24:40]
        if is_multicast6(destination):
            core.stats.to_ethernet += 1
            return core.header(multicast_mac6(destination), IPV6) + packet
        source = packet[8:24]
        if source in self._interface.addresses and not self._interface.owns(source, core.now):
            core.drop(DropReason.NO_ADDRESS)  # RFC 4862 5.4: tentative, another's, or expired
            return None
        next_hop = None if source == ANY6 else self._next_hop(destination)  # RFC 4291 2.5.2
        if next_hop is None:
            core.drop(DropReason.NO_ROUTE)
            return None
        return self._deliver(next_hop, source, packet)

    def receive(self, frame: bytes) -> bytes | None:
        """The packet inside a frame, without padding, if it is for the host."""
        core = self._core
        packet = frame[HEADER_LEN:]
        refused = self._validator.refusal(6, LAN, packet)
        if refused is None and not self._is_for_host(packet[24:40], is_group(frame)):
            refused = DropReason.NOT_FOR_US
        if refused is not None:
            core.drop(refused)
            return None
        packet = ipv6.trimmed(packet)
        if packet[6] == ipv6.FRAGMENT or packet[6] in ipv6.BEFORE_FRAGMENT:
            whole = self._join(packet)
            if whole is None:
                return None
            packet = whole
        core.stats.to_ip += 1
        return self._path.clamp6(packet) if core.config.clamp_mss else packet

    def _is_for_host(self, destination: Ip, to_group: bool) -> bool:
        """`to_group`: the frame went to more than one station. RFC 4291 2.8, RFC 2464 7.

        Without `groups` the host's own stack chooses among groups, for it alone knows them.
        """
        interface = self._interface
        if is_multicast6(destination):
            ours = (ALL_NODES6, *map(solicited_node, interface.addresses))
            return not self._groups or destination in self._groups or destination in ours
        if to_group:
            return False
        return not interface.closed or interface.owns(destination, self._core.now)

    def _next_hop(self, destination: Ip) -> Ip | None:
        interface, now = self._interface, self._core.now
        if not is_unicast6(destination) or interface.owns(destination, now):
            return None
        return interface.next_hop(destination, now, self._is_known)

    def _is_known(self, ip: Ip) -> bool:
        return self._core.neighbors.lookup(ip, self._core.now) is not None
