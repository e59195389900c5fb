"""Configuration files of a SoftEther server and of its clients become the text of a scenario."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sim.capture import escaped
from sim.foreign.left import Left
from sim.foreign.softether import ServerFile, Table
from sim.foreign.softether_config import Folder, read
from sim.nodes.softether.policy import may_connect
from sim.phone_words import Transport
from sim.scenario import DOTS_MAX, decode
from sim.server_words import FIRST_HUB, OneHub, Server, policy_of_user
from virtualtap.errors import UsageError

CLIENTS_MAX = 100  # that are connected; of bridges and cascades likewise
_CONNECTIONS_MAX = 32  # Client.c
_SECONDS_MAX = 86_400


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario as TOML, and what could not be carried over, in lines."""

    text: str
    left: list[str]


def imported(paths: Sequence[Path]) -> Imported:
    """At most one server's file, and any number of account files. UsageError: one line."""
    servers: list[Folder] = []
    accounts: list[Folder] = []
    for path in paths:
        root = read(path)
        if "ClientOption" in root.folders:
            accounts.append(root)
        elif "VirtualHUB" in root.folders:
            servers.append(root)
        else:
            raise UsageError(
                f"`{path}` holds neither hubs nor an account",
                "name a `vpn_server.config` or a `.vpn`",
            )
    if len(servers) > 1:
        raise UsageError(f"{len(servers)} of the files are of servers", "one server a scenario")
    name = re.sub(r"[^a-z0-9]+", "-", paths[0].stem.lower()).strip("-")[:64].strip("-")
    return _Import(servers, accounts).made(name or "imported")


