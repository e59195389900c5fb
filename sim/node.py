"""Nodes and their ports: what every kind of node shares, and the fates of its frames."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from sim.clock import RIGHT, Clock
from sim.reasons import Reason
from virtualtap.errors import UsageError
from virtualtap.units import Duration, Instant

if TYPE_CHECKING:
    from sim.link import Direction
    from sim.network import Network


class Medium(StrEnum):
    """What a port carries."""

    ETHERNET = "ethernet"
    IP = "ip"


class Port:
    """Belongs to a node, carries one medium, sends into its link."""

    __slots__ = ("into", "medium", "name", "node", "out", "send", "ways")

    def __init__(self, node: "Node", name: str, medium: Medium) -> None:
        self.node = node
        self.name = f"{node.name}.{name}"
        self.medium = medium
        self.out: Direction | None = None  # what this port sends
        self.into: Direction | None = None  # what arrives at it
        self.send: Callable[[bytes], None] = self._unplugged
        self.ways: list[tuple[Direction, Direction]] = []  # all it was ever plugged into: out, in

    def plug(self, out: "Direction", into: "Direction") -> None:
        """Connect to both ways of a link. UsageError if something is connected already."""
        if self.out is not None and self.out.link.is_plugged:
            raise UsageError(f"port `{self.name}` is connected already")
        self.out, self.into, self.send = out, into, out.send
        if (out, into) not in self.ways:
            self.ways.append((out, into))

    def _unplugged(self, frame: bytes) -> None:
        raise UsageError(f"port `{self.name}` is not connected", "call `network.connect` first")


@dataclass(slots=True)
class Fates:
    """What became of the frames a node received, and why it sent the ones it sent.

    received = consumed + translated + held + forwarded + dropped on arrival
    sent = copies + originated + released + translated
    held + held_own = released + dropped after waiting + holding now
    """

    consumed: int = 0
    translated: int = 0  # became one packet or frame on the other side at once
    held: int = 0
    held_own: int = 0  # what the node itself wanted to send, and had to wait with
    released: int = 0
    forwarded: int = 0
    copies: int = 0  # what the forwarded frames became
    originated: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    dropped_held: int = 0  # of the dropped, those held before
    dropped_own: int = 0  # of the dropped, those the node itself wanted to send


class Node:
    """A name, ports, and what happens when a frame arrives. Kinds are one level below."""

    kind: ClassVar[str] = "node"  # as the topologies call it
    network: "Network"  # that it was added to; before, it has none

    def __init__(self, name: str) -> None:
        self.name = name
        self.ports: dict[str, Port] = {}
        self.fates = Fates()
        self.up = True
        self.asleep = False  # it does nothing of its own accord
        self.incarnation = 0
        self.clock: Clock | None = None  # None: it is always right

    def join(self, network: "Network") -> None:
        """Called once by `Network.add`."""
        self.network = network

    def add_port(self, name: str, medium: Medium = Medium.ETHERNET) -> Port:
        """A new port, called `node.name`."""
        port = self.ports[name] = Port(self, name, medium)
        return port

    def start(self) -> None:
        """The run begins, or the node comes back: arm timers, forget everything volatile."""

    def receive(self, port: Port, data: bytes) -> None:
        """A frame (on an IP port: a packet) arrived."""
        raise NotImplementedError

    def link_changed(self, port: Port, *, up: bool) -> None:
        """The link of `port` went down, or came up."""

    def holding(self) -> int:
        """How many received frames wait inside."""
        return 0

    def drop(self, port: Port | None, data: bytes, why: str, *, held: bool = False) -> None:
        """Refuse a frame that came in by `port`, one `held` before, or one's own (port None)."""
        fates = self.fates
        fates.dropped[why] = fates.dropped.get(why, 0) + 1
        if held:
            fates.dropped_held += 1
        elif port is None:
            fates.dropped_own += 1
        network = self.network
        if network.watched:
            network.dropped(self.name if port is None else port.name, data, why)

    @property
    def time(self) -> Instant:
        """What its own clock says."""
        return self.network.now if self.clock is None else self.clock.at(self.network.now)

    def skew(self, ppm: int) -> None:
        """From now on its clock gains so many millionths, or loses them."""
        self.clock = (self.clock or RIGHT).skewed(self.network.now, ppm)

    def lasts(self, span: Duration) -> Duration:
        """How long it takes at most until as much has passed by its clock."""
        return span if self.clock is None else self.clock.most(span)

    def call_at(self, when: Instant, action: Callable[[], None]) -> None:
        """A timer that a crash forgets; `when` is by its own clock."""
        if self.clock is not None:
            when = max(self.clock.when(when), self.network.now)
        self.network.call_at(when, self._expired, (self.incarnation, action))

    def crash(self) -> None:
        """Lose all state; until `restart` every arriving frame is dropped."""
        self.up = False
        self.incarnation += 1
        for _ in range(self.holding()):
            self.drop(None, b"", Reason.NODE_DOWN, held=True)
        self.forget()

    def forget(self) -> None:
        """Lose everything volatile: tables, queues, what waits."""

    def restart(self) -> None:
        """Come back as if just made."""
        self.up = True
        self.start()

    def refuse(self, port: Port, data: bytes) -> None:
        """What a crashed node does with what arrives."""
        self.drop(port, data, Reason.NODE_DOWN)

    def _expired(self, timer: tuple[int, Callable[[], None]]) -> None:
        incarnation, action = timer
        if incarnation == self.incarnation:
            action()
