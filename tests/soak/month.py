"""Thirty days of fifty taps at one server: do its tables stay as they are after three?"""

from sim.limits import Limits
from sim.run import Order, perform
from tests.soak.report import ROOT, Report

SCENARIO = ROOT / "examples" / "long" / "three-days.toml"
UNTIL = "30d"
EVENTS_MAX = 10**9  # about 105 million happen


def run(report: Report) -> None:
    """The scenario of three days goes on for a month; what it expects is looked at 100 times."""
    order = Order(
        text=SCENARIO.read_text(encoding="utf-8"),
        folder=SCENARIO.parent,
        where=str(SCENARIO),
        changes=(f'until="{UNTIL}"',),
        bare=True,
        limits=Limits(events=EVENTS_MAX),
    )
    done, _ = perform(order, None)
    summary = done.summary
    report.figure("simulated days", round(summary["simulated_s"] / 86_400))
    report.figure("seconds of one processor", round(summary["process_s"]))
    report.figure("frames that crossed a link", summary["crossings"])
    for name, count in summary["entries"].items():
        report.figure(f"entries at the end: {name}", count)
    report.note("Each limit of `[expect]` in `examples/long/three-days.toml` held at 100 instants.")
    assert (done.verdict, done.failed) == ("pass", [])
