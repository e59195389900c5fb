"""Network: seed, clock, nodes, links, observers. The only file that knows SimPy."""

from collections.abc import Callable, Generator
from heapq import heapify, heappop, heappush
from itertools import repeat
from types import MethodType
from typing import Any, NoReturn, TypeAlias, TypeVar

import simpy
from simpy.events import NORMAL, Event, EventPriority

from sim.faults import Recorder, Trouble
from sim.link import QUEUE_BYTES, Direction, Link
from sim.node import Node, Port
from sim.numbering import Numbering
from sim.observers import Kind, Moment, Observer
from virtualtap.errors import UsageError
from virtualtap.units import Duration, Instant

N = TypeVar("N", bound=Node)
_Entry: TypeAlias = tuple[Instant, int, int, Callable[[Any], None], Any]
_Flight: TypeAlias = tuple[int, list[Direction], bytes]  # id, ways from the last to the first
_NOTHING: _Flight = (0, [], b"")  # lands
_new = tuple.__new__  # of a named tuple: its own is a function in between
_CHUNK = 10_000  # happenings between two looks at limits and progress


class Tally:
    """Application payloads, in number and bytes: given to an IP stack, handed to a receiver."""

    __slots__ = ("delivered", "delivered_bytes", "offered", "offered_bytes")

    def __init__(self) -> None:
        self.offered = self.offered_bytes = self.delivered = self.delivered_bytes = 0


class _Ended(Exception):
    """The instant `until` has come."""


