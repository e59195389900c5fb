"""What the documents say of the judge is what the judge says."""

import re
from pathlib import Path

import pytest

from sim.conformance.campaign import Judgement, conform
from sim.conformance.findings import markdown
from sim.conformance.mutants import MUTANTS, load
from virtualtap.profiles import PROFILES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    return conform(["engine"], profiles=list(PROFILES))


@pytest.mark.slow
def test_the_page_of_the_judge_is_current(judgement: Judgement) -> None:
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    current = markdown(judgement) == page  # a difference of a thousand lines helps nobody
    assert current, "write it anew: `vtap conform --profile all --markdown docs/conformance.md`"


@pytest.mark.slow
def test_the_numbers_of_the_readme_are_current(judgement: Judgement) -> None:
    load()
    summary = judgement.summary()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.search(
        r"(\d+)\s+cases\s+of\s+(\d+)\s+clauses.*?(\d+)\s+wrong\s+engines", readme, re.DOTALL
    )
    assert told, "README.md does not count the judge's cases"
    assert [*map(int, told.groups())] == [summary["cases"], summary["clauses"], len(MUTANTS)]
