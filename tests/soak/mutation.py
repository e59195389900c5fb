"""Is every small change of the codecs, the handlers, the table of neighbours noticed by a test?

mutmut changes them, one expression at a time, in a copy of the tree that stays in `.venv/mutation`:
a run that was interrupted goes on there, and after a change of the source only what changed is
judged anew; after a change of the tests, what had survived. `tests/soak/survivors.json` says why
each survivor may live, and `docs/mutation.md` is written from it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

from tests.soak.report import ROOT, Report

PLACE = ROOT / ".venv" / "mutation"
REASONS = ROOT / "tests" / "soak" / "survivors.json"
PAGE = ROOT / "docs" / "mutation.md"
COPIED = (
    *("virtualtap", "sim", "topologies", "reports", "tests"),
    *("docs", "examples", "pyproject.toml", "README.md"),
)
JUDGES = (
    "tests/wire",
    "tests/engine",
    "tests/sim/conformance/test_verdicts.py::test_every_case_passes_on_the_engine",
)
# by mutmut's exit codes: the tests passed; there were none; they were stopped
SURVIVED, UNTOUCHED, TOO_LONG = 0, (5, 33), (-24, 24, 36, 152, 255)
LEAST = 90  # percent
# what an error says is for people to judge
SETTINGS = """[mutmut]
source_paths =
    virtualtap
only_mutate =
    virtualtap/wire/*.py
    virtualtap/handlers/*.py
    virtualtap/neighbors.py
do_not_mutate_patterns =
    WireError\\(
    ^\\s+f"
also_copy =
    {copied}
pytest_add_cli_args =
    --hypothesis-seed=0
    -m
    not slow
    -p
    no:cacheprovider
pytest_add_cli_args_test_selection =
    {judges}
timeout_multiplier = 6
use_git_change_detection = false
on_dependency_change = ignore
"""
HEAD = """# Mutants that live

mutmut changed `virtualtap/wire`, `virtualtap/handlers` and `virtualtap/neighbors.py` one expression
at a time, and the tests of the engine and the conformance cases judged each change. What no test
noticed is below, with the reason why it may live; `make soak PART=mutation` writes this page, and
`tests/soak/survivors.json` holds the reasons.
"""


def run(report: Report) -> None:
    """Judge all mutants; at least 90 % must be killed, and each survivor have a reason."""
    _copy()
    _forgive_survivors()
    _mutmut("run", "--max-children", str(os.cpu_count() or 1), out=None)
    results = _results()
    living = sorted(name for name, code in results.items() if code in (SURVIVED, *UNTOUCHED))
    killed = len(results) - len(living)
    reasons = _reasons(sorted({_row(name) for name in living}))
    _write_page(reasons, killed, len(results))
    unexplained = [row for row, reason in reasons.items() if not reason]
    report.figure("mutants", len(results))
    report.figure("killed", f"{killed:,} ({100 * killed / len(results):.1f} %)")
    slow = sum(code in TOO_LONG for code in results.values())
    report.figure("of them because the tests never ended", slow)
    report.figure("survivors without a reason", len(unexplained))
    report.write()
    assert 100 * killed >= LEAST * len(results), f"fewer than {LEAST} % were killed"
    assert not unexplained, f"say in {REASONS.name} why these live: {unexplained}"


def _copy() -> None:
    """The tree as it is now, beside what an earlier run found out."""
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source, target = ROOT / name, PLACE / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    settings = SETTINGS.format(copied="\n    ".join(COPIED), judges="\n    ".join(JUDGES))
    (PLACE / "setup.cfg").write_text(settings, encoding="utf-8")
    # which tests reach which function is found out anew: mutmut asks new tests only
    (PLACE / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)


def _forgive_survivors() -> None:
    """Where the tests are not what they were, those that survived are judged again."""
    sources = sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "sim").rglob("*.py"))
    digest = blake2b(b"".join(path.read_bytes() for path in sources)).hexdigest()
    note = PLACE / "judges"
    if note.exists() and note.read_text(encoding="ascii") == digest:
        return
    for path in (PLACE / "mutants").rglob("*.meta"):
        found = json.loads(path.read_text(encoding="utf-8"))
        codes = found["exit_code_by_key"]
        codes.update({name: None for name, code in codes.items() if code in (0, *UNTOUCHED)})
        path.write_text(json.dumps(found), encoding="utf-8")
    note.write_text(digest, encoding="ascii")


def _results() -> dict[str, int]:
    """Each mutant's exit code."""
    found: dict[str, int] = {}
    for path in sorted((PLACE / "mutants").rglob("*.meta")):
        found.update(json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"])
    waiting = [name for name, code in found.items() if code is None]
    assert not waiting, f"{len(waiting)} mutants were not judged"
    return found


def _row(name: str) -> str:
    """`wire.tcp.clamped: old → new`: what a survivor is known by when lines have moved."""
    place = re.sub(r"__mutmut_\d+$", "", name).removeprefix("virtualtap.")
    place = place.replace("xǁ", "").replace("ǁ", ".").replace(".x_", ".")
    lines = _mutmut("show", name, out=subprocess.PIPE).splitlines()
    old, new = (
        " ".join(
            line[1:].strip() for line in lines if re.match(rf"[{sign}](?![{sign}]{{2}})", line)
        )
        for sign in "-+"
    )
    return f"{place}: {old} → {new}"


def _reasons(rows: list[str]) -> dict[str, str]:
    """Why each of these may live; the file has an empty reason where one is wanted."""
    known: dict[str, str] = json.loads(REASONS.read_text(encoding="utf-8"))
    reasons = {row: known.get(row, "") for row in rows}
    text = json.dumps(reasons, indent=2, ensure_ascii=False)
    REASONS.write_text(text + "\n", encoding="utf-8")
    return reasons


def _mutmut(*words: str, out: int | None) -> str:
    command = (str(Path(sys.executable).parent / "mutmut"), *words)
    paths = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=PLACE, stdout=out, text=True, check=True, env=paths)
    return done.stdout or ""


def _write_page(reasons: dict[str, str], killed: int, total: int) -> None:
    page = [HEAD, f"{killed:,} of {total:,} were killed: {100 * killed / total:.1f} %.\n"]
    page += ["| where | what | why it may live |", "|---|---|---|"]
    for row, reason in reasons.items():
        place, change = row.split(": ", 1)
        shown = change.replace("|", "\\|").replace("`", "'")
        page.append(f"| `{place}` | `{shown}` | {reason or '**not explained**'} |")
    PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")
