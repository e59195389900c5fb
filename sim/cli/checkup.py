"""Networks of others, one after the other: built and run, or refused in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sim.limits import Limits
from sim.run import Order, perform
from sim.scenario import of_topology
from topologies import GraphError, load, names
from virtualtap.errors import UsageError

TOPOHUB = "topohub"
_ZOO = "topozoo/"
_UNTIL = "250ms"  # each host's first three pings
_SUFFIXES = (".graphml", ".gml")


def networks(where: str) -> list[tuple[str, str]]:
    """(name, what `--topology` calls it) of every network in a folder, or of TopoHub's Zoo."""
    if where == TOPOHUB:
        return [(name, name) for name in names() if name.startswith(_ZOO)]
    folder = Path(where)
    if not folder.is_dir():
        raise UsageError(f"there is no folder `{where}`", "name a folder, or `topohub`")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise UsageError(f"`{where}` holds no `.graphml` or `.gml` file", "name another folder")
    return [(path.name, str(path)) for path in files]


def check(where: str, limits: Limits) -> Iterator[tuple[str, bool, str]]:
    """For each network: its name, whether it was built and run, and what was seen, in words."""
    for name, topology in networks(where):
        try:
            order = Order(
                text=of_topology(topology),
                folder=Path(),
                where=name,
                changes=(f"until={_UNTIL}",),
                bare=True,
                limits=limits,
            )
            run, _ = perform(order, None)
        except (UsageError, GraphError) as error:
            yield name, False, str(error)
            continue
        hubs = sum(node["kind"] == "hub" for node in run.graph["nodes"])
        summary = run.summary
        yield (
            name,
            run.verdict == "pass",
            f"{hubs} hubs, {len(run.links_left_out)} links left out, "
            f"{summary['crossings']} crossings, {summary['delivered']} delivered",
        )


def describe(name: str) -> dict[str, Any]:
    """What one network consists of; delays in ns."""
    graph = load(name)
    kinds: dict[str, int] = {}
    for _, attributes in graph.nodes(data=True):
        kinds[attributes["kind"]] = kinds.get(attributes["kind"], 0) + 1
    delays = [data.get("delay", 0) for _, _, data in graph.edges(data=True)]
    return {
        "name": name,
        "nodes": len(graph),
        "links": graph.number_of_edges(),
        "kinds": kinds,
        "least_delay_ns": min(delays, default=None),
        "largest_delay_ns": max(delays, default=None),
        "names": list(graph),
    }
