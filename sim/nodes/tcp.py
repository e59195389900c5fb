"""One end of a TCP connection, small and deterministic. RFC 9293, 6298, 6928.

It sends in flights, the next when the whole one is acknowledged, and keeps nothing that comes out
of order: every segment is answered with what is expected next. It knows no clock and no network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sim.nodes.segment import ACK, FIN, NUMBERS, PSH, RST, SYN, Segment
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire.address import Ip
from virtualtap.wire.tcp import MSS_DEFAULT

Socket: TypeAlias = tuple[Ip, int]  # address, port
_HALF = 1 << 31


def _doubling(tries: int) -> Duration:
    return SECOND << tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What an end decides for itself; as it stands, an ordinary host's."""

    mss: int = 1460  # bytes, offered
    window: int = 65_535  # bytes, offered at most
    buffer: int = 65_536  # bytes each way
    cwnd: int = 10  # segments of the first flight. RFC 6928
    first_rtt: Duration = 500 * MS  # RFC 6298 2.1: so the first time-out is a second
    least_rto: Duration = SECOND  # RFC 6298 2.4
    handshake: Callable[[int], Duration] = _doubling  # how long until one more SYN
    handshakes_max: int = 6  # SYNs that are repeated; Linux: tcp_syn_retries
    farewell: Callable[[int], Duration] = _doubling  # how long until one more FIN
    farewells_max: int = 8  # FINs in all; Linux: tcp_orphan_retries
    give_up: Duration = 100 * SECOND  # of silence with data under way. RFC 9293 3.8.3: R2
    keep_alive: Duration | None = None
    scales_syn: bool = False  # takes a window scale for the SYN's own window, and for no other


class State(StrEnum):
    """Where a connection is; `OPEN` until both have said their last, or one has reset it."""

    WAITING = "waiting"  # a SYN came, and is not answered yet
    SYN_SENT = "syn-sent"
    SYN_RECEIVED = "syn-received"
    OPEN = "open"
    CLOSED = "closed"  # both have ended it, in order
    RESET = "reset"  # by a RST, ours or theirs, or by silence


