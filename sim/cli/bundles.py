"""`vtap replay`, `bundle`, `export` and `schema`: one function per command, no logic."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.text import Text

from sim import plugins, results
from sim.capture import escaped
from sim.cli import console
from sim.cli.options import (
    FAILED,
    HELD,
    NOT_JUDGED,
    Json,
    MaxDisk,
    MaxEvents,
    MaxMemory,
    MaxNodes,
    Plugins,
    Quiet,
)
from sim.limits import Limits
from sim.results import Run
from sim.run import order_of, perform
from sim.sharing import bundle as bundles
from sim.versions import versions
from virtualtap.errors import UsageError

Differences = Callable[[], list[str]]  # what of a bundle is not as it was, in words

_LIMITS = Limits()
_RUN = typer.Argument(help="A folder that `vtap run` wrote, or its run.json.")
_KINDS = ("scenario", "run", "row")


def replay(
    run: Annotated[
        Path, typer.Argument(help="A folder that `vtap run` wrote, its run.json, or a bundle.")
    ],
    plugin: Plugins = None,
    json: Json = False,
    quiet: Quiet = False,
    max_nodes: MaxNodes = _LIMITS.nodes,
    max_events: MaxEvents = _LIMITS.events,
    max_memory: MaxMemory = _LIMITS.memory,
    max_disk: MaxDisk = _LIMITS.disk,
) -> int:
    """Run a written run again, from its own graph and seed: is everything the same?"""
    limits = Limits(nodes=max_nodes, events=max_events, memory=max_memory, disk=max_disk)
    with _there(run) as (before, folder, why):
        if why is None:
            console.complain(
                f"`{run}` is redacted: it has no digest to be replayed to", "`vtap run`"
            )
            return NOT_JUDGED
        order = order_of(before, folder, limits)
        with console.progress(before.name, quiet=quiet or json) as step:
            after, _ = perform(order, None, step)
        same = [before.digest, *_counts(before)] == [after.digest, *_counts(after)]
        differs = [] if same else why()
    if json:
        said = {"same": same, "expected_digest": before.digest, "differs": differs}
        console.print_json({**after.summary, **said})
        return HELD if same else FAILED
    console.show_run(after, None, None)
    if same:
        console.out.print(Text(f"same as before: {after.digest or 'all counts'}"))
        return HELD
    told = escaped(before.digest or "all counts", 100)
    console.out.print(Text(f"not as before: {told}", style="red"))
    for line in differs:
        console.say(f"differs: {line}")
    return FAILED


def bundle(
    run: Annotated[Path, _RUN],
    out: Annotated[
        Path | None, typer.Option(help="The archive; SCENARIO-SEED.vtap.zip if not said.")
    ] = None,
    redacted: Annotated[
        bool,
        typer.Option("--redact", help="Pseudonyms for addresses and names, zeros for payloads."),
    ] = False,
    plugin: Plugins = None,
    json: Json = False,
) -> int:
    """Put a run into one archive, with all that it takes to repeat it and to trust it."""
    before, folder = results.read(run), _folder(run)
    with TemporaryDirectory(prefix="vtap-") as temporary:
        if redacted:
            drawn = (folder / results.PAGE_FILE).is_file()
            before, folder = _redacted(before, folder, Path(temporary), drawn=drawn)
        archive = out or Path(f"{before.scenario}-{before.seed}{bundles.SUFFIX}")
        manifest = bundles.write_bundle(folder, archive, redacted=redacted)
    if json:
        said = {"bundle": str(archive), "redacted": redacted, "members": len(manifest.members)}
        console.print_json({"schema": bundles.SCHEMA, **said})
    else:
        console.out.print(Text(f"bundle: {escaped(str(archive), 4096)}"))
        again = f"replay: vtap replay {shlex.quote(str(archive))}{plugins.options()}"
        console.say(manifest.note or again)
    return HELD


def export(
    run: Annotated[Path, _RUN],
    out: Annotated[
        Path | None, typer.Option(help="A folder for the files; the run's own if not said.")
    ] = None,
    json: Json = False,
) -> int:
    """Write the tables of a run as Parquet; this wants pyarrow."""
    from sim.sharing import columns  # noqa: PLC0415  # only for this

    written = columns.write_parquet(results.read(run), out or _folder(run))
    if json:
        paths = [str(path) for path in written]
        console.print_json({"schema": results.SCHEMA, "parquet": paths})
    for path in () if json else written:
        console.out.print(Text(f"parquet: {escaped(str(path), 4096)}"))
    return HELD


def schema(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(_KINDS)}.")],
    plugin: Plugins = None,
) -> int:
    """Print the JSON Schema of a scenario, of `run.json`, or of a campaign's row."""
    if kind not in _KINDS:
        hint = f"the schemas are {', '.join(_KINDS)}"
        raise UsageError(f"there is no schema `{kind:.60}`", hint)
    from sim.sharing import schemas  # noqa: PLC0415  # only for this

    console.print_json(schemas.KINDS[kind]())
    return HELD


@contextmanager
def _there(path: Path) -> Iterator[tuple[Run, Path, Differences | None]]:
    """A run, its folder, and who says what differs; nobody where it is redacted."""
    if not bundles.is_bundle(path):
        run = results.read(path)
        yield run, _folder(path), lambda: bundles.changed_versions(run.versions, versions())
        return
    with bundles.opened(path) as one:
        redacted = one.manifest.redacted
        try:
            yield one.run, one.folder, None if redacted else lambda: one.differences(versions())
        except UsageError as error:  # its folder is nobody's
            inside, said = str(one.folder), str(path)
            hint = error.hint.replace(inside, said)
            raise UsageError(str(error).replace(inside, said), hint) from None


def _redacted(run: Run, source: Path, folder: Path, *, drawn: bool) -> tuple[Run, Path]:
    """The run as it may be shown, and where it is written."""
    from sim.sharing import redact  # noqa: PLC0415  # only for this

    made = redact.redacted(run).write(source, folder)
    if drawn:
        from reports.page import write_page  # noqa: PLC0415  # half a second saved

        page = write_page([made], folder)
        text = page.read_text(encoding="utf-8")  # it names its folder, which nobody will have
        page.write_text(text.replace(escape(shlex.quote(str(folder))), "RUN"), encoding="utf-8")
    return made, folder


def _folder(run: Path) -> Path:
    return run.parent if run.name == results.RUN_FILE else run


def _counts(run: Run) -> list[object]:
    return [run.summary.get(name) for name in ("events", "crossings", "delivered", "dropped")]
