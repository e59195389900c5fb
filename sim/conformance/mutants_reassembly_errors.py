"""Wrong engines that tell of pieces: who is told what, and when; atoms and faults of IPv6."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_reassembly import joiner, joins6, opens, store, wrong
from sim.conformance.packets import summed
from virtualtap.config import TapConfig
from virtualtap.handlers.path_mtu import PathMtu
from virtualtap.reassembly import Datagram, Fragment
from virtualtap.stats import DropReason
from virtualtap.tap import VirtualTap
from virtualtap.wire import ipv6
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.ethernet import IPV4, IPV6


def errors(tap: VirtualTap) -> PathMtu:
    """What tells senders inside a tap."""
    found: Any = joiner(tap)._errors
    made: PathMtu = found
    return made


def tells(change: Callable[[Any, bytes, TapConfig], None]) -> Callable[[TapConfig], VirtualTap]:
    """A tap that tells otherwise that a time is over: (the right way, the first piece, config)."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        swap(errors(tap), "overdue", lambda right, first: change(right, first, config))
        return tap

    return make


def says(change: Callable[[VirtualTap, Any, bytes], None]) -> Callable[[TapConfig], VirtualTap]:
    """A tap that says its errors otherwise: (tap, the right way, the error)."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        swap(errors(tap), "_say", lambda right, error: change(tap, right, error))
        return tap

    return make


def to_us(first: bytes, config: TapConfig) -> bytes:
    if first[0] >> 4 == 4:
        return summed(patched(first, 16, config.our_ip or b""))
    return patched(first, 24, config.our_ip6[0])


def asking(first: bytes) -> bytes:
    """As if it were no error."""
    if first[0] >> 4 == 6:
        at = ipv6.upper_layer(first)[1]
        return patched(first, at, b"\x80") if first[40] == ipv6.ICMPV6 else first
    return patched(first, 20, b"\x08") if first[9] == 1 else first


def twice(right: Any, first: bytes, _: TapConfig) -> None:
    right(first)
    right(first)


def is_question(first: bytes) -> bool:
    return first[0] >> 4 == 6 and first[40] == ipv6.ICMPV6


wrong("tells_nobody", tells(lambda right, first, config: None))
wrong("tells_twice", tells(twice))
wrong("tells_of_what_is_for_many", tells(lambda right, first, config: right(to_us(first, config))))
wrong("tells_of_errors", tells(lambda right, first, config: right(asking(first))))
wrong(
    "tells_of_no_icmpv6",
    tells(lambda right, first, config: None if is_question(first) else right(first)),
)
wrong(
    "tells_everyone",
    says(
        lambda tap, right, error: tap._core.frames.append(
            BROADCAST + tap._our_mac + (IPV6 if error[0] >> 4 == 6 else IPV4) + error
        )
    ),
)


@mutant
def tells_of_faults_without_limit(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(errors(tap), "_may_speak", lambda right: True)
    return tap


class Named(Datagram):
    """Of which the first piece to come passes for the first."""

    @property
    def first(self) -> bytes | None:
        return super().first or (self.heads[0] if self.heads else None)

    def __init__(self, expires: int) -> None:
        super().__init__(expires)
        self.heads: list[bytes] = []

    def take(self, piece: Fragment) -> None:
        super().take(piece)
        head = piece.head
        if head[0] >> 4 == 4:
            head = summed(patched(head, 6, bytes(2)))
        else:
            head = head[:-6] + bytes(2) + head[-4:]
        self.heads.append(head + piece.payload)


class Talkative(Named):
    """Which tells of overlaps, but not without the first piece."""

    @property
    def first(self) -> bytes | None:
        return self.heads[0] if self.spoiled else super().first


wrong("tells_without_the_first", lambda config: opens(VirtualTap(config), Named))
wrong("tells_of_overlaps", lambda config: opens(VirtualTap(config), Talkative))


@mutant
def tells_of_whole_datagrams(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def add(right: Any, piece: Fragment, now: int) -> Datagram | None:
        whole: Datagram | None = right(piece, now)
        if whole is not None and (first := whole.first):
            then = now + config.reassembly_timeout
            core.timers.set("told", then, lambda: errors(tap).overdue(first))
        return whole

    swap(store(tap), "add", add)
    return tap


@mutant
def tells_of_what_had_to_go(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def remove(right: Any, key: bytes, why: DropReason) -> Datagram:
        gone: Datagram = right(key, why)
        if why is DropReason.REASSEMBLY_FULL and gone.first:
            errors(tap).overdue(gone.first)
        return gone

    swap(store(tap), "_remove", remove)
    return tap


def complains(
    change: Callable[[int, int, int], tuple[int, int, int] | None],
) -> Callable[[TapConfig], VirtualTap]:
    """A tap whose errors of ICMPv6 are changed, or not sent: (type, code, pointer)."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)

        def answer(right: Any, packet: bytes, *given: int) -> None:
            chosen = change(*given)
            if chosen is not None:
                right(packet, *chosen)

        swap(errors(tap), "answer6", answer)
        return tap

    return make


