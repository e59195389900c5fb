"""Captures become a scenario: who was heard, on one hub or beyond a router, and what they said.

What a MAC claims is its own. Other addresses at a MAC stand behind it: it is a router.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

from sim.capture import escaped
from sim.foreign.heard import GROUP, PING, PONG, UDP, Heard, Sender, Talk
from sim.foreign.left import Left
from sim.foreign.scenario_text import Imported, Table, imported_as, name_of
from sim.foreign.softether_config import Folder
from sim.words.tables import ENTRIES_MAX
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Duration
from virtualtap.wire.address import Ip, Mac, ip_text, is_link_local4, is_link_local6, mac_text

_HUB, _BEYOND = "hub1", "outside"
_LEAST = 16  # bytes of payload: the stamp
_MOST = {4: 1472, 6: 1452}  # bytes of payload that fit into one packet
_COUNT_MAX = 100_000  # of a burst
_PATH_MAX = 256  # characters
_CONTROL = {
    "ARP": "endpoints here ask and answer for themselves",
    "NDP": "endpoints here ask and answer for themselves",
    "DHCP": "endpoints here have planned addresses",
}


def world_of(paths: Sequence[Path], folder: Path) -> Imported:
    """The scenario of these captures, for a file in `folder`. UsageError: one line."""
    heard = Heard()
    for path in {one.resolve(): one for one in paths}.values():  # each once
        heard.read(path)
    if not heard.at:
        raise UsageError(
            f"nobody with an IP address was heard in `{escaped(str(paths[0]), 4096)}`",
            "name a capture with ARP or IP, other than a machine's with itself",
        )
    left = Left()
    places = _Places(heard, left)
    traffic = _Traffic(heard, left, places.names, folder).rules()
    for what, count in heard.control.items():
        left.note(f"{count} {what} packets: {_CONTROL[what]}")
    for address in heard.moved:
        left.note(f"{ip_text(address)} was heard at several MACs: here it has one")
    for what, count in heard.beyond.items():
        left.note(f"{count} {what}")
    words: Table = {
        "name": name_of(paths[0]),
        "until": _time(heard.span + SECOND),
        "ipv6": any(len(address) == 16 for address in places.names),
        "topology": {"name": "drawn", "links": places.links, "nodes": places.nodes},
        "traffic": traffic,
    }
    hint = "cut a part out with `editcap -A START -B STOP IN OUT`"
    return imported_as(words, left.lines(Folder()), hint, places.said)


class _Places:
    """Everybody's place: behind a tap, on the hub, or beyond a router."""

    def __init__(self, heard: Heard, left: Left) -> None:
        self.nodes: dict[str, str] = {_HUB: "hub"}
        self.links: list[list[str]] = []
        self.names: dict[Ip, str] = {}
        self.said: list[str] = []  # who is who
        self._heard = heard
        self._stations_made: Counter[str] = Counter()
        self._some_are_private = any(_is_private(address) for address in heard.at)
        behind: dict[Mac | None, list[Ip]] = {}
        for address, first in heard.at.items():
            behind.setdefault(heard.claimed.get(address, first), []).append(address)
        far = {mac: self._far(those) for mac, those in behind.items() if mac is not None}
        routers = [mac for mac, those in far.items() if those]
        self._tunnels(behind.get(None, []))
        for mac in far:
            if mac not in routers:
                self._stations(mac, behind[mac])
        for number, mac in enumerate(routers, 1):
            own = [address for address in behind[mac] if address not in far[mac]]
            self._router(f"gw{number}", mac, own)
        self._outside([(mac, address) for mac in routers for address in far[mac]])
        if len(routers) > 1:
            left.note(f"{len(routers)} routers: here the first leads to all that is beyond")

    def _far(self, addresses: list[Ip]) -> list[Ip]:
        """Those of the addresses at one MAC that are not its own; none unless it is a router."""
        far: list[Ip] = []
        for size in (4, 16):
            routed = [one for one in addresses if len(one) == size and not _is_link_local(one)]
            own = {_network(one) for one in routed if one in self._heard.claimed}
            others = [one for one in routed if _network(one) not in own]
            several = bool(own and others) or len({_network(one) for one in others}) > 1
            if several or (self._some_are_private and not any(map(_is_private, others))):
                far += others
        return far

    def _tunnels(self, addresses: list[Ip]) -> None:
        """Who was heard without a MAC is a host behind a tap."""
        for number, address in enumerate(addresses, 1):
            tap, host = f"tap{number}", f"h{number}"
            self._add(tap, "tap", _HUB)
            self._add(host, "host", tap)
            self._call(address, host, "without a MAC")

    def _stations(self, mac: Mac, addresses: list[Ip]) -> None:
        """One for a MAC, with all its IPv6 addresses; one more for each further IPv4 address."""
        fours = [one for one in addresses if len(one) == 4]
        first = self._station("s", _HUB)
        for address in addresses:
            own = first if len(address) == 16 or address == fours[0] else self._station("s", _HUB)
            self._call(address, own, f"at {mac_text(mac)}")

    def _router(self, name: str, mac: Mac, own: list[Ip]) -> None:
        self.nodes.setdefault(_BEYOND, "switch")
        self._add(name, "gateway", _HUB)
        self.links.append([name, _BEYOND])
        for address in own:
            self._call(address, name, f"at {mac_text(mac)}, a router")

    def _outside(self, those: list[tuple[Mac, Ip]]) -> None:
        for mac, address in those:
            self._call(address, self._station("o", _BEYOND), f"beyond {mac_text(mac)}")

    def _station(self, prefix: str, site: str) -> str:
        self._stations_made[prefix] += 1
        name = f"{prefix}{self._stations_made[prefix]}"
        self._add(name, "station", site)
        return name

    def _add(self, name: str, kind: str, near: str) -> None:
        self.nodes[name] = kind
        self.links.append([name, near])

    def _call(self, address: Ip, name: str, where: str) -> None:
        self.names[address] = name
        silent = "" if address in self._heard.senders else ", never heard itself"
        self.said.append(f"{name} is {ip_text(address)} {where}{silent}")


