"""The words of a scenario become traffic, faults, timeline and link settings of a network."""

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from sim import phones, timeline
from sim.build import Built, Endpoint
from sim.conversation import conversation
from sim.faults import FAULTS, BitFlip, Duplication, Fault, Jitter, Loss, Reordering, Truncation
from sim.link import Link
from sim.node import Node
from sim.nodes.virtual_tap import VirtualTapNode
from sim.quantities import duration, rate
from sim.rng import stream
from sim.scenario import (
    Burst,
    Conversation,
    Ping,
    Poisson,
    Replay,
    Scenario,
    Stream,
    Stride,
)
from sim.timeline import Timeline
from sim.traffic import DatagramStream, Elsewhere, Timing
from sim.traffic import Ping as PingTraffic
from sim.traffic import Replay as ReplayTraffic
from virtualtap.errors import UsageError
from virtualtap.units import Instant
from virtualtap.wire.address import ip

T = TypeVar("T")
_ADDRESS = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"
Traffic = DatagramStream | PingTraffic | ReplayTraffic
Pairs = list[tuple[Endpoint, Endpoint | Elsewhere]]


def traffic(
    scenario: Scenario, built: Built, inputs: dict[str, Path]
) -> tuple[list[Traffic], list[str]]:
    """All that hosts will say, in the scenario's order, and remarks in words.

    `inputs` says where the files are that the scenario names. UsageError where a name fits nothing.
    """
    made: list[Traffic] = []
    remarks: list[str] = []
    until = duration(scenario.until)
    for rule in scenario.traffic:
        pairs, alone = _pairs(rule, built)
        if alone:
            some = ", ".join(alone[:4]) + (", …" if len(alone) > 4 else "")
            remarks.append(f"{len(alone)} endpoints have no gateway to speak to: {some}")
        if not pairs:
            remarks.append(f"traffic from `{rule.from_}`: there is nobody else to speak to")
        for i, ends in enumerate(pairs):
            begin = duration(rule.start) + i * duration(rule.stagger)
            stop = until if rule.stop is None else min(until, duration(rule.stop))
            if isinstance(rule, Replay):
                path = inputs[rule.file]
                replay, said = _replay(rule, built, len(made), ends, (begin, stop), path)
                made.append(replay)
                remarks += said
            else:
                made.append(_speak(rule, built, len(made), ends, (begin, stop)))
    return made, remarks


def check_taps(scenario: Scenario, built: Built) -> None:
    """UsageError for a pattern of `[[taps]]` that fits none."""
    names = [n for n, node in built.network.nodes.items() if isinstance(node, VirtualTapNode)]
    for entry in scenario.taps:
        if not any(fnmatchcase(name, entry["match"]) for name in names):
            some = ", ".join(names[:8]) or "none"
            raise UsageError(f"no tap is named {_shown(entry['match'])}", f"there are {some}")


def settle_links(scenario: Scenario, built: Built) -> None:
    """Give links what the scenario's `[[links]]` say, the later ones last."""
    for rule in scenario.links:
        for link in _links(rule.match, built):
            link.change(
                delay=None if rule.delay is None else duration(rule.delay),
                rate=rate(rule.rate) if rule.rate not in (None, "none") else rule.rate,
                overhead=rule.overhead,
                least=rule.least,
                queue=rule.queue,
            )
            if rule.transport is not None:
                phones.carry(link, rule.transport, built)
            if rule.faults:
                link.faults = tuple(fault(words) for words in rule.faults)


def happenings(scenario: Scenario, built: Built) -> Timeline:
    """Everything that the scenario's `[[timeline]]` lets happen."""
    made: Timeline = []
    for entry in scenario.timeline:
        key = entry.which()
        words = getattr(entry, key)
        for one in _ENACT[key](words, built):
            made.append((duration(entry.at), one))
    return made


def fault(words: dict[str, Any]) -> Fault:
    """`{ fault = "loss", probability = 0.1 }` as a fault. UsageError lists the right words."""
    kind = words.get("fault")
    maker = _FAULTS.get(kind) if isinstance(kind, str) else None
    if maker is None:
        raise UsageError(f"no fault is named {_shown(kind)}", f"the faults are {', '.join(FAULTS)}")
    keys, make = maker
    given = {key: value for key, value in words.items() if key != "fault"}
    if set(given) != set(keys):
        raise UsageError(
            f"fault `{kind}` has {_shown(', '.join(given) or 'nothing')}",
            f"it takes {', '.join(keys)}",
        )
    values = []
    for key in keys:
        value = given[key]
        if key == "probability":
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise UsageError(
                    f"`probability` of `{kind}` is {_shown(value)}", "give a number from 0 to 1"
                )
            values.append(float(value))
        else:
            values.append(duration(value if isinstance(value, str) else str(value)))
    return make(*values)


_FAULTS: dict[str, tuple[tuple[str, ...], Callable[..., Fault]]] = {
    Loss.name: (("probability",), Loss),
    Jitter.name: (("most",), Jitter),
    Duplication.name: (("probability",), Duplication),
    Reordering.name: (("probability", "hold"), Reordering),
    BitFlip.name: (("probability",), BitFlip),
    Truncation.name: (("probability",), Truncation),
}


def _speak(
    rule: Conversation,
    built: Built,
    number: int,
    ends: tuple[Endpoint, Endpoint | Elsewhere],
    span: tuple[Instant, Instant],
) -> Traffic:
    network = built.network
    if isinstance(rule, Ping):
        timing = Timing(duration(rule.every), *span)
        return PingTraffic(network, number, ends, timing, size=rule.size, family=rule.family)
    assert isinstance(rule, Stream)
    burst = rule.count if isinstance(rule, Burst) else 1
    timing = Timing(duration(rule.every), *span, burst)
    luck = stream(network.seed, f"traffic/{number}") if isinstance(rule, Poisson) else None
    return DatagramStream(
        network,
        number,
        ends,
        timing,
        size=rule.size,
        port=rule.port,
        family=rule.family,
        luck=luck,
    )


