"""Wrong engines where a packet is too long: fragments, ICMP errors, segment sizes."""

from collections.abc import Callable
from dataclasses import replace

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_ethernet import says, sends
from sim.conformance.packets import summed
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.wire import ipv4
from virtualtap.wire.ethernet import IPV4


def complains(config: TapConfig, change: Callable[[bytes], bytes | None]) -> VirtualTap:
    """A tap whose ICMP errors are changed, or lost."""
    tap = VirtualTap(config)
    taken = tap.take_packets
    tap.take_packets = lambda: [out for out in map(change, taken()) if out is not None]  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def sends_what_is_too_long(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, mtu=9000))


@mutant
def drops_what_is_too_long_silently(config: TapConfig) -> VirtualTap:
    return complains(config, lambda _: None)


@mutant
def cuts_nothing(config: TapConfig) -> VirtualTap:
    mtu = config.mtu
    return says(config, lambda data: None if data[:1] < b"\x50" and len(data) > mtu else data)


@mutant
def cuts_what_may_not_be_cut(config: TapConfig) -> VirtualTap:
    return says(
        config,
        lambda data: (
            summed(patched(data, 6, bytes((data[6] & 0xBF,))))
            if data[:1] < b"\x50" and len(data) > config.mtu
            else data
        ),
    )


def cuts(config: TapConfig, change: Callable[[bytes], bytes]) -> VirtualTap:
    """A tap whose fragments are changed, their checksums right."""

    def wrong(frame: bytes) -> bytes:
        is_piece = frame[12:14] == IPV4 and int.from_bytes(frame[20:22]) & 0x3FFF
        return frame[:14] + summed(change(frame[14:])) if is_piece else frame

    return sends(config, wrong)


@mutant
def says_of_no_fragment_that_more_follow(config: TapConfig) -> VirtualTap:
    return cuts(config, lambda data: patched(data, 6, bytes((data[6] & 0xDF,))))


@mutant
def says_of_every_fragment_that_more_follow(config: TapConfig) -> VirtualTap:
    return cuts(config, lambda data: patched(data, 6, bytes((data[6] | 0x20,))))


@mutant
def counts_offsets_in_bytes(config: TapConfig) -> VirtualTap:
    def change(data: bytes) -> bytes:
        word = int.from_bytes(data[6:8])
        return patched(data, 6, (word & 0xE000 | (word & 0x1FFF) * 8 & 0x1FFF).to_bytes(2))

    return cuts(config, change)


@mutant
def forgets_where_a_fragment_was(config: TapConfig) -> VirtualTap:
    return says(
        config,
        lambda data: (
            summed(patched(data, 6, b"\x20\0"))
            if data[:1] < b"\x50" and int.from_bytes(data[6:8]) & 0x1FFF and len(data) > config.mtu
            else data
        ),
    )


@mutant
def renames_fragments(config: TapConfig) -> VirtualTap:
    return cuts(config, lambda data: patched(data, 4, b"\x77\x77"))


@mutant
def sums_fragments_wrong(config: TapConfig) -> VirtualTap:
    return sends(
        config,
        lambda data: (
            patched(data, 24, b"\x12\x34")
            if data[12:14] == IPV4 and int.from_bytes(data[20:22]) & 0x3FFF
            else data
        ),
    )


@mutant
def copies_no_options(config: TapConfig) -> VirtualTap:
    def change(data: bytes) -> bytes:
        length = ipv4.header_len(data)
        if length == 20 or not int.from_bytes(data[6:8]) & 0x1FFF:
            return data
        bare = b"\x45" + data[1:20] + data[length:]
        return patched(bare, 2, len(bare).to_bytes(2))

    return cuts(config, change)


@mutant
def holds_no_long_packets(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._core, "hold", lambda right, *given: right(*given) if len(given[2]) <= 1500 else None)
    return tap


@mutant
def complains_for_ever(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, icmp_errors_max=1000))


