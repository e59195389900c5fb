"""What an outside package adds stands beside our own, and is read, checked and refused as that."""

import os
import re
import sys
import time
from pathlib import Path
from typing import ClassVar

import networkx as nx
import pytest

from sim import plugins
from sim.actions.traffic import DatagramStream, Timing
from sim.laws.invariants import INVARIANTS
from sim.laws.law import Invariant
from sim.nodes.gateway import LanGateway
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.plugins import FaultKind, NodeKind, Plugin, TrafficKind, install, load, probability, span
from sim.probes import Probe
from sim.run import order_of, perform
from sim.scenario import Scenario, decode
from sim.trail import check
from sim.versions import versions
from sim.words.traffic import Conversation
from tests.sim.scenarios import ONE_LINE, as_file, called, done, order, refused
from topologies import CATALOG, GraphError
from virtualtap import MS, UsageError

OUTSIDE = Path(__file__).parent / "outside"
NAT = """
name = "nat"
until = "1s"
[topology]
name = "drawn"
nodes = { lan = "hub", wan = "hub", nat1 = "nat", s1 = "station", far = "station" }
links = [["s1", "lan"], ["nat1", "lan"], ["nat1", "wan"], ["far", "wan"]]
[[traffic]]
kind = "ping"
from = "s1"
to = "far"
stop = "900ms"
[[links]]
match = "s1--lan"
faults = [{ fault = "one-in", n = 4 }]
[expect]
nat.bindings = 1
"""
PLAIN = """
name = "plain"
until = "1s"
[topology]
name = "drawn"
nodes = { hub1 = "hub", s1 = "station", s2 = "station" }
links = [["s1", "hub1"], ["s2", "hub1"]]
"""
CHIRP = '[[traffic]]\nkind = "chirp"\nfrom = "s1"\nto = "s2"\ntimes = 3\n'


@pytest.fixture(autouse=True)
def nothing_stays():
    with plugins.kept():
        yield


@pytest.fixture
def natty(monkeypatch):
    monkeypatch.syspath_prepend(OUTSIDE / "natty")
    load(["natty"])
    return sys.modules["natty"].PLUGIN


class Chirp(Conversation, frozen=True, kw_only=True, tag="chirp"):
    """Some datagrams, a millisecond apart."""

    times: int


def chirp(words, network, number, ends, span):
    timing = Timing(1 * MS, span[0], span[0] + words.times * MS)
    return DatagramStream(network, number, ends, timing, size=100)


CHIRPS = TrafficKind(words=Chirp, make=chirp)


class Shy(Invariant):
    """Nobody says anything."""

    name = "shy"

    def __init__(self, scene):
        super().__init__(scene)
        self.where = {place.speaks for place in scene.built.places}

    def see(self, moment):
        self.broken(moment.at, f"{moment.where} speaks", "silence")


class Printer(Station):
    """a printer."""

    kind = "printer"


class Bridge(Switch):
    """a bridge of somebody's."""

    kind = "bridge"


class Silent(Probe):
    """It never has anything to say."""

    name, fields = "silent", ("words",)

    def value(self, field):
        return None


class Late:
    """Always late."""

    name: ClassVar[str] = "late"

    def __init__(self, by):
        self.by = by

    def apply(self, frame, rng):
        return ((self.by, frame), (self.by, frame))


BY = {"by": span}


def plugin(name="mine", **words):
    return Plugin(name=name, version="2", **words)


def test_a_node_kind_a_fault_and_a_probe_of_others_run(natty):
    run = done(NAT)
    assert run.verdict == "pass", run.failed
    assert run.summary["nat"] == {"bindings": 1}
    assert run.summary["dropped"]["link-loss"] > 0
    assert run.versions["plugin natty"] == "1.0"


def test_without_its_plugin_a_scenario_is_refused():
    assert "there is no field `nat`" in str(refused(done, NAT))
    with pytest.raises(GraphError, match="node `nat1` is of the unknown kind `nat`"):
        done(NAT.replace("nat.bindings", "delivered"))


def test_a_node_of_a_plugin_hangs_from_as_many_sites_as_it_says(natty):
    with pytest.raises(GraphError, match="the nat `nat1` is attached to the wrong nodes") as wrong:
        done(NAT.replace('["nat1", "wan"], ', ""))
    assert wrong.value.hint == "attach a nat to hubs or switches: at least 2, at most 2"


def test_the_words_of_a_fault_of_a_plugin_are_checked_as_ours(natty):
    assert "whole numbers from 2 to 1000" in refused(done, NAT.replace("n = 4", "n = 1")).hint
    assert "it takes n, and `toward`" in refused(done, NAT.replace("n = 4", "m = 4")).hint
    assert "one-in" in refused(done, NAT.replace("one-in", "one-out")).hint


def test_a_station_and_a_bridge_of_a_plugin_are_one():
    install(plugin(nodes=[NodeKind(node=Printer), NodeKind(node=Bridge)]))
    text = PLAIN.replace('hub1 = "hub"', 'hub1 = "bridge"').replace(
        's2 = "station"', 's2 = "printer"'
    )
    run = done(text + '[[traffic]]\nkind = "ping"\nfrom = "s1"\nto = "s2"\nstop = "900ms"\n')
    assert (run.verdict, run.summary["delivered"]) == ("pass", 18)
    assert {row[1] for row in run.tables["nodes"]} == {"bridge", "station", "printer"}


