"""What an administrator sets of SecureNAT, by the product's names, and what becomes of it. Nat.c.

NiSetDefaultVhOption, Virtual.c:SetVirtualHostOption: the defaults, and how values are clamped.
"""

from dataclasses import dataclass
from enum import StrEnum

from sim.nodes.softether import valid
from virtualtap.units import SECOND, Duration
from virtualtap.wire import address
from virtualtap.wire.address import network_mask

DHCP_MIN_EXPIRE_TIMESPAN = 15  # seconds; Virtual.h
MTU_MIN, MTU_MAX = 62, 1500  # bytes
_TCP_TIMEOUT, _UDP_TIMEOUT = (60, 2_000_000), (10, 2_000_000)  # seconds
_YEARS: Duration = 100 * 365 * 86_400 * SECOND  # a lease without end


class Mode(StrEnum):
    """How SecureNAT reaches what is outside."""

    USER = "user"  # sockets of the server's own
    KERNEL = "kernel"  # packets, translated; NativeNat in the product
    OFF = "off"  # DisableUserModeSecureNAT, and no kernel mode


class Ping(StrEnum):
    """How the user mode pings: what the product is allowed to on its machine."""

    RAW = "raw"  # a raw socket
    API = "api"  # a system call that pings
    FAKE = "fake"  # neither: every address answers


@dataclass(frozen=True, slots=True, kw_only=True)
class VhOption:
    """The product's VH_OPTION; addresses of 4 bytes, times in seconds. UsageError: `valid`."""

    MacAddress: address.Mac | None = None  # None: 5E and five bytes that are drawn
    Ip: address.Ip = bytes((192, 168, 30, 1))
    Mask: address.Ip = bytes((255, 255, 255, 0))
    UseNat: bool = True
    Mtu: int = 1500  # bytes; 0: 1500
    NatTcpTimeout: int = 1800
    NatUdpTimeout: int = 60
    UseDhcp: bool = True
    DhcpLeaseIPStart: address.Ip = bytes((192, 168, 30, 10))
    DhcpLeaseIPEnd: address.Ip = bytes((192, 168, 30, 200))
    DhcpSubnetMask: address.Ip = bytes((255, 255, 255, 0))
    DhcpExpireTimeSpan: int = 7200  # 0: without end
    DhcpGatewayAddress: address.Ip = bytes((192, 168, 30, 1))  # 0.0.0.0: none
    DhcpDnsServerAddress: address.Ip = bytes((192, 168, 30, 1))
    DhcpDnsServerAddress2: address.Ip = bytes(4)
    DhcpDomainName: str = ""
    ApplyDhcpPushRoutes: bool = True
    DhcpPushRoutes: tuple[address.Route, ...] = ()

    def __post_init__(self) -> None:
        if self.MacAddress is not None:
            valid.card("MacAddress", self.MacAddress)
        valid.host("Ip", self.Ip)
        valid.mask("Mask", self.Mask)
        valid.mask("DhcpSubnetMask", self.DhcpSubnetMask)

    @property
    def mtu(self) -> int:
        """Bytes of an IP packet, as the virtual host takes it."""
        return max(MTU_MIN, min(self.Mtu or MTU_MAX, MTU_MAX))

    @property
    def ip_mss(self) -> int:
        """Bytes of a fragment's payload."""
        return (self.mtu - 20) // 8 * 8

    @property
    def tcp_mss(self) -> int:
        """Bytes of a segment that it offers and sends."""
        return (self.ip_mss - 20) // 8 * 8

    @property
    def tcp_timeout(self) -> Duration:
        return _clamped(self.NatTcpTimeout, _TCP_TIMEOUT)

    @property
    def udp_timeout(self) -> Duration:
        return _clamped(self.NatUdpTimeout, _UDP_TIMEOUT)

    @property
    def lease_seconds(self) -> int:
        """What a client is told; 0xFFFFFFFF: without end. RFC 2131 3.3."""
        span = self.DhcpExpireTimeSpan
        return max(DHCP_MIN_EXPIRE_TIMESPAN, span) if span else 0xFFFFFFFF

    @property
    def lease(self) -> Duration:
        """How long a lease is kept."""
        return self.lease_seconds * SECOND if self.DhcpExpireTimeSpan else _YEARS

    @property
    def broadcast(self) -> address.Ip:
        """Of the virtual host's subnet."""
        mask = int.from_bytes(self.Mask)
        return (int.from_bytes(self.Ip) | ~mask & 0xFFFFFFFF).to_bytes(4)

    def is_on_subnet(self, ip: address.Ip) -> bool:
        """Whether SecureNAT never translates what goes there."""
        mask = int.from_bytes(self.Mask)
        return int.from_bytes(ip) & mask == int.from_bytes(self.Ip) & mask

    def leases(self, ip: address.Ip) -> bool:
        """Whether the address is in the range that clients get."""
        return self.DhcpLeaseIPStart <= ip <= self.DhcpLeaseIPEnd


def route(network: address.Ip, mask: address.Ip, router: address.Ip) -> address.Route:
    """A classless route of a network given with its mask."""
    length = int.from_bytes(mask).bit_count()
    number = int.from_bytes(network) & network_mask(length)
    return address.Route(number.to_bytes(4), length, router)


def _clamped(value: int, bounds: tuple[int, int]) -> Duration:
    return max(bounds[0], min(value, bounds[1])) * SECOND
