"""Probes our IPv6 addresses, forms or learns those that routers allow. RFC 4862 5, RFC 2464 4."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from virtualtap.core import Core
from virtualtap.events import AddressClaimed
from virtualtap.interface6 import Address, ends
from virtualtap.reachability import Reachability
from virtualtap.units import SECOND, Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import ANY6, LINK_LOCAL6, Ip, eui64, is_link_local6, solicited_node
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage, Prefix

_SOLICITATION = bytes((ndp.SOLICITATION,))
_TWO_HOURS = 7200 * SECOND  # RFC 4862 5.5.3 (e)


class SlaacHandler:
    """Duplicate address detection where asked for, and addresses from prefixes with `slaac`.

    With `learn_ip` the host forms its own: those that it probes, of a prefix that a router offered
    or link-local, are ours once nobody objected. It asks, and here the answers are heard.
    """

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
        self._offered: dict[bytes, Address] = {}  # with `learn_ip`: prefixes of 8 bytes, how long
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
        options: ndp.Options = ()
        if self._core.manners.dad_nonce:
            nonce = self._core.rand.below(1 << 8 * ndp.NONCE_LEN).to_bytes(ndp.NONCE_LEN)
            self._addresses[ip].nonce, options = nonce, ((ndp.NONCE, nonce),)
        message = NeighborMessage(ndp.SOLICITATION, 0, ip, options)
        self._reachability.say(message, ANY6, solicited_node(ip))

    def offer(self, prefix: Prefix) -> None:
        """RFC 4862 5.5.3: an autonomous prefix forms an address, or renews the one it formed."""
        core, now = self._core, self._core.now
        if is_link_local6(prefix.prefix) or prefix.preferred > prefix.valid or prefix.length != 64:
            return
        if not core.config.slaac:
            self._note(prefix)
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

    def probed(self, packet: bytes) -> None:
        """The host asks whether anybody has the address that it wants. RFC 4862 5.4.2.

        WireError for what is no IPv6 packet, or a solicitation cut short.
        """
        inside = Ipv6.parse(packet)
        asks = inside.next_header == ndp.PROTOCOL and inside.payload[:1] == _SOLICITATION
        if inside.source == ANY6 and asks and ndp.is_whole(inside):
            target = NeighborMessage.parse(inside.payload).target
            if inside.destination == solicited_node(target):
                self._learn(target)

    def _learn(self, ip: Ip) -> None:
        core = self._core
        offered = Address() if is_link_local6(ip) else self._offered.get(ip[:8])
        if offered is None or offered.valid_until <= core.now or core.interface6.owns(ip, core.now):
            return
        self._make_room()
        if ip in self._addresses or len(self._addresses) < core.config.addresses6_max:
            self._addresses[ip] = replace(offered, tentative=True)
            self._tell(ip)
            at = core.now + core.interface6.retrans_timer
            core.timers.set(("dad", ip), at, partial(self._ask, ip, 0))

    def _note(self, prefix: Prefix) -> None:
        """RFC 4862 5.5.3 (e) for what the host has, and what it may form from now on."""
        now, key = self._core.now, prefix.prefix[:8]
        for ended in [each for each, until in self._offered.items() if until.valid_until <= now]:
            del self._offered[ended]
        if key not in self._offered and len(self._offered) >= self._core.config.prefixes_max:
            return
        known = self._offered.setdefault(key, Address(valid_until=now))
        ours = self._core.config.our_ip6
        theirs = {ip: each for ip, each in self._addresses.items() if ip[:8] == key}
        for each in (known, *(each for ip, each in theirs.items() if ip not in ours)):
            each.preferred_until = ends(prefix.preferred, now)
            each.valid_until = _renewed(each.valid_until, ends(prefix.valid, now), now)

    def _make_room(self) -> None:
        """Those that ended go."""
        now, addresses = self._core.now, self._addresses
        for ended in [each for each, address in addresses.items() if address.valid_until <= now]:
            del addresses[ended]
            self._core.timers.cancel(("dad", ended))

    def _form(self, ip: Ip, prefix: Prefix) -> None:
        """RFC 4862 5.5.3 (d): tentative at first; those that ended make room."""
        now, addresses = self._core.now, self._addresses
        self._make_room()
        if len(addresses) < self._core.config.addresses6_max:
            preferred, valid = ends(prefix.preferred, now), ends(prefix.valid, now)
            addresses[ip] = Address(tentative=True, preferred_until=preferred, valid_until=valid)
            self._probe(ip)


def _renewed(until: Instant, offered: Instant, now: Instant) -> Instant:
    """RFC 4862 5.5.3 (e): nobody ends our address within two hours, unless it ended sooner."""
    if offered > now + _TWO_HOURS or offered > until:
        return offered
    return min(until, now + _TWO_HOURS)
