"""The DNS cache, what it does not keep, and denials: RFC 2308, RFC 5452, RFC 1035 4.1.1."""

from dataclasses import replace

from sim.conformance.dns_server import (
    DAY,
    PORT,
    SERVER6,
    answer,
    answered,
    asking,
    at,
    learned,
    passes,
    query,
    read,
    record,
    reply,
    soa,
    start,
    told,
)
from sim.conformance.registry import clause
from sim.conformance.script import OTHER, US6, Script
from virtualtap.units import SECOND
from virtualtap.wire import dns

NOBODY = dns.NAME_ERROR


def asked_again(tap: Script, said: bytes, asked: bytes | None = None) -> None:
    """That answer, given to the question, does not keep the server from being asked again."""
    start(tap)
    passes(tap, query() if asked is None else asked)
    told(tap, said)
    passes(tap, query() if asked is None else asked)


@clause("RFC 5452, 9.1", "an answer that nobody asked for is not kept")
def unasked_answer_is_not_kept(tap: Script) -> None:
    told(start(tap), reply(answer(asking())))
    passes(tap, query())


@clause("RFC 5452, 9.1", "an answer with another id is not kept")
def other_id_is_not_kept(tap: Script) -> None:
    asked_again(tap, reply(answer(asking(), id=8)))


@clause("RFC 5452, 9.1", "an answer to another port is not kept")
def other_port_is_not_kept(tap: Script) -> None:
    asked_again(tap, reply(answer(asking()), port=PORT + 1))


@clause("RFC 5452, 9.1", "an answer from another address than was asked is not kept")
def other_server_is_not_believed(tap: Script) -> None:
    asked_again(tap, reply(answer(asking()), by=OTHER))


@clause("RFC 5452, 9.1", "an answer to another question is not kept, neither for it nor for ours")
def other_question_is_not_kept(tap: Script) -> None:
    asked_again(tap, reply(answer(asking("bank.example"), record("bank.example"))))
    passes(tap, query(asking("bank.example")))


@clause("RFC 5452, 9.1", "an answer that repeats no question is not kept")
def missing_question_is_not_kept(tap: Script) -> None:
    asked_again(tap, reply(answer(asking(), questions=())))


@clause("RFC 1035, 4.1.1", "a message that is a question is no answer")
def question_is_no_answer(tap: Script) -> None:
    asked_again(tap, reply(answer(asking(), flags=0x0180)))


@clause("RFC 1035, 4.1.1", "a message of another operation is no answer")
def other_operation_is_no_answer(tap: Script) -> None:
    asked_again(tap, reply(answer(asking(), flags=0x9180)))


@clause("RFC 5452, 9.1", "the first answer is kept: one that comes after it changes nothing")
def second_answer_changes_nothing(tap: Script) -> None:
    said = learned(start(tap))
    told(tap, reply(answer(asking(), record(data=OTHER))))
    assert read(answered(tap)) == said


@clause("RFC 5452, 9.2", "an answer that comes when nobody waits any longer is not kept")
def late_answer_is_not_kept(tap: Script) -> None:
    start(tap)
    passes(tap, query())
    at(tap, 5 * SECOND)
    told(tap, reply(answer(asking())))
    passes(tap, query())


@clause("RFC 768", "an answer with a wrong checksum is not kept")
def wrong_checksum_is_not_kept(tap: Script) -> None:
    said = bytearray(reply(answer(asking())))
    said[-1] ^= 1
    asked_again(tap, bytes(said))


@clause("RFC 768", "over IPv4 an answer without a checksum is one")
def absent_checksum_is_allowed(tap: Script) -> None:
    said = bytearray(reply(answer(asking())))
    said[26:28] = b"\0\0"
    start(tap)
    passes(tap, query())
    told(tap, bytes(said))
    answered(tap)


@clause("RFC 8200, 8.1", "over IPv6 an answer without a checksum is none")
def absent_checksum_is_refused_in_ipv6(tap: Script) -> None:
    said = bytearray(reply(answer(asking()), to=US6))
    said[46:48] = b"\0\0"
    asked_again(tap, bytes(said), query(to=SERVER6))


@clause("RFC 2181, 9", "an answer that was cut short is not kept")
def truncated_answer_is_not_kept(tap: Script) -> None:
    asked_again(tap, reply(answer(asking(), flags=0x8380)))


