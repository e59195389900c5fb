"""The kernel mode's NAT: packets that get another address and port. NativeNat of the product.

UDP is mapped by the client's address and port alone, and anybody may answer; TCP by both sides.
What it does not know, and what finds no room, goes without a word.
"""

from dataclasses import dataclass
from typing import TypeAlias

from sim.nodes.segment import ACK, FIN, RST, SYN, Segment
from sim.nodes.softether.expiring import Expiring
from sim.nodes.softether.nat_table import Inward, Outward, Ports, Site
from sim.nodes.softether.vh_option import VhOption
from sim.nodes.tcp import Socket
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import checksum, icmp, ipv4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4

NAT_MAX_SESSIONS_KERNEL = 65_536  # Nat.h; looked at as the other one, so one more fits
NN_TIMEOUT_FOR_UNESTBALISHED_TCP: Duration = 10 * SECOND  # the product's spelling
PORTS = range(61_001, 65_536)  # of its raw IP mode

Key: TypeAlias = tuple[int, Socket, Socket | None]
Number: TypeAlias = tuple[int, Socket | None, int]


@dataclass(slots=True)
class Mapping:
    """One client's port, and ours for it."""

    client: Socket
    target: Socket | None  # of TCP; UDP and ICMP have no other side
    number: int
    is_open: bool = False  # TCP: answered
    ends: int = 0  # TCP: bits, for the client's FIN and the other side's; both for a RST
    next_inside: int = 0  # the sequence numbers that a RST to the client needs
    next_outside: int = 0

    def follow(self, segment: Segment, side: int) -> None:
        """A segment of the client, side 1, or of the other, side 2."""
        following = segment.sequence + segment.length
        if side == 1:
            self.next_outside = following
        else:
            self.next_inside = following
            self.is_open = self.is_open or segment.flags & (SYN | ACK) == SYN | ACK
        if segment.flags & RST:
            self.ends = 3
        elif segment.flags & FIN:
            self.ends |= side


class KernelNat:
    """What clients have opened."""

    def __init__(self, option: VhOption, site: Site, inward: Inward, outward: Outward) -> None:
        self._option, self._site = option, site
        self._inward, self._outward = inward, outward
        self._mappings: Expiring[Key, Mapping] = Expiring()
        self._by_number: dict[Number, Key] = {}
        self._numbers: dict[tuple[int, Socket | None], Ports] = {}  # TCP: by the other side

    def __len__(self) -> int:
        return len(self._mappings)

    def receive(self, packet: Ipv4, now: Instant) -> None:
        """A packet of a client: TCP, UDP, or an echo request whose TTL is more than one."""
        payload, protocol = packet.payload, packet.protocol
        ports_at = 4 if protocol == ipv4.ICMP else 0  # the identifier stands for a port
        client = packet.source, int.from_bytes(payload[ports_at : ports_at + 2])
        target = None
        segment = None
        if protocol == ipv4.TCP:
            segment = Segment.parse(payload)
            target = packet.destination, segment.target_port
        key = protocol, client, target
        mapping = self._mappings.get(key) or self._open(key, segment)
        if mapping is None:
            return
        if segment is not None:
            mapping.follow(segment, 1)
        self._touch(key, mapping, now)
        body = _renumbered(payload, ports_at, mapping.number)
        ttl = packet.ttl - (protocol == ipv4.ICMP)
        self._outward(_packet(self._site.ip, packet.destination, protocol, body, ttl).to_bytes())

    def from_outside(self, packet: Ipv4, now: Instant) -> bool:
        """A packet to the server; False where it is not of a mapping here."""
        protocol, payload = packet.protocol, packet.payload
        is_ping, is_tcp = protocol == ipv4.ICMP, protocol == ipv4.TCP
        if is_ping and payload[:1] != bytes((icmp.ECHO_REPLY,)):
            return False
        at = 4 if is_ping else 2
        other = (packet.source, int.from_bytes(payload[:2])) if is_tcp else None
        key = self._by_number.get((protocol, other, int.from_bytes(payload[at : at + 2])))
        mapping = None if key is None else self._mappings.get(key)
        if key is None or mapping is None:
            return False
        if is_tcp:
            mapping.follow(Segment.parse(payload), 2)
        self._touch(key, mapping, now)
        client, number = mapping.client
        body = _renumbered(payload, at, number)
        body = _summed(packet.source, client, protocol, body)
        self._inward(packet.source, client, protocol, body)
        return True

    def poll(self, now: Instant) -> None:
        """Forget what was silent for too long; a client of TCP is told so."""
        for (protocol, client, target), mapping in self._mappings.sweep(now):
            del self._by_number[protocol, target, mapping.number]
            if self._numbers[protocol, target].free(mapping.number):
                del self._numbers[protocol, target]
            if target is not None and mapping.ends != 3:
                numbers = mapping.next_inside, mapping.next_outside
                reset = Segment(target[1], client[1], *numbers, RST | ACK)
                body = reset.between(target[0], client[0])
                self._inward(target[0], client[0], protocol, body)

    @property
    def due(self) -> Instant | None:
        """When `poll` has something to do."""
        return self._mappings.due

    def _open(self, key: Key, segment: Segment | None) -> Mapping | None:
        opens = segment is None or segment.flags & (SYN | ACK) == SYN
        if not opens or len(self) > NAT_MAX_SESSIONS_KERNEL:
            return None
        number = self._numbers.setdefault((key[0], key[2]), Ports(PORTS)).take()
        if number is None:
            return None
        self._by_number[key[0], key[2], number] = key
        return Mapping(key[1], key[2], number)

    def _touch(self, key: Key, mapping: Mapping, now: Instant) -> None:
        if mapping.target is None:
            lifetime = self._option.udp_timeout
        else:
            lifetime = self._option.tcp_timeout
            if not mapping.is_open or mapping.ends == 3:
                lifetime = NN_TIMEOUT_FOR_UNESTBALISHED_TCP
        self._mappings.put(key, mapping, now + lifetime)


def _renumbered(payload: bytes, at: int, number: int) -> bytes:
    return payload[:at] + number.to_bytes(2) + payload[at + 2 :]


def _packet(source: bytes, target: bytes, protocol: int, body: bytes, ttl: int) -> Ipv4:
    return Ipv4(source, target, protocol, _summed(source, target, protocol, body), ttl=ttl)


def _summed(source: bytes, target: bytes, protocol: int, body: bytes) -> bytes:
    """With the checksum made anew."""
    if protocol == ipv4.ICMP:
        return Icmp.parse(body).summed()
    at = 16 if protocol == ipv4.TCP else 6
    bare = body[:at] + bytes(2) + body[at + 2 :]
    value = checksum.transport(source, target, protocol, bare)
    return bare[:at] + value.to_bytes(2) + bare[at + 2 :]
