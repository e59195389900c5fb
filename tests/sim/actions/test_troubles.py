"""What a scenario says of faults, sessions and clogs; what cannot be is one line."""

from itertools import pairwise

import pytest

from sim.actions import troubles
from sim.actions.timeline import Begin, Clog, End, Reconnect
from sim.faults import Exactly, Loss, Mtu, Outcome, Toward
from tests.sim.scenarios import done, refused
from tests.sim.troubled import LAN, PINGS, TRANSPORT, at, enacted, network
from virtualtap.units import MS, SECOND

# faults


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ({"fault": "mtu", "most": 1400}, Mtu(1400)),
        ({"fault": "loss", "probability": 1, "toward": "a"}, Toward(Loss(1.0), "a")),
        ({"fault": "exactly"}, Exactly(())),
        (
            {"fault": "exactly", "lose": [7, 3], "repeat": [4]},
            Exactly(((3, Outcome(lost=True)), (4, Outcome(copies=2)), (7, Outcome(lost=True)))),
        ),
        (
            {"fault": "exactly", "late": [[5, "2ms"]], "flip": [[5, 0]], "cut": [[8, 40]]},
            Exactly(((5, Outcome(late=2 * MS, flip=0)), (8, Outcome(cut=40)))),
        ),
        (
            {"fault": "exactly", "lose": [1], "toward": "a"},
            Toward(Exactly(((1, Outcome(lost=True)),)), "a"),
        ),
    ],
)
def test_a_fault_can_be_said(words, fault):
    assert troubles.fault(words) == fault


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"fault": "mtu", "most": 0}, "`most` of `mtu` has `0`"),
        ({"fault": "mtu", "most": "1ms"}, "`most` of `mtu` has `1ms`"),
        ({"fault": "mtu", "most": 65_536}, "`most` of `mtu` has `65536`"),
        ({"fault": "mtu"}, "fault `mtu` has `nothing`"),
        ({"fault": "loss", "probability": 1, "toward": 5}, "`toward` is `5`"),
        ({"fault": "exactly", "loose": [1]}, "fault `exactly` has `loose`"),
        ({"fault": "exactly", "lose": 1}, "fault `exactly` has `lose`"),
        ({"probability": 1}, "a fault has no name"),
        ({"fault": "exactly", "lose": [0]}, "`lose` of `exactly` has `0`"),
        ({"fault": "exactly", "lose": [True]}, "`lose` of `exactly` has `True`"),
        ({"fault": "exactly", "repeat": [4, 4]}, "`repeat` of `exactly` names a frame twice"),
        ({"fault": "exactly", "late": [5]}, "`late` of `exactly` is no list of pairs"),
        ({"fault": "exactly", "late": [[5]]}, "`late` of `exactly` is no list of pairs"),
        ({"fault": "exactly", "late": [[5, "2"]]}, "'2' is not a time"),
        ({"fault": "exactly", "late": [[[], "2s"]]}, "`late` of `exactly` has `[]`"),
        ({"fault": "exactly", "flip": [[5, -1]]}, "`flip` of `exactly` has `-1`"),
        ({"fault": "exactly", "cut": [[5, 0]]}, "`cut` of `exactly` has `0`"),
        ({"fault": "exactly", "cut": [[5, 1], [5, 2]]}, "names a frame twice"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(words, said):
    error = refused(troubles.fault, words)
    assert said in str(error)
    assert error.hint != ""


def test_a_pattern_with_toward_means_the_links_that_end_there():
    links = network(
        f'{LAN}[[links]]\nmatch = "*"\n'
        'faults = [{ fault = "loss", probability = 1, toward = "hub2" }]\n'
    ).links
    assert {name for name, link in links.items() if link.faults} == {"hub1--hub2", "hub2--gw"}


def test_a_fault_begins_and_ends_toward_a_node():
    line = 'begin = { link = "*", fault = "loss", probability = 1, toward = "s1" }'
    (begin,) = enacted(line)
    assert (begin.link.name, begin.fault) == ("hub1--s1", Toward(Loss(1.0), "s1"))
    assert isinstance(begin, Begin)
    (end,) = enacted('end = { link = "s1--*", fault = "loss", toward = "s1" }')
    assert (type(end), end.fault_name, end.toward) == (End, "loss", "s1")


def test_a_one_way_partition_lets_one_way_through():
    cut = 'begin = { link = "hub1--sw", fault = "loss", probability = 1, toward = "sw" }'
    one = network(LAN + PINGS + at("1s", cut))
    link = one.links["hub1--sw"]
    toward = next(way for way in link.directions if way.target.node.name == "sw")
    back = next(way for way in link.directions if way is not toward)
    one.network.run(1 * SECOND + 1)
    before, there = toward.arrived, back.arrived
    one.network.run(2 * SECOND)
    assert toward.arrived == before
    assert back.arrived > there + 5


def test_what_ends_toward_a_node_goes_on_the_other_way():
    loss = 'fault = "loss"'
    text = LAN + at("0s", f'begin = {{ link = "s1--hub1", {loss}, probability = 1 }}')
    text += at("10ms", f'end = {{ link = "s1--hub1", {loss}, toward = "s1" }}')
    text += at("20ms", f'end = {{ link = "s1--hub1", {loss}, toward = "s1" }}')
    one = network(text)
    link = one.links["hub1--s1"]
    one.network.run(15 * MS)
    assert link.faults == (Toward(Loss(1.0), "hub1"),)
    one.network.run(25 * MS)
    assert link.faults == (Toward(Loss(1.0), "hub1"),)
    text += at("30ms", f'end = {{ link = "s1--hub1", {loss} }}')
    one = network(text)
    one.network.run(35 * MS)
    assert one.links["hub1--s1"].faults == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('move = { node = "s1", to = "s2" }', "`s2` is no hub or switch"),
        ('move = { node = "s1", to = "hub9" }', "`hub9` is no hub or switch"),
        ('move = { node = "x*", to = "hub1" }', "no node is named `x*`"),
        ('move = { node = "h1", to = "hub2" }', "the host `h1` has no plug of its own"),
        ('move = { node = "hub1", to = "hub2" }', "the hub `hub1` has no plug of its own"),
        ('reconnect = "h1--*"', "`h1--*` is no session"),
        ('reconnect = "x--*"', "no link is named `x--*`"),
        ('clog = { links = "x--*", hold = "1s" }', "no link is named `x--*`"),
        ('skew = { node = "h1", ppm = 5 }', "the host `h1` has no clock of its own"),
        ('skew = { node = "x", ppm = 5 }', "no node is named `x`"),
        (
            'begin = { link = "s1--*", fault = "loss", probability = 1, toward = "s2" }',
            "`s2` is no end of `hub1--s1`",
        ),
        ('end = { link = "s1--*", fault = "loss", toward = 7 }', "`7` is no end of `hub1--s1`"),
        ('end = { link = "s1--*", fault = "loss", towards = "s1" }', "`end` needs a link"),
    ],
)
def test_what_cannot_happen_is_one_line(line: str, said: str):
    error = refused(enacted, line)
    assert said in str(error)
    assert error.hint != ""


