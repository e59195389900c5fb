"""What charts share: axes with units, steps, legends, ranked bars; and numbers out of tables."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

from reports import style
from reports.words import drawable, duration, number, plural, time_unit
from sim.results import Run

RUNS_MAX = 10  # as many colors as a reader can tell apart
POINTS_MAX = 2_000  # of one curve; more than the eye sees, and the file stays small
BARS_MAX = 15
LOG_MIN = 30  # a ratio from which a logarithmic axis shows more

Points: TypeAlias = list[tuple[float, float]]
Of = TypeVar("Of")


def named(runs: Sequence[Run]) -> dict[str, Run]:
    """The first runs, each under the name that its line carries."""
    of_one = len({run.scenario for run in runs}) == 1
    found: dict[str, Run] = {}
    for run in runs[:RUNS_MAX]:
        seed = f"seed {run.seed}"
        name = drawable(seed if of_one else f"{seed}, {run.scenario}", 40)
        found[f"{name} ({len(found) + 1})" if name in found else name] = run
    return found


def numbers(run: Run, table: str, *columns: int) -> list[tuple[float | None, ...]]:
    """These columns of a table; None where a cell holds no number."""
    return [tuple(number(row[column]) for column in columns) for row in run.tables.get(table, ())]


def whole(rows: Sequence[tuple[float | None, ...]]) -> list[tuple[float, ...]]:
    """The rows that have a number in each cell."""
    return [tuple(cell for cell in row if cell is not None) for row in rows if None not in row]


def measured(runs: Sequence[Run], read: Callable[[Run], Of | None]) -> dict[str, Of]:
    """What `read` finds in each run, under its name; runs in which it finds nothing are absent."""
    return {name: found for name, run in named(runs).items() if (found := read(run))}


def finding(found: Mapping[str, Of], say: Callable[[Of], str], nothing: str) -> str:
    """What `say` says of the only run; of several, how many there are."""
    if not found:
        return nothing
    if len(found) == 1:
        return say(next(iter(found.values())))
    return f"{plural(len(found), 'run')}, one color each"


def absent(runs: Sequence[Run], nothing: str) -> str:
    """Why there is nothing to draw."""
    if all(run.bare for run in runs):
        return "not measured: the run was bare"
    return f"{nothing} in this run" if len(runs) == 1 else f"{nothing} in these runs"


def steps(times: Sequence[float], of: int, left: float, right: float) -> Points:
    """The share of `of` reached at each time, from `left` to `right`."""
    counted = [(max(at, left), (rank + 1) / of) for rank, at in enumerate(sorted(times))]
    last = counted[-1][1] if counted else 0.0
    return [(left, 0.0), *thin(counted), (max(right, left), last)]


def thin(points: Points) -> Points:
    """At most about `POINTS_MAX` of the points, the last among them."""
    if len(points) <= POINTS_MAX:
        return points
    every = math.ceil(len(points) / POINTS_MAX)
    return [*points[: len(points) - 1 : every], points[-1]]


def draw_steps(axes: Axes, points: Points, **look: object) -> None:
    """A curve that keeps each value until the next point."""
    axes.add_line(
        Line2D(
            [x for x, _ in points],
            [y for _, y in points],
            drawstyle="steps-post",
            **look,  # type: ignore[arg-type] # colors, widths, labels: Line2D checks them
        )
    )


def time_axis(axes: Axes, label: str, end_ns: float) -> None:
    """From 0 to a little behind the end."""
    size, sign = time_unit(end_ns)
    axes.set_xlim(0, 1.03 * end_ns or 1.0)
    axes.set_xlabel(f"{label} ({sign})")
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ns, _: f"{ns / size:g}"))


def delay_axis(axes: Axes, label: str, delays: Sequence[float]) -> None:
    """Wide enough for all delays, logarithmic if they differ much; a unit at each number."""
    above = [ns for ns in delays if ns > 0]
    least, most = min(above, default=1.0), max(above, default=1.0)
    axes.set_xlabel(label)
    if most / least >= LOG_MIN:
        axes.set_xscale("log")
        axes.set_xlim(least / 1.4, most * 1.4)
        subs = (1, 2, 5) if most / least < 1e3 else (1,)
        axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        least = 0.0 if len(above) < len(delays) else least
        room = 0.08 * (most - least) or 0.1 * most
        axes.set_xlim(max(0.0, least - room), most + room)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ns, _: duration(ns)))


def share_axis(axes: Axes, label: str) -> None:
    """From nothing to all, in percent."""
    axes.set_ylim(-0.02, 1.04)
    axes.set_ylabel(label)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))


def legend(axes: Axes, names: Sequence[str], **lines: dict[str, object]) -> None:
    """Below the figure: what each kind of line means and, for several runs, their colors."""
    several = len(names) > 1
    handles = [
        Line2D((), (), label=drawable(word, 60), **{"color": style.PALETTE[0], **look})  # type: ignore[arg-type] # as in draw_steps
        for word, look in lines.items()
    ]
    if several:
        for handle in handles:
            handle.set_color(style.FAINT)
        handles += [
            Line2D((), (), color=color, label=name)
            for name, color in zip(names, style.PALETTE, strict=False)
        ]
    if handles:
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0.0, 0.0), ncols=6, handlelength=1.8
        )


def ranked(
    title: str,
    said: str,
    values: Mapping[str, Mapping[str, float]],
    unit: str,
    say: Callable[[float], str],
) -> Figure:
    """The largest values of each run by name: bars for one run, dots for several.

    `values`: run → name → value; a run may lack a name.
    """
    most: dict[str, float] = {}
    for of_run in values.values():
        for name, value in of_run.items():
            most[name] = max(value, most.get(name, value))
    rows = sorted(most, key=lambda name: (-most[name], name))[:BARS_MAX]
    left = max((style.extent(drawable(row, 40), 9.0)[0] for row in rows), default=0.0) / 72 + 0.3
    figure, (axes,) = style.panels(1.9 + 0.26 * len(rows), legend=len(values), left=left)
    style.entitle(figure, title, said)
    if not rows:
        style.say(axes, said)
        return figure
    for (name, of_run), color in zip(values.items(), style.PALETTE, strict=False):
        there = [(rank, of_run[row]) for rank, row in enumerate(rows) if row in of_run]
        ranks, lengths = [rank for rank, _ in there], [length for _, length in there]
        if len(values) == 1:
            axes.barh(ranks, lengths, height=0.62, color=color)
            for rank, length in there:
                axes.annotate(
                    say(length), (length, rank), (4, 0), textcoords="offset points", va="center"
                )
        else:
            axes.plot(lengths, ranks, "o", color=color, alpha=0.8, label=name)
    axes.set_yticks(range(len(rows)), [drawable(row, 40) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.15 * most[rows[0]] or 1.0)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: say(value)))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=most[rows[0]] > 6))
    axes.grid(visible=False, axis="y")
    legend(axes, list(values))
    return figure
