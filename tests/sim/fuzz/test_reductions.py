"""What may be left out of a world, and that each pass comes to the least there is."""

from contextlib import suppress

import pytest

from sim.fuzz import reductions
from sim.fuzz.reductions import PASSES, fewer, weight
from sim.fuzz.text import to_toml
from sim.words.quantities import duration
from tests.sim.fuzz.worlds import is_scenario
from virtualtap.units import MS, SECOND

KINDS = {
    "hub": ("hub1", "hub2"),
    "switch": ("sw1",),
    "gateway": ("gw1",),
    "tap": ("tap1", "tap2"),
    "host": ("h1", "h2"),
    "station": ("s1",),
}
TOPOLOGY = {
    "name": "drawn",
    "nodes": {name: kind for kind, names in KINDS.items() for name in names},
    "links": [
        *(["hub1", "hub2"], ["hub2", "sw1"], ["sw1", "gw1"], ["tap1", "hub1"], ["tap1", "h1"]),
        *(["hub2", "tap2"], ["h2", "tap2"], ["sw1", "s1"]),
    ],
}


def world(**more):
    return {"name": "world", "until": "10s", "topology": TOPOLOGY, **more}


def is_world(words):
    return is_scenario(to_toml(words))


def least(words, keeps, passes=PASSES):
    """What is left where every candidate is taken that `keeps` and is less."""
    while True:
        before = words
        for one in passes:
            candidates, answer = one(words), None
            with suppress(StopIteration):
                while True:
                    candidate = candidates.send(answer)
                    answer = weight(candidate) < weight(words) and bool(keeps(candidate))
                    words = candidate if answer else words
        if words is before:
            return words


def nodes(words):
    return list(words["topology"]["nodes"])


@pytest.mark.parametrize("wanted", [{3}, {0, 9}, {1, 2, 8}, set(), set(range(10))])
def test_of_a_list_what_is_needed_is_left(wanted):
    found, answer, asked = [], None, 0

    def kept():
        found.append((yield from fewer(list(range(10)), lambda left: {"left": left})))

    search = kept()
    with suppress(StopIteration):
        while True:
            answer = wanted <= set(search.send(answer)["left"])
            asked += 1
    assert found == [sorted(wanted)]
    assert asked <= 40


def test_fewer_may_take_longer_and_then_as_long_as_they_need():
    def takes_the_time_of(words):
        is_long = duration(words["until"]) * len(nodes(words)) >= 60 * SECOND
        return is_long and "h1" in nodes(words) and is_world(words)

    found = least(world(), takes_the_time_of)
    assert (nodes(found), found["until"]) == (["hub1", "h1"], "50s")


@pytest.mark.parametrize(
    ("needed", "left"),
    [
        ("h1", ["hub1", "h1"]),  # a station in place of it and its tap
        ("tap2", ["hub1", "tap2", "h2"]),
        ("gw1", ["hub1", "gw1"]),
        ("sw1", ["sw1"]),
    ],
)
def test_nodes_go_until_the_needed_one_hangs_from_one_site(needed, left):
    found = least(world(), lambda words: needed in nodes(words) and is_world(words))
    assert len(left) == len(nodes(found))
    assert needed in nodes(found)


def test_every_candidate_of_nodes_can_be_built():
    def keeps(words):
        assert is_world(words) or not nodes(words)
        kinds = words["topology"]["nodes"]
        links = [end for link in words["topology"]["links"] for end in link]
        assert not set(links) - set(kinds)
        return "h2" in kinds and "s1" in kinds

    found = least(world(), keeps, (reductions.sites, reductions.endpoints))
    assert {"h2", "s1"} < {*nodes(found)}
    assert len(nodes(found)) == 3


def test_who_speaks_says_it_once_and_at_the_start():
    rule = {"kind": "ping", "from": "h1", "to": "s1", "start": "2s", "stop": "9s", "size": 56}
    found = least(
        world(traffic=[rule, rule]), lambda words: words.get("traffic") and is_world(words)
    )
    (rule,) = found["traffic"]
    assert {"kind", "from", "to"} == {*rule} - {"every"}


