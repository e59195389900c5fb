"""A run that may be shown to others: who and what it was is pseudonyms, what was said is zeros.

What stays: kinds, numbers, times, the shape of the network, the words of the scenario's language.
What goes: addresses, MACs, names, places on the globe, comments, payloads. What is not known to be
a word of ours is taken for a name.
"""

import re
import secrets
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from sim import inputs, results, scenario
from sim.capture import LIMIT, PcapngWriter
from sim.capture_reader import read_capture
from sim.fuzz.text import to_toml
from sim.reasons import REASONS
from sim.results import Cell, Failure, ResultError, Rows, Run
from sim.sharing import schemas
from sim.sharing.blanks import Blanks
from sim.sharing.pseudonyms import KEY_LEN, Pseudonyms
from sim.versions import PLUGIN
from sim.words.quantities import RATE, TIME
from topologies.vocabulary import EDGE_ATTRIBUTES, KINDS

REMARK = "redacted: addresses, MACs and names are pseudonyms, payloads are zeros"

_WORDS = ("next", "gateway", "none", "*", "")  # of places in a scenario
_QUANTITY = re.compile(f"{TIME}|{RATE}")
_PORT = re.compile(r"[a-z]+[0-9]*")
_PARTS = ("--", "/", ",", " ")  # what joins names and addresses
_NUMBERS = re.compile(r"-?[0-9]+")
_ANY = re.compile(r"\*")
_OWN = ("schema", "digest", "verdict")  # of the summary, words that stay


def redacted(run: Run, key: bytes | None = None) -> "Redacted":
    """How a run is redacted, under a key drawn for it alone. UsageError: its scenario is none."""
    return Redacted(run, key or secrets.token_bytes(KEY_LEN))


