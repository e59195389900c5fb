"""IpcClient: SoftEther's own layer-3 client inside the server. IPC.c.

L2TP, SSTP, OpenVPN and WireGuard go through it. It solves VirtualTap's problem in another way, so
it is a `Translator` too, and its faults are kept: it asks once and gives up after a second, what is
sent prolongs an entry that may be wrong, it does not hear 239.255.x.x, and what is longer than 1500
bytes vanishes.
"""

from sim.nodes.softether.identity import sha0
from sim.nodes.softether.ipc_dhcp import IpcDhcp
from sim.nodes.softether.ipc_ipv6 import Advertised, IpcIpv6
from sim.nodes.softether.ipc_neighbors import IpcNeighbors
from sim.nodes.softether.options import HubOptions
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError, WireError
from virtualtap.events import Event
from virtualtap.rand import Rand
from virtualtap.stats import DropReason, Stats
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import arp, dhcp, ipv4
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    LIMITED_BROADCAST,
    NO_MAC,
    Ip,
    Mac,
    Route,
    is_link_local6,
    is_multicast4,
    is_unicast4,
    multicast_mac4,
    network_mask,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6

IPC_ARP_LIFETIME: Duration = 180 * SECOND  # IPC.h; since it was heard, or sent to
IPC_ARP_GIVEUPTIME: Duration = 1 * SECOND  # IPC.h
IPC_MAX_PACKET_QUEUE_LEN = 10_000  # packets for one address; IPC.h
_MTU = 1500  # whatever the configuration says
_OPTIONS = HubOptions()


