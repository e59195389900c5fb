"""What the tap is called in IPv6 now, and who leads where. RFC 4861 5.1, 5.2, 6.3; RFC 4862 5."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from virtualtap.config import TapConfig
from virtualtap.timers import NEVER
from virtualtap.units import SECOND, Instant
from virtualtap.wire.address import Ip, is_link_local6
from virtualtap.wire.ndp import FOREVER

_Key = TypeVar("_Key")


@dataclass(slots=True)
class Address:
    """One of our addresses. Tentative or duplicate, it is nobody's: RFC 4862 5.4, 5.4.5."""

    tentative: bool = False
    duplicate: bool = False
    preferred_until: Instant = NEVER
    valid_until: Instant = NEVER
    nonce: bytes | None = None  # of our last probe: RFC 7527 4.1


class Interface6:
    """Our addresses, the routers, the prefixes on the link, and where redirects sent us.

    At first it is what the configuration says: addresses with their /64 (RFC 4291 2.5.1), one
    router that never expires. Every table has its limit; what has expired is as good as gone.
    """

    def __init__(self, config: TapConfig) -> None:
        self._config = config
        fixed = (*config.our_ip6, *(ip for ip in config.hosts if len(ip) == 16))
        self.addresses = {ip: Address(tentative=config.dad) for ip in fixed}
        self.hosts = [ip for ip in fixed if ip not in config.our_ip6]  # those of others behind us
        self.closed = bool(fixed) or config.slaac  # or else every address is ours
        self.routers: dict[Ip, Instant] = {}  # until when, in the order of preference
        if config.gateway_ip6 is not None:
            self.routers[config.gateway_ip6] = NEVER
        self.prefixes = {(int.from_bytes(ip[:8]) << 64, 64): NEVER for ip in fixed}
        served = () if config.serve is None else config.serve.prefixes
        self.prefixes |= {(int.from_bytes(prefix), 64): NEVER for prefix in served}
        self.redirects: dict[Ip, Ip] = {}  # destination: first hop; the oldest first
        self.mtu = config.mtu
        self.retrans_timer = config.ndp_interval
        self.reachable_base = config.ndp_reachable_time

    def owns(self, ip: Ip, now: Instant) -> bool:
        """Whether `ip` is ours to use."""
        address = self.addresses.get(ip)
        return (
            address is not None
            and address.valid_until > now
            and not (address.tentative or address.duplicate)
        )

    def owned(self, now: Instant) -> list[Ip]:
        """Our addresses: those still preferred first."""
        found = [ip for ip in self.addresses if self.owns(ip, now)]
        return sorted(found, key=lambda ip: self.addresses[ip].preferred_until <= now)

    def source(self, to: Ip, wanted: Ip, now: Instant) -> Ip | None:
        """In whose name to ask for `to`: `wanted`, or one of our own. RFC 4861 7.2.2."""
        if not self.closed or self.owns(wanted, now):
            return wanted
        owned = self.owned(now)
        return next((ip for ip in owned if ip[:8] == to[:8]), owned[0] if owned else None)

    def next_hop(self, to: Ip, now: Instant, is_known: Callable[[Ip], bool]) -> Ip | None:
        """RFC 4861 5.2: where redirected, else on-link, else a router; None: nowhere."""
        redirected = self.redirects.get(to)
        if redirected is not None:
            return redirected
        if is_link_local6(to) or to in self.routers or self.is_on_link(to, now):
            return to
        if not self.closed and not self.routers:
            return to
        return self.default_router(now, is_known)

    def is_on_link(self, to: Ip, now: Instant) -> bool:
        """Whether a prefix of the list, not yet expired, covers `to`. RFC 4861 5.1."""
        number = int.from_bytes(to)
        return any(
            (number ^ prefix) >> (128 - length) == 0 and until > now
            for (prefix, length), until in self.prefixes.items()
        )

    def default_router(self, now: Instant, is_known: Callable[[Ip], bool]) -> Ip | None:
        """The first whose MAC is known, or else the first. RFC 4861 6.3.6."""
        valid = [ip for ip, until in self.routers.items() if until > now]
        return next(filter(is_known, valid), valid[0] if valid else None)

    def add_router(self, ip: Ip, until: Instant, now: Instant) -> None:
        """RFC 4861 6.3.4; what is configured stays."""
        _prune(self.routers, now)
        known = self.routers.get(ip)
        has_room = known is not None or len(self.routers) < self._config.routers_max
        if known != NEVER and has_room:
            self.routers[ip] = until

    def remove_router(self, ip: Ip) -> None:
        """It routes no longer, and redirects to it lead nowhere. RFC 4861 6.3.5, 7.2.5."""
        if self.routers.get(ip) != NEVER:
            self.routers.pop(ip, None)
        self._forget_redirects(ip)

    def failed(self, ip: Ip) -> None:
        """It does not answer: another router comes first from now on. RFC 4861 6.3.6, 7.3.3."""
        until = self.routers.pop(ip, None)
        if until is not None:
            self.routers[ip] = until
        self._forget_redirects(ip)

    def add_prefix(self, prefix: Ip, length: int, until: Instant, now: Instant) -> None:
        """On-link until then. RFC 4861 6.3.4; what is configured stays."""
        _prune(self.prefixes, now)
        key = (int.from_bytes(prefix) >> (128 - length) << (128 - length), length)
        known = self.prefixes.get(key)
        has_room = known is not None or len(self.prefixes) < self._config.prefixes_max
        if known == NEVER:
            return
        if until <= now:
            self.prefixes.pop(key, None)
        elif has_room:
            self.prefixes[key] = until

    def redirect(self, to: Ip, first_hop: Ip) -> None:
        """Packets for `to` go to `first_hop`. RFC 4861 8.3."""
        self.redirects.pop(to, None)
        if len(self.redirects) >= self._config.redirects_max:
            del self.redirects[next(iter(self.redirects))]
        self.redirects[to] = first_hop

    def _forget_redirects(self, ip: Ip) -> None:
        for to in [to for to, hop in self.redirects.items() if hop == ip]:
            del self.redirects[to]


def ends(seconds: int, now: Instant) -> Instant:
    """When a lifetime is over. RFC 4861 4.6.2: all ones mean never; a later word may end it."""
    return NEVER - 1 if seconds == FOREVER else now + seconds * SECOND


def _prune(table: dict[_Key, Instant], now: Instant) -> None:
    for key in [key for key, until in table.items() if until <= now]:
        del table[key]
