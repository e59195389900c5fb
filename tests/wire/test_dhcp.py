"""DHCP messages and their options."""

import pytest
from hypothesis import given

from tests import strategies
from tests.builders import OUR_MAC, vector
from virtualtap import WireError, ip, mac
from virtualtap.wire import dhcp
from virtualtap.wire.address import Route
from virtualtap.wire.dhcp import Dhcp

CLIENT = mac("9a:37:41:c9:10:d5")
SERVER = ip("10.5.0.1")
ACK = Dhcp(
    dhcp.TO_CLIENT,
    0x97FED30E,
    CLIENT,
    (
        (dhcp.KIND, b"\x05"),
        (dhcp.SERVER_ID, SERVER),
        (dhcp.LEASE_TIME, (120).to_bytes(4)),
        (dhcp.RENEWAL_TIME, (60).to_bytes(4)),
        (dhcp.REBINDING_TIME, (105).to_bytes(4)),
        (dhcp.MASK, ip("255.255.255.0")),
        (28, ip("10.5.0.255")),
        (dhcp.HOST_NAME, b"vm"),
        (dhcp.ROUTER, SERVER),
    ),
    your_ip=ip("10.5.0.57"),
    next_server=SERVER,
)
# RFC 3442, the table of examples: bits, what is sent of the network
DESCRIPTORS = [
    ("0.0.0.0", 0, "00"),
    ("10.0.0.0", 8, "08 0a"),
    ("10.0.0.0", 24, "18 0a 00 00"),
    ("10.17.0.0", 16, "10 0a 11"),
    ("10.27.129.0", 24, "18 0a 1b 81"),
    ("10.229.0.128", 25, "19 0a e5 00 80"),
    ("10.198.122.47", 32, "20 0a c6 7a 2f"),
]


def a_message(*options: bytes, file: bytes = b"", name: bytes = b"") -> bytes:
    """240 bytes and what stands behind the cookie, with bytes in the two header fields."""
    head = Dhcp(dhcp.TO_CLIENT, 7, OUR_MAC).to_bytes()[: dhcp.HEADER_LEN]
    fields = name.ljust(64, b"\0") + file.ljust(128, b"\0")
    return head[:44] + fields + head[236:] + b"".join(options)


def test_a_real_ack_is_read():
    assert Dhcp.parse(vector("dhcp_ack")) == ACK


def test_a_real_ack_is_written():
    assert vector("dhcp_ack") == ACK.to_bytes()


@pytest.mark.parametrize("name", ["dhcp_discover", "dhcp_release"])
def test_what_a_real_client_said_is_written_alike(name):
    assert vector(name).rstrip(b"\0") == Dhcp.parse(vector(name)).to_bytes().rstrip(b"\0")


def test_a_real_offer_says_what_it_leases():
    offer = Dhcp.parse(vector("dhcp_offer")[42:])
    assert (
        offer.kind,
        offer.number(dhcp.LEASE_TIME),
        offer.prefix_length(),
    ) == (dhcp.OFFER, 7200, 24)
    assert offer.addresses(dhcp.ROUTER) == (ip("192.168.30.1"),)


@given(strategies.dhcps)
def test_what_is_written_is_read_back(message):
    assert message == Dhcp.parse(message.to_bytes())


@given(strategies.dhcps)
def test_padding_is_cut(message):
    assert message == Dhcp.parse(message.to_bytes() + b"\0\xaa")


@pytest.mark.parametrize("length", [0, 239])
def test_short_bytes_are_a_wire_error(length):
    with pytest.raises(WireError, match=f"needs 240 bytes, got {length}"):
        Dhcp.parse(bytes(length))


@pytest.mark.parametrize("place", [1, 2, 236])
def test_other_hardware_or_another_cookie_is_a_wire_error(place):
    data = bytearray(vector("dhcp_ack"))
    data[place] ^= 1
    with pytest.raises(WireError, match="hardware 1, length 6 and its cookie"):
        Dhcp.parse(bytes(data))


def test_a_message_has_at_least_the_300_bytes_of_bootp():
    assert len(Dhcp(dhcp.TO_SERVER, 1, OUR_MAC).to_bytes()) == 300


@pytest.mark.parametrize("options", [b"\x35", b"\x35\x02\x05", b"\0\0\x35\xff\x05"])
def test_an_option_cut_short_is_a_wire_error(options):
    with pytest.raises(WireError, match="option 53 claims"):
        Dhcp.parse(a_message(options))


def test_what_stands_behind_the_end_mark_is_not_read():
    assert Dhcp.parse(a_message(b"\x35\x01\x05\xff\x36\xff")).options == ((dhcp.KIND, b"\x05"),)


def test_the_end_mark_may_be_missing():
    assert Dhcp.parse(a_message(b"\0\x35\x01\x06")).kind == dhcp.NAK


def test_an_empty_option_is_kept():
    assert Dhcp.parse(a_message(b"\x50\x00\xff")).options == ((80, b""),)


