"""A graph becomes a Network. The only file that knows both.

Each broadcast domain (hubs and switches joined by links) is a LAN with a subnet of its own,
10.0.0.0/16, 10.1.0.0/16, … and fd00:0:0:N::/64; its endpoints are numbered in the graph's order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.link import Link
from sim.network import Network
from sim.node import Node, Port
from sim.nodes.gateway import LanGateway
from sim.nodes.host import L3Host
from sim.nodes.interface import Addresses, Interface
from sim.nodes.softether.ipc import IpcClient, ipc_mac
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.nodes.virtual_tap import Make, VirtualTapNode
from sim.probes import Place
from topologies import Graph, GraphError
from topologies.vocabulary import SITES
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.tap import VirtualTap
from virtualtap.units import MS, US
from virtualtap.wire.address import ANY4, Ip

Endpoint = L3Host | Station | LanGateway

_LAN: dict[str, int | None] = {"rate": 1_000_000_000, "delay": 5 * US, "overhead": 24, "least": 60}
# A frame in a session: 4 bytes for the batch, 4 for the frame (Connection.c:ConnectionSend), 22 of
# a TLS 1.3 record (RFC 8446 5.2), 32 of TCP with time stamps (RFC 7323), 20 of IPv4.
_CASCADE: dict[str, int | None] = {
    "rate": 1_000_000_000,
    "delay": 1 * MS,
    "overhead": 82,
    "queue": None,
}
_ACCESS: dict[str, int | None] = {
    "rate": 100_000_000,
    "delay": 5 * MS,
    "overhead": 82,
    "queue": None,
}
_HOST: dict[str, int | None] = {}  # a host and its tap are one device: no rate, no delay
_INSIDE: dict[str, int | None] = {"queue": None}  # an in-process client is one with its server
_LANS_MAX, _ENDPOINTS_MAX = 256, 65_000
ADDRESSED = {"host", "station", "gateway"}  # kinds that have an address in each of their LANs
ROUTERS = {"gateway"}  # those that lead out of a LAN
# What a topology alone says of a session: only a server that is described limits storms.
_UNLIMITED = Policy(NoBroadcastLimiter=True)
_SESSIONS = {
    "tap": Terms(kind=Kind.CLIENT, policy=_UNLIMITED, bridge=False),
    "ipc": Terms(kind=Kind.IPC, policy=_UNLIMITED, bridge=False),
    "hub": Terms(kind=Kind.CASCADE, policy=_UNLIMITED, bridge=False),
}
_BRIDGED = Terms(kind=Kind.BRIDGE)  # where all else is


@dataclass(slots=True)
class Built:
    """A network and what is where in it."""

    network: Network
    links: dict[str, Link] = field(default_factory=dict)  # by `a--b`
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    bridges: dict[str, Switch | SoftEtherServer] = field(default_factory=dict)
    leased: dict[str, Ip] = field(default_factory=dict)  # host whose lease names it → gateway

    def interface(self, place: Place) -> Interface | None:
        """The one that an endpoint has there; None for a host, which is behind a tap."""
        node = self.endpoints[place.name]
        if isinstance(node, Station):
            return node.interface
        return node.interfaces[place.lan] if isinstance(node, LanGateway) else None


def build(
    graph: Graph,
    seed: int,
    *,
    ipv6: bool = False,
    servers: "Servers | None" = None,
    tap: Callable[[str], Mapping[str, Any]] = lambda name: {},
    make: Make = VirtualTap,
    spares: Iterable[tuple[str, str]] = (),
) -> Built:
    """The network of a graph that `topologies.check` accepts. GraphError where it cannot be.

    `servers` makes them and lets others in; `tap` says what is different about one: fields of
    `TapConfig`, and `make` what drives it; `spares` are links, of an endpoint or tap and a hub or
    switch, into which nothing is plugged yet.
    """
    built = Built(Network(seed))
    plan = Plan(graph, ipv6, servers or Servers(), tap)
    plan.make = make
    for name, attributes in graph.nodes(data=True):
        node = built.network.add(MAKERS[attributes["kind"]](name, plan))
        if isinstance(node, L3Host | Station | LanGateway):
            built.endpoints[name] = node
        elif isinstance(node, Switch | SoftEtherServer):
            built.bridges[name] = node
    for a, b, attributes in graph.edges(data=True):
        kinds = frozenset((graph.nodes[a]["kind"], graph.nodes[b]["kind"]))
        settings = {**_defaults(kinds), **attributes}
        ports = [_port(built.network.nodes[one], other, plan) for one, other in ((a, b), (b, a))]
        link = built.network.connect(ports[0], ports[1], **settings)
        built.links[link.name] = link
    for name, site in spares:
        link = _spare(built, plan, name, site)
        built.links[link.name] = link
    built.places = [place for node in built.endpoints.values() for place in _places(node, graph)]
    hosts = (node for node in built.endpoints.values() if isinstance(node, L3Host))
    leased = (host.name for host in hosts if _tap_of(host).config.dhcp)
    gateways = {name: plan.addresses(name)[0].gateway for name in leased}
    built.leased = {name: gateway for name, gateway in gateways.items() if gateway is not None}
    return built


def planned(graph: Graph, *, ipv6: bool) -> dict[str, Addresses]:
    """What `build` will call each endpoint on its first LAN; a host has the MAC of its tap."""
    plan = Plan(graph, ipv6, Servers(), lambda name: {})
    found: dict[str, Addresses] = {}
    kinds = {name: attributes["kind"] for name, attributes in graph.nodes(data=True)}
    for name, kind in kinds.items():
        if kind in ("tap", "ipc"):
            host = next(near for near in graph[name] if kinds[near] == "host")
            found[host] = plan.addresses(host)[0]
        elif kind not in SITES:
            found[name] = plan.addresses(name)[0]
    return found


class Servers:
    """What a topology alone says of servers: they are silent, and let everybody in."""

    def made(self, name: str) -> SoftEtherServer:
        """The server of this name."""
        return SoftEtherServer(name)

    def session(self, server: str, other: str, ordinary: Terms) -> tuple[Terms, str]:
        """On which terms the node `other` connects, and to which hub; empty: to the first."""
        return ordinary, ""


class Plan:
    """Who is called what: a MAC and addresses for each endpoint in each of its LANs."""

    def __init__(
        self,
        graph: Graph,
        ipv6: bool,
        servers: Servers,
        tap: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self.graph = graph
        self.servers = servers
        self.make: Make = VirtualTap
        self._tap = tap
        self._ipv6 = ipv6
        self._lans = _lans(graph)
        self._macs = 0
        self._made: dict[str, list[Addresses]] = {}
        members = [0] * (1 + max(self._lans.values(), default=0))
        self._numbers: dict[tuple[str, int], int] = {}
        self._gateways: dict[int, int] = {}  # LAN → number of its first gateway
        for name, attributes in graph.nodes(data=True):
            kind = attributes["kind"]
            for lan in self._lans_of(name) if kind in ADDRESSED else ():
                members[lan] += 1
                self._numbers[name, lan] = members[lan]
                if kind in ROUTERS:
                    self._gateways.setdefault(lan, members[lan])
        if len(members) > _LANS_MAX or max(members) > _ENDPOINTS_MAX:
            raise GraphError(
                f"{len(members)} separate LANs, the largest of {max(members)} endpoints",
                f"at most {_LANS_MAX} LANs of {_ENDPOINTS_MAX} have addresses",
            )

    def addresses(self, name: str) -> list[Addresses]:
        """One for each LAN that `name` is in, the LAN of its first link first."""
        if name not in self._made:
            self._made[name] = [self._addresses(name, lan) for lan in self._lans_of(name)]
        return self._made[name]

    def config(self, tap: str) -> TapConfig:
        """Of the tap, or in-process client, of this name. With `dhcp` a lease names the gateway."""
        kinds = self.graph.nodes
        near = {kinds[other]["kind"] == "host": other for other in self.graph[tap]}
        addresses, site = self.addresses(near[True])[0], near[False]
        is_inside = kinds[tap]["kind"] == "ipc"
        said = self._tap(tap)
        planned = {
            "our_mac": ipc_mac(site, "DEFAULT", tap) if is_inside else addresses.mac,
            "our_ip": addresses.ip,
            "prefix_length": addresses.prefix_length,
            "gateway_ip": None if said.get("dhcp") else addresses.gateway,
            "our_ip6": addresses.ip6,
            "gateway_ip6": addresses.gateway6,
        }
        try:
            return TapConfig(**{**planned, **said})
        except UsageError as error:
            raise UsageError(f"tap `{tap}`: {error}", error.hint) from None

    def interface(self, gateway: str, site: str) -> int:
        """Which of the addresses of `gateway` is for its link to `site`."""
        return self._lans_of(gateway).index(self._lans[site])

    def _addresses(self, name: str, lan: int) -> Addresses:
        self._macs += 1
        gateway = self._gateways.get(lan)
        number = self._numbers[name, lan]
        led = gateway is not None and gateway != number
        return Addresses(
            mac=b"\x02\x00" + self._macs.to_bytes(4),
            ip=_ip(lan, number),
            prefix_length=16,
            gateway=_ip(lan, gateway) if led and gateway else None,
            ip6=(_ip6(lan, number),) if self._ipv6 else (),
            gateway6=_ip6(lan, gateway) if led and gateway and self._ipv6 else None,
        )

    def _lans_of(self, name: str) -> list[int]:
        graph = self.graph
        near = [graph.nodes[other]["kind"] for other in graph[name]]
        if graph.nodes[name]["kind"] == "host":
            assert near in (["tap"], ["ipc"])
            name = next(iter(graph[name]))
        lans = [self._lans[other] for other in graph[name] if other in self._lans]
        return list(dict.fromkeys(lans))


def _lans(graph: Graph) -> dict[str, int]:
    """Each hub and switch → the number of its broadcast domain, in the graph's order."""
    kinds = {name: attributes["kind"] for name, attributes in graph.nodes(data=True)}
    found: dict[str, int] = {}
    lans = 0
    for start in (name for name, kind in kinds.items() if kind in SITES):
        if start in found:
            continue
        found[start] = lans
        waiting = [start]
        while waiting:
            for other in graph[waiting.pop()]:
                if kinds[other] in SITES and other not in found:
                    found[other] = lans
                    waiting.append(other)
        lans += 1
    return found