class Network(simpy.Environment):
    """A simulated network. Time is integer nanoseconds from 0.

    SimPy's heap also holds plain calls, (time, priority, id, function, argument): a frame on a
    link is one such tuple, and SimPy's own events are calls of `_fire`. Both keep SimPy's order:
    time, then priority, then the order of scheduling.
    """

    now: Instant = 0

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed
        self.nodes: dict[str, Node] = {}
        self.links: list[Link] = []
        self.observers: list[Observer] = []
        self.watched = False
        self.numbering: Numbering | None = None  # if frames have numbers
        self.decisions: Recorder | None = None  # if what faults decide is recorded
        self.tally = Tally()
        self._heap: list[_Entry] = []
        self._landing: _Flight = _NOTHING  # what is arriving right now
        self._shared = 0  # copies that share the entry of another
        self._landed = 0  # copies since the last look between happenings
        self._between: Callable[[], None] | None = None
        self._cancelled = 0
        self._started = False
        self._pop: Callable[[list[_Entry]], _Entry] = heappop

    # building

    def add(self, node: N) -> N:
        """Add a node. UsageError where the name is taken."""
        if node.name in self.nodes:
            raise UsageError(f"there is a node `{node.name}` already")
        self.nodes[node.name] = node
        node.join(self)
        return node

    def connect(
        self,
        a: Port,
        b: Port,
        *,
        rate: int | None = None,
        delay: Duration = 0,
        overhead: int = 0,
        least: int = 0,
        queue: int | None = QUEUE_BYTES,
        faults: tuple[Trouble, ...] = (),
    ) -> Link:
        """Connect two ports. UsageError where media differ or a port is taken."""
        link = Link(a, b, self, rate=rate, delay=delay, overhead=overhead, least=least, queue=queue)
        link.plug()
        link.faults = faults
        self.links.append(link)
        return link

    # time

    def call_at(self, when: Instant, action: Callable[[Any], None], data: Any) -> None:
        """Call `action(data)` at `when`, after all that was scheduled for then before."""
        if when < self.now:
            raise UsageError(f"it is {self.now} ns already, too late for {when} ns")
        heappush(self._heap, (when, 1, next(self._eid), action, data))

    def schedule(
        self, event: Event, priority: EventPriority = NORMAL, delay: simpy.core.SimTime = 0
    ) -> None:
        """SimPy's door to the heap: its events, of processes and time-outs, are calls too."""
        if not isinstance(delay, int):
            raise UsageError(f"time is integer nanoseconds, got {delay!r}")
        entry: _Entry = (self.now + delay, priority, next(self._eid), self._fire, event)
        heappush(self._heap, entry)

    def peek(self) -> simpy.core.SimTime:
        """When the next happening is due."""
        return self._heap[0][0] if self._heap else simpy.core.Infinity

    def step(self) -> None:
        """Let the next thing happen."""
        if not self._heap:
            raise simpy.core.EmptySchedule
        self.now, _, _, action, data = heappop(self._heap)
        action(data)

    def run(  # type: ignore[override]  # time is all that ends a network; SimPy also takes events
        self, until: Instant, between: Callable[[], None] | None = None
    ) -> None:
        """Let everything happen that is due before `until`; may be called again for more.

        `between` is called now and then; what it raises ends the run where it stands.
        """
        if not isinstance(until, int):
            raise UsageError(f"`until` is integer nanoseconds, got {until!r:.60}")
        if until < self.now:
            raise UsageError(f"the network is at {self.now} ns already, `until` is {until}")
        self._start()
        heap, pop = self._heap, self._pop
        self._between = between
        end: _Entry = (until, -1, next(self._eid), _end, None)
        heappush(heap, end)
        try:
            while True:
                for _ in repeat(None, _CHUNK):
                    self.now, _, _, action, data = pop(heap)
                    action(data)
                if between is not None:
                    between()
        except _Ended:
            self._cancelled += 1  # the end is no happening
        except BaseException:
            self.cancel(_end)
            raise

    def flood(self, ways: list[Direction], frame: bytes) -> None:
        """Send one frame on every way, in order; copies that arrive together are one heap entry.

        Every moment is that of `send` on one way after another: only arrivals that would follow
        one another in the heap, for the same instant and with nothing between them, share an entry.
        """
        together: list[Direction] = []
        at: Instant = -1
        for way in ways:
            when = way.put(frame) if way.is_plain else -1
            if when is None:
                continue  # lost
            if when != at:
                self._depart(at, together, frame)
                together, at = [], when
            if when == -1:
                way.send(frame)  # faults decide what arrives, and when
            else:
                together.append(way)
        self._depart(at, together, frame)

    def recall(self, way: Direction) -> list[bytes]:
        """Take all that is on this way off the heap: the frames, the earliest first."""
        taken: list[tuple[Instant, int, bytes]] = []
        kept: list[_Entry] = []
        for entry in self._heap:
            at, _, eid, action, data = entry
            if action == way.arrive:
                taken.append((at, eid, data))
            elif action == self._land and way in data[1]:
                data[1].remove(way)
                taken.append((at, eid, data[2]))
                if data[1]:
                    kept.append(entry)
            else:
                kept.append(entry)
        self._cancelled += len(self._heap) - len(kept)
        self._heap[:] = kept
        heapify(self._heap)
        eid, ways, frame = self._landing
        if way in ways:
            ways.remove(way)
            taken.append((self.now, eid, frame))
        return [frame for _, _, frame in sorted(taken)]

    def cancel(self, action: Callable[[Any], None]) -> list[Any]:
        """Take every call of `action` off the heap: their arguments, the earliest first."""
        taken = sorted((*entry[:3], entry[4]) for entry in self._heap if entry[3] == action)
        if taken:
            self._heap[:] = [entry for entry in self._heap if entry[3] != action]
            heapify(self._heap)
            self._cancelled += len(taken)
        return [entry[3] for entry in taken]

    def events(self) -> int:
        """How many things have happened: calls and SimPy events taken off the heap."""
        return self.mark() + 1 - self._cancelled - len(self._heap)

    def scheduled(self) -> int:
        """How much is yet to happen: frames in flight, timers, SimPy's events."""
        return len(self._heap)

    def work(self) -> int:
        """As `events`, but each copy of a flood counts: what a run's limits are about."""
        return self.events() + self._shared

    @property
    def has_begun(self) -> bool:
        """Whether the run has begun."""
        return self._started

    # what can happen at a time

    def crash(self, node: Node) -> None:
        """The node loses its state and refuses all frames."""
        node.crash()
        self._settle(node)

    def restart(self, node: Node) -> None:
        """The node comes back."""
        node.restart()
        self._settle(node)

    # observers

    def trace(self, begin: Callable[[int, Callable[[Any], None], Any], None]) -> None:
        """From now on, before anything happens, tell `begin` its number, and what is called."""

        def pop(heap: list[_Entry]) -> _Entry:
            entry = heappop(heap)
            begin(entry[2], entry[3], entry[4])
            return entry

        self._pop = pop

    def mark(self) -> int:
        """A number above those of all that is scheduled, and below those of all that will be."""
        self._cancelled += 1  # it belongs to nothing
        return next(self._eid)

    def see(self, kind: Kind, where: str, data: bytes, why: str = "") -> None:
        """Tell every observer."""
        moment = _new(Moment, (self.now, kind, where, data, why))
        for observer in self.observers:
            observer.see(moment)

    def dropped(self, where: str, data: bytes, why: str) -> None:
        """Tell every observer of a frame refused or lost."""
        self.see(Kind.DROPPED, where, data, why)

    def note(self, where: str, what: str) -> None:
        """Tell every observer a fact."""
        if self.watched:
            self.see(Kind.NOTED, where, b"", what)

    def finish(self) -> None:
        """Tell every observer that the run has ended."""
        for observer in self.observers:
            observer.finish(self.now)

    # counts

    def crossings(self) -> int:
        """Frames that arrived at the far end of one direction of one link."""
        return sum(direction.arrived for direction in self._directions())

    def drops(self) -> dict[str, int]:
        """What nodes refused and links lost, by reason, in alphabetical order."""
        total: dict[str, int] = {}
        for counts in (
            *(node.fates.dropped for node in self.nodes.values()),
            *(direction.lost for direction in self._directions()),
        ):
            for why, count in counts.items():
                total[why] = total.get(why, 0) + count
        return dict(sorted(total.items()))

    def ledger(self) -> list[str]:
        """Where the books do not balance, in words; empty when every frame is accounted for."""
        in_flight: dict[Direction, int] = {}
        for way in self._flying():
            in_flight[way] = in_flight.get(way, 0) + 1
        wrong = []
        for link in self.links:
            has_waiting = link.carrier is not None or link.is_clogged
            for way in link.directions:
                flying = in_flight.get(way, 0) + (way.waiting() if has_waiting else 0)
                lost = sum(way.lost.values()) if way.lost else 0
                if way.sent + way.duplicated != way.arrived + lost + flying:
                    wrong.append(
                        f"{way.source.name} to {way.target.name}: sent {way.sent} + duplicated "
                        f"{way.duplicated} is not arrived {way.arrived} + lost {way.lost} + "
                        f"in flight {flying}"
                    )
        for node in self.nodes.values():
            wrong.extend(_imbalance(node))
        return wrong

    def _depart(self, at: Instant, ways: list[Direction], frame: bytes) -> None:
        """The copies are on their ways, and arrive at `at`."""
        if len(ways) == 1:
            self.call_at(at, ways[0].arrive, frame)
        elif ways:
            ways.reverse()  # they are taken from the end
            self._shared += len(ways) - 1
            eid = next(self._eid)
            heappush(self._heap, (at, NORMAL, eid, self._land, (eid, ways, frame)))

    def _land(self, flight: _Flight) -> None:
        """Let copies arrive one after another; what SimPy calls urgent goes before the rest."""
        eid, ways, frame = self._landing = flight
        heap, now = self._heap, self.now
        self._landed += len(ways)
        while ways:
            ways.pop().arrive(frame)
            if ways and heap and heap[0][1] < NORMAL and heap[0][0] == now:
                heappush(heap, (now, NORMAL, eid, self._land, flight))
                self._landing = _NOTHING
                self._landed -= len(ways)
                return
        if self._landed >= _CHUNK:  # as many happenings, were they entries of their own
            self._landed = 0
            if self._between is not None:
                self._between()

    def _start(self) -> None:
        watched = bool(self.observers)
        if watched != self.watched or not self._started:
            self.watched = watched
            for link in self.links:
                link.settle()
        if not self._started:
            self._started = True
            for node in self.nodes.values():
                node.start()

    def _settle(self, node: Node) -> None:
        for port in node.ports.values():
            if port.into is not None:
                port.into.settle()

    def _flying(self) -> Generator[Direction, None, None]:
        """The way of each frame that is in flight."""
        yield from self._landing[1]
        for _, _, _, action, data in self._heap:
            if action == self._land:
                yield from data[1]
            elif isinstance(action, MethodType) and isinstance(action.__self__, Direction):
                yield action.__self__

    def _directions(self) -> Generator[Direction, None, None]:
        for link in self.links:
            yield from link.directions

    def _fire(self, event: Event) -> None:
        """What SimPy's own step does with an event."""
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]  # as SimPy
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):  # noqa: SLF001  # SimPy's own flags
            raise event._value  # noqa: SLF001  # the same


def _end(_: None) -> NoReturn:
    raise _Ended


def _imbalance(node: Node) -> list[str]:
    fates = node.fates
    received = sent = 0
    for port in node.ports.values():
        for out, into in port.ways:  # none, if it is not connected
            received += into.arrived
            sent += out.sent
    dropped = sum(fates.dropped.values()) - fates.dropped_held - fates.dropped_own
    wrong = []
    if received != fates.consumed + fates.translated + fates.held + fates.forwarded + dropped:
        wrong.append(f"{node.name}: received {received} is not {fates}")
    if sent != fates.copies + fates.originated + fates.released + fates.translated:
        wrong.append(f"{node.name}: sent {sent} is not {fates}")
    if fates.held + fates.held_own != fates.released + fates.dropped_held + node.holding():
        wrong.append(f"{node.name}: held {fates.held} is not {fates} + holding {node.holding()}")
    return wrong
