"""Whose manners a tap has where authorities disagree, as data: RFC 826, 1122, 5227, 4861, stacks.

`strict` follows the RFCs, the later where they differ. The others do as one stack or one suite
does, its faults included; what no field names is as in `strict`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from virtualtap.units import SECOND

# What an ARP message is to us: a request or reply for our address, one about its own sender
# (RFC 5227 3: an announcement), one between others.
Heard: TypeAlias = Literal["asked", "replied", "announced", "overheard"]
Conflicts: TypeAlias = Literal["heard", "ignored", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One stack's manners. Each default is what `strict` does."""

    # what is heard
    reads_snap: bool = True  # frames in the clothes of IEEE 802.3: RFC 1042
    reads_priority_tags: bool = True  # a tag of VLAN 0: IEEE 802.1Q 6.9.1
    checks_link_source: bool = True  # a group, zero or our own MAC is no source: IEEE 802.3 3.2.3
    hardware_types: tuple[bytes, ...] = (b"\0\1",)  # of ARP: IANA
    # ARP
    adds: frozenset[Heard] = frozenset(("asked", "replied"))  # who gets an entry: RFC 826
    adds_off_subnet: bool = False  # be it useful or not
    adds_from_packets: bool = False  # IPv4 packets tell where their sender is, too
    checks_sender_mac: bool = True  # a group, zero or our own MAC is nobody's; NDP's options alike
    answers_our_broadcast: bool = False  # a sender with our subnet's broadcast address; not added
    ignores_odd_targets: bool = False  # a message that asks for a group or loopback tells nothing
    conflicts: Conflicts = "heard"  # RFC 5227 2.4; or the message is dropped; or it is as any other
    asks: bool = True  # for IPv4 neighbours
    doubts_ipv4: bool = False  # IPv4 neighbours have the states of IPv6's: RFC 4861 7.3
    use_prolongs: bool = False  # what is sent to a neighbour lengthens its lifetime
    # IPv4
    misreads_groups: bool = False  # a group is a first byte from 224 on and a second up to 239
    # NDP
    bare_answers: bool = False  # to a unicast solicitation: no O flag, no MAC (RFC 4861 7.2.4 may)
    answers_are_use: bool = False  # an answer is a packet sent: STALE becomes DELAY
    doubts_link_locally: bool = False  # who is doubted is asked in our link-local name: 7.2.2 may
    checks_mac_options: bool = False  # a message is dropped if its MAC option has a wrong length
    dad_nonce: bool = False  # probes carry six bytes of luck, known again: RFC 7527 4
    # what a configuration has where it stands at its default
    settings: Mapping[str, object] = field(default_factory=dict)


_STAYS = 365 * 86_400 * SECOND  # an entry that only a full table or doubt removes

PROFILES: dict[str, Profile] = {
    "strict": Profile(),
    # The RFC by its letter: the packet is thrown away, to be sent again by who sent it; no table
    # of who may have which address, no conflicts.
    "rfc826": Profile(
        adds_off_subnet=True,
        checks_sender_mac=False,
        answers_our_broadcast=True,
        conflicts="unknown",
        settings={"when_unresolved": "drop", "arp_retries_max": 1},
    ),
    # Linux 6.18 with its defaults but `locktime` 0, measured by its answers and its table.
    "linux": Profile(
        reads_snap=False,
        checks_link_source=False,
        hardware_types=(b"\0\1", b"\0\6"),
        adds=frozenset(("asked",)),  # arp_accept 0
        adds_off_subnet=True,
        checks_sender_mac=False,
        answers_our_broadcast=True,
        ignores_odd_targets=True,
        conflicts="ignored",
        doubts_ipv4=True,
        bare_answers=True,
        answers_are_use=True,
        doubts_link_locally=True,
        checks_mac_options=True,
        dad_nonce=True,
        settings={
            "neighbor_lifetime": _STAYS,  # nobody is removed below gc_thresh1
            "held_packets_max": 101,  # unres_qlen
            "arp_burst_max": 1024,  # no pace but that of each neighbour
        },
    ),
    # SoftEther's own client between IP and Ethernet (IPC.c), in IPv4.
    "softether-ipc": Profile(
        reads_snap=False,
        reads_priority_tags=False,
        adds=frozenset(("asked", "replied", "announced", "overheard")),
        adds_from_packets=True,
        conflicts="ignored",
        use_prolongs=True,
        misreads_groups=True,
        settings={
            "arp_retries_max": 1,  # and given up after a second: IPC_ARP_GIVEUPTIME
            "neighbor_lifetime": 180 * SECOND,  # IPC_ARP_LIFETIME
            "held_packets_max": 10_000,  # IPC_MAX_PACKET_QUEUE_LEN
            "held_bytes_max": 16 * 1024 * 1024,  # it knows no limit; that many packets of 1,600
            "arp_burst_max": 1024,
        },
    ),
    # What the OPEN Alliance's suite demands: ARP_05 and ARP_06 want an entry from an announcement.
    "tc8": Profile(adds=frozenset(("asked", "replied", "announced"))),
    # The C translator before this one: it never asks, and sends to everyone what it cannot resolve.
    "predecessor": Profile(
        checks_sender_mac=False,
        conflicts="unknown",
        asks=False,
        settings={"when_unresolved": "broadcast"},
    ),
}
