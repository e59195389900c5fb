"""What a world looks like: its sites, how they are joined, and who lives there."""

from collections.abc import Callable, Mapping
from typing import Any

from sim.fuzz.sketch import Sketch
from sim.rng import Stream
from topologies import cascade_tree, load, populate

Words = dict[str, Any]
_OURS = ("name", "loops")  # the scenario's, not the shape's
_ROUND = 2_000_000  # ns of a link in a loop: not too many rounds until the end
# TopoHub's real networks of 3 to 7 nodes
REAL = (
    *("Arpanet196912", "Basnet", "Cynet", "Dataxchange", "Epoch", "Getnet", "Heanet"),
    *("HiberniaIreland", "Layer42", "Marwan", "Mren", "Napnet", "Netrail", "Nordu1989"),
    *("Nordu2005", "Pacificwave", "Renam", "Sanren", "Telecomserbia"),
)


def _star(luck: Stream) -> Words:
    return {"name": "star", "sites": 1 + luck.below(4)}


def _line(luck: Stream) -> Words:
    return {"name": "cascade", "hubs": 1 + luck.below(5)}


def _tree(luck: Stream) -> Words:
    return {"name": "cascade", "hubs": 3 + luck.below(5), "branching": 2 + luck.below(2)}


def _ring(luck: Stream) -> Words:
    return {"name": "ring", "nodes": 3 + luck.below(3)}


def _switches(luck: Stream) -> Words:
    name, count = luck.choice((("chain", "nodes"), ("star", "sites"), ("tree", "nodes")))
    return {"name": name, count: 1 + luck.below(4), "kind": "switch"}


def _offices(luck: Stream) -> Words:
    """Drawn by hand: hubs and switches in any order of a tree, and all that may hang from them."""
    nodes: dict[str, str] = {}
    links: list[list[str]] = []
    sites: list[str] = []
    for number in range(1, 2 + luck.below(4)):
        kind = luck.choice(("hub", "hub", "switch"))
        name = f"{kind}{number}"
        if sites:
            join = luck.choice(sites)
            if luck.chance(0.25):  # another LAN, and a router between
                router = f"gw{90 + number}"
                nodes[router] = "gateway"
                links.append([join, router])
                join = router
            links.append([join, name])
        nodes[name] = kind
        sites.append(name)
    for number in range(1, 3 + luck.below(8)):
        _settle(nodes, links, luck.choice(sites), number, luck)
    return {"name": "drawn", "nodes": nodes, "links": links}


def _settle(
    nodes: dict[str, str], links: list[list[str]], site: str, number: int, luck: Stream
) -> None:
    """One more endpoint at a site."""
    kind = luck.choice(("tap", "tap", "tap", "ipc", "station", "station", "gateway"))
    if kind == "ipc" and nodes[site] != "hub":
        kind = "tap"
    name = {"station": "s", "gateway": "gw"}.get(kind, kind) + str(number)
    nodes[name] = kind
    links.append([name, site])
    if kind in ("tap", "ipc"):
        nodes[f"h{number}"] = "host"
        links.append([f"h{number}", name])


def _server(luck: Stream) -> Words:
    return {
        "name": "server",
        "clients": 1 + luck.below(5),
        "bridges": luck.below(3),
        "cascades": luck.below(3),
        "ipcs": luck.below(3),
    }


def _real(luck: Stream) -> Words:
    return {"name": f"topozoo/{luck.choice(REAL)}"}


MAPS: Mapping[str, Callable[[Stream], Words]] = {
    "star": _star,
    "line": _line,
    "tree": _tree,
    "ring": _ring,
    "switches": _switches,
    "offices": _offices,
    "server": _server,
    "real": _real,
}


def draw_map(sketch: Sketch, luck: Stream, shapes: list[str], *, crowd: bool, loops: bool) -> None:
    """One of the shapes, with endpoints; a `crowd` has more of them.

    With `loops` a ring that is none of a tree: what is for everyone goes round until the end.
    """
    shapes = ["ring"] if loops else shapes
    shape = luck.choice(shapes or ["star"])
    words = MAPS[shape](luck)
    if loops:
        words |= {"loops": True, "delay": _ROUND}
    graph = load(words["name"], **{key: value for key, value in words.items() if key not in _OURS})
    if loops:
        sketch.until = 10 + luck.below(50)
    else:
        graph, _ = cascade_tree(graph)
    sketch.head["topology"] = words
    kinds = {attributes["kind"] for _, attributes in graph.nodes(data=True)}
    if kinds <= {"hub", "switch"}:
        room = max(1, (30 if crowd else 22) // len(graph))
        taps = 1 + luck.below(max(1, min(4, room // 2)))
        stations = luck.below(max(1, room - 2 * taps) + 1)
        sites = {"taps": taps, "stations": stations, "gateways": luck.below(3)}
        sketch.head["sites"] = sites
        graph = populate(graph, **sites)
    sketch.place(graph)
    sketch.shape = shape
