"""The DNS cache, what it answers and for how long: RFC 1035 3.2, 4.1, 7, RFC 2181, RFC 4343."""

from dataclasses import replace

from sim.conformance.dns_server import (
    ADDRESS,
    DAY,
    PORT,
    RA,
    RD,
    SERVER,
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
    start,
    told,
)
from sim.conformance.frames import arp_request
from sim.conformance.packets import segment, tcp4
from sim.conformance.registry import clause
from sim.conformance.script import OTHER, OTHER_MAC, US, US6, Script
from virtualtap.units import SECOND
from virtualtap.wire import checksum, dns, udp
from virtualtap.wire.dns import Question
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp


@clause("RFC 1035, 7.4", "what a server answered is answered again, and the server not asked")
def repeated_question_is_answered(tap: Script) -> None:
    said = learned(start(tap))
    assert read(answered(tap)) == said


@clause("RFC 1035, 7.4", "without the cache every question goes to the server")
def without_a_cache_all_questions_leave(tap: Script) -> None:
    learned(start(tap, dns_cache=False))
    passes(tap, query())


@clause("RFC 1035, 4.1.1", "the answer has the id of the question")
def answer_has_the_id_of_the_question(tap: Script) -> None:
    learned(start(tap))
    assert read(answered(tap, query(asking(id=0xBEEF)))).id == 0xBEEF


@clause("RFC 768", "the answer comes from where the question went, to the port that asked")
def answer_goes_back_where_it_was_asked(tap: Script) -> None:
    learned(start(tap))
    inside = Ipv4.parse(answered(tap, query(port=51234)))
    datagram = Udp.parse(inside.payload)
    assert (inside.source, inside.destination) == (SERVER, US)
    assert (datagram.source_port, datagram.destination_port) == (dns.PORT, 51234)


@clause("RFC 768", "the checksum of an answer is right")
def answer_s_checksum_is_right(tap: Script) -> None:
    learned(start(tap))
    inside = Ipv4.parse(answered(tap))
    assert any(inside.payload[udp.CHECKSUM_AT : 8]), "no checksum"
    assert checksum.transport_is_right(SERVER, US, udp.PROTOCOL, inside.payload)


@clause("RFC 8200, 8.1", "over IPv6 it is the same, the checksum never left out")
def ipv6_question_is_answered(tap: Script) -> None:
    start(tap)
    passes(tap, query(to=SERVER6))
    told(tap, reply(answer(asking()), to=US6))
    inside = Ipv6.parse(answered(tap, query(to=SERVER6)))
    assert (inside.source, inside.destination) == (SERVER6, US6)
    assert any(inside.payload[udp.CHECKSUM_AT : 8]), "no checksum"
    assert checksum.transport_is_right(SERVER6, US6, udp.PROTOCOL, inside.payload)


@clause("RFC 1035, 3.2.1", "time that passed is taken from the time to live")
def time_to_live_is_counted_down(tap: Script) -> None:
    learned(start(tap))
    at(tap, 100 * SECOND)
    assert read(answered(tap)).answers == (record(ttl=200),)


@clause("RFC 1035, 3.2.1", "in its last second an answer is still given")
def last_second_is_used(tap: Script) -> None:
    learned(start(tap))
    at(tap, 300 * SECOND - 1)
    assert read(answered(tap)).answers == (record(ttl=1),)


@clause("RFC 1035, 3.2.1", "what is over is asked for again")
def what_is_over_is_asked_again(tap: Script) -> None:
    learned(start(tap))
    at(tap, 300 * SECOND)
    passes(tap, query())


@clause("RFC 1035, 3.2.1", "asked for again, an answer is counted from its new beginning")
def new_answer_begins_anew(tap: Script) -> None:
    learned(start(tap))
    at(tap, 400 * SECOND)
    learned(tap)
    at(tap, 600 * SECOND)
    assert read(answered(tap)).answers == (record(ttl=100),)


@clause("RFC 2181, 5.2", "the record that ends first ends the answer")
def shortest_record_ends_the_answer(tap: Script) -> None:
    learned(start(tap), record(), record(ttl=60))
    at(tap, 60 * SECOND)
    passes(tap, query())


@clause("RFC 1035, 4.1", "records that nobody asked for count, too: each has less time left")
def every_record_is_counted_down(tap: Script) -> None:
    server = record("ns.example", 200)
    learned(start(tap), record(), authorities=(server,), additional=(server,))
    at(tap, 50 * SECOND)
    said = read(answered(tap))
    assert [each.ttl for each in (*said.authorities, *said.additional)] == [150, 150]
    at(tap, 200 * SECOND)
    passes(tap, query())


@clause("RFC 1035, 3.2.1", "a time to live of zero is for this one answer")
def zero_is_not_kept(tap: Script) -> None:
    learned(start(tap), record(ttl=0))
    passes(tap, query())


@clause("RFC 2181, 8", "a time to live with its top bit set is zero")
def top_bit_means_zero(tap: Script) -> None:
    learned(start(tap), record(ttl=0x80000000 + 300))
    passes(tap, query())


@clause("RFC 2181, 8", "no answer is kept longer than a limit of ours: a day")
def a_day_is_enough(tap: Script) -> None:
    learned(start(tap), record(ttl=7 * DAY))
    at(tap, DAY * SECOND - 1)
    assert read(answered(tap)).answers == (record(ttl=6 * DAY + 1),)
    at(tap, DAY * SECOND)
    passes(tap, query())


@clause("RFC 4343, 3", "a name in other letters is the same name")
def case_does_not_matter(tap: Script) -> None:
    learned(start(tap))
    answered(tap, query(asking("WWW.Example")))


