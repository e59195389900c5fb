"""Who has to know whom so that a flow arrives: its ways over the LANs that links join."""

from collections.abc import Iterator
from dataclasses import dataclass

from sim.link import Link
from sim.node import Port
from sim.nodes.gateway import LanGateway
from sim.nodes.host import L3Host
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.virtual_tap import VirtualTapNode
from sim.probes import Place
from virtualtap.units import Instant
from virtualtap.wire.address import Ip
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6, VLAN

_NS, _NA = b"\x87", b"\x88"
_TARGET_AT = 8  # bytes into a neighbour message: RFC 4861 4.3, 4.4


@dataclass(frozen=True, slots=True)
class Step:
    """Who has to know at which MAC whose address is."""

    asker: Place
    ip: Ip
    owner: Place


@dataclass(slots=True)
class Talk:
    """One direction of a flow: what was said of it since the heal, and what came of that."""

    source: Place
    destination: Place
    steps: tuple[Step, ...]
    pairs: frozenset[frozenset[Ip]]  # whose questions and answers are about it
    due: Instant | None = None  # a bound after it was first used
    asked: Instant | None = None  # the first payload since then
    arrived: bool = False
    excused: bool = False  # something else than who is known stands in its way

    def nodes(self) -> set[str]:
        """Those that send and take what is said, and their taps."""
        places = [place for step in self.steps for place in (step.asker, step.owner)]
        return {each for one in places for each in (one.name, one.lan.rpartition(".")[0])}


def talk_of(key: bytes, places: dict[Ip, Place], parts: dict[str, str]) -> Talk | None:
    """Who has to know whom for these packets; None where the core does not lead from end to end."""
    size = 16 if len(key) > 32 else 4
    said_by, said_to = key[:size], key[size : 2 * size]
    source, destination = places.get(said_by), places.get(said_to)
    if source is None or destination is None:
        return None
    steps: list[Step] = []
    asker = source
    for _ in range(2):  # a gateway at most is between the two
        hop = asker.next_hop(said_to)
        owner = None if hop is None else places.get(hop)
        if hop is None or owner is None or not _joined(asker, owner, parts):
            return None
        steps.append(Step(asker, hop, owner))
        if owner.name == destination.name:
            pairs = (frozenset((_name(one.asker, size), one.ip)) for one in steps)
            return Talk(source, destination, tuple(steps), frozenset(pairs))
        near = [one for one in places.values() if one.name == owner.name]
        found = next((one for one in near if one.next_hop(said_to) == said_to), None)
        if found is None:
            return None
        asker = found
    return None


def _name(place: Place, size: int) -> Ip:
    return place.ip if size == 4 else place.ip6[0]


def _joined(one: Place, other: Place, parts: dict[str, str]) -> bool:
    """Whether the core leads from one endpoint to the other on one LAN."""
    found = {parts.get(port) for place in (one, other) for port in (place.speaks, place.lan)}
    return len(found) == 1 and None not in found


def lans(links: Iterator[Link]) -> dict[str, str]:
    """Each port that a link of the core is at → one name for all that are in its LAN."""
    near: dict[str, list[str]] = {}
    ports: dict[str, str] = {}
    for link in links:
        one, other = (_meets(way.source) for way in link.directions)
        ports.update({way.source.name: _meets(way.source) for way in link.directions})
        near.setdefault(one, []).append(other)
        near.setdefault(other, []).append(one)
    found: dict[str, str] = {}
    for start in near:
        waiting = [start]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = start
                waiting += near[name]
    return {port: found[name] for port, name in ports.items()}


def _meets(port: Port) -> str:
    """Where frames of a port meet others: in the node, a hub of it, or at the port alone."""
    node = port.node
    if isinstance(node, SoftEtherServer):
        hub = node.hub_of(port)
        return port.name if hub is None else f"{node.name}/{hub.name}"
    return port.name if isinstance(node, LanGateway) else node.name


def is_passed_by(tap: VirtualTapNode) -> bool:
    """Whether floods pass by clients that say nothing for a while: a hub option."""
    assert tap.lan.out is not None
    port = tap.lan.out.target
    if not isinstance(port.node, SoftEtherServer):
        return False
    hub = port.node.hub_of(port)
    return hub is not None and hub.options.DetectDormantSessionInterval > 0


def tap_of(host: L3Host) -> VirtualTapNode:
    assert host.uplink.out is not None
    tap = host.uplink.out.target.node
    assert isinstance(tap, VirtualTapNode)
    return tap


def packet_in(data: bytes, *, bare: bool) -> bytes:
    """The IP packet in a frame, or one that is `bare`; empty where there is none."""
    if not bare:
        if data[12:14] == VLAN:
            data = data[:12] + data[16:]
        if data[12:14] not in (IPV4, IPV6):
            return b""
        data = data[HEADER_LEN:]
    return data if len(data) >= 20 else b""


def pair_in(frame: bytes) -> frozenset[Ip] | None:
    """Whom an ARP or neighbour message is about: who says it, and whom it asks or tells."""
    if frame[12:14] == VLAN:
        frame = frame[:12] + frame[16:]
    body = frame[HEADER_LEN:]
    if frame[12:14] == ARP:
        return frozenset((body[14:18], body[24:28]))
    kind = body[40:41] if frame[12:14] == IPV6 and body[6:7] == b"\x3a" else b""
    if kind == _NS:
        return frozenset((body[8:24], body[40 + _TARGET_AT : 56 + _TARGET_AT]))
    if kind == _NA:
        return frozenset((body[24:40], body[40 + _TARGET_AT : 56 + _TARGET_AT]))
    return None
