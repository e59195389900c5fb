"""Bundle: one run in one archive, with what it takes to run it again and to trust it.

    manifest.json     what it is, and BLAKE2b of every other member
    scenario.toml     the scenario's text
    run.json, graph.json, <table>.csv, capture.pcapng, report.html, figures/, inputs/   as written

The same run gives the same bytes. A bundle is data: nothing of it is loaded as code, and it is
unpacked nowhere but in a folder of its own that vanishes.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import networkx as nx

from sim import results
from sim.capture import escaped
from sim.inputs import FOLDER as INPUTS
from sim.results import ResultError, Run
from sim.run import Order, graph_of
from sim.sharing.archive import pack, unpack
from topologies import GraphError
from virtualtap.errors import UsageError

SCHEMA = 1
KIND = "virtualtap bundle"
MANIFEST, SCENARIO = "manifest.json", "scenario.toml"
SUFFIX = ".vtap.zip"
NOTE = "redacted: what happened is told, but it cannot be replayed to its digest"
_FIGURES = "figures"
_HINT = "ask for it again, or name what `vtap bundle` wrote"
_TABLES = "|".join(results.TABLES)
_MEMBER = re.compile(
    rf"manifest\.json|scenario\.toml|run\.json|graph\.json|capture\.pcapng|report\.html"
    rf"|(?:{_TABLES})\.csv|{_FIGURES}/[a-z][a-z0-9_-]{{0,63}}\.(?:svg|png)|{INPUTS}/[0-9a-f]{{32}}"
)
_NEEDED = (SCENARIO, results.RUN_FILE, results.GRAPH_FILE)


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a bundle."""

    bytes: int
    blake2b: str  # 16 bytes of it, in hexadecimal


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The form of `manifest.json`."""

    schema: int
    kind: str
    scenario: str
    seed: int
    verdict: str
    digest: str | None
    redacted: bool
    note: str
    versions: dict[str, str]  # and the platform: with what and where it ran
    members: dict[str, Member]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened one: all of it is what its manifest says."""

    manifest: Manifest
    run: Run
    folder: Path  # laid out as a run's own

    def differences(self, now: Mapping[str, str]) -> list[str]:
        """What is not as it was, of all that a run depends on, in words; `now` are versions."""
        found = changed_versions(self.manifest.versions, now)
        if (self.folder / SCENARIO).read_bytes() != self.run.scenario_text.encode():
            found.append(f"scenario: `{SCENARIO}` is not the one in `{results.RUN_FILE}`")
        if not self._graph_is_made_again():
            found.append(f"graph: the scenario does not make the one in `{results.GRAPH_FILE}`")
        return found

    def _graph_is_made_again(self) -> bool:
        """Whether the scenario's words give this graph here and now."""
        run = self.run
        changes = (*run.changes, f"seed={run.seed}")
        order = Order(text=run.scenario_text, folder=self.folder, changes=changes)
        try:
            graph, _ = graph_of(order, order.scenario())
        except (UsageError, GraphError):
            return False  # a map of a file that is not here, say
        made = msgspec.to_builtins(nx.node_link_data(graph, edges="edges"))
        return bool(made == run.graph)


