"""Asks for routers, hears them, goes where they redirect. RFC 4861 6.3, 8; RFC 5942 4."""

from collections.abc import Callable
from functools import partial

from virtualtap.core import Core
from virtualtap.interface6 import ends
from virtualtap.reachability import Reachability
from virtualtap.stats import DropReason
from virtualtap.units import MS, SECOND, Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import (
    ALL_NODES6,
    ALL_ROUTERS6,
    Ip,
    Mac,
    is_group,
    is_link_local6,
    is_multicast6,
    is_unicast6,
    solicited_node,
)
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv6 import Ipv6, total_len
from virtualtap.wire.ndp import Prefix, Redirect, RouterAdvertisement, RouterSolicitation

Offer = Callable[[Prefix], None]
_MTU_MIN = 1280  # RFC 8200 5


class RouterHandler:
    """The host half of RFC 4861 6 and 8. Without `slaac` the host hears the routers, too."""

    def __init__(self, core: Core, reachability: Reachability, offer: Offer) -> None:
        self._core = core
        self._interface = core.interface6
        self._reachability = reachability
        self._offer = offer

    def receive(self, frame: bytes) -> bytes | None:
        """A router solicitation, router advertisement or redirect inside IPv6."""
        core = self._core
        packet = Ipv6.parse(frame[HEADER_LEN:])
        kind = packet.payload[0] if packet.payload else None  # padding may look like one
        if kind == ndp.ROUTER_SOLICITATION:
            core.drop(DropReason.NOT_FOR_US)  # RFC 4861 6.2.6: hosts discard it
        elif not self._is_valid(packet):
            core.drop(DropReason.MALFORMED)
        elif not self._is_for_us(packet.destination, to_group=is_group(frame)):
            core.drop(DropReason.NOT_FOR_US)
        elif kind == ndp.REDIRECT:
            self._redirected(packet.source, Redirect.parse(packet.payload))
        else:
            self._advertised(packet.source, RouterAdvertisement.parse(packet.payload))
            if not core.config.slaac:
                core.stats.to_ip += 1
                return frame[HEADER_LEN : HEADER_LEN + total_len(frame[HEADER_LEN:])]
        return None

    def _is_valid(self, packet: Ipv6) -> bool:
        """RFC 4861 6.1.2, 8.1."""
        return ndp.is_whole(packet) and is_link_local6(packet.source)

    def _is_for_us(self, destination: Ip, *, to_group: bool) -> bool:
        """All nodes, or an address of ours in a frame for one. RFC 8200 3, RFC 2464 7."""
        interface = self._interface
        if is_multicast6(destination):
            ours = (
                ALL_NODES6,
                *self._core.config.groups,
                *map(solicited_node, interface.addresses),
            )
            return not interface.closed or destination in ours
        return not to_group and (
            not interface.closed or interface.owns(destination, self._core.now)
        )

    def solicit(self) -> None:
        """Ask for routers, after a while of luck. RFC 4861 6.3.7."""
        core = self._core
        self._set_timer(core.now + core.rand.below(core.config.router_solicitation_delay), 0)

    def _ask(self, sent: int) -> None:
        core, config = self._core, self._core.config
        source = next((ip for ip in self._interface.owned(core.now) if is_link_local6(ip)), None)
        if source is not None:
            message = RouterSolicitation(((ndp.SOURCE_MAC, config.our_mac),))
            self._reachability.say(message, source, ALL_ROUTERS6)
            if sent + 1 < config.router_solicitations_max:
                self._set_timer(core.now + config.router_solicitation_interval, sent + 1)

    def _set_timer(self, at: Instant, sent: int) -> None:
        self._core.timers.set(_ASKING, at, partial(self._ask, sent))

    def _advertised(self, source: Ip, message: RouterAdvertisement) -> None:
        """RFC 4861 6.3.4."""
        core, interface = self._core, self._interface
        if message.lifetime:
            interface.add_router(source, core.now + message.lifetime * SECOND, core.now)
            core.timers.cancel(_ASKING)
        else:
            interface.remove_router(source)
        if message.reachable_time:
            interface.reachable_base = message.reachable_time * MS
        if message.retrans_timer:
            interface.retrans_timer = message.retrans_timer * MS
        mtu = message.option(ndp.MTU, 6)
        if mtu is not None and _MTU_MIN <= int.from_bytes(mtu[2:]) <= core.config.mtu:
            interface.mtu = int.from_bytes(mtu[2:])
        self._locate(source, message.mac(ndp.SOURCE_MAC), is_router=True)
        for prefix in message.prefixes():
            if prefix.flags & ndp.ON_LINK and not is_link_local6(prefix.prefix):
                until = ends(prefix.valid, core.now)
                interface.add_prefix(prefix.prefix, prefix.length, until, core.now)
            if prefix.flags & ndp.AUTONOMOUS and (core.config.slaac or core.config.learn_ip):
                self._offer(prefix)

    def _redirected(self, source: Ip, message: Redirect) -> None:
        """RFC 4861 8.3."""
        if not self._may_redirect(source, message):
            self._core.drop(DropReason.MALFORMED)
            return
        target, destination = message.target, message.destination
        self._interface.redirect(destination, target)
        is_router = target != destination
        self._locate(target, message.mac(ndp.TARGET_MAC), is_router=is_router)

    def _may_redirect(self, source: Ip, message: Redirect) -> bool:
        """RFC 4861 8.1: only the first hop, and only to a router or the destination itself."""
        target, destination = message.target, message.destination
        return (
            is_unicast6(destination)
            and (target == destination or is_link_local6(target))
            and target not in self._interface.addresses
            and source == self._interface.next_hop(destination, self._core.now, self._is_known)
        )

    def _locate(self, ip: Ip, mac: Mac | None, *, is_router: bool) -> None:
        if mac is not None and self._core.may_be_at(mac):
            self._reachability.heard(ip, mac)
        if is_router:
            self._core.neighbors.is_router(ip, says=True)

    def _is_known(self, ip: Ip) -> bool:
        return self._core.neighbors.lookup(ip, self._core.now) is not None


_ASKING = "router solicitation"  # the key of its timer
