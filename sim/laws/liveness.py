"""The law of the second phase: what lives in a healed core converges within a computed bound."""

from sim import marks
from sim.actions.healing import core_of
from sim.actions.traffic import flow_key
from sim.laws.bounds import bound, is_mistaken, patience, transit
from sim.laws.law import Invariant, Scene
from sim.laws.talks import Talk, is_passed_by, lans, packet_in, pair_in, talk_of, tap_of
from sim.node import Medium
from sim.nodes.host import L3Host
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind, Moment
from sim.probes import Place
from sim.reasons import Reason
from sim.words.quantities import duration
from virtualtap.errors import UsageError
from virtualtap.stats import DropReason
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import Ip, Mac, ip_text, mac_text

# A payload that is dropped for another reason than these could not arrive, whoever is known:
# a queue, a policy, a rule, a length. These are what convergence is there to end.
_OWED = frozenset(
    reason.value
    for reason in (
        *(Reason.UNRESOLVED, Reason.HELD_FULL, Reason.NOT_FOR_US, Reason.NODE_DOWN),
        *(Reason.LINK_DOWN, Reason.NO_SESSION, Reason.NO_CONNECTION),
        *(Reason.SAME_SESSION, Reason.SAME_PORT, DropReason.NO_ADDRESS),
    )
)
_PACKET = 1500  # bytes of a full one