def changed_versions(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """A line for each that is not the same, the platform's too."""
    return [
        f"version: {escaped(name, 60)} was {escaped(before.get(name, 'unknown'), 60)}, "
        f"is {now.get(name, 'unknown')}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def write_bundle(folder: Path, archive: Path, *, redacted: bool = False) -> Manifest:
    """Put a run's folder into the file `archive`, which is not there yet. ResultError: it is."""
    run = results.read(folder)
    if os.path.lexists(archive):
        raise ResultError(f"there is a file `{archive}` already", "name another with `--out`")
    paths = _members(run, folder)
    with TemporaryDirectory(prefix="vtap-") as temporary:
        beside = archive.with_name(f".{archive.name}.{os.getpid()}.new")
        paths[SCENARIO] = Path(temporary) / SCENARIO
        paths[SCENARIO].write_bytes(run.scenario_text.encode())
        manifest = Manifest(
            schema=SCHEMA,
            kind=KIND,
            scenario=run.scenario,
            seed=run.seed,
            verdict=run.verdict,
            digest=run.digest,
            redacted=redacted,
            note=NOTE if redacted else "",
            versions=run.versions,
            members={name: _member(paths[name]) for name in sorted(paths)},
        )
        paths[MANIFEST] = Path(temporary) / MANIFEST
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        paths[MANIFEST].write_bytes(text + b"\n")
        try:
            pack(paths, beside)
            beside.rename(archive)
        finally:
            beside.unlink(missing_ok=True)
    return manifest


@contextmanager
def opened(archive: Path) -> Iterator[Bundle]:
    """A bundle, verified, in a folder that vanishes. ResultError names what is not as it was."""
    said = escaped(str(archive), 4096)
    with TemporaryDirectory(prefix="vtap-") as temporary:
        folder = Path(temporary)
        names = unpack(archive, folder, lambda name: _MEMBER.fullmatch(name) is not None)
        manifest = _manifest(folder / MANIFEST, said)
        _verify(manifest, folder, {*names} - {MANIFEST}, said)
        try:
            run = results.read(folder)
        except ResultError as error:  # not the folder's name, which nobody knows
            why = str(error).replace(f"{folder}{os.sep}", "")
            raise ResultError(f"`{said}`: {why}", _HINT) from None
        told = (manifest.scenario, manifest.seed, manifest.verdict, manifest.digest)
        if told != (run.scenario, run.seed, run.verdict, run.digest):
            raise ResultError(f"the manifest of `{said}` tells of another run", _HINT)
        yield Bundle(manifest, run, folder)


def is_bundle(path: Path) -> bool:
    """Whether a path names a bundle, good or bad, and not a run."""
    return path.name != results.RUN_FILE and (path.is_file() or path.suffix == ".zip")


def _members(run: Run, folder: Path) -> dict[str, Path]:
    """Where each member is; what else lies in the folder is left there."""
    names = [results.RUN_FILE, results.GRAPH_FILE, results.CAPTURE_FILE, results.PAGE_FILE]
    names += [f"{table}.csv" for table in results.TABLES]
    names += [f"{INPUTS}/{digest}" for digest in run.inputs.values()]
    names += [f"{_FIGURES}/{path.name}" for path in (folder / _FIGURES).glob("*.*")]
    found = {name: folder / name for name in names if _MEMBER.fullmatch(name)}
    for path in (folder / _FIGURES, folder / INPUTS, *found.values()):
        if path.is_symlink():
            raise ResultError(f"`{path}` is a symbolic link", "remove it, or copy the folder")
    return {name: path for name, path in found.items() if path.is_file()}


def _member(path: Path) -> Member:
    sum_, size = blake2b(digest_size=16), 0
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            sum_.update(chunk)
            size += len(chunk)
    return Member(size, sum_.hexdigest())


def _manifest(path: Path, said: str) -> Manifest:
    try:
        if not path.is_file() or path.stat().st_size > results.READ_MAX:
            raise ResultError(f"`{said}` has no manifest", _HINT)
        content = msgspec.json.decode(path.read_bytes())
        schema = content.get("schema") if isinstance(content, dict) else None
        if schema != SCHEMA:
            told = f"has schema {schema!r:.20}, this version reads {SCHEMA}"
            raise ResultError(f"`{said}` {told}", "use the version that wrote it")
        manifest = msgspec.convert(content, Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        why = escaped(str(error), 200)
        raise ResultError(f"the manifest of `{said}` is none: {why}", _HINT) from None
    if manifest.kind != KIND:
        raise ResultError(f"`{said}` is a `{escaped(manifest.kind, 60)}`", _HINT)
    return manifest


def _verify(manifest: Manifest, folder: Path, there: set[str], said: str) -> None:
    listed = {*manifest.members}
    for name in sorted(there ^ listed | {*_NEEDED} - listed):
        what = "is not in its manifest" if name in there else "is missing"
        raise ResultError(f"`{said}`: the member `{escaped(name, 100)}` {what}", _HINT)
    for name, member in sorted(manifest.members.items()):
        if _member(folder / name) != member:
            raise ResultError(f"`{said}`: the member `{name}` is not what it was", _HINT)
