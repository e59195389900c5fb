"""docs/security.md names only what is there."""

import re
from pathlib import Path

from sim.conformance.registry import cases

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/security.md").read_text()


def test_every_case_that_it_names_is_one():
    named = set(re.findall(r"`([a-z0-9]+/[a-z0-9-]+)`", TEXT))
    assert len(named) > 50
    assert named - {case.id for case in cases()} == set()


def test_every_test_that_it_names_is_one():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)
    assert len(named) > 3
    missing = [
        (path, name) for path, name in named if f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert missing == []
