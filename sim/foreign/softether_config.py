"""The text of a SoftEther configuration file as folders of items. Cfg.c:CfgReadNextTextBUF.

`declare Name`, `{`, one item a line as `type name value`, `}`; in names and values `$20` is a space
and `$` alone nothing. What is of type `byte` (hashes, keys, certificates) is never kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from virtualtap.errors import UsageError

FILE_MAX = 16 * 1024 * 1024  # bytes
LINE_MAX = 256 * 1024  # bytes; a chain of certificates is one line
DEPTH_MAX = 16  # folders in folders; the product goes 8 deep
ITEMS_MAX = 200_000  # items and folders

Value: TypeAlias = bool | int | str | None  # None: bytes, which are not kept

_BOM = b"\xef\xbb\xbf"
_BINARY = b"SEVPN_DB"  # the product reads that form too
_ESCAPE = re.compile(rb"\$(?:([0-9A-Fa-f]{2})|.{0,2})", re.DOTALL)
_HINT = "name a file that the product wrote, as it is"
_DIGITS_MAX = 20


@dataclass(slots=True)
class Folder:
    """What a `declare` holds, in the order of the file."""

    items: dict[str, Value] = field(default_factory=dict)
    folders: dict[str, "Folder"] = field(default_factory=dict)

    def folder(self, *path: str) -> "Folder":
        """The folder at the end of a path; an empty one where there is none."""
        found = self
        for name in path:
            found = found.folders.get(name, Folder())
        return found


def read(path: Path) -> Folder:
    """The root folder of a file. UsageError where it cannot be read or understood."""
    try:
        if not path.is_file():
            raise UsageError(f"there is no file `{path}`", "name a `vpn_server.config` or `.vpn`")
        if path.stat().st_size > FILE_MAX:
            raise UsageError(f"`{path}` is longer than {FILE_MAX} bytes", _HINT)
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise UsageError(f"cannot read `{path}`: {why}", "check its permissions") from None


def parse(data: bytes, where: str) -> Folder:
    """The root folder of a configuration's text. UsageError: one line, with the line's number."""
    if len(data) > FILE_MAX:
        raise UsageError(f"`{where}` is longer than {FILE_MAX} bytes", _HINT)
    if data.startswith(_BINARY):
        raise UsageError(f"`{where}` is in the binary form", "let the product save it as text")
    reader = _Reader()
    try:
        for line in data.removeprefix(_BOM).split(b"\n"):
            reader.take(line)
        return reader.finish()
    except _WrongError as wrong:
        raise UsageError(f"`{where}`, line {reader.number}: {wrong}", _HINT) from None


class _WrongError(ValueError):
    """This is not what the product writes."""


class _Reader:
    def __init__(self) -> None:
        self._open = [Folder()]
        self._names: list[str] = []
        self._count = 0
        self.number = 0  # of the line

    def take(self, line: bytes) -> None:
        """One line of the file."""
        self.number += 1
        if len(line) > LINE_MAX:
            raise _WrongError(f"it is longer than {LINE_MAX} bytes")
        words = line.split()
        if not words or words[0] == b"{" or words[0].startswith(b"#"):
            return
        kind = words[0].lower()
        if kind == b"}":
            self._close()
        elif kind == b"declare" and len(words) == 2:
            self._declare(_text(words[1]))
        elif kind in _TYPES and len(words) in (2, 3):
            self._item(_TYPES[kind], _text(words[1]), words[2] if len(words) == 3 else b"")
        else:
            raise _WrongError("it is neither a folder nor an item")

    def finish(self) -> Folder:
        """The root, when all lines have been taken."""
        if self._names:
            raise _WrongError(f"the file ends inside `{self._names[-1]:.60}`")
        root = self._open[0].folders.get("root")
        if root is None:
            raise _WrongError("the file declares no `root`")
        return root

    def _declare(self, name: str) -> None:
        if len(self._names) == DEPTH_MAX:
            raise _WrongError(f"folders are nested deeper than {DEPTH_MAX}")
        self._add(name)
        made = self._open[-1].folders[name] = Folder()
        self._open.append(made)
        self._names.append(name)

    def _item(self, kind: Callable[[bytes], Value], name: str, value: bytes) -> None:
        if not self._names:
            raise _WrongError("an item is outside of `root`")
        self._add(name)
        self._open[-1].items[name] = kind(value)

    def _add(self, name: str) -> None:
        self._count += 1
        if self._count > ITEMS_MAX:
            raise _WrongError(f"there are more than {ITEMS_MAX} items")
        if name in self._open[-1].items or name in self._open[-1].folders:
            raise _WrongError(f"`{name:.60}` is there already")

    def _close(self) -> None:
        if not self._names:
            raise _WrongError("it closes a folder, and none is open")
        self._open.pop()
        self._names.pop()


def _text(word: bytes) -> str:
    plain = b"" if word == b"$" else _ESCAPE.sub(_byte, word)
    if b"\0" in plain:
        raise _WrongError("a text holds NUL")
    try:
        return plain.decode()
    except UnicodeDecodeError:
        raise _WrongError("a text is not UTF-8") from None


def _byte(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        raise _WrongError("`$` is not followed by two hexadecimal digits")
    return bytes.fromhex(match[1].decode())


def _bool(word: bytes) -> bool:
    return word.lower() == b"true" or (word.isdigit() and word.strip(b"0") != b"")


def _number(word: bytes) -> int:
    if not word.removeprefix(b"-").isdigit() or len(word) > _DIGITS_MAX:
        raise _WrongError("a number is none")
    return int(word)


def _nothing(word: bytes) -> None:
    """Hashes, keys and certificates: nobody here has a use for them."""


_TYPES: dict[bytes, Callable[[bytes], Value]] = {
    b"bool": _bool,
    b"uint": _number,
    b"uint64": _number,
    b"int": _number,
    b"string": _text,
    b"ip": _text,
    b"byte": _nothing,
}
