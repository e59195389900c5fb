"""Neighbours that exist only in what is said of them: led to every state, and told something."""

import pytest

from sim.fuzz.generate import FEATURES, world
from sim.fuzz.judge import Task, judge
from sim.scenario import decode
from virtualtap.neighbors import State

ONLY = {**dict.fromkeys(FEATURES, 0), "map-line": 100}


def steps(feature, seeds, **weights):
    """Every step of the tables that worlds of one feature made, in which every law held."""
    found = set()
    for seed in seeds:
        row = judge(Task(seed=seed, weights={**ONLY, feature: 100, **weights}))
        assert (row.verdict, row.failed) == ("pass", [])
        found.update(row.seen)
    return found


def happenings(text, sender):
    """What endpoints whose names begin so inject."""
    told = [one.inject for one in decode(text).timeline]
    return [one for one in told if one is not None and one.from_.startswith(sender)]


def test_a_phantom_has_nobodys_address():
    drawn = world(1, {**ONLY, "phantoms": 100})
    packets = [bytes.fromhex(one.frames[0]) for one in happenings(drawn.text, "h")]
    assert {packet[16:20][2] for packet in packets} == {88}
    assert drawn.features == ("map-line", "phantoms")


def test_a_world_with_leases_has_no_gateway_of_its_own_making():
    weights = {**ONLY, "phantoms": 100, "dhcp": 100}
    texts = [world(seed, weights).text for seed in range(20)]
    assert any("gateway_ip" in text for text in texts)
    assert not any("gateway_ip" in text and "dhcp = true" in text for text in texts)


@pytest.mark.long
def test_phantoms_are_told_something_in_every_state():
    found = steps("phantoms", range(24), v6=100)
    told = {one.partition("+")[0] for one in found if one.startswith("nud:")}
    assert told == {f"nud:{state.name}" for state in State}
    assert {one.partition(">")[0] for one in found} >= {
        "nud:PROBE+moved",
        "nud:DELAY+contradicted",
        "nud:STALE+replaced",
        "nud:REACHABLE+confirmed",
        "arp:KNOWN+overheard-moved",
    }


@pytest.mark.long
def test_an_address_that_is_taken_or_lost_lets_nobody_wait():
    found = steps("claims", range(12))
    assert any("+renamed>" in one for one in found)
    assert "mark:address-lost" in found


@pytest.mark.long
def test_leases_are_refused_and_the_server_falls_silent():
    found = steps("leases", range(8))
    assert found >= {
        "dhcp:REBOOTING+nak>INIT",
        "dhcp:RENEWING+t2>REBINDING",
    }
