"""The virtual layer-3 switch: a router of IPv4 between hubs, one machine for each hub. Layer3.c.

It forwards whole packets and says little: no fragments, no redirects, no word of a neighbour that
does not answer. IPv6 it does not know.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sim.nodes.softether.expiring import Expiring
from sim.nodes.softether.identity import sha0
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.session import Terms
from virtualtap.errors import UsageError, WireError
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import arp, checksum, icmp, ipv4
from virtualtap.wire.address import BROADCAST, Ip, Mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

if TYPE_CHECKING:
    from sim.nodes.softether.server import SoftEtherServer

MAX_NUM_L3_IF = 4096  # Layer3.h
MAX_NUM_L3_TABLE = 4096  # Layer3.h
ARP_ENTRY_EXPIRES: Duration = 30 * SECOND  # since it was heard, Layer3.h as Virtual.h
ARP_ENTRY_POLLING_TIME: Duration = 1 * SECOND
ARP_REQUEST_TIMEOUT: Duration = 1 * SECOND
ARP_REQUEST_GIVEUP: Duration = 5 * SECOND
IP_WAIT_FOR_ARP_TIMEOUT: Duration = 5 * SECOND  # each packet on its own
BEACON_SEND_INTERVAL: Duration = 5 * SECOND
_BEACON_PORT = 7
_BEACON = b"A layer-3 switch is here".ljust(38, b"\0")
_TTL = 255  # of what it says itself


@dataclass(frozen=True, slots=True)
class L3If:
    """One interface: in which hub, with which address of 4 bytes and mask of 4 bytes."""

    hub: str
    ip: Ip
    mask: Ip

    def holds(self, ip: Ip) -> bool:
        """Whether the address is in its subnet."""
        mask = int.from_bytes(self.mask)
        return int.from_bytes(ip) & mask == int.from_bytes(self.ip) & mask

    @property
    def broadcast(self) -> Ip:
        return (int.from_bytes(self.ip) | ~int.from_bytes(self.mask) & 0xFFFFFFFF).to_bytes(4)


@dataclass(frozen=True, slots=True)
class L3Table:
    """One route; addresses and mask of 4 bytes."""

    network: Ip
    mask: Ip
    gateway: Ip
    metric: int = 1


class Layer3Switch:
    """Its interfaces, its routes, and the machines that serve them now. UsageError above a limit.

    `attach` gives each interface a session of its hub.
    """

    def __init__(
        self, name: str, interfaces: tuple[L3If, ...], routes: tuple[L3Table, ...] = ()
    ) -> None:
        for what, count, most in (
            ("interfaces", len(interfaces), MAX_NUM_L3_IF),
            ("routes", len(routes), MAX_NUM_L3_TABLE),
        ):
            if count > most:
                raise UsageError(f"layer-3 switch `{name:.60}` has {count} {what}, at most {most}")
        self.name = name
        self.settings, self.routes = interfaces, routes
        self.wakes: dict[int, Callable[[], None]] = {}  # by number: a turn is wanted at once
        self._machines: dict[int, Layer3Interface] = {}

    def attach(self, server: "SoftEtherServer") -> None:
        """Give each interface a session of its hub in this server."""
        for number, one in enumerate(self.settings):
            make = partial(self.interface, number)
            terms = Terms(kind=Kind.LAYER3)
            inside = server.install(make, terms, one.hub, partial(self.is_asking, number))
            self.wakes[number] = inside.wake

    def interface(self, number: int) -> "Layer3Interface":
        """The machine of an interface, made anew: it knows nobody yet."""
        made = self._machines[number] = Layer3Interface(self, number)
        return made

    def is_asking(self, number: int) -> bool:
        """Whether an interface waits for an answer: its loop turns every SELECT_TIME_FOR_NAT."""
        machine = self._machines.get(number)
        return machine is not None and machine.is_asking

    def owns(self, ip: Ip) -> bool:
        """Whether it is the address of one of the interfaces."""
        return any(one.ip == ip for one in self.settings)

    def forward(self, packet: Ipv4) -> bool:
        """Hand a packet to the interface that leads on; False where there is none."""
        found = self._next(packet.destination)
        if found is None:
            return False
        number, hop = found
        self._machines[number].put(hop, packet)
        if number in self.wakes:
            self.wakes[number]()
        return True

    def _next(self, target: Ip) -> tuple[int, Ip] | None:
        """Which interface, and to whom there."""
        number = self._connected(target)
        if number is not None:
            return number, target
        route = self._route(target)
        number = None if route is None else self._connected(route.gateway)
        return None if route is None or number is None else (number, route.gateway)

    def _connected(self, ip: Ip) -> int | None:
        """The first interface in whose subnet it is."""
        found = (
            number
            for number, one in enumerate(self.settings)
            if one.holds(ip) and number in self._machines
        )
        return next(found, None)

    def _route(self, target: Ip) -> L3Table | None:
        """A longer mask goes before, if its metric is not above the smallest that was seen."""
        best, longest, smallest = None, 0, None
        number = int.from_bytes(target)
        for route in self.routes:
            mask = int.from_bytes(route.mask)
            if number & mask != int.from_bytes(route.network) & mask or mask < longest:
                continue
            longest = mask
            if smallest is None or route.metric <= smallest:
                smallest, best = route.metric, route
        return best


@dataclass(slots=True)
class _Question:
    """One address that is asked for."""

    asked: Instant | None
    ends: Instant


class Layer3Interface:
    """The machine of one interface: it answers, learns, and forwards what comes to its MAC.

    `receive` takes frames of its hub; `poll` says the beacon, asks, and sends what other interfaces
    have put here.
    """

    def __init__(self, switch: Layer3Switch, number: int) -> None:
        self._switch = switch
        self.setting = one = switch.settings[number]
        self.mac: Mac = interface_mac(switch.name, one.hub, one.ip)
        self._arp: Expiring[Ip, Mac] = Expiring(ARP_ENTRY_POLLING_TIME)
        self._questions: dict[Ip, _Question] = {}
        self._waiting: dict[Ip, list[tuple[Instant, bytes]]] = {}
        self._queue: deque[tuple[Ip, bytes]] = deque()
        self._frames: list[bytes] = []
        self._beacon_at: Instant = 0

    @property
    def is_asking(self) -> bool:
        """Whether somebody is asked for."""
        return bool(self._questions)

    def put(self, hop: Ip, packet: Ipv4) -> None:
        """A packet that leaves here, for `hop`; with the next `poll`."""
        self._queue.append((hop, packet.to_bytes()))

    def receive(self, frame: bytes, now: Instant) -> None:
        """A frame that the hub gave to this session."""
        if frame[6:12] == self.mac or not (frame[0] & 1 or frame[:6] == self.mac):
            return
        try:
            if frame[12:14] == ARP:
                self._receive_arp(frame[6:12], Arp.parse(frame[HEADER_LEN:]), now)
            elif frame[12:14] == IPV4:
                self._receive_ipv4(frame, Ipv4.parse(frame[HEADER_LEN:]), now)
        except WireError:
            return

    def poll(self, now: Instant) -> None:
        """Do what is due. Who is new in the queue is asked for with the next poll."""
        if self._beacon_at <= now:
            self._beacon_at = now + BEACON_SEND_INTERVAL
            self._beacon()
        self._arp.sweep(now)
        for ip, packets in list(self._waiting.items()):
            self._waiting[ip] = [one for one in packets if one[0] > now]
            if not self._waiting[ip]:
                del self._waiting[ip]
        for ip, question in list(self._questions.items()):
            if question.ends <= now:
                del self._questions[ip]
            elif question.asked is None or question.asked + ARP_REQUEST_TIMEOUT <= now:
                question.asked = now
                asks = arp.request(self.mac, self.setting.ip, ip)
                self._frames.append(BROADCAST + self.mac + ARP + asks)
        while self._queue:
            self._leave(*self._queue.popleft(), now)

    def next_deadline(self) -> Instant:
        """When `poll` has something to do; at once where packets or questions are new."""
        if self._queue:
            return 0
        times = [self._beacon_at, *(packets[0][0] for packets in self._waiting.values())]
        times += [self._question_due(one) for one in self._questions.values()]
        if self._arp.due is not None:
            times.append(self._arp.due)
        return min(times)

    def take_frames(self) -> list[bytes]:
        """What it says to the hub."""
        taken, self._frames = self._frames, []
        return taken

    # receiving

    def _receive_arp(self, source: Mac, message: Arp, now: Instant) -> None:
        if message.sender_mac != source:
            return
        self._heard(message.sender_ip, source, now)
        if message.operation == arp.REQUEST and message.target_ip == self.setting.ip:
            answer = arp.reply(self.mac, self.setting.ip, message)
            self._frames.append(source + self.mac + ARP + answer)

    def _receive_ipv4(self, frame: bytes, packet: Ipv4, now: Instant) -> None:
        self._heard(packet.source, frame[6:12], now)
        if frame[:6] != self.mac:
            return  # broadcasts and groups are never routed
        ours = packet.destination == self.setting.ip
        if packet.ttl <= 1 and not ours:
            self._complain(icmp.TIME_EXCEEDED, 0, packet)
        elif ours or self._switch.owns(packet.destination):
            self._answer(packet)
        else:
            packet.ttl -= 1
            if not self._switch.forward(packet):
                self._complain(icmp.UNREACHABLE, icmp.NET_UNREACHABLE, packet)

    def _answer(self, packet: Ipv4) -> None:
        """An echo request to any interface."""
        if packet.protocol != ipv4.ICMP or not checksum.is_right(packet.payload):
            return
        message = Icmp.parse(packet.payload)
        if message.type == icmp.ECHO_REQUEST:
            body = Icmp(icmp.ECHO_REPLY, 0, message.rest, message.payload).summed()
            self._say(packet.destination, packet.source, body, packet.identification)

    def _complain(self, kind: int, code: int, packet: Ipv4) -> None:
        """An error, from here; it is routed as a packet that came in, so its TTL is one less."""
        quoted = packet.to_bytes()[: ipv4.HEADER_LEN + len(packet.options) + 8]
        self._say(self.setting.ip, packet.source, Icmp(kind, code, 0, quoted).summed(), hops=1)

    def _say(self, source: Ip, to: Ip, body: bytes, identification: int = 0, hops: int = 0) -> None:
        """Where nothing leads there, nothing is said."""
        ttl = _TTL - hops
        said = Ipv4(source, to, ipv4.ICMP, body, ttl=ttl, identification=identification)
        self._switch.forward(said)

    def _heard(self, ip: Ip, mac: Mac, now: Instant) -> None:
        """An entry lives on, but stays where it is: only silence lets a MAC change."""
        if not self.setting.holds(ip):
            return
        expires = now + ARP_ENTRY_EXPIRES
        if self._arp.get(ip) is None:
            self._arp.put(ip, mac, expires)
        else:
            self._arp.prolong(ip, expires)
        self._questions.pop(ip, None)
        for until, packet in self._waiting.pop(ip, []):
            if until > now:
                self._leave(ip, packet, now)

    # sending

    def _leave(self, hop: Ip, packet: bytes, now: Instant) -> None:
        mac = BROADCAST if hop == self.setting.broadcast else self._arp.get(hop)
        if mac is not None:
            self._frames.append(mac + self.mac + IPV4 + packet)
            return
        self._waiting.setdefault(hop, []).append((now + IP_WAIT_FOR_ARP_TIMEOUT, packet))
        if hop not in self._questions:
            self._questions[hop] = _Question(None, now + ARP_REQUEST_GIVEUP)

    def _question_due(self, question: _Question) -> Instant:
        if question.asked is None:
            return 0
        return min(question.asked + ARP_REQUEST_TIMEOUT, question.ends)

    def _beacon(self) -> None:
        ip, all_hosts = self.setting.ip, self.setting.broadcast
        body = Udp(_BEACON_PORT, _BEACON_PORT, _BEACON).between(ip, all_hosts)
        packet = Ipv4(ip, all_hosts, ipv4.UDP, body, ttl=_TTL).to_bytes()
        message = Arp(arp.REPLY, self.mac, ip, BROADCAST, all_hosts).to_bytes()
        self._frames.append(BROADCAST + self.mac + IPV4 + packet)
        self._frames.append(BROADCAST + self.mac + ARP + message)


def interface_mac(switch: str, hub: str, ip: Ip) -> Mac:
    """5E:A3 and four bytes of its names and address: the same for ever."""
    return b"\x5e\xa3" + sha0(switch.encode() + hub.encode() + ip)[:4]
