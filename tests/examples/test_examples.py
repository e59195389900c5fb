"""Every example holds what it promises, is the same run everywhere, and can fail."""

import json
import re

import pytest

from sim import cli
from sim.run import perform
from sim.scenario import decode
from tests.examples.record import DIGESTS, EXAMPLES, order

pytestmark = pytest.mark.slow
NAMES = [path.name for path in EXAMPLES]


@pytest.fixture(scope="session")
def ran(tmp_path_factory):
    """The run of an example, done once."""
    done = {}

    def run(path):
        if path not in done:
            done[path] = perform(order(path), tmp_path_factory.mktemp("example"))[0]
        return done[path]

    return run


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_holds_what_it_expects(ran, path):
    run = ran(path)
    assert (run.verdict, run.failed) == ("pass", [])
    assert decode(run.scenario_text).expect != {}


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_is_the_same_run_everywhere(ran, path):
    # after a change that is meant: `python -m tests.examples.record`
    assert ran(path).digest == json.loads(DIGESTS.read_text()).get(path.name)


def test_no_digest_is_of_an_example_that_is_gone():
    assert sorted(json.loads(DIGESTS.read_text())) == NAMES


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_a_spoiled_example_fails_and_says_what_where_and_when(path, tmp_path, capsys):
    spoiled = "expect.delivered={min=999999999999}"  # all the others stay, and hold
    arguments = ["run", str(path), "--capture", "none", "--out", str(tmp_path), "--set", spoiled]
    assert cli.call(arguments) == cli.FAILED
    said = capsys.readouterr().out
    assert re.findall(r"\n(\w+): \d+ is not at least (\d+), first at [\d.]+ s\n", said) == [
        ("delivered", "999999999999")
    ]
