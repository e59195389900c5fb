"""What the handlers of one tap share: time, neighbours, timers, outboxes, counters."""

from collections import deque
from collections.abc import Callable
from functools import partial

from virtualtap.config import TapConfig
from virtualtap.events import Event, GatewayLearned, NeighborFailed, NeighborLearned
from virtualtap.neighbors import Neighbors
from virtualtap.stats import DropReason, Stats
from virtualtap.timers import NEVER, Timers
from virtualtap.units import Duration, Instant
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.ethernet import IPV4, IPV6

Ask = Callable[[Ip, Ip], None]  # (who is asked for, in whose name)


class Core:
    """The state of one tap. Handlers read `now` and leave frames, packets, events and drops."""

    def __init__(self, config: TapConfig) -> None:
        self.config = config
        self.now: Instant = 0
        self.stats = Stats()
        self.timers = Timers()
        self.neighbors = Neighbors(
            config.neighbors_max,
            config.held_packets_max,
            config.held_bytes_max,
            frozenset((config.gateway_ip, config.gateway_ip6)),
        )
        self.headers: dict[Ip, bytes] = {}  # IPv4 destination → 14 bytes, while the MAC is known
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
        """Put a frame of the engine's own into the outbox; False where there is no room."""
        if len(self.frames) >= self.config.outbox_max:
            return False
        self.frames.append(frame)
        return True

    def wrap(self, destination: Ip, next_hop: Ip, packet: bytes) -> bytes | None:
        """The frame for a neighbour whose MAC is known, or None."""
        mac = self.neighbors.lookup(next_hop, self.now)
        if mac is None:
            return None
        self.stats.to_ethernet += 1
        if len(next_hop) == 16:
            return mac + self.config.our_mac + IPV6 + packet
        header = mac + self.config.our_mac + IPV4
        if len(self.headers) >= self.config.headers_max:
            self.headers.clear()
        self.headers[destination] = header
        return header + packet

    def hold(self, next_hop: Ip, source: Ip, packet: bytes, ask: Ask) -> None:
        """Let a packet wait for `next_hop`; the first one asks. RFC 1122 2.3.2.2."""
        if not self._make_room(next_hop):
            self.drop(DropReason.NEIGHBORS_FULL)
            return
        first, pushed_out = self.neighbors.hold(next_hop, packet, self.now)
        self.stats.held += 1
        self.drop(DropReason.HELD_FULL, pushed_out)
        if first:
            config = self.config
            arp = len(next_hop) == 4
            tries = config.arp_retries_max if arp else config.ndp_retries_max
            interval = config.arp_interval if arp else config.ndp_interval
            self._ask(next_hop, source, ask, tries, interval)

    def learn(self, ip: Ip, mac: Mac, *, forever: bool = False) -> None:
        """`ip` is at `mac`: release what waited, and report what is new."""
        neighbors = self.neighbors
        if not self._make_room(ip):
            return
        before = neighbors.lookup(ip, self.now)
        expires = NEVER if forever else self.now + self.config.neighbor_lifetime
        waiting = neighbors.learn(ip, mac, expires)
        if before == mac:
            return  # heard again: its timer will find the later end
        self.timers.set(ip, expires, partial(self._expire, ip))
        self.headers.clear()
        self.events.append(NeighborLearned(ip, mac))
        if ip in (self.config.gateway_ip, self.config.gateway_ip6):
            self.events.append(GatewayLearned(ip, mac))
        header = mac + self.config.our_mac + (IPV4 if len(ip) == 4 else IPV6)
        for packet in waiting:
            if self.send(header + packet):
                self.stats.released += 1
            else:
                self.drop(DropReason.HELD_FULL)

    def _ask(self, ip: Ip, source: Ip, ask: Ask, tries: int, interval: Duration) -> None:
        if tries == 0:
            self.timers.cancel(ip)
            self.drop(DropReason.UNRESOLVED, len(self.neighbors.forget(ip)))
            self.events.append(NeighborFailed(ip))
            return
        ask(ip, source)
        again = partial(self._ask, ip, source, ask, tries - 1, interval)
        self.timers.set(ip, self.now + interval, again)

    def _make_room(self, ip: Ip) -> bool:
        room, evicted = self.neighbors.make_room(ip)
        if evicted is not None:
            self.timers.cancel(evicted)
            self.headers.clear()  # one of them may lead to the neighbour that had to go
        return room

    def _expire(self, ip: Ip) -> None:
        expires = self.neighbors.expires(ip)
        if expires > self.now:
            self.timers.set(ip, expires, partial(self._expire, ip))
            return
        self.neighbors.forget(ip)
        self.headers.clear()
