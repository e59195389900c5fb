"""What a scenario says of faults, moves, clogs and clocks becomes what happens to a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sim.actions import timeline
from sim.actions.patterns import links, nodes, shown
from sim.build import Built
from sim.faults import (
    BitFlip,
    Duplication,
    Exactly,
    Fault,
    Jitter,
    Loss,
    Mtu,
    Outcome,
    Reordering,
    Toward,
    Trouble,
    Truncation,
)
from sim.link import Link
from sim.nodes.gateway import LanGateway
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.transport import Transport
from sim.nodes.station import Station
from sim.nodes.virtual_tap import VirtualTapNode
from sim.scenario import Scenario
from sim.words import faults as fault_words
from sim.words.quantities import duration
from topologies import Graph
from virtualtap.errors import UsageError

SPARES_MAX = 10_000  # links into which somebody is plugged later
_MOVABLE = ("station", "gateway", "tap")
_FRAME_MOST = 65_535  # bytes
_EXACTLY = ("lose", "repeat", "late", "flip", "cut")

Reader = Callable[[str, object], Any]  # (what it is, in words; what is said) → its value


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that a scenario may name, and how each of its words is read: by the field's name.

    `like` are other faults whose effects it may have, by name: laws that do not hold under those do
    not hold under this one.
    """

    fault: type[Fault]
    words: Mapping[str, Reader]
    like: tuple[str, ...] = ()


def fault(words: dict[str, Any]) -> Trouble:
    """`{ fault = "loss", probability = 0.1 }` as a fault. UsageError lists the right words."""
    given = dict(words)
    kind = given.pop("fault", None)
    toward = given.pop("toward", None)
    if toward is not None and not isinstance(toward, str):
        raise UsageError(f"`toward` is {shown(toward)}", "name the node at one end of the link")
    made = _exactly(given) if kind == Exactly.name else _random(kind, given)
    return made if toward is None else Toward(made, toward)


def befall(links: Sequence[Link], said: Sequence[dict[str, Any]]) -> None:
    """Let links have these faults, and no others."""
    faults = [(one, _ending(links, _way(one))) for one in map(fault, said)]
    for link in links:
        link.faults = tuple(one for one, befallen in faults if link in befallen)


def spares(scenario: Scenario, graph: Graph) -> list[tuple[str, str]]:
    """Who will be plugged into which hub or switch, each pair once. UsageError: it cannot be."""
    kinds = {name: attributes["kind"] for name, attributes in graph.nodes(data=True)}
    found: dict[tuple[str, str], None] = {}
    for words in (one.move for one in scenario.timeline if one.move is not None):
        if kinds.get(words.to) not in ("hub", "switch"):
            raise UsageError(f"`move`: {shown(words.to)} is no hub or switch", "name one in `to`")
        movers = [name for name in kinds if fnmatchcase(name, words.node)]
        if not movers:
            raise UsageError(
                f"`move`: no node is named {shown(words.node)}",
                f"there are {', '.join(list(kinds)[:8])}",
            )
        for name in movers:
            _check_mover(name, kinds[name], len(graph[name]))
            if words.to not in graph[name]:
                found[name, words.to] = None
        if len(found) > SPARES_MAX:
            raise UsageError(
                f"`move`: more than {SPARES_MAX} links would be new", "let fewer nodes move"
            )
    return list(found)


def _check_mover(name: str, kind: str, links: int) -> None:
    if kind not in _MOVABLE:
        raise UsageError(
            f"`move`: the {kind} {shown(name)} has no plug of its own",
            "stations, gateways and taps have one; a host goes with its tap",
        )
    if kind == "gateway" and links > 1:
        raise UsageError(
            f"`move`: gateway {shown(name)} has {links} links", "one with a single link can move"
        )


def _random(kind: object, given: dict[str, Any]) -> Fault:
    found = FAULTS.get(kind) if isinstance(kind, str) else None
    if kind is None:
        raise UsageError("a fault has no name", f"say `fault = …`: {_names()}")
    if found is None:
        raise UsageError(f"no fault is named {shown(kind)}", f"the faults are {_names()}")
    words = found.words
    if set(given) != set(words):
        raise UsageError(
            f"fault `{kind}` has {shown(', '.join(given) or 'nothing')}",
            f"it takes {', '.join(words) or 'nothing'}, and `toward`",
        )
    said = {key: read(f"`{key}` of `{kind}`", given[key]) for key, read in words.items()}
    return found.fault(**said)


def _names() -> str:
    return ", ".join((*FAULTS, Exactly.name))


