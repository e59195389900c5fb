"""VirtualTap: the verbs, and which handler gets which frame."""

import struct
from collections.abc import Callable
from typing import Protocol

from virtualtap.config import TapConfig
from virtualtap.core import Core
from virtualtap.errors import UsageError, WireError
from virtualtap.events import Event
from virtualtap.handlers.advertise import AdvertiseHandler
from virtualtap.handlers.arp import ArpHandler
from virtualtap.handlers.claim import ClaimHandler, HostClaims
from virtualtap.handlers.dhcp import DhcpHandler
from virtualtap.handlers.dhcp_server import DhcpServerHandler
from virtualtap.handlers.dns import DnsHandler
from virtualtap.handlers.fragments import FragmentHandler
from virtualtap.handlers.groups import SolicitedNodes, speaks_igmp, speaks_mld
from virtualtap.handlers.host_lease import HostLeaseHandler
from virtualtap.handlers.ipv4 import Ipv4Handler
from virtualtap.handlers.ipv6 import Ipv6Handler
from virtualtap.handlers.link import LinkHandler
from virtualtap.handlers.ndp import NdpHandler
from virtualtap.handlers.path_mtu import PathMtu
from virtualtap.handlers.routers import RouterHandler
from virtualtap.handlers.slaac import SlaacHandler
from virtualtap.lease import Lease
from virtualtap.passing import Passing
from virtualtap.reachability import Reachability
from virtualtap.stats import DropReason, Stats
from virtualtap.timers import NEVER
from virtualtap.units import Instant
from virtualtap.ways import HEADER_MAX, HEADER_MIN, framed_header, header
from virtualtap.wire import dns, ethernet, igmp, ipv6, mld, ndp
from virtualtap.wire.address import Ip, Mac, is_group
from virtualtap.wire.dhcp import CLIENT_PORT, SERVER_PORT
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6
from virtualtap.wire.ipv4 import LEN_MAX


class Translator(Protocol):
    """The verbs of anything that stands between Ethernet and IP."""

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None: ...
    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None: ...
    def poll(self, now: Instant) -> None: ...
    def next_deadline(self) -> Instant | None: ...
    def take_frames(self) -> list[bytes]: ...
    def take_packets(self) -> list[bytes]: ...


