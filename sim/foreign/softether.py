"""A SoftEther server's configuration, and clients' account files, become one scenario in TOML.

What is known to mean something to the simulator is taken, by its name in Server.c:SiWriteHubCfg and
Client.c:CiWriteAccountData; all else is left, and listed. So no secret can come through.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sim.capture import escaped
from sim.foreign.left import Left
from sim.foreign.softether_config import Folder, Value
from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import Constants, constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Policy
from sim.nodes.softether.vh_option import VhOption
from sim.server_words import FIRST_HUB, ip4, numbers, product
from sim.words import ENTRIES_MAX
from virtualtap.errors import UsageError
from virtualtap.wire.address import ip_text

Table = dict[str, Any]

_NAT = {  # what the file calls what the structure calls otherwise
    "VirtualHostIp": "Ip",
    "VirtualHostIpSubnetMask": "Mask",
    "VirtualHostMacAddress": "MacAddress",
    "NatEnabled": "UseNat",
    "NatMtu": "Mtu",
    "DhcpEnabled": "UseDhcp",
}
_RULE6 = {  # an IPv6 rule's
    f"{name}6": name
    for name in ("SrcIpAddress", "SrcSubnetMask", "DestIpAddress", "DestSubnetMask")
}
_NAME_MAX = 255
_ANY = ip_text(bytes(4)), ip_text(bytes(16))  # no address
_STATIC_IP = "IPv4:"  # what a note may say to SecureNAT


class ServerFile:
    """One `vpn_server.config`: `words` is its `[[servers]]`, and who is known to be connected."""

    def __init__(self, root: Folder, left: Left) -> None:
        self.bridges: list[Table] = []  # each a session, without its match
        self.cascades: list[Table] = []
        self._left = left
        self.hubs: dict[str, Table] = {}
        for name, folder in left.each(root, "VirtualHUB"):
            if len(self.hubs) == ENTRIES_MAX:
                left.note(f"hubs after the first {ENTRIES_MAX}: too many")
                break
            if self._is_name("hub", name):
                self.hubs[name] = self._hub(name, folder)
        self.words: Table = {"match": "server"}
        parameters = self._parameters(left.folder(root, "ServerConfiguration", "GlobalParams"))
        if parameters:
            self.words["parameters"] = parameters
        self.words |= self.hubs.get(FIRST_HUB, {})
        others = {name: hub for name, hub in self.hubs.items() if name != FIRST_HUB}
        self.words["hubs"] = [{"name": name, **hub} for name, hub in others.items()]
        self.words["switches"] = self._few("layer-3 switches", self._switches(root))
        self._bridges(root)

    def _hub(self, name: str, folder: Folder) -> Table:
        left = self._left
        if left.take(folder, "Online", True) is False:
            left.note(f"hub `{escaped(name, 60)}` is offline in the file; here it is not")
        shown = escaped(name, 60)
        accounts = left.folder(folder, "SecurityAccountDatabase")
        hub: Table = {}
        options = self._carry(HubOptions, left.folder(folder, "Option"), f"hub `{shown}`")
        if options:
            hub["options"] = options
        nat = self._secure_nat(left.folder(folder, "SecureNAT"), shown)
        if nat is not None:
            hub["secure_nat"] = nat
        groups = [
            {"name": group, **self._policy(inside, f"group `{escaped(group, 60)}`")}
            for group, inside in left.each(accounts, "GroupList")
            if self._is_name("group", group)
        ]
        names = {group["name"] for group in groups}
        users = [
            self._user(user, inside, names)
            for user, inside in left.each(accounts, "UserList")
            if self._is_name("user", user)
        ]
        rules = [
            self._rule(inside, f"rule `{escaped(number, 60)}` of hub `{shown}`")
            for number, inside in left.each(folder, "AccessList")
        ]
        hub["groups"] = self._few("groups", groups)
        hub["users"] = self._few("users", users)
        hub["access"] = self._few("rules of an access list", rules)
        for _, inside in left.each(folder, "CascadeList"):
            self._cascade(name, inside)
        return hub

    def _is_name(self, what: str, name: str) -> bool:
        if 0 < len(name) <= _NAME_MAX:
            return True
        self._left.note(f"{what} `{escaped(name, 60)}`: a name of {len(name)} characters")
        return False

    def _user(self, name: str, folder: Folder, groups: set[str]) -> Table:
        user: Table = {"name": name}
        group = self._left.take(folder, "GroupName", "")
        if group in groups:
            user["group"] = group
        elif group:
            self._left.note(f"user `{escaped(name, 60)}`: his group is not there")
        note = _static_ip(folder.items.get("Note"))
        if note:
            user["note"] = note
        return user | self._policy(folder, f"user `{escaped(name, 60)}`")

    def _policy(self, folder: Folder, whose: str) -> Table:
        if "Policy" not in folder.folders:
            return {}
        return {"policy": self._carry(Policy, self._left.folder(folder, "Policy"), whose)}

    def _rule(self, folder: Folder, which: str) -> Table:
        items = {_RULE6.get(name, name): value for name, value in folder.items.items()}
        folder.items = items
        return self._carry(AccessRule, folder, which)

    def _secure_nat(self, folder: Folder, hub: str) -> Table | None:
        left = self._left
        parts = [left.folder(folder, part) for part in ("VirtualHost", "VirtualRouter")]
        parts.append(left.folder(folder, "VirtualDhcpServer"))
        words: Table = {}
        for part in parts:
            part.items = {_NAT.get(name, name): value for name, value in part.items.items()}
            words |= self._carry(VhOption, part, f"SecureNAT of hub `{hub}`")
        return words if left.take(folder, "Disabled", True) is False else None

    def _cascade(self, hub: str, folder: Folder) -> None:
        if self._left.take(folder, "Online", True) is False:
            self._left.note(f"a cascade of hub `{escaped(hub, 60)}` is offline")
            return
        self.cascades.append({"hub": hub, **self._policy(folder, "a cascade")})

    def _bridges(self, root: Folder) -> None:
        for _, folder in self._left.each(root, "LocalBridgeList"):
            hub = self._left.take(folder, "HubName", "")
            if hub not in self.hubs:
                self._left.note(f"a local bridge of hub `{escaped(str(hub), 60)}`: there is none")
                continue
            limit = self._left.take(folder, "LimitBroadcast", False) is True
            self.bridges.append({"hub": hub, **({"limit_broadcast": True} if limit else {})})

    def _switches(self, root: Folder) -> list[Table]:
        left, made = self._left, []
        for name, folder in left.each(root, "VirtualLayer3SwitchList"):
            interfaces = [
                {
                    "hub": left.take(one, "HubName", ""),
                    "ip": left.take(one, "IpAddress", ""),
                    "mask": left.take(one, "SubnetMask", ""),
                }
                for _, one in left.each(folder, "InterfaceList")
            ]
            routes = [
                {
                    "network": left.take(one, "NetworkAddress", ""),
                    "mask": left.take(one, "SubnetMask", ""),
                    "gateway": left.take(one, "GatewayAddress", ""),
                    "metric": left.take(one, "Metric", 1),
                }
                for _, one in left.each(folder, "RoutingTable")
            ]
            if left.take(folder, "Active", True) is False:
                left.note(f"layer-3 switch `{escaped(name, 60)}` is stopped")
            elif not {one["hub"] for one in interfaces} <= set(self.hubs):
                left.note(f"layer-3 switch `{escaped(name, 60)}`: a hub of it is not there")
            else:
                made.append({"name": name, "interfaces": interfaces, "routes": routes})
        return made

    def _parameters(self, folder: Folder) -> Table:
        ordinary = constants()
        taken: Table = {}
        for name in [one.name for one in fields(Constants) if one.name in folder.items]:
            value = folder.items.pop(name)
            try:
                changed = constants(overrides=numbers({name: value}))
            except UsageError:
                self._left.note(f"`{name}` of `GlobalParams`: no number it could be")
                continue
            if changed != ordinary:
                taken[name] = value
        return taken

    def _carry(self, kind: type, folder: Folder, whose: str) -> Table:
        """The items that the simulator knows by the same names, where they are not the default."""
        taken: Table = {}
        ordinary = kind()
        for name in [one.name for one in fields(kind) if one.name in folder.items]:
            value = _plain(name, folder.items.pop(name))
            try:
                made: Any = product(
                    kind, _with_family(kind, name, value, folder.items | taken), "item"
                )
            except UsageError:
                self._left.note(f"`{name}` of {whose}: a value that the simulator does not take")
                continue
            is_any = kind is AccessRule and value in _ANY
            if getattr(made, name) != getattr(ordinary, name) and not is_any:
                taken[name] = value
        return taken

    def _few(self, what: str, entries: list[Table]) -> list[Table]:
        if len(entries) > ENTRIES_MAX:
            self._left.note(f"{len(entries) - ENTRIES_MAX} of {len(entries)} {what}: too many")
        return entries[:ENTRIES_MAX]


def _plain(name: str, value: Value) -> Value:
    """The value as a scenario writes it: the type of VLAN tags is text in the file.

    What follows the address of a page may hold a key.
    """
    if name == "RedirectUrl" and isinstance(value, str):
        page = value.partition("?")[0].partition("<")[0]
        return None if "@" in page else page
    if name == "VlanTypeId" and isinstance(value, str):
        try:
            return int(value, 16)
        except ValueError:
            return value
    return value


def _static_ip(note: Value) -> str:
    """The address for SecureNAT to give that a note may hold; all other notes are for people."""
    if not isinstance(note, str) or not note.startswith(_STATIC_IP):
        return ""
    word = (note.removeprefix(_STATIC_IP).split() or [""])[0]
    try:
        return _STATIC_IP + ip_text(ip4(word))
    except UsageError:
        return ""


def _with_family(kind: type, name: str, value: Value, others: Mapping[str, Value]) -> Table:
    """One item, with what says of which family its address is."""
    if kind is AccessRule and others.get("IsIPv6") is True:
        return {"IsIPv6": True, name: value}
    return {name: value}
