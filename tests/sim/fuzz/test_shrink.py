"""A failing world becomes the least that still fails, the same every time, within its budget."""

import tomllib

import pytest

from sim.fuzz.judge import Task, judge
from sim.fuzz.shrink import Budget, shrink, shrunk
from sim.words.quantities import duration
from tests.sim.fuzz.worlds import CROWD, SIGNATURE, fails, is_scenario, spoil
from tests.sim.scenarios import refused
from virtualtap.errors import UsageError
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire.ethernet import ARP


def h3_speaks(text):
    return is_scenario(text) and ('from = "h3"' in text or 'from = "h*"' in text)


@pytest.mark.long
def test_a_world_of_twenty_nodes_shrinks_to_what_it_takes(monkeypatch):
    spoil(monkeypatch)
    found = shrink(CROWD, SIGNATURE, fails)
    assert found.is_least
    assert found.nodes == 5  # a hub, two that ask, a tap and its host
    assert fails(found.text)
    words = tomllib.loads(found.text)
    assert {*words} == {"name", "until", "topology", "traffic"}
    assert [{*rule} for rule in words["traffic"]] == [{"kind", "from", "to"}] * 2
    assert shrink(CROWD, SIGNATURE, fails) == found
    monkeypatch.undo()
    assert judge(Task(seed=0, text=found.text)).verdict == "pass"


LOSSY = CROWD.replace("probability = 0.05", "probability = 0.3")


@pytest.mark.long
def test_what_a_fault_decided_stands_in_place_of_its_luck():
    text = f"{LOSSY}[expect]\ndropped.link-loss = {{ max = 0 }}\n"
    task = Task(seed=0, text=text)
    found = shrunk(task, "dropped.link-loss")
    assert found.is_least
    words = tomllib.loads(found.text)
    (links,) = words["links"]
    (fault,) = links["faults"]
    assert fault["fault"] == "exactly"
    assert fault["lose"] == [1]
    assert found.nodes == 4  # the link that loses, and who speaks over it
    assert shrunk(task, "dropped.link-loss") == found


@pytest.mark.long
def test_where_no_fault_matters_none_is_left(monkeypatch):
    spoil(monkeypatch)
    found = shrunk(Task(seed=0, text=LOSSY), SIGNATURE)
    assert "faults" not in found.text
    assert found.nodes == 5


HEALED = """\
name = "healed"
until = "60s"
topology = { name = "cascade", hubs = 3 }
sites = { taps = 1, stations = 1, gateways = 1 }
invariants = ["converges"]
heal = { at = "5s", core = ["hub[12]", "tap[12]", "h[12]", "s[12]"] }

[[traffic]]
kind = "ping"
from = "h*"
to = "s2"
every = "1s"

[[timeline]]
at = "1s"
down = "hub1--hub2"

[[timeline]]
at = "2s"
crash = "s2"
"""


@pytest.mark.long
def test_a_core_that_never_converges_keeps_the_time_it_is_given(monkeypatch):
    right = VirtualTap.ethernet_to_ip

    def deaf(tap, frame, now=None):
        return None if frame[12:14] == ARP else right(tap, frame, now)

    monkeypatch.setattr(VirtualTap, "ethernet_to_ip", deaf)
    found = shrunk(Task(seed=0, text=HEALED), "converges/host/station")
    assert found.is_least
    assert found.nodes == 4
    words = tomllib.loads(found.text)
    assert words["heal"]["at"] == "0s"
    assert duration(words["until"]) > SECOND
    monkeypatch.undo()
    assert judge(Task(seed=0, text=found.text)).verdict == "pass"


def test_shrinking_needs_the_failure_alone_and_runs_each_text_once():
    asked = []

    def told(text):
        asked.append(text)
        return h3_speaks(text)

    found = shrink(CROWD, "h3", told)
    assert found.is_least
    assert found.runs == len(asked) == len(set(asked))
    words = tomllib.loads(found.text)
    (rule,) = words["traffic"]
    assert rule["from"] == "h3"
    assert [*words["topology"]["nodes"].values()] == ["hub", "station"]
    assert shrink(CROWD, "h3", h3_speaks) == found


def test_what_is_least_stays_as_it_is():
    found = shrink(CROWD, "h3", h3_speaks)
    again = shrink(found.text, "h3", h3_speaks)
    assert (again.text, again.nodes) == (found.text, found.nodes)


def test_the_budget_ends_it_and_it_says_so():
    found = shrink(CROWD, "h3", h3_speaks, Budget(runs=15))
    assert (found.runs, found.is_least) == (15, False)
    assert h3_speaks(found.text)
    assert 1 < found.nodes < 20
    found = shrink(CROWD, "h3", h3_speaks, Budget(seconds=0))
    assert (found.text, found.runs, found.is_least) == (CROWD, 0, False)


def test_a_world_that_cannot_be_run_does_not_fail():
    def strict(text):
        if "sites" not in text:
            raise UsageError("without sites it cannot be run")
        return True

    assert shrink(CROWD, "x", strict).text == CROWD


def test_a_world_that_does_not_fail_is_refused():
    assert "does not fail with `x`" in str(refused(shrink, CROWD, "x", lambda _: False))
    assert "does not fail with ``" in str(refused(shrunk, Task(seed=0, text=CROWD), ""))
