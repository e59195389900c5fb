"""`vtap fuzz` and `vtap sweep`: one function per command, no logic."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import ci, console
from sim.cli.options import (
    FAILED,
    HELD,
    NOT_JUDGED,
    Github,
    Json,
    Junit,
    Plugins,
    Quiet,
    keeping,
)

Jobs = Annotated[int | None, typer.Option(min=1, max=1024, help="Processes; one for each core.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what is in `--out`.")]
Dask = Annotated[str | None, typer.Option(help="A scheduler: tcp://127.0.0.1:8786, tls://…")]
Insecure = Annotated[
    bool, typer.Option("--insecure-cluster", help="Another machine's scheduler without TLS.")
]


Seeds = Annotated[str | None, typer.Option(help="0:1000: these worlds, from 0 up to before 1000.")]
Until = Annotated[str | None, typer.Option("--for", help="90s, 10m, 1h: whole rounds until then.")]
Target = Annotated[
    str | None,
    typer.Option(help="In the place of every tap: python:MODULE:FACTORY, c:PATH or exec:COMMAND."),
]
Twice = Annotated[bool, typer.Option("--check", help="Every world twice: is every row the same?")]
Unshrunk = Annotated[bool, typer.Option("--no-shrink", help="Leave what fails as it was drawn.")]
Corpus = Annotated[
    Path | None, typer.Option(help="Seeds that once failed: these first; what is found is added.")
]
Vary = Annotated[list[str] | None, typer.Option(help="key.key=value,value,…; several at will.")]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="A field of the JSON; several at will.")
]
Precision = Annotated[
    str | None, typer.Option(help="5%: more seeds until half of each interval is so small.")
]
SeedsMax = Annotated[int, typer.Option(min=2, help="With `--until-precision`: of each point.")]


def fuzz(
    seeds: Seeds = None,
    until: Until = None,
    jobs: Jobs = None,
    out: Annotated[Path, typer.Option(help="Where rows and findings go.")] = Path("fuzz"),
    resume: Resume = False,
    target: Target = None,
    defect: Annotated[str | None, typer.Option(help="Plant one: docs/fuzzing.md.")] = None,
    check: Twice = False,
    dask: Dask = None,
    insecure: Insecure = False,
    no_shrink: Unshrunk = False,
    seeds_from: Corpus = None,
    junit: Junit = None,
    github: Github = False,
    plugin: Plugins = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Draw worlds from seeds, run them, judge them, and shrink those that fail."""
    from sim.campaigns import campaign, hunt  # noqa: PLC0415  # only for this
    from sim.cli import scoreboard  # noqa: PLC0415  # only for this

    ci.check_junit(junit)
    wanted = None if seeds is None else campaign.seeds(seeds)
    order = hunt.Hunt(
        first=0 if wanted is None else wanted.start,
        end=None if wanted is None else wanted.stop,
        seconds=None if until is None else campaign.seconds(until),
        out=out,
        resume=resume,
        jobs=jobs or campaign.cores(),
        target=target,
        defect=defect,
        check=check,
        dask=dask,
        insecure=insecure,
        shrink=not no_shrink,
        seeds_from=seeds_from,
    )
    with keeping(), scoreboard.hunting(order, quiet=quiet or json) as step:
        found = hunt.hunt(order, step)
    if json:
        console.print_json(scoreboard.hunt_facts(found, order))
    else:
        scoreboard.show_hunt(found)
    ci.tell(ci.of_hunt(found), junit, to_github=github)
    return FAILED if found.discoveries else HELD


def sweep(
    scenario: Annotated[Path, typer.Argument(help="A scenario file.")],
    vary: Vary = None,
    seeds: Annotated[str, typer.Option(help="0:20: each of these at every point.")] = "0:20",
    metrics: Metrics = None,
    until_precision: Precision = None,
    seeds_max: SeedsMax = 200,
    jobs: Jobs = None,
    out: Annotated[Path, typer.Option(help="Where rows go.")] = Path("sweep"),
    resume: Resume = False,
    dask: Dask = None,
    insecure: Insecure = False,
    junit: Junit = None,
    github: Github = False,
    plugin: Plugins = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Run a scenario at every point of some parameters, with many seeds; show the means."""
    from sim import scenario as words  # noqa: PLC0415  # only for this
    from sim.campaigns import campaign  # noqa: PLC0415  # only for this
    from sim.campaigns import sweep as sweeps  # noqa: PLC0415  # only for this
    from sim.cli import scoreboard  # noqa: PLC0415  # only for this

    ci.check_junit(junit)
    order = sweeps.Sweep(
        text=words.read(scenario),
        folder=scenario.parent,
        where=str(scenario),
        vary=tuple(vary or ()),
        seeds=campaign.seeds(seeds),
        metrics=tuple(metrics or sweeps.METRICS),
        precision=None if until_precision is None else sweeps.precision(until_precision),
        seeds_max=seeds_max,
        out=out,
        resume=resume,
        jobs=jobs or campaign.cores(),
        dask=dask,
        insecure=insecure,
    )
    with keeping(), scoreboard.sweeping(quiet=quiet or json) as step:
        found = sweeps.sweep(order, step)
    if json:
        console.print_json(scoreboard.sweep_facts(found, order))
    else:
        scoreboard.show_sweep(found, order)
    ci.tell(ci.of_sweep(found, order), junit, to_github=github)
    return _status({*found.bad.values()})


def _status(bad: set[str]) -> int:
    """Of the verdicts that are not `pass`."""
    return NOT_JUDGED if bad == {"stopped"} else FAILED if bad else HELD
