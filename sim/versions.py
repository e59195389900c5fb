"""With what a run was made: versions, as far as they may matter to it."""

import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

PLUGINS: dict[str, str] = {}  # those that are loaded: name → version
PLUGIN = "plugin "  # before their names
_PACKAGES = ("virtualtap", "simpy", "networkx", "topohub")


def packages() -> dict[str, str]:
    """Those on which every moment of a run depends."""
    plugins = {PLUGIN + name: PLUGINS[name] for name in sorted(PLUGINS)}
    return {**{name: _version(name) for name in _PACKAGES}, **plugins}


def missing(had: Mapping[str, str]) -> list[str]:
    """Of the plugins in `versions()` of some run, those that are not loaded now: `nat 1.0`."""
    plugins = {key.removeprefix(PLUGIN): key for key in had if key.startswith(PLUGIN)}
    return [f"{name} {had[key]}" for name, key in plugins.items() if name not in PLUGINS]


def versions() -> dict[str, str]:
    """Those, and where it ran."""
    return {"python": platform.python_version(), "system": platform.system(), **packages()}


@lru_cache(maxsize=len(_PACKAGES))
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
