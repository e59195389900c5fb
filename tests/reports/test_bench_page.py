"""The page of a bench: RFC 2544's figure, tables, strangers' words harmless."""

from types import SimpleNamespace

from reports.bench_page import throughput, write_bench
from reports.style import words_of

ROWS = [
    {"size": 1518, "frames_per_s": 800.0, "theoretical_frames_per_s": 812.7, "share": 0.984},
    {"size": 64, "frames_per_s": 14_880.0, "theoretical_frames_per_s": 14_880.0, "share": 1.0},
]
NOTHING = {"size": 64, "frames_per_s": None, "theoretical_frames_per_s": 14_880.0, "share": None}


def written(tmp_path, conditions="on a switch", cell="1"):
    sheets = [SimpleNamespace(title="caching", columns=["addresses"], rows=[[cell]])]
    tests = {"throughput": {"rows": ROWS}}
    path = write_bench({"on": "switch", "tests": tests}, conditions, sheets, tmp_path / "p.html")
    return path.read_text(encoding="utf-8")


def test_the_figure_has_what_was_measured_and_what_the_medium_allows():
    figure = throughput(ROWS, "switch")
    allowed, measured = figure.axes[0].get_lines()
    assert [*allowed.get_xdata()] == [64, 1518]
    assert [*allowed.get_ydata()] == [14_880.0, 812.7]
    assert [*measured.get_ydata()] == [14_880.0, 800.0]
    assert words_of(figure) == "Throughput of a switch. at least 98.4% of what the medium allows"


def test_a_size_at_which_nothing_came_is_not_drawn():
    figure = throughput([NOTHING], "tap")
    _, measured = figure.axes[0].get_lines()
    assert [*measured.get_xdata()] == []
    assert words_of(figure) == "Throughput of a tap. nothing came"


def test_the_same_bench_gives_the_same_page(tmp_path):
    assert written(tmp_path) == written(tmp_path)


def test_a_page_without_throughput_has_no_figure(tmp_path):
    path = write_bench({"on": "hub", "tests": {}}, "", [], tmp_path / "p.html")
    assert "<img" not in path.read_text(encoding="utf-8")


def test_words_of_strangers_are_words(tmp_path):
    page = written(tmp_path, conditions="--set <script>alert(1)</script>", cell="<b>a\u202eb")
    assert "<script>" not in page
    assert "<b>" not in page
    assert "\u202e" not in page