# sessions


def test_a_session_that_reconnects_forgets_its_addresses():
    line = 'reconnect = "s1--hub1"'
    (what,) = enacted(line)
    assert isinstance(what, Reconnect)
    one = network(LAN + PINGS + at("1s", line))
    hub, mac = one.bridges["hub1"], one.endpoints["s1"].interface.mac
    one.network.run(1 * SECOND)
    assert mac in hub.table()
    one.network.run(1 * SECOND + 1)
    assert mac not in hub.table()
    one.network.run(4 * SECOND)
    assert mac in hub.table()
    assert one.network.ledger() == []


def test_both_ends_of_a_cascade_begin_anew():
    one = network(LAN + at("1s", 'reconnect = "hub1--hub2"'))
    ports = [way.source for way in one.links["hub1--hub2"].directions]
    before = [port.node.session_of(port) for port in ports]
    one.network.run(2 * SECOND)
    after = [port.node.session_of(port) for port in ports]
    assert None not in after
    assert all(new is not old for new, old in zip(after, before, strict=True))


def test_a_session_whose_link_is_down_ends_and_begins_with_the_link():
    one = network(
        LAN
        + at("1s", 'down = "s1--hub1"')
        + at("2s", 'reconnect = "s1--hub1"')
        + at("5s", 'up = "s1--hub1"')
    )
    port = next(w.source for w in one.links["hub1--s1"].directions if w.source.node.kind == "hub")
    one.network.run(3 * SECOND)
    assert port.node.session_of(port) is None
    one.network.run(7 * SECOND)
    assert port.node.session_of(port) is not None


