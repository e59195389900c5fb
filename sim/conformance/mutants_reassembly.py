"""Wrong engines that join pieces: what belongs together, what spoils it, what is kept."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_ethernet import hears
from sim.conformance.packets import summed
from virtualtap.config import TapConfig
from virtualtap.errors import WireError
from virtualtap.handlers.fragments import FragmentHandler
from virtualtap.reassembly import Datagram, Fragment, Reassembly
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import ipv4
from virtualtap.wire.ethernet import IPV4


def joiner(tap: VirtualTap) -> FragmentHandler:
    """What joins inside a tap."""
    for family in (tap._ipv4, tap._ipv6):
        found = getattr(family._join, "__self__", None)  # one of them may have been swapped
        if isinstance(found, FragmentHandler):
            return found
    raise LookupError("nothing joins in this tap")


def store(tap: VirtualTap) -> Reassembly:
    return joiner(tap)._reassembly


def wrong(name: str, make: Callable[[TapConfig], VirtualTap]) -> None:
    make.__name__ = name
    mutant(make)


def hands(change: Callable[[Fragment], Fragment | None]) -> Callable[[TapConfig], VirtualTap]:
    """A tap that keeps each piece changed, or not at all."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)

        def add(right: Any, piece: Fragment, now: int) -> Datagram | None:
            kept = change(piece)
            found: Datagram | None = None if kept is None else right(kept, now)
            return found

        swap(store(tap), "add", add)
        return tap

    return make


def told_by(keep: Callable[[bytes], bytes]) -> Callable[[TapConfig], VirtualTap]:
    """A tap that tells datagrams apart by a part of the key only."""
    return hands(lambda piece: replace(piece, key=keep(piece.key)))


def limited(**limits: int) -> Callable[[TapConfig], VirtualTap]:
    """A tap with other limits than it is given."""
    return lambda config: VirtualTap(replace(config, **limits))  # type: ignore[arg-type]  # numbers


