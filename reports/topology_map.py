"""The map of a run: hubs where they stand, endpoints around them, links by how busy they were."""

import math
from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import style
from reports.label_places import Point, find_places
from reports.layout import SITES, Map, Pair, lay_out
from reports.words import drawable, listed, number, plural, share
from sim.results import Run

HEIGHT = 5.6  # inches
ROOM = 1.14  # the paper is so much larger than what stands on it
NAMES_MAX = 150
ENDPOINT_NAMES_MAX = 12  # more endpoints than these go without a name
ROOMY = 30  # of more sites, marks are smaller
RASTER_MIN = 500  # more marks or lines than these become pixels: the file stays small

BUSYNESS = LinearSegmentedColormap.from_list("busyness", [style.IDLE, "#e0a458", style.BUSY])


def draw_map(run: Run) -> Figure:
    """The network of one run, drawn inside `style.LOOK`."""
    chart = lay_out(run.graph, run.links_left_out)
    figure = Figure(figsize=(style.WIDTH, HEIGHT))
    axes = figure.add_axes((0.07, 0.135, 0.90, 0.735))
    if not chart.kinds:
        style.entitle(figure, f"Topology of {drawable(run.scenario, 60)}", "the graph is empty")
        style.say(axes, "this run has no graph")
        return figure
    busy = utilizations(run)
    style.entitle(figure, f"Topology of {drawable(run.scenario, 60)}", _finding(chart, busy))
    _frame(axes, chart)
    _draw_links(figure, axes, chart, busy)
    _draw_nodes(axes, chart)
    _draw_names(axes, chart)
    _draw_legend(figure, chart)
    return figure


def utilizations(run: Run) -> dict[Pair, float]:
    """Link → utilization of its busier direction, from 0 to 1, where it was measured.

    The table names ports (`node.port`) or nodes; the pair is of nodes, sorted.
    """
    known = {
        node.get("id") for node in run.graph.get("nodes") or () if isinstance(node, dict)
    }  # a name of a node may hold dots itself

    def node_of(end: object) -> str:
        name = str(end)
        return name if name in known else name.rpartition(".")[0] or name

    busy: dict[Pair, float] = {}
    for source, destination, *_, utilization in run.tables.get("links", ()):
        value = number(utilization)
        if value is not None:
            one, other = sorted((node_of(source), node_of(destination)))
            busy[one, other] = max(value, busy.get((one, other), 0.0))
    return busy


def _finding(chart: Map, busy: dict[Pair, float]) -> str:
    kinds = list(chart.kinds.values())
    parts = [plural(kinds.count(kind), kind) for kind in style.MARKS if kind in kinds]
    sentence = listed([*parts, plural(len(chart.links), "link")])
    if not busy:
        return f"{sentence}; utilization was not measured"
    return f"{sentence}; busiest link {share(max(busy.values()))} utilized"


def _frame(axes: Axes, chart: Map) -> None:
    """Fix the limits, so that names can be placed; on the globe, a grid of degrees."""
    xs = [x for x, _ in chart.places.values()]
    ys = [y for _, y in chart.places.values()]
    box = axes.get_position()
    wide, high = style.WIDTH * box.width, HEIGHT * box.height  # inches
    inch = ROOM * max((max(xs) - min(xs)) / wide, (max(ys) - min(ys)) * chart.aspect / high) or 1.0
    middle_x, middle_y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    reach_x, reach_y = inch * wide / 2, inch * high / 2 / chart.aspect
    axes.set_xlim(middle_x - reach_x, middle_x + reach_x)
    axes.set_ylim(middle_y - reach_y, middle_y + reach_y)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=7, labelcolor=style.FAINT)
    if not chart.on_globe:
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda east, _: _degrees(east, "E", "W")))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda north, _: _degrees(north, "N", "S")))


def _degrees(value: float, positive: str, negative: str) -> str:
    value = value - 360 if value > 180 else value
    return f"{abs(value):.4g}° {positive if value > 0 else negative if value < 0 else ''}".strip()


def _draw_links(figure: Figure, axes: Axes, chart: Map, busy: dict[Pair, float]) -> None:
    used = [busy.get((min(pair), max(pair)), 0.0) for pair in chart.links]
    most = max(busy.values(), default=0.0)
    scale = Normalize(0, most or 1.0)
    minor = [not _is_trunk(pair, chart) for pair in chart.links]
    widths = [
        0.8 + 3.4 * scale(value) if not small else 0.7 + 1.6 * scale(value)
        for value, small in zip(used, minor, strict=True)
    ]
    lines = LineCollection(
        [(chart.places[one], chart.places[other]) for one, other in chart.links],
        array=used,
        cmap=BUSYNESS,
        norm=scale,
        linewidths=widths,
        capstyle="round",
        zorder=2,
        rasterized=len(used) > RASTER_MIN,
    )
    axes.add_collection(lines, autolim=False)
    if chart.left_out:
        dotted = LineCollection(
            [(chart.places[one], chart.places[other]) for one, other in chart.left_out],
            colors=style.FAINT,
            linestyles=(0, (1, 2.2)),
            linewidths=1.3,
            zorder=1.5,
            rasterized=len(chart.left_out) > RASTER_MIN,
        )
        axes.add_collection(dotted, autolim=False)
    if most:
        cax = figure.add_axes((0.72, 0.052, 0.20, 0.014))
        bar = figure.colorbar(lines, cax=cax, orientation="horizontal")
        bar.outline.set_visible(False)
        bar.set_ticks([0, most], labels=["idle", share(most)])
        cax.tick_params(length=0, labelsize=7, pad=2)
        cax.set_title("utilization, busier direction", size=7, pad=3)


