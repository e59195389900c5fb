"""Attackers on a LAN: endpoints that send what their stack would not, or say what is not so.

RFC 826 believes every ARP message and RFC 4861 7.2.5 every advertisement; RFC 2131 knows no
wrong server. Every frame is the attacker's own: it counts as originated.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from sim.actions.timeline import Timeline
from sim.build import Endpoint
from sim.network import Network
from sim.node import Port
from sim.nodes.gateway import LanGateway
from sim.nodes.interface import Interface
from sim.nodes.softether.nat_dhcp import DhcpServer
from sim.nodes.station import Station
from virtualtap.errors import WireError
from virtualtap.units import Duration, Instant
from virtualtap.wire import arp, dhcp, ipv4, ndp, udp
from virtualtap.wire.address import (
    ALL_NODES6,
    BROADCAST,
    LIMITED_BROADCAST,
    NO_MAC,
    Ip,
    Mac,
    multicast_mac6,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, IPV4, IPV6, MIN_LEN
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ndp import NeighborMessage
from virtualtap.wire.udp import Udp

EXPERIMENT = b"\x88\xb5"  # an Ethernet type for local experiments: IEEE 802
PORT = 1021  # RFC 4727 6: for experiments


class Names:
    """What an endpoint is called on one LAN, at the moment: a host's address may be leased."""

    def __init__(self, node: Endpoint, interface: Interface | None, mac: Mac) -> None:
        """`interface` is None for a host behind a tap; then `mac` is the tap's."""
        self._node, self._interface, self._mac = node, interface, mac

    @property
    def is_router(self) -> bool:
        return isinstance(self._node, LanGateway)

    @property
    def mac(self) -> Mac:
        return self._mac if self._interface is None else self._interface.mac

    @property
    def ip(self) -> Ip:
        return self._node.stack.ip if self._interface is None else self._interface.ip

    @property
    def ip6(self) -> tuple[Ip, ...]:
        return self._node.stack.ip6 if self._interface is None else self._interface.ip6


@dataclass(frozen=True, slots=True)
class Turns:
    """How often, and how many times."""

    every: Duration
    times: int


class Volley(ABC):
    """Frames from one port, one each turn. A crash ends it; a sleeper misses its turns."""

    def __init__(self, node: Endpoint, port: Port, turns: Turns) -> None:
        self.node = node
        self._port, self._turns = port, turns
        self._is_over = False

    def happen(self, network: Network) -> None:
        if self.node.up:
            self._fire(0)

    def stop(self) -> None:
        """Nothing more is sent, nor begun."""
        self._is_over = True

    @abstractmethod
    def frame(self, number: int) -> bytes | None:
        """The frame of turn `number`, from 0; None: nothing this time."""

    def _fire(self, number: int) -> None:
        if self._is_over:
            return
        frame = None if self.node.asleep else self.frame(number)
        if frame is not None:
            self.node.fates.originated += 1
            self._port.send(bytes(bytearray(frame)))  # a new one: the same bytes come round again
        if number + 1 < self._turns.times:
            due = self.node.time + self._turns.every
            self.node.call_at(due, partial(self._fire, number + 1))


class Inject(Volley):
    """Frames as they are, or packets of a host."""

    def __init__(self, node: Endpoint, port: Port, turns: Turns, frames: tuple[bytes, ...]) -> None:
        super().__init__(node, port, Turns(turns.every, turns.times * len(frames)))
        self._frames = frames

    def frame(self, number: int) -> bytes:
        return self._frames[number % len(self._frames)]


class Spoof(Volley):
    """Says that the address of `claims` is at its own MAC: to one, or to all (None)."""

    def __init__(
        self,
        node: Endpoint,
        interface: Interface,
        turns: Turns,
        claims: Names,
        to: Names | None,
        kind: str,
    ) -> None:
        super().__init__(node, interface.port, turns)
        self._interface, self._claims, self._to = interface, claims, to
        self._make = {
            "reply": self._reply,
            "request": self._request,
            "solicitation": self._solicitation,
            "advertisement": self._advertisement,
        }[kind]

    def frame(self, number: int) -> bytes:
        return self._make()

    def _reply(self) -> bytes:
        """To all as RFC 5944 4.6 has it: our MAC and the address, as sender and as target."""
        us, claimed, to = self._interface.mac, self._claims.ip, self._to
        target = (us, claimed) if to is None else (to.mac, to.ip)
        return self._arp(Arp(arp.REPLY, us, claimed, *target))

    def _request(self) -> bytes:
        """To all an announcement, RFC 5227 2.3; to one a poll, RFC 1122 2.3.2.1."""
        asks = self._claims.ip if self._to is None else self._to.ip
        return self._arp(Arp(arp.REQUEST, self._interface.mac, self._claims.ip, NO_MAC, asks))

    def _arp(self, message: Arp) -> bytes:
        to = BROADCAST if self._to is None else self._to.mac
        return to + self._interface.mac + ARP + message.to_bytes()

    def _solicitation(self) -> bytes:
        """As one who asks whether a neighbor is still there: RFC 4861 7.3.3."""
        assert self._to is not None
        options = ((ndp.SOURCE_MAC, self._interface.mac),)
        return self._ndp(NeighborMessage(ndp.SOLICITATION, 0, self._to.ip6[0], options))

    def _advertisement(self) -> bytes:
        """To one as if it had asked; RFC 4861 7.2.4, 7.2.6."""
        flags = ndp.OVERRIDE | (ndp.ROUTER if self._claims.is_router else 0)
        flags |= ndp.SOLICITED if self._to is not None else 0
        options = ((ndp.TARGET_MAC, self._interface.mac),)
        return self._ndp(NeighborMessage(ndp.ADVERTISEMENT, flags, self._claims.ip6[0], options))

    def _ndp(self, message: NeighborMessage) -> bytes:
        us, to = self._interface.mac, self._to
        target = ALL_NODES6 if to is None else to.ip6[0]
        mac = multicast_mac6(target) if to is None else to.mac
        return mac + us + IPV6 + ndp.packet(message, self._claims.ip6[0], target)


