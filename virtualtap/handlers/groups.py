"""Tells multicast routers which groups we are in. RFC 1112 I, 2236, 3376, 2710, 3590, 3810."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from virtualtap.core import Core
from virtualtap.errors import WireError
from virtualtap.stats import DropReason
from virtualtap.timers import NEVER
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire import checksum, igmp, ipv4, ipv6, mld
from virtualtap.wire.address import (
    ALL_HOSTS4,
    ALL_NODES6,
    ALL_ROUTERS6,
    ANY4,
    ANY6,
    Ip,
    ip,
    is_link_local6,
    is_unicast4,
    multicast_mac4,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.igmp import Igmp, IgmpQuery, IgmpReport, Record
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import HEADER_LEN as HEADER6_LEN
from virtualtap.wire.ipv6 import HOP_BY_HOP, ICMPV6, Ipv6
from virtualtap.wire.mld import Mld, MldQuery, MldReport

# RFC 3376 8, RFC 3810 9: constants that a querier's words replace, hence not in the config
ROBUSTNESS, QUERY_INTERVAL, RESPONSE_INTERVAL = 2, 125 * SECOND, 10 * SECOND
REPORT_INTERVAL, OLD_REPORT_INTERVAL = 1 * SECOND, 10 * SECOND
_ROUTERS4, _REPORTS4, _REPORTS6 = ip("224.0.0.2"), ip("224.0.0.22"), ip("ff02::16")
_ALERT4 = b"\x94\x04\x00\x00"  # RFC 2113
_CONTROL = 0xC0  # RFC 3376 4: the precedence of internetwork control


@dataclass(frozen=True, slots=True)
class Query:
    """Who asks: of which version, for one group or all, or for some sources of one."""

    version: int
    group: Ip | None
    delay: Duration
    sources: tuple[Ip, ...] = ()
    robustness: int = 0  # 0: it does not say
    interval: Duration = 0


class Dialect(Protocol):
    """IGMP or MLD: one protocol in the clothes of two families."""

    newest: int  # its version

    def heard(self, packet: bytes, joined: Container[Ip]) -> Query | Ip | None: ...
    def report(self, records: tuple[Record, ...]) -> bytes: ...  # frames, all three
    def old_report(self, group: Ip, version: int) -> bytes: ...
    def old_leave(self, group: Ip, version: int) -> bytes | None: ...
    def room(self) -> int: ...  # for records, in one report
    def is_reported(self, group: Ip) -> bool: ...


class GroupHandler:
    """The host half of both protocols, for one family; only where `groups` has any of it.

    The tap then speaks for the host, and keeps from it what others say. Every group is taken from
    all sources, for nobody behind a tap can choose any. Who asks in an older version is answered
    in it for as long as it is present (RFC 3376 7.2.1, RFC 3810 8.2.1).
    """

    def __init__(self, core: Core, dialect: Dialect, groups: Iterable[Ip]) -> None:
        self._core, self._dialect = core, dialect
        # whether nobody reported it after us
        self.joined = {group: True for group in groups if dialect.is_reported(group)}
        self._changes: dict[Ip, tuple[int, int]] = {}  # record type, how often it is still said
        self._due: dict[Ip | None, Instant] = {}  # when to answer; None: for all groups
        self._asked: dict[Ip, tuple[Ip, ...]] = {}  # for which sources; none: for the group
        self._older: set[int] = set()  # versions of queriers that are present
        self._robustness, self._interval = ROBUSTNESS, QUERY_INTERVAL
        core.starts.append(self.report_all)

    @property
    def version(self) -> int:
        """What we speak: the oldest of the queriers. RFC 3376 7.2.1."""
        return min(self._older, default=self._dialect.newest)

    def receive(self, frame: bytes) -> bytes | None:
        """A membership message in its frame; always handled inside. WireError if not valid."""
        heard = self._dialect.heard(frame[HEADER_LEN:], self.joined)
        if isinstance(heard, Query):
            self._queried(heard)
        elif heard is not None:
            self._reported(heard)
        return None

    def report_all(self) -> None:
        """Say all our groups, unasked: at the start, and from a new address. RFC 3590 4."""
        self.join(self.joined)

    def join(self, groups: Iterable[Ip]) -> None:
        """Be in these groups, and say so at once and again. RFC 3376 5.1, RFC 2236 3."""
        reported = [group for group in groups if self._dialect.is_reported(group)]
        self.joined.update(dict.fromkeys(reported, True))
        if self.version == self._dialect.newest:
            self._change(reported, igmp.TO_EXCLUDE)
            return
        for group in reported:
            self._send(self._dialect.old_report(group, self.version))
            self._answer_within(group, OLD_REPORT_INTERVAL)

    def leave(self, group: Ip) -> None:
        """Be no longer in this group; an older version hears it from who reported last."""
        was_last = self.joined.pop(group)
        self._cancel(group)
        if self.version == self._dialect.newest:
            self._change([group], igmp.TO_INCLUDE)
        elif was_last:
            self._send(self._dialect.old_leave(group, self.version))

    def _change(self, groups: Iterable[Ip], kind: int) -> None:
        """RFC 3376 5.1: said at once, and again as often as robustness asks."""
        self._changes.update(dict.fromkeys(groups, (kind, self._robustness)))
        self._say_changes()

    def _say_changes(self) -> None:
        core, changes = self._core, self._changes
        self._report([Record(kind, group) for group, (kind, _) in changes.items()])
        self._changes = {
            group: (kind, left - 1) for group, (kind, left) in changes.items() if left > 1
        }
        if self._changes:
            at = core.now + 1 + core.rand.below(REPORT_INTERVAL)
            core.timers.set((self._dialect, "change"), at, self._say_changes)

    def _queried(self, query: Query) -> None:
        newest = self._dialect.newest
        if query.version == newest:
            self._robustness = query.robustness or ROBUSTNESS
            self._interval = query.interval or QUERY_INTERVAL
        elif query.group is None:
            self._older_is_present(query.version)
        if query.group is not None:
            if query.group in self.joined:
                self._answer_within(query.group, query.delay, query.sources)
        elif self.version == newest:
            self._answer_within(None, query.delay)
        else:
            for group in self.joined:
                self._answer_within(group, query.delay)

    def _answer_within(
        self, group: Ip | None, delay: Duration, sources: tuple[Ip, ...] = ()
    ) -> None:
        """By luck; what is to be said sooner is not put off. RFC 3376 5.2, RFC 2236 3."""
        core, due = self._core, self._due
        at = core.now + core.rand.below(delay + 1)
        # RFC 2236 3: an older version keeps its timer if that ends in time, whenever that is
        latest = at if self.version == self._dialect.newest else core.now + delay
        if due.get(None, NEVER) <= at:
            return
        if group is not None:
            self._asked[group] = self._asked_together(group, sources)
        if due.get(group, NEVER) > latest:
            due[group] = at
            core.timers.set((self._dialect, group), at, partial(self._answer, group))

    def _asked_together(self, group: Ip, sources: tuple[Ip, ...]) -> tuple[Ip, ...]:
        """RFC 3376 5.2, 3 to 5. Too many sources for one report are as good as all."""
        before = self._asked.get(group, sources)
        both = tuple(dict.fromkeys(before + sources)) if before and sources else ()
        record = Record(igmp.IS_INCLUDE, group, both)
        return both if len(record.to_bytes()) <= self._dialect.room() else ()

    def _answer(self, group: Ip | None) -> None:
        del self._due[group]
        if group is None:
            self._report([Record(igmp.IS_EXCLUDE, each) for each in self.joined])
            return
        sources = self._asked.pop(group)
        if self.version < self._dialect.newest:
            self.joined[group] = True
            self._send(self._dialect.old_report(group, self.version))
        else:
            self._report([Record(igmp.IS_INCLUDE if sources else igmp.IS_EXCLUDE, group, sources)])

    def _reported(self, group: Ip) -> None:
        """RFC 2236 3, RFC 2710 4: one report is enough; the newest versions want every one."""
        if self.version < self._dialect.newest and group in self._due:
            self._cancel(group)
            self.joined[group] = False

    def _older_is_present(self, version: int) -> None:
        """RFC 3376 7.2.1, 8.12, RFC 3810 8.2.1, 9.12."""
        before = self.version
        self._older.add(version)
        until = self._core.now + self._robustness * self._interval + RESPONSE_INTERVAL
        gone = partial(self._older_is_gone, version)
        self._core.timers.set((self._dialect, version), until, gone)
        self._forget_unless(before)

    def _older_is_gone(self, version: int) -> None:
        before = self.version
        self._older.remove(version)
        self._forget_unless(before)

    def _forget_unless(self, before: int) -> None:
        """RFC 3376 7.2.1: in another version nothing is pending."""
        if self.version == before:
            return
        for group in list(self._due):
            self._cancel(group)
        self._changes = {}
        self._core.timers.cancel((self._dialect, "change"))

    def _cancel(self, group: Ip | None) -> None:
        self._core.timers.cancel((self._dialect, group))
        self._due.pop(group, None)
        if group is not None:
            self._asked.pop(group, None)

    def _report(self, records: list[Record]) -> None:
        """In as many reports as it takes. RFC 3376 4.2.16."""
        room, said, length = self._dialect.room(), list[Record](), 0
        for record in records:
            length += len(record.to_bytes())
            if said and length > room:
                self._send(self._dialect.report(tuple(said)))
                said, length = [], len(record.to_bytes())
            said.append(record)
        if said:
            self._send(self._dialect.report(tuple(said)))

    def _send(self, frame: bytes | None) -> None:
        if frame is not None and not self._core.send(frame):
            self._core.drop(DropReason.OUTBOX_FULL)


class SolicitedNodes:
    """The groups in which our addresses are asked for, told by MLD. RFC 4861 7.2.1, 4862 5.4.2."""

    def __init__(self, core: Core, groups: GroupHandler) -> None:
        self._core, self._groups = core, groups

    def changed(self, own: Ip) -> None:
        """An address begins to be probed, or is ours; a link-local one may speak. RFC 3590 4."""
        if is_link_local6(own) and self._core.interface6.owns(own, self._core.now):
            self._groups.report_all()
        elif solicited_node(own) not in self._groups.joined:
            self._groups.join([solicited_node(own)])
        self.settle()

    def settle(self) -> None:
        """Leave the groups of addresses that are not ours any more, now and when they end."""
        core, addresses = self._core, self._core.interface6.addresses
        wanted = {*core.config.groups, *_solicited_nodes(core)}
        for group in [group for group in self._groups.joined if group not in wanted]:
            self._groups.leave(group)
        ends = (address.valid_until for address in addresses.values())
        end = min((until for until in ends if until > core.now), default=NEVER)
        core.timers.set("solicited nodes", end, self.settle)


def _solicited_nodes(core: Core) -> list[Ip]:
    return [
        solicited_node(own)
        for own, address in core.interface6.addresses.items()
        if not address.duplicate and address.valid_until > core.now
    ]


class _Igmp:
    """IPv4's. RFC 3376 4: a time to live of 1, a router alert, from us or from nobody yet."""

    newest = 3

    def __init__(self, core: Core) -> None:
        self._core = core

    def heard(self, packet: bytes, joined: Container[Ip]) -> Query | Ip | None:
        """RFC 3376 4.1.12, 7.1, 9.1; what is neither a query nor an old report is no matter."""
        parsed = Ipv4.parse(packet)
        data, to = parsed.payload, parsed.destination
        if not (is_unicast4(parsed.source) or parsed.source == ANY4):
            raise WireError("a source is one host, or nobody yet")
        if len(data) < igmp.LEN or not checksum.is_right(data):
            raise WireError("IGMP needs 8 bytes and a right checksum")
        if data[0] != igmp.QUERY:
            return data[4:8] if data[0] in (igmp.REPORT1, igmp.REPORT2) else None
        version = igmp.version(data)
        if version > 1 and not ipv4.has_option(parsed.options, igmp.ALERT):
            raise WireError("a query needs a router alert")
        group = None if version == 1 or data[4:8] == ANY4 else data[4:8]
        to_group = to in joined and group is not None
        if not (to == ALL_HOSTS4 or to_group or to == self._core.interface.ip):
            self._core.drop(DropReason.NOT_FOR_US)
            return None
        if version < 3:
            return Query(version, group, (data[1] or 100) * 100 * MS)  # RFC 2236 4
        query = IgmpQuery.parse(data)
        delay, every = igmp.decoded(query.code), igmp.decoded(query.interval_code)
        robustness = query.flags & 7
        return Query(3, group, delay * 100 * MS, query.sources, robustness, every * SECOND)

    def report(self, records: tuple[Record, ...]) -> bytes:
        return self._frame(IgmpReport(records), _REPORTS4)

    def old_report(self, group: Ip, version: int) -> bytes:
        return self._frame(Igmp(igmp.REPORT1 if version == 1 else igmp.REPORT2, group), group)

    def old_leave(self, group: Ip, version: int) -> bytes | None:
        """RFC 2236 3; version 1 knows none."""
        return None if version == 1 else self._frame(Igmp(igmp.LEAVE, group), _ROUTERS4)

    def room(self) -> int:
        return self._core.interface.mtu - ipv4.HEADER_LEN - len(_ALERT4) - igmp.LEN

    def is_reported(self, group: Ip) -> bool:
        """RFC 3376 5: all but 224.0.0.1, where everybody is."""
        return group != ALL_HOSTS4

    def _frame(self, message: Igmp | IgmpReport, to: Ip) -> bytes:
        core, body = self._core, igmp.summed(message)
        source = core.interface.ip or ANY4  # RFC 3376 4.2.13
        packet = Ipv4(source, to, ipv4.IGMP, body, ttl=1, tos=_CONTROL, options=_ALERT4)
        return core.frame(multicast_mac4(to), packet.to_bytes())


