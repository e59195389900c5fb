"""Probes our IPv6 addresses, forms those that routers allow. RFC 4862 5.3 to 5.5, RFC 2464 4."""

from collections.abc import Callable
from functools import partial

from virtualtap.core import Core
from virtualtap.events import AddressClaimed
from virtualtap.interface6 import Address, ends
from virtualtap.reachability import Reachability
from virtualtap.units import SECOND, Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import ANY6, LINK_LOCAL6, Ip, eui64, is_link_local6, solicited_node
from virtualtap.wire.ndp import NeighborMessage, Prefix

_TWO_HOURS = 7200 * SECOND  # RFC 4862 5.5.3 (e)


class SlaacHandler:
    """Duplicate address detection where asked for, and addresses from prefixes with `slaac`."""

    def __init__(
        self,
        core: Core,
        reachability: Reachability,
        ready: Callable[[], None],
        changed: Callable[[Ip], None] | None,
    ) -> None:
        self._core = core
        self._reachability = reachability
        self._ready = ready  # told when there is a link-local address to ask for routers with
        self._changed = changed  # told of an address before it is probed, and once it is ours
        self._addresses = core.interface6.addresses
        self._suffix = eui64(core.config.our_mac)
        if core.config.dad or core.config.slaac:
            core.starts.append(self._start)

    def _start(self) -> None:
        """RFC 4862 5.3: a link-local address first."""
        config = self._core.config
        if config.slaac and not any(map(is_link_local6, self._addresses)):
            self._addresses[LINK_LOCAL6 + self._suffix] = Address(tentative=True)
        for ip, address in self._addresses.items():
            if address.tentative:
                self._probe(ip)
        if config.slaac and not config.dad and any(map(is_link_local6, config.our_ip6)):
            self._ready()

    def _probe(self, ip: Ip) -> None:
        """RFC 4862 5.4.2: the first probe after a while of luck."""
        core = self._core
        at = core.now + core.rand.below(core.config.router_solicitation_delay)
        core.timers.set(("dad", ip), at, partial(self._ask, ip, core.config.dad_transmits))

    def _ask(self, ip: Ip, left: int) -> None:
        core = self._core
        address = self._addresses.get(ip)
        if address is None or not address.tentative:
            return
        if left:
            if left == core.config.dad_transmits:
                self._tell(ip)
            self._ask_once(ip)
            at = core.now + core.interface6.retrans_timer
            core.timers.set(("dad", ip), at, partial(self._ask, ip, left - 1))
            return
        address.tentative = False
        core.events.append(AddressClaimed(ip))
        self._tell(ip)
        if core.config.slaac and is_link_local6(ip):
            self._ready()

    def _tell(self, ip: Ip) -> None:
        if self._changed is not None:
            self._changed(ip)

    def _ask_once(self, ip: Ip) -> None:
        message = NeighborMessage(ndp.SOLICITATION, 0, ip)
        self._reachability.say(message, ANY6, solicited_node(ip))

    def offer(self, prefix: Prefix) -> None:
        """RFC 4862 5.5.3: an autonomous prefix forms an address, or renews the one it formed."""
        core, now = self._core, self._core.now
        if is_link_local6(prefix.prefix) or prefix.preferred > prefix.valid or prefix.length != 64:
            return
        if any(is_link_local6(ip) and each.duplicate for ip, each in self._addresses.items()):
            return  # RFC 4862 5.4.5: somebody has our MAC
        ip = prefix.prefix[:8] + self._suffix
        address = self._addresses.get(ip)
        if address is not None and address.valid_until > now:
            if ip not in core.config.our_ip6:
                address.preferred_until = ends(prefix.preferred, now)
                address.valid_until = _renewed(address.valid_until, ends(prefix.valid, now), now)
        elif prefix.valid:
            self._form(ip, prefix)

    def _form(self, ip: Ip, prefix: Prefix) -> None:
        """RFC 4862 5.5.3 (d): tentative at first; those that ended make room."""
        now, addresses = self._core.now, self._addresses
        for ended in [each for each, address in addresses.items() if address.valid_until <= now]:
            del addresses[ended]
        if len(addresses) < self._core.config.addresses6_max:
            preferred, valid = ends(prefix.preferred, now), ends(prefix.valid, now)
            addresses[ip] = Address(tentative=True, preferred_until=preferred, valid_until=valid)
            self._probe(ip)


def _renewed(until: Instant, offered: Instant, now: Instant) -> Instant:
    """RFC 4862 5.5.3 (e): nobody ends our address within two hours, unless it ended sooner."""
    if offered > now + _TWO_HOURS or offered > until:
        return offered
    return min(until, now + _TWO_HOURS)
