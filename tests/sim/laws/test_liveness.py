"""The law of the second phase is silent where all is well, and fires where somebody gave up."""

import pytest

from sim.fuzz.coverage import collected
from sim.laws.invariants import INVARIANTS
from sim.laws.law import Scene, chosen
from sim.run import built
from sim.scenario import decode
from tests.sim.actions.test_healing import HEAL, MAP, SAY, at
from tests.sim.scenarios import done, order
from virtualtap import tap
from virtualtap.core import Core

ONLY = 'invariants = ["converges"]\n'
CRASH = at("0s", 'crash = "s1"')
LONG = MAP.replace("60s", "300s")
SHORT_LIVED = '[[taps]]\nmatch = "tap1"\nneighbor_lifetime = "5s"\n'
STREAM = '[[traffic]]\nkind = "stream"\nfrom = "h1"\nto = "s1"\nevery = "4s"\n'
POISON = at("2s", 'spoof = { from = "gw1", claims = "s1", to = "h1" }')
SEVERAL = "".join(
    f'[[traffic]]\nkind = "ping"\nfrom = "{ends[0]}"\nto = "{ends[1]}"\n'
    f'every = "2s"\nfamily = {six}\n'
    for ends in (("h1", "s1"), ("s1", "gw1"), ("h1", "gw1"), ("s2", "s1"), ("h1", "s2"))
    for six in (4, 6)
)
BROKEN = at("1s", 'down = "*--*"') + at("2s", 'crash = "*"')
APART = """\
name = "apart"
until = "300s"
topology = { name = "drawn", nodes = { sw1 = "switch", sw2 = "switch", tap1 = "tap", h1 = "host", \
gw1 = "gateway", s1 = "station" }, links = [["tap1", "sw1"], ["h1", "tap1"], ["gw1", "sw1"], \
["gw1", "sw2"], ["s1", "sw2"]] }
"""


def scene_of(text):
    return Scene(decode(text), built(order(text)), ())


class Silent(Core):
    """A tap that never asks again, nor gives up."""

    def _ask_now(self, ip, source, ask, tries, interval):
        ask(ip, source)


class Credulous(Core):
    """A tap that forgets nobody."""

    def learn(self, ip, mac, *, forever=False):
        super().learn(ip, mac, forever=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        MAP + HEAL + SAY + CRASH,
        MAP + "ipv6 = true\n" + HEAL + SEVERAL + BROKEN,
        LONG + HEAL + STREAM + SHORT_LIVED + POISON,
        APART + 'heal = { at = "3s", core = ["*"] }\n' + SAY + CRASH,
    ],
    ids=["a station is back", "all of it is back", "a lie is forgotten", "through a gateway"],
)
def test_it_is_silent_where_the_core_converges(text):
    with collected() as seen:
        run = done(text)
    assert (run.verdict, run.failed) == ("pass", [])
    assert "mark:converged" in seen


def test_it_fires_where_a_tap_never_asks_again(monkeypatch):
    monkeypatch.setattr(tap, "Core", Silent)
    run = done(MAP + ONLY + HEAL + SAY + CRASH)
    (failure,) = run.failed
    assert failure.field == "invariants.converges"
    assert failure.value == "nothing that h1 says s1 arrives"


def test_it_judges_who_has_no_session_when_the_heal_comes(monkeypatch):
    monkeypatch.setattr(tap, "Core", Silent)
    late = HEAL.replace('"3s"', '"60s"')
    run = done(LONG + ONLY + late + SAY + CRASH + at("1s", 'down = "tap1--hub1"'))
    assert [failure.field for failure in run.failed] == ["invariants.converges"]


def test_it_fires_where_a_lie_is_believed_for_ever(monkeypatch):
    monkeypatch.setattr(tap, "Core", Credulous)
    run = done(LONG + ONLY + HEAL + STREAM + SHORT_LIVED + POISON)
    (failure,) = run.failed
    assert failure.field == "invariants.converges"
    assert failure.value == "h1 has 10.0.0.2 at 02:00:00:00:00:04"


NEVER = {
    "nobody asks": '[[taps]]\nmatch = "tap1"\nprofile = "predecessor"\n',
    "nobody answers": '[[taps]]\nmatch = "tap1"\nhandle_arp_internally = false\n',
    "nobody waits": '[[taps]]\nmatch = "tap1"\narp_interval = "1us"\n',
    "a packet goes to all": """
[[taps]]
match = "tap1"
when_unresolved = "broadcast"
neighbor_lifetime = "1s"
""",
    "there is no lease": '[[taps]]\nmatch = "tap1"\ndhcp = true\n',
    "another VLAN": '[[taps]]\nmatch = "tap1"\nvlan_id = 7\n',
    "a rule": '[[servers]]\nmatch = "hub1"\naccess = [{ Priority = 1, Discard = true }]\n',
    "a policy": '[[servers]]\nmatch = "hub1"\noptions = { FilterIPv4 = true }\n',
    "floods pass by": """
[[servers]]
match = "hub1"
options = { DetectDormantSessionInterval = 1 }
""",
    "too little memory": """
[[hosts]]
match = "h1"
platform = "ios"
memory = 1
""",
}


@pytest.mark.parametrize("why", NEVER)
def test_what_could_never_work_is_not_judged(why):
    words = MAP.replace("60s", "1200s") + ONLY + HEAL + SAY.replace('"1s"', '"20s"')
    run = done(words + NEVER[why])
    assert (run.verdict, run.failed) == ("pass", [])


def test_it_holds_where_there_is_a_heal_and_no_loop():
    names = {law.name for law in chosen(scene_of(MAP + HEAL), INVARIANTS)}
    assert "converges" in names
    assert "converges" not in {law.name for law in chosen(scene_of(MAP), INVARIANTS)}


def test_asked_for_without_a_heal_it_judges_nothing():
    assert done(MAP + ONLY + SAY).verdict == "pass"
