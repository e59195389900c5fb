"""Frames from, or to, one Ethernet address after another: what fills a table. RFC 2889 5.7, 5.8.

Number i is the MAC 06:00 and i in four bytes: locally administered, and nobody's here.
"""

from sim.actions.traffic import Endpoint, Flow, Timing
from sim.network import Network
from sim.nodes.station import Station
from virtualtap.errors import UsageError
from virtualtap.wire.address import Mac
from virtualtap.wire.ethernet import MIN_LEN

EXPERIMENT = b"\x88\xb5"  # an Ethernet type for local experiments: IEEE 802


class AddressSeries:
    """`count` frames of a station to the MAC of another, each from an address of its own.

    With `backward` they are from the station's own MAC, each to one of those addresses.
    """

    def __init__(
        self,
        network: Network,
        number: int,
        ends: tuple[Endpoint, Endpoint],
        timing: Timing,
        *,
        count: int,
        backward: bool = False,
    ) -> None:
        source, destination = _station(ends[0]), _station(ends[1])
        self._network, self._timing, self._source = network, timing, source
        self._count, self._backward = count, backward
        self._own = source.interface.mac
        self._other = destination.interface.mac
        self._next = 0
        self.flow = Flow(f"{number}", "addresses", source.name, destination.name, ())

    def start(self) -> None:
        """Send the first frame at `timing.start`."""
        self._network.call_at(self._timing.start, self._fire, None)

    def _fire(self, _: None) -> None:
        network, timing = self._network, self._timing
        if network.now >= timing.stop or self._next == self._count:
            return
        if self._source.up:
            self._source.fates.originated += 1
            self._source.port.send(self._frame(address(self._next)))
        self._next += 1
        network.call_at(network.now + timing.every, self._fire, None)

    def _frame(self, mac: Mac) -> bytes:
        ends = mac + self._own if self._backward else self._other + mac
        return (ends + EXPERIMENT).ljust(MIN_LEN, b"\0")


def address(number: int) -> Mac:
    """One of the series, from 0."""
    return b"\x06\x00" + number.to_bytes(4)


def _station(end: Endpoint) -> Station:
    if not isinstance(end, Station):
        raise UsageError(f"`addresses`: `{end.name}` is no station", "name stations")
    return end
