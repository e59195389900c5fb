"""Jitter of a steady stream is none; of a link that delays by luck it is bounded."""

from sim.standard.rfc4689 import jitter
from tests.sim.standard.benches import rig


def test_a_steady_stream_has_no_jitter():
    row = jitter(rig("tap"), 1518)
    assert (row["least_s"], row["mean_s"], row["largest_s"]) == (0, 0, 0)


def test_jitter_is_at_most_what_the_links_add():
    row = jitter(rig("switch", 'links.0.faults=[{fault="jitter", most="1ms"}]'), 1518)
    assert 0 <= row["least_s"] < row["mean_s"] < row["largest_s"] <= 2e-3


def test_a_stream_that_never_comes_has_none():
    row = jitter(rig("switch", 'links.0.faults=[{fault="loss", probability=1}]'), 1518)
    assert (row["least_s"], row["mean_s"], row["largest_s"]) == (None, None, None)
