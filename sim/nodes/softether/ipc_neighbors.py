"""Who is at which MAC, for an in-process client, and what waits for an answer. IPC.c.

ARP and neighbour discovery keep such tables; no limit on their entries.
"""

from sim.nodes.softether.expiring import Expiring
from virtualtap.units import Duration, Instant
from virtualtap.wire.address import Ip, Mac


class IpcNeighbors:
    """Address → MAC for `lifetime`; what is asked for is given up after `giveup`, packets and all.

    `most` packets wait for one address; None: any number.
    """

    def __init__(self, lifetime: Duration, giveup: Duration, most: int | None = None) -> None:
        self._lifetime, self._giveup, self._most = lifetime, giveup, most
        self._known: Expiring[Ip, Mac] = Expiring()
        self._asked: Expiring[Ip, list[bytes]] = Expiring()

    def lookup(self, ip: Ip) -> Mac | None:
        """Where it was heard, if `flush` has not forgotten it."""
        return self._known.get(ip)

    def prolong(self, ip: Ip, now: Instant) -> None:
        """An entry that there is lives another lifetime."""
        self._known.prolong(ip, now + self._lifetime)

    def has(self, ip: Ip) -> bool:
        """Whether there is an entry, resolved or not."""
        return self._known.get(ip) is not None or self._asked.get(ip) is not None

    def learn(self, ip: Ip, mac: Mac, now: Instant) -> list[bytes]:
        """It is there now; the packets that waited for it, in their order."""
        self._known.put(ip, mac, now + self._lifetime)
        return self._asked.pop(ip) or []

    def is_asked(self, ip: Ip) -> bool:
        """Whether a question is under way."""
        return self._asked.get(ip) is not None

    def hold(self, ip: Ip, packet: bytes, now: Instant) -> bool:
        """Let a packet wait for an address that is not known; False where there is no room."""
        waiting = self._asked.get(ip)
        if waiting is None:
            waiting = []
            self._asked.put(ip, waiting, now + self._giveup)
        if self._most is not None and len(waiting) >= self._most:
            return False
        waiting.append(packet)
        return True

    def flush(self, now: Instant) -> int:
        """Forget what is too old; how many packets went with it."""
        self._known.sweep(now)
        return sum(len(packets) for _, packets in self._asked.sweep(now))

    def known(self) -> dict[Ip, Mac]:
        """Every resolved entry."""
        return dict(self._known.items())

    @property
    def due(self) -> Instant | None:
        """When a question is given up."""
        return self._asked.due

    def holding(self) -> int:
        """How many packets wait."""
        return sum(len(packets) for _, packets in self._asked.items())
