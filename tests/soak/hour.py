"""Does an hour of worlds in which nothing is planted find nothing?"""

import shutil

from sim.campaigns.campaign import cores
from sim.campaigns.hunt import Hunt, hunt
from sim.results import ResultError
from tests.soak.report import ROOT, Report

SECONDS = 3600.0
FIRST = 1_000_000_000  # far from the seeds of other tests
KEPT = ROOT / ".venv" / "soak-hour"  # a campaign cut off goes on; findings stay


def run(report: Report) -> None:
    """One campaign; whatever it finds is shrunk, said, and left where it is."""
    order = Hunt(first=FIRST, seconds=SECONDS, out=KEPT, jobs=cores(), resume=KEPT.exists())
    try:
        found = hunt(order)
    except ResultError as error:
        raise SystemExit(f"{error} (hint: remove `{KEPT}`, and it begins anew)") from None
    report.figure("worlds", found.rows)
    report.figure("processes", cores())
    for verdict, count in sorted(found.verdicts.items()):
        report.figure(f"verdict {verdict}", count)
    report.figure("failures", sum(found.kinds.values()))
    for one in found.discoveries:
        report.note(f"Found: `{one.signature}`, first by the world of seed {one.seed}.")
    if not found.kinds:
        shutil.rmtree(KEPT)