class Redacted:
    """One run under one key: its text, graph, tables, inputs and capture."""

    def __init__(self, run: Run, key: bytes) -> None:
        self._run = run
        said = scenario.decode(run.scenario_text, tuple(run.changes), "the scenario of the run")
        self._content = tomllib.loads(run.scenario_text)
        self._nodes = {str(one.get("id")) for one in _tables(run.graph, "nodes")}
        named = (word for word in _words(msgspec.to_builtins(said)) if not _is_ours(word))
        self._who = Pseudonyms(key, {*self._nodes, *named, *run.inputs})
        self._blanks = Blanks(self._who)
        self._readers = self._cells()

    def write(self, source: Path, folder: Path) -> Run:
        """Everything but the page: `source` is the run's own folder, `folder` the new one."""
        digests = {}
        for name, digest in self._run.inputs.items():
            old = inputs.kept(source, name, digest)
            digests[self._value("file", name)] = self._input(old, folder)
        run = self._of_run(digests)
        results.write(run, folder)
        if (source / results.CAPTURE_FILE).is_file():
            self.capture(source / results.CAPTURE_FILE, folder / results.CAPTURE_FILE)
        return results.read(folder)

    def capture(self, source: Path, path: Path) -> None:
        """The records of a capture, blank; their comments are gone. One line where it is none."""
        if source.is_symlink():  # in a folder of a stranger's
            raise ResultError(f"`{source}` is a symbolic link", "remove it, or copy the folder")
        interfaces: dict[tuple[str, int], int] = {}
        at = 0
        with path.open("wb") as stream:
            writer = PcapngWriter(stream, 4 * LIMIT)
            for record in read_capture(source):
                key = record.interface, record.link_type
                if key not in interfaces:
                    interfaces[key] = writer.interface(self._place(key[0]), key[1])
                data = self._blanks.record(record.link_type, record.data)
                at = max(at, record.at)
                writer.frame(interfaces[key], record.at, data)
            writer.finish(at)

    def _input(self, source: Path, folder: Path) -> str:
        """A file that the scenario names, which is a capture: its new digest."""
        (folder / inputs.FOLDER).mkdir(exist_ok=True)
        path = folder / inputs.FOLDER / "new"
        self.capture(source, path)
        digest = inputs.digest_of(path)
        path.rename(path.with_name(digest))
        return digest

    def _of_run(self, files: Mapping[str, str]) -> Run:
        run, who = self._run, self._who
        name = who.name(run.scenario)
        summary = self._summary(run.summary) | {"scenario": name, "seed": run.seed}
        failed = [self._failure(one) for one in run.failed]
        return msgspec.structs.replace(
            run,
            scenario=name,
            scenario_text=to_toml(self._table(self._content)),
            changes=[self._change(one) for one in run.changes],
            failed=failed,
            summary={**summary, "failed": msgspec.to_builtins(failed)},
            remarks=[REMARK, *(who.text(one) for one in run.remarks)],
            links_left_out=[(who.name(one), who.name(other)) for one, other in run.links_left_out],
            inputs=dict(files),
            versions={self._version(key): value for key, value in run.versions.items()},
            graph=self._graph(),
            tables={name: self._rows(name, rows) for name, rows in run.tables.items()},
        )

    def _version(self, key: str) -> str:
        """What was there: a plugin's name is somebody's."""
        name = key.removeprefix(PLUGIN)
        return key if name == key else PLUGIN + self._who.name(name)

    def _graph(self) -> dict[str, Any]:
        graph, name = self._run.graph, self._who.name
        return {
            "directed": bool(graph.get("directed")),
            "multigraph": bool(graph.get("multigraph")),
            "graph": {},
            "nodes": [
                {"kind": _known(str(one.get("kind")), KINDS), "id": name(str(one.get("id")))}
                for one in _tables(graph, "nodes")
            ],
            "edges": [
                {key: one[key] for key in EDGE_ATTRIBUTES if isinstance(one.get(key), int)}
                | {end: name(str(one.get(end))) for end in ("source", "target")}
                for one in _tables(graph, "edges")
            ],
        }

    def _summary(self, content: Mapping[str, Any], *, top: bool = True) -> dict[str, Any]:
        """Numbers stay; of words only those that are known to be ours."""
        found: dict[str, Any] = {}
        for key, value in content.items():
            if isinstance(value, dict):
                found[_known_key(key, self._who)] = self._summary(value, top=False)
            elif value is None or isinstance(value, int | float) or (top and key in _OWN):
                found[_known_key(key, self._who)] = value
        return found

    def _failure(self, one: Failure) -> Failure:
        value = self._who.text(one.value) if isinstance(one.value, str) else one.value
        return Failure(_known_key(one.field, self._who), value, self._who.text(one.limit), one.at_s)

    def _rows(self, table: str, rows: Rows) -> Rows:
        readers = [self._readers.get(name) for name in results.TABLES[table]]
        return [
            tuple(
                cell if read is None or not isinstance(cell, str) else read(cell)
                for cell, read in zip(row, readers, strict=True)
            )
            for row in rows
        ]

    def _cells(self) -> dict[str, Callable[[str], Cell]]:
        """How a cell is read, by its column; those of numbers are not."""
        who = self._who
        return {
            **dict.fromkeys(("sender", "hub", "node"), who.name),
            **dict.fromkeys(("source", "destination", "where"), self._place),
            **dict.fromkeys(("next_hop", "mac"), lambda text: who.address(text) or who.name(text)),
            **dict.fromkeys(("cause", "fate"), who.text),
            "flow": lambda text: text if _NUMBERS.fullmatch(text) else who.name(text),
            "kind": lambda text: text if text in KINDS or text in _choices() else who.name(text),
            "reason": lambda text: text if text in REASONS else who.name(text),
        }

    def _place(self, text: str) -> str:
        """A node, a port of one (`center.s1`), or something else that has a name."""
        node, dot, port = text.rpartition(".")
        if text not in self._nodes and dot and _PORT.fullmatch(port):
            return f"{self._who.name(node)}.{port}"
        return self._who.name(text)

    def _table(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """A table of the scenario."""
        return {
            _known_key(key, self._who): self._value(key, value) for key, value in content.items()
        }

    def _value(self, key: str, value: Any) -> Any:
        """What a table has under a key."""
        if isinstance(value, dict):
            return self._drawn(value) if key == "nodes" else self._table(value)
        if isinstance(value, list):
            return [self._value(key, one) for one in value]
        if not isinstance(value, str):
            return value
        if key == "frames":
            return "0" * len(value)
        if key.lower().endswith("mask") and self._who.address(value) is not None:
            return value
        if value not in self._nodes and _is_ours(value):
            return value
        return self._joined(value)

    def _drawn(self, nodes: Mapping[str, Any]) -> dict[str, Any]:
        """Of a graph written out: each node with its kind."""
        return {self._who.name(name): _known(str(kind), KINDS) for name, kind in nodes.items()}

    def _joined(self, text: str) -> str:
        """A name, a pattern, an address, or several with something between them."""
        if text in self._nodes or text in self._run.inputs:
            return self._who.name(text)
        address = self._who.address(text)
        if address is not None:
            return text if _is_mask(text) else address
        for mark in _PARTS:
            parts = text.split(mark)
            if len(parts) > 1 and all(parts):
                keep = (_NUMBERS if mark == "/" else _ANY).fullmatch  # the length of a prefix
                return mark.join(part if keep(part) else self._joined(part) for part in parts)
        return self._who.name(text)

    def _change(self, change: str) -> str:
        """`key.key=value`, as `--set` takes it."""
        path, _, text = change.partition("=")
        keys = [key.strip() for key in path.split(".")]
        try:
            (value,) = tomllib.loads(f"value = {text}").values()
        except (ValueError, RecursionError):
            value = text
        said = to_toml({"value": self._value(keys[-1], value)}).partition("=")[2].strip()
        known = (key if key.isdecimal() else _known_key(key, self._who) for key in keys)
        return f"{'.'.join(known)}={said}"


def _tables(graph: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    return [one for one in graph.get(key, ()) if isinstance(one, dict)]


def _known(word: str, words: Iterable[str]) -> str:
    return word if word in words else ""


def _known_key(key: str, who: Pseudonyms) -> str:
    """A key or a field, dotted; what is not of ours in it is a name."""
    if key in _keys() or key in _choices() or key in REASONS:
        return key
    first, dot, rest = key.partition(".")
    return f"{first}.{_known_key(rest, who)}" if dot and first in _keys() else who.name(key)


def _is_ours(word: str) -> bool:
    """Whether it is of the scenario's language, and names nobody."""
    return word in _WORDS or word in _choices() or _QUANTITY.fullmatch(word) is not None


def _words(content: object) -> Iterator[str]:
    """Every text in it, keys and parts too."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in _keys():
                yield from key.split(".")
            yield from _words(value)
    elif isinstance(content, list | tuple):
        for one in content:
            yield from _words(one)
    elif isinstance(content, str):
        yield content
        yield from content.split("--")


def _is_mask(text: str) -> bool:
    """Whether an IPv4 address is one, and so nobody's: ones, then zeros."""
    parts = [int(part) for part in text.split(".") if part.isdecimal()]
    bits = "".join(f"{part:08b}" for part in parts)
    return len(parts) == 4 and fnmatchcase(bits, "11111111*") and "01" not in bits


@cache
def _keys() -> frozenset[str]:
    """Every key that a scenario or a summary may have."""
    found = {*schemas.keys(schemas.scenario()), *schemas.keys(schemas.run())}
    return frozenset(part for key in found for part in key.split(".")) | {"invariants", "ledger"}


@cache
def _choices() -> frozenset[str]:
    """Every word that a scenario may choose."""
    return frozenset(schemas.choices(schemas.scenario()))
