"""A heal: what is broken in the core is whole again, and the rest is cut off."""

from sim.actions.healing import core_of
from sim.nodes.host import L3Host
from sim.run import built
from sim.words.healing import Heal as Words
from tests.sim.scenarios import done, order, refused
from virtualtap.units import SECOND

MAP = """\
name = "heal"
until = "60s"
topology = { name = "drawn", nodes = { hub1 = "hub", hub2 = "hub", tap1 = "tap", h1 = "host", \
s1 = "station", s2 = "station", gw1 = "gateway" }, links = [["hub1", "hub2"], ["tap1", "hub1"], \
["h1", "tap1"], ["s1", "hub1"], ["s2", "hub2"], ["gw1", "hub1"]] }
"""
HEAL = 'heal = { at = "3s", core = ["hub1", "tap1", "h1", "s1", "gw1"] }\n'
SAY = '[[traffic]]\nkind = "ping"\nfrom = "h1"\nto = "s1"\nevery = "1s"\n'


def at(instant, words):
    return f'[[timeline]]\nat = "{instant}"\n{words}\n'


def ends(link):
    """The names of both, the earlier first."""
    return "--".join(sorted(way.source.node.name for way in link.directions))


def healed(text):
    """The network a little after the heal."""
    one = built(order(text))
    one.network.run(4 * SECOND)
    return one


def test_links_of_the_core_are_up_and_all_others_are_down():
    text = MAP + HEAL + at("1s", 'down = "s1--*"') + at("1s", 'down = "hub1--hub2"')
    links = healed(text).network.links
    assert {ends(link) for link in links if link.up} == {
        *("hub1--tap1", "h1--tap1", "hub1--s1", "gw1--hub1"),
    }


def test_faults_of_the_core_end_and_others_stay():
    begins = at("1s", 'begin = { link = "*", fault = "loss", probability = 1.0 }')
    links = healed(MAP + HEAL + begins).network.links
    assert {ends(link) for link in links if link.faults} == {"hub1--hub2", "hub2--s2"}


def test_nodes_of_the_core_come_back_and_others_stay_down():
    nodes = healed(MAP + HEAL + at("1s", 'crash = "*"')).network.nodes
    assert {name for name, node in nodes.items() if not node.up} == {"hub2", "s2"}


def test_what_a_clog_keeps_goes_on():
    clog = at("500ms", 'clog = { links = "s1--*", hold = "50s" }')
    text = MAP + HEAL + SAY + clog
    assert not any(link.is_clogged for link in healed(text).network.links)
    assert done(text).verdict == "pass"


def test_sleepers_of_the_core_wake():
    phone = '[[links]]\nmatch = "tap1--hub1"\ntransport = { }\n' + at("1s", 'sleep = "h1"')
    longer = MAP.replace("60s", "400s")
    host = healed(longer + HEAL + phone).endpoints["h1"]
    assert isinstance(host, L3Host)
    assert not host.asleep


def test_attackers_of_the_core_are_silent():
    text = MAP.replace("60s", "10s") + HEAL + "invariants = []\n"
    storm = at("2s", 'storm = { from = "s1", every = "100ms", times = 1000 }')
    one = built(order(text + storm))
    one.network.run(3 * SECOND)
    before = one.network.nodes["s1"].fates.originated
    one.network.run(9 * SECOND)
    assert (before, one.network.nodes["s1"].fates.originated) == (10, 10)


def test_a_wrong_clock_stays_wrong():
    text = MAP + HEAL + at("1s", 'skew = { node = "tap1", ppm = 100000 }')
    assert healed(text).network.nodes["tap1"].clock is not None


def test_a_core_is_named_by_patterns():
    core = core_of(Words(at="1s", core=("h*", "s1")), built(order(MAP)))
    assert [node.name for node in core.nodes()] == ["hub1", "hub2", "h1", "s1"]
    assert [ends(link) for link in core.links()] == ["hub1--hub2", "hub1--s1"]


def test_what_cannot_be_healed_is_refused():
    says = {
        'heal = { at = "60s", core = ["*"] }\n': "`scenario`: `heal` at 60s never happens",
        'heal = { at = "3s", core = ["x*"] }\n': "`scenario`: `heal`: no node is named `x*`",
        HEAL + at("4s", 'down = "s1--*"'): (
            "`scenario`: `timeline` at 4s comes after the `heal` at 3s"
        ),
        'heal = { at = "3s", core = [] }\n': "`scenario`: expected `array` of length >= 1",
    }
    for words, said in says.items():
        assert str(refused(done, MAP + words)).startswith(said)


def test_the_keys_of_a_heal_are_named():
    assert "keys are at, core" in refused(done, MAP + 'heal = { when = "3s" }\n').hint


def test_a_run_must_last_longer_than_the_bound():
    error = refused(done, MAP.replace("60s", "10s") + HEAL)
    assert str(error).startswith("`heal`: the core has until ")
    assert error.hint.startswith("let the run last longer: `until = ")
