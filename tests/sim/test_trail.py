"""The same run twice, in processes whose hashes differ: the first moment that differs is named."""

import json
import sys
from pathlib import Path

import pytest

from sim.trail import Comparison, check, compare
from tests.sim import scenarios
from virtualtap.errors import UsageError

ROOT = Path(__file__).parents[2]
LINES = "5 sent 60 0000abcd a.p\n9 arrived 60 0000abcd b.p\n"
pytestmark = pytest.mark.slow  # each is two processes


def saying(one: str, other: str) -> tuple[str, ...]:
    """A command that writes `one` with the first hash seed, and `other` with the second."""
    choose = f"__import__('os').environ['PYTHONHASHSEED'] == '1' and {one!r} or {other!r}"
    code = f"import sys; sys.stdin.read(); sys.stdout.write({choose})"
    return sys.executable, "-c", code


def test_an_honest_run_is_the_same_twice():
    found = check(scenarios.order())
    assert found.difference is None
    assert found.digest == scenarios.done().digest
    assert found.moments > 100


def test_a_node_that_walks_through_a_set_of_strings_is_found_and_named(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    found = compare((sys.executable, str(ROOT / "tests" / "sim" / "moody.py")))
    assert found.difference is not None
    assert found.difference.number == 7  # three frames were sent and arrived before
    seen = (found.difference.first, found.difference.second)
    assert seen[0] != seen[1]
    assert [one.split(" bytes")[0].rsplit(",", 1)[0] for one in seen] == [
        "0.007000000 s, sent at moody.p"
    ] * 2


def test_a_moment_that_only_one_run_has_is_named():
    found = compare(saying(LINES, LINES[: LINES.index("\n") + 1]))
    assert found.difference is not None
    assert found.difference.number == 2
    assert found.difference.first == "0.000000009 s, arrived at b.p, 60 bytes, CRC-32 0000abcd"
    assert found.difference.second == "the run had ended"


def test_two_trails_that_are_the_same_have_a_digest_and_no_difference():
    told = f"{LINES}digest 1234\n"
    assert compare(saying(told, told)) == Comparison("1234", 2, None)


def test_another_digest_after_the_same_moments_is_a_difference_too():
    found = compare(saying(f"{LINES}digest 12\n", f"{LINES}digest 34\n"))
    assert found.difference is not None
    assert found.difference.number == 3


def test_what_fails_alike_cannot_be_judged():
    code = "import sys; sys.stderr.write('first\\nthe reason\\n'); sys.exit(1)"
    with pytest.raises(UsageError, match="it cannot be run: the reason"):
        compare((sys.executable, "-c", code))


def test_a_scenario_that_cannot_be_run_says_why():
    spoiled = scenarios.SMALL.replace('"gateway"', '"nobody"')
    assert "no endpoint is named `nobody`" in str(
        scenarios.refused(check, scenarios.order(spoiled))
    )


def test_what_would_do_instead_is_said_too():
    error = scenarios.refused(check, scenarios.order(scenarios.SMALL.replace('"gateway"', '"no"')))
    assert error.hint.startswith("there are ")


def test_vtap_run_check_says_that_it_is_the_same(tmp_path, capsys):
    path = scenarios.as_file(tmp_path)
    out = tmp_path / "out"
    status, said, err = scenarios.called(capsys, "run", path, "--check", "--out", out, "--json")
    told = json.loads(said)
    assert (status, err, told["same"], told["difference"]) == (0, "", True, None)
    assert told["digest"] == scenarios.done().digest
    assert not out.exists()
    status, said, err = scenarios.called(capsys, "run", path, "--check")
    assert (status, err) == (0, "")
    assert said.startswith(f"the same twice, {told['moments']} moments: {told['digest']}")


def test_vtap_run_check_says_what_differs(tmp_path, capsys, monkeypatch):
    path = scenarios.as_file(tmp_path)
    other = compare(saying(LINES, LINES.replace("9 ", "8 ")))
    monkeypatch.setattr("sim.trail.check", lambda order: other)
    status, said, _ = scenarios.called(capsys, "run", path, "--check")
    assert status == 1
    assert said.splitlines() == [
        "not the same twice: moment 2 differs",
        "0.000000009 s, arrived at b.p, 60 bytes, CRC-32 0000abcd",
        "0.000000008 s, arrived at b.p, 60 bytes, CRC-32 0000abcd",
    ]


@pytest.mark.parametrize("option", ["--bare", "--parents"])
def test_a_check_takes_no_option_that_it_would_ignore(tmp_path, capsys, option):
    path = scenarios.as_file(tmp_path)
    status, _, err = scenarios.called(capsys, "run", path, "--check", option)
    assert status == 2
    assert scenarios.ONE_LINE.fullmatch(err)
