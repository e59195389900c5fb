"""Laws of the way between: links that change nothing, bridges that send nothing twice or astray."""

from collections import Counter, deque

from sim.laws.law import Invariant, Scene
from sim.link import Direction
from sim.nodes.softether.access_list import AccessList
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.switch import Switch
from sim.observers import Kind, Moment
from sim.reasons import Reason
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import Mac, is_group, mac_text
from virtualtap.wire.ethernet import VLAN

_KEPT = 100_000  # frames
_STATIONS = 1024  # a table with room for so many holds them all: worlds have fewer
_FRESH: Duration = 60 * SECOND  # for so long at least a bridge knows whom it heard
_LOST = (Reason.LINK_LOSS, Reason.LINK_QUEUE, Reason.LINK_DOWN)
_COPIES = ("duplication", "exactly")  # faults that may bring a frame twice
# what makes bridges forget, now or later, or moves who is where
_UPHEAVALS = (
    *("down", "up", "crash", "restart", "roam", "sleep", "wake"),
    *("move", "reconnect", "heal", "unclog", "clog"),
)


class LinksAreFaithful(Invariant):
    """A link brings each frame as it is, in order, no sooner than its delay; and none while down.

    Not once it had faults, another delay or a transport.
    """

    name = "links-are-faithful"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        links = scene.built.network.links
        ports = Counter(way.source.name for link in links for way in link.directions)
        ways = [
            way
            for link in links
            if link.carrier is None and not link.faults
            for way in link.directions
            if ports[way.source.name] == ports[way.target.name] == 1  # nobody moves there
        ]
        self._from = {way.source.name: (way, deque[tuple[Instant, bytes]]()) for way in ways}
        self._into = {way.target.name: self._from[way.source.name] for way in ways}
        self._delays = {way.source.name: way.link.delay for way in ways}
        self.where = {*self._from, *self._into}

    def see(self, moment: Moment) -> None:
        at, kind, where, data, why = moment
        if kind is Kind.ARRIVED:
            if where in self._into:
                self._arrived(at, where, data)
        elif where not in self._from:
            return
        elif kind is Kind.SENT:
            way, waiting = self._from[where]
            link = way.link
            hindered = not way.is_plain and (link.faults or link.carrier)
            if hindered or link.delay != self._delays[where]:
                self._trust_no_more(way)
            else:
                waiting.append((at, data))
        elif why in _LOST:
            self._lost(self._from[where][1], data, last=why == Reason.LINK_QUEUE)

    @staticmethod
    def _lost(waiting: "deque[tuple[Instant, bytes]]", data: bytes, *, last: bool) -> None:
        """The newest finds no room; what is cut off is cut off from the oldest on."""
        places = range(len(waiting))
        for place in reversed(places) if last else places:
            if waiting[place][1] is data:
                del waiting[place]
                return

    def _arrived(self, at: Instant, where: str, data: bytes) -> None:
        way, waiting = self._into[where]
        if (not way.is_plain and way.link.faults) or way.target.into is not way:
            self._trust_no_more(way)
        elif not way.link.up:
            self.broken(at, f"a frame at {where}, whose link is down", "lost")
        elif not waiting or waiting[0][1] != data:
            self.broken(at, f"{len(data)} bytes at {where}", "the frame that was sent first")
        elif at - waiting.popleft()[0] < way.link.delay:
            self.broken(at, f"a frame at {where}", f"not before {way.link.delay} ns have passed")

    def _trust_no_more(self, way: Direction) -> None:
        self._from.pop(way.source.name, None)
        self._into.pop(way.target.name, None)


