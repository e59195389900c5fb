"""What a scenario says of attackers becomes frames, rogue servers and duplicates of a network."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from sim.actions.attacks import (
    Duplicate,
    Flap,
    Inject,
    Names,
    RepeatArp,
    Rogue,
    Spoof,
    Storm,
    Turns,
)
from sim.actions.timeline import Happening
from sim.build import Built
from sim.nodes.gateway import LanGateway
from sim.nodes.host import L3Host
from sim.nodes.interface import Interface
from sim.nodes.softether.nat_dhcp import DhcpServer
from sim.nodes.softether.vh_option import VhOption
from sim.nodes.station import Station
from sim.rng import stream
from sim.words import attacks as attack_words
from sim.words.quantities import duration
from virtualtap.errors import UsageError
from virtualtap.units import SECOND
from virtualtap.wire.address import Ip, ip, ip_text, network_mask
from virtualtap.wire.ethernet import HEADER_LEN

_ALL = "all"
_KINDS = {
    (4, None): "reply",
    (4, "reply"): "reply",
    (4, "request"): "request",
    (6, None): "advertisement",
    (6, "advertisement"): "advertisement",
    (6, "request"): "solicitation",
}
_POOL = 0xC801, 0xC8FE  # .200.1 to .200.254 of a /16: the plan of addresses comes there last


def _inject(words: attack_words.Inject, built: Built) -> list[Happening]:
    frames = tuple(bytes.fromhex(frame) for frame in words.frames)
    made: list[Happening] = []
    for node in _endpoints(words.from_, built):
        is_host = isinstance(node, L3Host)
        if not is_host and min(map(len, frames)) < HEADER_LEN:
            raise UsageError(
                f"`inject` from `{node.name}`: a frame is shorter than {HEADER_LEN} bytes",
                "give it destination, source and type",
            )
        port = node.uplink if isinstance(node, L3Host) else _interfaces(node)[0].port
        made.append(Inject(node, port, _turns(words), frames))
    return made


def _spoof(words: attack_words.Spoof, built: Built) -> list[Happening]:
    kind = _KINDS.get((words.family, words.as_))
    if kind is None:
        raise UsageError(
            f"`spoof`: there is no {words.as_} of IPv{words.family}",
            "IPv4 has `reply` and `request`, IPv6 `advertisement` and `request`",
        )
    if kind == "solicitation" and words.to == _ALL:
        raise UsageError("`spoof`: a solicitation asks one", "name a node in `to`")
    made: list[Happening] = []
    for node in _attackers(words.from_, built, "spoof", {words.claims, words.to}):
        interface, claims = _meeting(node, words.claims, built)
        to = None if words.to == _ALL else _on(interface, words.to, built)
        if to is None and words.to != _ALL:
            raise _apart(words.to, node)
        if words.family == 6 and not claims.ip6:
            raise UsageError("`spoof`: `family = 6` without IPv6", "write `ipv6 = true`")
        made.append(Spoof(node, interface, _turns(words), claims, to, kind))
    return made


def _flap(words: attack_words.Flap, built: Built) -> list[Happening]:
    made: list[Happening] = []
    for node in _attackers(words.from_, built, "flap", {words.of}):
        interface, of = _meeting(node, words.of, built)
        made.append(Flap(node, interface, _turns(words), of))
    return made


def _repeat_arp(words: attack_words.RepeatArp, built: Built) -> list[Happening]:
    found = _attackers(words.from_, built, "repeat-arp", set())
    return [RepeatArp(node, _interfaces(node)[0], _turns(words)) for node in found]


def _storm(words: attack_words.Storm, built: Built) -> list[Happening]:
    found = _attackers(words.from_, built, "storm", set())
    return [Storm(node, _interfaces(node)[0], _turns(words)) for node in found]


def _rogue(words: attack_words.Rogue, built: Built) -> list[Happening]:
    stop = None if words.stop is None else duration(words.stop)
    made: list[Happening] = []
    for node in _stations(words.node, built, "rogue", set()):
        (place,) = (one for one in built.places if one.name == node.name)
        mask = network_mask(place.prefix_length)
        network = int.from_bytes(place.ip) & mask
        first, last = (
            (network + number).to_bytes(4) if said is None else _ip4(said)
            for said, number in zip((words.first, words.last), _POOL, strict=True)
        )
        if first > last or any(int.from_bytes(end) & mask != network for end in (first, last)):
            raise UsageError(
                f"`rogue` of `{node.name}` leases from `{ip_text(first)}` to `{ip_text(last)}`",
                f"give a range of its own network: it is `{ip_text(place.ip)}`",
            )
        option = VhOption(
            Ip=place.ip,
            Mask=mask.to_bytes(4),
            DhcpLeaseIPStart=first,
            DhcpLeaseIPEnd=last,
            DhcpSubnetMask=mask.to_bytes(4),
            DhcpExpireTimeSpan=max(1, duration(words.lease) // SECOND),
            DhcpGatewayAddress=place.ip,
            DhcpDnsServerAddress=place.ip,
        )
        luck = stream(built.network.seed, "rogue", node.name)
        made.append(Rogue(node, DhcpServer(option, luck), stop))
    return made


def _duplicate(words: attack_words.Duplicate, built: Built) -> list[Happening]:
    made: list[Happening] = []
    for node in _stations(words.node, built, "duplicate", {words.of}):
        _, of = _meeting(node, words.of, built)
        made.append(Duplicate(node, of, words.what))
    return made


# who that is


def _endpoints(pattern: str, built: Built) -> list[L3Host | Station | LanGateway]:
    found = [one for name, one in built.endpoints.items() if fnmatchcase(name, pattern)]
    if not found:
        raise _unknown(pattern, list(built.endpoints))
    return found


def _attackers(
    pattern: str, built: Built, word: str, others: set[str]
) -> list[Station | LanGateway]:
    """Those that speak Ethernet themselves, but for the ones that it is about."""
    named = _endpoints(pattern, built)
    able = [one for one in named if not isinstance(one, L3Host)]
    if not able:
        raise UsageError(
            f"`{word}`: `{named[0].name}` speaks only IP", "name a station or a gateway"
        )
    found = [one for one in able if one.name not in others]
    if not found:
        raise UsageError(f"`{word}`: it is about `{able[0].name}` itself", "name somebody else")
    return found


def _stations(pattern: str, built: Built, word: str, others: set[str]) -> list[Station]:
    named = _attackers(pattern, built, word, others)
    found = [one for one in named if isinstance(one, Station)]
    if not found:
        raise UsageError(f"`{word}`: `{named[0].name}` is a gateway", "name a station")
    return found


def _interfaces(node: Station | LanGateway) -> list[Interface]:
    return [node.interface] if isinstance(node, Station) else list(node.interfaces.values())


def _meeting(node: Station | LanGateway, name: str, built: Built) -> tuple[Interface, Names]:
    """By which interface `node` meets the endpoint of this name, and what that is called there."""
    for interface in _interfaces(node):
        names = _on(interface, name, built)
        if names is not None:
            return interface, names
    raise _apart(name, node)


def _on(interface: Interface, name: str, built: Built) -> Names | None:
    """What the endpoint of this name is called on the LAN of `interface`, if it is there."""
    if name not in built.endpoints:
        raise _unknown(name, list(built.endpoints))
    for place in built.places:
        if place.name == name and interface.is_on_link(place.ip):
            return Names(built.endpoints[name], built.interface(place), place.mac)
    return None


def _apart(name: str, node: Station | LanGateway) -> UsageError:
    return UsageError(
        f"`{name}` is in another LAN than `{node.name}`", "an attacker reaches its own LAN only"
    )


def _unknown(pattern: str, names: list[str]) -> UsageError:
    some = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return UsageError(f"no endpoint is named `{pattern:.60}`", f"there are {some or 'none'}")


def _turns(words: attack_words.Volley) -> Turns:
    return Turns(duration(words.every), words.times)


def _ip4(text: str) -> Ip:
    address = ip(text)
    if len(address) != 4:
        raise UsageError(f"`rogue` leases `{text:.60}`", "give an IPv4 address: `10.0.200.1`")
    return address


ENACT: dict[str, Callable[[Any, Built], list[Happening]]] = {
    "inject": _inject,
    "spoof": _spoof,
    "flap": _flap,
    "repeat_arp": _repeat_arp,
    "storm": _storm,
    "rogue": _rogue,
    "duplicate": _duplicate,
}
