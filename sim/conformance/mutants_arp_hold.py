"""Wrong engines of the ARP family: what waits, how often is asked, how long an answer lasts."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import handler, handler_of, swap, with_core
from virtualtap.config import TapConfig
from virtualtap.core import Ask, Core
from virtualtap.pacing import Pace
from virtualtap.tap import VirtualTap
from virtualtap.timers import NEVER
from virtualtap.units import MS, SECOND, Instant
from virtualtap.wire.address import ANY4, BROADCAST, Ip, Mac
from virtualtap.wire.ethernet import IPV4


def changed(name: str, change: Callable[[Core], None]) -> None:
    """Register a tap whose core is changed."""

    def make(config: TapConfig) -> VirtualTap:
        return with_core(config, change)

    make.__name__ = name
    mutant(make)


def configured(name: str, **changes: Any) -> None:
    """Register a tap that does not do as configured."""

    def make(config: TapConfig) -> VirtualTap:
        return VirtualTap(replace(config, **changes))

    make.__name__ = name
    mutant(make)


configured("arp_asks_twice_a_second", arp_interval=500 * MS)
configured("arp_asks_every_two_seconds", arp_interval=2 * SECOND)
configured("arp_asks_once", arp_retries_max=1)
configured("arp_never_stops_asking", arp_retries_max=1000)
configured("arp_neighbors_live_for_ever", neighbor_lifetime=NEVER // 4)
configured("arp_neighbors_die_early", neighbor_lifetime=30 * SECOND)
configured("arp_holds_one_packet", held_packets_max=1)
configured("arp_holds_as_many_as_it_likes", held_packets_max=1000)
configured("arp_asks_in_one_burst", arp_burst_max=1000)
configured("arp_asks_for_all_within_a_second", arp_spacing=10 * MS)


class Forgetful(Pace):
    """Does not remember whom it asked for."""

    def rested(self, ip: Ip, now: Instant) -> Instant:
        return now


class Stubborn(Pace):
    """Has no second turn for anyone."""

    def turn(self, now: Instant) -> Instant:
        turn = super().turn(now)
        return turn if turn == now else now + 3600 * SECOND


def paced(core: Core, pace: type[Pace]) -> None:
    config = core.config
    core.pace = pace(config.arp_burst_max, config.arp_spacing, config.arp_interval)


changed("arp_forgets_whom_it_asked", lambda core: paced(core, Forgetful))
changed("arp_asks_only_the_first_few", lambda core: paced(core, Stubborn))
changed("arp_holds_for_ever", lambda core: swap(core, "_give_up", lambda *_: None))


@mutant
def arp_asks_for_every_packet(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., None], next_hop: Ip, source: Ip, data: bytes, ask: Ask) -> None:
        if core.neighbors.knows(next_hop):
            ask(next_hop, source)
        right(next_hop, source, data, ask)

    swap(core, "hold", wrong)
    return tap


@mutant
def arp_keeps_asking_after_the_answer(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., None], ip: Ip, source: Ip, *how: Any) -> None:
        core.timers.set(("again", ip), core.now + SECOND, partial(handler(tap).ask, ip, source))
        right(ip, source, *how)

    swap(core, "_ask", wrong)
    return tap


@mutant
def arp_asks_at_the_wrong_mac(config: TapConfig) -> VirtualTap:
    """Requests go to a MAC that may be the gateway's."""

    def wrong(right: Callable[[bytes], bool], frame: bytes) -> bool:
        return right(b"\2\0\x5e\0\0\1" + frame[6:] if frame[:6] == BROADCAST else frame)

    return with_core(config, lambda core: swap(core, "send", wrong))


@mutant
def arp_asks_in_nobodys_name(config: TapConfig) -> VirtualTap:
    """Where it has no address of its own."""
    tap = VirtualTap(config)
    if config.our_ip is None:
        ask = handler(tap).ask
        swap(handler_of(tap, IPV4), "_ask", lambda _, ip, __: ask(ip, ANY4))
    return tap


