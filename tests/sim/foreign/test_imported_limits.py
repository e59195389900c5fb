"""What a scenario cannot hold, or a run would refuse, is left out and said; the rest runs."""

import pytest

from sim.foreign.imported import CLIENTS_MAX, imported
from sim.run import built
from sim.scenario import SCENARIO_MAX, decode
from sim.words.phones import Transport
from sim.words.tables import ENTRIES_MAX
from tests.sim.foreign.configs import account
from tests.sim.foreign.lines import folder, hub, interface, route, server, switch, users
from tests.sim.scenarios import order, refused

MAX_SESSION_1 = folder("Option", "uint MaxSession 1")


@pytest.mark.parametrize(
    ("text", "clients"),
    [
        (hub(MAX_SESSION_1), 1),
        (hub(MAX_SESSION_1, more=switch([interface()] * 2, [])), 1),
        (
            hub(
                MAX_SESSION_1 + users("one"),
                more=folder(
                    "LocalBridgeList",
                    "\n".join(folder(f"n{i}", "string HubName default") for i in range(3)),
                ),
            ),
            1,
        ),
        (
            hub(
                MAX_SESSION_1
                + folder(
                    "CascadeList",
                    "\n".join(folder(f"n{i}", "bool Online true") for i in range(3)),
                )
            ),
            0,
        ),
    ],
)
def test_what_counts_for_no_session_limit_takes_no_place(given, text, clients):
    made = imported(given(text)).text
    assert decode(made).topology["clients"] == clients
    assert built(order(made)).network.nodes["server"]


@pytest.mark.parametrize("most", [0, 1])
def test_an_account_in_half_duplex_has_two_connections_at_least(given, most):
    lines = f"MaxConnection {most}\nbool HalfConnection true"
    made = imported(given(account().replace("MaxConnection 8", lines))).text
    assert decode(made).links[0].transport == Transport(
        connections=2, half_duplex=True, udp_acceleration=True
    )
    assert built(order(made)).network.nodes["server"]


def test_an_account_retries_no_sooner_than_the_product(given):
    made = imported(
        given(account().replace("MaxConnection 8", "MaxConnection 1\nuint RetryInterval 0"))
    )
    assert decode(made.text).links[0].transport == Transport(udp_acceleration=True, retry="5s")
    assert built(order(made.text)).network.nodes["server"]


@pytest.mark.parametrize("metric", ["uint Metric 0", "int Metric -1", "uint Metric 4294967296"])
def test_a_route_that_cannot_be_is_left_out_and_said(given, metric):
    made = imported(given(hub("", more=switch([interface()], [route(), route(metric)]))))
    line = "number 2 of the routes of layer-3 switch `L3`: a value that the simulator does not take"
    assert line in made.left
    assert len(decode(made.text).servers[0].switches[0].routes) == 1


@pytest.mark.parametrize("address", ["bad", "::1", "$"])
def test_an_interface_that_cannot_be_is_left_out_and_said(given, address):
    made = imported(given(hub("", more=switch([interface(address), interface()], []))))
    line = "number 1 of the interfaces of layer-3 switch `L3`: a value that the simulator does not"
    assert [one for one in made.left if one.startswith(line)] != []
    assert len(decode(made.text).servers[0].switches[0].interfaces) == 1


def test_a_switch_without_a_name_that_can_be_is_said(given):
    for name, length in (("$", 0), ("x" * 256, 256)):
        made = imported(given(hub("", more=switch([interface()], [], name))))
        assert any(one.endswith(f"a name of {length} characters") for one in made.left)
        assert decode(made.text).servers[0].switches == ()


def test_more_interfaces_and_routes_than_a_scenario_lists_are_said(given):
    many = ENTRIES_MAX + 2
    text = hub("", more=switch([interface()] * many, [route()] * many))
    made = imported(given(text))
    assert f"2 of {many} interfaces of layer-3 switch `L3`: too many" in made.left
    assert f"2 of {many} routes of layer-3 switch `L3`: too many" in made.left


def test_an_account_with_a_name_that_cannot_be_is_said(given):
    made = imported(given(account(hub="x" * 256), account("y" * 256), account("ann")))
    assert [one for one in made.left if one.endswith("a name of 256 characters")] == [
        f"hub `{'x' * 60}`: a name of 256 characters",
        f"user `{'y' * 60}`: a name of 256 characters",
    ]
    assert [one.user for one in decode(made.text).sessions] == ["ann"]


