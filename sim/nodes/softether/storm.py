"""The broadcast storm limiter of one session. Hub.c:CheckBroadcastStorm.

A frame closes a window, not a timer: whoever sends 16 frames and then one after a long silence
loses that one. The clock counts milliseconds, as Tick64 does.
"""

from sim.nodes.softether.constants import Constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import L3, Packet
from sim.nodes.softether.parsing import key_of
from sim.rng import Stream
from virtualtap.units import MS, SECOND, Instant
from virtualtap.wire.address import Ip, Mac

LIMIT = 32  # CheckBroadcastStorm: frames in a second, as one window tells
BLOCKED = 128  # CheckBroadcastStorm: from here on nothing passes

_NO_IP: Ip = bytes(16)
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address as the product compares it

Sender = tuple[Ip, Ip, Mac]  # destination, source


class Entry:
    """One sender: `discard` is the number of frames of which about one passes."""

    __slots__ = ("count", "discard", "start")

    def __init__(self) -> None:
        self.start = 0  # milliseconds
        self.count = 0
        self.discard = 0


class StormLimiter:
    """What a session floods, by source MAC, source IP and destination IP.

    Nothing is forgotten before the session ends. In strict mode either IP is enough to be the
    same sender; as this orders nothing, who is found depends on who came before.
    """

    def __init__(self, options: HubOptions, constants: Constants, luck: Stream) -> None:
        self._limit = options.BroadcastStormDetectionThreshold or LIMIT
        self._span = constants.STORM_CHECK_SPAN // MS
        self._first = constants.STORM_DISCARD_VALUE_START
        self._last = constants.STORM_DISCARD_VALUE_END
        self._luck = luck
        self._key = key_of(options)
        self._is_strict = options.BroadcastLimiterStrictMode
        self._entries: dict[Sender, Entry] = {}
        self._order: list[Sender] = []  # strict mode: as the product's list is sorted

    def passes(self, packet: Packet, now: Instant) -> bool:
        """Whether this flooded frame goes on; it counts whether it does or not."""
        entry = self._entry((*_addresses(packet), self._key(packet.frame)[0]))
        entry.count += 1
        at = now // MS + 1  # the product's clock never stands at zero
        passes = True
        if entry.start == 0 or entry.start + self._span < at:
            passes = self._close(entry, at)
        if entry.discard < self._first:
            return passes
        return entry.discard < BLOCKED and self._luck.below(entry.discard) == 0 and passes

    def _close(self, entry: Entry, at: int) -> bool:
        """A window ends: whether it stayed below the limit."""
        since, entry.start = at - entry.start, at
        rate, entry.count = entry.count * (SECOND // MS) // self._span, 0
        if rate >= self._limit:
            if entry.discard < self._last:
                entry.discard = max(entry.discard, 1) * 2
            return False
        entry.discard //= max(2, since // self._span)
        return True

    def _entry(self, sender: Sender) -> Entry:
        found = self._same(sender) if self._is_strict else sender
        entry = self._entries.get(found)
        if entry is None:
            entry = self._entries[found] = Entry()
        return entry

    def _same(self, sender: Sender) -> Sender:
        """The one in the sorted list that counts as `sender`; else itself, put in its place."""
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            order = _compare(sender, self._order[middle])
            if order == 0:
                return self._order[middle]
            if order < 0:
                high = middle
            else:
                low = middle + 1
        self._order.insert(low, sender)
        return sender


def _addresses(packet: Packet) -> tuple[Ip, Ip]:
    """Destination and source; of ARP only the sender, of what is no IP neither."""
    source, target = packet.source, packet.target
    if source is None or target is None:
        return _NO_IP, _NO_IP
    if packet.l3 is L3.ARP:
        return _NO_IP, _MAPPED + source
    if packet.l3 is L3.IPV4:
        return _MAPPED + target, _MAPPED + source
    return target, source


def _compare(one: Sender, other: Sender) -> int:
    """Below, above or equal in strict mode. Hub.c:CompareStormList."""
    at = 2 if one[0] == other[0] or one[1] == other[1] else 0
    return (one[at] > other[at]) - (one[at] < other[at])
