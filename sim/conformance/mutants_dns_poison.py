"""Wrong DNS caches: those that believe what they should not."""

from dataclasses import replace
from typing import Any

from sim.conformance.mutants import mutant
from sim.conformance.wrong_caches import asking, cache, closed, hearing, keeping, opened, reading
from virtualtap.config import TapConfig
from virtualtap.handlers.dns import DnsHandler
from virtualtap.tap import VirtualTap
from virtualtap.wire import dns, udp
from virtualtap.wire.dns import Dns, Question
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

_ADDRESS = b"\xc0\0\2\7"


@mutant
def dns_drops_options(config: TapConfig) -> VirtualTap:
    """A question with EDNS is taken for one without."""

    def wrong(data: bytes) -> bytes:
        return replace(Dns.parse(data), additional=()).to_bytes()

    return asking(config, wrong)


@mutant
def dns_keeps_options(config: TapConfig) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        return replace(message, additional=())

    return keeping(config, wrong)


@mutant
def dns_answers_by_tcp_ports(config: TapConfig) -> VirtualTap:
    tap, ours = cache(config)
    send = tap._ipv4.send

    def wrong(packet: bytes) -> bytes | None:
        if config.dns_cache and packet[9] == 6 and packet[22:24] == b"\0\x35":
            question = bytes((0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)) + packet[52:]
            source_port = int.from_bytes(packet[20:22])
            asked = Udp(source_port, dns.PORT, question)
            inside = Ipv4(packet[12:16], packet[16:20], udp.PROTOCOL, b"")
            if ours.sent(closed(inside, asked)) is None:
                return None
        return send(packet)

    tap._ipv4.send = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dns_looks_at_no_checksum_of_questions(config: TapConfig) -> VirtualTap:
    return asking(config, lambda data: data)


@mutant
def dns_makes_no_room(config: TapConfig) -> VirtualTap:
    return cache(config, dns_entries_max=1 << 20)[0]


@mutant
def dns_keeps_only_one(config: TapConfig) -> VirtualTap:
    return cache(config, dns_entries_max=1)[0]


@mutant
def dns_always_says_the_same(config: TapConfig) -> VirtualTap:
    tap, ours = cache(config)
    keep = ours._keep

    def wrong(key: Any, message: Dns, data: bytes) -> None:
        last = message.answers[-1].data if message.answers else b""
        keep(key, message, data.replace(last, _ADDRESS) if len(last) == 4 else data)

    ours._keep = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def _asked(ours: DnsHandler) -> Any:
    """The way of the last question under way, or None."""
    return next(reversed(ours._asked), None)


@mutant
def dns_keeps_what_nobody_asked(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes, ours: DnsHandler) -> bytes:
        inside, datagram = opened(packet)
        message = Dns.parse(datagram.payload)
        if not ours._asked and message.questions:
            question: Question = message.questions[0]
            flags = dns.RECURSION_DESIRED
            key = (inside.destination, inside.source, flags, question.key)
            ours._keep(key, message, datagram.payload)
        return packet

    return hearing(config, wrong)


def _blind(config: TapConfig, part: int) -> VirtualTap:
    """One part of the way does not matter: address, server, either port, id."""

    def wrong(packet: bytes, ours: DnsHandler) -> bytes:
        inside, datagram = opened(packet)
        way = _asked(ours)
        if way is None or (part == 1 and len(inside.source) != len(way[1])):
            return packet
        if part == 1:
            return closed(replace(inside, source=way[1]), datagram)
        if part == 2:
            return closed(inside, replace(datagram, destination_port=way[2]))
        data = way[4].to_bytes(2) + datagram.payload[2:]
        return closed(inside, replace(datagram, payload=data))

    return hearing(config, wrong)


@mutant
def dns_looks_at_no_sender(config: TapConfig) -> VirtualTap:
    return _blind(config, 1)


