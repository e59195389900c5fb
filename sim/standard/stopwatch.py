"""The tester's receiving ports: which frames of a stream came, and how long each took."""

from array import array
from collections.abc import Iterable

from sim.observers import Kind, Moment, Observer
from virtualtap.units import Duration, Instant
from virtualtap.wire.ethernet import HEADER_LEN, IPV4

_UDP = b"\x11"
_STAMP_AT = 28  # behind the headers of IPv4 and UDP: flow 4, number 4, time of sending 8 bytes


class Arrivals:
    """What came at one port of a stream of `count` frames; only the first of each counts."""

    def __init__(self, count: int) -> None:
        self.delays: array[int] = array("q")  # ns, in the order of arrival
        self.tagged: Duration | None = None  # of the frame that was tagged
        self._count = count
        self._seen = bytearray()  # as long as it has to be: a trial may be refused for its length

    @property
    def lost(self) -> int:
        """How many frames did not come."""
        return self._count - len(self.delays)

    def take(self, number: int, delay: Duration, tag: int) -> None:
        """Frame `number` came after `delay`."""
        if number >= self._count:
            return
        self._seen.extend(bytes(max(0, number + 1 - len(self._seen))))
        if self._seen[number]:
            return
        self._seen[number] = 1
        self.delays.append(delay)
        if number == tag:
            self.tagged = delay


class Stopwatch(Observer):
    """Sees the frames of one stream arrive at the ports; a frame that was cut does not count."""

    def __init__(
        self, ports: Iterable[str], stream: int, length: int, count: int, tag: int
    ) -> None:
        """`length` is that of the whole IP packets; `tag` the number of one frame, or -1."""
        self.arrivals = {port: Arrivals(count) for port in ports}
        self._stream, self._length, self._tag = stream.to_bytes(4), length, tag

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        if kind is Kind.ARRIVED and where in self.arrivals:
            packet = data[HEADER_LEN:] if data[12:14] == IPV4 else data
            if len(packet) == self._length and packet[9:10] == _UDP:
                self._take(self.arrivals[where], packet[_STAMP_AT:], at)

    def _take(self, arrivals: Arrivals, stamp: bytes, at: Instant) -> None:
        if stamp[:4] == self._stream:
            number, sent = int.from_bytes(stamp[4:8]), int.from_bytes(stamp[8:16])
            arrivals.take(number, at - sent, self._tag)
