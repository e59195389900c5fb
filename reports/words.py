"""What a reader sees of names and numbers: strangers' text made harmless, quantities with units."""

import math
from collections.abc import Iterable
from functools import cache

from matplotlib import font_manager

FONT = "DejaVu Sans"  # comes with matplotlib, so every machine draws the same
NOTHING = "—"  # stands where nothing was measured

_TIMES = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_RATES = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s"))


def visible(text: str, most: int | None = None) -> str:
    """The text with everything escaped that hides or moves text, cut to `most` characters."""
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def drawable(text: str, most: int = 24) -> str:
    """As `visible`; besides, what the font of the figures lacks is escaped."""
    glyphs = _glyphs()
    return "".join(
        char if ord(char) in glyphs else char.encode("unicode_escape").decode()
        for char in visible(text, most)
    )


def number(value: object) -> float | None:
    """The value if it is a finite number, None for anything else a file may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def time_unit(most_ns: float) -> tuple[float, str]:
    """The unit that suits times up to `most_ns`: how many ns it has, and its sign."""
    return _unit(_TIMES, most_ns)


def rate_unit(most_bps: float) -> tuple[float, str]:
    """The unit that suits rates up to `most_bps`: how many bit/s it has, and its sign."""
    return _unit(_RATES, most_bps)


def duration(ns: float | None) -> str:
    """A time in the unit that suits it, to three digits: `83.1 ms`."""
    return NOTHING if ns is None else _said(ns, *time_unit(ns))


def rate(bps: float | None) -> str:
    """A rate in the unit that suits it, to three digits: `1.5 Mbit/s`."""
    return NOTHING if bps is None else _said(bps, *rate_unit(bps))


def share(value: float | None) -> str:
    """A share from 0 to 1 as percent; one that is not quite all never reads as 100 %."""
    if value is None:
        return NOTHING
    percent = 100 * value
    if 99.9 < percent < 100:
        return f"{math.floor(percent * 1e4) / 1e4:g} %"
    if 0 < abs(percent) < 1e-3:
        return f"{percent:.{2 - math.floor(math.log10(abs(percent)))}f} %"
    return f"{percent:.3g} %"


def count(value: float | None) -> str:
    """A count with its thousands set apart."""
    return NOTHING if value is None else f"{value:,.0f}"


def plural(number_of: int, noun: str) -> str:
    """`1 frame`, `2 frames`."""
    return f"{number_of:,} {noun}{'' if number_of == 1 else 's'}"


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _unit(units: tuple[tuple[float, str], ...], most: float) -> tuple[float, str]:
    return next((unit for unit in units if abs(most) >= unit[0]), units[-1 if most else 0])


def _said(value: float, size: float, sign: str) -> str:
    scaled = value / size
    return f"{scaled:,.0f} {sign}" if abs(scaled) >= 1000 else f"{scaled:.3g} {sign}"


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont(FONT)).get_charmap())
