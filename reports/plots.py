"""The figures: one function for each, from runs to a Figure. Definitions: docs/measures.md."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports import style
from reports.charts import (
    POINTS_MAX,
    Points,
    absent,
    delay_axis,
    draw_steps,
    finding,
    legend,
    measured,
    named,
    numbers,
    ranked,
    share_axis,
    steps,
    thin,
    time_axis,
    whole,
)
from reports.topology_map import draw_map, utilizations
from reports.words import count, drawable, duration, number, plural, rate, rate_unit, share
from sim.results import Cell, Run

DASHED: dict[str, object] = {"linestyle": "--", "linewidth": 1.2, "alpha": 0.6}
WIDE: dict[str, object] = {"linewidth": 3.5, "alpha": 0.35}
PLAIN: dict[str, object] = {}

Asked: TypeAlias = list[tuple[float, float | None]]  # for each pair: when asked, when resolved


class Delays(NamedTuple):
    """One-way delays in ns: (delay, share within it), and two quantiles as the summary has them."""

    curve: Points
    median: float
    p99: float


def topology(runs: Sequence[Run]) -> Figure:
    """The network (of the first run), its links by utilization, dotted where left out."""
    with mpl.rc_context(style.LOOK):
        return draw_map(runs[0])


def arp_convergence(runs: Sequence[Run]) -> Figure:
    """Share of pairs (sender, next hop) asked and resolved over time, and how long each waited."""
    with mpl.rc_context(style.LOOK):
        found = measured(runs, _pairs)
        figure, (over_time, by_wait) = style.panels(3.6, columns=2, legend=len(found) + 2)
        style.entitle(figure, "ARP convergence", finding(found, _say_pairs, "no times to show"))
        if not found:
            style.say(over_time, absent(runs, "nobody asked for an address"))
            by_wait.set_axis_off()
            return figure
        end = max(max(asked, done or 0) for pairs in found.values() for asked, done in pairs)
        waits = {name: _waits(pairs) for name, pairs in found.items()}
        time_axis(over_time, "simulated time", end)
        delay_axis(
            by_wait, "from question to answer", [ns for each in waits.values() for ns in each]
        )
        left, right = by_wait.get_xlim()
        for axes in (over_time, by_wait):
            share_axis(axes, "share of pairs")
        for (name, pairs), color in zip(found.items(), style.PALETTE, strict=False):
            asked = [asked for asked, _ in pairs]
            done = [max(asked, done) for asked, done in pairs if done is not None]
            curves = (steps(times, len(pairs), 0, end) for times in (asked, done))
            draw_steps(over_time, next(curves), color=color, **DASHED)
            draw_steps(over_time, next(curves), color=color, label=name)
            waited = steps(waits[name], len(pairs), left, right)
            draw_steps(by_wait, waited, color=color, label=name)
        legend(over_time, list(found), asked=DASHED, resolved=PLAIN)
        return figure


def broadcast_learning(runs: Sequence[Run]) -> Figure:
    """Share of pairs (hub, MAC that ever sent) in which a frame of the MAC reached the hub."""
    with mpl.rc_context(style.LOOK):
        found = measured(runs, lambda run: run.tables.get("broadcast_learning", []))
        figure, (axes,) = style.panels(3.4, legend=len(found) + 2)
        said = finding(found, _say_learning, "no times to show")
        style.entitle(figure, "Broadcast learning", said)
        if not found:
            style.say(axes, absent(runs, "no frame reached a hub"))
            return figure
        reached = {
            name: [at for row in rows if (at := number(row[2])) is not None]
            for name, rows in found.items()
        }
        end = max((at for times in reached.values() for at in times), default=0.0)
        time_axis(axes, "simulated time", end)
        share_axis(axes, "share of pairs (hub, MAC)")
        for (name, rows), color in zip(found.items(), style.PALETTE, strict=False):
            curve = steps(reached[name], len(rows), 0, 1.03 * end)
            draw_steps(axes, curve, color=color, label=name)
            known = _in_tables(rows)
            draw_steps(axes, [(0.0, known), (1.03 * end, known)], color=color, **DASHED)
        in_tables = {"a frame reached the hub": PLAIN, "in the hubs' tables at the end": DASHED}
        legend(axes, list(found), **in_tables)
        return figure


def latency(runs: Sequence[Run]) -> Figure:
    """Share of payloads that arrived within a one-way delay; median and 99 % marked."""
    with mpl.rc_context(style.LOOK):
        found = measured(runs, _delays)
        figure, (axes,) = style.panels(3.4, legend=len(found))
        style.entitle(figure, "One-way delay", finding(found, _say_delays, "no delays to show"))
        if not found:
            style.say(axes, absent(runs, "nothing was delivered"))
            return figure
        delay_axis(axes, "one-way delay", [ns for of in found.values() for ns, _ in of.curve])
        share_axis(axes, "share of payloads")
        for (name, of), color in zip(found.items(), style.PALETTE, strict=False):
            draw_steps(axes, thin([(of.curve[0][0], 0.0), *of.curve]), color=color, label=name)
            for delay, part, word in ((of.median, 0.5, "median"), (of.p99, 0.99, "99 %")):
                axes.plot([delay], [part], "o", color=color, markersize=5)
                if len(found) == 1:
                    _tag(axes, f"{word}: {duration(delay)}", (delay, part))
        legend(axes, list(found))
        return figure


def throughput(runs: Sequence[Run]) -> Figure:
    """Payload offered and delivered, as a mean over each interval."""
    with mpl.rc_context(style.LOOK):
        found = measured(runs, lambda run: whole(numbers(run, "throughput", 0, 1, 2)))
        figure, (axes,) = style.panels(3.4, legend=len(found) + 2)
        style.entitle(figure, "Throughput", finding(found, _say_rates, "no rates to show"))
        if not found:
            style.say(axes, absent(runs, "nothing was offered"))
            return figure
        most = max(max(row[1:]) for rows in found.values() for row in rows)
        size, sign = rate_unit(most)
        axes.set_ylabel(f"payload ({sign})")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda bps, _: f"{bps / size:g}"))
        axes.set_ylim(0, 1.1 * most or 1.0)
        time_axis(axes, "simulated time", max(rows[-1][0] for rows in found.values()))
        for (name, rows), color in zip(found.items(), style.PALETTE, strict=False):
            draw_steps(axes, _intervals(rows, 1), color=color, **WIDE)
            draw_steps(axes, _intervals(rows, 2), color=color, label=name)
        _mark_warmups(axes, {name: run for name, run in named(runs).items() if name in found})
        legend(axes, list(found), offered=WIDE, delivered=PLAIN)
        return figure


def drops(runs: Sequence[Run]) -> Figure:
    """Frames that nodes refused or links lost, by reason."""
    with mpl.rc_context(style.LOOK):
        found = {name: dropped(run) for name, run in named(runs).items()}
        if not any(found.values()):
            return ranked("Drops by reason", "nothing was dropped", {}, "frames", count)
        said = finding(found, lambda of: f"{plural(int(sum(of.values())), 'frame')} dropped", "")
        return ranked("Drops by reason", said, found, "frames", count)


def link_utilization(runs: Sequence[Run]) -> Figure:
    """The busiest links: time their busier direction spent sending, as a share of the run."""
    with mpl.rc_context(style.LOOK):
        found = measured(runs, _links)
        said = finding(found, _say_links, absent(runs, "no utilization was measured"))
        return ranked("Link utilization", said, found, "share of the link's rate", share)


PLOTS: dict[str, Callable[[Sequence[Run]], Figure]] = {
    "topology": topology,
    "arp_convergence": arp_convergence,
    "broadcast_learning": broadcast_learning,
    "latency": latency,
    "throughput": throughput,
    "drops": drops,
    "link_utilization": link_utilization,
}


def dropped(run: Run) -> dict[str, float]:
    """Reason → frames, as the summary counts them; reasons with none are left out."""
    counts = run.summary.get("dropped")
    if not isinstance(counts, Mapping):
        return {}
    found = {str(reason): number(frames) or 0.0 for reason, frames in counts.items()}
    return {reason: frames for reason, frames in found.items() if frames}


def _pairs(run: Run) -> Asked:
    return [
        (asked, done) for asked, done in numbers(run, "arp_convergence", 2, 3) if asked is not None
    ]


def _waits(pairs: Asked) -> list[float]:
    return [max(0.0, done - asked) for asked, done in pairs if done is not None]


def _say_pairs(pairs: Asked) -> str:
    waits = _waits(pairs)
    said = f"{len(waits)} of {plural(len(pairs), 'pair')} resolved"
    if waits:
        said += f", the slowest after {duration(max(waits))}"
    return said if len(waits) == len(pairs) else f"{said}; {len(pairs) - len(waits)} unresolved"


def _in_tables(rows: Sequence[Sequence[Cell]]) -> float:
    """The share of pairs that the hubs' tables hold, as they report it."""
    return sum(row[3] not in (None, 0, "False", "false", "no") for row in rows) / len(rows)


