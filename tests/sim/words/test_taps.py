"""What a scenario says of taps is what they are configured as; a wrong word gets the right ones."""

from dataclasses import fields

import pytest

from sim.nodes.host import L3Host
from sim.nodes.virtual_tap import VirtualTapNode
from sim.run import built
from sim.scenario import decode
from sim.words.taps import is_time, settings
from tests.sim.scenarios import done, order, refused
from virtualtap import TapConfig
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import ANY4, ip, mac

TWO = """\
name = "a"
until = "5s"
topology = { name = "server", clients = 2, bridges = 0, ipcs = 1 }
"""


def config_of(words: str, name: str = "tap1") -> TapConfig:
    tap = built(order(TWO + words)).network.nodes[name]
    assert isinstance(tap, VirtualTapNode)
    return tap.config


def said(**words: object) -> dict[str, object]:
    return {"match": "tap*", **words}


def test_a_tap_of_which_nothing_is_said_is_as_the_plan_has_it():
    config = config_of("")
    assert config == TapConfig(our_mac=config.our_mac, our_ip=ip("10.0.0.1"), prefix_length=16)


def test_a_tap_is_what_is_said_of_it_and_the_last_entry_wins():
    words = """
[[taps]]
match = "tap*"
mtu = 1400
claim = "probed"
arp_interval = "2s"
[[taps]]
match = "tap1"
mtu = 1280
"""
    one, other = config_of(words), config_of(words, "tap2")
    assert (one.mtu, one.claim, one.arp_interval) == (1280, "probed", 2 * SECOND)
    assert (other.mtu, other.claim, other.arp_interval) == (1400, "probed", 2 * SECOND)


def test_an_in_process_client_is_told_alike():
    assert config_of('[[taps]]\nmatch = "ipc1"\nmtu = 1300\n', "ipc1").mtu == 1300


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ({"our_mac": "02:00:00:00:00:77"}, mac("02:00:00:00:00:77")),
        ({"gateway_mac": "none"}, None),
        ({"our_ip": "none"}, None),
        ({"our_ip": "10.0.7.1"}, ip("10.0.7.1")),
        ({"gateway_ip6": "fe80::1"}, ip("fe80::1")),
        ({"our_ip6": ["fd00::7", "fe80::7"]}, (ip("fd00::7"), ip("fe80::7"))),
        ({"groups": ["239.1.2.3"]}, (ip("239.1.2.3"),)),
        ({"routes": [["10.1.0.0", 16, "10.0.0.9"]]}, ((ip("10.1.0.0"), 16, ip("10.0.0.9")),)),
        ({"arp_spacing": "50ms"}, 50 * MS),
        ({"vlan_id": 5}, 5),
        ({"dad": True}, True),
        ({"defend": "never"}, "never"),
    ],
)
def test_a_field_is_written_as_people_write_it(words, value):
    (name,) = words
    assert settings((said(**words),), "tap9") == {name: value}


def test_a_pattern_that_does_not_fit_says_nothing():
    assert settings((said(mtu=1400),), "other") == {}


def test_the_name_of_every_time_says_that_it_is_one():
    numbers = {one.name: one.default for one in fields(TapConfig) if type(one.default) is int}
    assert {name for name in numbers if is_time(name)} == {
        name for name, default in numbers.items() if default >= MS
    }


@pytest.mark.parametrize(
    ("entry", "error", "hint"),
    [
        ("mtu = 9", "no `match`", 'match = "tap*"'),
        ('match = ""', "no `match`", 'match = "tap*"'),
        ('match = "tap*"\nmut = 9', "no field is named `mut`", "did you mean `mtu`? there are our"),
        ('match = "tap*"\nzzzzzz = 9', "no field is named `zzzzzz`", "there are our_mac, our_ip"),
        ('match = "tap*"\nserve = 1', "no field is named `serve`", "there are our_mac"),
        ('match = "tap*"\ndhcp = 1', "`dhcp` is `1`", "write `true` or `false`"),
        ('match = "tap*"\narp_interval = 5', "'5' is not a time", "write it as `10ms`"),
        ('match = "tap*"\nour_ip = "here"', "`here` is not an IP address", "write it as"),
        ('match = "tap*"\nour_mac = "x"', "`x` is not a MAC address", "write it as"),
        ('match = "tap*"\ngroups = "239.1.1.1"', "`groups` is `239.1.1.1`", '["239.1.2.3"]'),
        ('match = "tap*"\ngroups = [7]', "`groups` is `[7]`", '["239.1.2.3"]'),
        ('match = "tap*"\nroutes = ["a"]', "`routes` is", '[["10.1.0.0", 16, "10.0.0.1"]]'),
    ],
)
def test_a_wrong_word_is_one_line_that_lists_the_right_ones(entry, error, hint):
    found = refused(decode, f"{TWO}[[taps]]\n{entry}\n")
    assert error in str(found)
    assert hint in found.hint


