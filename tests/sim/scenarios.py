"""Small scenarios as text, and the shortest ways to run them; runs on disk for those who read."""

import re
from pathlib import Path

import pytest

from sim.cli import main as cli
from sim.results import Run, read
from sim.run import Order, perform
from virtualtap.errors import UsageError

SMALL = """\
name = "small"
until = "300ms"
topology = { name = "star", sites = 2 }
sites = { taps = 1, stations = 1, gateways = 1 }

[[traffic]]
kind = "ping"
from = "h*"
to = "gateway"
every = "100ms"
"""
STREAM = '[[traffic]]\nkind = "stream"\nfrom = "s*"\nto = "next"\nevery = "10ms"\n'
ONE_LINE = re.compile(r"error: [^\n]+ \(hint: [^\n]+\)\n")


def order(text: str = SMALL, folder: Path = Path(), **choices) -> Order:
    return Order(text=text, folder=folder, **choices)


def done(text: str = SMALL, out: Path | None = None, **choices) -> Run:
    """The run of a scenario; nothing is recorded unless it is asked for."""
    return perform(order(text, **{"capture": "none", **choices}), out)[0]


def on_disk(out: Path, text: str = SMALL, **choices) -> tuple[Run, Path]:
    """A run that was written below `out`, as it is read again, and its folder."""
    _, folder = perform(order(text, **{"capture": "none", **choices}), out)
    assert folder is not None
    return read(folder), folder


def as_file(folder: Path, text: str = SMALL, name: str = "scenario.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def called(capsys, *arguments: object) -> tuple[int, str, str]:
    """The exit status of `vtap ARGUMENTS`, its stdout and its stderr."""
    status = cli.call([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def refused(call, *arguments) -> UsageError:
    """The UsageError of a call that must not succeed: one line, and a hint of one line."""
    with pytest.raises(UsageError) as caught:
        call(*arguments)
    assert "\n" not in f"{caught.value}{caught.value.hint}"
    return caught.value
