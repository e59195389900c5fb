"""The peers and the budget, side by side, in one run: `make bench [LIBRARY=/path/to/libmine.so]`.

Exit status 1 where two simulators do not count the same, a row is above twice its budget, or the
engine is not as much faster than a packet library as it must be.
"""

import json
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median

from budget import measure
from peers import ns3, packets
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
VTAP = Path(sys.executable).parent / "vtap"
SCENARIO = "examples/tree-8x16.toml"
COUNTS = {"crossings": 124_740, "delivered": 25_344}  # of this work, on every simulator
PAIRS = 5
SETTING = f"CPython {platform.python_version()}, plain Python, checksums on"


def ours() -> dict[str, object]:
    """One run of virtualtap in a process of its own."""
    command = [str(VTAP), "run", SCENARIO, "--bare", "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def wrong(name: str, result: dict[str, object], *judged: str) -> list[str]:
    """Which of the judged counts differ from the work's, in words."""
    return [
        f"{name} counts {result[what]} {what}, the work has {COUNTS[what]}"
        for what in judged
        if result[what] != COUNTS[what]
    ]


def alone(console: Console) -> list[str]:
    """Our figure where there is no peer; returns what is wrong."""
    results = [ours() for _ in range(PAIRS)]
    walls = [float(str(result["wall_s"])) for result in results]
    console.print(f"virtualtap: {median(walls):.3f} s, the median of {PAIRS} ({SETTING})")
    return [line for result in results for line in wrong("virtualtap", result, *COUNTS)]


def compare(console: Console) -> list[str]:
    """Five alternating pairs; returns what is wrong."""
    ns3.build()
    counted = ns3.run(count=True)
    errors = wrong("ns-3", counted, *COUNTS)
    table = Table("pair", "virtualtap s", "ns-3 s", "virtualtap / ns-3", title="tree-8x16")
    pairs = []
    for number in range(1, PAIRS + 1):
        mine, theirs = ours(), ns3.run(count=False)
        errors += wrong("virtualtap", mine, *COUNTS) + wrong("ns-3", theirs, "delivered")
        pair = float(str(mine["wall_s"])), float(str(theirs["wall_s"]))
        pairs.append(pair)
        table.add_row(str(number), f"{pair[0]:.3f}", f"{pair[1]:.3f}", f"{pair[0] / pair[1]:.2f}")
    mine_s, theirs_s = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(mine / theirs for mine, theirs in pairs)
    table.add_section()
    table.add_row("median", f"{mine_s:.3f}", f"{theirs_s:.3f}", f"{ratio:.2f}")
    console.print(table)
    console.print(f"virtualtap: {SETTING}, observers off, counters on")
    console.print(
        f"ns-3 {counted['ns3']}: Debian's build (logs in), this program by "
        f"`{' '.join(ns3.COMPILER)}`, full-duplex {ns3.DEVICE} device, {ns3.SCHEDULER}, "
        "checksums on; crossings counted in a run of their own"
    )
    return errors


def budget(console: Console) -> list[str]:
    """The rows of the budget; returns those above twice what they may cost."""
    table = Table("what", "ns", "against", "bare ns", "ratio", "budget", title="budget")
    rows = measure()
    for row in rows:
        costs = f"{row.ns:.0f}", row.against, f"{row.bare_ns:.0f}", f"{row.ratio:.1f}"
        table.add_row(row.name, *costs, f"{row.most:.1f}")
    console.print(table)
    return [
        f"{row.name}: {row.ratio:.1f} times `{row.against}`, at most {row.most * row.allowance:.1f}"
        for row in rows
        if not row.kept
    ]


def libraries(console: Console, library: str | None) -> list[str]:
    """The same packets by dpkt, scapy and a C library; returns those that come too near to us."""
    table = Table("what", "peer", "peer ns", "virtualtap ns", "times as fast", "at least")
    table.title = f"packets of {packets.LENGTH} bytes, {SETTING}"
    rows = packets.measure(library)
    for row in rows:
        costs = f"{row.ns:.0f}", f"{row.ours_ns:.0f}", f"{row.times:.1f}", f"{row.least:.0f}"
        table.add_row(row.verb, row.peer, *costs)
    console.print(table)
    if library is None:
        console.print("no C library is given: `make bench LIBRARY=/path/to/libmine.so`")
    return [
        f"{row.verb}: {row.times:.1f} times as fast as {row.peer}, at least {row.least:.0f}"
        for row in rows
        if not row.kept
    ]


def main(library: str | None = None) -> int:
    """All tables, then what is wrong."""
    console = Console(width=110, highlight=False, markup=False)
    errors = budget(console) + libraries(console, library)
    try:
        ns3.look()
        work = compare
    except ns3.Absent as absent:
        console.print(f"the peer is left out: {absent}")
        work = alone
    try:
        errors += work(console)
    except subprocess.CalledProcessError as failed:
        errors.append(f"`{' '.join(failed.cmd)}` ended with status {failed.returncode}")
    for line in dict.fromkeys(errors):
        print(f"error: {line}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    raise SystemExit(main(*filter(None, sys.argv[1:])))
