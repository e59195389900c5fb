"""What a DHCP server granted: an address, a network, and until when. RFC 2131 4.4.5, RFC 2132."""

from dataclasses import dataclass

from virtualtap.config import TapConfig
from virtualtap.errors import WireError
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, Ip, Route, directed_broadcast, is_unicast4
from virtualtap.wire.dhcp import Dhcp

_MTU_LEAST = 576  # RFC 791 3.1: what every host takes; a smaller one from a server is no help


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease; instants are None where it has no end."""

    ip: Ip
    prefix_length: int
    gateway: Ip | None
    routes: tuple[Route, ...]
    dns: tuple[Ip, ...]
    mtu: int
    server: Ip
    renews_at: Instant | None  # T1
    rebinds_at: Instant | None  # T2
    expires_at: Instant | None

    def is_over(self, now: Instant) -> bool:
        """Whether it has ended: its time runs from the question, and the answer may be late."""
        return self.expires_at is not None and self.expires_at <= now


def granted(message: Dhcp, asked_at: Instant, config: TapConfig) -> Lease:
    """The lease of an OFFER or ACK to what was asked at `asked_at`.

    WireError without a server, a duration or an address that a host may own. What the message
    does not say is as configured: the prefix length, the MTU.
    """
    servers, seconds = message.addresses(dhcp.SERVER_ID), message.number(dhcp.LEASE_TIME)
    if len(servers) != 1 or not is_unicast4(servers[0]):
        raise WireError("a DHCP server names itself by one address")
    if not seconds:
        raise WireError("a lease needs a duration")
    prefix_length = message.prefix_length()
    if prefix_length is None:
        prefix_length = config.prefix_length
    ip = message.your_ip
    if not is_unicast4(ip) or ip == directed_broadcast(ip, prefix_length):
        raise WireError("a lease needs an address that a host may own")
    gateway, routes = _ways(message)
    mtu = message.number(dhcp.MTU, 2)
    renews_at, rebinds_at, expires_at = _times(message, seconds, asked_at)
    return Lease(
        ip,
        prefix_length,
        gateway,
        routes[: config.lease_routes_max],
        message.addresses(dhcp.DNS)[: config.lease_routes_max],
        min(mtu, config.mtu) if mtu is not None and mtu >= _MTU_LEAST else config.mtu,
        servers[0],
        renews_at,
        rebinds_at,
        expires_at,
    )


def _ways(message: Dhcp) -> tuple[Ip | None, tuple[Route, ...]]:
    """The gateway and the routes; classless routes overrule the router option. RFC 3442."""
    value = message.value(dhcp.ROUTES)
    if value is not None:
        routes = dhcp.routes(value)
        default = (route.router for route in routes if route.prefix_length == 0)
        router = next(default, ANY4)
        return (None if router == ANY4 else router), routes
    routers = (router for router in message.addresses(dhcp.ROUTER) if is_unicast4(router))
    return next(routers, None), ()


def _times(
    message: Dhcp, seconds: int, asked_at: Instant
) -> tuple[Instant | None, Instant | None, Instant | None]:
    """T1, T2 and the end, counted from when it was asked for. RFC 2131 4.4.1, 4.4.5."""
    if seconds == dhcp.INFINITE:
        return None, None, None
    duration: Duration = seconds * SECOND
    renewal, rebinding = duration // 2, duration * 7 // 8  # what the RFC says where no one does
    said = (message.number(dhcp.RENEWAL_TIME), message.number(dhcp.REBINDING_TIME))
    first = renewal if said[0] is None else said[0] * SECOND
    second = rebinding if said[1] is None else said[1] * SECOND
    if 0 < first < second < duration:  # RFC 2131 4.4.5: in this order, or they say nothing
        renewal, rebinding = first, second
    return asked_at + renewal, asked_at + rebinding, asked_at + duration
