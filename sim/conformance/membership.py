"""What the cases of the groups speak in: queries, reports, leaves of both families, in frames."""

from sim.conformance.script import GATEWAY, GATEWAY6, GATEWAY_MAC, OUR_MAC, US, Script
from virtualtap.units import SECOND
from virtualtap.wire import igmp, mld
from virtualtap.wire.address import (
    ALL_HOSTS4,
    ALL_NODES6,
    ANY4,
    ANY6,
    Ip,
    Mac,
    ip,
    multicast_mac4,
    multicast_mac6,
)
from virtualtap.wire.ethernet import HEADER_LEN, IPV4, IPV6
from virtualtap.wire.igmp import Igmp, IgmpQuery, IgmpReport, Record
from virtualtap.wire.ipv4 import IGMP, Ipv4
from virtualtap.wire.ipv6 import HOP_BY_HOP, ICMPV6, Ipv6
from virtualtap.wire.mld import Mld, MldQuery, MldReport

MDNS, SSDP, ALL_ROUTERS = ip("224.0.0.251"), ip("239.255.255.250"), ip("224.0.0.2")
MDNS6, SSDP6, ALL_ROUTERS6 = ip("ff02::fb"), ip("ff02::c"), ip("ff02::2")
REPORTS, REPORTS6 = ip("224.0.0.22"), ip("ff02::16")
OTHER6 = ip("fe80::3")  # another listener
OWN6, NODE6 = ip("fe80::2"), ip("ff02::1:ff00:2")  # our link-local address, and its group
ALERT = bytes.fromhex("94040000")  # RFC 2113
QUIET = 2 * SECOND  # by then everything was said twice: RFC 3376 8.11

IS_IN, IS_EX, TO_IN, TO_EX = 1, 2, 3, 4


def said4(
    message: Igmp | IgmpQuery | IgmpReport,
    to: Ip,
    *,
    by: Ip = GATEWAY,
    at: Mac = GATEWAY_MAC,
    mac: Mac | None = None,
    options: bytes = ALERT,
    ttl: int = 1,
) -> bytes:
    """A message of IPv4 in its frame, with the right checksums."""
    packet = Ipv4(by, to, IGMP, igmp.summed(message), ttl=ttl, tos=0xC0, options=options)
    return (mac or multicast_mac4(to)) + at + IPV4 + packet.to_bytes()


def query1(group: Ip = ANY4) -> bytes:
    """A router of version 1 asks; it knows no router alert."""
    return said4(Igmp(igmp.QUERY, group), ALL_HOSTS4, options=b"")


def query2(group: Ip = ANY4, tenths: int = 100) -> bytes:
    """A router of version 2 asks, for one group or for all."""
    return said4(Igmp(igmp.QUERY, group, tenths), ALL_HOSTS4 if group == ANY4 else group)


def query3(
    group: Ip = ANY4,
    sources: tuple[Ip, ...] = (),
    *,
    tenths: int = 100,
    robustness: int = 2,
    every: int = 125,
    to: Ip | None = None,
) -> bytes:
    """A router of version 3 asks, for all groups, for one, or for some sources of one."""
    message = IgmpQuery(group, sources, tenths, robustness, every)
    return said4(message, to or (ALL_HOSTS4 if group == ANY4 else group))


def theirs(group: Ip = MDNS, kind: int = igmp.REPORT2) -> bytes:
    """Another member reports the group."""
    return said4(Igmp(kind, group), group, by=ip("10.0.0.3"), at=b"\x02\0\x5e\0\0\3")


def ours(kind: int, *groups: Ip, sources: tuple[Ip, ...] = (), by: Ip = US) -> bytes:
    """What the tap reports in version 3."""
    report = IgmpReport(tuple(Record(kind, group, sources) for group in groups))
    return said4(report, REPORTS, by=by, at=OUR_MAC)


def old(group: Ip = MDNS, kind: int = igmp.REPORT2) -> bytes:
    """What the tap reports in version 2 or 1."""
    return said4(Igmp(kind, group), group, by=US, at=OUR_MAC)


def members(tap: Script, *groups: Ip, **changes: object) -> Script:
    """A tap in these groups that has said so as often as it does by itself."""
    tap.start(groups=groups, **changes).at(QUIET).forget()
    return tap


def said6(
    message: Mld | MldQuery | MldReport,
    to: Ip,
    *,
    by: Ip = GATEWAY6,
    at: Mac = GATEWAY_MAC,
    mac: Mac | None = None,
    options: bytes = mld.ALERT,
    hop_limit: int = 1,
) -> bytes:
    """A message of IPv6 in its frame, with the right checksum."""
    body = options + mld.summed(message, by, to)
    packet = Ipv6(by, to, HOP_BY_HOP if options else ICMPV6, body, hop_limit=hop_limit)
    return (mac or multicast_mac6(to)) + at + IPV6 + packet.to_bytes()


def asks1(group: Ip = ANY6, delay: int = 10_000, *, by: Ip = GATEWAY6) -> bytes:
    """A router of version 1 asks; milliseconds."""
    return said6(Mld(mld.QUERY, group, delay), ALL_NODES6 if group == ANY6 else group, by=by)


def asks2(
    group: Ip = ANY6,
    sources: tuple[Ip, ...] = (),
    *,
    delay: int = 10_000,
    robustness: int = 2,
    every: int = 125,
    to: Ip | None = None,
    **clothes: object,
) -> bytes:
    """A router of version 2 asks; milliseconds."""
    message = MldQuery(group, sources, delay, robustness, every)
    to = to or (ALL_NODES6 if group == ANY6 else group)
    return said6(message, to, **clothes)  # type: ignore[arg-type]  # as `said6` takes them


def theirs6(group: Ip = MDNS6, by: Ip = OTHER6) -> bytes:
    """Another listener reports the group in version 1."""
    return said6(Mld(mld.REPORT, group), group, by=by, at=b"\x02\0\x5e\0\0\3")


def ours6(kind: int, *groups: Ip, sources: tuple[Ip, ...] = (), by: Ip = OWN6) -> bytes:
    """What the tap reports in version 2."""
    report = MldReport(tuple(Record(kind, group, sources) for group in groups))
    return said6(report, REPORTS6, by=by, at=OUR_MAC)


def old6(group: Ip = MDNS6, *, by: Ip = OWN6) -> bytes:
    """What the tap reports in version 1."""
    return said6(Mld(mld.REPORT, group), group, by=by, at=OUR_MAC)


def listeners(tap: Script, *groups: Ip, **changes: object) -> Script:
    """As `members`, with a link-local address whose group is listened to as well."""
    return members(tap, *groups, **{"our_ip6": (OWN6,), **changes})


def seen(frames: tuple[bytes, ...]) -> list[tuple[int, Ip]]:
    """Record types and groups of reports of the newest version, sorted."""
    found: list[tuple[int, Ip]] = []
    for frame in frames:
        packet = frame[HEADER_LEN:]
        report = (
            MldReport.parse(packet[mld.start(packet) :])
            if frame[12:14] == IPV6
            else IgmpReport.parse(Ipv4.parse(packet).payload)
        )
        found += [(record.type, record.group) for record in report.records]
    return sorted(found)


def spoiled(frame: bytes) -> bytes:
    """The same message of ours with a wrong checksum: its last bit is another one."""
    at = HEADER_LEN + (40 + 8 if frame[12:14] == IPV6 else 20 + 4) + 3
    return frame[:at] + bytes((frame[at] ^ 1,)) + frame[at + 1 :]
