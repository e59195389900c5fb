"""SecureNAT: a host, a DHCP server and a NAT of the hub's own. Virtual.c, Nat.c, SecureNAT.c.

One machine with two sides: frames of the hub, IPv4 packets of the server's own network. It speaks
IPv4 alone. It says nothing to what it refuses: no RST of its own, no unreachable, no word on size.
"""

from sim.nodes.segment import RST, Segment
from sim.nodes.softether.constants import Version
from sim.nodes.softether.nat_arp import ArpTable
from sim.nodes.softether.nat_dhcp import DhcpServer
from sim.nodes.softether.nat_dns import DNS, LLMNR
from sim.nodes.softether.nat_kernel import KernelNat
from sim.nodes.softether.nat_reassembly import NatReassembly
from sim.nodes.softether.nat_table import TTL, Site, UserNat
from sim.nodes.softether.nat_tcp import TcpProxy
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import L3, Packet
from sim.nodes.softether.parsing import parse
from sim.nodes.softether.vh_option import Mode, Ping, VhOption
from sim.nodes.tcp import Socket
from sim.rng import Stream
from virtualtap.errors import WireError
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import arp, checksum, icmp, ipv4
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, Ip, Mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

BEACON_SEND_INTERVAL: Duration = 5 * SECOND  # Virtual.h
FRAMES_PER_TURN = 128  # MAX_SEND_SOCKET_QUEUE_NUM: what a turn of the session's loop takes
_BEACON_PORT = 7
_BEACON = b"SecureNAT is here".ljust(38, b"\0")  # as long as the product's
_SEARCHES = (137, 138, 1900, 3702)  # NetBIOS, SSDP, WSD


