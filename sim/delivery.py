"""One-way delay, loss, duplication and reordering, from moments alone. RFC 7679, 7680, 5560, 4737.

Delay variation is that of RFC 5481. Definitions: docs/measures.md.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from sim.observers import Handed, Kind, Moment, Observer
from sim.probes import Place, destination_of
from sim.traffic import Flow, flow_key
from virtualtap.units import Duration, Instant
from virtualtap.wire.address import Ip
from virtualtap.wire.ethernet import HEADER_LEN, IPV4, IPV6

BINS = 100  # intervals of a run, for throughput over time


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
        self, places: Iterable[Place], flows: Iterable[Flow], until: Instant, keep: Duration
    ) -> None:
        places = list(places)
        self.flows = list(flows)
        self._counts = [FlowCounts() for _ in self.flows]
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
        self._done: dict[bytes, Instant] = {}
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
        counts = self._counts[flow]
        self._on_way[_identity(packet)] = at, flow, counts.offered
        counts.offered += 1
        self._bins[at // self.width][0] += _payload_bits(packet)
        if at - self._pruned > self._keep:
            self._prune(at)

    def _arrived(self, at: Instant, packet: bytes) -> None:
        identity = _identity(packet)
        sent = self._on_way.pop(identity, None)
        if sent is None:
            flow = self._by_key.get(flow_key(packet))
            if flow is not None and identity in self._done:
                self._counts[flow].duplicated += 1
            return
        since, flow, number = sent
        self._done[identity] = at
        counts = self._counts[flow]
        counts.delivered += 1
        counts.delays.append(at - since)
        self.delays.append(at - since)
        if number < counts.newest:
            counts.reordered += 1
        else:
            counts.newest = number
        self._bins[at // self.width][1] += _payload_bits(packet)

    def _prune(self, now: Instant) -> None:
        self._pruned = now
        limit = now - self._keep
        self._on_way = {key: sent for key, sent in self._on_way.items() if sent[0] > limit}
        self._done = {key: at for key, at in self._done.items() if at > limit}


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
