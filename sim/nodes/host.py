"""L3Host: an IP endpoint behind a tap: a phone's packet tunnel, a WireGuard peer."""

from collections.abc import Callable

from sim.node import Medium, Node, Port
from sim.nodes.platform import Platform
from sim.nodes.stack import IpStack
from virtualtap.wire.address import Ip, directed_broadcast


class L3Host(Node):
    """Speaks only IP: one uplink, one IP stack, no MAC.

    On a `platform` its packets wait until the tunnel reads them, at the end of the instant; `reads`
    counts that, and `after_read` is called when the tap has them.
    """

    kind = "host"

    def __init__(
        self, name: str, ip: Ip, prefix_length: int = 24, ip6: tuple[Ip, ...] = ()
    ) -> None:
        super().__init__(name)
        self.uplink = self.add_port("uplink", Medium.IP)
        self._prefix_length = prefix_length
        self._broadcast = directed_broadcast(ip, prefix_length)
        self.stack = IpStack(self, self._transmit, self._refuse, ip, ip6, self._broadcast)
        self.platform: Platform | None = None
        self.reads = 0
        self.after_read: Callable[[], None] | None = None
        self._unread: list[bytes] = []

    def receive(self, port: Port, data: bytes) -> None:
        self.stack.receive(data)

    def configure(self, ip: Ip) -> None:
        """It has this IPv4 address from now on."""
        self._broadcast = directed_broadcast(ip, self._prefix_length)
        self.stack.configure(ip, self._broadcast)

    def forget(self) -> None:
        self._unread.clear()

    def _transmit(self, packet: bytes) -> None:
        if not self.up:
            return
        if self.platform is None:
            self.fates.originated += 1
            self.uplink.send(packet)
            return
        why = self.platform.refuses(packet, self._broadcast)
        if why is not None:
            self.drop(None, packet, why)
            return
        self._unread.append(packet)
        if len(self._unread) == 1:
            self.call_at(self.network.now, self._read)

    def _read(self) -> None:
        """The tunnel takes what waits, in as many reads as the platform needs."""
        assert self.platform is not None
        packets, self._unread = self._unread, []
        most = self.platform.batch or len(packets)
        self.reads += -(-len(packets) // most)
        for packet in packets:
            self.fates.originated += 1
            self.uplink.send(packet)
        if self.after_read is not None:
            self.call_at(self.network.now, self.after_read)

    def _refuse(self, packet: bytes, why: str) -> None:
        self.drop(self.uplink, packet, why)
