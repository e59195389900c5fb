"""A world said outright is the same world; what goes takes along the words that named it."""

from pathlib import Path
from tomllib import loads as toml

import pytest

from sim.fuzz.explicit import as_drawn, as_station, merged, spoken_out, time_text, without
from sim.fuzz.text import to_toml
from sim.run import Order, graph_of
from sim.scenario import decode
from tests.sim import scenarios

WORLD = """\
name = "world"
until = "300ms"
topology = { name = "cascade", hubs = 3 }
sites = { taps = 1, stations = 1, gateways = 1 }

[[links]]
match = "hub1--*"
faults = [{ fault = "loss", probability = 0.2 }]

[[traffic]]
kind = "poisson"
from = "[hs]*"
to = "next"
every = "30ms"
stagger = "7ms"

[[traffic]]
kind = "ping"
from = "h*"
to = { stride = 1, offset = 1 }
start = "1500us"

[[timeline]]
at = "100ms"
down = "hub?--hub?"

[[timeline]]
at = "200ms"
up = "*"

[[timeline]]
at = "210ms"
begin = { link = "tap*--hub*", fault = "jitter", most = "1ms" }

[[timeline]]
at = "250ms"
crash = "hub[13]"
"""


def drawn(text=WORLD):
    order = Order(text=text, folder=Path())
    return as_drawn(toml(text), graph_of(order, order.scenario())[0])


def digest(words):
    return scenarios.done(to_toml(words)).digest


def test_a_drawn_world_is_the_same_world():
    assert scenarios.done(WORLD).digest == digest(drawn())


def test_a_world_spoken_out_is_the_same_world():
    words = spoken_out(drawn())
    assert digest(drawn()) == digest(words)
    assert len(words["traffic"]) == 9
    assert [one.get("down") for one in words["timeline"]][:2] == ["hub1--hub2", "hub2--hub3"]
    assert not [one for one in words["traffic"] if "*" in one["from"] or one["to"] == "next"]


def test_where_loops_are_kept_they_stay():
    text = (
        'name = "ring"\nuntil = "100ms"\ntopology = { name = "ring", nodes = 3, loops = true }\n'
        "sites = { stations = 1 }\n"
    )
    words = drawn(text)
    assert words["topology"]["loops"] is True
    assert (
        sum(
            one.startswith("hub") and two.startswith("hub")
            for one, two in words["topology"]["links"]
        )
        == 3
    )
    assert scenarios.done(text).digest == digest(words)


@pytest.mark.parametrize("to", ["gateway", "198.51.100.7", "gw1", "s*", "h1"])
def test_whomever_they_speak_to_it_is_the_same_world(to):
    text = f"{scenarios.SMALL}\n".replace('"gateway"', f'"{to}"')
    assert scenarios.done(text).digest == digest(spoken_out(drawn(text)))


def test_a_node_that_goes_takes_along_what_named_only_it():
    words = without(spoken_out(drawn()), frozenset({"hub3", "tap3", "h3", "s3"}))
    decode(to_toml(words))
    assert "hub3" not in to_toml(words)
    assert "h3" not in words["topology"]["nodes"]
    assert words["links"][-1] == {
        "match": "hub1--*",
        "faults": [{"fault": "loss", "probability": 0.2}],
    }


def test_of_a_list_of_names_those_that_are_left_stay():
    words = {**drawn(), "heal": {"at": "1s", "core": ["hub1", "hub3"]}}
    gone = without(words, frozenset({"hub3", "tap3", "h3", "s3"}))
    assert gone["heal"] == {"at": "1s", "core": ["hub1"]}


def test_two_sites_become_one_and_so_do_their_names():
    words = merged(spoken_out(drawn()), "hub2", "hub3")
    assert ["hub2", "tap3"] in words["topology"]["links"]
    assert "hub3" not in to_toml(words)
    assert {"at": "250ms", "crash": "hub2"} in words["timeline"]
    scenarios.done(to_toml(words))


def test_a_station_stands_in_place_of_a_host_and_its_tap():
    words = as_station(drawn(), "h2", "tap2")
    assert words["topology"]["nodes"]["h2"] == "station"
    assert ["hub2", "h2"] in words["topology"]["links"]
    assert "tap2" not in to_toml(words)
    scenarios.done(to_toml(words))


def test_names_with_marks_of_patterns_fit_themselves_alone():
    nodes = {"hub*": "hub", "hub1": "hub", "s[1]": "station", "s1": "station"}
    links = [["hub*", "hub1"], ["hub*", "s[1]"], ["hub1", "s1"]]
    words = {
        "name": "world",
        "until": "50ms",
        "topology": {"name": "drawn", "nodes": nodes, "links": links},
        "traffic": [{"kind": "ping", "from": "s*", "to": "next"}],
        "timeline": [{"at": "1ms", "crash": "hub*"}],
    }
    said = spoken_out(words)
    assert [one["from"] for one in said["traffic"]] == ["s[[]1]", "s1"]
    assert [one["crash"] for one in said["timeline"]] == ["hub[*]", "hub1"]
    assert digest(words) == digest(said)


@pytest.mark.parametrize(
    ("ns", "text"), [(0, "0s"), (1, "1ns"), (1500, "1500ns"), (2 * 10**6, "2ms"), (10**10, "10s")]
)
def test_times_are_written_in_the_largest_unit_that_divides_them(ns, text):
    assert text == time_text(ns)
