"""What a scenario says of phones becomes platforms, transports, and what happens to them."""

from dataclasses import replace
from fnmatch import fnmatchcase

from sim.actions import timeline
from sim.build import Built
from sim.link import Link
from sim.nodes.host import L3Host
from sim.nodes.phone import Phone
from sim.nodes.platform import PLATFORMS
from sim.nodes.softether.fifo import Budget
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.transport import Transport, Wish
from sim.nodes.virtual_tap import VirtualTapNode
from sim.scenario import Scenario
from sim.words import phones as phone_words
from sim.words.quantities import duration, rate
from virtualtap.errors import UsageError


def carry(link: Link, words: phone_words.Transport, built: Built) -> None:
    """Give a link a transport. UsageError where it is no client's session, or has one."""
    network = built.network
    if link.carrier is not None:
        raise UsageError(
            f"two `[[links]]` give `{link.name}` a transport", "describe it in the last of them"
        )
    server = next((w.target.node for w in link.directions if _is_server(w.target.node)), None)
    others = (one.carrier for one in network.links)
    budgets = [one.budget for one in others if isinstance(one, Transport) and one.server is server]
    if budgets:
        budget = budgets[0]
    elif isinstance(server, SoftEtherServer):
        budget = Budget(server.constants)
    else:
        raise UsageError(f"`{link.name}` leads to no hub", "a transport is for a tap's session")
    wish = Wish(
        connections=words.connections,
        half_duplex=words.half_duplex,
        qos=words.qos,
        encrypt=words.encrypt,
        interval=duration(words.interval),
        retry=duration(words.retry),
        udp_acceleration=words.udp_acceleration,
        udp_passes=words.udp_passes,
        fast_detection=words.fast_detection,
        reads=None if words.reads is None else rate(words.reads),
    )
    link.carrier = Transport(link, network, wish, budget)


def settle(scenario: Scenario, built: Built) -> None:
    """Put hosts on their platforms, the later entries last."""
    for entry in scenario.hosts:
        for host in _hosts(entry.match, built):
            platform = PLATFORMS[entry.platform]
            if entry.memory is not None:
                platform = replace(platform, memory=entry.memory)
            host.platform = platform
            phone_of(host)


def phone_of(host: L3Host) -> Phone:
    """The device of a host: made anew, it takes the place of the one before."""
    assert host.uplink.out is not None
    tap = host.uplink.out.target.node
    assert isinstance(tap, VirtualTapNode)
    assert tap.lan.out is not None
    carrier = tap.lan.out.link.carrier
    return Phone(host, tap, carrier if isinstance(carrier, Transport) else None)


def roam(words: phone_words.Roam, links: list[Link]) -> list[timeline.Happening]:
    """Each of these clients goes over to another network."""
    delay = None if words.delay is None else duration(words.delay)
    limit = rate(words.rate) if words.rate not in (None, "none") else words.rate
    return [timeline.Roam(link, _transport(link), delay, limit, words.udp_passes) for link in links]


def sleep(pattern: str, built: Built) -> list[timeline.Happening]:
    """Each of these hosts falls asleep, with its tap and session."""
    return [timeline.Sleep(_sleeper(host)) for host in _hosts(pattern, built)]


def wake(pattern: str, built: Built) -> list[timeline.Happening]:
    """Each of these hosts wakes."""
    return [timeline.Wake(_sleeper(host)) for host in _hosts(pattern, built)]


def _sleeper(host: L3Host) -> Phone:
    assert host.uplink.out is not None
    tap = host.uplink.out.target.node
    assert isinstance(tap, VirtualTapNode)
    assert tap.lan.out is not None
    _transport(tap.lan.out.link)
    return phone_of(host)


def _transport(link: Link) -> Transport:
    if not isinstance(link.carrier, Transport):
        raise UsageError(
            f"`{link.name}` has no transport", "give its `[[links]]` one: `transport = { }`"
        )
    return link.carrier


def _hosts(pattern: str, built: Built) -> list[L3Host]:
    hosts = {name: one for name, one in built.endpoints.items() if isinstance(one, L3Host)}
    found = [one for name, one in hosts.items() if fnmatchcase(name, pattern)]
    if not found:
        some = ", ".join(list(hosts)[:8]) or "none"
        raise UsageError(f"no host is named `{pattern:.60}`", f"there are {some}")
    return found


def _is_server(node: object) -> bool:
    return isinstance(node, SoftEtherServer)
