"""Observers that measure, from moments alone: frames sent, arrived, dropped.

Definitions: docs/measures.md. Delay RFC 7679, duplication RFC 5560, reordering RFC 4737, delay
variation RFC 5481.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar
from zlib import crc32

from sim.observers import Handed, Kind, Moment, Observer
from virtualtap.units import Duration, Instant
from virtualtap.wire import ipv4, ipv6
from virtualtap.wire.address import Ip, Mac, is_unicast4, is_unicast6
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6

if TYPE_CHECKING:
    from sim.build import Built

_TARGET_OPTION = b"\x02\x01"  # RFC 4861 4.6.1: target link-layer address, 8 bytes
_SOURCE_OPTION = b"\x01\x01"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint meets the network, and what it is called there.

    `speaks` is the port at which its packets begin and end; `lan` the one at which Ethernet does:
    the same for a station, the tap's for a host behind a tap.
    """

    name: str
    speaks: str
    lan: str
    mac: Mac
    ip: Ip
    prefix_length: int
    ip6: tuple[Ip, ...]
    gateway: Ip | None
    gateway6: Ip | None

    def next_hop(self, destination: Ip) -> Ip | None:
        """Whom it must ask for, to reach `destination`; None for groups and itself."""
        if len(destination) == 4:
            shift = 32 - self.prefix_length
            if not is_unicast4(destination) or destination == self.ip:
                return None
            ours, theirs = int.from_bytes(self.ip), int.from_bytes(destination)
            if shift and theirs | ((1 << shift) - 1) == theirs:
                return None  # the subnet's broadcast address
            return destination if ours >> shift == theirs >> shift else self.gateway
        if not is_unicast6(destination) or destination in self.ip6:
            return None
        on_link = any(destination[:8] == address[:8] for address in self.ip6)
        return destination if on_link else self.gateway6


class Digest(Observer):
    """BLAKE2b over every moment: time, kind, place, length and CRC-32 of the bytes.

    The seed is its salt: another seed is another run, also where nothing is left to luck.
    """

    def __init__(self, seed: int) -> None:
        self._hash = blake2b(digest_size=16, salt=seed.to_bytes(8))

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        self._hash.update(f"{at} {kind} {where} {len(data)} {crc32(data)}\n".encode())

    def value(self) -> str:
        """32 hexadecimal digits."""
        return self._hash.hexdigest()


