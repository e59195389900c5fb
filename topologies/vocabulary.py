"""What a graph may say: node kinds, edge attributes, limits; and `check` that holds it to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import networkx as nx

Graph: TypeAlias = "nx.Graph[str]"

NODES_MAX = 200_000
EDGES_MAX = 1_000_000
NAME_MAX = 256  # characters

HUB, SWITCH = "hub", "switch"
SITES = [HUB, SWITCH]  # what others hang from, and what joins a LAN
KINDS: dict[str, str] = {
    HUB: "a SoftEther virtual hub",
    SWITCH: "an 802.1D bridge",
    "tap": "a virtual tap between one host and one hub or switch",
    "ipc": "SoftEther's own in-process client between one host and one hub",
    "host": "an IP endpoint behind a tap or an in-process client",
    "station": "an Ethernet endpoint",
    "gateway": "a router",
}

# each edge attribute is an integer from the first to the second number, both included
EDGE_ATTRIBUTES: Mapping[str, tuple[int, int]] = {
    "delay": (0, 86_400 * 10**9),  # ns, one way
    "rate": (1, 10**15),  # bit/s
    "overhead": (0, 65_535),  # bytes added to each frame on the wire
    "least": (0, 65_535),  # bytes a frame is padded to
    "queue": (0, 2**40),  # bytes
}

_DEGREES: Mapping[str, float] = {"latitude": 90.0, "longitude": 180.0}


@dataclass(frozen=True, slots=True)
class Attachment:
    """What an endpoint's neighbors must be: from `least` to `most` sites (None: any number).

    And these `others`, sorted ("tap": an in-process client too; an `ipc` has a hub among them).
    """

    rule: str  # the same said
    least: int = 1
    most: int | None = 1
    others: tuple[str, ...] = ()

    def fits(self, roles: list[str]) -> bool:
        """Whether neighbors of these roles, sorted, are the right ones."""
        sites = roles.count("site")
        most = sites if self.most is None else self.most
        others = tuple(role for role in roles if role != "site")
        return self.least <= sites <= most and others == self.others


ATTACHMENTS: dict[str, Attachment] = {
    "host": Attachment(
        "a host hangs from exactly one tap or `ipc` and from nothing else", 0, 0, ("tap",)
    ),
    "ipc": Attachment("an `ipc` has exactly one host and exactly one hub", 0, 0, ("host", "hub")),
    "tap": Attachment("a tap has exactly one host and exactly one hub or switch", others=("host",)),
    "station": Attachment("a station has one port: attach it to exactly one hub or switch"),
    "gateway": Attachment("attach a gateway to one or more hubs or switches", most=None),
}


class GraphError(ValueError):
    """A graph, topology name or file that cannot serve: one printable line, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(_printable(message))
        self.hint = _printable(hint)
        if hint:
            self.add_note(f"hint: {self.hint}")


def add_kind(name: str, says: str, attachment: Attachment | None) -> None:
    """One more kind that graphs may use: an endpoint so attached, or (None) a site."""
    KINDS[name] = says
    if attachment is None:
        SITES.append(name)
    else:
        ATTACHMENTS[name] = attachment


def quoted(value: object) -> str:
    """The value in backticks, cut to what a line can bear."""
    if isinstance(value, int) and abs(value) >= 10**60:
        return "an integer of more than 60 digits"  # Python refuses to write thousands of them
    text = str(value)
    return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}...`"


def within(what: str, value: object, least: int, most: int) -> None:
    """Raise GraphError unless `value` is an integer from `least` to `most`, both included."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise GraphError(
            f"{what} is {quoted(value)}, not an integer from {least} to {most}",
            f"choose an integer from {least} to {most}",
        )


def check(graph: Graph) -> None:
    """Raise GraphError unless the graph keeps to the vocabulary and can be built.

    It may be disconnected. It may not hold loops of a node with itself, directed or parallel edges.
    """
    if graph.is_directed() or graph.is_multigraph():
        raise GraphError("the graph is directed or has parallel edges", "use a plain `Graph`")
    if not len(graph):
        raise GraphError("the graph has no nodes", "add at least one hub or switch")
    check_size(len(graph), graph.number_of_edges())
    for name, attributes in graph.nodes(data=True):
        _check_node(name, attributes)
    for one, other, attributes in graph.edges(data=True):
        _check_edge(one, other, attributes)
    for name in graph:
        _check_attachment(graph, name)


def check_size(nodes: int, edges: int) -> None:
    """Raise GraphError if a graph of so many nodes and edges is more than is ever built."""
    for count, what, most in ((nodes, "nodes", NODES_MAX), (edges, "edges", EDGES_MAX)):
        if count > most:
            raise GraphError(f"{count} {what} are more than {most}", "choose a smaller network")


def check_name(name: object) -> None:
    """Raise GraphError unless `name` can name a node.

    1 to 256 characters that UTF-8 can carry, NUL excepted. Other control characters are data: who
    prints a name escapes it.
    """
    if not isinstance(name, str) or not name:
        raise GraphError(f"node {quoted(name)} has no name of text", "name each node with text")
    if len(name) > NAME_MAX:
        raise GraphError(
            f"the name {quoted(name)} has {len(name)} characters",
            f"shorten it to {NAME_MAX} characters",
        )
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in name):
        raise GraphError(
            f"the name {quoted(name)} holds NUL or half a character", "rename the node"
        )


def _check_node(name: object, attributes: Mapping[str, object]) -> None:
    check_name(name)
    kind = attributes.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise GraphError(
            f"node {quoted(name)} is of the unknown kind {quoted(kind)}",
            f"the kinds are {', '.join(KINDS)}",
        )
    for what, most in _DEGREES.items():
        value = attributes.get(what, 0.0)
        if not isinstance(value, (int, float)) or not abs(value) <= most:  # nor NaN
            raise GraphError(
                f"node {quoted(name)} has the {what} {quoted(value)}",
                f"give degrees from -{most:.0f} to {most:.0f}",
            )


def _check_edge(one: str, other: str, attributes: Mapping[str, object]) -> None:
    where = f"the edge {quoted(one)} to {quoted(other)}"
    if one == other:
        raise GraphError(f"{where} is a loop", "remove it: a link joins two nodes")
    for what, value in attributes.items():
        if what not in EDGE_ATTRIBUTES:
            raise GraphError(
                f"{where} has the unknown attribute {quoted(what)}",
                f"the attributes are {', '.join(EDGE_ATTRIBUTES)}",
            )
        within(f"`{what}` of {where}", value, *EDGE_ATTRIBUTES[what])


def _check_attachment(graph: Graph, name: str) -> None:
    kind = graph.nodes[name]["kind"]
    if kind in SITES:
        return  # whatever is attached to it has been or will be asked
    inside = kind == "ipc"  # of a hub, not of a switch
    found = sorted(_role(graph, neighbor, inside=inside) for neighbor in graph[name])
    attachment = ATTACHMENTS[kind]
    if not attachment.fits(found):
        raise GraphError(
            f"the {kind} {quoted(name)} is attached to the wrong nodes", attachment.rule
        )


def _role(graph: Graph, name: str, *, inside: bool) -> str:
    kind: str = graph.nodes[name]["kind"]
    if kind == "ipc":
        return "tap"
    return "site" if kind in SITES and not inside else kind


def _printable(text: str) -> str:
    """The text with everything escaped that could move, hide or reorder what a terminal shows."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
