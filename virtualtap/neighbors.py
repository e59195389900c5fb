"""Who is at which MAC, and what waits for an answer: one table for ARP and NDP.

RFC 826 "Packet Reception", RFC 1122 2.3.2.2 (what waits), RFC 4861 5.1.
"""

from collections import deque
from enum import StrEnum

from virtualtap.units import Instant
from virtualtap.wire.address import Ip, Mac


class State(StrEnum):
    """Of an IPv6 neighbour. RFC 4861 7.3.2; ABSENT is to have no entry."""

    ABSENT = "absent"
    INCOMPLETE = "incomplete"  # asked for
    REACHABLE = "reachable"  # confirmed not long ago
    STALE = "stale"  # was there once
    DELAY = "delay"  # used since, and soon asked
    PROBE = "probe"  # asked at its MAC


class Neighbor:
    """One address: its MAC once known, and the packets that wait until then."""

    __slots__ = ("expires", "held", "is_router", "mac", "state")

    def __init__(self) -> None:
        self.state = State.INCOMPLETE  # IPv6 alone looks at it
        self.is_router = False
        self.mac: Mac | None = None
        self.expires: Instant = 0
        self.held: deque[bytes] = deque()


class Neighbors:
    """A bounded table. What does not fit goes: the oldest packet, the entry longest unheard of."""

    def __init__(
        self,
        entries_max: int,
        held_packets_max: int,
        held_bytes_max: int,
        never_evicted: frozenset[Ip | None] = frozenset(),
    ) -> None:
        self._entries: dict[Ip, Neighbor] = {}  # the longest unheard of first
        self._entries_max = entries_max
        self.never_evicted = never_evicted
        self._held_packets_max = held_packets_max
        self._held_bytes_max = held_bytes_max
        self._held_bytes = 0

    def lookup(self, ip: Ip, now: Instant) -> Mac | None:
        """The MAC of `ip` while it is known and not older than the lifetime."""
        entry = self._entries.get(ip)
        return entry.mac if entry is not None and entry.expires > now else None

    def knows(self, ip: Ip) -> bool:
        """Whether there is an entry, be it only one that waits (RFC 826: the merge flag)."""
        return ip in self._entries

    def make_room(self, ip: Ip) -> tuple[bool, Ip | None]:
        """Whether `ip` has an entry or can get one, and who went for it: the oldest known."""
        if ip in self._entries or len(self._entries) < self._entries_max:
            return True, None
        for key, entry in self._entries.items():
            if entry.mac is not None and key not in self.never_evicted:
                del self._entries[key]
                return True, key
        return False, None

    def expect(self, ip: Ip, now: Instant) -> bool:
        """Give `ip`, which has room, an entry until it answers: whether it had none, so ask."""
        entry = self._entries.get(ip)
        first = entry is None or (entry.mac is not None and entry.expires <= now)
        if first:
            self._entries[ip] = Neighbor()
        return first

    def hold(self, ip: Ip, packet: bytes, now: Instant) -> tuple[bool, int]:
        """Let `packet` wait for `ip`, which has room: (it is the first, so ask; pushed out)."""
        first = self.expect(ip, now)
        held, pushed_out = self._entries[ip].held, 0
        held.append(packet)
        self._held_bytes += len(packet)
        while held and (
            len(held) > self._held_packets_max or self._held_bytes > self._held_bytes_max
        ):
            self._held_bytes -= len(held.popleft())
            pushed_out += 1
        return first, pushed_out

    def learn(self, ip: Ip, mac: Mac, expires: Instant) -> list[bytes]:
        """`ip`, which has room, is at `mac`: the packets that waited for it, oldest first."""
        entry = self._entries.pop(ip, None) or Neighbor()
        self._entries[ip] = entry
        entry.mac = mac
        entry.expires = expires
        return self._empty(entry)

    def forget(self, ip: Ip) -> list[bytes]:
        """Remove the entry: the packets that waited for it."""
        entry = self._entries.pop(ip, None)
        return [] if entry is None else self._empty(entry)

    def expires(self, ip: Ip) -> Instant:
        """When what is known of `ip` becomes too old; 0 where nothing is known."""
        entry = self._entries.get(ip)
        return 0 if entry is None else entry.expires

    def state(self, ip: Ip) -> State:
        """The state of an IPv6 neighbour."""
        entry = self._entries.get(ip)
        return State.ABSENT if entry is None else entry.state

    def enter(self, ip: Ip, state: State) -> None:
        """`ip`, which has an entry, is in this state from now on."""
        self._entries[ip].state = state

    def is_router(self, ip: Ip, *, says: bool | None = None) -> bool:
        """Whether `ip` was a router so far; `says` is what it is from now on. RFC 4861 5.1."""
        entry = self._entries.get(ip)
        if entry is None:
            return False
        was = entry.is_router
        entry.is_router = was if says is None else says
        return was

    def mac(self, ip: Ip) -> Mac | None:
        """The MAC last heard of, however old."""
        entry = self._entries.get(ip)
        return None if entry is None else entry.mac

    def first_held(self, ip: Ip) -> bytes | None:
        """The packet that waits longest for `ip`."""
        entry = self._entries.get(ip)
        return entry.held[0] if entry is not None and entry.held else None

    def holding(self) -> int:
        """How many packets wait in all."""
        return sum(len(entry.held) for entry in self._entries.values())

    def addresses(self) -> list[Ip]:
        """Every address that has an entry, be it only one that waits."""
        return list(self._entries)

    def known(self, now: Instant) -> dict[Ip, Mac]:
        """Every address whose MAC is known now."""
        return {
            ip: entry.mac
            for ip, entry in self._entries.items()
            if entry.mac is not None and entry.expires > now
        }

    def __len__(self) -> int:
        return len(self._entries)

    def _empty(self, entry: Neighbor) -> list[bytes]:
        packets = list(entry.held)
        entry.held.clear()
        self._held_bytes -= sum(map(len, packets))
        return packets
