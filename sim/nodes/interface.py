"""An Ethernet interface with an ARP and a neighbour discovery of its own, as a kernel has.

It answers, learns and asks as Linux does with its defaults (arp_accept 0): from a request for us
whoever asks, from a reply only whom we asked or know. RFC 826, 1122 2.3.2, 4861 7.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim.node import Node, Port
from sim.reasons import Reason
from virtualtap.errors import WireError
from virtualtap.neighbors import Neighbors
from virtualtap.stats import DropReason
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import arp, checksum, ipv6, ndp
from virtualtap.wire.address import (
    ALL_NODES6,
    ANY6,
    BROADCAST,
    LIMITED_BROADCAST,
    Ip,
    Mac,
    directed_broadcast,
    is_group,
    is_link_local6,
    is_multicast4,
    is_multicast6,
    is_unicast4,
    multicast_mac4,
    multicast_mac6,
    network_mask,
    solicited_node,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

LIFETIME: Duration = 60 * SECOND  # Linux: gc_stale_time
MTU = 1500  # RFC 894, RFC 2464 2; nobody here fragments
_TRIES, _INTERVAL = 3, 1 * SECOND  # Linux: mcast_solicit, retrans_time; RFC 1122 2.3.2.1
ENTRIES_MAX = 1024  # Linux: gc_thresh3
_HELD_MAX, _HELD_BYTES = 101, 212_992  # unres_qlen, its bytes
HEARD_MAX = 256  # ARP frames that are kept, where somebody wants them


@dataclass(frozen=True, slots=True)
class Addresses:
    """What an endpoint is called on its LAN, and who leads out of it."""

    mac: Mac
    ip: Ip
    prefix_length: int = 24
    gateway: Ip | None = None
    ip6: tuple[Ip, ...] = ()  # each on-link with its /64
    gateway6: Ip | None = None


class Interface:
    """One port with a MAC, addresses, and the neighbours it knows.

    `deliver(packet, frame)` gets each IPv4 or IPv6 packet sent to the MAC or a group it listens to.
    """

    def __init__(
        self,
        node: Node,
        port: Port,
        addresses: Addresses,
        deliver: Callable[[bytes, bytes], None],
    ) -> None:
        self.port, self.mac = port, addresses.mac
        self.ip, self.ip6 = addresses.ip, addresses.ip6
        self.gateway, self.gateway6 = addresses.gateway, addresses.gateway6
        self.broadcast = directed_broadcast(self.ip, addresses.prefix_length)
        self._node = node
        self._fates = node.fates
        self._deliver = deliver
        self._mask = network_mask(addresses.prefix_length)
        self._network_number = int.from_bytes(self.ip) & self._mask
        self._prefixes6 = {address[:8] for address in self.ip6}
        self.also: frozenset[bytes] = frozenset()  # addresses and MACs that it has besides
        self.heard: list[bytes] | None = None  # the first ARP frames since its start, if wanted
        self.forget()

    def forget(self) -> None:
        """Lose the table and what waits."""
        self._neighbors = Neighbors(ENTRIES_MAX, _HELD_MAX, _HELD_BYTES)
        self._headers: dict[Ip, bytes] = {}
        self._expiries: dict[Ip, Instant] = {}
        if self.heard is not None:
            self.heard.clear()

    def go_by(self, mac: Mac, also: frozenset[bytes]) -> None:
        """Speak with this MAC from now on; hear, and answer for, what it has besides."""
        self.mac, self.also = mac, also
        self._headers.clear()

    def neighbors(self) -> dict[Ip, Mac]:
        """Who is known to be at which MAC now."""
        return self._neighbors.known(self._now())

    def is_on_link(self, ip: Ip) -> bool:
        """Whether `ip` is reached without a router. RFC 1122 3.3.1.1, RFC 4861 5.2."""
        if len(ip) == 16:
            local = is_link_local6(ip)
            return ip[:8] in self._prefixes6 or (local and bool(self.ip6))
        return int.from_bytes(ip) & self._mask == self._network_number

    def transmit(self, packet: bytes) -> bool:
        """Send one IP packet: True if at once, and the caller counts it; else it waits, or goes.

        What waits is sent, and counted as originated, when the answer comes.
        """
        if len(packet) > MTU:
            self._node.drop(None, packet, Reason.TOO_BIG)
            return False
        header = self._headers.get(packet[16:20]) if packet[0] >> 4 == 4 else None
        if header is not None:
            self.port.send(header + packet)
            return True
        return self._transmit6(packet) if packet[0] >> 4 == 6 else self._transmit4(packet)

    def receive(self, frame: bytes) -> None:
        """One frame from the wire."""
        kind = frame[12:14]
        to = frame[:6]
        if to == self.mac or (len(frame) >= HEADER_LEN and is_group(frame)) or to in self.also:
            if kind == IPV4:
                self._deliver(frame[HEADER_LEN:], frame)
                return
            if kind == ARP:
                self._guard(self._arp, frame)
                return
            if kind == IPV6 and self.ip6:
                if frame[20:21] == b"\x3a" and frame[54:55] in (b"\x87", b"\x88"):
                    self._guard(self._ndp, frame)
                else:
                    self._deliver(frame[HEADER_LEN:], frame)
                return
            self._node.drop(self.port, frame, Reason.UNSUPPORTED)
            return
        self._node.drop(self.port, frame, Reason.NOT_FOR_US)

    # sending

    def _transmit4(self, packet: bytes) -> bool:
        destination = packet[16:20]
        if destination in (LIMITED_BROADCAST, self.broadcast):
            return self._put(BROADCAST + self.mac + IPV4 + packet)
        if is_multicast4(destination):
            return self._put(multicast_mac4(destination) + self.mac + IPV4 + packet)
        next_hop = destination if self.is_on_link(destination) else self.gateway
        return self._to(destination, next_hop, packet)

    def _transmit6(self, packet: bytes) -> bool:
        destination = packet[24:40]
        if is_multicast6(destination):
            return self._put(multicast_mac6(destination) + self.mac + IPV6 + packet)
        next_hop = destination if self.is_on_link(destination) else self.gateway6
        return self._to(destination, next_hop, packet)

    def _put(self, frame: bytes) -> bool:
        self.port.send(frame)
        return True

    def _to(self, destination: Ip, next_hop: Ip | None, packet: bytes) -> bool:
        if next_hop is None:
            self._node.drop(None, packet, Reason.NO_ROUTE)
            return False
        mac = self._neighbors.lookup(next_hop, self._now())
        if mac is not None:
            header = mac + self.mac + (IPV4 if len(destination) == 4 else IPV6)
            if len(destination) == 4:
                self._headers[destination] = header
            return self._put(header + packet)
        if not self._make_room(next_hop):
            self._node.drop(None, packet, Reason.NEIGHBORS_FULL)
            return False
        first, pushed_out = self._neighbors.hold(next_hop, packet, self._now())
        for _ in range(pushed_out):
            self._node.drop(None, b"", Reason.HELD_FULL)
        if first:
            self._ask(next_hop, _TRIES)
        return False

    def _ask(self, ip: Ip, tries: int) -> None:
        if self._neighbors.lookup(ip, self._now()) is not None:
            return
        if tries == 0:
            for packet in self._neighbors.forget(ip):
                self._node.drop(None, packet, Reason.UNRESOLVED)
            return
        if len(ip) == 4:
            self._originate(BROADCAST + self.mac + ARP + arp.request(self.mac, self.ip, ip))
        else:
            group = solicited_node(ip)
            message = NeighborMessage(ndp.SOLICITATION, 0, ip, ((ndp.SOURCE_MAC, self.mac),))
            self._originate6(message, self.ip6[0], group, multicast_mac6(group))
        self._node.call_at(self._now() + _INTERVAL, lambda: self._ask(ip, tries - 1))

    def _originate(self, frame: bytes) -> None:
        self._fates.originated += 1
        self.port.send(frame)

    def _originate6(self, message: NeighborMessage, source: Ip, to: Ip, mac: Mac) -> None:
        packet = Ipv6(source, to, ipv6.ICMPV6, message.between(source, to), hop_limit=255)
        self._originate(mac + self.mac + IPV6 + packet.to_bytes())

    # learning

    def _learn(self, ip: Ip, mac: Mac) -> None:
        if not self._make_room(ip):
            return
        now = self._now()
        if self._neighbors.lookup(ip, now) != mac:
            self._headers.clear()
        waiting = self._neighbors.learn(ip, mac, now + LIFETIME)
        if ip not in self._expiries:
            self._node.call_at(now + LIFETIME, lambda: self._expire(ip))
        self._expiries[ip] = now + LIFETIME
        header = mac + self.mac + (IPV4 if len(ip) == 4 else IPV6)
        for packet in waiting:
            self._originate(header + packet)

    def _make_room(self, ip: Ip) -> bool:
        room, evicted = self._neighbors.make_room(ip)
        if evicted is not None:
            self._headers.clear()  # one of them may lead to the neighbour that had to go
        return room

    def _expire(self, ip: Ip) -> None:
        due = self._expiries[ip]
        if due > self._now():
            self._node.call_at(due, lambda: self._expire(ip))
            return
        del self._expiries[ip]
        self._headers.clear()

    def _guard(self, handle: Callable[[bytes], str | None], frame: bytes) -> None:
        try:
            why = handle(frame)
        except WireError:
            why = Reason.MALFORMED
        if why is None:
            self._fates.consumed += 1
        else:
            self._node.drop(self.port, frame, why)

    def _arp(self, frame: bytes) -> str | None:
        message = Arp.parse(frame[HEADER_LEN:])
        if message.operation not in (arp.REQUEST, arp.REPLY):
            return Reason.UNSUPPORTED
        if self.heard is not None and len(self.heard) < HEARD_MAX:
            self.heard.append(frame)
        if message.sender_ip == self.ip or message.sender_mac == self.mac:
            return None  # Linux does not defend (arp_ignore 0, no RFC 5227)
        asked = message.operation == arp.REQUEST and self._is_ours(message.target_ip)
        if is_unicast4(message.sender_ip) and (asked or self._neighbors.knows(message.sender_ip)):
            self._learn(message.sender_ip, message.sender_mac)
        if asked:
            answer = arp.reply(self.mac, message.target_ip, message)
            self._originate(message.sender_mac + self.mac + ARP + answer)
        return None

    def _ndp(self, frame: bytes) -> str | None:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        message = NeighborMessage.parse(packet.payload)
        if is_multicast6(packet.source):  # RFC 4291 2.7; ip6_input.c
            return DropReason.BAD_ADDRESS
        if packet.hop_limit != 255 or message.code or is_multicast6(message.target):
            return Reason.MALFORMED
        if not checksum.transport_is_right(
            packet.source, packet.destination, ipv6.ICMPV6, packet.payload
        ):
            return Reason.CHECKSUM
        if message.type == ndp.ADVERTISEMENT:
            mac = message.mac(ndp.TARGET_MAC)
            if mac is not None and self._neighbors.knows(message.target):
                self._learn(message.target, mac)
        elif self._is_ours(message.target):
            self._advertise(packet, message)
        return None

    def _is_ours(self, ip: Ip) -> bool:
        return ip == self.ip or ip in self.ip6 or ip in self.also

    def _advertise(self, packet: Ipv6, message: NeighborMessage) -> None:
        answer = NeighborMessage(
            ndp.ADVERTISEMENT, ndp.OVERRIDE, message.target, ((ndp.TARGET_MAC, self.mac),)
        )
        if packet.source == ANY6:  # somebody checks whether the address is free
            self._originate6(answer, message.target, ALL_NODES6, multicast_mac6(ALL_NODES6))
            return
        mac = message.mac(ndp.SOURCE_MAC)
        if mac is not None:
            self._learn(packet.source, mac)
        mac = self._neighbors.lookup(packet.source, self._now())
        if mac is not None:
            answer.flags |= ndp.SOLICITED
            self._originate6(answer, message.target, packet.source, mac)

    def _now(self) -> Instant:
        return self._node.time