def _ip(lan: int, number: int) -> Ip:
    return (10 << 24 | lan << 16 | number).to_bytes(4)


def _ip6(lan: int, number: int) -> Ip:
    return b"\xfd\x00" + lan.to_bytes(6) + number.to_bytes(8)


def _tap(name: str, plan: Plan) -> Node:
    is_inside = plan.graph.nodes[name]["kind"] == "ipc"
    return VirtualTapNode(name, plan.config(name), IpcClient if is_inside else plan.make)


def _host(name: str, plan: Plan) -> Node:
    config = plan.config(next(iter(plan.graph[name])))
    return L3Host(name, config.our_ip or ANY4, config.prefix_length, config.our_ip6)


def _station(name: str, plan: Plan) -> Node:
    return Station(name, plan.addresses(name)[0])


def _gateway(name: str, plan: Plan) -> Node:
    gateway = LanGateway(name)
    for addresses in plan.addresses(name):
        gateway.add_interface(addresses)
    return gateway


MAKERS: dict[str, Callable[[str, Plan], Node]] = {
    "hub": lambda name, plan: plan.servers.made(name),
    "switch": lambda name, plan: Switch(name),
    "tap": _tap,
    "ipc": _tap,
    "host": _host,
    "station": _station,
    "gateway": _gateway,
}


