"""What a run measured: the fields of its JSON, and its tables."""

from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from typing import Any

from sim.actions.traffic import Flow
from sim.build import Built
from sim.delivery import Delivery, flow_quantiles
from sim.entries import entries
from sim.expect import Value
from sim.guard import guarded
from sim.network import Network
from sim.node import Node
from sim.nodes.softether.transport import Transport
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Observer
from sim.probes import PROBES, ArpConvergence, BroadcastLearning, Digest, Drops, Probe
from sim.reconvergence import Reconvergence
from sim.rest import Rest
from sim.results import Rows
from sim.words.quantities import MSER5, duration
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Instant
from virtualtap.wire.address import ip_text, mac_text

_ENTRIES, _THROUGHPUT = "entries.", "throughput_bps."
_KEEP = 60 * SECOND  # a payload that has not arrived after this is lost
_HOURLY = {
    "wakeups_per_hour": "wakeups",
    "unprompted_frames_per_hour": "frames",
    "timers_per_hour": "timers",
}
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


class Measures:
    """The counters of a network and, unless it runs bare, its probes."""

    def __init__(
        self,
        built: Built,
        flows: Sequence[Flow],
        until: Instant,
        *,
        bare: bool,
        warmup: str | None = None,
    ) -> None:
        self._built = built
        self._network = built.network
        self._until = until
        self.bare = bare
        self.digest = Digest(built.network.seed)
        self.convergence = ArpConvergence(built.places)
        self.reconvergence = Reconvergence(built)
        hub_ports = {
            port.name: name for name, node in built.bridges.items() for port in node.ports.values()
        }
        lan_ports = [place.lan for place in built.places]
        self.learning = BroadcastLearning(hub_ports, lan_ports)
        self._has_warmup = warmup is not None
        cut = None if warmup == MSER5 else duration(warmup or "0s")
        self.delivery = Delivery(built.places, flows, until, _KEEP, cut)
        self.drops = Drops()
        self.rest = Rest(built.places)
        self._others = {} if bare else {name: probe(built) for name, probe in PROBES.items()}
        if not bare:
            self._listen()

    def probes(self) -> list[Observer]:
        """What must watch the network; nothing where it runs bare."""
        if self.bare:
            return []
        always = [self.digest, self.convergence, self.learning, self.delivery, self.drops]
        always.append(self.reconvergence)
        always += self._others.values()
        return [*always, self.rest] if self.rest.phones else always

    def value(self, field: str) -> Value:
        """One field of the JSON, dotted; None where it needs a probe and there is none."""
        network = self._network
        if field.startswith("dropped."):
            return network.drops().get(field.removeprefix("dropped."), 0)
        counters: dict[str, Callable[[], Value]] = {
            "events": network.events,
            "crossings": network.crossings,
            "delivered": lambda: network.tally.delivered,
            "throughput_bps.offered": lambda: self._rate(network.tally.offered_bytes),
            "throughput_bps.delivered": lambda: self._rate(network.tally.delivered_bytes),
        }
        if self._has_warmup and field.startswith(_THROUGHPUT):
            rates = None if self.bare else self.delivery.rates(network.now)
            return None if rates is None else rates[field.endswith("delivered")]
        if field in counters:
            return counters[field]()
        if field.startswith(_ENTRIES):
            return entries(network)[field.removeprefix(_ENTRIES)]
        return None if self.bare else self._probed(field)

    def summary(self) -> dict[str, Any]:
        """The measured part of the JSON."""
        learning = ("share", "time_to_all_s", "flooded_share")
        return {
            **{field: self.value(field) for field in ("events", "crossings", "delivered")},
            "dropped": self._network.drops(),
            "arp_convergence_s": self.value("arp_convergence_s"),
            "arp_unresolved": self.value("arp_unresolved"),
            "arp_reconvergence_s": self.value("arp_reconvergence_s"),
            "broadcast_learning": {
                name: self.value(f"broadcast_learning.{name}") for name in learning
            },
            "latency_s": {name: self.value(f"latency_s.{name}") for name in _QUANTILES},
            "throughput_bps": {
                name: self.value(f"throughput_bps.{name}") for name in ("offered", "delivered")
            },
            **{field: self.value(field) for field in _HOURLY},
            "entries": entries(self._network),
            "warmup_s": self.value("warmup_s"),
            **{
                name: {field: self.value(f"{name}.{field}") for field in probe.fields}
                for name, probe in PROBES.items()
            },
        }

    def remarks(self) -> list[str]:
        """What is to be known of these numbers, in words."""
        if self.delivery.is_settled:
            return []
        return ["`mser5` cut as much as it may: the delays had not settled, the run is too short"]

    def tables(self) -> dict[str, Rows]:
        """The rows of each table of a run, as `results.TABLES` names their columns."""
        found = {"nodes": self._nodes()}
        if not self.bare:
            found |= {
                "arp_convergence": self._convergence(),
                "broadcast_learning": self._learning(),
                "latency": list(self.delivery.curve()),
                "throughput": self._throughput(),
                "flows": self._flows(),
                "drops": [(*key, count) for key, count in sorted(self.drops.counts.items())],
                "links": self._links(),
            }
        return found

    def _probed(self, field: str) -> Value:
        whose, _, name = field.rpartition(".")
        if whose in self._others:
            return _said(self._others[whose], name)
        if field in _HOURLY:
            return self.rest.hourly(_HOURLY[field], self._network.now)
        if field.startswith("latency_s."):
            delay = self.delivery.quantile(_QUANTILES[name])
            return None if delay is None else delay / SECOND
        probes: dict[str, Callable[[], Value]] = {
            "digest": self.digest.value,
            "warmup_s": self._warmup,
            "arp_convergence_s": self.convergence.value,
            "arp_unresolved": lambda: self.convergence.unresolved,
            "arp_reconvergence_s": self.reconvergence.value,
            "broadcast_learning.share": self.learning.share,
            "broadcast_learning.time_to_all_s": self.learning.time_to_all,
            "broadcast_learning.flooded_share": self.learning.flooded_share,
        }
        return probes[field]()

    def _listen(self) -> None:
        """Let taps and transports say when they stir."""
        network = self._network
        for name in self.rest.phones:
            uplink = self._built.endpoints[name].ports["uplink"].out
            tap = None if uplink is None else uplink.target.node
            assert isinstance(tap, VirtualTapNode)  # a host has nothing else there
            tap.stirs = partial(_tell, self.rest.timer, name, network)
            carrier = tap.lan.out.link.carrier if tap.lan.out is not None else None
            if isinstance(carrier, Transport):
                carrier.stirs = partial(_tell, self.rest.keep_alive, name, network)

    def _warmup(self) -> float | None:
        """What was left out, in seconds; None where nobody asked for it."""
        cut = self.delivery.cut
        return cut / SECOND if self._has_warmup and cut is not None else None

    def _rate(self, count: int) -> float:
        now = self._network.now
        return count * 8 * SECOND / now if now else 0.0

    def _convergence(self) -> Rows:
        resolved = self.convergence.resolved
        return [
            (sender, ip_text(hop), asked, resolved.get((sender, hop)))
            for (sender, hop), asked in self.convergence.asked.items()
        ]

    def _learning(self) -> Rows:
        """As frames allow it (`reached_ns`), and as the table reports it now (`in_table`)."""
        learning = self.learning
        tables = {name: node.table() for name, node in self._built.bridges.items()}
        return [
            (hub, mac_text(mac), learning.reached.get((hub, mac)), int(mac in tables[hub]))
            for hub in learning.hubs()
            for mac in learning.senders
        ]

    def _throughput(self) -> Rows:
        delivery = self.delivery
        width = delivery.width
        return [
            ((i + 1) * width, *(bits * SECOND / width for bits in pair))
            for i, pair in enumerate(delivery.bins)
            if i * width < self._network.now
        ]

    def _flows(self) -> Rows:
        return [
            (
                flow.name,
                flow.kind,
                flow.source,
                flow.destination,
                counts.offered,
                counts.delivered,
                counts.duplicated,
                counts.reordered,
                *flow_quantiles(counts),
            )
            for flow, counts in zip(self.delivery.flows, self.delivery.counts, strict=True)
        ]

    def _links(self) -> Rows:
        seconds = self._network.now / SECOND
        rows: Rows = []
        for link in self._network.links:
            for way in link.directions:
                used = way.bits / (link.rate * seconds) if link.rate and seconds else None
                rows.append(
                    (
                        way.source.name,
                        way.target.name,
                        link.rate,
                        link.delay,
                        way.sent,
                        way.duplicated,
                        way.arrived,
                        sum(way.lost.values()),
                        used,
                    )
                )
        return rows

    def _nodes(self) -> Rows:
        return [_fates(node, self._network) for node in self._network.nodes.values()]


def _said(probe: Probe, field: str) -> Value:
    """What a probe of a plugin says; inside it there is no clock and no luck either."""
    with guarded():
        value = probe.value(field)
    known = value is None or type(value) in (bool, int, str)
    if known or (type(value) is float and isfinite(value)):
        return value
    message = f"probe `{probe.name}`: `{field}` is {value!r:.60}"
    raise UsageError(message, "a probe says a finite number, a text, or None")


def _tell(hear: Callable[[str, Instant], None], name: str, network: Network) -> None:
    hear(name, network.now)


def _fates(node: Node, network: Network) -> tuple[str | int, ...]:
    fates = node.fates
    return (
        node.name,
        node.kind,
        sum(into.arrived for port in node.ports.values() for _, into in port.ways),
        fates.consumed,
        fates.translated,
        fates.held,
        fates.forwarded,
        sum(fates.dropped.values()),
        sum(out.sent for port in node.ports.values() for out, _ in port.ways),
        fates.copies,
        fates.originated,
        fates.released,
    )
