"""Wrong engines of the ARP family: how an address is probed for, announced, defended."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import handler, handler_of, swap
from virtualtap.config import TapConfig
from virtualtap.handlers.claim import ANNOUNCE_NUM, PROBE_NUM, ClaimHandler
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND, Duration
from virtualtap.wire import arp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Ip, Mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import IPV4

STRANGER: Mac = b"\2\0\0\0\0\x99"
Contested = Callable[[Arp], bool]


def claim_of(tap: VirtualTap) -> ClaimHandler:
    """The handler that claims the address inside a tap."""
    contested: Any = handler(tap)._contested
    found: ClaimHandler = contested.__self__
    return found


def with_claim(config: TapConfig, name: str, wrong: Callable[..., Any]) -> VirtualTap:
    """A tap whose claim has another method of this name."""
    tap = VirtualTap(config)
    swap(claim_of(tap), name, wrong)
    return tap


def named(name: str, make: Callable[[TapConfig], VirtualTap]) -> None:
    make.__name__ = name
    mutant(make)


def waits(name: str, change: Callable[[str, Duration], Duration]) -> None:
    """Register a tap that waits for another time before it does what is called so."""

    def wrong(right: Callable[..., None], wait: Duration, action: Any) -> None:
        what = action.func if isinstance(action, partial) else action
        right(change(what.__name__, wait), action)

    named(name, lambda config: with_claim(config, "_after", wrong))


def hears(name: str, condition: Callable[[Arp, bool], bool]) -> None:
    """Register a tap that sees a claim of another in some messages only."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        claim = claim_of(tap)

        def wrong(right: Contested, message: Arp) -> bool:
            return condition(message, claim._probed is not None) and right(message)

        swap(handler(tap), "_contested", wrong)
        return tap

    named(name, make)


def fears(name: str, condition: Callable[[Arp, Ip, bool], bool]) -> None:
    """Register a tap that takes more messages for a claim of another."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        claim = claim_of(tap)

        def wrong(right: Contested, message: Arp) -> bool:
            ours = claim._probed or tap._core.interface.ip
            if ours is not None and condition(message, ours, claim._probed is not None):
                claim._conflict(ours, message.sender_mac)
                return True
            return right(message)

        swap(handler(tap), "_contested", wrong)
        return tap

    named(name, make)


def meets(name: str, wrong: Callable[..., None]) -> None:
    """Register a tap that meets a conflict in another way: `wrong(claim, the right way)`."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        claim = claim_of(tap)
        swap(claim, "_conflict", lambda right, *args: wrong(claim, partial(right, *args)))
        return tap

    named(name, make)


def configured(name: str, **changes: Any) -> None:
    """Register a tap that does not do as configured, where it has an address."""

    def make(config: TapConfig) -> VirtualTap:
        bare = config.our_ip is None or not config.handle_arp_internally
        return VirtualTap(config if bare else replace(config, **changes))

    named(name, make)


def is_probe(message: Arp) -> bool:
    return message.operation == arp.REQUEST and message.sender_ip == ANY4


configured("claim_is_always_probed", claim="probed")
configured("claim_is_always_announced", claim="announced")
configured("claim_is_always_silent", claim="silently")
configured("claim_is_never_defended", defend="never")
configured("claim_is_always_defended", defend="always")
configured("claim_is_defended_once", defend="once")

waits("claim_waits_too_long_at_first", lambda _, wait: wait + 5 * SECOND)
waits("claim_probes_like_a_clock", lambda what, wait: SECOND if what == "_probe" else wait)
waits("claim_probes_too_fast", lambda what, wait: wait // 4 if what == "_probe" else wait)
waits("claim_is_announced_too_soon", lambda what, wait: SECOND if what == "_take" else wait)
waits("claim_is_announced_too_late", lambda what, wait: 3 * SECOND if what == "_take" else wait)
waits("claim_announces_too_fast", lambda what, wait: SECOND if what == "_announce" else wait)
waits("claim_is_never_patient", lambda what, wait: 0 if what == "_retry" else wait)

hears("claim_hears_no_replies", lambda message, _: message.operation != arp.REPLY)
hears("claim_hears_no_requests", lambda message, _: message.operation != arp.REQUEST)
hears("claim_hears_no_probes", lambda message, _: not is_probe(message))
hears("claim_hears_only_announcements", lambda m, _: m.sender_ip == m.target_ip or is_probe(m))
hears("claim_hears_no_announcements", lambda message, _: message.sender_ip != message.target_ip)
hears("claim_hears_nothing_while_probing", lambda _, is_probing: not is_probing)
hears("claim_hears_nothing_once_taken", lambda _, is_probing: is_probing)

fears("claim_fears_every_probe", lambda message, _, is_probing: is_probing and is_probe(message))
fears("claim_fears_probes_once_taken", lambda m, ours, _: is_probe(m) and m.target_ip == ours)
fears("claim_fears_who_asks", lambda m, ours, is_probing: is_probing and m.target_ip == ours)


@mutant
def claim_hears_nothing_before_the_first_probe(config: TapConfig) -> VirtualTap:
    tap, sent = VirtualTap(config), list[Ip]()
    claim = claim_of(tap)

    def noted(right: Callable[[Ip, Ip], None], sender: Ip, asks: Ip) -> None:
        sent.append(sender)
        right(sender, asks)

    def wrong(right: Contested, message: Arp) -> bool:
        return (bool(sent) or claim._probed is None) and right(message)

    swap(claim, "_send", noted)
    swap(handler(tap), "_contested", wrong)
    return tap


@mutant
def claim_hears_nothing_after_the_last_probe(config: TapConfig) -> VirtualTap:
    tap, left = VirtualTap(config), [PROBE_NUM]
    claim = claim_of(tap)

    def counted(right: Callable[[int], None], number: int) -> None:
        left[0] = number
        right(number)

    def wrong(right: Contested, message: Arp) -> bool:
        return (left[0] > 1 or claim._probed is None) and right(message)

    swap(claim, "_probe", counted)
    swap(handler(tap), "_contested", wrong)
    return tap


@mutant
def claim_takes_its_echo_for_another(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[Arp], object], message: Arp) -> object:
        return None if message.sender_mac == config.our_mac else right(message)

    swap(handler(tap), "_refusal", wrong)
    swap(tap, "_receive", lambda right, frame: right(frame[:6] + STRANGER + frame[12:]))
    return tap


