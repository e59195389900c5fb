"""One-way delay, loss, duplication and reordering, from moments alone. RFC 7679, 7680, 5560, 4737.

Delay variation is that of RFC 5481. Definitions: docs/measures.md.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.actions.traffic import Flow, flow_key
from sim.observers import Handed, Kind, Moment, Observer
from sim.probes import Place, destination_of
from sim.statistics import mser5
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import Ip
from virtualtap.wire.ethernet import HEADER_LEN, IPV4, IPV6

BINS = 100  # intervals of a run, for throughput over time
EARLY_MAX = 200_000  # events among which the end of the warm-up is looked for


class _Event(NamedTuple):
    """One payload was sent, or arrived."""

    since: Instant  # when it was sent
    flow: int
    number: int  # of its flow
    bits: int
    delay: Duration | None = None  # None: it was sent
    again: bool = False  # it had arrived before


@dataclass(slots=True)
class FlowCounts:
    """What became of one flow's payloads."""

    offered: int = 0
    delivered: int = 0
    duplicated: int = 0
    reordered: int = 0
    newest: int = -1  # the highest number delivered so far
    delays: "array[int]" = field(default_factory=lambda: array("q"))


class Delivery(Observer):
    """One-way delay, loss, duplication and reordering of every payload, told apart by its bytes."""

    def __init__(
        self,
        places: Iterable[Place],
        flows: Iterable[Flow],
        until: Instant,
        keep: Duration,
        warmup: Duration | None = 0,
    ) -> None:
        """What was sent before `warmup` counts for nothing but `bins`; None: MSER-5 finds it."""
        places = list(places)
        self.flows = list(flows)
        self._counts = [FlowCounts() for _ in self.flows]
        self._cut = warmup
        self._early: list[_Event] = []  # while the cut is not known
        self.is_settled = True  # the cut that was found is no edge of where it was looked for
        self._numbers = [0] * len(self.flows)
        self._offered_bits = self._delivered_bits = 0
        self.delays: array[int] = array("q")
        self._bins: list[list[int]] = [[0, 0] for _ in range(BINS)]
        self.width = max(1, -(-until // BINS))
        self._keep = keep  # what is older than this is lost, and forgotten
        self._by_key = {key: i for i, flow in enumerate(self.flows) for key in flow.match}
        self._ports = {place.speaks: place for place in places}
        self._owned: dict[str, set[Ip]] = {}  # a router has several addresses
        for place in places:
            self._owned.setdefault(place.name, set()).update((place.ip, *place.ip6))
        self._on_way: dict[bytes, tuple[Instant, int, int]] = {}
        self._done: dict[bytes, tuple[Instant, Instant]] = {}  # when it arrived, and was sent
        self._pruned: Instant = 0
        self._sorted: list[int] | None = None
        self._handed = Handed()

    def see(self, moment: Moment) -> None:
        taken = self._handed.before(moment)
        if taken is not None:
            self._take(taken)
        if moment.where in self._ports:
            if moment.kind is Kind.ARRIVED:
                self._handed.hold(moment)
            elif moment.kind is Kind.SENT:
                self._take(moment)

    def finish(self, now: Instant) -> None:
        self._settle()
        if self._cut is None:
            self._find_the_cut()

    @property
    def cut(self) -> Instant | None:
        """What was sent before it is left out; None while that is not known."""
        return self._cut

    def rates(self, now: Instant) -> tuple[float, float] | None:
        """Payload offered and delivered since the cut, in bit/s; None while there is no such time.

        A payload counts once.
        """
        self._settle()
        if self._cut is None or now <= self._cut:
            return None
        seconds = (now - self._cut) / SECOND
        return self._offered_bits / seconds, self._delivered_bits / seconds

    @property
    def counts(self) -> list[FlowCounts]:
        """What became of each flow's payloads, in the order of `flows`."""
        self._settle()
        return self._counts

    @property
    def bins(self) -> list[list[int]]:
        """Bits offered and delivered in each interval of the run."""
        self._settle()
        return self._bins

    def quantile(self, share: float) -> int | None:
        """The delay in ns that this share of payloads did not exceed (the nearest rank)."""
        return _quantile(self._in_order(), share)

    def curve(self, points: int = 1000) -> list[tuple[float, int]]:
        """Quantiles from the least delay to the largest: (share, ns)."""
        delays = self._in_order()
        if not delays:
            return []
        count = len(delays)
        return [
            (i / points, delays[max(-(-count * i // points), 1) - 1]) for i in range(points + 1)
        ]

    def _settle(self) -> None:
        taken = self._handed.last()
        if taken is not None:
            self._take(taken)

    def _take(self, moment: Moment) -> None:
        """What an endpoint sent, or took."""
        at, kind, where, data, _ = moment
        place = self._ports[where]
        if place.speaks == place.lan:
            if data[12:14] not in (IPV4, IPV6):
                return
            data = data[HEADER_LEN:]
        if len(data) < 20:
            return
        if kind is Kind.SENT:
            self._sent(place.name, at, data)
        elif destination_of(data) in self._owned[place.name]:
            self._arrived(at, data)

    def _in_order(self) -> list[int]:
        self._settle()
        if self._sorted is None or len(self._sorted) != len(self.delays):
            self._sorted = sorted(self.delays)
        return self._sorted

    def _sent(self, name: str, at: Instant, packet: bytes) -> None:
        flow = self._by_key.get(flow_key(packet))
        if flow is None or name not in (self.flows[flow].source, self.flows[flow].destination):
            return  # also what a router on the way sends on
        number, bits = self._numbers[flow], _payload_bits(packet)
        self._numbers[flow] = number + 1
        self._on_way[_identity(packet)] = at, flow, number
        self._bins[at // self.width][0] += bits
        self._book(_Event(at, flow, number, bits))
        if at - self._pruned > self._keep:
            self._prune(at)

    def _arrived(self, at: Instant, packet: bytes) -> None:
        identity = _identity(packet)
        sent = self._on_way.pop(identity, None)
        if sent is None:
            flow = self._by_key.get(flow_key(packet))
            if flow is not None and identity in self._done:
                since = self._done[identity][1]
                self._book(_Event(since, flow, 0, 0, at - since, again=True))
            return
        since, flow, number = sent
        self._done[identity] = at, since
        bits = _payload_bits(packet)
        self._bins[at // self.width][1] += bits
        self._book(_Event(since, flow, number, bits, at - since))

    def _book(self, event: _Event) -> None:
        """Count it, unless it belongs to the warm-up; wait until that is known."""
        if self._cut is None:
            self._early.append(event)
            if len(self._early) >= EARLY_MAX:
                self._find_the_cut()
        elif event.since >= self._cut:
            self._count(event)

    def _count(self, event: _Event) -> None:
        _, flow, number, bits, delay, again = event
        counts = self._counts[flow]
        if delay is None:
            counts.offered += 1
            self._offered_bits += bits
        elif again:
            counts.duplicated += 1
        else:
            counts.delivered += 1
            self._delivered_bits += bits
            counts.delays.append(delay)
            self.delays.append(delay)
            if number < counts.newest:
                counts.reordered += 1
            else:
                counts.newest = number

    def _find_the_cut(self) -> None:
        """By MSER-5 on the delays so far, in the order of sending."""
        arrived = [event for event in self._early if event.delay is not None and not event.again]
        arrived.sort(key=lambda event: event[:3])
        first = mser5([event.delay or 0 for event in arrived])
        self._cut = arrived[first].since if first else 0
        self.is_settled = not first or first < len(arrived) // 10 * 5
        early, self._early = self._early, []
        for event in early:
            self._book(event)

    def _prune(self, now: Instant) -> None:
        self._pruned = now
        limit = now - self._keep
        self._on_way = {key: sent for key, sent in self._on_way.items() if sent[0] > limit}
        self._done = {key: done for key, done in self._done.items() if done[0] > limit}


def flow_quantiles(counts: FlowCounts) -> tuple[int | None, ...]:
    """p50, p99, the largest, and the variation (p99 less the least, RFC 5481 4.2), in ns."""
    delays = sorted(counts.delays)
    if not delays:
        return None, None, None, None
    p99 = _quantile(delays, 0.99)
    assert p99 is not None
    return _quantile(delays, 0.5), p99, delays[-1], p99 - delays[0]


def _quantile(delays: list[int], share: float) -> int | None:
    """The nearest rank: the smallest delay that `share` of all do not exceed."""
    if not delays:
        return None
    rank = -(-len(delays) * round(share * 1000) // 1000)
    return delays[max(rank, 1) - 1]


def _identity(packet: bytes) -> bytes:
    """What a router leaves as it is: everything but the hop count and the header checksum."""
    if packet[0] >> 4 == 6:
        return packet[8:]
    return packet[4:6] + packet[12:]


def _payload_bits(packet: bytes) -> int:
    """Behind the IP header and the 8 bytes of UDP or ICMP."""
    header = 40 if packet[0] >> 4 == 6 else (packet[0] & 15) * 4
    return max(0, len(packet) - header - 8) * 8
