"""GML, read without recursion. M. Himsolt, "GML: A portable Graph File Format", Passau 1997.

Text is UTF-8, of which the ASCII the format asks for is a part; character references are
resolved.
"""

import html
import re
from collections.abc import Iterator
from typing import NoReturn

from topologies.survey import Survey, place_of, rate_of
from topologies.vocabulary import GraphError, quoted

PAIRS_MAX = 5_000_000
DEPTH_MAX = 32

_TEXT_MAX = 4096  # characters of one value

_TOKEN = re.compile(
    r"""(?:\s++ | \#[^\n]*+)++
      | (?P<key>[A-Za-z_]\w{0,63})
      | (?P<number>[+-]?[0-9.][0-9.eE+-]{0,63})
      | "(?P<string>[^"]*)"
      | (?P<open>\[)
      | (?P<close>\])""",
    re.ASCII | re.VERBOSE,
)
_ID = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_WANTED = {
    "graph": (),
    "graph/node": ("id", "label", "latitude", "longitude"),
    "graph/edge": ("source", "target", "linkspeedraw"),
}


def read(data: bytes, survey: Survey) -> None:
    """Put the nodes and edges of the one graph in `data` into `survey`; GraphError if it cannot."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise GraphError(f"line {line}: not UTF-8", "save the file as UTF-8") from None
    reader = _Reader(survey)
    reached = 0
    try:
        for at, kind, token in _tokens(text):
            reached = at
            reader.take(kind, token)
        reached = len(text)
        reader.finish()
    except GraphError as error:
        line = text.count("\n", 0, reached) + 1
        raise GraphError(f"line {line}: {error}", error.hint) from None


def _tokens(text: str) -> Iterator[tuple[int, str, str]]:
    """Position, kind and text of each token; a piece that is none is of the kind `nothing`."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            yield at, "nothing", text[at : at + 20]
            return
        if match.lastgroup is not None:
            yield at, match.lastgroup, match[match.lastgroup]
        at = match.end()


class _Reader:
    """Keys and values in turn; keeps the open lists and what the innermost says that is wanted."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._pairs = 0
        self._graphs = 0
        self._path: list[str] = []
        self._key: str | None = None
        self._values: dict[str, str] = {}

    def take(self, kind: str, token: str) -> None:
        if self._key is None and kind == "key":
            self._key = token.lower()
            self._pairs += 1
            if self._pairs > PAIRS_MAX:
                _fail(f"more than {PAIRS_MAX} keys", "choose a smaller network")
        elif self._key is None and kind == "close" and self._path:
            self._close()
        elif self._key is not None and kind == "open":
            self._open(self._key)
        elif self._key is not None and kind in {"number", "string"}:
            self._scalar(self._key, token)
        elif token.startswith('"'):
            _fail("a string is not closed", "close it with a quotation mark")
        else:
            wanted = "a key or `]`" if self._key is None else "a value"
            _fail(f"{quoted(token)} where {wanted} was due", "check that the file is GML")

    def finish(self) -> None:
        if self._path or self._key is not None:
            _fail("the file ends inside a list", "check that the file is complete")
        if not self._graphs:
            _fail("no graph in the file", "give a file with one `graph [ ... ]`")

    def _open(self, key: str) -> None:
        if key in _WANTED.get("/".join(self._path), ()):
            _fail(f"`{key}` is a list", "give a single value")
        if len(self._path) == DEPTH_MAX:
            _fail(f"lists nested deeper than {DEPTH_MAX}", "flatten the file")
        self._path.append(key)
        self._key = None
        path = "/".join(self._path)
        if path in {"graph/node/graph", "graph/edge/graph"}:
            _fail("a graph inside a node or edge has no counterpart here", "write one flat graph")
        if path == "graph":
            self._graphs += 1
            if self._graphs > 1:
                _fail("a second graph", "give a file with one graph")
        if path in _WANTED:
            self._values = {}

    def _scalar(self, key: str, value: str) -> None:
        path = "/".join(self._path)
        self._key = None
        if key not in _WANTED.get(path, ()):
            return
        if key in self._values:
            _fail(f"`{key}` is given twice", "give it once")
        if len(value) > _TEXT_MAX:
            _fail(f"`{key}` has {len(value)} characters", "shorten it")
        self._values[key] = html.unescape(value)

    def _close(self) -> None:
        path = "/".join(self._path)
        self._path.pop()
        values = self._values
        if path == "graph/node":
            self._survey.add_node(self._id("id"), values.get("label", ""), place_of(values))
        elif path == "graph/edge":
            self._survey.add_link(self._id("source"), self._id("target"), rate_of(values))

    def _id(self, key: str) -> str:
        text = self._values.get(key)
        if text is None:
            _fail(f"no `{key}`", f"give each {'node' if key == 'id' else 'edge'} its `{key}`")
        if not _ID.fullmatch(text):
            _fail(f"`{key}` is {quoted(text)}", "give an integer of at most 20 digits")
        return str(int(text))


def _fail(message: str, hint: str) -> NoReturn:
    raise GraphError(message, hint)
