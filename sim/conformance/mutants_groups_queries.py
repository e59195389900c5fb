"""Wrong engines where queries are judged, and older versions spoken. RFC 3376 7, 9, RFC 3810 8."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.membership import ALERT
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_groups import as_it_is, asked, each, hearing, with_method
from virtualtap.config import TapConfig
from virtualtap.handlers.groups import GroupHandler, Query
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import checksum, mld
from virtualtap.wire.address import ALL_HOSTS4, ALL_NODES6, ANY4, Ip, ip
from virtualtap.wire.igmp import Igmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6

Hear = Callable[..., Any]
LINK_LOCAL = ip("fe80::99")


def read4(config: TapConfig, change: Callable[[Ipv4], Ipv4]) -> VirtualTap:
    """A tap that reads IGMP in another packet than came."""

    def wrong(right: Hear, packet: bytes, joined: Any) -> Any:
        return right(change(Ipv4.parse(packet)).to_bytes(), joined)

    return hearing(config, wrong, as_it_is)


def read6(config: TapConfig, change: Callable[[Ipv6], Ipv6]) -> VirtualTap:
    """A tap that reads MLD in another packet than came, its checksum put right if it was."""

    def wrong(right: Hear, packet: bytes, joined: Any) -> Any:
        before = Ipv6.parse(packet)
        at = mld.start(packet) - 40
        was_right = is_right6(before, before.payload[at:])
        after = change(before)
        at = mld.start(after.to_bytes()) - 40
        data = after.payload[at:]
        if was_right:
            data = summed6(after, data)
        return right(replace(after, payload=after.payload[:at] + data).to_bytes(), joined)

    return hearing(config, as_it_is, wrong)


def is_right6(packet: Ipv6, data: bytes) -> bool:
    return checksum.transport_is_right(packet.source, packet.destination, ICMPV6, data)


def summed6(packet: Ipv6, data: bytes) -> bytes:
    bare = data[:2] + bytes(2) + data[4:]
    value = checksum.transport(packet.source, packet.destination, ICMPV6, bare)
    return bare[:2] + value.to_bytes(2) + bare[4:]


def summed4(data: bytes) -> bytes:
    bare = data[:2] + bytes(2) + data[4:]
    return bare[:2] + checksum.internet(bare).to_bytes(2) + bare[4:]


@mutant
def answers_queries_without_an_alert(config: TapConfig) -> VirtualTap:
    return read4(config, lambda packet: replace(packet, options=ALERT))


@mutant
def answers_mld_without_an_alert(config: TapConfig) -> VirtualTap:
    def change(packet: Ipv6) -> Ipv6:
        data = packet.payload[mld.start(packet.to_bytes()) - 40 :]
        return replace(packet, next_header=0, payload=mld.ALERT + data)

    return read6(config, change)


@mutant
def looks_for_the_alert_in_front(config: TapConfig) -> VirtualTap:
    return read4(config, lambda packet: replace(packet, options=packet.options[:4]))


@mutant
def looks_for_the_mld_alert_in_front(config: TapConfig) -> VirtualTap:
    def wrong(right: Hear, packet: bytes, joined: Any) -> Any:
        if packet[6] == 0 and packet[42:44] != b"\5\2":
            return None
        return right(packet, joined)

    return hearing(config, as_it_is, wrong)


@mutant
def demands_an_alert_of_version_1(config: TapConfig) -> VirtualTap:
    def wrong(right: Hear, packet: bytes, joined: Any) -> Any:
        return right(packet, joined) if Ipv4.parse(packet).options else None

    return hearing(config, wrong, as_it_is)


@mutant
def does_not_sum_igmp(config: TapConfig) -> VirtualTap:
    return read4(config, lambda packet: replace(packet, payload=summed4(packet.payload)))


@mutant
def does_not_sum_mld(config: TapConfig) -> VirtualTap:
    def change(packet: Ipv6) -> Ipv6:
        at = mld.start(packet.to_bytes()) - 40
        data = summed6(packet, packet.payload[at:])
        return replace(packet, payload=packet.payload[:at] + data)

    return read6(config, change)


@mutant
def sums_no_additional_data(config: TapConfig) -> VirtualTap:
    def wrong(right: Hear, packet: bytes, joined: Any) -> Any:
        data = Ipv4.parse(packet).payload
        is_long = data[:1] == b"\x11" and len(data) > 12 + 4 * int.from_bytes(data[10:12])
        return None if is_long and len(data) > 11 else right(packet, joined)

    return hearing(config, wrong, as_it_is)


@mutant
def takes_queries_of_odd_length(config: TapConfig) -> VirtualTap:
    def change(packet: Ipv4) -> Ipv4:
        data = packet.payload
        return replace(packet, payload=data[:8] if 8 < len(data) < 12 else data)

    return read4(config, change)


@mutant
def takes_mld_queries_of_odd_length(config: TapConfig) -> VirtualTap:
    def change(packet: Ipv6) -> Ipv6:
        data = packet.payload
        return replace(packet, payload=data.ljust(36, b"\0") if 32 < len(data) < 36 else data)

    return read6(config, change)


def sent_to(config: TapConfig, change: Callable[[Ip], Ip]) -> VirtualTap:
    """A tap that takes queries for sent to another address, of both families."""

    def wrong4(right: Hear, packet: bytes, joined: Any) -> Any:
        parsed = Ipv4.parse(packet)
        return right(replace(parsed, destination=change(parsed.destination)).to_bytes(), joined)

    def wrong6(right: Hear, packet: bytes, joined: Any) -> Any:
        parsed, at = Ipv6.parse(packet), mld.start(packet) - 40
        moved = replace(parsed, destination=change(parsed.destination))
        data = summed6(moved, parsed.payload[at:])
        if is_right6(parsed, parsed.payload[at:]):
            moved = replace(moved, payload=parsed.payload[:at] + data)
        return right(moved.to_bytes(), joined)

    return hearing(config, wrong4, wrong6)


@mutant
def answers_queries_to_any_group(config: TapConfig) -> VirtualTap:
    everybody = {4: ALL_HOSTS4, 16: ALL_NODES6}
    return sent_to(config, lambda to: everybody[len(to)] if to[0] >= 224 else to)


@mutant
def answers_only_queries_to_groups(config: TapConfig) -> VirtualTap:
    nowhere = {4: ip("10.9.9.9"), 16: ip("fd99::9")}
    return sent_to(config, lambda to: to if to[0] >= 224 else nowhere[len(to)])


@mutant
def answers_mld_from_anywhere(config: TapConfig) -> VirtualTap:
    def change(packet: Ipv6) -> Ipv6:
        kind = packet.payload[mld.start(packet.to_bytes()) - 40]
        return replace(packet, source=LINK_LOCAL) if kind == mld.QUERY else packet

    return read6(config, change)


@mutant
def is_silenced_from_anywhere(config: TapConfig) -> VirtualTap:
    def change(packet: Ipv6) -> Ipv6:
        kind = packet.payload[mld.start(packet.to_bytes()) - 40]
        return replace(packet, source=LINK_LOCAL) if kind == mld.REPORT else packet

    return read6(config, change)


@mutant
def answers_mld_that_came_far(config: TapConfig) -> VirtualTap:
    return read6(config, lambda packet: replace(packet, hop_limit=1))


@mutant
def speaks_only_the_newest_version(config: TapConfig) -> VirtualTap:
    return with_method(config, "_older_is_present", lambda right, version: None)


@mutant
def takes_version_1_for_version_2(config: TapConfig) -> VirtualTap:
    return with_method(config, "_older_is_present", lambda right, version: right(max(version, 2)))


@mutant
def reads_the_group_of_version_1(config: TapConfig) -> VirtualTap:
    def wrong(right: Hear, packet: bytes, joined: Any) -> Any:
        heard, data = right(packet, joined), Ipv4.parse(packet).payload
        if isinstance(heard, Query) and heard.version == 1 and data[4:8] != ANY4:
            return replace(heard, group=Igmp.parse(data).group)
        return heard

    return hearing(config, wrong, as_it_is)


@mutant
def answers_version_1_at_once(config: TapConfig) -> VirtualTap:
    return asked(
        config,
        lambda query: replace(query, delay=99 * SECOND if query.version == 1 else query.delay),
    )


@mutant
def becomes_old_by_specific_queries(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def queried(right: Callable[..., Any], query: Query) -> None:
            if query.version < handler._dialect.newest:
                handler._older_is_present(query.version)
            right(query)

        swap(handler, "_queried", queried)

    return each(config, wrong)


@mutant
def speaks_the_version_of_the_last_query(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def queried(right: Callable[..., Any], query: Query) -> None:
            handler._older = {each for each in handler._older if each == query.version}
            right(query)

        swap(handler, "_queried", queried)
        swap(handler, "_older_is_gone", lambda _, version: handler._older.discard(version))

    return each(config, wrong)


@mutant
def stays_old(config: TapConfig) -> VirtualTap:
    return with_method(config, "_older_is_gone", lambda right, version: None)


@mutant
def does_not_learn_how_long_old_is(config: TapConfig) -> VirtualTap:
    return asked(config, lambda query: replace(query, robustness=0, interval=0))


@mutant
def remembers_what_was_pending_in_another_version(config: TapConfig) -> VirtualTap:
    return with_method(config, "_forget_unless", lambda right, before: None)


@mutant
def reports_what_another_reported(config: TapConfig) -> VirtualTap:
    return with_method(config, "_reported", lambda right, group: None)


@mutant
def is_silenced_in_the_newest_version(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def reported(right: Callable[..., Any], group: Ip) -> None:
            right(group)
            handler._cancel(None)

        swap(handler, "_reported", reported)

    return each(config, wrong)


@mutant
def puts_off_what_is_due(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def within(right: Callable[..., Any], group: Ip | None, *rest: Any) -> None:
            if handler.version < handler._dialect.newest:
                handler._cancel(group)
            right(group, *rest)

        swap(handler, "_answer_within", within)

    return each(config, wrong)


def nodes(config: TapConfig, name: str, wrong: Callable[..., Any]) -> VirtualTap:
    """A tap that treats the groups of its addresses in another way."""
    tap = VirtualTap(config)
    if tap._nodes is not None:
        if name == "changed":
            right = tap._nodes.changed
            tap._slaac._changed = lambda own: wrong(right, own)
        else:
            swap(tap._nodes, name, wrong)
    return tap


@mutant
def says_nothing_of_the_groups_of_addresses(config: TapConfig) -> VirtualTap:
    tap = nodes(config, "changed", lambda right, own: None)
    if tap._listeners is not None:
        kept = {group: True for group in tap._listeners.joined if group in config.groups}
        tap._listeners.joined = kept
    return tap


@mutant
def says_nothing_anew_from_a_new_address(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    if tap._nodes is not None:
        right = tap._nodes.changed
        is_ours = tap._core.interface6.owns
        tap._slaac._changed = lambda own: None if is_ours(own, tap._core.now) else right(own)
    return tap


@mutant
def joins_after_the_probe(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    if tap._nodes is not None and config.dad:
        right = tap._nodes.changed
        tap._slaac._changed = lambda own: tap._core.timers.set(
            ("late", own), tap._core.now + SECOND // 2, lambda: right(own)
        )
    return tap
