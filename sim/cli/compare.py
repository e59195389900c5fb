"""`vtap compare` and `vtap baseline`: one function per command, no logic."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from sim import metrics
from sim.capture import escaped
from sim.cli import ci, console
from sim.cli.options import FAILED, HELD, NOT_JUDGED, Github, Json, Junit, Plugins, Quiet
from sim.conformance.places import check_places
from virtualtap.errors import UsageError

if TYPE_CHECKING:
    from sim.campaigns.compare import Comparison
    from sim.campaigns.outcomes import Outcomes

Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="A number of the JSON; several at will.")
]
Markdown = Annotated[Path | None, typer.Option(help="Write Markdown here.")]

baseline = typer.Typer(help="What runs measured, as a small file to hold later runs against.")


def add(app: typer.Typer) -> None:
    """Give `app` these commands."""
    app.command()(compare)
    app.add_typer(baseline, name="baseline")


def compare(
    a: Annotated[str, typer.Argument(help="Results, or with `--scenario` a target.")],
    b: Annotated[str, typer.Argument(help="The same, held against the first.")],
    gates: Annotated[
        list[str] | None,
        typer.Option("--gate", help="'latency_s.p99 <= +5%'; several at will."),
    ] = None,
    metric: Metrics = None,
    scenario: Annotated[
        Path | None,
        typer.Option(help="Run it now: A and B are engine, python:MODULE:FACTORY, c:PATH, …"),
    ] = None,
    seeds: Annotated[str, typer.Option(help="With `--scenario`: these.")] = "0:20",
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="key.key=value, on both sides.")
    ] = None,
    set_a: Annotated[list[str] | None, typer.Option(help="key.key=value, on side A.")] = None,
    set_b: Annotated[list[str] | None, typer.Option(help="key.key=value, on side B.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes.")] = None,
    markdown: Markdown = None,
    junit: Junit = None,
    github: Github = False,
    plugin: Plugins = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Hold two sets of runs against one another, seed by seed; judge gates."""
    from sim.campaigns import compare as comparing  # noqa: PLC0415  # only for this

    check_places((markdown, junit), None)
    asked = [comparing.gate(text) for text in gates or ()]
    wanted = _wanted(metric, [one.metric for one in asked])
    if scenario is not None:
        both = [(a, set_a), (b, set_b)]
        sides = _run(scenario, changes, both, seeds, wanted, jobs, quiet=quiet or json)
    elif changes or set_a or set_b:
        raise UsageError("`--set`, `--set-a`, `--set-b` need `--scenario`", "name a scenario")
    else:
        sides = [comparing.read(_results(name), wanted) for name in (a, b)]
    found = comparing.compare(sides[0], sides[1], asked)
    return _tell(found, markdown, junit, github=github, json=json)


@baseline.command()
def save(
    runs: Annotated[Path, typer.Argument(help="A results folder, or a sweep's database.")],
    file: Annotated[Path, typer.Argument(help="Where to; what is there is replaced.")],
    tolerance: Annotated[str, typer.Option(help="How much worse is borne.")] = "5%",
    metric: Metrics = None,
    json: Json = False,
) -> int:
    """Keep what runs measured in a small file."""
    from sim.campaigns import baseline as baselines  # noqa: PLC0415  # only for this
    from sim.campaigns import compare as comparing  # noqa: PLC0415  # only for this

    wanted = _wanted(metric, [])
    comparing.tolerances(tolerance, wanted)
    made = baselines.baseline_of(comparing.read(runs, wanted), tolerance)
    baselines.write(made, file)
    count = sum(len(point.seeds) for point in made.points)
    if json:
        said = {"schema": baselines.SCHEMA, "file": str(file), "runs": count}
        console.print_json({**said, "metrics": made.metrics})
    else:
        console.out.print(
            Text(f"baseline: {escaped(str(file), 4096)}, {console.counted(count, 'run')}")
        )
    return HELD


@baseline.command()
def check(
    runs: Annotated[Path, typer.Argument(help="A results folder, or a sweep's database.")],
    file: Annotated[Path, typer.Argument(help="What `vtap baseline save` wrote.")],
    tolerance: Annotated[str | None, typer.Option(help="Instead of the file's.")] = None,
    markdown: Markdown = None,
    junit: Junit = None,
    github: Github = False,
    json: Json = False,
) -> int:
    """Hold runs against a baseline: is any metric worse than its tolerance allows?"""
    from sim.campaigns import baseline as baselines  # noqa: PLC0415  # only for this
    from sim.campaigns import compare as comparing  # noqa: PLC0415  # only for this

    check_places((markdown, junit), None)
    kept = baselines.read(file)
    asked = comparing.tolerances(tolerance or kept.tolerance, metrics.check(kept.metrics))
    before = baselines.outcomes(kept, str(file), kept.metrics)
    after = comparing.read(runs, kept.metrics)
    found = comparing.compare(before, after, asked)
    return _tell(found, markdown, junit, github=github, json=json)


def _wanted(metric: Sequence[str] | None, of_gates: Sequence[str]) -> tuple[str, ...]:
    return metrics.check([*(metric or metrics.COMPARED), *of_gates])


def _run(
    scenario: Path,
    changes: list[str] | None,
    both: Sequence[tuple[str, list[str] | None]],
    seeds: str,
    wanted: Sequence[str],
    jobs: int | None,
    *,
    quiet: bool,
) -> "list[Outcomes]":
    from sim import scenario as words  # noqa: PLC0415  # only for this
    from sim.campaigns import campaign, outcomes  # noqa: PLC0415  # only for this
    from sim.cli import scoreboard  # noqa: PLC0415  # only for this
    from sim.run import Order  # noqa: PLC0415  # only for this

    order = Order(
        text=words.read(scenario),
        folder=scenario.parent,
        where=str(scenario),
        changes=tuple(changes or ()),
    )
    sides = [outcomes.Side(target=target, changes=tuple(own or ())) for target, own in both]
    count = jobs or campaign.cores()
    with scoreboard.comparing(quiet=quiet) as step:
        return outcomes.run(sides, order, campaign.seeds(seeds), wanted, count, step)


def _results(name: str) -> Path:
    target = name == "engine" or name.startswith(("python:", "c:", "exec:"))
    if target and not Path(name).exists():
        raise UsageError(f"`{name:.100}` is a target", "name what it runs: `--scenario FILE`")
    return Path(name)


def _tell(
    found: "Comparison", markdown: Path | None, junit: Path | None, *, github: bool, json: bool
) -> int:
    from sim.campaigns import compare as comparing  # noqa: PLC0415  # only for this
    from sim.cli import comparisons  # noqa: PLC0415  # only for this

    if json:
        console.print_json(comparisons.facts(found))
    else:
        comparisons.show(found)
    if markdown is not None:
        markdown.write_text(comparisons.markdown(found), encoding="utf-8")
    ci.tell(comparisons.suites(found), junit, to_github=github)
    verdicts = found.verdicts()
    if comparing.BROKEN in verdicts:
        return FAILED
    return NOT_JUDGED if comparing.NOT_JUDGED in verdicts else HELD
