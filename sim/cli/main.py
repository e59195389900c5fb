"""`vtap`: one function per command, no logic."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from sim import results, trail
from sim.capture import escaped
from sim.cli import ci, compare, console
from sim.cli.bench import bench
from sim.cli.bundles import bundle, export, replay, schema
from sim.cli.fuzz import fuzz, sweep
from sim.cli.live import live
from sim.cli.options import (
    FAILED,
    HELD,
    INTERRUPTED,
    NOT_JUDGED,
    WRONG_CALL,
    Check,
    Github,
    Interrupted,
    Json,
    Junit,
    MaxDisk,
    MaxEvents,
    MaxMemory,
    MaxNodes,
    Parents,
    Plugins,
    Quiet,
)
from sim.cli.topologies import topologies
from sim.conformance import findings
from sim.conformance.campaign import conform as judge_targets
from sim.conformance.places import check_places
from sim.foreign.imported import imported
from sim.foreign.scenario_text import write_new
from sim.junit import Suites
from sim.limits import Limits
from sim.results import ResultError, Run
from sim.run import Order, explained, order_of, perform
from sim.scenario import CAPTURE_SCOPES, of_topology
from sim.scenario import read as read_scenario
from topologies import GraphError
from virtualtap.errors import UsageError
from virtualtap.profiles import PROFILES

_STATUS = {"pass": HELD, "fail": FAILED, "stopped": NOT_JUDGED}

app = typer.Typer(
    name="vtap",
    help="A laboratory for Ethernet over IP: real frames, simulated networks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(live, name="live")
compare.add(app)
for _command in (bench, fuzz, sweep, topologies, replay, bundle, export, schema):
    app.command()(_command)
_LIMITS = Limits()


@app.command()
def run(
    scenario: Annotated[Path | None, typer.Argument(help="A scenario file.")] = None,
    topology: Annotated[
        str | None, typer.Option(help="Without a scenario: a name, or a GraphML or GML file.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="key.key=value, instead of the scenario's.")
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Counters only, as fast as can be.")] = False,
    capture: Annotated[
        str | None, typer.Option(help=f"What is recorded: {', '.join(CAPTURE_SCOPES)}.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where results go.")] = Path("results"),
    parents: Parents = False,
    check: Check = False,
    junit: Junit = None,
    github: Github = False,
    plugin: Plugins = None,
    json: Json = False,
    quiet: Quiet = False,
    max_nodes: MaxNodes = _LIMITS.nodes,
    max_events: MaxEvents = _LIMITS.events,
    max_memory: MaxMemory = _LIMITS.memory,
    max_disk: MaxDisk = _LIMITS.disk,
) -> int:
    """Run a scenario, or a topology with the ordinary traffic; write and judge the results."""
    if (scenario is None) == (topology is None):
        raise UsageError(
            "give a scenario file or `--topology`", "`vtap run examples/quickstart.toml`"
        )
    order = Order(
        text=of_topology(topology or "") if scenario is None else read_scenario(scenario),
        folder=Path() if scenario is None else scenario.parent,
        where=str(scenario or topology),
        changes=tuple(changes or ()),
        seed=seed,
        bare=bare,
        capture=capture,
        parents=parents,
        limits=Limits(nodes=max_nodes, events=max_events, memory=max_memory, disk=max_disk),
    )
    if bare + parents + check > 1:
        raise UsageError("`--bare`, `--parents` and `--check` exclude one another", "choose one")
    ci.check_junit(junit)
    status, suites = (
        _compare(order, json=json) if check else _run(order, out, json=json, quiet=quiet)
    )
    ci.tell(suites, junit, to_github=github)
    return status


@app.command()
def explain(
    run: Annotated[Path, typer.Argument(help="A folder that `vtap run` wrote, or its run.json.")],
    frame: Annotated[int, typer.Argument(min=1, help="Its number: the capture's comment.")],
    plugin: Plugins = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Why a frame was sent, back to a user's word or a timer, and what became of it."""
    before = results.read(run)
    if before.digest is None:
        raise UsageError(f"`{run}` ran bare: its frames have no numbers", "run it without `--bare`")
    folder = run.parent if run.name == results.RUN_FILE else run
    with console.progress(before.name, quiet=quiet or json) as step:
        after, causes = explained(order_of(before, folder, _LIMITS), step)
    if after.digest != before.digest:
        console.complain("it is not the same run any more", f"`vtap replay {run}`")
        return NOT_JUDGED
    if frame > len(causes):
        raise UsageError(f"there is no frame {frame}", f"the last is {len(causes)}")
    chain = causes.chain(frame)
    children = [causes.story(number) for number in causes.children(frame)]
    if json:
        console.print_json(
            {
                "schema": results.SCHEMA,
                "chain": [one.facts() for one in chain],
                "children": [one.facts() for one in children],
            }
        )
    else:
        console.show_causes(chain, children)
    return HELD


@app.command()
def report(
    where: Annotated[Path, typer.Argument(metavar="RESULTS", help="A run, or a folder of runs.")],
    json: Json = False,
) -> int:
    """Draw the page again: one run, or all runs below a folder on one page."""
    folders = results.find(where)
    if not folders:
        raise ResultError(f"there is no run in `{where}`", "name a folder that `vtap run` wrote")
    runs = [results.read(folder) for folder in folders]
    folder = where.parent if where.name == results.RUN_FILE else where
    page = _draw(runs, folder)
    if json:
        console.print_json({"schema": results.SCHEMA, "page": str(page)})
    else:
        console.out.print(Text(f"page: {escaped(str(page), 4096)}"))
    return HELD


