"""Every fact of the SoftEther server has a row, and every row a test that is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "softether.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if re.match(r"\| (?:[DN][0-9]|[0-7]\.[0-9]+[^|]*|4) \|", line)
]
# the sections of what is known of the product, and what a running one was seen to do besides
SECTIONS = {
    *(f"0.{i}" for i in range(1, 4)),
    *(f"1.{i}" for i in range(1, 20)),
    *(f"2.{i}" for i in range(1, 11)),
    *(f"3.{i}" for i in range(1, 8)),
    "4",
    *(f"5.{i}" for i in range(1, 6)),
    *(f"6.{i}" for i in range(1, 6)),
    *(f"7.2 {i}" for i in range(1, 23)),
    *("D1", "D2", "N1", "N2", "N3", "N4", "N5"),
}
LEFT_OUT = "**left out**"


@cache
def names_in(file: str) -> list[str]:
    """The names of the tests of all files of this name, as words; none where there is no file."""
    return [
        " ".join(node.name.removeprefix("test_").split("_"))
        for path in (ROOT / "tests").rglob(file)
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def named(cell: str) -> list[tuple[str, str]]:
    """Every (file, how its test begins or goes on) of a cell; the latter may be empty."""
    found = []
    for file, said in re.findall(r"`(test_\w+\.py)`(?::([^`]*))?", cell):
        phrases = re.split(r"\. ", said)[0].split(";")  # a remark may follow
        found += [(file, words(phrase)) for phrase in phrases if words(phrase) or not said]
    return found


def test_every_row_has_a_section_a_fact_a_place_and_a_test():
    assert len(ROWS) > 100
    assert [row for row in ROWS if len(row) != 4] == []


def test_every_section_is_there():
    there = {row[0] for row in ROWS}
    named_or_part = there | {section.partition(" ")[0] for section in there}
    assert SECTIONS - named_or_part == set()


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1][:40]}" for row in ROWS])
def test_what_a_row_names_is_there(row):
    _, _, place, cell = row
    assert named(cell) or LEFT_OUT in cell
    for file in re.findall(r"`([\w/]+\.py)`", place):
        assert list((ROOT / "sim").rglob(file.rpartition("/")[2])), file
    assert [
        (file, phrase)
        for file, phrase in named(cell)
        if not any(phrase in name for name in names_in(file))
    ] == []
