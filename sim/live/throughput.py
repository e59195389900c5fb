"""`vtap live tunnel` between two kernels: what it costs, and what a link that is cut does to it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sim.live import kernel
from sim.live.fidelity import Row, Section
from sim.live.namespace import Namespace, end
from sim.live.packages import environment, unpack

OURS, PEER = "10.9.0.1", "10.9.0.2"
OUR_MAC, PEER_MAC = "02:00:5e:09:00:01", "02:00:5e:09:00:02"
DEAREST, SLOWEST = 1.5, 0.75  # of the bare one's
_TUN, _TAP = "vtun", "vtap"
_PATIENCE_S = 10
_ROUNDS = 5
_TOOLS = ("iperf3", "libiperf0", "libsctp1")


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of iperf3: bits a second, processor seconds of the translator, packets it carried."""

    rate_bps: float
    cpu_s: float
    packets: int

    @property
    def cost_us(self) -> float:
        """Microseconds of processor time a packet."""
        return self.cpu_s / self.packets * 1e6


class Bridge:
    """A kernel with a TUN, one with a TAP, and a command that carries between them."""

    def __init__(
        self, here: Namespace, lan: Namespace, words: tuple[str, ...], address: str
    ) -> None:
        self.here, self.lan = here, lan
        self.process = here.start(command(*words), stdout=subprocess.PIPE)
        self._wait_for(_TAP)
        kernel.batch(
            here,
            f"link set {_TUN} mtu 1500 up",
            f"link set {_TAP} netns {lan.name}",
            *((f"addr replace {address}/24 dev {_TUN}",) if address else ()),
        )
        kernel.batch(
            lan,
            f"link set {_TAP} address {PEER_MAC} up",
            f"addr add {PEER}/24 dev {_TAP}",
        )

    def know(self) -> None:
        """The LAN's kernel need not ask for us."""
        kernel.batch(self.lan, f"neigh replace {OURS} lladdr {OUR_MAC} nud permanent dev {_TAP}")

    def cpu_s(self) -> float:
        """Seconds of processor time that the command has used, its own and the kernel's for it."""
        path = Path(f"/proc/{self.process.pid}/stat")  # `ip netns exec` becomes the command
        numbers = path.read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")

    def status(self) -> str:
        """What Linux tells of the command: proc(5)."""
        return Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")

    def cut(self, seconds: float) -> None:
        """The TAP's link is down for so long."""
        kernel.batch(self.lan, f"link set {_TAP} down")
        sleep(seconds)
        kernel.batch(self.lan, f"link set {_TAP} up")

    def counts(self) -> dict[str, tuple[int, int]]:
        """What the two kernels counted: packets taken from the command, given to it."""
        return {
            "host": kernel.counted(self.here, _TUN),
            "lan": kernel.counted(self.lan, _TAP),
        }

    def ended(self) -> dict[str, Any]:
        """End the command by a signal; what it says then."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=_PATIENCE_S)
        told: dict[str, Any] = json.loads(said)
        return told

    def _wait_for(self, device: str) -> None:
        until = monotonic() + _PATIENCE_S
        while monotonic() < until and self.process.poll() is None:
            try:
                kernel.counted(self.here, device)
            except kernel.Refused:
                sleep(0.02)
            else:
                sleep(0.2)  # and what it still sets up
                return
        raise kernel.Refused(f"{device} does not come up")


_TUNNEL = (
    *("sim", "live", "tunnel", "--tun", _TUN, "--tap", _TAP, "--mac", OUR_MAC),
    *("--address", f"{OURS}/24", "--json", "--quiet"),
)
_BARE = ("sim.live.bare", _TUN, _TAP, OUR_MAC, PEER_MAC)


def command(*words: str) -> tuple[str, ...]:
    """A module of ours with its arguments, run by this Python."""
    return (sys.executable, "-m", *words)


@contextmanager
def bridge(words: tuple[str, ...] = _TUNNEL, address: str = OURS) -> Iterator[Bridge]:
    """Two fresh kernels and the command between them; the host's address. Missing, Refused."""
    with Namespace("host") as here, Namespace("lan") as lan:
        made = Bridge(here, lan, words, address)
        try:
            if words is _BARE:
                made.know()
            yield made
        finally:
            end(made.process)
            assert made.process.stdout is not None
            made.process.stdout.close()


def measured(made: Bridge, seconds: int) -> Measured:
    """iperf3's TCP from the host to the LAN for so long."""
    cpu_s, before = made.cpu_s(), sum(made.counts()["host"])
    with _iperf(made, seconds) as client:
        said, _ = client.communicate(timeout=seconds + _PATIENCE_S)
    rate: float = json.loads(said)["end"]["sum_received"]["bits_per_second"]
    return Measured(rate, made.cpu_s() - cpu_s, sum(made.counts()["host"]) - before)