def test_a_node_may_be_made_another_way():
    made = []

    def make(name, addresses):
        made.append((name, len(addresses)))
        return Printer(name, addresses[0])

    install(plugin(nodes=[NodeKind(node=Printer, make=make)]))
    done(PLAIN.replace('s2 = "station"', 's2 = "printer"'))
    assert made == [("s2", 1)]


def test_what_make_gives_is_of_the_kind():
    kind = NodeKind(node=Printer, make=lambda name, addresses: Station(name, addresses[0]))
    install(plugin(nodes=[kind]))
    error = refused(done, PLAIN.replace('s2 = "station"', 's2 = "printer"'))
    assert "`printer` was made as `Station`" in str(error)


def test_traffic_of_a_plugin_has_words_of_its_own():
    install(plugin(traffic=[CHIRPS]))
    assert done(PLAIN + CHIRP).summary["delivered"] == 3
    error = refused(done, PLAIN + CHIRP.replace("times", "time"))
    assert "unknown field `time`" in str(error)
    assert error.hint.startswith("did you mean `times`?")
    assert "got `str`" in str(refused(done, PLAIN + CHIRP.replace("3", '"3"')))


def test_a_scenario_with_traffic_of_a_plugin_is_a_scenario():
    install(plugin(traffic=[CHIRPS]))
    assert isinstance(decode(PLAIN + CHIRP), Scenario)


def test_a_law_of_a_plugin_is_judged_unasked():
    install(plugin(invariants=[Shy], traffic=[CHIRPS]))
    assert done(PLAIN).verdict == "pass"
    (failure,) = done(PLAIN + CHIRP).failed
    assert (failure.field, failure.value) == ("invariants.shy", "s1.eth0 speaks")


def test_a_probe_that_measured_nothing_says_null():
    install(plugin(probes=[Silent]))
    assert done(PLAIN).summary["silent"] == {"words": None}
    assert done(PLAIN, bare=True).summary["silent"] == {"words": None}


def test_a_law_that_does_not_hold_under_a_fault_does_not_under_one_like_it():
    install(plugin(faults=[FaultKind(Late, {"by": span}, like=("duplication",))], traffic=[CHIRPS]))
    links = '[[links]]\nmatch = "s1--hub1"\nfaults = [{ fault = "late", by = "1ms" }]\n'
    assert done(PLAIN + CHIRP + links).verdict == "pass"


def test_a_topology_of_a_plugin_takes_its_parameters():
    def pair(kind: str = "hub"):
        """Two of a kind."""
        graph = nx.Graph(name="pair")
        graph.add_edge("one", "two")
        nx.set_node_attributes(graph, kind, "kind")
        return graph

    install(plugin(topologies={"pair": pair}))
    text = 'name = "x"\nuntil = "1s"\ntopology = { name = "pair", kind = "switch" }\n'
    assert [node["kind"] for node in done(text).graph["nodes"]] == ["switch", "switch"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"nodes": [NodeKind(node=Station)]}, "node kind `station`"),
        ({"nodes": [NodeKind(node=LanGateway, most=None)]}, "node kind `gateway`"),
        ({"faults": [FaultKind(type("X", (Late,), {"name": "loss"}), BY)]}, "fault `loss`"),
        ({"faults": [FaultKind(type("X", (Late,), {"name": "exactly"}), BY)]}, "fault `exactly`"),
        ({"probes": [type("X", (Silent,), {"name": "latency_s"})]}, "probe `latency_s`"),
        ({"probes": [type("X", (Silent,), {"name": "seed"})]}, "probe `seed`"),
        ({"invariants": [INVARIANTS["ledger"]]}, "invariant `ledger`"),
        ({"topologies": {"star": CATALOG["star"]}}, "topology `star`"),
        ({"topologies": {"tree": CATALOG["star"]}}, "topology `tree`"),
        ({"traffic": [CHIRPS, CHIRPS]}, "traffic `chirp`"),
    ],
)
def test_a_name_that_is_taken_is_one_line_and_nothing_is_added(words, what):
    one = plugin(**{"invariants": [Shy], **words})
    error = refused(install, one)
    assert str(error) == f"plugin `mine`: there is a {what} already"
    assert "shy" not in INVARIANTS
    assert "plugin mine" not in versions()


WRONG = {
    "version": (None, "\x1b[31m", "1" * 65),
    "name": (3,),
    "nodes": ([Printer], [NodeKind(node=str)], [NodeKind(node=Printer, least="1")]),
    "faults": ([Late], [FaultKind(Late, {"too": span})], [FaultKind(Late, {"by": 3})]),
    "probes": ([int], [Silent, 3], [type("X", (Silent,), {"fields": "ab"})]),
    "invariants": ([Silent],),
    "traffic": ([Chirp], [TrafficKind(words=Chirp, make=3)], [TrafficKind(words=int, make=chirp)]),
    "topologies": ({"mine": 3}, {"mine": lambda size: nx.Graph()}),
}


