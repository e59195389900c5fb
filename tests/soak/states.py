"""Does a campaign of ten minutes see every step of the neighbour and DHCP tables that there is?"""

import tempfile
from pathlib import Path

from sim.campaigns.campaign import cores
from sim.campaigns.hunt import Hunt, hunt
from sim.fuzz.transitions import REACHABLE, TRANSITIONS
from tests.soak.report import Report

SECONDS = 600.0
FIRST = 20_000_000  # far from the seeds of other tests


def run(report: Report) -> None:
    """One campaign; what it finds counts, and is written down as it was drawn."""
    with tempfile.TemporaryDirectory() as place:
        order = Hunt(
            first=FIRST, seconds=SECONDS, out=Path(place) / "states", jobs=cores(), shrink=False
        )
        found = hunt(order)
    missing = sorted(set(REACHABLE).difference(found.seen))
    report.figure("worlds", found.rows)
    report.figure("processes", cores())
    report.figure("steps of the tables", len(TRANSITIONS))
    report.figure("of them reachable", len(REACHABLE))
    report.figure("of those seen", len(REACHABLE) - len(missing))
    report.figure("failures", sum(found.kinds.values()))
    for step in missing:
        report.note(f"Not seen: `{step}`.")
    for signature in sorted(found.kinds):
        report.note(f"Failed: `{signature}`.")
    report.note("Why the others cannot be reached: `UNREACHABLE` in `sim/fuzz/transitions.py`.")
