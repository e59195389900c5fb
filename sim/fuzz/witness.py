"""A run seen frame by frame, up to an instant: what each frame was, and why it was sent."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sim import glance
from sim.causes import Story, trace
from sim.guard import guarded
from sim.network import Network
from sim.node import Port
from sim.observers import Kind, Moment, Observer
from sim.run import Order, built
from virtualtap.units import Instant

SENDS_MAX = 20_000  # frames that are seen; after them nobody looks
_BRIDGES = ("hub", "switch")


@dataclass(frozen=True, slots=True)
class Sight:
    """One frame on one link, whole; `is_copy` of the one that a hub or switch passed on."""

    story: Story
    source: str  # nodes
    target: str
    data: bytes
    is_copy: bool

    @property
    def words(self) -> str:
        """What it is."""
        return glance.packet(self.data) if self.story.is_packet else glance.frame(self.data)


@dataclass(frozen=True, slots=True)
class Witness:
    """All that was sent, in order, by which nodes; `last` is the number of the last frame seen."""

    sights: Sequence[Sight]
    nodes: Sequence[tuple[str, str]]  # name and kind
    last: int  # 0: none was

    @property
    def originated(self) -> int:
        """How many Ethernet frames there were, copies by hubs and switches not counted."""
        return sum(not (sight.is_copy or sight.story.is_packet) for sight in self.sights)

    def chain(self, sight: Sight) -> list[Sight]:
        """From the frame that no other caused to this one."""
        found = [sight]
        while found[-1].story.parent:
            found.append(self.sights[found[-1].story.parent - 1])
        return found[::-1]

    def latest(self, at: Instant | None, words: str) -> Sight | None:
        """The last frame that something befell at this instant, or before it; None: the last seen.

        Of several, one from or to a node that is named in `words`.
        """
        if at is None or not self.sights:
            return self.sights[self.last - 1] if self.last else None
        befallen = [one for one in self.sights if at in (one.story.at, one.story.fate_at)]
        named = [one for one in befallen if one.source in words or one.target in words]
        if befallen:
            return (named or befallen)[-1]
        before = [one for one in self.sights if one.story.fate_at < at] or self.sights
        return max(before, key=lambda one: (one.story.fate_at, one.story.number))


class _Sent(Observer):
    """Keeps every frame, and whence and whither."""

    def __init__(self, network: Network) -> None:
        self.frames: list[tuple[str, str, bytes]] = []
        self.last = 0
        self._numbering = network.numbering
        self._ports: dict[str, Port] = {
            port.name: port for node in network.nodes.values() for port in node.ports.values()
        }

    def see(self, moment: Moment) -> None:
        if moment.kind is Kind.SENT:
            port = self._ports[moment.where]
            assert port.out is not None
            self.frames.append((port.node.name, port.out.target.node.name, moment.data))
        if self._numbering is not None and self._numbering.number:
            self.last = self._numbering.number


class _EnoughError(Exception):
    """There is more than anybody reads."""


def watch(order: Order, until: Instant) -> Witness:
    """Run it up to `until`, exclusive, or to the exception in it; laws are not judged."""
    try:
        network = built(order).network
    except Exception:  # whatever it is, there is nothing to see
        return Witness([], [], 0)
    causes, sent = trace(network), _Sent(network)
    network.observers.append(sent)

    def between() -> None:
        if len(sent.frames) > SENDS_MAX:
            raise _EnoughError

    # whatever is raised inside the world is what it fails with
    with suppress(Exception), guarded():
        network.run(until, between)
        network.finish()
    kinds = {name: node.kind for name, node in network.nodes.items()}
    sights: list[Sight] = []
    for number, (source, target, data) in enumerate(sent.frames[: len(causes)], 1):
        story = causes.story(number)
        parent = sights[story.parent - 1].data if story.parent else None
        is_copy = kinds[source] in _BRIDGES and data == parent
        sights.append(Sight(story, source, target, data, is_copy))
    return Witness(sights, list(kinds.items()), sent.last)
