"""Wrong engines for routers and prefixes. RFC 4861 5.2, 6.3; RFC 5942 4."""

from collections.abc import Callable
from dataclasses import replace

from sim.conformance.frames6 import ra, said
from sim.conformance.mutants import mutant
from sim.conformance.mutants_ndp import ignoring, put, reachability, reread
from virtualtap.config import TapConfig
from virtualtap.interface6 import Interface6
from virtualtap.tap import VirtualTap
from virtualtap.timers import NEVER
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import Prefix, RouterAdvertisement

_BODY = HEADER_LEN + 40


def made(config: TapConfig) -> tuple[VirtualTap, Interface6]:
    """A tap, and what it knows of routers."""
    tap = VirtualTap(config)
    return tap, tap._core.interface6


def rewording(
    config: TapConfig, change: Callable[[RouterAdvertisement], RouterAdvertisement]
) -> VirtualTap:
    """A tap that hears other words than the router said."""

    def reword(frame: bytes) -> bytes:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        if packet.payload[0] != ndp.ROUTER_ADVERTISEMENT or not ndp.is_whole(packet):
            return frame
        if len(packet.payload) < 16 or packet.payload[17:18] == b"\0":
            return frame
        message = change(RouterAdvertisement.parse(packet.payload))
        return said(message, packet.source, packet.destination, frame[6:12], frame[:6])

    return reread(VirtualTap(config), reword)


def reprefixing(config: TapConfig, change: Callable[[Prefix], Prefix | None]) -> VirtualTap:
    """A tap that hears other prefixes than the router said; None: it does not hear it."""

    def reword(message: RouterAdvertisement) -> RouterAdvertisement:
        changed: list[tuple[int, bytes]] = []
        for code, value in message.options:
            prefix = change(Prefix.parse(value)) if code == ndp.PREFIX and value[0] < 129 else None
            if code != ndp.PREFIX or value[0] > 128:
                changed.append((code, value))
            elif prefix is not None:
                changed.append((code, prefix.to_bytes()))
        return replace(message, options=tuple(changed))

    return rewording(config, reword)


# routers


