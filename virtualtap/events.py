"""Past-tense facts that the tap reports: one fact each, comparable, never required reading."""

from dataclasses import dataclass
from typing import TypeAlias

from virtualtap.units import Instant
from virtualtap.wire.address import Ip, Mac


@dataclass(frozen=True, slots=True)
class GatewayLearned:
    """The gateway's MAC became known, or changed."""

    ip: Ip
    mac: Mac


@dataclass(frozen=True, slots=True)
class NeighborLearned:
    """An address is at this MAC: new, or moved from another one."""

    ip: Ip
    mac: Mac


@dataclass(frozen=True, slots=True)
class NeighborFailed:
    """Nobody answered for this address; the packets that waited are dropped."""

    ip: Ip


@dataclass(frozen=True, slots=True)
class AddressConflict:
    """Somebody else uses our address. RFC 5227 2.4, RFC 4862 5.4."""

    ip: Ip
    mac: Mac


@dataclass(frozen=True, slots=True)
class AddressClaimed:
    """Nobody objected: the address is ours from now on. RFC 5227 2.3."""

    ip: Ip


@dataclass(frozen=True, slots=True)
class AddressLost:
    """We ceased to use our address, because somebody else does. RFC 5227 2.4."""

    ip: Ip


@dataclass(frozen=True, slots=True)
class LeaseBound:
    """A DHCP server gave us an address; `expires_at` is None for ever. RFC 2131 4.4.1."""

    ip: Ip
    gateway: Ip | None
    expires_at: Instant | None


@dataclass(frozen=True, slots=True)
class LeaseRenewed:
    """We may keep our address for longer. RFC 2131 4.4.5."""

    ip: Ip
    expires_at: Instant | None


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """The address is no longer ours: over, refused, contested or given back. RFC 2131 4.4.5."""

    ip: Ip


@dataclass(frozen=True, slots=True)
class HostAdmitted:
    """An address that was heard from behind the tap lives there from now on, at this MAC."""

    ip: Ip
    mac: Mac


@dataclass(frozen=True, slots=True)
class LeaseGranted:
    """Our DHCP server lent this address to a client. RFC 2131 4.3.2."""

    ip: Ip
    mac: Mac
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class LeaseReturned:
    """A client of our DHCP server gave its address back, or refused it. RFC 2131 4.3.3, 4.3.4."""

    ip: Ip


@dataclass(frozen=True, slots=True)
class ArpReceived:
    """An ARP frame that the caller handles: only where `handle_arp_internally` is off."""

    frame: bytes


Event: TypeAlias = (
    GatewayLearned
    | NeighborLearned
    | NeighborFailed
    | AddressConflict
    | AddressClaimed
    | AddressLost
    | LeaseBound
    | LeaseRenewed
    | LeaseLost
    | HostAdmitted
    | LeaseGranted
    | LeaseReturned
    | ArpReceived
)
