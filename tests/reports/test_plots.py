"""What the figures say: data on the axes, never pixels."""

import pytest

from reports import style
from reports.charts import BARS_MAX, POINTS_MAX, RUNS_MAX, steps, thin
from reports.plots import PLOTS
from reports.topology_map import utilizations
from reports.words import drawable
from sim.results import TABLES as STORED
from tests.reports.builders import MS, a_bare_run, a_run, an_empty_run, an_evil_run


def words(figure):
    """All text on the figure that a reader sees."""
    axes = [text.get_text() for each in figure.axes for text in each.texts]
    return [*(text.get_text() for text in figure.texts), *axes]


def points(line):
    return [(float(x), float(y)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def labelled(axes):
    """Label → points of each line that has one of ours."""
    lines = {line.get_label(): points(line) for line in axes.lines}
    return {label: line for label, line in lines.items() if not label.startswith("_")}


@pytest.mark.parametrize(
    "run", [a_run(), a_bare_run(), an_empty_run()], ids=["whole", "bare", "empty"]
)
@pytest.mark.parametrize("name", PLOTS)
def test_every_figure_can_be_drawn_of_any_run(name, run):
    svg = style.image(PLOTS[name]([run]), "svg")
    assert svg.startswith(b"<?xml")
    assert len(svg) < 300_000


@pytest.mark.parametrize("name", PLOTS)
def test_every_figure_can_be_drawn_of_several_runs(name):
    runs = [a_run(seed=seed) for seed in range(3)]
    assert style.image(PLOTS[name](runs), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PLOTS)
def test_every_figure_has_a_title_and_units(name):
    figure = PLOTS[name]([a_run()])
    assert [text for text in words(figure)[:2] if text] == words(figure)[:2]
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel())]
    assert name == "topology" or any(labels)


def test_names_are_drawn_as_they_are_written():
    figure = PLOTS["topology"]([an_evil_run()])
    notes = {note.get_text(): note for note in figure.axes[0].texts}
    assert "$\\frac{" in notes
    assert "_hidden" in notes
    assert {note.get_parse_math() for note in notes.values()} == {False}


def test_a_name_the_font_lacks_is_escaped():
    assert drawable("\u4e2d\u202eA") == "\\u4e2d\\u202eA"


def test_the_map_has_each_node_at_its_coordinates():
    chart = PLOTS["topology"]([a_run()]).axes[0]
    marks = labelled(chart)
    assert marks["hub"] == [(10.75, 59.91), (5.32, 60.39), (10.4, 63.43)]
    assert {kind: len(spots) for kind, spots in marks.items()} == {
        "hub": 3,
        "tap": 1,
        "host": 1,
        "station": 1,
        "gateway": 1,
    }


def test_the_map_draws_links_by_the_busier_direction_and_dots_those_left_out():
    links, dotted = PLOTS["topology"]([a_run()]).axes[0].collections
    assert links.get_array().tolist() == [0.25, 0.5, 0, 0, 0, 0]
    assert [segment.tolist() for segment in dotted.get_segments()] == [
        [[5.32, 60.39], [10.4, 63.43]]
    ]


def test_the_map_names_every_site_and_no_name_covers_another():
    names = [note.get_text() for note in PLOTS["topology"]([a_run()]).axes[0].texts]
    assert sorted(names) == ["Bergen", "Oslo", "St. Olav", "gw1", "h1", "s1", "tap1"]


def test_a_port_belongs_to_its_node_even_if_the_name_holds_dots():
    assert utilizations(a_run()) == {("Bergen", "Oslo"): 0.25, ("Oslo", "St. Olav"): 0.5}


def test_convergence_rises_with_each_answer_and_stays_below_all_while_one_is_missing():
    over_time, by_wait = PLOTS["arp_convergence"]([a_run()]).axes
    end = 30.0 * MS
    assert labelled(over_time)["seed 7"] == [
        *((0, 0), (10 * MS, 0.25), (14 * MS, 0.5), (20 * MS, 0.75), (end, 0.75))
    ]
    assert points(over_time.lines[0])[-2:] == [(end, 1), (end, 1)]  # all have asked
    waits = labelled(by_wait)["seed 7"]
    assert [share for _, share in waits] == [0, 0.25, 0.5, 0.75, 0.75]
    assert [ns for ns, _ in waits[1:-1]] == [by_wait.get_xlim()[0], 4 * MS, 20 * MS]


def test_convergence_says_how_many_are_unresolved():
    said = words(PLOTS["arp_convergence"]([a_run()]))[1]
    assert said == "3 of 4 pairs resolved, the slowest after 20 ms; 1 unresolved"


def test_learning_shows_what_frames_allow_and_what_the_tables_hold():
    (axes,) = PLOTS["broadcast_learning"]([a_run()]).axes
    reached, known = axes.lines
    assert points(reached)[:-1] == [(0, 0), (1 * MS, 0.25), (3 * MS, 0.5), (10 * MS, 0.75)]
    assert {share for _, share in points(known)} == {0.5}


