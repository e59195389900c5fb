"""From what a source says to the graph: names, places, delays."""

import pytest

from topologies.survey import Survey, fiber_delay, great_circle
from topologies.vocabulary import GraphError


def survey(*labels: str, links: tuple[str, ...] = ()) -> Survey:
    """Nodes a, b, c... with these labels, and links written `ab`."""
    found = Survey("test")
    for key, label in zip("abcdefgh", labels, strict=False):
        found.add_node(key, label, None)
    for one, other in links:
        found.add_link(one, other)
    return found


def test_light_in_fiber_takes_five_microseconds_a_kilometer() -> None:
    assert fiber_delay(1000) == 5_003_000
    assert fiber_delay(0) == fiber_delay(0.29) == 1_000


def test_a_quarter_of_the_globe_is_ten_thousand_kilometers() -> None:
    assert great_circle((0, 0), (0, 90)) == pytest.approx(10_007.6, abs=0.1)
    assert great_circle((90, 0), (-90, 77)) == pytest.approx(20_015.1, abs=0.1)
    assert great_circle((0, 179), (0, -179)) == pytest.approx(222.4, abs=0.1)


def test_equal_labels_are_numbered_from_two() -> None:
    assert list(survey("A", "B", "A", "A").graph()) == ["A", "B", "A-2", "A-3"]


def test_a_number_never_takes_the_label_of_another_node() -> None:
    assert list(survey("A", "A", "A-2", "A-2", "A").graph()) == ["A", "A-3", "A-2", "A-2-2", "A-4"]


def test_many_equal_labels_are_named_at_once() -> None:
    found = Survey("test")
    for number in range(3_000):
        found.add_node(str(number), "A", None)
    assert list(found.graph())[-1] == "A-3000"


def test_white_space_in_labels_becomes_single_spaces() -> None:
    assert list(survey(" New\r\n York ", "\t", "b").graph()) == ["New York", "b", "b-2"]


def test_a_link_is_as_long_as_the_great_circle() -> None:
    found = Survey("test")
    found.add_node("a", "Quito", (0.0, -78.0))
    found.add_node("b", "Kampala", (0.0, 32.0))
    found.add_link("a", "b", rate=155_000_000)
    km = great_circle((0, 0), (0, 110))
    assert dict(found.graph().edges["Quito", "Kampala"]) == {
        "delay": fiber_delay(km),
        "rate": 155_000_000,
    }


def test_a_node_without_coordinates_takes_the_mean_of_its_neighbors_round_after_round() -> None:
    found = survey("A", "B", "C", "D", links=("ca", "cb", "cd"))
    found.add_node("x", "X", (10.0, 20.0))
    found.add_node("y", "Y", (20.0, 40.0))
    found.add_link("a", "x")
    found.add_link("b", "x")
    found.add_link("b", "y")
    graph = found.graph()
    places = {name: (node["latitude"], node["longitude"]) for name, node in graph.nodes.items()}
    assert places["A"] == (10.0, 20.0)
    assert places["B"] == (15.0, 30.0)
    assert places["C"] == (12.5, 25.0)
    assert places["D"] == (12.5, 25.0)
    assert graph.edges["C", "D"]["delay"] == 1_000


def test_the_mean_of_longitudes_is_taken_the_short_way_round() -> None:
    found = survey("A")
    found.add_node("x", "X", (0.0, 178.0))
    found.add_node("y", "Y", (0.0, -176.0))
    found.add_link("a", "x")
    found.add_link("a", "y")
    assert found.graph().nodes["A"]["longitude"] == -179.0


def test_a_component_without_coordinates_has_a_millisecond_a_link() -> None:
    found = survey("A", "B", links=("ab",))
    found.add_node("x", "X", (0.0, 0.0))
    graph = found.graph()
    assert dict(graph.edges["A", "B"]) == {"delay": 1_000_000, "rate": 1_000_000_000}
    assert "latitude" not in graph.nodes["A"]


def test_of_parallel_links_the_shortest_and_then_the_fastest_serves() -> None:
    found = survey("A", "B")
    found.add_link("a", "b", rate=9, km=300.0)
    found.add_link("b", "a", rate=5, km=200.0)
    found.add_link("a", "b", rate=7, km=200.0)
    found.add_link("b", "a", rate=6, km=200.0)
    graph = found.graph()
    assert list(graph.edges(data=True)) == [("A", "B", {"delay": fiber_delay(200), "rate": 7})]


def test_the_limits_hold_while_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topologies.survey.NODES_MAX", 2)
    monkeypatch.setattr("topologies.survey.EDGES_MAX", 2)
    found = survey("A", "B", links=("ab", "ba"))  # parallel ones count too
    with pytest.raises(GraphError, match="more than 2 nodes"):
        found.add_node("c", "C", None)
    with pytest.raises(GraphError, match="more than 2 edges"):
        found.add_link("a", "b")
