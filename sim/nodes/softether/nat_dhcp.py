"""SecureNAT's DHCP server. Virtual.c:VirtualDhcpServer, RFC 2131, 2132, 3442.

It knows a client by the source MAC of its frame, by nothing inside the message, and it looks at no
server identifier: what a client says to another server, this one answers too.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from sim.nodes.softether.constants import Version
from sim.nodes.softether.expiring import Expiring
from sim.nodes.softether.vh_option import VhOption, route
from sim.rng import Stream
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST, Ip, Mac, ip_text
from virtualtap.wire.dhcp import Dhcp

DHCP_POLLING_INTERVAL: Duration = 1 * SECOND
OFFER_LIFETIME: Duration = 5 * SECOND
HEADER_LEN = 44  # bytes; the product looks for the cookie anywhere behind them
ROUTES_MICROSOFT = 249  # as 121
_COOKIE = bytes((99, 130, 83, 99))
_OURSELVES = (b"securenat-", b"securenat_")  # host names of other SecureNATs
_IPC = 0xCA  # first byte of an in-process client's MAC


class Reply(NamedTuple):
    """One UDP payload, and where it goes."""

    to: Ip
    port: int
    payload: bytes


@dataclass(slots=True)
class Asked:
    """What the server takes from a request."""

    client: Mac
    source: Ip
    kind: int
    xid: int
    card: Mac  # chaddr, which the reply carries back
    static: Ip  # siaddr, where the session puts a user's own address
    requested: Ip


class DhcpServer:
    """Who has which address, by the MAC of the frame; kept in memory only."""

    def __init__(
        self,
        option: VhOption,
        rng: Stream,
        *,
        version: Version = Version.DEVELOPER,
        randomize: bool = False,
    ) -> None:
        """`randomize` is the hub's SecureNAT_RandomizeAssignIp. UsageError for an empty range."""
        first, last = option.DhcpLeaseIPStart, option.DhcpLeaseIPEnd
        if option.UseDhcp and last < first:
            raise UsageError(
                f"SecureNAT leases from `{ip_text(first)}` to `{ip_text(last)}`",
                "set `DhcpLeaseIPStart` below `DhcpLeaseIPEnd`",
            )
        self._option = option
        self._rng = rng
        self._has_static = version is Version.DEVELOPER  # the stable one was seen to change nothing
        self._randomize = randomize
        self._leases: Expiring[Ip, Mac] = Expiring(DHCP_POLLING_INTERVAL)
        self._offers: Expiring[Ip, Mac] = Expiring(DHCP_POLLING_INTERVAL)

    def leases(self) -> dict[Ip, Mac]:
        """Who has which address."""
        return dict(self._leases.items())

    def receive(
        self, client: Mac, source: tuple[Ip, int], message: bytes, now: Instant
    ) -> Reply | None:
        """What it says to a message of at least 44 bytes from this MAC, address and port."""
        options = _options(message)
        name = options.get(dhcp.HOST_NAME, b"").lower()
        if message[0] != dhcp.TO_SERVER or name.startswith(_OURSELVES):
            return None
        asked = Asked(
            client,
            source[0],
            int.from_bytes(options.get(dhcp.KIND, b"")),
            int.from_bytes(message[4:8]),
            message[28:34],
            message[20:24] if self._has_static else ANY4,
            options.get(dhcp.REQUESTED_IP, b"")[:4] or source[0],
        )
        answer = self._answer(asked, now)
        if answer is None:
            return None
        to = LIMITED_BROADCAST if asked.source == ANY4 else asked.source
        return Reply(to, source[1], answer.to_bytes())

    def poll(self, now: Instant) -> None:
        """Forget leases and offers whose time is over."""
        self._leases.sweep(now)
        self._offers.sweep(now)

    @property
    def due(self) -> Instant | None:
        """When `poll` has something to do."""
        return min(
            (at for at in (self._leases.due, self._offers.due) if at is not None), default=None
        )

    # choosing

    def _answer(self, asked: Asked, now: Instant) -> Dhcp | None:
        if asked.kind == dhcp.INFORM:
            return self._message(asked, dhcp.ACK, ANY4)
        if asked.kind not in (dhcp.DISCOVER, dhcp.REQUEST):
            return None  # there is no code for RELEASE and DECLINE
        chosen = self._choose(asked)
        if asked.kind == dhcp.DISCOVER:
            if chosen is None:
                return None
            self._offers.put(chosen, asked.client, now + OFFER_LIFETIME)
            return self._message(asked, dhcp.OFFER, chosen)
        wanted = {asked.requested, asked.source} - {ANY4}
        if chosen is None or wanted - {chosen}:
            return self._message(asked, dhcp.NAK, ANY4)
        for ip, owner in list(self._leases.items()):
            if owner == asked.client:
                self._leases.pop(ip)
        self._offers.pop(chosen)
        self._leases.put(chosen, asked.client, now + self._option.lease)
        return self._message(asked, dhcp.ACK, chosen)

    def _choose(self, asked: Asked) -> Ip | None:
        option = self._option
        if asked.static != ANY4 and not option.leases(asked.static):
            return asked.static
        if option.leases(asked.requested) and self._is_free(asked.requested, asked.client):
            return asked.requested
        for table in (self._leases, self._offers):
            for ip, owner in table.items():
                if owner == asked.client and option.leases(ip):
                    return ip
        return self._first_free(asked.client)

    def _first_free(self, client: Mac) -> Ip | None:
        first = int.from_bytes(self._option.DhcpLeaseIPStart)
        count = int.from_bytes(self._option.DhcpLeaseIPEnd) - first + 1
        start = self._rng.below(count) if self._randomize and count > 0 else 0
        for i in range(count):
            ip = (first + (start + i) % count).to_bytes(4)
            if self._is_free(ip, client):
                return ip
        return None

    def _is_free(self, ip: Ip, client: Mac) -> bool:
        return self._leases.get(ip) in (None, client) and self._offers.get(ip) in (None, client)

    # saying

    def _message(self, asked: Asked, kind: int, ip: Ip) -> Dhcp:
        option = self._option
        is_refusal = kind == dhcp.NAK
        options = [(dhcp.KIND, bytes((kind,))), (dhcp.SERVER_ID, option.Ip)]
        if not is_refusal and asked.kind != dhcp.INFORM:
            options.append((dhcp.LEASE_TIME, option.lease_seconds.to_bytes(4)))
        servers = [ip for ip in self._name_servers() if not is_refusal]
        if option.DhcpDomainName and servers:
            options.append((dhcp.DOMAIN_NAME, option.DhcpDomainName.encode()))
        options.append((dhcp.MASK, option.DhcpSubnetMask))
        if not is_refusal:
            options += self._ways(asked.client, servers)
        reply = Dhcp(dhcp.TO_CLIENT, asked.xid, asked.card, tuple(options))
        return replace(reply, your_ip=ip, next_server=option.Ip)

    def _name_servers(self) -> list[Ip]:
        option = self._option
        return [
            ip for ip in (option.DhcpDnsServerAddress, option.DhcpDnsServerAddress2) if ip != ANY4
        ]

    def _ways(self, client: Mac, servers: list[Ip]) -> list[tuple[int, bytes]]:
        option = self._option
        routes = option.DhcpPushRoutes if option.ApplyDhcpPushRoutes else ()
        ways = []
        if option.DhcpGatewayAddress != ANY4:
            ways.append((dhcp.ROUTER, option.DhcpGatewayAddress))
        elif client[0] == _IPC:
            routes = (*routes, route(option.Ip, option.DhcpSubnetMask, option.Ip))
        if servers:
            ways.append((dhcp.DNS, b"".join(servers)))
        if routes:
            value = dhcp.route_bytes(routes)
            ways += [(dhcp.ROUTES, value), (ROUTES_MICROSOFT, value)]
        return ways


def _options(message: bytes) -> dict[int, bytes]:
    """Those behind the first cookie after the header, wherever it is; nothing without one."""
    at = message.find(_COOKIE, HEADER_LEN)
    found: dict[int, bytes] = {}
    at = len(message) if at < 0 else at + len(_COOKIE)
    while at + 1 < len(message) and message[at] != dhcp.END:
        if message[at] == dhcp.PAD:
            at += 1
            continue
        end = at + 2 + message[at + 1]
        found.setdefault(message[at], message[at + 2 : end])
        at = end
    return found
