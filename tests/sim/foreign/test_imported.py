"""A server's configuration becomes a scenario that runs; what does not come along is said."""

import json
import re

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_by
from hypothesis import strategies as st

from sim.foreign.imported import CLIENTS_MAX, imported
from sim.foreign.softether_config import parse
from sim.run import built
from sim.scenario import decode
from sim.words.phones import Transport
from tests.sim.foreign.configs import SECRETS, SERVER, account
from tests.sim.foreign.lines import hub, users
from tests.sim.scenarios import ONE_LINE, called, done, order, refused
from virtualtap.errors import UsageError


@pytest.fixture
def scenario(given):
    return decode(imported(given(SERVER)).text)


def test_options_are_taken_where_they_are_not_the_default(scenario):
    assert scenario.servers[0].options == {
        "NoArpPolling": True,
        "VlanTypeId": 0x88A8,
        "BroadcastStormDetectionThreshold": 64,
    }


def test_numbers_that_are_replaced_are_taken(scenario):
    assert scenario.servers[0].parameters == {"MAC_TABLE_EXPIRE_TIME": 300_000}


def test_groups_and_users_have_their_policies(scenario):
    server = scenario.servers[0]
    assert [(one.name, one.policy) for one in server.groups] == [
        ("staff", {"MaxUpload": 1_000_000, "TimeOut": 30})
    ]
    assert [(one.name, one.group, one.policy, one.note) for one in server.users] == [
        ("alice", "staff", None, "IPv4:10.0.0.77"),
        ("bob", "", {"MonitorPort": True}, ""),
        ("locked", "", {"Access": False}, ""),
        ("*", "", None, ""),
    ]


def test_the_access_list_is_taken_in_the_terms_of_the_product(scenario):
    assert scenario.servers[0].access == (
        {
            "Priority": 100,
            "SrcIpAddress": "10.0.0.0",
            "SrcSubnetMask": "255.0.0.0",
            "Protocol": 6,
            "DestPortStart": 80,
            "DestPortEnd": 80,
            "SrcUsername": "alice",
            "CheckSrcMac": True,
            "SrcMacAddress": "02-00-00-00-00-01",
            "SrcMacMask": "FF-FF-FF-FF-FF-FF",
            "Delay": 20,
            "Jitter": 50,
            "Loss": 1,
            "RedirectUrl": "http://127.0.0.1/page",
        },
        {
            "Priority": 200,
            "Active": False,
            "Discard": True,
            "IsIPv6": True,
            "SrcIpAddress": "fd00::",
            "SrcSubnetMask": "ffff::",
        },
    )


def test_secure_nat_is_taken_where_it_runs(scenario):
    assert scenario.servers[0].secure_nat == {
        "MacAddress": "5E-00-00-00-00-01",
        "Ip": "10.0.255.1",
        "Mask": "255.255.0.0",
        "Mtu": 1400,
        "UseNat": False,
        "DhcpExpireTimeSpan": 3600,
        "DhcpGatewayAddress": "0.0.0.0",
        "DhcpPushRoutes": "10.1.0.0/255.255.0.0/10.0.0.9, 10.2.0.0/255.255.0.0/10.0.0.9",
    }
    assert scenario.servers[0].hubs[0].secure_nat is None


def test_layer_3_switches_that_run_are_taken(scenario):
    (switch,) = scenario.servers[0].switches
    assert switch.name == "L3"
    assert [(one.hub, one.ip) for one in switch.interfaces] == [
        ("DEFAULT", "10.0.255.2"),
        ("SALES TEAM", "10.1.255.2"),
    ]
    assert [(one.gateway, one.metric) for one in switch.routes] == [("10.0.0.1", 2)]


def test_users_bridges_and_cascades_are_connected(scenario):
    assert scenario.topology == {"name": "server", "clients": 3, "bridges": 1, "cascades": 1}
    said = [(one.match, one.hub, one.user) for one in scenario.sessions]
    assert said == [
        ("tap1--server", "DEFAULT", "alice"),
        ("tap2--server", "DEFAULT", "bob"),
        ("tap3--server", "SALES TEAM", "carol"),
        ("lan1--server", "DEFAULT", ""),
        ("remote1--server", "DEFAULT", ""),
        ("server--remote1", "", ""),
    ]
    assert scenario.sessions[3].limit_broadcast
    assert scenario.sessions[4].policy == {"FilterIPv6": True}
    assert scenario.sessions[5].bridge


