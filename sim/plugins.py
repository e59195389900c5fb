"""Plugins: what an installed package, or a module named by `--plugin`, adds to our own tables.

Entry points of the group `virtualtap.plugins`, and modules, name a `Plugin`. A scenario, a bundle
or a database never does.
"""

import importlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from inspect import signature
from pathlib import Path
from typing import Any

from sim import build, expect, versions
from sim.actions import enact
from sim.actions.enact import Ends, Span, Traffic
from sim.actions.troubles import FAULTS, FaultKind, probability, span, whole
from sim.faults import Exactly
from sim.laws.invariants import INVARIANTS
from sim.laws.law import Invariant
from sim.network import Network
from sim.node import Node
from sim.nodes.gateway import LanGateway
from sim.nodes.interface import Addresses
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.probes import PROBES, Probe
from sim.words.traffic import TRAFFIC, Conversation
from topologies import CATALOG, Graph, names, vocabulary
from topologies.vocabulary import Attachment
from virtualtap.errors import UsageError

__all__ = [
    "FaultKind",
    "NodeKind",
    "Plugin",
    "TrafficKind",
    "install",
    "load",
    "probability",
    "span",
    "whole",
]

GROUP = "virtualtap.plugins"
VARIABLE = "VTAP_PLUGINS"  # what `--plugin` named, for the processes that `vtap` starts
_ATTRIBUTE = "PLUGIN"
_TAG_FIELD = Conversation.__struct_config__.tag_field
_NODES = (Station, LanGateway, Switch)
_VERSION_MAX = 64  # characters
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HINT = "`--plugin MODULE`, whose `PLUGIN` is a `sim.plugins.Plugin`"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKind:
    """A kind of node: a class with its `kind`, whose docstring's first line says what it is.

    A `Station` or `LanGateway` is an endpoint, a `Switch` is what endpoints hang from. An endpoint
    hangs from `least` to `most` hubs and switches (None: any number). Without `make` it is made as
    ours are; `make` has its name, and its addresses in each LAN.
    """

    node: type[Station] | type[LanGateway] | type[Switch]
    least: int = 1
    most: int | None = 1
    make: Callable[[str, Sequence[Addresses]], Node] | None = None

    def made(self, name: str, addresses: Sequence[Addresses]) -> Node:
        """One of this name. UsageError where `make` made something else."""
        node = self._made(name, addresses)
        if not isinstance(node, self.node):
            hint = f"`make` of a `NodeKind` gives a `{self.node.__name__}`"
            raise UsageError(f"`{self.node.kind}` was made as `{type(node).__name__}`", hint)
        return node

    def _made(self, name: str, addresses: Sequence[Addresses]) -> Node:
        if self.make is not None:
            return self.make(name, addresses)
        if issubclass(self.node, Station):
            return self.node(name, addresses[0])
        node = self.node(name)
        if isinstance(node, LanGateway):
            for one in addresses:
                node.add_interface(one)
        return node


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficKind:
    """A kind of traffic: its words, a struct with a `tag`, and what speaks so.

    `make(words, network, number, ends, span)` gives what has a `flow` of that number, and `start`.
    """

    words: type[Conversation]
    make: Callable[[Any, Network, int, Ends, Span], Traffic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What one plugin adds, all of it or nothing."""

    name: str
    version: str
    nodes: Sequence[NodeKind] = ()
    faults: Sequence[FaultKind] = ()
    probes: Sequence[type[Probe]] = ()
    invariants: Sequence[type[Invariant]] = ()
    traffic: Sequence[TrafficKind] = ()
    topologies: Mapping[str, Callable[..., Graph]] | None = None


_installed: dict[str, Plugin] = {}
_modules: list[str] = []  # that were named
_found: list[bool] = []  # whether the entry points were loaded


def load(modules: Iterable[str] = ()) -> None:
    """All that is installed, and these modules: `MODULE`, or `MODULE:NAME`.

    Twice is once. UsageError, one line that names the plugin, where one cannot be had.
    """
    if not _found:
        for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
            _bring(point.name, point.load)
        _found.append(True)
    for module in (*_inherited(), *modules):
        if module not in _modules:
            _bring(module, partial(_attribute, module))
            _modules.append(module)
    if _modules:
        os.environ[VARIABLE] = "\n".join(_modules)


def options() -> str:
    """What a command that repeats a run has to say of the modules that were named."""
    return "".join(f" --plugin {shlex.quote(module)}" for module in _modules)


def require(had: Mapping[str, str]) -> None:
    """UsageError unless each plugin of a run that was made with these versions is loaded."""
    missing = versions.missing(had)
    if missing:
        what = ", ".join(f"`{one:.80}`" for one in missing)
        hint = "install it, or name it: `--plugin MODULE`"
        raise UsageError(f"the run had a plugin that is not here: {what}", hint)


def install(plugin: Plugin) -> None:
    """Add it to the tables. UsageError where a name is taken; then nothing is added."""
    if _installed.get(plugin.name) is plugin:
        return
    _check_kinds(plugin)
    _check_new("plugin", plugin.name, _installed, plugin)
    with _all_or_nothing():
        _add_nodes(plugin)
        for kind in plugin.faults:
            _check_new("fault", kind.fault.name, (*FAULTS, Exactly.name), plugin)
            FAULTS[kind.fault.name] = kind
        for probe in plugin.probes:
            taken = {field.partition(".")[0] for field in expect.FIELDS}
            _check_new("probe", probe.name, {*taken, *_SUMMARY}, plugin)
            for number, field in enumerate(probe.fields):
                _check_new("field", field, probe.fields[:number], plugin)
            PROBES[probe.name] = probe
            expect.FIELDS.extend(f"{probe.name}.{field}" for field in probe.fields)
        for law in plugin.invariants:
            _check_new("invariant", law.name, INVARIANTS, plugin)
            INVARIANTS[law.name] = law
        for spoken in plugin.traffic:
            _check_new("traffic", spoken.words.kind(), TRAFFIC, plugin)
            TRAFFIC[spoken.words.kind()] = spoken.words
            enact.SPEAKERS[spoken.words.kind()] = spoken.make
        for name, function in (plugin.topologies or {}).items():
            _check_new("topology", name, names(), plugin)
            CATALOG[name] = function
        _installed[plugin.name] = plugin
        versions.PLUGINS[plugin.name] = plugin.version


@contextmanager
def kept() -> Iterator[None]:
    """What is installed inside is gone afterwards."""
    before = [table.copy() for table in _TABLES]
    variable = os.environ.get(VARIABLE)
    try:
        yield
    finally:
        _restore(before)
        os.environ.pop(VARIABLE, None)
        if variable is not None:
            os.environ[VARIABLE] = variable


def _add_nodes(plugin: Plugin) -> None:
    for kind in plugin.nodes:
        name, node = kind.node.kind, kind.node
        _check_new("node kind", name, vocabulary.KINDS, plugin)
        says = (node.__doc__ or name).partition("\n")[0].removesuffix(".")
        most = "any number of" if kind.most is None else f"at most {kind.most}"
        rule = f"attach a {name} to hubs or switches: at least {kind.least}, {most}"
        is_site = issubclass(node, Switch)
        attachment = None if is_site else Attachment(rule, kind.least, kind.most)
        vocabulary.add_kind(name, says, attachment)
        build.MAKERS[name] = _maker(kind)
        if not is_site:
            build.ADDRESSED.add(name)
        if issubclass(node, LanGateway):
            build.ROUTERS.add(name)


def _maker(kind: NodeKind) -> Callable[[str, build.Plan], Node]:
    if issubclass(kind.node, Switch):
        return lambda name, plan: kind.made(name, ())
    return lambda name, plan: kind.made(name, plan.addresses(name))


def _check_new(what: str, name: str, taken: Iterable[str], plugin: Plugin) -> None:
    if not _NAME.fullmatch(name):
        hint = "small letters, digits, `-` and `_`, 64 at most"
        raise UsageError(f"plugin {plugin.name!r:.60}: {what} {name!r:.60} is no name", hint)
    if name in taken:
        message = f"plugin `{plugin.name}`: there is a {what} `{name:.60}` already"
        raise UsageError(message, "rename it, or leave one of the two out")


def _check_kinds(plugin: Plugin) -> None:
    """That all is of the kind that `Plugin` says: else it is found in the midst of a run."""
    topologies = plugin.topologies or {}
    listed: list[tuple[str, object, bool]] = [
        ("name", plugin.name, isinstance(plugin.name, str)),
        ("version", plugin.version, _is_version(plugin.version)),
        *(("nodes", one, _is_node(one)) for one in plugin.nodes),
        *(("faults", one, _is_fault(one)) for one in plugin.faults),
        *(("probes", one, _is_probe(one)) for one in plugin.probes),
        *(("invariants", one, _is_class(one, Invariant)) for one in plugin.invariants),
        *(("traffic", one, _is_spoken(one)) for one in plugin.traffic),
        *(("topologies", one, _is_map(one)) for one in topologies.values()),
    ]
    for field, one, is_right in listed:
        if not is_right:
            what = f"plugin {plugin.name!r:.60}: `{field}` has {one!r:.80}"
            raise UsageError(what, "docs/plugins.md says what each is")


def _is_class(one: object, of: type) -> bool:
    return isinstance(one, type) and issubclass(one, of)


def _is_version(one: object) -> bool:
    return isinstance(one, str) and len(one) <= _VERSION_MAX and (not one or one.isprintable())


def _is_node(kind: object) -> bool:
    if not isinstance(kind, NodeKind):
        return False
    counts = type(kind.least) is int and (kind.most is None or type(kind.most) is int)
    made = kind.make is None or callable(kind.make)
    return counts and made and any(_is_class(kind.node, one) for one in _NODES)


def _is_fault(kind: object) -> bool:
    """Whether its words are read, and are what it is made with."""
    if not isinstance(kind, FaultKind):
        return False
    try:
        signature(kind.fault).bind(**dict.fromkeys(kind.words))
    except TypeError:
        return False
    return all(map(callable, kind.words.values())) and {*kind.like} <= {*FAULTS}


def _is_probe(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, Probe) and isinstance(one.fields, tuple)


def _is_spoken(kind: object) -> bool:
    if not isinstance(kind, TrafficKind):
        return False
    words = kind.words
    is_one = _is_class(words, Conversation) and words.__struct_config__.tag_field == _TAG_FIELD
    return is_one and callable(kind.make)


def _is_map(one: object) -> bool:
    """Whether it can be called without parameters."""
    return callable(one) and all(
        each.default is not each.empty for each in signature(one).parameters.values()
    )


def _bring(name: str, find: Callable[[], object]) -> None:
    with _in_words(name):
        found = find()
    if not isinstance(found, Plugin):
        raise UsageError(f"plugin `{name:.100}` is a `{type(found).__name__}`", _HINT)
    try:
        install(found)
    except UsageError:
        raise
    except Exception as error:  # what it lists may be anything
        with _in_words(name):
            raise error from None


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:  # a stranger's module may do anything
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"plugin `{name:.100}` cannot be loaded: {what:.200}", _HINT) from None


def _attribute(said: str) -> object:
    module, _, name = said.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:  # a console script looks only where packages are installed
        sys.path.append(here)
    return getattr(importlib.import_module(module), name or _ATTRIBUTE)


def _inherited() -> list[str]:
    return [one for one in os.environ.get(VARIABLE, "").split("\n") if one]


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    before = [table.copy() for table in _TABLES]
    try:
        yield
    except BaseException:
        _restore(before)
        raise


def _restore(before: list[Any]) -> None:
    for table, content in zip(_TABLES, before, strict=True):
        table.clear()
        (table.extend if isinstance(table, list) else table.update)(content)


_TABLES: tuple[Any, ...] = (
    *(vocabulary.KINDS, vocabulary.SITES, vocabulary.ATTACHMENTS, CATALOG),
    *(build.MAKERS, build.ADDRESSED, build.ROUTERS, FAULTS, PROBES, expect.FIELDS, INVARIANTS),
    *(TRAFFIC, enact.SPEAKERS, versions.PLUGINS, _installed, _modules, _found),
)
# what stands in a summary beside what `[expect]` may name
_SUMMARY = ("schema", "scenario", "seed", "verdict", "failed", "dropped")
