"""`vtap bench`: no logic."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from sim.cli import console
from sim.cli.options import HELD, Json, MaxEvents, Quiet
from sim.limits import Limits
from sim.words.quantities import duration

_LIMITS = Limits()


def bench(
    tests: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEST]...", help="throughput, latency, jitter, caching, …; all."),
    ] = None,
    on: Annotated[str, typer.Option(help="hub, switch or tap.")] = "switch",
    sizes: Annotated[str, typer.Option(help="64,1518: bytes of a frame with its FCS.")] = "",
    trial: Annotated[str, typer.Option(help="How long a trial is, simulated.")] = "60s",
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="Trials of a latency.")] = 20,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="key.key=value, in every trial's scenario.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print the scenarios of the first trials; run none.")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with a figure here.")] = None,
    json: Json = False,
    quiet: Quiet = False,
    max_events: MaxEvents = _LIMITS.events,
) -> int:
    """Bench tests of RFC 2544, 2889 and 4689 in simulated time."""
    from sim.standard import bench as benches  # noqa: PLC0415  # only for this
    from sim.standard import sheets  # noqa: PLC0415  # only for this
    from sim.standard.rig import Rig  # noqa: PLC0415  # only for this

    names, wanted = benches.chosen(tests or ()), benches.frame_sizes(sizes)
    rig = Rig(
        device=benches.device(on),
        trial=benches.positive(duration(trial)),
        repeat=repeat,
        seed=seed,
        changes=tuple(changes or ()),
        limits=Limits(events=max_events),
        tell=console.say if console.err.is_terminal and not (quiet or json) else _nothing,
    )
    if show:
        console.out.print(Text("\n".join(benches.texts(rig, names, wanted))), end="")
        return HELD
    summary = benches.measure(rig, names, wanted)
    if markdown is not None:
        markdown.write_text(sheets.markdown(summary), encoding="utf-8")
    if html is not None:
        from reports.bench_page import write_bench  # noqa: PLC0415  # matplotlib, only for this

        write_bench(summary, sheets.conditions(summary), sheets.sheets(summary), html)
    _show(summary, json=json)
    return HELD


def _nothing(_: str) -> None:
    """Nobody wants to hear of trials."""


def _show(summary: dict[str, Any], *, json: bool) -> None:
    from sim.standard import sheets  # noqa: PLC0415  # only for this

    if json:
        console.print_json(summary)
        return
    for sheet in sheets.sheets(summary):
        table = Table(title=Text(sheet.title), title_justify="left")
        for column in sheet.columns:
            table.add_column(Text(column), justify="right")
        for row in sheet.rows:
            table.add_row(*map(Text, row))
        console.out.print(table)
    console.out.print(Text(sheets.conditions(summary)))