class ArpConvergence(Observer):
    """For each (sender, next hop): from the first question to the first true answer."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.asked: dict[tuple[str, Ip], Instant] = {}
        self.resolved: dict[tuple[str, Ip], Instant] = {}
        self._unresolved = 0
        self.worst: Duration = 0
        self._heard: set[tuple[str, Ip]] = set()
        self._handed = Handed()
        places = list(places)
        self._by_speaking = {place.speaks: place for place in places}
        self._by_lan = {place.lan: place for place in places}
        self._owners = {ip: place.mac for place in places for ip in (place.ip, *place.ip6)}

    def see(self, moment: Moment) -> None:
        taken = self._handed.before(moment)
        if taken is not None:
            self._arrived(self._by_lan[taken.where], taken.at, taken.data)
        if moment.kind is Kind.SENT:
            place = self._by_speaking.get(moment.where)
            if place is not None:
                self._sent(place, moment.at, moment.data)
        elif moment.kind is Kind.ARRIVED and moment.where in self._by_lan:
            self._handed.hold(moment)

    def finish(self, now: Instant) -> None:
        self._settle()

    @property
    def unresolved(self) -> int:
        """How many pairs still wait for an answer."""
        self._settle()
        return self._unresolved

    def value(self) -> float | None:
        """The largest, in seconds; None while one is unresolved, or where nobody ever asked."""
        return None if self.unresolved or not self.asked else self.worst / 1e9

    def _settle(self) -> None:
        taken = self._handed.last()
        if taken is not None:
            self._arrived(self._by_lan[taken.where], taken.at, taken.data)

    def _sent(self, place: Place, at: Instant, data: bytes) -> None:
        if place.speaks != place.lan:
            target = destination_of(data)
        elif data[12:14] == ARP:
            target = data[38:42] if data[20:22] == b"\0\1" and data[28:32] == place.ip else None
        elif data[12:14] == IPV6 and data[20:21] == b"\x3a" and data[54:55] == b"\x87":
            target = data[62:78] if data[22:38] in place.ip6 else None
        else:
            target = destination_of(data[HEADER_LEN:]) if data[12:14] in (IPV4, IPV6) else None
        if target is None or len(target) not in (4, 16):  # it was cut
            return
        next_hop = place.next_hop(target)
        if next_hop is None:
            return
        pair = place.name, next_hop
        if pair not in self.asked:
            self.asked[pair] = at
            if pair in self._heard:
                self.resolved[pair] = at
            else:
                self._unresolved += 1

    def _arrived(self, place: Place, at: Instant, data: bytes) -> None:
        if data[12:14] == ARP:
            ip, mac = data[28:32], data[22:28]
        elif data[12:14] == IPV6 and data[20:21] == b"\x3a" and data[54:55] in (b"\x87", b"\x88"):
            solicits = data[54:55] == b"\x87"
            ip = data[22:38] if solicits else data[62:78]
            option = _SOURCE_OPTION if solicits else _TARGET_OPTION
            if data[78:80] != option:
                return
            mac = data[80:86]
        else:
            return
        if self._owners.get(ip) != mac:
            return
        pair = place.name, ip
        if pair in self._heard:
            return
        self._heard.add(pair)
        if pair in self.asked:
            self.resolved[pair] = at
            self._unresolved -= 1
            self.worst = max(self.worst, at - self.asked[pair])


class BroadcastLearning(Observer):
    """Which hubs a frame of which MAC has reached, and what flooding cost."""

    def __init__(self, hub_ports: Mapping[str, str], lan_ports: Iterable[str]) -> None:
        self.reached: dict[tuple[str, Mac], Instant] = {}
        self.senders: dict[Mac, Instant] = {}
        self.copies = self.flooded = 0
        self._hub_ports = hub_ports  # port → hub
        self._hubs = list(dict.fromkeys(hub_ports.values()))
        self._lan_ports = frozenset(lan_ports)
        self._reached_by_senders = 0
        self._in_hand: tuple[str, bool] = ("", False)  # the hub at work, and whether it must flood
        self._in_hand_copies = 0

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        hub = self._hub_ports.get(where)
        if hub is not None:
            if kind is Kind.ARRIVED:
                self._arrived(hub, at, data)
            elif kind is Kind.SENT and hub == self._in_hand[0]:
                self._in_hand_copies += 1
        elif kind is Kind.SENT and where in self._lan_ports:
            mac = data[6:12]
            if mac not in self.senders:
                self.senders[mac] = at
                self._reached_by_senders += sum((hub, mac) in self.reached for hub in self._hubs)

    def finish(self, now: Instant) -> None:
        self._close()

    def pairs(self) -> int:
        """Pairs of a hub and a MAC that ever sent."""
        return len(self._hubs) * len(self.senders)

    def hubs(self) -> list[str]:
        """Their names."""
        return self._hubs

    def share(self) -> float | None:
        """Of all pairs, those in which a frame of the MAC has reached the hub."""
        pairs = self.pairs()
        return self._reached_by_senders / pairs if pairs else None

    def time_to_all(self) -> float | None:
        """When the last pair was complete, in seconds; None while one is not."""
        if not self.pairs() or self._reached_by_senders < self.pairs():
            return None
        return max(at for (_, mac), at in self.reached.items() if mac in self.senders) / 1e9

    def flooded_share(self) -> float | None:
        """Copies sent by flooding, of all copies that hubs sent."""
        self._close()
        return self.flooded / self.copies if self.copies else None

    def _arrived(self, hub: str, at: Instant, data: bytes) -> None:
        self._close()
        known = (hub, data[:6]) in self.reached
        self._in_hand = hub, bool(data[:1] and data[0] & 1) or not known
        pair = hub, data[6:12]
        if pair not in self.reached:
            self.reached[pair] = at
            self._reached_by_senders += data[6:12] in self.senders

    def _close(self) -> None:
        """Book the copies of the frame that a hub dealt with last; more than one is a flood."""
        copies, self._in_hand_copies = self._in_hand_copies, 0
        self.copies += copies
        if self._in_hand[1] or copies > 1:
            self.flooded += copies


class Drops(Observer):
    """Where frames were refused or lost, and why."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}

    def see(self, moment: Moment) -> None:
        if moment.kind is Kind.DROPPED:
            key = moment.where, moment.why
            self.counts[key] = self.counts.get(key, 0) + 1


class Probe(Observer):
    """One more: what it measures stands in the summary, and in `[expect]`, under its own name."""

    name: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]

    def __init__(self, built: "Built") -> None:
        """To watch this network."""

    def value(self, field: str) -> float | str | None:
        """One of its fields, as far as it is known now; None: nothing was there to measure."""
        raise NotImplementedError


PROBES: dict[str, type[Probe]] = {}  # beside those that `sim.measures` always has


def source_of(packet: bytes) -> Ip:
    """Who an IP packet says it is from."""
    return packet[8:24] if packet[:1] >= b"\x60" else packet[12:16]


def destination_of(packet: bytes) -> Ip | None:
    if packet[:1] >= b"\x60":
        return packet[24:40] if len(packet) >= ipv6.HEADER_LEN else None
    return packet[16:20] if len(packet) >= ipv4.HEADER_LEN else None
