"""Why each frame was sent: the frame, timer or word of a user that was being dealt with.

A frame that a node passes on unchanged has as its parent the same frame as it came in, however long
it waited there. Causality as in Lamport, "Time, Clocks", CACM 21 (1978) 7.
"""

from array import array
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from sim import glance
from sim.actions.timeline import Happening
from sim.actions.traffic import Flow
from sim.capture import escaped
from sim.network import Network
from sim.node import Node, Port
from sim.numbering import Numbering
from sim.observers import Kind, Moment, Observer
from sim.results import Rows
from virtualtap.units import SECOND, Instant

ROWS_MAX = 100_000  # of the table; `explain` knows no such limit
HEAD = 96  # bytes of each frame that are kept
_PASSING_MAX = 2048  # arrivals that a node may still pass on
_ON_ITS_WAY, _ARRIVED, _DELIVERED = "on its way", "arrived", "delivered"


@dataclass(frozen=True, slots=True)
class Story:
    """One frame: where from, why, and what became of it. `parent` is 0 where no frame was."""

    number: int
    at: Instant
    source: str
    length: int
    head: bytes
    is_packet: bool  # on an IP link
    parent: int
    cause: str
    fate: str
    fate_at: Instant

    def facts(self) -> dict[str, Any]:
        """As JSON has it; times in ns."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**kept, "head": self.head.hex(), "parent": self.parent or None}

    def words(self) -> str:
        """What it is, and what became of it; times in seconds."""
        what = glance.packet(self.head) if self.is_packet else glance.frame(self.head)
        end = f" at {self.fate_at / SECOND:.9f} s" if self.fate != _ON_ITS_WAY else ""
        return (
            f"frame {self.number}, {self.length} bytes, {what}: sent at {self.source} "
            f"at {self.at / SECOND:.9f} s, {self.fate}{end}"
        )


class Causes(Observer):
    """Records every sent frame. It stands right behind the `numbering`."""

    def __init__(self, network: Network, numbering: Numbering) -> None:
        self._network, self._numbering = network, numbering
        self._ports: dict[str, Port] = {
            port.name: port for node in network.nodes.values() for port in node.ports.values()
        }
        self._at, self._parent, self._fate_at = array("q"), array("q"), array("q")
        self._length, self._source, self._cause, self._fate = (array("l") for _ in range(4))
        self._heads: list[bytes] = []
        self._texts, self._names = [""], {"": 0}  # every text once, and its number
        self._marks, self._dealt = array("q"), array("q")  # what was dealt with since a number
        self._beginning: tuple[Callable[[Any], None] | None, Any, int] = (None, None, 0)
        self._handled = 0  # the frame that is being dealt with
        self._delivered = network.tally.delivered
        self._passing: dict[str, dict[int, tuple[int, bytes]]] = {}  # by node, then identity

    # what the network says

    def begin(self, entry: int, action: Callable[[Any], None], data: Any) -> None:
        """The next thing happens: what the network scheduled under this number."""
        self._settle()
        self._handled = 0
        armed = bisect(self._marks, entry) - 1
        self._beginning = action, data, self._dealt[armed] if armed >= 0 else 0
        self._deal(-self._named(self._root()))

    def see(self, moment: Moment) -> None:
        at, kind, where, data, why = moment
        if kind is Kind.SENT:
            self._settle()
            self._sent(at, where, data)
        elif kind is Kind.ARRIVED:
            self._settle()
            self._arrived(at, where, data)
        elif kind is Kind.DROPPED:
            self._dropped(at, where, data, why)

    def finish(self, now: Instant) -> None:
        self._settle()

    # what is known

    def __len__(self) -> int:
        return len(self._at)

    def story(self, number: int) -> Story:
        """Of one frame, 1 to `len`."""
        i, names = number - 1, self._texts
        source = names[self._source[i]]
        return Story(
            number,
            self._at[i],
            source,
            self._length[i],
            self._heads[i],
            self._ports[source].medium.value == "ip",
            self._parent[i],
            names[self._cause[i]],
            names[self._fate[i]],
            self._fate_at[i],
        )

    def children(self, number: int) -> list[int]:
        """The frames that were sent because of this one."""
        return [i + 1 for i in range(number, len(self._at)) if self._parent[i] == number]

    def chain(self, number: int) -> list[Story]:
        """From this frame back to the one that no frame caused."""
        found = [self.story(number)]
        while found[-1].parent:
            found.append(self.story(found[-1].parent))
        return found

    def because(self) -> str:
        """Of the frame that the latest moment is about, in words: its number and its cause."""
        number = self._numbering.number
        if not number:
            return ""
        parent, cause = self._parent[number - 1], self._texts[self._cause[number - 1]]
        reason = f"frame {parent}" if parent else cause
        return f"frame {number}, because of {reason}"

    def table(self) -> Rows:
        """One row for each of the first ROWS_MAX frames."""
        names = self._texts
        return [
            (
                i + 1,
                self._at[i],
                names[self._source[i]],
                self._length[i],
                self._parent[i] or None,
                names[self._cause[i]],
                names[self._fate[i]],
                self._fate_at[i],
            )
            for i in range(min(len(self._at), ROWS_MAX))
        ]

    # what happens

    def _sent(self, at: Instant, where: str, data: bytes) -> None:
        parent, cause = self._handled, 0
        passed = self._passing.get(self._ports[where].node.name, {}).get(id(data))
        if passed is not None:
            parent = passed[0]
        elif not parent:
            root, armed = self._root(), self._beginning[2]
            parent = max(armed, 0)
            by = self._texts[-armed] if armed < 0 else ""
            cause = self._named(f"{root}, armed by {by}" if by not in ("", root) else root)
        self._at.append(at)
        self._source.append(self._named(where))
        self._length.append(len(data))
        self._heads.append(data[:HEAD])
        self._parent.append(parent)
        self._cause.append(cause)
        self._fate.append(self._named(_ON_ITS_WAY))
        self._fate_at.append(at)

    def _arrived(self, at: Instant, where: str, data: bytes) -> None:
        number = self._handled = self._numbering.number
        if not number:
            return
        self._deal(number)
        self._ends(number, f"{_ARRIVED} at {where}", at)
        passing = self._passing.setdefault(self._ports[where].node.name, {})
        passing[id(data)] = number, data
        if len(passing) > _PASSING_MAX:
            del passing[next(iter(passing))]

    def _dropped(self, at: Instant, where: str, data: bytes, why: str) -> None:
        """A link lost it: then it has a number; or a node refused what had come."""
        if self._numbering.number:
            self._ends(self._numbering.number, f"lost: {why}", at)
            return
        port = self._ports.get(where)
        node = where if port is None else port.node.name
        passed = self._passing.get(node, {}).get(id(data))
        if passed is not None:
            self._ends(passed[0], f"dropped by {node}: {why}", at)
        elif port is not None and self._handled:
            self._ends(self._handled, f"dropped by {node}: {why}", at)

    def _deal(self, what: int) -> None:
        """This is being dealt with: a frame, or less than 0: a text."""
        self._marks.append(self._network.mark())
        self._dealt.append(what)

    def _settle(self) -> None:
        """Whether a payload was handed over since the last look: then it was in this frame."""
        delivered = self._network.tally.delivered
        if delivered != self._delivered:
            self._delivered = delivered
            if self._handled:
                fate = self._texts[self._fate[self._handled - 1]]
                fate = fate.replace(_ARRIVED, _DELIVERED)
                self._ends(self._handled, fate, self._network.now)

    def _ends(self, number: int, fate: str, at: Instant) -> None:
        self._fate[number - 1] = self._named(fate)
        self._fate_at[number - 1] = at

    def _named(self, text: str) -> int:
        if text not in self._names:
            self._names[text] = len(self._texts)
            self._texts.append(text)
        return self._names[text]

    def _root(self) -> str:
        action, data, _ = self._beginning
        return "the start of the run" if action is None else escaped(_words(action, data), 300)


def trace(network: Network) -> Causes:
    """Let a network tell its causes from now on; its next observers may ask for numbers."""
    causes = Causes(network, number(network))
    network.observers.append(causes)
    network.trace(causes.begin)
    return causes


def number(network: Network, ports: frozenset[str] | None = None) -> Numbering:
    """Let frames have numbers, and keep them until they arrive at `ports` (None: at all)."""
    ways = [way for link in network.links for way in link.directions]
    peers = {
        way.target.name: way.source.name
        for way in ways
        if ports is None or way.target.name in ports
    }
    network.numbering = Numbering(peers)
    network.observers.append(network.numbering)
    return network.numbering


def _words(action: Callable[[Any], None], data: Any) -> str:
    """What a heap entry is, for somebody who does not know the source."""
    if isinstance(data, tuple) and len(data) == 2:
        first, second = data
        if isinstance(first, Network):
            return f"the timeline: {_happening(second)}"
        if isinstance(action, partial) or getattr(action, "__name__", "") == "_expired":
            owner = getattr(action, "__self__", None)
            if isinstance(owner, Node):
                return f"a timer of {owner.name}: {_name(second)}"
    owner = getattr(action, "__self__", None)
    flow = getattr(owner, "flow", None)
    if isinstance(flow, Flow):
        return f"a send of flow {flow.name}: {flow.kind} from {flow.source} to {flow.destination}"
    return f"a timer: {_name(action)}"


def _name(action: Callable[..., Any]) -> str:
    """The function's own name, without what is around it."""
    while isinstance(action, partial):
        action = action.func
    qualified: str = getattr(action, "__qualname__", type(action).__name__)
    return qualified.replace(".<locals>.<lambda>", "").replace("._", ".")


def _happening(happening: Happening) -> str:
    target = getattr(happening, "link", None) or getattr(happening, "node", None)
    return f"{type(happening).__name__.lower()} of {getattr(target, 'name', '')}".strip()
