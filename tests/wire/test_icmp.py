"""ICMP and ICMPv6 messages."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import OUR_IP6, PEER6, vector
from virtualtap import WireError
from virtualtap.wire import checksum, icmp
from virtualtap.wire.icmp import Icmp

PING = Icmp(icmp.ECHO_REQUEST, 0, 0x2E450001, vector("icmp_echo_request")[8:], 0x57C0)


def test_a_real_echo_request_is_read():
    assert Icmp.parse(vector("icmp_echo_request")) == PING


def test_a_real_echo_request_is_written():
    assert vector("icmp_echo_request") == PING.to_bytes()


def test_the_checksum_is_the_one_that_linux_computed():
    bare = Icmp(PING.type, PING.code, PING.rest, PING.payload)
    assert vector("icmp_echo_request") == bare.summed()


@given(strategies.icmps)
def test_what_is_written_is_read_back(message):
    assert message == Icmp.parse(message.to_bytes())


@given(strategies.icmps)
def test_a_summed_message_sums_to_zero(message):
    assert checksum.is_right(message.summed())


@given(strategies.icmps)
def test_a_message_between_two_addresses_sums_to_zero_with_them(message):
    data = message.between(OUR_IP6, PEER6)
    assert checksum.transport_is_right(OUR_IP6, PEER6, icmp.PROTOCOL6, data)


@pytest.mark.parametrize("length", [0, 7])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 8 bytes, got {length}"):
        Icmp.parse(bytes(length))


def test_padding_stays_in_the_payload():
    assert Icmp.parse(PING.to_bytes() + b"\0\0").payload == PING.payload + b"\0\0"
