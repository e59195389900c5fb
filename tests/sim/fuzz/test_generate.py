"""A seed is a world: always the same one, of features that are in or out; and it can be run."""

import subprocess
import sys
import tomllib

import pytest

from sim.fuzz.generate import FEATURES, world
from sim.fuzz.judge import Task, judge
from sim.scenario import decode

ONLY = dict.fromkeys(FEATURES, 0)


def test_a_seed_is_always_the_same_world():
    assert world(7) == world(7)
    assert world(7) != world(8)


def test_a_world_is_a_scenario_with_its_seed():
    drawn = world(11)
    scenario = decode(drawn.text)
    assert (scenario.name, scenario.seed) == ("world-11", 11)


def test_a_feature_is_in_about_every_other_world():
    share = sum("timers" in world(seed).features for seed in range(60)) / 60
    assert 0.3 < share < 0.7


@pytest.mark.parametrize("percent", [0, 100])
def test_a_weight_says_how_often_a_feature_is_in(percent):
    worlds = [world(seed, {"loss": percent, "heal": 0}) for seed in range(8)]
    assert ["loss" in one.features for one in worlds] == [percent == 100] * 8


def test_without_features_a_world_is_a_star_that_talks():
    drawn = world(3, ONLY)
    assert drawn.features == ()
    content = tomllib.loads(drawn.text)
    assert set(content) == {"name", "seed", "until", "topology", "sites", "traffic"}
    assert content["topology"]["name"] == "star"


def test_the_fingerprint_tells_shape_size_features_and_text():
    drawn = world(3, {**ONLY, "map-line": 100, "v6": 100, "loss": 100})
    told, _, digits = drawn.fingerprint.partition(":")
    assert told.startswith("line")
    assert told.endswith("+v6+loss")
    assert len(bytes.fromhex(digits)) == 2


@pytest.mark.parametrize("feature", FEATURES)
def test_a_world_of_one_feature_holds_every_law(feature):
    row = judge(Task(seed=5, weights={**ONLY, feature: 100}))
    assert (row.verdict, row.failed) == ("pass", [])


@pytest.mark.long
def test_a_world_does_not_depend_on_the_hash_seed():
    script = (
        "from sim.fuzz.judge import Task, judge_json; import msgspec\n"
        "for seed in range(12): print(judge_json(msgspec.json.encode(Task(seed=seed)).decode()))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": number, "PYTHONPATH": "."},
        ).stdout
        for number in ("1", "2")
    ]
    assert said[0] == said[1]
    assert said[0].count(b"\n") == 12