@mutant
def claim_believes_groups(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[Arp], object], message: Arp) -> object:
        return None if message.sender_mac[0] & 1 else right(message)

    swap(handler(tap), "_refusal", wrong)
    return tap


@mutant
def claim_probes_twice(config: TapConfig) -> VirtualTap:
    return with_claim(config, "_probe", lambda right, left: right(min(left, PROBE_NUM - 1)))


@mutant
def claim_probes_in_its_own_name(config: TapConfig) -> VirtualTap:
    return with_claim(config, "_send", lambda right, _, asks: right(asks, asks))


@mutant
def claim_announces_once(config: TapConfig) -> VirtualTap:
    return with_claim(config, "_announce", lambda right, left: right(min(left, ANNOUNCE_NUM - 1)))


@mutant
def claim_is_used_while_probed(config: TapConfig) -> VirtualTap:
    """It answers, sends and receives from the start."""
    tap = VirtualTap(config)
    if config.claim == "probed":
        tap._core.rename(config.our_ip)
    return tap


@mutant
def claim_is_used_after_it_is_lost(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._core, "rename", lambda right, ip: None if ip is None else right(ip))
    return tap


@mutant
def claim_is_not_used_once_taken(config: TapConfig) -> VirtualTap:
    """It is announced and stays silent."""
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[[Ip | None], None], ip: Ip | None) -> None:
        right(ip)
        core.timers.set("mutant", core.now + 3 * SECOND, partial(right, None))

    if config.claim == "probed":
        swap(core, "rename", wrong)
    return tap


@mutant
def claim_keeps_what_waits(config: TapConfig) -> VirtualTap:
    """Losing the address does not end what is done in its name."""
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[[Ip | None], None], ip: Ip | None) -> None:
        addresses = core.neighbors.addresses
        swap(core.neighbors, "addresses", lambda _: [])
        right(ip)
        swap(core.neighbors, "addresses", lambda _: addresses())

    swap(core, "rename", wrong)
    return tap


@mutant
def claim_keeps_old_headers(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[[Ip | None], None], ip: Ip | None) -> None:
        old = dict(core.outward.known)
        right(ip)
        core.outward.known.update(old)

    swap(core, "rename", wrong)
    return tap


@mutant
def claim_lets_no_host_ask_for_a_lease(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    interface = tap._core.interface
    swap(handler_of(tap, IPV4), "send", lambda right, p: None if interface.silent else right(p))
    return tap


@mutant
def claim_lets_broadcasts_out(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[bytes], bytes | None], packet: bytes) -> bytes | None:
        if packet[16:20] == LIMITED_BROADCAST:
            return BROADCAST + config.our_mac + IPV4 + packet
        return right(packet)

    swap(handler_of(tap, IPV4), "send", wrong)
    return tap


@mutant
def claim_is_dropped_for_good(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    claim_of(tap).refused = lambda: None
    return tap


@mutant
def claim_loses_patience_early(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    claim_of(tap)._conflicts = 1
    return tap


@mutant
def claim_is_taken_back_without_probing(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    claim = claim_of(tap)
    claim.refused = claim._resume
    return tap


@mutant
def claim_is_announced_after_it_is_lost(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    claim, core = claim_of(tap), tap._core
    ours = config.our_ip or ANY4

    def wrong(right: Callable[[Ip], None], ip: Ip) -> None:
        core.timers.set("mutant", core.now + 2 * SECOND, partial(claim._send, ours, ours))
        right(ip)

    swap(claim, "_give_up", wrong)
    return tap


def _forgets(claim: ClaimHandler, right: Callable[[], None]) -> None:
    claim._defended_until = 0
    right()


def _forgets_soon(claim: ClaimHandler, right: Callable[[], None]) -> None:
    claim._defended_until -= 9 * SECOND
    right()


def _remembers(claim: ClaimHandler, right: Callable[[], None]) -> None:
    before = claim._defended_until
    right()
    claim._defended_until += 50 * SECOND if claim._defended_until > before else 0


meets("claim_defends_every_time", _forgets)
meets("claim_remembers_a_conflict_for_a_second", _forgets_soon)
meets("claim_remembers_a_conflict_for_a_minute", _remembers)
