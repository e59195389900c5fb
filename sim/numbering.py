"""Every frame that is sent has a number, from 1, and keeps it until it arrives or is lost.

A frame is told by its being the very same bytes object: nothing between two ports copies it. What a
fault makes of it, the link says.
"""

from collections.abc import Mapping

from sim.observers import Kind, Moment, Observer
from sim.reasons import Reason
from virtualtap.units import Instant

# what a link refuses while it is given a frame
_BY_FAULT = (Reason.LINK_LOSS, Reason.LINK_MTU, Reason.LINK_QUEUE)
_RECENT = 256  # arrivals that are remembered: a datagram may come twice


class Numbering(Observer):
    """The number of the frame that the latest moment is about; it stands before who asks for it.

    `peers` maps the port at which a frame arrives to the one that sends there: of the links that
    are to be followed. Numbers count every frame of the network.
    """

    def __init__(self, peers: Mapping[str, str]) -> None:
        self.sent = 0  # how many
        self.number = 0  # 0: unknown, or about no frame
        self._peers = dict(peers)
        self._followed = set(peers.values())
        self._flying: dict[tuple[str, int], list[tuple[int, bytes]]] = {}
        self._arrived: dict[tuple[str, int], tuple[int, bytes]] = {}
        self._sending = ""  # the port of the latest frame, while nothing else has happened

    def see(self, moment: Moment) -> None:
        _, kind, where, data, why = moment
        self.number = 0
        if kind is Kind.SENT:
            self.sent += 1
            self.number, self._sending = self.sent, where
            if where in self._followed:
                self._flying.setdefault((where, id(data)), []).append((self.sent, data))
        elif kind is Kind.DROPPED and where == self._sending and why in _BY_FAULT:
            self.number = self.sent
            self._forget(where, data)
        elif kind is Kind.DROPPED:
            self.number = self._take((where, id(data)))
        elif kind is Kind.ARRIVED:
            self._sending = ""
            source = self._peers.get(where)
            if source is not None:
                self.number = self._land(source, data)

    def become(self, where: str, frame: bytes, copies: list[bytes]) -> None:
        """Of the frame just sent at `where`, faults have made these."""
        if where not in self._followed:
            return
        self._sending = ""
        self._forget(where, frame)
        for copy in copies:
            self._flying.setdefault((where, id(copy)), []).append((self.sent, copy))

    def plug(self, source: str, target: str) -> None:
        """From now on it is this port that sends to `target`, if that is followed."""
        if target in self._peers:
            self._peers[target] = source
            self._followed.add(source)

    def remark(self) -> str:
        """For the capture: `frame 12`, or nothing where it is unknown."""
        return f"frame {self.number}" if self.number else ""

    def finish(self, now: Instant) -> None:
        self._flying.clear()

    def _land(self, source: str, data: bytes) -> int:
        key = source, id(data)
        number = self._take(key)
        if number:
            self._arrived[key] = number, data
            if len(self._arrived) > _RECENT:
                del self._arrived[next(iter(self._arrived))]
            return number
        return self._arrived[key][0] if key in self._arrived else 0

    def _forget(self, where: str, frame: bytes) -> None:
        """The frame just sent is not on its way, or not as it was."""
        key, own = (where, id(frame)), (self.sent, frame)
        flying = self._flying.get(key, [])
        if own in flying:
            flying.remove(own)
            if not flying:
                del self._flying[key]

    def _take(self, key: tuple[str, int]) -> int:
        flying = self._flying.get(key)
        if flying is None:
            return 0
        number, _ = flying.pop(0)
        if not flying:
            del self._flying[key]
        return number
