"""Wrong engines of the Ethernet family: frames, tags, SNAP."""

from collections.abc import Callable
from typing import TypeAlias

from sim.conformance.mutants import mutant
from sim.conformance.packets import SNAP, in_snap
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import is_group
from virtualtap.wire.ethernet import ARP, IPV4, IPV6, VLAN

Change: TypeAlias = Callable[[bytes], bytes | None]
KNOWN = (ARP, IPV4, IPV6, VLAN)


def hears(config: TapConfig, change: Change) -> VirtualTap:
    """A tap that gets each frame changed, or not at all."""
    tap = VirtualTap(config)
    right = tap.ethernet_to_ip

    def wrong(frame: bytes, now: int | None = None) -> bytes | None:
        heard = change(frame)
        return None if heard is None else right(heard, now)

    tap.ethernet_to_ip = wrong  # type: ignore[method-assign]  # that is what a mutant is
    return tap


def gives(config: TapConfig, change: Callable[[bytes, bytes], bytes | None]) -> VirtualTap:
    """A tap whose packets for the host are changed: (packet, the frame it was in)."""
    tap = VirtualTap(config)
    right = tap.ethernet_to_ip

    def wrong(frame: bytes, now: int | None = None) -> bytes | None:
        packet = right(frame, now)
        return None if packet is None else change(packet, frame)

    tap.ethernet_to_ip = wrong  # type: ignore[method-assign]  # that is what a mutant is
    return tap


def says(config: TapConfig, change: Change) -> VirtualTap:
    """A tap that gets each packet of the host changed, or not at all."""
    tap = VirtualTap(config)
    right = tap.ip_to_ethernet

    def wrong(packet: bytes, now: int | None = None) -> bytes | None:
        said = change(packet)
        return None if said is None else right(said, now)

    tap.ip_to_ethernet = wrong  # type: ignore[method-assign]  # that is what a mutant is
    return tap


def sends(config: TapConfig, change: Change) -> VirtualTap:
    """A tap all of whose frames are changed, or lost."""
    tap = VirtualTap(config)
    right, taken = tap.ip_to_ethernet, tap.take_frames

    def wrong(packet: bytes, now: int | None = None) -> bytes | None:
        frame = right(packet, now)
        return None if frame is None else change(frame)

    tap.ip_to_ethernet = wrong  # type: ignore[method-assign]  # that is what a mutant is
    tap.take_frames = lambda: [out for out in map(change, taken()) if out is not None]  # type: ignore[method-assign]  # the same
    return tap


def is_802_3(frame: bytes, most: int = 1500) -> bool:
    return len(frame) >= 14 and int.from_bytes(frame[12:14]) <= most


def vlan_of(frame: bytes) -> int | None:
    return int.from_bytes(frame[14:16]) & 0xFFF if frame[12:14] == VLAN else None


@mutant
def takes_frames_for_any_mac(config: TapConfig) -> VirtualTap:
    return hears(
        config, lambda data: data if is_group(data or b"\1") else config.our_mac + data[6:]
    )


@mutant
def takes_no_frames_for_many(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if is_group(data or b"\1") else data)


@mutant
def takes_no_frames_for_us_alone(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: data if is_group(data or b"\1") else None)


@mutant
def takes_its_own_frames(config: TapConfig) -> VirtualTap:
    stranger = b"\x02\0\0\0\0\x63"
    return hears(
        config,
        lambda data: data[:6] + stranger + data[12:] if data[6:12] == config.our_mac else data,
    )


@mutant
def takes_frames_from_groups_and_nobody(config: TapConfig) -> VirtualTap:
    def change(data: bytes) -> bytes:
        odd = len(data) > 12 and (data[6] & 1 or not any(data[6:12]))
        return data[:6] + b"\x02\0\0\0\0\x63" + data[12:] if odd else data

    return hears(config, change)


@mutant
def leaks_padding(config: TapConfig) -> VirtualTap:
    return gives(config, lambda packet, data: packet + data[data.index(packet) + len(packet) :])


@mutant
def leaks_what_is_not_zero(config: TapConfig) -> VirtualTap:
    return gives(
        config,
        lambda packet, data: packet + data[data.index(packet) + len(packet) :].strip(b"\0"),
    )


@mutant
def raises_on_short_frames(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: data if data[13] >= 0 else None)


@mutant
def raises_on_cut_tags(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: data if data[12:14] != VLAN or data[17] >= 0 else None)


