"""Broken on purpose: over a link that loses frames not all of them arrive."""

import pytest

from sim.conformance.frames import our_request, packet
from sim.conformance.script import NOBODY, PEER
from sim.harness import assert_delivered

LOSSY = {
    "topology": {"name": "drawn"},
    "sites": {"taps": 2, "stations": 1, "gateways": 1},
    "traffic": [{"kind": "ping", "from": "h*", "to": "gateway", "stop": "900ms"}],
    "links": [{"match": "hub1--*", "faults": [{"fault": "loss", "probability": 0.3}]}],
    "until": "1s",
}


def test_all_of_it_arrives(network):
    assert_delivered(network(**LOSSY))


@pytest.mark.vtap_seeds([3, 40])
def test_it_arrives_with_these_seeds(network):
    assert_delivered(network(**LOSSY))


@pytest.mark.vtap_targets("engine", "python:virtualtap:VirtualTap")
def test_the_wrong_one_is_asked_for(script):
    script.host(packet(NOBODY)).expect(our_request(PEER))
