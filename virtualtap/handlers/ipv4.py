"""Wraps and unwraps IPv4: next hop, group mapping, length. RFC 791, 894, 1112 6.4, 1122 3.3."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from virtualtap.core import Ask, Core
from virtualtap.stats import DropReason
from virtualtap.validator import HOST, LAN, Validator
from virtualtap.wire import ipv4
from virtualtap.wire.address import (
    ALL_HOSTS4,
    ANY4,
    BROADCAST,
    LIMITED_BROADCAST,
    Ip,
    Mac,
    is_group,
    is_multicast4,
    is_unicast4,
    multicast_mac4,
)
from virtualtap.wire.ethernet import HEADER_LEN, IPV4

Receive: TypeAlias = Callable[[bytes], None]


class Path(Protocol):
    """What knows about lengths: `handlers.path_mtu`."""

    def refuse4(self, packet: bytes) -> None: ...
    def clamp4(self, packet: bytes) -> bytes: ...


Join: TypeAlias = Callable[[bytes], bytes | None]  # a fragment: the packet, once it is whole


class Ipv4Handler:
    """Where an IPv4 packet goes (RFC 1122 3.3.1), and which ones are for the host (3.2.1.3)."""

    def __init__(
        self,
        core: Core,
        ask: Ask,
        path: Path,
        join: Join,
        udp: Mapping[int, Receive] | None = None,
    ) -> None:
        self._core = core
        self._ask = ask
        self._path = path
        self._join = join
        self._validator = Validator(core.config.validate, core.interface)
        self._groups = frozenset(group for group in core.config.groups if len(group) == 4)
        self._udp = udp or {}  # ports whose datagrams are for the tap, not for the host
        self._interface = core.interface

    def send(self, packet: bytes) -> bytes | None:
        """The frame for one packet of the host, or None while its next hop is asked for."""
        core = self._core
        refused = self._validator.refusal(4, HOST, packet)
        if refused is not None:
            core.drop(refused)
            return None
        packet = ipv4.trimmed(packet)
        if core.config.clamp_mss:
            packet = self._path.clamp4(packet)
        if self._interface.silent and packet[12:20] != _FROM_NOBODY_TO_ALL:
            core.drop(DropReason.NO_ADDRESS)  # RFC 5227 2.1.1: only then may the address be used
            return None
        if len(packet) > self._interface.mtu and (ipv4.fragment_word(packet) & ipv4.DONT_FRAGMENT):
            self._path.refuse4(packet)
            return None
        destination = packet[16:20]
        if destination in self._interface.broadcasts:
            return self._to(BROADCAST, packet)
        if is_multicast4(destination):
            return self._to(multicast_mac4(destination), packet)
        return self._to_neighbor(destination, packet)

    def _to_neighbor(self, destination: Ip, packet: bytes) -> bytes | None:
        core, config = self._core, self._core.config
        next_hop = self._next_hop(destination)
        if next_hop is None:
            core.drop(DropReason.NO_ROUTE)
            return None
        mac = core.neighbors.lookup(next_hop, core.now)
        if mac is not None:
            return self._to(mac, packet)
        if not config.handle_arp_internally:
            return self._to(config.gateway_mac or BROADCAST, packet)
        core.hold(next_hop, packet[12:16], packet, self._ask)
        return None

    def receive(self, frame: bytes) -> bytes | None:
        """The packet inside a frame, without padding, if it is for the host."""
        core = self._core
        packet = frame[HEADER_LEN:]
        refused = self._validator.refusal(4, LAN, packet)
        if refused is not None:
            core.drop(refused)
            return None
        packet = ipv4.trimmed(packet)
        is_for_host = self._is_for_host(packet[16:20], is_group(frame))
        if ipv4.fragment_word(packet) & _PIECE and (is_for_host or self._may_be_ours(packet)):
            whole = self._join(packet)
            if whole is None:
                return None
            packet = whole
        receive = self._udp.get(_udp_port(packet))
        if receive is not None:
            receive(frame[:HEADER_LEN] + packet)
            return None
        if not is_for_host:
            core.drop(DropReason.NOT_FOR_US)
            return None
        core.stats.to_ip += 1
        return self._path.clamp4(packet) if core.config.clamp_mss else packet

    def _may_be_ours(self, packet: bytes) -> bool:
        """Whether a fragment could be of a datagram for the tap: only the whole has the port."""
        return bool(self._udp) and packet[9] == ipv4.UDP

    def _is_for_host(self, destination: Ip, to_group: bool) -> bool:
        """RFC 1122 3.2.1.3, 3.3.6; `to_group`: the frame went to more than one station.

        Without `groups` the host's own stack chooses among groups, for it alone knows them.
        """
        interface = self._interface
        if is_multicast4(destination):
            return not self._groups or destination in self._groups or destination == ALL_HOSTS4
        if destination in interface.broadcasts:
            return True
        if to_group:  # a unicast packet is refused there, and broadcast's old form is let in
            return destination in (ANY4, interface.old_broadcast)
        return not interface.silent and destination == (interface.ip or destination)

    def _to(self, mac: Mac, packet: bytes) -> bytes | None:
        """The frame for a packet, or for its first fragment: the others wait in the outbox."""
        core, mtu = self._core, self._interface.mtu
        header = core.header(mac, IPV4)
        if len(packet) <= mtu:
            core.stats.to_ethernet += 1
            core.remember(packet, header)
            return header + packet
        first, *others = ipv4.fragments(packet, mtu)
        if len(core.frames) + len(others) > core.config.outbox_max:
            core.drop(DropReason.OUTBOX_FULL)
            return None
        core.stats.to_ethernet += 1
        core.stats.fragmented += 1
        for piece in others:
            core.send(mac + core.config.our_mac + IPV4 + piece)
        return header + first

    def _next_hop(self, destination: Ip) -> Ip | None:
        config, interface = self._core.config, self._interface
        if not is_unicast4(destination) or destination == interface.ip:
            return None
        if destination == interface.gateway:
            return destination
        next_hop = interface.next_hop(destination)
        if next_hop is None and not config.handle_arp_internally:
            return destination  # the caller resolves: to `gateway_mac`, or to everyone
        return next_hop


_FROM_NOBODY_TO_ALL = ANY4 + LIMITED_BROADCAST  # a host that asks for a lease: RFC 2131 4.1
_PIECE = ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK  # of a larger packet, where any is set


def _udp_port(packet: bytes) -> int:
    """Where a whole UDP datagram goes; -1 for anything else, fragments too."""
    start = ipv4.header_len(packet)
    if packet[9] != ipv4.UDP or ipv4.fragment_word(packet) & _PIECE or len(packet) < start + 8:
        return -1
    return int.from_bytes(packet[start + 2 : start + 4])
