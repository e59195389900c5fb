"""The bugs of the museum: packets that wait, requests, entries. RFC 826, RFC 1122 2.3.2."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.museum import bug
from sim.conformance.mutants_arp import handler, swap
from sim.conformance.mutants_ipv4 import leads
from virtualtap.config import TapConfig
from virtualtap.core import Ask
from virtualtap.pacing import Pace
from virtualtap.tap import VirtualTap
from virtualtap.timers import NEVER
from virtualtap.units import MS, Instant
from virtualtap.wire import arp
from virtualtap.wire.address import BROADCAST, Ip, Mac, is_group
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, IPV4

Merge = Callable[..., None]
Learned = tuple[bool, int]


def merging(config: TapConfig, wrong: Callable[[VirtualTap, Merge, Arp], None]) -> VirtualTap:
    """A tap that takes valid ARP messages otherwise: `wrong(tap, the right way, message)`."""
    tap = VirtualTap(config)
    swap(
        handler(tap),
        "_merge",
        lambda right, message, **how: wrong(tap, lambda: right(message, **how), message),
    )
    return tap


def only_answers(tap: VirtualTap, message: Arp) -> None:
    """What a request for us gets where nothing is learned of it."""
    if message.operation == arp.REQUEST and tap._core.interface.owns(message.target_ip):
        handler(tap)._answer(message)


# what waits


@bug("first_ping_is_answered")
def asks_instead_of_sending(config: TapConfig) -> VirtualTap:
    """The request takes the packet's place."""
    tap = VirtualTap(config)
    core = tap._core
    swap(core, "hold", lambda _, to, source, data, ask: core.seek(to, source, ask))
    return tap


@bug("burst_arrives_whole")
def holds_three_packets(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, held_packets_max=3))


@bug("others_go_on_while_one_waits")
def stands_still_while_one_waits(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    for verb in ("ip_to_ethernet", "ethernet_to_ip"):
        swap(tap, verb, lambda right, data, now=None: None if tap.holding() else right(data, now))
    return tap


@bug("first_packet_is_not_broadcast")
def broadcasts_what_has_no_mac(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, when_unresolved="broadcast"))


@bug("fragments_wait_together")
def holds_one_packet(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, held_packets_max=1))


@bug("silent_target_slows_nobody")
def has_one_queue_for_all(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., None], *args: Any) -> None:
        if core.neighbors.holding() < core.config.held_packets_max:
            right(*args)

    swap(core, "hold", wrong)
    return tap


@bug("vain_waiting_ends")
def waits_for_ever(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._core, "_give_up", lambda *_: None)
    return tap


# how often is asked


@bug("silent_address_makes_no_storm")
def asks_for_each_packet(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    core = tap._core

    def wrong(right: Callable[..., None], to: Ip, source: Ip, data: bytes, ask: Ask) -> None:
        if core.neighbors.knows(to):
            ask(to, source)
        right(to, source, data, ask)

    swap(core, "hold", wrong)
    return tap


@bug("flood_protection_lasts")
def asks_twice_a_second(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, arp_interval=500 * MS))


@bug("silent_address_silences_no_other")
def asks_one_a_second_in_all(config: TapConfig) -> VirtualTap:
    class Shared(Pace):
        """One address' rest is everybody's."""

        def rested(self, ip: Ip, now: Instant) -> Instant:
            return super().rested(b"", now)

        def note(self, ip: Ip, now: Instant) -> None:
            super().note(b"", now)

    tap = VirtualTap(config)
    settled = tap._core.config
    tap._core.pace = Shared(settled.arp_burst_max, settled.arp_spacing, settled.arp_interval)
    return tap


@bug("lost_request_is_no_end")
def asks_once(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, arp_retries_max=1))


@bug("flood_outlives_an_entry")
def asks_only_for_strangers(config: TapConfig) -> VirtualTap:
    """Whoever was known once is never asked for again."""
    tap, met = VirtualTap(config), set[Ip]()
    neighbors = tap._core.neighbors

    def learned(right: Callable[..., object], ip: Ip, *args: Any) -> object:
        met.add(ip)
        return right(ip, *args)

    def wrong(right: Callable[..., Learned], ip: Ip, *args: Any) -> Learned:
        first, pushed_out = right(ip, *args)
        return first and ip not in met, pushed_out

    swap(neighbors, "learn", learned)
    swap(neighbors, "hold", wrong)
    return tap


