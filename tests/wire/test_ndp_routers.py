"""Router solicitations and advertisements, redirects, prefixes."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import FAR6, GATEWAY6, GATEWAY_MAC, OUR_IP6, vector
from virtualtap import WireError, ip, mac
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ALL_ROUTERS6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import Prefix, Redirect, RouterAdvertisement, RouterSolicitation

PREFIX = Prefix(ip("2001:db8::"), 64, ndp.ON_LINK | ndp.AUTONOMOUS, 86400, 14400)
MTU = (ndp.MTU, bytes.fromhex("000000000578"))
SOLICITATION = RouterSolicitation(((ndp.SOURCE_MAC, mac("02:00:5e:00:00:02")),))
ADVERTISEMENT = RouterAdvertisement(
    1800,
    ((ndp.SOURCE_MAC, GATEWAY_MAC), MTU, (ndp.PREFIX, PREFIX.to_bytes())),
    hop_limit=64,
    flags=0x40,
    reachable_time=30000,
    retrans_timer=1000,
)
REDIRECT = Redirect(ip("fe80::99"), FAR6, ((ndp.TARGET_MAC, mac("02:00:5e:00:00:99")),))
ALL = [
    ("ndp_router_solicitation", SOLICITATION, ip("fe80::2"), ALL_ROUTERS6),
    ("ndp_router_advertisement", ADVERTISEMENT, GATEWAY6, ALL_NODES6),
    ("ndp_redirect", REDIRECT, GATEWAY6, OUR_IP6),
]
TYPES = [type(message) for _, message, _, _ in ALL]
LEASTS = [(RouterSolicitation, 8), (RouterAdvertisement, 16), (Redirect, 40)]
SAID = {
    RouterSolicitation: "a router solicitation has type 133",
    RouterAdvertisement: "a router advertisement has type 134",
    Redirect: "a redirect has type 137",
}


def payload(name: str) -> bytes:
    return Ipv6.parse(vector(name)[14:]).payload


@pytest.mark.parametrize(("name", "expected"), [row[:2] for row in ALL])
def test_a_message_of_scapy_is_read(name, expected):
    found = type(expected).parse(payload(name))
    found.checksum = 0
    assert found == expected


@pytest.mark.parametrize(("name", "message", "source", "to"), ALL)
def test_a_message_is_written_as_scapy_writes_it(name, message, source, to):
    assert ndp.packet(message, source, to) == vector(name)[14:]


@given(strategies.router_solicitations | strategies.router_advertisements | strategies.redirects)
def test_what_is_written_is_read_back(message):
    assert message == type(message).parse(message.to_bytes())


@given(strategies.prefixes)
def test_a_prefix_is_read_back_whatever_follows(prefix):
    assert Prefix.parse(prefix.to_bytes() + b"padding") == prefix


@pytest.mark.parametrize(("kind", "least"), LEASTS)
def test_short_bytes_are_a_wire_error(kind, least):
    with pytest.raises(WireError, match=f"needs {least} bytes, got {least - 1}"):
        kind.parse(bytes(least - 1))


@pytest.mark.parametrize(("name", "message", "source", "to"), ALL)
def test_padding_is_cut_by_the_packet_around_it(name, message, source, to):
    padded = Ipv6.parse(vector(name)[14:] + bytes(9))
    assert type(message).parse(padded.payload).options == message.options


@pytest.mark.parametrize(("kind", "least"), LEASTS)
def test_another_type_is_a_wire_error(kind, least):
    with pytest.raises(WireError, match=f"^{SAID[kind]}, got 1$"):
        kind.parse(b"\x01" + bytes(least))


def test_a_short_prefix_is_a_wire_error():
    with pytest.raises(WireError, match="a prefix needs 30 bytes, got 29"):
        Prefix.parse(bytes(29))


def test_a_prefix_longer_than_an_address_is_a_wire_error():
    with pytest.raises(WireError, match="at most 128 bits, got 129"):
        Prefix.parse(b"\x81" + bytes(29))


def test_prefixes_that_cannot_be_are_passed_over():
    wrong = ((ndp.PREFIX, bytes(6)), (ndp.PREFIX, b"\x81" + bytes(29)))
    message = RouterAdvertisement(0, (*wrong, (ndp.PREFIX, PREFIX.to_bytes()), MTU))
    assert message.prefixes() == [PREFIX]


def test_an_option_of_another_length_is_not_found():
    assert RouterAdvertisement(0, ((ndp.MTU, bytes(14)),)).option(ndp.MTU, 6) is None


@pytest.mark.parametrize(("length", "listed"), [(0, 1), (128, 1), (129, 0)])
def test_prefixes_are_listed_that_are_no_longer_than_an_address(length, listed):
    value = bytes((length,)) + PREFIX.to_bytes()[1:]
    message = RouterAdvertisement(0, ((ndp.PREFIX, value), (ndp.PREFIX, value[:-1])))
    assert [each.length for each in message.prefixes()] == [length] * listed
