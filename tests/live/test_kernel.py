"""The engine's profile `linux` against Linux itself, a sample; `make live` asks all of it."""

import os
from contextlib import closing

import pytest

from sim.conformance.registry import cases
from sim.conformance.target_kernel import KernelTranslator, judge_in_time, unavailable
from sim.conformance.targets import target
from sim.conformance.verdicts import Verdict
from sim.live import kernel, kernel_differential, stimuli_arp, stimuli_ndp
from sim.live.fidelity import Missing
from sim.live.namespace import Namespace
from sim.live.stacks import EngineStack, KernelStack
from virtualtap.errors import UsageError

REASON = unavailable()
pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(REASON is not None, reason=f"no kernel to ask: {REASON}"),
]
ARP, NDP = dict(stimuli_arp.stimuli()), dict(stimuli_ndp.stimuli())


@pytest.fixture(scope="module")
def stacks():
    """The engine, and a kernel of its own."""
    with Namespace("test", ipv6=True) as namespace, closing(KernelStack(namespace)) as real:
        yield EngineStack(), real


@pytest.mark.parametrize(
    "stimulus",
    [
        "request for our address, to all",
        "unasked reply to us",
        "request from off the link",
        "request of a group's MAC",
        "request with hardware type 6",
        "request with a priority tag",
    ],
)
def test_linux_and_the_profile_react_alike_in_arp(stacks, stimulus):
    model, real = (
        kernel_differential.reaction(stack, ARP[stimulus], stimuli_arp.PEER) for stack in stacks
    )
    assert model == real
    assert "#" in model or "nothing" in model


@pytest.mark.parametrize(
    "stimulus",
    [
        "solicitation in our group",
        "solicitation at our address",
        "probe for our address",
        "advertisement, asked for",
        "router advertisement with a prefix",
    ],
)
def test_linux_and_the_profile_react_alike_in_ndp(stacks, stimulus):
    model, real = (
        kernel_differential.reaction(stack, NDP[stimulus], stimuli_ndp.PEER6) for stack in stacks
    )
    assert model == real
    assert "#" in model or "nothing" in model


def test_two_stacks_with_other_tables_are_not_alike(stacks):
    model, real = stacks
    model.begin(stimuli_arp.PEER, state="STALE")
    real.begin(stimuli_arp.PEER, state="REACHABLE")
    assert model.table() != real.table()


def test_linux_passes_what_it_should_and_fails_what_it_does_otherwise():
    asked = [case for case in cases("arp") if "strict" in case.profiles][:60]
    judged = [
        (one.case.id, one.verdict is Verdict.PASS, "linux" in one.case.profiles)
        for one in judge_in_time(asked, KernelTranslator, None)
        if one.verdict is not Verdict.UNSUPPORTED
    ]
    assert len(judged) > 20
    assert [name for name, passed, follows in judged if passed != follows] == []


def test_a_case_that_waits_too_long_is_not_asked():
    (case,) = (one for one in cases() if one.id == "profiles/unused-neighbor-stays")
    (outcome,) = judge_in_time([case], KernelTranslator, "linux")
    assert (outcome.verdict, outcome.why) == (Verdict.UNSUPPORTED, "it must wait 18000 s")


def test_the_target_has_a_name():
    assert target("kernel") is KernelTranslator


def test_a_device_that_another_has_cannot_be_had():
    with Namespace("test") as namespace:
        fd = kernel.open_in(namespace, "tap", "taken")
        with pytest.raises(UsageError, match="the tap `taken` cannot be had: device or resource"):
            kernel.open_in(namespace, "tap", "taken")
        os.close(fd)


def test_without_the_device_of_linux_a_live_run_is_missing_something(monkeypatch, tmp_path):
    monkeypatch.setattr(kernel, "DEVICE", tmp_path / "tun")
    with pytest.raises(Missing, match="no such file or directory"):
        kernel.open_device("tun", "any")


def test_what_ip_refuses_is_told():
    with Namespace("test") as namespace, pytest.raises(kernel.Refused, match="Cannot find device"):
        kernel.batch(namespace, "link set nowhere up")
