"""L3Host: an IP endpoint behind a tap: a phone's packet tunnel, a WireGuard peer."""

from sim.node import Medium, Node, Port
from sim.nodes.stack import IpStack
from virtualtap.wire.address import Ip, directed_broadcast


class L3Host(Node):
    """Speaks only IP: one uplink, one IP stack, no MAC."""

    kind = "host"

    def __init__(
        self, name: str, ip: Ip, prefix_length: int = 24, ip6: tuple[Ip, ...] = ()
    ) -> None:
        super().__init__(name)
        self.uplink = self.add_port("uplink", Medium.IP)
        broadcast = directed_broadcast(ip, prefix_length)
        self.stack = IpStack(self, self._transmit, self._refuse, ip, ip6, broadcast)

    def receive(self, port: Port, data: bytes) -> None:
        self.stack.receive(data)

    def _transmit(self, packet: bytes) -> None:
        if self.up:
            self.fates.originated += 1
            self.uplink.send(packet)

    def _refuse(self, packet: bytes, why: str) -> None:
        self.drop(self.uplink, packet, why)
