"""A NAT, a fault and a probe of the NAT: a plugin for virtualtap."""

from dataclasses import dataclass
from typing import ClassVar

from sim.nodes.gateway import LanGateway
from sim.plugins import FaultKind, NodeKind, Plugin, whole
from sim.probes import Probe
from virtualtap.wire import checksum

ICMP, UDP = b"\x01", b"\x11"


class Nat(LanGateway):
    """a router that speaks for all behind its first link, as if it were they."""

    kind = "nat"

    def __init__(self, name):
        super().__init__(name)
        self.bindings = {}  # protocol, and port or echo identifier → whose

    def forget(self):
        super().forget()
        self.bindings.clear()

    def translate(self, port, packet):
        inside, outside = self.interfaces.values()
        protocol = packet[9:10]
        if len(packet) < 28 or packet[0] != 0x45 or protocol not in (ICMP, UDP):
            return packet
        if port is inside.port and not inside.is_on_link(packet[16:20]):
            number = packet[20:22] if protocol == UDP else packet[24:26]
            self.bindings[protocol + number] = packet[12:16]
            return readdressed(packet, 12, outside.ip)
        number = packet[22:24] if protocol == UDP else packet[24:26]
        host = self.bindings.get(protocol + number)
        if port is outside.port and packet[16:20] == outside.ip and host is not None:
            return readdressed(packet, 16, host)
        return packet


def readdressed(packet, at, address):
    """The packet with another address at this offset, its checksums updated (RFC 1624)."""
    old, new = (int.from_bytes(one) for one in (packet[at : at + 4], address))
    changed = bytearray(packet)
    changed[at : at + 4] = address
    for where in (10, 26) if packet[9:10] == UDP else (10,):
        value = checksum.update(int.from_bytes(packet[where : where + 2]), old, new)
        changed[where : where + 2] = value.to_bytes(2)
    return bytes(changed)


@dataclass(frozen=True, slots=True)
class OneIn:
    """One frame in so many is lost."""

    name: ClassVar[str] = "one-in"
    n: int

    def apply(self, frame, rng):
        return () if rng.below(self.n) == 0 else ((0, frame),)


class Bindings(Probe):
    """How many conversations the NATs carry."""

    name, fields = "nat", ("bindings",)

    def __init__(self, built):
        nodes = built.network.nodes.values()
        self.nats = [node for node in nodes if isinstance(node, Nat)]

    def value(self, field):
        return sum(len(nat.bindings) for nat in self.nats)


PLUGIN = Plugin(
    name="natty",
    version="1.0",
    nodes=[NodeKind(node=Nat, least=2, most=2)],
    faults=[FaultKind(OneIn, {"n": whole(2, 1000)})],
    probes=[Bindings],
)
