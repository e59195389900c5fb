"""Observers that judge: what must hold at every moment of any run, by name.

A judge only watches; the first moment that breaks its law is kept, and the run goes on.
"""

from collections.abc import Callable, Sequence

from sim.actions.traffic import flow_key
from sim.laws.asking import AskedIsAnswered, AsksPatiently, SentWhereTold
from sim.laws.holdings import LeaseUnique, PoisonHeals, TablesBounded, owners
from sim.laws.law import Invariant, Scene, unwrapped
from sim.laws.liveness import Converges
from sim.laws.passing import NothingVanishes, TakenOnce
from sim.laws.path import LinksAreFaithful, OneCopy, SwitchedRight
from sim.laws.payloads import PayloadLaw, origin, payload_key
from sim.laws.wire import ClaimsItsOwn, FitsTheMtu, MappedRight, WellFormed
from sim.nodes.host import L3Host
from sim.nodes.outside import Outside
from sim.nodes.softether.ipc import IpcClient
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind, Moment, Observer
from sim.probes import Place, destination_of, source_of
from sim.results import Failure
from sim.words.traffic import Replay
from virtualtap.tap import VirtualTap
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire.address import Ip, directed_broadcast, is_unicast4, is_unicast6, mac_text
from virtualtap.wire.ethernet import HEADER_LEN, IPV4, IPV6

LOOKS = 100  # at the books and tables, in the course of a run
CROSSINGS_MOST = 8  # of one frame over one link; faults may make copies
CROSSINGS_SPAN: Duration = 4 * SECOND
CROSSINGS_KEPT = 200_000  # frames
STORM_MOST, STORM_SPAN = 32, 500 * MS  # SoftEther's own limiter: Cedar.h, 32 in 500 ms
KEEP: Duration = 600 * SECOND  # no payload is on its way for so long
_DAMAGES, _COPIES = ("bit-flip", "truncation"), "duplication"


class NothingInvented(PayloadLaw):
    """Every payload (UDP, echo) that an endpoint takes was sent by one, as it is.

    Not where a link damages frames: what has two wrong bits may have a right checksum.
    """

    name = "nothing-invented"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._sent: dict[bytes, Instant] = {}
        self._cut: set[bytes] = set()  # `origin` of what was sent in pieces
        self._pruned: Instant = 0

    @staticmethod
    def holds(scene: Scene) -> bool:
        return not scene.faults().intersection(_DAMAGES)

    def said(self, at: Instant, place: Place | None, packet: bytes, key: bytes) -> None:
        if not key:
            self._cut.add(origin(packet))
            return
        self._sent[key[1:]] = at
        if at - self._pruned > KEEP:
            self._pruned = at
            self._sent = {key: since for key, since in self._sent.items() if at - since <= KEEP}

    def took(self, at: Instant, place: Place, packet: bytes, key: bytes) -> None:
        if key[1:] in self._sent or origin(packet) in self._cut:
            return
        self.broken(at, f"a payload {place.name} took and nobody sent", "sent by an endpoint")


