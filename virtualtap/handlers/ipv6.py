"""Wraps and unwraps IPv6: next hop, group mapping, length. RFC 8200, RFC 2464, RFC 4861 5.2."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from virtualtap.core import Core
from virtualtap.stats import DropReason
from virtualtap.validator import HOST, LAN, Validator
from virtualtap.wire import ipv6, ndp
from virtualtap.wire.address import (
    ALL_NODES6,
    ANY6,
    Ip,
    is_group,
    is_link_local6,
    is_multicast6,
    is_unicast6,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ethernet import HEADER_LEN

Deliver: TypeAlias = Callable[[Ip, Ip, bytes], bytes | None]  # (next hop, source, packet)
Join: TypeAlias = Callable[[bytes], bytes | None]  # a fragment: the packet, once it is whole


class Path(Protocol):
    """What knows about lengths: `handlers.path_mtu`."""

    def refuse6(self, packet: bytes) -> None: ...
    def clamp6(self, packet: bytes) -> bytes: ...


class Service(Protocol):
    """What looks at the datagrams between the host and one port of servers: `handlers.ipv4`."""

    def sent(self, packet: bytes) -> bytes | None: ...
    def came(self, packet: bytes) -> bytes | None: ...


class Ipv6Handler:
    """Where an IPv6 packet goes, and which ones are for the host."""

    def __init__(
        self,
        core: Core,
        deliver: Deliver,
        path: Path,
        join: Join,
        services: Mapping[int, Service] | None = None,
    ) -> None:
        self._core = core
        self._path = path
        self._validator = Validator(core.config.validate, core.interface)
        self._groups = frozenset(group for group in core.config.groups if len(group) == 16)
        self._interface = core.interface6
        self._deliver = deliver
        self._join = join
        self._services = services or {}  # by the server's port

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
        if core.has_hosts and not self._leaves(packet):
            return None
        if is_multicast6(destination):
            core.stats.to_ethernet += 1
            return core.frame(multicast_mac6(destination), packet)
        source = packet[8:24]
        if source in self._interface.addresses and not self._interface.owns(source, core.now):
            core.drop(DropReason.NO_ADDRESS)  # RFC 4862 5.4: tentative, another's, or expired
            return None
        next_hop = None if source == ANY6 else self._next_hop(destination)  # RFC 4291 2.5.2
        if next_hop is None:
            core.drop(DropReason.NO_ROUTE)
            return None
        service = self._services.get(_udp_port(packet)) if self._services else None
        seen = packet if service is None else service.sent(packet)
        return None if seen is None else self._deliver(next_hop, source, seen)

    def _leaves(self, packet: bytes) -> bool:
        """Whether a packet of one of several hosts goes to the LAN, too; as for IPv4.

        Neighbour messages never come back: a host would take its own probe for another's.
        """
        core, interface = self._core, self._interface
        source, destination = packet[8:24], packet[24:40]
        if core.config.admit_hosts and self._is_new(source) and not core.admit(source):
            return False
        if interface.owns(destination, core.now):
            core.give_back(packet)
            return False
        if is_multicast6(destination) and not ndp.is_inside(packet):
            core.give_back(packet)
        return True

    def _is_new(self, source: Ip) -> bool:
        """Whether `source` may be a host that has not been heard of."""
        interface = self._interface
        if source in interface.addresses or source in interface.routers or not is_unicast6(source):
            return False
        return is_link_local6(source) or interface.is_on_link(source, self._core.now)

    def may_pass(self, frame: bytes) -> bool:
        """Whether what a frame carries keeps the rules of every packet; counted where not."""
        refused = self._validator.refusal(6, LAN, frame[HEADER_LEN:])
        if refused is not None:
            self._core.drop(refused)
        return refused is None

    def receive(self, frame: bytes) -> bytes | None:
        """The packet inside a frame, without padding, if it is for the host."""
        core = self._core
        packet = frame[HEADER_LEN:]
        refused = self._validator.refusal(6, LAN, packet)
        if refused is None and not (
            self._is_for_host(packet[24:40], is_group(frame)) and self._is_there(frame)
        ):
            refused = DropReason.NOT_FOR_US
        if refused is not None:
            core.drop(refused)
            return None
        packet = ipv6.trimmed(packet)
        in_pieces = packet[6] == ipv6.FRAGMENT or packet[6] in ipv6.BEFORE_FRAGMENT
        if in_pieces and not self._is_transit(packet[24:40]):
            whole = self._join(packet)
            if whole is None:
                return None
            packet = whole
        service = self._services.get(_udp_port(packet, 0)) if self._services else None
        if service is not None:
            packet = service.came(packet) or packet
        core.stats.to_ip += 1
        return self._path.clamp6(packet) if core.config.clamp_mss else packet

    def _is_there(self, frame: bytes) -> bool:
        """Whether the MAC is that of the address, and what is passed on may leave its link."""
        macs, destination = self._core.macs, frame[38:54]
        if self._is_transit(destination) and (
            is_link_local6(frame[22:38]) or is_link_local6(destination)
        ):
            return False  # RFC 4291 2.5.6
        return not macs.generated or is_group(frame) or frame[:6] == macs.of(destination)

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
        if not interface.closed or interface.owns(destination, self._core.now):
            return True
        return self._is_transit(destination)

    def _is_transit(self, destination: Ip) -> bool:
        """Whether a router only passes it on, as it is."""
        is_ours = is_multicast6(destination) or self._interface.owns(destination, self._core.now)
        return self._core.config.serve is not None and not is_ours

    def _next_hop(self, destination: Ip) -> Ip | None:
        interface, now = self._interface, self._core.now
        if not is_unicast6(destination) or interface.owns(destination, now):
            return None
        return interface.next_hop(destination, now, self._is_known)

    def _is_known(self, ip: Ip) -> bool:
        return self._core.neighbors.lookup(ip, self._core.now) is not None


def _udp_port(packet: bytes, at: int = 2) -> int:
    """Where a datagram right behind the IPv6 header goes, or (0) is from; -1 for anything else."""
    start = ipv6.HEADER_LEN + at
    is_udp = packet[6] == ipv6.UDP and len(packet) >= ipv6.HEADER_LEN + 8
    return int.from_bytes(packet[start : start + 2]) if is_udp else -1