class _Import:
    def __init__(self, servers: list[Folder], accounts: list[Folder]) -> None:
        self._left = Left()
        self._roots = [(root, "") for root in servers] + [(root, "account/") for root in accounts]
        self._file = ServerFile(servers[0] if servers else Folder(), self._left)
        wanted = [self._account(root) for root in accounts]
        if not servers:
            self._know(wanted)
        self._server = msgspec.convert(self._file.words, Server)
        asked = wanted if accounts else self._users()
        self.bridges = self._few("local bridges", self._file.bridges)
        self.cascades = self._few("cascades", self._file.cascades)
        self._room = self._rooms()
        self.clients = self._few("clients", [one for one in asked if self._is_let_in(one)])
        if not (self.clients or self.bridges or self.cascades):
            hub = next(iter(self._file.hubs), FIRST_HUB)
            self.clients = [{"hub": hub}, {"hub": hub}]

    def made(self, name: str) -> Imported:
        """The scenario; it is held to what a scenario may be before anybody sees it."""
        left = [line for root, at in self._roots for line in self._left.lines(root, at)]
        left = list(dict.fromkeys(left))  # what was noted is noted once
        counts = len(self.clients), len(self.bridges), len(self.cascades)
        topology = dict(zip(("clients", "bridges", "cascades"), counts, strict=True))
        words: Table = {
            "name": name,
            "until": "30s",
            "topology": {"name": "server", **topology},
            "servers": [self._file.words],
            "sessions": self._sessions(),
            "links": self._links(),
            "traffic": self._traffic(),
        }
        told = ["# Not carried over:", *(f"#   {line}" for line in left)] if left else []
        text = "\n".join(["# Made by `vtap import`.", *told, "", *_toml(words, "")]) + "\n"
        decode(text, where=name)
        return Imported(text, left)

    def _account(self, root: Folder) -> Table:
        """What an account file asks for."""
        left = self._left
        option, auth = left.folder(root, "ClientOption"), left.folder(root, "ClientAuth")
        session: Table = {
            "hub": str(left.take(option, "HubName", "")) or FIRST_HUB,
            "user": str(left.take(auth, "Username", "")) or "anonymous",
        }
        if left.take(option, "RequireBridgeRoutingMode", False):
            session["bridge"] = True
        if left.take(option, "RequireMonitorMode", False):
            session["monitor"] = True
        session["transport"] = self._transport(option)
        return session

    def _transport(self, option: Folder) -> Table:
        """How the account's connections are: UDP acceleration is on unless it says otherwise."""
        left = self._left
        words: Table = {}
        connections = left.take(option, "MaxConnection", 1)
        assert isinstance(connections, int)
        words["connections"] = max(1, min(connections, _CONNECTIONS_MAX))
        words["half_duplex"] = left.take(option, "HalfConnection", False)
        words["qos"] = not left.take(option, "DisableQoS", False)
        words["encrypt"] = left.take(option, "UseEncrypt", True)
        words["udp_acceleration"] = not left.take(option, "NoUdpAcceleration", False)
        for name, word, usual in (
            ("AdditionalConnectionInterval", "interval", 1),
            ("RetryInterval", "retry", 15),
        ):
            seconds = left.take(option, name, usual)
            assert isinstance(seconds, int)
            words[word] = f"{max(0, min(seconds, _SECONDS_MAX))}s"
        ordinary = msgspec.to_builtins(Transport())
        return {name: value for name, value in words.items() if value != ordinary[name]}

    def _know(self, wanted: list[Table]) -> None:
        """Without the server's file: hubs and users that the accounts name."""
        for session in wanted:
            hub = self._file.hubs.setdefault(session["hub"], {"users": []})
            if session["user"] not in [user["name"] for user in hub["users"]]:
                monitor = {"policy": {"MonitorPort": True}} if "monitor" in session else {}
                hub["users"].append({"name": session["user"], **monitor})
        words = self._file.words
        words |= self._file.hubs.get(FIRST_HUB, {})
        words["hubs"] = [
            {"name": name, **hub} for name, hub in self._file.hubs.items() if name != FIRST_HUB
        ]

    def _users(self) -> list[Table]:
        """Every user of every hub, once; `*` is nobody in particular."""
        return [
            {"hub": hub, "user": user["name"]}
            for hub, words in self._file.hubs.items()
            for user in words.get("users", ())
            if user["name"] != "*"
        ]

    def _is_let_in(self, session: Table) -> bool:
        hubs = self._server.by_name()
        where = _same(session["hub"], hubs)
        user = _same(session["user"], [one.name for one in hubs.get(where, OneHub()).users])
        shown = f"user `{escaped(session['user'], 60)}` of hub `{escaped(session['hub'], 60)}`"
        if not user:
            self._left.note(f"{shown}: there is none")
            return False
        session |= {"hub": where, "user": user}
        (known,) = (one for one in hubs[where].users if one.name == user)
        granted = policy_of_user(hubs[where], known)
        refused = session.get("monitor", False) and not granted.MonitorPort
        if refused or not may_connect(granted, bridge=session.get("bridge", False)):
            self._left.note(f"{shown} would not be let in")
            return False
        if where in self._room:
            self._room[where] -= 1
            if self._room[where] < 0:
                self._left.note(f"{shown}: `MaxSession` leaves no place")
                return False
        return True

    def _rooms(self) -> dict[str, int]:
        """How many clients a hub takes beside bridges, cascades and machines, if it counts them."""
        inside = [one.hub for switch in self._server.switches for one in switch.interfaces]
        taken = inside + [one["hub"] for one in (*self.bridges, *self.cascades)]
        rooms = {}
        for name, hub in self._server.by_name().items():
            most = hub.options.get("MaxSession", 0)
            if most:
                rooms[name] = most - taken.count(name) - (hub.secure_nat is not None)
        return rooms

    def _sessions(self) -> list[Table]:
        groups = (("tap", self.clients), ("lan", self.bridges), ("remote", self.cascades))
        made = [
            {"match": f"{prefix}{number}--server", **_without(session, "transport")}
            for prefix, sessions in groups
            for number, session in enumerate(sessions, 1)
        ]
        far = range(1, len(self.cascades) + 1)
        return made + [{"match": f"server--remote{number}", "bridge": True} for number in far]

    def _links(self) -> list[Table]:
        return [
            {"match": f"tap{number}--server", "transport": session["transport"]}
            for number, session in enumerate(self.clients, 1)
            if "transport" in session
        ]

    def _traffic(self) -> list[Table]:
        """In each hub everybody pings the next."""
        members: dict[str, list[str]] = {}
        for number, session in enumerate(self.clients, 1):
            members.setdefault(session["hub"], []).append(f"h{number}")
        for number, session in enumerate([*self.bridges, *self.cascades], 1):
            members.setdefault(session["hub"], []).append(f"s{number}")
        return [
            {"kind": "ping", "from": one, "to": names[(i + 1) % len(names)], "every": "1s"}
            for names in members.values()
            if len(names) > 1
            for i, one in enumerate(names)
        ]

    def _few(self, what: str, sessions: list[Table]) -> list[Table]:
        if len(sessions) > CLIENTS_MAX:
            self._left.note(f"{len(sessions) - CLIENTS_MAX} of {len(sessions)} {what}: too many")
        return sessions[:CLIENTS_MAX]


def _without(table: Table, name: str) -> Table:
    return {key: value for key, value in table.items() if key != name}


def _same(name: str, names: Sequence[str] | Any) -> str:
    """The one of `names` that the product holds for the same: it looks at no capitals."""
    return next((one for one in names if one.lower() == name.lower()), "")


def _toml(table: Table, path: str) -> Iterator[str]:
    """Lines of a table: its values, its tables, its lists of tables; empty lists are left out."""
    for key, value in table.items():
        if not isinstance(value, dict | list):
            line = f"{key} = {_value(value)}"
            many = line.count(".") > DOTS_MAX
            yield f"{key} = {_value(value).replace('.', chr(92) + 'u002e')}" if many else line
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ("", f"[{path}{key}]")
            yield from _toml(value, f"{path}{key}.")
        elif isinstance(value, list):
            for one in value:
                yield from ("", f"[[{path}{key}]]")
                yield from _toml(one, f"{path}{key}.")


def _value(value: object) -> str:
    # a JSON string is a TOML string, but for what a terminal must not see either
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
