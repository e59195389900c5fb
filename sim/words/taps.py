"""What a scenario may say of taps: the fields of `virtualtap.config.TapConfig`, by their names."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from sim.words.quantities import duration
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.wire.address import ip, mac

Taps = tuple[dict[str, Any], ...]  # `match`, and fields

# `serve` makes a tap the router of Ethernet peers, which no topology has
_FIELDS = {one.name: one for one in fields(TapConfig) if one.name != "serve"}
_NONE = "none"  # a field that is not set
# what the name of a time has in it, and that of a number has not
_OF_TIME = {"delay", "fuzz", "interval", "lifetime", "spacing", "time", "timeout", "ttl", "wait"}


def check(taps: Taps) -> None:
    """UsageError for the first word that is not known: it lists the right ones."""
    for entry in taps:
        match = entry.get("match")
        if not isinstance(match, str) or not 0 < len(match) <= 256:
            raise UsageError("`taps`: no `match` says which", 'write `match = "tap*"`')
        try:
            _said(entry)
        except UsageError as error:
            raise UsageError(f"taps `{match:.60}`: {error}", error.hint) from None


def settings(taps: Taps, name: str) -> Mapping[str, Any]:
    """What is said of the tap of this name, as `TapConfig` takes it: the last entry wins."""
    found: dict[str, Any] = {}
    for entry in taps:
        if fnmatchcase(name, entry["match"]):
            found |= _said(entry)
    return found


def is_time(name: str) -> bool:
    """Whether a field of this name is a time."""
    return not _OF_TIME.isdisjoint(name.split("_"))


def _said(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in entry.items() if name != "match"}


def _value(name: str, value: Any) -> Any:
    """One word as its field takes it; `TapConfig` judges the rest. UsageError where it cannot."""
    if name not in _FIELDS:
        close = get_close_matches(name[:64], _FIELDS, 1)
        meant = f"did you mean `{close[0]}`? " if close else ""
        there = ", ".join(_FIELDS)
        raise UsageError(f"no field is named `{name:.60}`", f"{meant}there are {there}")
    default = _FIELDS[name].default
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise UsageError(f"`{name}` is `{value!s:.60}`", "write `true` or `false`")
        return value
    if is_time(name):
        return duration(value if isinstance(value, str) else str(value))
    if isinstance(default, tuple):
        return _several(name, value)
    return _address(name, value) if isinstance(value, str) else value


def _address(name: str, text: str) -> bytes | str | None:
    if text == _NONE and _FIELDS[name].default is None:
        return None
    if name.endswith("_mac"):
        return mac(text)
    return ip(text) if name.endswith(("_ip", "_ip6")) else text


def _several(name: str, value: object) -> tuple[Any, ...]:
    """Addresses, or routes as `["10.1.0.0", 16, "10.0.0.1"]`."""
    form = '`[["10.1.0.0", 16, "10.0.0.1"]]`' if name == "routes" else '`["239.1.2.3"]`'
    wrong = UsageError(f"`{name}` is `{value!s:.60}`", f"write it as {form}")
    if not isinstance(value, list):
        raise wrong
    if name != "routes":
        if not all(isinstance(one, str) for one in value):
            raise wrong
        return tuple(ip(one) for one in value)
    routes = []
    for one in value:
        if not isinstance(one, list) or [type(part) for part in one] != [str, int, str]:
            raise wrong
        routes.append((ip(one[0]), one[1], ip(one[2])))
    return tuple(routes)
