"""IPv6 of the in-process client: a relay of neighbour discovery for a host on PPP. IPC.c.

It resolves for the host and writes its own MAC into what the host says of itself; it answers
nobody: the host does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.nodes.softether.identity import link_local
from sim.nodes.softether.ipc_neighbors import IpcNeighbors
from virtualtap.errors import WireError
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import (
    ALL_ROUTERS6,
    Ip,
    Mac,
    is_link_local6,
    is_multicast6,
    is_unicast6,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ethernet import IPV6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage, RouterAdvertisement, RouterSolicitation

IPC_IPV6_NDT_LIFETIME: Duration = 30 * SECOND  # IPC.h; since it was heard
IPC_IPV6_NDT_GIVEUPTIME: Duration = 3 * SECOND  # IPC.h
IPC_IPV6_RA_INTERVAL: Duration = 2 * SECOND  # IPC.h
IPC_IPV6_RA_MAX_RETRIES = 2  # IPC.h
PREFIXES_MAX = 10
_Discovery = RouterSolicitation | RouterAdvertisement | NeighborMessage


@dataclass(frozen=True, slots=True)
class Advertised:
    """A prefix and who advertised it; None: nobody, it was configured."""

    prefix: Ip
    length: int
    router: Ip | None

    def holds(self, ip: Ip) -> bool:
        """Whether the address is inside."""
        bits = 128 - self.length
        return int.from_bytes(ip) >> bits == int.from_bytes(self.prefix) >> bits


class IpcIpv6:
    """The neighbours and routers of one client; `send` puts a frame on the hub's side.

    `prefixes` stand for what a router has advertised already. `solicits` asks for routers at the
    start, two seconds apart, twice.
    """

    def __init__(
        self,
        mac: Mac,
        client: Ip | None,
        prefixes: list[Advertised],
        send: Callable[[bytes], None],
        *,
        solicits: bool = False,
    ) -> None:
        self._mac, self._send = mac, send
        self._client = link_local(mac) if client is None and solicits else client
        self._prefixes = prefixes
        self._table = IpcNeighbors(IPC_IPV6_NDT_LIFETIME, IPC_IPV6_NDT_GIVEUPTIME)
        self._asks_left = IPC_IPV6_RA_MAX_RETRIES if solicits else 0
        self._asks_at: Instant = 0
        self.released = 0

    @property
    def due(self) -> Instant | None:
        """When `poll` has something to do."""
        times = [] if self._table.due is None else [self._table.due]
        if self._asks_left and not self._prefixes:
            times.append(self._asks_at)
        return min(times, default=None)

    def poll(self, now: Instant) -> int:
        """Ask for routers, forget what is too old; how many packets went with it."""
        while self._asks_left and not self._prefixes and self._asks_at <= now:
            self._asks_left -= 1
            self._solicit_routers()
            self._asks_at += IPC_IPV6_RA_INTERVAL
        return self._table.flush(now)

    def holding(self) -> int:
        """How many packets wait."""
        return self._table.holding()

    def outgoing(self, packet: bytes, now: Instant) -> bytes | None:
        """The frame for one packet of the host, 40 to 1500 bytes; None: it waits."""
        parsed = Ipv6.parse(packet)
        message = _discovery(parsed)
        if message is not None and not isinstance(message, RouterAdvertisement):
            packet = _rewritten(parsed, message, self._mac)  # also where the source is ::
        target = parsed.destination
        if is_multicast6(target):
            return multicast_mac6(target) + self._mac + IPV6 + packet
        hop = self._next_hop(parsed.source, target)
        known = self._table.lookup(hop)
        if known is not None:
            return known + self._mac + IPV6 + packet
        self._table.hold(hop, packet, now)
        option = ((ndp.SOURCE_MAC, self._mac),)
        question = NeighborMessage(ndp.SOLICITATION, 0, target, option)  # not `hop`
        group = solicited_node(target)
        asked = ndp.packet(question, parsed.source, group)
        self._send(multicast_mac6(group) + self._mac + IPV6 + asked)
        return None

    def incoming(self, source_mac: Mac, packet: bytes, now: Instant) -> bytes:
        """The packet as the host gets it: neighbour discovery without link-layer addresses."""
        parsed = Ipv6.parse(packet)
        message = _discovery(parsed)
        self._learn(parsed.source, source_mac, now, anew=False)
        if message is None or isinstance(message, RouterSolicitation):
            return packet
        if isinstance(message, RouterAdvertisement):
            self._learn_router(parsed.source, source_mac, message, now)
        elif message.type == ndp.ADVERTISEMENT:  # by the frame's source, not by its option
            for address in (message.target, parsed.source):
                self._learn(address, source_mac, now, anew=True)
        return _rewritten(parsed, message, None)

    def _learn_router(
        self, router: Ip, source_mac: Mac, message: RouterAdvertisement, now: Instant
    ) -> None:
        """Prefixes are kept for ever, whatever their lifetimes and flags."""
        for one in message.prefixes():
            found = Advertised(one.prefix, one.length, router)
            if found not in self._prefixes and len(self._prefixes) < PREFIXES_MAX:
                self._prefixes.append(found)
        for mac in (source_mac, message.mac(ndp.SOURCE_MAC)):
            if mac is not None:
                self._learn(router, mac, now, anew=True)

    def _learn(self, ip: Ip, mac: Mac, now: Instant, *, anew: bool) -> None:
        if is_unicast6(ip) and self._is_near(ip) and (anew or self._table.has(ip)):
            for packet in self._table.learn(ip, mac, now):
                self.released += 1
                self._send(mac + self._mac + IPV6 + packet)

    def _is_near(self, ip: Ip) -> bool:
        """Link-local, or in a prefix; where none is known, routers are asked for."""
        if is_link_local6(ip) or any(one.holds(ip) for one in self._prefixes):
            return True
        if not self._prefixes:
            self._solicit_routers()
        return False

    def _next_hop(self, source: Ip, target: Ip) -> Ip:
        if self._is_near(target):
            return target
        routed = [one for one in self._prefixes if one.router is not None]
        best = [one for one in routed if one.holds(source)] or routed
        return (best[0].router if best else None) or target

    def _solicit_routers(self) -> None:
        if self._client is not None:
            question = RouterSolicitation(((ndp.SOURCE_MAC, self._mac),))
            asked = ndp.packet(question, self._client, ALL_ROUTERS6)
            self._send(multicast_mac6(ALL_ROUTERS6) + self._mac + IPV6 + asked)


def _discovery(packet: Ipv6) -> _Discovery | None:
    """The message inside, if it is one of four and well formed."""
    if packet.next_header != ndp.PROTOCOL or not packet.payload:
        return None
    kind = packet.payload[0]
    try:
        if kind == ndp.ROUTER_SOLICITATION:
            return RouterSolicitation.parse(packet.payload)
        if kind == ndp.ROUTER_ADVERTISEMENT:
            return RouterAdvertisement.parse(packet.payload)
        if kind in (ndp.SOLICITATION, ndp.ADVERTISEMENT):
            return NeighborMessage.parse(packet.payload)
    except WireError:
        return None
    return None


def _rewritten(packet: Ipv6, message: _Discovery, mac: Mac | None) -> bytes:
    """The packet with this MAC in the message's link-layer option, or without any."""
    is_answer = isinstance(message, NeighborMessage) and message.type == ndp.ADVERTISEMENT
    code = ndp.TARGET_MAC if is_answer else ndp.SOURCE_MAC
    others = tuple(one for one in message.options if one[0] not in (ndp.SOURCE_MAC, ndp.TARGET_MAC))
    options = others if mac is None else ((code, mac), *others)
    body = replace(message, options=options).between(packet.source, packet.destination)
    return replace(packet, payload=body).to_bytes()
