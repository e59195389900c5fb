"""TapConfig: every choice and every limit of one tap."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias, get_args

from virtualtap.errors import UsageError
from virtualtap.profiles import PROFILES, Profile
from virtualtap.serving import Serving, check_range, check_routes
from virtualtap.units import MS, SECOND, Duration
from virtualtap.wire.address import (
    ANY4,
    Ip,
    Mac,
    directed_broadcast,
    ip_text,
    is_group,
    is_link_local6,
    is_multicast4,
    is_multicast6,
    is_unicast4,
    is_unicast6,
    network_mask,
)

Claim: TypeAlias = Literal["silently", "announced", "probed"]
Defend: TypeAlias = Literal["once", "never", "always"]
Validate: TypeAlias = Literal["strict", "length", "off"]
Unresolved: TypeAlias = Literal["hold", "drop", "broadcast"]
HostMacs: TypeAlias = Literal["shared", "own"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TapConfig:
    """One tap's choices. MACs are 6 bytes, addresses 4 or 16; UsageError where they are not.

    Without `our_ip` the tap answers no ARP and takes every IPv4 packet sent to its MAC; it asks in
    the name of the packet that waits. Without a gateway only on-link destinations are reached.

    By default our address is used at once and nobody is told, as SoftEther's own client does
    (IPC.c). While it is probed, and after it was lost, the host's IPv4 packets are dropped: nobody
    knows for how long, and what waits for seconds is worth little (RFC 5227 2.1.1, 2.4).
    """

    our_mac: Mac
    our_ip: Ip | None = None
    prefix_length: int = 24
    gateway_ip: Ip | None = None
    gateway_mac: Mac | None = None
    our_ip6: tuple[Ip, ...] = ()  # each on-link with its /64 (RFC 4291 2.5.1)
    gateway_ip6: Ip | None = None
    slaac: bool = False  # asks for routers and forms addresses from what they say: RFC 4862 5.5
    dad: bool = False  # probes `our_ip6` before use, as `slaac` probes its own: RFC 4862 5.4
    mtu: int = 1500  # RFC 894, RFC 2464 2
    routes: tuple[tuple[Ip, int, Ip], ...] = ()  # network, prefix length, router; 0.0.0.0: on-link
    groups: tuple[Ip, ...] = ()  # the only ones of their family to receive, told to routers by
    # IGMP or MLD in the host's stead (RFC 3376, 3810); none: the host chooses and tells
    hosts: tuple[Ip, ...] = ()  # who else lives behind the tap, of either family
    host_macs: HostMacs = "shared"  # `our_mac` for all of them, or "own": one generated for each
    admit_hosts: bool = False  # whoever of our network sends from behind the tap is a host, too
    serve: Serving | None = None  # the tap is the router of Ethernet peers: what it offers them
    vlan_id: int | None = None  # the VLAN to speak, 1 to 4094; None: untagged frames
    clamp_mss: bool = False  # TCP connections open with segments that fit `mtu`: RFC 6691
    validate: Validate = "strict"  # or "length": only lengths; or "off": only what must be read
    profile: str = "strict"  # whose manners: `PROFILES`; what stands at its default is as there
    when_unresolved: Unresolved = "hold"  # an IPv4 packet; IPv6's are held: RFC 4861 7.2.2
    handle_arp_internally: bool = True
    learn_gateway_mac: bool = True
    claim: Claim = "silently"  # or "announced", or "probed" and announced: RFC 5227 2.1, 2.3
    defend: Defend = "once"  # in 10 s; or "never", or "always": RFC 5227 2.4 (b), (a), (c)
    dhcp: bool = False  # a lease decides all of IPv4; `our_ip` is then what is asked for again
    learn_ip: bool = False  # so does the lease of the host's own DHCP client, and the addresses
    # that it forms of a router's prefixes are ours; nothing else tells who we are
    dns_cache: bool = False  # what a server answered the host is answered again while it lasts

    neighbors_max: int = 1024  # as Linux' gc_thresh3
    neighbor_lifetime: Duration = 300 * SECOND  # RFC 1122 2.3.2.1 asks for a timeout, names none
    held_packets_max: int = 16  # for each neighbour; RFC 1122 2.3.2.2: at least the latest one
    held_bytes_max: int = 256 * 1024
    arp_interval: Duration = 1 * SECOND  # RFC 1122 2.3.2.1: at most one a second per destination
    arp_retries_max: int = 3
    arp_burst_max: int = 6  # at once, then one in each `arp_spacing`: 11 in any 500 ms, where a
    arp_spacing: Duration = 100 * MS  # SoftEther hub allows 15 (Hub.c:CheckBroadcastStorm)
    ndp_interval: Duration = 1 * SECOND  # RFC 4861 10: RETRANS_TIMER
    ndp_retries_max: int = 3  # RFC 4861 10: MAX_MULTICAST_SOLICIT
    ndp_unicast_retries_max: int = 3  # RFC 4861 10: MAX_UNICAST_SOLICIT
    ndp_reachable_time: Duration = 30 * SECOND  # RFC 4861 10: REACHABLE_TIME, times 0.5 to 1.5
    ndp_delay: Duration = 5 * SECOND  # RFC 4861 10: DELAY_FIRST_PROBE_TIME
    dad_transmits: int = 1  # RFC 4862 5.1: DupAddrDetectTransmits
    router_solicitations_max: int = 3  # RFC 4861 10: MAX_RTR_SOLICITATIONS
    router_solicitation_interval: Duration = 4 * SECOND  # RFC 4861 10: RTR_SOLICITATION_INTERVAL
    router_solicitation_delay: Duration = 1 * SECOND  # RFC 4861 10: MAX_RTR_SOLICITATION_DELAY
    addresses6_max: int = 16  # as Linux' max_addresses
    routers_max: int = 8  # RFC 4861 6.3.4 asks for two
    prefixes_max: int = 32
    redirects_max: int = 64  # destinations with a first hop of their own
    dhcp_delay_max: Duration = 10 * SECOND  # before the first message: RFC 2131 4.4.1
    dhcp_interval: Duration = 4 * SECOND  # until the second one, then twice as long: RFC 2131 4.1
    dhcp_interval_max: Duration = 64 * SECOND  # RFC 2131 4.1
    dhcp_requests_max: int = 4  # RFC 2131 3.1.5: in a minute
    dhcp_decline_wait: Duration = 10 * SECOND  # RFC 2131 3.1.5: "a minimum of ten seconds"
    dhcp_renew_interval: Duration = 60 * SECOND  # at least: RFC 2131 4.4.5
    dhcp_fuzz: Duration = 1 * SECOND  # T1 and T2, more or less: RFC 2131 4.4.5 names no amount
    lease_routes_max: int = 256  # routes of a lease, and DNS servers; of more the first ones
    dns_entries_max: int = 256  # answers, of at most 512 bytes each; and questions under way
    dns_timeout: Duration = 5 * SECOND  # what is later than resolvers wait for is not kept
    dns_ttl_max: Duration = 86_400 * SECOND  # RFC 1035 2.3.4 allows 68 years, RFC 8767 4 a week
    dns_negative_ttl_max: Duration = 3 * 3600 * SECOND  # RFC 2308 5: one to three hours
    reassembly_timeout: Duration = 60 * SECOND  # RFC 8200 4.5; RFC 1122 3.3.2: 60 to 120 s
    reassembly_datagrams_max: int = 64  # at once, those of which nothing more may come counted too
    reassembly_bytes_max: int = 256 * 1024
    reassembly_fragments_max: int = 64  # of one datagram; 65,535 bytes over 1,280 make 54
    hosts_max: int = 64  # addresses in all, of both families; a SoftEther hub may allow 4 (MaxIP)
    outbox_max: int = 1024
    icmp_errors_max: int = 100  # a second, to the host; RFC 4443 2.4 (f) asks for a limit
    random_seed: int = 0  # the only luck the tap has: transaction ids, spreads that RFCs ask for
    headers_max: int = 1024  # destinations whose 14 bytes are kept ready

    def __post_init__(self) -> None:
        _check_mac("our_mac", self.our_mac)
        if self.gateway_mac is not None:
            _check_mac("gateway_mac", self.gateway_mac)
        for name in ("our_ip6", "routes", "groups", "hosts"):
            if type(getattr(self, name)) is not tuple:
                raise UsageError(f"`{name}` must be a tuple, got {getattr(self, name)!r:.60}")
        check_range("prefix_length", self.prefix_length, 0, 32)
        _check_addresses(self)
        if self.gateway_mac is not None and self.gateway_ip is None and self.handle_arp_internally:
            raise UsageError("`gateway_mac` without `gateway_ip`", "say whose MAC it is")
        _check_profile(self)
        _check_claim(self)
        _check_dhcp(self)
        _check_hosts(self)
        _check_serving(self)
        _check_network(self)
        _check_data_path(self)
        check_range("random_seed", self.random_seed, 0, (1 << 64) - 1)
        check_range("mtu", self.mtu, 68, 65535)  # RFC 791 3.2: every link carries 68 bytes
        if (self.dhcp or self.serve is not None) and self.mtu < _DHCP_MTU_MIN:
            hint = f"DHCP needs {_DHCP_MTU_MIN}: RFC 2131 2"
            raise UsageError(f"`dhcp` or `serve` with an `mtu` of {self.mtu}", hint)
        for name in _COUNTS:
            check_range(name, getattr(self, name), 1, 1 << 62)

    @property
    def manners(self) -> Profile:
        """What `profile` says where authorities disagree."""
        return PROFILES[self.profile]

    def settled(self) -> "TapConfig":
        """The same, but with the settings of its profile for all that stands at its default."""
        defaults = {each.name: each.default for each in fields(self)}
        settings = self.manners.settings.items()
        changes: dict[str, Any] = {
            name: value for name, value in settings if getattr(self, name) == defaults[name]
        }
        return replace(self, **changes) if changes else self


_DHCP_MTU_MIN = 576  # what every client and server may send: RFC 2131 2
_COUNTS = (
    *("neighbors_max", "neighbor_lifetime", "held_packets_max", "held_bytes_max", "arp_interval"),
    *("arp_retries_max", "arp_burst_max", "arp_spacing", "ndp_interval", "ndp_retries_max"),
    *("ndp_unicast_retries_max", "ndp_reachable_time", "ndp_delay", "dad_transmits"),
    *("router_solicitations_max", "router_solicitation_interval", "router_solicitation_delay"),
    *("addresses6_max", "routers_max", "prefixes_max", "redirects_max"),
    *("dhcp_requests_max", "dhcp_decline_wait", "dhcp_renew_interval"),
    "lease_routes_max",
    *("dns_entries_max", "dns_timeout", "dns_ttl_max", "dns_negative_ttl_max"),
    *("reassembly_timeout", "reassembly_datagrams_max", "reassembly_bytes_max"),
    *("reassembly_fragments_max", "outbox_max", "headers_max", "icmp_errors_max"),
    "hosts_max",
)


def _check_addresses(config: TapConfig) -> None:
    for name, length in (("our_ip", 4), ("gateway_ip", 4), ("gateway_ip6", 16)):
        value = getattr(config, name)
        if value is not None and (type(value) is not bytes or len(value) != length):
            raise UsageError(f"`{name}` must be {length} bytes, got {value!r:.60}")
        if value is not None and not _is_unicast(value):
            raise UsageError(f"`{name}` must be one host's, got `{ip_text(value)}`")
    for address in config.our_ip6:
        if type(address) is not bytes or len(address) != 16:
            raise UsageError(f"`our_ip6` must hold addresses of 16 bytes, got {address!r:.60}")
        if not is_unicast6(address) or config.our_ip6.count(address) > 1:
            what = f"`our_ip6` must hold each host's address once, got `{ip_text(address)}`"
            raise UsageError(what)


def _check_network(config: TapConfig) -> None:
    """Who is who in it, as far as the configuration says."""
    if config.our_ip is not None and not config.dhcp:  # or a lease says which network it is
        all_of_us = directed_broadcast(config.our_ip, config.prefix_length)
        if all_of_us in (config.our_ip, config.gateway_ip or ANY4, *config.hosts):
            assert all_of_us is not None
            raise UsageError(f"`{ip_text(all_of_us)}` is the broadcast address of our network")
    ours = (config.our_ip, *config.our_ip6, *config.hosts)
    for name in ("gateway_ip", "gateway_ip6"):
        if getattr(config, name) is not None and getattr(config, name) in ours:
            raise UsageError(f"`{name}` is an address of ours", "leave it out to be the router")
    if config.gateway_mac == config.our_mac:
        raise UsageError("`gateway_mac` is `our_mac`", "two stations need two MACs")


def _check_choice(config: TapConfig, name: str, choices: Iterable[str]) -> None:
    value = getattr(config, name)
    if value not in choices:
        known = ", ".join(f"`{choice}`" for choice in choices)
        raise UsageError(f"`{name}` must be one of {known}, got {value!r:.60}")


def _check_profile(config: TapConfig) -> None:
    _check_choice(config, "profile", tuple(PROFILES))
    _check_choice(config, "when_unresolved", get_args(Unresolved))


def _check_claim(config: TapConfig) -> None:
    _check_choice(config, "claim", get_args(Claim))
    _check_choice(config, "defend", get_args(Defend))
    if config.claim != "silently":
        if not config.handle_arp_internally:
            raise UsageError(f"`claim` is `{config.claim}`, but the caller handles ARP")
        if config.our_ip is None and not config.dhcp:
            raise UsageError(f"`claim` is `{config.claim}`, but there is no `our_ip`")


def _check_dhcp(config: TapConfig) -> None:
    if config.dhcp and config.gateway_ip is not None:
        raise UsageError("`dhcp` with `gateway_ip`", "the lease names the gateway")
    if config.learn_ip and (config.dhcp or config.slaac or config.our_ip or config.gateway_ip):
        raise UsageError("`learn_ip` with `our_ip`, `gateway_ip`, `dhcp` or `slaac`", "choose one")
    check_range("dhcp_fuzz", config.dhcp_fuzz, 0, 1 << 62)
    check_range("dhcp_delay_max", config.dhcp_delay_max, 0, 1 << 62)
    # below, an interval could be spread to nothing
    check_range("dhcp_interval", config.dhcp_interval, 2 * SECOND, 1 << 40)
    check_range("dhcp_interval_max", config.dhcp_interval_max, config.dhcp_interval, 1 << 40)


def _check_hosts(config: TapConfig) -> None:
    _check_choice(config, "host_macs", get_args(HostMacs))
    for host in config.hosts:
        if type(host) is not bytes or not _is_unicast(host):
            raise UsageError(f"`hosts` must hold unicast addresses, got {host!r:.60}")
    ours = (config.our_ip, *config.our_ip6)
    if len({*ours, *config.hosts}) != len({*ours}) + len(config.hosts):
        raise UsageError("an address of `hosts` is there twice, or is ours already")
    if (config.hosts or config.admit_hosts) and config.our_ip is None and not config.dhcp:
        raise UsageError("`hosts` without `our_ip`", "without it every address is the tap's")
    if config.hosts and len(ours) + len(config.hosts) > config.hosts_max:
        raise UsageError(f"`hosts` has more addresses than `hosts_max`, {config.hosts_max}")


def _check_serving(config: TapConfig) -> None:
    serve, our_ip = config.serve, config.our_ip
    if serve is None:
        return
    if type(serve) is not Serving:
        raise UsageError(f"`serve` must be a `Serving`, got {serve!r:.60}")
    if our_ip is None:
        raise UsageError("`serve` without `our_ip`", "a router has an address in its network")
    if config.dhcp or config.slaac or config.gateway_ip or config.gateway_ip6:
        raise UsageError("`serve` with a way out", "leave `dhcp`, `slaac` and the gateways out")
    if not config.handle_arp_internally:
        raise UsageError("`serve`, but the caller handles ARP")
    if serve.prefixes and not any(map(is_link_local6, config.our_ip6)):
        raise UsageError("`prefixes` without a link-local address", "add one to `our_ip6`")
    _check_served(serve, our_ip, config)


def _check_served(serve: Serving, our_ip: Ip, config: TapConfig) -> None:
    if serve.server_ip in (our_ip, *config.hosts):
        raise UsageError("`server_ip` is an address of ours already", "leave it out to share it")
    mask = network_mask(config.prefix_length)
    for address in serve.in_network():
        if (int.from_bytes(address) ^ int.from_bytes(our_ip)) & mask:
            raise UsageError(f"`{ip_text(address)}` of `serve` is not in our network")


def _check_data_path(config: TapConfig) -> None:
    _check_choice(config, "validate", get_args(Validate))
    if config.vlan_id is not None:
        check_range("vlan_id", config.vlan_id, 1, 4094)  # IEEE 802.1Q 9.6
    for group in config.groups:
        if type(group) is not bytes or not _is_group_address(group):
            raise UsageError(f"`groups` must hold multicast addresses, got {group!r:.60}")
    check_routes(config.routes)


def _is_unicast(address: bytes) -> bool:
    return (len(address) == 4 and is_unicast4(address)) or (
        len(address) == 16 and is_unicast6(address)
    )


def _is_group_address(address: bytes) -> bool:
    return (len(address) == 4 and is_multicast4(address)) or (
        len(address) == 16 and is_multicast6(address)
    )


def _check_mac(name: str, value: object) -> None:
    if type(value) is not bytes or len(value) != 6 or is_group(value) or not any(value):
        raise UsageError(f"`{name}` must be a unicast MAC of 6 bytes, got {value!r:.60}")
