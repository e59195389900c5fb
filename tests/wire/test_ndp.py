"""Neighbour solicitations and advertisements."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import OUR_IP6, PEER6, PEER_MAC, vector
from virtualtap import WireError, ip, mac
from virtualtap.wire import checksum, ndp
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

POLL = NeighborMessage(
    ndp.SOLICITATION,
    0,
    ip("fe80::5cc7:3ff:fe6b:638e"),
    ((ndp.SOURCE_MAC, mac("00:ae:38:45:57:46")),),
    checksum=0x7E7F,
)
NONCE = 14  # RFC 3971 5.3.2
PROBE = NeighborMessage(
    ndp.SOLICITATION,
    0,
    ip("fe80::5419:99ff:fe74:5efa"),
    ((NONCE, bytes.fromhex("20cb9b18b37e")),),
    checksum=0x53C5,
)
ANSWER = NeighborMessage(
    ndp.ADVERTISEMENT, ndp.SOLICITED | ndp.OVERRIDE, PEER6, ((ndp.TARGET_MAC, PEER_MAC),)
)
ALL = [
    ("ndp_solicitation", POLL),
    ("ndp_solicitation_dad", PROBE),
]


def payload(name: str) -> bytes:
    return Ipv6.parse(vector(name)[14:]).payload


@pytest.mark.parametrize(("name", "expected"), ALL)
def test_a_real_message_is_read(name, expected):
    assert NeighborMessage.parse(payload(name)) == expected


@pytest.mark.parametrize(("name", "expected"), ALL)
def test_a_real_message_is_written(name, expected):
    assert payload(name) == expected.to_bytes()


def test_the_checksum_of_a_solicitation_is_the_one_that_the_hub_computed():
    packet = Ipv6.parse(vector("ndp_solicitation")[14:])
    bare = NeighborMessage(POLL.type, POLL.flags, POLL.target, POLL.options)
    assert packet.payload == bare.between(packet.source, packet.destination)


def test_an_advertisement_is_written_as_scapy_writes_it():
    assert payload("ndp_advertisement") == ANSWER.between(PEER6, OUR_IP6)


@given(strategies.neighbor_messages)
def test_what_is_written_is_read_back(message):
    assert message == NeighborMessage.parse(message.to_bytes())


@given(strategies.neighbor_messages)
def test_a_message_between_two_addresses_sums_to_zero_with_them(message):
    data = message.between(OUR_IP6, PEER6)
    assert checksum.transport_is_right(OUR_IP6, PEER6, ndp.PROTOCOL, data)


@pytest.mark.parametrize("length", [0, 23])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 24 bytes, got {length}"):
        NeighborMessage.parse(payload("ndp_solicitation")[:length])


def test_padding_is_cut_by_the_packet_around_it():
    packet = Ipv6.parse(vector("ndp_solicitation")[14:] + bytes(9))
    assert NeighborMessage.parse(packet.payload) == POLL


def test_another_type_is_a_wire_error():
    with pytest.raises(WireError, match="type 135 or 136, got 134"):
        NeighborMessage.parse(b"\x86" + bytes(23))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("0100" + "00" * 6, "claims 0 bytes, 8 are left"),
        ("0102" + "00" * 6, "claims 16 bytes, 8 are left"),
        ("0101" + "00" * 6 + "01", "claims 0 bytes, 1 are left"),
    ],
    ids=["of no length", "beyond the end", "of one byte"],
)
def test_an_option_that_lies_is_a_wire_error(options, says):
    with pytest.raises(WireError, match=says):
        NeighborMessage.parse(payload("ndp_solicitation")[:24] + bytes.fromhex(options))


def test_the_first_option_of_a_code_counts():
    message = NeighborMessage(
        ndp.SOLICITATION, 0, PEER6, ((NONCE, bytes(6)), (1, b"first."), (1, b"second"))
    )
    assert message.mac(ndp.SOURCE_MAC) == b"first."


@pytest.mark.parametrize("options", [(), ((NONCE, bytes(6)),), ((ndp.SOURCE_MAC, bytes(14)),)])
def test_without_an_option_of_six_bytes_there_is_no_mac(options):
    assert NeighborMessage(ndp.SOLICITATION, 0, PEER6, options).mac(ndp.SOURCE_MAC) is None


@pytest.mark.parametrize(
    ("kind", "first", "expected"), [(58, 135, True), (58, 128, False), (17, 135, False)]
)
def test_a_neighbor_message_is_icmp_of_five_types(kind, first, expected):
    packet = Ipv6(PEER6, OUR_IP6, kind, bytes((first,)) + bytes(23)).to_bytes()
    assert ndp.is_inside(packet) == expected
