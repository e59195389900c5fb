"""What several commands of `vtap` take, and what they leave with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

HELD, FAILED, WRONG_CALL, NOT_JUDGED, INTERRUPTED = 0, 1, 2, 3, 130


class Interrupted(Exception):
    """By Ctrl-C, where what is done is kept."""


@contextmanager
def keeping() -> Iterator[None]:
    """What is done in here is kept, whenever Ctrl-C ends it: Interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted from None


def _load(modules: list[str] | None) -> list[str] | None:
    from sim import plugins  # noqa: PLC0415  # a help text needs none

    plugins.load(modules or ())
    return modules


Plugins = Annotated[  # loaded before the command begins
    list[str] | None,
    typer.Option("--plugin", callback=_load, help="A module of yours, MODULE; several at will."),
]
Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML here.")]
Github = Annotated[
    bool, typer.Option("--github", help="Annotations and a job summary for GitHub Actions.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
MaxNodes = Annotated[int, typer.Option(min=1, help="Refuse larger networks.")]
MaxEvents = Annotated[int, typer.Option(min=1, help="Refuse, or stop, longer runs.")]
MaxMemory = Annotated[int, typer.Option(min=1, help="Bytes.")]
MaxDisk = Annotated[int, typer.Option(min=1, help="Bytes.")]
Parents = Annotated[bool, typer.Option("--parents", help="Record why each frame was sent.")]
Check = Annotated[bool, typer.Option("--check", help="Run it twice: is every moment the same?")]
