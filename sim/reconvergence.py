"""How long frames still go to where somebody no longer is: docs/measures.md.

RFC 826 leaves an old answer in every table until something corrects it.
"""

from typing import TYPE_CHECKING

from sim.node import Node, Port
from sim.nodes.station import Station
from sim.observers import Kind, Moment, Observer
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.ethernet import IPV4, IPV6

if TYPE_CHECKING:
    from sim.build import Built

_DOUBTS_MAX = 4096  # frames of which a copy went astray: another may still go the right way


class Reconvergence(Observer):
    """From a move, a new MAC or a restart to the last frame sent to the old place.

    A hub or switch sends a frame to the old place where no copy of it leaves by a port that leads
    to the new one, unless it came from there. Whoever sends a packet for an address to the MAC that
    had it sends it there, too.
    """

    def __init__(self, built: "Built") -> None:
        self._built = built
        self._lan = {place.lan for place in built.places}
        self._ports = {
            port.name: port for node in built.bridges.values() for port in node.ports.values()
        }
        self._is_quiet = True  # nobody moved yet
        self._moved: dict[Mac, Instant] = {}
        self._taken: dict[tuple[Mac, Ip], Instant] = {}  # an address and the MAC that had it
        self._news: tuple[Instant, Node] | None = None  # who has new addresses from now on
        self._worst: Duration = 0
        self._leads: dict[tuple[str, Mac], bool] = {}
        self._doubts: dict[tuple[Node, bytes], Duration] = {}
        self._right: dict[tuple[Node, bytes], None] = {}  # a copy of these went the right way

    def see(self, moment: Moment) -> None:
        at, kind, where, data, why = moment
        if kind is not Kind.NOTED and self._is_quiet:
            return
        if kind is Kind.NOTED:
            self._leads.clear()
            if where in ("move", "restart", "duplicate"):
                self._changed(at, where, why.strip())
            return
        if self._news is not None:
            self._learn_news()
        since = self._moved.get(data[:6])
        if since is not None and where in self._ports and kind is not Kind.DROPPED:
            self._weigh(self._ports[where], data, kind, at - since)
        elif self._taken and kind is Kind.SENT and where in self._lan:
            since = self._taken.get((data[:6], _destination(data)))
            self._worst = max(self._worst, 0 if since is None else at - since)

    def value(self) -> float | None:
        """The longest so far, in seconds; None where nobody moved, came back or took over."""
        if not (self._moved or self._taken):
            return None
        return max(self._worst, *self._doubts.values(), 0) / SECOND

    def _changed(self, at: Instant, what: str, name: str) -> None:
        built = self._built
        if what == "move":
            link = built.links.get(name)
            ends = () if link is None else (way.source.node.name for way in link.directions)
            name = next((one for one in ends if one not in built.bridges), "")
        node = built.network.nodes.get(name)
        if node is None:  # a node that is called so noted something else
            return
        self._is_quiet = False
        if what == "duplicate":
            self._news = at, node  # what it has is known when it has happened
            return
        ports = {port.name for port in node.ports.values()}
        for place in built.places:
            if name in built.bridges or place.lan in ports:
                self._moved[place.mac] = at

    def _learn_news(self) -> None:
        assert self._news is not None
        (at, node), self._news = self._news, None
        also = node.stack.also if isinstance(node, Station) else frozenset()
        for place in self._built.places:
            for address in also.intersection((place.ip, *place.ip6)):
                self._taken.setdefault((place.mac, address), at)

    def _weigh(self, port: Port, data: bytes, kind: Kind, after: Duration) -> None:
        frame = port.node, data
        if self._leads_to(port, data[:6]):
            self._doubts.pop(frame, None)
            self._right[frame] = None
            if len(self._right) > _DOUBTS_MAX:
                del self._right[next(iter(self._right))]
        elif kind is Kind.SENT and frame not in self._right:
            self._doubts[frame] = after
            if len(self._doubts) > _DOUBTS_MAX:
                self._worst = max(self._worst, self._doubts.pop(next(iter(self._doubts))))

    def _leads_to(self, port: Port, mac: Mac) -> bool:
        """Whether whoever has this MAC is now behind the port."""
        key = port.name, mac
        if key not in self._leads:
            homes = {place.lan for place in self._built.places if place.mac == mac}
            self._leads[key] = bool(homes & self._behind(port))
        return self._leads[key]

    def _behind(self, port: Port) -> set[str]:
        """The ports at which frames can arrive that leave by this one."""
        seen: set[Node] = {port.node}
        found: set[str] = set()
        waiting = [port]
        while waiting:
            out = waiting.pop().out
            if out is None or not out.link.is_plugged:
                continue
            found.add(out.target.name)
            node = out.target.node
            if node.name in self._built.bridges and node not in seen:
                seen.add(node)
                waiting += node.ports.values()
        return found


def _destination(frame: bytes) -> Ip:
    if frame[12:14] == IPV4:
        return frame[30:34]
    return frame[38:54] if frame[12:14] == IPV6 else b""
