"""Where nodes stand: by coordinates, around a center, and never on one another."""

import math

import pytest

from reports.label_places import crosses, find_places, overlap
from reports.layout import around_a_center, lay_out

STAR = {"hub": ["a", "b", "c"], "a": ["hub"], "b": ["hub"], "c": ["hub"]}


def graph(*links, **coordinates):
    names = dict.fromkeys(name for link in links for name in link) | coordinates
    nodes = [
        {"id": name, "kind": "hub"} | ({"longitude": at[0], "latitude": at[1]} if at else {})
        for name, at in names.items()
    ]
    return {"nodes": nodes, "edges": [{"source": one, "target": other} for one, other in links]}


def test_a_star_has_its_center_in_the_middle():
    places = around_a_center(STAR)
    x, y = places.pop("hub")
    assert {round(math.dist((x, y), place), 6) for place in places.values()} == {1}


def test_a_chain_is_a_straight_line():
    names = "abcde"
    near = {name: [other for other in names if abs(ord(name) - ord(other)) == 1] for name in names}
    places = around_a_center(near)
    assert [round(y, 6) for _, y in places.values()] == [0] * 5
    assert sorted(round(abs(x - places["a"][0]), 6) for x, _ in places.values()) == [0, 1, 2, 3, 4]


def test_a_ring_is_a_circle_and_neighbors_stay_neighbors():
    near = {i: [(i - 1) % 6, (i + 1) % 6] for i in range(6)}
    places = around_a_center(near)
    sides = {round(math.dist(places[i], places[(i + 1) % 6]), 6) for i in range(6)}
    assert len(sides) == 1


def test_components_stand_side_by_side():
    places = around_a_center({"a": ["b"], "b": ["a"], "c": []})
    assert max(places["a"][0], places["b"][0]) < places["c"][0]


def test_the_map_is_cut_where_the_sea_is_widest():
    chart = lay_out(graph(("Tokyo", "Honolulu"), Tokyo=(139.7, 35.7), Honolulu=(-157.9, 21.3)))
    assert chart.places["Honolulu"][0] == pytest.approx(202.1)


def test_a_site_without_coordinates_stands_amid_its_neighbors():
    chart = lay_out(graph(("a", "x"), ("x", "b"), a=(0, 0), b=(10, 4)))
    assert chart.places["x"] == (5, 2)


def test_sites_of_one_city_are_moved_apart():
    chart = lay_out(graph(("a", "b"), ("b", "c"), a=(0, 0), b=(0, 0), c=(10, 0)))
    assert len(set(chart.places.values())) == 3


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"nodes": 7, "edges": "x"},
        {"nodes": [1, {"id": []}, {"kind": "hub"}], "edges": [None, {"source": {}}]},
        {"nodes": [{"id": "a"}, {"id": "a", "kind": 3}], "edges": [{"source": "a", "target": "a"}]},
        {"nodes": [{"id": "a", "kind": "tap"}, {"id": "b", "kind": "hub", "latitude": "N"}]},
    ],
)
def test_what_is_malformed_in_a_graph_is_passed_over(broken):
    chart = lay_out(broken, [("a", "nobody")])
    assert set(chart.places) == set(chart.kinds)
    assert chart.left_out == []


def test_a_host_stands_behind_its_tap():
    told = graph(("a", "b"), a=(0, 0), b=(10, 0))
    told["nodes"] += [{"id": "tap1", "kind": "tap"}, {"id": "h1", "kind": "host"}]
    told["edges"] += [{"source": "a", "target": "tap1"}, {"source": "tap1", "target": "h1"}]
    chart = lay_out(told)
    near, far = (math.dist(chart.places["a"], chart.places[name]) for name in ("tap1", "h1"))
    assert 0 < near < far < 5
    assert chart.places["h1"][0] < 0  # away from the link


def test_names_keep_clear_of_one_another_and_of_marks():
    names = {f"n{i}": ((100 + 9 * (i % 3), 100 + 9 * (i // 3)), 4.0, (30, 8)) for i in range(9)}
    marks = [(x - 4, y - 4, x + 4, y + 4) for (x, y), _, _ in names.values()]
    boxes = list(find_places(names, marks, [], (0, 0, 300, 300)).values())
    assert len(boxes) > 4
    taken = [*boxes, *marks]
    assert [
        one for one in boxes for other in taken if one is not other and overlap(one, other)
    ] == []


def test_a_name_that_has_no_room_is_left_out():
    assert find_places({"n": ((5, 5), 4.0, (100, 8))}, [], [], (0, 0, 50, 50)) == {}


def test_a_line_crosses_a_box_only_if_it_runs_through_it():
    assert crosses(((0, 0), (10, 10)), (4, 4, 6, 6))
    assert not crosses(((0, 0), (3, 3)), (4, 4, 6, 6))
    assert not crosses(((0, 5), (0, 9)), (4, 4, 6, 6))
