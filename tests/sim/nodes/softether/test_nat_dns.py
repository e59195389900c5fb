"""SecureNAT and names: relayed DNS, answered LLMNR. Facts 2.8, 2.10."""

import pytest

from sim.nodes.outside import resolved
from tests.sim.nodes.softether.nats import FAR, HOST, ME, OTHER, SITE, Trial, framed, udp
from virtualtap.units import MS, SECOND
from virtualtap.wire import dns, ipv4
from virtualtap.wire.address import ip
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

NAMES = {"www.example.org": FAR}
TO_LLMNR = b"\x01\x00\x5e\x00\x00\xfc"


def query(name: str, kind: int = 1, flags: bytes = b"\x01\x00", klass: int = 1) -> bytes:
    head = b"\x12\x34" + flags + b"\0\1" + bytes(6)
    return head + dns.name(name) + kind.to_bytes(2) + klass.to_bytes(2)


def from_resolver(port: int, payload: bytes, own: int = 53) -> bytes:
    body = Udp(own, port, payload).between(SITE.resolver, SITE.ip)
    return Ipv4(SITE.resolver, SITE.ip, ipv4.UDP, body).to_bytes()


def asks_all(trial: Trial, payload: bytes) -> list[Ipv4]:
    trial.say(framed(udp(ip("224.0.0.252"), 5355, payload), to=TO_LLMNR))
    return [Ipv4.parse(one) for one in trial.nat.take_outside()]


def test_a_query_to_the_host_reaches_the_servers_resolver_as_it_is():
    asked = query("www.example.org")
    (sent,) = Trial().left(udp(HOST, 53, asked))
    datagram = Udp.parse(sent.payload)
    assert (sent.source, sent.destination) == (SITE.ip, SITE.resolver)
    assert (datagram.destination_port, datagram.payload) == (53, asked)


def test_the_answer_comes_from_the_host():
    trial = Trial()
    (sent,) = trial.left(udp(HOST, 53, query("www.example.org")))
    port = Udp.parse(sent.payload).source_port
    assert trial.came(from_resolver(port, b"answer", own=54)) == []  # here the port counts
    (got,) = trial.came(from_resolver(port, b"answer"))
    assert (got.source, got.destination) == (HOST, ME)
    assert Udp.parse(got.payload) == Udp(53, 5000, b"answer", Udp.parse(got.payload).checksum)


def test_nothing_is_cached():
    trial = Trial()
    (sent,) = trial.left(udp(HOST, 53, query("www.example.org")))
    trial.came(from_resolver(Udp.parse(sent.payload).source_port, b"answer"))
    assert len(trial.left(udp(HOST, 53, query("www.example.org")))) == 1


def test_a_query_is_remembered_as_long_as_any_datagram():
    trial = Trial()
    trial.left(udp(HOST, 53, query("www.example.org")))
    trial.said(60 * SECOND - 1)
    assert len(trial.nat.nat) == 1
    trial.said(60 * SECOND)
    assert len(trial.nat.nat) == 0


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [("www.example.org", 1, FAR), ("9.100.51.198.in-addr.arpa", 12, dns.name("www.example.org"))],
)
def test_a_question_to_all_is_answered_from_the_resolver_for_1200_s(name, kind, data):
    trial = Trial()
    asked = query(name, kind, flags=b"\0\0")
    (sent,) = asks_all(trial, asked)
    datagram = Udp.parse(sent.payload)
    assert (sent.destination, datagram.destination_port) == (SITE.resolver, 53)
    answer = resolved(datagram.payload, NAMES)
    (got,) = trial.came(from_resolver(datagram.source_port, answer))
    body = Udp.parse(got.payload)
    assert (got.source, got.destination, body.source_port) == (HOST, ME, 5355)
    assert body.payload[:12] == b"\x12\x34\x80\0\0\1\0\1" + bytes(4)
    assert body.payload[12 : len(asked)] == asked[12:]
    tail = b"\xc0\x0c" + kind.to_bytes(2) + b"\0\1" + (1200).to_bytes(4)
    assert body.payload[len(asked) :] == tail + len(data).to_bytes(2) + data


def test_a_name_that_nobody_knows_is_not_answered():
    trial = Trial()
    (sent,) = asks_all(trial, query("nobody.example.org", flags=b"\0\0"))
    datagram = Udp.parse(sent.payload)
    answer = resolved(datagram.payload, NAMES)
    assert answer[3] & 15 == 3
    assert trial.came(from_resolver(datagram.source_port, answer)) == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        query("x", 28),
        query("x", klass=3),
        query("x", flags=b"\x80\0"),
        query("x")[:-1],
        b"\x12\x34\0\0\0\1" + bytes(6) + b"\xc0\x0c\0\1\0\1",
    ],
)
def test_only_a_and_ptr_questions_are_asked(payload):
    assert asks_all(Trial(), payload) == []


def test_the_resolver_has_512_ms():
    trial = Trial()
    (sent,) = asks_all(trial, query("www.example.org", flags=b"\0\0"))
    datagram = Udp.parse(sent.payload)
    trial.said(512 * MS)
    late = from_resolver(datagram.source_port, resolved(datagram.payload, NAMES))
    assert trial.came(late, 512 * MS) == []


def test_questions_to_all_share_the_room_of_queries():
    trial = Trial()
    trial.nat.nat._more = lambda: 5000
    assert asks_all(trial, query("www.example.org", flags=b"\0\0")) == []
    assert trial.left(udp(HOST, 53)) == []
    assert OTHER != ME
