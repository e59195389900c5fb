"""Engines that ask wrongly, or are wrong about one state. RFC 4861 7.2.2, 7.3.3, appendix C."""

from dataclasses import replace

from sim.conformance.mutants import mutant
from sim.conformance.mutants_ndp import put, reachability, reread
from virtualtap.config import TapConfig
from virtualtap.neighbors import State
from virtualtap.reachability import NEXT, Happening
from virtualtap.tap import VirtualTap
from virtualtap.units import MS, SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip

_WRONG: dict[str, tuple[State, Happening, State]] = {
    "incomplete_solicited_confirms_nothing": (
        *(State.INCOMPLETE, Happening.CONFIRMED),
        State.STALE,
    ),
    "incomplete_unsolicited_confirms": (
        *(State.INCOMPLETE, Happening.ADVERTISED),
        State.REACHABLE,
    ),
    "incomplete_asking_confirms": (State.INCOMPLETE, Happening.HEARD, State.REACHABLE),
    "hearing_of_a_stranger_confirms": (State.ABSENT, Happening.HEARD, State.REACHABLE),
    "reachable_never_ends": (State.REACHABLE, Happening.TIMED_OUT, State.REACHABLE),
    "reachable_asking_makes_stale": (State.REACHABLE, Happening.HEARD, State.STALE),
    "reachable_moving_stays_reachable": (State.REACHABLE, Happening.MOVED, State.REACHABLE),
    "reachable_override_stays_reachable": (
        *(State.REACHABLE, Happening.REPLACED),
        State.REACHABLE,
    ),
    "reachable_contradicted_stays_reachable": (
        *(State.REACHABLE, Happening.CONTRADICTED),
        State.REACHABLE,
    ),
    "reachable_override_is_not_confirmed": (
        *(State.REACHABLE, Happening.CONFIRMED),
        State.STALE,
    ),
    "stale_is_never_doubted": (State.STALE, Happening.SENT, State.STALE),
    "stale_is_probed_at_once": (State.STALE, Happening.SENT, State.PROBE),
    "stale_solicited_confirms_nothing": (State.STALE, Happening.CONFIRMED, State.STALE),
    "stale_unsolicited_confirms": (State.STALE, Happening.ADVERTISED, State.REACHABLE),
    "stale_override_confirms": (State.STALE, Happening.REPLACED, State.REACHABLE),
    "stale_contradicted_confirms": (State.STALE, Happening.CONTRADICTED, State.REACHABLE),
    "stale_moving_confirms": (State.STALE, Happening.MOVED, State.REACHABLE),
    "delay_solicited_confirms_nothing": (State.DELAY, Happening.CONFIRMED, State.DELAY),
    "delay_unsolicited_confirms": (State.DELAY, Happening.ADVERTISED, State.REACHABLE),
    "delay_moving_stays_delay": (State.DELAY, Happening.MOVED, State.DELAY),
    "probe_solicited_confirms_nothing": (State.PROBE, Happening.CONFIRMED, State.PROBE),
    "probe_unsolicited_confirms": (State.PROBE, Happening.ADVERTISED, State.REACHABLE),
    "probe_override_stays_probe": (State.PROBE, Happening.REPLACED, State.PROBE),
    "probe_contradicted_confirms": (State.PROBE, Happening.CONTRADICTED, State.REACHABLE),
    "probe_asking_confirms": (State.PROBE, Happening.HEARD, State.REACHABLE),
}


def _register(name: str, state: State, happening: Happening, then: State) -> None:
    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        put(reachability(tap), "_next", {**NEXT, (state, happening): then})
        return tap

    make.__name__ = name
    mutant(make)


for _name, _step in _WRONG.items():
    _register(_name, *_step)