class NothingMisdelivered(PayloadLaw):
    """No tap gives its host a packet for somebody else, and no flow reaches a third endpoint.

    Not where a link damages frames: an address may be what is wrong. What is for an address that
    two have now, by a duplicate or a rogue server, is for both. An error comes back to whoever a
    host said it was, and a tap that knows no address of a family takes all that its MAC is sent.
    """

    name = "nothing-misdelivered"
    kinds = Kind.SENT, Kind.ARRIVED

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._by_key = {key: flow for flow in scene.flows for key in flow.match}
        self._receivers: dict[bytes, tuple[Instant, str | None, Ip | None]] = {}
        self._pruned: Instant = 0
        self._owned: dict[str, set[Ip]] = {}
        places = scene.built.places
        timeline = scene.scenario.timeline
        self._has_doubles = any(one.rogue or one.duplicate for one in timeline)
        self._hosts = {place.speaks: place for place in places if place.speaks != place.lan}
        self.where = self._hosts
        for place in places:
            self._owned.setdefault(place.name, set()).update((place.ip, *place.ip6))

    @staticmethod
    def holds(scene: Scene) -> bool:
        return NothingInvented.holds(scene)

    def see(self, moment: Moment) -> None:
        place = self._hosts[moment.where]
        if moment.kind is Kind.ARRIVED:
            self._given(moment.at, place, moment.data)
        else:
            self._owned[place.name].add(source_of(moment.data))

    def said(self, at: Instant, place: Place | None, packet: bytes, key: bytes) -> None:
        conversation = flow_key(packet)
        flow = self._by_key.get(conversation)
        if place is None or not key:
            return
        if flow is None:  # by chance, or an attacker's choice, it may be what a flow says
            self._receivers[key] = at, None, None
            return
        speaker, receiver = flow.source, flow.destination
        if flow.kind == "ping" and conversation == flow.match[1]:  # the reply
            speaker, receiver = receiver, speaker
        if place.name != speaker:
            return  # in another's name
        self._receivers.setdefault(key, (at, receiver, destination_of(packet)))
        if at - self._pruned > KEEP:
            self._pruned = at
            kept = self._receivers.items()
            self._receivers = {key: one for key, one in kept if at - one[0] <= KEEP}

    def took(self, at: Instant, place: Place, packet: bytes, key: bytes) -> None:
        if destination_of(packet) not in self._owned[place.name]:
            return  # a router on the way, or a group
        to = destination_of(packet)
        _, receiver, said_to = self._receivers.get(key, (0, place.name, None))
        if receiver in (place.name, None) or to is None:
            return
        owner = owners(self.scene.built).get(to)
        is_planned = to in (place.ip, *place.ip6)
        if to == said_to and not is_planned and owner in (None, place.mac):
            return  # it was leased to him meanwhile, or to both
        if not self._has_doubles or owner is not None:
            self.broken(at, f"{place.name} took what was for {receiver}", "given to its receiver")

    def _given(self, at: Instant, place: Place, packet: bytes) -> None:
        to, owned = destination_of(packet), self._owned[place.name]
        if to is None or to in owned or not _is_for_one(to, place):
            return
        host = self.scene.built.endpoints[place.name]
        assert isinstance(host, L3Host)
        owned |= _addresses(host)
        if to not in owned and not _takes_all(host, to):
            self.broken(at, f"a packet for {to.hex()} that {place.name} was given", "for its host")


