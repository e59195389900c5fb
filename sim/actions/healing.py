"""Two phases: at one instant all is well in a core of the network, and the rest stays cut off.

As TigerBeetle's simulator has it (VOPR: `transition_to_liveness_mode`): what is broken outside
stays as it is, so that a core that lives cannot be the work of somebody else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sim.actions.attacks import silence
from sim.actions.phones import phone_of
from sim.actions.timeline import Timeline
from sim.build import Built
from sim.link import Link
from sim.network import Network
from sim.node import Node
from sim.nodes.host import L3Host
from sim.words.healing import Heal as Words
from sim.words.quantities import duration
from virtualtap.errors import UsageError


@dataclass(frozen=True, slots=True)
class Core:
    """The nodes of a core, by name, and the links among them."""

    built: Built
    names: frozenset[str]

    def has(self, link: Link) -> bool:
        """Whether both ends of a link are in the core."""
        return all(way.source.node.name in self.names for way in link.directions)

    def nodes(self) -> Iterator[Node]:
        """Those of the core, in the order of the network."""
        return (one for name, one in self.built.network.nodes.items() if name in self.names)

    def links(self) -> Iterator[Link]:
        """Those that are plugged in, with both ends in the core."""
        return (one for one in self.built.network.links if one.is_plugged and self.has(one))


@dataclass(frozen=True, slots=True)
class Heal:
    """Links of the core go up, without faults; all other links go down.

    Its nodes come back, its sleepers wake, its attackers are silent. Clocks that are wrong stay so.
    """

    core: Core
    timeline: Timeline

    def happen(self, network: Network) -> None:
        silence(self.timeline, self.core.names)
        outside = [link for link in network.links if not self.core.has(link)]
        for link in outside:
            link.set_up(False)
        for node in self.core.nodes():
            if not node.up:
                network.restart(node)
        for link in network.links:
            if link not in outside:
                _mend(link)
        for node in self.core.nodes():
            _wake(node)


def _mend(link: Link) -> None:
    link.faults = ()
    link.open()
    if not link.up:
        link.set_up(True)


def _wake(node: Node) -> None:
    if isinstance(node, L3Host) and node.asleep:
        phone_of(node).wake()


def core_of(words: Words, built: Built) -> Core:
    """The core that a scenario names. UsageError for a pattern that fits no node."""
    nodes = built.network.nodes
    for pattern in words.core:
        if not any(fnmatchcase(name, pattern) for name in nodes):
            some = ", ".join(list(nodes)[:8])
            raise UsageError(f"`heal`: no node is named `{pattern:.60}`", f"there are {some}, …")
    found = (n for n in nodes if any(fnmatchcase(n, pattern) for pattern in words.core))
    return Core(built, frozenset(found))


def enacted(words: Words | None, built: Built, timeline: Timeline) -> Timeline:
    """The heal of what `timeline` breaks; nothing where none is wanted."""
    if words is None:
        return []
    return [(duration(words.at), Heal(core_of(words, built), timeline))]