def _is_trunk(pair: Pair, chart: Map) -> bool:
    return all(chart.kinds[name] in SITES for name in pair)


def _draw_nodes(axes: Axes, chart: Map) -> None:
    """One series of marks for each kind; endpoints first, so that sites stand above them."""
    for kind in reversed([*style.MARKS, *_strange(chart)]):
        spots = [chart.places[name] for name, its in chart.kinds.items() if its == kind]
        if spots:
            marks = _marks(kind, [x for x, _ in spots], [y for _, y in spots])
            marks.set_markersize(2 * _radius(kind, chart))
            axes.add_line(marks)


def _strange(chart: Map) -> list[str]:
    """Kinds this version has no mark for."""
    return sorted(set(chart.kinds.values()) - set(style.MARKS))


def _marks(kind: str, xs: Sequence[float] = (), ys: Sequence[float] = ()) -> Line2D:
    marker, color, points = style.MARKS.get(kind, ("x", style.FAINT, 5.0))
    return Line2D(
        *(xs, ys),
        linestyle="none",
        marker=marker,
        markersize=points,
        markerfacecolor=color,
        markeredgecolor=style.PAPER,
        markeredgewidth=0.7,
        zorder=4 if kind in SITES else 3,
        label=drawable(kind),
        rasterized=len(xs) > RASTER_MIN,
    )


def _draw_names(axes: Axes, chart: Map) -> None:
    spots = _spots(axes, chart)
    wanted = {}
    for name in _worth_naming(chart)[:NAMES_MAX]:
        width, height = style.extent(drawable(name), style.NAME_SIZE)
        wanted[name] = (spots[name], _radius(chart.kinds[name], chart), (width + 2.0, height))
    marks = [
        (x - radius, y - radius, x + radius, y + radius)
        for name, (x, y) in spots.items()
        for radius in (_radius(chart.kinds[name], chart),)
    ]
    lines = [(spots[one], spots[other]) for one, other in [*chart.links, *chart.left_out]]
    frame = axes.get_position()
    paper = (
        *(72 * style.WIDTH * frame.x0, 72 * HEIGHT * frame.y0),
        *(72 * style.WIDTH * frame.x1, 72 * HEIGHT * frame.y1),
    )
    ground = {"facecolor": style.PAPER, "alpha": 0.75, "edgecolor": "none", "pad": 0.4}
    for name, box in find_places(wanted, marks, lines, paper).items():
        axes.annotate(
            drawable(name),
            chart.places[name],
            xytext=(box[0] + 1.0 - spots[name][0], box[1] - spots[name][1]),
            textcoords="offset points",
            size=style.NAME_SIZE,
            color=style.INK,
            bbox=ground,
            zorder=5,
            annotation_clip=False,
        )


def _worth_naming(chart: Map) -> list[str]:
    """Sites with most links first, then gateways, then the other endpoints if they are few."""
    degrees = Counter(name for pair in chart.links for name in pair)
    sites = sorted(chart.sites, key=lambda name: -degrees[name])
    gateways = [name for name, kind in chart.kinds.items() if kind == "gateway"]
    others = [name for name in chart.kinds if name not in {*sites, *gateways}]
    return [*sites, *gateways, *(others if len(others) <= ENDPOINT_NAMES_MAX else ())]


def _spots(axes: Axes, chart: Map) -> dict[str, Point]:
    """Where the nodes are on paper, in points."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    points = 72 / figure.dpi
    placed = axes.transData.transform(list(chart.places.values()))
    return {
        name: (float(x) * points, float(y) * points)
        for name, (x, y) in zip(chart.places, placed, strict=True)
    }


def _radius(kind: str, chart: Map) -> float:
    """Of a mark, in points; the more sites there are, the smaller."""
    crowd = max(0.4, min(1.0, math.sqrt(ROOMY / len(chart.sites))))
    return style.MARKS.get(kind, ("", "", 5.0))[2] / 2 * crowd


def _draw_legend(figure: Figure, chart: Map) -> None:
    kinds = [kind for kind in style.MARKS if kind in chart.kinds.values()]
    handles = [_marks(kind) for kind in kinds]
    if chart.left_out:
        handles.append(
            Line2D((), (), color=style.FAINT, linestyle=(0, (1, 2.2)), label="link left out")
        )
    if handles:
        figure.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0.0, 0.0),
            ncols=len(handles),
            columnspacing=1.2,
            handletextpad=0.3,
        )
