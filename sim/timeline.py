"""What can happen at a time: link down and up, node crash and restart, fault begins and ends."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sim.faults import Fault
from sim.link import Link
from sim.network import Network
from sim.node import Node
from sim.nodes.phone import Phone
from sim.nodes.softether.transport import Transport
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
    fault: Fault

    def happen(self, network: Network) -> None:
        self.link.faults = (*self.link.faults, self.fault)


@dataclass(frozen=True, slots=True)
class End:
    """Every fault of this name stops."""

    link: Link
    fault_name: str

    def happen(self, network: Network) -> None:
        self.link.faults = tuple(
            fault for fault in self.link.faults if fault.name != self.fault_name
        )


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
