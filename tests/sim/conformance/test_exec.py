"""A child on stdin and stdout as the target: what it is told, and all it can do wrong."""

import importlib.util
import os
import select
import shlex
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from sim.conformance import isolation
from sim.conformance.campaign import conform
from sim.conformance.isolation import judge_apart
from sim.conformance.registry import cases
from sim.conformance.script import CONFIG
from sim.conformance.target_exec import config_text
from sim.conformance.targets import is_foreign, target
from sim.conformance.verdicts import Verdict, judge
from tests.sim.scenarios import refused
from virtualtap import TapConfig, VirtualTap
from virtualtap.serving import Serving
from virtualtap.wire.address import ip

CASES = {case.id: case for case in cases()}
ANSWERED = CASES["arp/request-for-us-is-answered"]
STRANGE = Path(__file__).with_name("strange_child.py")
ADAPTER = Path(__file__).parents[3] / "examples" / "targets" / "python" / "adapter.py"

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # xdist has threads


def strange(*way):
    """The target that is wrong in this way."""
    words = (sys.executable, "-I", "-S", STRANGE, *way)
    return target(f"exec:{shlex.join(map(str, words))}")


@pytest.fixture(scope="module")
def adapter():
    """The module examples/targets/python/adapter.py."""
    spec = importlib.util.spec_from_file_location("adapter", ADAPTER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ROUTES = ((ip("192.0.2.0"), 24, ip("10.0.0.9")), (ip("198.51.100.0"), 25, ip("0.0.0.0")))
OFFER = Serving(pool=(ip("10.0.0.50"), ip("10.0.0.60")), routes=ROUTES)
SERVING = TapConfig(our_mac=CONFIG.our_mac, our_ip=ip("10.0.0.1"), serve=OFFER)
ROUTED = replace(CONFIG, routes=ROUTES, our_ip6=(ip("fd00::2"), ip("fe80::2")))


def test_the_configuration_is_a_line_for_each_field():
    lines = config_text(replace(ROUTED, dhcp=True, gateway_ip=None)).decode().split("\n")
    assert (lines[0], lines[-1]) == ("schema=1", "")
    assert [line.partition("=")[0] for line in lines[1:-1]] == [one.name for one in fields(CONFIG)]
    assert {
        "our_mac=02005e000002",
        "gateway_ip=",
        "dhcp=1",
        "slaac=0",
        "defend=once",
        "neighbor_lifetime=300000000000",
        "our_ip6=fd000000000000000000000000000002,fe800000000000000000000000000002",
        "routes=c0000200/24/0a000009,c6336400/25/00000000",
    } <= {*lines}


def test_a_part_of_the_configuration_has_lines_of_its_own():
    lines = config_text(SERVING)
    assert b"\nserve.pool=0a000032,0a00003c\nserve.server_ip=\n" in lines
    assert b"\nserve=" not in lines


@pytest.mark.parametrize("config", [CONFIG, ROUTED, SERVING, TapConfig(our_mac=CONFIG.our_mac)])
def test_the_adapter_in_python_reads_what_was_told(adapter, config):
    told = dict(line.split("=", 1) for line in config_text(config).decode().splitlines())
    assert adapter.configuration(told) == config


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("arp/unknown-neighbor-is-asked-for", "arp/probes-are-spaced"),
        *("ethernet/padding-is-cut", "dhcp/clients-are-apart", "dhcp/release-is-the-end"),
        *("ndp/link-local-destination-is-asked-for", "reassembly/smallest-fragments-are-joined"),
    ],
)
def test_the_protocol_loses_nothing(name):
    case = CASES[name]
    apart = judge_apart(case, target(f"exec:{shlex.join((sys.executable, str(ADAPTER)))}"))
    assert apart == judge(case, VirtualTap)
    assert apart.verdict is Verdict.PASS


