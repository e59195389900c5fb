"""Files of a SoftEther server and of its clients, or captures, become the text of a scenario."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from sim.capture import escaped
from sim.capture_reader import is_capture
from sim.foreign.capture_world import world_of
from sim.foreign.left import Left
from sim.foreign.scenario_text import Imported, imported_as, name_of
from sim.foreign.softether import ServerFile, Table
from sim.foreign.softether_config import Folder, read
from sim.nodes.softether.policy import may_connect
from sim.nodes.softether.transport import RETRY_INTERVAL_MIN
from sim.words.names import Named
from sim.words.phones import Transport
from sim.words.servers import FIRST_HUB, OneHub, Server, groups_of, policy_of_user
from virtualtap.errors import UsageError
from virtualtap.units import SECOND

CLIENTS_MAX = 100  # that are connected; of bridges and cascades likewise
_CONNECTIONS_MAX = 32  # Client.c
_SECONDS_MAX = 86_400


def imported(paths: Sequence[Path], folder: Path = Path()) -> Imported:
    """Captures; or at most one server's file, and any number of account files.

    `folder` is where the scenario will be. UsageError: one line.
    """
    captures = [path for path in paths if is_capture(path)]
    if len(captures) == len(paths):
        return world_of(captures, folder)
    if captures:
        raise UsageError(
            f"`{captures[0]}` is a capture, others of the files are none",
            "import captures and configurations one after the other",
        )
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
                "name a capture, a `vpn_server.config` or a `.vpn`",
            )
    if len(servers) > 1:
        raise UsageError(f"{len(servers)} of the files are of servers", "one server a scenario")
    return _Import(servers, accounts).made(name_of(paths[0]))


class _Import:
    def __init__(self, servers: list[Folder], accounts: list[Folder]) -> None:
        self._left = Left()
        self._roots = [(root, "") for root in servers] + [(root, "account/") for root in accounts]
        self._file = ServerFile(servers[0] if servers else Folder(), self._left)
        wanted = [one for one in (self._account(root) for root in accounts) if one]
        if not servers:
            wanted = self._few("accounts", wanted)
            self._know(wanted)
        hubs = msgspec.convert(self._file.words, Server).by_name()
        self._hubs = Named((name, _People(hub)) for name, hub in hubs.items())
        asked = wanted if accounts else self._users()
        self.bridges = self._few("local bridges", self._file.bridges)
        self.cascades = self._few("cascades", self._file.cascades)
        self.clients = self._few("clients", [one for one in asked if self._is_let_in(one)])
        if not (self.clients or self.bridges or self.cascades):
            hub = next(iter(self._file.hubs), FIRST_HUB)
            self.clients = [{"hub": hub}, {"hub": hub}][: self._hubs[hub].room]

    def made(self, name: str) -> Imported:
        """The scenario."""
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
        hint = "take hubs, users or rules out of a copy of the server's file"
        return imported_as(words, left, hint)

    def _account(self, root: Folder) -> Table:
        """What an account file asks for; nothing where its names cannot be."""
        left = self._left
        option, auth = left.folder(root, "ClientOption"), left.folder(root, "ClientAuth")
        session: Table = {
            "hub": str(left.take(option, "HubName", "")) or FIRST_HUB,
            "user": str(left.take(auth, "Username", "")) or "anonymous",
        }
        if not all(self._file.is_name(what, session[what]) for what in ("hub", "user")):
            return {}
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
        half = words["half_duplex"] = left.take(option, "HalfConnection", False)
        words["connections"] = max(2 if half else 1, min(connections, _CONNECTIONS_MAX))
        words["qos"] = not left.take(option, "DisableQoS", False)
        words["encrypt"] = left.take(option, "UseEncrypt", True)
        words["udp_acceleration"] = not left.take(option, "NoUdpAcceleration", False)
        for name, word, usual, least in (
            ("AdditionalConnectionInterval", "interval", 1, 0),
            ("RetryInterval", "retry", 15, RETRY_INTERVAL_MIN // SECOND),
        ):
            seconds = left.take(option, name, usual)
            assert isinstance(seconds, int)
            words[word] = f"{max(least, min(seconds, _SECONDS_MAX))}s"
        ordinary = msgspec.to_builtins(Transport())
        return {name: value for name, value in words.items() if value != ordinary[name]}

    def _know(self, wanted: list[Table]) -> None:
        """Without the server's file: hubs and users that the accounts name."""
        names = Named((one["hub"], one["hub"]) for one in [{"hub": FIRST_HUB}, *wanted])
        for session in wanted:
            hub = self._file.hubs.setdefault(names[session["hub"]], {"users": []})
            user = Named((one["name"], one) for one in hub["users"]).get(session["user"])
            if user is None:
                user = {"name": session["user"]}
                hub["users"].append(user)
            if "monitor" in session:
                user["policy"] = {"MonitorPort": True}
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
        shown = f"user `{escaped(session['user'], 60)}` of hub `{escaped(session['hub'], 60)}`"
        hub = self._hubs.get(session["hub"])
        user = None if hub is None else hub.users.get(session["user"])
        if hub is None or user is None:
            self._left.note(f"{shown}: there is none")
            return False
        session |= {"hub": self._hubs.spelled(session["hub"]), "user": user.name}
        granted = policy_of_user(user, hub.groups)
        refused = session.get("monitor", False) and not granted.MonitorPort
        if refused or not may_connect(granted, bridge=session.get("bridge", False)):
            self._left.note(f"{shown} would not be let in")
            return False
        if hub.room == 0:
            self._left.note(f"{shown}: `MaxSession` leaves no place")
            return False
        if hub.room is not None:
            hub.room -= 1
        return True

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


class _People:
    """Who a hub knows, and how many clients it still takes; None: any number."""

    def __init__(self, hub: OneHub) -> None:
        self.users = Named((one.name, one) for one in hub.users)
        self.groups = groups_of(hub)
        self.room: int | None = hub.options.get("MaxSession", 0) or None
