"""DNS messages and the names in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import vector
from virtualtap import WireError, ip
from virtualtap.wire import dns
from virtualtap.wire.dns import Dns, Question, Record

HOST = dns.name("SRI-NIC.ARPA")
ANSWER = Dns(
    0,
    dns.IS_ANSWER | dns.AUTHORITATIVE,
    (Question(HOST, dns.A),),
    tuple(
        Record(HOST, dns.A, dns.INTERNET, 86_400, ip(address))
        for address in ("26.0.0.73", "10.0.0.51")
    ),
)
HEADER = bytes.fromhex("0007 0100 0001 0000 0000 0000")


def question(name: bytes) -> bytes:
    return HEADER + name + b"\0\1\0\1"


def test_the_answer_of_rfc_1034_is_read():
    assert Dns.parse(vector("dns_answer")) == ANSWER


def test_where_its_times_to_live_stand_is_noted():
    data = vector("dns_answer")
    found = [record.ttl_at for record in Dns.parse(data).answers]
    assert [data[at : at + 4] for at in found] == [(86_400).to_bytes(4)] * 2


def test_the_answer_of_rfc_1034_is_written_without_pointers():
    assert ANSWER.to_bytes() == vector("dns_answer").replace(b"\xc0\x0c", HOST)


@given(strategies.dnses)
def test_what_is_written_is_read_back(message):
    assert message == Dns.parse(message.to_bytes())


@given(strategies.dnses, st.binary(max_size=8))
def test_what_stands_behind_a_message_is_not_read(message, tail):
    assert message == Dns.parse(message.to_bytes() + tail)


@given(
    st.binary(max_size=200) | strategies.dnses.map(lambda message: message.to_bytes()), st.data()
)
def test_any_bytes_are_a_message_or_a_wire_error(data, draw):
    at = draw.draw(st.integers(0, len(data)))
    for changed in (data, data[:at], data[:at] + b"\xc0" + data[at + 1 :]):
        try:
            Dns.parse(changed)
        except WireError:
            continue


@pytest.mark.parametrize("length", [0, 11])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 12 bytes, got {length}"):
        Dns.parse(bytes(length))


def test_every_cut_of_a_message_is_a_wire_error():
    data = vector("dns_answer")
    for length in range(len(data)):
        with pytest.raises(WireError):
            Dns.parse(data[:length])


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # to itself
        b"\xc0\x0e\xc0\x0c",  # forward
        b"\1a\xc0\x0c",  # round and round
        b"\xff\xff",
        b"\x40" + bytes(64),  # a label of 64 bytes, or of another kind
        b"\x80" + bytes(64),
        (b"\x3f" + b"a" * 63) * 4 + b"\0",  # 257 bytes
    ],
    ids=["itself", "forward", "circle", "beyond", "long label", "other kind", "long name"],
)
def test_a_name_that_cannot_be_is_a_wire_error(name):
    with pytest.raises(WireError, match="a DNS name"):
        Dns.parse(question(name))


def test_the_longest_name_is_read():
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\0"
    assert len(longest) == dns.NAME_LEN_MAX
    assert Dns.parse(question(longest)).questions[0].name == longest


def test_pointers_may_lead_to_pointers_as_long_as_they_lead_back():
    first, second = b"\1a\0", b"\1b\xc0\x0c"
    data = HEADER[:4] + b"\0\3" + HEADER[6:] + first + b"\0\1\0\1" + second + b"\0\1\0\1"
    data += b"\1c\xc0\x13" + b"\0\1\0\1"
    assert [each.name for each in Dns.parse(data).questions] == [
        dns.name("a"),
        dns.name("b.a"),
        dns.name("c.b.a"),
    ]


def test_the_same_question_has_the_same_key():
    assert Question(dns.name("WWW.Example"), 1).key == Question(dns.name("www.example"), 1).key
    assert Question(dns.name("www.example"), 1).key != Question(dns.name("www.example"), 28).key


def test_a_soa_record_says_its_minimum():
    record = Record(b"\0", dns.SOA, dns.INTERNET, 1, bytes(18) + (60).to_bytes(4))
    assert record.minimum() == 60


def test_a_soa_record_cut_short_is_a_wire_error():
    with pytest.raises(WireError, match="needs 22 bytes, got 21"):
        Record(b"\0", dns.SOA, dns.INTERNET, 1, bytes(21)).minimum()


def test_a_name_is_too_long_with_its_end():
    name = (b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"b" * 62 + b"\0"
    assert len(name) == dns.NAME_LEN_MAX + 1
    with pytest.raises(WireError, match="a DNS name"):
        Dns.parse(question(name))


def test_what_follows_a_pointer_to_a_pointer_stands_behind_the_first():
    first, second, third = b"\1a\0", b"\xc0\x0c", b"\xc0\x13"
    data = HEADER[:4] + b"\0\3" + HEADER[6:] + first + b"\0\1\0\1" + second + b"\0\2\0\1"
    read = Dns.parse(data + third + b"\0\3\0\1").questions
    assert [(each.name, each.type) for each in read] == [(first, 1), (first, 2), (first, 3)]
