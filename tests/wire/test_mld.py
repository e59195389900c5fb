"""Multicast listener discovery of both versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import OUR_IP6, PEER6, vector
from virtualtap import WireError, ip
from virtualtap.wire import checksum, mld
from virtualtap.wire.igmp import TO_EXCLUDE, Record
from virtualtap.wire.ipv6 import HOP_BY_HOP, ICMPV6, Ipv6
from virtualtap.wire.mld import Mld, MldQuery, MldReport

MDNS = ip("ff02::fb")
VECTORS = [
    ("mld_report1", Mld(mld.REPORT, MDNS)),
    ("mld_query2", MldQuery(bytes(16))),
    ("mld_report2", MldReport((Record(TO_EXCLUDE, MDNS),))),
]


@pytest.mark.parametrize(("name", "message"), VECTORS)
def test_what_scapy_wrote_is_read(name, message):
    packet = Ipv6.parse(vector(name))
    found = type(message).parse(packet.payload[8:])
    assert found.to_bytes() == mld.summed(message, packet.source, packet.destination)


@pytest.mark.parametrize(("name", "message"), VECTORS)
def test_it_is_written_as_scapy_writes_it(name, message):
    packet = Ipv6.parse(vector(name))
    assert packet.payload == mld.ALERT + mld.summed(message, packet.source, packet.destination)


@given(strategies.mlds | strategies.mld_queries | strategies.mld_reports)
def test_what_is_written_is_read_back(message):
    assert message == type(message).parse(message.to_bytes())


@given(strategies.mlds | strategies.mld_queries | strategies.mld_reports)
def test_a_message_between_two_addresses_sums_to_zero_with_them(message):
    data = mld.summed(message, OUR_IP6, PEER6)
    assert checksum.transport_is_right(OUR_IP6, PEER6, ICMPV6, data)


@pytest.mark.parametrize(("kind", "least"), [(Mld, 24), (MldQuery, 28), (MldReport, 8)])
def test_short_bytes_are_a_wire_error(kind, least):
    with pytest.raises(WireError, match=f"needs {least} bytes"):
        kind.parse(b"\x82" * (least - 1))


@pytest.mark.parametrize("kind", [MldQuery, MldReport])
def test_another_type_is_a_wire_error(kind):
    with pytest.raises(WireError, match="of type"):
        kind.parse(b"\x83" + bytes(40))


@pytest.mark.parametrize("message", [message for _, message in VECTORS])
def test_padding_is_ignored(message):
    data = message.to_bytes()
    assert type(message).parse(data) == type(message).parse(data + bytes(30))


@pytest.mark.parametrize(("length", "version"), [(24, 1), (28, 2), (44, 2)])
def test_the_length_tells_the_version_of_a_query(length, version):
    assert version == mld.version(bytes(length))


@pytest.mark.parametrize("length", [23, 25, 27])
def test_a_query_of_other_lengths_has_no_version(length):
    with pytest.raises(WireError, match=f"got {length}"):
        mld.version(bytes(length))


@pytest.mark.parametrize(
    ("code", "value"), [(0, 0), (32767, 32767), (32768, 32768), (65535, 8387584)]
)
def test_a_code_has_an_exponent_from_32768_on(code, value):
    assert value == mld.decoded(code)


@pytest.mark.parametrize(("name", "_"), VECTORS)
def test_a_message_is_found_behind_the_alert(name, _):
    assert mld.start(vector(name)) == 48
    assert mld.is_alerted(vector(name))


def test_a_message_is_found_without_options():
    bare = Ipv6(OUR_IP6, MDNS, ICMPV6, Mld(mld.REPORT, MDNS).to_bytes()).to_bytes()
    assert mld.start(bare) == 40
    assert not mld.is_alerted(bare)


@given(st.binary(max_size=80))
def test_any_bytes_are_looked_at_without_harm(tail):
    for length in (0, 6, 40, 41):
        packet = (bytes(40) + tail)[:length] + tail
        assert mld.start(packet) <= len(packet)
        assert mld.is_alerted(packet + bytes(7)) in (True, False)


ALERTED = b"\5\2\0\0"


@pytest.mark.parametrize(
    ("options", "behind", "alerted"),
    [
        (b"\0" + ALERTED + b"\0", b"", True),
        (b"\1\0" + ALERTED, b"", True),
        (b"\1\2\7\7" + ALERTED + bytes(6), b"", True),
        (b"\1\1\7" + ALERTED[:3], ALERTED[3:], False),
        (b"\1\3\7\7\7" + ALERTED[:1], ALERTED[1:], False),
        (b"\1\4" + bytes(4), ALERTED, False),
        (b"\1\x24" + bytes(36), ALERTED, False),
        (b"\5\2\0\1\0\0", b"", False),
        (b"\7\4" + ALERTED, b"", False),
    ],
    ids=[
        *("padded", "last", "in the second unit", "over the end", "far over the end"),
        *("behind", "far behind", "another's", "inside another"),
    ],
)
def test_an_alert_is_found_where_an_option_begins(options, behind, alerted):
    header = bytes((ICMPV6, len(options) // 8)) + options
    packet = Ipv6(OUR_IP6, bytes(16), HOP_BY_HOP, header + behind + bytes(20)).to_bytes()
    assert mld.is_alerted(packet) == alerted


@pytest.mark.parametrize("length", [40, 41, 42])
def test_options_that_are_not_there_alert_nobody(length):
    packet = Ipv6(OUR_IP6, MDNS, HOP_BY_HOP, b"\x3a\0").to_bytes()
    assert not mld.is_alerted(packet[:length])
