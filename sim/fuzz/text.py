"""A scenario as values → its TOML text: the same text for the same values on every machine."""

import json
import re
from collections.abc import Mapping
from typing import Any

from sim.scenario import DOTS_MAX

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def to_toml(content: Mapping[str, Any]) -> str:
    """TOML of a scenario's keys, in their order: tables in lists become `[[key]]`.

    Values are what `tomllib` gives: text, integers, floats, booleans, lists and tables.
    """
    plain, tables = [], []
    for key, value in content.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for one in value:
                lines = [_line(name, inside) for name, inside in one.items()]
                tables.append("\n".join([f"[[{_key(key)}]]", *lines]))
        else:
            plain.append(_line(key, value))
    return "\n\n".join(["\n".join(plain), *tables]) + "\n"


def _line(name: str, value: Any) -> str:
    line = f"{_key(name)} = {_value(value)}"
    if line.count(".") <= DOTS_MAX:
        return line
    return _QUOTED.sub(lambda found: found[0].replace(".", "\\u002e"), line)


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    """A JSON string is a TOML string, but for what a terminal must not see."""
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
