"""Wrong DNS caches: what they keep, for how long, and what they answer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.mutants import mutant
from sim.conformance.wrong_caches import (
    answering,
    asking,
    cache,
    closed,
    hearing,
    keeping,
    opened,
    reading,
    saying,
    told,
)
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import dns
from virtualtap.wire.dns import Dns, Record
from virtualtap.wire.udp import Udp


@mutant
def dns_keeps_nothing(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda packet, ours: None)


@mutant
def dns_is_always_there(config: TapConfig) -> VirtualTap:
    return cache(config, dns_cache=True)[0]


@mutant
def dns_answers_with_an_old_id(config: TapConfig) -> VirtualTap:
    return saying(config, lambda data: b"\0\7" + data[2:])


@mutant
def dns_answers_from_nowhere(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes) -> bytes:
        inside, datagram = opened(packet)
        return closed(replace(inside, source=inside.destination), datagram)

    return answering(config, wrong)


@mutant
def dns_answers_to_an_old_port(config: TapConfig) -> VirtualTap:
    def wrong(packet: bytes) -> bytes:
        inside, datagram = opened(packet)
        return closed(inside, replace(datagram, destination_port=40000))

    return answering(config, wrong)


@mutant
def dns_spares_the_checksum(config: TapConfig) -> VirtualTap:
    return answering(
        config, lambda packet: packet[:26] + b"\0\0" + packet[28:] if packet[0] == 0x45 else packet
    )


@mutant
def dns_spares_the_checksum_in_ipv6(config: TapConfig) -> VirtualTap:
    return answering(
        config, lambda packet: packet[:46] + b"\0\0" + packet[48:] if packet[0] == 0x60 else packet
    )


@mutant
def dns_sums_wrong(config: TapConfig) -> VirtualTap:
    return answering(
        config, lambda packet: packet[:26] + b"\1\2" + packet[28:] if packet[0] == 0x45 else packet
    )


@mutant
def dns_knows_no_ipv6(config: TapConfig) -> VirtualTap:
    tap, _ = cache(config)
    tap._ipv6._services = {}
    return tap


def _aged(config: TapConfig, age: int | None) -> VirtualTap:
    """Everything is answered as if it were so old."""
    tap, ours = cache(config)
    answer = ours._answer

    def wrong(asked: Any, datagram: Udp, kept: Any) -> None:
        since = tap._core.now if age is None else kept.since - age
        answer(asked, datagram, replace(kept, since=since))

    ours._answer = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dns_never_counts_down(config: TapConfig) -> VirtualTap:
    return _aged(config, None)


@mutant
def dns_counts_from_the_first_second(config: TapConfig) -> VirtualTap:
    return _aged(config, SECOND)


@mutant
def dns_counts_only_answers(config: TapConfig) -> VirtualTap:
    tap, ours = cache(config)
    keep = ours._keep

    def wrong(key: Any, message: Dns, data: bytes) -> None:
        keep(key, message, data)
        kept = ours._kept.get(key)
        if kept is not None:
            answers = {record.ttl_at for record in message.answers}
            kept.ttls = tuple(ttl for ttl in kept.ttls if ttl[0] in answers)

    ours._keep = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def _lasting(config: TapConfig, longer: int) -> VirtualTap:
    """Everything is kept for so much longer."""
    tap, ours = cache(config)
    keep = ours._keep

    def wrong(key: Any, message: Dns, data: bytes) -> None:
        keep(key, message, data)
        kept = ours._kept.get(key)
        if kept is not None:
            kept.until += longer

    ours._keep = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dns_keeps_what_is_over(config: TapConfig) -> VirtualTap:
    return _lasting(config, 1)


@mutant
def dns_gives_up_a_second_early(config: TapConfig) -> VirtualTap:
    return _lasting(config, -SECOND)


@mutant
def dns_never_renews(config: TapConfig) -> VirtualTap:
    tap, ours = cache(config)
    keep, seen = ours._keep, set()

    def wrong(key: Any, message: Dns, data: bytes) -> None:
        if key not in seen:
            keep(key, message, data)
        seen.add(key)

    ours._keep = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dns_believes_the_longest_record(config: TapConfig) -> VirtualTap:
    return keeping(
        config,
        lambda message: told(message, lambda record: replace(record, ttl=record.ttl and 300)),
    )


@mutant
def dns_keeps_zero(config: TapConfig) -> VirtualTap:
    def wrong(record: Record) -> Record:
        return replace(record, ttl=record.ttl or 300)

    return keeping(config, lambda message: told(message, wrong))


@mutant
def dns_reads_the_top_bit(config: TapConfig) -> VirtualTap:
    def wrong(record: Record) -> Record:
        return replace(record, ttl=record.ttl & 0x7FFFFFFF)

    return keeping(config, lambda message: told(message, wrong))


@mutant
def dns_keeps_for_weeks(config: TapConfig) -> VirtualTap:
    return cache(config, dns_ttl_max=1 << 62)[0]


@mutant
def dns_denies_for_a_day(config: TapConfig) -> VirtualTap:
    return cache(config, dns_negative_ttl_max=1 << 62)[0]


@mutant
def dns_minds_the_case(config: TapConfig) -> VirtualTap:
    lower = dns.name("www.example")

    def wrong(data: bytes) -> bytes:
        has_capitals = lower in data.lower() and lower not in data
        return data[:12] + b"\1" + data[13:] if has_capitals else data

    return asking(config, wrong)


@mutant
def dns_writes_its_own_letters(config: TapConfig) -> VirtualTap:
    return saying(config, lambda data: data[:12] + data[12:].lower())


@mutant
def dns_expands_names(config: TapConfig) -> VirtualTap:
    return saying(config, lambda data: Dns.parse(data).to_bytes())


def _keyed(config: TapConfig, change: Callable[[Any], Any]) -> VirtualTap:
    """Questions are the same for which `change` of the key is."""
    tap, ours = cache(config)

    class Kept(dict[Any, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            return next((self[each] for each in self if change(each) == change(key)), default)

    ours._kept = Kept()
    return tap


@mutant
def dns_looks_at_no_name(config: TapConfig) -> VirtualTap:
    return _keyed(config, lambda key: (*key[:3], key[3][-4:]))


@mutant
def dns_looks_at_no_type(config: TapConfig) -> VirtualTap:
    return _keyed(config, lambda key: (*key[:3], key[3][:-4]))


@mutant
def dns_looks_at_no_class(config: TapConfig) -> VirtualTap:
    return _keyed(config, lambda key: (*key[:3], key[3][:-2]))


@mutant
def dns_looks_at_no_server(config: TapConfig) -> VirtualTap:
    return _keyed(config, lambda key: (key[0], *key[2:]))


@mutant
def dns_looks_at_no_flags(config: TapConfig) -> VirtualTap:
    return _keyed(config, lambda key: (*key[:2], key[3]))


@mutant
def dns_claims_authority(config: TapConfig) -> VirtualTap:
    return saying(config, lambda data: data[:2] + bytes((data[2] | 4,)) + data[3:])


@mutant
def dns_always_offers_recursion(config: TapConfig) -> VirtualTap:
    return saying(config, lambda data: data[:3] + bytes((data[3] | 0x80,)) + data[4:])


@mutant
def dns_keeps_no_alias(config: TapConfig) -> VirtualTap:
    def wrong(message: Dns) -> Dns:
        aliases = any(record.type == dns.CNAME for record in message.answers)
        return replace(message, answers=()) if aliases else message

    return keeping(config, wrong)


@mutant
def dns_answers_for_all_types(config: TapConfig) -> VirtualTap:
    return _typed(config, 255, 99)


def _typed(config: TapConfig, this: int, instead: int) -> VirtualTap:
    """One type is taken for another, in questions and answers."""

    def wrong(data: bytes) -> bytes:
        return data.replace(this.to_bytes(2) + b"\0\1", instead.to_bytes(2) + b"\0\1")

    tap, ours = cache(config)
    sent, heard = ours.sent, ours.heard

    def changed(packet: bytes) -> bytes:
        inside, datagram = opened(packet)
        return closed(inside, replace(datagram, payload=wrong(datagram.payload)))

    ours.sent = lambda packet: None if sent(changed(packet)) is None else packet  # type: ignore[method-assign]  # a mutant
    ours.heard = lambda packet: heard(changed(packet))  # type: ignore[method-assign]  # a mutant
    return tap


def _first_question(data: bytes) -> bytes:
    message = Dns.parse(data)
    return replace(message, questions=message.questions[:1]).to_bytes()


@mutant
def dns_reads_only_the_first_question(config: TapConfig) -> VirtualTap:
    tap, ours = cache(config)
    sent, heard = ours.sent, ours.heard

    def changed(packet: bytes) -> bytes:
        inside, datagram = opened(packet)
        return closed(inside, replace(datagram, payload=_first_question(datagram.payload)))

    def wrong(packet: bytes) -> None:
        if opened(packet)[1].payload[4:6] == b"\0\2":
            heard(changed(packet))
        else:
            heard(packet)

    ours.sent = lambda packet: None if sent(changed(packet)) is None else packet  # type: ignore[method-assign]  # a mutant
    ours.heard = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dns_takes_any_operation_for_a_query(config: TapConfig) -> VirtualTap:
    return asking(config, lambda data: data[:2] + bytes((data[2] & 0x87,)) + data[3:])


@mutant
def dns_takes_any_operation_for_an_answer(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data: data[:2] + bytes((data[2] & 0x87,)) + data[3:])
