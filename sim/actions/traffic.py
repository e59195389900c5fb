"""What hosts say: pings, streams of datagrams, bursts.

Every datagram has bytes of its own and right checksums. A template is summed once; each datagram
adds its identification, sequence number and time (RFC 1624: 2**16 is 1 modulo 0xFFFF, so a field
of any length at an even offset adds its value). Receivers check every one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Protocol

from sim.network import Network
from sim.node import Node
from sim.nodes.stack import IpStack
from sim.rng import Stream
from virtualtap.units import Duration, Instant
from virtualtap.wire import checksum, icmp, ipv4, ipv6
from virtualtap.wire.address import Ip, ip_text
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6

STAMP_LEN = 16  # at the front of every payload: flow 4, sequence 4, time of sending 8 bytes
_UDP4 = Struct("!4sH4sH14sH4sIQ")  # IPv4 header, UDP header, stamp
_UDP6 = Struct("!46sH4sIQ")
_STAMP = Struct("!IIQ")
assert (_UDP4.size, _UDP6.size, _STAMP.size) == (44, 64, STAMP_LEN)
_RAMP = bytes(range(256)) * 257  # longer than any payload
_FLOWS_MAX = 4096  # whose last payload a receiver remembers


class Endpoint(Protocol):
    """A node with an IP stack."""

    name: str

    @property
    def stack(self) -> IpStack: ...


class Elsewhere:
    """Who has an IPv4 address that is nobody's here: beyond a router, or outside a server.

    Answers come back from there; what is taken there nobody counts.
    """

    def __init__(self, network: Network, address: Ip) -> None:
        node = Node(ip_text(address))
        node.join(network)
        self.name = node.name
        self.stack = IpStack(node, _nowhere, _nowhere, address)


def _nowhere(*_: object) -> None:
    raise AssertionError("nobody is there")


@dataclass(frozen=True, slots=True)
class Flow:
    """One sender, one receiver, one conversation. `match` tells its packets from all others."""

    name: str
    kind: str
    source: str
    destination: str
    match: tuple[bytes, ...]  # what `flow_key` gives for its packets


def flow_key(packet: bytes) -> bytes:
    """What packets of one conversation share: addresses, protocol, ports or echo identifier."""
    if packet[:1] >= b"\x60":
        at, protocol, addresses = 40, packet[6:7], packet[8:40]
    else:
        at, protocol, addresses = (packet[0] & 15) * 4, packet[9:10], packet[12:20]
    if protocol == b"\x11":
        return addresses + protocol + packet[at : at + 4]
    if protocol in (b"\x01", b"\x3a"):
        return addresses + protocol + packet[at + 4 : at + 6]
    return addresses + protocol


@dataclass(frozen=True, slots=True)
class Timing:
    """When something is said: from `start` until before `stop`, every `every` nanoseconds.

    `burst` times back to back each time.
    """

    every: Duration
    start: Instant
    stop: Instant
    burst: int = 1


class DatagramStream:
    """UDP datagrams of one size from one endpoint to another.

    With `luck` the gaps are exponential with `every` as their mean: a Poisson process.
    """

    def __init__(
        self,
        network: Network,
        number: int,
        ends: tuple[Endpoint, Endpoint],
        timing: Timing,
        *,
        size: int,
        port: int = 9,  # RFC 863: discard
        family: int = 4,
        luck: Stream | None = None,
    ) -> None:
        self._network, self._timing, self._luck = network, timing, luck
        self._tally = network.tally
        self._size = size
        self._stack = ends[0].stack
        self._transmit = self._stack.transmit
        self._sequence = 0
        self._flow = number.to_bytes(4)
        fill = _RAMP[number * 31 & 0xFF :][: size - STAMP_LEN]
        ports = (1024 + number % 64_000).to_bytes(2) + port.to_bytes(2)
        make = self._prepare4 if family == 4 else self._prepare6
        self._make: Callable[[int, int], bytes] = make(ends[1].stack, ports, fill)
        first = self._make(0, 0)
        kind = "burst" if timing.burst > 1 else "poisson" if luck else "stream"
        self.flow = Flow(f"{number}", kind, ends[0].name, ends[1].name, (flow_key(first),))
        ends[1].stack.bind_udp(port, _sink_of(ends[1].stack, port, network))

    def start(self) -> None:
        """Say the first word at `timing.start`."""
        self._network.call_at(self._timing.start, self._fire, None)

    def _fire(self, _: None) -> None:
        network, timing = self._network, self._timing
        now = network.now
        if now >= timing.stop:
            return
        tally = self._tally
        for _again in range(timing.burst if self._stack.up else 0):
            sequence = self._sequence
            self._sequence = sequence + 1
            tally.offered += 1
            tally.offered_bytes += self._size
            self._transmit(self._make(sequence & 0xFFFFFFFF, now))
        luck = self._luck
        gap = timing.every if luck is None else luck.exponential_ns(timing.every)
        network.call_at(now + gap, self._fire, None)

    def _prepare4(self, to: IpStack, ports: bytes, fill: bytes) -> Callable[[int, int], bytes]:
        stack, flow = self._stack, self._flow
        length = 8 + self._size
        head = b"\x45\x00" + (20 + length).to_bytes(2)
        middle = b"\x00\x00\x40\x11"  # not a fragment, TTL 64, UDP
        rest = stack.ip + to.ip + ports + length.to_bytes(2)
        header_sum = checksum.total(head + middle + stack.ip + to.ip)
        sum_ = checksum.total(rest) + 17 + length + checksum.total(flow + fill)
        pack = _UDP4.pack

        def make(sequence: int, now: Instant) -> bytes:
            number = stack.next_identification()
            header = -(header_sum + number) % 0xFFFF
            value = -(sum_ + sequence + now) % 0xFFFF or 0xFFFF
            return pack(head, number, middle, header, rest, value, flow, sequence, now) + fill

        return make

    def _prepare6(self, to: IpStack, ports: bytes, fill: bytes) -> Callable[[int, int], bytes]:
        flow, length = self._flow, 8 + self._size
        source, destination = self._stack.ip6[0], to.ip6[0]
        head = b"\x60\x00\x00\x00" + length.to_bytes(2) + b"\x11\x40" + source + destination
        head += ports + length.to_bytes(2)
        pseudo = checksum.pseudo_header(source, destination, 17, length)
        sum_ = pseudo + checksum.total(ports + length.to_bytes(2) + flow + fill)
        pack = _UDP6.pack

        def make(sequence: int, now: Instant) -> bytes:
            value = -(sum_ + sequence + now) % 0xFFFF or 0xFFFF
            return pack(head, value, flow, sequence, now) + fill

        return make


class Sink:
    """Takes the datagrams of one port, and checks the UDP checksum of each.

    Of each flow it keeps the end of the last payload found right, and its sum: where the bytes are
    the same, so is their sum, and only the front is summed again.
    """

    def __init__(self, network: Network) -> None:
        self._tally = network.tally
        self._known: dict[bytes, tuple[int, bytes, int]] = {}

    def receive(self, packet: bytes) -> bool:
        """One UDP packet without IPv4 options; False where its checksum is wrong or missing."""
        known = self._known.get(packet[28:32])
        length = len(packet)
        if known is not None and known[0] == length and packet.endswith(known[1]):
            if (int.from_bytes(packet[12:44]) + known[2]) % 0xFFFF or packet[26:28] == b"\0\0":
                return False
        elif not self._learn(packet):
            return False
        tally = self._tally
        tally.delivered += 1
        tally.delivered_bytes += length - 28
        return True

    def receive6(self, packet: bytes) -> bool:
        """One UDP packet over IPv6, whose checksum the stack has found right."""
        if packet[46:48] == b"\0\0":
            return False  # RFC 8200 8.1
        self._tally.delivered += 1
        self._tally.delivered_bytes += len(packet) - 48
        return True

    def _learn(self, packet: bytes) -> bool:
        segment = packet[20:]
        length = len(segment)
        claimed = (packet[24] << 8) | packet[25]
        if claimed != length or packet[26:28] == b"\0\0":
            return False
        if not checksum.transport_is_right(packet[12:16], packet[16:20], 17, segment):
            return False
        if length >= 24:
            if len(self._known) >= _FLOWS_MAX:
                self._known.clear()
            end = packet[44:]
            self._known[packet[28:32]] = len(packet), end, 17 + length + checksum.total(end)
        return True


def _sink_of(stack: IpStack, port: int, network: Network) -> Callable[[bytes], bool]:
    sink = Sink(network)

    def receive(packet: bytes) -> bool:
        return sink.receive6(packet) if packet[0] >> 4 == 6 else sink.receive(packet)

    return sink.receive if not stack.ip6 else receive


class Ping:
    """Echo requests from one endpoint to another; the replies come back. RFC 792, RFC 4443 4."""

    def __init__(
        self,
        network: Network,
        number: int,
        ends: tuple[Endpoint, Endpoint],
        timing: Timing,
        *,
        size: int = 56,
        family: int = 4,
    ) -> None:
        self._network, self._timing = network, timing
        self._stack = ends[0].stack
        self._family = family
        to = ends[1].stack
        self._to: Ip = to.ip if family == 4 else to.ip6[0]
        self._from: Ip = self._stack.ip if family == 4 else self._stack.ip6[0]
        self._flow, self._sequence = number, 0
        self._identifier = 1 + number % 0xFFFF
        self._fill = _RAMP[number & 0xFF :][: size - STAMP_LEN]
        protocol = b"\x01" if family == 4 else b"\x3a"
        tail = protocol + self._identifier.to_bytes(2)
        match = (self._from + self._to + tail, self._to + self._from + tail)
        self.flow = Flow(f"{number}", "ping", ends[0].name, ends[1].name, match)
        self._stack.bind_echo(self._identifier, self._answered)

    def start(self) -> None:
        """Send the first request at `timing.start`."""
        self._network.call_at(self._timing.start, self._fire, None)

    def _fire(self, _: None) -> None:
        network, timing = self._network, self._timing
        now = network.now
        if now >= timing.stop:
            return
        if self._stack.up:
            self._ask(now)
        network.call_at(now + timing.every, self._fire, None)

    def _ask(self, now: Instant) -> None:
        network = self._network
        sequence = self._sequence
        self._sequence = sequence + 1
        payload = _STAMP.pack(self._flow, sequence & 0xFFFFFFFF, now) + self._fill
        rest = self._identifier << 16 | (sequence & 0xFFFF)
        network.tally.offered += 1
        network.tally.offered_bytes += len(payload)
        if self._family == 4:
            body = Icmp(icmp.ECHO_REQUEST, 0, rest, payload).summed()
            number = self._stack.next_identification()
            packet = Ipv4(self._from, self._to, ipv4.ICMP, body, identification=number).to_bytes()
        else:
            message = Icmp(icmp.ECHO_REQUEST6, 0, rest, payload)
            body = message.between(self._from, self._to)
            packet = Ipv6(self._from, self._to, ipv6.ICMPV6, body).to_bytes()
        self._stack.transmit(packet)

    def _answered(self, packet: bytes) -> bool:
        tally = self._network.tally
        tally.delivered += 1
        tally.delivered_bytes += len(packet) - (28 if self._family == 4 else 48)
        return True
