"""SoftEther's topologies, endpoints on a map, and the map without loops."""

import networkx as nx
import pytest

from topologies.shapes import ring, star
from topologies.vocabulary import Graph, GraphError, check
from topologies.vpn import cascade, cascade_tree, hub_and_spoke, populate, server, site_to_site


def kinds(graph: Graph) -> list[str]:
    return [kind for _, kind in graph.nodes(data="kind")]


def test_hub_and_spoke_is_a_star_of_hubs() -> None:
    graph = hub_and_spoke(sites=3)
    assert list(graph) == ["center", "site1", "site2", "site3"]
    assert dict(graph.degree)["center"] == 3
    assert set(kinds(graph)) == {"hub"}


def test_a_cascade_is_a_chain_unless_told_to_branch() -> None:
    assert list(cascade(hubs=3).edges) == [("hub1", "hub2"), ("hub2", "hub3")]
    assert dict(cascade(hubs=7, branching=3).degree)["hub1"] == 3


def test_each_site_of_site_to_site_is_bridged_into_its_hub() -> None:
    graph = site_to_site(sites=2, stations=2)
    check(graph)
    assert list(graph.edges) == [
        ("center", "site1"),
        ("center", "site2"),
        ("site1", "lan1"),
        ("site2", "lan2"),
        ("lan1", "s1"),
        ("lan1", "s2"),
        ("lan2", "s3"),
        ("lan2", "s4"),
    ]


def test_a_server_has_whoever_may_connect_and_numbers_hosts_and_stations_through() -> None:
    graph = server(clients=1, bridges=1, cascades=1, ipcs=2)
    check(graph)
    hosts = ["tap1", "h1", "ipc1", "h2", "ipc2", "h3"]
    assert list(graph) == ["server", *hosts, "lan1", "s1", "remote1", "s2"]
    assert set(graph["server"]) == {"tap1", "ipc1", "ipc2", "lan1", "remote1"}
    with pytest.raises(GraphError, match="`ipcs`"):
        server(ipcs=-1)


def test_endpoints_are_numbered_over_the_whole_map_in_site_order() -> None:
    graph = populate(star(sites=1), taps=2, stations=1, gateways=1)
    check(graph)
    first = ["tap1", "h1", "tap2", "h2", "s1"]
    second = ["tap3", "h3", "tap4", "h4", "s2"]
    assert list(graph) == ["hub1", "hub2", *first, *second, "gw1"]
    assert set(graph["hub1"]) == {"hub2", "tap1", "tap2", "s1", "gw1"}
    assert set(graph["tap4"]) == {"hub2", "h4"}


def test_populating_leaves_the_map_itself_alone() -> None:
    graph = star()
    populate(graph)
    assert len(graph) == 9


def test_gateways_stand_on_the_nodes_of_highest_degree() -> None:
    graph = nx.Graph([("a", "b"), ("b", "c"), ("c", "d"), ("b", "e"), ("c", "f"), ("f", "g")])
    nx.set_node_attributes(graph, "hub", "kind")
    full = populate(graph, taps=3, stations=0, gateways=3)
    assert [next(iter(full[f"gw{number}"])) for number in (1, 2, 3)] == ["b", "c", "f"]


def test_more_gateways_than_sites_go_round_again() -> None:
    full = populate(star(sites=1), gateways=3)
    assert [next(iter(full[f"gw{number}"])) for number in (1, 2, 3)] == ["hub1", "hub2", "hub1"]


def test_a_site_that_has_endpoints_gets_no_more() -> None:
    full = populate(site_to_site(sites=1, stations=1))
    check(full)
    assert set(full["lan1"]) == {"site1", "s1"}
    assert set(full["site1"]) == {"center", "lan1", "tap2", "s3", "gw1"}


def test_gateways_there_already_count() -> None:
    once = populate(star(sites=2), gateways=1)
    assert list(populate(once, gateways=1)) == list(once)
    assert kinds(populate(once, gateways=2)).count("gateway") == 2


def test_a_name_that_is_taken_is_passed_over() -> None:
    graph = nx.Graph()
    for name in ("h1", "tap2", "s1", "gw1"):
        graph.add_node(name, kind="hub")
    full = populate(graph, gateways=1)
    check(full)
    assert {"tap3", "h3", "tap6", "h6", "s2", "s5", "gw2"} <= set(full)
    assert len(full) == 4 + 4 * 3 + 1


def test_a_map_without_sites_cannot_be_populated() -> None:
    with pytest.raises(GraphError, match="neither hub nor switch"):
        populate(nx.Graph())


@pytest.mark.parametrize("most", [{"taps": -1}, {"stations": 1.0}, {"gateways": 10**9}])
def test_counts_of_endpoints_are_held_to_sense(most: dict[str, int]) -> None:
    with pytest.raises(GraphError, match="not an integer from 0 to 200000"):
        populate(star(), **most)


def test_too_many_endpoints_are_refused_before_building() -> None:
    with pytest.raises(GraphError, match="1800019 nodes are more than 200000"):
        populate(star(), taps=0, stations=200_000, gateways=10)


def test_the_cascade_tree_drops_the_slowest_link_of_a_loop() -> None:
    graph = ring(nodes=4)
    graph.edges["hub2", "hub3"]["delay"] = 6_000
    kept, left_out = cascade_tree(graph)
    assert left_out == [("hub2", "hub3")]
    assert nx.is_tree(kept)
    assert graph.number_of_edges() == 4


def test_among_equals_the_cascade_tree_keeps_the_first_names() -> None:
    kept, left_out = cascade_tree(ring(nodes=4))
    assert left_out == [("hub3", "hub4")]
    assert list(kept.edges) == [("hub1", "hub2"), ("hub1", "hub4"), ("hub2", "hub3")]


def test_the_cascade_tree_is_a_minimum_one() -> None:
    graph = nx.gnm_random_graph(40, 200, seed=1)
    graph = nx.relabel_nodes(graph, {node: f"hub{node}" for node in graph})
    nx.set_node_attributes(graph, "hub", "kind")
    for index, (_, _, attributes) in enumerate(graph.edges(data=True)):
        attributes["delay"] = index * 7919 % 50
    kept, left_out = cascade_tree(graph)
    least = nx.minimum_spanning_tree(graph, weight="delay")
    assert kept.size(weight="delay") == least.size(weight="delay")
    assert len(left_out) == graph.number_of_edges() - kept.number_of_edges()
    assert left_out == sorted(left_out)


def test_links_of_endpoints_stay_even_where_they_close_a_loop() -> None:
    graph = populate(ring(nodes=3), gateways=1)
    gateway = next(iter({"hub1", "hub2", "hub3"} - set(graph["gw1"])))
    graph.add_edge("gw1", gateway)  # a router with two ports
    kept, left_out = cascade_tree(graph)
    assert left_out == [("hub2", "hub3")]
    assert len(kept["gw1"]) == 2


def test_a_map_in_pieces_keeps_its_pieces() -> None:
    graph = nx.disjoint_union(ring(nodes=3), ring(nodes=3))
    graph = nx.relabel_nodes(graph, {node: f"hub{node}" for node in graph})
    kept, left_out = cascade_tree(graph)
    assert nx.number_connected_components(kept) == 2
    assert len(left_out) == 2