@pytest.mark.parametrize(
    ("entry", "error"), [("mtu = 9", "`mtu` must be from 68"), ("our_ip = 5", "`our_ip` must be")]
)
def test_what_a_tap_cannot_be_is_said_with_its_name(entry, error):
    found = refused(built, order(f'{TWO}[[taps]]\nmatch = "tap2"\n{entry}\n'))
    assert "tap `tap2`: " in str(found)
    assert error in str(found)


def test_an_entry_that_fits_no_tap_meets_those_there_are():
    found = refused(built, order(f'{TWO}[[taps]]\nmatch = "h*"\nmtu = 1400\n'))
    assert (str(found), found.hint) == (
        "`scenario`: no tap is named `h*`",
        "there are tap1, tap2, ipc1",
    )


def test_with_dhcp_a_lease_names_the_gateway_and_the_planned_address_is_asked_for():
    words = 'sites = { taps = 1, gateways = 1 }\n[[taps]]\nmatch = "*"\ndhcp = true\n'
    text = TWO.replace("{ name = ", '{ name = "star", sites = 1 } #') + words
    tap = built(order(text)).network.nodes["tap1"]
    assert isinstance(tap, VirtualTapNode)
    assert (tap.config.our_ip, tap.config.gateway_ip) == (ip("10.0.0.1"), None)


def test_a_host_without_an_address_has_none_until_a_lease_gives_it():
    text = """
[[servers]]
match = "server"
secure_nat = { Mask = "255.255.0.0", Ip = "10.0.0.254", DhcpLeaseIPStart = "10.0.0.50" }
[[taps]]
match = "tap1"
dhcp = true
our_ip = "none"
dhcp_delay_max = "1s"
"""
    made = built(order(TWO + text))
    host = made.endpoints["h1"]
    assert isinstance(host, L3Host)
    assert host.stack.ip == ANY4
    made.network.run(5 * SECOND)  # nobody watches
    assert host.stack.ip == ip("10.0.0.50")


def test_traffic_to_an_address_that_is_nobodys_here_goes_outside_and_is_answered():
    text = """
[[servers]]
match = "server"
secure_nat = { Ip = "10.0.0.254", Mask = "255.255.0.0" }
[[taps]]
match = "tap1"
gateway_ip = "10.0.0.254"
[[traffic]]
kind = "ping"
from = "h1"
to = "198.51.100.7"
every = "1s"
"""
    assert done(TWO + text).summary["delivered"] == 5  # replies; nobody counts what is taken there


def test_a_tap_that_comes_back_after_a_crash_asks_for_its_lease_again():
    text = """
[[servers]]
match = "server"
secure_nat = { Mask = "255.255.0.0", Ip = "10.0.0.254", DhcpLeaseIPStart = "10.0.0.1" }
[[taps]]
match = "tap1"
dhcp = true
dhcp_delay_max = "1s"
[[timeline]]
at = "2s"
crash = "tap1"
[[timeline]]
at = "3s"
restart = "tap1"
"""
    network = built(order(TWO + text)).network
    node = network.nodes["tap1"]
    assert isinstance(node, VirtualTapNode)
    network.run(2 * SECOND)
    assert node.tap.learned_ip == ip("10.0.0.1")
    network.run(3 * SECOND)
    assert node.tap.learned_ip is None
    network.run(5 * SECOND)
    assert node.tap.learned_ip == ip("10.0.0.1")


def test_a_renewal_that_has_to_wait_for_the_server_is_the_taps_own_in_the_ledger():
    text = """
[[servers]]
match = "server"
[servers.secure_nat]
Mask = "255.255.0.0"
Ip = "10.0.0.254"
DhcpLeaseIPStart = "10.0.0.1"
DhcpExpireTimeSpan = 600
[[taps]]
match = "tap1"
dhcp = true
neighbor_lifetime = "30s"
[[timeline]]
at = "60s"
down = "server--tap1"
"""
    network = built(order(TWO.replace("5s", "600s") + text)).network
    network.run(600 * SECOND)
    assert network.nodes["tap1"].fates.held_own > 0
    assert network.ledger() == []
