"""IpStack: what an IP endpoint does with its packets. RFC 1122 3.2, 768, 792, 4443.

Every packet is checked before it counts: version, lengths, header checksum, and the checksum of
its payload. What it carries is handed to whoever bound the port; echo requests are answered.
"""

from collections.abc import Callable

from sim.node import Node
from sim.reasons import Reason
from virtualtap.errors import WireError
from virtualtap.stats import DropReason
from virtualtap.wire import checksum, icmp, ipv4, ipv6
from virtualtap.wire.address import LIMITED_BROADCAST, Ip, is_multicast4, is_multicast6
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6

Receiver = Callable[[bytes], bool]  # one whole packet; False: a checksum in it is wrong


class IpStack:
    """The addresses of one endpoint, its sockets, and its way out.

    `transmit` sends one IP packet. `drop(packet, why)` refuses one that came in.
    """

    def __init__(
        self,
        owner: Node,
        transmit: Callable[[bytes], None],
        drop: Callable[[bytes, str], None],
        ip: Ip,
        ip6: tuple[Ip, ...] = (),
        broadcast: Ip | None = None,
    ) -> None:
        self.ip6 = ip6
        self.transmit = transmit
        self._owner = owner
        self._fates = owner.fates
        self._drop = drop
        self.also: frozenset[Ip] = frozenset()  # addresses that it has besides
        self.configure(ip, broadcast)
        self._udp: dict[bytes, Receiver] = {}  # by destination port, 2 bytes
        self._echo: dict[bytes, Receiver] = {}  # by identifier, 2 bytes
        self._from: dict[Ip, Receiver] = {}  # by source, what no port takes
        self._identification = 0

    @property
    def up(self) -> bool:
        """Whether the endpoint runs: a crashed one says nothing, nor does one that sleeps."""
        return self._owner.up and not self._owner.asleep

    def configure(self, ip: Ip, broadcast: Ip | None) -> None:
        """It has this IPv4 address from now on, and hears this subnet's broadcast."""
        self.ip = ip
        self._accepted = {ip, LIMITED_BROADCAST, broadcast}

    def answer_for(self, also: frozenset[Ip]) -> None:
        """It has these addresses, of both families, besides its own from now on."""
        self._accepted = (self._accepted - self.also) | also
        self.also = also

    def bind_udp(self, port: int, receiver: Receiver) -> None:
        """Hand datagrams to this port to `receiver`."""
        self._udp[port.to_bytes(2)] = receiver

    def unbind_udp(self, port: int) -> None:
        """Nobody takes datagrams to this port any longer."""
        self._udp.pop(port.to_bytes(2), None)

    def bind_echo(self, identifier: int, receiver: Receiver) -> None:
        """Hand echo replies with this identifier to `receiver`."""
        self._echo[identifier.to_bytes(2)] = receiver

    def bind_source(self, source: Ip, receiver: Receiver) -> None:
        """Hand every packet from this address that nothing else takes to `receiver`."""
        self._from[source] = receiver

    def next_identification(self) -> int:
        """A fresh IPv4 identification; wraps after 65,536. RFC 6864 4."""
        self._identification = (self._identification + 1) & 0xFFFF
        return self._identification

    def receive(self, packet: bytes) -> None:
        """One IP packet for this endpoint, or a wrong one."""
        if (  # the ordinary datagram: IPv4 without options or fragments, UDP
            packet[:1] == b"\x45"
            and packet[9:10] == b"\x11"
            and packet[16:20] in self._accepted
            and (packet[2] << 8) | packet[3] == len(packet) >= 28
            and not (packet[6] & 0x3F or packet[7])
            and int.from_bytes(packet[:20]) % 0xFFFF == 0
        ):
            receiver = self._udp.get(packet[22:24]) or self._from.get(packet[12:16])
            if receiver is None:
                self._drop(packet, Reason.NO_LISTENER)
            elif receiver(packet):
                self._fates.consumed += 1
            else:
                self._drop(packet, Reason.CHECKSUM)
            return
        try:
            why = self._receive6(packet) if packet[:1] >= b"\x60" else self._receive4(packet)
        except WireError:
            why = Reason.MALFORMED
        if why is None:
            self._fates.consumed += 1
        else:
            self._drop(packet, why)

    def _receive4(self, data: bytes) -> str | None:
        packet = Ipv4.parse(data)
        if packet.destination not in self._accepted and not is_multicast4(packet.destination):
            return Reason.NOT_FOR_US
        if is_multicast4(packet.source) or packet.source == LIMITED_BROADCAST:
            return DropReason.BAD_ADDRESS  # RFC 1122 3.2.1.3; route.c: a martian source
        data = data[: ipv4.total_len(data)]
        if packet.fragment & 0x3FFF:
            return self._hand_over({}, b"", data)  # nobody here reassembles
        if packet.protocol == ipv4.UDP:
            if packet.options and packet.payload[2:4] in self._udp:
                packet.options = b""  # none of them matters to a socket
                data = packet.to_bytes()
            return self._hand_over(self._udp, packet.payload[2:4], data)
        if packet.protocol != ipv4.ICMP:
            return self._hand_over({}, b"", data)
        return self._icmp4(packet, data)

    def _icmp4(self, packet: Ipv4, data: bytes) -> str | None:
        if not checksum.is_right(packet.payload):
            return Reason.CHECKSUM
        message = Icmp.parse(packet.payload)
        if message.type == icmp.ECHO_REPLY:
            return self._hand_over(self._echo, packet.payload[4:6], data)
        if message.type != icmp.ECHO_REQUEST or message.code != 0:
            return self._hand_over({}, b"", data)
        if packet.destination in (self.ip, *self.also):
            # RFC 1122 3.2.2.6: a broadcast may stay unanswered
            self._echoed(len(message.payload))
            answer = Icmp(icmp.ECHO_REPLY, 0, message.rest, message.payload).summed()
            number = self.next_identification()
            us = packet.destination
            reply = Ipv4(us, packet.source, ipv4.ICMP, answer, identification=number)
            self.transmit(reply.to_bytes())
        return None

    def _receive6(self, data: bytes) -> str | None:
        packet = Ipv6.parse(data)
        data = data[: ipv6.total_len(data)]
        if not (self._is_ours6(packet.destination) or is_multicast6(packet.destination)):
            return Reason.NOT_FOR_US
        if is_multicast6(packet.source):
            return DropReason.BAD_ADDRESS  # RFC 4291 2.7; ip6_input.c
        if packet.next_header not in (ipv6.UDP, ipv6.ICMPV6):
            return self._hand_over({}, b"", data)
        if not checksum.transport_is_right(
            packet.source, packet.destination, packet.next_header, packet.payload
        ):
            return Reason.CHECKSUM
        if packet.next_header == ipv6.UDP:
            return self._hand_over(self._udp, packet.payload[2:4], data)
        return self._icmp6(packet, data)

    def _icmp6(self, packet: Ipv6, data: bytes) -> str | None:
        message = Icmp.parse(packet.payload)
        if message.type == icmp.ECHO_REPLY6:
            return self._hand_over(self._echo, packet.payload[4:6], data)
        if message.type != icmp.ECHO_REQUEST6 or message.code != 0:
            return self._hand_over({}, b"", data)
        if self._is_ours6(packet.destination):
            self._echoed(len(message.payload))
            answer = Icmp(icmp.ECHO_REPLY6, 0, message.rest, message.payload)
            body = answer.between(packet.destination, packet.source)
            reply = Ipv6(packet.destination, packet.source, ipv6.ICMPV6, body)
            self.transmit(reply.to_bytes())
        return None

    def _is_ours6(self, ip: Ip) -> bool:
        return ip in self.ip6 or ip in self.also

    def _hand_over(self, bound: dict[bytes, Receiver], key: bytes, data: bytes) -> str | None:
        receiver = bound.get(key)
        if receiver is None:
            source = data[8:24] if data[0] >> 4 == 6 else data[12:16]
            receiver = self._from.get(source)
        if receiver is None:
            return Reason.NO_LISTENER
        return None if receiver(data) else Reason.CHECKSUM

    def _echoed(self, length: int) -> None:
        """A request was handed to the echo service, and its reply is given to this stack."""
        tally = self._owner.network.tally
        tally.delivered += 1
        tally.delivered_bytes += length
        tally.offered += 1
        tally.offered_bytes += length
