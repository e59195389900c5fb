"""Random graphs: connected, fixed by their seed, and within bounds."""

import networkx as nx
import pytest

from topologies.random_graphs import internet, preferential, small_world, waxman
from topologies.vocabulary import Graph, GraphError, check

ALL = [waxman, preferential, small_world, internet]


def told(graph: Graph) -> list[tuple[str, str, int, int]]:
    return [(a, b, d["delay"], d["rate"]) for a, b, d in graph.edges(data=True)]


@pytest.mark.parametrize("build", ALL)
@pytest.mark.parametrize("seed", range(5))
def test_every_result_is_connected_and_correct(build: object, seed: int) -> None:
    graph = build(seed=seed)
    check(graph)
    assert nx.is_connected(graph)
    assert list(graph) == [f"hub{number}" for number in range(1, len(graph) + 1)]


@pytest.mark.parametrize("build", ALL)
def test_the_seed_decides(build: object) -> None:
    assert told(build(seed=3)) == told(build(seed=3))
    assert told(build(seed=3)) != told(build(seed=4))


def test_nobody_elses_luck_is_touched() -> None:
    import random  # noqa: PLC0415 - what it must leave alone

    state = random.getstate()
    for build in ALL:
        build(seed=1)
    assert random.getstate() == state


def test_waxman_without_luck_is_still_connected() -> None:
    graph = waxman(nodes=20, beta=0.0)
    assert nx.is_connected(graph)
    assert graph.number_of_edges() == 19


def test_waxman_delays_are_whole_microseconds_that_grow_with_the_square() -> None:
    small = waxman(nodes=20, side_km=100, seed=2)
    large = waxman(nodes=20, side_km=10_000, seed=2)
    for one, other, delay in small.edges(data="delay"):
        assert delay % 1000 == 0
        assert delay >= 1000
        assert large.edges[one, other]["delay"] == pytest.approx(100 * delay, abs=51_000)


def test_preferential_attachment_gives_its_count_of_links() -> None:
    assert preferential(nodes=50, links=2).number_of_edges() == 2 * 48


@pytest.mark.parametrize(
    ("build", "wrong"),
    [
        (waxman, {"nodes": 1}),
        (waxman, {"nodes": 2_001}),
        (waxman, {"beta": 1.5}),
        (waxman, {"alpha": 0.0}),
        (waxman, {"alpha": float("nan")}),
        (waxman, {"side_km": 0}),
        (preferential, {"nodes": 5, "links": 5}),
        (preferential, {"nodes": 200_000, "links": 6}),
        (small_world, {"neighbors": 50}),
        (small_world, {"nodes": 200_000, "neighbors": 11}),
        (small_world, {"rewired": -0.1}),
        (internet, {"nodes": 10_001}),
        (internet, {"seed": -1}),
    ],
)
def test_parameters_out_of_range_are_refused_before_drawing(
    build: object, wrong: dict[str, float]
) -> None:
    with pytest.raises(GraphError) as caught:
        build(**wrong)
    assert caught.value.hint
