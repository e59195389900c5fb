"""Station: an Ethernet endpoint with its own ARP and neighbour discovery."""

from sim.node import Node, Port
from sim.nodes.interface import Addresses, Interface
from sim.nodes.stack import IpStack


class Station(Node):
    """A computer on a LAN: one interface, one IP stack. It speaks when spoken to or sending."""

    kind = "station"

    def __init__(self, name: str, addresses: Addresses) -> None:
        super().__init__(name)
        self.port = self.add_port("eth0")
        self.interface = Interface(self, self.port, addresses, self._deliver)
        self.stack = IpStack(
            self,
            self._transmit,
            self._refuse,
            addresses.ip,
            addresses.ip6,
            self.interface.broadcast,
        )

    def receive(self, port: Port, data: bytes) -> None:
        self.interface.receive(data)

    def forget(self) -> None:
        self.interface.forget()

    def _deliver(self, packet: bytes, frame: bytes) -> None:
        self.stack.receive(packet)

    def _transmit(self, packet: bytes) -> None:
        if not self.up:
            return
        if self.interface.transmit(packet):
            self.fates.originated += 1

    def _refuse(self, packet: bytes, why: str) -> None:
        self.drop(self.port, packet, why)
