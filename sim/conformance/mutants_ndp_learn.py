"""Wrong engines: which of the host's IPv6 addresses they learn, and for how long."""

from collections.abc import Callable
from dataclasses import replace

from sim.conformance.mutants import mutant
from virtualtap.config import TapConfig
from virtualtap.interface6 import Address
from virtualtap.tap import VirtualTap
from virtualtap.timers import NEVER
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip, is_link_local6
from virtualtap.wire.ndp import Prefix


def _learning(
    config: TapConfig, change: Callable[[VirtualTap, Ip], bool], *, after: bool = False
) -> VirtualTap:
    """Something is done before or after an address is learned; False before: it is not learned."""
    tap = VirtualTap(config)
    learn = tap._slaac._learn

    def wrong(ip: Ip) -> None:
        if after:
            learn(ip)
        if change(tap, ip) and not after:
            learn(ip)

    tap._slaac._learn = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def _noting(config: TapConfig, change: Callable[[Prefix], Prefix | None]) -> VirtualTap:
    """The host's prefixes are noted otherwise; None: not noted."""
    tap = VirtualTap(config)
    note = tap._slaac._note

    def wrong(prefix: Prefix) -> None:
        changed = change(prefix)
        if changed is not None:
            note(changed)

    tap._slaac._note = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def _set(tap: VirtualTap, ip: Ip, **fields: object) -> bool:
    addresses = tap._core.interface6.addresses
    addresses[ip] = replace(addresses.get(ip, Address()), **fields)  # type: ignore[arg-type]  # its fields
    return True


@mutant
def learns_no_address_of_the_host(config: TapConfig) -> VirtualTap:
    return _learning(config, lambda tap, ip: False)


@mutant
def learns_addresses_unasked(config: TapConfig) -> VirtualTap:
    can = not (config.dhcp or config.slaac or config.our_ip or config.gateway_ip)
    return VirtualTap(replace(config, learn_ip=can))


@mutant
def learns_a_probed_address_at_once(config: TapConfig) -> VirtualTap:
    return _learning(
        config,
        lambda tap, ip: ip in tap._core.interface6.addresses and _set(tap, ip, tentative=False),
        after=True,
    )


@mutant
def waits_from_the_first_probe(config: TapConfig) -> VirtualTap:
    return _learning(config, lambda tap, ip: ip not in tap._core.interface6.addresses)


@mutant
def learns_only_from_one_probe(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, ip: Ip) -> bool:
        if ip in tap._core.interface6.addresses:
            tap._core.timers.cancel(("dad", ip))
            return False
        return True

    return _learning(config, wrong)


@mutant
def learns_contested_addresses(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, ip: Ip) -> bool:
        def forgive() -> None:
            _set(tap, ip, duplicate=False, tentative=False)

        if ip in tap._core.interface6.addresses:
            tap._core.timers.set("wrong", tap._core.now + SECOND, forgive)
        return True

    return _learning(config, wrong, after=True)


@mutant
def learns_addresses_of_any_prefix(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, ip: Ip) -> bool:
        tap._slaac._offered.setdefault(ip[:8], Address())
        return True

    return _learning(config, wrong)


@mutant
def learns_of_prefixes_on_link(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, ip: Ip) -> bool:
        if tap._core.interface6.is_on_link(ip, tap._core.now):
            tap._slaac._offered.setdefault(ip[:8], Address())
        return True

    return _learning(config, wrong)


@mutant
def learns_no_link_local_address(config: TapConfig) -> VirtualTap:
    return _learning(config, lambda tap, ip: not is_link_local6(ip))


@mutant
def learned_addresses_never_end(config: TapConfig) -> VirtualTap:
    return _learning(
        config,
        lambda tap, ip: ip in tap._core.interface6.addresses and _set(tap, ip, valid_until=NEVER),
        after=True,
    )


@mutant
def learned_addresses_are_not_renewed(config: TapConfig) -> VirtualTap:
    seen: list[Prefix] = []

    def wrong(prefix: Prefix) -> Prefix | None:
        seen.append(prefix)
        return prefix if len(seen) == 1 else None

    return _noting(config, wrong)


@mutant
def learned_addresses_end_at_once(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    note = tap._slaac._note

    def wrong(prefix: Prefix) -> None:
        note(prefix)
        for ip in tap._core.interface6.addresses:
            if ip[:8] == prefix.prefix[:8] and config.learn_ip:
                _set(tap, ip, valid_until=tap._core.now + prefix.valid * SECOND)

    tap._slaac._note = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def learns_of_prefixes_that_ended(config: TapConfig) -> VirtualTap:
    return _noting(config, lambda prefix: replace(prefix, valid=max(prefix.valid, 8000)))


@mutant
def learns_addresses_that_are_used(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    send = tap._send_ipv6

    def wrong(packet: bytes) -> bytes | None:
        if config.learn_ip and any(packet[8:24]):
            _set(tap, packet[8:24])
        return send(packet)

    tap._send_ipv6 = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def learns_from_wrong_probes(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    probed = tap._slaac.probed

    def wrong(packet: bytes) -> None:
        probed(packet)
        if not any(packet[8:24]) and packet[40] == ndp.SOLICITATION:
            tap._slaac._learn(packet[48:64])

    tap._slaac.probed = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def learns_from_probes_of_others(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    receive = tap._ndp.receive

    def wrong(frame: bytes) -> bytes | None:
        packet = receive(frame)
        if config.learn_ip and not any(frame[22:38]) and frame[54] == ndp.SOLICITATION:
            tap._slaac._learn(frame[62:78])
        return packet

    tap._ndp.receive = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def takes_any_message_from_nobody_for_a_probe(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    send = tap._send_ipv6

    def wrong(packet: bytes) -> bytes | None:
        swallowed = config.learn_ip and not any(packet[8:24]) and packet[40] != ndp.SOLICITATION
        return None if swallowed else send(packet)

    tap._send_ipv6 = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def swallows_the_host_s_probe(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    send = tap._send_ipv6

    def wrong(packet: bytes) -> bytes | None:
        sent = send(packet)
        is_probe = config.learn_ip and not any(packet[8:24]) and packet[40] == ndp.SOLICITATION
        return None if is_probe else sent

    tap._send_ipv6 = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def learns_addresses_without_end(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, addresses6_max=16))


@mutant
def notes_prefixes_without_end(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, prefixes_max=32))


@mutant
def leaves_routers_to_the_host(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    if config.learn_ip:
        tap._core.interface6.add_router = lambda ip, until, now: None  # type: ignore[method-assign]  # a mutant
    return tap
