"""Wrong engines where groups are reported. RFC 2236, 3376, 2710, 3810."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.membership import IS_EX, TO_EX
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_ethernet import gives, says, sends
from virtualtap.config import TapConfig
from virtualtap.handlers.groups import GroupHandler, Query
from virtualtap.rand import Rand
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import mld
from virtualtap.wire.address import ANY4, Ip
from virtualtap.wire.igmp import IgmpQuery, Record
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.mld import MldQuery

_GROUP_FRAME = 14 + 24


Wrong = Callable[..., Any]


def handlers(tap: VirtualTap) -> list[GroupHandler]:
    return [each for each in (tap._members, tap._listeners) if each is not None]


def each(config: TapConfig, change: Callable[[GroupHandler], object]) -> VirtualTap:
    """A tap whose handlers of groups are changed."""
    tap = VirtualTap(config)
    for handler in handlers(tap):
        change(handler)
    return tap


def with_method(config: TapConfig, name: str, wrong: Callable[..., Any]) -> VirtualTap:
    """A tap with another method in both handlers; its first argument is the right one."""
    return each(config, lambda handler: swap(handler, name, wrong))


def with_dialect(config: TapConfig, name: str, wrong: Callable[..., Any]) -> VirtualTap:
    """A tap with another method in both dialects; its first argument is the right one."""
    return each(config, lambda handler: swap(handler._dialect, name, wrong))


def asked(config: TapConfig, change: Callable[[Query], Query | None]) -> VirtualTap:
    """A tap that hears other queries than were sent, or none."""

    def wrong(right: Callable[..., Any], packet: bytes, joined: Any) -> Any:
        heard = right(packet, joined)
        return change(heard) if isinstance(heard, Query) else heard

    return with_dialect(config, "heard", wrong)


def recorded(config: TapConfig, change: Callable[[Record], Record | None]) -> VirtualTap:
    """A tap whose reports hold other records, or fewer."""

    def wrong(right: Callable[..., Any], records: list[Record]) -> None:
        right([one for one in map(change, records) if one is not None])

    return with_method(config, "_report", wrong)


def hearing(
    config: TapConfig, wrong4: Callable[..., Any], wrong6: Callable[..., Any]
) -> VirtualTap:
    """A tap that hears IGMP or MLD in another way: (right, packet, joined)."""
    tap = VirtualTap(config)
    for handler, wrong in ((tap._members, wrong4), (tap._listeners, wrong6)):
        if handler is not None:
            swap(handler._dialect, "heard", wrong)
    return tap


def as_it_is(right: Callable[..., Any], packet: bytes, joined: Any) -> Any:
    return right(packet, joined)


@mutant
def says_no_groups_by_itself(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    wrong = [handler.report_all for handler in handlers(tap)]
    tap._core.starts[:] = [start for start in tap._core.starts if start not in wrong]
    return tap


@mutant
def says_groups_once(config: TapConfig) -> VirtualTap:
    return each(config, lambda handler: setattr(handler, "_robustness", 1))


@mutant
def says_groups_three_times(config: TapConfig) -> VirtualTap:
    return each(config, lambda handler: setattr(handler, "_robustness", 3))


@mutant
def says_groups_again_at_once(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    right = tap._core.timers.set

    def wrong(key: Any, deadline: int, action: Any) -> None:
        is_change = isinstance(key, tuple) and key[1:] == ("change",)
        right(key, tap._core.now if is_change else deadline, action)

    tap._core.timers.set = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def trusts_to_no_luck_with_groups(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    if config.groups:
        tap._core.rand = Unlucky(0)
    return tap


class Unlucky(Rand):
    """Always the last number."""

    def below(self, n: int) -> int:
        return n - 1


@mutant
def says_only_the_first_group(config: TapConfig) -> VirtualTap:
    return with_method(config, "_report", lambda right, records: right(records[:1]))


@mutant
def says_the_groups_of_everybody(config: TapConfig) -> VirtualTap:
    tap = with_dialect(config, "is_reported", lambda right, group: True)
    for handler in handlers(tap):
        length = 4 if handler is tap._members else 16
        more = [group for group in config.groups if len(group) == length]
        handler.joined = {**dict.fromkeys(more, True), **handler.joined}
    return tap


@mutant
def reports_what_is_as_a_change(config: TapConfig) -> VirtualTap:
    return recorded(
        config, lambda record: replace(record, type=TO_EX) if record.type == IS_EX else record
    )


@mutant
def reports_changes_as_what_is(config: TapConfig) -> VirtualTap:
    return recorded(
        config, lambda record: replace(record, type=IS_EX) if record.type == TO_EX else record
    )


@mutant
def leaves_no_group(config: TapConfig) -> VirtualTap:
    return with_method(config, "leave", lambda right, group: None)


@mutant
def leaves_without_a_word(config: TapConfig) -> VirtualTap:
    def wrong(right: Callable[..., Any], frame: bytes | None) -> None:
        is_leave = frame is not None and frame[62:63] == bytes((mld.DONE,))
        right(None if is_leave else frame)

    return with_method(config, "_send", wrong)


@mutant
def leaves_aloud_though_another_reported(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def leave(right: Callable[..., Any], group: Ip) -> None:
            handler.joined[group] = True
            right(group)

        swap(handler, "leave", leave)

    return each(config, wrong)


def in_its_name(config: TapConfig, source: Ip | None) -> VirtualTap:
    """A tap that reports from this IPv4 address; None: from the configured one."""

    def wrong(right: Callable[..., Any], message: Any, to: Ip) -> bytes:
        frame: bytes = right(message, to)
        packet = Ipv4.parse(frame[14:])
        return frame[:14] + replace(packet, source=source or config.our_ip or ANY4).to_bytes()

    tap = VirtualTap(config)
    if tap._members is not None:
        swap(tap._members._dialect, "_frame", wrong)
    return tap


@mutant
def reports_from_an_address_that_is_probed(config: TapConfig) -> VirtualTap:
    return in_its_name(config, None)


@mutant
def reports_from_nobody(config: TapConfig) -> VirtualTap:
    return in_its_name(config, ANY4)


@mutant
def reports_from_any_ipv6_address(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    if tap._listeners is not None and len(config.our_ip6) == 1:
        swap(
            tap._listeners._dialect,
            "_frame",
            lambda right, message, to: right(message, to).replace(bytes(16), config.our_ip6[0], 1),
        )
    return tap


def dressed(config: TapConfig, change: Callable[[Ipv4], Ipv4], hop_limit: int = 1) -> VirtualTap:
    """A tap whose IGMP is in other packets."""

    def wrong(frame: bytes) -> bytes:
        if frame[12:14] == b"\x08\0" and frame[23] == 2 and config.groups:
            return frame[:14] + change(Ipv4.parse(frame[14:])).to_bytes()
        if frame[12:14] == b"\x86\xdd" and frame[20] == 0 and config.groups:
            return frame[:21] + bytes((hop_limit,)) + frame[22:]
        return frame

    return sends(config, wrong)


@mutant
def reports_with_a_long_life(config: TapConfig) -> VirtualTap:
    return dressed(config, lambda packet: replace(packet, ttl=64), 64)


@mutant
def reports_without_an_alert(config: TapConfig) -> VirtualTap:
    return dressed(config, lambda packet: replace(packet, options=b""))


@mutant
def reports_without_precedence(config: TapConfig) -> VirtualTap:
    return dressed(config, lambda packet: replace(packet, tos=0))


@mutant
def speaks_of_groups_for_every_host(config: TapConfig) -> VirtualTap:
    return VirtualTap(config if config.groups else replace(config, groups=(b"\xe0\0\0\xfb", MDNS6)))


MDNS6 = b"\xff\x02" + bytes(13) + b"\xfb"


@mutant
def gives_queries_to_the_host(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    for handler in handlers(tap):
        swap(handler, "receive", lambda right, frame: (right(frame), frame[14:])[1])
    return tap


@mutant
def keeps_the_packets_of_groups(config: TapConfig) -> VirtualTap:
    return gives(config, lambda data, frame: None if frame[0] & 1 and config.groups else data)


@mutant
def keeps_all_icmp(config: TapConfig) -> VirtualTap:
    return gives(
        config,
        lambda data, _: None if config.groups and data[:1] == b"\x60" and len(data) < 60 else data,
    )


@mutant
def keeps_the_reports_of_the_host(config: TapConfig) -> VirtualTap:
    return says(config, lambda data: None if config.groups and data[9:10] == b"\2" else data)


@mutant
def answers_no_general_query(config: TapConfig) -> VirtualTap:
    return asked(config, lambda query: None if query.group is None else query)


@mutant
def answers_no_specific_query(config: TapConfig) -> VirtualTap:
    return asked(config, lambda query: query if query.group is None else None)


@mutant
def answers_every_query_for_all(config: TapConfig) -> VirtualTap:
    return asked(config, lambda query: replace(query, group=None))


@mutant
def answers_for_groups_of_others(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def queried(right: Callable[..., Any], query: Query) -> None:
            before = dict(handler.joined)
            if query.group is not None:
                handler.joined.setdefault(query.group, True)
            right(query)
            handler.joined = before

        swap(handler, "_queried", queried)

    return each(config, wrong)


@mutant
def answers_late(config: TapConfig) -> VirtualTap:
    return asked(config, lambda query: replace(query, delay=max(query.delay, 30 * SECOND) * 2))


@mutant
def answers_at_once(config: TapConfig) -> VirtualTap:
    return asked(config, lambda query: replace(query, delay=0))


@mutant
def reads_codes_as_plain_numbers(config: TapConfig) -> VirtualTap:
    def wrong4(right: Callable[..., Any], packet: bytes, joined: Any) -> Any:
        heard, data = right(packet, joined), Ipv4.parse(packet).payload
        if isinstance(heard, Query) and heard.version == 3:
            return replace(heard, delay=IgmpQuery.parse(data).code * SECOND // 10)
        return heard

    def wrong6(right: Callable[..., Any], packet: bytes, joined: Any) -> Any:
        heard, data = right(packet, joined), packet[mld.start(packet) :]
        if isinstance(heard, Query) and heard.version == 2:
            return replace(heard, delay=MldQuery.parse(data).code * SECOND // 1000 // 2)
        return heard

    return hearing(config, wrong4, wrong6)


@mutant
def forgets_that_it_was_asked(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def queried(right: Callable[..., Any], query: Query) -> None:
            for group in list(handler._due):
                handler._cancel(group)
            right(query)

        swap(handler, "_queried", queried)

    return each(config, wrong)


@mutant
def answers_each_query_by_itself(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def queried(right: Callable[..., Any], query: Query) -> None:
            for group in list(handler._due):
                handler._core.timers.cancel((handler._dialect, group))
                handler._answer(group)
            right(query)

        swap(handler, "_queried", queried)

    return each(config, wrong)


@mutant
def never_hurries(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def within(right: Callable[..., Any], group: Ip | None, *rest: Any) -> None:
            if group not in handler._due:
                right(group, *rest)

        swap(handler, "_answer_within", within)

    return each(config, wrong)
