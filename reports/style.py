"""Colors, sizes, fonts: one look for every figure, and how a figure becomes a file."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.words import FONT

# Okabe and Ito's palette, which color-blind readers tell apart; yellow is too pale for lines
PALETTE = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
    *("#000000", "#7f4f24", "#6a3d9a", "#7f7f7f"),
)
INK, FAINT, GRID, PAPER = "#1c2733", "#5b6875", "#dfe4ea", "#ffffff"
IDLE, BUSY = "#b9c8d8", "#c1440e"  # links, by utilization
MARKS = {  # kind: marker, color, size in points
    "hub": ("o", "#1c3d5a", 9.0),
    "switch": ("s", "#1c3d5a", 8.0),
    "gateway": ("p", "#d55e00", 8.0),
    "tap": ("^", "#009e73", 5.0),
    "host": ("o", "#56b4e9", 4.5),
    "station": ("D", "#cc79a7", 4.0),
}
WIDTH = 8.0  # inches
NAME_SIZE = 8.0  # points

LOOK: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": FAINT,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "font.family": [FONT],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "savefig.bbox": None,
    "savefig.dpi": 150,
    "savefig.facecolor": "auto",
    "savefig.transparent": False,
    "svg.fonttype": "path",  # looks the same where the font is missing
    "svg.hashsalt": "virtualtap",  # the same run gives the same bytes
    "text.color": INK,
    "text.parse_math": False,  # names are drawn as they are written
    "text.usetex": False,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
}


def entitle(figure: Figure, title: str, finding: str) -> None:
    """Say above the figure what it shows and, in a smaller line, what it found."""
    inch = 1 / figure.get_figheight()
    figure.text(0.012, 1 - 0.10 * inch, title, size=12, weight="bold", va="top")
    figure.text(0.012, 1 - 0.35 * inch, finding, size=9, color=FAINT, va="top")


def words_of(figure: Figure) -> str:
    """What `entitle` said: a figure in words, for those who cannot see it."""
    return ". ".join(text.get_text() for text in figure.texts[:2])


def panels(
    height: float, *, columns: int = 1, legend: int = 0, left: float = 0.8
) -> tuple[Figure, Sequence[Axes]]:
    """A figure with so many panels side by side and room for its title.

    `height` of the figure and `left` of the panels are inches; more is added below for a legend of
    so many entries.
    """
    below = 0.2 * -(-legend // 6) if legend > 1 else 0.0
    figure = Figure(figsize=(WIDTH, height + below))
    bottom, top = (0.55 + below) / (height + below), 1 - 0.66 / (height + below)
    gap = 0.95
    width = (WIDTH - left - 0.25 - gap * (columns - 1)) / columns
    return figure, [
        figure.add_axes(
            ((left + panel * (width + gap)) / WIDTH, bottom, width / WIDTH, top - bottom)
        )
        for panel in range(columns)
    ]


def say(axes: Axes, sentence: str) -> None:
    """Words instead of a drawing, where there is nothing to draw."""
    axes.set_axis_off()
    axes.text(
        *(0.5, 0.5, sentence), transform=axes.transAxes, ha="center", va="center", color=FAINT
    )


def extent(text: str, points: float) -> tuple[float, float]:
    """Width and height of a line of text in points, when drawn at that size."""
    font = font_manager.get_font(font_manager.findfont(FONT))
    font.set_size(points, 72)
    font.set_text(text)
    width, height = font.get_width_height()
    return width / 64, height / 64


def image(figure: Figure, kind: str) -> bytes:
    """The bytes of the figure as `svg` or `png`, without date or program."""
    nameless = ("Date", "Creator", "Format", "Type") if kind == "svg" else ("Software",)
    stream = BytesIO()
    with mpl.rc_context(LOOK):
        figure.savefig(stream, format=kind, metadata=dict.fromkeys(nameless))
    return stream.getvalue()
