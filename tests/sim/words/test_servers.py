"""Every term of the product is known by its name, and a wrong one meets the right ones."""

from dataclasses import fields

import pytest

from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import Constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Policy
from sim.nodes.softether.vh_option import Mode, Ping, VhOption
from sim.scenario import decode
from sim.words.servers import (
    groups_of,
    options_of,
    policy,
    policy_of_user,
    rules_of,
    secure_nat_of,
    user_of,
)
from tests.sim.scenarios import refused
from virtualtap.wire.address import Route, ip, mac

LEAST = 'name = "a"\ntopology = { name = "star" }\n'
SWITCH = "[[servers.switches]]\nname = 'a'\ninterfaces = ["
SERVER = LEAST + '[[servers]]\nmatch = "*"\n'


def server(text: str = ""):
    return decode(SERVER + text).servers[0]


def test_a_server_that_is_only_named_has_the_defaults_of_the_product():
    words = server()
    assert (words.version, words.strategy, words.parameters) == ("2026", "performance", {})
    assert list(words.by_name()) == ["DEFAULT"]
    assert options_of(words) == HubOptions()
    assert user_of(words, "") is None


def test_options_are_said_by_their_names_in_the_product():
    words = server('options = { NoArpPolling = true, MaxSession = 7, DefaultGateway = "10.0.0.1" }')
    wanted = HubOptions(NoArpPolling=True, MaxSession=7, DefaultGateway=ip("10.0.0.1"))
    assert options_of(words) == wanted


@pytest.mark.parametrize("name", [one.name for one in fields(Policy)])
def test_every_item_of_a_policy_can_be_said(name):
    default = getattr(Policy(), name)
    value = (not default) if isinstance(default, bool) else 7
    assert getattr(policy({name: value}), name) == value


def test_a_user_without_a_policy_has_that_of_his_group():
    words = server(
        "[[servers.groups]]\nname = 'g'\npolicy = { MaxMac = 5 }\n"
        "[[servers.users]]\nname = 'with'\ngroup = 'g'\npolicy = { MaxIP = 9 }\n"
        "[[servers.users]]\nname = 'without'\ngroup = 'g'\n"
        "[[servers.users]]\nname = 'alone'\n"
    )
    policies = {one.name: policy_of_user(one, groups_of(words)) for one in words.users}
    assert policies == {"with": Policy(MaxIP=9), "without": Policy(MaxMac=5), "alone": Policy()}


def test_capitals_in_the_name_of_a_group_are_no_difference():
    words = server(
        "[[servers.groups]]\nname = 'Staff'\npolicy = { MaxMac = 5 }\n"
        "[[servers.users]]\nname = 'a'\ngroup = 'STAFF'\n"
    )
    assert policy_of_user(words.users[0], groups_of(words)) == Policy(MaxMac=5)


def test_secure_nat_takes_the_settings_of_the_virtual_host():
    option, mode, ping = secure_nat_of(
        {
            "MacAddress": "5E-00-00-00-00-01",
            "UseNat": False,
            "DhcpDomainName": "example.org",
            "DhcpPushRoutes": "10.1.0.0/255.255.0.0/10.0.0.9, 10.2.0.0/255.255.0.0/10.0.0.9",
            "mode": "kernel",
            "ping": "fake",
        }
    )
    routes = Route(ip("10.1.0.0"), 16, ip("10.0.0.9")), Route(ip("10.2.0.0"), 16, ip("10.0.0.9"))
    assert option == VhOption(
        MacAddress=mac("5e:00:00:00:00:01"),
        UseNat=False,
        DhcpDomainName="example.org",
        DhcpPushRoutes=routes,
    )
    assert (mode, ping) == (Mode.KERNEL, Ping.FAKE)