@mutant
def arp_asks_for_what_is_far(config: TapConfig) -> VirtualTap:
    """As if everything were on-link."""
    tap = VirtualTap(config)
    swap(handler_of(tap, IPV4), "_next_hop", lambda _, destination: destination)
    return tap


@mutant
def arp_drops_what_should_wait(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    neighbors = tap._core.neighbors

    def wrong(right: Callable[..., object], ip: Ip, packet: bytes, now: Instant) -> object:
        answer = right(ip, packet, now)
        neighbors._entries[ip].held.clear()
        return answer

    swap(neighbors, "hold", wrong)
    return tap


@mutant
def arp_holds_the_oldest(config: TapConfig) -> VirtualTap:
    """What comes when there is no room is what goes."""
    tap = VirtualTap(config)
    neighbors = tap._core.neighbors

    def wrong(right: Callable[..., object], ip: Ip, packet: bytes, now: Instant) -> object:
        entry = neighbors._entries.get(ip)
        if entry is not None and len(entry.held) >= config.held_packets_max:
            return False, 1
        return right(ip, packet, now)

    swap(neighbors, "hold", wrong)
    return tap


def releases(name: str, wrong: Callable[[list[bytes]], list[bytes]]) -> None:
    """Register a tap that makes something else of the packets that waited."""

    def change(core: Core) -> None:
        swap(core.neighbors, "learn", lambda right, *args: wrong(right(*args)))

    changed(name, change)


releases("arp_releases_backwards", lambda packets: packets[::-1])
releases("arp_releases_only_the_last", lambda packets: packets[-1:])
releases("arp_releases_nothing", lambda _: [])


@mutant
def arp_releases_twice(config: TapConfig) -> VirtualTap:
    """What waited goes at the next answer again."""
    tap, gone = VirtualTap(config), dict[Ip, list[bytes]]()
    core = tap._core

    def wrong(right: Callable[..., list[bytes]], ip: Ip, mac: Mac, expires: Instant) -> list[bytes]:
        core.frames.extend(mac + config.our_mac + IPV4 + packet for packet in gone.get(ip, []))
        gone[ip] = right(ip, mac, expires)
        return gone[ip]

    swap(core.neighbors, "learn", wrong)
    return tap


@mutant
def arp_any_answer_releases_all(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., None], ip: Ip, mac: Mac, **how: bool) -> None:
        right(ip, mac, **how)
        for each in core.neighbors.addresses():
            if core.neighbors.mac(each) is None:
                right(each, mac, **how)

    swap(core, "learn", wrong)
    swap(core.neighbors, "knows", lambda *_: True)
    return tap


@mutant
def arp_use_lengthens_life(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., bytes | None], packet: bytes, now: Instant) -> bytes | None:
        mac = core.neighbors.lookup(packet[16:20], core.now)
        frame = right(packet, now)
        if mac is not None and frame is not None:
            core.learn(packet[16:20], mac)
        return frame

    swap(tap, "ip_to_ethernet", wrong)
    return tap


@mutant
def arp_hearing_does_not_lengthen_life(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., list[bytes]], ip: Ip, mac: Mac, expires: Instant) -> list[bytes]:
        known = core.neighbors.lookup(ip, core.now) == mac
        return right(ip, mac, core.neighbors.expires(ip) if known else expires)

    swap(core.neighbors, "learn", wrong)
    return tap


@mutant
def arp_evicts_whom_it_waits_for(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., object], ip: Ip) -> object:
        entries = core.neighbors._entries
        if ip not in entries and len(entries) >= config.neighbors_max:
            core._give_up(next(iter(entries)))
        return right(ip)

    swap(core.neighbors, "make_room", wrong)
    return tap


@mutant
def arp_evicts_the_gateway(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.neighbors.never_evicted = frozenset()
    return tap
