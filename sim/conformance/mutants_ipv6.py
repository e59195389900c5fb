"""Wrong engines of the IPv6 family."""

from collections.abc import Callable

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_ethernet import gives, hears, says, sends
from sim.conformance.mutants_ipv4 import without_rule
from virtualtap import validator
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import ALL_NODES6, Ip, is_multicast6
from virtualtap.wire.ethernet import IPV6

FORGOTTEN = (
    *("sizes6", "lengths6", "sources6", "loopback_heard6", "loopback_sent6", "unspecified6"),
    *("scopes6",),
)
for _rule, _name in zip(validator.RULES6, FORGOTTEN, strict=True):
    without_rule(_rule, f"forgets_the_rule_of_{_name}")


def admits6(config: TapConfig, choose: Callable[[Ip, bool, bool], bool]) -> VirtualTap:
    """A tap that admits otherwise: (destination, whether the frame went to many, the right one)."""
    tap = VirtualTap(config)
    swap(tap._ipv6, "_is_for_host", lambda right, to, many: choose(to, many, right(to, many)))
    return tap


def group_mac6(config: TapConfig, mac_of: Callable[[Ip], bytes]) -> VirtualTap:
    return sends(
        config,
        lambda data: (
            mac_of(data[38:54]) + data[6:] if data[12:14] == IPV6 and data[0] == 0x33 else data
        ),
    )


@mutant
def maps_three_bytes_of_an_ipv6_group(config: TapConfig) -> VirtualTap:
    return group_mac6(config, lambda group: b"\x33\x33\0" + group[13:])


@mutant
def maps_ipv6_groups_as_ipv4(config: TapConfig) -> VirtualTap:
    return group_mac6(config, lambda group: b"\1\0\x5e" + group[13:])


@mutant
def sends_no_ipv6_groups_without_a_router(config: TapConfig) -> VirtualTap:
    return (
        VirtualTap(config)
        if config.gateway_ip6
        else says(config, lambda data: None if data[24:25] == b"\xff" else data)
    )


@mutant
def leads_all_of_ipv6_to_the_router(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv6, "_next_hop", lambda right, to: right(to) and config.gateway_ip6)
    return tap


@mutant
def takes_all_of_ipv6_to_be_on_link(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv6, "_next_hop", lambda right, to: right(to) and to)
    return tap


@mutant
def sends_ipv6_to_nobody(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv6, "_next_hop", lambda right, to: right(to) or config.gateway_ip6 or to)
    return tap


@mutant
def takes_one_from_the_hop_limit(config: TapConfig) -> VirtualTap:
    return says(
        config,
        lambda data: (
            patched(data, 7, bytes((max(0, data[7] - 1),))) if data[:1] == b"\x6b" else data
        ),
    )


@mutant
def takes_no_spent_hop_limit(config: TapConfig) -> VirtualTap:
    return hears(
        config, lambda data: None if data[12:14] == IPV6 and data[21:22] == b"\0" else data
    )


@mutant
def clears_the_flow_label(config: TapConfig) -> VirtualTap:
    return gives(
        config, lambda data, _: data[:1] + bytes(3) + data[4:] if data[0] >> 4 == 6 else data
    )


@mutant
def lengthens_short_packets(config: TapConfig) -> VirtualTap:
    return says(config, lambda data: data.ljust(40, b"\0") if data[:1] == b"\x60" else data)


@mutant
def takes_ipv6_for_anybody(config: TapConfig) -> VirtualTap:
    return admits6(config, lambda _, many, right: right or not many)


@mutant
def takes_ipv6_for_us_from_frames_for_many(config: TapConfig) -> VirtualTap:
    return admits6(config, lambda to, _, right: right or to in config.our_ip6)


@mutant
def takes_no_ipv6_groups(config: TapConfig) -> VirtualTap:
    return admits6(config, lambda to, _, right: right and not is_multicast6(to))


@mutant
def takes_all_ipv6_groups(config: TapConfig) -> VirtualTap:
    return admits6(config, lambda to, _, right: right or is_multicast6(to))


@mutant
def takes_only_joined_ipv6_groups(config: TapConfig) -> VirtualTap:
    return admits6(
        config, lambda to, _, right: right and (to in config.groups or not is_multicast6(to))
    )


@mutant
def forgets_all_nodes(config: TapConfig) -> VirtualTap:
    return admits6(config, lambda to, _, right: right and to != ALL_NODES6)


@mutant
def forgets_solicited_nodes(config: TapConfig) -> VirtualTap:
    return admits6(config, lambda to, _, right: right and to[11:13] != b"\1\xff")
