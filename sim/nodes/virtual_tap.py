"""VirtualTapNode: drives one engine. The only place where the engine meets the simulator."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from sim import marks
from sim.node import Medium, Node, Port
from sim.nodes.host import L3Host
from virtualtap import events as facts
from virtualtap.config import TapConfig
from virtualtap.events import AddressConflict, Event, LeaseBound
from virtualtap.stats import HELD_REASONS, JOINED_REASONS, DropReason, Stats
from virtualtap.tap import Translator, VirtualTap
from virtualtap.units import Instant


class Driven(Translator, Protocol):
    """A translator that also says what became of what it was given."""

    @property
    def stats(self) -> Stats: ...
    def take_events(self) -> list[Event]: ...
    def holding(self) -> int: ...


Make = Callable[[TapConfig], Driven]


class VirtualTapNode(Node):
    """The driver's contract: give input, send what comes out, arm one timer."""

    kind = "tap"

    def __init__(self, name: str, config: TapConfig, make: Make = VirtualTap) -> None:
        """`make` makes another translator than ours."""
        super().__init__(name)
        self.host = self.add_port("host", Medium.IP)
        self.lan = self.add_port("lan")
        self.config = config
        self.settled = config.settled()  # with what its profile says
        self._make = make
        self.stirs: Callable[[], None] | None = None  # a timer of the engine is due
        self.forget()

    def start(self) -> None:
        """Poll once if the engine has something to begin with: a lease, a probe, a router."""
        self._flush()

    def receive(self, port: Port, data: bytes) -> None:
        now = self.network.now if self.clock is None else self.time
        if port is self.host:
            out, out_port = self.tap.ip_to_ethernet(data, now), self.lan
        else:
            out, out_port = self.tap.ethernet_to_ip(data, now), self.host
        if out is not None:
            self.fates.translated += 1
            out_port.send(out)
        elif port is self.host and self._stats.held > self._held:
            self._held += 1
            self.fates.held += 1
        elif not self._refused(port, data):
            self.fates.consumed += 1
        self._flush()

    def wake(self) -> None:
        """Go on after a sleep: what was due meanwhile is due now."""
        self.asleep = False
        if self.up and self._armed is not None and self._armed <= self.time:
            self._poll(self._armed)

    def skew(self, ppm: int) -> None:
        super().skew(ppm)
        if self._armed is not None:  # due sooner than it was, or later: then it is armed anew
            self.call_at(self._armed, partial(self._poll, self._armed))

    def holding(self) -> int:
        return self.tap.holding()

    def forget(self) -> None:
        self.tap = self._make(self.config)
        self._stats = self.tap.stats
        self._armed: Instant | None = None
        self._held = self._released = 0  # the engine's counts, as booked so far
        self._dropped: dict[DropReason, int] = {}
        self._dropped_total = 0

    def _refused(self, port: Port, data: bytes) -> bool:
        """Whether the engine dropped the input itself; if so, book it."""
        if self._stats.dropped_total == self._dropped_total:
            return False
        for why, count in self._stats.dropped.items():
            if why not in _LATER and count > self._dropped.get(why, 0):
                self._dropped[why] = count
                self._dropped_total += 1
                self.drop(port, data, why.value)
                return True
        return False

    def _flush(self) -> None:
        """Send what came out besides, book what went, arm the timer."""
        tap, stats = self.tap, self._stats
        if stats.held > self._held:  # not what came in: the renewal of a lease, say
            self.fates.held_own += stats.held - self._held
            self._held = stats.held
        frames = tap.take_frames()
        if frames:
            released = stats.released - self._released
            self._released = stats.released
            self.fates.released += released
            self.fates.originated += len(frames) - released
            for frame in frames:
                self.lan.send(frame)
        for packet in tap.take_packets():
            self.fates.originated += 1
            self.host.send(packet)
        if stats.dropped_total > self._dropped_total:
            self._book_held()
        if self.network.watched or self.config.dhcp:
            self._tell(tap.take_events())
        deadline = tap.next_deadline()
        if deadline is not None and (self._armed is None or deadline < self._armed):
            deadline = max(deadline, self.time)  # one made anew, after a crash too, knows no time
            self._armed = deadline
            self.call_at(deadline, partial(self._poll, deadline))

    def _tell(self, events: list[Event]) -> None:
        """The host has the address that a lease gave; without one it keeps the last."""
        for event in events:
            if isinstance(event, LeaseBound) and self.host.out is not None:
                host = self.host.out.target.node
                if isinstance(host, L3Host):
                    host.configure(event.ip)
            elif isinstance(event, AddressConflict):
                marks.reachable("conflict-4" if len(event.ip) == 4 else "conflict-6")
            if type(event) in _MARKS:
                marks.reachable(_MARKS[type(event)])
            self.network.note(self.name, repr(event))

    def _book_held(self) -> None:
        for why in _LATER:
            count = self._stats.dropped.get(why, 0)
            for _ in range(count - self._dropped.get(why, 0)):
                self.drop(None, b"", why.value, held=why in HELD_REASONS)
            self._dropped[why] = count
        self._dropped_total = sum(self._dropped.values())

    def _poll(self, deadline: Instant) -> None:
        if deadline != self._armed or self.asleep:
            return  # an earlier one was armed after it, and has armed anew
        if self.stirs is not None:
            self.stirs()
        self._armed = None
        self.tap.poll(self.time)
        self._flush()


_LATER = (*HELD_REASONS, *JOINED_REASONS)  # not what came in just now: what was taken in before
_MARKS: dict[type, str] = {
    facts.AddressClaimed: "claim-made",
    facts.AddressLost: "address-lost",
    facts.GatewayLearned: "gateway-learned",
    facts.HostAdmitted: "host-admitted",
    facts.LeaseBound: "lease-bound",
    facts.LeaseRenewed: "lease-renewed",
    facts.LeaseLost: "lease-lost",
    facts.NeighborFailed: "neighbor-failed",
    facts.ArpReceived: "arp-handed-over",
}