def test_a_long_option_is_split_and_joined():
    message = Dhcp(dhcp.TO_CLIENT, 7, OUR_MAC, ((121, bytes(600)),))
    data = message.to_bytes()
    assert data[240:242] == b"\x79\xff" and data[497:499] == b"\x79\xff"
    assert message == Dhcp.parse(data)


def test_parts_of_an_option_are_joined_in_their_order():
    data = a_message(b"\x0f\x02ab\x35\x01\x05\x0f\x01c\xff")
    assert Dhcp.parse(data).options == ((dhcp.DOMAIN_NAME, b"abc"), (dhcp.KIND, b"\x05"))


@pytest.mark.parametrize(
    ("overload", "expected"), [(1, (b"file", b"")), (2, (b"", b"name")), (3, (b"file", b"name"))]
)
def test_overloaded_fields_hold_options(overload, expected):
    file, name = (b"\x0f\x04file\xff" * (overload & 1), b"\x11\x04name\xff" * (overload >> 1))
    data = a_message(bytes((52, 1, overload, 255)), file=file, name=name)
    message = Dhcp.parse(data)
    assert expected == (message.value(15) or b"", message.value(17) or b"")
    assert (message.boot_file, message.server_name) == (b"", b"")


def test_an_option_is_joined_over_the_fields_first_the_file_then_the_name():
    data = a_message(b"\x34\x01\x03\x0f\x01a\xff", file=b"\x0f\x01b\xff", name=b"\x0f\x01c\xff")
    assert Dhcp.parse(data).value(dhcp.DOMAIN_NAME) == b"abc"


def test_fields_that_are_not_overloaded_keep_their_names():
    message = Dhcp.parse(a_message(b"\xff", file=b"\x0f\x01b", name=b"x"))
    assert (message.boot_file, message.server_name, message.options) == (b"\x0f\x01b", b"x", ())


@pytest.mark.parametrize("overload", [b"\x34\x01\x04", b"\x34\x02\x01\x01"])
def test_an_overload_that_means_nothing_is_a_wire_error(overload):
    with pytest.raises(WireError, match="overload is 1, 2 or 3"):
        Dhcp.parse(a_message(overload))


def test_a_number_of_another_length_is_a_wire_error():
    with pytest.raises(WireError, match="option 51 needs 4 bytes, got 2"):
        Dhcp.parse(a_message(b"\x33\x02\0\1")).number(dhcp.LEASE_TIME)


@pytest.mark.parametrize("length", [0, 5])
def test_addresses_of_another_length_are_a_wire_error(length):
    message = Dhcp(dhcp.TO_CLIENT, 1, OUR_MAC, ((dhcp.ROUTER, bytes(length)),))
    with pytest.raises(WireError, match=f"option 3 needs 4 bytes each, got {length}"):
        message.addresses(dhcp.ROUTER)


def test_a_mask_with_holes_is_a_wire_error():
    message = Dhcp(dhcp.TO_CLIENT, 1, OUR_MAC, ((dhcp.MASK, ip("255.0.255.0")),))
    with pytest.raises(WireError, match="ones in front"):
        message.prefix_length()


def test_a_message_without_a_kind_is_of_kind_zero():
    assert Dhcp(dhcp.TO_CLIENT, 1, OUR_MAC).kind == 0


@pytest.mark.parametrize(("network", "length", "descriptor"), DESCRIPTORS)
def test_the_descriptors_of_rfc_3442_are_read_and_written(network, length, descriptor):
    route = Route(ip(network), length, SERVER)
    data = bytes.fromhex(descriptor) + SERVER
    assert (route,) == dhcp.routes(data)
    assert data == dhcp.route_bytes((route,))


@given(strategies.routes)
def test_routes_that_are_written_are_read_back(routes):
    assert routes == dhcp.routes(dhcp.route_bytes(routes))


def test_bits_below_a_route_s_prefix_are_cleared():
    assert dhcp.routes(b"\x09\x0a\xff" + SERVER) == (Route(ip("10.128.0.0"), 9, SERVER),)


@pytest.mark.parametrize("data", [b"\x21" + bytes(9), b"\x08\x0a" + SERVER[:3], b"\x00"])
def test_a_route_cut_short_or_too_long_is_a_wire_error(data):
    with pytest.raises(WireError, match="classless route claims"):
        dhcp.routes(data)


def test_no_routes_at_all_are_a_wire_error():
    with pytest.raises(WireError, match="needs 5 bytes, got 0"):
        dhcp.routes(b"")


def test_a_header_without_options_is_a_message():
    bare = ACK.to_bytes()[: dhcp.HEADER_LEN]
    assert Dhcp.parse(bare).options == ()


def test_names_fill_their_fields_and_no_more():
    full = Dhcp(2, 1, CLIENT, (), server_name=b"X" * 64, boot_file=b"X" * 128)
    assert Dhcp.parse(full.to_bytes()) == full
    for longer in ({"server_name": b"X" * 65}, {"boot_file": b"X" * 129}):
        with pytest.raises(AssertionError):
            Dhcp(2, 1, CLIENT, (), **longer).to_bytes()
