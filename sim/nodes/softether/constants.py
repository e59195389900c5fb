"""The numbers of the server, by their names in its sources: Cedar.h, Hub.h. Server.h says VPN_GP.

Those in `Constants` can be replaced by the product's configuration file (Server.c:
SiLoadGlobalParamsCfg); all others are fixed when the product is compiled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND, Duration

MAX_PACKET_SIZE = 1600  # Cedar.h: a frame with its header
MAC_MIN_LIMIT_COUNT = 3  # Hub.h
IP_MIN_LIMIT_COUNT = 4  # Hub.h
IP_MIN_LIMIT_COUNT_V6 = 5  # Hub.h
IP_LIMIT_WHEN_NO_ROUTING_V6 = 15  # Hub.h
OLD_MAC_ADDRESS_ENTRY_FLUSH_INTERVAL: Duration = 1 * SECOND  # Hub.h
MAC_TABLE_EXCLUSIVE_TIME: Duration = 13 * SECOND  # Hub.h
IP_TABLE_EXCLUSIVE_TIME: Duration = 13 * SECOND  # Hub.h
DEFAULT_FLOODING_QUEUE_LENGTH = 32 * 1024 * 1024  # Hub.h, bytes


class Strategy(StrEnum):
    """How the server was built. Mayaqua.h: low memory on everything but x86 and SPARC."""

    PERFORMANCE = "performance"
    LOW_MEMORY = "low-memory"


class Version(StrEnum):
    """Which server: the stable one that was observed, or the sources that were read."""

    STABLE = "5.01"
    DEVELOPER = "2026"


@dataclass(frozen=True, slots=True)
class Constants:
    """What a configuration file may replace, as the performance strategy has it. Cedar.h, Hub.h."""

    MAX_SEND_SOCKET_QUEUE_SIZE: int = 1600 * 1600  # bytes
    MIN_SEND_SOCKET_QUEUE_SIZE: int = 1600 * 200  # bytes
    MAX_SEND_SOCKET_QUEUE_NUM: int = 128  # frames that a session's loop moves in one turn
    SELECT_TIME: Duration = 256 * MS
    SELECT_TIME_FOR_NAT: Duration = 30 * MS
    MAX_STORED_QUEUE_NUM: int = 1024  # frames of one session's queue
    MAX_BUFFERING_PACKET_SIZE: int = 1600 * 1600  # bytes
    HUB_ARP_SEND_INTERVAL: Duration = 5 * SECOND
    MAC_TABLE_EXPIRE_TIME: Duration = 600 * SECOND
    IP_TABLE_EXPIRE_TIME: Duration = 60 * SECOND
    IP_TABLE_EXPIRE_TIME_DHCP: Duration = 300 * SECOND
    STORM_CHECK_SPAN: Duration = 500 * MS
    STORM_DISCARD_VALUE_START: int = 3
    STORM_DISCARD_VALUE_END: int = 1024
    MAX_MAC_TABLES: int = 65_536
    MAX_IP_TABLES: int = 65_536
    MAX_HUB_LINKS: int = 1024
    MEM_FIFO_REALLOC_MEM_SIZE: int = 655_360  # bytes
    QUEUE_BUDGET: int = 2048  # frames
    FIFO_BUDGET: int = 10_240_000  # bytes


_TIME = re.compile("_TIME|_INTERVAL|_SPAN")  # milliseconds in a configuration file
_PERFORMANCE = Constants()
_LOW_MEMORY = replace(
    _PERFORMANCE,
    MAX_SEND_SOCKET_QUEUE_SIZE=1600 * 200,
    MIN_SEND_SOCKET_QUEUE_SIZE=1600 * 50,
    MAX_STORED_QUEUE_NUM=384,
    MAX_BUFFERING_PACKET_SIZE=1600 * 300,
    MEM_FIFO_REALLOC_MEM_SIZE=65_536,
    QUEUE_BUDGET=1024,
    FIFO_BUDGET=1_000_000,
)


def constants(
    strategy: Strategy = Strategy.PERFORMANCE, overrides: Mapping[str, int] | None = None
) -> Constants:
    """The numbers of a build, some replaced as a configuration file does: times are in ms, 0 keeps.

    UsageError for a name that the product does not let one replace, and for a negative number.
    """
    made = _LOW_MEMORY if strategy is Strategy.LOW_MEMORY else _PERFORMANCE
    units = {field.name: MS if _TIME.search(field.name) else 1 for field in fields(Constants)}
    for name, value in (overrides or {}).items():
        if name not in units:
            raise UsageError(
                f"no constant is named `{name:.60}`", f"the constants are {', '.join(units)}"
            )
        if value < 0:
            raise UsageError(f"constant `{name}` is {value}", "give a number from 1, or 0 to keep")
        if value:
            made = replace(made, **{name: value * units[name]})
    return made