def _say_learning(rows: Sequence[Sequence[Cell]]) -> str:
    reached = [at for row in rows if (at := number(row[2])) is not None]
    said = f"{share(len(reached) / len(rows))} of {plural(len(rows), 'pair')} reached"
    if len(reached) == len(rows):
        said += f", the last after {duration(max(reached))}"
    return f"{said}; {share(_in_tables(rows))} in the hubs' tables at the end"


def _delays(run: Run) -> Delays | None:
    curve = [(ns, part) for part, ns in whole(numbers(run, "latency", 0, 1))]
    if not curve:
        return None
    told = run.summary.get("latency_s")
    quantiles = []
    for part, key in ((0.5, "p50"), (0.99, "p99")):
        seconds = number(told.get(key)) if isinstance(told, Mapping) else None
        on_curve = next((ns for ns, reached in curve if reached >= part), curve[-1][0])
        quantiles.append(on_curve if seconds is None else seconds * 1e9)
    return Delays(curve, *quantiles)


def _say_delays(of: Delays) -> str:
    median, p99, most = (duration(ns) for ns in (of.median, of.p99, of.curve[-1][0]))
    return f"median {median}, 99 % within {p99}, all within {most}"


def _tag(axes: Axes, text: str, spot: tuple[float, float]) -> None:
    """A note beside a point, on the side where there is room."""
    middle = axes.transAxes.inverted().transform(axes.transData.transform(spot))[0]
    right = middle < 0.7
    offset, side = ((8, -10), "left") if right else ((-2, -15), "center")
    axes.annotate(text, spot, offset, textcoords="offset points", ha=side, size=8)


