"""What a tap offers as the router of Ethernet peers: leases, prefixes. RFC 2131, RFC 4861 6.2.1."""

from dataclasses import dataclass

from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND, Duration
from virtualtap.wire.address import (
    Ip,
    Route,
    ip_text,
    is_link_local6,
    is_unicast4,
    is_unicast6,
    network_mask,
)

_SECONDS_MAX = 0xFFFFFFFE  # above stands "for ever": RFC 2131 3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The other side: peers speak Ethernet, and the way out speaks only IP.

    Peers find the router at the tap's `our_ip` and `our_mac`. What they send it for any address
    comes out as a packet, and packets of the way out go to the peer by ARP or ND. The time to live
    stays as it is: the tap is the Ethernet port of the router behind it, and no second one.
    """

    pool: tuple[Ip, Ip] | None = None  # first and last address to lease; None: no DHCP
    server_ip: Ip | None = None  # the DHCP server's, with a generated MAC; None: the router's own
    dns: tuple[Ip, ...] = ()  # RFC 2132 3.8
    routes: tuple[tuple[Ip, int, Ip], ...] = ()  # RFC 3442: network, prefix length, router
    prefixes: tuple[Ip, ...] = ()  # /64s that peers form addresses from: RFC 4862 5.5.3 (d)

    lease_time: Duration = 3600 * SECOND  # at most, where a client asks for less
    leases_max: int = 256  # offers, and addresses that somebody declined, counted too
    offer_time: Duration = 60 * SECOND  # how long an offer is kept for its client: RFC 2131 4.3.1
    decline_time: Duration = 600 * SECOND  # how long a declined address rests: RFC 2131 4.3.3
    probe_wait: Duration = 500 * MS  # for one who has a new address already: RFC 2131 2.2, 4.4.1
    advertisement_interval: Duration = 600 * SECOND  # RFC 4861 6.2.1: MaxRtrAdvInterval
    router_lifetime: Duration = 1800 * SECOND  # RFC 4861 6.2.1: AdvDefaultLifetime
    prefix_lifetime: Duration = 2_592_000 * SECOND  # RFC 4861 6.2.1: AdvValidLifetime
    prefix_preferred: Duration = 604_800 * SECOND  # RFC 4861 6.2.1: AdvPreferredLifetime

    def __post_init__(self) -> None:
        for name in ("pool", "dns", "routes", "prefixes"):
            value = getattr(self, name)
            if type(value) is not tuple and (name != "pool" or value is not None):
                raise UsageError(f"`{name}` must be a tuple, got {value!r:.60}")
        pool: tuple[Ip, ...] = () if self.pool is None else self.pool
        for name, addresses in (("pool", pool), ("dns", self.dns)):
            for address in addresses:
                _check_ip4(name, address)
        if self.pool is not None and (len(pool) != 2 or pool[0] > pool[1]):
            raise UsageError("`pool` must be a first address and a last one not below it")
        if self.server_ip is not None:
            _check_ip4("server_ip", self.server_ip)
            if self.pool is None:
                raise UsageError("`server_ip` without `pool`", "say which addresses it leases")
        self._check_lists()
        self._check_times()

    def _check_lists(self) -> None:
        if len(self.dns) > 8 or len(self.routes) > 16 or len(self.prefixes) > 8:
            raise UsageError("`serve` names more than 8 DNS servers, 16 routes or 8 prefixes")
        check_routes(self.routes)
        for prefix in self.prefixes:
            if type(prefix) is not bytes or len(prefix) != 16 or any(prefix[8:]):
                raise UsageError(f"`prefixes` must be 16 bytes, 8 of them zero, got {prefix!r:.60}")
            if not is_unicast6(prefix) or is_link_local6(prefix):
                what = f"nobody forms an address of `{ip_text(prefix)}` in `prefixes`"
                raise UsageError(what, "neither link-local nor multicast: RFC 4862 5.5.3")

    def in_network(self) -> tuple[Ip, ...]:
        """The addresses that must be in the router's own network."""
        server = () if self.server_ip is None else (self.server_ip,)
        return (*(self.pool or ()), *server)

    def _check_times(self) -> None:
        check_range("leases_max", self.leases_max, 1, 1 << 24)
        for name in ("lease_time", "prefix_lifetime", "prefix_preferred"):
            check_range(name, getattr(self, name), SECOND, _SECONDS_MAX * SECOND)
        for name in ("offer_time", "decline_time", "probe_wait"):
            check_range(name, getattr(self, name), 1, 1 << 62)
        interval = self.advertisement_interval
        check_range("advertisement_interval", interval, 4 * SECOND, 1800 * SECOND)
        if self.router_lifetime:  # RFC 4861 6.2.1: zero, or from the interval to 9000 seconds
            check_range("router_lifetime", self.router_lifetime, interval, 9000 * SECOND)
        if self.prefix_preferred > self.prefix_lifetime:
            raise UsageError("`prefix_preferred` is longer than `prefix_lifetime`")


def check_routes(routes: tuple[tuple[Ip, int, Ip], ...]) -> None:
    """UsageError where one is not a network of 4 bytes, its prefix length, and a router."""
    for route in routes:
        if type(route) not in (tuple, Route) or len(route) != 3:
            raise UsageError(f"`routes` must hold (network, length, router), got {route!r:.60}")
        network, length, router = route
        check_range("routes", length, 0, 32)
        for address in (network, router):
            if type(address) is not bytes or len(address) != 4:
                raise UsageError(f"`routes` must hold addresses of 4 bytes, got {address!r:.60}")
        if int.from_bytes(network) & ~network_mask(length):
            raise UsageError(f"a network of `routes` has bits below its prefix of {length}")


def check_range(name: str, value: object, least: int, most: int) -> None:
    """UsageError where a value is no whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise UsageError(f"`{name}` must be from {least} to {most}, got {value!r:.60}")


def _check_ip4(name: str, value: object) -> None:
    if type(value) is not bytes or len(value) != 4 or not is_unicast4(value):
        raise UsageError(f"`{name}` must hold IPv4 addresses of 4 bytes, got {value!r:.60}")