def test_what_must_be_said_twice_is_said_twice():
    rule = {"kind": "stream", "from": "h1", "to": "s1", "every": "1s"}
    found = least(
        world(traffic=[rule]),
        lambda words: duration(words["traffic"][0]["every"]) < 5 * SECOND,
        (reductions.seldom,),
    )
    assert found["traffic"][0]["every"] == "4s"


@pytest.mark.parametrize(("latest", "start"), [(10, "9223ms"), (6, "5223ms"), (1, "223ms")])
def test_of_many_times_the_last_that_will_do_is_left(latest, start):
    rule = {"kind": "ping", "from": "h1", "to": "s1", "every": "1s", "start": "223ms"}

    def is_said_then(words):
        (rule,) = words["traffic"]
        begins, every = duration(rule.get("start", "0s")), rule.get("every")
        return (begins % SECOND, every) == (223 * MS, "1s") and begins < latest * SECOND

    found = least(world(traffic=[rule]), is_said_then, (reductions.seldom,))
    assert found["traffic"][0]["start"] == start


@pytest.mark.parametrize("kind", ["poisson", "burst", "stream"])
def test_whatever_is_sent_may_become_a_ping(kind):
    rule = {"kind": kind, "from": "h1", "to": "s1", "every": "20s", "port": 7, "size": 99}
    rule = {**rule, "count": 3} if kind == "burst" else rule
    found = least(world(traffic=[rule]), lambda words: is_world(words) and words.get("traffic"))
    assert [{*rule} for rule in found["traffic"]] == [{"kind", "from", "to"}]


def test_the_run_ends_at_the_first_round_time_that_will_do():
    entry = {"at": "70ms", "down": "hub1--hub2"}
    for one in (reductions.shortest, reductions.shorter):
        found = least(
            world(timeline=[entry, {"at": "3s", "up": "*"}]),
            lambda words: any("down" in entry for entry in words.get("timeline", ())),
            (one,),
        )
        assert found["until"] == "100ms"
        assert found["timeline"] == [entry]


@pytest.mark.slow
def test_options_lists_and_numbers_become_plain():
    words = world(
        ipv6=True,
        taps=[{"match": "tap*", "mtu": 1400, "groups": ["239.1.2.3", "ff02::fb"]}],
        links=[{"match": "*", "delay": "13ms", "queue": 4242}],
    )
    words["topology"] = {**TOPOLOGY, "loops": True}

    def keeps(words):
        (tap,) = words.get("taps", [{}])
        (link,) = words.get("links", [{}])
        return "ff02::fb" in tap.get("groups", ()) and link.get("queue", 0) >= 100

    found = least(words, lambda words: is_world(words) and keeps(words))
    assert {*found} == {"name", "until", "topology", "taps", "links"}
    assert found["taps"] == [{"match": "tap*", "groups": ["ff02::fb"]}]
    assert found["links"][0]["queue"] == 100
    assert {*found["links"][0]} == {"match", "queue"}
    assert "loops" not in found["topology"]


def test_a_frame_becomes_short_and_mostly_zero():
    frame = bytes(range(1, 101)).hex()
    words = world(timeline=[{"at": "1s", "inject": {"from": "s1", "frames": [frame, "ffff"]}}])

    def keeps(words):
        return words["timeline"][0]["inject"]["frames"][0][38:40] == "14"

    (entry,) = least(words, keeps, (reductions.values,))["timeline"]
    plain = [f"{'00' * 19}14", "00"]
    assert entry == {"at": "0s", "inject": {"from": "s1", "frames": plain}}


def test_luck_weighs_more_than_entries_and_less_than_nodes():
    lucky = world(links=[{"match": "*", "faults": [{"fault": "loss", "probability": 0.3}]}])
    sure = world(links=[{"match": "*", "faults": [{"fault": "loss", "probability": 1}]}] * 3)
    small = {**lucky, "topology": {**TOPOLOGY, "nodes": {"hub1": "hub"}, "links": []}}
    assert weight(sure) < weight(lucky)
    assert weight(small) < weight(sure)
    assert weight(world(traffic=[{"kind": "poisson"}])) > weight(world(traffic=[{"kind": "ping"}]))


def test_what_is_tried_changes_nothing_that_is_given():
    words = world(taps=[{"match": "*", "groups": ["ff02::fb"]}], timeline=[{"at": "1s", "up": "*"}])
    before = to_toml(words)
    least(words, lambda _: True)
    assert before == to_toml(words)
