"""What faults decided can be said as `exactly`, and the run is the same."""

import tomllib

import pytest

from sim.decisions import Decisions
from sim.faults import (
    BitFlip,
    Duplication,
    Exactly,
    Jitter,
    Loss,
    Mtu,
    Outcome,
    Reordering,
    Truncation,
)
from sim.fuzz.text import to_toml
from tests.sim.networks import a_wire
from tests.sim.scenarios import done
from virtualtap.units import MS

FRAME = bytes(range(60))

WORLD = """\
name = "luck"
until = "3s"
topology = { name = "star", sites = 2 }
sites = { taps = 1, stations = 1, gateways = 1 }

[[links]]
match = "*"
faults = [
  { fault = "loss", probability = 0.05 },
  { fault = "mtu", most = 1000, toward = "hub1" },
  { fault = "duplication", probability = 0.05 },
  { fault = "bit-flip", probability = 0.02, toward = "hub1" },
]

[[timeline]]
at = "1s"
begin = { link = "*--hub1", fault = "jitter", most = "3ms" }

[[timeline]]
at = "1s"
begin = { link = "*--hub1", fault = "truncation", probability = 0.05 }

[[timeline]]
at = "1500ms"
end = { link = "*--hub1", fault = "jitter", toward = "hub1" }

[[timeline]]
at = "2s"
end = { link = "*", fault = "loss" }

[[traffic]]
kind = "stream"
from = "*"
to = "next"
every = "20ms"
size = 900
"""
TRANSPORT = """
[[links]]
match = "tap*--hub*"
transport = { connections = 2 }
"""


def counts(run) -> tuple:
    return tuple(run.summary[key] for key in ("crossings", "delivered", "dropped", "latency_s"))


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", TRANSPORT], ids=["plain", "transport"])
def test_a_run_with_recorded_decisions_is_the_same_run_whatever_the_seed(more: str):
    decisions = Decisions()
    before = done(WORLD + more, recorder=decisions)
    content = tomllib.loads(WORLD + more)
    recorded = decisions.recorded(content)
    assert content == tomllib.loads(WORLD + more)
    again = Decisions()
    after = done(to_toml(recorded), seed=1, recorder=again)
    assert counts(after) == counts(before)
    assert before.summary["dropped"]["link-loss"] > 50
    assert again.recorded(recorded) == recorded
    if not more:  # a transport has luck of its own
        assert counts(done(to_toml({**recorded, "seed": 2}))) == counts(before)


@pytest.mark.slow
def test_no_luck_is_left():
    decisions = Decisions()
    done(WORLD, recorder=decisions)
    recorded = decisions.recorded(tomllib.loads(WORLD))
    faults = [words["fault"] for rule in recorded["links"] for words in rule.get("faults", [])]
    faults += [one["begin"]["fault"] for one in recorded["timeline"]]
    assert set(faults) == {"exactly", "mtu"}


def decided(*faults, frames: int = 40):
    """What faults of a wire from a to b made of frames."""
    decisions = Decisions()
    network, a, b, _ = a_wire(faults=faults)
    network.decisions = decisions
    a.say_at(0, *[FRAME] * frames)
    network.run(100 * MS)
    return b, decisions.all()


def test_each_kind_of_decision_is_recorded_by_its_number():
    b, (lost,) = decided(Loss(0.5))
    assert len(lost.lose) == 40 - len(b.heard)
    b, (late,) = decided(Reordering(1.0, 7), frames=2)
    assert late.late == [[1, "7ns"], [2, "7ns"]]
    _, (repeated,) = decided(Duplication(1.0), frames=2)
    assert repeated.repeat == [1, 2]
    b, (flipped,) = decided(BitFlip(1.0), frames=1)
    ((number, bit),) = flipped.flip
    (heard,) = b.frames()
    assert (number, heard[bit // 8] ^ FRAME[bit // 8]) == (1, 0x80 >> bit % 8)
    b, (cut,) = decided(Truncation(1.0), frames=1)
    assert cut.cut == [[1, len(b.frames()[0])]]
    assert cut.words() == {"fault": "exactly", "toward": "b", "cut": cut.cut}


def test_a_frame_both_cut_and_flipped_is_recorded_as_both():
    from_both = Decisions()
    network, a, _, link = a_wire()
    network.decisions = from_both
    link.faults = (Exactly(((1, Outcome(flip=15, cut=2, late=7, copies=2)),)),)
    a.say_at(0, FRAME)
    network.run(1 * MS)
    (one,) = from_both.all()
    assert one.words() == {
        "fault": "exactly",
        "toward": "b",
        "repeat": [1],
        "late": [[1, "7ns"]],
        "flip": [[1, 15]],
        "cut": [[1, 2]],
    }


def test_a_fault_that_let_all_pass_is_plain_but_for_an_mtu():
    _, (loss, jitter, mtu) = decided(Loss(0.0), Jitter(0), Mtu(1500))
    assert [loss.is_plain, jitter.is_plain, mtu.is_plain] == [True, True, False]
    assert mtu.words() == {"fault": "mtu", "most": 1500, "toward": "b"}


@pytest.mark.slow
def test_patterns_in_names_of_links_are_taken_literally():
    decisions = Decisions()
    text = WORLD.replace('name = "star", sites = 2', 'name = "drawn", nodes = { "a[*" = "hub" }')
    text = text.replace(', toward = "hub1"', "").replace("*--hub1", "*--a?[*]")
    done(text, recorder=decisions)
    recorded = decisions.recorded(tomllib.loads(text))
    assert {rule["match"] for rule in recorded["links"]} > {"a[[][*]--tap1"}
    assert counts(done(to_toml(recorded))) == counts(done(text))