def test_a_rule_of_an_access_list_has_the_items_of_the_product():
    words = server(
        "[[servers.access]]\nPriority = 10\nDiscard = true\nSrcIpAddress = '10.0.0.0'\n"
        "SrcSubnetMask = '255.0.0.0'\nCheckDstMac = true\nDstMacAddress = '02-00-00-00-00-01'\n"
        "[[servers.access]]\nIsIPv6 = true\nDestIpAddress = 'fd00::1'\nDelay = 5\n"
    )
    first, second = rules_of(words)
    assert first == AccessRule(
        Priority=10,
        Discard=True,
        SrcIpAddress=ip("10.0.0.0"),
        SrcSubnetMask=ip("255.0.0.0"),
        CheckDstMac=True,
        DstMacAddress=mac("02:00:00:00:00:01"),
    )
    assert second == AccessRule(IsIPv6=True, DestIpAddress=ip("fd00::1"), Delay=5)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("options = { NoArpPoling = true }", "did you mean `NoArpPolling`? there are NoArpPolling"),
        ("options = { NoArpPolling = 1 }", "`true` or `false`"),
        ("options = { MaxSession = true }", "from 0 to 4294967295"),
        ("options = { VlanTypeId = 65536 }", "from 0 to 65535"),
        ('options = { DefaultGateway = "fd00::1" }', "192.168.30.1"),
        ("options = { DefaultGateway = 1 }", "quotes"),
        ("parameters = { MAX_MAC = 1 }", "MAX_MAC_TABLES"),
        ("parameters = { MAX_MAC_TABLES = -1 }", "from 0"),
        ('version = "4"', "5.01, 2026"),
        ('strategy = "slow"', "performance, low-memory"),
        ("secure_nat = { IP = 1 }", "did you mean `Ip`? there are MacAddress, Ip"),
        ('secure_nat = { mode = "raw" }', "user, kernel, off"),
        ('secure_nat = { ping = "never" }', "raw, api, fake"),
        ('secure_nat = { DhcpPushRoutes = "10.0.0.0/8" }', "network/mask/router"),
        ("[[servers.users]]\nname = 'a'\npolicy = { VLanId = 4096 }", "from 0 to 4095"),
        ("[[servers.users]]\nname = 'a'\npolicy = { Maxmac = 1 }", "did you mean `MaxMac`?"),
        ("[[servers.users]]\nname = 'a'\ngroup = 'b'", "there are none"),
        ("[[servers.users]]\nname = 'a'\npasword = 'b'", "the keys are group, name, note, policy"),
        ("[[servers.users]]\nname = 'a'\n[[servers.users]]\nname = 'a'", "name each of its own"),
        ("[[servers.users]]\nname = 'a'\n[[servers.users]]\nname = 'A'", "are no difference"),
        ("[[servers.groups]]\nname = 'a'\n[[servers.groups]]\nname = 'A'", "are no difference"),
        ("[[servers.hubs]]\nname = 'default'", "are no difference"),
        ("[[servers.groups]]\nname = 'a'\npolicy = { x = 1 }", "there are Access"),
        ("[[servers.access]]\nDiscrad = true", "did you mean `Discard`? there are Priority"),
        ("[[servers.access]]\nSrcIpAddress = 'fd00::1'", "IsIPv6"),
        ("[[servers.access]]\nSrcIpAddress = 'x'", "10.0.0.1"),
        (f"{SWITCH}{{ hub = 'X', ip = '10.0.0.1', mask = '255.0.0.0' }}]", "there are DEFAULT"),
        (f"{SWITCH}{{ hub = 'DEFAULT', ip = '10.0.0.1', mask = '8' }}]", "10.0.0.1"),
        (f"{SWITCH}{{ hub = 'DEFAULT', ip = '10.0.0.1', msk = '8' }}]", "did you mean `mask`?"),
        ("[[servers.hubs]]\nname = 'DEFAULT'", "name each of its own"),
        ("[[servers.hubs]]\nname = 'B'\noptions = { x = 1 }", "there are NoArpPolling"),
        ("[[servers.hubs]]\nname = 'B'\nmatch = 'x'", "the keys are"),
        ("[[sessions]]\nmatch = 'x'\nuzer = 'y'", "did you mean `user`?"),
    ],
)
def test_a_wrong_word_meets_the_right_ones(text, hint):
    assert hint in (refused(decode, SERVER + text).hint or "")


def test_the_list_of_the_right_ones_is_whole():
    for text, kind in (("options", HubOptions), ("secure_nat", VhOption)):
        hint = refused(decode, f"{SERVER}{text} = {{ wrong = 1 }}").hint
        assert all(one.name in hint for one in fields(kind))
    hint = refused(decode, SERVER + "parameters = { wrong = 1 }").hint
    assert all(one.name in hint for one in fields(Constants))
