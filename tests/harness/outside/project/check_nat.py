"""Behind a NAT of somebody else's package, over links with a fault of its."""

from sim.harness import assert_delivered

NAT = {
    "topology": {
        "name": "drawn",
        "nodes": {
            "lan": "hub",
            "wan": "hub",
            "nat1": "nat",
            "s1": "station",
            "s2": "station",
            "far": "station",
        },
        "links": [["s1", "lan"], ["s2", "lan"], ["nat1", "lan"], ["nat1", "wan"], ["far", "wan"]],
    },
    "traffic": [
        {"kind": "ping", "from": "s*", "to": "far", "stop": "1900ms"},
        {"kind": "stream", "from": "s*", "to": "far", "every": "10ms", "stop": "1900ms"},
    ],
    "until": "2s",
}
ALL = 2 * (2 * 19 + 190)


def test_all_that_is_said_through_the_nat_arrives(network):
    network(**NAT, expect={"nat.bindings": 4, "delivered": ALL})


def test_who_has_a_bad_cable_hears_less(network):
    bad = {"match": "s2--lan", "faults": [{"fault": "one-in", "n": 5}]}
    summary = network(**NAT, links=[bad]).summary
    assert 0 < summary["dropped"]["link-loss"] < summary["delivered"] < ALL


def test_the_nat_is_none_of_ours(network):
    run = network(**NAT)
    assert run.run.versions["plugin natty"] == "1.0"
    assert_delivered(run, share=0.0)
