"""What GitHub Actions is told of cases: annotations, as workflow commands, and a job summary.

The escapes are those of actions/toolkit, packages/core/src/command.ts.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from sim.capture import escaped
from sim.junit import ERROR, FAILURE, SKIPPED, Case, Suites
from sim.markdown import literal

SUMMARY = "GITHUB_STEP_SUMMARY"  # names the file
ANNOTATIONS_MAX = 10  # of one step and kind: GitHub shows no more
_SUMMARY_MAX = 1024 * 1024  # bytes of one step
_WORKSPACE = "GITHUB_WORKSPACE"
_TITLE_MAX, _LINE_MAX, _ROWS_MAX = 200, 500, 200
_MARKS = {FAILURE: "failed", ERROR: "could not be judged", SKIPPED: "not asked"}


def annotations(suites: Suites) -> Iterator[str]:
    """A workflow command for each case that failed, as many as are shown; the last counts more."""
    bad = [(name, case) for name, cases in suites.items() for case in _bad(cases)]
    shown = bad if len(bad) <= ANNOTATIONS_MAX else bad[: ANNOTATIONS_MAX - 1]
    for name, case in shown:
        title = escaped(f"{name}: {case.name}", _TITLE_MAX)
        lines = [case.why, *case.told] if case.why not in case.told else case.told
        message = "\n".join(escaped(line, _LINE_MAX) for line in lines) or _MARKS[case.outcome]
        file = f"file={_property(_in_workspace(case.file))}," if case.file else ""
        yield f"::error {file}title={_property(title)}::{_data(message)}"
    if len(shown) < len(bad):
        yield f"::error title=vtap::{len(bad) - len(shown)} more failed"


def summary(suites: Suites) -> str:
    """Markdown: how many of each suite held, and a line for each case that did not."""
    lines = []
    for name, cases in suites.items():
        bad = _bad(cases)
        skipped = sum(case.outcome == SKIPPED for case in cases)
        held = len(cases) - len(bad) - skipped
        counts = f"{held} held, {len(bad)} failed" + (f", {skipped} not asked" if skipped else "")
        lines += [f"### {literal(name)}: {'failed' if bad else 'passed'}", "", counts, ""]
        if bad:
            lines += ["| what | verdict | why |", "|---|---|---|"]
            lines += [
                f"| {literal(case.name)} | {_MARKS[case.outcome]} | {literal(case.why)} |"
                for case in bad[:_ROWS_MAX]
            ]
            lines += [""]
        if len(bad) > _ROWS_MAX:
            lines += [f"and {len(bad) - _ROWS_MAX} more", ""]
    return "\n".join(lines) + "\n"


def append_summary(suites: Suites) -> None:
    """Add it to the step's, where GitHub names a file for it. OSError where it cannot be."""
    name = os.environ.get(SUMMARY)
    if not name:
        return
    path = Path(name)
    text = summary(suites)
    there = path.stat().st_size if path.exists() else 0
    if there + len(text.encode()) <= _SUMMARY_MAX:  # more, and GitHub shows nothing
        with path.open("a", encoding="utf-8") as file:
            file.write(text)


def _bad(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if case.outcome in (FAILURE, ERROR)]


def _in_workspace(file: str) -> str:
    """As GitHub knows it: from the root of the repository."""
    path, root = Path(file).absolute(), os.environ.get(_WORKSPACE)
    inside = root is not None and path.is_relative_to(root)
    return escaped((path.relative_to(root) if inside and root else PurePath(file)).as_posix(), 4096)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
