"""Wrong engines of the IPv4 family: next hops, broadcasts, groups, rules."""

from collections.abc import Callable
from dataclasses import replace

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_ethernet import gives, hears, says, sends
from sim.conformance.packets import summed
from virtualtap import validator
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.wire import checksum
from virtualtap.wire.address import BROADCAST, Ip, directed_broadcast
from virtualtap.wire.ethernet import IPV4


def leads(
    config: TapConfig, choose: Callable[[VirtualTap, Ip, Ip | None], Ip | None]
) -> VirtualTap:
    """A tap whose next hop is chosen otherwise: (tap, destination, the right one)."""
    tap = VirtualTap(config)
    swap(tap._ipv4, "_next_hop", lambda right, to: choose(tap, to, right(to)))
    return tap


def admits(config: TapConfig, choose: Callable[[Ip, bool, bool], bool]) -> VirtualTap:
    """A tap that admits otherwise: (destination, whether the frame went to many, the right one)."""
    tap = VirtualTap(config)
    swap(tap._ipv4, "_is_for_host", lambda right, to, many: choose(to, many, right(to, many)))
    return tap


def without_rule(rule: validator.Rule, name: str) -> None:
    """Register a tap that does not know a rule."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        for each in (tap._ipv4._validator, tap._ipv6._validator):
            each._rules = {
                key: tuple(pair for pair in rules if pair[0] is not rule.holds)
                for key, rules in each._rules.items()
            }
        return tap

    make.__name__ = name
    mutant(make)


FORGOTTEN = (
    *("sizes4", "header_lengths4", "total_lengths4", "checksums4", "sources4", "zero_sources4"),
    *("loopback4", "lives4", "pieces4"),
)
for _rule, _name in zip(validator.RULES4, FORGOTTEN, strict=True):
    without_rule(_rule, f"forgets_the_rule_of_{_name}")


@mutant
def leads_everything_to_the_gateway(config: TapConfig) -> VirtualTap:
    return leads(config, lambda tap, _, right: tap._core.interface.gateway or right)


@mutant
def takes_everything_to_be_on_link(config: TapConfig) -> VirtualTap:
    return leads(config, lambda _, to, right: right and to)


@mutant
def guesses_the_gateway(config: TapConfig) -> VirtualTap:
    return leads(config, lambda _, __, right: right or b"\x0a\0\0\1")


@mutant
def knows_no_routes(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, routes=()))


@mutant
def prefers_short_routes(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.interface._table = tap._core.interface._table[::-1]
    return tap


@mutant
def leads_to_a_router_of_zeros(config: TapConfig) -> VirtualTap:
    routes = tuple((to, length, by) for to, length, by in config.routes if any(by))
    return VirtualTap(replace(config, routes=routes))


@mutant
def sends_to_itself(config: TapConfig) -> VirtualTap:
    return leads(config, lambda _, to, right: to if to == config.our_ip else right)


@mutant
def sends_broadcasts_to_the_gateway(config: TapConfig) -> VirtualTap:
    return sends(
        config,
        lambda data: (
            b"\x02\0\x5e\0\0\1" + data[6:]
            if data[:6] == BROADCAST and data[12:14] == IPV4
            else data
        ),
    )


@mutant
def takes_directed_broadcasts_for_hosts(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.interface.broadcasts = {b"\xff" * 4}
    return tap


@mutant
def takes_255_for_a_broadcast(config: TapConfig) -> VirtualTap:
    def change(data: bytes) -> bytes:
        is_odd = data[12:14] == IPV4 and data[33] == 255
        return BROADCAST + data[6:] if is_odd else data

    return sends(config, change)


@mutant
def takes_every_network_for_a_24(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, prefix_length=24))


@mutant
def sees_a_broadcast_in_a_network_of_two(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    if config.prefix_length == 31:
        tap._core.interface.broadcasts = {b"\xff" * 4, b"\x0a\0\0\3"}
    return tap


@mutant
def sends_to_addresses_of_nobody(config: TapConfig) -> VirtualTap:
    return leads(config, lambda tap, _, right: right or tap._core.interface.gateway)


@mutant
def sends_loopback(config: TapConfig) -> VirtualTap:
    return leads(
        config, lambda tap, to, right: tap._core.interface.gateway if to[0] == 127 else right
    )


@mutant
def sends_nothing_without_an_address(config: TapConfig) -> VirtualTap:
    return says(config, lambda data: None if data[12:16] == bytes(4) else data)


@mutant
def hears_nothing_without_an_address(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[26:30] == bytes(4) else data)


@mutant
def takes_one_from_the_time_to_live(config: TapConfig) -> VirtualTap:
    return says(config, older)


@mutant
def takes_one_from_the_time_to_live_inward(config: TapConfig) -> VirtualTap:
    return gives(config, lambda packet, _: older(packet))


def older(packet: bytes) -> bytes:
    return (
        packet
        if packet[:1] < b"\x45" or packet[8] == 0
        else summed(patched(packet, 8, bytes((packet[8] - 1,))))
    )


@mutant
def takes_no_fragments(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[12:14] == IPV4 and data[20] & 0x3F else data)


@mutant
def takes_no_later_fragments(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[12:14] == IPV4 and data[21:22] > b"\0" else data)


@mutant
def takes_packets_for_anybody(config: TapConfig) -> VirtualTap:
    return admits(config, lambda _, many, right: right or not many)


@mutant
def takes_packets_for_us_from_frames_for_many(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right or to == config.our_ip)


@mutant
def takes_no_limited_broadcasts(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right and to != b"\xff" * 4)


@mutant
def takes_no_directed_broadcasts(config: TapConfig) -> VirtualTap:
    ours = directed_broadcast(config.our_ip or bytes(4), config.prefix_length)
    return admits(config, lambda to, _, right: right and to != ours)


@mutant
def takes_directed_broadcasts_of_any_network(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right or to[3] == 255)


@mutant
def takes_no_old_broadcasts(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right and to[3] != 0)


@mutant
def takes_old_broadcasts_from_any_frame(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right or to[3] == 0)


@mutant
def takes_nothing_that_dies_soon(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[12:14] == IPV4 and data[22:23] < b"\2" else data)


@mutant
def takes_a_group_for_its_address(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv4, "_is_for_host", lambda right, to, many: right(*adopted(tap, to, many)))
    return tap


def adopted(tap: VirtualTap, to: Ip, many: bool) -> tuple[Ip, bool]:
    if tap._core.interface.ip is None:
        tap._core.rename(to)
    return to, many


@mutant
def remembers_headers_for_ever(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(
        tap._core, "learn", lambda right, ip, mac, **more: kept(tap, lambda: right(ip, mac, **more))
    )
    return tap


def kept(tap: VirtualTap, learn: Callable[[], None]) -> None:
    before = dict(tap._core.outward.known)
    learn()
    tap._core.outward.known.update(before)


@mutant
def trusts_checksums_sent_after_one(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    known = tap._core.outward.known

    def wrong(right: Callable[..., bytes | None], packet: bytes, *when: int) -> bytes | None:
        way = known.get(int.from_bytes(packet[12:20]))
        wrong_sum = not checksum.is_right(packet[:20])
        return way[0] + packet if way and wrong_sum else right(packet, *when)

    swap(tap, "ip_to_ethernet", wrong)
    return tap


@mutant
def trusts_checksums_received_after_one(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    known = tap._core.inward.known

    def wrong(right: Callable[..., bytes | None], frame: bytes, *when: int) -> bytes | None:
        seen = int.from_bytes(frame[26:34]) in known and frame[12:14] == IPV4
        trusted = seen and not checksum.is_right(frame[14:34])
        return frame[14:] if trusted else right(frame, *when)

    swap(tap, "ethernet_to_ip", wrong)
    return tap


@mutant
def trusts_addresses_after_some(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    heard: list[bytes] = []

    def wrong(
        right: Callable[..., bytes | None], frame: bytes, now: int | None = None
    ) -> bytes | None:
        packet = right(frame, now)
        if packet is None and frame[:12] in heard and frame[12:14] == IPV4:
            return frame[14:]
        heard.extend([frame[:12]] if packet else [])
        return packet

    swap(tap, "ethernet_to_ip", wrong)
    return tap


@mutant
def sums_only_twenty_bytes(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: data if data[14:15] <= b"\x45" else repaired(data))


def repaired(frame: bytes) -> bytes:
    return frame[:14] + summed(frame[14:]) if frame[12:14] == IPV4 else frame


@mutant
def takes_ones_for_a_wrong_checksum(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[24:26] == b"\xff\xff" else data)


@mutant
def takes_zero_for_a_wrong_checksum(config: TapConfig) -> VirtualTap:
    return hears(
        config, lambda data: None if data[12:14] == IPV4 and data[24:26] == b"\0\0" else data
    )


@mutant
def is_always_strict(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, validate="strict"))


@mutant
def is_never_strict(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, validate="off"))


@mutant
def asks_for_lengths_only(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, validate="length"))


@mutant
def is_deaf_after_five_wrong_packets(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(
        tap,
        "ethernet_to_ip",
        lambda right, *given: None if tap.stats.dropped_total > 5 else right(*given),
    )
    return tap