def test_a_client_with_a_transport_connects_again():
    one = network(LAN + TRANSPORT + PINGS + at("1s", 'reconnect = "tap1--*"'))
    link = next(link for link in one.links.values() if link.carrier is not None)
    one.network.run(30 * SECOND)
    assert (link.carrier.connects, link.carrier.is_connected) == (2, True)
    assert one.network.ledger() == []


# clogs


def test_clogged_links_keep_what_is_sent_and_then_let_it_go():
    line = 'clog = { links = "*", over = "100ms", hold = "2s" }'
    (clog,) = enacted(line)
    assert (type(clog), len(clog.links), clog.over, clog.hold) == (Clog, 7, 100 * MS, 2 * SECOND)
    one = network(LAN + PINGS + at("1s", line))
    one.network.run(1500 * MS)
    assert all(link.is_clogged for link in one.links.values())
    assert sum(way.waiting() for link in one.links.values() for way in link.directions) > 3
    assert one.network.ledger() == []
    crossings = one.network.crossings()
    one.network.run(3 * SECOND)
    assert one.network.crossings() == crossings
    one.network.run(6 * SECOND)
    assert not any(link.is_clogged for link in one.links.values())
    assert one.network.drops() == {}
    assert one.network.ledger() == []


def test_clogs_come_and_go_one_by_one_in_orders_of_their_own():
    one = network(LAN + at("1s", 'clog = { links = "*", over = "700ms", hold = "1s" }'))
    states = []
    for step in range(40):
        one.network.run(1 * SECOND + step * 100 * MS + 1)
        states.append([name for name, link in one.links.items() if link.is_clogged])
    counts = [len(state) for state in states]
    assert counts[:7] == [1, 2, 3, 4, 5, 6, 7]
    assert counts[16:24] == [7, 6, 5, 4, 3, 2, 1, 0]
    came = [set(after) - set(before) for before, after in pairwise([[], *states[:7]])]
    went = [set(before) - set(after) for before, after in pairwise(states[16:24])]
    assert came != went


# all of it


@pytest.mark.slow
def test_a_run_with_all_of_it_passes_and_is_the_same_twice():
    text = LAN + PINGS
    for second, line in enumerate(
        (
            'move = { node = "s[12]", to = "hub2" }',
            'clog = { links = "*", over = "100ms", hold = "300ms" }',
            'skew = { node = "tap1", ppm = 100000 }',
            'reconnect = "*--hub1"',
            'move = { node = "tap1", to = "sw" }',
            'begin = { link = "*", fault = "mtu", most = 80, toward = "hub1" }',
            'end = { link = "*", fault = "mtu" }',
            'begin = { link = "*", fault = "exactly", lose = [2, 3], late = [[5, "2ms"]] }',
        ),
        start=1,
    ):
        text += at(f"{second}s", line)
    one, other = done(text), done(text)
    assert (one.verdict, one.failed) == ("pass", [])
    assert one.digest == other.digest
    assert one.summary["dropped"]["link-mtu"] > 0