@pytest.mark.parametrize(("field", "value"), [(one, each) for one in WRONG for each in WRONG[one]])
def test_what_is_not_of_its_kind_is_said_before_it_is_used(field, value):
    error = refused(install, Plugin(**{"name": "mine", "version": "2", field: value}))
    assert f": `{field}` has " in str(error)
    assert "plugin mine" not in versions()


def test_the_fields_of_a_probe_are_names_each_once():
    for fields, said in ((("a b",), "field 'a b' is no name"), (("a", "a"), "a field `a` already")):
        one = plugin(probes=[type("X", (Silent,), {"fields": fields})])
        assert said in str(refused(install, one))


@pytest.mark.parametrize("value", [float("nan"), object(), b"1"])
def test_what_a_probe_says_is_a_number_a_text_or_nothing(value):
    install(plugin(probes=[type("X", (Silent,), {"value": lambda self, field: value})]))
    assert "probe `silent`: `words` is " in str(refused(done, PLAIN))


def test_a_probe_that_is_asked_at_the_end_has_no_clock_either():
    install(plugin(probes=[type("X", (Silent,), {"value": lambda self, field: time.time()})]))
    assert "`time.time` is called inside a run" in str(refused(done, PLAIN))


def test_a_plugin_is_added_once():
    one = plugin(invariants=[Shy])
    install(one)
    install(one)
    assert "there is a plugin `mine` already" in str(refused(install, plugin()))
    assert "plugin 'No name' is no name" in str(refused(install, plugin(name="No name")))
    nameless = plugin("other", probes=[type("X", (Silent,), {"name": "a.b"})])
    assert "probe 'a.b' is no name" in str(refused(install, nameless))


def test_what_was_installed_inside_is_gone_afterwards():
    with plugins.kept():
        install(plugin(nodes=[NodeKind(node=Printer)]))
    with pytest.raises(GraphError, match="unknown kind `printer`"):
        done(PLAIN.replace('s2 = "station"', 's2 = "printer"'))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", "AttributeError: module `broken`"),
        ("import virtualtap as v\nraise v.UsageError('a\\nb')", "UsageError: a b"),
        ("PLUGIN = 3", "plugin `broken` is a `int`"),
        ("import sim.plugins as p\nPLUGIN = p.Plugin(name='x', version='', nodes=3)", "TypeError"),
    ],
)
def test_a_module_that_is_no_plugin_is_one_line_that_names_it(
    content, what, tmp_path, monkeypatch, capsys
):
    (tmp_path / "broken.py").write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    status, out, err = called(capsys, "topologies", "--plugin", "broken")
    sys.modules.pop("broken", None)
    assert (status, out) == (2, "")
    assert re.fullmatch(ONE_LINE, err)
    assert "plugin `broken`" in err
    assert what.replace("`", "'") in err.replace("`", "'")


def test_the_command_line_names_modules(natty, tmp_path, capsys):
    out = tmp_path / "out"
    scenario = as_file(tmp_path, NAT)
    status, said, _ = called(capsys, "run", scenario, "--plugin", "natty", "--out", out)
    assert (status, f"replay: vtap replay {out}/nat/1 --plugin natty\n" in said) == (0, True)
    assert called(capsys, "replay", out / "nat" / "1", "--plugin", "natty")[0] == 0


def test_a_replay_says_which_plugin_is_missing(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(OUTSIDE / "natty")
    with plugins.kept():
        load(["natty:PLUGIN"])
        run, folder = perform(order(NAT), tmp_path)
    error = refused(order_of, run, folder, order(NAT).limits)
    assert str(error) == "the run had a plugin that is not here: `natty 1.0`"
    assert error.hint == "install it, or name it: `--plugin MODULE`"


def test_what_is_installed_is_loaded_without_being_named(tmp_path, monkeypatch):
    about = tmp_path / "natty-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: natty\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[virtualtap.plugins]\nnatty = natty:PLUGIN\n")
    monkeypatch.syspath_prepend(OUTSIDE / "natty")
    monkeypatch.syspath_prepend(tmp_path)
    plugins._found.clear()  # as a process that has loaded nothing yet

    assert done(NAT).summary["nat"] == {"bindings": 1}
    load(["natty"])  # the same one, named besides
    assert versions()["plugin natty"] == "1.0"


@pytest.mark.slow
def test_processes_that_are_started_have_what_was_named(natty, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{OUTSIDE / 'natty'}{os.pathsep}{OUTSIDE.parents[2]}")
    assert check(order(NAT)).difference is None


def test_a_wrong_probability_is_refused():
    with pytest.raises(UsageError, match="`p` of `x` is `2`"):
        probability("`p` of `x`", 2)


def test_the_example_of_the_guide_is_the_tested_one():
    guide = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert example == (OUTSIDE / "natty" / "natty.py").read_text(encoding="utf-8")


def test_the_scenario_of_the_guide_holds(natty):
    guide = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
    (scenario,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert done(scenario).verdict == "pass"
