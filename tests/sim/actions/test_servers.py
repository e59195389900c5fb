"""What a scenario says of a server is what its hubs and sessions are."""

import networkx as nx
import pytest

from sim.actions.servers import Described
from sim.build import build
from sim.nodes.softether.constants import Strategy, Version, constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.server import SoftEtherServer
from sim.run import built
from sim.scenario import decode
from tests.sim.scenarios import done, order, refused
from topologies import Graph
from virtualtap.wire.address import mac

TOPOLOGY = """\
name = "a"
until = "6s"
topology = { name = "hub-and-spoke", sites = 1 }
sites = { taps = 1, stations = 1, gateways = 1 }
"""
SERVERS = (
    TOPOLOGY
    + """
[[servers]]
match = "*"
version = "5.01"
strategy = "low-memory"
parameters = { MAX_MAC_TABLES = 100 }
options = { NoArpPolling = true, MaxSession = 9 }
[[servers.hubs]]
name = "SALES"
[[servers.hubs.users]]
name = "bob"
policy = { MaxMac = 7 }
[[servers.users]]
name = "alice"
policy = { MonitorPort = true, MaxIP = 6 }
[[servers.users]]
name = "locked"
policy = { Access = false }
[[servers.users]]
name = "plain"
policy = { NoBridge = true, NoRouting = true }
"""
)


def network(text: str):
    return built(order(text))


def session_of(text: str, link: str, at: str):
    """The session at the server `at` of a link."""
    made = network(text)
    (port,) = (way.target for way in made.links[link].directions if way.target.node.name == at)
    server = port.node
    assert isinstance(server, SoftEtherServer)
    session = server.session_of(port)
    assert session is not None
    hub = next(name for name, hub in server.hubs.items() if session in hub.sessions)
    return hub, session


def said(words: str) -> str:
    return f"{SERVERS}\n[[sessions]]\n{words}\n"


def test_a_server_of_which_nothing_is_said_is_silent():
    server = network(TOPOLOGY).bridges["center"]
    assert isinstance(server, SoftEtherServer)
    assert server.hub.options.NoArpPolling
    assert server.version is Version.DEVELOPER


def test_a_server_is_what_is_said_of_it():
    server = network(SERVERS).bridges["center"]
    assert isinstance(server, SoftEtherServer)
    assert server.version is Version.STABLE
    assert server.constants == constants(Strategy.LOW_MEMORY, {"MAX_MAC_TABLES": 100})
    assert server.hub.options == HubOptions(NoArpPolling=True, MaxSession=9)
    assert server.hubs["SALES"].options == HubOptions()


def test_the_last_entry_that_fits_describes_a_server():
    made = network(SERVERS + '[[servers]]\nmatch = "site1"\nversion = "2026"\n')
    versions = {name: node.version for name, node in made.bridges.items()}
    assert versions == {"center": Version.STABLE, "site1": Version.DEVELOPER}


def test_a_session_of_which_nothing_is_said_is_what_its_neighbor_makes_it():
    made = network(SERVERS)
    server = made.bridges["center"]
    assert isinstance(server, SoftEtherServer)
    kinds = {session.kind for session in server.hub.sessions}
    assert kinds == {Kind.CLIENT, Kind.CASCADE, Kind.BRIDGE}


def test_a_session_has_the_policy_of_its_user():
    hub, session = session_of(
        said("match = 'tap1--center'\nuser = 'alice'"), "center--tap1", "center"
    )
    assert (hub, session.kind, session.terms.user) == ("DEFAULT", Kind.CLIENT, "alice")
    wanted = Policy(MonitorPort=True, MaxIP=6, NoBridge=True, NoRouting=True)
    assert session.policy == wanted


def test_a_session_may_ask_for_bridge_mode_and_for_monitoring():
    words = 'match = "tap1--center"\nuser = "alice"\nbridge = true\nmonitor = true'
    _, session = session_of(said(words), "center--tap1", "center")
    assert (session.policy.NoBridge, session.is_monitor) == (False, True)


def test_a_session_may_be_in_another_hub():
    words = 'match = "center--tap1"\nhub = "SALES"\nuser = "bob"'
    hub, session = session_of(said(words), "center--tap1", "center")
    assert (hub, session.policy.MaxMac) == ("SALES", 7)


def test_a_station_with_a_user_is_a_client():
    words = 'match = "s1--center"\nuser = "alice"'
    _, session = session_of(said(words), "center--s1", "center")
    assert (session.kind, session.policy.NoBridge) == (Kind.CLIENT, True)


