"""A link: two directions, each with its rate, delay, queue and faults.

The queue is no container: it is the instant at which the wire comes free. Backlog, tail drop and
serialisation are arithmetic on that integer, and a frame is one heap entry.
"""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol

from sim.faults import Delivery, Spell, Trouble, spells
from sim.node import Port
from sim.observers import Kind
from sim.reasons import Reason
from sim.rng import Stream, stream
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Duration, Instant

if TYPE_CHECKING:
    from sim.network import Network

QUEUE_BYTES = 256 * 1024
COPIES_MAX = 256  # that faults may make of one frame; more find no room


class Carrier(Protocol):
    """Carries the frames of a link in place of the bare wire: it decides when each arrives."""

    def send(self, way: "Direction", frame: bytes) -> None:
        """Let the frame arrive (`way.arrive`, by the network's heap), or lose it (`way.lose`)."""

    def waiting(self, way: "Direction") -> int:
        """How many frames of this way are neither there, nor lost, nor on the network's heap."""

    def link_changed(self, *, up: bool) -> None:
        """The link went down, after what was on the heap is lost, or it came up."""


class Direction:
    """One way of a link: what one port sends to the other.

    sent + duplicated = arrived + lost + in flight at every instant; what a clog keeps is in flight.
    """

    __slots__ = (
        *("_arrive", "_backlog_max", "_careful", "_network", "_receive", "_rng", "_spells"),
        *("_times", "_waiting", "_waiting_bytes", "arrived", "bits", "duplicated", "free_at"),
        *("is_plain", "link", "lost", "sent", "source", "target"),
    )

    def __init__(self, link: "Link", source: Port, target: Port, network: "Network") -> None:
        self.link = link
        self.source = source
        self.target = target
        self.sent = 0
        self.duplicated = 0
        self.arrived = 0
        self.lost: dict[str, int] = {}
        self.bits = 0  # put on the wire, overhead included; counted while a run is watched
        self.free_at: Instant = 0
        self._network = network
        self._times: dict[int, Duration] = {}
        self._rng: Stream | None = None  # made where something is left to luck: it is large
        self._receive = target.node.receive
        self._arrive = self.arrive
        self._careful = False
        self._spells: list[Spell] = []
        self._waiting: list[tuple[bytes, list[Delivery]]] = []  # what a clog keeps
        self._waiting_bytes = 0
        self.is_plain = False  # no faults, no clog, and up: what is sent arrives once
        self._backlog_max: Duration = -1  # set by `settle`

    def settle(self) -> None:
        """Take over what changed around it: faults, link state, observers, the node's state."""
        link, node = self.link, self.target.node
        began = self._network.now if self._network.has_begun else -1
        self._spells = spells(self._spells, link.faults, node.name, began)
        hindered = self._spells or link.carrier is not None or link.is_clogged
        self.is_plain = link.up and not hindered
        self._careful = bool(self._network.watched or not self.is_plain)
        self._receive = node.receive if node.up else node.refuse
        self._times.clear()
        self._backlog_max = link.backlog_max

    def send(self, frame: bytes) -> None:
        """Put a frame on the wire, behind those that wait for it."""
        if self._careful:
            if self.is_plain:
                self._send_seen(frame)
            else:
                self._send_carefully(frame)
            return
        self.sent += 1
        network = self._network
        now = network.now
        free = self.free_at
        if free <= now:
            free = now
        elif free - now > self._backlog_max:
            self.lose(frame, Reason.LINK_QUEUE)
            return
        length = len(frame)
        try:
            free += self._times[length]
        except KeyError:
            free += self._time(length)
        self.free_at = free
        network.call_at(free + self.link.delay, self._arrive, frame)

    def put(self, frame: bytes) -> Instant | None:
        """As `send` where `is_plain`, but the caller lets the frame arrive, at what is returned.

        None: it was lost.
        """
        self.sent += 1
        network, link, length = self._network, self.link, len(frame)
        if network.watched:
            network.see(Kind.SENT, self.source.name, frame)
        free, now = self.free_at, network.now
        if free <= now:
            free = now
        elif free - now > self._backlog_max:
            self.lose(frame, Reason.LINK_QUEUE)
            return None
        if network.watched:
            self.bits += link.wire_bytes(length) * 8
        time = self._times.get(length)
        self.free_at = free = free + (self._time(length) if time is None else time)
        return free + link.delay

    def arrive(self, frame: bytes) -> None:
        """The frame came out at the far end: a crossing."""
        self.arrived += 1
        if self._network.watched:
            self._network.see(Kind.ARRIVED, self.target.name, frame)
        self._receive(self.target, frame)

    def lose_in_flight(self) -> None:
        """The link went down: what is on it is gone."""
        for frame in self._network.recall(self):
            self.lose(frame, Reason.LINK_DOWN)
        for _, deliveries in self._waiting:
            for _, frame in deliveries:
                self.lose(frame, Reason.LINK_DOWN)
        self._waiting.clear()
        self._waiting_bytes = 0
        self.free_at = 0

    def resume(self) -> None:
        """What a clog has kept goes on, in its order."""
        waiting, self._waiting = self._waiting, []
        self._waiting_bytes = 0
        for frame, deliveries in waiting:
            self._depart(frame, deliveries)

    def waiting(self) -> int:
        """How many frames are neither there, nor lost, nor on the network's heap."""
        carried = 0 if self.link.carrier is None else self.link.carrier.waiting(self)
        return carried + sum(len(deliveries) for _, deliveries in self._waiting)

    def suffer(self, frame: bytes) -> tuple[list[Delivery], list[tuple[bytes, str]]]:
        """What arrives, how late, and what is lost, and why: faults from left to right."""
        deliveries: list[Delivery] = [(0, frame)]
        lost: list[tuple[bytes, str]] = []
        network, luck = self._network, self._rng
        if luck is None:
            luck = self._rng = stream(network.seed, "link", self.source.name)
        decisions = network.decisions
        for spell in self._spells:
            after: list[Delivery] = []
            for late, data in deliveries:
                become = spell.befall(data, luck)
                if decisions is not None:
                    decisions.decided(self, spell, data, become)
                if not become:
                    lost.append((data, spell.reason))
                after.extend((late + more, changed) for more, changed in become)
            lost += [(data, Reason.LINK_QUEUE) for _, data in after[COPIES_MAX:]]
            deliveries = after[:COPIES_MAX]
        return deliveries, lost

    def _send_seen(self, frame: bytes) -> None:
        when = self.put(frame)
        if when is not None:
            self._network.call_at(when, self._arrive, frame)

    def _send_carefully(self, frame: bytes) -> None:
        """As `send`, with observers, faults and a link that may be down or clogged."""
        network, link = self._network, self.link
        self.sent += 1
        if network.watched:
            network.see(Kind.SENT, self.source.name, frame)
        if not link.up:
            self.lose(frame, Reason.LINK_DOWN)
        elif not self._has_room():
            self.lose(frame, Reason.LINK_QUEUE)
        elif link.carrier is not None or not self._spells:
            self._depart(frame, [(0, frame)])  # faults befall what carries it
        else:
            deliveries, lost = self.suffer(frame)
            self.duplicated += len(deliveries) + len(lost) - 1
            for data, why in lost:
                self.lose(data, why)
            if network.numbering is not None:
                network.numbering.become(self.source.name, frame, [data for _, data in deliveries])
            self._depart(frame, deliveries)

    def _has_room(self) -> bool:
        link = self.link
        if link.queue is not None and self._waiting_bytes > link.queue:
            return False
        ahead = self._waiting_bytes * 8 * SECOND // link.rate if link.rate else 0
        ahead += max(self.free_at - self._network.now, 0)
        return ahead <= self._backlog_max or link.carrier is not None  # which has its own queues

    def _depart(self, frame: bytes, deliveries: list[Delivery]) -> None:
        """A frame goes on the wire, or waits for the end of a clog, as what faults made of it."""
        network, link = self._network, self.link
        wire_bytes = link.wire_bytes(len(frame))
        if link.is_clogged:
            self._waiting.append((frame, deliveries))
            self._waiting_bytes += wire_bytes
            return
        if link.carrier is not None:
            link.carrier.send(self, frame)
            return
        self.bits += wire_bytes * 8
        self.free_at = max(self.free_at, network.now) + self._time(len(frame))
        for late, arriving in deliveries:
            network.call_at(self.free_at + link.delay + late, self._arrive, arriving)

    def lose(self, frame: bytes, why: str) -> None:
        """The frame does not arrive."""
        self.lost[why] = self.lost.get(why, 0) + 1
        if self._network.watched:
            self._network.dropped(self.source.name, frame, why)

    def _time(self, length: int) -> Duration:
        rate = self.link.rate
        time = -(-self.link.wire_bytes(length) * 8 * SECOND // rate) if rate else 0
        self._times[length] = time
        return time


class Link:
    """Two ports, connected: rate in bit/s (None: no limit), delay in ns, sizes in bytes.

    `overhead` is added to every frame and `least` is the shortest that is put on the wire; `queue`
    is how many bytes may still wait when a frame comes (None: any number). It is down until `plug`.
    """

    def __init__(
        self,
        a: Port,
        b: Port,
        network: "Network",
        *,
        rate: int | None = None,
        delay: Duration = 0,
        overhead: int = 0,
        least: int = 0,
        queue: int | None = QUEUE_BYTES,
    ) -> None:
        if a.medium != b.medium:
            raise UsageError(
                f"`{a.name}` carries {a.medium.value} and `{b.name}` {b.medium.value}",
                "a tap stands between the two",
            )
        if (rate is not None and rate <= 0) or min(delay, overhead, least, queue or 0) < 0:
            raise UsageError(f"link `{a.name}`, `{b.name}`: rate, delay and sizes are positive")
        self.name = f"{a.node.name}--{b.node.name}"
        self.rate, self.delay, self.overhead, self.least = rate, delay, overhead, least
        self.queue = queue
        self.is_plugged = self.up = False
        self._network = network
        self._wanted = True  # up, where it is plugged in
        self._clogs: frozenset[Hashable] = frozenset()
        self.is_clogged = False  # what is sent waits
        self._carrier: Carrier | None = None
        self._faults: tuple[Trouble, ...] = ()
        self.directions = (Direction(self, a, b, network), Direction(self, b, a, network))

    @property
    def backlog_max(self) -> Duration:
        """How long what waits may take to send when a frame comes, in ns."""
        if self.queue is None or self.rate is None:
            return 1 << 62
        return self.queue * 8 * SECOND // self.rate

    def change(self, **settings: int | str | None) -> None:
        """Take over rate, delay, overhead, least and queue, where given and not None.

        A queue of `"none"` has no limit. What is on the way arrives as it was sent.
        """
        for name, value in settings.items():
            assert name in ("rate", "delay", "overhead", "least", "queue")
            if value is not None:
                setattr(self, name, None if value == "none" else value)
        self.settle()

    @property
    def faults(self) -> tuple[Trouble, ...]:
        """What befalls each frame, from left to right."""
        return self._faults

    @faults.setter
    def faults(self, faults: tuple[Trouble, ...]) -> None:
        self._faults = tuple(faults)
        self.settle()

    @property
    def carrier(self) -> Carrier | None:
        """What carries its frames; None: they are put on the wire as they are."""
        return self._carrier

    @carrier.setter
    def carrier(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.settle()

    def settle(self) -> None:
        """Let both directions take over what changed around them."""
        for direction in self.directions:
            direction.settle()

    def wire_bytes(self, length: int) -> int:
        """What a frame of `length` bytes takes up on the wire."""
        return max(length, self.least) + self.overhead

    def clog(self, by: Hashable) -> None:
        """From now on what is sent waits, as the queue allows; what is on its way arrives."""
        self._network.note("clog", self.name)
        self._clogs |= {by}
        self.is_clogged = True
        self.settle()

    def unclog(self, by: Hashable) -> None:
        """What waited goes on, unless another clog is there."""
        if by in self._clogs:
            self._network.note("unclog", self.name)
            self._clogs -= {by}
            self._resume()

    def open(self) -> None:
        """No clog is there any more, and none that was to begin begins."""
        self._network.cancel(self.clog)
        self._clogs = frozenset()
        self._resume()

    def set_up(self, up: bool) -> None:
        """Down: what is on the link is lost, and all that is sent until it is up again."""
        self._wanted = up
        if self.is_plugged:
            self._turn(up)

    def plug(self) -> None:
        """Join the two ports. UsageError where one is in another link."""
        for out, into in (self.directions, self.directions[::-1]):
            if out.source.out is not out:
                out.source.plug(out, into)
            if self._network.numbering is not None:
                self._network.numbering.plug(out.source.name, out.target.name)
        self.is_plugged = True
        if self._wanted:
            self._turn(True)

    def unplug(self) -> None:
        """Somebody pulls it out: it is down until `plug`, and its ports are free."""
        if self.up:
            self._turn(False)
        self.is_plugged = False

    def _turn(self, up: bool) -> None:
        self.up = up
        self.settle()
        if not up:
            for direction in self.directions:
                direction.lose_in_flight()
        if self._carrier is not None:  # the ends see no wire, but what it carries
            self._carrier.link_changed(up=up)
            return
        for direction in self.directions:
            direction.source.node.link_changed(direction.source, up=up)

    def _resume(self) -> None:
        self.is_clogged = bool(self._clogs)
        self.settle()
        if not self.is_clogged:
            for direction in self.directions:
                direction.resume()
