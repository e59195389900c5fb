"""Wrong engines of the gateway family: what passes, who is answered, what is advertised."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import handler, swap
from sim.conformance.mutants_hosts import Wrong
from virtualtap.config import TapConfig
from virtualtap.handlers import advertise
from virtualtap.handlers.advertise import AdvertiseHandler
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import checksum, ndp
from virtualtap.wire.address import ANY6, BROADCAST, Mac, is_group, is_unicast4
from virtualtap.wire.ethernet import HEADER_LEN, IPV4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import RouterAdvertisement


def serving(name: str, change: Callable[[VirtualTap], object]) -> None:
    """A mutant only where the tap serves."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        if config.serve is not None:
            change(tap)
        return tap

    make.__name__ = name
    mutant(make)


def served(name: str, **changes: Any) -> None:
    """A mutant that serves otherwise than it is told."""

    def make(config: TapConfig) -> VirtualTap:
        if config.serve is None:
            return VirtualTap(config)
        return VirtualTap(replace(config, serve=replace(config.serve, **changes)))

    make.__name__ = name
    mutant(make)


# what passes


def _passes(condition: Callable[[bytes], bool]) -> Callable[[VirtualTap], None]:
    """Only frames that fulfil a condition are heard at all."""
    return lambda tap: swap(
        tap, "_receive", lambda right, frame: right(frame) if condition(frame) else None
    )


def _hears(change: Callable[[bytes], bytes]) -> Callable[[VirtualTap], None]:
    return lambda tap: swap(tap, "_receive", lambda right, frame: right(change(frame)))


def _passes_once(tap: VirtualTap) -> None:
    seen: list[bytes] = []

    def wrong(right: Callable[[bytes], bytes | None], frame: bytes) -> bytes | None:
        seen.append(frame)
        return right(frame) if len(seen) == 1 else None

    swap(tap, "_receive", wrong)
    swap(tap, "_remember", lambda *_: None)


def _counts_hops(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bytes | None], frame: bytes) -> bytes | None:
        packet = right(frame)
        if packet is None or packet[0] >> 4 != 4 or packet[16:20] == tap._core.config.our_ip:
            return packet
        head = patched(patched(packet[:20], 8, bytes((max(0, packet[8] - 1),))), 10, bytes(2))
        return patched(head, 10, checksum.internet(head).to_bytes(2)) + packet[20:]

    swap(tap, "_receive", wrong)
    swap(tap, "_remember", lambda *_: None)


def _is_no_router(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_is_transit", lambda *_: False)
    swap(tap._ipv6, "_is_transit", lambda *_: False)


def _passes_link_local(*at: int) -> Callable[[VirtualTap], None]:
    """It overlooks the addresses that begin there in the packet."""

    def change(tap: VirtualTap) -> None:
        for ip in (tap._ipv4, tap._ipv6):
            swap(ip, "_is_there", overlooked)

    def overlooked(right: Callable[[bytes], bool], frame: bytes) -> bool:
        for place in at:
            frame = patched(frame, HEADER_LEN + place, b"\x20")
        return right(frame)

    return change


def _joins_all(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bytes | None], frame: bytes) -> bytes | None:
        packet = right(frame)
        return None if packet is not None and packet[6] & 0x3F else packet

    swap(tap._ipv4, "receive", wrong)
    tap._receivers[IPV4] = tap._ipv4.receive


