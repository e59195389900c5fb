"""The first world of each kind of failure: shrunk, written to a folder, and how to see it again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from sim.capture import escaped
from sim.fuzz.finding import EXPLANATION, TEST, WORLD, as_test, folder_name, write_finding
from sim.fuzz.generate import world
from sim.fuzz.judge import Row, Task, first_of
from sim.fuzz.shrink import shrunk
from sim.results import as_word
from sim.run import Order
from sim.trail import check
from topologies import GraphError
from virtualtap.errors import UsageError

DIED, DIFFERS = "worker-died", "not-deterministic"
AGAIN = "judged again, it does not fail like that"
OUTLIVED = "no process outlived it"


class Wanted(msgspec.Struct, frozen=True):
    """A world that failed, and its row; its folder will be in `place`."""

    task: Task
    row: Row
    place: str
    shrinks: bool


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `nodes` and `frames` are those of the world in the folder."""

    signature: str
    seed: int
    fingerprint: str
    failed: str  # in words
    folder: str = ""
    replay: str = ""  # a command
    shrinking: str = ""  # in words
    nodes: int = 0
    frames: int = 0


Write: TypeAlias = Callable[[Path, Wanted], Discovery]


def discover_json(wanted: str) -> str:
    """A Wanted as JSON → its Discovery as JSON."""
    found = discover(msgspec.json.decode(wanted, type=Wanted))
    return msgspec.json.encode(found).decode()


def read_discovery(text: str) -> Discovery:
    """What `discover_json` gave. UsageError for anything else."""
    try:
        return msgspec.json.decode(text, type=Discovery)
    except (msgspec.DecodeError, RecursionError):
        raise UsageError("the campaign holds a finding that is none", "begin another") from None


def discover(wanted: Wanted) -> Discovery:
    """Shrink it if that is asked for and can be, and write its folder: all of it, or nothing.

    UsageError where nothing can be written.
    """
    return _placed(wanted, _write)


def undiscovered(wanted: Wanted) -> Discovery:
    """One that no process outlives: its world as it was drawn. UsageError as above."""
    return _placed(wanted, _write_drawn)


def _placed(wanted: Wanted, write: Write) -> Discovery:
    try:
        return _discovered(wanted, write)
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        told = f"cannot write below `{wanted.place}`: {why}"
        raise UsageError(told, "make room there; `--resume` goes on") from None


def _discovered(wanted: Wanted, write: Write) -> Discovery:
    task, row = wanted.task, wanted.row
    text = world(task.seed, task.weights).text if task.text is None else task.text
    task = msgspec.structs.replace(task, text=text)
    final = Path(wanted.place) / folder_name(row.signature)
    beside = final.with_name(f".{final.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        told = write(beside, msgspec.structs.replace(wanted, task=task))
        shutil.rmtree(final, ignore_errors=True)  # of a process that was killed before it said so
        beside.rename(final)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    replay = _replay(task, final, twice=row.signature == DIFFERS)
    return msgspec.structs.replace(told, folder=str(final), replay=replay)


def _begun(row: Row, shrinking: str) -> Discovery:
    return Discovery(
        signature=row.signature,
        seed=row.seed,
        fingerprint=row.fingerprint,
        failed=_failed(row),
        shrinking=shrinking,
    )


def _write_drawn(folder: Path, wanted: Wanted) -> Discovery:
    row = wanted.row
    found = f"seed {row.seed}, {row.fingerprint}"
    _write_little(folder, wanted.task, row.signature, found, f"- seen: {OUTLIVED}")
    return _begun(row, OUTLIVED)


def _write(folder: Path, wanted: Wanted) -> Discovery:
    """The files of a finding, as far as its kind allows."""
    task, row = wanted.task, wanted.row
    found = f"seed {row.seed}, {row.fingerprint}"
    told = _begun(row, OUTLIVED)
    if row.signature in (DIED, DIFFERS):
        words = _differs(task) if row.signature == DIFFERS else "- seen: a worker died over it"
        _write_little(folder, task, row.signature, found, words)
        return told
    shrinking = "not shrunk"
    try:
        if wanted.shrinks:
            task, shrinking = _shrunk(task, row.signature)
        written = write_finding(folder, task, found)
    except UsageError:  # a target has its moods, and code changes between a call and `--resume`
        _write_little(folder, task, row.signature, found, f"- seen: {AGAIN}")
        return msgspec.structs.replace(told, shrinking=AGAIN)
    return msgspec.structs.replace(
        told, shrinking=shrinking, nodes=written.nodes, frames=written.frames
    )


def _write_little(folder: Path, task: Task, signature: str, found: str, words: str) -> None:
    """The world, a test where a command cannot say what it was found with, and what is known."""
    assert task.text is not None
    if not _is_plain(task):
        text = as_test(task, escaped(signature, 300))
        (folder / TEST).write_text(text, encoding="utf-8")
    (folder / WORLD).write_text(f"# {signature}\n# {found}\n{task.text}", encoding="utf-8")
    lines = (f"# {signature}", "", f"- found: {found}", words)
    (folder / EXPLANATION).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shrunk(task: Task, signature: str) -> tuple[Task, str]:
    least = shrunk(task, signature)
    ended = "the least there is" if least.is_least else "the budget ended it"
    words = f"shrunk in {least.runs} runs, {ended}"
    return msgspec.structs.replace(task, text=least.text), words


def _differs(task: Task) -> str:
    """The first moment that is not the same in two processes, in words."""
    assert task.text is not None
    try:
        found = check(Order(text=task.text, folder=Path(), capture="none"))
    except (UsageError, GraphError) as error:
        return f"- seen: in two new processes {escaped(str(error), 300)}"
    if found.difference is None:
        return "- seen: alone, in two new processes, it is the same twice: it is what ran before it"
    sides = (found.difference.first, found.difference.second)
    first, second = (escaped(one, 300) for one in sides)
    return f"- seen: moment {found.difference.number} differs\n\n      {first}\n      {second}"


def _failed(row: Row) -> str:
    """What broke first, in words."""
    first = first_of(row.failed)
    return f"{first['field']}: {first['value']}; what must hold: {first['limit']}"


def _replay(task: Task, folder: Path, *, twice: bool) -> str:
    """The command that shows it again."""
    if not _is_plain(task):
        return f"pytest {as_word(folder / TEST)}"
    return f"vtap run {as_word(folder / WORLD)}{' --check' if twice else ''}"


def _is_plain(task: Task) -> bool:
    """Whether `vtap run` shows its world as it was judged."""
    return task.defect is None and task.target is None
