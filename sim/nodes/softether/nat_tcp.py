"""The user mode's NAT of TCP: not a translation but two connections, spliced. Virtual.c.

A client's SYN is answered only when the server's own connection outside is open, and refused when
that fails. The facts of the inside end are `INSIDE`; the outside end is the server system's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from sim.nodes.segment import ACK, RST, SYN, Segment
from sim.nodes.softether.expiring import Expiring
from sim.nodes.softether.nat_table import NAT_MAX_SESSIONS, Inward, Outward, Ports, Site
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.vh_option import VhOption
from sim.nodes.tcp import Manners, Socket, State, TcpEnd
from sim.rng import Stream
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire import ipv4
from virtualtap.wire.ipv4 import Ipv4

NAT_TCP_SYNACK_SEND_TIMEOUT: Duration = 250 * MS
_FIN_SEND_TIMEOUT: Duration = 1000 * MS
_NEVER_ENDS = 1 << 30  # SYN-ACKs: until the connection was silent for too long

INSIDE = Manners(
    mss=1456,
    window=64_512,
    buffer=65_536,
    cwnd=1,
    first_rtt=500 * MS,
    least_rto=30 * MS,  # SELECT_TIME_FOR_NAT: no turn of its loop is earlier
    handshake=lambda tries: NAT_TCP_SYNACK_SEND_TIMEOUT * (tries + 1),
    handshakes_max=_NEVER_ENDS,
    farewell=lambda tries: _FIN_SEND_TIMEOUT * (tries + 1),
    farewells_max=5,
    give_up=21 * SECOND,
    keep_alive=5 * SECOND,
    scales_syn=True,
)
OUTSIDE = Manners()


@dataclass(slots=True)
class Splice:
    """One connection of a client, and the server's for it."""

    inside: TcpEnd
    outside: TcpEnd
    port: int  # outside


Key: TypeAlias = tuple[Socket, Socket]  # client, and whom it wants


class TcpProxy:
    """The connections of all clients; `more` counts what UDP and ICMP keep, of the same limit."""

    def __init__(
        self,
        option: VhOption,
        site: Site,
        inward: Inward,
        outward: Outward,
        *,
        rng: Stream,
        options: HubOptions,
        more: Callable[[], int] = lambda: 0,
    ) -> None:
        self._option, self._site, self._options = option, site, options
        self._inward, self._outward = inward, outward
        self._rng, self._more = rng, more
        self._manners = replace(INSIDE, mss=option.tcp_mss)
        self._splices: Expiring[Key, Splice] = Expiring()
        self._timers: Expiring[Key, Splice] = Expiring()
        self._by_port: dict[int, Key] = {}
        self._ports = Ports()

    def __len__(self) -> int:
        return len(self._splices)

    def receive(self, packet: Ipv4, now: Instant) -> None:
        """A segment of a client. Its checksum is not looked at."""
        segment = Segment.parse(packet.payload)
        client = packet.source, segment.source_port
        target = packet.destination, segment.target_port
        splice = self._splices.get((client, target))
        if splice is None:
            self._greet((client, target), segment, now)
            return
        splice.inside.receive(segment, now)
        self._touch((client, target), splice, now)

    def from_outside(self, packet: Ipv4, now: Instant) -> None:
        """A segment to the server itself."""
        segment = Segment.parse(packet.payload)
        key = self._by_port.get(segment.target_port)
        splice = None if key is None else self._splices.get(key)
        if key is None or splice is None or splice.outside.there[0] != packet.source:
            return
        splice.outside.receive(segment, now)
        self._touch(key, splice, now)

    def poll(self, now: Instant) -> None:
        """Repeat what is to be repeated; reset what was silent for too long."""
        for key, splice in self._splices.sweep(now):
            splice.inside.abort()
            splice.outside.abort()
            self._tell(splice)
            self._forget(key, splice)
        for key, splice in self._timers.sweep(now):
            splice.inside.poll(now)
            splice.outside.poll(now)
            self._advance(key, splice, now)

    @property
    def due(self) -> Instant | None:
        """When `poll` has something to do."""
        times = self._splices.due, self._timers.due
        return min((at for at in times if at is not None), default=None)

    # how

    def _greet(self, key: Key, segment: Segment, now: Instant) -> None:
        if segment.flags & RST:
            return
        port = None
        if segment.flags & (SYN | ACK) == SYN and self._has_room(key[0]):
            port = self._ports.take()
        if port is None:  # no SYN, or no room
            (target, _), (client, _) = key[1], key[0]
            body = segment.refusal().between(target, client)
            self._inward(target, client, ipv4.TCP, body)
            return
        inside = TcpEnd(key[1], key[0], self._manners, self._rng.below(1 << 32))
        inside.listen(segment)
        outside = TcpEnd((self._site.ip, port), key[1], OUTSIDE, self._rng.below(1 << 32))
        outside.connect(now)
        splice = Splice(inside, outside, port)
        self._by_port[port] = key
        self._touch(key, splice, now)

    def _has_room(self, client: Socket) -> bool:
        options = self._options
        if len(self) + self._more() > NAT_MAX_SESSIONS:
            return False
        theirs = [one for key, one in self._splices.items() if key[0][0] == client[0]]
        opening = [one for one in theirs if one.outside.state is State.SYN_SENT]
        return _fits(len(theirs), options.SecureNAT_MaxTcpSessionsPerIp) and _fits(
            len(opening), options.SecureNAT_MaxTcpSynSentPerIp
        )

    def _touch(self, key: Key, splice: Splice, now: Instant) -> None:
        self._splices.put(key, splice, now + self._option.tcp_timeout)
        self._advance(key, splice, now)

    def _advance(self, key: Key, splice: Splice, now: Instant) -> None:
        """Carry over what one end has for the other: that it opened, its bytes, its end."""
        inside, outside = splice.inside, splice.outside
        if inside.state is State.WAITING and outside.state is State.OPEN:
            inside.accept(now)
        for one, other in ((inside, outside), (outside, inside)):
            if one.readable:
                other.send(one.read(other.room), now)
            if one.has_ended and not one.readable:
                other.close(now)
        for one, other in ((inside, outside), (outside, inside)):
            if one.state is State.RESET:
                other.abort()
        self._tell(splice)
        self._settle(key, splice)

    def _settle(self, key: Key, splice: Splice) -> None:
        inside, outside = splice.inside, splice.outside
        times = inside.next_deadline(), outside.next_deadline()
        due = min((at for at in times if at is not None), default=None)
        if inside.is_over and outside.is_over:
            self._splices.pop(key)
            self._forget(key, splice)
        elif due is not None:
            self._timers.put(key, splice, due)

    def _tell(self, splice: Splice) -> None:
        (here, _), (there, _) = splice.inside.here, splice.inside.there
        for segment in splice.inside.take_segments():
            self._inward(here, there, ipv4.TCP, segment)
        (here, _), (there, _) = splice.outside.here, splice.outside.there
        for segment in splice.outside.take_segments():
            self._outward(Ipv4(here, there, ipv4.TCP, segment).to_bytes())

    def _forget(self, key: Key, splice: Splice) -> None:
        self._timers.pop(key)
        del self._by_port[splice.port]
        self._ports.free(splice.port)


def _fits(count: int, most: int) -> bool:
    return not most or count < most