@mutant
def complains_once(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    path = tap._ipv4._path
    swap(path, "_may_speak", lambda right: tap._core.now == 0 and right())
    return tap


@mutant
def complains_in_its_own_name(config: TapConfig) -> VirtualTap:
    def change(data: bytes) -> bytes:
        return (
            summed(data[:12] + data[16:20] + data[16:])
            if data[0] == 0x45
            else data[:8] + data[24:40] + data[24:]
        )

    return complains(config, change)


@mutant
def complains_of_another_length(config: TapConfig) -> VirtualTap:
    return complains(config, lambda data: patched(data, 26 if data[0] == 0x45 else 46, b"\x02\x40"))


@mutant
def quotes_everything(config: TapConfig) -> VirtualTap:
    return complains(config, lambda data: data.ljust(1600, b"\0"))


def complains_about(config: TapConfig, change: Callable[[bytes], bytes]) -> VirtualTap:
    """A tap that judges by a changed packet whether it may complain."""
    tap = VirtualTap(config)
    for name in ("refuse4", "refuse6"):
        swap(tap._ipv4._path, name, lambda right, packet: right(change(packet)))
    return tap


@mutant
def complains_about_complaints(config: TapConfig) -> VirtualTap:
    return complains_about(
        config,
        lambda data: (
            patched(data, 20 if data[0] == 0x45 else 40, b"\xff")
            if data[9 if data[0] == 0x45 else 6] in (1, 58)
            else data
        ),
    )


@mutant
def complains_about_no_icmp(config: TapConfig) -> VirtualTap:
    return complains_about(
        config, lambda data: patched(data, 20, b"\x03") if data[9] == 1 else data
    )


@mutant
def complains_about_what_is_for_many(config: TapConfig) -> VirtualTap:
    return complains_about(
        config, lambda data: patched(data, 16, b"\x0a\0\0\3") if data[0] == 0x45 else data
    )


@mutant
def complains_about_later_fragments(config: TapConfig) -> VirtualTap:
    return complains_about(
        config, lambda data: patched(data, 6, b"\x40\0") if data[0] == 0x45 else data
    )


@mutant
def complains_to_nobody(config: TapConfig) -> VirtualTap:
    return complains_about(
        config,
        lambda data: patched(data, 8, b"\xfd" + bytes(15)) if data[8:24] == bytes(16) else data,
    )


@mutant
def complains_about_no_groups(config: TapConfig) -> VirtualTap:
    return complains_about(
        config, lambda data: patched(data, 8, bytes(16)) if data[24] == 0xFF else data
    )


@mutant
def clamps_nothing(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, clamp_mss=False))


@mutant
def clamps_unasked(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, clamp_mss=True))


def clamps(config: TapConfig, change: Callable[[bytes, bytes], bytes]) -> VirtualTap:
    """A tap that clamps otherwise: (packet before, packet after)."""
    tap = VirtualTap(config)
    swap(tap._ipv4._path, "clamp4", lambda right, packet: change(packet, right(packet)))
    return tap


@mutant
def clamps_to_the_mtu_itself(config: TapConfig) -> VirtualTap:
    return clamps(
        config,
        lambda before, after: (
            patched(after, 42, config.mtu.to_bytes(2)) if after != before else after
        ),
    )


@mutant
def raises_small_segments(config: TapConfig) -> VirtualTap:
    return clamps(config, lambda _, after: after.replace(b"\2\4\2\x18", b"\2\4\5\x50"))


@mutant
def clamps_without_paying(config: TapConfig) -> VirtualTap:
    return clamps(config, lambda before, after: after[:36] + before[36:38] + after[38:])


@mutant
def clamps_what_is_no_option(config: TapConfig) -> VirtualTap:
    return clamps(config, lambda _, after: after.replace(b"\2\4\5\xb4", b"\2\4\5\x50"))


@mutant
def puts_wrong_checksums_right(config: TapConfig) -> VirtualTap:
    due: dict[bytes, bytes] = {}

    def change(before: bytes, after: bytes) -> bytes:
        key = after[:36] + after[38:]
        if before == after:
            return after
        due.setdefault(key, after[36:38])
        value = (int.from_bytes(after[36:38]) - 5) % 0xFFFF
        return patched(after, 36, value.to_bytes(2))

    return clamps(config, change)


@mutant
def adds_what_a_syn_does_not_say(config: TapConfig) -> VirtualTap:
    return clamps(config, lambda _, after: after.replace(b"\1\3\3\7", b"\2\4\5\x50"))
