"""What the handlers of one tap share: time, neighbours, timers, outboxes, counters."""

from collections import deque
from collections.abc import Callable
from functools import partial

from virtualtap.addresses import Macs
from virtualtap.config import TapConfig
from virtualtap.events import (
    Event,
    GatewayLearned,
    HostAdmitted,
    NeighborFailed,
    NeighborLearned,
)
from virtualtap.interface import Interface
from virtualtap.interface6 import Address, Interface6
from virtualtap.neighbors import Neighbors
from virtualtap.pacing import Pace
from virtualtap.rand import Rand
from virtualtap.stats import DropReason, Stats
from virtualtap.timers import NEVER, Action, Timers
from virtualtap.units import Duration, Instant
from virtualtap.ways import Ways
from virtualtap.wire import ethernet, ipv4
from virtualtap.wire.address import Ip, Mac, Route, is_neighbors_mac
from virtualtap.wire.ethernet import IPV4, IPV6

Ask = Callable[[Ip, Ip], None]  # (who is asked for, in whose name)


class Core:
    """The state of one tap. Handlers read `now` and leave frames, packets, events and drops."""

    def __init__(self, config: TapConfig) -> None:
        self.config = config = config.settled()
        self.manners = config.manners
        self.interface = Interface(config)
        self.interface6 = Interface6(config)
        self.macs = Macs(config.our_mac, config.random_seed)
        self.has_hosts = bool(config.hosts) or config.admit_hosts
        self.joined: Callable[[Ip], None] | None = None  # told of an IPv6 address that is new
        self.admitted: Callable[[Ip], None] | None = None  # told of an IPv4 host that is new
        for host in config.hosts if config.host_macs == "own" else ():
            self.macs.add(host)
        if config.serve is not None and config.serve.server_ip is not None:
            self.macs.add(config.serve.server_ip)
        self.rand = Rand(config.random_seed, config.our_mac)
        self.starts: list[Action] = []  # what is done as soon as the first `now` is known
        self.now: Instant = 0
        self.stats = Stats()
        self.timers = Timers()
        self.neighbors = Neighbors(
            config.neighbors_max,
            config.held_packets_max,
            config.held_bytes_max,
            frozenset((config.gateway_ip, config.gateway_ip6)),
        )
        self.pace = Pace(config.arp_burst_max, config.arp_spacing, config.arp_interval)
        self.outward = Ways(config.headers_max)  # while the neighbor's MAC is known
        self.inward = Ways(config.headers_max)
        self.tag = b"" if config.vlan_id is None else ethernet.tag(config.vlan_id)
        self.frames: list[bytes] = []
        self.packets: list[bytes] = []
        self.events: deque[Event] = deque(maxlen=config.outbox_max)

    def drop(self, reason: DropReason, count: int = 1) -> None:
        """Count what is refused."""
        if count:
            stats = self.stats
            stats.dropped[reason] = stats.dropped.get(reason, 0) + count
            stats.dropped_total += count

    def send(self, frame: bytes) -> bool:
        """Put a frame into the outbox, tagged in a VLAN; False where there is no room."""
        if len(self.frames) >= self.config.outbox_max:
            return False
        if self.tag and frame[12:16] != self.tag:
            frame = frame[:12] + self.tag + frame[12:]
        self.frames.append(frame)
        return True

    def give(self, packet: bytes) -> bool:
        """Put a packet for the host into the outbox; False where there is no room."""
        if len(self.packets) >= self.config.outbox_max:
            return False
        self.packets.append(packet)
        return True

    def send_cut(self, header: bytes, packet: bytes) -> bool:
        """Send a packet, in fragments where it must be; False where not all of them have room."""
        mtu = self.interface.mtu
        if len(packet) <= mtu or packet[0] >> 4 != 4:
            return self.send(header + packet)
        pieces = ipv4.fragments(packet, mtu)
        if len(self.frames) + len(pieces) > self.config.outbox_max:
            return False
        self.stats.fragmented += 1
        for piece in pieces:
            self.send(header + piece)
        return True

    def give_back(self, packet: bytes) -> None:
        """What one host behind the tap says to another goes up again, in pieces if it is long."""
        mtu = self.interface.mtu
        long = len(packet) > mtu and packet[0] >> 4 == 4
        pieces = ipv4.fragments(packet, mtu) if long else [packet]
        if len(self.packets) + len(pieces) > self.config.outbox_max:
            self.drop(DropReason.OUTBOX_FULL)
            return
        self.packets += pieces
        self.stats.returned += 1

    def header(self, mac: Mac, packet: bytes) -> bytes:
        """What goes before `packet` for `mac`, from its sender's own: 14 bytes, 18 in a VLAN."""
        if packet[0] >> 4 == 4:
            return mac + self.macs.of(packet[12:16]) + self.tag + IPV4
        return mac + self.macs.of(packet[8:24]) + self.tag + IPV6

    def frame(self, mac: Mac, packet: bytes) -> bytes:
        """The frame that carries `packet` to `mac`."""
        return self.header(mac, packet) + packet

    def may_be_at(self, mac: Mac) -> bool:
        """Whether another station can have this MAC."""
        return is_neighbors_mac(mac, self.config.our_mac) and mac not in self.macs.ours

    def remember(self, packet: bytes, header: bytes) -> None:
        """Ordinary packets between these two addresses need no second look."""
        if not self.config.clamp_mss and not self.manners.use_prolongs:  # or each packet counts
            self.outward.remember(header, packet, self.interface.mtu)

    def readdress(
        self,
        ip: Ip | None,
        prefix_length: int,
        gateway: Ip | None,
        routes: tuple[Route, ...],
        mtu: int,
    ) -> None:
        """The tap is called `ip` from now on. A new network has neighbors of its own."""
        interface, neighbors = self.interface, self.neighbors
        moved = (ip, prefix_length) != (interface.ip, interface.prefix_length)
        interface.assign(ip, prefix_length, gateway, routes, mtu)
        self.outward.clear()
        self.inward.clear()
        neighbors.never_evicted = frozenset((gateway, self.config.gateway_ip6))
        for neighbor in neighbors.addresses() if moved else ():
            if len(neighbor) == 4:
                self.timers.cancel(neighbor)
                self.drop(DropReason.UNRESOLVED, len(neighbors.forget(neighbor)))

    def rename(self, ip: Ip | None) -> None:
        """The tap is called `ip` in the network where it is; None: nobody, and nobody waits."""
        interface = self.interface
        network = interface.prefix_length, interface.gateway, interface.routes, interface.mtu
        interface.assign(ip, *network)
        self.outward.clear()
        self.inward.clear()
        for neighbor in self.neighbors.addresses():
            if len(neighbor) == 4 and self.neighbors.mac(neighbor) is None:
                self._give_up(neighbor)

    def use_host(self, ip: Ip, *, is_ours: bool) -> None:
        """A host behind the tap is called `ip` from now on, or is not any longer."""
        self.interface.hosts[ip] = is_ours
        self.outward.clear()
        self.inward.clear()

    def admit(self, ip: Ip) -> bool:
        """Let `ip` be a host behind the tap; False, counted, where there is no room."""
        hosts, addresses = self.interface.hosts, self.interface6.addresses
        if len(hosts) + len(addresses) + 1 >= self.config.hosts_max:
            self.drop(DropReason.HOSTS_FULL)
            return False
        if len(ip) == 4:
            self.use_host(ip, is_ours=self.config.claim != "probed")
        else:
            addresses[ip] = Address()
            self.interface6.hosts.append(ip)
            if self.joined is not None:
                self.joined(ip)
        if self.config.host_macs == "own":
            self.macs.add(ip)
        self.events.append(HostAdmitted(ip, self.macs.of(ip)))
        if len(ip) == 4:
            assert self.admitted is not None
            self.admitted(ip)
        return True

    def wrap(self, next_hop: Ip, packet: bytes) -> bytes | None:
        """The frame for an IPv6 neighbour whose MAC is known, or None."""
        mac = self.neighbors.lookup(next_hop, self.now)
        if mac is None:
            return None
        self.stats.to_ethernet += 1
        return self.frame(mac, packet)

    def hold(self, next_hop: Ip, source: Ip, packet: bytes, ask: Ask) -> None:
        """Let a packet wait for `next_hop`; the first one asks. RFC 1122 2.3.2.2."""
        if not self._make_room(next_hop):
            self.drop(DropReason.NEIGHBORS_FULL)
            return
        first, pushed_out = self.neighbors.hold(next_hop, packet, self.now)
        self.stats.held += 1
        self.drop(DropReason.HELD_FULL, pushed_out)
        if first:
            self._begin(next_hop, source, ask)

    def seek(self, next_hop: Ip, source: Ip, ask: Ask) -> None:
        """Ask for `next_hop`, but let nothing wait for it."""
        if not self._make_room(next_hop):
            self.drop(DropReason.NEIGHBORS_FULL)
        elif self.neighbors.expect(next_hop, self.now):
            self._begin(next_hop, source, ask)

    def interval(self, ip: Ip) -> Duration:
        """The time from one question for `ip` to the next."""
        return self.config.arp_interval if len(ip) == 4 else self.interface6.retrans_timer

    def learn(self, ip: Ip, mac: Mac, *, forever: bool = False) -> None:
        """`ip` is at `mac`: release what waited, and report what is new."""
        neighbors = self.neighbors
        if not self._make_room(ip):
            return
        before = neighbors.lookup(ip, self.now)
        expires = NEVER if forever else self.now + self.config.neighbor_lifetime
        if before == mac:  # heard again: its timer will find the later end, that of for ever too
            neighbors.learn(ip, mac, max(expires, neighbors.expires(ip)))
            return
        waiting = neighbors.learn(ip, mac, expires)
        self.timers.set(ip, expires, partial(self._expire, ip))
        self.outward.clear()
        self.events.append(NeighborLearned(ip, mac))
        if ip == self.interface.gateway or ip in self.interface6.routers:
            self.events.append(GatewayLearned(ip, mac))
        for packet in waiting:
            if self.send_cut(self.header(mac, packet), packet):
                self.stats.released += 1
            else:
                self.drop(DropReason.HELD_FULL)

    def forget(self, ip: Ip) -> None:
        """What was heard of `ip` counts no longer; nor will what waited for it be sent."""
        self.timers.cancel(ip)
        self.drop(DropReason.UNRESOLVED, len(self.neighbors.forget(ip)))
        self.outward.clear()

    def failed(self, ip: Ip) -> None:
        """Nobody answers for `ip`: say so, and let IPv6 look for another way. RFC 4861 6.3.6."""
        self.interface6.failed(ip)
        self.events.append(NeighborFailed(ip))

    def _begin(self, ip: Ip, source: Ip, ask: Ask) -> None:
        config = self.config
        tries = config.arp_retries_max if len(ip) == 4 else config.ndp_retries_max
        self._ask(ip, source, ask, tries, self.interval(ip))

    def _ask(self, ip: Ip, source: Ip, ask: Ask, tries: int, interval: Duration) -> None:
        """Ask when it is the turn of `ip`, and again if nobody answers."""
        if tries == 0:
            self._give_up(ip)
            return
        question = partial(self._ask_now, ip, source, ask, tries - 1, interval)
        if len(ip) == 16:
            question()  # each goes to a group of its own, so no limiter adds them up
        elif (rested := self.pace.rested(ip, self.now)) > self.now:
            # its entry went and came again
            self.timers.set(ip, rested, partial(self._ask, ip, source, ask, tries, interval))
        elif (turn := self.pace.turn(self.now)) > self.now:
            self.timers.set(ip, turn, question)
        else:
            question()

    def _ask_now(self, ip: Ip, source: Ip, ask: Ask, tries: int, interval: Duration) -> None:
        if len(ip) == 4:
            self.pace.note(ip, self.now)
        ask(ip, source)
        again = partial(self._ask, ip, source, ask, tries, interval)
        self.timers.set(ip, self.now + interval, again)

    def _give_up(self, ip: Ip) -> None:
        self.timers.cancel(ip)
        self.drop(DropReason.UNRESOLVED, len(self.neighbors.forget(ip)))
        self.failed(ip)

    def _make_room(self, ip: Ip) -> bool:
        room, evicted = self.neighbors.make_room(ip)
        if evicted is not None:
            self.timers.cancel(evicted)
            self.outward.clear()  # one of them may lead to the neighbour that had to go
        return room

    def _expire(self, ip: Ip) -> None:
        expires = self.neighbors.expires(ip)
        if expires > self.now:
            self.timers.set(ip, expires, partial(self._expire, ip))
            return
        self.neighbors.forget(ip)
        self.outward.clear()
