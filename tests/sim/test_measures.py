"""What a run measured: every field and table of a network small enough to count by hand."""

from typing import Any

import networkx as nx
import pytest

from sim.actions.traffic import DatagramStream, Timing
from sim.build import Built, build
from sim.measures import Measures
from sim.results import TABLES
from topologies import Graph
from virtualtap.units import MS, SECOND


def two_stations(*, bare: bool) -> tuple[Built, Measures]:
    """Ten datagrams of 100 bytes, one a millisecond, over a switch: 1 ms on each link."""
    graph: Graph = nx.Graph()
    graph.add_node("sw1", kind="switch")
    for name in ("s1", "s2"):
        graph.add_node(name, kind="station")
        graph.add_edge("sw1", name, delay=1 * MS, rate=10**9)
    built = build(graph, 0)
    ends = built.endpoints["s1"], built.endpoints["s2"]
    talk = DatagramStream(built.network, 0, ends, Timing(1 * MS, 0, 10 * MS), size=100)
    measures = Measures(built, [talk.flow], 1 * SECOND, bare=bare)
    built.network.observers += measures.probes()
    talk.start()
    built.network.run(1 * SECOND)
    built.network.finish()
    return built, measures


LAN_NS = {length: (max(length, 60) + 24) * 8 for length in (42, 142)}  # on the wire at 1 Gbit/s
RESOLVED = 4 * MS + 4 * LAN_NS[42]  # a question and an answer, two links each


def test_the_summary_says_what_happened():
    _, measures = two_stations(bare=False)
    summary = measures.summary()
    assert summary["crossings"] == 2 * 2 + 2 * 10
    assert (summary["delivered"], summary["dropped"]) == (10, {})
    assert summary["arp_convergence_s"] == RESOLVED / SECOND
    assert summary["arp_unresolved"] == 0
    assert summary["broadcast_learning"] == {
        "share": 1.0,
        "time_to_all_s": (3 * MS + 3 * LAN_NS[42]) / SECOND,
        "flooded_share": 1 / 12,
    }
    assert summary["throughput_bps"] == {"offered": 8000.0, "delivered": 8000.0}
    fastest = (2 * MS + 2 * LAN_NS[142]) / SECOND
    assert summary["latency_s"]["p50"] == fastest < summary["latency_s"]["p99"]  # five waited


def test_a_bare_run_counts_and_what_needs_an_observer_is_null():
    _, watched = two_stations(bare=False)
    _, measures = two_stations(bare=True)
    counted = ("events", "crossings", "delivered", "dropped", "throughput_bps")
    full, bare = watched.summary(), measures.summary()
    assert {name: bare[name] for name in counted} == {name: full[name] for name in counted}
    assert (bare["arp_convergence_s"], bare["arp_unresolved"]) == (None, None)
    for name in ("broadcast_learning", "latency_s"):
        assert list(bare[name]) == list(full[name])
        assert set(bare[name].values()) == {None}
    assert (measures.value("digest"), measures.probes()) == (None, [])
    assert list(measures.tables()) == ["nodes"]


def rows(name: str) -> list[dict[str, Any]]:
    _, measures = two_stations(bare=False)
    table = measures.tables()[name]
    return [dict(zip(TABLES[name], row, strict=True)) for row in table]


def test_every_table_has_the_columns_it_is_written_with():
    _, measures = two_stations(bare=False)
    tables = measures.tables()
    assert {*tables, "frames"} == set(TABLES)  # with `--parents`
    for name, found in tables.items():
        assert {len(row) for row in found} <= {len(TABLES[name])}, name


def test_the_table_of_arp_convergence_names_the_pairs():
    assert rows("arp_convergence") == [
        {"sender": "s1", "next_hop": "10.0.0.2", "asked_ns": 0, "resolved_ns": RESOLVED}
    ]


def test_learning_is_shown_as_frames_allow_it_and_as_the_table_reports_it():
    found = rows("broadcast_learning")
    assert [(row["hub"], row["mac"], row["in_table"]) for row in found] == [
        ("sw1", "02:00:00:00:00:01", 1),
        ("sw1", "02:00:00:00:00:02", 1),
    ]
    assert [row["reached_ns"] for row in found] == [
        1 * MS + LAN_NS[42],
        3 * MS + 3 * LAN_NS[42],
    ]


def test_a_crashed_bridge_reports_what_it_forgot():
    built, measures = two_stations(bare=False)
    built.network.crash(built.network.nodes["sw1"])
    assert [row[-1] for row in measures.tables()["broadcast_learning"]] == [0, 0]


def test_the_table_of_flows_counts_each():
    [flow] = rows("flows")
    assert (flow["source"], flow["destination"], flow["kind"]) == ("s1", "s2", "stream")
    assert [flow[name] for name in ("offered", "delivered", "duplicated", "reordered")] == [
        *(10, 10, 0, 0)
    ]
    assert flow["max_ns"] - flow["variation_ns"] == 2 * MS + 2 * LAN_NS[142]


def test_the_table_of_nodes_accounts_for_every_frame():
    found = {row["node"]: row for row in rows("nodes")}
    assert found["sw1"] == {
        "node": "sw1",
        "kind": "switch",
        "received": 12,
        "sent": 12,
        "forwarded": 12,
        "copies": 12,
        "consumed": 0,
        "translated": 0,
        "held": 0,
        "dropped": 0,
        "originated": 0,
        "released": 0,
    }
    assert (found["s2"]["received"], found["s2"]["consumed"], found["s2"]["sent"]) == (11, 11, 1)


def test_the_table_of_links_says_how_busy_each_direction_was():
    busy = {
        (row["source"], row["target"] if "target" in row else row["destination"]): row
        for row in rows("links")
    }
    there = busy["s1.eth0", "sw1.p1"]
    assert (there["sent"], there["arrived"], there["lost"], there["delay_ns"]) == (11, 11, 0, MS)
    bits = LAN_NS[42] + 10 * LAN_NS[142]  # a bit takes a nanosecond
    assert there["utilization"] == pytest.approx(bits / SECOND)
    assert busy["s2.eth0", "sw1.p2"]["sent"] == 1


def test_throughput_over_time_adds_up_to_all_that_was_said():
    found = rows("throughput")
    assert len(found) == 100
    assert [row["at_ns"] for row in found[:2]] == [10 * MS, 20 * MS]
    bits = sum(row["delivered_bps"] for row in found) * 10 * MS / SECOND
    assert bits == 10 * 100 * 8


def test_drops_of_a_run_are_a_field_each():
    built, measures = two_stations(bare=True)
    built.links["sw1--s1"].set_up(False)
    built.network.nodes["s1"].ports["eth0"].send(bytes(60))
    assert measures.value("dropped.link-down") == 1
    assert measures.value("dropped.never") == 0