class Converges(Invariant):
    """After a heal and a bound, live traffic of the core knows true MACs, and arrives.

    The bound counts from the heal, or from the first payload after it. Not judged is who cannot
    ever: who has not the address of the plan, and who never asks or answers.
    """

    name = "converges"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        words = scene.scenario.heal
        self._ends = duration(scene.scenario.until)
        self._since: Instant | None = None
        self._back: Duration = 0  # there and back
        self._talks: dict[bytes, Talk] = {}
        self._mouths: set[str] = set()  # ports at which their payloads begin and end
        if words is None:
            return
        self._core = core_of(words, scene.built)
        self._bound = bound(scene, self._core).total
        over = duration(words.at) + self._bound
        if over >= self._ends:
            raise UsageError(
                f"`heal`: the core has until {over / SECOND:g} s to converge, and `until` is "
                f"{scene.scenario.until}",
                f'let the run last longer: `until = "{over // SECOND + 1}s"`',
            )
        nodes = scene.built.network.nodes
        ports = [port for name in self._core.names for port in nodes[name].ports.values()]
        self._ip_ports = {port.name for port in ports if port.medium is Medium.IP}
        self._node_of = {port.name: port.node.name for port in ports}
        self._bridges = set(scene.built.bridges)
        self.where = {"heal", *self._core.names, *self._node_of}

    @staticmethod
    def holds(scene: Scene) -> bool:
        """Where there is a heal, and what circles in a loop does not circle for ever."""
        loops = scene.scenario.topology.get("loops", False)
        return scene.scenario.heal is not None and not loops

    def see(self, moment: Moment) -> None:
        if moment.kind is Kind.NOTED:
            if moment.where == "heal":
                self._healed(moment.at)
        elif self._since is None:
            return
        elif moment.kind is not Kind.DROPPED:
            self._carried(moment)
        elif moment.why not in _OWED:
            self._excuse(moment.where, moment.data)

    def look(self, now: Instant) -> None:
        if self._since is None:
            return
        for talk in self._talks.values():
            if talk.asked is not None and not talk.excused and self._can(talk):
                self._look_at_tables(talk, now)
        if now >= self._ends:
            self._look_at_payloads(now)

    def _healed(self, at: Instant) -> None:
        """Now it is known what waits on the links, and who can reach whom."""
        self._since = at
        self._back = 2 * transit(self.scene, self._core, at)
        self._bound = bound(self.scene, self._core, at).total
        parts = lans(self._core.links())
        places = {ip: place for place in self.scene.built.places for ip in (place.ip, *place.ip6)}
        for flow in self.scene.flows:
            for key in flow.match:
                talk = talk_of(key, places, parts)
                if talk is not None and {talk.source.name, talk.destination.name} <= (
                    self._core.names
                ):
                    self._talks[key] = talk
                    self._mouths |= {talk.source.speaks, talk.destination.speaks}

    def _carried(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        talk = self._talk_of(where, data) if where in self._mouths else None
        if talk is None:
            return
        if kind is Kind.SENT and where == talk.source.speaks:
            if talk.due is None:
                talk.due = at + self._bound
            elif at >= talk.due and talk.asked is None:
                talk.asked = at
        elif kind is Kind.ARRIVED and where == talk.destination.speaks and talk.asked is not None:
            talk.arrived = True

    def _talk_of(self, where: str, data: bytes) -> Talk | None:
        packet = packet_in(data, bare=where in self._ip_ports)
        return self._talks.get(flow_key(packet)) if packet else None

    def _look_at_tables(self, talk: Talk, now: Instant) -> None:
        for step in talk.steps:
            known = self._known(step.asker).get(step.ip)
            if known is not None and known != self._mac(step.owner):
                said = f"{step.asker.name} has {ip_text(step.ip)} at {mac_text(known)}"
                self.broken(now, said, f"the true one {self._bound / SECOND:g} s after the heal")

    def _look_at_payloads(self, now: Instant) -> None:
        """What was said long enough ago must have arrived, or have a reason."""
        latest = now - transit(self.scene, self._core, now)
        said = (one for one in self._talks.values() if one.asked is not None)
        for talk in said:
            assert talk.asked is not None
            if talk.arrived:
                marks.always("converged", True)
            elif talk.asked < latest and not talk.excused and self._can(talk):
                marks.always("converged", False)
                what = f"nothing that {talk.source.name} says {talk.destination.name} arrives"
                law = f"it does {self._bound / SECOND:g} s after the heal"
                self.broken(talk.asked, what, law)

    def _excuse(self, where: str, data: bytes) -> None:
        """A frame about a talk is dropped for what has nothing to do with who is known."""
        talk = self._talk_of(where, data)
        if talk is not None:
            talk.excused = True
            return
        pair = None if where in self._ip_ports else pair_in(data)
        node = self._node_of.get(where, where)
        for talk in self._talks.values() if pair else ():
            if pair in talk.pairs and (node in self._bridges or node in talk.nodes()):
                talk.excused = True

    def _can(self, talk: Talk) -> bool:
        """Whether it could ever work: both are who the plan says and speak ARP and NDP.

        And who asks waits until an answer can be back.
        """
        lies, six = is_mistaken(self.scene), len(talk.steps[0].ip) == 16
        if any(self._waits(step.asker, six=six) <= self._back for step in talk.steps):
            return False
        return all(self._is_able(end, talk, lies=lies) for end in (talk.source, talk.destination))

    def _waits(self, place: Place, *, six: bool) -> Duration:
        host = self.scene.built.endpoints[place.name]
        return patience(tap_of(host).config if isinstance(host, L3Host) else None, six=six)

    def _is_able(self, place: Place, talk: Talk, *, lies: bool) -> bool:
        host = self.scene.built.endpoints[place.name]
        if not isinstance(host, L3Host):
            return True
        tap = tap_of(host)
        if not isinstance(tap.tap, VirtualTap):
            # what an in-process client uses it keeps (IPC_ARP_LIFETIME); it answers no solicitation
            return not lies and len(talk.steps[0].ip) == 4
        config, manners = tap.config, tap.config.manners
        steps = [] if config.learn_gateway_mac else [one.ip for one in talk.steps]
        limited = host.platform is not None and host.platform.memory is not None
        never = (
            not (config.handle_arp_internally and manners.asks)
            or config.serve is not None
            or (lies and manners.use_prolongs)  # what is used is kept, a wrong one too
            or place.gateway in steps
            or limited  # the system may kill it again
            or is_passed_by(tap)
            or (place is talk.source and config.settled().when_unresolved == "broadcast")
            or config.held_bytes_max < len(self.scene.flows) * _PACKET  # not one of each may wait
        )
        return not never and _is_named(place, tap, tap.tap, len(talk.steps[0].ip))

    def _known(self, place: Place) -> dict[Ip, Mac]:
        interface = self.scene.built.interface(place)
        if interface is not None:
            return interface.neighbors()
        host = self.scene.built.endpoints[place.name]
        assert isinstance(host, L3Host)
        engine = tap_of(host).tap
        return engine.neighbors() if isinstance(engine, VirtualTap) else {}

    def _mac(self, place: Place) -> Mac:
        interface = self.scene.built.interface(place)
        return place.mac if interface is None else interface.mac


def _is_named(place: Place, tap: VirtualTapNode, engine: VirtualTap, size: int) -> bool:
    """Whether it is called what the plan, and so all traffic, calls it."""
    if size == 16:
        return set(place.ip6) <= set(engine.our_ip6)
    if tap.config.dhcp or tap.config.learn_ip:
        return engine.lease is not None and engine.lease.ip == place.ip
    return True