class SecureNat:
    """The virtual host of one hub, and what it does for the others."""

    def __init__(
        self,
        option: VhOption,
        rng: Stream,
        *,
        mode: Mode = Mode.USER,
        ping: Ping = Ping.RAW,
        site: Site | None = None,
        options: HubOptions | None = None,
        version: Version = Version.DEVELOPER,
    ) -> None:
        """`options` are the hub's; `site` says where its server is on its own network."""
        options, site = options or HubOptions(), site or Site()
        drawn = bytes(rng.below(256) for _ in range(5))
        self.mac: Mac = option.MacAddress or b"\x5e" + drawn
        is_off = mode is Mode.USER and options.DisableUserModeSecureNAT
        self.option, self.mode = option, Mode.OFF if is_off else mode
        self.arp = ArpTable()
        self.dhcp = DhcpServer(
            option, rng, version=version, randomize=options.SecureNAT_RandomizeAssignIp
        )
        self._site = site
        self._now: Instant = 0
        self._frames: list[bytes] = []
        self._packets: list[bytes] = []
        self._identification = 0
        self._beacon_at: Instant = 0
        self._reassembly = NatReassembly()
        out = self._inward, self._packets.append
        self.kernel = KernelNat(option, site, *out)
        self.nat = UserNat(
            option, site, *out, options=options, ping=ping, more=lambda: len(self.tcp)
        )
        self.tcp = TcpProxy(
            option, site, *out, rng=rng, options=options, more=lambda: len(self.nat)
        )

    # the contract of a machine, and its other side

    def receive(self, frame: bytes, now: Instant) -> None:
        """A frame that the hub gave to this session."""
        self._now = now
        cut = parse(frame)
        if cut is None or cut[6:12] == self.mac or not (cut[0] & 1 or cut[:6] == self.mac):
            return
        try:
            if cut[12:14] == ARP:
                self._receive_arp(cut)
            elif cut[12:14] == IPV4:
                self._receive_ipv4(cut)
        except WireError:
            return

    def from_outside(self, data: bytes, now: Instant) -> None:
        """An IPv4 packet that reached the server."""
        self._now = now
        try:
            packet = Ipv4.parse(data)
            if packet.destination == self._site.ip and _is_whole(packet):
                self._from_outside(packet)
        except WireError:
            return

    def poll(self, now: Instant) -> None:
        """Do what is due: the beacon, questions, time-outs."""
        self._now = now
        if self._beacon_at <= now:
            self._beacon_at = now + BEACON_SEND_INTERVAL
            self._beacon()
        for ip in self.arp.poll(now):
            self._ask(ip)
        for part in (self.dhcp, self._reassembly, self.nat, self.tcp, self.kernel):
            part.poll(now)

    def next_deadline(self) -> Instant:
        """When `poll` should be called; at once where a turn had too many frames."""
        if self._frames:
            return self._now
        parts = self.arp, self.dhcp, self._reassembly, self.nat, self.tcp, self.kernel
        return min([self._beacon_at, *(part.due for part in parts if part.due is not None)])

    def take_frames(self) -> list[bytes]:
        """What it says to the hub: of one turn at most 128 frames, the rest in the next ones."""
        taken, self._frames = self._frames[:FRAMES_PER_TURN], self._frames[FRAMES_PER_TURN:]
        return taken

    def take_outside(self) -> list[bytes]:
        """What it says to the server's own network."""
        taken = self._packets[:]
        self._packets.clear()
        return taken

    @property
    def is_hasty(self) -> bool:
        """Whether its loop turns every SELECT_TIME_FOR_NAT."""
        return self.arp.is_asking or bool(len(self.nat) or len(self.tcp) or len(self.kernel))

    # receiving

    def _receive_arp(self, frame: bytes) -> None:
        message = Arp.parse(frame[HEADER_LEN:])
        if message.sender_mac != frame[6:12]:
            return
        self._learn(message.sender_ip, message.sender_mac)
        if message.operation == arp.REQUEST and message.target_ip == self.option.Ip:
            answer = arp.reply(self.mac, self.option.Ip, message)
            self._frames.append(message.sender_mac + self.mac + ARP + answer)

    def _receive_ipv4(self, frame: bytes) -> None:
        look = Packet(frame)
        if look.l3 is L3.IPV4 and self.option.UseDhcp and look.dhcp and look.source is not None:
            source = look.source, look.source_port
            answer = self.dhcp.receive(frame[6:12], source, look.dhcp, self._now)
            if answer is not None:
                body = Udp(67, answer.port, answer.payload).between(self.option.Ip, answer.to)
                self._inward(self.option.Ip, answer.to, ipv4.UDP, body)
            return
        packet = Ipv4.parse(frame[HEADER_LEN:])
        self._learn(packet.source, frame[6:12])
        if packet.fragment & (ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK):
            whole = self._reassembly.add(packet, self._now)
            if whole is None:
                return
            packet.payload, packet.fragment, packet.options = whole, 0, b""
        is_to_all = bool(frame[0] & 1)
        if packet.protocol == ipv4.ICMP and not is_to_all:
            self._receive_icmp(packet)
        elif packet.protocol == ipv4.TCP and not is_to_all:
            self._receive_tcp(packet)
        elif packet.protocol == ipv4.UDP:
            self._receive_udp(packet, is_to_all=is_to_all)

    def _receive_icmp(self, packet: Ipv4) -> None:
        if not checksum.is_right(packet.payload) or self.mode is Mode.OFF:
            return
        message = Icmp.parse(packet.payload)
        if message.type != icmp.ECHO_REQUEST:
            return
        if packet.destination == self.option.Ip:
            answer = Icmp(icmp.ECHO_REPLY, 0, message.rest, message.payload).summed()
            self._inward(self.option.Ip, packet.source, ipv4.ICMP, answer)
        elif self._is_translated(packet.destination, on_subnet=self.mode is Mode.KERNEL):
            self._translate_echo(packet, message)
        elif self.option.UseNat and self.mode is Mode.USER and self.nat.fakes:
            self.nat.echo(packet, message, self._now)

    def _translate_echo(self, packet: Ipv4, message: Icmp) -> None:
        if packet.ttl <= 1:
            quoted = packet.to_bytes()[: ipv4.HEADER_LEN + len(packet.options) + 8]
            error = Icmp(icmp.TIME_EXCEEDED, 0, 0, quoted).summed()
            self._inward(self.option.Ip, packet.source, ipv4.ICMP, error)
        elif self.mode is Mode.KERNEL:
            self.kernel.receive(packet, self._now)
        else:
            self.nat.echo(packet, message, self._now)

    def _receive_tcp(self, packet: Ipv4) -> None:
        if not self._is_translated(packet.destination):
            return
        if self.mode is Mode.KERNEL:
            self.kernel.receive(packet, self._now)
        elif self.mode is Mode.USER:
            self.tcp.receive(packet, self._now)
        else:
            segment = Segment.parse(packet.payload)
            if not segment.flags & RST:
                ends = packet.destination, packet.source
                self._inward(*ends, ipv4.TCP, segment.refusal().between(*ends))

    def _receive_udp(self, packet: Ipv4, *, is_to_all: bool) -> None:
        datagram = Udp.parse(packet.payload)
        is_odd = len(datagram.payload) + 8 != len(packet.payload)
        if is_odd or not self.option.UseNat or self.mode is Mode.OFF:
            return
        client = packet.source, datagram.source_port
        target = packet.destination, datagram.destination_port
        if is_to_all:
            self._search(client, target[1], datagram.payload)
        elif target == (self.option.Ip, DNS):
            self.nat.dns(client, target, datagram.payload, self._now)
        elif not self._is_translated(packet.destination):
            return
        elif self.mode is Mode.KERNEL:
            self.kernel.receive(packet, self._now)
        else:
            self.nat.udp(client, target, datagram.payload, self._now)

    def _search(self, client: Socket, port: int, payload: bytes) -> None:
        """A datagram to all: only those who look for a name or a device are heard."""
        if port == LLMNR:
            self.nat.llmnr(client, self.option.Ip, payload, self._now)
        elif port in _SEARCHES:
            self.nat.broadcast(client, port, payload, self._now)

    def _is_translated(self, target: Ip, *, on_subnet: bool = False) -> bool:
        return self.option.UseNat and (on_subnet or not self.option.is_on_subnet(target))

    def _from_outside(self, packet: Ipv4) -> None:
        if self.mode is Mode.KERNEL and self.kernel.from_outside(packet, self._now):
            return
        if packet.protocol == ipv4.TCP:
            self.tcp.from_outside(packet, self._now)
        else:
            self.nat.from_outside(packet, self._now)

    # sending

    def _learn(self, ip: Ip, mac: Mac) -> None:
        for packet in self.arp.learn(ip, mac, self._now):
            self._frames.append(mac + self.mac + IPV4 + packet)

    def _ask(self, ip: Ip) -> None:
        question = arp.request(self.mac, self.option.Ip, ip)
        self._frames.append(BROADCAST + self.mac + ARP + question)

    def _inward(self, source: Ip, target: Ip, protocol: int, payload: bytes) -> None:
        """One datagram to a client: a fresh header, DF never set, in pieces where it is long."""
        self._identification = (self._identification + 1) & 0xFFFF
        number = self._identification
        whole = Ipv4(source, target, protocol, payload, ttl=TTL, identification=number)
        for packet in ipv4.fragments(whole.to_bytes(), self.option.ip_mss + ipv4.HEADER_LEN):
            self._transmit(target, packet)

    def _transmit(self, target: Ip, packet: bytes) -> None:
        if target in (LIMITED_BROADCAST, self.option.broadcast):
            self._frames.append(BROADCAST + self.mac + IPV4 + packet)
            return
        mac = self.arp.lookup(target)  # on the subnet or not: it has no gateway on this side
        if mac is not None:
            self._frames.append(mac + self.mac + IPV4 + packet)
        elif self.arp.hold(target, packet, self._now):
            self._ask(target)

    def _beacon(self) -> None:
        ip, all_hosts = self.option.Ip, self.option.broadcast
        self._inward(
            ip, all_hosts, ipv4.UDP, Udp(_BEACON_PORT, _BEACON_PORT, _BEACON).between(ip, all_hosts)
        )
        message = Arp(arp.REPLY, self.mac, ip, BROADCAST, all_hosts).to_bytes()
        self._frames.append(BROADCAST + self.mac + ARP + message)


def _is_whole(packet: Ipv4) -> bool:
    """Whether the server's system takes it: it is in one piece, and its checksum is right."""
    body = packet.payload
    if packet.fragment & (ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK):
        return False
    if packet.protocol == ipv4.ICMP:
        return checksum.is_right(body)
    if packet.protocol == ipv4.UDP and body[6:8] == b"\0\0":
        return True
    ends = packet.source, packet.destination
    return checksum.transport_is_right(*ends, packet.protocol, body)
