"""Outside: all that a server's own network leads to, as one node that answers to IPv4 packets.

Every address there is one host: it answers echo requests (RFC 792), serves echo, discard and
daytime (RFC 862, 863, 867) and refuses every other port; the resolver answers DNS from a table.
"""

from collections.abc import Callable, Mapping
from functools import partial

from sim.node import Medium, Node, Port
from sim.nodes.segment import RST, SYN, Segment
from sim.nodes.tcp import Manners, Socket, TcpEnd
from sim.reasons import Reason
from virtualtap.errors import WireError
from virtualtap.units import Instant
from virtualtap.wire import checksum, dns, icmp, ipv4
from virtualtap.wire.address import Ip
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

ECHO, DISCARD, DAYTIME, DNS = 7, 9, 13, 53
TIME = b"it is always now\r\n"  # what daytime says: RFC 867 leaves the form free
CONNECTIONS_MAX = 4096
_PORT_UNREACHABLE = 3
_SERVICES = (ECHO, DISCARD, DAYTIME)
_PTR = 12  # RFC 1035 3.2.2
_ASKED = b"\xc0\x0c"  # a pointer to the name in the question
_TTL = 300  # seconds, of what the resolver says
_NAME_MISSING = 3  # RFC 1035 4.1.1

Key = tuple[Socket, Socket]


class Outside(Node):
    """Whoever is asked answers; `names` is what the resolver knows."""

    kind = "outside"

    def __init__(self, name: str, resolver: Ip, names: Mapping[str, Ip] | None = None) -> None:
        super().__init__(name)
        self.port = self.add_port("uplink", Medium.IP)
        self._resolver = resolver
        self._names = {key.lower(): value for key, value in (names or {}).items()}
        self.forget()

    def forget(self) -> None:
        self._ends: dict[Key, TcpEnd] = {}
        self._identification = 0
        self._first = 0  # sequence number of the next connection
        self._armed: Instant | None = None

    def receive(self, port: Port, data: bytes) -> None:
        try:
            why = self._receive(Ipv4.parse(data))
        except WireError:
            why = Reason.MALFORMED
        if why is None:
            self.fates.consumed += 1
        else:
            self.drop(port, data, why)

    def _receive(self, packet: Ipv4) -> str | None:
        served = {ipv4.ICMP: self._icmp, ipv4.UDP: self._udp, ipv4.TCP: self._tcp}
        serve: Callable[[Ipv4], str | None] | None = served.get(packet.protocol)
        return Reason.UNSUPPORTED if serve is None else serve(packet)

    def _icmp(self, packet: Ipv4) -> str | None:
        message = Icmp.parse(packet.payload)
        if not checksum.is_right(packet.payload):
            return Reason.CHECKSUM
        if message.type != icmp.ECHO_REQUEST:
            return Reason.NO_LISTENER
        answer = Icmp(icmp.ECHO_REPLY, 0, message.rest, message.payload).summed()
        self._answer(packet, answer)
        return None

    def _udp(self, packet: Ipv4) -> str | None:
        source, target = packet.source, packet.destination
        datagram = Udp.parse(packet.payload)
        if datagram.checksum and not checksum.transport_is_right(
            source, target, ipv4.UDP, packet.payload
        ):
            return Reason.CHECKSUM
        port = datagram.destination_port
        if port == DNS and target == self._resolver:
            says = resolved(datagram.payload, self._names)
        elif port in _SERVICES:
            says = {ECHO: datagram.payload, DAYTIME: TIME}.get(port)
        else:
            quoted = packet.to_bytes()[: ipv4.HEADER_LEN + 8]
            unreachable = Icmp(icmp.UNREACHABLE, _PORT_UNREACHABLE, 0, quoted).summed()
            self._answer(packet, unreachable, ipv4.ICMP)
            return Reason.NO_LISTENER
        if says is not None:
            answer = Udp(port, datagram.source_port, says)
            self._answer(packet, answer.between(target, source))
        return None

    def _answer(self, packet: Ipv4, payload: bytes, protocol: int | None = None) -> None:
        self._send(packet.destination, packet.source, protocol or packet.protocol, payload)

    def _send(self, source: Ip, target: Ip, protocol: int, payload: bytes) -> None:
        self._identification = (self._identification + 1) & 0xFFFF
        made = Ipv4(source, target, protocol, payload, identification=self._identification)
        self.fates.originated += 1
        self.port.send(made.to_bytes())

    # TCP

    def _tcp(self, packet: Ipv4) -> str | None:
        source, target = packet.source, packet.destination
        if not checksum.transport_is_right(source, target, ipv4.TCP, packet.payload):
            return Reason.CHECKSUM
        segment = Segment.parse(packet.payload)
        here, there = (target, segment.target_port), (source, segment.source_port)
        end = self._ends.get((here, there))
        if end is None:
            end = self._open(here, there, segment)
        if end is None:
            if not segment.flags & RST:
                self._answer(packet, segment.refusal().between(target, source))
            return Reason.NO_LISTENER
        end.receive(segment, self.network.now)
        self._serve(end)
        self._arm()
        return None

    def _open(self, here: Socket, there: Socket, segment: Segment) -> TcpEnd | None:
        is_served = here[1] in _SERVICES and segment.flags & 0x3F == SYN
        if not is_served or len(self._ends) >= CONNECTIONS_MAX:
            return None
        end = self._ends[here, there] = TcpEnd(here, there, Manners(), self._first)
        self._first += 64_000  # RFC 793 3.3: connections get different ones; here, always the same
        end.listen(segment)
        end.accept(self.network.now)
        if here[1] == DAYTIME:
            end.send(TIME, self.network.now)
            end.close(self.network.now)
        return end

    def _serve(self, end: TcpEnd) -> None:
        now = self.network.now
        if end.here[1] == ECHO:
            end.send(end.read(end.room), now)
        else:
            end.read()
        if end.has_ended and not end.readable:
            end.close(now)
        for segment in end.take_segments():
            self._send(end.here[0], end.there[0], ipv4.TCP, segment)
        if end.is_over:
            self._ends.pop((end.here, end.there), None)

    def _arm(self) -> None:
        deadlines = [end.next_deadline() for end in self._ends.values()]
        when = min((at for at in deadlines if at is not None), default=None)
        if when is not None and (self._armed is None or when < self._armed):
            self._armed = when
            self.call_at(when, partial(self._poll, when))

    def _poll(self, when: Instant) -> None:
        if when != self._armed:
            return
        self._armed = None
        for end in list(self._ends.values()):
            end.poll(self.network.now)
            self._serve(end)
        self._arm()


