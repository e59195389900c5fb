"""Campaign: many runs in one SQLite file, a row for each, written as they finish.

    campaign  what                 one row: what all rows depend on, as canonical JSON
    rows      number, seed, row    the row as canonical JSON; no wall times, nobody's name
    rounds    number, weights      how often what was drawn in a round, as JSON
    findings  signature, finding   what became of the first world of each kind of failure, as JSON
    spent     seconds              one row: by the wall, of all calls together

Each batch of rows is a transaction of a write-ahead log: a process killed at any instant leaves a
file that goes on where it was. A file of somebody else's is never written to.
"""

import json
import os
import re
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sim.results import ResultError
from virtualtap.errors import UsageError

SCHEMA = 1
APPLICATION = 0x76746170  # "vtap", in the file's header
ROW_MAX = 2**20  # characters of one row
_TABLES = {
    "campaign": "CREATE TABLE campaign (what TEXT NOT NULL)",
    "rows": "CREATE TABLE rows (number INTEGER PRIMARY KEY, seed INTEGER NOT NULL,"
    " row TEXT NOT NULL)",
    "rounds": "CREATE TABLE rounds (number INTEGER PRIMARY KEY, weights TEXT NOT NULL)",
    "findings": "CREATE TABLE findings (signature TEXT NOT NULL, finding TEXT NOT NULL)",
    "spent": "CREATE TABLE spent (seconds REAL NOT NULL)",
}
_MAGIC = b"SQLite format 3\0"  # the header: sqlite.org/fileformat2.html 1.3
_VERSION_AT, _APPLICATION_AT, _HEADER = 60, 68, 100
_COMMIT_S = 0.25
_PAGE = 1000  # rows that are read at once
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}
_ELSE = "choose another `--out`"

Kept = tuple[int, int, str]  # number, seed, row


def canonical(content: Mapping[str, Any]) -> str:
    """The one JSON text of some content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


class Campaign:
    """An open campaign. ResultError: one line, where the file is another's or not to be had."""

    def __init__(self, path: Path, what: Mapping[str, Any], *, resume: bool) -> None:
        """Begin one; with `resume` go on with what is there, which must be of the same `what`."""
        self.path = path
        self._what = {"schema": SCHEMA, **what}
        with self._in_words():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(path):
                self._begin()
            elif resume:
                self._inspect()
            else:
                hint = "`--resume` goes on with it; or choose another `--out`"
                raise ResultError(f"`{path}` is there", hint)
            self._file = _opened(path, "rw")
            self._file.execute("PRAGMA synchronous = NORMAL")

    def numbers(self) -> set[int]:
        """Those whose rows are there."""
        return {number for (number,) in self._ask("SELECT number FROM rows")}

    def rows(self, first: int = 0, end: int = 2**63 - 1) -> Iterator[tuple[int, str]]:
        """(number, row) from `first` up to before `end`, in order."""
        asked = "SELECT number, row FROM rows WHERE number >= ? AND number < ? ORDER BY number"
        while page := self._ask(f"{asked} LIMIT {_PAGE}", first, end):
            yield from page
            first = page[-1][0] + 1

    def spent(self) -> float:
        """Seconds by the wall, of all calls so far."""
        return float(self._ask("SELECT seconds FROM spent")[0][0])

    def keep(self, rows: Iterable[Kept | None]) -> Generator[Kept | None]:
        """Pass them on as they come, and keep each a quarter of a second later at most."""
        waiting: list[Kept] = []
        last = time.monotonic()
        try:
            for one in rows:
                if one is not None:
                    waiting.append(one)
                now = time.monotonic()
                if now - last > _COMMIT_S:
                    self.add(waiting, now - last)
                    waiting, last = [], now
                yield one
        finally:
            self.add(waiting, time.monotonic() - last)

    def add(self, rows: Iterable[Kept], seconds: float) -> None:
        """Kept from now on, the first of a number; and the seconds that went by."""
        with self._in_words(), self._file:
            self._file.execute("UPDATE spent SET seconds = seconds + ?", (seconds,))
            self._file.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", rows)

    def begin_round(self, number: int, weights: Mapping[str, int]) -> None:
        """Note how often what is drawn in it."""
        with self._in_words(), self._file:
            asked = "INSERT OR REPLACE INTO rounds VALUES (?, ?)"
            self._file.execute(asked, (number, canonical(weights)))

    def findings(self) -> dict[str, str]:
        """Signature → finding."""
        return dict(self._ask("SELECT signature, finding FROM findings ORDER BY rowid"))

    def find(self, signature: str, finding: str) -> None:
        """Note a finding: it is on disk."""
        with self._in_words(), self._file:
            self._file.execute("INSERT INTO findings VALUES (?, ?)", (signature, finding))

    def close(self) -> None:
        with self._in_words():
            self._file.close()

    def _begin(self) -> None:
        """Made beside its place, and moved there when it is whole."""
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        beside.unlink(missing_ok=True)
        try:
            with closing(_opened(beside, "rwc")) as file:
                file.execute("PRAGMA journal_mode = WAL")
                with file:
                    file.execute(f"PRAGMA application_id = {APPLICATION}")
                    file.execute(f"PRAGMA user_version = {SCHEMA}")
                    for table in _TABLES.values():
                        file.execute(table)
                    file.execute("INSERT INTO campaign VALUES (?)", (canonical(self._what),))
                    file.execute("INSERT INTO spent VALUES (0)")
            beside.rename(self.path)
        finally:
            beside.unlink(missing_ok=True)

    def _inspect(self) -> None:
        """Is it a campaign of ours, and this one? Nothing is written before that is known."""
        there = _what_it_is(self.path)
        for key in sorted({*there, *self._what}, key=str):
            was, is_now = (
                json.dumps(one.get(key), sort_keys=True)[:200] for one in (there, self._what)
            )
            if was != is_now:
                told = f"`{self.path}` is of another campaign: {key} was `{was}`, is `{is_now}`"
                raise ResultError(
                    told, "say the same words to the same program, or choose another `--out`"
                )

    def _ask(self, asked: str, *values: object) -> list[tuple[Any, ...]]:
        with self._in_words():
            return self._file.execute(asked, values).fetchall()

    def _in_words(self) -> AbstractContextManager[None]:
        return _in_words(self.path)


