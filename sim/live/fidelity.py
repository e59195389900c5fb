"""What the models say and what the real ones do, row by row, and the page that shows both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TITLE = "Fidelity: the models against the real ones"
AGAIN = "A part in which something differs is judged again, at most twice: others use the machine."


class Missing(Exception):
    """Something that a judge needs is not here: it is skipped, and this says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stimulus: what came of it in the model, and in reality; `cause` of a known difference."""

    stimulus: str
    model: str
    real: str
    same: bool
    cause: str = ""

    @property
    def verdict(self) -> str:
        """As the table says it."""
        if self.same:
            return "same"
        return f"known: {self.cause}" if self.cause else "**differs**"


@dataclass(frozen=True, slots=True)
class Section:
    """One table: who was asked, how, and the rows."""

    title: str
    text: str
    rows: Sequence[Row] = ()

    def tally(self) -> str:
        """How many are the same, known to differ, and unexplained."""
        same = sum(row.same for row in self.rows)
        known = sum(not row.same and bool(row.cause) for row in self.rows)
        left = len(self.rows) - same - known
        return f"{same} of {len(self.rows)} the same, {known} known, {left} unexplained"


def unexplained(sections: Iterable[Section]) -> list[tuple[str, Row]]:
    """The rows that differ without a cause, each with the title of its section."""
    return [
        (section.title, row)
        for section in sections
        for row in section.rows
        if not (row.same or row.cause)
    ]


def page(sections: Sequence[Section], machine: str) -> str:
    """The Markdown page: a summary, then each section. `machine` says where it was measured."""
    tabled = [section for section in sections if section.rows]
    lines = [f"# {TITLE}", "", f"Written by `make live`. {machine} {AGAIN}", ""]
    lines += ["| what was compared | verdict |", "|---|---|"]
    lines += [f"| {section.title} | {section.tally()} |" for section in tabled]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.text]
        if section.rows:
            lines += ["", "| stimulus | model | real | same? |", "|---|---|---|---|"]
            lines += [_line(row) for row in section.rows]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    cells = (row.stimulus, row.model, row.real, row.verdict)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
