"""LanGateway: a router with an interface in each LAN it joins. RFC 1812 5.2, 5.3.1."""

from sim.node import Node, Port
from sim.nodes.interface import MTU, Addresses, Interface
from sim.nodes.stack import IpStack
from sim.reasons import Reason
from virtualtap.errors import WireError
from virtualtap.wire import checksum, icmp, ipv4, ipv6
from virtualtap.wire.address import Ip, is_link_local6, is_multicast6, is_unicast4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6


class LanGateway(Node):
    """Routes between its interfaces; answers echo requests to any address of its own.

    A routed packet counts as forwarded where it leaves at once; where it waits for an address it
    counts as consumed, and as originated when it leaves.
    """

    kind = "gateway"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.interfaces: dict[str, Interface] = {}  # by port name
        self._stacks: dict[str, IpStack] = {}
        self._owned: dict[Ip, str] = {}  # address → port name

    @property
    def stack(self) -> IpStack:
        """The IP stack of the first interface."""
        return next(iter(self._stacks.values()))

    def add_interface(self, addresses: Addresses) -> Interface:
        """One more LAN, on a port `lan1`, `lan2`, …"""
        port = self.add_port(f"lan{len(self.interfaces) + 1}")

        def deliver(packet: bytes, frame: bytes) -> None:
            self._deliver(port, packet, frame)

        def refuse(packet: bytes, why: str) -> None:
            self.drop(port, packet, why)

        interface = Interface(self, port, addresses, deliver)
        ip, ip6 = addresses.ip, addresses.ip6
        self._stacks[port.name] = IpStack(
            self, self._transmit, refuse, ip, ip6, interface.broadcast
        )
        self.interfaces[port.name] = interface
        self._owned.update(dict.fromkeys((ip, *ip6), port.name))
        return interface

    def receive(self, port: Port, data: bytes) -> None:
        self.interfaces[port.name].receive(data)

    def translate(self, port: Port, packet: bytes) -> bytes:
        """What an IP packet that came in becomes before it is taken or routed: a NAT's part."""
        return packet

    def forget(self) -> None:
        for interface in self.interfaces.values():
            interface.forget()

    def _deliver(self, port: Port, packet: bytes, frame: bytes) -> None:
        packet = self.translate(port, packet)
        six = packet[:1] >= b"\x60"
        destination = packet[24:40] if six else packet[16:20]
        owner = self._owned.get(destination)
        local = (
            is_multicast6(destination or b"\xff") if six else not is_unicast4(destination or b"\0")
        )
        if owner is not None or local or destination == self.interfaces[port.name].broadcast:
            self._stacks[owner or port.name].receive(packet)
        elif frame[0] & 1:
            self.drop(port, frame, Reason.NOT_FOR_US)  # RFC 1812 5.3.4: no unicast from a broadcast
        else:
            try:
                self._route(port, packet, frame, destination)
            except WireError:
                self.drop(port, frame, Reason.MALFORMED)

    def _route(self, port: Port, data: bytes, frame: bytes, destination: Ip) -> None:
        packet = Ipv6.parse(data) if len(destination) == 16 else Ipv4.parse(data)
        left = packet.hop_limit if isinstance(packet, Ipv6) else packet.ttl
        if left <= 1:
            self.drop(port, frame, Reason.TTL_EXPIRED)
            self._complain(port, packet, data, (icmp.TIME_EXCEEDED, icmp.TIME_EXCEEDED6))
            return
        local = len(destination) == 16 and is_link_local6(destination)  # RFC 4291 2.5.6
        way_out = None if local else self._interface_towards(destination)
        if way_out is None:
            self.drop(port, frame, Reason.NO_ROUTE)
            self._complain(port, packet, data, (icmp.UNREACHABLE, icmp.UNREACHABLE6))
            return
        length = ipv6.total_len(data) if isinstance(packet, Ipv6) else ipv4.total_len(data)
        if length > MTU:  # RFC 1812 5.2.7.1, RFC 4443 3.2: and it does not fragment
            self.drop(port, frame, Reason.TOO_BIG)
            kinds = (icmp.UNREACHABLE, icmp.TOO_BIG6)
            self._complain(port, packet, data, kinds, icmp.FRAGMENTATION_NEEDED)
            return
        if way_out.transmit(_one_hop_less(data)):
            self.fates.forwarded += 1
            self.fates.copies += 1
        else:
            self.fates.consumed += 1

    def _complain(
        self,
        port: Port,
        packet: Ipv4 | Ipv6,
        data: bytes,
        kinds: tuple[int, int],
        code: int = 0,
    ) -> None:
        """RFC 1812 4.3.2: quote the packet's head to its sender, never about an ICMP error."""
        stack = self._stacks[port.name]
        if isinstance(packet, Ipv4):
            error = packet.protocol == ipv4.ICMP and packet.payload[:1] not in (b"\x00", b"\x08")
            if error or packet.fragment & 0x1FFF or not is_unicast4(packet.source):
                return
            rest = MTU if code == icmp.FRAGMENTATION_NEEDED else 0  # RFC 1191 4
            quoted = data[: ipv4.header_len(data) + 8]
            body = Icmp(kinds[0], code, rest, quoted).summed()
            number = stack.next_identification()
            answer = Ipv4(stack.ip, packet.source, ipv4.ICMP, body, identification=number)
            self._transmit(answer.to_bytes())
        elif stack.ip6 and not (packet.next_header == ipv6.ICMPV6 and packet.payload[:1] < b"\x80"):
            rest = MTU if kinds[1] == icmp.TOO_BIG6 else 0
            message = Icmp(kinds[1], 0, rest, data[: 1280 - 48])  # RFC 4443 2.4 (c)
            source = stack.ip6[0]
            reply = Ipv6(source, packet.source, ipv6.ICMPV6, message.between(source, packet.source))
            self._transmit(reply.to_bytes())

    def _transmit(self, packet: bytes) -> None:
        destination = packet[24:40] if packet[0] >> 4 == 6 else packet[16:20]
        interface = self._interface_towards(destination)
        if not self.up or interface is None:
            return
        if interface.transmit(packet):
            self.fates.originated += 1

    def _interface_towards(self, destination: Ip) -> Interface | None:
        for interface in self.interfaces.values():
            if interface.is_on_link(destination):
                return interface
        return None


def _one_hop_less(packet: bytes) -> bytes:
    """TTL or hop limit less one; the header checksum by RFC 1624."""
    if packet[0] >> 4 == 6:
        return packet[:7] + bytes((packet[7] - 1,)) + packet[8 : ipv6.total_len(packet)]
    old = int.from_bytes(packet[8:10])
    value = checksum.update(int.from_bytes(packet[10:12]), old, old - 0x100)
    head = packet[:8] + (old - 0x100).to_bytes(2) + value.to_bytes(2)
    return head + packet[12 : ipv4.total_len(packet)]
