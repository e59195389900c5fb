"""Real networks: TopoHub by name, GraphML and GML files from anyone; delay from distance.

Every node becomes a hub. What strangers may write and what becomes of it:

- A label is any text of up to 256 characters; white space in it, line breaks included, becomes
  single spaces. Control and bidirectional characters are data, which printers escape. NUL is
  refused.
- A node without a label is named by its id; of equal labels the later become `label-2`, `label-3`.
- Loops of a node with itself are refused (no network of the Topology Zoo seen so far has one); of
  parallel links the shortest serves, and of equally long ones the fastest.
- Directed graphs, hyperedges, ports, nested graphs, compressed files, document types: refused.
"""

import json
import stat
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from topologies import gml, graphml
from topologies.survey import Place, Survey
from topologies.vocabulary import Graph, GraphError, quoted

BYTES_MAX = 64 * 2**20

READERS = {".graphml": graphml.read, ".gml": gml.read}

_PACKED_SUFFIXES = (
    ".gz",
    ".tgz",
    ".bz2",
    ".xz",
    ".lzma",
    ".zip",
    ".zst",
    ".lz4",
    ".7z",
    ".z",
    ".br",
)
_PACKED_MAGIC = (
    b"\x1f\x8b",  # gzip
    b"\x1f\x9d",  # compress
    b"BZh",
    b"PK\x03\x04",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
)


@cache
def topohub_names() -> tuple[str, ...]:
    """The keys of all networks that TopoHub ships, sorted: `topozoo/Abilene`, `gabriel/25/0`..."""
    return tuple(sorted(_keys(files("topohub") / "data", "")))


def find_topohub(name: str) -> str | None:
    """The key that `name` means, in any case: a full key, or the last part of a `topozoo/` one."""
    return _by_folded_name().get(name.casefold())


def from_topohub(name: str) -> Graph:
    """A network of TopoHub by its key, or by the bare name if it is one of the Topology Zoo's.

    Delays are from the lengths TopoHub gives, which are finer than its coordinates. Coordinates are
    kept where they are on the globe (some collections are drawn on a plane instead).
    """
    key = find_topohub(name)
    if key is None:
        raise GraphError(f"TopoHub has no network {quoted(name)}", "write it as `topozoo/Abilene`")
    source = files("topohub") / "data" / f"{key}.json"
    told: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    places: list[Place] = [(node["pos"][1], node["pos"][0]) for node in told["nodes"]]
    on_globe = all(abs(latitude) <= 90 and abs(longitude) <= 180 for latitude, longitude in places)
    survey = Survey(key)
    for node, place in zip(told["nodes"], places, strict=True):
        survey.add_node(str(node["id"]), node.get("name") or "", place if on_globe else None)
    for edge in told["edges"]:
        survey.add_link(str(edge["source"]), str(edge["target"]), km=edge["dist"])
    return survey.graph()


def from_file(path: str | Path) -> Graph:
    """A network from a `.graphml` or `.gml` file; every fault in it is one GraphError line."""
    path = Path(path)
    try:
        read = READERS.get(path.suffix.lower())
        if path.suffix.lower() in _PACKED_SUFFIXES:
            raise GraphError("the file is compressed", "unpack it first")
        if read is None:
            raise GraphError("neither GraphML nor GML", "name the file `.graphml` or `.gml`")
        survey = Survey(path.stem)
        read(_read_bytes(path), survey)
        return survey.graph()
    except GraphError as error:
        raise GraphError(f"{quoted(path)}: {error}", error.hint) from None


def _read_bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for its writer
            raise GraphError("not a regular file", "give a file, not a directory or pipe")
        if status.st_size > BYTES_MAX:
            raise GraphError(f"larger than {BYTES_MAX} bytes", "choose a smaller network")
        with path.open("rb") as file:
            data = file.read(status.st_size)
    except GraphError:
        raise
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not a path").lower()
        raise GraphError(f"cannot be read: {reason}", "check path and permissions") from None
    if data.startswith(_PACKED_MAGIC):
        raise GraphError("the file is compressed", "unpack it first")
    if not data.strip():
        raise GraphError("the file is empty", "give a file with one graph")
    return data


def _keys(folder: Traversable, prefix: str) -> list[str]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _keys(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".json"):
            found.append(prefix + entry.name.removesuffix(".json"))
    return found


@cache
def _by_folded_name() -> dict[str, str]:
    keys = {key.casefold(): key for key in topohub_names()}
    bare = {
        key.removeprefix("topozoo/"): full
        for key, full in keys.items()
        if key.startswith("topozoo/")
    }
    return bare | keys
