"""The bugs of the museum: frames, tags, lengths, broadcasts, groups. RFC 894, 1112, 1122."""

from collections.abc import Callable
from dataclasses import replace

from sim.conformance import mutants_arp as on_arp
from sim.conformance.frames import patched
from sim.conformance.museum import bug
from sim.conformance.mutants_arp import SENDER_MAC, TARGET_IP, swap, with_core
from sim.conformance.mutants_ethernet import gives, hears, sends, vlan_of
from sim.conformance.mutants_ipv4 import admits
from sim.conformance.mutants_path import complains
from sim.conformance.packets import summed
from sim.conformance.wrong_clients import hearing
from virtualtap.config import TapConfig
from virtualtap.core import Core
from virtualtap.handlers.dhcp import DhcpHandler
from virtualtap.tap import VirtualTap
from virtualtap.wire import dhcp
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    LIMITED_BROADCAST,
    directed_broadcast,
    is_group,
    is_multicast4,
)
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6, VLAN
from virtualtap.wire.ipv4 import TCP

GATEWAY_MAC = b"\x02\x00\x5e\x00\x00\x01"
KNOWN = (ARP, IPV4, IPV6, VLAN)


# ARP


@bug("revalidation_is_answered")
def answers_broadcasts_only(config: TapConfig) -> VirtualTap:
    return on_arp.hears(config, lambda frame: frame if frame[:6] == BROADCAST else None)


@bug("request_for_another_is_not_answered")
def answers_whoever_is_asked_for(config: TapConfig) -> VirtualTap:
    return on_arp.hears(config, lambda frame: patched(frame, TARGET_IP, config.our_ip or ANY4))


@bug("answer_goes_to_the_sender")
def answers_the_source_of_the_frame(config: TapConfig) -> VirtualTap:
    return on_arp.hears(config, lambda frame: patched(frame, SENDER_MAC, frame[6:12]))


@bug("odd_fields_are_survived")
def raises_on_odd_operations(config: TapConfig) -> VirtualTap:
    return on_arp.hears(config, lambda frame: {1: frame, 2: frame}[int.from_bytes(frame[20:22])])


@bug("claimed_lengths_are_not_believed")
def reads_as_far_as_it_is_told(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        end = 22 + 2 * (frame[18] + frame[19])
        return frame if frame[end - 1] >= 0 else b""

    return on_arp.hears(config, change)


@bug("both_askers_are_answered")
def answers_one_of_two(config: TapConfig) -> VirtualTap:
    """Answers that wait are told apart by our own address."""

    def change(core: Core) -> None:
        def wrong(right: Callable[[bytes], bool], frame: bytes) -> bool:
            alike = (each for each in core.frames if each[20:32] == frame[20:32])
            return True if next(alike, None) else right(frame)

        swap(core, "send", wrong)

    return with_core(config, change)


@bug("untaken_answers_have_a_limit")
def keeps_answers_without_end(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, outbox_max=1 << 20))


# what a frame holds


@bug("padding_is_no_data")
def takes_padding_for_data(config: TapConfig) -> VirtualTap:
    return gives(config, lambda packet, frame: frame[HEADER_LEN:] if packet[9] == TCP else packet)


@bug("padding_is_cut")
def gives_all_that_a_frame_holds(config: TapConfig) -> VirtualTap:
    return gives(config, lambda _, frame: frame[HEADER_LEN:])


@bug("trailer_is_not_sent")
def sends_what_stands_behind_ipv6(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[..., bytes | None], packet: bytes, now: int | None) -> bytes | None:
        frame = right(packet, now)
        behind = packet.partition(b"hello")[2] if packet[0] >> 4 == 6 else b""
        return None if frame is None else frame + behind

    swap(tap, "ip_to_ethernet", wrong)
    return tap


@bug("packet_behind_a_tag_is_read")
def reads_the_tag_alone(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if data[12:14] + data[16:18] == VLAN + IPV4 else data)


@bug("priority_tag_hides_nothing")
def sees_nothing_behind_a_priority(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: None if vlan_of(data) == 0 else data)


@bug("other_types_go_nowhere")
def takes_every_type_for_ipv4(config: TapConfig) -> VirtualTap:
    return hears(
        config, lambda data: data if data[12:14] in KNOWN else data[:12] + IPV4 + data[14:]
    )


