"""A device and its tester: trials as scenarios, run and counted. RFC 2544 23, RFC 2889 5."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.build import Built
from sim.limits import Limits
from sim.link import Link
from sim.observers import Observer
from sim.results import Run
from sim.run import Order, built, perform
from sim.standard.devices import Device
from sim.standard.stopwatch import Arrivals, Stopwatch
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Duration
from virtualtap.wire.ethernet import HEADER_LEN

SIZES = (64, 128, 256, 512, 1024, 1280, 1518)  # RFC 2544 9.1: bytes of a frame, its FCS included
FCS = 4  # bytes that are on the wire, but not in our frames
SMALLEST, LARGEST = 64, 1518
HEADERS = HEADER_LEN + 20 + 8  # Ethernet, IPv4, UDP
LEARN: Duration = 2 * SECOND  # RFC 2544 23 b: after the learning frames
SETTLE: Duration = 2 * SECOND  # 23 d: until the last frames have come
EVERYBODY = "255.255.255.255"
NOBODY = "10.0.255.254"
_STREAM = 1  # the number of its flow: the learning frames are flow 0

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Medium:
    """What a link takes for one frame: ns on the wire, and ns until it is there."""

    name: str
    interval: Duration
    delay: Duration


@dataclass(frozen=True, slots=True)
class Way:
    """The links from the sender to a receiver, in this order."""

    media: tuple[Medium, ...]

    @property
    def fastest(self) -> Duration:
        """The shortest interval that any medium on the way allows: RFC 2544 20."""
        return min(one.interval for one in self.media if one.interval)

    @property
    def slowest(self) -> Medium:
        """The medium that allows the fewest frames."""
        return max(self.media, key=lambda one: one.interval)

    @property
    def outside(self) -> Duration:
        """What the tester's own two links take: not in the latency of RFC 1242 3.8."""
        first, last = self.media[0], self.media[-1]
        return first.interval + first.delay + last.interval + last.delay


@dataclass(frozen=True, kw_only=True)
class Rig:
    """One device, and how it is tested."""

    device: Device
    trial: Duration = 60 * SECOND  # RFC 2544 24
    repeat: int = 20  # RFC 2544 26.2
    seed: int = 1
    changes: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    tell: Callable[[str], None] = lambda _: None  # hears of each trial
    found: dict[Any, Any] = field(default_factory=dict)  # by one test, for the next

    def stream_text(
        self, test: str, size: int, every: Duration, length: Duration, to: str | None = None
    ) -> str:
        """The scenario of a trial: frames of `size` bytes, one each `every` ns, for `length`."""
        stop = LEARN + length
        return self.text(
            f"{test}-{self.device.name}-{size}",
            stop + SETTLE,
            f"""\
[[traffic]]
kind = "stream"
from = "{self.device.sender}"
to = "{to or self.device.receivers[0]}"
start = "{LEARN}ns"
stop = "{time_text(stop)}"
every = "{every}ns"
size = {size - FCS - HEADERS}
"""
            + ("" if to else self._reminder()),
        )

    def text(self, name: str, until: Duration, traffic: str = "") -> str:
        """A scenario with the device, what it learns before a trial, and this traffic."""
        return f"""\
name = "{name}"
seed = {self.seed}
until = "{time_text(until)}"
capture = "none"
invariants = []
{self.device.topology()}
[[traffic]]
kind = "ping"
from = "{self.device.sender}"
to = "{self.device.receivers[0]}"
stop = "1ms"

{traffic}"""

    def stream(
        self, test: str, size: int, every: Duration, length: Duration, **how: Any
    ) -> dict[str, Arrivals]:
        """Run such a trial: what came at each receiver that was spoken to.

        `how`: `to` another address, `tag` the number of a frame, `seed`.
        """
        to, tag, seed = how.get("to"), how.get("tag", -1), how.get("seed", self.seed)
        device = self.device
        names = device.receivers if to == EVERYBODY else device.receivers[:1]
        count = -(-length // every)
        watch = Stopwatch(map(device.port, names), _STREAM, size - FCS - HEADER_LEN, count, tag)
        text = self.stream_text(test, size, every, length, to)
        self.run(text, seed, watch)
        found = {name: watch.arrivals[device.port(name)] for name in names}
        lost = max(one.lost for one in found.values())
        self.tell(f"{test}, {size} bytes, {rate(every):.1f} frames/s: {lost} of {count} lost")
        return found

    def _reminder(self) -> str:
        """The receiver asks for somebody who is not there: the sender hears where it still is.

        Else the sender would ask during the trial; a station believes an ARP message for a minute.
        """
        return f"""
[[traffic]]
kind = "ping"
from = "{self.device.receivers[0]}"
to = "{NOBODY}"
start = "1s"
every = "20s"
"""

    def run(self, text: str, seed: int, *observers: Observer) -> Run:
        """Run a trial. UsageError where a limit ended it."""
        done, _ = perform(self._order(text, seed), None, observers=observers)
        if done.verdict == "stopped":
            raise UsageError(
                f"a trial {done.remarks[-1]}", "allow more, or make the `--trial` shorter"
            )
        return done

    def path(self, size: int, receiver: str = "") -> Way:
        """The way of frames of `size` bytes. UsageError where no link on it has a rate."""
        key = "way", size, receiver or self.device.receivers[0]
        if key not in self.found:
            self.found[key] = _path(self.built(), self.device.sender, key[2], size)
        way: Way = self.found[key]
        return way

    def built(self) -> Built:
        """The device, as the changes have it."""
        return built(self._order(self.text("path", LEARN), self.seed))

    def _order(self, text: str, seed: int) -> Order:
        return Order(
            text=text,
            folder=Path(),
            where="bench",
            changes=self.changes,
            seed=seed,
            bare=True,
            limits=self.limits,
        )


def time_text(at: Duration) -> str:
    """As a scenario says it, however long it is: in ns it would have too many digits soon."""
    return f"{at // SECOND}.{at % SECOND:09}s"


def rate(every: Duration) -> float:
    """Frames a second."""
    return SECOND / every


def received(run: Run) -> Mapping[str, int]:
    """How many frames arrived at each node."""
    found: dict[str, int] = {}
    for name, _, count, *_ in run.tables["nodes"]:
        assert isinstance(name, str)
        assert isinstance(count, int)
        found[name] = count
    return found


def _path(built: Built, sender: str, receiver: str, size: int) -> Way:
    media = []
    for link in _links(built, sender, receiver):
        is_ip = link.directions[0].source.medium.value == "ip"
        length = size - FCS - (HEADER_LEN if is_ip else 0)
        bits = link.wire_bytes(length) * 8
        interval = -(-bits * SECOND // link.rate) if link.rate else 0
        media.append(Medium(link.name, interval, link.delay))
    if not any(one.interval for one in media):
        raise UsageError("no link of the device has a rate", "give one: `--set links.0.rate=1Gbit`")
    return Way(tuple(media))


def _links(built: Built, source: str, destination: str) -> list[Link]:
    """The links between two nodes of a tree, in this order."""
    near: dict[str, list[tuple[str, Link]]] = {}
    for link in built.links.values():
        one, other = (way.source.node.name for way in link.directions)
        near.setdefault(one, []).append((other, link))
        near.setdefault(other, []).append((one, link))
    ways: dict[str, list[Link]] = {source: []}
    waiting = [source]
    for name in waiting:
        for other, link in near[name]:
            if other not in ways:
                ways[other] = [*ways[name], link]
                waiting.append(other)
    return ways[destination]
