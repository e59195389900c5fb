"""Where the nodes of a graph stand on paper: by their coordinates, or as a tree around a center."""

import math
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from reports.words import number

Place: TypeAlias = tuple[float, float]  # x to the right, y upward
Pair: TypeAlias = tuple[str, str]
Neighbors: TypeAlias = dict[str, list[str]]

SITES = ("hub", "switch")
FULL = 2 * math.pi
GOLDEN = FULL * 0.381966  # an angle whose multiples never meet
FAN = 0.045  # how far endpoints stand from their site on the globe, as a share of the map's size
NEAREST_MAX = 1_000  # sites; of more, distances are not compared in pairs


@dataclass(slots=True)
class Map:
    """A graph with a place for each node."""

    kinds: dict[str, str]  # node → kind
    links: list[Pair]
    left_out: list[Pair]  # what the run did without
    places: dict[str, Place]
    aspect: float = 1.0  # how long a unit of y is, in units of x
    on_globe: bool = False  # then x and y are degrees east and north

    @property
    def sites(self) -> list[str]:
        """The hubs and switches; all nodes where there are none."""
        return [name for name, kind in self.kinds.items() if kind in SITES] or list(self.kinds)


def lay_out(graph: Mapping[str, Any], left_out: Iterable[Sequence[str]] = ()) -> Map:
    """Place the nodes of a node-link graph; what is malformed in it is passed over."""
    nodes = {each["id"]: each for each in _entries(graph, "nodes") if _is_name(each.get("id"))}
    kinds = {name: str(node.get("kind", "")) for name, node in nodes.items()}
    links = [(each.get("source"), each.get("target")) for each in _entries(graph, "edges")]
    chart = Map(kinds, _known(links, kinds), _known(left_out, kinds), {})
    sites = _neighbors(chart.sites, [*chart.links, *chart.left_out])
    coordinates = _coordinates(nodes, chart.sites)
    if coordinates:
        middle = sum(north for _, north in coordinates.values()) / len(coordinates)
        chart.aspect = 1 / max(math.cos(math.radians(middle)), 0.2)
        chart.on_globe = True
        chart.places = _completed(coordinates, sites)
    else:
        chart.places = around_a_center(sites)
    _part(chart)
    _fan_out(chart, sites)
    return chart


def size(chart: Map) -> float:
    """The larger side of the map in units of x; 1 where all stand at one place."""
    xs = [x for x, _ in chart.places.values()] or [0.0]
    ys = [y for _, y in chart.places.values()] or [0.0]
    return max(max(xs) - min(xs), (max(ys) - min(ys)) * chart.aspect) or 1.0


def around_a_center(neighbors: Neighbors) -> dict[str, Place]:
    """A tree around its middle, each branch in a sector as wide as it has leaves.

    What forms one cycle is a circle. Components stand side by side.
    """
    places: dict[str, Place] = {}
    offset = 0.0
    for component in _components(neighbors):
        around = {name: neighbors[name] for name in component}
        is_cycle = len(around) > 2 and all(len(near) == 2 for near in around.values())
        placed = _circle(component) if is_cycle else _tree(around)
        left = min(x for x, _ in placed.values())
        places |= {name: (x - left + offset, y) for name, (x, y) in placed.items()}
        offset = max(x for x, _ in places.values()) + 1.5
    return places