@bug("frame_for_another_is_left_alone")
def hears_every_frame(config: TapConfig) -> VirtualTap:
    return hears(config, lambda data: data if is_group(data) else config.our_mac + data[6:])


@bug("frame_for_another_mac_is_dropped")
def hears_every_packet(config: TapConfig) -> VirtualTap:
    def change(data: bytes) -> bytes:
        is_packet = data[12:14] == IPV4 and not is_group(data)
        return config.our_mac + data[6:] if is_packet else data

    return hears(config, change)


@bug("claimed_length_is_not_believed")
def takes_what_there_is(config: TapConfig) -> VirtualTap:
    """A length that is too large is taken for the one that fits."""

    def change(data: bytes) -> bytes:
        there = len(data) - HEADER_LEN
        if data[12:14] != IPV4 or int.from_bytes(data[16:18]) <= there:
            return data
        return data[:HEADER_LEN] + summed(patched(data[HEADER_LEN:], 2, there.to_bytes(2)))

    return hears(config, change)


@bug("host_gets_packets_not_frames")
def gives_frames(config: TapConfig) -> VirtualTap:
    return gives(config, lambda _, frame: frame)


# broadcasts and groups


@bug("broadcast_is_not_asked_for")
def asks_for_the_broadcast(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[bytes], bytes | None], packet: bytes) -> bytes | None:
        if packet[16:20] != LIMITED_BROADCAST:
            return right(packet)
        tap._core.hold(LIMITED_BROADCAST, packet[12:16], packet, tap._ipv4._ask)
        return None

    swap(tap._ipv4, "_to_destination", wrong)
    return tap


@bug("directed_broadcast_is_heard")
def hears_no_directed_broadcast(config: TapConfig) -> VirtualTap:
    ours = directed_broadcast(config.our_ip or ANY4, config.prefix_length)
    return admits(config, lambda to, _, right: right and to != ours)


@bug("broadcast_reaches_the_host")
def hears_no_broadcast(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right and to != LIMITED_BROADCAST)


@bug("multicast_passes_both_ways")
def hears_no_group(config: TapConfig) -> VirtualTap:
    return admits(config, lambda to, _, right: right and not is_multicast4(to))


def _to_the_gateway(config: TapConfig, condition: Callable[[bytes], bool]) -> VirtualTap:
    return sends(config, lambda data: GATEWAY_MAC + data[6:] if condition(data) else data)


@bug("group_has_its_mac")
def sends_groups_to_the_gateway(config: TapConfig) -> VirtualTap:
    return _to_the_gateway(config, lambda data: data[12:14] == IPV4 and is_multicast4(data[30:34]))


@bug("broadcast_goes_to_everyone")
def sends_broadcasts_to_the_way_out(config: TapConfig) -> VirtualTap:
    return _to_the_gateway(
        config, lambda data: data[12:14] == IPV4 and data[30:34] == LIMITED_BROADCAST
    )


# lengths


@bug("syn_fits_the_way")
def leaves_every_syn_alone(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, clamp_mss=False))


@bug("pieces_fit_the_tunnel")
def knows_no_mtu_but_1500(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, mtu=1500))


@bug("sender_is_told_what_fits")
def drops_without_a_word(config: TapConfig) -> VirtualTap:
    return complains(config, lambda _: None)


@bug("tag_takes_nothing_from_the_mtu")
def takes_the_tag_from_the_mtu(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.interface.mtu -= len(tap._core.tag)
    return tap


# who we are


@bug("group_is_not_our_name")
def takes_a_destination_for_its_name(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[bytes], bytes | None], frame: bytes) -> bytes | None:
        if frame[12:14] == IPV4 and tap._core.interface.ip is None:
            tap._core.rename(frame[30:34])
        return right(frame)

    swap(tap, "_receive", wrong)
    return tap


@bug("offer_names_nobody")
def takes_an_offer_for_a_lease(config: TapConfig) -> VirtualTap:
    def change(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        if message.kind == dhcp.OFFER:
            ours._core.rename(message.your_ip)
        return message

    return hearing(config, change)
