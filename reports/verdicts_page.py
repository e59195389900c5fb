"""The judge's verdicts as one self-contained HTML file: a column for each target and profile."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reports import style
from reports.templates import environment

COLUMN_MAX, LINE_MAX, CELL_LINES = 80, 300, 40  # characters, characters, lines of one cell
GOOD = ("pass", "otherwise", "unsupported")
MEANINGS = {
    "pass": "exactly what the clause demands came out",
    "fail": "something else did",
    "inconclusive": "what the case only sets up did not come about",
    "unsupported": "the target lacks what the case needs",
    "error": "it raised, crashed, hung or flooded",
    "otherwise": "the profile has another manner, so the case is not for it",
}


def write_verdicts(
    summary: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], path: Path
) -> Path:
    """Write the page to `path`, and return it. OSError where it cannot be written.

    `summary` is what `vtap conform --json` prints. A row has `family, source, meaning, id,
    aliases` and `cells`: for each column in the order of `summary["verdicts"]` a `verdict`, the
    `mark` that stands for it and `told`, lines that explain it. The same input gives the same
    bytes.
    """
    families: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        families.setdefault(row["family"], []).append(_shown(row))
    columns = [_cut(name, COLUMN_MAX) for name in summary["verdicts"]]
    template = environment().get_template("verdicts.html")
    text = template.render(
        summary=summary,
        columns=columns,
        counts=[(_cut(name, COLUMN_MAX), _counts(summary, name)) for name in summary["verdicts"]],
        families=[
            (name, found, [_told(found, i) for i in range(len(columns))])
            for name, found in families.items()
        ],
        meanings=MEANINGS,
        style=style,
    )
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _counts(summary: Mapping[str, Any], column: str) -> dict[str, int]:
    others = len(summary["not_applicable"][column])
    return {**summary["verdicts"][column], "otherwise": others}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    cells = [
        {**cell, "told": [_cut(line, LINE_MAX) for line in cell["told"][:CELL_LINES]]}
        for cell in row["cells"]
    ]
    verdicts = {cell["verdict"] for cell in cells}
    return {**row, "cells": cells, "is_good": verdicts <= {*GOOD}, "is_same": verdicts == {"pass"}}


def _told(rows: Iterable[Mapping[str, Any]], column: int) -> tuple[bool, str]:
    """Whether a family is good in a column, and in words how many of its cases passed."""
    verdicts = [row["cells"][column]["verdict"] for row in rows]
    asked = [verdict for verdict in verdicts if verdict != "otherwise"]
    return {*verdicts} <= {*GOOD}, f"{asked.count('pass')} of {len(asked)}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
