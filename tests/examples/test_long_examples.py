"""The beginning of every long example holds what the whole one expects (`make prove` runs that)."""

import re
from pathlib import Path

import pytest

from sim.run import Order, perform

LONG = sorted((Path(__file__).parents[2] / "examples" / "long").glob("*.toml"))
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", LONG, ids=[path.name for path in LONG])
def test_the_first_quarter_of_an_hour_of_a_long_example_holds(path):
    text = path.read_text(encoding="utf-8")
    counts = re.findall(r"(?m)^delivered = .*$", text)
    assert len(counts) == 1  # what grows with the time is not yet there
    changes = ('until="15min"', "timeline=[]", "expect.delivered={min=200}")
    order = Order(text=text, folder=path.parent, where=path.name, changes=changes, capture="none")
    run, _ = perform(order, None)
    assert (run.verdict, run.failed) == ("pass", [])