class IpcClient:
    """One in-process session. Of the configuration it knows addresses, routes, `dhcp`, `slaac`.

    Without `our_ip` and `dhcp` it is a WireGuard client's: its address is the source of the first
    packet, mask and gateway are the hub's options. Static IPv6 stands for what a router would have
    advertised. It needs `poll` as an engine does; time never goes back (UsageError).
    """

    def __init__(
        self,
        config: TapConfig,
        *,
        options: HubOptions = _OPTIONS,
        hub: str = "",
        host_name: str = "",
    ) -> None:
        self.mac: Mac = config.our_mac
        self.stats = Stats()
        self._now: Instant = 0
        self._frames: list[bytes] = []
        self._arp = IpcNeighbors(IPC_ARP_LIFETIME, IPC_ARP_GIVEUPTIME, IPC_MAX_PACKET_QUEUE_LEN)
        self._dhcp: IpcDhcp | None = None
        self.ip: Ip | None = None
        self.routes = tuple(Route(*route) for route in config.routes)
        if config.dhcp:
            rand = Rand(config.random_seed, config.our_mac)
            self._dhcp = IpcDhcp(self.mac, rand, options, hub, host_name)
        else:
            self.ip = config.our_ip
        if self.ip is None:
            self._prefix_length = int.from_bytes(options.DefaultSubnet).bit_count()
            self.gateway: Ip = options.DefaultGateway
        else:
            self._prefix_length = config.prefix_length
            self.gateway = config.gateway_ip or ANY4
        self._ipv6 = self._begin6(config)

    @property
    def server(self) -> Ip | None:
        """Who leased it its address."""
        lease = None if self._dhcp is None else self._dhcp.lease
        return None if lease is None else lease.server

    # the verbs

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        """The frame for one packet of the client; None: it waits, or vanished. IPCSendIPv4."""
        self._advance(now)
        version = packet[0] >> 4 if packet else 0
        frame = None
        if len(packet) > _MTU:
            self._drop(DropReason.TOO_BIG)
        elif version == 4:
            frame = self._send4(packet)
        elif version == 6 and self._ipv6 is not None:
            frame = self._send6(self._ipv6, packet)
        else:
            self._drop(DropReason.MALFORMED)
        self.stats.to_ethernet += frame is not None
        return frame

    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None:
        """The packet for the client; None: answered, learned or ignored. IPCProcessL3EventsEx."""
        self._advance(now)
        why = self._objection(frame)
        if why is not None:
            self._drop(why)
            return None
        packet = None
        kind = frame[12:14]
        try:
            if kind == ARP:
                self._receive_arp(Arp.parse(frame[HEADER_LEN:]))
            elif kind == IPV4:
                packet = self._receive4(frame)
            elif kind == IPV6 and self._ipv6 is not None:
                packet = self._ipv6.incoming(frame[6:12], frame[HEADER_LEN:], self._now)
                self._count_released()
            else:
                self._drop(DropReason.UNSUPPORTED)
        except WireError:
            self._drop(DropReason.MALFORMED)
        self.stats.to_ip += packet is not None
        return packet

    def poll(self, now: Instant) -> None:
        """Ask again for an address, give up neighbours."""
        self._advance(now)

    def next_deadline(self) -> Instant | None:
        """When `poll` has something to do."""
        parts = (self._arp, self._dhcp, self._ipv6)
        dues = (part.due for part in parts if part is not None)
        return min((due for due in dues if due is not None), default=None)

    def take_frames(self) -> list[bytes]:
        """To the hub: questions, answers, what waited."""
        taken, self._frames = self._frames, []
        return taken

    def take_packets(self) -> list[bytes]:
        """Nothing: what comes in goes out at once."""
        return []

    # what a driver and a test look at

    def take_events(self) -> list[Event]:
        """None: it tells nobody anything."""
        return []

    def holding(self) -> int:
        """How many packets wait."""
        return self._arp.holding() + (self._ipv6.holding() if self._ipv6 else 0)

    def neighbors(self) -> dict[Ip, Mac]:
        """Who is known to be at which MAC, of IPv4."""
        return self._arp.known()

    def release(self, now: Instant | None = None) -> None:
        """A clean end: the lease is given back, once, to everybody."""
        self._advance(now)
        if self._dhcp is not None:
            self._dhcp.release()
            self._send_dhcp(self._dhcp)

    # sending

    def _send4(self, packet: bytes) -> bytes | None:
        if len(packet) < ipv4.HEADER_LEN:
            self._drop(DropReason.MALFORMED)
            return None
        source, target = packet[12:16], packet[16:20]
        if self.ip is None:
            if self._dhcp is not None:
                self._drop(DropReason.NO_ADDRESS)
                return None
            self.ip = source
        if source != self.ip or target in (ANY4, self.ip):
            self._drop(DropReason.BAD_ADDRESS)
            return None
        return self._route(packet, target)

    def _route(self, packet: bytes, target: Ip) -> bytes | None:
        hop = target if self._is_near(target) else self._router(target)
        if hop == ANY4:  # groups and broadcasts do not escape this
            self._drop(DropReason.NO_ROUTE)
            return None
        if target in (LIMITED_BROADCAST, self._broadcast()):
            return BROADCAST + self.mac + IPV4 + packet
        if is_multicast4(target):
            return multicast_mac4(target) + self.mac + IPV4 + packet
        known = self._arp.lookup(hop)
        if known is not None:
            self._arp.prolong(hop, self._now)
            return known + self.mac + IPV4 + packet
        if not self._arp.is_asked(hop):
            question = arp.request(self.mac, self.ip or ANY4, hop)
            self._frames.append(BROADCAST + self.mac + ARP + question)
            self.stats.requests_sent += 1
        self.stats.held += 1
        if not self._arp.hold(hop, packet, self._now):
            self._drop(DropReason.HELD_FULL)
        return None

    def _router(self, target: Ip) -> Ip:
        """Of the longest route; of the last one where several are as long."""
        number, best = int.from_bytes(target), None
        for route in self.routes:
            mask = network_mask(route.prefix_length)
            fits = number & mask == int.from_bytes(route.network)
            if fits and (best is None or route.prefix_length >= best.prefix_length):
                best = route
        return self.gateway if best is None else best.router

    def _send6(self, ipv6: IpcIpv6, packet: bytes) -> bytes | None:
        held = ipv6.holding()
        try:
            frame = ipv6.outgoing(packet, self._now)
        except WireError:
            self._drop(DropReason.MALFORMED)
            return None
        self.stats.held += ipv6.holding() - held
        return frame

    # receiving

    def _objection(self, frame: bytes) -> DropReason | None:
        """Who else it is for, or who may not have sent it."""
        if len(frame) < HEADER_LEN:
            return DropReason.MALFORMED
        to, source = frame[:6], frame[6:12]
        if to not in (self.mac, BROADCAST) and to[0] != 1 and to[:2] != b"\x33\x33":
            return DropReason.NOT_FOR_US
        if source == self.mac:
            return DropReason.OWN_FRAME
        return None if _is_unicast(source) else DropReason.BAD_ADDRESS

    def _receive_arp(self, message: Arp) -> None:
        if message.sender_ip == (self.ip or ANY4):
            return  # a conflict, and nobody defends
        self._learn(message.sender_ip, message.sender_mac)
        self._learn(message.target_ip, message.target_mac)
        asked = message.operation == arp.REQUEST and message.target_ip == self.ip
        if asked and self.ip is not None and _is_unicast(message.sender_mac):
            answer = arp.reply(self.mac, self.ip, message)
            self._frames.append(message.sender_mac + self.mac + ARP + answer)
            self.stats.requests_answered += 1

    def _receive4(self, frame: bytes) -> bytes | None:
        packet = frame[HEADER_LEN:]
        if len(packet) < ipv4.HEADER_LEN:
            self._drop(DropReason.MALFORMED)
            return None
        target = packet[16:20]
        ours = self.ip is None or target in (self.ip, LIMITED_BROADCAST, self._broadcast())
        if not ours and not (target[0] >= 224 and target[1] <= 239):  # the wrong octet
            self._drop(DropReason.NOT_FOR_US)
            return None
        if self._dhcp is not None and self._is_awaited(self._dhcp, packet):
            return None
        self._learn(packet[12:16], frame[6:12])
        if self.ip is None:
            self._drop(DropReason.NO_ADDRESS)
            return None
        return packet

    def _is_awaited(self, client: IpcDhcp, packet: bytes) -> bool:
        at = ipv4.header_len(packet)
        ports = dhcp.SERVER_PORT.to_bytes(2) + dhcp.CLIENT_PORT.to_bytes(2)
        if packet[9] != ipv4.UDP or packet[at : at + 4] != ports:
            return False
        if not client.receive(packet[at + 8 :], self._now):
            return False
        if client.lease is not None:
            lease = client.lease
            self.ip, self._prefix_length = lease.ip, lease.prefix_length
            self.gateway, self.routes = lease.gateway, lease.routes
        self._send_dhcp(client)
        return True

    def _learn(self, ip: Ip, mac: Mac) -> None:
        """From anybody who speaks inside the subnet, asked or not."""
        if ip == self.ip or mac == self.mac or not (is_unicast4(ip) and _is_unicast(mac)):
            return
        if self.ip is None or not self._is_near(ip) or ip == self._broadcast():
            return
        for packet in self._arp.learn(ip, mac, self._now):
            self.stats.released += 1
            self._frames.append(mac + self.mac + IPV4 + packet)

    # the rest

    def _begin6(self, config: TapConfig) -> IpcIpv6 | None:
        if not config.our_ip6 and not config.slaac:
            return None
        local = next((one for one in config.our_ip6 if is_link_local6(one)), None)
        routed = [one for one in config.our_ip6 if not is_link_local6(one)]
        known = [Advertised(one, 64, config.gateway_ip6) for one in routed]
        return IpcIpv6(self.mac, local, known, self._say, solicits=config.slaac)

    def _say(self, frame: bytes) -> None:
        self._frames.append(frame)

    def _advance(self, now: Instant | None) -> None:
        if now is None:
            return
        if now < self._now:
            raise UsageError(f"time went back from {self._now} to {now}")
        self._now = now
        lost = self._arp.flush(now)
        if self._dhcp is not None:
            self._dhcp.poll(now)
            self._send_dhcp(self._dhcp)
        if self._ipv6 is not None:
            lost += self._ipv6.poll(now)
        for _ in range(lost):
            self._drop(DropReason.UNRESOLVED)

    def _send_dhcp(self, client: IpcDhcp) -> None:
        for packet in client.take():
            frame = self._route(packet, packet[16:20])
            if frame is not None:
                self._frames.append(frame)

    def _count_released(self) -> None:
        assert self._ipv6 is not None
        self.stats.released += self._ipv6.released
        self._ipv6.released = 0

    def _is_near(self, ip: Ip) -> bool:
        mask = network_mask(self._prefix_length)
        ours = int.from_bytes(self.ip or ANY4)
        return int.from_bytes(ip) & mask == ours & mask

    def _broadcast(self) -> Ip:
        hosts = ~network_mask(self._prefix_length) & 0xFFFFFFFF
        return (int.from_bytes(self.ip or ANY4) | hosts).to_bytes(4)

    def _drop(self, why: DropReason) -> None:
        self.stats.dropped[why] = self.stats.dropped.get(why, 0) + 1
        self.stats.dropped_total += 1


def ipc_mac(machine: str, hub: str, unique: str) -> Mac:
    """CA and five bytes of its name: the same for the same slot. Session.c:NewServerSessionEx."""
    return b"\xca" + sha0(f"{machine}@{hub}@{unique}".upper().encode())[1:6]


def _is_unicast(mac: Mac) -> bool:
    """As the product asks: odd first bytes other than 01 pass."""
    return mac not in (NO_MAC, BROADCAST) and mac[0] != 1 and mac[:2] != b"\x33\x33"
