"""What can happen at a time: links go down, nodes crash or move, faults begin and end."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sim.faults import Trouble, ended
from sim.link import Link
from sim.network import Network
from sim.node import Node
from sim.nodes.phone import Phone
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.transport import Transport
from sim.rng import stream
from virtualtap.units import Duration, Instant


@dataclass(frozen=True, slots=True)
class Down:
    """The link loses what is on it and all that is sent."""

    link: Link

    def happen(self, network: Network) -> None:
        self.link.set_up(False)


@dataclass(frozen=True, slots=True)
class Up:
    """The link carries frames again."""

    link: Link

    def happen(self, network: Network) -> None:
        self.link.set_up(True)


@dataclass(frozen=True, slots=True)
class Crash:
    """The node loses its state and refuses every frame."""

    node: Node

    def happen(self, network: Network) -> None:
        network.crash(self.node)


@dataclass(frozen=True, slots=True)
class Restart:
    """The node comes back as if just made."""

    node: Node

    def happen(self, network: Network) -> None:
        network.restart(self.node)


@dataclass(frozen=True, slots=True)
class Begin:
    """The fault befalls every frame sent from now on, after the faults already there."""

    link: Link
    fault: Trouble

    def happen(self, network: Network) -> None:
        self.link.faults = (*self.link.faults, self.fault)


@dataclass(frozen=True, slots=True)
class End:
    """Every fault of this name stops; with `toward` on the way to the node of that name alone."""

    link: Link
    fault_name: str
    toward: str | None = None

    def happen(self, network: Network) -> None:
        ends = [way.target.node.name for way in self.link.directions]
        self.link.faults = ended(self.link.faults, self.fault_name, ends, self.toward)


@dataclass(frozen=True, slots=True)
class Roam:
    """The client goes over to another network: its link changes, its session begins anew.

    None leaves what it is; a rate of "none" has no limit.
    """

    link: Link
    transport: Transport
    delay: Duration | None
    rate: int | str | None
    udp_passes: bool | None

    def happen(self, network: Network) -> None:
        self.transport.roam(udp_passes=self.udp_passes)
        self.link.change(delay=self.delay, rate=self.rate)


@dataclass(frozen=True, slots=True)
class Sleep:
    """The phone does nothing of its own accord."""

    node: Phone

    def happen(self, network: Network) -> None:
        self.node.sleep()


@dataclass(frozen=True, slots=True)
class Wake:
    """The phone goes on."""

    node: Phone

    def happen(self, network: Network) -> None:
        self.node.wake()


@dataclass(frozen=True, slots=True)
class Move:
    """Whoever is at the end of a link is plugged into another of its own."""

    link: Link

    def happen(self, network: Network) -> None:
        if self.link.is_plugged:
            return
        for way in self.link.directions:
            if way.source.out is not None:
                way.source.out.link.unplug()
        self.link.plug()


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The sessions that a link is end, with all that is known of them, and begin anew."""

    link: Link

    def happen(self, network: Network) -> None:
        carrier = self.link.carrier
        if isinstance(carrier, Transport):
            carrier.roam()
            return
        for way in self.link.directions:
            way.lose_in_flight()
        for way in self.link.directions:
            server, port = way.target.node, way.target
            if isinstance(server, SoftEtherServer):
                server.end_session(port)
                if self.link.up:
                    server.begin_session(port)


@dataclass(frozen=True, slots=True, eq=False)
class Clog:
    """Swizzle-clog: one after another, in any order, links keep what is sent; then they let it go.

    All are clogged within `over`, then all are for `hold`, and within `over` none is any more.
    FoundationDB, fdbserver/workloads/RandomClogging.
    """

    links: tuple[Link, ...]
    over: Duration
    hold: Duration

    def happen(self, network: Network) -> None:
        now, count = network.now, len(self.links)
        luck, order = stream(network.seed, "clog", f"{now}"), list(self.links)
        luck.shuffle(order)
        for i, link in enumerate(order):
            network.call_at(now + self.over * i // count, link.clog, self)
        opens = now + self.over + self.hold
        luck.shuffle(order)
        for i, link in enumerate(order):
            network.call_at(opens + self.over * i // count, link.unclog, self)


@dataclass(frozen=True, slots=True)
class Skew:
    """The clock of a node runs fast or slow from now on."""

    node: Node
    ppm: int

    def happen(self, network: Network) -> None:
        self.node.skew(self.ppm)


class Happening(Protocol):
    """Something that changes the network at a time."""

    def happen(self, network: Network) -> None: ...


Timeline: TypeAlias = list[tuple[Instant, Happening]]


def arm(network: Network, timeline: Timeline) -> None:
    """Let everything happen at its time, before the frames of that instant."""
    for at, happening in timeline:
        network.call_at(at, _happen, (network, happening))


def _happen(what: tuple[Network, Happening]) -> None:
    network, happening = what
    network.note(type(happening).__name__.lower(), _words(happening))
    happening.happen(network)


def _words(happening: Happening) -> str:
    link, node = getattr(happening, "link", None), getattr(happening, "node", None)
    target = link.name if link is not None else node.name if node is not None else ""
    fault = getattr(happening, "fault", None) or getattr(happening, "fault_name", "")
    return f"{target} {fault}".strip()