def test_more_accounts_alone_than_clients_are_said(given):
    made = imported(given(*(account(f"u{i}") for i in range(CLIENTS_MAX + 1))))
    assert f"1 of {CLIENTS_MAX + 1} accounts: too many" in made.left


def test_names_are_those_of_the_product_whatever_their_capitals(given):
    groups = folder("GroupList", folder("Staff", ""))
    lists = folder(
        "SecurityAccountDatabase",
        groups + folder("UserList", folder("ann", "string GroupName STAFF") + folder("ANN", "")),
    )
    bridge = folder("LocalBridgeList", folder("n", "string HubName SALES"))
    made = imported(given(server({"default": lists, "Sales": "", "sales": ""}, bridge)))
    (one,) = decode(made.text).servers
    assert [(user.name, user.group) for user in one.users] == [("ann", "Staff")]
    assert [other.name for other in one.hubs] == ["Sales"]
    assert [session.hub for session in decode(made.text).sessions] == ["DEFAULT", "Sales"]
    assert [line for line in made.left if "capitals" in line] == [
        "hub `sales`: another differs only in capitals",
        "user `ANN`: another differs only in capitals",
    ]


def test_accounts_alone_that_differ_only_in_capitals_are_of_one_user(given):
    made = imported(given(account(hub="Office"), account("ALICE", "office", monitor=True)))
    (one,) = decode(made.text).servers
    ((user,),) = [office.users for office in one.hubs]
    assert (user.name, user.policy) == ("alice", {"MonitorPort": True})
    assert [session.hub for session in decode(made.text).sessions] == ["Office", "Office"]


def test_groups_beyond_those_of_a_scenario_take_their_users_to_none(given):
    groups = "\n".join(folder(f"g{i}", "") for i in range(ENTRIES_MAX + 1))
    lists = (
        folder("GroupList", groups)
        + "\n"
        + folder("UserList", folder("ann", f"string GroupName g{ENTRIES_MAX}"))
    )
    made = imported(given(hub(folder("SecurityAccountDatabase", lists))))
    assert "user `ann`: his group is not there" in made.left
    assert decode(made.text).servers[0].users[0].group == ""


@pytest.mark.parametrize("sign", ["?", "#", ";", "<"])
def test_what_follows_the_address_of_a_page_does_not_come_along(given, sign):
    rules = folder("AccessList", folder("1", f"string RedirectUrl http://h/page{sign}TOKEN"))
    made = imported(given(hub(rules))).text
    assert decode(made).servers[0].access == ({"RedirectUrl": "http://h/page"},)
    assert "TOKEN" not in made


def test_what_is_right_only_together_is_taken_together(given):
    lease = "string DhcpLeaseIPStart 192.168.31.10\nstring DhcpLeaseIPEnd 192.168.31.200"
    words = folder("SecureNAT", "bool Disabled false\n" + folder("VirtualDhcpServer", lease))
    assert decode(imported(given(hub(words))).text).servers[0].secure_nat == {
        "DhcpLeaseIPStart": "192.168.31.10",
        "DhcpLeaseIPEnd": "192.168.31.200",
    }


def test_a_range_without_an_address_is_no_dhcp_server(given):
    lease = folder("VirtualDhcpServer", "string DhcpLeaseIPEnd 192.168.30.9")
    made = imported(given(hub(folder("SecureNAT", "bool Disabled false\n" + lease))))
    assert "SecureNAT of hub `DEFAULT` has no address to lease: it leases none" in made.left
    assert built(order(made.text)).network.nodes["server-outside"]


def test_a_setting_that_cannot_be_is_left_out_beside_those_that_can(given):
    host = folder("VirtualHost", "string VirtualHostIp bad\nstring VirtualHostMacAddress $")
    lease = folder("VirtualDhcpServer", "uint DhcpExpireTimeSpan 60")
    made = imported(given(hub(folder("SecureNAT", f"bool Disabled false\n{host}{lease}"))))
    assert decode(made.text).servers[0].secure_nat == {"DhcpExpireTimeSpan": 60}
    line = "of SecureNAT of hub `DEFAULT`: a value that the simulator does not take"
    assert [one for one in made.left if line in one] == [f"`MacAddress` {line}", f"`Ip` {line}"]


@pytest.mark.slow
def test_a_server_too_large_for_a_scenario_is_told_what_to_do(given):
    everybody = users(*(f"u{i}" for i in range(ENTRIES_MAX)))
    error = refused(imported, given(server({f"H{i}": everybody for i in range(30)})))
    assert f"at most {SCENARIO_MAX} are read" in str(error)
    assert error.hint == "take hubs, users or rules out of a copy of the server's file"
