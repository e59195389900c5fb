"""What the tap is called on its IPv4 network now: address, network, gateway, routes, MTU."""

from virtualtap.config import TapConfig
from virtualtap.wire.address import (
    ANY4,
    LIMITED_BROADCAST,
    Ip,
    Route,
    directed_broadcast,
    network_mask,
)


class Interface:
    """One home for what a lease changes; handlers read it at every packet and keep no copy.

    At first it is what the configuration says; with `dhcp` there is no address before a lease.
    `Core.readdress` changes it, because what is cached by address must go with it.
    """

    __slots__ = (
        *("ip", "prefix_length", "gateway", "routes", "mtu", "leased", "hosts", "_named"),
        *("directed", "old_broadcast", "broadcasts", "_mask", "_network", "_table"),
    )

    def __init__(self, config: TapConfig) -> None:
        self.leased = config.dhcp  # only a lease gives an address: without one nothing is sent
        self._named = config.dhcp or config.our_ip is not None
        # further addresses behind the tap: whether each is ours now
        self.hosts = {ip: config.claim != "probed" for ip in config.hosts if len(ip) == 4}
        if config.serve is not None and config.serve.server_ip is not None:
            self.hosts[config.serve.server_ip] = config.claim != "probed"
        ip = None if config.dhcp or config.claim == "probed" else config.our_ip
        routes = tuple(Route(*route) for route in config.routes)
        self.assign(ip, config.prefix_length, config.gateway_ip, routes, config.mtu)

    def owns(self, ip: Ip) -> bool:
        """Whether `ip` is ours to use, or that of a host behind us."""
        return ip == self.ip or self.hosts.get(ip, False)

    def may_not_say(self, source: Ip) -> bool:
        """Whether packets of `source` must not be sent now: it is not ours yet, or no longer."""
        is_ours = self.hosts.get(source)
        return self.silent if is_ours is None else not is_ours

    @property
    def silent(self) -> bool:
        """Whether our address is not ours yet, or no longer: nothing is said in its name."""
        return self.ip is None and self._named

    def assign(
        self,
        ip: Ip | None,
        prefix_length: int,
        gateway: Ip | None,
        routes: tuple[Route, ...],
        mtu: int,
    ) -> None:
        """Be called `ip` from now on; None: nobody."""
        self.ip, self.prefix_length, self.gateway = ip, prefix_length, gateway
        self.routes, self.mtu = routes, mtu
        self._mask = network_mask(prefix_length) if ip else 0
        self._network = int.from_bytes(ip or ANY4) & self._mask
        self.directed = directed_broadcast(ip, prefix_length) if ip else None
        # the form with zeros, which is received and never sent: RFC 1122 3.3.6
        self.old_broadcast = self._network.to_bytes(4) if self.directed else None
        self.broadcasts = {LIMITED_BROADCAST} | ({self.directed} if self.directed else set())
        longest_first = sorted(routes, key=lambda route: -route.prefix_length)
        table = [
            (int.from_bytes(route.network), network_mask(route.prefix_length), route.router)
            for route in longest_first
        ]
        place = sum(route.prefix_length > prefix_length for route in longest_first)
        if ip is not None:
            table.insert(place, (self._network, self._mask, ANY4))
        self._table = tuple(table)

    def on_link(self, ip: Ip) -> bool:
        """Whether `ip` is in our network; everything is while we have no address."""
        return int.from_bytes(ip) & self._mask == self._network

    def is_neighbor(self, ip: Ip) -> bool:
        """Whether `ip` is one to send to without a router between: RFC 1122 3.3.1.1, RFC 3442.

        In our network, on-link by a route, or the router of a route, be it outside our network.
        """
        if self.on_link(ip) or self.next_hop(ip) == ip:
            return True
        return any(route.router == ip for route in self.routes)

    def next_hop(self, destination: Ip) -> Ip | None:
        """Who takes what is for `destination`: itself on-link, a route's router, the gateway.

        The longest match decides; without an address of ours and a gateway everything is on-link.
        RFC 1122 3.3.1.2, RFC 3442 (a router of 0.0.0.0: on-link).
        """
        number = int.from_bytes(destination)
        for network, mask, router in self._table:
            if number & mask == network:
                return destination if router == ANY4 else router
        if self.gateway is None and self.ip is None and not self.leased:
            return destination
        return self.gateway
