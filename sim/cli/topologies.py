"""`vtap topologies`: one function per command, no logic."""

from typing import Annotated

import typer
from rich.text import Text

from sim import results
from sim.capture import escaped
from sim.cli import checkup, console
from sim.cli.options import HELD, Json, Plugins
from sim.limits import Limits
from topologies import CATALOG, names


def topologies(
    name: Annotated[str | None, typer.Argument(help="One of them, or a file.")] = None,
    check: Annotated[
        str | None, typer.Option(help="Build and run every network of a folder, or of `topohub`.")
    ] = None,
    plugin: Plugins = None,
    json: Json = False,
) -> int:
    """List the topologies, describe one, or check many."""
    if check is not None:
        return _check(check, json=json)
    if name is None:
        _list(json=json)
    else:
        _describe(name, json=json)
    return HELD


def _check(where: str, *, json: bool) -> int:
    rows = []
    for name, built, words in checkup.check(where, Limits()):
        rows.append({"name": name, "built": built, "words": words})
        if not json:
            mark = ("built and run", "green") if built else ("refused", "yellow")
            console.out.print(
                Text.assemble(f"{escaped(name, 60)}: ", mark, f": {escaped(words, 300)}")
            )
    if json:
        console.print_json({"schema": results.SCHEMA, "networks": rows})
    else:
        built_count = sum(row["built"] is True for row in rows)
        console.say(f"{built_count} of {len(rows)} built and run")
    return HELD


def _list(*, json: bool) -> None:
    if json:
        console.print_json({"schema": results.SCHEMA, "topologies": names()})
        return
    summaries = {key: (made.__doc__ or "").partition("\n")[0] for key, made in CATALOG.items()}
    console.show_topologies(summaries, [key for key in names() if key not in CATALOG])


def _describe(name: str, *, json: bool) -> None:
    facts = checkup.describe(name)
    if json:
        console.print_json({"schema": results.SCHEMA, **facts})
        return
    for key, value in facts.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        console.out.print(Text(f"{key}: {escaped(text, 2000)}"))
