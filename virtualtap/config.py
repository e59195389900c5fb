"""TapConfig: every choice and every limit of one tap."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND, Duration
from virtualtap.wire.address import Ip, Mac, is_group, is_multicast4, is_multicast6, network_mask

Claim: TypeAlias = Literal["silently", "announced", "probed"]
Defend: TypeAlias = Literal["once", "never", "always"]
Validate: TypeAlias = Literal["strict", "length", "off"]


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
    vlan_id: int | None = None  # the VLAN to speak, 1 to 4094; None: untagged frames
    clamp_mss: bool = False  # TCP connections open with segments that fit `mtu`: RFC 6691
    validate: Validate = "strict"  # or "length": only lengths; or "off": only what must be read
    handle_arp_internally: bool = True
    learn_gateway_mac: bool = True
    claim: Claim = "silently"  # or "announced", or "probed" and announced: RFC 5227 2.1, 2.3
    defend: Defend = "once"  # in 10 s; or "never", or "always": RFC 5227 2.4 (b), (a), (c)
    dhcp: bool = False  # a lease decides all of IPv4; `our_ip` is then what is asked for again

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
    reassembly_timeout: Duration = 60 * SECOND  # RFC 8200 4.5; RFC 1122 3.3.2: 60 to 120 s
    reassembly_datagrams_max: int = 64  # at once, those of which nothing more may come counted too
    reassembly_bytes_max: int = 256 * 1024
    reassembly_fragments_max: int = 64  # of one datagram; 65,535 bytes over 1,280 make 54
    outbox_max: int = 1024
    icmp_errors_max: int = 100  # a second, to the host; RFC 4443 2.4 (f) asks for a limit
    random_seed: int = 0  # the only luck the tap has: transaction ids, spreads that RFCs ask for
    headers_max: int = 1024  # destinations whose 14 bytes are kept ready

    def __post_init__(self) -> None:
        _check_mac("our_mac", self.our_mac)
        if self.gateway_mac is not None:
            _check_mac("gateway_mac", self.gateway_mac)
        for name, length in (("our_ip", 4), ("gateway_ip", 4), ("gateway_ip6", 16)):
            value = getattr(self, name)
            if value is not None and (type(value) is not bytes or len(value) != length):
                raise UsageError(f"`{name}` must be {length} bytes, got {value!r:.60}")
        for address in self.our_ip6:
            if type(address) is not bytes or len(address) != 16:
                raise UsageError(f"`our_ip6` must hold addresses of 16 bytes, got {address!r:.60}")
        if self.gateway_mac is not None and self.gateway_ip is None and self.handle_arp_internally:
            raise UsageError("`gateway_mac` without `gateway_ip`", "say whose MAC it is")
        _check_claim(self)
        _check_dhcp(self)
        _check_data_path(self)
        _check_range("random_seed", self.random_seed, 0, (1 << 64) - 1)
        _check_range("prefix_length", self.prefix_length, 0, 32)
        _check_range("mtu", self.mtu, 68, 65535)  # RFC 791 3.2: every link carries 68 bytes
        for name in _COUNTS:
            _check_range(name, getattr(self, name), 1, 1 << 62)


_COUNTS = (
    *("neighbors_max", "neighbor_lifetime", "held_packets_max", "held_bytes_max", "arp_interval"),
    *("arp_retries_max", "arp_burst_max", "arp_spacing", "ndp_interval", "ndp_retries_max"),
    *("ndp_unicast_retries_max", "ndp_reachable_time", "ndp_delay", "dad_transmits"),
    *("router_solicitations_max", "router_solicitation_interval", "router_solicitation_delay"),
    *("addresses6_max", "routers_max", "prefixes_max", "redirects_max"),
    *("dhcp_requests_max", "dhcp_decline_wait", "dhcp_renew_interval"),
    *("reassembly_timeout", "reassembly_datagrams_max", "reassembly_bytes_max"),
    *("reassembly_fragments_max", "outbox_max", "headers_max", "icmp_errors_max"),
)


def _check_claim(config: TapConfig) -> None:
    for name, choices in (("claim", get_args(Claim)), ("defend", get_args(Defend))):
        value = getattr(config, name)
        if value not in choices:
            known = ", ".join(f"`{choice}`" for choice in choices)
            raise UsageError(f"`{name}` must be one of {known}, got {value!r:.60}")
    if config.claim != "silently":
        if not config.handle_arp_internally:
            raise UsageError(f"`claim` is `{config.claim}`, but the caller handles ARP")
        if config.our_ip is None and not config.dhcp:
            raise UsageError(f"`claim` is `{config.claim}`, but there is no `our_ip`")


def _check_dhcp(config: TapConfig) -> None:
    if config.dhcp and config.gateway_ip is not None:
        raise UsageError("`dhcp` with `gateway_ip`", "the lease names the gateway")
    _check_range("dhcp_delay_max", config.dhcp_delay_max, 0, 1 << 62)
    # below, an interval could be spread to nothing
    _check_range("dhcp_interval", config.dhcp_interval, 2 * SECOND, 1 << 40)
    _check_range("dhcp_interval_max", config.dhcp_interval_max, config.dhcp_interval, 1 << 40)


def _check_data_path(config: TapConfig) -> None:
    if config.validate not in get_args(Validate):
        known = ", ".join(f"`{choice}`" for choice in get_args(Validate))
        raise UsageError(f"`validate` must be one of {known}, got {config.validate!r:.60}")
    if config.vlan_id is not None:
        _check_range("vlan_id", config.vlan_id, 1, 4094)  # IEEE 802.1Q 9.6
    for group in config.groups:
        if type(group) is not bytes or not _is_group_address(group):
            raise UsageError(f"`groups` must hold multicast addresses, got {group!r:.60}")
    for route in config.routes:
        _check_route(*route)


def _check_route(network: Ip, length: int, router: Ip) -> None:
    _check_range("routes", length, 0, 32)
    for address in (network, router):
        if type(address) is not bytes or len(address) != 4:
            raise UsageError(f"`routes` must hold addresses of 4 bytes, got {address!r:.60}")
    if int.from_bytes(network) & ~network_mask(length):
        raise UsageError(f"a network of `routes` has bits below its prefix of {length}")


def _is_group_address(address: bytes) -> bool:
    return (len(address) == 4 and is_multicast4(address)) or (
        len(address) == 16 and is_multicast6(address)
    )


def _check_mac(name: str, value: object) -> None:
    if type(value) is not bytes or len(value) != 6 or is_group(value) or not any(value):
        raise UsageError(f"`{name}` must be a unicast MAC of 6 bytes, got {value!r:.60}")


def _check_range(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise UsageError(f"`{name}` must be from {least} to {most}, got {value!r:.60}")