def test_in_each_hub_everybody_pings_the_next(scenario):
    assert [(one.from_, one.to) for one in scenario.traffic] == [
        *(("h1", "h2"), ("h2", "s1"), ("s1", "s2"), ("s2", "h1"))
    ]


def test_what_does_not_come_along_is_said(given):
    text = "\n".join(imported(given(SERVER)).left)
    for line in (
        "hub `SALES TEAM` is offline in the file; here it is not",
        "user `bob`: his group is not there",
        "`VLanId` of user `bob`: a value that the simulator does not take",
        "`RedirectUrl` of rule `2` of hub `DEFAULT`: a value that the simulator does not take",
        "a cascade of hub `DEFAULT` is offline",
        "a local bridge of hub `GONE`: there is none",
        "layer-3 switch `Stopped` is stopped",
        "layer-3 switch `Lost`: a hub of it is not there",
        "user `locked` of hub `DEFAULT` would not be let in",
        "{DDnsClient/, IPsec/, WireGuardKeyList/}: never copied",
        "ServerConfiguration/GlobalParams/NEW_PARAMETER: not modeled",
        "VirtualHUB/*/{HashedPassword, SecurePassword, RadiusSecret}: never copied",
        "VirtualHUB/*/Option/NoMacAddressLog: not modeled",
        "VirtualHUB/*/SecurityAccountDatabase/UserList/*/Policy/NewItem: not modeled",
    ):
        assert line in text


def test_no_secret_comes_through(given):
    files = given(SERVER, account())
    made = imported(files)
    said = made.text + "\n".join(made.left)
    assert [one for one in SECRETS if one not in SERVER + account()] == []
    assert [one for one in SECRETS if one in said] == []


def test_what_is_in_bytes_is_not_even_read(given):
    read = [repr(parse(path.read_bytes(), "a")) for path in given(SERVER, account())]
    in_bytes = re.findall(r"byte \S+ (\w+)=", SERVER + account())
    assert len(in_bytes) == 16
    assert [one for one in in_bytes if one in "".join(read)] == []


def test_what_is_imported_runs_and_holds(given):
    run = done(imported(given(SERVER)).text)
    assert run.verdict == "pass"
    assert run.summary["delivered"] > 0


def test_accounts_say_who_is_connected_and_how(given):
    files = given(SERVER, account("ALICE", "default", bridge=True), account("bob", monitor=True))
    made = decode(imported(files).text)
    assert [(one.hub, one.user, one.bridge, one.monitor) for one in made.sessions if one.user] == [
        ("DEFAULT", "alice", True, False),
        ("DEFAULT", "bob", None, True),
    ]


def test_an_account_says_how_its_connections_are(given):
    lines = "uint RetryInterval 5\nbool HalfConnection true\nbool DisableQoS true\n"
    lines += "bool NoUdpAcceleration true\nbool UseEncrypt false\n"
    text = account().replace("string Hostname", f"{lines}string Hostname")
    first, second = decode(imported(given(account(), text)).text).links
    assert first.transport == Transport(connections=8, udp_acceleration=True)
    assert second.transport == Transport(
        connections=8, half_duplex=True, qos=False, encrypt=False, retry="5s"
    )
    assert (first.match, second.match) == ("tap1--server", "tap2--server")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (account("alice", monitor=True), "user `alice` of hub `DEFAULT` would not be let in"),
        (account("nobody"), "user `nobody` of hub `DEFAULT`: there is none"),
        (account(hub="GONE"), "user `alice` of hub `GONE`: there is none"),
    ],
)
def test_an_account_that_is_not_let_in_is_said(given, text, line):
    made = imported(given(SERVER, text))
    assert line in made.left
    assert not any(one.user for one in decode(made.text).sessions)


def test_an_account_alone_makes_its_hub_and_its_user(given):
    made = decode(imported(given(account("dora", "OFFICE", monitor=True), account())).text)
    (server,) = made.servers
    assert [(one.name, one.users[0].name) for one in server.hubs] == [("OFFICE", "dora")]
    assert [one.name for one in server.users] == ["alice"]
    assert done(imported(given(account("dora", "OFFICE", monitor=True))).text).verdict == "pass"