def _defaults(kinds: frozenset[str]) -> dict[str, int | None]:
    if kinds == {"tap", "host"}:
        return _HOST
    if kinds == {"hub"}:
        return _CASCADE
    if kinds == {"hub", "ipc"}:
        return _INSIDE
    if kinds in ({"hub", "tap"}, {"ipc", "host"}):
        return _ACCESS
    return _LAN


def _port(node: Node, other: str, plan: Plan) -> Port:
    """The port of `node` for its link to `other`."""
    if isinstance(node, SoftEtherServer):
        ordinary = _SESSIONS.get(plan.graph.nodes[other]["kind"], _BRIDGED)
        return node.session(*plan.servers.session(node.name, other, ordinary))
    if isinstance(node, Switch):
        return node.port()
    if isinstance(node, VirtualTapNode):
        return node.host if plan.graph.nodes[other]["kind"] == "host" else node.lan
    if isinstance(node, LanGateway):
        port = list(node.ports.values())[plan.interface(node.name, other)]
        if port.out is not None:
            raise GraphError(
                f"gateway `{node.name}` has two links into one LAN, the second to `{other}`",
                "a router has one link to each LAN",
            )
        return port
    return next(iter(node.ports.values()))


def _spare(built: Built, plan: Plan, name: str, site: str) -> Link:
    """A link of an endpoint with one port, or of a tap, to a site; there is no session yet."""
    node, bridge = built.network.nodes[name], built.network.nodes[site]
    own = node.lan if isinstance(node, VirtualTapNode) else _plugged(node)
    port = _port(bridge, name, plan)
    if isinstance(bridge, SoftEtherServer):
        bridge.end_session(port)
    kinds = frozenset((node.kind, bridge.kind))
    settings: dict[str, Any] = {**_defaults(kinds)}
    link = Link(own, port, built.network, **settings)
    built.network.links.append(link)
    return link


def _plugged(node: Node) -> Port:
    (port,) = (port for port in node.ports.values() if port.out is not None)
    return port


def _tap_of(host: L3Host) -> VirtualTapNode:
    assert host.uplink.out is not None
    tap = host.uplink.out.target.node
    assert isinstance(tap, VirtualTapNode)
    return tap


def _places(node: Endpoint, graph: Graph) -> Iterable[Place]:
    """One for each interface. A host has its tap's MAC and LAN."""
    if isinstance(node, L3Host):
        tap = _tap_of(node)
        config = tap.config
        yield Place(
            node.name,
            node.uplink.name,
            tap.lan.name,
            config.our_mac,
            node.stack.ip,
            config.prefix_length,
            node.stack.ip6,
            config.gateway_ip,
            config.gateway_ip6,
        )
        return
    interfaces = [node.interface] if isinstance(node, Station) else node.interfaces.values()
    for interface in interfaces:
        port = interface.port.name
        yield Place(
            node.name,
            port,
            port,
            interface.mac,
            interface.ip,
            16,
            interface.ip6,
            interface.gateway,
            interface.gateway6,
        )
