"""A bench as one self-contained HTML file: RFC 2544's figure, and a table for each test."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import matplotlib as mpl
from matplotlib.figure import Figure

from reports import style
from reports.templates import environment


class Sheet(Protocol):
    """One table: title, names of columns, rows of words."""

    @property
    def title(self) -> str: ...
    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Sequence[Sequence[str]]: ...


def write_bench(
    summary: Mapping[str, Any], conditions: str, sheets: Iterable[Sheet], path: Path
) -> Path:
    """Write the page to `path`, and return it. OSError where it cannot be written.

    `summary` is what `vtap bench --json` prints. The same input gives the same bytes.
    """
    tests = summary["tests"]
    drawn = (
        [throughput(tests["throughput"]["rows"], summary["on"])] if "throughput" in tests else []
    )
    text = (
        environment()
        .get_template("bench.html")
        .render(
            on=summary["on"],
            conditions=conditions,
            figures=[
                (b64encode(style.image(one, "svg")).decode(), style.words_of(one)) for one in drawn
            ],
            sheets=sheets,
            style=style,
        )
    )
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def throughput(rows: Sequence[Mapping[str, Any]], on: str) -> Figure:
    """Frames a second over frame size: measured, and what the medium allows. RFC 2544 26.1."""
    with mpl.rc_context(style.LOOK):
        figure, (axes,) = style.panels(3.8)
        ranked = sorted(rows, key=lambda row: row["size"])
        sizes = [row["size"] for row in ranked]
        found = [row for row in ranked if row["frames_per_s"] is not None]
        least = min((row["share"] for row in found), default=None)
        told = (
            "nothing came" if least is None else f"at least {least:.1%} of what the medium allows"
        )
        style.entitle(figure, f"Throughput of a {on}", told)
        allowed = [row["theoretical_frames_per_s"] for row in ranked]
        axes.plot(
            sizes, allowed, linewidth=6, alpha=0.35, color=style.FAINT, label="the medium allows"
        )
        axes.plot(
            [row["size"] for row in found],
            [row["frames_per_s"] for row in found],
            marker="o",
            color=style.PALETTE[0],
            label="measured",
        )
        axes.set_xlabel("frame size, bytes with the FCS")
        axes.set_ylabel("frames/s")
        axes.set_xticks(sizes)
        axes.set_ylim(bottom=0)
        axes.legend()
    return figure