class TcpEnd:
    """One end: `here` and `there` are its two sockets, `first` its first sequence number."""

    def __init__(self, here: Socket, there: Socket, manners: Manners, first: int) -> None:
        self.here, self.there, self.manners = here, there, manners
        self.state = State.WAITING
        self.has_ended = False  # the other side's FIN came, behind all its data
        self._acknowledged = self._start = first & NUMBERS  # what the other side has, up to here
        self._expected = 0  # what comes next from it
        self._window = 0  # the other side's, in bytes
        self._mss = MSS_DEFAULT
        self._out = bytearray()  # what it has not acknowledged
        self._in = bytearray()  # what nobody has read
        self._sent = 0  # bytes of `_out` that were sent once
        self._flight = 0  # bytes of `_out` that are under way
        self._is_closing = False
        self._fins = 0  # how often the FIN was sent
        self._is_done = False  # it was acknowledged
        self._tries = 0
        self._cwnd = manners.cwnd
        self._rtt = manners.first_rtt
        self._flew: Instant | None = None  # when the flight left, unless repeated
        self._repeat_at: Instant | None = None
        self._keep_at: Instant | None = None
        self._heard: Instant = 0
        self._segments: list[bytes] = []

    # what the application does

    def connect(self, now: Instant) -> None:
        """Send a SYN."""
        self.state, self._heard = State.SYN_SENT, now
        self._shake(now)

    def listen(self, syn: Segment) -> None:
        """Take a SYN, and leave it without an answer until `accept`."""
        self._expected = (syn.sequence + 1) & NUMBERS
        self._greet(syn)

    def accept(self, now: Instant) -> None:
        """Answer the SYN."""
        self.state, self._heard = State.SYN_RECEIVED, now
        self._shake(now)

    def send(self, data: bytes, now: Instant) -> int:
        """How many of these bytes were taken to be sent."""
        room = 0 if self._is_closing else max(0, self.manners.buffer - len(self._out))
        self._out += data[:room]
        self._push(now)
        return min(room, len(data))

    @property
    def readable(self) -> int:
        """Bytes that came and are not read."""
        return len(self._in)

    def read(self, most: int | None = None) -> bytes:
        """What came, at most so many bytes."""
        was = self._room()
        data = bytes(self._in[:most])
        del self._in[: len(data)]
        if was < self._mss <= self._room() and self.state is State.OPEN:
            self._say(ACK)  # the window has opened again
        return data

    @property
    def room(self) -> int:
        """Bytes that `send` would take."""
        return 0 if self._is_closing else max(0, self.manners.buffer - len(self._out))

    def close(self, now: Instant) -> None:
        """Send what is left, then the FIN."""
        self._is_closing = True
        self._push(now)

    def abort(self) -> None:
        """Reset the connection, at once."""
        if not self.is_over:
            if self.state is not State.SYN_SENT:
                self._say(RST | ACK)
            self.state = State.RESET

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it."""
        return self.state in (State.CLOSED, State.RESET)

    # what the network does

    def take_segments(self) -> list[bytes]:
        """What it says, with checksums."""
        taken, self._segments = self._segments, []
        return taken

    def next_deadline(self) -> Instant | None:
        """When `poll` should be called."""
        times = [at for at in (self._repeat_at, self._keep_at) if at is not None]
        return None if self.is_over or not times else min(times)

    def poll(self, now: Instant) -> None:
        """Repeat what was not acknowledged, say that we are still there."""
        if self.is_over:
            return
        if self._repeat_at is not None and self._repeat_at <= now:
            self._repeat_at = None
            self._repeat(now)
        if self._keep_at is not None and self._keep_at <= now and not self.is_over:
            self._say(ACK, acknowledges=self._expected - 1)
            self._arm_keep_alive(now)

    def receive(self, segment: Segment, now: Instant) -> None:
        """One segment of this connection."""
        if self.is_over:
            return
        if segment.flags & RST:
            if self._believes(segment):
                self.state = State.RESET
            return
        if self.state is State.SYN_SENT:
            self._greeted(segment, now)
        elif self.state is not State.WAITING and segment.flags & ACK and not segment.flags & SYN:
            self._take(segment, now)

    # how

    def _shake(self, now: Instant) -> None:
        is_answer = self.state is State.SYN_RECEIVED
        self._acknowledged = (self._start + 1) & NUMBERS
        self._say(SYN | ACK if is_answer else SYN, self._start, mss=self.manners.mss)
        self._repeat_at = now + self.manners.handshake(self._tries)
        self._tries += 1

    def _greet(self, segment: Segment) -> None:
        scale = segment.scale if self.manners.scales_syn else None
        self._window = segment.window << (scale or 0)
        self._mss = min(segment.mss or MSS_DEFAULT, self.manners.mss)

    def _greeted(self, segment: Segment, now: Instant) -> None:
        answers = segment.flags & (SYN | ACK) == SYN | ACK
        if answers and segment.acknowledges == (self._start + 1) & NUMBERS:
            self._expected = (segment.sequence + 1) & NUMBERS
            self._greet(segment)
            self._open(now)
            self._say(ACK)
            self._push(now)

    def _open(self, now: Instant) -> None:
        self.state, self._heard = State.OPEN, now
        self._repeat_at = None
        self._arm_keep_alive(now)

    def _arm_keep_alive(self, now: Instant) -> None:
        every = self.manners.keep_alive
        self._keep_at = None if every is None else now + every

    def _believes(self, segment: Segment) -> bool:
        """Whether a RST is of this connection, not of one before. RFC 9293 3.5.3."""
        if self.state is State.SYN_SENT:
            return segment.acknowledges == (self._start + 1) & NUMBERS
        return (segment.sequence - self._expected) & NUMBERS <= self.manners.window

    def _take(self, segment: Segment, now: Instant) -> None:
        if self.state is State.SYN_RECEIVED:
            if segment.acknowledges != (self._start + 1) & NUMBERS:
                return
            self._open(now)
        self._heard = now
        self._window = segment.window
        self._take_acknowledgement(segment, now)
        self._take_data(segment)
        if self.has_ended and self._is_done:
            self.state = State.CLOSED
        else:
            self._push(now)

    def _take_acknowledgement(self, segment: Segment, now: Instant) -> None:
        more = (segment.acknowledges - self._acknowledged) & NUMBERS
        if not 0 < more <= self._sent + self._fin_under_way:
            return
        done = min(more, self._sent)
        del self._out[:done]
        self._acknowledged = (self._acknowledged + more) & NUMBERS
        self._sent -= done
        self._flight = max(0, self._flight - done)
        self._is_done = self._is_done or more > done
        self._repeat_at = now + self._rto() if self._flight else None
        if done and not self._flight:
            self._cwnd += 1
            if self._flew is not None:
                self._rtt = now - self._flew

    @property
    def _fin_under_way(self) -> bool:
        return self._fins > 0 and not self._is_done

    def _take_data(self, segment: Segment) -> None:
        known = (self._expected - segment.sequence) & NUMBERS
        is_last = bool(segment.flags & FIN)
        if not segment.payload and not is_last and known == 0:
            return
        if known < _HALF and not self.has_ended:  # nothing is missing before it
            data = segment.payload[known:][: self._room()]
            self._in += data
            self._expected = (self._expected + len(data)) & NUMBERS
            end = segment.sequence + len(segment.payload)
            if is_last and self._expected == end & NUMBERS:
                self.has_ended = True
                self._expected = (self._expected + 1) & NUMBERS
        self._say(ACK)

    def _push(self, now: Instant) -> None:
        """Let the next flight go, if none is under way; behind the last one the FIN."""
        if self.state is not State.OPEN or self._flight or self._repeat_at is not None:
            return
        if self._out:
            if not self._sent:
                self._heard = now  # silence counts from here
            self._fly(now, first=True)
        elif self._is_closing and not self._fins:
            self._say_farewell(now)

    def _fly(self, now: Instant, *, first: bool) -> None:
        most = self._cwnd * self._mss
        length = min(len(self._out), most, max(1, self._window))  # 1: asks a closed window
        for at in range(0, length, self._mss):
            part = bytes(self._out[at : min(at + self._mss, length)])
            self._say(ACK | PSH, self._acknowledged + at, part)
        self._flew = now if first else None
        self._flight, self._sent = length, max(self._sent, length)
        self._repeat_at = now + self._rto()

    def _say_farewell(self, now: Instant) -> None:
        self._say(FIN | ACK)
        self._repeat_at = now + self.manners.farewell(self._fins)
        self._fins += 1

    def _repeat(self, now: Instant) -> None:
        if self.state is not State.OPEN:
            if self._tries <= self.manners.handshakes_max:
                self._shake(now)
            else:
                self.abort()
        elif self._flight:
            if now - self._heard >= self.manners.give_up:
                self.abort()
                return
            self._cwnd = max(2, self._cwnd - 1)
            self._fly(now, first=False)
        elif self._fins < self.manners.farewells_max:
            self._say_farewell(now)
        else:
            self.state = State.RESET

    def _rto(self) -> Duration:
        return max(self.manners.least_rto, 2 * self._rtt)

    def _room(self) -> int:
        return min(self.manners.window, self.manners.buffer - len(self._in))

    def _say(
        self,
        flags: int,
        sequence: int | None = None,
        payload: bytes = b"",
        *,
        mss: int | None = None,
        acknowledges: int | None = None,
    ) -> None:
        if sequence is None:
            behind = 0 if flags & FIN else self._fin_under_way
            sequence = self._acknowledged + self._sent + behind
        number = self._expected if acknowledges is None else acknowledges
        ports = self.here[1], self.there[1]
        number = number if flags & ACK else 0
        segment = Segment(*ports, sequence, number, flags, self._room(), payload, mss)
        self._segments.append(segment.between(self.here[0], self.there[0]))
