"""Wrong engines for redirects. RFC 4861 8."""

from collections.abc import Callable
from dataclasses import replace

from sim.conformance.frames6 import said
from sim.conformance.mutants import mutant
from sim.conformance.mutants_ndp import ignoring, put, reachability, reread
from sim.conformance.mutants_ndp_routers import made
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.units import Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import Redirect

_BODY = HEADER_LEN + 40


@mutant
def follows_no_redirect(config: TapConfig) -> VirtualTap:
    return ignoring(config, lambda frame, packet: frame[_BODY] == ndp.REDIRECT)


@mutant
def follows_anybodys_redirect(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    put(tap._routers, "_may_redirect", lambda source, message: True)
    return tap


@mutant
def follows_redirects_of_groups(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    send = tap._ipv6.send

    def to_group(packet: bytes) -> bytes | None:
        target = known.redirects.get(packet[24:40])
        return send(packet) if target is None else tap._ipv6._deliver(target, packet[8:24], packet)

    put(tap._ipv6, "send", to_group)
    put(tap._routers, "_may_redirect", lambda source, message: True)
    return tap


@mutant
def redirects_everything(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    next_hop = known.next_hop

    def anywhere(to: Ip, now: Instant, is_known: Callable[[Ip], bool]) -> Ip | None:
        last = next(reversed(known.redirects.values()), None)
        return last or next_hop(to, now, is_known)

    put(known, "next_hop", anywhere)
    return tap


@mutant
def redirects_say_no_mac(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)

    def forget(frame: bytes) -> bytes:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        if packet.payload[0] != ndp.REDIRECT or not ndp.is_whole(packet):
            return frame
        if len(packet.payload) < 40 or packet.payload[41:42] == b"\0":
            return frame
        message = replace(Redirect.parse(packet.payload), options=())
        return said(message, packet.source, packet.destination, frame[6:12], frame[:6])

    return reread(tap, forget)


@mutant
def redirected_targets_never_move(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    heard = reachability(tap).heard

    def first_only(ip: Ip, mac: Mac) -> None:
        if tap._core.neighbors.mac(ip) is None:
            heard(ip, mac)

    put(reachability(tap), "heard", first_only)
    return tap


@mutant
def redirects_outlive_the_router_flag(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    put(known, "_forget_redirects", lambda ip: None)
    return tap


@mutant
def chokes_on_options_of_a_redirect(config: TapConfig) -> VirtualTap:
    return ignoring(
        config, lambda frame, packet: frame[_BODY] == 137 and b"\xc8\x02" in packet.payload
    )
