"""MAC and IP addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import vector
from virtualtap import UsageError, ip, ip_text, mac, mac_text
from virtualtap.wire import address


def test_the_solicited_node_group_is_that_of_the_rfcs_example():
    both = vector("address_solicited_node")
    assert both[16:] == address.solicited_node(both[:16])


@pytest.mark.parametrize("group", ["224.0.0.1", "224.128.0.1", "225.0.0.1"])
def test_groups_that_differ_in_the_upper_nine_bits_map_alike(group):
    # RFC 1112 6.4
    assert mac("01:00:5e:00:00:01") == address.multicast_mac4(ip(group))


def test_the_low_23_bits_of_a_group_are_kept():
    assert mac("01:00:5e:7f:ff:fa") == address.multicast_mac4(ip("239.255.255.250"))


def test_the_low_32_bits_of_an_ipv6_group_are_kept():
    # RFC 2464 7
    assert mac("33:33:ff:0e:8c:6c") == address.multicast_mac6(ip("ff02::1:ff0e:8c6c"))


@given(strategies.exactly(6))
def test_a_mac_as_text_is_read_back(value):
    assert value == mac(mac_text(value))


@given(strategies.ip4s | strategies.ip6s)
def test_an_ip_as_text_is_read_back(value):
    assert value == ip(ip_text(value))


@pytest.mark.parametrize("text", ["02-00-5E-00-00-01", "02005e000001"])
def test_a_mac_may_be_written_in_other_ways(text):
    assert mac(text) == mac("02:00:5e:00:00:01")


@pytest.mark.parametrize("text", ["", "02:00:5e:00:00", "02:00:5e:00:00:01:02", "gateway"])
def test_what_is_no_mac_is_a_usage_error(text):
    with pytest.raises(UsageError, match="is not a MAC address") as caught:
        mac(text)
    assert caught.value.hint == "write it as `02:00:5e:00:00:01`"


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.256", "fd00::1::2", "gateway"])
def test_what_is_no_ip_is_a_usage_error(text):
    with pytest.raises(UsageError, match="is not an IP address") as caught:
        ip(text)
    assert caught.value.hint == "write it as `10.0.0.1` or `fd00::1`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0.0.1", True),
        ("126.0.0.1", True),
        ("128.0.0.1", True),
        ("223.255.255.254", True),
        ("0.0.0.0", False),
        ("127.0.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_one_host_may_own_a_unicast_address(text, expected):
    assert address.is_unicast4(ip(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("fe80::1", True), ("2001:db8::1", True), ("::", False), ("::1", False), ("ff02::1", False)],
)
def test_one_host_may_own_a_unicast_ipv6_address(text, expected):
    assert address.is_unicast6(ip(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("223.255.255.255", False),
        ("224.0.0.0", True),
        ("239.255.255.255", True),
        ("240.0.0.0", False),
    ],
)
def test_groups_are_224_to_239(text, expected):
    assert address.is_multicast4(ip(text)) is expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, "255.255.255.255"),
        (8, "10.255.255.255"),
        (24, "10.0.0.255"),
        (30, "10.0.0.3"),
        (31, None),
        (32, None),
    ],
)
def test_a_network_has_a_broadcast_address_unless_it_is_a_link_of_two(length, expected):
    # RFC 919 7, RFC 3021 2.2
    broadcast = address.directed_broadcast(ip("10.0.0.1"), length)
    assert broadcast == (expected and ip(expected))


@given(st.integers(0, 32))
def test_a_mask_has_as_many_ones_as_the_prefix_is_long(length):
    mask = address.network_mask(length)
    assert f"{mask:032b}" == "1" * length + "0" * (32 - length)


@pytest.mark.parametrize(
    ("text", "expected"), [("169.254.0.1", True), ("169.1.0.1", False), ("10.254.0.1", False)]
)
def test_link_local_addresses_begin_with_two_bytes(text, expected):
    assert address.is_link_local4(ip(text)) == expected
