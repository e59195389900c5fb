"""TapConfig: every choice and every limit of one tap."""

from dataclasses import dataclass

from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Duration
from virtualtap.wire.address import Ip, Mac, is_group


@dataclass(frozen=True, slots=True, kw_only=True)
class TapConfig:
    """One tap's choices. MACs are 6 bytes, addresses 4 or 16; UsageError where they are not.

    Without `our_ip` the tap answers no ARP and takes every IPv4 packet sent to its MAC; it asks in
    the name of the packet that waits. Without a gateway only on-link destinations are reached.
    """

    our_mac: Mac
    our_ip: Ip | None = None
    prefix_length: int = 24
    gateway_ip: Ip | None = None
    gateway_mac: Mac | None = None
    our_ip6: tuple[Ip, ...] = ()  # each on-link with its /64 (RFC 4291 2.5.1)
    gateway_ip6: Ip | None = None
    mtu: int = 1500  # RFC 894, RFC 2464 2
    handle_arp_internally: bool = True
    learn_gateway_mac: bool = True

    neighbors_max: int = 1024  # as Linux' gc_thresh3
    neighbor_lifetime: Duration = 300 * SECOND  # RFC 1122 2.3.2.1 asks for a timeout, names none
    held_packets_max: int = 16  # for each neighbour; RFC 1122 2.3.2.2: at least the latest one
    held_bytes_max: int = 256 * 1024
    arp_interval: Duration = 1 * SECOND  # RFC 1122 2.3.2.1: at most one a second per destination
    arp_retries_max: int = 3
    ndp_interval: Duration = 1 * SECOND  # RFC 4861 10: RETRANS_TIMER
    ndp_retries_max: int = 3  # RFC 4861 10: MAX_MULTICAST_SOLICIT
    outbox_max: int = 1024
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
        _check_range("prefix_length", self.prefix_length, 0, 32)
        _check_range("mtu", self.mtu, 68, 65535)  # RFC 791 3.2: every link carries 68 bytes
        for name in _COUNTS:
            _check_range(name, getattr(self, name), 1, 1 << 62)


_COUNTS = (
    *("neighbors_max", "neighbor_lifetime", "held_packets_max", "held_bytes_max", "arp_interval"),
    *("arp_retries_max", "ndp_interval", "ndp_retries_max", "outbox_max", "headers_max"),
)


def _check_mac(name: str, value: object) -> None:
    if type(value) is not bytes or len(value) != 6 or is_group(value) or not any(value):
        raise UsageError(f"`{name}` must be a unicast MAC of 6 bytes, got {value!r:.60}")


def _check_range(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise UsageError(f"`{name}` must be from {least} to {most}, got {value!r:.60}")
