"""What the judge found: explained line by line, as a capture, as JUnit, as Markdown."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from sim.capture import ETHERNET, RAW_IP, PcapngWriter, escaped
from sim.conformance import dissect
from sim.conformance.campaign import Judgement
from sim.conformance.scope import HEAD, Gap, gaps
from sim.conformance.verdicts import Outcome, Verdict

_MARKS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "FAIL",
    Verdict.UNSUPPORTED: "not asked",
    Verdict.ERROR: "ERROR",
}
_WORDS = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.UNSUPPORTED: "skipped"}
_TEXT_MAX = 500
_MARKUP = re.compile(r"[\\`*_\[\]<>|&~]")


def explain(outcome: Outcome) -> Iterator[str]:
    """Line by line: the clause, what it demands, expected against seen, field by field."""
    case = outcome.case
    yield f"{case.id}: {outcome.verdict.value}"
    yield f"  {case.source}: {case.meaning}"
    yield f"  {escaped(outcome.why, _TEXT_MAX)}"
    missed = outcome.missed
    if missed is None:
        return
    read = dissect.frame if missed.side == "lan" else dissect.packet
    for i in range(max(len(missed.expected), len(missed.seen))):
        wanted = read(missed.expected[i]) if i < len(missed.expected) else []
        found = read(missed.seen[i]) if i < len(missed.seen) else []
        for name, expected, seen, alike in dissect.beside(wanted, found):
            if not alike and (expected or seen):
                yield f"  {name}: expected {expected or 'nothing'}, saw {seen or 'nothing'}"


def write_capture(outcome: Outcome, path: Path) -> None:
    """The exchange of one case as pcapng: the LAN side and the host side."""
    with path.open("wb") as stream:
        writer = PcapngWriter(stream)
        sides = {
            "lan": writer.interface("lan", ETHERNET),
            "host": writer.interface("host", RAW_IP),
        }
        for one in outcome.exchange:
            comment = "given" if one.into else "came out"
            writer.frame(sides[one.side], one.at, one.data, comment, 1 if one.into else 2)
        writer.finish(outcome.exchange[-1].at if outcome.exchange else 0)


def junit(judgement: Judgement) -> str:
    """One test suite for each target."""
    root = ElementTree.Element("testsuites")
    for name, outcomes in judgement.outcomes.items():
        suite = ElementTree.SubElement(root, "testsuite", name=escaped(name, _TEXT_MAX))
        suite.set("tests", str(len(outcomes)))
        for verdict, word in ((Verdict.FAIL, "failures"), (Verdict.ERROR, "errors")):
            suite.set(word, str(sum(one.verdict is verdict for one in outcomes)))
        for one in outcomes:
            case = ElementTree.SubElement(
                suite, "testcase", classname=one.case.family, name=one.case.id
            )
            if one.verdict in _WORDS:
                told = ElementTree.SubElement(case, _WORDS[one.verdict])
                told.set("message", escaped(one.why, _TEXT_MAX))
                told.text = "\n".join(explain(one))
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def markdown(judgement: Judgement) -> str:
    """The page docs/conformance.md: what the judge is, every case, and what is not done."""
    summary = judgement.summary()
    targets = list(map(_literal, judgement.outcomes))
    lines = [
        HEAD,
        f"## {summary['cases']} cases of {summary['clauses']} clauses",
        "",
        "| clause | demands | case | " + " | ".join(targets) + " |",
        "|---|---|---|" + "---|" * len(targets),
    ]
    for i, case in enumerate(judgement.cases):
        verdicts = [_MARKS[outcomes[i].verdict] for outcomes in judgement.outcomes.values()]
        known_as = f" ({', '.join(case.aliases)})" if case.aliases else ""
        cells = [case.source, case.meaning, f"`{case.id}`{known_as}", *verdicts]
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    lines += ["", "## Not done", "", "| what others ask | why not here |", "|---|---|"]
    lines += [f"| {_cell(_asked(gap))} | {_cell(gap.why)} |" for gap in gaps()]
    return "\n".join(lines) + "\n"


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


def _literal(text: str) -> str:
    """A stranger's words, of which no mark is one."""
    return _MARKUP.sub(r"\\\g<0>", escaped(text, _TEXT_MAX)).replace("\\<", "&lt;")
