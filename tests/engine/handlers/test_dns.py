"""The DNS cache, beside what the judge asks: its bounds, its counters, its ways. RFC 1035 7."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conformance.dns_server import (
    SERVER,
    SERVER6,
    answer,
    answered,
    asking,
    learned,
    passes,
    query,
    record,
    reply,
    start,
    told,
)
from sim.conformance.frames import frame, packet
from sim.conformance.script import OUR_MAC, PEER_MAC, US, US6, Script
from tests import strategies
from tests.builders import dropped
from virtualtap import SECOND, DropReason, VirtualTap
from virtualtap.passing import Passing
from virtualtap.wire import dns
from virtualtap.wire.ethernet import IPV6
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import DESTINATION_OPTIONS, Ipv6
from virtualtap.wire.udp import Udp


@pytest.fixture
def script():
    return start(Script(VirtualTap))


def cache_of(tap):
    service = tap._ipv4._services[dns.PORT]
    assert isinstance(service, Passing)
    return service._watcher


def test_questions_and_answers_are_counted(script):
    learned(script)
    for _ in range(3):
        answered(script)
    assert (script.tap.stats.dns_queries, script.tap.stats.dns_answered) == (4, 3)


def test_a_full_outbox_loses_the_answer_and_counts_it():
    script = start(Script(VirtualTap), outbox_max=1)
    learned(script)
    tap = script.tap
    assert [tap.ip_to_ethernet(query()) for _ in range(2)] == [None, None]
    assert (len(tap.take_packets()), dropped(tap, DropReason.OUTBOX_FULL)) == (1, 1)


def test_questions_under_way_have_a_limit():
    script = start(Script(VirtualTap), dns_entries_max=2)
    for port in (1, 2, 3):
        passes(script, query(port=port))
    told(script, reply(answer(asking()), port=1))  # the oldest is forgotten
    passes(script, query())


def test_a_question_that_is_repeated_takes_one_place():
    script = start(Script(VirtualTap), dns_entries_max=2)
    for _ in range(4):
        passes(script, query(port=1))
    passes(script, query(port=2))
    told(script, reply(answer(asking()), port=1))
    answered(script)


def test_an_answer_in_place_of_another_takes_no_other_s_place():
    script = start(Script(VirtualTap), dns_entries_max=2)
    learned(script)
    other = asking("other.example")
    passes(script, query(other))
    passes(script, query(asking("www.example", kind=dns.AAAA), port=9))  # pushes nothing kept out
    told(script, reply(answer(other, record("other.example"))))
    answered(script)
    answered(script, query(other))


def test_two_questions_at_once_are_one_answer():
    script = start(Script(VirtualTap), dns_entries_max=2)
    learned(script, record("www.example", 1))
    script.at(SECOND)
    passes(script, query(port=1))
    passes(script, query(port=2))
    for port in (1, 2):
        told(script, reply(answer(asking()), port=port))
    assert len(cache_of(script.tap)._kept) == 1


def test_an_answer_whose_letters_differ_is_not_kept(script):
    passes(script, query(asking("wWw.example")))
    told(script, reply(answer(asking("www.example"))))
    passes(script, query())


def test_only_whole_datagrams_are_looked_at(script):
    learned(script)
    asked = Ipv4.parse(query())
    for inside in (
        replace(asked, fragment=0x2000, payload=asked.payload[:24]),
        replace(asked, payload=asked.payload[:4]),
    ):
        script.host(inside.to_bytes())
        assert len(script.frames()) == 1


def test_a_datagram_behind_extension_headers_passes(script):
    message = asking()
    asked = Ipv6.parse(query(message, to=SERVER6))
    options = bytes((17, 0, 1, 4, 0, 0, 0, 0))
    longer = replace(asked, next_header=DESTINATION_OPTIONS, payload=options + asked.payload)
    script.host(longer.to_bytes()).expect(PEER_MAC + OUR_MAC + IPV6 + longer.to_bytes())
    short = replace(asked, payload=asked.payload[:4])
    script.host(short.to_bytes()).expect(PEER_MAC + OUR_MAC + IPV6 + short.to_bytes())


def test_a_message_that_cannot_be_read_passes_both_ways(script):
    asked = query(asking())
    for body in (b"", b"\0\7", asking().to_bytes()[:14]):
        inside = Ipv4.parse(asked)
        wrong = replace(inside, payload=_datagram(inside, body))
        passes(script, wrong.to_bytes())
    told(script, reply(b"\0\7"))


def _datagram(inside, body):
    return Udp(40000, dns.PORT, body).between(inside.source, inside.destination)


def test_other_packets_between_the_host_and_its_server_go_the_short_way(script):
    learned(script)
    ours, theirs = packet(SERVER), frame(packet(US, source=SERVER))
    for _ in range(2):
        script.host(ours).lan(theirs)
    script.forget()
    before = script.tap.stats.to_ethernet, script.tap.stats.to_ip
    script.tap._ipv4 = None  # the long way
    assert script.tap.ip_to_ethernet(ours) is not None
    assert script.tap.ethernet_to_ip(theirs) is not None
    after = script.tap.stats.to_ethernet, script.tap.stats.to_ip
    assert after == (before[0] + 1, before[1] + 1)


def test_the_bytes_kept_are_bounded():
    script = start(Script(VirtualTap), dns_entries_max=8)
    for number in range(40):
        asked = asking(f"{number}.example")
        passes(script, query(asked))
        told(script, reply(answer(asked, *(record(f"{number}.example"),) * 12)))
    kept = cache_of(script.tap)._kept.values()
    assert len(kept) == 8
    assert all(len(each.message) <= dns.UDP_LEN_MAX for each in kept)


@given(strategies.dnses, strategies.dnses, st.booleans())
def test_no_message_makes_the_cache_raise(asked, said, ipv6):
    script = start(Script(VirtualTap))
    to, back = (SERVER6, US6) if ipv6 else (SERVER, US)
    script.host(query(asked, to=to)).forget()
    script.lan(frame(reply(replace(said, id=asked.id), to=back)))
    script.lan(frame(reply(replace(said, id=asked.id, questions=asked.questions), to=back)))
    script.at(SECOND).host(query(asked, to=to))


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_bytes_make_the_cache_raise(asked, said):
    script = start(Script(VirtualTap))
    inside = Ipv4.parse(query())
    script.host(replace(inside, payload=_datagram(inside, asked)).to_bytes())
    script.lan(frame(reply(said)))


def test_of_two_questions_the_one_that_is_repeated_takes_the_place_it_had():
    script = start(Script(VirtualTap), dns_entries_max=2)
    for port in (1, 2, 2):
        passes(script, query(port=port))
    told(script, reply(answer(asking()), port=1))
    answered(script)


def test_of_two_answers_the_one_that_is_repeated_takes_the_place_it_had():
    script, other = start(Script(VirtualTap), dns_entries_max=2), asking("other.example")
    learned(script)
    for port in (1, 2):
        passes(script, query(other, port=port))
    for port in (1, 2):
        told(script, reply(answer(other, record("other.example")), port=port))
    answered(script)


def test_an_answer_that_is_given_is_no_drop(script):
    learned(script)
    answered(script)
    assert script.tap.stats.dropped_total == 0


@pytest.mark.parametrize(("kind", "is_kept"), [(0, False), (1, True), (127, True), (128, False)])
def test_types_from_1_to_127_are_kept(script, kind, is_kept):
    asked = asking(kind=kind)
    passes(script, query(asked))
    told(script, reply(answer(asked, record(type=kind))))
    assert len(cache_of(script.tap)._kept) == is_kept


@pytest.mark.parametrize(("ttl", "is_kept"), [(0x7FFFFFFF, True), (0x80000000, False)])
def test_the_longest_time_to_live_has_31_bits(script, ttl, is_kept):
    learned(script, record(ttl=ttl))
    assert len(cache_of(script.tap)._kept) == is_kept


@pytest.mark.parametrize("to", [SERVER, SERVER6])
def test_only_udp_is_a_question(script, to):
    if to == SERVER:
        looks = replace(Ipv4.parse(query()), protocol=6)
    else:
        looks = replace(Ipv6.parse(query(to=to)), next_header=6)
    script.host(looks.to_bytes())
    assert (len(script.frames()), script.tap.stats.dns_queries) == (1, 0)


def test_a_piece_is_no_question(script):
    asked = Ipv4.parse(query(asking("wwwwww.example")))
    assert len(asked.payload) % 8 == 0
    script.host(replace(asked, fragment=0x2000).to_bytes())
    assert (len(script.frames()), script.tap.stats.dns_queries) == (1, 0)


def test_an_answer_that_has_ended_leaves_its_place_to_others():
    script = start(Script(VirtualTap), dns_entries_max=2)
    first, brief, last = asking(), asking("brief.example"), asking("last.example")
    for asked, ttl in ((first, 300), (brief, 1)):
        passes(script, query(asked))
        told(script, reply(answer(asked, record(ttl=ttl))))
    script.at(SECOND)
    passes(script, query(brief, port=1))
    passes(script, query(last))
    told(script, reply(answer(last)))
    answered(script, query(first))


def test_an_answer_of_512_bytes_is_kept_and_a_longer_one_is_not(script):
    for spare, is_kept in ((1, False), (0, True)):
        filler = replace(record(), type=16, data=b"")
        room = dns.UDP_LEN_MAX - len(answer(asking(), record(), filler).to_bytes())
        said = answer(asking(), record(), replace(filler, data=bytes(room + spare)))
        passes(script, query())
        told(script, reply(said))
        assert len(cache_of(script.tap)._kept) == is_kept
