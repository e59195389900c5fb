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
    """One campaign; whatever it finds is shrunk, and fails this part."""
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
    for signature in sorted(found.kinds):
        report.note(f"Failed: `{signature}`.")
    if found.kinds:
        raise SystemExit(f"what was found is in `{KEPT}`")
    shutil.rmtree(KEPT)