@mutant
def dns_looks_at_no_port(config: TapConfig) -> VirtualTap:
    return _blind(config, 2)


@mutant
def dns_looks_at_no_id(config: TapConfig) -> VirtualTap:
    return _blind(config, 4)


@mutant
def dns_takes_any_question_for_ours(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes, ours: DnsHandler) -> bytes:
        inside, datagram = opened(packet)
        message, way = Dns.parse(datagram.payload), _asked(ours)
        if way is None or message.questions == ():
            return packet
        asked = ours._asked[way].question
        question = Question(asked[:-4], int.from_bytes(asked[-4:-2]), int.from_bytes(asked[-2:]))
        data = replace(message, questions=(question,)).to_bytes()
        return closed(inside, replace(datagram, payload=data))

    return hearing(config, wrong)


@mutant
def dns_files_by_the_answer(config: TapConfig) -> VirtualTap:
    """What is kept is kept under the question that the answer repeats."""

    def wrong(packet: bytes, ours: DnsHandler) -> bytes:
        _, datagram = opened(packet)
        message, way = Dns.parse(datagram.payload), _asked(ours)
        if way is not None and message.questions:
            asked, question = ours._asked[way], message.questions[0]
            key = (*asked.key[:3], question.key)
            ours._asked[way] = replace(asked, key=key, question=question.to_bytes())
        return packet

    return hearing(config, wrong)


@mutant
def dns_needs_no_question(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes, ours: DnsHandler) -> bytes:
        inside, datagram = opened(packet)
        way = _asked(ours)
        if way is None or datagram.payload[4:6] != b"\0\0":
            return packet
        question, data = ours._asked[way].question, datagram.payload
        data = data[:4] + b"\0\1" + data[6:12] + question + data[12:]
        return closed(inside, replace(datagram, payload=data))

    return hearing(config, wrong)


@mutant
def dns_takes_questions_for_answers(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data: data[:2] + bytes((data[2] | 0x80,)) + data[3:])


@mutant
def dns_keeps_the_last_answer(config: TapConfig) -> VirtualTap:
    tap, ours = cache(config)
    heard = ours.heard

    def wrong(packet: bytes) -> None:
        before = dict(ours._asked)
        heard(packet)
        ours._asked.update(before)

    ours.heard = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dns_waits_for_ever(config: TapConfig) -> VirtualTap:
    return cache(config, dns_timeout=1 << 62)[0]


def _resummed(packet: bytes) -> bytes:
    inside, datagram = opened(packet)
    return closed(inside, datagram)


@mutant
def dns_looks_at_no_checksum(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes, _: DnsHandler) -> bytes:
        return _resummed(packet) if any(opened(packet)[0].payload[6:8]) else packet

    return hearing(config, wrong)


@mutant
def dns_needs_no_checksum_in_ipv6(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes, _: DnsHandler) -> bytes:
        return _resummed(packet) if packet[46:48] == b"\0\0" and packet[0] == 0x60 else packet

    return hearing(config, wrong)


@mutant
def dns_demands_a_checksum(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes, _: DnsHandler) -> bytes | None:
        return packet if any(opened(packet)[0].payload[6:8]) else None

    return hearing(config, wrong)


@mutant
def dns_keeps_what_was_cut(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data: data[:2] + bytes((data[2] & 0xFD,)) + data[3:])


@mutant
def dns_keeps_long_answers(config: TapConfig) -> VirtualTap:
    def wrong(data: bytes) -> bytes:
        short = replace(Dns.parse(data), answers=Dns.parse(data).answers[:1])
        return short.to_bytes() if len(data) > dns.UDP_LEN_MAX else data

    return reading(config, wrong)


@mutant
def dns_follows_any_pointer(config: TapConfig) -> VirtualTap:
    def wrong(data: bytes) -> bytes:
        pointers = (b"\xc0\x1d", b"\xc0\xff", b"\xff\xff")
        found = next((pointer for pointer in pointers if data[29:31] == pointer), b"none")
        return data.replace(found, b"\xc0\x0c")

    return reading(config, wrong)


