"""Remembers DNS answers, and gives them again. RFC 1035 7, RFC 2181 5, 8, RFC 2308, RFC 5452 9."""

from dataclasses import dataclass
from typing import TypeAlias

from virtualtap.core import Core
from virtualtap.stats import DropReason
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import dns, udp
from virtualtap.wire.dns import Dns, Question, Record
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp

_WAYS = dns.RECURSION_DESIRED | 0x0030  # what an asker may say beside: AD, CD (RFC 6840 5.7, 5.9)
_TYPES_MAX = 127  # RFC 6895 3.1: from 128 to 255 stand questions about more than one type
_TTL_MAX = 0x7FFFFFFF  # RFC 2181 8: above, it means zero

# whose question, to which server; what it asks for and how: RFC 1035 7.4 names type and class
_Key: TypeAlias = tuple[bytes, bytes, int, bytes]
# both addresses and both ports, and the id: RFC 5452 9.1
_Way: TypeAlias = tuple[bytes, bytes, int, int, int]


@dataclass(slots=True)
class _Asked:
    """A question under way."""

    key: _Key
    question: bytes  # letter by letter: its case is part of what a forger must guess
    until: Instant


@dataclass(slots=True)
class _Kept:
    """An answer as it came."""

    message: bytes
    since: Instant
    until: Instant
    ttls: tuple[tuple[int, int], ...]  # where one stands, and what it was


class DnsHandler:
    """RFC 1035 7: what a server said is said again while it lasts, with less time left.

    Whole messages are kept, of at most 512 bytes, so no record is ever told in another's answer
    (RFC 2181 5.4.1), and one host's view of one server is nobody else's. A question with anything
    beside it (EDNS, a signature) passes, and its answer is not kept: what OPT says is between those
    two, hop by hop and once: sizes, cookies, subnets (RFC 6891 6.2.1, RFC 7873, RFC 7871).
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._asked: dict[_Way, _Asked] = {}  # the oldest first, as below
        self._kept: dict[_Key, _Kept] = {}

    def sent(self, packet: bytes) -> bytes | None:
        """A packet of the host for port 53: None if it is answered here, else as it is."""
        way = _read(packet)
        if way is None:
            return packet
        inside, datagram = way
        message = Dns.parse(datagram.payload)
        if not _is_plain(message) or message.to_bytes() != datagram.payload:
            return packet
        core, (question,) = self._core, message.questions
        core.stats.dns_queries += 1
        key = (inside.source, inside.destination, message.flags, question.key)
        kept = self._kept.get(key)
        if kept is not None and core.now < kept.until:
            core.stats.dns_answered += 1
            self._answer(inside, datagram, kept)
            return None
        self._kept.pop(key, None)
        ends = (inside.source, inside.destination, datagram.source_port)
        asked = _Asked(key, question.to_bytes(), core.now + core.config.dns_timeout)
        self._note((*ends, datagram.destination_port, message.id), asked)
        return packet

    def came(self, packet: bytes) -> None:
        """A packet from port 53 comes as it is."""

    def heard(self, packet: bytes) -> None:
        """A packet from port 53: kept if it is the answer to what the host asked. RFC 5452 9.1."""
        way = _read(packet)
        if way is None or len(way[1].payload) > dns.UDP_LEN_MAX:
            return
        inside, datagram = way
        data = datagram.payload
        ends = (inside.destination, inside.source, datagram.destination_port)
        where = (*ends, datagram.source_port, int.from_bytes(data[:2]))
        asked = self._asked.get(where)
        if asked is None or self._core.now >= asked.until:
            return
        message = Dns.parse(data)
        if len(message.questions) != 1 or not data.startswith(asked.question, dns.HEADER_LEN):
            return
        if message.flags & (dns.IS_ANSWER | dns.OPCODE) == dns.IS_ANSWER:
            del self._asked[where]
            self._keep(asked.key, message, data)

    def _note(self, way: _Way, asked: _Asked) -> None:
        self._asked.pop(way, None)
        if len(self._asked) >= self._core.config.dns_entries_max:
            del self._asked[next(iter(self._asked))]
        self._asked[way] = asked

    def _keep(self, key: _Key, message: Dns, data: bytes) -> None:
        core, config = self._core, self._core.config
        records = (*message.answers, *message.authorities, *message.additional)
        if message.flags & dns.TRUNCATED or any(record.type == dns.OPT for record in records):
            return  # not all of it, or more than was asked for
        ttls = {record.ttl_at: _ttl(record) for record in records}
        most = config.dns_ttl_max
        if not _is_positive(message):
            soa = _denial(message)
            if soa is None:
                return
            ttls[soa.ttl_at] = min(_ttl(soa), soa.minimum())  # RFC 2308 3, 5
            most = config.dns_negative_ttl_max
        lasts: Duration = min(min(ttls.values()) * SECOND, most)
        if not lasts:
            return  # RFC 1035 3.2.1: for this one transaction
        self._kept.pop(key, None)
        if len(self._kept) >= config.dns_entries_max:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = _Kept(data, core.now, core.now + lasts, tuple(ttls.items()))

    def _answer(self, asked: Ipv4 | Ipv6, datagram: Udp, kept: _Kept) -> None:
        """RFC 1035 7.3: what was said, with the asker's id and letters, and the time that is left.

        Not from the authority itself: RFC 1035 4.1.1.
        """
        core, query = self._core, datagram.payload
        message = bytearray(kept.message)
        message[:2] = query[:2]
        message[2] &= ~(dns.AUTHORITATIVE >> 8)
        message[dns.HEADER_LEN : len(query)] = query[dns.HEADER_LEN :]
        age = (core.now - kept.since) // SECOND
        for at, ttl in kept.ttls:
            message[at : at + 4] = (ttl - age).to_bytes(4)
        source, to = asked.destination, asked.source
        said = Udp(datagram.destination_port, datagram.source_port, bytes(message))
        body = said.between(source, to)
        packet = Ipv4(source, to, udp.PROTOCOL, body) if len(to) == 4 else None
        if not core.give((packet or Ipv6(source, to, udp.PROTOCOL, body)).to_bytes()):
            core.drop(DropReason.OUTBOX_FULL)


def _read(packet: bytes) -> tuple[Ipv4 | Ipv6, Udp] | None:
    """The datagram in a packet whose checksum is right, and the packet; else None."""
    inside = Ipv6.parse(packet) if packet[0] >> 4 == 6 else Ipv4.parse(packet)
    datagram = udp.received(inside.source, inside.destination, inside.payload)
    return None if datagram is None else (inside, datagram)


def _is_plain(message: Dns) -> bool:
    """Whether it asks one thing about one type, and says nothing more."""
    counts = len(message.answers), len(message.authorities), len(message.additional)
    if len(message.questions) != 1 or any(counts) or message.flags & ~_WAYS:
        return False
    return 0 < message.questions[0].type <= _TYPES_MAX


def _is_positive(message: Dns) -> bool:
    """Whether it says what was asked for, and not only where to look. RFC 2308 2.2."""
    question: Question = message.questions[0]
    found = any(record.type == question.type for record in message.answers)
    return found and message.flags & dns.CODE == dns.NO_ERROR


def _denial(message: Dns) -> Record | None:
    """What says for how long there is no such name, or nothing of this type. RFC 2308 2, 5."""
    if message.flags & dns.CODE not in (dns.NO_ERROR, dns.NAME_ERROR):
        return None
    records = (record for record in message.authorities if record.type == dns.SOA)
    return next(records, None)


def _ttl(record: Record) -> int:
    return record.ttl if record.ttl <= _TTL_MAX else 0