class _Mld:
    """IPv6's. RFC 3810 5: a hop limit of 1, a router alert, from link-local or from nobody yet."""

    newest = 2

    def __init__(self, core: Core) -> None:
        self._core, self._interface = core, core.interface6

    def heard(self, packet: bytes, joined: Container[Ip]) -> Query | Ip | None:
        """RFC 3810 5.1.15, 6.2, 8.1, RFC 2710 4."""
        packet = ipv6.trimmed(packet)
        source, to, data = packet[8:24], packet[24:40], packet[mld.start(packet) :]
        if len(data) < mld.REPORT2_LEN or ipv6.total_len(packet) > len(packet):
            raise WireError("MLD needs 8 bytes")
        if not (is_link_local6(source) and checksum.transport_is_right(source, to, ICMPV6, data)):
            if data[0] == mld.REPORT2:
                return None  # it may come from nobody, and is no matter to us
            raise WireError("MLD needs a link-local source and a right checksum")
        if data[0] != mld.QUERY:
            return Mld.parse(data).group if data[0] == mld.REPORT else None
        if packet[7] != 1 or not mld.is_alerted(packet):
            raise WireError("a query needs a hop limit of 1 and a router alert")
        if not (to == ALL_NODES6 or to in joined or self._interface.owns(to, self._core.now)):
            self._core.drop(DropReason.NOT_FOR_US)
            return None
        group = None if data[8:24] == ANY6 else data[8:24]
        if mld.version(data) == 1:
            return Query(1, group, Mld.parse(data).delay * MS)
        query = MldQuery.parse(data)
        delay, every = mld.decoded(query.code), igmp.decoded(query.interval_code)
        return Query(2, group, delay * MS, query.sources, query.flags & 7, every * SECOND)

    def report(self, records: tuple[Record, ...]) -> bytes:
        return self._frame(MldReport(records), _REPORTS6)

    def old_report(self, group: Ip, version: int) -> bytes:
        return self._frame(Mld(mld.REPORT, group), group)

    def old_leave(self, group: Ip, version: int) -> bytes | None:
        return self._frame(Mld(mld.DONE, group), ALL_ROUTERS6)

    def room(self) -> int:
        return self._interface.mtu - HEADER6_LEN - len(mld.ALERT) - mld.REPORT2_LEN

    def is_reported(self, group: Ip) -> bool:
        """RFC 3810 6: neither ff02::1, where everybody is, nor what stays inside a host."""
        return group != ALL_NODES6 and group[1] & 15 > 1

    def _frame(self, message: Mld | MldReport, to: Ip) -> bytes:
        core = self._core
        owned = self._interface.owned(core.now)
        source = next(filter(is_link_local6, owned), ANY6)  # RFC 3810 5.2.13, RFC 3590 3
        body = mld.ALERT + mld.summed(message, source, to)
        packet = Ipv6(source, to, HOP_BY_HOP, body, hop_limit=1)
        return core.frame(multicast_mac6(to), packet.to_bytes())


def speaks_igmp(core: Core) -> GroupHandler | None:
    """The handler of IPv4's groups, where there are any."""
    groups = [group for group in core.config.groups if len(group) == 4]
    return GroupHandler(core, _Igmp(core), groups) if groups else None


def speaks_mld(core: Core) -> GroupHandler | None:
    """The handler of IPv6's groups, where there are any; of those of our addresses, too."""
    groups = [group for group in core.config.groups if len(group) == 16]
    ours = [] if core.config.dad else _solicited_nodes(core)  # probed, they are joined later
    return GroupHandler(core, _Mld(core), (*groups, *ours)) if groups else None
