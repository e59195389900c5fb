"""What the judge found: explained line by line, as a capture, as test suites, as Markdown."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sim import junit
from sim.capture import ETHERNET, RAW_IP, PcapngWriter, escaped
from sim.conformance import dissect
from sim.conformance.campaign import Judgement
from sim.conformance.registry import Case
from sim.conformance.scope import HEAD, Gap, gaps
from sim.conformance.script import Exchanged, Missed
from sim.conformance.verdicts import Outcome, Verdict
from sim.junit import Suites
from sim.markdown import literal

_MARKS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "FAIL",
    Verdict.INCONCLUSIVE: "not set up",
    Verdict.UNSUPPORTED: "not asked",
    Verdict.ERROR: "ERROR",
}
_WORDS = {
    Verdict.FAIL: junit.FAILURE,
    Verdict.ERROR: junit.ERROR,
    Verdict.INCONCLUSIVE: junit.SKIPPED,
    Verdict.UNSUPPORTED: junit.SKIPPED,
}
_OTHERWISE = "—"
_TEXT_MAX = 500
_FIELD_MAX = 120  # characters
_ONE = {"lan": "frame", "host": "packet"}
_ODD = re.compile(r"[^A-Za-z0-9]+")


def explain(outcome: Outcome) -> Iterator[str]:
    """Line by line: the clause, what it demands, expected against seen, field by field."""
    case = outcome.case
    yield f"{case.id}: {outcome.verdict.value}"
    yield f"  {case.source}: {case.meaning}"
    yield f"  {escaped(outcome.why, _TEXT_MAX)}"
    if outcome.missed is not None:
        yield from (f"  {line}" for line in differences(outcome.missed))


def differences(missed: Missed) -> Iterator[str]:
    """Expected against seen, a line for each field that differs."""
    read = dissect.frame if missed.side == "lan" else dissect.packet
    count = max(len(missed.expected), len(missed.seen))
    for i in range(count):
        wanted = read(missed.expected[i]) if i < len(missed.expected) else []
        found = read(missed.seen[i]) if i < len(missed.seen) else []
        unlike = [row for row in dissect.beside(wanted, found) if not row[3] and any(row[1:3])]
        if unlike and count > 1:
            yield f"{_ONE[missed.side]} {i + 1} of {count}"
        for name, expected, seen, _ in unlike:
            wanted_text, found_text = _from_the_difference(expected, seen)
            yield f"{name}: expected {wanted_text}, saw {found_text}"


def _from_the_difference(expected: str, seen: str) -> Iterator[str]:
    """Both texts; long ones from a little before where they part."""
    same = next(
        (i for i, (one, other) in enumerate(zip(expected, seen, strict=False)) if one != other),
        min(len(expected), len(seen)),
    )
    start = max(0, same // 2 * 2 - 8) if max(len(expected), len(seen)) > _FIELD_MAX else 0
    for text in (expected, seen):
        shown = text[start : start + _FIELD_MAX]
        before, after = "…" * (start > 0), "…" * (start + _FIELD_MAX < len(text))
        yield f"{before}{shown}{after}" if text else "nothing"


def write_capture(outcome: Outcome, path: Path) -> None:
    """The exchange of one case as pcapng: the LAN side and the host side."""
    write_exchange(outcome.exchange, path)


def write_exchange(exchange: Sequence[Exchanged], path: Path) -> None:
    """What was given and what came out, as pcapng: the LAN side and the host side."""
    with path.open("wb") as stream:
        writer = PcapngWriter(stream)
        sides = {
            "lan": writer.interface("lan", ETHERNET),
            "host": writer.interface("host", RAW_IP),
        }
        for one in exchange:
            comment = "given" if one.into else "came out"
            writer.frame(sides[one.side], one.at, one.data, comment, 1 if one.into else 2)
        writer.finish(exchange[-1].at if exchange else 0)


def write_captures(judgement: Judgement, folder: Path) -> list[Path]:
    """Each fail and error as `folder/<column>/<family>-<case>.pcapng`."""
    columns = {column: number for number, column in enumerate(judgement.outcomes)}
    paths = []
    for column, outcome in judgement.failures():
        name = _ODD.sub("-", column).strip("-")[:60]
        path = folder / f"{columns[column]}-{name}" / f"{outcome.case.id.replace('/', '-')}.pcapng"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_capture(outcome, path)
        paths.append(path)
    return paths


def rows(judgement: Judgement) -> Iterator[dict[str, Any]]:
    """Every case with a cell for each column: what a page needs, as JSON has it."""
    for i, case in enumerate(judgement.cases):
        cells = []
        for column, outcomes in judgement.outcomes.items():
            one = outcomes[i]
            if one is None:
                verdict, mark = "otherwise", _OTHERWISE
                told = [case.manner(judgement.profiles[column])]
            else:
                verdict, mark = one.verdict.value, _MARKS[one.verdict]
                told = [] if one.verdict is Verdict.PASS else [*explain(one)][2:]
            cells.append({"verdict": verdict, "mark": mark, "told": told})
        yield {
            "family": case.family,
            "source": case.source,
            "meaning": case.meaning,
            "id": case.id,
            "aliases": list(case.aliases),
            "cells": cells,
        }


def suites(judgement: Judgement) -> Suites:
    """One suite for each target under each profile."""
    return {
        name: [
            _case(case, one, judgement.profiles[name])
            for case, one in zip(judgement.cases, outcomes, strict=True)
        ]
        for name, outcomes in judgement.outcomes.items()
    }


def _case(case: Case, one: Outcome | None, profile: str) -> junit.Case:
    if one is None:
        return junit.Case(case.family, case.id, junit.SKIPPED, f"otherwise: {case.manner(profile)}")
    if one.verdict is Verdict.PASS:
        return junit.Case(case.family, case.id)
    return junit.Case(case.family, case.id, _WORDS[one.verdict], one.why, tuple(explain(one)))


def markdown(judgement: Judgement) -> str:
    """The page docs/conformance.md: what the judge is, every case, and what is not done."""
    summary = judgement.summary()
    targets = list(map(literal, judgement.outcomes))
    lines = [
        HEAD,
        f"## {summary['cases']} cases of {summary['clauses']} clauses",
        "",
        "| clause | demands | case | " + " | ".join(targets) + " |",
        "|---|---|---|" + "---|" * len(targets),
    ]
    for i, case in enumerate(judgement.cases):
        outcomes = [column[i] for column in judgement.outcomes.values()]
        verdicts = [_OTHERWISE if one is None else _MARKS[one.verdict] for one in outcomes]
        known_as = f" ({', '.join(case.aliases)})" if case.aliases else ""
        cells = [case.source, case.meaning, f"`{case.id}`{known_as}", *verdicts]
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    lines += _otherwise(judgement)
    lines += ["", "## Not done", "", "| what others ask | why not here |", "|---|---|"]
    lines += [f"| {_cell(_asked(gap))} | {_cell(gap.why)} |" for gap in gaps()]
    return "\n".join(lines) + "\n"


def _otherwise(judgement: Judgement) -> Iterator[str]:
    """Where a profile has another manner: which one, and for how many cases."""
    told: dict[tuple[str, str], list[str]] = {}
    for column, profile in judgement.profiles.items():
        pairs = zip(judgement.cases, judgement.outcomes[column], strict=True)
        for case in (case for case, one in pairs if one is None and "strict" in case.profiles):
            told.setdefault((profile, case.manner(profile)), []).append(case.id)
    if told:
        yield from ("", "## Otherwise", "")
        yield from ("| profile | its manner | not for it |", "|---|---|---|")
    for (profile, manner), ids in told.items():
        yield f"| {profile} | {manner} | {', '.join(f'`{one}`' for one in ids)} |"


def _asked(gap: Gap) -> str:
    """TC8:ARP_05, TC8:ARP_06 are written `TC8:ARP_05, 06`."""
    names, stem = [], ""
    for alias in gap.aliases:
        number = alias.rpartition("_")[2].rpartition(":")[2]
        names.append(number if alias.removesuffix(number) == stem else alias)
        stem = alias.removesuffix(number)
    return f"{gap.what} ({', '.join(names)})" if names else gap.what


def _cell(text: str) -> str:
    """Words of ours, whose marks are meant."""
    return text.replace("|", "\\|").replace("<", "&lt;")