class NoForwardingLoop(Invariant):
    """One frame crosses one link a few times at most: it does not come round again.

    Not where the topology keeps its loops, nor where links make copies.
    """

    name = "no-forwarding-loop"
    kinds = (Kind.ARRIVED,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        bridges = scene.built.bridges.values()
        self.where = {port.name for node in bridges for port in node.ports.values()}
        self._seen: dict[tuple[str, int], tuple[int, bytes]] = {}
        self._until: Instant = 0

    @staticmethod
    def holds(scene: Scene) -> bool:
        return not (scene.scenario.topology.get("loops", False) or _COPIES in scene.faults())

    def see(self, moment: Moment) -> None:
        at, _, where, data, _ = moment
        if at >= self._until or len(self._seen) > CROSSINGS_KEPT:
            self._seen.clear()
            self._until = at + CROSSINGS_SPAN
        key = where, id(data)  # bridges pass on the very same bytes
        times = 1 + self._seen.get(key, (0, b""))[0]
        self._seen[key] = times, data
        if times > CROSSINGS_MOST:
            self.broken(at, f"{times} crossings of one frame to {where}", _at_most(CROSSINGS_MOST))


class NoStorm(Invariant):
    """The same broadcast or multicast frame reaches an endpoint or tap a few times at most.

    Not where the topology keeps its loops, links make copies, or a capture is replayed. What an
    attacker sends, or provokes, may come as often again as it has sent anything.
    """

    name = "no-storm"
    kinds = Kind.SENT, Kind.ARRIVED

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.where = {place.lan for place in scene.built.places}
        attackers = scene.attackers()
        self._hostile = {place.lan for place in scene.built.places if place.name in attackers}
        self._provoked = 0  # frames of attackers
        self._seen: dict[tuple[str, bytes], int] = {}
        self._until: Instant = 0

    @staticmethod
    def holds(scene: Scene) -> bool:
        replays = any(isinstance(rule, Replay) for rule in scene.scenario.traffic)
        return NoForwardingLoop.holds(scene) and not replays

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        if kind is not Kind.ARRIVED or not data or not data[0] & 1:
            self._provoked += kind is Kind.SENT and where in self._hostile
            return
        if at >= self._until:
            self._seen.clear()
            self._until = at + STORM_SPAN
        key = where, data
        times = self._seen[key] = self._seen.get(key, 0) + 1
        if times > STORM_MOST + self._provoked:
            law = _at_most(STORM_MOST) + f" in {STORM_SPAN / SECOND:g} s"
            self.broken(at, f"{times} times the same group frame at {where}", law)


class NoForeignSource(Invariant):
    """What a tap sends has its own MAC as source, or one made for a host behind it."""

    name = "no-foreign-source"
    kinds = (Kind.SENT,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._taps = {tap.lan.name: tap for tap in scene.taps()}
        self.where = self._taps

    def see(self, moment: Moment) -> None:
        tap, source = self._taps[moment.where], moment.data[6:12]
        if source == tap.config.our_mac:
            return
        engine = tap.tap
        if not isinstance(engine, VirtualTap) or source not in engine.macs():
            said = f"source {mac_text(source)} of {tap.name}" if len(source) == 6 else "no source"
            self.broken(moment.at, said, f"{mac_text(tap.config.our_mac)}")


class Ledger(Invariant):
    """Every frame is accounted for: docs/measures.md."""

    name = "ledger"
    rests = True

    def look(self, now: Instant) -> None:
        for line in self.scene.built.network.ledger():
            self.broken(now, line, "balanced")


class Judges(Observer):
    """All laws of a run, each told what it wants to see."""

    def __init__(self, scene: Scene, laws: Sequence[Invariant]) -> None:
        self._laws = laws
        self._network = scene.built.network
        self._looked_at = -1  # how much had happened then
        self._told = [law for law in laws if isinstance(law, PayloadLaw)]
        self._places: dict[str, Place | None] = {}
        if self._told:
            nodes = scene.built.network.nodes.values()
            outside = [node.port.name for node in nodes if isinstance(node, Outside)]
            self._places.update(dict.fromkeys(outside))
            self._places.update({place.speaks: place for place in scene.built.places})
        self._handed: dict[str, Moment] = {}  # what arrived last, by port
        self._handed_at: Instant = 0
        self._looking = [law for law in laws if type(law).look is not Invariant.look]
        self._see: dict[Kind, dict[str, list[Callable[[Moment], None]]]] = {}
        told = [(law.see, law.kinds, law.where) for law in laws]
        for see, kinds, places in (*told, (self._payload, tuple(Kind), self._places)):
            for kind in kinds:
                watchers = self._see.setdefault(kind, {})
                for where in places:
                    watchers.setdefault(where, []).append(see)

    def see(self, moment: Moment) -> None:
        for see in self._see[moment.kind].get(moment.where, ()):
            see(moment)

    def finish(self, now: Instant) -> None:
        for where in list(self._handed):
            self._take(where)

    def instants(self, until: Instant) -> list[Instant]:
        """When `look` wants to be called."""
        return [until * i // LOOKS for i in range(1, LOOKS + 1)] if self._laws else []

    def look(self, now: Instant) -> None:
        """Let every law judge what stands in tables and books."""
        events = self._network.events()
        for law in self._looking:
            if not law.rests or events != self._looked_at:
                law.look(now)
        self._looked_at = events

    def failures(self) -> list[Failure]:
        """What was broken, each law once."""
        return [law.failure for law in self._laws if law.failure is not None]

    def _payload(self, moment: Moment) -> None:
        """An endpoint says something, or is given it: that counts, unless it refuses it at once."""
        at, kind, where, data, _ = moment
        if kind is Kind.DROPPED:
            self._handed.pop(where, None)
            return
        if at == self._handed_at:
            self._take(where)
        else:  # all that arrived before was refused then or never
            self.finish(at)
            self._handed_at = at
        if kind is Kind.ARRIVED:
            self._handed[where] = moment
            return
        place = self._places[where]
        packet = data if place is None else _packet(place, data)
        key = payload_key(packet) if packet else None
        if key is not None:
            for law in self._told:
                law.said(at, place, packet, key)

    def _take(self, where: str) -> None:
        moment, place = self._handed.pop(where, None), self._places[where]
        if moment is None or place is None:
            return
        packet = _packet(place, moment.data)
        key = payload_key(packet) if packet else None
        if key:
            for law in self._told:
                law.took(moment.at, place, packet, key)


def _packet(place: Place, data: bytes) -> bytes:
    """The IP packet that a place says or takes; empty where it is none."""
    if place.speaks == place.lan:
        if data[12:14] not in (IPV4, IPV6):
            data = unwrapped(data)
            if data[12:14] not in (IPV4, IPV6):
                return b""
        data = data[HEADER_LEN:]
    return data if len(data) >= 20 else b""


def _addresses(host: L3Host) -> set[Ip]:
    """What a host, and its tap for it, hears of now."""
    found = {host.stack.ip, *host.stack.ip6}
    assert host.uplink.out is not None
    tap = host.uplink.out.target.node
    if isinstance(tap, VirtualTapNode):
        found.update(tap.config.hosts)
        if isinstance(tap.tap, VirtualTap):
            found.update(tap.tap.our_ip6, tap.tap.hosts())
            lease = tap.tap.lease
            if lease is not None:
                found |= {directed_broadcast(lease.ip, lease.prefix_length) or lease.ip}
    return found


def _takes_all(host: L3Host, to: Ip) -> bool:
    """Whether its tap knows no address of that family, and so cannot tell who is meant."""
    assert host.uplink.out is not None
    tap = host.uplink.out.target.node
    if not isinstance(tap, VirtualTapNode):
        return False
    if isinstance(tap.tap, IpcClient):
        return len(to) == 16  # that it leaves to its host
    config = tap.config
    if any(len(one) == len(to) for one in config.hosts):
        return False
    if len(to) == 4:
        return config.our_ip is None and not config.dhcp
    return not (config.our_ip6 or config.slaac)


def _is_for_one(ip: Ip, place: Place) -> bool:
    if len(ip) == 16:
        return is_unicast6(ip)
    shift = 32 - place.prefix_length
    if shift > 1 and int.from_bytes(ip) & ((1 << shift) - 1) == 0:
        return False  # the broadcast address of old: RFC 1122 3.3.6
    return is_unicast4(ip) and ip != directed_broadcast(place.ip, place.prefix_length)


def _at_most(most: int) -> str:
    return f"at most {most}"


INVARIANTS: dict[str, type[Invariant]] = {
    law.name: law
    for law in (
        *(NothingInvented, NothingMisdelivered, NoForwardingLoop, NoStorm, NoForeignSource),
        *(TablesBounded, LeaseUnique, PoisonHeals, Ledger, Converges),
        *(WellFormed, FitsTheMtu, MappedRight, ClaimsItsOwn),
        *(AsksPatiently, AskedIsAnswered, SentWhereTold),
        *(NothingVanishes, TakenOnce, LinksAreFaithful, OneCopy, SwitchedRight),
    )
}
