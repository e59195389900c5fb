"""VirtualTap: the verbs, and which handler gets which frame."""

from collections.abc import Callable
from typing import Protocol

from virtualtap.config import TapConfig
from virtualtap.core import Core
from virtualtap.errors import UsageError, WireError
from virtualtap.events import Event
from virtualtap.handlers.arp import ArpHandler
from virtualtap.handlers.ipv4 import Ipv4Handler
from virtualtap.handlers.ipv6 import Ipv6Handler
from virtualtap.handlers.ndp import NdpHandler
from virtualtap.stats import DropReason, Stats
from virtualtap.timers import NEVER
from virtualtap.units import Instant
from virtualtap.wire import ethernet, ipv6, ndp
from virtualtap.wire.address import Ip, Mac, is_group
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6


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
        arp, neighbors = ArpHandler(core), NdpHandler(core)
        self._ipv4 = Ipv4Handler(core, arp.ask)
        self._ipv6 = Ipv6Handler(core, neighbors.ask)
        self._ndp = neighbors
        self._receivers: dict[bytes, Callable[[bytes], bytes | None]] = {
            ARP: arp.receive,
            IPV4: self._ipv4.receive,
            IPV6: self._receive_ipv6,
        }
        self._our_mac, self._our_ip, self._mtu = config.our_mac, config.our_ip, config.mtu
        self._headers, self._stats = core.headers, core.stats
        self._fronts: set[bytes] = set()  # MACs, type and version that were found right
        if config.gateway_mac is not None and config.gateway_ip is not None:
            core.learn(config.gateway_ip, config.gateway_mac, forever=True)  # until it moves
            core.events.clear()

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        """The frame for one IP packet of the host; None: held, or dropped.

        `now` is nanoseconds, never earlier than before (UsageError); omitted: no time has passed.
        """
        if now is not None and now != self._core.now:
            self._advance(now)
        header = self._headers.get(packet[16:20])
        if (
            header is not None
            and packet[0] == 0x45
            and (packet[2] << 8) | packet[3] == len(packet) <= self._mtu
        ):
            self._stats.to_ethernet += 1
            return header + packet
        try:
            version = packet[0] >> 4 if packet else 0
            if version == 4:
                return self._ipv4.send(packet)
            if version == 6:
                return self._ipv6.send(packet)
            raise WireError(f"an IP packet has version 4 or 6, got {version}")
        except WireError:
            self._core.drop(DropReason.MALFORMED)
            return None

    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None:
        """The IP packet inside one frame; None: answered, learned, or dropped.

        `now` is nanoseconds, never earlier than before (UsageError); omitted: no time has passed.
        """
        if now is not None and now != self._core.now:
            self._advance(now)
        if (
            frame[:_FRONT] in self._fronts
            and frame[30:34] == self._our_ip
            and (frame[16] << 8) | frame[17] == len(frame) - HEADER_LEN
        ):
            self._stats.to_ip += 1
            return frame[HEADER_LEN:]
        try:
            return self._receive(frame)
        except WireError:
            self._core.drop(DropReason.MALFORMED)
            return None

    def poll(self, now: Instant) -> None:
        """Run every timer due by `now`. UsageError where `now` is earlier than before."""
        self._advance(now)

    def next_deadline(self) -> Instant | None:
        """When `poll` should be called next; None: nothing is waiting for time to pass."""
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

    def holding(self) -> int:
        """How many packets wait for an answer."""
        return self._core.neighbors.holding()

    @property
    def gateway_mac(self) -> Mac | None:
        """The gateway's MAC: learned, or else as configured."""
        core, config = self._core, self._core.config
        if config.gateway_ip is None:
            return config.gateway_mac
        return core.neighbors.lookup(config.gateway_ip, core.now) or config.gateway_mac

    @property
    def stats(self) -> Stats:
        """The counters, live."""
        return self._core.stats

    def _advance(self, now: Instant) -> None:
        core = self._core
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
        core.now = now

    def _receive(self, frame: bytes) -> bytes | None:
        if len(frame) < HEADER_LEN:
            raise WireError(f"Ethernet needs {HEADER_LEN} bytes, got {len(frame)}")
        source = frame[6:12]
        if source == self._our_mac:
            self._core.drop(DropReason.OWN_FRAME)
            return None
        if is_group(source) or not any(source):
            self._core.drop(DropReason.MALFORMED)
            return None
        if frame[:6] != self._our_mac and not is_group(frame):
            self._core.drop(DropReason.NOT_FOR_US)
            return None
        receive = self._receivers.get(ethernet.ethertype(frame))
        if receive is None:
            self._core.drop(DropReason.UNSUPPORTED)
            return None
        packet = receive(frame)
        if packet is not None and frame[12:_FRONT] == _ORDINARY and frame[:6] == self._our_mac:
            if len(self._fronts) >= self._core.config.headers_max:
                self._fronts.clear()
            self._fronts.add(frame[:_FRONT])
        return packet

    def _receive_ipv6(self, frame: bytes) -> bytes | None:
        """Neighbour messages are for the tap, all else for the host."""
        kind = frame[_KIND : _KIND + 1]
        if frame[HEADER_LEN + 6 : HEADER_LEN + 7] == bytes((ndp.PROTOCOL,)) and kind in _NEIGHBOR:
            return self._ndp.receive(frame)
        return self._ipv6.receive(frame)


_FRONT = HEADER_LEN + 1
_ORDINARY = IPV4 + b"\x45"  # IPv4 without options
_KIND = HEADER_LEN + ipv6.HEADER_LEN  # where the type of an ICMPv6 message stands
_NEIGHBOR = (bytes((ndp.SOLICITATION,)), bytes((ndp.ADVERTISEMENT,)))
