"""Who moves is plugged into another hub or switch: the old one sees it go, the new one come."""

import pytest

from sim.actions.timeline import Move
from sim.build import Built
from sim.run import explained
from tests.sim.scenarios import order, refused
from tests.sim.troubled import LAN, PINGS, TRANSPORT, at, enacted, network
from virtualtap.units import SECOND


def test_a_move_makes_a_spare_link_and_plugs_it_in():
    (move,) = enacted('move = { node = "s1", to = "sw" }')
    assert (type(move), move.link.name, move.link.up) == (Move, "s1--sw", False)
    (stays,) = enacted('move = { node = "s1", to = "hub1" }')
    assert (stays.link.name, stays.link.up) == ("hub1--s1", True)


def moved(line: str, more: str = PINGS, until: int = 8 * SECOND) -> Built:
    """The network some time after a move at 1 s; its books balance."""
    one = network(LAN + more + at("1s", line))
    one.network.run(until)
    assert one.network.ledger() == []
    return one


@pytest.mark.parametrize(("name", "port"), [("s2", "s2.eth0"), ("tap1", "tap1.lan")])
@pytest.mark.parametrize("to", ["hub2", "sw", "hub1"])
def test_who_moves_is_reached_where_it_is_now(name: str, port: str, to: str):
    one = moved(f'move = {{ node = "{name}", to = "{to}" }}')
    node = one.network.nodes[name]
    out = node.ports[port.partition(".")[2]].out
    assert out is not None
    assert out.target.node.name == to
    assert out.arrived > 10
    assert out.link.directions[0].arrived > 10


def test_who_moves_back_has_his_old_link_again():
    first, second = 'move = { node = "s2", to = "hub2" }', 'move = { node = "s2", to = "sw" }'
    one = network(LAN + PINGS + at("1s", first) + at("3s", second) + at("4s", second))
    one.network.run(8 * SECOND)
    out = one.network.nodes["s2"].ports["eth0"].out
    assert out is not None
    assert {out.link.name, out.link.up} <= {"s2--sw", "sw--s2", True}
    assert one.network.ledger() == []


def test_a_gateway_moves_too():
    one = moved('move = { node = "gw", to = "hub1" }', more="")
    assert one.links["gw--hub1"].up
    assert not one.links["hub2--gw"].up


def test_the_old_hub_sees_the_link_go_and_the_new_one_a_session_come():
    one = moved('move = { node = "tap1", to = "hub2" }', until=30 * SECOND)
    old, new = one.bridges["hub1"], one.bridges["hub2"]
    away = one.links["hub1--tap1"]
    port = next(way.source for way in away.directions if way.source.node is old)
    assert old.session_of(port) is None  # 20 s later
    there = next(way.source for way in one.links["tap1--hub2"].directions if way.source.node is new)
    assert new.session_of(there) is not None


def test_a_spare_link_has_no_session_and_gets_no_floods():
    one = network(LAN + PINGS + at("39s", 'move = { node = "s[12]", to = "hub2" }'))
    one.network.run(2 * SECOND)
    hub = one.bridges["hub2"]
    assert {session.name for session in hub.hub.sessions} == {"hub2.s1", "hub2.s2"}
    assert one.network.drops() == {}
    one = network(LAN + PINGS + at("39s", 'move = { node = "s1", to = "sw" }'))
    one.network.run(2 * SECOND)
    assert one.network.drops() == {}


def test_an_unplugged_link_comes_up_only_when_it_is_plugged_in():
    up, down = 'up = "s1--sw"', 'down = "s1--sw"'
    move = 'move = { node = "s1", to = "sw" }'
    one = network(LAN + at("1s", up) + at("2s", down) + at("3s", move) + at("4s", up))
    link = one.links["s1--sw"]
    seen = []
    for second in range(1, 6):
        one.network.run(second * SECOND + 1)
        seen.append(link.up)
    assert seen == [False, False, False, True, True]


def test_a_switch_forgets_whom_it_heard_at_a_port_that_was_unplugged():
    one = network(LAN + PINGS + at("1s", 'move = { node = "s2", to = "hub2" }'))
    switch, mac = one.bridges["sw"], one.endpoints["s2"].interface.mac
    one.network.run(1 * SECOND)
    assert mac in switch.table()
    one.network.run(1 * SECOND + 1)
    assert mac not in switch.table()


def test_a_gateway_of_two_lans_cannot_move():
    text = LAN.replace('["gw", "hub2"]', '["gw", "hub2"], ["gw", "lan2"]')
    text = text.replace('gw = "gateway"', 'gw = "gateway", lan2 = "switch"')
    error = refused(enacted, 'move = { node = "gw", to = "hub1" }', text)
    assert "gateway `gw` has 2 links" in str(error)


def test_a_session_with_a_transport_cannot_move():
    error = refused(enacted, 'move = { node = "tap1", to = "hub2" }', LAN + TRANSPORT)
    assert "the session of `tap1` has a transport" in str(error)


def test_the_frames_of_who_moves_keep_their_numbers_and_causes():
    text = LAN + PINGS + at("1s", 'move = { node = "s2", to = "hub2" }')
    run, causes = explained(order(text.replace("40s", "3s")))
    assert run.verdict == "pass"
    stories = [causes.story(number) for number in range(1, 1 + len(causes))]
    late = [story for story in stories if SECOND < story.at < 2 * SECOND]
    (there,) = {story.fate for story in late if story.source == "s2.eth0"}
    assert there.startswith("dropped by hub2: mac-conflict")  # for 13 s: docs/softether.md


def test_a_move_of_too_many_is_refused_before_anything_is_built():
    text = """name = "many"\ntopology = { name = "star", sites = 101 }\n
sites = { taps = 0, stations = 1, gateways = 0 }\n"""
    text += "".join(at("1s", f'move = {{ node = "s*", to = "hub{hub}" }}') for hub in range(1, 101))
    assert "more than 10000 links would be new" in str(refused(network, text))
