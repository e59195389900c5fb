"""Wrong engines of the IPv4 family: groups."""

from collections.abc import Callable

from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_ethernet import says, sends
from sim.conformance.mutants_ipv4 import admits
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import Ip, is_multicast4


@mutant
def sends_groups_to_the_gateway(config: TapConfig) -> VirtualTap:
    return sends(
        config, lambda data: b"\x02\0\x5e\0\0\1" + data[6:] if data[:3] == b"\1\0\x5e" else data
    )


def group_mac(config: TapConfig, mac_of: Callable[[Ip], bytes]) -> VirtualTap:
    return sends(
        config, lambda data: mac_of(data[30:34]) + data[6:] if data[:3] == b"\1\0\x5e" else data
    )


@mutant
def maps_24_bits_of_a_group(config: TapConfig) -> VirtualTap:
    return group_mac(config, lambda group: b"\1\0\x5e" + group[1:])


@mutant
def maps_16_bits_of_a_group(config: TapConfig) -> VirtualTap:
    return group_mac(config, lambda group: b"\1\0\x5e\0" + group[2:])


@mutant
def maps_the_first_byte_of_a_group(config: TapConfig) -> VirtualTap:
    return group_mac(config, lambda group: b"\1\0" + bytes((0x5E ^ group[0] ^ 224,)) + group[1:])


@mutant
def sends_no_groups_without_a_gateway(config: TapConfig) -> VirtualTap:
    return says(
        config,
        lambda data: None if config.gateway_ip is None and is_multicast4(data[16:20]) else data,
    )


@mutant
def leads_groups_by_routes(config: TapConfig) -> VirtualTap:
    by = bytes((2,)) + b"\0\x5e\0\0\4"
    return group_mac(config, lambda group: by) if config.routes else VirtualTap(config)


@mutant
def takes_240_for_a_group(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.interface.broadcasts = {*tap._core.interface.broadcasts, b"\xf0\0\0\0"}
    return tap


@mutant
def takes_no_groups(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right and not is_multicast4(to))


@mutant
def takes_no_groups_unless_joined(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right and (to in config.groups or to[0] < 224))


@mutant
def takes_all_groups(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right or is_multicast4(to))


@mutant
def takes_groups_of_the_same_mac(config: TapConfig) -> VirtualTap:
    return admits(
        config,
        lambda to, _, right: (
            right or (is_multicast4(to) and any(to[2:] == group[2:] for group in config.groups))
        ),
    )


@mutant
def takes_nothing_but_joined_groups(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right and (not config.groups or is_multicast4(to)))


@mutant
def loops_its_own_groups(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(
        tap,
        "ethernet_to_ip",
        lambda right, frame, now=None: (
            frame[14:] if frame[6:12] == config.our_mac else right(frame, now)
        ),
    )
    return tap
