"""What docs/scenarios.md shows as a whole scenario is one."""

import re
from pathlib import Path

import pytest

from tests.sim.scenarios import done

GUIDE = Path(__file__).parents[2] / "docs" / "scenarios.md"
WHOLE = [
    text
    for text in re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    if text.startswith("name = ")
]


@pytest.mark.parametrize("text", WHOLE)
def test_a_whole_scenario_of_the_guide_runs(text):
    assert done(text).verdict == "pass"


def test_the_example_of_servers_is_whole():
    assert any("[[servers.switches]]" in text for text in WHOLE)
