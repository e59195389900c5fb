"""Throughput and latency of devices whose answers are known."""

from dataclasses import replace

import pytest

from sim.limits import Limits
from sim.standard.rfc2544 import fastest, latency, throughput
from sim.standard.rig import SIZES
from tests.sim.scenarios import refused
from tests.sim.standard.benches import frames, rig, slower
from virtualtap.units import MS

LAN, SESSION = (24, 60), (82, 0)  # overhead, least
TEN_MBIT = 10_000_000


@pytest.mark.parametrize("on", ["hub", "switch"])
@pytest.mark.parametrize("size", SIZES)
def test_a_bridge_carries_all_that_its_ports_allow(on: str, size: int):
    row = throughput(rig(on), size)
    assert row["frames_per_s"] == row["theoretical_frames_per_s"]
    assert row["frames_per_s"] == pytest.approx(frames(TEN_MBIT, size, *LAN), rel=1e-9)
    assert (row["share"], row["trials"]) == (1.0, 1)


def test_frames_of_64_bytes_come_at_the_rate_of_appendix_b():
    assert int(throughput(rig("switch"), 64)["frames_per_s"]) == 14_880
    assert int(throughput(rig("switch"), 1518)["frames_per_s"]) == 812


@pytest.mark.parametrize("size", [64, 512, 1518])
def test_the_session_of_a_tap_is_its_bottleneck(size: int):
    row = throughput(rig("tap"), size)
    assert row["medium"] == "hub1--tap1"
    assert row["frames_per_s"] == pytest.approx(frames(TEN_MBIT, size, *SESSION), rel=1e-9)
    assert row["trials"] == 3


def test_a_link_that_is_slower_by_a_change_is_found():
    row = throughput(rig("switch", slower("s2")), 1518)
    assert row["frames_per_s"] == pytest.approx(frames(1_000_000, 1518, *LAN), rel=1e-9)


def test_a_device_that_loses_every_frame_has_no_throughput():
    lossy = rig("switch", 'links.0.faults=[{fault="loss", probability=1}]')
    row = throughput(lossy, 1518)
    assert (row["frames_per_s"], row["share"], row["bits_per_s"]) == (None, None, None)
    assert latency(lossy, 1518)["latency_s"] is None
    assert latency(lossy, 1518)["trials"] == 0


def test_a_buffer_counts_in_a_short_trial():
    row = throughput(rig("tap", "links.0.queue=16000"), 1518)
    assert row["share"] > 1


def test_a_bridge_that_forwards_at_once_adds_no_latency():
    row = latency(rig("switch"), 512)
    assert row["latency_s"] == 0
    wire_ns = (508 + 24) * 800
    assert row["one_way_s"] == pytest.approx((2 * wire_ns + 2 * 5_000) / 1e9)


def test_the_latency_of_a_tap_is_its_session():
    row = latency(rig("tap"), 64)
    assert row["latency_s"] == pytest.approx(0.005 + (60 + 82) * 800 / 1e9)


def test_trials_that_luck_cannot_change_are_run_twice():
    row = latency(rig("switch"), 1518)
    assert (row["trials"], row["identical"]) == (2, True)


def test_trials_that_luck_changes_are_all_run():
    lucky = rig("switch", 'links.0.faults=[{fault="jitter", most="1ms"}]', repeat=4)
    row = latency(lucky, 1518)
    assert (row["trials"], row["identical"]) == (4, False)
    assert 0 < row["latency_s"] < 2e-3


def test_a_latency_of_one_trial_is_not_called_identical():
    row = latency(rig("switch", repeat=1), 1518)
    assert (row["trials"], row["identical"]) == (1, False)


def test_a_size_is_searched_once():
    told: list[str] = []
    one = rig("switch")
    object.__setattr__(one, "tell", told.append)
    assert fastest(one, 1518) == fastest(one, 1518) == (1514 + 24) * 800
    assert len(told) == 1


def test_the_tester_asks_nobody_during_a_trial():
    """A station's entry lasts a minute; the tag is sent after that."""
    row = latency(rig("switch", "links.0.rate=100kbit", trial=65_000 * MS), 1518)
    assert row["latency_s"] == 0


def test_a_trial_that_a_limit_ends_measures_nothing():
    twice = rig("switch", 'links.0.faults=[{fault="duplication", probability=1}]')
    few = replace(twice, limits=Limits(events=3_000))
    assert "stopped at" in str(refused(throughput, few, 64))
