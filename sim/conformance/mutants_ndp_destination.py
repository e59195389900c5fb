"""Wrong engines that hear what routers say to others. RFC 8200 3, RFC 2464 7, RFC 4291 2.7."""

from sim.conformance.mutants import mutant
from sim.conformance.mutants_ndp import ignoring, put
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip, is_link_local6, is_multicast6

_BODY = 14 + 40


@mutant
def hears_routers_that_speak_to_others(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._routers, "_is_for_us", lambda destination, to_group: True)
    return tap


@mutant
def hears_routers_in_any_group(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    is_for_us = tap._routers._is_for_us

    def wrong(destination: Ip, *, to_group: bool) -> bool:
        return is_multicast6(destination) or is_for_us(destination, to_group=to_group)

    put(tap._routers, "_is_for_us", wrong)
    return tap


@mutant
def hears_routers_on_any_link_local_address(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    is_for_us = tap._routers._is_for_us

    def wrong(destination: Ip, *, to_group: bool) -> bool:
        return is_link_local6(destination) or is_for_us(destination, to_group=to_group)

    put(tap._routers, "_is_for_us", wrong)
    return tap


@mutant
def hears_routers_in_broadcasts(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    is_for_us = tap._routers._is_for_us

    def wrong(destination: Ip, *, to_group: bool) -> bool:
        return is_for_us(destination, to_group=to_group and is_multicast6(destination))

    put(tap._routers, "_is_for_us", wrong)
    return tap


@mutant
def hears_routers_only_in_groups(config: TapConfig) -> VirtualTap:
    return ignoring(
        config,
        lambda frame, packet: (
            frame[_BODY] == ndp.ROUTER_ADVERTISEMENT and not is_multicast6(packet.destination)
        ),
    )