def sections() -> Iterator[Section]:
    """Both: about two minutes. Missing where there is no iperf3, no TUN."""
    yield compared()
    yield cut_and_restored()


def compared(seconds: int = 3) -> Section:
    """Ours against the bare one, in turns of so many seconds; the best turn of each counts."""
    runs: dict[tuple[str, ...], list[Measured]] = {_BARE: [], _TUNNEL: []}
    for _ in range(_ROUNDS):
        for words, found in runs.items():
            with bridge(words) as made:
                found.append(measured(made, seconds))
    bare, ours = (max(one.rate_bps for one in found) for found in runs.values())
    cheap, cost = (min(one.cost_us for one in found) for found in runs.values())
    rows = [
        Row(
            "processor time a packet",
            f"at most {DEAREST} times the bare one's",
            f"{cost / cheap:.2f} times: {cost:.2f} and {cheap:.2f} µs",
            cost <= DEAREST * cheap,
        ),
        Row(
            "TCP of iperf3, from the host to the LAN",
            f"at least {SLOWEST} of the bare one's",
            f"{ours / bare:.2f}: {ours / 1e9:.2f} and {bare / 1e9:.2f} Gbit/s",
            ours >= SLOWEST * bare,
        ),
    ]
    return Section("The tunnel: what it costs", _TEXT.format(_ROUNDS, seconds), rows)


_TEXT = """\
`vtap live tunnel` between two kernels at an MTU of 1500, against a translator that only reads, adds
or cuts 14 bytes, and writes (`sim/live/bare.py`): {} turns each of {} s of iperf3, and of each the
least disturbed turn. Demanded on the left, found on the right.
"""


def cut_and_restored(seconds: int = 60, times: int = 10) -> Section:
    """iperf3 goes on while the LAN's link is cut again and again; and the books balance."""
    with bridge() as made:
        with _iperf(made, seconds) as client:
            for _ in range(times):
                sleep(seconds / times * 0.8)
                made.cut(0.3)
            said, _ = client.communicate(timeout=seconds + _PATIENCE_S)
        sleep(0.3)
        counts = made.counts()
        told = made.ended()
    last = json.loads(said)["intervals"][-1]["sum"]["bits_per_second"]
    lost = sum(told["lan"]["lost"].values())
    rows = [
        Row(
            f"{seconds} s, the LAN's link cut and restored {times} times",
            "it goes on",
            f"{last / 1e9:.2f} Gbit/s in the last second, {lost} frames lost on the way",
            last > 0,
        ),
        *books(told, counts),
    ]
    text = "Counters of the two kernels (model: what they count) and of the tunnel (real)."
    return Section("The tunnel: a link that is cut", text, rows)


def books(told: dict[str, Any], counts: dict[str, tuple[int, int]]) -> Iterator[Row]:
    """Each packet once: the kernels', the devices', and the engine's counts."""
    for side, (taken, given) in counts.items():
        offered, lost = told[side]["offered"], sum(told[side]["lost"].values())
        yield _counted(f"{side}: kernel gave, tunnel received", given, told[side]["received"])
        yield _counted(f"{side}: kernel took, tunnel sent", taken, offered - lost)
    engine = told["engine"]
    sent = sum(
        engine[name] for name in ("to_ethernet", "released", "requests_sent", "requests_answered")
    )
    yield _counted("engine: frames, sent by the tunnel", sent, told["lan"]["offered"])
    yield _counted("engine: packets, sent by the tunnel", engine["to_ip"], told["host"]["offered"])
    taken_in = (
        engine["to_ethernet"]
        + engine["held"]
        + sum(count for why, count in engine["dropped"].items() if why not in _HELD)
    )
    yield _counted("engine: packets of the host", taken_in, told["host"]["received"])


_HELD = ("unresolved", "held-full")  # booked before, as held


def _counted(what: str, expected: int, found: int) -> Row:
    return Row(what, f"{expected}", f"{found}", expected == found)


@contextmanager
def _iperf(made: Bridge, seconds: int) -> Iterator["subprocess.Popen[bytes]"]:
    """iperf3's server on the LAN and its client on the host, which is given. Missing."""
    tools = unpack(*_TOOLS)
    words, surroundings = (str(tools / "usr/bin/iperf3"), "-J"), environment(tools)
    server = made.lan.start((*words, "-s", "-1"), env=surroundings)
    sleep(0.3)
    client = made.here.start(
        (*words, "-c", PEER, "-t", str(seconds)), env=surroundings, stdout=subprocess.PIPE
    )
    try:
        yield client
    finally:
        end(client)
        end(server)
        assert client.stdout is not None
        client.stdout.close()