class _Traffic:
    """What was said, as rules: an address's packets as they were, or at a rate and a size."""

    def __init__(self, heard: Heard, left: Left, names: dict[Ip, str], folder: Path) -> None:
        self._heard, self._left, self._names, self._folder = heard, left, names, folder
        self._talks: dict[Ip, list[Talk]] = {}
        for talk in heard.talks.values():
            self._talks.setdefault(talk.source, []).append(talk)

    def rules(self) -> list[Table]:
        """In the order in which the senders were heard; what cannot be said again is noted."""
        rules = [
            rule
            for address, talks in self._talks.items()
            for rule in self._of_sender(address, self._heard.senders[address], talks)
        ]
        if len(rules) > ENTRIES_MAX:
            self._left.note(f"{len(rules) - ENTRIES_MAX} conversations: too many")
        return rules[:ENTRIES_MAX]

    def _of_sender(self, address: Ip, sender: Sender, talks: list[Talk]) -> Iterator[Table]:
        exact = [
            talk for talk in talks if not (_is_echo(talk) or (_is_udp(talk) and talk.is_steady))
        ]
        why_not = self._hindrance(address, sender, talks)
        if exact and not why_not:
            yield from self._replays(address, sender, talks)
            return
        for talk in talks:
            if self._names[address] == self._names.get(talk.destination):
                self._leave(talk, "it spoke with itself")
            elif _is_udp(talk) or talk.kind == PING:
                yield self._steady(talk, why_not)
            elif talk.kind != PONG:  # an answer comes by itself
                self._leave(talk, f"{ip_text(address)} {why_not}")

    def _hindrance(self, address: Ip, sender: Sender, talks: list[Talk]) -> str:
        """Why what an address said cannot be replayed; empty if it can. docs/import.md."""
        others = {self._names[talk.destination] for talk in talks if talk.kind != GROUP}
        if any(_is_echo(talk) for talk in talks):
            return "also pings, or answers"
        if len(others) > 1:
            return "speaks to several"
        if self._names[address] in others:
            return "speaks with itself"
        if len(set(self._names.values())) == 1:
            return "speaks where nobody else was heard"
        for path in sender.files:
            name = self._relative(path)
            if len(name) > _PATH_MAX or any("\ud800" <= char <= "\udfff" for char in name):
                return "stands in a capture whose path no scenario bears"
        return sender.unfit

    def _replays(self, address: Ip, sender: Sender, talks: list[Talk]) -> Iterator[Table]:
        own = self._names[address]
        to = next((self._names[talk.destination] for talk in talks if talk.kind != GROUP), None)
        if to is None:
            to = next(name for name in self._names.values() if name != own)
        for path, began in sender.files.items():
            yield {
                "kind": "replay",
                "from": own,
                "to": to,
                "file": self._relative(path),
                "address": ip_text(address),
                "start": _time(began - self._heard.start),
            }

    def _steady(self, talk: Talk, why_not: str) -> Table:
        """One kind of packets at its mean rate, of its mean size, and as many of them."""
        family = 4 if len(talk.source) == 4 else 6
        size = round(talk.payload / talk.packets)
        start, span, pauses = (
            talk.first - self._heard.start,
            talk.last - talk.first,
            talk.packets - 1,
        )
        every, times = (span // pauses, talk.packets) if 0 < pauses <= span else (SECOND, 1)
        rule: Table = {
            "kind": "ping" if talk.kind == PING else "stream",
            "from": self._names[talk.source],
            "to": self._names[talk.destination],
            "start": _time(start),
            "stop": _time(start + times * every),
            "every": _time(every),
            "size": max(_LEAST, min(size, _MOST[family])),
        }
        if times < talk.packets and talk.kind != PING:  # at one instant
            rule |= {"kind": "burst", "count": min(talk.packets, _COUNT_MAX)}
        if talk.kind != PING:
            rule["port"] = talk.port
        if family == 6:
            rule["family"] = 6
        if not talk.is_steady:
            self._left.note(
                f"{_said(talk)}: {talk.least} to {talk.most} bytes and irregular,"
                f" here {rule['size']} every {rule['every']}: {ip_text(talk.source)} {why_not}"
            )
        elif rule["size"] != size:
            self._left.note(f"{_said(talk)}: of {size} bytes, here {rule['size']}")
        return rule

    def _leave(self, talk: Talk, why: str) -> None:
        self._left.note(f"{_said(talk)}: {why}")

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path.resolve(), self._folder.resolve())


def _is_udp(talk: Talk) -> bool:
    return talk.kind == UDP


def _is_echo(talk: Talk) -> bool:
    return talk.kind in (PING, PONG)


def _said(talk: Talk) -> str:
    what = f"{talk.kind}/{talk.port}" if _is_udp(talk) else talk.kind
    return f"{talk.packets} {what} from {ip_text(talk.source)} to {ip_text(talk.destination)}"


def _network(address: Ip) -> Ip:
    """What shows a router where there are several: an IPv4 address itself, an IPv6 /64."""
    return address[:8] if len(address) == 16 else address


def _is_link_local(address: Ip) -> bool:
    return is_link_local6(address) if len(address) == 16 else is_link_local4(address)


def _is_private(address: Ip) -> bool:
    return ip_address(address).is_private


def _time(nanoseconds: Duration) -> str:
    whole, part = divmod(nanoseconds, SECOND)
    return f"{whole}.{part:09}".rstrip("0").rstrip(".") + "s"
