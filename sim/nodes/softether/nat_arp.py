"""Who is where on SecureNAT's segment, and what waits for an answer. Virtual.c, Virtual.h.

InsertArpTable, SendArp, PollingArpWaitTable: no limit on entries, questions or packets, no subnet.
"""

from dataclasses import dataclass

from sim.nodes.softether.expiring import Expiring
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, NO_MAC, Ip, Mac

ARP_ENTRY_EXPIRES: Duration = 30 * SECOND  # since it was heard; to send to it prolongs nothing
ARP_ENTRY_POLLING_TIME: Duration = 1 * SECOND
ARP_REQUEST_TIMEOUT: Duration = 1 * SECOND  # until the second question; then a second more each
ARP_REQUEST_GIVEUP: Duration = 5 * SECOND
IP_WAIT_FOR_ARP_TIMEOUT: Duration = 5 * SECOND  # each packet on its own


@dataclass(slots=True)
class Question:
    """One address that was asked for."""

    again_at: Instant
    pause: Duration
    ends: Instant


class ArpTable:
    """IPv4 address → MAC, the questions under way, the packets that wait for their answers."""

    def __init__(self) -> None:
        self._entries: Expiring[Ip, Mac] = Expiring(ARP_ENTRY_POLLING_TIME)
        self._questions: dict[Ip, Question] = {}
        self._waiting: dict[Ip, list[tuple[Instant, bytes]]] = {}

    def lookup(self, ip: Ip) -> Mac | None:
        """Where it was heard; its age is not looked at."""
        return self._entries.get(ip)

    def learn(self, ip: Ip, mac: Mac, now: Instant) -> list[bytes]:
        """It was heard there: the last word counts. The packets that waited for it."""
        if ip in (ANY4, LIMITED_BROADCAST) or mac in (BROADCAST, NO_MAC):
            return []
        self._entries.put(ip, mac, now + ARP_ENTRY_EXPIRES)
        self._questions.pop(ip, None)
        return [packet for expires, packet in self._waiting.pop(ip, []) if expires > now]

    def hold(self, ip: Ip, packet: bytes, now: Instant) -> bool:
        """Let a packet wait; True where the question is to be asked now."""
        self._waiting.setdefault(ip, []).append((now + IP_WAIT_FOR_ARP_TIMEOUT, packet))
        if ip in self._questions:
            return False
        first = now + ARP_REQUEST_TIMEOUT
        self._questions[ip] = Question(first, ARP_REQUEST_TIMEOUT, now + ARP_REQUEST_GIVEUP)
        return True

    def poll(self, now: Instant) -> list[Ip]:
        """Forget what is too old; the addresses that are to be asked for once more."""
        self._entries.sweep(now)
        for ip, packets in list(self._waiting.items()):
            self._waiting[ip] = [one for one in packets if one[0] > now]
            if not self._waiting[ip]:
                del self._waiting[ip]
        asks = []
        for ip, question in list(self._questions.items()):
            if question.ends < now:
                del self._questions[ip]
            elif question.again_at <= now:
                question.again_at = now + question.pause
                question.pause += ARP_REQUEST_TIMEOUT
                asks.append(ip)
        return asks

    @property
    def is_asking(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._questions)

    @property
    def due(self) -> Instant | None:
        """When `poll` has something to do."""
        times = [min(one.again_at, one.ends + 1) for one in self._questions.values()]
        times += [packets[0][0] for packets in self._waiting.values()]
        if self._entries.due is not None:
            times.append(self._entries.due)
        return min(times, default=None)

    def __len__(self) -> int:
        return len(self._entries)