@mutant
def announcements_prolong_reachability(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    advertised = reachability(tap).advertised

    def confirmed(ip: Ip, mac: bytes | None, *, solicited: bool, override: bool) -> bool:
        is_reachable = tap._core.neighbors.state(ip) is State.REACHABLE
        same = mac == tap._core.neighbors.mac(ip)
        return advertised(
            ip, mac, solicited=solicited or (is_reachable and same), override=override
        )

    put(reachability(tap), "advertised", confirmed)
    return tap


@mutant
def any_advertisement_overrides(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    advertised = reachability(tap).advertised

    def overriding(ip: Ip, mac: bytes | None, *, solicited: bool, override: bool) -> bool:
        return advertised(ip, mac, solicited=solicited, override=True)

    put(reachability(tap), "advertised", overriding)
    return tap


@mutant
def needs_override_to_be_answered(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    advertised = reachability(tap).advertised

    def strict(ip: Ip, mac: bytes | None, *, solicited: bool, override: bool) -> bool:
        return override and advertised(ip, mac, solicited=solicited, override=True)

    put(reachability(tap), "advertised", strict)
    return tap


@mutant
def ignores_advertisements_without_mac(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    advertised = reachability(tap).advertised

    def wants_mac(ip: Ip, mac: bytes | None, *, solicited: bool, override: bool) -> bool:
        return mac is not None and advertised(ip, mac, solicited=solicited, override=override)

    put(reachability(tap), "advertised", wants_mac)
    return tap


@mutant
def answers_without_mac_count(config: TapConfig) -> VirtualTap:
    """An answer that says no MAC is taken to come from the last one who answered."""
    tap = VirtualTap(config)
    advertised = reachability(tap).advertised

    def guesses(ip: Ip, mac: bytes | None, *, solicited: bool, override: bool) -> bool:
        guess = mac or tap._core.neighbors.mac(ip) or b"\x02\x00\x5e\x00\x00\x03"
        return advertised(ip, guess, solicited=solicited, override=override)

    put(reachability(tap), "advertised", guesses)
    return tap


@mutant
def learns_from_any_advertisement(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    learned = {
        (State.ABSENT, happening): State.REACHABLE
        for happening in (Happening.CONFIRMED, Happening.ADVERTISED)
    }
    put(reachability(tap), "_next", {**NEXT, **learned})
    put(tap._core.neighbors, "knows", lambda ip: True)
    return tap


@mutant
def doubts_after_four_seconds(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, ndp_delay=4 * SECOND))


@mutant
def is_reachable_for_ten_seconds_at_least(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, ndp_reachable_time=10 * SECOND))


@mutant
def is_reachable_for_minutes(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, ndp_reachable_time=240 * SECOND))


@mutant
def probes_without_end(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, ndp_unicast_retries_max=1000))


@mutant
def holds_packets_while_it_probes(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    deliver = tap._ipv6._deliver

    def waits(next_hop: Ip, source: Ip, packet: bytes) -> bytes | None:
        probing = tap._core.neighbors.state(next_hop) is State.PROBE
        return None if probing else deliver(next_hop, source, packet)

    put(tap._ipv6, "_deliver", waits)
    return tap


@mutant
def probes_those_it_sends_nothing_to(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    heard = reachability(tap).heard

    def doubts(ip: Ip, mac: bytes) -> None:
        heard(ip, mac)
        if tap._core.neighbors.state(ip) is State.STALE:
            reachability(tap)._becomes(ip, Happening.SENT, State.STALE, ip)

    put(reachability(tap), "heard", doubts)
    return tap


@mutant
def packets_of_a_neighbor_confirm_it(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    receive = tap._ipv6.receive

    def confirms(frame: bytes) -> bytes | None:
        source = frame[22:38]
        if tap._core.neighbors.knows(source):
            reachability(tap).advertised(source, None, solicited=True, override=False)
        return receive(frame)

    put(tap._ipv6, "receive", confirms)
    return tap


# questions


@mutant
def never_solicits(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(reachability(tap), "solicit", lambda *_: None)
    return tap


@mutant
def solicits_in_its_first_name(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._core.interface6, "source", lambda to, wanted, now: (*config.our_ip6, wanted)[0])
    return tap


@mutant
def solicits_in_the_packets_name(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._core.interface6, "source", lambda to, wanted, now: wanted)
    return tap


@mutant
def solicits_for_every_packet(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    deliver = tap._ipv6._deliver

    def again(next_hop: bytes, source: bytes, packet: bytes) -> bytes | None:
        waits = tap._core.neighbors.first_held(next_hop) is not None
        if waits:
            reachability(tap).solicit(next_hop, source)
        return deliver(next_hop, source, packet)

    put(tap._ipv6, "_deliver", again)
    return tap


@mutant
def solicits_twice_a_second(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, ndp_interval=500 * MS))


@mutant
def never_gives_up_soliciting(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, ndp_retries_max=1000))


@mutant
def releases_in_reverse(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    learn = tap._core.neighbors.learn
    put(tap._core.neighbors, "learn", lambda *given: learn(*given)[::-1])
    return tap


@mutant
def releases_whatever_waits(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    learn = tap._core.learn

    def all_of_them(ip: bytes, mac: bytes, *, forever: bool = False) -> None:
        for other in tap._core.neighbors.addresses():
            if tap._core.neighbors.first_held(other) is not None:
                learn(other, mac)
        learn(ip, mac, forever=forever)

    put(tap._core, "learn", all_of_them)
    return tap


@mutant
def learns_from_solicitations_for_others(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def change(frame: bytes) -> bytes:
        if frame[54] == ndp.SOLICITATION and any(frame[22:38]):
            reachability(tap).heard(frame[22:38], frame[6:12])
        return frame

    return reread(tap, change)


@mutant
def never_learns_from_solicitations(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(reachability(tap), "heard", lambda ip, mac: None)
    return tap
