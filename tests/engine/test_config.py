"""Every choice and every limit, and what may not be chosen."""

from dataclasses import FrozenInstanceError

import pytest

from tests.builders import GATEWAY_MAC, OUR_MAC, config
from virtualtap import Serving, TapConfig, UsageError, ip

NOBODYS = ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255")


def test_a_mac_is_all_that_a_tap_needs():
    assert TapConfig(our_mac=OUR_MAC).our_ip is None


def test_a_config_does_not_change():
    with pytest.raises(FrozenInstanceError):
        config().mtu = 9000


@pytest.mark.parametrize("name", ["our_mac", "gateway_mac"])
@pytest.mark.parametrize(
    "value",
    [
        b"",
        bytes(5),
        bytes(6),
        bytes(7),
        b"\x01" + bytes(5),
        "02:00:5e:00:00:01",
        "6 long",
        bytearray(b"6 long"),
    ],
    ids=["empty", "short", "zero", "long", "group", "text", "text of 6", "mutable"],
)
def test_a_mac_that_no_station_can_have_is_refused(name, value):
    with pytest.raises(UsageError, match=f"`{name}` must be a unicast MAC of 6 bytes"):
        config(**{name: value})


@pytest.mark.parametrize("name", ["our_ip", "gateway_ip"])
@pytest.mark.parametrize("value", [b"", ip("fd00::1"), "10.0.0.1"], ids=["empty", "IPv6", "text"])
def test_an_ipv4_address_is_four_bytes(name, value):
    with pytest.raises(UsageError, match=f"`{name}` must be 4 bytes"):
        config(**{name: value})


def test_an_ipv6_gateway_is_sixteen_bytes():
    with pytest.raises(UsageError, match="`gateway_ip6` must be 16 bytes"):
        config(gateway_ip6=ip("10.0.0.254"))


@pytest.mark.parametrize("value", [(ip("10.0.0.1"),), ("fd00::1",)])
def test_our_ipv6_addresses_are_sixteen_bytes_each(value):
    with pytest.raises(UsageError, match="`our_ip6` must hold addresses of 16 bytes"):
        config(our_ip6=value)


def test_python_shows_the_hint_below_an_error():
    assert UsageError("no", "say yes").__notes__ == ["hint: say yes"]
    assert not hasattr(UsageError("no"), "__notes__")


def test_the_message_about_a_wrong_value_is_short():
    with pytest.raises(UsageError) as caught:
        config(our_ip=bytes(10_000))
    assert len(str(caught.value)) < 120


def test_a_gateways_mac_needs_its_address():
    with pytest.raises(UsageError, match="`gateway_mac` without `gateway_ip`") as caught:
        config(gateway_ip=None, gateway_mac=GATEWAY_MAC)
    assert caught.value.hint == "say whose MAC it is"


def test_a_gateways_mac_is_enough_where_the_caller_handles_arp():
    chosen = config(gateway_ip=None, gateway_mac=GATEWAY_MAC, handle_arp_internally=False)
    assert chosen.gateway_mac == GATEWAY_MAC


@pytest.mark.parametrize(("name", "least", "most"), [("prefix_length", 0, 32), ("mtu", 68, 65535)])
def test_a_number_has_its_range(name, least, most):
    for value in (least, most):
        assert getattr(config(**{name: value}), name) == value
    for value in (least - 1, most + 1, float(least), str(least)):
        with pytest.raises(UsageError, match=f"`{name}` must be from {least} to {most}, got"):
            config(**{name: value})


@pytest.mark.parametrize(
    "name",
    [
        *("neighbors_max", "neighbor_lifetime", "held_packets_max", "held_bytes_max"),
        *("arp_interval", "arp_retries_max", "ndp_interval", "ndp_retries_max"),
        *("arp_burst_max", "arp_spacing"),
        *("ndp_unicast_retries_max", "ndp_reachable_time", "ndp_delay", "dad_transmits"),
        *("router_solicitations_max", "router_solicitation_interval"),
        *("router_solicitation_delay", "addresses6_max"),
        *("routers_max", "prefixes_max", "redirects_max"),
        *("reassembly_timeout", "reassembly_datagrams_max", "reassembly_bytes_max"),
        *("reassembly_fragments_max", "outbox_max", "headers_max"),
        *("dns_entries_max", "dns_timeout", "dns_ttl_max", "dns_negative_ttl_max"),
    ],
)
def test_a_limit_is_at_least_one(name):
    assert getattr(config(**{name: 1}), name) == 1
    for value in (0, -1, True, None):
        with pytest.raises(UsageError, match=f"`{name}` must be from 1"):
            config(**{name: value})