def test_between_two_hubs_the_order_says_whose_end_is_meant():
    words = 'match = "site1--center"\nuser = "alice"'
    _, there = session_of(said(words), "center--site1", "center")
    _, here = session_of(said(words), "center--site1", "site1")
    assert (there.kind, there.policy.NoBridge, here.kind) == (Kind.CLIENT, False, Kind.CASCADE)


def test_a_cascade_has_a_policy_of_its_own():
    words = 'match = "center--site1"\npolicy = { FilterIPv6 = true }'
    _, session = session_of(said(words), "center--site1", "site1")
    assert (session.kind, session.policy.FilterIPv6) == (Kind.CASCADE, True)


def test_a_local_bridge_may_limit_broadcast():
    words = 'match = "s1--center"\nlimit_broadcast = true\ncard = "02:00:00:00:00:99"'
    _, session = session_of(said(words), "center--s1", "center")
    assert (session.kind, session.policy.NoBroadcastLimiter) == (Kind.BRIDGE, False)
    assert session.terms.card == mac("02:00:00:00:00:99")


def test_a_user_of_an_in_process_client_keeps_it_one():
    graph: Graph = nx.Graph()
    for name, kind in (("hub", "hub"), ("ipc1", "ipc"), ("h1", "host")):
        graph.add_node(name, kind=kind)
    graph.add_edges_from((("hub", "ipc1"), ("ipc1", "h1")))
    words = "[[servers]]\nmatch = 'hub'\n[[servers.users]]\nname = 'a'\n"
    text = f"{TOPOLOGY}{words}[[sessions]]\nmatch = 'ipc1--hub'\nuser = 'a'\nover_ipv6 = true\n"
    server = build(graph, 1, servers=Described(decode(text))).bridges["hub"]
    assert isinstance(server, SoftEtherServer)
    terms = server.hub.sessions[0].terms
    assert (terms.kind, terms.user, terms.over_ipv6, terms.bridge) == (Kind.IPC, "a", True, False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ('match = "tap9--center"', "no session is named `tap9--center`"),
        ('match = "tap1--center"\nhub = "X"', "has no hub `X`"),
        ('match = "tap1--center"\nuser = "X"', "no user is named `X`"),
        ('match = "tap1--center"\nuser = "locked"', "user `locked` is not let in"),
        ('match = "tap1--center"\nuser = "plain"\nbridge = true', "user `plain` is not let in"),
        ('match = "tap1--center"\nuser = "plain"\nmonitor = true', "may not monitor"),
        ('match = "tap1--center"\nlimit_broadcast = true', "is for a local bridge"),
        ('match = "tap1--center"\ncard = "02:00:00:00:00:99"', "is for a local bridge"),
        ('match = "s1--center"\ncard = "02"', "is not a MAC address"),
        ('match = "tap1--center"\npolicy = { }', "is for a cascade"),
    ],
)
def test_who_cannot_connect_so_is_told(words, message):
    assert message in str(refused(network, said(words)))


def test_a_hub_takes_as_many_sessions_as_it_says():
    hubs = "options = { MaxSession = 1 }\n[[servers.hubs]]\nname = 'B'\n"
    sites = TOPOLOGY.replace("taps = 1", "taps = 2")
    text = f"{sites}[[servers]]\nmatch = 'center'\n{hubs}"
    assert "hub `DEFAULT` of `center` takes 1 sessions" in str(refused(network, text))
    made = network(text + "[[sessions]]\nmatch = 'tap1--center'\nhub = 'B'\n")
    server = made.bridges["center"]
    assert isinstance(server, SoftEtherServer)
    # the other tap, the station, the gateway and the cascade
    assert [len(hub.sessions) for hub in server.hubs.values()] == [4, 1]


def test_names_that_differ_only_in_capitals_are_one():
    text = said("match = 'tap1--center'\nhub = 'Sales'\nuser = 'BOB'")
    hub, session = session_of(text, "center--tap1", "center")
    assert (hub, session.terms.user, session.policy.MaxMac) == ("SALES", "bob", 7)


def test_a_switch_finds_its_hubs_whatever_their_capitals():
    words = "[[servers.switches]]\nname = 'a'\n"
    words += "interfaces = [{ hub = 'default', ip = '10.0.255.1', mask = '255.255.0.0' }]\n"
    server = network(f"{TOPOLOGY}[[servers]]\nmatch = 'center'\n{words}").bridges["center"]
    assert isinstance(server, SoftEtherServer)
    assert Kind.LAYER3 in {one.kind for one in server.hub.sessions}