class OneCopy(Invariant):
    """A frame reaches an endpoint as often as endpoints sent it, and never who alone sent it.

    Not where links make copies or the topology keeps its loops, nor where somebody moves.
    """

    name = "one-copy"
    kinds = Kind.SENT, Kind.ARRIVED

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.where = {place.lan for place in scene.built.places}
        self._sent: dict[int, tuple[bytes, set[str], dict[str, int]]] = {}

    @staticmethod
    def holds(scene: Scene) -> bool:
        moves = any(getattr(one, "move", None) for one in scene.scenario.timeline)
        loops = scene.scenario.topology.get("loops", False)
        return not (moves or loops or scene.faults().intersection(_COPIES))

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        if kind is Kind.SENT:
            if len(self._sent) > _KEPT:
                self._sent.clear()
            _, senders, counts = self._sent.setdefault(id(data), (data, set(), {}))
            senders.add(where)
            counts[""] = counts.get("", 0) + 1  # by all of them
        elif id(data) in self._sent:
            _, senders, counts = self._sent[id(data)]
            counts[where] = times = counts.get(where, 0) + 1
            if senders == {where}:
                self.broken(at, f"a frame of its own at {where}", "none comes back")
            elif times > counts[""]:
                self.broken(at, f"{times} copies of one frame at {where}", f"at most {counts['']}")


class SwitchedRight(Invariant):
    """What is for a station that a bridge heard goes only where it heard it last.

    For switches and servers of one hub with a large table, without monitors, VLANs, transports and
    rules that delay; a minute at most after it was heard, and until something is cut or crashes.
    """

    name = "switched-right"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._bridge = {
            port.name: node.name
            for node in scene.built.bridges.values()
            if _is_plain(node)
            for port in node.ports.values()
        }
        self.where = {*self._bridge, *_UPHEAVALS}
        self._heard: dict[tuple[str, Mac], tuple[str, Instant, bytes]] = {}
        self._meant: dict[tuple[str, int], tuple[bytes, str]] = {}

    @staticmethod
    def holds(scene: Scene) -> bool:
        return OneCopy.holds(scene)

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        if kind is Kind.NOTED:
            self._bridge.clear()
            return
        bridge = self._bridge.get(where)
        if bridge is None:
            return
        if kind is Kind.ARRIVED:
            self._arrived(at, bridge, where, data)
        elif kind is Kind.DROPPED:
            self._heard.pop((bridge, data[6:12]), None)  # perhaps it was not learned
        elif (bridge, id(data)) in self._meant:
            port = self._meant[bridge, id(data)][1]
            now_at = self._heard.get((bridge, data[:6]), (port, 0, b""))[0]
            if where not in (port, now_at):
                said = f"what is for {mac_text(data[:6])} goes out at {where}"
                self.broken(at, said, f"only where it was heard, {port}")

    def _arrived(self, at: Instant, bridge: str, where: str, data: bytes) -> None:
        if len(data) < 14:
            return
        tag = data[12:16] if data[12:14] == VLAN else b""
        self._heard[bridge, data[6:12]] = where, at, tag
        known = self._heard.get((bridge, data[:6]))
        self._meant.pop((bridge, id(data)), None)
        if is_group(data) or known is None or known[2] != tag or at - known[1] > _FRESH:
            return
        if len(self._meant) > _KEPT:
            self._meant.clear()
        self._meant[bridge, id(data)] = data, known[0]


def _is_plain(node: Switch | SoftEtherServer) -> bool:
    """Whether it has one table, and sends nothing to others than who is meant."""
    links = [port.out.link for port in node.ports.values() if port.out is not None]
    if any(link.carrier is not None for link in links):
        return False
    if isinstance(node, Switch):
        return True
    hubs = list(node.hubs.values())
    odd = any(session.is_monitor or session.vlan_id for hub in hubs for session in hub.sessions)
    odd |= any(isinstance(hub.rules, AccessList) and hub.rules.delays for hub in hubs)
    constants = node.constants
    keeps = constants.MAC_TABLE_EXPIRE_TIME > _FRESH and constants.MAX_MAC_TABLES >= _STATIONS
    return len(hubs) == 1 and not odd and keeps
