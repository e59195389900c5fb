"""What a packet must be before it may pass, on both sides: one table of rules. RFC 1122 3.2.1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from virtualtap.interface import Interface
from virtualtap.stats import DropReason
from virtualtap.wire import checksum, ipv4, ipv6
from virtualtap.wire.address import (
    ANY6,
    LOOPBACK6,
    is_multicast4,
    is_multicast6,
)

LEVELS = ("off", "length", "strict")  # each asks for all that the ones before it ask for
HOST, LAN = "host", "lan"

Holds: TypeAlias = Callable[[bytes, Interface], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand: the level that begins to ask for it, on which sides, and what breaking it is."""

    clause: str
    demand: str
    level: str
    reason: DropReason
    holds: Holds
    sides: tuple[str, ...] = (HOST, LAN)


class Validator:
    """The rules of one tap, chosen once; the first that is broken names the reason."""

    def __init__(self, level: str, interface: Interface) -> None:
        self._interface = interface
        self._rules = {
            (version, side): tuple(
                (rule.holds, rule.reason)
                for rule in rules
                if side in rule.sides and LEVELS.index(rule.level) <= LEVELS.index(level)
            )
            for version, rules in ((4, RULES4), (6, RULES6))
            for side in (HOST, LAN)
        }

    def refusal(self, version: int, side: str, data: bytes) -> DropReason | None:
        """Why `data` that came from `side` (`HOST`, `LAN`) may not pass; None: it may."""
        interface = self._interface
        for holds, reason in self._rules[version, side]:
            if not holds(data, interface):
                return reason
        return None


def _source_is_a_host(packet: bytes, interface: Interface) -> bool:
    first = packet[12]
    return first < 224 and first != 127 and packet[12:16] not in interface.broadcasts


def _reaches_all(packet: bytes, interface: Interface) -> bool:
    destination = packet[16:20]
    return is_multicast4(destination) or destination in interface.broadcasts


def _fragment_fits(packet: bytes, _: Interface) -> bool:
    word = ipv4.fragment_word(packet)
    data = ipv4.total_len(packet) - ipv4.header_len(packet)
    if word & ipv4.MORE_FRAGMENTS and data % 8:
        return False
    return (word & ipv4.OFFSET_MASK) * 8 + ipv4.total_len(packet) <= ipv4.LEN_MAX


RULES4 = (
    Rule(
        "RFC 791, 3.1",
        "there are 20 bytes, and the version is 4",
        "off",
        DropReason.MALFORMED,
        lambda packet, _: len(packet) >= ipv4.HEADER_LEN and packet[0] >> 4 == 4,
    ),
    Rule(
        "RFC 791, 3.1",
        "the header has 20 bytes or more and ends within the total length",
        "length",
        DropReason.MALFORMED,
        lambda packet, _: ipv4.HEADER_LEN <= ipv4.header_len(packet) <= ipv4.total_len(packet),
    ),
    Rule(
        "RFC 791, 3.1",
        "the total length is not more than what came",
        "length",
        DropReason.MALFORMED,
        lambda packet, _: ipv4.total_len(packet) <= len(packet),
    ),
    Rule(
        "RFC 1122, 3.2.1.2",
        "the header's checksum is right",
        "strict",
        DropReason.BAD_CHECKSUM,
        lambda packet, _: checksum.is_right(packet[: ipv4.header_len(packet)]),
    ),
    Rule(
        "RFC 1122, 3.2.1.3",
        "the source is no group, broadcast, loopback or reserved address",
        "strict",
        DropReason.BAD_ADDRESS,
        _source_is_a_host,
    ),
    Rule(
        "RFC 1122, 3.2.1.3",
        "a source on network zero speaks only to all: it asks for an address",
        "strict",
        DropReason.BAD_ADDRESS,
        lambda packet, interface: packet[12] != 0 or _reaches_all(packet, interface),
    ),
    Rule(
        "RFC 1122, 3.2.1.3",
        "the destination is no loopback address",
        "strict",
        DropReason.BAD_ADDRESS,
        lambda packet, _: packet[16] != 127,
        (LAN,),  # from the host there is no route to it
    ),
    Rule(
        "RFC 1122, 3.2.1.7",
        "what is sent may live: a time to live of zero is not sent, but is received",
        "strict",
        DropReason.EXPIRED,
        lambda packet, _: packet[8] != 0,
        (HOST,),
    ),
    Rule(
        "RFC 791, 3.2",
        "a fragment ends within 65,535 bytes, and on 8 bytes where more follow",
        "strict",
        DropReason.MALFORMED,
        _fragment_fits,
    ),
)

RULES6 = (
    Rule(
        "RFC 8200, 3",
        "there are 40 bytes, and the version is 6",
        "off",
        DropReason.MALFORMED,
        lambda packet, _: len(packet) >= ipv6.HEADER_LEN and packet[0] >> 4 == 6,
    ),
    Rule(
        "RFC 8200, 3",
        "the payload length is not more than what came",
        "length",
        DropReason.MALFORMED,
        lambda packet, _: ipv6.total_len(packet) <= len(packet),
    ),
    Rule(
        "RFC 4291, 2.7",
        "the source is no group",
        "strict",
        DropReason.BAD_ADDRESS,
        lambda packet, _: not is_multicast6(packet[8:24]),
    ),
    Rule(
        "RFC 4291, 2.5.3",
        "the loopback address stays inside a host",
        "strict",
        DropReason.BAD_ADDRESS,
        lambda packet, _: LOOPBACK6 not in (packet[8:24], packet[24:40]),
        (LAN,),
    ),
    Rule(
        "RFC 4291, 2.5.3",
        "nothing is sent from the loopback address",
        "strict",
        DropReason.BAD_ADDRESS,
        lambda packet, _: packet[8:24] != LOOPBACK6,
        (HOST,),  # and to it there is no route
    ),
    Rule(
        "RFC 4291, 2.5.2",
        "the unspecified address speaks only to groups: it asks for an address",
        "strict",
        DropReason.BAD_ADDRESS,
        lambda packet, _: packet[8:24] != ANY6 or is_multicast6(packet[24:40]),
    ),
    Rule(
        "RFC 4291, 2.7",
        "a group's scope is wider than one interface: 0 is reserved, 1 stays inside a host",
        "strict",
        DropReason.BAD_ADDRESS,
        lambda packet, _: packet[24] != 0xFF or packet[25] & 15 > 1,
    ),
)
