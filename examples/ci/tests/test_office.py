"""Two sites find one another, and what is said at one arrives at the other."""

from sim.harness import assert_converges, assert_delivered


def test_two_sites_find_one_another(network):
    run = network.scenario("../networks/office.toml", "links.0.faults=[]")
    assert_converges(run, within="1s")
    assert_delivered(run, share=0.9)