@mutant
def gives_empty_packets(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    right = tap.ethernet_to_ip
    tap.ethernet_to_ip = lambda frame, now=None: b"" if len(frame) == 14 else right(frame, now)  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def gives_less_than_a_frame_holds(config: TapConfig) -> VirtualTap:
    return gives(config, lambda packet, _: packet[:1486])


@mutant
def sends_what_stands_behind(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    right = tap.ip_to_ethernet

    def wrong(packet: bytes, now: int | None = None) -> bytes | None:
        frame = right(packet, now)
        behind = packet.partition(b"hello")[2]
        return None if frame is None else frame + behind

    tap.ip_to_ethernet = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def sends_ipv6_as_ipv4(config: TapConfig) -> VirtualTap:
    return sends(config, lambda data: data.replace(IPV6 + b"\x60", IPV4 + b"\x60", 1))


@mutant
def sends_from_nobody(config: TapConfig) -> VirtualTap:
    return sends(config, lambda data: data[:6] + bytes(6) + data[12:])


@mutant
def counts_the_header_as_packet(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.interface.mtu -= 14
    tap._core.interface6.mtu -= 14
    return tap


@mutant
def counts_the_tag_as_packet(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.interface.mtu -= len(tap._core.tag)
    return tap


@mutant
def takes_unknown_types_for_ipv4(config: TapConfig) -> VirtualTap:
    return hears(
        config,
        lambda data: (
            data if data[12:14] in KNOWN or is_802_3(data, 1535) else data[:12] + IPV4 + data[14:]
        ),
    )


@mutant
def reads_no_snap(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if is_802_3(data) else data)


@mutant
def reads_no_snap_of_1500_bytes(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[12:14] == b"\x05\xdc" else data)


@mutant
def reads_any_llc(config: TapConfig) -> VirtualTap:
    return hears(
        config,
        lambda data: data[:14] + SNAP + data[20:] if is_802_3(data) and len(data) > 24 else data,
    )


@mutant
def reads_any_organization(config: TapConfig) -> VirtualTap:
    return hears(
        config, lambda data: data[:14] + SNAP + data[20:] if data[14:17] == SNAP[:3] else data
    )


@mutant
def reads_snap_to_the_end_of_the_frame(config: TapConfig) -> VirtualTap:
    return hears(
        config,
        lambda data: data[:12] + data[20:] if is_802_3(data) and data[14:20] == SNAP else data,
    )


@mutant
def reads_lengths_above_1500(config: TapConfig) -> VirtualTap:
    return hears(
        config,
        lambda data: (
            data[:12] + data[20:] if is_802_3(data, 1536) and data[14:20] == SNAP else data
        ),
    )


@mutant
def answers_in_snap(config: TapConfig) -> VirtualTap:
    return sends(config, lambda data: in_snap(data) if data[20:22] == b"\0\2" else data)


@mutant
def sends_in_snap_once_it_was_heard(config: TapConfig) -> VirtualTap:
    heard: list[bytes] = []
    tap = sends(config, lambda data: in_snap(data) if heard and data[12:14] == IPV4 else data)
    right = tap.ethernet_to_ip

    def wrong(frame: bytes, now: int | None = None) -> bytes | None:
        heard.extend([frame] if is_802_3(frame) else [])
        return right(frame, now)

    tap.ethernet_to_ip = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def learns_who_is_where_from_packets(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    right = tap._receivers[IPV4]

    def wrong(frame: bytes) -> bytes | None:
        tap._core.learn(frame[26:30], frame[6:12])
        return right(frame)

    tap._receivers[IPV4] = wrong
    return tap


@mutant
def reads_no_priority_tags(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if vlan_of(data) == 0 else data)


@mutant
def reads_only_priority_zero(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if vlan_of(data) is not None and data[14] >> 4 else data)


@mutant
def reads_any_vlan(config: TapConfig) -> VirtualTap:
    tag = (config.vlan_id or 0).to_bytes(2)
    return hears(
        config, lambda data: data if vlan_of(data) is None else data[:14] + tag + data[16:]
    )


@mutant
def reads_all_tags(config: TapConfig) -> VirtualTap:
    def change(data: bytes) -> bytes:
        while data[12:14] == VLAN == data[16:18]:
            data = data[:12] + data[16:]
        return data if vlan_of(data) != 10 else data[:14] + b"\0\0" + data[16:]

    return change_only_without_vlan(config, change)


def change_only_without_vlan(config: TapConfig, change: Change) -> VirtualTap:
    return VirtualTap(config) if config.vlan_id else hears(config, change)


@mutant
def reads_half_a_vlan_id(config: TapConfig) -> VirtualTap:
    return hears(
        config,
        lambda data: data if vlan_of(data) is None else data[:14] + b"\0" + data[15:],
    )


@mutant
def hears_untagged_frames_in_a_vlan(config: TapConfig) -> VirtualTap:
    tag = VLAN + (config.vlan_id or 0).to_bytes(2)
    return hears(
        config,
        lambda data: data[:12] + tag + data[12:] if config.vlan_id and not vlan_of(data) else data,
    )


@mutant
def hears_priority_tags_in_a_vlan(config: TapConfig) -> VirtualTap:
    tag = (config.vlan_id or 0).to_bytes(2)
    return hears(config, lambda data: data[:14] + tag + data[16:] if vlan_of(data) == 0 else data)


@mutant
def reads_no_snap_behind_a_tag(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[12:14] == VLAN and data[16] < 6 else data)


@mutant
def sends_without_a_tag(config: TapConfig) -> VirtualTap:
    return sends(config, lambda data: data[:12] + data[16:] if data[12:14] == VLAN else data)


@mutant
def tags_nothing_of_its_own(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    taken = tap.take_frames

    def bare(data: bytes) -> bytes:
        return data[:12] + data[16:] if data[12:14] == VLAN else data

    tap.take_frames = lambda: [bare(data) for data in taken()]  # type: ignore[method-assign]  # a mutant
    return tap
