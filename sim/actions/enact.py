"""The words of a scenario become traffic, faults, timeline and link settings of a network."""

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sim.actions import attackers, healing, phones, timeline, troubles
from sim.actions.address_series import AddressSeries
from sim.actions.conversation import conversation
from sim.actions.patterns import links, nodes, shown
from sim.actions.replaying import Replay as ReplayTraffic
from sim.actions.timeline import Timeline
from sim.actions.traffic import DatagramStream, Elsewhere, Flow, Timing
from sim.actions.traffic import Ping as PingTraffic
from sim.build import Built, Endpoint
from sim.network import Network
from sim.nodes.virtual_tap import VirtualTapNode
from sim.rng import stream
from sim.scenario import Scenario
from sim.words.quantities import duration, rate
from sim.words.traffic import Addresses, Burst, Conversation, Ping, Poisson, Replay, Stream, Stride
from virtualtap.errors import UsageError
from virtualtap.units import Instant
from virtualtap.wire.address import ip

T = TypeVar("T")
_ADDRESS = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"
Ends = tuple[Endpoint, Endpoint | Elsewhere]
Span = tuple[Instant, Instant]  # from, until before
Pairs = list[Ends]


class Traffic(Protocol):
    """What one sender says to one receiver, once it is started."""

    flow: Flow

    def start(self) -> None: ...


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
                speak = SPEAKERS[rule.kind()]
                made.append(speak(rule, built.network, len(made), ends, (begin, stop)))
    return made, remarks


def check_taps(scenario: Scenario, built: Built) -> None:
    """UsageError for a pattern of `[[taps]]` that fits none."""
    names = [n for n, node in built.network.nodes.items() if isinstance(node, VirtualTapNode)]
    for entry in scenario.taps:
        if not any(fnmatchcase(name, entry["match"]) for name in names):
            some = ", ".join(names[:8]) or "none"
            raise UsageError(f"no tap is named {shown(entry['match'])}", f"there are {some}")


def settle_links(scenario: Scenario, built: Built) -> None:
    """Give links what the scenario's `[[links]]` say, the later ones last."""
    for rule in scenario.links:
        found = links(rule.match, built)
        for link in found:
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
            troubles.befall(found, rule.faults)


def happenings(scenario: Scenario, built: Built) -> Timeline:
    """Everything that the scenario's `[[timeline]]` lets happen."""
    made: Timeline = []
    for entry in scenario.timeline:
        key = entry.which()
        words = getattr(entry, key)
        for one in _ENACT[key](words, built):
            made.append((duration(entry.at), one))
    return [*made, *healing.enacted(scenario.heal, built, made)]


def _ping(rule: Ping, network: Network, number: int, ends: Ends, span: Span) -> Traffic:
    timing = Timing(duration(rule.every), *span)
    return PingTraffic(network, number, ends, timing, size=rule.size, family=rule.family)


def _stream(rule: Stream, network: Network, number: int, ends: Ends, span: Span) -> Traffic:
    burst = rule.count if isinstance(rule, Burst) else 1
    timing = Timing(duration(rule.every), *span, burst)
    luck = stream(network.seed, "traffic", f"{number}") if isinstance(rule, Poisson) else None
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


def _addresses(rule: Addresses, network: Network, number: int, ends: Ends, span: Span) -> Traffic:
    timing = Timing(duration(rule.every), *span)
    return AddressSeries(network, number, ends, timing, count=rule.count, backward=rule.backward)


# kind → what speaks so: its words, the network, the number of the flow, its ends, and when
SPEAKERS: dict[str, Callable[[Any, Network, int, Ends, Span], Traffic]] = {
    "ping": _ping,
    "addresses": _addresses,
    **dict.fromkeys(("stream", "poisson", "burst"), _stream),
}


def _replay(
    rule: Replay,
    built: Built,
    number: int,
    ends: Ends,
    span: Span,
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
    """Each sender with its gateway, of a lease as planned; gateways themselves speak to none."""
    owners = {place.ip: built.endpoints[place.name] for place in built.places}
    told = {place.name: place.gateway for place in built.places if place.gateway} | built.leased
    led = {name: owners[gateway] for name, gateway in told.items()}
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
        raise UsageError(f"{what}: no endpoint is named {shown(pattern)}", f"there are {some}, …")
    return found


_ENACT: dict[str, Callable[[Any, Built], list[timeline.Happening]]] = {
    "down": lambda words, built: [timeline.Down(link) for link in links(words, built)],
    "up": lambda words, built: [timeline.Up(link) for link in links(words, built)],
    "crash": lambda words, built: [timeline.Crash(node) for node in nodes(words, built)],
    "restart": lambda words, built: [timeline.Restart(node) for node in nodes(words, built)],
    "roam": lambda words, built: phones.roam(words, links(words.link, built)),
    "sleep": phones.sleep,
    "wake": phones.wake,
    **attackers.ENACT,
    **troubles.ENACT,
}
