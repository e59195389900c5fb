"""ns-3 as a peer: the same tree on Debian's package, compiled here when its source is newer."""

import json
import subprocess
from pathlib import Path
from shutil import which

NEEDS = "apt-get install ns3 libns3-dev libgsl-dev g++ pkg-config"
COMPILER = ("g++", "-O2", "-std=c++17")
DEVICE, SCHEDULER = "simple", "ns3::PriorityQueueScheduler"  # of its queues the fastest here
SOURCE = Path(__file__).parent / "ns3_tree.cc"
PROGRAM = Path(__file__).parents[2] / "build" / "benchmarks" / "ns3_tree"
MODULES = ("core", "network", "csma", "bridge", "internet", "applications")


class Absent(Exception):
    """ns-3 or a compiler is not installed."""


def look() -> None:
    """Absent where ns-3, what it links with, or the compiler is missing."""
    for tool in ("g++", "pkg-config"):
        if which(tool) is None:
            raise Absent(f"no `{tool}` here (hint: {NEEDS})")
    for library in ("ns3-core", "gsl"):
        if subprocess.run(("pkg-config", "--exists", library), check=False).returncode:
            raise Absent(f"no `{library}` here (hint: {NEEDS})")


def build() -> None:
    """Compile the program unless it is there and newer than its source."""
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > SOURCE.stat().st_mtime:
        return
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    libraries = _output("pkg-config", "--libs", *(f"ns3-{name}" for name in MODULES)).split()
    _output(*COMPILER, str(SOURCE), "-o", str(PROGRAM), *libraries)


def run(*, count: bool) -> dict[str, object]:
    """One run: `ns3` (its version), `delivered`, `wall_s`, and with `count` the `crossings`."""
    device, scheduler = f"--device={DEVICE}", f"--scheduler={SCHEDULER}"
    answer = _output(str(PROGRAM), device, scheduler, "--checksums=1", f"--count={count:d}")
    result: dict[str, object] = json.loads(answer)
    return result


def _output(*command: str) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()
