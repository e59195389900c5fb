"""The budget: what the engine and a link cost beside the bare expression they stand for."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from timeit import Timer

import simpy

from sim.network import Network
from sim.node import Node, Port
from virtualtap import SECOND, TapConfig, VirtualTap, ip, mac
from virtualtap.wire import arp, checksum
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4

ROUNDS = 15  # the fastest counts: noise only ever adds
CALLS = 20_000
ALIKE = 100  # packets of one flow, each with an identification and a checksum of its own
OURS, THEIRS = (
    (mac("02:00:00:00:00:01"), ip("10.0.0.1")),
    (mac("02:00:00:00:00:02"), ip("10.0.0.2")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the budget, measured: nanoseconds a call, and how often the one is the other."""

    name: str
    against: str
    ns: float
    bare_ns: float
    most: float
    allowance: float

    @property
    def ratio(self) -> float:
        return self.ns / self.bare_ns

    @property
    def kept(self) -> bool:
        return self.ratio <= self.most * self.allowance


def measure() -> list[Row]:
    """Every row of `budget.toml`."""
    budget = tomllib.loads((Path(__file__).parent / "budget.toml").read_text())
    known, answering, frame, request = _taps()
    names = {"known": known, "answering": answering, "frame": frame, "request": request}
    packets = [_packet(number) for number in range(ALIKE)]
    frames = [frame[:HEADER_LEN] + packet for packet in packets]
    names |= {"header": frame[:HEADER_LEN], "packets": packets, "frames": frames}
    strip = _statement("for frame in frames: frame[14:]", names)
    pairs = (
        (
            _statement("for packet in packets: known.ip_to_ethernet(packet, 0)", names),
            _statement("for packet in packets: header + packet", names),
        ),
        (_statement("for frame in frames: answering.ethernet_to_ip(frame, 0)", names), strip),
        (
            _statement(
                "for _ in packets: answering.ethernet_to_ip(request, 0); answering.take_frames()",
                names,
            ),
            strip,
        ),
        (_crossings, _timeouts),
    )
    rows = []
    for row, (ours, bare) in zip(budget["row"], pairs, strict=True):
        best, best_bare = _fastest(ours, bare)
        rows.append(Row(**row, ns=best, bare_ns=best_bare, allowance=budget["allowance"]))
    return rows


def _statement(text: str, names: dict[str, object]) -> Callable[[], float]:
    timer = Timer(text, globals=names)
    return lambda: timer.timeit(CALLS // ALIKE) * SECOND / CALLS


def _fastest(ours: Callable[[], float], bare: Callable[[], float]) -> tuple[float, float]:
    """Both in turn, so that whatever else the machine does befalls both."""
    times = [(ours(), bare()) for _ in range(ROUNDS)]
    return min(time for time, _ in times), min(time for _, time in times)


def _packet(number: int = 1) -> bytes:
    """1460 bytes of IPv4 from us to them."""
    start = bytes.fromhex("45 00 05b4") + number.to_bytes(2) + bytes.fromhex("0000 40 fd")
    ends = OURS[1] + THEIRS[1]
    check = checksum.internet(start + b"\0\0" + ends).to_bytes(2)
    return start + check + ends + bytes(1440)


def _taps() -> tuple[VirtualTap, VirtualTap, bytes, bytes]:
    """Our tap, which knows them; their tap; the frame to them; a request for their MAC."""
    known = VirtualTap(TapConfig(our_mac=OURS[0], our_ip=OURS[1]))
    answering = VirtualTap(TapConfig(our_mac=THEIRS[0], our_ip=THEIRS[1]))
    packet = _packet()
    assert known.ip_to_ethernet(packet, 0) is None
    (request,) = known.take_frames()
    assert request[12:] == ARP + arp.request(*OURS, THEIRS[1])
    assert answering.ethernet_to_ip(request, 0) is None
    (reply,) = answering.take_frames()
    assert known.ethernet_to_ip(reply, 0) is None
    frame = THEIRS[0] + OURS[0] + IPV4 + packet
    assert known.take_frames() == [frame] == [known.ip_to_ethernet(packet, 0)]
    assert answering.ethernet_to_ip(frame, 0) == packet
    return known, answering, frame, request


class _Wall(Node):
    """Sends every frame back where it came from."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.port = self.add_port("lan")

    def receive(self, port: Port, data: bytes) -> None:
        self.fates.forwarded += 1
        self.fates.copies += 1
        port.send(data)


def _crossings() -> float:
    """Nanoseconds of one crossing: a frame goes to and fro on a link with rate and delay."""
    network = Network()
    left, right = network.add(_Wall("left")), network.add(_Wall("right"))
    link = network.connect(left.port, right.port, rate=10**9, delay=5_000)
    frame = bytes(1000)
    network.call_at(0, left.port.send, frame)
    period = 8_000 + link.delay
    start = perf_counter_ns()
    network.run(until=period * CALLS + 1)
    spent = perf_counter_ns() - start
    assert network.crossings() == CALLS
    return spent / CALLS


def _timeouts() -> float:
    """Nanoseconds of one bare SimPy timeout whose callback makes the next."""
    environment = simpy.Environment()

    def again(_: simpy.Event) -> None:
        environment.timeout(13_000).callbacks.append(again)

    environment.timeout(13_000).callbacks.append(again)
    start = perf_counter_ns()
    environment.run(until=13_000 * CALLS + 1)
    return (perf_counter_ns() - start) / CALLS