def _entries(graph: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    entries = graph.get(key)
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _is_name(value: object) -> bool:
    return isinstance(value, str)


def _known(pairs: Iterable[Sequence[Any]], kinds: Mapping[str, str]) -> list[Pair]:
    return [
        (one, other)
        for one, other in pairs
        if _is_name(one) and _is_name(other) and one in kinds and other in kinds
    ]


def _neighbors(names: Collection[str], links: Iterable[Pair]) -> Neighbors:
    """For each of `names` those of `names` it is linked to, in the order of the links."""
    near: dict[str, dict[str, None]] = {name: {} for name in names}
    for one, other in links:
        if one in near and other in near and one != other:
            near[one][other] = near[other][one] = None
    return {name: list(others) for name, others in near.items()}


def _coordinates(nodes: Mapping[str, dict[str, Any]], sites: Iterable[str]) -> dict[str, Place]:
    """Degrees east and north of the sites that have them, cut where the widest sea is."""
    found: dict[str, Place] = {}
    for name in sites:
        east, north = (number(nodes[name].get(key)) for key in ("longitude", "latitude"))
        if east is not None and north is not None:
            found[name] = (east, north)
    if len(set(found.values())) < 2:
        return {}  # one place is no map
    easts = sorted(east for east, _ in found.values())
    cuts = [(later - earlier, later) for earlier, later in pairwise(easts)]
    widest, cut = max(cuts)
    if widest <= 360 - (easts[-1] - easts[0]):
        return found
    return {name: (east if east >= cut else east + 360, y) for name, (east, y) in found.items()}


def _completed(known: dict[str, Place], neighbors: Neighbors) -> dict[str, Place]:
    """A site without coordinates stands amid its neighbors; with none placed, below the map."""
    places = dict(known)
    while True:
        placed = {
            name: _mean([places[other] for other in near if other in places])
            for name, near in neighbors.items()
            if name not in places and any(other in places for other in near)
        }
        if not placed:
            break
        places |= placed
    lost = [name for name in neighbors if name not in places]
    left, right = min(x for x, _ in known.values()), max(x for x, _ in known.values())
    bottom = min(y for _, y in known.values()) - 0.15 * (right - left or 1.0)
    for position, name in enumerate(lost, 1):
        places[name] = (left + (right - left) * position / (len(lost) + 1), bottom)
    return places


def _mean(places: Sequence[Place]) -> Place:
    count = len(places)
    return sum(x for x, _ in places) / count, sum(y for _, y in places) / count


def _part(chart: Map) -> None:
    """Move apart what stands at the same place."""
    apart = 0.02 * size(chart)
    seen: Counter[Place] = Counter()
    for name, (x, y) in list(chart.places.items()):
        times = seen[x, y]
        seen[x, y] += 1
        if times:
            angle, far = GOLDEN * times, apart * math.sqrt(times)
            chart.places[name] = (
                x + far * math.cos(angle),
                y + far * math.sin(angle) / chart.aspect,
            )


def _components(neighbors: Neighbors) -> Iterator[list[str]]:
    seen: set[str] = set()
    for name in neighbors:
        if name not in seen:
            component = list(_parents(neighbors, name))
            seen.update(component)
            yield component


def _parents(neighbors: Neighbors, root: str) -> dict[str, str | None]:
    """Each node the root reaches and the one it was reached from, nearest first."""
    parents: dict[str, str | None] = {root: None}
    waiting = deque([root])
    while waiting:
        name = waiting.popleft()
        for other in neighbors[name]:
            if other not in parents:
                parents[other] = name
                waiting.append(other)
    return parents


def _circle(component: Sequence[str]) -> dict[str, Place]:
    """A cycle, given breadth first: its first node on top, the others in turn right and left."""
    around = [*component[::2], *reversed(component[1::2])]
    radius = len(around) / FULL
    angles = [math.pi / 2 - FULL * position / len(around) for position in range(len(around))]
    return {
        name: (radius * math.cos(angle), radius * math.sin(angle))
        for name, angle in zip(around, angles, strict=True)
    }


def _tree(neighbors: Neighbors) -> dict[str, Place]:
    parents = _parents(neighbors, _middle(neighbors))
    children: Neighbors = {name: [] for name in parents}
    for name, parent in parents.items():
        if parent is not None:
            children[parent].append(name)
    leaves = dict.fromkeys(parents, 1)
    for name in reversed(parents):
        leaves[name] = sum(leaves[child] for child in children[name]) or 1
    root = next(iter(parents))
    first = leaves[children[root][0]] if children[root] else 0
    sectors = {root: (-FULL * first / leaves[root] / 2, FULL)}  # the first branch points right
    depths = {root: 0}
    places = {}
    for name in parents:
        start, width = sectors[name]
        angle, depth = start + width / 2, depths[name]
        places[name] = (depth * math.cos(angle), depth * math.sin(angle))
        for child in children[name]:
            sectors[child] = (start, width * leaves[child] / leaves[name])
            depths[child] = depth + 1
            start += sectors[child][1]
    return places


def _middle(neighbors: Neighbors) -> str:
    """The node halfway along a longest way through the tree."""
    *_, end = _parents(neighbors, next(iter(neighbors)))
    parents = _parents(neighbors, end)
    *_, name = parents
    way = [name]
    while (parent := parents[way[-1]]) is not None:
        way.append(parent)
    return way[len(way) // 2]


def _fan_out(chart: Map, sites: Neighbors) -> None:
    """Put endpoints around the site they hang from, where most room is between its links."""
    whole = size(chart)
    near = _neighbors(list(chart.kinds), chart.links)
    for site in sites:
        chains = [_chain(name, near, sites) for name in near[site] if name not in chart.places]
        if chains:
            reach = 0.4 * _nearest(chart, site, whole, sites)
            if chart.on_globe:
                reach = min(reach, FAN * whole)
            _place_fan(chart, site, chains, sites[site], reach)
    for name in chart.kinds:
        chart.places.setdefault(name, (0.0, 0.0))  # hangs from nothing


def _chain(name: str, near: Neighbors, sites: Collection[str]) -> list[str]:
    """The endpoint and what hangs behind it: a tap and its host."""
    chain = {name: None}
    while behind := [other for other in near[name] if other not in sites and other not in chain]:
        name = behind[0]
        chain[name] = None
    return list(chain)


def _nearest(chart: Map, site: str, whole: float, sites: Collection[str]) -> float:
    """How far the next site is; of a great many, about how far."""
    if len(sites) > NEAREST_MAX:
        return whole / math.sqrt(len(sites))
    x, y = chart.places[site]
    others = (chart.places[name] for name in sites if name != site)
    apart = (math.hypot(east - x, (north - y) * chart.aspect) for east, north in others)
    return min(apart, default=whole)


def _place_fan(
    chart: Map, site: str, chains: list[list[str]], linked: Sequence[str], reach: float
) -> None:
    x, y = chart.places[site]
    taken = sorted(
        math.atan2((chart.places[name][1] - y) * chart.aspect, chart.places[name][0] - x)
        for name in linked
    )
    start, width = _widest_gap(taken)
    step = min(width / (len(chains) + bool(taken)), FULL / 8 if taken else FULL)
    first = start + width / 2 - step * (len(chains) - 1) / 2
    for position, chain in enumerate(chains):
        angle = first + position * step
        for ring, name in enumerate(chain):
            far = reach * (1 + 0.45 * ring)
            spot = (x + far * math.cos(angle), y + far * math.sin(angle) / chart.aspect)
            chart.places.setdefault(name, spot)


def _widest_gap(angles: Sequence[float]) -> tuple[float, float]:
    """Where the widest gap between sorted angles starts, and how wide it is."""
    if not angles:
        return 0.0, FULL
    gaps = [(later - earlier, earlier) for earlier, later in pairwise(angles)]
    gaps.append((FULL - angles[-1] + angles[0], angles[-1]))
    width, start = max(gaps)
    return start, width