@clause("RFC 1035, 2.3.4", "an answer of more than 512 bytes, which nobody agreed on, is not kept")
def long_answer_is_not_kept(tap: Script) -> None:
    asked_again(tap, reply(answer(asking(), *(record(),) * 20)))


@clause("RFC 6891, 6.1.1", "an answer with EDNS to a question without it is not kept")
def edns_that_was_not_asked_for_is_not_kept(tap: Script) -> None:
    option = record("", DAY, type=dns.OPT, of=1232, data=b"")
    asked_again(tap, reply(answer(asking(), additional=(option,))))


@clause("RFC 1035, 4.1.4", "an answer whose names point forward or in a circle is not kept")
def endless_name_is_not_kept(tap: Script) -> None:
    start(tap)
    for pointer in (b"\xc0\x1d", b"\xc0\xff", b"\xff\xff"):
        passes(tap, query())
        told(tap, reply(answer(asking(), replace(record(), name=pointer))))
    passes(tap, query())


@clause("RFC 1035, 4.1", "an answer with fewer records than it counts is not kept")
def short_answer_is_not_kept(tap: Script) -> None:
    start(tap)
    for length in (4, 14, 16):
        passes(tap, query())
        told(tap, reply(answer(asking()).to_bytes()[:-length]))
    passes(tap, query())


@clause("RFC 2308, 7", "that a server failed or refuses is not kept")
def failure_is_not_kept(tap: Script) -> None:
    start(tap)
    for code in (2, 5):
        passes(tap, query())
        told(tap, reply(answer(asking(), code=code, authorities=(soa(),))))
    passes(tap, query())


@clause("RFC 2308, 5", "that there is no such name is kept")
def missing_name_is_kept(tap: Script) -> None:
    said = learned(start(tap), code=NOBODY, authorities=(soa(),))
    assert read(answered(tap)) == said


@clause("RFC 2308, 5", "that a name has nothing of a type is kept")
def missing_type_is_kept(tap: Script) -> None:
    said = learned(start(tap), authorities=(soa(),))
    assert read(answered(tap)) == said


@clause("RFC 2308, 5", "a denial that does not say for how long it holds is not kept")
def endless_denial_is_not_kept(tap: Script) -> None:
    asked_again(tap, reply(answer(asking(), code=NOBODY)))


@clause("RFC 2308, 2.2", "who else may know is no denial, and not kept")
def referral_is_not_kept(tap: Script) -> None:
    server = record("example", type=2, data=dns.name("ns.example"))
    asked_again(tap, reply(answer(asking(), authorities=(server,))))


@clause("RFC 2308, 2.2", "an alias without what it leads to is no answer")
def alias_alone_is_not_kept(tap: Script) -> None:
    alias = record(type=dns.CNAME, data=dns.name("web.example"))
    asked_again(tap, reply(answer(asking(), alias)))


@clause("RFC 2308, 5", "a denial holds as long as the minimum of its zone")
def denial_holds_for_the_minimum(tap: Script) -> None:
    learned(start(tap), code=NOBODY, authorities=(soa(3600, 60),))
    at(tap, 60 * SECOND - 1)
    answered(tap)
    at(tap, 60 * SECOND)
    passes(tap, query())


@clause("RFC 2308, 5", "a denial holds no longer than the record that says so")
def denial_holds_as_long_as_its_record(tap: Script) -> None:
    learned(start(tap), code=NOBODY, authorities=(soa(60, 3600),))
    at(tap, 60 * SECOND)
    passes(tap, query())


@clause("RFC 2308, 6", "a denial is given again with less time, of the minimum")
def denial_is_counted_down(tap: Script) -> None:
    learned(start(tap), code=NOBODY, authorities=(soa(3600, 60),))
    at(tap, 20 * SECOND)
    assert read(answered(tap)).authorities == (soa(40, 60),)


@clause("RFC 2308, 5", "no denial is believed for more than three hours")
def three_hours_are_enough(tap: Script) -> None:
    learned(start(tap), code=NOBODY, authorities=(soa(DAY, DAY),))
    at(tap, 3 * 3600 * SECOND - 1)
    answered(tap)
    at(tap, 3 * 3600 * SECOND)
    passes(tap, query())


@clause("RFC 2308, 3", "a denial whose record is cut short is not kept")
def short_denial_is_not_kept(tap: Script) -> None:
    short = replace(soa(), data=soa().data[:21])
    asked_again(tap, reply(answer(asking(), code=NOBODY, authorities=(short,))))
