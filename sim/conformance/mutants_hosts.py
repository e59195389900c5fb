"""Wrong engines of the hosts family: who is answered for, what comes back, which MAC is whose."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import handler, swap
from virtualtap.addresses import Macs, random_mac
from virtualtap.config import TapConfig
from virtualtap.handlers.claim import ClaimHandler
from virtualtap.tap import VirtualTap
from virtualtap.wire import ndp
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, Ip, Mac, is_group, is_multicast4
from virtualtap.wire.ethernet import IPV6


class Wrong:
    """Another object in all but a few names."""

    def __init__(self, right: object, **names: Any) -> None:
        self._right = right
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


def changed(name: str, **changes: Any) -> None:
    """A mutant that reads its configuration otherwise."""

    def make(config: TapConfig) -> VirtualTap:
        return VirtualTap(replace(config, **changes))

    make.__name__ = name
    mutant(make)


def with_hosts(name: str, change: Callable[[VirtualTap], object]) -> None:
    """A mutant only where there are hosts."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        if tap._core.has_hosts:
            change(tap)
        return tap

    make.__name__ = name
    mutant(make)


# who is answered for

changed("hosts_are_nobody", hosts=())
changed("hosts_have_one_mac", host_macs="shared")
changed("hosts_have_a_mac_each", host_macs="own")
changed("hosts_are_not_admitted", admit_hosts=False)
changed("hosts_are_admitted_without_end", hosts_max=64)
changed("hosts_forget_the_seed", random_seed=0)


@mutant
def hosts_are_admitted_unasked(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, admit_hosts=config.our_ip is not None or config.dhcp))


@mutant
def hosts_are_admitted_silently(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, claim="silently") if config.admit_hosts else config)


@mutant
def hosts_are_admitted_unprobed(config: TapConfig) -> VirtualTap:
    hasty = config.admit_hosts and config.claim == "probed"
    return VirtualTap(replace(config, claim="announced") if hasty else config)


def _owns_all(tap: VirtualTap) -> None:
    handler(tap)._interface = Wrong(tap._core.interface, owns=lambda _: True)  # type: ignore[assignment]  # wrong on purpose


def _owns_only_hosts(tap: VirtualTap) -> None:
    hosts = tap._core.interface.hosts
    handler(tap)._interface = Wrong(tap._core.interface, owns=hosts.__contains__)  # type: ignore[assignment]  # wrong on purpose


