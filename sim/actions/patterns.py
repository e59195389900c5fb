"""Which links and nodes of a network a name of a scenario means; a name is a pattern."""

from fnmatch import fnmatchcase

from sim.build import Built
from sim.link import Link
from sim.node import Node
from virtualtap.errors import UsageError


def links(pattern: str, built: Built) -> list[Link]:
    """By `a--b`, either way round, or by their ports `a.p--b.q`. UsageError: there is none."""
    found = []
    is_wild = any(sign in pattern for sign in "*?[")
    for link in built.links.values():
        one, other = (way.source for way in link.directions)
        names = (
            f"{one.node.name}--{other.node.name}",
            f"{other.node.name}--{one.node.name}",
            f"{one.name}--{other.name}",
            f"{other.name}--{one.name}",
        )
        if pattern in names or (is_wild and any(fnmatchcase(name, pattern) for name in names)):
            found.append(link)
    if not found:
        some = ", ".join(list(built.links)[:4])
        raise UsageError(f"no link is named {shown(pattern)}", f"there are {some}, …")
    return found


def nodes(pattern: str, built: Built) -> list[Node]:
    """By their names. UsageError: there is none."""
    found = [n for name, n in built.network.nodes.items() if fnmatchcase(name, pattern)]
    if not found:
        some = ", ".join(list(built.network.nodes)[:8])
        raise UsageError(f"no node is named {shown(pattern)}", f"there are {some}, …")
    return found


def shown(value: object) -> str:
    """In backticks, cut to what a line can bear."""
    return f"`{value!s:.60}`"
