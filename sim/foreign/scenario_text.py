"""What an import comes to: a scenario as TOML, and what could not be carried over, in lines."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.scenario import DOTS_MAX, SCENARIO_MAX, decode
from virtualtap.errors import UsageError

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario as TOML, and what could not be carried over, in lines."""

    text: str
    left: list[str]


def imported_as(words: Table, left: list[str], hint: str, said: Sequence[str] = ()) -> Imported:
    """The scenario of these words; it is held to what a scenario may be before anybody sees it.

    `said` and `left` stand in comments at its head. UsageError, with `hint`, if it is too long.
    """
    told = ["# Not carried over:", *(f"#   {line}" for line in left)] if left else []
    made = ["# Made by `vtap import`.", *(f"# {line}" for line in said), *told, ""]
    text = "\n".join([*made, *_toml(words, "")]) + "\n"
    size = len(text.encode())
    if size > SCENARIO_MAX:
        raise UsageError(
            f"the scenario would have {size} bytes, at most {SCENARIO_MAX} are read", hint
        )
    decode(text, where=words["name"])
    return Imported(text, left)


def name_of(path: Path) -> str:
    """What a scenario that is made of this file is called."""
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:64].strip("-")
    return name or "imported"


def write_new(path: Path, text: str) -> None:
    """Write the scenario where no file is. UsageError where one is."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"there is a file `{path}` already", "name another") from None


def _toml(table: Table, path: str) -> Iterator[str]:
    """Lines of a table: its values, its tables, its lists of tables; empty lists are left out."""
    for key, value in table.items():
        if not _is_tables(value):
            line = f"{key} = {_value(value)}"
            many = line.count(".") > DOTS_MAX
            yield f"{key} = {_value(value).replace('.', chr(92) + 'u002e')}" if many else line
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ("", f"[{path}{key}]")
            yield from _toml(value, f"{path}{key}.")
        elif _is_tables(value):
            for one in value:
                yield from ("", f"[[{path}{key}]]")
                yield from _toml(one, f"{path}{key}.")


def _is_tables(value: object) -> bool:
    """A table, or a list that holds nothing else, if anything."""
    if isinstance(value, list):
        return all(isinstance(one, dict) for one in value)
    return isinstance(value, dict)


def _value(value: object) -> str:
    # a JSON string is a TOML string, but for what a terminal must not see either
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
