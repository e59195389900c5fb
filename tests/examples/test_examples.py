"""Every example holds what it promises, is the same run everywhere, and can fail."""

import json
import re

import pytest

from sim.cli import main as cli
from sim.run import perform
from sim.scenario import decode
from tests.examples.record import DIGESTS, EXAMPLES, order

pytestmark = pytest.mark.slow
NAMES = [path.name for path in EXAMPLES]


HEAVY = {"abilene.toml", "cascade-100.toml", "geant.toml", "tree-8x16.toml"}  # seconds each


def spoiled():
    """Each example, which is run anew for it."""
    return [
        pytest.param(path, marks=pytest.mark.long if path.name in HEAVY else ())
        for path in EXAMPLES
    ]


@pytest.fixture(scope="module", params=EXAMPLES, ids=NAMES)
def path(request):
    """An example; what is asked of one stands together, so that it runs once."""
    return request.param


@pytest.fixture(scope="module")
def ran(path, tmp_path_factory):
    """Its run."""
    return perform(order(path), tmp_path_factory.mktemp("example"))[0]


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


def test_an_example_holds_what_it_expects(ran):
    assert (ran.verdict, ran.failed) == ("pass", [])
    assert decode(ran.scenario_text).expect != {}


def test_an_example_is_the_same_run_everywhere(ran, path):
    # after a change that is meant: `python -m tests.examples.record`
    assert ran.digest == json.loads(DIGESTS.read_text()).get(path.name)


def test_no_digest_is_of_an_example_that_is_gone():
    assert sorted(json.loads(DIGESTS.read_text())) == NAMES


@pytest.mark.parametrize("path", spoiled(), ids=NAMES)
def test_a_spoiled_example_fails_and_says_what_where_and_when(path, tmp_path, capsys):
    spoiled = "expect.delivered={min=999999999999}"  # all the others stay, and hold
    arguments = ["run", str(path), "--capture", "none", "--out", str(tmp_path), "--set", spoiled]
    assert cli.call(arguments) == cli.FAILED
    said = capsys.readouterr().out
    assert re.findall(r"\n(\w+): \d+ is not at least (\d+), first at [\d.]+ s\n", said) == [
        ("delivered", "999999999999")
    ]
