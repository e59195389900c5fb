"""How much memory one tap may need, by its limits; and limits for a phone. RFC 1122 and 4861."""

from dataclasses import replace
from typing import Any

from virtualtap.config import TapConfig

MOBILE: dict[str, Any] = {  # what one phone behind one tap needs, and a little more
    "neighbors_max": 48,
    "held_packets_max": 8,
    "held_bytes_max": 64 * 1024,
    "addresses6_max": 8,
    "routers_max": 4,
    "prefixes_max": 8,
    "redirects_max": 16,
    "lease_routes_max": 32,
    "reassembly_datagrams_max": 4,
    "reassembly_bytes_max": 96 * 1024,  # the longest datagram, and others beside it
    "outbox_max": 48,
    "headers_max": 48,
    "hosts_max": 4,
    "dns_entries_max": 12,
}

# Bytes that one entry of each kind takes in CPython 3.11 to 3.14 on 64 bits, measured with
# tracemalloc, and a quarter more: the objects, the share of a growing dict, the timer and, since
# the heap may hold as many that are cancelled, another one.
_FIXED = 48 * 1024
_NEIGHBOR, _HELD, _ASKED, _WAYS = 2560, 96, 256, 1664
_FRAME, _EVENT = 96, 256
_ADDRESS, _ROUTER, _PREFIX, _REDIRECT, _ROUTE, _GROUP = 1536, 192, 256, 320, 768, 1536
_HOST, _LOAN = 2048, 1024
_ANSWER = 8704  # of DNS: 512 bytes of forty records, and a question under way
_DATAGRAM, _PIECE = 1536, 192
_SOURCE4, _SOURCE6 = 72, 88  # in a query for some sources of a group
_OWN_MAX = 1280  # the longest message that the tap writes itself: RFC 4443 2.4 (c)
_LINK = 18  # an Ethernet header with a tag
_PACKET_MIN, _DATAGRAM_MAX = 20, 65_535  # RFC 791 3.1


def memory_bound(config: TapConfig) -> int:
    """The most bytes that one tap with these limits holds between two calls, whatever comes.

    Memory is what `tracemalloc` counts from the making of the tap on: tables, queues, timers,
    outboxes that nobody takes from; not what the caller took, and not the code. While a call runs
    it needs a few times the length of its input more.
    """
    config = config.settled()
    longest = max(config.mtu, _OWN_MAX)
    return sum(
        (
            _FIXED,
            config.neighbors_max * _NEIGHBOR,
            _held(config),
            (config.arp_burst_max + config.arp_interval // config.arp_spacing + 1) * _ASKED,
            config.headers_max * _WAYS,
            config.outbox_max * (_LINK + longest + _FRAME),  # frames
            config.outbox_max * (longest + _FRAME),  # packets
            config.outbox_max * _event(config),
            (config.addresses6_max + len(config.our_ip6)) * _ADDRESS,
            (config.routers_max + 1) * _ROUTER,
            (config.prefixes_max + len(config.our_ip6)) * _PREFIX,
            config.redirects_max * _REDIRECT,
            (len(config.routes) + 2 * config.lease_routes_max) * _ROUTE,  # in use, and offered
            _reassembly(config),
            _groups(config),
            config.hosts_max * _HOST,  # with what is claimed for each
            _loans(config),
            config.dns_entries_max * _ANSWER if config.dns_cache else 0,
        )
    )


def mobile(config: TapConfig) -> TapConfig:
    """The same choices under limits for a phone: one tap stays under 1 MiB with an MTU of 1500."""
    return replace(config, **MOBILE)


def _held(config: TapConfig) -> int:
    most = config.neighbors_max * config.held_packets_max
    return config.held_bytes_max + min(most, config.held_bytes_max // _PACKET_MIN) * _HELD


def _event(config: TapConfig) -> int:
    """One event; an ARP frame that the caller handles is in it."""
    return _EVENT if config.handle_arp_internally else _EVENT + _LINK + config.mtu + _FRAME


def _reassembly(config: TapConfig) -> int:
    most = config.reassembly_datagrams_max * config.reassembly_fragments_max
    pieces = min(most, config.reassembly_bytes_max)  # none is empty
    datagrams = config.reassembly_datagrams_max * _DATAGRAM
    return config.reassembly_bytes_max + pieces * _PIECE + datagrams


def _loans(config: TapConfig) -> int:
    """Who asked our DHCP server, and what each of those asked whose address is looked into."""
    if config.serve is None:
        return 0
    asked = config.arp_burst_max * (2 * _DATAGRAM_MAX + _EVENT)
    return config.serve.leases_max * _LOAN + asked + len(config.serve.prefixes) * _PREFIX


def _groups(config: TapConfig) -> int:
    """Each may be asked for by as many sources as fit into one report. RFC 3376 5.2."""
    if not config.groups:
        return 0
    sources4, sources6 = config.mtu // 4 * _SOURCE4, config.mtu // 16 * _SOURCE6
    hosts = config.hosts_max if config.hosts or config.admit_hosts else 0
    nodes = config.addresses6_max + len(config.our_ip6) + 1 + hosts  # solicited-node groups
    groups4 = sum(len(group) == 4 for group in config.groups)
    groups6 = len(config.groups) - groups4 + nodes
    return groups4 * (_GROUP + sources4) + groups6 * (_GROUP + sources6)
