"""M/M/1 and M/D/1: Poisson arrivals at a link; its rate and the lengths make the service.

The truth: Pollaczek and Khinchine's, for the service as it is in whole bytes and nanoseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import exp

from sim.actions.traffic import DatagramStream, Timing
from sim.network import Network
from sim.node import Medium, Node, Port
from sim.nodes.host import L3Host
from sim.rng import stream
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import ip

RATE = 1_000_000  # bit/s: a byte takes 8 µs
BYTE_NS = 8 * SECOND // RATE
LENGTH = 1000  # bytes of an IP packet: all of them (M/D/1), or on average (M/M/1)
GAP = 16 * MS  # half of the time the link is busy
SHORTEST = 8  # bytes: when it was sent
WARMUP, MEASURED = 100, 1000  # packets of one run
_STAMP_AT = 20 + 8 + 8  # behind IPv4, UDP, flow and sequence
_FILL = bytes(100 * LENGTH)


class Source(Node):
    """Packets of exponential lengths with exponential gaps."""

    def __init__(self) -> None:
        super().__init__("source")
        self.port = self.add_port("out", Medium.IP)

    def begin(self) -> None:
        seed = self.network.seed
        self._gaps, self._lengths = stream(seed, "gaps"), stream(seed, "lengths")
        self._fire(None)

    def _fire(self, _: None) -> None:
        length = max(SHORTEST, self._lengths.exponential_ns(LENGTH))
        self.fates.originated += 1
        self.port.send(self.network.now.to_bytes(SHORTEST) + _FILL[: length - SHORTEST])
        self.network.call_at(self.network.now + self._gaps.exponential_ns(GAP), self._fire, None)


class Sink(Node):
    """Notes how long each packet took."""

    def __init__(self) -> None:
        super().__init__("sink")
        self.port = self.add_port("in", Medium.IP)
        self.delays: list[int] = []

    def receive(self, port: Port, data: bytes) -> None:
        self.fates.consumed += 1
        self.delays.append(self.network.now - int.from_bytes(data[:SHORTEST]))


def exponential(seed: int) -> float:
    """The mean delay of one run of M/M/1, in ns."""
    network = Network(seed)
    source, sink = network.add(Source()), network.add(Sink())
    network.connect(source.port, sink.port, rate=RATE, queue=None)
    source.begin()
    return _measured(network, sink.delays)


def constant(seed: int, rate: int = RATE) -> float:
    """The mean delay of one run of M/D/1, in ns: datagrams of two hosts on a wire."""
    network = Network(seed)
    hosts = [network.add(L3Host(name, ip(f"10.0.0.{i}"))) for i, name in enumerate("ab", 1)]
    network.connect(hosts[0].uplink, hosts[1].uplink, rate=rate, queue=None)
    luck = stream(seed, "traffic", "0")
    timing = Timing(GAP, 0, 1 << 62)
    talk = DatagramStream(network, 0, (hosts[0], hosts[1]), timing, size=LENGTH - 28, luck=luck)
    delays: list[int] = []

    def note(packet: bytes) -> bool:
        delays.append(network.now - int.from_bytes(packet[_STAMP_AT : _STAMP_AT + 8]))
        return True

    hosts[1].stack.bind_udp(9, note)
    talk.start()
    return _measured(network, delays)


@dataclass(frozen=True)
class Queue:
    """One of them: how to run it, and what is true of it."""

    name: str
    run: Callable[[int], float]
    lengths: Callable[[], dict[int, float]]  # probability of each
    textbook: float  # ns

    @property
    def truth(self) -> float:
        """The mean delay, in ns: E[S] + E[S²] / GAP / 2(1 - E[S] / GAP)."""
        return pollaczek_khinchine(self.lengths())


def pollaczek_khinchine(lengths: dict[int, float], byte_ns: float = BYTE_NS) -> float:
    """The mean delay where packets of these lengths come, in ns."""
    first = sum(chance * length * byte_ns for length, chance in lengths.items())
    second = sum(chance * (length * byte_ns) ** 2 for length, chance in lengths.items())
    return first + second / GAP / (2 * (1 - first / GAP))


@cache
def geometric() -> dict[int, float]:
    """The whole part of what is exponential; short packets are as long as the shortest."""
    found = {SHORTEST: 1 - exp(-(SHORTEST + 1) / LENGTH)}
    for length in range(SHORTEST + 1, 100 * LENGTH):
        found[length] = exp(-length / LENGTH) - exp(-(length + 1) / LENGTH)
    return found


_SERVICE = LENGTH * BYTE_NS
QUEUES = (
    Queue("M/M/1", exponential, geometric, 1 / (1 / _SERVICE - 1 / GAP)),
    Queue("M/D/1", constant, lambda: {LENGTH: 1.0}, _SERVICE * (1 + 0.5 / (2 * 0.5))),
)


def _measured(network: Network, delays: list[int]) -> float:
    """The mean of so many packets behind the warm-up; a link is first in, first out."""
    until = 0
    while len(delays) < WARMUP + MEASURED:
        until += WARMUP * GAP
        network.run(until)
    return sum(delays[WARMUP : WARMUP + MEASURED]) / MEASURED
