"""Tables of a known size, and broadcasts."""

import pytest

from sim.nodes import switch
from sim.standard import rfc2889
from sim.standard.rfc2889 import broadcast, caching, learning
from tests.sim.standard.benches import frames, rig, slower

SERVER = (
    'servers=[{ match = "hub1", parameters = { MAX_MAC_TABLES = 100 }, '
    "options = { NoArpPolling = true } }]"
)


def test_a_hub_remembers_as_many_addresses_as_its_parameter_says():
    assert caching(rig("hub", SERVER)) == {"addresses": 100, "most": False}


@pytest.mark.parametrize("entries", [3, 64, 100])
def test_a_switch_remembers_as_many_addresses_as_its_table_holds(monkeypatch, entries: int):
    monkeypatch.setattr(switch, "ENTRIES_MAX", entries)
    assert caching(rig("switch")) == {"addresses": entries, "most": False}


def test_what_is_beyond_the_search_is_called_at_least(monkeypatch):
    monkeypatch.setattr(rfc2889, "ADDRESSES_MAX", 16)
    assert caching(rig("switch")) == {"addresses": 18, "most": True}


@pytest.mark.slow
def test_a_switch_as_it_is_remembers_65536_addresses(monkeypatch):
    one = rig("switch")
    every = one.path(64).slowest.interval
    assert rfc2889._learns(one, 65_534, every)
    assert not rfc2889._learns(one, 65_535, every)


def test_a_tap_keeps_no_table_of_others():
    assert caching(rig("tap"))["addresses"] is None
    row = learning(rig("tap"))
    assert (row["addresses"], row["addresses_per_s"]) == (None, None)


def test_addresses_are_learned_as_fast_as_the_medium_allows():
    row = learning(rig("switch"))
    assert row["addresses"] == 1000
    assert row["addresses_per_s"] == pytest.approx(frames(10_000_000, 64, 24, 60))


def test_a_small_table_is_learned_as_far_as_it_goes():
    assert learning(rig("hub", SERVER))["addresses"] == 98


def test_every_port_gets_every_broadcast():
    row = broadcast(rig("switch"), 64)
    assert row["frames_per_s"] == pytest.approx(frames(10_000_000, 64, 24, 60))
    assert row["latency_s"] == {"s2": 0, "s3": 0}
    assert (row["share"], row["trials"]) == (1, 1)


def test_a_port_that_is_slower_limits_broadcasts():
    row = broadcast(rig("switch", slower("s3")), 1518)
    assert row["frames_per_s"] == pytest.approx(frames(1_000_000, 1518, 24), rel=1.1e-3)
    assert row["latency_s"]["s2"] == 0


def test_broadcasts_of_a_host_pass_its_tap():
    row = broadcast(rig("tap"), 512)
    assert row["frames_per_s"] == pytest.approx(frames(10_000_000, 512, 82))
    assert set(row["latency_s"]) == {"s1", "s2"}


def test_a_broadcast_that_never_comes_has_no_rate():
    row = broadcast(rig("switch", 'links.0.faults=[{fault="loss", probability=1}]'), 1518)
    assert (row["frames_per_s"], row["share"], row["latency_s"]) == (None, None, {})
