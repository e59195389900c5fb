"""SoftEtherServer: a VPN server with one virtual hub, whose ports are sessions."""

from sim.node import Node, Port
from sim.nodes.softether.hub import Hub
from sim.nodes.softether.session import TIMEOUT, Session, Strategy
from sim.reasons import Reason
from virtualtap.units import Instant
from virtualtap.wire.address import Mac


class SoftEtherServer(Node):
    """Frames come and go by sessions: taps, local bridges and cascades to other servers alike."""

    kind = "hub"

    def __init__(self, name: str, strategy: Strategy = Strategy.PERFORMANCE) -> None:
        super().__init__(name)
        self.hub = Hub()
        self._strategy = strategy
        self._session_of: dict[str, Session] = {}  # by port name

    def session(self) -> Port:
        """One more session, on a port s1, s2, …"""
        number = len(self.hub.sessions)
        port = self.add_port(f"s{number + 1}")
        session = Session(number, port, self._strategy)
        self.hub.sessions.append(session)
        self._session_of[port.name] = session
        return port

    def table(self) -> dict[Mac, str]:
        """Whom it believes behind which session, whatever the VLAN."""
        sessions = self.hub.sessions
        return {mac: sessions[n].port.name for (mac, _), n in self.hub.macs.items()}

    def forget(self) -> None:
        hub = Hub()
        hub.sessions = self.hub.sessions
        for session in hub.sessions:
            session.forget()
        self.hub = hub

    def link_changed(self, port: Port, *, up: bool) -> None:
        """A session whose link stays down ends, its addresses with it. Hub.c:HubPaFree."""
        session = self._session_of[port.name]
        now = self.network.now
        session.silent_since = None if up else now
        if not up:
            self.call_at(now + TIMEOUT, lambda: self._end(session, now))

    def _end(self, session: Session, since: Instant) -> None:
        if session.silent_since == since:
            self.hub.macs.purge(session.number)

    def receive(self, port: Port, data: bytes) -> None:
        outcome = self.hub.store(self._session_of[port.name], data, self.network.now)
        if isinstance(outcome, str):
            self.drop(port, data, outcome)
            return
        sent, refused = outcome
        for _ in range(refused):
            self.drop(None, data, Reason.SESSION_QUEUE)
        self.fates.forwarded += 1
        self.fates.copies += sent
