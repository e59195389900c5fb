"""SoftEtherServer: a VPN server with virtual hubs, whose ports are sessions. Server.c."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sim.link import Direction
from sim.node import Medium, Node, Port
from sim.nodes.softether.access_list import AccessList
from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.alarms import Alarms
from sim.nodes.softether.cascade import RETRY_INTERVAL, next_try, queue_of
from sim.nodes.softether.constants import Strategy, Version, constants
from sim.nodes.softether.delay import TICK
from sim.nodes.softether.gates import limit
from sim.nodes.softether.hub import Hub, Outcome
from sim.nodes.softether.inside import Inside, Machine
from sim.nodes.softether.local_bridge import BRIDGE_TRY_SPAN
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.place import Place
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.secure_nat import SecureNat
from sim.nodes.softether.session import Backlog, FarEnd, FloodQuota, Session, Terms
from sim.nodes.softether.turns import Turns
from sim.reasons import Reason
from sim.rng import Stream, stream
from virtualtap.errors import UsageError
from virtualtap.units import Instant
from virtualtap.wire.address import Mac

M = TypeVar("M", bound=Machine)

# What a hub of a bare topology has: it speaks only when spoken to.
SILENT = HubOptions(NoArpPolling=True)


class SoftEtherServer(Node):
    """Frames come and go by sessions: clients, local bridges, cascades and machines alike."""

    kind = "hub"

    def __init__(
        self,
        name: str,
        strategy: Strategy = Strategy.PERFORMANCE,
        *,
        options: HubOptions = SILENT,
        version: Version = Version.DEVELOPER,
        overrides: Mapping[str, int] | None = None,
        turns: bool = False,
    ) -> None:
        """`overrides` are the constants that a configuration file replaces, in its units.

        With `turns`, each session's loop moves 128 frames in a turn, and bursts wait.
        """
        super().__init__(name)
        self.version = version
        self.constants = constants(strategy, overrides)
        self.hubs: dict[str, Hub] = {}
        self._quota = FloodQuota()
        self._turns = turns
        self._places: list[Place] = []
        self._place_of: dict[str, Place] = {}  # by port name
        self.nats: dict[str, Place] = {}  # by the name of the port that leads outside
        self._numbers = 0
        self._delayed = 0  # received frames that an access rule keeps
        self._alarms = Alarms(self)
        self.hub = self.add_hub("DEFAULT", options)

    # building

    def add_hub(self, name: str, options: HubOptions, rules: Iterable[AccessRule] = ()) -> Hub:
        """One more hub; the first is made with the server, and is that of all who name none."""
        if name in self.hubs:
            raise UsageError(f"server `{self.name}` has a hub `{name}` already")
        made = Hub(
            name,
            options,
            self.constants,
            machine=self.name,
            version=self.version,
            quota=self._quota,
            carry=self._carry,
        )
        self.hubs[name] = made
        self.set_rules(made, rules)
        return made

    def set_rules(self, hub: Hub, rules: Iterable[AccessRule]) -> None:
        """The access list of a hub, beside the filters among its options."""
        luck = partial(self._luck, "access", hub.name)
        access = AccessList(rules, hub.options, luck)
        hub.use(None if access.is_empty else access)

    def _luck(self, name: str, *parts: str) -> Stream:
        return stream(self.network.seed, name, self.name, *parts)

    def session(self, terms: Terms = Terms(), hub: str = "") -> Port:  # noqa: B008  # frozen
        """One more session, on a port s1, s2, … UsageError where the hub lets nobody else in."""
        port = self.add_port(f"s{len(self._place_of) + 1}")
        place = Place(self._hub(hub), terms, port)
        self._admit(place)
        self._place_of[port.name] = place
        return port

    def assign(self, port: Port, terms: Terms, hub: str = "") -> Session:
        """Let the session of `port` begin anew, with other terms, perhaps in another `hub`.

        In the same hub it keeps its place in the order of floods.
        """
        place = self._place_of[port.name]
        to = self._hub(hub) if hub else place.hub
        order = place.hub.sessions
        at = len(order)
        if place.session is not None and place.hub is to:
            at = order.index(place.session)
        self._end(place)
        place.hub, place.terms = to, terms
        session = self._begin(place)
        if place.hub.sessions is order:
            order.insert(at, order.pop())
        return session

    def install(
        self,
        make: Callable[[], M],
        terms: Terms,
        hub: str = "",
        is_hasty: Callable[[], bool] | None = None,
    ) -> Inside:
        """A session that ends at a machine inside; `make` makes it, and after a crash another.

        `is_hasty` says whether its loop turns every 30 ms, not every 256: somebody waits in it.
        """
        place = Place(self._hub(hub), terms, None, make, is_hasty)
        self._admit(place)
        assert place.inside is not None
        return place.inside

    def install_nat(self, make: Callable[[], SecureNat], hub: str = "") -> Port:
        """SecureNAT of a hub, and a port `outside` by which its IP packets leave the server.

        Where nothing is connected there, whatever is to leave is dropped.
        """
        port = self.add_port(f"outside{len(self.nats) + 1 if self.nats else ''}", Medium.IP)
        place = Place(self._hub(hub), Terms(kind=Kind.SECURE_NAT), None, outside=port)

        def made() -> SecureNat:
            place.nat = make()
            return place.nat

        place.make = made
        place.is_hasty = lambda: place.nat is not None and place.nat.is_hasty
        self._admit(place)
        self.nats[port.name] = place
        return port

    # what it knows

    def table(self) -> dict[Mac, str]:
        """Whom it believes behind which session, whatever the hub and VLAN."""
        return {
            mac: session.name
            for hub in self.hubs.values()
            for (mac, _), session in hub.macs.items()
        }

    def session_of(self, port: Port) -> Session | None:
        """The session of a port, unless it has ended."""
        return self._place_of[port.name].session

    def hub_of(self, port: Port) -> Hub | None:
        """The hub that a port leads into, whether or not its session has ended; None: outside."""
        place = self._place_of.get(port.name)
        return None if place is None else place.hub

    # what happens to it

    def start(self) -> None:
        for hub in self.hubs.values():
            if hub.polling is not None:
                self._poll(hub)
        for place in self._places:
            if place.inside is not None:
                self._turn(place, place.inside)

    def forget(self) -> None:
        self._alarms.clear()
        self._delayed = 0
        for hub in self.hubs.values():
            hub.forget()
        for place in self._places:
            if place.session is None:
                continue
            if place.is_cut_off and place.session.timeout is not None:
                place.session, place.ended = None, self.network.now
            else:
                self._begin(place)

    def link_changed(self, port: Port, *, up: bool) -> None:
        """A session whose link stays down ends after its time-out; it begins anew with the link."""
        place = self._place_of.get(port.name)
        if place is None:
            return  # it leads outside
        session = place.session
        if session is None:
            if up:
                self._look_for(place, port)
            return
        now = self.network.now
        session.silent_since = None if up else now
        if not up and session.timeout is not None:
            self.call_at(now + session.timeout, partial(self._expire, place, session, now))

    def end_session(self, port: Port) -> None:
        """The session of `port` ends now: its addresses are forgotten, its frames are refused."""
        self._end(self._place_of[port.name])

    def begin_session(self, port: Port) -> None:
        """A new session of `port`, if it has none: the last in the order of floods."""
        place = self._place_of[port.name]
        if place.session is None:
            self._begin(place)

    def receive(self, port: Port, data: bytes) -> None:
        try:
            place = self._place_of[port.name]
        except KeyError:
            self._receive_outside(self.nats[port.name], data)
            return
        session = place.session
        if session is None:
            self.drop(port, data, Reason.NO_SESSION)
            return
        hub = place.hub
        outcome = hub.store(session, data, self.network.now)
        if outcome is None:
            self.fates.held += 1
            self._delayed += 1
            self._alarms.arm(hub.delays, hub.delays.next_deadline(), partial(self._release, hub))
        else:
            self._book(port, data, outcome)

    def holding(self) -> int:
        return self._delayed

    # sessions

    def _hub(self, name: str) -> Hub:
        if name and name not in self.hubs:
            raise UsageError(
                f"server `{self.name}` has no hub `{name:.60}`",
                f"its hubs are {', '.join(self.hubs)}",
            )
        return self.hubs[name] if name else self.hub

    def _admit(self, place: Place) -> None:
        most, there = place.hub.options.MaxSession, place.hub.sessions
        if most and place.terms.kind.connects and sum(s.kind.connects for s in there) >= most:
            raise UsageError(f"hub `{place.hub.name}` of `{self.name}` takes {most} sessions")
        self._places.append(place)
        self._begin(place)

    def _begin(self, place: Place) -> Session:
        port, numbers = place.port, self.constants
        end: Port | FarEnd
        if port is not None:
            end = self._loop(port, place.terms.kind) if self._turns else port
        else:
            assert place.make is not None
            wake = partial(self._wake, place)
            end = place.inside = Inside(place.make(), numbers, wake, place.is_hasty)
        name = place.terms.kind.value if port is None else port.name
        self._numbers += 1
        session = Session(self._numbers, end, place.terms, numbers, place.hub.options, name)
        limit(session, place.hub.options, numbers, TICK[self.version], self._luck)
        place.session = session
        place.hub.enter(session)
        return session

    def _end(self, place: Place) -> None:
        if place.session is not None:
            place.hub.leave(place.session)
            place.session = None

    def _look_for(self, place: Place, port: Port) -> None:
        """Begin anew: clients at once, cascades and local bridges with their next try."""
        assert port.out is not None
        if place.session is not None or not port.out.link.up:
            return
        far, now = port.out.target, self.network.now
        is_bridge = place.terms.kind is Kind.BRIDGE
        every = BRIDGE_TRY_SPAN if is_bridge else 1  # a client is at its port when its link is
        if isinstance(far.node, SoftEtherServer):
            every = RETRY_INTERVAL
        when = next_try(place.ended, now, every)
        if when > now:
            self.call_at(when, partial(self._look_for, place, port))
            return
        self._begin(place)
        if isinstance(far.node, SoftEtherServer):
            far.node.begin_session(far)

    def _expire(self, place: Place, session: Session, since: Instant) -> None:
        if place.session is session and session.silent_since == since:
            place.ended = self.network.now
            self._end(place)

    def _carry(self, ways: list[Direction], frame: bytes) -> None:
        self.network.flood(ways, frame)

    def _loop(self, port: Port, kind: Kind) -> Turns:
        """What moves a port's frames, 128 in a turn."""

        def send(frame: bytes) -> None:
            self.fates.copies += 1
            port.send(frame)

        backlog = Backlog(port, queue_of(kind, self.constants))
        return Turns(self.constants, backlog, send, self.call_at)

    # machines and the hub's own frames

    def _wake(self, place: Place) -> None:
        inside = place.inside
        assert inside is not None
        self.call_at(self.network.now, partial(self._turn, place, inside))

    def _turn(self, place: Place, inside: Inside) -> None:
        now = self.network.now
        for frame in inside.turn(now):
            if place.session is not None:
                self._book_own(frame, place.hub, place.hub.store(place.session, frame, now))
        if place.nat is not None and place.outside is not None:
            for packet in place.nat.take_outside():
                self._send_outside(place.outside, packet)
        self._alarms.arm(inside, inside.next_turn(now), partial(self._turn, place, inside))

    def _receive_outside(self, place: Place, packet: bytes) -> None:
        assert place.nat is not None
        assert place.inside is not None
        self.fates.consumed += 1
        place.nat.from_outside(packet, self.network.now)
        self._turn(place, place.inside)

    def _send_outside(self, port: Port, packet: bytes) -> None:
        if port.out is None:
            self.drop(None, packet, Reason.NO_ROUTE)
        else:
            self.fates.originated += 1
            port.send(packet)

    def _poll(self, hub: Hub) -> None:
        assert hub.polling is not None
        now = self.network.now
        hub.polling.poll(now)
        for frame in hub.polling.take_frames():
            self._book_own(frame, hub, hub.ask(frame, now))
        self._alarms.arm(hub, hub.polling.next_deadline(), partial(self._poll, hub))

    def _release(self, hub: Hub) -> None:
        """What an access rule has delayed goes on."""
        for session, frame, outcome in hub.release(self.network.now):
            place = self._place_of.get(session.name)
            if place is None or place.port is None:
                self._book_own(frame, hub, outcome)
            elif outcome is not None:
                self._delayed -= 1
                self.fates.held -= 1  # its fate is another now
                self._book(place.port, frame, outcome)
        self._alarms.arm(hub.delays, hub.delays.next_deadline(), partial(self._release, hub))

    def _book(self, port: Port, data: bytes, outcome: tuple[int, Sequence[str]] | str) -> None:
        """What came of a frame that a port received."""
        if isinstance(outcome, str):
            self.drop(port, data, outcome)
            return
        sent, refused = outcome
        for why in refused:
            self.drop(None, data, why)
        self.fates.forwarded += 1
        self.fates.copies += sent

    def _book_own(self, frame: bytes, hub: Hub, outcome: Outcome) -> None:
        """What came of a frame that began inside."""
        if outcome is None:
            self._alarms.arm(hub.delays, hub.delays.next_deadline(), partial(self._release, hub))
        elif isinstance(outcome, str):
            self.drop(None, frame, outcome)
        else:
            sent, refused = outcome
            self.fates.originated += sent
            for why in refused:
                self.drop(None, frame, why)