wrong("complains_of_nothing", complains(lambda *given: given if given[0] == 3 else None))
wrong("points_at_the_first_byte", complains(lambda kind, code, _: (kind, code, 0)))
wrong("points_behind_40_bytes", complains(lambda kind, code, at: (kind, code, min(at, 42))))
wrong("names_no_code", complains(lambda kind, _, at: (kind, 0, at)))


def refuses(
    change: Callable[[Any, bytes, int, bool, int], bool],
) -> Callable[[TapConfig], VirtualTap]:
    """A tap that refuses fragments of IPv6 otherwise."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        swap(joiner(tap), "_refuse6", change)
        return tap

    return make


def is_first(packet: bytes) -> bool:
    found = ipv6.fragment_header(packet)
    return found is not None and not ipv6.fragment_word(packet, found[1]) & ipv6.OFFSET_MASK


wrong(
    "takes_incomplete_headers",
    refuses(
        lambda right, packet, at, more, end: (
            False if is_first(packet) and end % 8 == 0 else right(packet, at, more, end)
        )
    ),
)
wrong(
    "reads_no_headers_behind_the_fragment_header",
    refuses(
        lambda right, packet, at, more, end: (
            False if packet[at] == 60 else right(packet, at, more, end)
        )
    ),
)
wrong(
    "asks_for_more_than_headers",
    refuses(lambda right, packet, at, more, end: end == 16 or right(packet, at, more, end)),
)
wrong(
    "takes_pieces_without_data",
    refuses(
        lambda right, packet, at, more, end: (
            False if len(packet) == at + 8 else right(packet, at, more, end)
        )
    ),
)


def whole_of(tap: VirtualTap, packet: bytes) -> bytes | None:
    """An atomic fragment joined as all others are."""
    at = 48
    piece = Fragment(packet[8:40] + packet[44:48], 0, False, packet[:at], packet[at:], 0)
    whole = joiner(tap)._add(piece)
    return None if whole is None else ipv6.joined(whole.head, whole.payload)


def is_atomic(packet: bytes) -> bool:
    return packet[6] == ipv6.FRAGMENT and packet[42:44] == b"\0\0"


wrong(
    "takes_atoms_for_pieces",
    joins6(
        lambda tap, right, packet: whole_of(tap, packet) if is_atomic(packet) else right(packet)
    ),
)
wrong(
    "leaves_atoms_their_header",
    joins6(lambda tap, right, packet: packet if is_atomic(packet) else right(packet)),
)


@mutant
def gives_neighbor_messages_in_pieces(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(joiner(tap), "_checked6", lambda right, whole: whole)
    return tap


@mutant
def tells_of_others_pieces(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv6, "_is_for_host", lambda right, to, many: right(to, many) or not many)
    return tap


@mutant
def forgets_that_its_time_is_over(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, reassembly_timeout=config.reassembly_timeout << 8))
