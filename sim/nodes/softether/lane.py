"""One way of a session's transport: batches, sockets, UDP, and the wire they share. Connection.c.

The wire takes one segment after another, from each connection in turn. What the link is said to do
(rate, delay, faults) befalls segments and datagrams: TCP sends a lost one again, UDP does not.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sim.link import Direction
from sim.network import Network
from sim.nodes.softether.fifo import Reader
from sim.nodes.softether.pipe import SEGMENT_OVERHEAD, Pipe
from sim.reasons import Reason
from sim.rng import Stream
from virtualtap.units import SECOND, Duration, Instant

MAX_KEEPALIVE_SIZE = 512  # Connection.h, exclusive
# UdpAccel.h, version 2: nonce 12, cookie 4, two ticks of 8, size 2, flag 1, tag 16; UDP and IPv4.
# Its random padding is not counted.
UDP_OVERHEAD = 79
UDP_ACCELERATION_SUPPORTED_MAX_PAYLOAD_SIZE = 1600  # UdpAccel.h
_ICMP_MOST, _ICMP_LEAST = 128, 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a lane sends, for as long as its session lasts."""

    encrypted: bool
    qos: bool
    quota: int  # bytes of one socket's FIFO
    timeout: Duration


class Lane:
    """What one end of a session sends to the other.

    `breaks(number)` is told of a connection that is given up; `accelerates(now)` says whether
    frames may go by UDP; `heard_udp(at)` is told when a datagram gets there.
    """

    def __init__(
        self,
        way: Direction,
        network: Network,
        luck: Stream,
        manner: Manner,
        reader: Reader | None,
        breaks: Callable[[int], None],
    ) -> None:
        self.way = way
        self.pipes: list[Pipe] = []  # the sockets that send, in the order in which they were made
        self.held = False  # the client sleeps: nothing is put on the wire
        self.accelerates: Callable[[Instant], bool] = _never
        self.heard_udp: Callable[[Instant], None] | None = None
        self.keep_alives = 0
        self._network, self._luck, self._manner = network, luck, manner
        self._reader = reader
        self._breaks = breaks
        self._gathered: list[bytes] = []  # what is sent in this instant
        self._datagrams: deque[bytes] = deque()  # empty: a keep-alive
        self._datagram_bytes = 0
        self._turn = 0  # whose is next: 0 the datagrams, then the pipes
        self._free_at: Instant = 0
        self._armed: Instant | None = None

    # what is to be sent

    def send(self, frame: bytes) -> None:
        """All that comes in one instant makes one batch."""
        if not self._gathered:
            self._network.call_at(self._network.now, self._flush, None)
        self._gathered.append(frame)

    def send_datagram(self, frame: bytes) -> None:
        """A frame by UDP; an empty one is a keep-alive of UDP acceleration."""
        most = self.way.link.queue
        if most is not None and self._datagram_bytes > most:
            self._lose(frame)
            return
        self._datagrams.append(frame)
        self._datagram_bytes += len(frame)
        self._pump()

    def keep_alive(self, pipe: Pipe) -> None:
        """A message that carries nothing, but that somebody is there."""
        self.keep_alives += 1
        length = self._luck.below(MAX_KEEPALIVE_SIZE)
        pipe.put_keep_alive(length, self._network.now, encrypted=self._manner.encrypted)
        self._pump()

    # sockets

    def open(self, number: int) -> Pipe:
        """One more socket."""
        pipe = Pipe(number, self._network.now)
        self.pipes.append(pipe)
        return pipe

    def close(self, number: int) -> None:
        """A socket is gone, and what was in it."""
        for pipe in [one for one in self.pipes if one.number == number]:
            self.pipes.remove(pipe)
            for frame in pipe.clear():
                self.way.lose(frame, Reason.NO_CONNECTION)

    def close_all(self) -> None:
        """Every socket is gone, and what waits to go by UDP; the wire is another, and free."""
        self._free_at = self._network.now
        for pipe in list(self.pipes):
            self.close(pipe.number)
        for frame in self._datagrams:
            if frame:
                self.way.lose(frame, Reason.NO_CONNECTION)
        self._datagrams.clear()
        self._datagram_bytes = 0

    def waiting(self) -> int:
        """Frames that are neither lost nor on the network's heap."""
        datagrams = sum(1 for frame in self._datagrams if frame)
        return len(self._gathered) + datagrams + sum(pipe.frames for pipe in self.pipes)

    def held_bytes(self) -> int:
        """What the frames and records that wait take up."""
        gathered = sum(len(frame) for frame in self._gathered)
        return gathered + self._datagram_bytes + sum(pipe.bytes for pipe in self.pipes)

    def release(self) -> None:
        """Go on after a pause."""
        self.held = False
        self._pump()

    def passes(self) -> bool:
        """Whether a segment of now would get there: luck is drawn."""
        return bool(self._suffer(bytes(SEGMENT_OVERHEAD)))

    # batches

    def _flush(self, _: None) -> None:
        frames, self._gathered = self._gathered, []
        if self.accelerates(self._network.now):
            for frame in frames:
                if len(frame) <= UDP_ACCELERATION_SUPPORTED_MAX_PAYLOAD_SIZE:
                    self.send_datagram(frame)
            frames = [f for f in frames if len(f) > UDP_ACCELERATION_SUPPORTED_MAX_PAYLOAD_SIZE]
        if self._manner.qos and len(self.pipes) > 1:
            self._batch([frame for frame in frames if is_urgent(frame)], self.pipes[:1])
            self._batch([frame for frame in frames if not is_urgent(frame)], self.pipes[1:])
        else:
            self._batch(frames, self.pipes)
        self._pump()

    def _batch(self, frames: list[bytes], pipes: Sequence[Pipe]) -> None:
        """To the socket that was late least often, of several the last; a full one loses it all."""
        if not frames:
            return
        why = Reason.NO_CONNECTION
        if pipes:
            least = min(pipe.late for pipe in pipes)
            pipe = next(pipe for pipe in reversed(pipes) if pipe.late == least)
            if pipe.bytes < self._manner.quota:
                pipe.put(frames, self._network.now, encrypted=self._manner.encrypted)
                return
            why = Reason.SOCKET_QUEUE
        for frame in frames:
            self.way.lose(frame, why)

    # the wire

    def _pump(self) -> None:
        """Use the wire as soon as it is free and somebody has something for it."""
        now = self._network.now
        waiting = [pipe.stalled_until for pipe in self.pipes if pipe.records]
        if self._datagrams:
            waiting.append(now)
        if self.held or not waiting:
            return
        when = max(now, self._free_at, min(waiting))
        if waiting and self._reader is not None:
            when = max(when, self._reader.room_at(now))
        if self._armed is None or when < self._armed:
            self._armed = when
            self._network.call_at(when, self._serve, when)

    def _serve(self, when: Instant) -> None:
        if when != self._armed:
            return  # an earlier one was armed after it
        self._armed = None
        if not self.held:
            self._put_next(when)
            self._pump()

    def _put_next(self, now: Instant) -> None:
        places = 1 + len(self.pipes)
        for step in range(places):
            place = (self._turn + step) % places
            if place == 0 and self._datagrams:
                self._put_datagram(now)
            elif place and self.pipes[place - 1].is_ready(now):
                self._put_segment(self.pipes[place - 1], now)
            else:
                continue
            self._turn = place + 1
            return

    def _put_segment(self, pipe: Pipe, now: Instant) -> None:
        size = pipe.next_segment()
        there = self._occupy(size + SEGMENT_OVERHEAD, now)
        lates = self._suffer(bytes(size))
        if not lates:
            round_trip = 2 * self.way.link.delay
            if pipe.stall(self._free_at, round_trip) > pipe.heard_at + self._manner.timeout:
                self._network.call_at(self._free_at, self._give_up, pipe)
            return
        at = there + min(lates)
        frames = pipe.passed(size, at)
        at = pipe.heard_at
        if self._reader is not None:
            at = self._reader.take(size, at)
        for frame in frames:
            self._network.call_at(at, self.way.arrive, frame)

    def _give_up(self, pipe: Pipe) -> None:
        if pipe in self.pipes:
            self._breaks(pipe.number)

    def _put_datagram(self, now: Instant) -> None:
        frame = self._datagrams.popleft()
        self._datagram_bytes -= len(frame)
        there = self._occupy(len(frame) + UDP_OVERHEAD, now)
        lates = self._suffer(frame or bytes(1))
        if self.heard_udp is None or not lates:
            if frame:
                self.way.lose(frame, Reason.LINK_LOSS)
            return
        self.way.duplicated += len(lates) - 1 if frame else 0
        for late in lates:
            self.heard_udp(there + late)
            if frame:
                self._network.call_at(there + late, self.way.arrive, frame)

    def _occupy(self, size: int, now: Instant) -> Instant:
        """Put `size` bytes on the wire: when they are at the far end, if nothing befalls them."""
        link = self.way.link
        if self._network.watched:
            self.way.bits += size * 8
        time = -(-size * 8 * SECOND // link.rate) if link.rate else 0
        self._free_at = now + time
        return self._free_at + link.delay

    def _suffer(self, data: bytes) -> list[Duration]:
        """How late each copy is that arrives whole: what is damaged fails its checksum, or tag."""
        copies, _ = self.way.suffer(data)
        return [late for late, one in copies if one == data]

    def _lose(self, frame: bytes) -> None:
        if frame:
            self.way.lose(frame, Reason.LINK_QUEUE)


def is_urgent(frame: bytes) -> bool:
    """What QoS puts first: IPv4 with a type of service, short ICMP.

    Connection.c:IsPriorityHighestPacketForQoS.
    """
    if frame[12:14] != b"\x08\x00":
        return False
    if frame[15:16] not in (b"\x00", b"\x08"):
        return True
    return frame[23:24] == b"\x01" and _ICMP_LEAST <= len(frame) <= _ICMP_MOST


def _never(now: Instant) -> bool:
    return False
