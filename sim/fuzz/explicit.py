"""A world said outright: its graph drawn, its patterns names, so that parts can go one by one."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from sim.words.quantities import duration
from topologies import Graph
from virtualtap.units import MS, SECOND, US, Duration

Words = dict[str, Any]  # a scenario, as its TOML is read

SITES = ("hub", "switch")
ENDPOINTS = ("host", "station", "gateway")
_UNITS = ((SECOND, "s"), (MS, "ms"), (US, "us"), (1, "ns"))
_OF_NODES = {
    **dict.fromkeys(("crash", "restart"), (*SITES, "tap", "ipc", *ENDPOINTS)),
    **dict.fromkeys(("sleep", "wake"), ("host",)),
}
_OF_LINKS = ("down", "up", "begin", "end", "roam", "reconnect")
_PLAIN = ("name", "seed", "until", "topology", "expect")  # keys that name no part of the graph


def as_drawn(words: Words, graph: Graph) -> Words:
    """The same world on the topology `drawn`: what its links are like stands in `[[links]]`."""
    nodes = {name: attributes["kind"] for name, attributes in graph.nodes(data=True)}
    links = [list(pair) for pair in graph.edges()]
    topology: Words = {"name": "drawn", "nodes": nodes, "links": links}
    if words["topology"].get("loops"):
        topology["loops"] = True
    made = [
        {"match": f"{_literal(one)}--{_literal(other)}", **_link_words(attributes)}
        for one, other, attributes in graph.edges(data=True)
        if attributes
    ]
    kept = {key: value for key, value in words.items() if key != "sites"}
    said = [*made, *words.get("links", ())]
    return {**kept, "topology": topology, **({"links": said} if said else {})}


def kinds(words: Words) -> dict[str, str]:
    """Each node of a drawn world and its kind, in order."""
    found: dict[str, str] = words["topology"]["nodes"]
    return found


def ends(words: Words) -> list[tuple[str, str]]:
    """The links of a drawn world."""
    return [(one, other) for one, other in words["topology"]["links"]]


def spoken_out(words: Words) -> Words:
    """Every sender and everything that happens has an entry of its own."""
    rules = [one for rule in words.get("traffic", ()) for one in _spoken_by_one(rule, words)]
    happenings = [one for entry in words.get("timeline", ()) for one in _to_one(entry, words)]
    found = {"traffic": rules, "timeline": happenings}
    return {**words, **{key: value for key, value in found.items() if value}}


def without(words: Words, gone: frozenset[str]) -> Words:
    """A drawn world without these nodes, their links, and every word that names only them."""
    nodes = {name: kind for name, kind in kinds(words).items() if name not in gone}
    left = [list(pair) for pair in ends(words) if not gone.intersection(pair)]
    return _on(words, nodes, left)


def merged(words: Words, kept: str, gone: str) -> Words:
    """A drawn world in which what was at the site `gone` is at `kept`, and `gone` is no more."""
    nodes = {name: kind for name, kind in kinds(words).items() if name != gone}
    left: list[list[str]] = []
    for pair in ends(words):
        one, other = (kept if end == gone else end for end in pair)
        if one != other and [one, other] not in left and [other, one] not in left:
            left.append([one, other])
    renamed = {key: _renamed(value, gone, kept) for key, value in words.items()}
    return _on({**renamed, "topology": words["topology"]}, nodes, left)


def as_station(words: Words, host: str, tap: str) -> Words:
    """A drawn world in which a station stands in place of a host and its tap."""
    nodes = {
        name: "station" if name == host else kind
        for name, kind in kinds(words).items()
        if name != tap
    }
    left = [
        [host if end == tap else end for end in pair]
        for pair in ends(words)
        if set(pair) != {host, tap}
    ]
    return _on(words, nodes, left)


def time_text(ns: Duration) -> str:
    """As a scenario writes it, in the largest unit that divides it."""
    size, unit = next((size, unit) for size, unit in _UNITS if ns % size == 0)
    return f"{ns // size}{unit}"


def fitting(pattern: str, words: Words, of: tuple[str, ...] = ENDPOINTS) -> list[str]:
    """The nodes of these kinds whose name fits, in order."""
    return [
        name for name, kind in kinds(words).items() if kind in of and fnmatchcase(name, pattern)
    ]


def _on(words: Words, nodes: Mapping[str, str], links: list[list[str]]) -> Words:
    """The words on a smaller graph: those that fitted something and fit nothing now are gone."""
    before, after = _names(words), _names({"topology": {"nodes": nodes, "links": links}})
    topology = {**words["topology"], "nodes": dict(nodes), "links": links}
    found: Words = {}
    for key, value in words.items():
        kept = value if key in _PLAIN else _pruned(value, before, after)
        if kept is not None:
            found[key] = kept
    return {**found, "topology": topology}


def _names(words: Words) -> list[str]:
    """Of the nodes, and of the links either way round."""
    pairs = ends(words)
    both = [name for one, other in pairs for name in (f"{one}--{other}", f"{other}--{one}")]
    return [*kinds(words), *both]


def _pruned(value: Any, before: list[str], after: list[str]) -> Any:
    """The value without what names only what is gone; None where nothing is left of it."""
    if isinstance(value, str):
        return None if _fits(value, before) and not _fits(value, after) else value
    if isinstance(value, dict):
        inside = {key: _pruned(one, before, after) for key, one in value.items()}
        return None if None in inside.values() else inside
    if isinstance(value, list) and value:
        left = [_pruned(one, before, after) for one in value]
        return [one for one in left if one is not None] or None
    return value


def _fits(pattern: str, names: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        if value == old:
            return new
        one, dashes, other = value.partition("--")
        is_between = {one, other} == {old, new}  # the link that is no more
        renamed = "--".join(new if end == old else end for end in (one, other))
        return renamed if dashes and not is_between else value
    if isinstance(value, dict):
        return {key: _renamed(one, old, new) for key, one in value.items()}
    return [_renamed(one, old, new) for one in value] if isinstance(value, list) else value


def _spoken_by_one(rule: Words, words: Words) -> Iterator[Words]:
    """A rule for each sender, as `sim.actions.enact` pairs them."""
    senders = fitting(rule["from"], words)
    pairs = []
    for i, sender in enumerate(senders):
        receiver = _receiver(rule["to"], i, senders, words)
        if receiver != sender:
            pairs.append((sender, receiver))
    start, step = (duration(rule.get(key, "0s")) for key in ("start", "stagger"))
    for i, (sender, receiver) in enumerate(pairs):
        to = _literal(receiver) if receiver in kinds(words) else receiver
        own = {**rule, "from": _literal(sender), "to": to}
        own.pop("stagger", None)
        if start + i * step:
            own["start"] = time_text(start + i * step)
        yield own


def _receiver(to: Any, i: int, senders: list[str], words: Words) -> str:
    """A name, or a word or address that is nobody's name."""
    if isinstance(to, dict):
        chosen = (to["stride"] * i + to.get("offset", 0)) % len(senders)
        return senders[chosen if chosen != i else (i + 1) % len(senders)]
    if to == "next":
        return senders[(i + 1) % len(senders)]
    receivers = fitting(to, words)
    if to == "gateway" or not receivers:
        return str(to)
    chosen = i % len(receivers)
    if receivers[chosen] == senders[i]:
        chosen = (chosen + 1) % len(receivers)
    return receivers[chosen]


def _to_one(entry: Words, words: Words) -> Iterator[Words]:
    """An entry of the timeline for each node or link that its pattern fits."""
    (key,) = (key for key in entry if key != "at")
    value = entry[key]
    names: list[str] = []
    if key in _OF_NODES:
        names = [_literal(name) for name in fitting(value, words, _OF_NODES[key])]
    elif key in _OF_LINKS:
        names = list(_links(value if isinstance(value, str) else value["link"], words))
    for name in names:
        yield {**entry, key: name if isinstance(value, str) else {**value, "link": name}}
    if not names:
        yield entry


def _links(pattern: str, words: Words) -> Iterator[str]:
    for one, other in ends(words):
        if any(fnmatchcase(name, pattern) for name in (f"{one}--{other}", f"{other}--{one}")):
            yield f"{_literal(one)}--{_literal(other)}"


def _literal(name: str) -> str:
    """A pattern that fits this name."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def _link_words(attributes: Mapping[str, Any]) -> Words:
    found: Words = dict(attributes)
    if "delay" in found:
        found["delay"] = time_text(found["delay"])
    if "rate" in found:
        found["rate"] = f"{found['rate']}bit"
    return found
