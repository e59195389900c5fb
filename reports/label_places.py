"""Where names go on a map: beside their mark, clear of other names and marks and of most lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]  # all lengths here are in points, from the lower left
Box: TypeAlias = tuple[float, float, float, float]  # left, bottom, right, top

GAP = 2.0  # between mark and name
OVERLAP, CROSSED, FARTHER = 100.0, 1.0, 0.01  # what a place costs
LINES_MAX = 500  # of more, crossings are not counted


def find_places(
    names: Mapping[str, tuple[Point, float, Point]],
    marks: Sequence[Box],
    lines: Sequence[tuple[Point, Point]],
    paper: Box,
) -> dict[str, Box]:
    """A box for each name that has room, the first named served first.

    `names`: name → (where its mark is, the mark's radius, (width, height) of the name).
    """
    taken = list(marks)
    lines = lines if len(lines) <= LINES_MAX else ()
    found: dict[str, Box] = {}
    for name, (spot, radius, extent) in names.items():
        near = [box for box in taken if _is_near(box, spot, radius + GAP, extent)]
        cost, box = min(
            (_cost(box, near, lines, paper) + FARTHER * rank, box)
            for rank, box in enumerate(_candidates(spot, radius + GAP, extent))
        )
        if cost < OVERLAP:
            found[name] = box
            taken.append(box)
    return found


def _candidates(spot: Point, far: float, extent: Point) -> Iterator[Box]:
    """Right, left, above, below, the corners, and again a little farther; best looking first."""
    width, height = extent
    for reach in (far, far + 6.0, far + 14.0):
        corner = 0.6 * reach
        for x, y in (
            (spot[0] + reach, spot[1] - height / 2),
            (spot[0] - reach - width, spot[1] - height / 2),
            (spot[0] - width / 2, spot[1] + reach),
            (spot[0] - width / 2, spot[1] - reach - height),
            (spot[0] + corner, spot[1] + corner),
            (spot[0] + corner, spot[1] - corner - height),
            (spot[0] - corner - width, spot[1] + corner),
            (spot[0] - corner - width, spot[1] - corner - height),
        ):
            yield x, y, x + width, y + height


def _is_near(box: Box, spot: Point, far: float, extent: Point) -> bool:
    reach_x, reach_y = far + 14.0 + extent[0], far + 14.0 + extent[1]
    return overlap(
        box, (spot[0] - reach_x, spot[1] - reach_y, spot[0] + reach_x, spot[1] + reach_y)
    )


def _cost(box: Box, near: Sequence[Box], lines: Sequence[tuple[Point, Point]], paper: Box) -> float:
    inside = box[0] >= paper[0] and box[1] >= paper[1] and box[2] <= paper[2] and box[3] <= paper[3]
    if not inside or any(overlap(box, other) for other in near):
        return OVERLAP
    return CROSSED * sum(crosses(line, box) for line in lines)


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than an edge."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def crosses(line: tuple[Point, Point], box: Box) -> bool:
    """Whether a line runs through a box. Liang and Barsky, 1984."""
    (x, y), (end_x, end_y) = line
    enter, leave = 0.0, 1.0
    for step, low, high in (
        (end_x - x, box[0] - x, box[2] - x),
        (end_y - y, box[1] - y, box[3] - y),
    ):
        if step == 0:
            if low > 0 or high < 0:
                return False
            continue
        first, last = sorted((low / step, high / step))
        enter, leave = max(enter, first), min(leave, last)
    return enter < leave