TOO_LONG = "no answer within 0.5 s, or too long a one"


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("garbage", "a message has a length from 1 to 65600, got 1214606444"),
        ("empty", "a message has a length from 1 to 65600, got 0"),
        ("unknown", "no answer is of the kind b'Z'"),
        ("short", "a deadline needs 8 bytes, got 4"),
        ("talks", "an answer of more than 4096 messages, or 8 MiB"),
        ("floods", "an answer of more than 4096 messages, or 8 MiB"),
    ],
)
def test_what_the_protocol_does_not_allow_is_an_error_in_words(way, why):
    outcome = judge_apart(ANSWERED, strange(way))
    assert (outcome.verdict, outcome.why) == (Verdict.ERROR, f"ProtocolError: {why}")


def test_a_wrong_length_is_an_error_before_anything_follows_it():
    outcome = judge_apart(ANSWERED, strange("endless"))
    assert outcome.why == ("ProtocolError: a message has a length from 1 to 65600, got 4294967295")


def test_a_deadline_that_stays_is_an_error():
    outcome = judge_apart(CASES["arp/probes-are-spaced"], strange("late"))
    assert outcome.why == "ProtocolError: the deadline stays at 0, and it is 0"


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("leaves", "with status 7: then\x1b this"),
        ("leaves quietly", "with status 0"),
        ("dies", "by SIGSEGV"),
        pytest.param("deaf", "it no longer reads", marks=pytest.mark.slow),
        pytest.param("mute", "it closed its stdout", marks=pytest.mark.slow),
        ("shouts", "with status 1: loud"),
    ],
)
def test_an_early_end_is_an_error_with_its_last_words(way, why):
    outcome = judge_apart(ANSWERED, strange(way))
    assert (outcome.verdict, outcome.why) == (Verdict.ERROR, f"ChildEnded: {why}")


@pytest.mark.parametrize(
    ("way", "why"), [("unsupported", "it knows no \ufffd"), ("unsaid", "it does not say why")]
)
def test_what_a_child_cannot_be_asked_is_unsupported(way, why):
    outcome = judge_apart(ANSWERED, strange(way))
    assert (outcome.verdict, outcome.why) == (Verdict.UNSUPPORTED, why)


def test_a_child_that_does_nothing_fails():
    outcome = judge_apart(ANSWERED, strange("silent"))
    assert (outcome.verdict, outcome.why) == (Verdict.FAIL, "to the lan: expected 1, saw 0")
    assert [one.into for one in outcome.exchange] == [True]


@pytest.mark.slow
def test_after_three_hangs_in_a_row_no_more_is_tried(monkeypatch):
    monkeypatch.setattr(isolation, "BOUNDS", replace(isolation.BOUNDS, seconds=0.5))
    monkeypatch.setattr(isolation, "_SLOW", 0.4)
    hangs = strange("hangs")
    said = [judge_apart(ANSWERED, hangs).why for _ in range(5)]
    assert said == [TOO_LONG] * 3 + ["not tried: 3 cases in a row took too long"] * 2
    assert judge_apart(ANSWERED, strange("silent")).verdict is Verdict.FAIL


def test_what_a_child_started_ends_with_the_case(tmp_path):
    os.mkfifo(tmp_path / "grandchild")
    stream = os.open(tmp_path / "grandchild", os.O_RDONLY | os.O_NONBLOCK)
    judge_apart(ANSWERED, strange("parent", tmp_path / "grandchild"))
    said = []
    while not said or said[-1]:  # the end comes when nobody holds it open
        assert select.select([stream], [], [], 10)[0], "it is alive"
        said.append(os.read(stream, 100))
    os.close(stream)
    assert b"".join(said) == b"here here "  # for init, and for the frame


@pytest.mark.parametrize(
    "command", ["", "  ", "no-such-command at all", "'", "./none", str(STRANGE)]
)
def test_a_command_that_is_not_there_is_a_usage_error(command):
    error = refused(conform, [f"exec:{command}"])
    assert "exec:COMMAND" in error.hint


def test_all_but_the_engine_is_foreign():
    names = ("engine", "python:a:b", "c:a.so", "exec:a")
    assert [is_foreign(name) for name in names] == [False, True, True, True]
