"""IPv6 packets."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import vector
from virtualtap import WireError, ip
from virtualtap.wire import ipv6
from virtualtap.wire.ipv6 import Ipv6

POLL = Ipv6(
    ip("fe80::2ae:38ff:fe00:ae38"),
    ip("fe80::5cc7:3ff:fe6b:638e"),
    ipv6.ICMPV6,
    vector("ndp_solicitation")[54:],
    hop_limit=255,
)


def test_a_real_packet_is_read():
    assert Ipv6.parse(vector("ipv6_hub_poll")) == POLL


def test_a_real_packet_is_written():
    assert vector("ipv6_hub_poll") == POLL.to_bytes()


@given(strategies.ipv6s)
def test_what_is_written_is_read_back(message):
    assert message == Ipv6.parse(message.to_bytes())


@given(strategies.ipv6s)
def test_the_peek_equals_the_parsed_length(message):
    data = message.to_bytes()
    assert len(data) == ipv6.total_len(data)


@pytest.mark.parametrize("length", [0, 39])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 40 bytes, got {length}"):
        Ipv6.parse(vector("ipv6_hub_poll")[:length])


def test_a_packet_cut_behind_its_header_is_a_wire_error():
    with pytest.raises(WireError, match="claims 72 bytes, got 71"):
        Ipv6.parse(vector("ipv6_hub_poll")[:71])


def test_padding_is_cut():
    assert Ipv6.parse(vector("ipv6_hub_poll") + bytes(7)) == POLL


def test_another_version_is_a_wire_error():
    with pytest.raises(WireError, match="version 6, got 4"):
        Ipv6.parse(b"\x45" + bytes(39))