def _joins_nothing(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_join", lambda _, packet: packet)


def _takes_groups_for_its_own(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_is_for_host", lambda right, to, many: right(to, many and not is_unicast4(to)))


def _hears_every_mac(tap: VirtualTap) -> None:
    our_mac = tap._core.config.our_mac
    _hears(lambda f: f if is_group(f) else our_mac + f[6:])(tap)


def _is_proxy(tap: VirtualTap) -> None:
    handler(tap)._interface = Wrong(tap._core.interface, owns=lambda _: True)  # type: ignore[assignment]  # wrong on purpose


def _says(kind: Callable[[bytes], bool], change: Callable[[bytes], bytes | None]) -> Any:
    """Frames of a kind leave changed, or not at all."""

    def wrong(frame: bytes | None) -> bytes | None:
        return change(frame) if frame is not None and kind(frame) else frame

    def on(tap: VirtualTap) -> None:
        def send(right: Callable[[bytes], bool], frame: bytes) -> bool:
            changed = wrong(frame)
            return True if changed is None else right(changed)

        swap(tap._core, "send", send)
        swap(tap, "ip_to_ethernet", lambda right, *args: wrong(right(*args)))

    return on


def _learns_from_packets(tap: VirtualTap) -> None:
    tap._ipv4.located = handler(tap).locate


def _sends_everywhere(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_next_hop", lambda right, to: right(to) or tap._core.config.our_ip)
    swap(tap._ipv4, "_to_neighbor", lambda right, to, packet: right(to, packet))


def _asks_in_the_packets_name(tap: VirtualTap) -> None:
    interface: Any = Wrong(tap._core.interface, ip=None, owns=lambda _: False)
    arp = handler(tap)
    owner = arp._interface

    def wrong(right: Callable[..., None], *args: bytes) -> None:
        arp._interface = interface
        right(*args)
        arp._interface = owner

    swap(arp, "ask", wrong)
    tap._ipv4._ask = arp.ask


@mutant
def gateway_serves_everybody(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    if config.serve is None and config.our_ip is not None:
        swap(tap._ipv4, "_is_for_host", lambda *_: True)
    return tap


serving("gateway_is_a_host", _is_no_router)
serving("gateway_passes_only_once", _passes_once)
serving("gateway_counts_hops", _counts_hops)
serving("gateway_passes_link_local_sources", _passes_link_local(12))
serving("gateway_passes_link_local_destinations", _passes_link_local(16))
serving("gateway_passes_link_local_sources_of_ipv6", _passes_link_local(8))
serving("gateway_passes_link_local_destinations_of_ipv6", _passes_link_local(24))
serving("gateway_refuses_link_local_neighbors", _passes(lambda f: f[22:24] != b"\xfe\x80"))
serving("gateway_joins_what_passes", _joins_all)
serving("gateway_joins_nothing", _joins_nothing)
serving("gateway_passes_what_went_to_all", _takes_groups_for_its_own)
serving("gateway_hears_every_mac", _hears_every_mac)
serving("gateway_answers_for_everybody", _is_proxy)
serving("gateway_answers_for_nobody", _says(lambda f: f[20:22] == b"\0\2", lambda _: None))
serving("gateway_asks_for_nobody", _says(lambda f: f[20:22] == b"\0\1", lambda _: None))
serving("gateway_asks_in_the_packets_name", _asks_in_the_packets_name)
serving("gateway_learns_from_what_passes", _learns_from_packets)
serving("gateway_sends_everything_in", _sends_everywhere)
serving("gateway_keeps_broadcasts_out", _says(lambda f: f[:6] == BROADCAST, lambda _: None))
serving(
    "gateway_keeps_groups_out", _says(lambda f: f[:6] != BROADCAST and is_group(f), lambda _: None)
)
serving("gateway_keeps_packets_out", _says(lambda f: f[12:14] == IPV4, lambda _: None))
serving("gateway_keeps_broadcasts_in", _passes(lambda f: f[:6] != BROADCAST or f[12:14] != IPV4))
serving("gateway_hides_itself", _passes(lambda f: f[30:34] != bytes((10, 0, 0, 2))))


# what is advertised


def _advertiser(tap: VirtualTap) -> AdvertiseHandler:
    found = tap._advertiser
    assert found is not None
    return found


def _message(**changes: Any) -> Callable[[VirtualTap], None]:
    """The advertisement says something else."""

    def change(tap: VirtualTap) -> None:
        def wrong(right: Callable[[Mac], RouterAdvertisement], mac: Mac) -> RouterAdvertisement:
            return replace(right(mac), **changes)

        swap(_advertiser(tap), "_message", wrong)

    return change


def _option(code: int, at: int, value: bytes) -> Callable[[VirtualTap], None]:
    """An option of the advertisement has another value at an offset."""

    def change(tap: VirtualTap) -> None:
        def wrong(right: Callable[[Mac], RouterAdvertisement], mac: Mac) -> RouterAdvertisement:
            said = right(mac)
            options = tuple(
                (each, patched(data, at, value) if each == code else data)
                for each, data in said.options
            )
            return replace(said, options=options)

        swap(_advertiser(tap), "_message", wrong)

    return change


def _interval(wrong: Callable[[int], int]) -> Callable[[VirtualTap], None]:
    return lambda tap: swap(_advertiser(tap), "_interval", lambda right: wrong(right()))


def _is_silent(tap: VirtualTap) -> None:
    swap(_advertiser(tap), "_advertise", lambda *_: None)
    tap._core.starts.clear()


def _answers_nobody(tap: VirtualTap) -> None:
    swap(_advertiser(tap), "_solicited", lambda *_: None)


def _answers_only(condition: Callable[[Any], bool]) -> Callable[[VirtualTap], None]:
    return lambda tap: swap(
        _advertiser(tap), "_solicited", lambda right, p: right(p) if condition(p) else None
    )


def _set(wrong: Callable[[AdvertiseHandler, int, int], int]) -> Callable[[VirtualTap], None]:
    def change(tap: VirtualTap) -> None:
        handler = _advertiser(tap)
        swap(handler, "_set", lambda right, at: right(wrong(handler, tap._core.now, at)))

    return change


def _answers_each(tap: VirtualTap) -> None:
    advertiser, timers = _advertiser(tap), tap._core.timers

    def wrong(right: Callable[[Any], None], packet: Any) -> None:
        right(packet)
        later = tap._core.now + advertise.MAX_DELAY + 4 * SECOND
        timers.set(("mutant", len(timers._live)), later, advertiser._advertise)

    swap(advertiser, "_solicited", wrong)


def _answers_from_afar(tap: VirtualTap) -> None:
    swap(_advertiser(tap), "receive", lambda right, f: right(patched(f, HEADER_LEN + 7, b"\xff")))


def _does_not_sum(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bytes | None], frame: bytes) -> bytes | None:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        bare = patched(packet.payload, 2, b"\0\0")
        value = checksum.transport(packet.source, packet.destination, packet.next_header, bare)
        return right(patched(frame, HEADER_LEN + 42, value.to_bytes(2)))

    swap(_advertiser(tap), "receive", wrong)


def _reads_no_options(tap: VirtualTap) -> None:
    def wrong(right: Callable[[Any], None], packet: Any) -> None:
        empty = packet.payload[9:10] == b"\0"
        right(replace(packet, payload=packet.payload[:8]) if empty else packet)

    swap(_advertiser(tap), "_solicited", wrong)


def _believes_nobody(tap: VirtualTap) -> None:
    def wrong(right: Callable[[Any], None], packet: Any) -> None:
        if packet.source == ANY6:
            packet = replace(packet, payload=packet.payload[:8])
        right(packet)

    swap(_advertiser(tap), "_solicited", wrong)


def _learns_nothing(tap: VirtualTap) -> None:
    advertiser = _advertiser(tap)
    advertiser._reachability = Wrong(advertiser._reachability, heard=lambda *_: None)  # type: ignore[assignment]  # wrong on purpose


def _speaks_without_prefixes(tap: VirtualTap) -> None:
    if not _advertiser(tap)._serve.prefixes:
        tap._core.starts.append(_advertiser(tap)._advertise)


def _is_no_router_to_neighbors(tap: VirtualTap) -> None:
    swap(
        tap._ndp,
        "_advertisement",
        lambda right, *args: replace(right(*args), flags=right(*args).flags & ~ndp.ROUTER),
    )


def _follows_others(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bytes | None], frame: bytes) -> bytes | None:
        is_other = frame[HEADER_LEN + 40] == ndp.ROUTER_ADVERTISEMENT
        return tap._routers.receive(frame) if is_other else right(frame)

    swap(_advertiser(tap), "receive", wrong)


def _has_no_prefix_on_the_link(tap: VirtualTap) -> None:
    prefixes = tap._core.interface6.prefixes
    for ip in tap._core.config.serve.prefixes if tap._core.config.serve else ():
        prefixes.pop((int.from_bytes(ip), 64), None)


served("gateway_advertises_nothing", prefixes=())
serving("gateway_is_never_advertised", _is_silent)
serving("gateway_routes_for_no_time", _message(lifetime=0))
serving("gateway_names_no_mac", _message(options=()))
serving("gateway_names_prefixes_off_the_link", _option(ndp.PREFIX, 1, b"\x40"))
serving("gateway_names_prefixes_for_nobody", _option(ndp.PREFIX, 1, b"\x80"))
serving("gateway_names_prefixes_for_a_day", _option(ndp.PREFIX, 2, (86400).to_bytes(4)))
serving("gateway_names_another_mtu", _option(ndp.MTU, 2, (1500).to_bytes(4)))
serving("gateway_is_rare_at_first", _interval(lambda right: max(right, 17 * SECOND)))
serving("gateway_is_never_rare", _interval(lambda right: min(right, 16 * SECOND)))
serving(
    "gateway_is_in_step", _interval(lambda right: 300 * SECOND if right > 16 * SECOND else right)
)
serving("gateway_answers_no_solicitation", _answers_nobody)
serving("gateway_answers_only_who_has_an_address", _answers_only(lambda p: p.source != ANY6))
serving("gateway_answers_late", _set(lambda handler, now, at: max(at, now + 2 * SECOND)))
serving(
    "gateway_answers_at_once",
    _set(lambda _, now, at: min(at, now + SECOND) if at < now + 5 * SECOND else at),
)
serving("gateway_answers_each_alone", _answers_each)
serving("gateway_answers_from_afar", _answers_from_afar)
serving("gateway_sums_no_solicitation", _does_not_sum)
serving("gateway_reads_no_options", _reads_no_options)
serving("gateway_answers_a_mac_of_nobody", _believes_nobody)
serving("gateway_learns_from_no_solicitation", _learns_nothing)
serving("gateway_speaks_without_prefixes", _speaks_without_prefixes)
serving("gateway_is_no_router_to_neighbors", _is_no_router_to_neighbors)
serving("gateway_follows_others", _follows_others)
serving("gateway_has_no_prefix_on_the_link", _has_no_prefix_on_the_link)