def resolved(query: bytes, names: Mapping[str, Ip]) -> bytes | None:
    """What a resolver that knows these names says: to A and PTR in IN; None to no query. RFC 1035.

    A name it does not know does not exist; a type it does not know has no data.
    """
    asked = question(query)
    if asked is None:
        return None
    name, kind, end = asked
    records = []
    if kind == dns.A and name in names:
        records.append(names[name])
    elif kind == _PTR:
        records = [dns.name(known) for known, address in names.items() if name == reverse(address)]
    known = name in names or records
    flags = 0x8180 | (query[2] & 1) << 8 | (0 if known else _NAME_MISSING)
    head = query[:2] + flags.to_bytes(2) + b"\0\1" + len(records).to_bytes(2) + bytes(4)
    return head + query[12:end] + b"".join(record(kind, data, _TTL) for data in records)


def question(query: bytes) -> tuple[str, int, int] | None:
    """The name, in lower case, and type of a query's one question of class IN, and where it ends.

    None where it is an answer, or no such query.
    """
    if len(query) < 12 or query[2] & 0x80 or query[4:6] != b"\0\1":
        return None
    at, labels = 12, []
    while at < len(query) and query[at]:
        length = query[at]
        if length > 63:
            return None
        labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    end = at + 5
    if end > len(query) or query[at + 3 : end] != dns.INTERNET.to_bytes(2):
        return None
    return ".".join(labels).lower(), int.from_bytes(query[at + 1 : at + 3]), end


def record(kind: int, data: bytes, ttl: int) -> bytes:
    """One answer to the question at offset 12. RFC 1035 4.1.3, 4.1.4."""
    return dns.Record(_ASKED, kind, dns.INTERNET, ttl, data).to_bytes()


def reverse(address: Ip) -> str:
    """The name whose PTR names the address. RFC 1035 3.5."""
    return ".".join(str(byte) for byte in reversed(address)) + ".in-addr.arpa"
