"""Laws about what nodes keep: tables, queues, leases, and what they believe of one another."""

from collections.abc import Iterable, Iterator

from sim import marks
from sim.build import Built
from sim.laws.law import Invariant, Scene, unwrapped
from sim.link import Link
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
from virtualtap.errors import WireError
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip, Mac, ip_text, mac_text
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6, TAG_LEN
from virtualtap.wire.ndp import NeighborMessage, Redirect

_CLIENT_TO_SERVER = b"\0\x44\0\x43"  # UDP ports 68 and 67, behind an IPv4 header without options
_FRAME_MAX = 65_535  # bytes; one may be on the wire beside what waits


class TablesBounded(Invariant):
    """No table holds more than its limit, and no queue of a link."""

    name = "tables-bounded"
    rests = True

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._settings: dict[Link, tuple[int | None, ...]] = {}
        self._waits_most: dict[Link, Duration] = {}

    def look(self, now: Instant) -> None:
        for node in self.scene.built.network.nodes.values():
            for what, count, most in _tables(node):
                if count > most:
                    self.broken(now, f"{count} {what} of {node.name}", f"at most {most}")
        for link in self.scene.built.network.links:
            most = self._most(link)
            for way in link.directions:
                if way.free_at - now > most:
                    said = f"{way.free_at - now} ns of queue at {way.source.name}"
                    self.broken(now, said, f"at most {most}")

    def _most(self, link: Link) -> Duration:
        """A link may have been made faster since: what waits was let in before."""
        settings = link.rate, link.queue, link.overhead, link.least
        if self._settings.get(link) != settings:
            self._settings[link] = settings
            rate = link.rate
            frame = -(-link.wire_bytes(_FRAME_MAX) * 8 * SECOND // rate) if rate else 0
            most = max(link.backlog_max + frame, self._waits_most.get(link, 0))
            self._waits_most[link] = most
        return self._waits_most[link]


class LeaseUnique(Invariant):
    """No two taps of a broadcast domain hold the same leased address at the same time.

    What a server leased before a crash it does not know of afterwards: what was asked for before
    counts no more.
    """

    name = "lease-unique"
    kinds = Kind.SENT, Kind.NOTED
    rests = True

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.where = {*(tap.name for tap in scene.taps()), "crash"}
        self._servers = {
            node.name
            for node in scene.built.network.nodes.values()
            if isinstance(node, SoftEtherServer)
            or (isinstance(node, VirtualTapNode) and node.config.serve is not None)
        }
        self._granted: dict[str, Instant] = {}  # when each tap asked for what it has
        self._forgot: Instant = -1  # when a server crashed last
        # an answer may be long on its way, and an address be probed long before it is used
        self._lans = {tap.lan.name: tap.name for tap in scene.taps() if tap.config.dhcp}
        self._asking: dict[str, tuple[bytes, Instant]] = {}  # its transaction, and since when
        self._asked: dict[str, Instant] = {}  # since when the one before
        if any(one.crash is not None for one in scene.scenario.timeline):
            self.where |= self._lans.keys()
        # what a rogue leases, another server may have leased too: each keeps its own books
        self._has_rogue = any(one.rogue is not None for one in scene.scenario.timeline)

    def see(self, moment: Moment) -> None:
        at, kind, where, data, why = moment
        if kind is Kind.SENT:
            self._ask(at, self._lans[where], data)
        elif where == "crash":
            self._forgot = at if why in self._servers else self._forgot
        elif why.startswith(("LeaseBound(", "LeaseRenewed(")):
            since = self._asking.get(where, (b"", at))[1]
            # who wakes may use what it was given, and ask for more, at once
            self._granted[where] = since if since < at else self._asked.get(where, since)
            self.look(at)

    def _ask(self, at: Instant, tap: str, frame: bytes) -> None:
        """A client's message: a transaction begins with the first of its xid. RFC 2131 2."""
        start = HEADER_LEN if frame[12:14] == IPV4 else HEADER_LEN + TAG_LEN
        ports, xid = frame[start + 20 : start + 24], frame[start + 32 : start + 36]
        is_client = frame[start - 2 : start] == IPV4 and ports == _CLIENT_TO_SERVER
        if is_client and self._asking.get(tap, (b"", 0))[0] != xid:
            before = self._asking.get(tap, (b"", at))[1]
            if before < at:  # several may begin at once
                self._asked[tap] = before
            self._asking[tap] = xid, at

    def look(self, now: Instant) -> None:
        holders: dict[tuple[Ip, Ip], list[VirtualTapNode]] = {}
        for tap in self.scene.taps():
            leased = _leased(tap, now)
            if leased is not None and self._granted.get(tap.name, 0) >= self._forgot:
                ip, server = leased
                holders.setdefault((ip, server if self._has_rogue else b""), []).append(tap)
        for (ip, _), taps in holders.items():
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
    """Whoever believes a wrong MAC of an endpoint's address does so no longer than it may.

    From the last frame that said so, or since it slept: the lifetime of an entry, and the questions
    after it.
    """

    name = "poison-heals"
    kinds = (Kind.ARRIVED,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._said: dict[tuple[str, Ip], Instant] = {}  # by LAN port
        self._since: dict[tuple[str, Ip], Instant] = {}
        self._events = -1  # that had happened at the last look
        self.where = {place.lan for place in scene.built.places}
        self._owned = owners(scene.built)

    def see(self, moment: Moment) -> None:
        said = told(moment.data)
        if said is not None and self._owned.get(said[0], said[1]) != said[1]:
            self._said[moment.where, said[0]] = moment.at

    def look(self, now: Instant) -> None:
        events = self.scene.built.network.events()
        if events == self._events and not self._since:
            return  # nothing has happened that could be wrong
        self._events = events
        self._owned = owned = owners(self.scene.built)
        wrong: dict[tuple[str, Ip], Instant] = {}
        for place in self.scene.built.places:
            table, bound = self._believed(place)
            for ip, mac in table.items():
                if owned.get(ip, mac) == mac:
                    continue
                key = place.lan, ip
                since = max(self._since.get(key, now), self._said.get(key, 0))
                wrong[key] = now if self._sleeps(place) else since
                if now - wrong[key] > bound:
                    said = f"{place.name} has {ip_text(ip)} at {mac_text(mac)}"
                    self.broken(now, said, f"healed within {bound / SECOND:g} s")
        marks.sometimes("poison-healed", not self._since.keys() <= wrong.keys())
        self._since = wrong

    def _sleeps(self, place: Place) -> bool:
        """Whether its timers wait."""
        return self.scene.built.endpoints[place.name].asleep

    def _believed(self, place: Place) -> tuple[dict[Ip, Mac], Duration]:
        """What stands in the table of a place, and how long that may be wrong."""
        node = self.scene.built.endpoints[place.name]
        if isinstance(node, L3Host):
            tap = _tap_of(node)
            if tap is None or not isinstance(tap.tap, VirtualTap):
                return {}, 0
            config = tap.settled
            if config.manners.use_prolongs:
                return {}, 0  # so is a wrong one, as long as it is used
            asks = (1 + config.arp_retries_max) * config.arp_interval
            asks = max(asks, (1 + config.ndp_retries_max) * config.ndp_interval)
            return tap.tap.neighbors(), tap.lasts(config.neighbor_lifetime + asks)
        (own,) = (one for one in _interfaces(node) if one.port.name == place.lan)
        return own.neighbors(), node.lasts(LIFETIME + 4 * SECOND)


def owners(built: Built) -> dict[Ip, Mac]:
    """Whose address is at which MAC now; what two claim is nobody's."""
    found: dict[Ip, Mac] = {}
    twice = set()
    for place in built.places:
        for ip, mac in _called(place, built):
            if found.setdefault(ip, mac) != mac:
                twice.add(ip)
    return {ip: mac for ip, mac in found.items() if ip not in twice}


def _called(place: Place, built: Built) -> Iterator[tuple[Ip, Mac]]:
    """Every address of an endpoint's place, with every MAC at which it hears."""
    interface = built.interface(place)
    if interface is not None and not interface.also:
        yield from ((ip, interface.mac) for ip in (interface.ip, *interface.ip6))
        return
    if interface is not None:
        also = {interface.mac, interface.ip, *interface.ip6, *interface.also}
        macs = [one for one in also if len(one) == 6]
        yield from ((ip, mac) for ip in also if len(ip) != 6 for mac in macs)
        return
    host = built.endpoints[place.name]
    assert isinstance(host, L3Host)
    stack, tap = host.stack, _tap_of(host)
    behind = tap.tap.hosts() if tap is not None and isinstance(tap.tap, VirtualTap) else {}
    yield from ((ip, behind.get(ip, place.mac)) for ip in (stack.ip, *stack.ip6))


def _tap_of(host: L3Host) -> VirtualTapNode | None:
    assert host.uplink.out is not None
    tap = host.uplink.out.target.node
    return tap if isinstance(tap, VirtualTapNode) else None


def told(frame: bytes) -> tuple[Ip, Mac] | None:
    """Of whom a frame says where it is: the address and the MAC; None where it says neither.

    An advertisement without a MAC says that what is believed is right: its MAC is empty.
    RFC 826, RFC 4861 4.3, 4.4, 4.5.
    """
    kind = frame[12:14]
    if kind == IPV4:
        return None
    if kind == ARP:
        return frame[28:32], frame[22:28]
    if kind == IPV6:
        return _told6(frame[HEADER_LEN:]) if frame[20:21] == b"\x3a" else None
    plain = unwrapped(frame)
    return None if plain is frame else told(plain)


def _told6(packet: bytes) -> tuple[Ip, Mac] | None:
    kind, message = packet[40:41], packet[40:]
    try:
        if kind == b"\x87":
            mac = NeighborMessage.parse(message).mac(ndp.SOURCE_MAC)
            return None if mac is None else (packet[8:24], mac)
        if kind == b"\x88":
            advertised = NeighborMessage.parse(message)
            return advertised.target, advertised.mac(ndp.TARGET_MAC) or b""
        if kind == b"\x89":
            redirect = Redirect.parse(message)
            mac = redirect.mac(ndp.TARGET_MAC)
            return None if mac is None else (redirect.target, mac)
    except WireError:
        pass
    return None


def _tables(node: Node) -> Iterator[tuple[str, int, int]]:
    """(what, how many, at most) of each table of a node."""
    if isinstance(node, VirtualTapNode) and isinstance(node.tap, VirtualTap):
        config, most = node.settled, node.settled.neighbors_max
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


def _leased(tap: VirtualTapNode, now: Instant) -> tuple[Ip, Ip] | None:
    """The address that a DHCP server gave it, while it may have it, and which server."""
    engine = tap.tap
    if isinstance(engine, IpcClient):
        return (engine.ip, engine.server or b"") if tap.config.dhcp and engine.ip else None
    lease = engine.lease if isinstance(engine, VirtualTap) else None
    if lease is None or (lease.expires_at is not None and lease.expires_at <= now):
        return None
    return lease.ip, lease.server


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