class VirtualTap:
    """Ethernet on one side, IP on the other. No clock, no I/O, no threads.

    The driver's contract: give input; send what was returned; send what `take_frames` and
    `take_packets` return; call `poll` at `next_deadline`. Neither verb raises on any bytes.
    """

    def __init__(self, config: TapConfig) -> None:
        self._core = core = Core(config)
        claim = ClaimHandler(core)
        has_hosts = core.interface.hosts or config.admit_hosts
        contested = HostClaims(core, claim).contested if has_hosts else claim.contested
        arp, neighbors = ArpHandler(core, contested), Reachability(core)
        self._dhcp = dhcp = DhcpHandler(core, self._send_own, claim.take, claim.stop)
        if config.dhcp:
            claim.refused = dhcp.lose
        ours = {CLIENT_PORT: dhcp.receive} if config.dhcp else {}
        if config.serve is not None and config.serve.pool is not None:
            server = DhcpServerHandler(core, config.serve, config.serve.pool, arp.ask)
            ours[SERVER_PORT] = server.receive
        self._host_lease = HostLeaseHandler(core)
        if config.learn_ip:
            claim.refused = self._host_lease.lose
        services = self._services(config)
        path = PathMtu(core, self._send_own)
        fragments = FragmentHandler(core, path)
        self._members, self._listeners = speaks_igmp(core), speaks_mld(core)
        self._nodes = SolicitedNodes(core, self._listeners) if self._listeners else None
        self._link = LinkHandler(core)
        self._ipv4 = Ipv4Handler(core, arp.ask, path, fragments.join4, ours, services)
        self._ipv6 = Ipv6Handler(core, neighbors.deliver, path, fragments.join6, services)
        self._ndp = NdpHandler(core, neighbors)
        core.joined = changed = self._nodes.changed if self._nodes else None
        self._slaac = SlaacHandler(core, neighbors, self._solicit_routers, changed)
        self._routers = RouterHandler(core, neighbors, self._slaac.offer)
        self._advertiser: AdvertiseHandler | None = None
        if config.serve is not None:
            self._advertiser = AdvertiseHandler(core, config.serve, neighbors)
        self._imitate(arp)
        self._receivers: dict[bytes, Callable[[bytes], bytes | None]] = {
            ARP: arp.receive,
            IPV4: self._receive_ipv4 if self._members else self._ipv4.receive,
            IPV6: self._receive_ipv6,
        }
        self._our_mac, self._interface = config.our_mac, core.interface
        self._outward, self._inward = core.outward.known, core.inward.known
        self._now, self._stats = core.now, core.stats
        self._watched = frozenset(port.to_bytes(2) for port in (*ours, *services))
        if config.gateway_mac is not None and config.gateway_ip is not None:
            core.learn(config.gateway_ip, config.gateway_mac, forever=True)  # until it moves
            core.events.clear()

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        """The frame for one IP packet of the host; None: held, or dropped.

        `now` is nanoseconds, never earlier than before (UsageError); omitted: no time has passed.
        """
        if now != self._now and now is not None:
            self._advance(now)
        try:
            kind, length, number, alike, check, ends = header(packet)
            front, most, sums = self._outward[ends]
            if (
                length == len(packet) <= most
                and HEADER_MIN <= kind <= HEADER_MAX
                and not (kind + length + number + check + sums[alike]) % 0xFFFF  # RFC 1071
            ):
                self._stats.to_ethernet += 1
                return front + packet
        except (KeyError, struct.error):
            pass  # not seen so far, or not a header
        return self._send(packet)

    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None:
        """The IP packet inside one frame; None: answered, learned, or dropped.

        `now` is nanoseconds, never earlier than before (UsageError); omitted: no time has passed.
        """
        if now != self._now and now is not None:
            self._advance(now)
        try:
            start, kind, length, number, alike, check, ends = framed_header(frame)
            known = self._inward.get(ends)
            if (
                known
                and start == known[0]
                and length == len(frame) - HEADER_LEN
                and HEADER_MIN <= kind <= HEADER_MAX
                and not (kind + length + number + check + known[2][alike]) % 0xFFFF  # RFC 1071
                and (not self._watched or self._watched.isdisjoint((frame[34:36], frame[36:38])))
            ):
                self._stats.to_ip += 1
                return frame[HEADER_LEN:]
        except (KeyError, struct.error):
            pass  # not seen so far, or not a header
        try:
            return self._receive(frame)
        except WireError:
            self._core.drop(DropReason.MALFORMED)
            return None

    def header_for(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        """What goes before `packet`, for a caller who sends both without joining them.

        As `ip_to_ethernet` otherwise. None also where another packet than this one is to be sent
        (fragments, a changed SYN, without what stood behind it): `take_frames` has it.
        """
        frame = self.ip_to_ethernet(packet, now)
        if frame is None:
            return None
        header_len = HEADER_LEN + len(self._core.tag)
        if frame[header_len:] == packet:
            return frame[:header_len]
        if len(self._core.frames) < self._core.config.outbox_max:
            self._core.frames.insert(0, frame)
        else:
            self._core.drop(DropReason.OUTBOX_FULL)
        return None

    def release(self, now: Instant | None = None) -> None:
        """Give the lease back and ask for no other; the farewell is in `take_frames`.

        UsageError without `dhcp`, and where `now` is earlier than before.
        """
        if not self._core.config.dhcp:
            raise UsageError("`release` without `dhcp`", "only a lease can be given back")
        self._advance(now)
        self._dhcp.release()

    def poll(self, now: Instant) -> None:
        """Run every timer due by `now`. UsageError where `now` is earlier than before."""
        self._advance(now)

    def next_deadline(self) -> Instant | None:
        """When `poll` should be called next; None: nothing is waiting for time to pass."""
        if self._core.starts:
            return self._core.now  # poll once: nothing can begin before the time is known
        deadline = self._core.timers.next
        return None if deadline == NEVER else deadline

    def take_frames(self) -> list[bytes]:
        """To the Ethernet side: requests, answers, released packets, oldest first."""
        taken, self._core.frames = self._core.frames, []
        return taken

    def take_packets(self) -> list[bytes]:
        """To the IP side: what a call gave beyond its first output, oldest first."""
        taken, self._core.packets = self._core.packets, []
        return taken

    def take_events(self) -> list[Event]:
        """What happened since the last call; of more than `outbox_max` the newest."""
        taken = list(self._core.events)
        self._core.events.clear()
        return taken

    def neighbors(self) -> dict[Ip, Mac]:
        """Who is known to be at which MAC."""
        return self._core.neighbors.known(self._core.now)

    def hosts(self) -> dict[Ip, Mac]:
        """The further addresses behind the tap that are in use, and where the LAN finds each."""
        core = self._core
        found = [ip for ip, is_ours in core.interface.hosts.items() if is_ours]
        found += [ip for ip in core.interface6.hosts if core.interface6.owns(ip, core.now)]
        return {ip: core.macs.of(ip) for ip in found}

    def macs(self) -> frozenset[Mac]:
        """Every MAC under which it speaks: its own, and those generated for hosts behind it."""
        return frozenset(self._core.macs.ours)

    def holding(self) -> int:
        """How many packets wait for an answer."""
        return self._core.neighbors.holding()

    @property
    def gateway_mac(self) -> Mac | None:
        """The gateway's MAC: learned, or else as configured."""
        core, gateway = self._core, self._interface.gateway
        if gateway is None:
            return core.config.gateway_mac
        return core.neighbors.lookup(gateway, core.now) or core.config.gateway_mac

    @property
    def lease(self) -> Lease | None:
        """The lease in use: ours, or with `learn_ip` the host's own."""
        return self._dhcp.lease or self._host_lease.lease

    @property
    def learned_ip(self) -> Ip | None:
        """Our address where a lease gave it."""
        return None if self.lease is None else self.lease.ip

    @property
    def our_ip6(self) -> tuple[Ip, ...]:
        """The IPv6 addresses that are ours to use now; those still preferred first."""
        return tuple(self._core.interface6.owned(self._core.now))

    @property
    def stats(self) -> Stats:
        """The counters, live."""
        return self._core.stats

    def _imitate(self, arp: ArpHandler) -> None:
        """Wire what only some profiles have."""
        core = self._core
        if core.manners.doubts_ipv4:
            states = Reachability(core, arp.ask)
            arp.learn = states.told
            self._ipv4.used = lambda ip, _, source: states.used(ip, source)
        if core.manners.use_prolongs:
            self._ipv4.used = lambda ip, mac, _: core.learn(ip, mac)
        if core.manners.adds_from_packets:
            self._ipv4.located = arp.locate

    def _services(self, config: TapConfig) -> dict[int, Passing]:
        """Who sees what passes between the host and its servers, by their port."""
        services: dict[int, Passing] = {}
        if config.learn_ip:
            services[SERVER_PORT] = Passing(self._host_lease)
        if config.dns_cache:
            services[dns.PORT] = Passing(DnsHandler(self._core))
        if services:  # who has none does not pay for the look
            self.ip_to_ethernet = self._send_watched  # type: ignore[method-assign]  # as it says
        return services

    def _send(self, packet: bytes) -> bytes | None:
        """The long way of a packet of the host."""
        try:
            version = packet[0] >> 4 if packet else 0
            if version == 4:
                return self._ipv4.send(packet)
            if version == 6:
                return self._send_ipv6(packet)
            raise WireError(f"an IP packet has version 4 or 6, got {version}")
        except WireError:
            self._core.drop(DropReason.MALFORMED)
            return None

    def _send_watched(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        """With services: the long way for what is for their ports, the usual one for all else."""
        if packet[22:24] not in self._watched:
            return VirtualTap.ip_to_ethernet(self, packet, now)
        if now != self._now and now is not None:
            self._advance(now)
        return self._send(packet)

    def _send_own(self, packet: bytes) -> bytes | None:
        """The way of the tap's own packets: that of the host's."""
        return (self._ipv4 if packet[0] >> 4 == 4 else self._ipv6).send(packet)

    def _send_ipv6(self, packet: bytes) -> bytes | None:
        """Where addresses are learned, what the host probes for may be one."""
        if self._core.config.learn_ip:
            self._slaac.probed(packet)
        return self._ipv6.send(packet)

    def _solicit_routers(self) -> None:
        """Where an address is ours to use: the two handlers know each other through here."""
        self._routers.solicit()

    def _advance(self, now: Instant | None) -> None:
        if now is None:  # no time has passed
            return
        core = self._core
        if not isinstance(now, int):
            raise UsageError(f"`now` must be an int of nanoseconds, got {now!r:.60}")
        if now < core.now:
            raise UsageError(f"time went back from {core.now} to {now}")
        if now >= NEVER:
            raise UsageError(f"`now` must be below 2**63 nanoseconds, got {now}")
        timers = core.timers
        while timers.next <= now:
            core.now = max(core.now, timers.next)
            action = timers.pop(now)
            assert action is not None
            try:
                action()
            except WireError:
                core.drop(DropReason.MALFORMED)
        core.now = self._now = now
        while core.starts:
            core.starts.pop(0)()

    def _receive(self, frame: bytes) -> bytes | None:
        plain = self._link.accept(frame)
        if plain is None:
            return None
        receive = self._receivers.get(ethernet.ethertype(plain))
        if receive is None:
            self._core.drop(DropReason.UNSUPPORTED)
            return None
        packet = receive(plain)
        if packet is not None and frame[12:14] == IPV4 and not is_group(frame):
            self._remember(frame)
        return packet

    def _remember(self, frame: bytes) -> None:
        """Such frames between these two addresses need no second look."""
        config = self._core.config
        each_counts = self._ipv4.located is not None
        if not config.clamp_mss and config.vlan_id is None and not each_counts:
            self._core.inward.remember(frame[:HEADER_LEN], frame[HEADER_LEN:], LEN_MAX)

    def _receive_ipv4(self, frame: bytes) -> bytes | None:
        """Where there are groups, what is said of them is for the tap."""
        if self._members and igmp.is_inside(frame[HEADER_LEN:]):
            return self._members.receive(frame)
        return self._ipv4.receive(frame)

    def _receive_ipv6(self, frame: bytes) -> bytes | None:
        """Neighbour messages are for the tap, and what is said of groups; all else for the host."""
        if self._listeners and mld.start(frame[HEADER_LEN:]):
            return self._listeners.receive(frame)
        kind = frame[_KIND : _KIND + 1]
        if frame[HEADER_LEN + 6 : HEADER_LEN + 7] != bytes((ndp.PROTOCOL,)):
            return self._ipv6.receive(frame)
        if kind not in _NEIGHBOR and kind not in _ROUTER:
            return self._ipv6.receive(frame)
        if not self._ipv6.may_pass(frame):
            return None
        routers = self._advertiser or self._routers
        packet = (self._ndp if kind in _NEIGHBOR else routers).receive(frame)
        if self._nodes:
            self._nodes.settle()  # an address may be lost, or end at another time
        return packet


_KIND = HEADER_LEN + ipv6.HEADER_LEN  # where the type of an ICMPv6 message stands
_NEIGHBOR = (bytes((ndp.SOLICITATION,)), bytes((ndp.ADVERTISEMENT,)))
_ROUTER = tuple(
    bytes((kind,)) for kind in (ndp.ROUTER_SOLICITATION, ndp.ROUTER_ADVERTISEMENT, ndp.REDIRECT)
)
