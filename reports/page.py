"""Figures and tables become one self-contained HTML file; the figures lie beside it too."""

import re
import shlex
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reports import style
from reports.charts import RUNS_MAX
from reports.plots import PLOTS
from reports.tables import TABLES, measures
from reports.templates import environment
from reports.words import plural
from sim.results import PAGE_FILE, Failure, Run

FIGURES = "figures"
ROWS_MAX = 200  # of one table on the page
CELL_MAX, REMARK_MAX, SCENARIO_MAX = 80, 400, 20_000  # characters
REMARKS_MAX = 100

KEY = (
    *("ARP convergence", "broadcast learning", "one-way delay, median", "one-way delay, 99 %"),
    *("payload offered", "payload delivered", "payloads delivered", "frames dropped"),
)
VERDICTS = {
    "pass": "every expectation held",
    "fail": "an expectation was missed",
    "stopped": "a limit ended the run early; what is shown is whole up to then",
}
DEFINITIONS = (
    (
        "ARP convergence",
        "for a pair (sender, next hop): from the sender's first frame that asks, or behind a tap "
        "its first IP packet, to the arrival of the first ARP or neighbor advertisement with the "
        "true owner's MAC; 0 if one arrived earlier. For a run: the largest, and none while a pair "
        "is unresolved",
    ),
    (
        "Broadcast learning",
        "the share of pairs (hub, MAC that ever sent) in which a frame of that MAC has reached the "
        "hub; beside it, the share that the hubs' own tables hold",
    ),
    ("Flooded share", "copies that hubs sent by flooding, as a share of all copies they sent"),
    (
        "One-way delay",
        "from the sending of a payload to its arrival, for those that arrived (RFC 7679); loss by "
        "RFC 7680, duplication by RFC 5560, reordering by RFC 4737",
    ),
    ("Delay variation", "the 99 % quantile of a flow's delays less the smallest (RFC 5481)"),
    ("Throughput", "bits of payload offered to the network and delivered to its receivers"),
    ("Utilization", "the time a link's direction spent sending, as a share of the run"),
    ("Link crossing", "one frame that arrived at the far end of one direction of one link"),
    (
        "Dropped",
        "frames a node refused and frames a link lost (link-loss, link-queue, link-down), each "
        "under its own reason",
    ),
)

_NUMBER = re.compile(r"—|[\d,.e+-]+( [%\w/µ]+)?")


class Drawn(NamedTuple):
    """One figure on the page."""

    name: str
    alt: str
    caption: str
    data: str  # base64 of the SVG


class Listed(NamedTuple):
    """One table on the page."""

    name: str
    caption: str
    columns: tuple[str, ...]
    numeric: list[bool]
    rows: list[list[str]]
    more: int


def write_page(runs: Run | Sequence[Run], folder: Path) -> Path:
    """Write `report.html` and `figures/*.svg`, `*.png` into `folder`, and return the page's path.

    For one run `folder` is the run's own. The same runs give the same bytes. OSError where it
    cannot be written; ValueError without a run.
    """
    runs = [runs] if isinstance(runs, Run) else list(runs)
    if not runs:
        raise ValueError("a report needs at least one run")
    figures = folder / FIGURES
    figures.mkdir(parents=True, exist_ok=True)
    drawn = [_draw(name, runs, figures) for name in PLOTS]
    page = folder / PAGE_FILE
    page.write_text(_render(runs, drawn, folder), encoding="utf-8", newline="\n")
    return page


def _draw(name: str, runs: Sequence[Run], folder: Path) -> Drawn:
    plot = PLOTS[name]
    figure = plot(runs)
    svg = style.image(figure, "svg")
    (folder / f"{name}.svg").write_bytes(svg)
    (folder / f"{name}.png").write_bytes(style.image(figure, "png"))
    return Drawn(name, style.words_of(figure), _said(plot.__doc__), b64encode(svg).decode())


def _list(name: str, runs: Sequence[Run]) -> Listed:
    columns, rows = TABLES[name](runs)
    shown = [[_cut(cell, CELL_MAX) for cell in row] for row in rows[:ROWS_MAX]]
    numeric = [
        all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*shown, strict=True)
    ]
    more = max(0, len(rows) - ROWS_MAX)
    return Listed(name, _said(TABLES[name].__doc__), columns, numeric, shown, more)


def _render(runs: Sequence[Run], drawn: Sequence[Drawn], folder: Path) -> str:
    one = runs[0] if len(runs) == 1 else None
    template = environment().get_template("page.html")
    return template.render(
        runs=runs,
        one=one,
        title=_cut(_title(runs), CELL_MAX),
        verdict=_verdict(runs),
        reason=VERDICTS.get(runs[0].verdict, "") if one else "",
        failed=[(run, _missed(failure)) for run in runs for failure in run.failed],
        commands=[f"vtap replay {where}" for where in _folders(runs, folder)],
        key=[(name, value) for name, value in measures(runs[0]) if name in KEY],
        remarks=[(run, _cut(text, REMARK_MAX)) for run in runs for text in run.remarks],
        remarks_max=REMARKS_MAX,
        drawn=drawn,
        undrawn=max(0, len(runs) - RUNS_MAX),
        listed=[_list(name, runs) for name in TABLES],
        definitions=DEFINITIONS,
        scenario=_cut(runs[0].scenario_text, SCENARIO_MAX).split("\n"),
        style=style,
    )


def _title(runs: Sequence[Run]) -> str:
    scenarios = list(dict.fromkeys(run.scenario for run in runs))
    return scenarios[0] if len(scenarios) == 1 else plural(len(scenarios), "scenario")


def _verdict(runs: Sequence[Run]) -> tuple[str, str]:
    """How the verdict looks, and what it says."""
    verdicts = [run.verdict for run in runs]
    passed = verdicts.count("pass")
    look = "pass" if passed == len(runs) else "stopped" if "fail" not in verdicts else "fail"
    if len(runs) == 1:
        return look, _cut(verdicts[0], CELL_MAX)
    return look, f"{passed} of {len(runs)} passed"


def _missed(failure: Failure) -> dict[str, str]:
    value = "nothing measured" if failure.value is None else str(failure.value)
    told = {"field": failure.field, "value": value, "limit": failure.limit}
    return {key: _cut(text, CELL_MAX) for key, text in told.items()} | {"at": f"{failure.at_s:g} s"}


def _folders(runs: Sequence[Run], folder: Path) -> list[str]:
    """Where the runs are: one in `folder`, to be renamed if hidden; several at or below it."""
    if len(runs) == 1:
        final = folder.with_name(str(runs[0].seed)) if folder.name.startswith(".") else folder
        return [shlex.quote(str(final))]
    scenarios = {run.scenario for run in runs}
    root = folder.parent if scenarios == {folder.name} else folder
    return [shlex.quote(str(root / run.name)) for run in runs[:RUNS_MAX]]


def _said(docstring: str | None) -> str:
    return (docstring or "").split("\n")[0]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