def joins4(
    change: Callable[[VirtualTap, Any, bytes], bytes | None],
) -> Callable[[TapConfig], VirtualTap]:
    """A tap that joins IPv4 otherwise: (tap, the right way, fragment)."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        swap(tap._ipv4, "_join", lambda right, packet: change(tap, right, packet))
        return tap

    return make


def joins6(
    change: Callable[[VirtualTap, Any, bytes], bytes | None],
) -> Callable[[TapConfig], VirtualTap]:
    """A tap that joins IPv6 otherwise: (tap, the right way, packet)."""

    def make(config: TapConfig) -> VirtualTap:
        tap = VirtualTap(config)
        swap(tap._ipv6, "_join", lambda right, packet: change(tap, right, packet))
        return tap

    return make


def opens(tap: VirtualTap, kind: type[Datagram]) -> VirtualTap:
    """A tap whose datagrams are of another kind."""
    kept = store(tap)

    def make(right: Any, key: bytes, now: int) -> Datagram:
        right(key, now)
        made = kept._datagrams[key] = kind(now + kept._config.reassembly_timeout)
        return made

    swap(kept, "_open", make)
    return tap


def first_of(piece: Fragment, head: bytes) -> Fragment:
    return replace(piece, head=head)


wrong("passes_ipv4_fragments_as_they_are", joins4(lambda tap, right, packet: packet))
wrong("passes_ipv6_fragments_as_they_are", joins6(lambda tap, right, packet: packet))
wrong("joins_nothing", hands(lambda piece: None))
wrong("forgets_the_number", told_by(lambda key: key[:-2] if len(key) < 16 else key[:-4]))
wrong(
    "reads_half_of_the_number", told_by(lambda key: key if len(key) < 16 else key[:32] + key[34:])
)
wrong("forgets_the_sender", told_by(lambda key: key[4:] if len(key) < 16 else key[16:]))
wrong("forgets_the_destination", told_by(lambda key: key[:4] + key[8:]))
wrong("forgets_the_destination6", told_by(lambda key: key[:16] + key[32:]))
wrong("forgets_the_protocol", told_by(lambda key: key[:8] + key[9:]))
wrong("refuses_tiny_pieces", hands(lambda piece: piece if len(piece.payload) > 15 else None))
wrong("keeps_half_of_65535_bytes", hands(lambda piece: piece if piece.end < 32768 else None))
wrong("keeps_no_options", hands(lambda piece: first_of(piece, plain(piece.head))))
wrong("joins_no_groups", hands(lambda piece: None if grouped(piece.key) else piece))
wrong("forgets_congestion", hands(lambda piece: replace(piece, ecn=2)))
wrong("lets_the_incapable_be", hands(lambda piece: replace(piece, ecn=piece.ecn or 2)))
wrong("gives_up_after_59_seconds", limited(reassembly_timeout=59 * SECOND))
wrong("gives_up_after_61_seconds", limited(reassembly_timeout=61 * SECOND))
wrong("keeps_any_number_of_datagrams", limited(reassembly_datagrams_max=1 << 20))
wrong("keeps_any_number_of_bytes", limited(reassembly_bytes_max=1 << 30))
wrong("keeps_any_number_of_pieces", limited(reassembly_fragments_max=1 << 20))
wrong("keeps_two_pieces_at_most", limited(reassembly_fragments_max=1))
wrong("leaves_them_uncuttable", joins4(lambda tap, right, packet: uncut(right(packet))))
wrong("sums_anew", joins4(lambda tap, right, packet: (whole := right(packet)) and summed(whole)))


def plain(head: bytes) -> bytes:
    """Without options or extension headers."""
    if head[0] >> 4 == 6:
        return head[:6] + b"\x2c" + head[7:40] + head[-8:]
    return summed(b"\x45" + head[1:20])


def grouped(key: bytes) -> bool:
    return key[4] >> 4 == 14 if len(key) < 16 else key[16] == 0xFF


def uncut(whole: bytes | None) -> bytes | None:
    return whole and summed(patched(whole, 6, b"\x40\0"))


@mutant
def takes_padding_for_data(config: TapConfig) -> VirtualTap:
    def lengthened(data: bytes) -> bytes:
        if data[12:14] != IPV4 or not data[20] & 0x3F | data[21]:
            return data
        return data[:14] + summed(patched(data[14:], 2, (len(data) - 14).to_bytes(2)))

    return hears(config, lengthened)


@mutant
def begins_the_time_anew(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    kept = store(tap)

    def add(right: Any, piece: Fragment, now: int) -> Datagram | None:
        held = kept._datagrams.get(piece.key)
        if held is not None:
            held.expires = now + config.reassembly_timeout
        whole: Datagram | None = right(piece, now)
        return whole

    swap(kept, "add", add)
    return tap


@mutant
def gives_all_up_at_once(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(store(tap), "expired", lambda right, now: right(now + config.reassembly_timeout))
    return tap


@mutant
def refuses_a_number_for_ever(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    done: set[bytes] = set()

    def add(right: Any, piece: Fragment, now: int) -> Datagram | None:
        whole: Datagram | None = None if piece.key in done else right(piece, now)
        if whole is not None:
            done.add(piece.key)
        return whole

    swap(store(tap), "add", add)
    return tap


@mutant
def refuses_the_newest_datagram(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    kept = store(tap)

    def add(right: Any, piece: Fragment, now: int) -> Datagram | None:
        if piece.key not in kept._datagrams and len(kept) >= config.reassembly_datagrams_max:
            return None
        whole: Datagram | None = right(piece, now)
        return whole

    swap(kept, "add", add)
    return tap


@mutant
def never_frees_bytes(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    kept = store(tap)

    def add(right: Any, piece: Fragment, now: int) -> Datagram | None:
        whole: Datagram | None = right(piece, now)
        if whole is not None:
            kept._bytes += whole.size
        return whole

    swap(kept, "add", add)
    return tap


def unchecked(tap: VirtualTap, packet: bytes) -> bytes | None:
    """Keep a fragment whatever it is."""
    word, at = ipv4.fragment_word(packet), ipv4.header_len(packet)
    key = packet[12:20] + packet[9:10] + packet[4:6]
    piece = Fragment(key, (word & 0x1FFF) * 8, bool(word & 0x2000), packet[:at], packet[at:], 0)
    whole = joiner(tap)._add(piece)
    return None if whole is None else ipv4.joined(whole.head, whole.payload)


def keeps(name: str, which: Callable[[bytes], bool]) -> None:
    """Register a tap that keeps fragments that break a rule."""
    wrong(
        name,
        joins4(
            lambda tap, right, packet: unchecked(tap, packet) if which(packet) else right(packet)
        ),
    )


keeps("keeps_empty_pieces", lambda packet: len(packet) == 20)
keeps("keeps_pieces_of_odd_length", lambda packet: packet[6] & 0x20 > 0 and len(packet) % 8 != 4)
keeps("keeps_pieces_beyond_the_end", lambda packet: packet[6:8] == b"\x1f\xff")


@mutant
def lets_whole_packets_end_the_wait(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    kept = store(tap)

    def receive(frame: bytes) -> bytes | None:
        if not frame[20] & 0x3F | frame[21]:
            kept._datagrams.pop(frame[26:34] + frame[23:24] + frame[18:20], None)
        return right(frame)

    right = tap._receivers[IPV4]
    tap._receivers[IPV4] = receive
    return tap


@mutant
def clamps_no_joined_syn(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    joined: list[bytes | None] = []

    def join(right: Any, packet: bytes) -> bytes | None:
        whole: bytes | None = right(packet)
        joined.append(whole)
        return whole

    swap(tap._ipv4, "_join", join)
    swap(
        tap._ipv4._path,
        "clamp4",
        lambda right, packet: packet if packet in joined else right(packet),
    )
    return tap


@mutant
def joins_before_it_looks_whose_it_is(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv4, "_may_be_ours", lambda right, packet: True)
    return tap


@mutant
def joins_nothing_before_a_lease(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._ipv4, "_may_be_ours", lambda right, packet: False)
    return tap


@mutant
def passes_cut_fragment_headers(config: TapConfig) -> VirtualTap:
    def join(tap: VirtualTap, right: Any, packet: bytes) -> bytes | None:
        try:
            whole: bytes | None = right(packet)
        except WireError:
            return packet
        return whole

    return joins6(join)(config)


@mutant
def gives_all_it_joined(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(
        tap._ipv4,
        "_is_for_host",
        lambda right, to, many: right(to, many) or tap._core.interface.silent,
    )
    return tap
