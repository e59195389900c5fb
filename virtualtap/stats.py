"""What the engine counted, with a reason for every drop."""

from dataclasses import dataclass, field
from enum import StrEnum


class DropReason(StrEnum):
    """Why the engine refused a frame or packet."""

    MALFORMED = "malformed"  # lengths, versions, checksums that are not what they claim
    NOT_FOR_US = "not-for-us"  # another MAC or address; a switch flooded it
    OWN_FRAME = "own-frame"  # our own source MAC came back: a loop
    UNSUPPORTED = "unsupported"  # a type this tap does not speak
    BAD_CHECKSUM = "bad-checksum"  # of an IPv4 header
    BAD_ADDRESS = "bad-address"  # a source or destination that may not be on a link
    EXPIRED = "expired"  # the host sent it with no time to live
    WRONG_VLAN = "wrong-vlan"  # a tag that is not ours, or none where ours is asked for
    TOO_BIG = "too-big"  # longer than the MTU, and not to be cut
    OVERLAP = "overlap"  # a fragment that says again, or otherwise, what came; and all after it
    REASSEMBLY_FULL = "reassembly-full"  # a packet in pieces that had to go
    REASSEMBLY_TIMEOUT = "reassembly-timeout"  # a packet whose other pieces never came
    NO_ADDRESS = "no-address"  # ours is not ours yet, or no longer
    NO_ROUTE = "no-route"  # neither on-link nor a gateway for it
    NOT_HELD = "not-held"  # its neighbour is unknown, and nothing waits: `when_unresolved`
    UNRESOLVED = "unresolved"  # it waited, and nobody answered
    HELD_FULL = "held-full"  # it waited, and there was no room for it
    NEIGHBORS_FULL = "neighbors-full"  # no room for another neighbour
    HOSTS_FULL = "hosts-full"  # no room for another host behind the tap
    NO_LEASE = "no-lease"  # a DHCP client for whom there is no address, or who is not ours to serve
    OUTBOX_FULL = "outbox-full"  # the caller does not take what comes out


HELD_REASONS = (DropReason.UNRESOLVED, DropReason.HELD_FULL)  # only what was held before
# whole packets that came in pieces; each of these was taken in when it came
JOINED_REASONS = (DropReason.REASSEMBLY_FULL, DropReason.REASSEMBLY_TIMEOUT)


@dataclass(slots=True)
class Stats:
    """Counts since the tap was made; all of them only grow."""

    to_ethernet: int = 0  # packets that left as frames at once
    to_ip: int = 0  # frames that left as packets
    held: int = 0  # packets that waited for an address
    released: int = 0  # of these, sent after the answer
    fragmented: int = 0  # packets that left in pieces
    returned: int = 0  # packets from one host behind the tap to another, or to all of them
    reassembled: int = 0  # packets that came in pieces, atomic fragments too
    errors_sent: int = 0  # ICMP errors, to the host or in its name
    requests_sent: int = 0  # ARP requests and neighbour solicitations
    requests_answered: int = 0
    dns_queries: int = 0  # that the cache may answer
    dns_answered: int = 0  # of these, by the cache: they do not leave
    answers_received: int = 0  # ARP replies and neighbour advertisements that were valid
    dropped: dict[DropReason, int] = field(default_factory=dict)
    dropped_total: int = 0