def _receives_all(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_is_for_host", lambda *_: True)


def _only_whom_it_was_heard_for(tap: VirtualTap) -> None:
    def wrong(right: Callable[..., object], ip: Ip, source: Ip, packet: bytes, ask: object) -> None:
        right(ip, source, packet, ask)

    lookup = tap._core.neighbors.lookup
    swap(tap._core, "hold", wrong)
    swap(tap._core.neighbors, "lookup", lambda _, ip, now: None if now == 0 else lookup(ip, now))


def _admits_from_anywhere(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_is_new", lambda right, ip: right(ip) or ip[0] == 192)


def _admits_no_ipv6(tap: VirtualTap) -> None:
    swap(tap._ipv6, "_is_new", lambda *_: False)


with_hosts("hosts_answer_for_everybody", _owns_all)
with_hosts("hosts_displace_our_own_address", _owns_only_hosts)
with_hosts("hosts_take_packets_of_strangers", _receives_all)
with_hosts("hosts_know_no_neighbors", _only_whom_it_was_heard_for)
with_hosts("hosts_are_admitted_from_anywhere", _admits_from_anywhere)
with_hosts("hosts_are_admitted_in_ipv4_only", _admits_no_ipv6)


@mutant
def hosts_ask_in_our_name(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv4, "_ask", lambda right, ip, source: right(ip, config.our_ip or source))
    return tap


@mutant
def hosts_ask_in_every_name(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    arp, interface = handler(tap), tap._core.interface

    def wrong(right: Callable[[Ip, Ip], None], ip: Ip, source: Ip) -> None:
        arp._interface = Wrong(interface, owns=any)  # type: ignore[assignment]  # wrong on purpose
        right(ip, source)
        arp._interface = interface

    if tap._core.has_hosts:
        swap(arp, "ask", wrong)
        tap._ipv4._ask = arp.ask
    return tap


# what comes back


def _returns_nothing(tap: VirtualTap) -> None:
    swap(tap._core, "give_back", lambda *_: None)


def _sends_all(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_leaves", lambda *_: True)
    swap(tap._ipv6, "_leaves", lambda *_: True)


def _mirrors_to_the_lan(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bool], packet: bytes) -> bool:
        if not right(packet):
            tap._core.send(BROADCAST + tap._core.header(BROADCAST, packet)[6:] + packet)
            return False
        return True

    swap(tap._ipv4, "_leaves", wrong)
    swap(tap._ipv6, "_leaves", wrong)


def _keeps_groups_inside(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bool], packet: bytes) -> bool:
        to = packet[16:20] if packet[0] >> 4 == 4 else packet[24:40]
        return right(packet) and to[0] not in (0xFF, 239) and to[3] != 0xFF

    swap(tap._ipv4, "_leaves", wrong)
    swap(tap._ipv6, "_leaves", wrong)


def _forgets(wanted: Callable[[Ip], bool]) -> Callable[[VirtualTap], None]:
    def change(tap: VirtualTap) -> None:
        def wrong(right: Callable[[bytes], None], packet: bytes) -> None:
            if packet[0] >> 4 != 4 or not wanted(packet[16:20]):
                right(packet)

        swap(tap._core, "give_back", wrong)

    return change


def _returns_neighbor_messages(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bool], packet: bytes) -> bool:
        if ndp.is_inside(packet):
            tap._core.give_back(packet)
        return right(packet)

    swap(tap._ipv6, "_leaves", wrong)


def _hears_broadcasts_twice(tap: VirtualTap) -> None:
    def wrong(right: Callable[[bytes], bytes | None], frame: bytes) -> bytes | None:
        packet = right(frame)
        if packet is not None and is_group(frame):
            tap._core.give(packet)
        return packet

    swap(tap, "_receive", wrong)


with_hosts("hosts_get_nothing_back", _returns_nothing)
with_hosts("hosts_reach_one_another_over_the_lan", _sends_all)
with_hosts("hosts_are_overheard_by_the_lan", _mirrors_to_the_lan)
with_hosts("hosts_broadcasts_stay_inside", _keeps_groups_inside)
with_hosts("hosts_get_no_limited_broadcast", _forgets(lambda to: to == LIMITED_BROADCAST))
with_hosts("hosts_get_no_directed_broadcast", _forgets(lambda to: to == bytes((10, 0, 0, 255))))
with_hosts("hosts_get_no_multicast", _forgets(is_multicast4))
with_hosts("hosts_do_not_reach_us", _forgets(lambda to: to == bytes((10, 0, 0, 2))))
with_hosts("hosts_get_their_own_probes", _returns_neighbor_messages)
with_hosts("hosts_hear_broadcasts_twice", _hears_broadcasts_twice)


@mutant
def hosts_are_always_there(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.has_hosts = True
    return tap


# what is claimed


def _claim_of_ours(tap: VirtualTap) -> ClaimHandler:
    found: ClaimHandler = handler(tap)._contested.__self__._own  # type: ignore[attr-defined]  # a bound method
    return found


def _defends_only_itself(tap: VirtualTap) -> None:
    handler(tap)._contested = _claim_of_ours(tap).contested


def _uses_at_once(tap: VirtualTap) -> None:
    hosts = tap._core.interface.hosts
    hosts.update(dict.fromkeys(hosts, True))


def _is_wholly_lost(tap: VirtualTap) -> None:
    def wrong(right: Callable[..., None], ip: Ip, *, is_ours: bool) -> None:
        right(ip, is_ours=is_ours)
        if not is_ours:
            tap._core.rename(None)
            tap._core.interface.hosts.clear()

    swap(tap._core, "use_host", wrong)


def _is_never_lost(tap: VirtualTap) -> None:
    swap(tap._core, "use_host", lambda right, ip, is_ours: right(ip, is_ours=True))


def _claims_nothing(tap: VirtualTap) -> None:
    hosts = tap._core.interface.hosts
    right = tap._core.send

    def wrong(frame: bytes) -> bool:
        is_claim = frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] in hosts
        return True if is_claim else right(frame)

    tap._core.send = wrong  # type: ignore[method-assign]  # wrong on purpose


with_hosts("hosts_are_not_defended", _defends_only_itself)
with_hosts("hosts_are_used_while_they_are_probed", _uses_at_once)
with_hosts("hosts_fall_silent_together", _is_wholly_lost)
with_hosts("hosts_are_never_given_up", _is_never_lost)
with_hosts("hosts_are_claimed_in_silence", _claims_nothing)


# which MAC is whose


def _macs(name: str, make_of: Callable[[Macs, Mac], Callable[[Ip], Mac]]) -> None:
    def change(tap: VirtualTap) -> None:
        right = tap._core.macs
        tap._core.macs = Wrong(right, of=make_of(right, tap._core.config.our_mac))  # type: ignore[assignment]  # wrong on purpose

    with_hosts(name, change)


def _regenerated(name: str, generate: Callable[[TapConfig, Ip], Mac]) -> None:
    def change(tap: VirtualTap) -> None:
        macs = tap._core.macs
        for ip in macs.generated:
            macs.generated[ip] = generate(tap._core.config, ip)
        macs.ours.update(macs.generated.values())

    with_hosts(name, change)


_made = [0]


def _next(config: TapConfig, _: Ip) -> Mac:
    _made[0] += 1
    return random_mac(_made[0])


_regenerated("hosts_share_a_generated_mac", lambda *_: random_mac("all"))
_regenerated("hosts_have_a_new_mac_each_time", _next)
_regenerated("hosts_have_universal_macs", lambda _, ip: b"\0" + random_mac(ip.hex())[1:])
_regenerated("hosts_have_the_macs_of_a_gateway", lambda _, ip: b"\x5e" + random_mac(ip.hex())[1:])
_macs("hosts_share_the_mac_of_ipv6", lambda right, our: lambda ip: our if ip[4:] else right.of(ip))
_macs("hosts_share_the_mac_of_ipv4", lambda right, our: lambda ip: right.of(ip) if ip[4:] else our)
_macs(
    "hosts_lend_us_their_mac",
    lambda right, _: lambda ip: next(iter(right.generated.values()), right.of(ip)),
)


def _sends_from_our_mac(kind: Callable[[bytes], bool]) -> Callable[[VirtualTap], None]:
    def change(tap: VirtualTap) -> None:
        our_mac = tap._core.config.our_mac

        def wrong(right: Callable[[bytes], bool], frame: bytes) -> bool:
            return right(patched(frame, 6, our_mac) if kind(frame) else frame)

        swap(tap._core, "send", wrong)

    return change


def _is_there(tap: VirtualTap) -> None:
    swap(tap._ipv4, "_is_there", lambda *_: True)
    swap(tap._ipv6, "_is_there", lambda *_: True)


def _hears_its_own(tap: VirtualTap) -> None:
    swap(tap, "_receive", lambda right, frame: right(patched(frame, 6, b"\2\0\0\0\0\x99")))


def _hears_its_own_requests(tap: VirtualTap) -> None:
    swap(handler(tap), "_refusal", lambda *_: None)
    _hears_its_own(tap)


def _remembers_by_address(tap: VirtualTap) -> None:
    heard: set[bytes] = set()

    def wrong(right: Callable[..., bytes | None], frame: bytes) -> bytes | None:
        if frame[26:34] in heard:
            return frame[14:]
        packet = right(frame)
        if packet is not None:
            heard.add(frame[26:34])
        return packet

    swap(tap, "_receive", wrong)


def _holds_by_neighbor(tap: VirtualTap) -> None:
    def wrong(right: Callable[..., bool], header: bytes, packet: bytes) -> bool:
        first.append(header)
        return right(first[0], packet)

    first: list[bytes] = []
    swap(tap._core, "send_cut", wrong)


def _refuses_their_macs(tap: VirtualTap) -> None:
    tap._link._ours = {tap._core.config.our_mac}


with_hosts("hosts_solicit_from_our_mac", _sends_from_our_mac(lambda f: f[12:14] == IPV6))
with_hosts("hosts_reply_from_our_mac", _sends_from_our_mac(lambda f: f[20:22] == b"\0\2"))
with_hosts("hosts_ask_from_our_mac", _sends_from_our_mac(lambda f: f[20:22] == b"\0\1"))
with_hosts("hosts_are_found_at_every_mac", _is_there)
with_hosts("hosts_hear_their_own_frames", _hears_its_own)
with_hosts("hosts_hear_their_own_requests", _hears_its_own_requests)
with_hosts("hosts_are_remembered_by_address", _remembers_by_address)
with_hosts("hosts_send_from_the_mac_of_the_first", _holds_by_neighbor)
with_hosts("hosts_macs_are_not_heard", _refuses_their_macs)