@clause("RFC 4343, 4.1", "the answer repeats the question letter by letter")
def letters_are_the_asker_s(tap: Script) -> None:
    learned(start(tap))
    asked = asking("wWw.eXample")
    assert read(answered(tap, query(asked))).questions == asked.questions


@clause("RFC 1035, 4.1.4", "a name that points to the question still does")
def pointers_stay_right(tap: Script) -> None:
    start(tap)
    passes(tap, query())
    compressed = replace(record(), name=b"\xc0\x0c")
    told(tap, reply(answer(asking(), compressed)))
    assert answered(tap)[28:] == answer(asking(), compressed).to_bytes()


@clause("RFC 1035, 4.1.2", "another name, type or class is another question")
def other_questions_are_asked(tap: Script) -> None:
    learned(start(tap))
    passes(tap, query(asking("ww.example")))
    passes(tap, query(asking(kind=dns.AAAA)))
    passes(tap, query(asking(questions=(Question(dns.name("www.example"), dns.A, 3),))))


@clause("RFC 1035, 7.4", "another server may know otherwise: it is asked")
def other_server_is_asked(tap: Script) -> None:
    learned(start(tap))
    tap.lan(arp_request(by=OTHER, at=OTHER_MAC)).forget()
    passes(tap, query(to=OTHER))


@clause("RFC 1035, 4.1.1", "a question that wants no recursion, or no checks, is another question")
def flags_belong_to_the_question(tap: Script) -> None:
    learned(start(tap))
    passes(tap, query(asking(flags=0)))
    passes(tap, query(asking(flags=RD | 0x10)))


@clause("RFC 1035, 4.1.1", "what the cache says is not from the authority")
def cache_is_no_authority(tap: Script) -> None:
    flags = dns.IS_ANSWER | dns.AUTHORITATIVE | RD | RA
    learned(start(tap), flags=flags)
    assert read(answered(tap)).flags == dns.IS_ANSWER | RD | RA


@clause("RFC 1035, 4.1.1", "whether recursion is offered and asked for is said as the server did")
def recursion_flags_are_kept(tap: Script) -> None:
    start(tap)
    asked = asking(flags=0)
    passes(tap, query(asked))
    told(tap, reply(answer(asked, flags=dns.IS_ANSWER)))
    assert read(answered(tap, query(asked))).flags == dns.IS_ANSWER


@clause("RFC 1035, 3.6.2", "an alias and what it leads to are kept together")
def alias_is_kept_with_its_address(tap: Script) -> None:
    alias = record(type=dns.CNAME, data=dns.name("web.example"))
    said = learned(start(tap), alias, record("web.example"))
    assert read(answered(tap)) == said


@clause("RFC 6895, 3.1", "a question for all types at once is not answered from what is known")
def any_type_is_asked_for(tap: Script) -> None:
    start(tap)
    asked = asking(kind=255)
    passes(tap, query(asked))
    told(tap, reply(answer(asked, record(type=255))))
    passes(tap, query(asked))


@clause("RFC 1035, 4.1.1", "two questions in a message are passed on")
def two_questions_are_passed_on(tap: Script) -> None:
    start(tap)
    asked = asking(questions=asking().questions * 2)
    passes(tap, query(asked))
    told(tap, reply(answer(asked)))
    passes(tap, query(asked))


@clause("RFC 1035, 4.1.1", "other operations than a query are passed on")
def other_operations_are_passed_on(tap: Script) -> None:
    learned(start(tap))
    status = asking(flags=RD | 2 << 11)
    passes(tap, query(status))
    told(tap, reply(answer(status, flags=0x9180)))
    passes(tap, query(status))


@clause("RFC 6891, 6.2.1", "a question with EDNS is passed on: what it says is between those two")
def edns_is_passed_on(tap: Script) -> None:
    learned(start(tap))
    option = record("", 0, type=dns.OPT, of=1232, data=b"")
    asked = asking(additional=(option,))
    passes(tap, query(asked))
    told(tap, reply(answer(asked, record(ttl=250), additional=(option,))))
    passes(tap, query(asked))
    assert read(answered(tap)).answers == (record(),)


@clause("RFC 1035, 4.2.2", "what goes to port 53 by TCP is passed on")
def tcp_is_passed_on(tap: Script) -> None:
    learned(start(tap))
    message = asking().to_bytes()
    ports = PORT.to_bytes(2) + dns.PORT.to_bytes(2)
    inside = ports + segment(b"", flags=16, payload=message)[4:]
    passes(tap, tcp4(inside, US, SERVER))


@clause("RFC 768", "a question with a wrong checksum is passed on as it is")
def wrong_question_is_passed_on(tap: Script) -> None:
    learned(start(tap))
    asked = bytearray(query())
    asked[26] ^= 1
    passes(tap, bytes(asked))


@clause("RFC 1035, 7.4", "an answer is kept after others: the oldest makes room")
def oldest_answer_makes_room(tap: Script) -> None:
    start(tap, dns_entries_max=2)
    for number in range(3):
        asked = asking(f"{number}.example")
        passes(tap, query(asked))
        told(tap, reply(answer(asked, record(f"{number}.example"))))
    for number in (2, 1):
        answered(tap, query(asking(f"{number}.example")))
    passes(tap, query(asking("0.example")))


@clause("RFC 1035, 3.4.1", "the address itself is what the server said")
def address_is_the_server_s(tap: Script) -> None:
    learned(start(tap), record(data=US))
    assert [each.data for each in read(answered(tap)).answers] == [US] != [ADDRESS]