@mutant
def dns_keeps_what_is_short(config: TapConfig) -> VirtualTap:
    def wrong(data: bytes) -> bytes:
        whole = len(data) >= 56 or data[6:8] != b"\0\1"
        return data if whole else data[:29] + b"\0\0\1\0\1\0\0\1\x2c\0\4" + _ADDRESS

    return reading(config, wrong)


def _coded(config: TapConfig, codes: tuple[int, ...], instead: int) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        code = message.flags & dns.CODE
        return replace(message, flags=message.flags - code + instead) if code in codes else message

    return keeping(config, wrong)


@mutant
def dns_keeps_failures(config: TapConfig) -> VirtualTap:
    return _coded(config, (2, 5), dns.NAME_ERROR)


@mutant
def dns_keeps_no_denials(config: TapConfig) -> VirtualTap:
    return _coded(config, (dns.NAME_ERROR,), 2)


@mutant
def dns_keeps_no_empty_answers(config: TapConfig) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        empty = not message.answers and not message.flags & dns.CODE
        return replace(message, authorities=()) if empty else message

    return keeping(config, wrong)


def _said_by(record: Any) -> Any:
    """As if the record denied something for five minutes."""
    return replace(record, type=dns.SOA, data=bytes(18) + (300).to_bytes(4))


@mutant
def dns_guesses_how_long_a_denial_holds(config: TapConfig) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        nothing = message.flags & dns.CODE == dns.NAME_ERROR and not message.authorities
        soa = dns.Record(b"\0", dns.SOA, 1, 300, bytes(18) + (300).to_bytes(4), ttl_at=2)
        return replace(message, authorities=(soa,)) if nothing else message

    return keeping(config, wrong)


@mutant
def dns_takes_a_referral_for_a_denial(config: TapConfig) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        changed = tuple(_said_by(each) if each.type == 2 else each for each in message.authorities)
        return replace(message, authorities=changed)

    return keeping(config, wrong)


@mutant
def dns_takes_an_alias_for_an_answer(config: TapConfig) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        return replace(
            message, answers=tuple(replace(each, type=dns.A) for each in message.answers)
        )

    return keeping(config, wrong)


def _minimal(config: TapConfig, minimum: int | None, ttl: int | None) -> VirtualTap:
    """Another minimum, or another time to live, of what denies."""

    def changed(record: dns.Record) -> dns.Record:
        if record.type != dns.SOA or len(record.data) < 22:
            return record
        data = record.data if minimum is None else record.data[:-4] + minimum.to_bytes(4)
        return replace(record, data=data, ttl=record.ttl if ttl is None else ttl)

    def wrong(message: Dns) -> Dns:
        return replace(message, authorities=tuple(map(changed, message.authorities)))

    return keeping(config, wrong)


@mutant
def dns_reads_no_minimum(config: TapConfig) -> VirtualTap:
    return _minimal(config, 1 << 30, None)


@mutant
def dns_reads_only_the_minimum(config: TapConfig) -> VirtualTap:
    return _minimal(config, None, 1 << 30)


@mutant
def dns_denies_in_full(config: TapConfig) -> VirtualTap:
    """The record of a denial is given as it came."""
    tap, ours = cache(config)
    keep = ours._keep

    def wrong(key: Any, message: Dns, data: bytes) -> None:
        keep(key, message, data)
        kept = ours._kept.get(key)
        if kept is not None and message.authorities:
            kept.ttls = ((message.authorities[0].ttl_at, message.authorities[0].ttl),)

    ours._keep = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dns_reads_short_denials(config: TapConfig) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        long = tuple(replace(each, data=each.data.ljust(22, b"\1")) for each in message.authorities)
        return replace(message, authorities=long)

    return keeping(config, wrong)
