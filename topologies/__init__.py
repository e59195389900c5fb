"""The maps: named graphs on NetworkX, from shapes, chance and real networks."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from inspect import Parameter, signature
from pathlib import Path

from topologies.drawn import drawn
from topologies.random_graphs import internet, preferential, small_world, waxman
from topologies.real import READERS, find_topohub, from_file, from_topohub, topohub_names
from topologies.shapes import chain, fat_tree, mesh, ring, star, tree
from topologies.vocabulary import EDGE_ATTRIBUTES, Graph, GraphError, check, quoted, within
from topologies.vpn import cascade, cascade_tree, hub_and_spoke, populate, server, site_to_site

__all__ = [
    "CATALOG",
    "Graph",
    "GraphError",
    "cascade_tree",
    "check",
    "from_file",
    "from_topohub",
    "load",
    "names",
    "populate",
]

CATALOG: dict[str, Callable[..., Graph]] = {
    "star": star,
    "chain": chain,
    "ring": ring,
    "tree": tree,
    "mesh": mesh,
    "fat-tree": fat_tree,
    "hub-and-spoke": hub_and_spoke,
    "cascade": cascade,
    "site-to-site": site_to_site,
    "server": server,
    "waxman": waxman,
    "preferential": preferential,
    "small-world": small_world,
    "internet": internet,
    "drawn": drawn,
}


def names() -> list[str]:
    """All that `load` knows by name: the catalog, then the networks of TopoHub."""
    return [*CATALOG, *topohub_names()]


def load(name: str, /, **parameters: object) -> Graph:
    """The graph that `name` means: of the catalog, a `.graphml` or `.gml` file, or one of TopoHub.

    Only those of the catalog take parameters. Whatever is wrong is a GraphError.
    """
    if name in CATALOG:
        _check_parameters(name, parameters)
        return CATALOG[name](**parameters)
    if parameters:
        raise GraphError(
            f"{quoted(name)} takes no parameters, not {quoted(next(iter(parameters)))}",
            f"these take some: {', '.join(CATALOG)}",
        )
    if Path(name).suffix.lower() in READERS:
        return from_file(name)
    if find_topohub(name) is not None:
        return from_topohub(name)
    if _exists(name):
        return from_file(name)
    raise GraphError(f"no topology is named {quoted(name)}", _likeness(name))


def _check_parameters(name: str, parameters: Mapping[str, object]) -> None:
    known = signature(CATALOG[name]).parameters
    for what, value in parameters.items():
        if what not in known:
            raise GraphError(f"`{name}` has no parameter {quoted(what)}", _manual(known))
        if not isinstance(value, _accepted(known[what])) or isinstance(value, bool):
            raise GraphError(f"`{what}` of `{name}` is {quoted(repr(value))}", _manual(known))
        if what in EDGE_ATTRIBUTES:
            within(f"`{what}`", value, *EDGE_ATTRIBUTES[what])


def _accepted(parameter: Parameter) -> type | tuple[type, ...]:
    return (int, float) if parameter.annotation is float else type(parameter.default)


def _manual(known: Mapping[str, Parameter]) -> str:
    told = (f"{what} ({type(one.default).__name__}, {one.default})" for what, one in known.items())
    return "the parameters are " + ", ".join(told)


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long, or no path at all
        return False


def _likeness(name: str) -> str:
    bare = [key.rpartition("/")[2].lower() for key in topohub_names() if key.startswith("topozoo/")]
    close = get_close_matches(name[:64].lower(), [*CATALOG, *bare, *topohub_names()])
    if close:
        return "did you mean " + " or ".join(f"`{one}`" for one in close) + "?"
    return f"choose of {', '.join(CATALOG)}, a network of TopoHub, or a `.graphml` or `.gml` file"