def kept(path: Path) -> tuple[dict[str, Any], Iterator[tuple[int, str]]]:
    """What a campaign is of, and its (number, row) in order; nothing is written.

    ResultError where it is none, or another version's.
    """
    with _in_words(path):
        what = _what_it_is(path)
    return what, _rows(path)


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    with _in_words(path), closing(_opened(path, "ro")) as file:
        yield from file.execute("SELECT number, row FROM rows ORDER BY number")


def _what_it_is(path: Path) -> dict[str, Any]:
    """What the rows of a campaign of ours depend on; nothing of a stranger's file is asked more."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise ResultError(f"`{path}` is no campaign: it is no file", _ELSE)
    with path.open("rb") as stream:
        header = stream.read(_HEADER)
    ours = int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + 4]) == APPLICATION
    if not header.startswith(_MAGIC) or not ours:
        raise ResultError(f"`{path}` is no campaign", _ELSE)
    version = int.from_bytes(header[_VERSION_AT : _VERSION_AT + 4])
    if version != SCHEMA:
        told = f"has schema {version}, this version reads {SCHEMA}"
        raise ResultError(f"`{path}` {told}", _ELSE)
    with closing(_opened(path, "ro")) as file:
        tables = dict(file.execute("SELECT name, sql FROM sqlite_schema LIMIT 100"))
        if tables != _TABLES:
            raise ResultError(f"`{path}` is no campaign: its tables are others", _ELSE)
        found = file.execute("SELECT what FROM campaign LIMIT 2").fetchall()
    try:
        ((text,),) = found
        there = json.loads(text)
        assert isinstance(there, dict)
    except (ValueError, TypeError, AssertionError, RecursionError):
        raise ResultError(f"`{path}` is no campaign of ours", _ELSE) from None
    return there


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        why = str(error).lower()
        raise ResultError(f"`{path}` cannot be used: {why}", _ELSE) from None
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise ResultError(f"cannot use `{path}`: {why}", _ELSE) from None


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    """No code of a stranger's schema runs, and no value is longer than a row of ours."""
    place = quote(str(path.absolute()))  # after `//`: what begins with two would name a host
    file = sqlite3.connect(f"file://{place}?mode={mode}", uri=True, timeout=10)
    file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, ROW_MAX)
    file.execute("PRAGMA trusted_schema = OFF")
    return file


def seeds(text: str) -> range:
    """`0:1000`: from 0 up to before 1000. UsageError for anything else."""
    found = re.fullmatch(r"([0-9]{1,15}):([0-9]{1,15})", text, re.ASCII)
    if found is None or int(found[1]) >= int(found[2]):
        hint = "`--seeds 0:1000`: from 0 up to before 1000"
        raise UsageError(f"`--seeds {text:.60}` is no range", hint)
    return range(int(found[1]), int(found[2]))


def seconds(text: str) -> float:
    """`90s`, `10m`, `1.5h`. UsageError for anything else."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(s|m|min|h)", text, re.ASCII)
    if found is None:
        raise UsageError(f"`--for {text:.60}` is no time", "`90s`, `10m` or `1.5h`")
    return float(found[1]) * _SECONDS[found[2]]


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