def _mark_warmups(axes: Axes, runs: Mapping[str, Run]) -> None:
    """What was sent before this line counts for no delay, flow or rate in the tables."""
    cuts = {name: number(run.summary.get("warmup_s")) for name, run in runs.items()}
    for (name, cut), color in zip(cuts.items(), style.PALETTE, strict=False):
        if cut:
            axes.axvline(cut * 1e9, color=color, linestyle=":", linewidth=1.2)
            words = "warm-up ends" if len(cuts) == 1 else f"warm-up ends, {name}"
            _tag(axes, drawable(words, 40), (cut * 1e9, axes.get_ylim()[1]))


def _say_rates(rows: Sequence[tuple[float, ...]]) -> str:
    offered, delivered = (sum(row[column] for row in rows) / len(rows) for column in (1, 2))
    return f"on average {rate(offered)} offered, {rate(delivered)} delivered"


def _intervals(rows: Sequence[tuple[float, ...]], column: int) -> Points:
    """Where each interval starts and its mean; neighbors become one where there are too many."""
    together = -(-len(rows) // POINTS_MAX)
    ends = [row[0] for row in rows]
    starts = [max(0.0, 2 * ends[0] - ends[1]) if len(ends) > 1 else 0.0, *ends]
    means: Points = []
    for first in range(0, len(rows), together):
        values = [row[column] for row in rows[first : first + together]]
        means.append((starts[first], sum(values) / len(values)))
    return [*means, (ends[-1], means[-1][1])]


def _links(run: Run) -> dict[str, float]:
    return {
        f"{drawable(one, 18)} — {drawable(other, 18)}": part
        for (one, other), part in utilizations(run).items()
    }


def _say_links(links: Mapping[str, float]) -> str:
    return f"{plural(len(links), 'link')}; the busiest {share(max(links.values()))} of its rate"
