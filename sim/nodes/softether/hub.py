"""A virtual hub: the order in which one frame is dealt with. Hub.c:HubPaPutPacket, StorePacket.

No spanning tree, no snooping, no hop count: what loops, loops. There is no padding either: frames
shorter than 60 bytes are ordinary.
"""

from sim.nodes.softether.parsing import learning_key, parse
from sim.nodes.softether.session import MAX_PACKET_SIZE, Session
from sim.nodes.softether.tables import MacTable
from sim.reasons import Reason
from virtualtap.units import Instant


class Hub:
    """Sessions in the order of their creation, and whom it believes behind which."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.macs = MacTable()

    def store(self, session: Session, data: bytes, now: Instant) -> tuple[int, int] | str:
        """Deal with one frame of `session`: (copies sent, copies its receivers' queues refused).

        A reason instead, where the hub drops the frame itself.
        """
        if len(data) > MAX_PACKET_SIZE:
            return Reason.SESSION_TOO_LONG
        frame = parse(data)
        if frame is None:
            return Reason.MALFORMED
        key = learning_key(frame)
        if not self.macs.learn(key, session.number, now):
            return Reason.MAC_TABLE_FULL
        if not frame[0] & 1:
            owner = self.macs.lookup((frame[:6], key[1]))
            if owner == session.number:
                return Reason.SAME_SESSION
            if owner is not None:
                return (1, 0) if self.sessions[owner].send(frame, now) else (0, 1)
        return self._flood(session, frame, now)

    def _flood(self, session: Session, frame: bytes, now: Instant) -> tuple[int, int]:
        sent = 0
        for target in self.sessions:
            if target is not session and target.send(frame, now):
                sent += 1
        return sent, len(self.sessions) - 1 - sent