@app.command()
def conform(
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            help="engine, python:MODULE:FACTORY, c:PATH or exec:COMMAND; several at will.",
        ),
    ] = None,
    family: Annotated[str | None, typer.Option(help="Only the cases of this family.")] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Judge the cases: is every wrong engine caught?")
    ] = False,
    profiles: Annotated[
        list[str] | None,
        typer.Option("--profile", help=f"{', '.join(PROFILES)}, or all; several at will."),
    ] = None,
    junit: Junit = None,
    github: Github = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the table here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page here.")] = None,
    captures: Annotated[
        Path | None, typer.Option(help="Write the frames of each fail into this folder.")
    ] = None,
    json: Json = False,
) -> int:
    """Judge translators, clause by clause, in virtual time."""
    chosen = [*PROFILES] if "all" in (profiles or ()) else profiles or ["strict"]
    check_places((junit, markdown, html), captures)
    judgement = judge_targets(targets or ["engine"], family, profiles=chosen, mutants=mutants)
    if json:
        console.print_json(judgement.summary())
    else:
        console.show_judgement(judgement)
    if markdown is not None:
        markdown.write_text(findings.markdown(judgement), encoding="utf-8")
    ci.tell(findings.suites(judgement), junit, to_github=github)
    if html is not None:
        from reports.verdicts_page import write_verdicts  # noqa: PLC0415  # Jinja2, only for this

        write_verdicts(judgement.summary(), findings.rows(judgement), html)
    for path in [] if captures is None else findings.write_captures(judgement, captures):
        if not json:
            console.out.print(Text(f"frames: {escaped(str(path), 4096)}"))
    return FAILED if judgement.failed() else HELD


@app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="Captures; or a `vpn_server.config`, `.vpn` files.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write the scenario here, not on stdout.")
    ] = None,
    json: Json = False,
) -> int:
    """Make a scenario of captures, or of a SoftEther server's configuration without secrets."""
    made = imported(files, Path() if out is None else out.parent)
    if out is not None:
        write_new(out, made.text)
    if json:
        said = {"scenario": str(out) if out else made.text, "left": made.left}
        console.print_json({"schema": results.SCHEMA, **said})
        return HELD
    if out is None:
        console.out.print(Text(made.text), end="", soft_wrap=True)
    for line in made.left if out else ():
        console.say(f"not carried over: {line}")
    console.say(f"{console.counted(len(made.left), 'remark')} on what was not carried over")
    return HELD


def _draw_one(folder: Path) -> None:
    _draw([results.read(folder)], folder)


def _draw(runs: list[Run], folder: Path) -> Path:
    from reports.page import FIGURES, write_page  # noqa: PLC0415  # half a second saved

    for path in (folder / results.PAGE_FILE, folder / FIGURES, *(folder / FIGURES).glob("*")):
        if path.is_symlink():  # a folder of a stranger's; it would be written through
            raise ResultError(f"`{path}` is a symbolic link", "remove it, or copy the folder")
    return write_page(runs, folder)


def _run(order: Order, out: Path, *, json: bool, quiet: bool) -> tuple[int, Suites]:
    with console.progress(order.where, quiet=quiet or json) as step:
        done, folder = perform(order, out, step, None if order.bare else _draw_one)
    assert folder is not None
    page = None if order.bare else folder / results.PAGE_FILE
    if json:
        console.print_json(done.summary)
    else:
        console.show_run(done, page, folder)
    return _STATUS[done.verdict], ci.of_run(done, order)


def _compare(order: Order, *, json: bool) -> tuple[int, Suites]:
    found = trail.check(order)
    if json:
        said = {"same": found.difference is None, **asdict(found)}
        console.print_json({"schema": results.SCHEMA, **said})
    else:
        console.show_same(found)
    return HELD if found.difference is None else FAILED, ci.of_check(found, order)


@cache
def _commands() -> Callable[..., int | None]:
    """All commands as Click's, made once: of the time of a short call it is most."""
    return get_command(app)


def call(arguments: list[str]) -> int:
    """Do what the arguments say: the exit status. Every error is one line with a hint."""
    try:
        status: int = _commands()(arguments, standalone_mode=False) or HELD
        if sys.stdout is not None:
            sys.stdout.flush()
    except (UsageError, GraphError, ResultError) as error:
        console.complain(str(error), error.hint or "see docs/scenarios.md")
    except TyperException as error:
        console.complain(console.in_our_words(error.format_message()), "`vtap --help`")
    except (BrokenPipeError, SystemExit):  # Typer makes the second of the first
        return NOT_JUDGED
    except (KeyboardInterrupt, Abort, Interrupted) as error:
        return _interrupted(error)
    except OSError as error:
        what = f"`{error.filename}`: " if error.filename else ""
        console.complain(f"{what}{(error.strerror or str(error)).lower()}", _cause(error))
    else:
        return _interrupted() if status == INTERRUPTED else status
    return WRONG_CALL


def _cause(error: OSError) -> str:
    is_path = isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError)
    return "look at the path" if is_path else "is the disk full?"


def main() -> None:
    """The console script."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # no name is too odd for a terminal
    status = call(sys.argv[1:])
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # said before; Python shall not try again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _interrupted(how: BaseException | None = None) -> int:
    kept = "`--resume` goes on" if isinstance(how, Interrupted) else "what is not whole is not kept"
    console.complain("interrupted", f"run it again; {kept}")
    return INTERRUPTED


if __name__ == "__main__":
    main()