def _replay(
    rule: Replay,
    built: Built,
    number: int,
    ends: tuple[Endpoint, Endpoint | Elsewhere],
    span: tuple[Instant, Instant],
    path: Path,
) -> tuple[ReplayTraffic, list[str]]:
    packets, said = conversation(path, ip(rule.address), speak_control=rule.speak_control)
    one = ReplayTraffic(built.network, number, ends, Timing(1, *span), packets)
    return one, said


def _pairs(rule: Conversation, built: Built) -> tuple[Pairs, list[str]]:
    """Who speaks to whom, and who would speak to a gateway but has none."""
    endpoints = built.endpoints
    senders = _named(rule.from_, endpoints, "traffic `from`")
    if rule.to == "gateway":
        return _with_gateways(senders, built)
    pairs: Pairs = []
    for i, sender in enumerate(senders):
        receiver = _receiver(rule.to, i, senders, built)
        if receiver is not sender:
            pairs.append((sender, receiver))
    return pairs, []


def _with_gateways(senders: list[Endpoint], built: Built) -> tuple[Pairs, list[str]]:
    """Each sender with its gateway; gateways themselves speak to none."""
    owners = {place.ip: built.endpoints[place.name] for place in built.places}
    led = {place.name: owners[place.gateway] for place in built.places if place.gateway}
    pairs: Pairs = [(sender, led[sender.name]) for sender in senders if sender.name in led]
    if not pairs:
        raise UsageError(f"`{senders[0].name}` has no gateway", "give the topology one")
    gateways = {id(gateway) for gateway in led.values()}
    alone = [one.name for one in senders if one.name not in led and id(one) not in gateways]
    return pairs, alone


def _receiver(
    to: str | Stride, i: int, senders: list[Endpoint], built: Built
) -> Endpoint | Elsewhere:
    if isinstance(to, Stride):
        chosen = (to.stride * i + to.offset) % len(senders)
        return senders[chosen if chosen != i else (i + 1) % len(senders)]
    if to == "next":
        return senders[(i + 1) % len(senders)]
    if to not in built.endpoints and re.fullmatch(_ADDRESS, to):
        return Elsewhere(built.network, ip(to))
    receivers = _named(to, built.endpoints, "traffic `to`")
    chosen = i % len(receivers)
    if receivers[chosen] is senders[i]:
        chosen = (chosen + 1) % len(receivers)
    return receivers[chosen]


def _named(pattern: str, things: dict[str, T], what: str) -> list[T]:
    found = [thing for name, thing in things.items() if fnmatchcase(name, pattern)]
    if not things:
        raise UsageError(f"{what}: the topology has no endpoints", "give it some: `sites = { }`")
    if not found:
        some = ", ".join(list(things)[:8])
        raise UsageError(f"{what}: no endpoint is named {_shown(pattern)}", f"there are {some}, …")
    return found


def _links(pattern: str, built: Built) -> list[Link]:
    """By `a--b`, either way round, or by their ports `a.p--b.q`."""
    found = []
    for link in built.links.values():
        one, other = (way.source for way in link.directions)
        names = (
            f"{one.node.name}--{other.node.name}",
            f"{other.node.name}--{one.node.name}",
            f"{one.name}--{other.name}",
            f"{other.name}--{one.name}",
        )
        if any(fnmatchcase(name, pattern) for name in names):
            found.append(link)
    if not found:
        some = ", ".join(list(built.links)[:4])
        raise UsageError(f"no link is named {_shown(pattern)}", f"there are {some}, …")
    return found


def _nodes(pattern: str, built: Built) -> list[Node]:
    found = [n for name, n in built.network.nodes.items() if fnmatchcase(name, pattern)]
    if not found:
        some = ", ".join(list(built.network.nodes)[:8])
        raise UsageError(f"no node is named {_shown(pattern)}", f"there are {some}, …")
    return found


def _begin(words: dict[str, Any], built: Built) -> list[timeline.Happening]:
    link = words.get("link")
    if not isinstance(link, str):
        raise UsageError("`begin` names no link", 'write `begin = { link = "a--b", fault = … }`')
    what = fault({key: value for key, value in words.items() if key != "link"})
    return [timeline.Begin(one, what) for one in _links(link, built)]


def _end(words: dict[str, Any], built: Built) -> list[timeline.Happening]:
    link, name = words.get("link"), words.get("fault")
    named = isinstance(link, str) and isinstance(name, str) and name in FAULTS
    if set(words) != {"link", "fault"} or not named:
        raise UsageError("`end` needs a link and a fault", f"the faults are {', '.join(FAULTS)}")
    return [timeline.End(one, str(name)) for one in _links(str(link), built)]


_ENACT: dict[str, Callable[[Any, Built], list[timeline.Happening]]] = {
    "down": lambda words, built: [timeline.Down(link) for link in _links(words, built)],
    "up": lambda words, built: [timeline.Up(link) for link in _links(words, built)],
    "crash": lambda words, built: [timeline.Crash(node) for node in _nodes(words, built)],
    "restart": lambda words, built: [timeline.Restart(node) for node in _nodes(words, built)],
    "begin": _begin,
    "end": _end,
    "roam": lambda words, built: phones.roam(words, _links(words.link, built)),
    "sleep": phones.sleep,
    "wake": phones.wake,
}


def _shown(value: object) -> str:
    return f"`{value!s:.60}`"
