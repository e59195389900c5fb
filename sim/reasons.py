"""Why a frame did not go on: every reason that nodes and links give, beside the engine's own."""

from enum import StrEnum

from virtualtap.stats import DropReason


class Reason(StrEnum):
    """What `dropped{reason}` counts."""

    # any endpoint
    MALFORMED = "malformed"  # lengths, versions, types that are not what they claim
    CHECKSUM = "checksum"  # of a header or payload
    NOT_FOR_US = "not-for-us"  # another MAC or address
    UNSUPPORTED = "unsupported"  # an EtherType or operation it does not speak
    NO_LISTENER = "no-listener"  # nobody has bound the port
    NO_ROUTE = "no-route"
    UNRESOLVED = "unresolved"  # it waited for a MAC, and nobody answered
    HELD_FULL = "held-full"  # it waited, and newer ones pushed it out
    NEIGHBORS_FULL = "neighbors-full"
    TOO_BIG = "too-big"  # a packet longer than the MTU
    TTL_EXPIRED = "ttl-expired"
    # switches
    GROUP_SOURCE = "group-source"
    LINK_LOCAL = "link-local"  # 01:80:c2:00:00:01 to :0f
    SAME_PORT = "same-port"
    TOO_LONG = "too-long"
    # SoftEther hubs
    SAME_SESSION = "same-session"
    SESSION_QUEUE = "session-queue"
    SESSION_TOO_LONG = "session-too-long"
    MAC_TABLE_FULL = "mac-table-full"
    # nodes and links
    NODE_DOWN = "node-down"
    LINK_LOSS = "link-loss"  # a fault
    LINK_QUEUE = "link-queue"
    LINK_DOWN = "link-down"


REASONS = frozenset(reason.value for reason in (*Reason, *DropReason))
