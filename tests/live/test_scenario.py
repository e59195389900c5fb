"""A simulated network in real time: a real kernel's ping crosses it."""

import json
import os
import signal
import socket
import subprocess
from time import monotonic

import pytest

from sim.cli.main import WRONG_CALL, call
from sim.conformance.target_kernel import unavailable
from sim.live.namespace import Namespace, end
from sim.live.throughput import command
from virtualtap.wire import checksum, icmp

REASON = unavailable()
NEEDS_KERNEL = pytest.mark.skipif(REASON is not None, reason=f"no kernel to ask: {REASON}")
FAR = "10.0.0.6"  # s3
SCENARIO = """
name = "three-hubs"
until = "60s"
topology = { name = "chain", nodes = 3 }
sites = { taps = 1, stations = 1 }

[[links]]
match = "hub2--hub3"
delay = "20ms"
faults = [{ fault = "loss", probability = 0.2 }]
"""


@pytest.fixture
def scenario(tmp_path):
    """The file."""
    path = tmp_path / "three-hubs.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def echo(number):
    """A question of ICMP."""
    bare = bytes((icmp.ECHO_REQUEST, 0, 0, 0, 7, 7)) + number.to_bytes(2) + b"across three hubs"
    return bare[:2] + checksum.internet(bare).to_bytes(2) + bare[4:]


def times_of_answers(namespace, address, count, seconds):
    """A question every 20 ms: how long each answer took that came."""
    with namespace.entered():
        pinger = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sent, times = {}, {}
    with pinger:
        pinger.settimeout(0.02)
        until = monotonic() + seconds
        while monotonic() < until and len(times) < count:
            if len(sent) < count:
                sent[len(sent)] = monotonic()
                pinger.sendto(echo(len(sent) - 1), (address, 0))
            try:
                packet = pinger.recv(2000)
            except TimeoutError:
                continue
            if packet[20] == icmp.ECHO_REPLY:
                number = int.from_bytes(packet[26:28])
                times[number] = monotonic() - sent[number]
    return list(times.values())


@pytest.mark.live
@NEEDS_KERNEL
@pytest.mark.slow
@pytest.mark.parametrize("attached", ["vtap=s1", "vtun=h1"])
def test_a_real_ping_crosses_three_simulated_hubs_and_a_lossy_link(scenario, attached):
    words = command("sim", "live", "scenario", str(scenario), "--attach", attached, "--json")
    with Namespace("real") as namespace:
        process = namespace.start(words, stdout=subprocess.PIPE, env=dict(os.environ))
        try:
            device, until = attached.partition("=")[0], monotonic() + 10
            while f" {device} " not in namespace.ip("route") and monotonic() < until:
                assert process.poll() is None
            times = times_of_answers(namespace, FAR, 100, seconds=4)
            process.send_signal(signal.SIGTERM)
            told = json.loads(process.communicate(timeout=5)[0])
        finally:
            end(process)
            process.stdout.close()
    assert 30 <= len(times) < 100, "about two of three cross the link twice"
    assert min(times) >= 0.04, "twice 20 ms"
    assert sorted(times)[len(times) // 2] < 0.5
    assert (told["ledger"], process.returncode) == ([], 0)
    assert told["attached"][device]["given"] >= len(times)
    assert told["dropped"]["link-loss"] > 0


@pytest.mark.parametrize(
    ("attached", "complaint"),
    [
        ("vtap", "`vtap` attaches nothing"),
        ("vtap=nobody", "`nobody` is no station"),
        ("vtap=hub1", "`hub1` is no station"),
    ],
)
def test_what_cannot_be_attached_is_one_line(scenario, attached, complaint, capsys):
    assert call(["live", "scenario", str(scenario), "--attach", attached]) == WRONG_CALL
    assert capsys.readouterr().err.startswith(f"error: {complaint}")
