"""Laws about what nodes keep: tables, queues, leases, and what they believe of one another."""

from collections.abc import Iterable, Iterator

from sim.law import Invariant, Scene
from sim.link import Direction, Link
from sim.node import Node
from sim.nodes.gateway import LanGateway
from sim.nodes.host import L3Host
from sim.nodes.interface import ENTRIES_MAX as INTERFACE_ENTRIES
from sim.nodes.interface import LIFETIME, Interface
from sim.nodes.softether.ipc import IpcClient
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.station import Station
from sim.nodes.switch import ENTRIES_MAX as SWITCH_ENTRIES
from sim.nodes.switch import Switch
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind, Moment
from sim.probes import Place
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import Ip, Mac, ip_text, mac_text
from virtualtap.wire.ethernet import ARP

_FRAME_MAX = 65_535  # bytes; one may be on the wire beside what waits


class TablesBounded(Invariant):
    """No table holds more than its limit, and no queue of a link."""

    name = "tables-bounded"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._waits_most: dict[str, Duration] = {}

    def look(self, now: Instant) -> None:
        for node in self.scene.built.network.nodes.values():
            for what, count, most in _tables(node):
                if count > most:
                    self.broken(now, f"{count} {what} of {node.name}", f"at most {most}")
        for link in self.scene.built.network.links:
            for way in link.directions:
                self._look_at_queue(way, now)

    def _look_at_queue(self, way: Direction, now: Instant) -> None:
        """A link may have been made faster since: what waits was let in before."""
        rate, name = way.link.rate, way.source.name
        frame = -(-way.link.wire_bytes(_FRAME_MAX) * 8 * SECOND // rate) if rate else 0
        most = max(way.link.backlog_max + frame, self._waits_most.get(name, 0))
        self._waits_most[name] = most
        if way.free_at - now > most:
            self.broken(now, f"{way.free_at - now} ns of queue at {name}", f"at most {most}")


class LeaseUnique(Invariant):
    """No two taps of a broadcast domain hold the same leased address at the same time."""

    name = "lease-unique"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.where = {tap.name for tap in scene.taps()}

    def see(self, moment: Moment) -> None:
        if moment.kind is Kind.NOTED and moment.why.startswith("LeaseBound("):
            self.look(moment.at)

    def look(self, now: Instant) -> None:
        holders: dict[Ip, list[VirtualTapNode]] = {}
        for tap in self.scene.taps():
            ip = _leased(tap, now)
            if ip is not None:
                holders.setdefault(ip, []).append(tap)
        for ip, taps in holders.items():
            if len(taps) > 1:
                self._compare(ip, taps, now)

    def _compare(self, ip: Ip, taps: list[VirtualTapNode], now: Instant) -> None:
        domains = _domains(self.scene.built.network.links)
        found: dict[tuple[str, str], str] = {}
        for tap in taps:
            assert tap.lan.out is not None
            port = tap.lan.out.target
            key = (port.node.name, _hub_of(port.node, port.name))
            key = domains.get(key, key)
            other = found.setdefault(key, tap.name)
            if other != tap.name:
                self.broken(now, f"{ip_text(ip)} leased to {other} and {tap.name}", "one holder")


class PoisonHeals(Invariant):
    """Whoever believes a wrong MAC of an endpoint's IPv4 address does so no longer than it may.

    From the last frame that said so: the lifetime of an entry, and the questions after it.
    """

    name = "poison-heals"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._said: dict[tuple[str, Ip], Instant] = {}  # by LAN port
        self._since: dict[tuple[str, Ip], Instant] = {}
        self.where = {place.lan for place in scene.built.places}
        self._owned = self._owners()

    def see(self, moment: Moment) -> None:
        data = moment.data
        if moment.kind is Kind.ARRIVED and data[12:14] == ARP:
            ip = data[28:32]
            if self._owned.get(ip, data[22:28]) != data[22:28]:
                self._said[moment.where, ip] = moment.at

    def look(self, now: Instant) -> None:
        self._owned = owners = self._owners()
        wrong: dict[tuple[str, Ip], Instant] = {}
        for place in self.scene.built.places:
            table, bound = self._believed(place)
            for ip, mac in table.items():
                if owners.get(ip, mac) == mac:
                    continue
                key = place.lan, ip
                wrong[key] = since = max(self._since.get(key, now), self._said.get(key, 0))
                if now - since > bound:
                    said = f"{place.name} has {ip_text(ip)} at {mac_text(mac)}"
                    self.broken(now, said, f"healed within {bound / SECOND:g} s")
        self._since = wrong

    def _owners(self) -> dict[Ip, Mac]:
        """Whose address is whose now; what two claim is nobody's."""
        found: dict[Ip, Mac] = {}
        twice = set()
        for place in self.scene.built.places:
            node = self.scene.built.endpoints[place.name]
            ip = node.stack.ip if isinstance(node, L3Host) else place.ip
            if found.setdefault(ip, place.mac) != place.mac:
                twice.add(ip)
        return {ip: mac for ip, mac in found.items() if ip not in twice}

    def _believed(self, place: Place) -> tuple[dict[Ip, Mac], Duration]:
        """What stands in the table of a place, and how long that may be wrong."""
        node = self.scene.built.endpoints[place.name]
        if isinstance(node, L3Host):
            assert node.uplink.out is not None
            tap = node.uplink.out.target.node
            if not isinstance(tap, VirtualTapNode) or not isinstance(tap.tap, VirtualTap):
                return {}, 0
            config = tap.config
            asks = (1 + config.arp_retries_max) * config.arp_interval
            return tap.tap.neighbors(), config.neighbor_lifetime + asks
        (own,) = (one for one in _interfaces(node) if one.port.name == place.lan)
        return own.neighbors(), LIFETIME + 4 * SECOND


def _tables(node: Node) -> Iterator[tuple[str, int, int]]:
    """(what, how many, at most) of each table of a node."""
    if isinstance(node, VirtualTapNode) and isinstance(node.tap, VirtualTap):
        config, most = node.config, node.config.neighbors_max
        yield "neighbors", len(node.tap.neighbors()), most
        yield "held packets", node.tap.holding(), most * config.held_packets_max
        yield "hosts", len(node.tap.hosts()), config.hosts_max
    elif isinstance(node, SoftEtherServer):
        for hub in node.hubs.values():
            yield f"MACs in hub {hub.name}", len(hub.macs), node.constants.MAX_MAC_TABLES
            yield f"addresses in hub {hub.name}", len(hub.ips), node.constants.MAX_IP_TABLES
    elif isinstance(node, Switch):
        yield "MACs", len(node.table()), SWITCH_ENTRIES
    else:
        for interface in _interfaces(node):
            yield "neighbors", len(interface.neighbors()), INTERFACE_ENTRIES


def _interfaces(node: Node) -> list[Interface]:
    if isinstance(node, Station):
        return [node.interface]
    return list(node.interfaces.values()) if isinstance(node, LanGateway) else []


def _leased(tap: VirtualTapNode, now: Instant) -> Ip | None:
    """The address that a DHCP server gave it, while it may have it."""
    engine = tap.tap
    if isinstance(engine, IpcClient):
        return engine.ip if tap.config.dhcp else None
    lease = engine.lease if isinstance(engine, VirtualTap) else None
    if lease is None or (lease.expires_at is not None and lease.expires_at <= now):
        return None
    return lease.ip


def _hub_of(node: Node, port: str) -> str:
    """Which hub of a server a port leads into; nothing of a switch."""
    if not isinstance(node, SoftEtherServer):
        return ""
    return next(
        (hub.name for hub in node.hubs.values() if any(one.name == port for one in hub.sessions)),
        "",
    )


def _domains(links: Iterable[Link]) -> dict[tuple[str, str], tuple[str, str]]:
    """Each bridge, as (node, hub), that links join to others → one of them, the same for all."""
    near: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for link in links:
        ports = [way.source for way in link.directions]
        if all(isinstance(port.node, Switch | SoftEtherServer) for port in ports):
            one, other = ((port.node.name, _hub_of(port.node, port.name)) for port in ports)
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for start in near:
        waiting = [start]
        while waiting:
            key = waiting.pop()
            if key not in found:
                found[key] = start
                waiting += near[key]
    return found