@bug("request_bears_our_name")
def asks_in_the_packets_name(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(ip: Ip, source: Ip) -> None:
        tap._core.send(BROADCAST + config.our_mac + ARP + arp.request(config.our_mac, source, ip))

    tap._ipv4._ask = wrong
    return tap


# who has an entry


@bug("noise_costs_no_peer")
def makes_room_for_whoever_is_heard(config: TapConfig) -> VirtualTap:
    heard: set[Ip] = set()

    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        entries, core = tap._core.neighbors._entries, tap._core
        heard.add(message.sender_ip)
        if len(heard) > config.neighbors_max:
            entries.clear()
            core.outward.clear()
        right()

    return merging(config, wrong)


@bug("scan_leaves_the_gateway")
def lets_the_gateway_go(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._core.neighbors.never_evicted = frozenset()
    return tap


@bug("overheard_sender_is_not_stored")
def stores_every_sender(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap._core.neighbors, "knows", lambda *_: True)
    return tap


@bug("overheard_move_is_noticed")
def hears_only_what_is_for_us(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        if tap._core.interface.owns(message.target_ip):
            right()

    return merging(config, wrong)


@bug("requests_update_as_replies_do")
def moves_nobody_who_asks(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        is_known = tap._core.neighbors.mac(message.sender_ip) is not None
        if message.operation == arp.REQUEST and is_known:
            only_answers(tap, message)
        else:
            right()

    return merging(config, wrong)


@bug("unasked_reply_moves_the_known")
def takes_only_awaited_replies(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        if message.operation == arp.REQUEST or tap._core.neighbors.mac(message.sender_ip) is None:
            right()

    return merging(config, wrong)


@bug("unasked_reply_does_no_harm")
def looks_up_what_is_not_there(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        if message.operation == arp.REPLY:
            tap._core.neighbors._entries[message.sender_ip].mac = message.sender_mac
        right()

    return merging(config, wrong)


@bug("request_lets_packets_go")
def answers_and_keeps_what_waits(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        waits = tap._core.neighbors.first_held(message.sender_ip) is not None
        if message.operation == arp.REQUEST and waits:
            only_answers(tap, message)
        else:
            right()

    return merging(config, wrong)


@bug("asking_gateway_is_known")
def adds_nobody_who_asks(config: TapConfig) -> VirtualTap:
    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        if message.operation == arp.REQUEST and not tap._core.neighbors.knows(message.sender_ip):
            only_answers(tap, message)
        else:
            right()

    return merging(config, wrong)


def learns_from_packets(tap: VirtualTap, condition: Callable[[Ip], bool]) -> VirtualTap:
    """A tap that takes the source of a frame for the MAC of the packet's sender."""
    receive = tap._receivers[IPV4]

    def wrong(frame: bytes) -> bytes | None:
        if condition(frame[26:30]):
            tap._core.learn(frame[26:30], frame[6:12])
        return receive(frame)

    tap._receivers[IPV4] = wrong
    return tap


def leads_to_the_known(config: TapConfig) -> VirtualTap:
    """A tap that sends to whoever is in its table, on the link or not."""
    return leads(config, lambda tap, to, right: to if tap._core.neighbors.knows(to) else right)


@bug("packets_teach_no_macs")
def learns_where_the_far_are(config: TapConfig) -> VirtualTap:
    return learns_from_packets(leads_to_the_known(config), lambda _: True)


@bug("sender_of_a_packet_is_asked_for")
def learns_neighbors_from_packets(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    return learns_from_packets(tap, tap._core.interface.on_link)


@bug("stranger_off_the_subnet_is_not_stored")
def stores_strangers_off_the_subnet(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(handler(tap), "_may_learn", lambda *_: True)
    return tap


def _not_refused(config: TapConfig, operation: int) -> VirtualTap:
    """Messages of this operation may come from a group."""
    tap = VirtualTap(config)

    def wrong(right: Callable[[Arp], object], message: Arp) -> object:
        odd = is_group(message.sender_mac) and message.operation == operation
        return None if odd else right(message)

    swap(handler(tap), "_refusal", wrong)
    return tap


@bug("group_is_no_mac")
def believes_that_a_neighbor_is_a_group(config: TapConfig) -> VirtualTap:
    return _not_refused(config, arp.REPLY)


@bug("everyone_gets_no_answer")
def answers_everyone(config: TapConfig) -> VirtualTap:
    return _not_refused(config, arp.REQUEST)


@bug("entry_ends")
def keeps_entries_for_ever(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, neighbor_lifetime=NEVER // 4))


@bug("new_address_has_new_neighbors")
def takes_its_neighbors_along(config: TapConfig) -> VirtualTap:
    tap = leads_to_the_known(config)
    core = tap._core

    def wrong(right: Callable[..., None], *args: Any) -> None:
        kept: dict[Ip, Mac] = core.neighbors.known(core.now)
        right(*args)
        for ip, mac in kept.items():
            core.learn(ip, mac)

    swap(core, "readdress", wrong)
    return tap


@bug("peer_on_the_link_is_sent_to")
def sends_everything_to_the_gateway(config: TapConfig) -> VirtualTap:
    return leads(config, lambda tap, _, right: tap._core.interface.gateway or right)


@bug("gateway_is_not_guessed")
def guesses_that_the_first_is_the_gateway(config: TapConfig) -> VirtualTap:
    return leads(config, lambda _, to, right: right or to[:0] + b"\x0a\0\0\1")