@pytest.mark.parametrize("name", ["claim", "defend"])
@pytest.mark.parametrize("value", ["", "sometimes", None, True])
def test_how_an_address_is_kept_is_one_of_three_words(name, value):
    with pytest.raises(UsageError, match=f"`{name}` must be one of `"):
        config(**{name: value})


@pytest.mark.parametrize("claim", ["announced", "probed"])
def test_a_claim_needs_arp_and_an_address(claim):
    with pytest.raises(UsageError, match="but the caller handles ARP"):
        config(claim=claim, handle_arp_internally=False)
    with pytest.raises(UsageError, match="but there is no `our_ip`"):
        config(claim=claim, our_ip=None)
    assert config(claim=claim, our_ip=None, gateway_ip=None, dhcp=True).claim == claim


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        *(({"our_ip": ip(each)}, f"`our_ip` must be one host's, got `{each}`") for each in NOBODYS),
        *(({"gateway_ip": ip(each)}, "`gateway_ip` must be one host's") for each in NOBODYS),
        ({"gateway_ip6": ip("ff02::2")}, "`gateway_ip6` must be one host's, got `ff02::2`"),
        ({"our_ip6": (ip("ff02::1"),)}, "each host's address once, got `ff02::1`"),
        ({"our_ip6": (ip("::"),)}, "each host's address once, got `::`"),
        ({"our_ip6": (ip("fd00::9"),) * 2}, "each host's address once, got `fd00::9`"),
        ({"our_ip": ip("10.0.0.255")}, "`10.0.0.255` is the broadcast address of our network"),
        ({"gateway_ip": ip("10.0.0.255")}, "is the broadcast address of our network"),
        ({"hosts": (ip("10.0.0.255"),)}, "is the broadcast address of our network"),
        ({"hosts": (config().gateway_ip,)}, "`gateway_ip` is an address of ours"),
        ({"gateway_ip": config().our_ip}, "`gateway_ip` is an address of ours"),
        ({"gateway_ip6": config().our_ip6[0]}, "`gateway_ip6` is an address of ours"),
        ({"gateway_mac": OUR_MAC}, "`gateway_mac` is `our_mac`"),
        ({"our_ip6": None}, "`our_ip6` must be a tuple, got None"),
        ({"our_ip6": ip("fd00::1")}, "`our_ip6` must be a tuple"),
        ({"groups": 5}, "`groups` must be a tuple, got 5"),
        ({"hosts": 5}, "`hosts` must be a tuple, got 5"),
        ({"routes": ((ip("10.0.0.0"), 8),)}, r"`routes` must hold \(network, length, router\)"),
        ({"routes": (5,)}, r"`routes` must hold \(network, length, router\), got 5"),
        ({"serve": 5}, "`serve` must be a `Serving`, got 5"),
    ],
)
def test_what_no_network_has_is_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        config(**changes)


@pytest.mark.parametrize("length", [31, 32])
def test_a_network_of_two_has_no_broadcast_address(length):
    # RFC 3021
    assert config(our_ip=ip("10.0.0.255"), prefix_length=length, gateway_ip=None)


def test_a_lease_may_be_of_another_network_than_ours():
    assert TapConfig(our_mac=OUR_MAC, our_ip=ip("10.0.0.255"), dhcp=True)


@pytest.mark.parametrize("changes", [{"dhcp": True}, {"serve": Serving()}])
def test_dhcp_needs_room_for_its_messages(changes):
    # RFC 2131 2
    alone = {"gateway_ip": None, "gateway_ip6": None, **changes}
    assert config(**alone, mtu=576).mtu == 576
    with pytest.raises(UsageError, match="`dhcp` or `serve` with an `mtu` of 575"):
        config(**alone, mtu=575)
