"""With what a run was made: versions, as far as they may matter to it."""

import platform
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PLUGINS: dict[str, str] = {}  # those that are loaded: name → version
PLUGIN = "plugin "  # before their names
CODE = "code"
_PACKAGES = ("virtualtap", "simpy", "networkx", "topohub")
_SOURCES = ("sim", "topologies", "virtualtap")  # of our packages: reports only show what was


def packages() -> dict[str, str]:
    """Those on which every moment of a run depends."""
    plugins = {PLUGIN + name: PLUGINS[name] for name in sorted(PLUGINS)}
    return {**{name: _version(name) for name in _PACKAGES}, CODE: code(), **plugins}


@cache
def code() -> str:
    """A sum of our own source, which is changed more often than its version."""
    top = Path(__file__).parents[1]
    sum_ = blake2b(digest_size=8)
    for path in sorted(one for name in _SOURCES for one in (top / name).rglob("*.py")):
        data = path.read_bytes()
        sum_.update(f"{path.relative_to(top).as_posix()} {len(data)}\n".encode() + data)
    return sum_.hexdigest()


def missing(had: Mapping[str, str]) -> list[str]:
    """Of the plugins in `versions()` of some run, those that are not loaded now: `nat 1.0`."""
    plugins = {key.removeprefix(PLUGIN): key for key in had if key.startswith(PLUGIN)}
    return [f"{name} {had[key]}" for name, key in plugins.items() if name not in PLUGINS]


def versions() -> dict[str, str]:
    """Those, and where it ran."""
    return {"python": platform.python_version(), "system": platform.system(), **packages()}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
