"""Ethernet for platforms that speak only IP: a pure, clock-free, I/O-free translator."""

from virtualtap.addresses import random_mac
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError, WireError
from virtualtap.events import (
    AddressClaimed,
    AddressConflict,
    AddressLost,
    ArpReceived,
    Event,
    GatewayLearned,
    HostAdmitted,
    LeaseBound,
    LeaseGranted,
    LeaseLost,
    LeaseRenewed,
    LeaseReturned,
    NeighborFailed,
    NeighborLearned,
)
from virtualtap.lease import Lease
from virtualtap.memory import memory_bound, mobile
from virtualtap.serving import Serving
from virtualtap.stats import DropReason, Stats
from virtualtap.tap import Translator, VirtualTap
from virtualtap.units import MS, SECOND, US, Duration, Instant
from virtualtap.wire.address import ip, ip_text, mac, mac_text

__all__ = [
    "MS",
    "SECOND",
    "US",
    "AddressClaimed",
    "AddressConflict",
    "AddressLost",
    "ArpReceived",
    "DropReason",
    "Duration",
    "Event",
    "GatewayLearned",
    "HostAdmitted",
    "Instant",
    "Lease",
    "LeaseBound",
    "LeaseGranted",
    "LeaseLost",
    "LeaseRenewed",
    "LeaseReturned",
    "NeighborFailed",
    "NeighborLearned",
    "Serving",
    "Stats",
    "TapConfig",
    "Translator",
    "UsageError",
    "VirtualTap",
    "WireError",
    "ip",
    "ip_text",
    "mac",
    "mac_text",
    "memory_bound",
    "mobile",
    "random_mac",
]
