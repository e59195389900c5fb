"""What the engine says in all conformance cases: scapy and dpkt read it alike, tshark is content.

A packet that came wrong goes on wrong. So what tshark says of a case's output it must have said of
the case's input, word for word but for the numbers; what it says of many cases as if they were one
network is not held against us.
"""

import re
import shutil
import subprocess
import warnings
from functools import cache
from typing import NamedTuple

import pytest

from sim.capture import ETHERNET, RAW_IP, PcapngWriter
from sim.conformance.registry import cases
from sim.conformance.verdicts import judge
from virtualtap import VirtualTap
from virtualtap.wire.ethernet import ARP, VLAN

pytest.importorskip("dpkt")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the ciphers that scapy imports
    pytest.importorskip("scapy")
    from tests.wire.oracles import alike

WARNING = 0x600000  # tshark's severity
PREFERENCES = (
    *("ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE"),
    *("arp.detect_duplicate_ips:FALSE", "ip.defragment:FALSE", "ipv6.defragment:FALSE"),
)
ACROSS_CASES = (  # what is no fault where a hundred networks follow each other
    *("Duplicate IP address configured", "retransmission", "keep-alive", "Connection "),
    *("previous segment", "Previous segment", "out-of-order", "No response seen"),
)
# counted bytes stand where UDP's header is, and nobody sees them before they are put together
MADE_WHOLE = (
    "reassembly/complete-headers-are-enough",
    "host",
    "Bad length value # > IP payload length",
)


class Said(NamedTuple):
    """A frame or packet of some case."""

    case: str
    side: str  # lan, host
    into: bool  # given to the engine, or by it
    data: bytes


@cache
def said() -> list[Said]:
    return [
        Said(case.id, one.side, one.into, one.data)
        for case in cases()
        for one in judge(case, VirtualTap).exchange
        if one.data
    ]


def own() -> list[Said]:
    """What the engine wrote itself: no packet in it was in what came in."""
    came: dict[str, list[bytes]] = {}
    for one in said():
        if one.into:
            came.setdefault(one.case, []).append(one.data)
    return [
        one
        for one in said()
        if not one.into and not any(inside(one) in data for data in came.get(one.case, ()))
    ]


def inside(one: Said) -> bytes:
    if one.side == "host":
        return one.data
    if one.data[12:14] == ARP:
        return one.data
    return one.data[18:] if one.data[12:14] == VLAN else one.data[14:]


def complaints(path) -> dict[int, set[str]]:
    """What tshark says of each record of a capture, from a warning on, without its numbers."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    options = [word for each in PREFERENCES for word in ("-o", each)]
    fields = [word for each in ("severity", "message") for word in ("-e", f"_ws.expert.{each}")]
    command = [program, "-r", path, *options, "-T", "fields", "-e", "frame.number", *fields]
    done = subprocess.run(
        [*command, "-E", "aggregator=|", "-Y", f"_ws.expert.severity >= {WARNING}"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {}
    for line in done.stdout.splitlines():
        number, severities, messages = line.split("\t")
        pairs = zip(severities.split("|"), messages.split("|"), strict=True)
        found[int(number)] = {
            re.sub(r"0x[0-9a-f]+|\d+", "#", message)
            for severity, message in pairs
            if int(severity) >= WARNING and not any(each in message for each in ACROSS_CASES)
        }
    return found


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Everything said in all cases, with what tshark says of it."""
    path = tmp_path_factory.mktemp("emitted") / "all.pcapng"
    with path.open("wb") as stream:
        writer = PcapngWriter(stream)
        interfaces = {
            "lan": writer.interface("lan", ETHERNET),
            "host": writer.interface("host", RAW_IP),
        }
        for number, one in enumerate(said()):
            writer.frame(interfaces[one.side], number * 10**9, one.data)
        writer.finish(len(said()) * 10**9)
        assert not writer.stopped
    found = complaints(path)
    return [(one, found.get(number, set())) for number, one in enumerate(said(), 1)]


@pytest.mark.slow
def test_tshark_says_nothing_of_an_output_that_it_did_not_say_of_the_input(judged):
    of_input: dict[str, set[str]] = {}
    for one, words in judged:
        if one.into:
            of_input.setdefault(one.case, set()).update(words)
    added = {
        (one.case, one.side, word)
        for one, words in judged
        if not one.into
        for word in words - of_input.get(one.case, set())
    }
    assert added <= {MADE_WHOLE}


@pytest.mark.slow
def test_tshark_finds_what_is_wrong_in_the_input(judged):
    wrong = {one.case for one, words in judged if one.into and words}
    assert {"ipv4/wrong-tcp-checksum-stays-wrong", "dhcp/wrong-checksum-stays-wrong"} <= wrong


@pytest.mark.slow
def test_scapy_and_dpkt_read_everything_that_the_engine_wrote_alike():
    written = own()
    kinds = {kind for one in written for kind in alike(one.data, one.side)}
    assert len(written) > 1000
    assert kinds >= {"ARP", "IPv4", "IPv6", "UDP", "DHCP", "ICMP", "ICMPv6", "IGMP"}