@mutant
def hears_routers_from_anywhere(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    put(tap._routers, "_is_valid", ndp.is_whole)
    return tap


@mutant
def hears_no_router(config: TapConfig) -> VirtualTap:
    return ignoring(config, lambda frame, packet: frame[_BODY] == ndp.ROUTER_ADVERTISEMENT)


@mutant
def answers_those_who_look_for_routers(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)

    def answer(frame: bytes) -> bytes:
        if frame[_BODY] == ndp.ROUTER_SOLICITATION:
            tap._core.send(ra())
        return frame

    return reread(tap, answer)


@mutant
def learns_those_who_look_for_routers(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)

    def learn(frame: bytes) -> bytes:
        if frame[_BODY] == ndp.ROUTER_SOLICITATION:
            reachability(tap).heard(frame[22:38], frame[6:12])
        return frame

    return reread(tap, learn)


@mutant
def without_router_all_is_on_link(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    next_hop = known.next_hop
    put(known, "next_hop", lambda to, now, is_known: next_hop(to, now, is_known) or to)
    return tap


@mutant
def router_lifetimes_do_not_end(config: TapConfig) -> VirtualTap:
    return rewording(config, lambda said: replace(said, lifetime=said.lifetime and 65535))


@mutant
def lifetime_zero_is_a_lifetime(config: TapConfig) -> VirtualTap:
    return rewording(config, lambda said: replace(said, lifetime=said.lifetime or 1800))


@mutant
def first_lifetime_of_a_router_stays(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    add = known.add_router
    put(
        known,
        "add_router",
        lambda ip, until, now: None if ip in known.routers else add(ip, until, now),
    )
    return tap


@mutant
def router_is_where_the_frame_came_from(config: TapConfig) -> VirtualTap:
    def reword(frame: bytes) -> bytes:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        if packet.payload[0] != ndp.ROUTER_ADVERTISEMENT or len(packet.payload) > 16:
            return frame
        message = RouterAdvertisement.parse(packet.payload)
        message = replace(message, options=((ndp.SOURCE_MAC, frame[6:12]),))
        return said(message, packet.source, packet.destination, frame[6:12], frame[:6])

    return reread(VirtualTap(config), reword)


@mutant
def router_never_moves(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    heard = reachability(tap).heard

    def first_only(ip: Ip, mac: Mac) -> None:
        if ip not in known.routers or tap._core.neighbors.mac(ip) is None:
            heard(ip, mac)

    put(reachability(tap), "heard", first_only)
    return tap


@mutant
def sticks_to_a_silent_hop(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    put(known, "failed", lambda ip: None)
    return tap


@mutant
def prefers_the_first_router(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    put(known, "default_router", lambda now, is_known: next(iter(known.routers), None))
    return tap


@mutant
def prefers_the_newest_router(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    put(known, "default_router", lambda now, is_known: next(reversed(known.routers), None))
    return tap


@mutant
def configured_router_can_be_ended(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    put(known, "remove_router", lambda ip: known.routers.pop(ip, None))
    return tap


@mutant
def router_flag_is_not_read(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    put(tap._core.neighbors, "is_router", lambda ip, *, says=None: False)
    return tap


@mutant
def every_advertisement_ends_a_router(config: TapConfig) -> VirtualTap:
    tap, known = made(config)

    def end(frame: bytes) -> bytes:
        if frame[_BODY] == ndp.ADVERTISEMENT:
            known.remove_router(frame[_BODY + 8 : _BODY + 24])
        return frame

    return reread(tap, end)


@mutant
def router_flag_makes_a_router(config: TapConfig) -> VirtualTap:
    tap, known = made(config)

    def add(frame: bytes) -> bytes:
        if frame[_BODY] == ndp.ADVERTISEMENT and frame[_BODY + 4] & 0x80:
            known.add_router(frame[_BODY + 8 : _BODY + 24], NEVER - 1, tap._core.now)
        return frame

    return reread(tap, add)


@mutant
def chokes_on_unknown_options_of_a_router(config: TapConfig) -> VirtualTap:
    return ignoring(
        config, lambda frame, packet: frame[_BODY] == 134 and b"\xc8\x02" in packet.payload
    )


@mutant
def sends_to_itself_and_nobody(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    put(tap._ipv6, "_next_hop", lambda to: known.next_hop(to, tap._core.now, lambda ip: False))
    return tap


# prefixes


@mutant
def hears_no_prefix(config: TapConfig) -> VirtualTap:
    return reprefixing(config, lambda prefix: None)


@mutant
def every_prefix_is_on_link(config: TapConfig) -> VirtualTap:
    return reprefixing(config, lambda each: replace(each, flags=each.flags | ndp.ON_LINK))


@mutant
def every_prefix_is_a_64(config: TapConfig) -> VirtualTap:
    return reprefixing(config, lambda each: replace(each, length=64))


@mutant
def every_prefix_is_a_32(config: TapConfig) -> VirtualTap:
    return reprefixing(config, lambda each: replace(each, length=32))


@mutant
def chokes_on_prefixes_beyond_128(config: TapConfig) -> VirtualTap:
    return ignoring(
        config, lambda frame, packet: frame[_BODY] == 134 and b"\x03\x04\x81" in packet.payload
    )


@mutant
def prefixes_do_not_end(config: TapConfig) -> VirtualTap:
    return reprefixing(config, lambda each: replace(each, valid=ndp.FOREVER))


@mutant
def own_network_can_be_ended(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    known.prefixes = dict.fromkeys(known.prefixes, NEVER - 2)
    return tap


@mutant
def forever_is_136_years(config: TapConfig) -> VirtualTap:
    return reprefixing(config, lambda each: replace(each, valid=min(each.valid, 0xFFFFFFFE)))


# what else routers decide


@mutant
def mtu_is_not_heard(config: TapConfig) -> VirtualTap:
    return rewording(
        config,
        lambda said: replace(said, options=tuple(o for o in said.options if o[0] != ndp.MTU)),
    )


@mutant
def any_mtu_is_believed(config: TapConfig) -> VirtualTap:
    def believe(said: RouterAdvertisement) -> RouterAdvertisement:
        value = said.option(ndp.MTU, 6)
        known.mtu = known.mtu if value is None else int.from_bytes(value)
        return said

    wrong = rewording(config, believe)
    known = wrong._core.interface6
    return wrong


@mutant
def timers_of_routers_are_not_heard(config: TapConfig) -> VirtualTap:
    return rewording(config, lambda said: replace(said, retrans_timer=0, reachable_time=0))


@mutant
def timers_of_zero_are_the_default(config: TapConfig) -> VirtualTap:
    return rewording(
        config,
        lambda said: replace(
            said,
            retrans_timer=said.retrans_timer or config.ndp_interval * 1000 // SECOND,
            reachable_time=said.reachable_time or config.ndp_reachable_time // 10 * 1000 // SECOND,
        ),
    )
