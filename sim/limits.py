"""What a run may cost: estimated before it is built, watched while it goes."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sim.build import ADDRESSED
from sim.capture import LIMIT as CAPTURE_BYTES
from sim.network import Network
from sim.scenario import Scenario
from sim.words import attacks
from sim.words.quantities import duration
from sim.words.traffic import Addresses, Burst, Conversation, Ping, Replay, Stream
from topologies import Graph
from virtualtap.errors import UsageError

try:
    import resource
except ImportError:  # not on Windows: there the estimate alone guards memory
    _peak_bytes: Callable[[], int] | None = None
else:

    def _peak() -> int:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    _peak_bytes = _peak

_NODE_BYTES, _LINK_BYTES, _FLOW_BYTES = 3_000, 10_000, 2_500  # `tests/sim/test_limits.py` measures
_PAYLOAD_BYTES = 400  # what the probes keep of a payload, on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that a run may take. Sizes in bytes."""

    nodes: int = 100_000
    events: int = 50_000_000
    memory: int = 8 * 2**30
    disk: int = 2 * 2**30


class Stopped(Exception):
    """A limit ended the run."""


class Watch:
    """Ends a run that goes beyond its limits."""

    def __init__(self, network: Network, limits: Limits) -> None:
        self._network = network
        self._limits = limits

    def look(self) -> None:
        """Stopped, with the limit in words."""
        events = self._network.work()
        if events > self._limits.events:
            raise Stopped(
                f"stopped at {self._network.now} ns after {events} events: `--max-events`"
            )
        if _peak_bytes is not None and _peak_bytes() > self._limits.memory:
            raise Stopped(
                f"stopped at {self._network.now} ns with {_peak_bytes()} bytes of memory: "
                "`--max-memory`"
            )


def estimate(
    graph: Graph, scenario: Scenario, limits: Limits, inputs: Mapping[str, Path], *, bare: bool
) -> None:
    """UsageError where a rough estimate is above a limit: before anything is built.

    `inputs` are the files that the scenario names.
    """
    nodes, links = len(graph), graph.number_of_edges()
    _compare("nodes", nodes, limits.nodes)
    files = {name: path.stat().st_size for name, path in inputs.items()}
    payloads = kept = 0
    for rule in scenario.traffic:
        senders = _senders(rule, graph)
        payloads += senders * _payloads(rule, scenario)
        kept += senders * _kept(rule, files)
    payloads += sum(attacks.shots(getattr(one, one.which())) for one in scenario.timeline)
    hops = 2 * _depth(graph)
    _compare("events", payloads * hops, limits.events)
    memory = nodes * _NODE_BYTES + links * _LINK_BYTES + kept
    _compare("memory", memory + (0 if bare else payloads * _PAYLOAD_BYTES), limits.memory)
    capture = 0 if bare or scenario.capture == "none" else CAPTURE_BYTES
    _compare("disk", capture + sum(files.values()) + (nodes + links) * 400, limits.disk)


def _compare(what: str, estimated: int, limit: int) -> None:
    if estimated > limit:
        raise UsageError(
            f"this would take about {estimated} {what}; at most {limit} are allowed"
            if what in ("nodes", "events")
            else f"this would take about {estimated} bytes of {what}; at most {limit} are allowed",
            f"make it smaller, or allow more with `--max-{what}`",
        )


def _senders(rule: Conversation, graph: Graph) -> int:
    if not any(sign in rule.from_ for sign in "*?["):
        return 1
    kinds = [attributes["kind"] for _, attributes in graph.nodes(data=True)]
    return sum(kind in ADDRESSED for kind in kinds)


def _kept(rule: Conversation, files: Mapping[str, int]) -> int:
    """Bytes that one sender keeps, or has on its way at once."""
    if isinstance(rule, Replay):
        return files.get(rule.file, 0)
    size = rule.size if isinstance(rule, Ping | Stream) else 0  # of a plugin's nothing is known
    return _FLOW_BYTES + size * (1 + (rule.count if isinstance(rule, Burst) else 0))


def _payloads(rule: Conversation, scenario: Scenario) -> int:
    """How many one sender says."""
    if isinstance(rule, Addresses):
        return rule.count
    if not isinstance(rule, Ping | Stream):
        return 0
    stop = duration(rule.stop or scenario.until)
    times = max(0, min(stop, duration(scenario.until)) - duration(rule.start)) // duration(
        rule.every
    )
    return (times + 1) * (rule.count if isinstance(rule, Burst) else 1)


def _depth(graph: Graph) -> int:
    """How far the farthest node of the first one's component is, in links."""
    start = next(iter(graph))
    seen, edge, depth = {start}, [start], 0
    while edge:
        near = {other: None for one in edge for other in graph[one] if other not in seen}
        seen.update(near)
        edge = list(near)
        depth += 1
    return depth
