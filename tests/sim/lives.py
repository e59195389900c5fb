"""What a worker process may do instead of its work, for tests of those who employ it."""

import os
import signal
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from sim.campaigns.workers import serve
from virtualtap.errors import UsageError


def shout(task: str) -> str:
    """The same, loud; a `dies` in it is the end of the process, `dies once PATH` the first time."""
    if task.startswith("dies once"):
        place = Path(task.removeprefix("dies once ").partition(" ")[0])
        try:
            place.touch(exist_ok=False)
        except FileExistsError:
            return "LIVES"
    if task.startswith("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "refuses":
        raise UsageError("no such thing", "another thing")
    if task == "hash":
        return str(hash("a text"))
    if task == "who":
        return str(os.getpid())
    return task.upper()


def found(_name: str):
    return shout


def shouting(pipe: Connection) -> None:
    """A worker's life with another job."""
    partial(serve, find=found)(pipe)


def stillborn(_pipe: Connection) -> None:
    """Cannot even begin."""