def test_latency_is_the_distribution_with_median_and_99_percent_marked():
    (axes,) = PLOTS["latency"]([a_run()]).axes
    curve, *marks = (points(line) for line in axes.lines)
    assert curve == [(1 * MS, 0), *(((share + 1) * MS, share / 10) for share in range(11))]
    assert marks == [[(6 * MS, 0.5)], [(10.9 * MS, 0.99)]]  # as the summary has them


def test_throughput_starts_where_the_first_interval_starts():
    (axes,) = PLOTS["throughput"]([a_run()]).axes
    offered, delivered = (points(line) for line in axes.lines)
    quarter = 250 * MS
    assert offered == [(i * quarter, bps) for i, bps in enumerate((8000, 8000, 8000, 0, 0))]
    assert delivered == [(i * quarter, bps) for i, bps in enumerate((4000, 8000, 8000, 2000, 2000))]
    assert axes.get_ylabel() == "payload (kbit/s)"


def test_drops_are_ranked_and_reasons_without_any_are_left_out():
    (axes,) = PLOTS["drops"]([a_run()]).axes
    reasons = [label.get_text() for label in axes.get_yticklabels()]
    counts = [bar.get_width() for bar in axes.patches]
    assert list(zip(reasons, counts, strict=True)) == [
        ("not-for-us", 12),
        ("storm", 3),
        ("link-loss", 2),
    ]


def test_where_nothing_was_dropped_words_say_so():
    run = a_run(summary={"dropped": {"storm": 0}})
    assert words(PLOTS["drops"]([run])) == ["Drops by reason", *["nothing was dropped"] * 2]


def test_the_busiest_links_come_first():
    (axes,) = PLOTS["link_utilization"]([a_run()]).axes
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.25]
    assert axes.get_yticklabels()[0].get_text() == "Oslo — St. Olav"


def test_of_many_links_only_the_busiest_are_shown():
    rows = [(f"n{i}", "hub", 1, 1, 1, 0, 1, 0, i / 100) for i in range(50)]
    (axes,) = PLOTS["link_utilization"]([a_run(tables={"links": rows})]).axes
    assert len(axes.patches) == BARS_MAX


@pytest.mark.parametrize("name", ["arp_convergence", "broadcast_learning", "latency", "throughput"])
def test_a_bare_run_says_why_there_is_nothing_to_see(name):
    assert "not measured: the run was bare" in words(PLOTS[name]([a_bare_run()]))


@pytest.mark.parametrize("name", ["arp_convergence", "broadcast_learning", "latency", "throughput"])
def test_several_runs_are_one_line_each_up_to_what_a_reader_can_tell_apart(name):
    runs = [a_run(seed=seed) for seed in range(RUNS_MAX + 5)]
    lines = labelled(PLOTS[name](runs).axes[0])
    assert list(lines) == [f"seed {seed}" for seed in range(RUNS_MAX)]


def test_runs_of_two_scenarios_are_told_apart_even_if_a_name_would_hide_in_a_legend():
    runs = [a_run(), a_run(scenario="_other"), a_run()]
    lines = labelled(PLOTS["latency"](runs).axes[0])
    assert list(lines) == ["seed 7, two-sites", "seed 7, _other", "seed 7, two-sites (3)"]


@pytest.mark.parametrize("name", PLOTS)
def test_cells_that_hold_no_number_are_passed_over(name):
    tables = {table: [("x",) * len(columns)] for table, columns in STORED.items()}
    run = a_run(tables=tables, summary={"dropped": {"storm": "many"}})
    assert style.image(PLOTS[name]([run]), "svg").startswith(b"<?xml")


def test_long_curves_are_thinned_and_keep_their_end():
    curve = steps(range(100_000), 100_000, 0, 100_000)
    assert len(curve) < POINTS_MAX + 5
    assert curve[-1] == (100_000, 1)
    assert thin([(1, 1), (2, 2)]) == [(1, 1), (2, 2)]


def test_long_throughput_is_averaged_not_picked():
    rows = [(i, 100 * (i % 2), 0) for i in range(1, 10_001)]
    (axes,) = PLOTS["throughput"]([a_run(tables={"throughput": rows})]).axes
    offered = [bps for _, bps in points(axes.lines[0])]
    assert len(offered) < POINTS_MAX + 2
    assert sum(offered[:-1]) / len(offered[:-1]) == pytest.approx(50)


def test_the_end_of_the_warm_up_is_drawn_and_named():
    warm = a_run(summary={**a_run().summary, "warmup_s": 0.25})
    (axes,) = PLOTS["throughput"]([warm]).axes
    assert points(axes.lines[-1]) == [(250 * MS, 0), (250 * MS, 1)]
    assert [text.get_text() for text in axes.texts] == ["warm-up ends"]
    (axes,) = PLOTS["throughput"]([warm, a_run(seed=8)]).axes
    assert [text.get_text() for text in axes.texts] == ["warm-up ends, seed 7"]


def test_without_a_warm_up_nothing_is_drawn():
    (axes,) = PLOTS["throughput"]([a_run(summary={**a_run().summary, "warmup_s": 0.0})]).axes
    assert len(axes.lines) == 2 and not axes.texts