def test_a_server_that_nobody_uses_gets_two_clients(given):
    made = decode(imported(given(hub(""))).text)
    assert (made.topology["clients"], len(made.sessions), len(made.traffic)) == (2, 2, 2)


def test_more_users_than_can_be_connected_are_said(given):
    made = imported(given(hub(users(*(f"u{i}" for i in range(CLIENTS_MAX + 5))))))
    assert "5 of 105 clients: too many" in made.left
    assert decode(made.text).topology["clients"] == CLIENTS_MAX


def test_no_more_clients_connect_than_a_hub_takes(given):
    option = (
        "declare Option\n{\nuint MaxSession 1\n}\ndeclare SecureNAT\n{\nbool Disabled false\n}\n"
    )
    made = imported(given(hub(option + users("first", "second"))))
    assert "user `second` of hub `DEFAULT`: `MaxSession` leaves no place" in made.left
    assert done(made.text).verdict == "pass"


def test_odd_names_come_through_as_words(given):
    odd = "".join(f"${byte:02X}" for byte in "\u202e\x7f\x1b[31m\"'=\\\n]é".encode())
    made = imported(given(hub(users(odd), name=f"H{odd}")))
    assert decode(made.text).servers[0].hubs[0].users[0].name == "\u202e\x7f\x1b[31m\"'=\\\n]é"
    assert all(char.isprintable() or char == "\n" for char in made.text)


def test_many_routes_are_no_line_of_too_many_dots(given):
    routes = ",".join(f"10.{i}.0.0/255.255.0.0/10.0.0.9" for i in range(20))
    nat = f"declare VirtualDhcpServer\n{{\nstring DhcpPushRoutes {routes}\n}}\nbool Disabled false"
    made = decode(imported(given(hub(f"declare SecureNAT\n{{\n{nat}\n}}"))).text)
    assert made.servers[0].secure_nat == {"DhcpPushRoutes": routes}


def test_a_name_of_no_hub_is_said(given):
    assert "hub ``: a name of 0 characters" in imported(given(hub("", name="$"))).left


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("declare root\n{\n}\n",), "holds neither hubs nor an account"),
        ((hub(""), hub("")), "2 of the files are of servers"),
        (("nonsense",), "line 1: it is neither a folder nor an item"),
        ((SERVER[:-3],), "the file ends inside `root`"),
    ],
)
def test_what_is_no_configuration_is_one_line(given, texts, message):
    assert message in str(refused(imported, given(*texts)))


def test_every_truncation_of_a_file_is_one_line_or_a_scenario(given):
    lines = SERVER.rstrip().splitlines()
    for length in range(0, len(lines) - 1, 7):
        refused(imported, given("\n".join(lines[:length])))


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_by(
    st.integers(0, SERVER.count("\n") - 1),
    st.sampled_from(
        ("", "}", "\tuint Loss 4294967296", "\tstring HubName $", "\tbool IsIPv6 true", "{0} {0}")
    ),
    st.sampled_from(("-1", "0", "99999999999", "$", "$20", "::1", "x" * 300, "true", "255.0.0.0")),
)
def test_a_wrong_line_is_one_line_or_a_scenario(given, at, line, value):
    lines = SERVER.splitlines()
    words = lines[at].split()
    wrong = f"{words[0]} {words[1]} {value}" if len(words) == 3 else line.replace("{0}", lines[at])
    lines[at] = wrong
    try:
        text = imported(given("\n".join(lines))).text
    except UsageError:
        return
    assert built(order(text)).network.nodes["server"]


def test_the_command_writes_a_scenario_and_never_over_another(given, tmp_path, capsys):
    (path,) = given(SERVER)
    out = tmp_path / "made.toml"
    status, said, told = called(capsys, "import", path, "--out", out)
    assert (status, said) == (0, "")
    assert "not carried over: user `locked`" in told
    assert decode(out.read_text(encoding="utf-8")).name == "file0"
    status, said, told = called(capsys, "import", path, "--out", out)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(told)


def test_the_command_speaks_toml_or_json(given, capsys):
    (path,) = given(SERVER)
    status, said, told = called(capsys, "import", path)
    assert (status, decode(said).name) == (0, "file0")
    assert "remarks on what was not carried over" in told
    status, said, _ = called(capsys, "import", path, "--json")
    content = json.loads(said)
    assert (status, decode(content["scenario"]).name) == (0, "file0")
    assert "user `locked` of hub `DEFAULT` would not be let in" in content["left"]
