"""A corpus of worlds that once failed: a text of seeds, which hunts run first and extend.

A line is `SEED FINGERPRINT WEIGHTS SIGNATURE`: weights as `name=percent,…`, `-` for none of them.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sim.capture import escaped
from virtualtap.errors import UsageError

BYTES_MAX = 4 * 1024 * 1024
ENTRIES_MAX = 10_000
NONE = "-"
HEAD = "# SEED FINGERPRINT WEIGHTS SIGNATURE; `vtap fuzz --seeds-from` runs these first, and adds\n"
_HINT = "a line is `SEED FINGERPRINT WEIGHTS SIGNATURE`, `-` for no weights"
_WEIGHT = re.compile(r"([a-z0-9-]{1,60})=(100|[0-9]{1,2})")
_WORDS_MAX = 1000  # characters of a signature


@dataclass(frozen=True, slots=True)
class Entry:
    """A world that failed, and how."""

    seed: int
    fingerprint: str
    weights: Mapping[str, int] = field(default_factory=dict)
    signature: str = ""

    def line(self) -> str:
        """As it is written."""
        weights = ",".join(f"{name}={self.weights[name]}" for name in sorted(self.weights))
        words = escaped(self.signature, _WORDS_MAX)
        return f"{self.seed} {self.fingerprint or NONE} {weights or NONE} {words or NONE}\n"


def read(path: Path) -> list[Entry]:
    """Its entries, each once. No file yet: none. UsageError names the line that is wrong."""
    found: dict[str, Entry] = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _entry(line.split(None, 3))
        if entry is None:
            raise UsageError(f"`{path}`, line {number}: it is no seed of a corpus", _HINT)
        found.setdefault(entry.line(), entry)
        if len(found) > ENTRIES_MAX:
            raise UsageError(f"`{path}` has more than {ENTRIES_MAX} seeds", "take old ones out")
    return list(found.values())


def extend(path: Path, entries: Iterable[Entry]) -> int:
    """Add those that are not there, all or none of them: how many. What is there stays as it is."""
    known = {one.line() for one in read(path)}
    lines = [line for line in dict.fromkeys(one.line() for one in entries) if line not in known]
    if lines:
        text = _text(path) or HEAD
        beside = path.with_name(f".{path.name}.{os.getpid()}.new")
        beside.write_text(text + "\n" * (not text.endswith("\n")) + "".join(lines), "utf-8")
        beside.replace(path)
    return len(lines)


def check_place(path: Path) -> None:
    """UsageError for a corpus that cannot be read or extended: before anything is judged."""
    read(path)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"nothing may be written beside `{path}`", "name a file in a folder of yours"
        )


def _text(path: Path) -> str:
    try:
        if not path.exists():
            return ""
        if not path.is_file() or path.stat().st_size > BYTES_MAX:
            raise UsageError(f"`{path}` is no text of at most {BYTES_MAX} bytes", _HINT)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"`{path}` is not UTF-8 text", _HINT) from None


def _entry(words: list[str]) -> Entry | None:
    if len(words) != 4 or not re.fullmatch(r"[0-9]{1,16}", words[0]):
        return None
    weights: dict[str, int] = {}
    for part in [] if words[2] == NONE else words[2].split(","):
        found = _WEIGHT.fullmatch(part)
        if found is None:
            return None
        weights[found[1]] = int(found[2])
    texts = ["" if text == NONE else text for text in (words[1], words[3].strip())]
    return Entry(int(words[0]), texts[0], weights, texts[1])
