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
    is_link_local4,
    is_multicast4,
    is_unicast4,
    multicast_mac4,
)
from virtualtap.wire.ethernet import HEADER_LEN

Receive: TypeAlias = Callable[[bytes], None]
Located: TypeAlias = Callable[[Ip, Mac], None]  # a packet came: its sender, the frame's source
Used: TypeAlias = Callable[[Ip, Mac, Ip], None]  # a packet goes: to whom, where, in whose name


class Path(Protocol):
    """What knows about lengths: `handlers.path_mtu`."""

    def refuse4(self, packet: bytes) -> None: ...
    def clamp4(self, packet: bytes) -> bytes: ...


class Service(Protocol):
    """What looks at the datagrams between the host and one port of servers."""

    def sent(self, packet: bytes) -> bytes | None:
        """The host's packet, maybe another than it sent; None: nothing leaves."""

    def came(self, packet: bytes) -> bytes | None:
        """A packet that is the host's whatever its address, maybe another than came; or None."""


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
        services: Mapping[int, Service] | None = None,
    ) -> None:
        self._core = core
        self._ask = ask
        self._path = path
        self._join = join
        self._validator = Validator(core.config.validate, core.interface)
        self._groups = frozenset(group for group in core.config.groups if len(group) == 4)
        self._udp = udp or {}  # ports whose datagrams are for the tap, not for the host
        self._services = services or {}  # by the server's port
        self._interface = core.interface
        self.located: Located | None = None
        self.used: Used | None = None

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
        if self._interface.may_not_say(packet[12:16]) and packet[12:20] != _FROM_NOBODY_TO_ALL:
            core.drop(DropReason.NO_ADDRESS)  # RFC 5227 2.1.1: only then may the address be used
            return None
        if len(packet) > self._interface.mtu and (ipv4.fragment_word(packet) & ipv4.DONT_FRAGMENT):
            self._path.refuse4(packet)
            return None
        if core.has_hosts and not self._leaves(packet):
            return None
        service = self._services.get(_udp_port(packet)) if self._services else None
        seen = packet if service is None else service.sent(packet)
        return None if seen is None else self._to_destination(seen)

    def _to_destination(self, packet: bytes) -> bytes | None:
        destination = packet[16:20]
        if destination in self._interface.broadcasts:
            return self._to(BROADCAST, packet)
        if is_multicast4(destination):
            return self._to(multicast_mac4(destination), packet)
        return self._to_neighbor(destination, packet)

    def _leaves(self, packet: bytes) -> bool:
        """Whether a packet of one of several hosts goes to the LAN, too.

        What is for another of them goes up again instead, and what is for all goes both ways.
        """
        core, interface = self._core, self._interface
        source, destination = packet[12:16], packet[16:20]
        if core.config.admit_hosts and self._is_new(source):
            if not core.admit(source):
                return False
            if interface.may_not_say(source):
                core.drop(DropReason.NO_ADDRESS)  # it has to be claimed first
                return False
        if interface.owns(destination):
            core.give_back(packet)
            return False
        if is_multicast4(destination) or destination in interface.broadcasts:
            core.give_back(packet)
        return True

    def _is_new(self, source: Ip) -> bool:
        """Whether `source` may be a host that has not been heard of."""
        interface = self._interface
        known = source in interface.hosts or source in (interface.ip, interface.gateway)
        return not known and is_unicast4(source) and interface.on_link(source)

    def _to_neighbor(self, destination: Ip, packet: bytes) -> bytes | None:
        core, config = self._core, self._core.config
        next_hop = self._next_hop(destination)
        if next_hop is None:
            core.drop(DropReason.NO_ROUTE)
            return None
        mac = core.neighbors.lookup(next_hop, core.now)
        if mac is not None:
            if self.used is not None:
                self.used(next_hop, mac, packet[12:16])
            return self._to(mac, packet)
        if not config.handle_arp_internally:
            return self._to(config.gateway_mac or BROADCAST, packet)
        if config.when_unresolved != "hold":
            return self._without_waiting(next_hop, packet)
        core.hold(next_hop, packet[12:16], packet, self._ask)
        return None

    def _without_waiting(self, next_hop: Ip, packet: bytes) -> bytes | None:
        """RFC 826 "Packet Generation" throws the packet away and asks; others send it to all."""
        core = self._core
        if core.manners.asks:
            core.seek(next_hop, packet[12:16], self._ask)
        if core.config.when_unresolved == "broadcast":
            return self._to(BROADCAST, packet, known=False)
        core.drop(DropReason.NOT_HELD)
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
        is_for_host = self._is_for_host(packet[16:20], is_group(frame)) and self._is_there(frame)
        is_transit = self._is_transit(packet[16:20])
        if (
            ipv4.fragment_word(packet) & _PIECE
            and (is_for_host or self._may_be_ours(packet))
            and not is_transit
        ):
            whole = self._join(packet)
            if whole is None:
                return None
            packet = whole
        receive = self._udp.get(_udp_port(packet))
        if receive is not None and not is_transit:
            receive(frame[:HEADER_LEN] + packet)
            return None
        service = self._services.get(_udp_port(packet, 0)) if self._services else None
        theirs = None if service is None else service.came(packet)
        if theirs is None and not is_for_host:
            core.drop(DropReason.NOT_FOR_US)
            return None
        packet = theirs or packet
        if self.located is not None:
            self.located(packet[12:16], frame[6:12])
        core.stats.to_ip += 1
        return self._path.clamp4(packet) if core.config.clamp_mss else packet

    def _is_there(self, frame: bytes) -> bool:
        """Whether the MAC is that of the address, and what is passed on may leave its link."""
        macs, destination = self._core.macs, frame[30:34]
        if self._is_transit(destination) and (
            is_link_local4(frame[26:30]) or is_link_local4(destination)
        ):
            return False  # RFC 3927 7
        return not macs.generated or is_group(frame) or frame[:6] == macs.of(destination)

    def _is_transit(self, destination: Ip) -> bool:
        """Whether a router only passes it on, as it is."""
        interface = self._interface
        is_ours = interface.owns(destination) or destination in interface.broadcasts
        return self._core.config.serve is not None and not is_ours

    def _may_be_ours(self, packet: bytes) -> bool:
        """Whether a fragment could be of a datagram for the tap: only the whole has the port."""
        return bool(self._udp) and packet[9] == ipv4.UDP

    def _is_for_host(self, destination: Ip, to_group: bool) -> bool:
        """RFC 1122 3.2.1.3, 3.3.6; `to_group`: the frame went to more than one station.

        Without `groups` the host's own stack chooses among groups, for it alone knows them.
        """
        interface, misreads = self._interface, self._core.manners.misreads_groups
        if misreads and destination[0] >= _GROUPS and destination not in interface.broadcasts:
            return destination[1] <= _GROUPS_END
        if is_multicast4(destination):
            return not self._groups or destination in self._groups or destination == ALL_HOSTS4
        if destination in interface.broadcasts:
            return True
        if to_group:  # a unicast packet is refused there, and broadcast's old form is let in
            return destination in (ANY4, interface.old_broadcast)
        if interface.owns(destination):
            return True
        return not interface.silent and (interface.ip is None or self._is_transit(destination))

    def _to(self, mac: Mac, packet: bytes, *, known: bool = True) -> bytes | None:
        """The frame for a packet, or for its first fragment: the others wait in the outbox."""
        core, mtu = self._core, self._interface.mtu
        header = core.header(mac, packet)
        if len(packet) <= mtu:
            core.stats.to_ethernet += 1
            if known:
                core.remember(packet, header)
            return header + packet
        first, *others = ipv4.fragments(packet, mtu)
        if len(core.frames) + len(others) > core.config.outbox_max:
            core.drop(DropReason.OUTBOX_FULL)
            return None
        core.stats.to_ethernet += 1
        core.stats.fragmented += 1
        for piece in others:
            core.send(header + piece)
        return header + first

    def _next_hop(self, destination: Ip) -> Ip | None:
        config, interface = self._core.config, self._interface
        if not is_unicast4(destination) or interface.owns(destination):
            return None
        if destination == interface.gateway:
            return destination
        next_hop = interface.next_hop(destination)
        if next_hop is None and not config.handle_arp_internally:
            return destination  # the caller resolves: to `gateway_mac`, or to everyone
        return next_hop


_FROM_NOBODY_TO_ALL = ANY4 + LIMITED_BROADCAST  # a host that asks for a lease: RFC 2131 4.1
_GROUPS, _GROUPS_END = 224, 239  # RFC 5771 3: 224.0.0.0 to 239.255.255.255
_PIECE = ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK  # of a larger packet, where any is set


def _udp_port(packet: bytes, at: int = 2) -> int:
    """Where a whole UDP datagram goes, or (0) is from; -1 for anything else, fragments too."""
    start = ipv4.header_len(packet)
    if packet[9] != ipv4.UDP or ipv4.fragment_word(packet) & _PIECE or len(packet) < start + 8:
        return -1
    return int.from_bytes(packet[start + at : start + at + 2])
