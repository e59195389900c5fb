"""`load` and `names`: what a name means, and what is said when it means nothing."""

from pathlib import Path

import networkx as nx
import pytest

from topologies import CATALOG, GraphError, cascade_tree, check, load, names, populate


@pytest.mark.parametrize("name", CATALOG)
def test_every_topology_builds_and_takes_endpoints(name: str) -> None:
    graph = load(name)
    check(graph)
    assert graph.graph["name"] == name
    assert nx.is_connected(graph)
    kept, left_out = cascade_tree(populate(graph))
    check(kept)
    assert nx.is_connected(kept)
    assert len(left_out) == graph.number_of_edges() - len(graph) + 1


@pytest.mark.parametrize("name", CATALOG)
def test_every_topology_is_the_same_twice(name: str) -> None:
    one, other = populate(load(name)), populate(load(name))
    assert list(one.nodes(data=True)) == list(other.nodes(data=True))
    assert list(one.edges(data=True)) == list(other.edges(data=True))


def test_the_names_are_the_catalogs_and_then_topohubs() -> None:
    known = names()
    assert known[: len(CATALOG)] == list(CATALOG)
    assert "topozoo/Abilene" in known
    assert len(known) == len(set(known))


def test_parameters_reach_the_topology() -> None:
    assert len(load("tree", nodes=10, branching=3, kind="switch", delay=1)) == 10
    assert load("waxman", beta=1, seed=5).graph["name"] == "waxman"


def test_a_network_of_topohub_is_loaded_by_name() -> None:
    assert len(load("abilene")) == 11
    assert len(load("sndlib/abilene")) == 12


def test_a_file_is_loaded_by_path(tmp_path: Path) -> None:
    path = tmp_path / "Net.GraphML"
    path.write_text('<graphml><graph><node id="a"/></graph></graphml>')
    assert list(load(str(path))) == ["a"]


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("star", {"nodes": 3}, "`star` has no parameter `nodes`"),
        ("star", {"name": "x"}, "`star` has no parameter `name`"),
        ("tree", {"nodes": "7"}, "`nodes` of `tree` is `'7'`"),
        ("tree", {"nodes": 7.0}, "`nodes` of `tree` is `7.0`"),
        ("tree", {"nodes": True}, "`nodes` of `tree` is `True`"),
        ("tree", {"nodes": None}, "`nodes` of `tree` is `None`"),
        ("waxman", {"beta": "0.5"}, "`beta` of `waxman` is `'0.5'`"),
    ],
)
def test_a_wrong_parameter_is_answered_with_the_right_ones(
    name: str, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(GraphError) as caught:
        load(name, **wrong)
    assert str(caught.value) == said
    assert caught.value.hint.startswith("the parameters are ")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("star", {"sites": 0}),
        ("star", {"sites": 10**5000}),
        ("star", {"delay": -1}),
        ("star", {"rate": 0}),
        ("star", {"kind": "tap"}),
        ("mesh", {"nodes": 200_000}),
        ("site-to-site", {"sites": 200_000, "stations": 200_000}),
        ("abilene", {"nodes": 3}),
        ("net.gml", {"nodes": 3}),
    ],
)
def test_a_parameter_out_of_range_or_place_is_refused(name: str, wrong: dict[str, object]) -> None:
    with pytest.raises(GraphError) as caught:
        load(name, **wrong)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [("strar", "`star`"), ("Abilen", "`abilene`"), ("small_world", "`small-world`")],
)
def test_a_name_nearly_right_gets_the_right_one(name: str, hint: str) -> None:
    with pytest.raises(GraphError, match="no topology is named") as caught:
        load(name)
    assert caught.value.hint.startswith("did you mean ")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "name", ["", "\0", "x" * 100_000, "a\nb", "../../secret", "\ud800", "~"], ids=range(7)
)
def test_a_name_that_means_nothing_gets_a_line(name: str) -> None:
    with pytest.raises(GraphError) as caught:
        load(name)
    assert str(caught.value).isprintable()
    assert caught.value.hint


def test_a_path_that_exists_is_taken_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="neither GraphML nor GML"):
        load(str(tmp_path))