class Flap(Volley):
    """Broadcasts whose source is the MAC of `of`: bridges learn that it is here."""

    def __init__(self, node: Endpoint, interface: Interface, turns: Turns, of: Names) -> None:
        super().__init__(node, interface.port, turns)
        self._of = of

    def frame(self, number: int) -> bytes:
        said = BROADCAST + self._of.mac + EXPERIMENT + number.to_bytes(4)
        return said.ljust(MIN_LEN, b"\0")


class RepeatArp(Volley):
    """ARP frames that it heard before, byte for byte, the oldest first."""

    def __init__(self, node: Endpoint, interface: Interface, turns: Turns) -> None:
        super().__init__(node, interface.port, turns)
        self._interface = interface
        self._old: list[bytes] = []
        if interface.heard is None:
            interface.heard = []

    def happen(self, network: Network) -> None:
        assert self._interface.heard is not None
        self._old = list(self._interface.heard)
        super().happen(network)

    def frame(self, number: int) -> bytes | None:
        return self._old[number % len(self._old)] if self._old else None


class Storm(Volley):
    """Datagrams for everybody, each with a number. RFC 919 7."""

    def __init__(self, node: Endpoint, interface: Interface, turns: Turns) -> None:
        super().__init__(node, interface.port, turns)
        self._interface = interface

    def frame(self, number: int) -> bytes:
        us = self._interface
        body = Udp(PORT, PORT, b"storm " + number.to_bytes(4)).between(us.ip, LIMITED_BROADCAST)
        packet = Ipv4(us.ip, LIMITED_BROADCAST, ipv4.UDP, body).to_bytes()
        return (BROADCAST + us.mac + IPV4 + packet).ljust(MIN_LEN, b"\0")


class Rogue:
    """A DHCP server that nobody wanted, as SecureNAT has it, on a station."""

    def __init__(self, node: Station, server: DhcpServer, stop: Instant | None) -> None:
        self.node = node
        self._server, self._stop = server, stop
        self._is_over = False

    @property
    def ip(self) -> Ip:
        """What its leases call their server."""
        return self.node.interface.ip

    def happen(self, network: Network) -> None:
        if self._is_over:
            return
        self.node.stack.bind_udp(dhcp.SERVER_PORT, self._receive)
        if self._stop is not None:
            network.call_at(max(self._stop, network.now), lambda _: self.stop(), None)

    def stop(self) -> None:
        """It leases no more. What it leased, it leased."""
        if not self._is_over:
            self._is_over = True
            self.node.stack.unbind_udp(dhcp.SERVER_PORT)

    def _receive(self, packet: bytes) -> bool:
        source = packet[12:16]
        try:
            datagram = udp.received(source, packet[16:20], packet[ipv4.header_len(packet) :])
        except WireError:
            return False
        if datagram is None:
            return False
        message, now = datagram.payload, self.node.time
        if len(message) >= dhcp.HEADER_LEN:
            client = message[dhcp.MAC_AT : dhcp.MAC_AT + 6]
            self._server.poll(now)
            said = self._server.receive(client, (source, datagram.source_port), message, now)
            if said is not None:
                self._send(said.to, client, Udp(dhcp.SERVER_PORT, said.port, said.payload))
        return True

    def _send(self, to: Ip, client: Mac, datagram: Udp) -> None:
        interface = self.node.interface
        packet = Ipv4(self.ip, to, ipv4.UDP, datagram.between(self.ip, to)).to_bytes()
        mac = BROADCAST if to == LIMITED_BROADCAST else client
        self.node.fates.originated += 1
        interface.port.send(mac + interface.mac + IPV4 + packet)


class Duplicate:
    """A station that has the address or the MAC of somebody else too, and answers for it."""

    def __init__(self, node: Station, of: Names, what: str) -> None:
        self.node = node
        self._of, self._what = of, what
        self._mac = node.interface.mac
        self._is_over = False

    def happen(self, network: Network) -> None:
        """With a second MAC it speaks as that one, and still hears its own."""
        if self._is_over:
            return
        interface, of = self.node.interface, self._of
        if self._what == "mac":
            interface.go_by(of.mac, interface.also | {self._mac})
        else:
            taken = frozenset((of.ip, *of.ip6))
            interface.go_by(interface.mac, interface.also | taken)
            self.node.stack.answer_for(self.node.stack.also | taken)

    def stop(self) -> None:
        """It is called what it was at first, and nothing else."""
        self._is_over = True
        self.node.interface.go_by(self._mac, frozenset())
        self.node.stack.answer_for(frozenset())


def silence(timeline: Timeline, nodes: Collection[str]) -> None:
    """These endpoints attack nobody from now on: what runs stops, what was to come never begins."""
    for _, happening in timeline:
        if isinstance(happening, Volley | Rogue | Duplicate) and happening.node.name in nodes:
            happening.stop()
