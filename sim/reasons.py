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
    NOT_TUNNELED = "not-tunneled"  # broadcast, link-local multicast: no platform gives it a tunnel
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
    MAC_CONFLICT = "mac-conflict"  # CheckMac: another session had it in the last 13 s
    MAC_LIMIT = "mac-limit"
    IP_CONFLICT = "ip-conflict"  # CheckIP, CheckIPv6
    IP_LIMIT = "ip-limit"
    DHCP_FORCE = "dhcp-force"  # an address that no DHCP server gave
    NATIVE_NAT = "native-nat"  # DHCP of the server's own way outside
    HUB_MAC = "hub-mac"  # the hub's own question came back
    MONITOR_PORT = "monitor-port"  # a monitor only listens
    POLICY = "policy"  # a filter of the session's policy
    HUB_FILTER = "hub-filter"  # a filter of the hub's options
    ACCESS_LIST = "access-list"
    REDIRECTED = "redirected"  # a rule that answers a visitor with another URL
    ACCESS_LOSS = "access-loss"  # a rule that loses some of what it passes
    STORM = "storm"
    UPLOAD_LIMIT = "upload-limit"
    DOWNLOAD_LIMIT = "download-limit"
    PRIVACY = "privacy"
    VLAN = "vlan"  # of another VLAN than the session's
    FLOOD_QUOTA = "flood-quota"
    NO_SESSION = "no-session"  # it has ended
    NO_CONNECTION = "no-connection"  # the session's transport is gone, or not there again
    SOCKET_QUEUE = "socket-queue"  # a socket's FIFO is full: the whole batch goes
    # nodes and links
    NODE_DOWN = "node-down"
    LINK_LOSS = "link-loss"  # a fault
    LINK_QUEUE = "link-queue"
    LINK_DOWN = "link-down"
    LINK_MTU = "link-mtu"  # longer than what gets through


REASONS = frozenset(reason.value for reason in (*Reason, *DropReason))
