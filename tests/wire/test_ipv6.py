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


@pytest.mark.parametrize(
    ("protocol", "least"), [(253, 1), (ipv6.UDP, 8), (ipv6.TCP, 20), (ipv6.NOTHING, 0)]
)
def test_a_packet_is_headed_from_its_upper_layers_own_header_on(protocol, least):
    whole = Ipv6(bytes(16), bytes(16), protocol, bytes(least)).to_bytes()
    assert ipv6.is_headed(whole)
    assert least == 0 or not ipv6.is_headed(whole[:-1])


@pytest.mark.parametrize("length", [40, 41])
def test_no_fragment_header_is_announced_by_options_that_are_not_there(length):
    packet = Ipv6(bytes(16), bytes(16), ipv6.HOP_BY_HOP, bytes((ipv6.FRAGMENT, 0))).to_bytes()
    assert ipv6.fragment_header(packet[:length]) is None


def test_a_fragment_header_that_is_announced_and_not_there_is_a_wire_error():
    packet = Ipv6(bytes(16), bytes(16), ipv6.HOP_BY_HOP, bytes((ipv6.FRAGMENT, 0))).to_bytes()
    with pytest.raises(WireError):
        ipv6.fragment_header(packet)


def test_the_upper_layer_may_be_announced_by_the_last_bytes():
    header = bytes((ipv6.NOTHING, 0)) + bytes(6)
    packet = Ipv6(bytes(16), bytes(16), ipv6.HOP_BY_HOP, header).to_bytes()
    assert ipv6.upper_layer(packet) == (ipv6.NOTHING, 48)
    assert ipv6.upper_layer(packet[:-1]) == (ipv6.HOP_BY_HOP, 40)