def test_the_last_entry_that_fits_describes_a_session():
    words = 'match = "*--center"\nhub = "SALES"\n[[sessions]]\nmatch = "tap1--*"\nuser = "alice"'
    hub, session = session_of(said(words), "center--tap1", "center")
    assert (hub, session.terms.user) == ("DEFAULT", "alice")


def test_a_server_that_is_not_there_meets_those_that_are():
    error = refused(network, TOPOLOGY + '[[servers]]\nmatch = "hub9"\n')
    assert (str(error), error.hint) == (
        "`scenario`: no server is named `hub9`",
        "there are center, site1",
    )


def test_a_user_of_a_server_that_is_not_described_is_nobody():
    error = refused(network, TOPOLOGY + '[[sessions]]\nmatch = "tap1--center"\nuser = "alice"\n')
    assert "no user is named `alice`" in str(error)


def test_secure_nat_speaks_in_its_hub_and_leads_outside():
    words = "secure_nat = { Ip = '10.0.255.1', Mask = '255.255.0.0' }\n"
    text = TOPOLOGY + f"[[servers]]\nmatch = 'center'\n{words}"
    made = network(text + "[[servers.hubs]]\nname = 'B'\n" + words)
    assert [name for name in made.network.nodes if "outside" in name] == [
        "center-outside",
        "center-outside2",
    ]
    made.network.run(10_000_000_000)
    assert b"\x5e" in {mac[:1] for mac in made.bridges["center"].table()}
    assert made.network.ledger() == []


def test_only_a_server_that_is_described_limits_storms():
    kinds = (Kind.CLIENT, Kind.CASCADE)
    for text, is_free in ((TOPOLOGY, True), (SERVERS, False)):
        server = network(text).bridges["center"]
        assert isinstance(server, SoftEtherServer)
        sessions = [one for one in server.hub.sessions if one.kind in kinds]
        assert {one.policy.NoBroadcastLimiter for one in sessions} == {is_free}


def test_a_session_knows_the_group_and_the_note_of_its_user():
    users = "[[servers.groups]]\nname = 'g'\n[[servers.users]]\nname = 'a'\ngroup = 'g'\nnote = 'n'"
    text = (
        f"{TOPOLOGY}[[servers]]\nmatch = '*'\n{users}\n[[sessions]]\nmatch = 'tap1--*'\nuser = 'a'"
    )
    _, session = session_of(text, "center--tap1", "center")
    assert (session.terms.group, session.terms.note) == ("g", "n")


def test_a_layer_3_switch_has_a_session_in_each_of_its_hubs():
    words = (
        "[[servers.hubs]]\nname = 'B'\n[[servers.switches]]\nname = 'a'\ninterfaces = ["
        "{ hub = 'DEFAULT', ip = '10.0.255.1', mask = '255.255.0.0' },"
        "{ hub = 'B', ip = '10.1.255.1', mask = '255.255.0.0' }]\n"
        "routes = [{ network = '0.0.0.0', mask = '0.0.0.0', gateway = '10.0.0.1' }]\n"
    )
    made = network(f"{TOPOLOGY}[[servers]]\nmatch = 'center'\n{words}")
    server = made.bridges["center"]
    assert isinstance(server, SoftEtherServer)
    inside = {
        name: [one.kind for one in hub.sessions if one.kind is Kind.LAYER3]
        for name, hub in server.hubs.items()
    }
    assert inside == {"DEFAULT": [Kind.LAYER3], "B": [Kind.LAYER3]}


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("[[servers.access]]\nDiscard = true\n", "access-list"),
        ("[[servers.access]]\nLoss = 100\n", "access-loss"),
        ("options = { FilterIPv4 = true }\n", "hub-filter"),
    ],
)
def test_rules_and_filters_of_a_hub_hold(rule, dropped):
    ping = '[[traffic]]\nkind = "ping"\nfrom = "h1"\nto = "s1"\nevery = "1s"\n'
    run = done(f"{TOPOLOGY}[[servers]]\nmatch = 'center'\n{rule}{ping}")
    assert run.summary["dropped"][dropped] > 0
    assert run.summary["delivered"] == 0


def test_a_described_run_is_the_same_twice_and_balances():
    words = "secure_nat = { }\n[[servers.users]]\nname = 'alice'\n"
    ping = '[[traffic]]\nkind = "ping"\nfrom = "h*"\nto = "gateway"\nevery = "500ms"\n'
    text = f"{TOPOLOGY}[[servers]]\nmatch = '*'\n{words}{ping}"
    first, second = done(text), done(text)
    assert (first.verdict, first.digest) == ("pass", second.digest)