def probability(what: str, value: object) -> float:
    """A number from 0 to 1. UsageError for anything else, as of all readers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UsageError(f"{what} is {shown(value)}", "give a number from 0 to 1")
    return float(value)


def span(what: str, value: object) -> int:
    """A time like `"2ms"`, in ns."""
    return duration(value if isinstance(value, str) else str(value))


def whole(least: int, most: int) -> Reader:
    """What reads a whole number, from `least` to `most`."""
    return lambda what, value: _whole(what, value, least, most)


_bytes = whole(1, _FRAME_MOST)

FAULTS: dict[str, FaultKind] = {
    kind.fault.name: kind
    for kind in (
        FaultKind(Loss, {"probability": probability}),
        FaultKind(Jitter, {"most": span}),
        FaultKind(Duplication, {"probability": probability}),
        FaultKind(Reordering, {"probability": probability, "hold": span}),
        FaultKind(BitFlip, {"probability": probability}),
        FaultKind(Truncation, {"probability": probability}),
        FaultKind(Mtu, {"most": _bytes}),
    )
}


def _exactly(given: dict[str, Any]) -> Exactly:
    for key, value in given.items():
        if key not in _EXACTLY or not isinstance(value, list):
            raise UsageError(f"fault `exactly` has {shown(key)}", f"its lists are {_LISTS}")
    late = _pairs(given, "late", span)
    flip = _pairs(given, "flip", lambda what, bit: _whole(what, bit, 0, _FRAME_MOST * 8 - 1))
    cut = _pairs(given, "cut", _bytes)
    lose, repeat = (_numbers(key, given.get(key, [])) for key in ("lose", "repeat"))
    return Exactly(
        tuple(
            (
                number,
                Outcome(
                    lost=number in lose,
                    copies=2 if number in repeat else 1,
                    late=late.get(number, 0),
                    flip=flip.get(number),
                    cut=cut.get(number),
                ),
            )
            for number in sorted({*lose, *repeat, *late, *flip, *cut})
        )
    )


_LISTS = (
    '`lose = [3]`, `repeat = [4]`, `late = [[5, "2ms"]]`, `flip = [[6, 113]]`, `cut = [[8, 40]]`'
)


def _numbers(key: str, said: list[Any]) -> set[int]:
    found = {_whole(f"`{key}` of `exactly`", number, 1, 2**62) for number in said}
    if len(found) != len(said):
        raise UsageError(f"`{key}` of `exactly` names a frame twice", "once is enough")
    return found


def _pairs(given: dict[str, Any], key: str, read: Callable[[str, object], int]) -> dict[int, int]:
    said = given.get(key, [])
    if not all(isinstance(one, list) and len(one) == 2 for one in said):
        raise UsageError(f"`{key}` of `exactly` is no list of pairs", f"its lists are {_LISTS}")
    _numbers(key, [number for number, _ in said])
    return {number: read(f"`{key}` of `exactly`", value) for number, value in said}


def _whole(what: str, value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UsageError(f"{what} has {shown(value)}", f"give whole numbers from {least} to {most}")
    return value


def _way(trouble: Trouble) -> str | None:
    return trouble.node if isinstance(trouble, Toward) else None


def _ending(links: Sequence[Link], toward: str | None) -> list[Link]:
    """Those of the links that end at the node `toward`, if one is said. UsageError: none does."""
    found = [
        link
        for link in links
        if toward is None or toward in (way.target.node.name for way in link.directions)
    ]
    if not found:
        raise UsageError(
            f"`toward`: {shown(toward)} is no end of `{links[0].name}`", "name one of its ends"
        )
    return found


def _begin(words: dict[str, Any], built: Built) -> list[timeline.Happening]:
    link = words.get("link")
    if not isinstance(link, str):
        raise UsageError("`begin` names no link", 'write `begin = { link = "a--b", fault = … }`')
    what = fault({key: value for key, value in words.items() if key != "link"})
    return [timeline.Begin(one, what) for one in _ending(links(link, built), _way(what))]


def _end(words: dict[str, Any], built: Built) -> list[timeline.Happening]:
    link, name = words.get("link"), words.get("fault")
    toward = str(words["toward"]) if "toward" in words else None
    is_said = isinstance(link, str) and name in (*FAULTS, Exactly.name)
    if {*words, "toward"} != {"link", "fault", "toward"} or not is_said:
        raise UsageError("`end` needs a link and a fault", f"the faults are {_names()}")
    found = _ending(links(str(link), built), toward)
    return [timeline.End(one, str(name), toward) for one in found]


def _move(words: fault_words.Move, built: Built) -> list[timeline.Happening]:
    made: list[timeline.Happening] = []
    for node in nodes(words.node, built):
        of_node = [
            built.links.get(name)
            for name in (f"{node.name}--{words.to}", f"{words.to}--{node.name}")
        ]
        (link,) = (one for one in of_node if one is not None)  # there, or spare
        if any(one.carrier is not None for one in links(f"{node.name}--*", built)):
            raise UsageError(
                f"`move`: the session of `{node.name}` has a transport", "let its client `roam`"
            )
        made.append(timeline.Move(link))
    return made


def _reconnect(pattern: str, built: Built) -> list[timeline.Happening]:
    found = [link for link in links(pattern, built) if _is_session(link)]
    if not found:
        raise UsageError(
            f"`reconnect`: {shown(pattern)} is no session", "name links that end at a hub"
        )
    return [timeline.Reconnect(link) for link in found]


def _is_session(link: Link) -> bool:
    if isinstance(link.carrier, Transport):
        return True
    ends = [way.target for way in link.directions]
    return any(
        isinstance(port.node, SoftEtherServer) and port.name not in port.node.nats for port in ends
    )


def _clog(words: fault_words.Clog, built: Built) -> list[timeline.Happening]:
    found = tuple(links(words.links, built))
    return [timeline.Clog(found, duration(words.over), duration(words.hold))]


def _skew(words: fault_words.Skew, built: Built) -> list[timeline.Happening]:
    found = nodes(words.node, built)
    for node in found:
        if not isinstance(node, VirtualTapNode | Station | LanGateway):
            raise UsageError(
                f"`skew`: the {node.kind} `{node.name}` has no clock of its own",
                "stations, gateways and taps have one",
            )
    return [timeline.Skew(node, words.ppm) for node in found]


ENACT: dict[str, Callable[[Any, Built], list[timeline.Happening]]] = {
    "begin": _begin,
    "end": _end,
    "move": _move,
    "reconnect": _reconnect,
    "clog": _clog,
    "skew": _skew,
}
