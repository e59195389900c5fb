"""Writes docs/museum.md: every regression with its thread, its rule, and what the engine does.

python -m tests.house.museum
"""

from pathlib import Path

from sim.conformance.museum import BUGS, EXHIBITS, Exhibit
from sim.conformance.mutants import load
from sim.conformance.registry import ALL, Case, cases
from sim.conformance.verdicts import judge
from tests.sim.test_museum import SCENES
from virtualtap.tap import VirtualTap

PAGE = Path(__file__).parents[2] / "docs" / "museum.md"
HEAD = """\
# The bug museum

Mistakes that others made and told in public, each remade as a test. The first table is of
translators: a case that any target can be judged by, and a wrong engine that has the bug, which the
case catches.

```
vtap conform --family museum                          # our engine
vtap conform --family museum --target exec:./adapter  # yours
vtap conform --family museum --mutants                # is every bug caught by its case?
```

The second table is of hubs, hosts and whole networks: scenarios in `tests/sim/test_museum.py`.
Where a thread is a repository, the bug is one that we measured there ourselves. A dash stands
before the profiles that have another manner ([profiles](profiles.md)).
`python -m tests.house.museum` writes this page.
"""


def page() -> str:
    """The whole page."""
    load()
    found = cases("museum")
    assert {case.id for case in found} == set(EXHIBITS) == set(BUGS)
    lines = [HEAD, f"## {len(found)} cases for translators", "", *_head("case"), *map(_row, found)]
    lines += ["", f"## {len(SCENES)} scenes of networks", "", *_head("test")]
    lines += [_line(each, "holds") for each in SCENES]
    return "\n".join(lines) + "\n"


def _head(what: str) -> tuple[str, str]:
    return f"| {what} | thread | symptom | rule | engine |", "|---|---|---|---|---|"


def _row(case: Case) -> str:
    verdict = judge(case, VirtualTap).verdict.value
    others = [profile for profile in ALL if profile not in case.profiles]
    return _line(EXHIBITS[case.id], verdict + (f" (— {', '.join(others)})" if others else ""))


def _line(exhibit: Exhibit, engine: str) -> str:
    thread = f"[{exhibit.thread}]({exhibit.link})"
    name = exhibit.name.partition("/")[2]
    return f"| `{name}` | {thread} | {exhibit.symptom} | {exhibit.rule} | {engine} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
