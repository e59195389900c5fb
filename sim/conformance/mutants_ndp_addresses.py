"""Wrong engines for our own addresses: detection of duplicates, formation. RFC 4862 5.3 to 5.5."""

from collections.abc import Callable
from dataclasses import replace

from sim.conformance.mutants import mutant
from sim.conformance.mutants_ndp import ignoring, put, reread
from sim.conformance.mutants_ndp_routers import made, reprefixing
from virtualtap.config import TapConfig
from virtualtap.interface6 import ends
from virtualtap.tap import VirtualTap
from virtualtap.timers import NEVER
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import ANY6, Ip, eui64, is_link_local6
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ndp import Message, NeighborMessage, Prefix

_BODY = HEADER_LEN + 40
_TARGET = slice(_BODY + 8, _BODY + 24)


def saying(config: TapConfig, change: Callable[[Message, Ip], Message | None]) -> VirtualTap:
    """A tap that says other messages than it should; None: nothing."""
    tap, _ = made(config)
    say = tap._slaac._reachability.say

    def says(message: Message, source: Ip, to: Ip, mac: bytes | None = None) -> bool:
        changed = change(message, source)
        return True if changed is None else say(changed, source, to, mac)

    put(tap._slaac._reachability, "say", says)
    return tap


def offered(config: TapConfig, change: Callable[[Prefix], Prefix]) -> VirtualTap:
    """A tap that forms its addresses of other prefixes than were offered."""
    tap, _ = made(config)
    offer = tap._slaac.offer
    put(tap._routers, "_offer", lambda prefix: offer(change(prefix)))
    return tap


# detection


@mutant
def never_probes(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, source: None if source == ANY6 else message)


@mutant
def says_its_mac_in_a_probe(config: TapConfig) -> VirtualTap:
    def add(message: Message, source: Ip) -> Message:
        if source == ANY6 and isinstance(message, NeighborMessage):
            return replace(message, options=((ndp.SOURCE_MAC, config.our_mac),))
        return message

    return saying(config, add)


@mutant
def always_probes(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, dad=True))


@mutant
def probes_once_only(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, dad_transmits=1))


@mutant
def uses_what_it_probes(config: TapConfig) -> VirtualTap:
    tap, known = made(config)

    def owns(ip: Ip, now: int) -> bool:
        address = known.addresses.get(ip)
        return address is not None and not address.duplicate and address.valid_until > now

    put(known, "owns", owns)
    return tap


