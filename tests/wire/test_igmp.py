"""IGMP of all three versions."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import vector
from virtualtap import WireError, ip
from virtualtap.wire import checksum, igmp
from virtualtap.wire.igmp import Igmp, IgmpQuery, IgmpReport, Record

SSDP, MDNS = ip("239.255.255.250"), ip("224.0.0.251")
SOURCES = (ip("192.0.2.1"), ip("192.0.2.2"))
LINUX = vector("ipv4_router_alert")[24:]
VECTORS = [
    (vector("igmp_report2"), Igmp(igmp.REPORT2, MDNS)),
    (vector("igmp_query"), IgmpQuery(SSDP, SOURCES)),
    (
        vector("igmp_report_sources"),
        IgmpReport((Record(igmp.IS_INCLUDE, SSDP, SOURCES[:1]),)),
    ),
    (LINUX, IgmpReport((Record(igmp.TO_EXCLUDE, ip("224.0.0.106")),))),
]
KINDS = ["report of version 2", "query", "report", "report of Linux"]


@pytest.mark.parametrize(("data", "message"), VECTORS, ids=KINDS)
def test_what_others_wrote_is_read(data, message):
    found = type(message).parse(data)
    assert igmp.summed(message) == igmp.summed(found) == found.to_bytes()


@pytest.mark.parametrize(("data", "message"), VECTORS, ids=KINDS)
def test_it_is_written_as_others_write_it(data, message):
    assert data == igmp.summed(message)


@given(strategies.igmps | strategies.igmp_queries | strategies.igmp_reports)
def test_what_is_written_is_read_back(message):
    assert message == type(message).parse(message.to_bytes())


@given(strategies.igmps | strategies.igmp_queries | strategies.igmp_reports)
def test_a_summed_message_sums_to_zero(message):
    assert checksum.is_right(igmp.summed(message))


@pytest.mark.parametrize(("kind", "least"), [(Igmp, 8), (IgmpQuery, 12), (IgmpReport, 8)])
def test_short_bytes_are_a_wire_error(kind, least):
    with pytest.raises(WireError, match=f"needs {least} bytes"):
        kind.parse(b"\x11" * (least - 1))


@pytest.mark.parametrize("kind", [IgmpQuery, IgmpReport])
def test_another_type_is_a_wire_error(kind):
    with pytest.raises(WireError, match="of type"):
        kind.parse(b"\x16" + bytes(20))


@pytest.mark.parametrize("message", [message for _, message in VECTORS], ids=KINDS)
def test_padding_is_ignored(message):
    data = message.to_bytes()
    assert type(message).parse(data) == type(message).parse(data + bytes(30))


def test_missing_sources_are_a_wire_error():
    with pytest.raises(WireError, match="2 addresses need 20 bytes, got 16"):
        IgmpQuery.parse(vector("igmp_query")[:16])


@pytest.mark.parametrize("cut", [1, 4, 8, 12, 14])
def test_a_record_that_is_cut_is_a_wire_error(cut):
    record = Record(igmp.IS_INCLUDE, SSDP, SOURCES[:1], bytes(4))
    with pytest.raises(WireError):
        IgmpReport.parse(IgmpReport((record,)).to_bytes()[:-cut])


@pytest.mark.parametrize(
    ("query", "version"), [(b"\x11" + bytes(7), 1), (b"\x11\x64" + bytes(6), 2), (bytes(12), 3)]
)
def test_length_and_code_tell_the_version_of_a_query(query, version):
    assert version == igmp.version(query)


@pytest.mark.parametrize("length", [7, 9, 11])
def test_a_query_of_other_lengths_has_no_version(length):
    with pytest.raises(WireError, match=f"got {length}"):
        igmp.version(bytes(length))


@pytest.mark.parametrize(("code", "value"), [(0, 0), (127, 127), (128, 128), (255, 31744)])
def test_a_code_has_an_exponent_from_128_on(code, value):
    assert value == igmp.decoded(code)


def test_a_message_is_told_by_protocol_and_by_whom_it_is_for():
    alerted = vector("ipv4_router_alert")
    assert igmp.is_inside(alerted)
    to_us = bytes.fromhex("4500001c 00000000 01020000 0a000001 0a000002") + bytes(8)
    assert not igmp.is_inside(to_us), "without an alert it is any packet"
    assert not igmp.is_inside(to_us[:16] + ip("223.255.255.1") + to_us[20:])
    assert not igmp.is_inside(alerted[:6] + b"\x20\x00" + alerted[8:]), "a fragment"
    assert not igmp.is_inside(alerted[:9] + b"\x11" + alerted[10:]), "UDP"