@mutant
def sends_from_what_it_probes(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    send = tap._ipv6.send

    def sends(packet: bytes) -> bytes | None:
        address = known.addresses.get(packet[8:24])
        if address is None or not address.tentative:
            return send(packet)
        return tap._ipv6._deliver(packet[24:40], packet[8:24], packet)

    put(tap._ipv6, "send", sends)
    return tap


@mutant
def receives_at_what_it_probes(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    receive = tap._ipv6.receive
    put(
        tap._ipv6,
        "receive",
        lambda frame: frame[HEADER_LEN:] if frame[38:54] in known.addresses else receive(frame),
    )
    return tap


@mutant
def no_one_contests_its_address(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    put(tap._ndp, "_contest", lambda ip, mac: None)
    return tap


@mutant
def probes_of_others_do_not_count(config: TapConfig) -> VirtualTap:
    return ignoring(
        config, lambda frame, packet: packet.source == ANY6 and frame[_BODY] == ndp.SOLICITATION
    )


@mutant
def early_probes_of_others_do_not_count(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    contest = tap._ndp._contest
    put(tap._ndp, "_contest", lambda ip, mac: contest(ip, mac) if tap._core.now else None)
    return tap


@mutant
def questions_contest_an_address(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)

    def contest(frame: bytes) -> bytes:
        if frame[_BODY] == ndp.SOLICITATION:
            tap._ndp._contest(frame[_TARGET], frame[6:12])
        return frame

    return reread(tap, contest)


@mutant
def anything_contests_an_address(config: TapConfig) -> VirtualTap:
    tap, known = made(config)

    def contest(frame: bytes) -> bytes:
        for ip in list(known.addresses):
            tap._ndp._contest(ip, frame[6:12])
        return frame

    return reread(tap, contest)


@mutant
def invalid_messages_contest_an_address(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    put(tap._ndp, "_is_valid", lambda packet, message: True)
    put(tap._ndp, "_is_for_us", lambda destination: True)
    return tap


@mutant
def never_claims_what_it_probed(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, dad_transmits=10**6))


# formation


@mutant
def always_forms_addresses(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, slaac=True))


@mutant
def looks_for_routers_without_end(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, router_solicitations_max=1000))


@mutant
def looks_for_routers_once(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, router_solicitations_max=1))


@mutant
def looks_for_routers_though_it_has_one(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    cancel = tap._core.timers.cancel
    put(
        tap._core.timers,
        "cancel",
        lambda key: None if key == "router solicitation" else cancel(key),
    )
    return tap


@mutant
def any_word_of_a_router_will_do(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    remove = known.remove_router

    def content(ip: Ip) -> None:
        remove(ip)
        tap._core.timers.cancel("router solicitation")

    put(known, "remove_router", content)
    return tap


@mutant
def forms_addresses_though_its_mac_is_anothers(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    offer = tap._slaac.offer

    def forgets(prefix: Prefix) -> None:
        for ip in [ip for ip, each in known.addresses.items() if each.duplicate]:
            del known.addresses[ip]
        offer(prefix)

    put(tap._routers, "_offer", forgets)
    return tap


@mutant
def forms_no_addresses(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    put(tap._routers, "_offer", lambda prefix: None)
    return tap


@mutant
def does_not_read_the_autonomous_flag(config: TapConfig) -> VirtualTap:
    return reprefixing(config, lambda each: replace(each, flags=each.flags | ndp.AUTONOMOUS))


@mutant
def forms_addresses_of_the_link_local_prefix(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    offer = tap._slaac.offer

    def any_prefix(prefix: Prefix) -> None:
        if is_link_local6(prefix.prefix):
            tap._slaac._form(prefix.prefix[:8] + eui64(config.our_mac), prefix)
        else:
            offer(prefix)

    put(tap._routers, "_offer", any_prefix)
    return tap


@mutant
def prefers_longer_than_is_valid(config: TapConfig) -> VirtualTap:
    return offered(config, lambda each: replace(each, preferred=min(each.preferred, each.valid)))


@mutant
def forms_addresses_of_any_length(config: TapConfig) -> VirtualTap:
    return offered(config, lambda each: replace(each, length=64))


@mutant
def forms_addresses_that_ended(config: TapConfig) -> VirtualTap:
    return offered(config, lambda each: replace(each, valid=each.valid or 1800))


@mutant
def probes_what_it_has(config: TapConfig) -> VirtualTap:
    tap, _ = made(config)
    offer = tap._slaac.offer

    def again(prefix: Prefix) -> None:
        offer(prefix)
        tap._slaac._ask_once(prefix.prefix[:8] + eui64(config.our_mac))

    put(tap._routers, "_offer", again)
    return tap


@mutant
def addresses_do_not_end(config: TapConfig) -> VirtualTap:
    tap, known = made(config)

    def owns(ip: Ip, now: int) -> bool:
        address = known.addresses.get(ip)
        return address is not None and not (address.tentative or address.duplicate)

    put(known, "owns", owns)
    return tap


@mutant
def addresses_end_when_deprecated(config: TapConfig) -> VirtualTap:
    return offered(config, lambda each: replace(each, valid=each.preferred))


def _renewing(config: TapConfig, rule: Callable[[int, int, int], int]) -> VirtualTap:
    """A tap with another rule than RFC 4862 5.5.3 (e): (old end, offered end, now) → end."""
    tap, known = made(config)
    offer = tap._slaac.offer

    def renew(prefix: Prefix) -> None:
        ip = prefix.prefix[:8] + eui64(config.our_mac)
        address, now = known.addresses.get(ip), tap._core.now
        if address is None:
            offer(prefix)
        else:
            address.valid_until = rule(address.valid_until, ends(prefix.valid, now), now)

    put(tap._routers, "_offer", renew)
    return tap


@mutant
def lifetimes_are_never_renewed(config: TapConfig) -> VirtualTap:
    return _renewing(config, lambda old, new, now: old)


@mutant
def lifetimes_are_never_shortened(config: TapConfig) -> VirtualTap:
    return _renewing(config, lambda old, new, now: max(old, new))


@mutant
def lifetimes_are_always_believed(config: TapConfig) -> VirtualTap:
    return _renewing(config, lambda old, new, now: new)


@mutant
def lifetimes_are_two_hours_at_least(config: TapConfig) -> VirtualTap:
    return _renewing(config, lambda old, new, now: max(new, now + 7200 * SECOND))


@mutant
def formed_addresses_put_their_prefix_on_the_link(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    offer = tap._slaac.offer

    def on_link(prefix: Prefix) -> None:
        offer(prefix)
        known.add_prefix(prefix.prefix, 64, NEVER - 1, tap._core.now)

    put(tap._routers, "_offer", on_link)
    return tap


@mutant
def solicits_in_any_name_of_its_own(config: TapConfig) -> VirtualTap:
    tap, known = made(config)
    put(known, "source", lambda to, wanted, now: next(iter(known.owned(now)), None))
    return tap
