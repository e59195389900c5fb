"""A SoftEther server's configuration, and clients' account files, become one scenario in TOML.

What is known to mean something to the simulator is taken, by its name in Server.c:SiWriteHubCfg and
Client.c:CiWriteAccountData; all else is left, and listed. So no secret can come through.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import msgspec

from sim.capture import escaped
from sim.foreign.left import Left
from sim.foreign.softether_config import Folder, Value
from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import Constants, constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Policy
from sim.nodes.softether.vh_option import VhOption
from sim.words.names import Named, folded
from sim.words.servers import (
    FIRST_HUB,
    Layer3Switch,
    OneHub,
    ip4,
    numbers,
    product,
    switch_of,
)
from sim.words.tables import ENTRIES_MAX
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
_TAIL = re.compile("[?<#;]")  # of the address of a page: what may hold a key
_STATIC_IP = "IPv4:"  # what a note may say to SecureNAT


class ServerFile:
    """One `vpn_server.config`: `words` is its `[[servers]]`, and who is known to be connected."""

    def __init__(self, root: Folder, left: Left) -> None:
        self.bridges: list[Table] = []  # each a session, without its match
        self.cascades: list[Table] = []
        self._left = left
        self.hubs: dict[str, Table] = {}
        for name, folder in self._named("hub", left.each(root, "VirtualHUB")):
            if len(self.hubs) == ENTRIES_MAX:
                left.note(f"hubs after the first {ENTRIES_MAX}: too many")
                break
            called = FIRST_HUB if folded(name) == folded(FIRST_HUB) else name
            self.hubs[called] = self._hub(called, folder)
        self._places = Named((name, OneHub()) for name in self.hubs)
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
        options = self._carry(HubOptions, f"hub `{shown}`", left.folder(folder, "Option"))
        if options:
            hub["options"] = options
        nat = self._secure_nat(left.folder(folder, "SecureNAT"), shown)
        if nat is not None:
            hub["secure_nat"] = nat
        groups = [
            {"name": group, **self._policy(inside, f"group `{escaped(group, 60)}`")}
            for group, inside in self._named("group", left.each(accounts, "GroupList"))
        ]
        hub["groups"] = self._few("groups", groups)
        names = Named((group["name"], group) for group in hub["groups"])
        users = [
            self._user(user, inside, names)
            for user, inside in self._named("user", left.each(accounts, "UserList"))
        ]
        rules = [
            self._rule(inside, f"rule `{escaped(number, 60)}` of hub `{shown}`")
            for number, inside in left.each(folder, "AccessList")
        ]
        hub["users"] = self._few("users", users)
        hub["access"] = self._few("rules of an access list", rules)
        for _, inside in left.each(folder, "CascadeList"):
            self._cascade(name, inside)
        return hub

    def is_name(self, what: str, name: str) -> bool:
        """Whether the simulator takes such a name; that it does not is noted."""
        if 0 < len(name) <= _NAME_MAX:
            return True
        self._left.note(f"{what} `{escaped(name, 60)}`: a name of {len(name)} characters")
        return False

    def _named(self, what: str, entries: list[tuple[str, Folder]]) -> list[tuple[str, Folder]]:
        """Those with a name that can be taken and that none before them has."""
        known: set[bytes] = set()
        found = []
        for name, folder in entries:
            if folded(name) in known:
                self._left.note(f"{what} `{escaped(name, 60)}`: another differs only in capitals")
            elif self.is_name(what, name):
                known.add(folded(name))
                found.append((name, folder))
        return found

    def _user(self, name: str, folder: Folder, groups: Named[Table]) -> Table:
        user: Table = {"name": name}
        group = str(self._left.take(folder, "GroupName", ""))
        if group in groups:
            user["group"] = groups.spelled(group)
        elif group:
            self._left.note(f"user `{escaped(name, 60)}`: his group is not there")
        note = _static_ip(folder.items.get("Note"))
        if note:
            user["note"] = note
        return user | self._policy(folder, f"user `{escaped(name, 60)}`")

    def _policy(self, folder: Folder, whose: str) -> Table:
        if "Policy" not in folder.folders:
            return {}
        return {"policy": self._carry(Policy, whose, self._left.folder(folder, "Policy"))}

    def _rule(self, folder: Folder, which: str) -> Table:
        items = {_RULE6.get(name, name): value for name, value in folder.items.items()}
        folder.items = items
        return self._carry(AccessRule, which, folder)

    def _secure_nat(self, folder: Folder, hub: str) -> Table | None:
        left = self._left
        parts = [left.folder(folder, part) for part in ("VirtualHost", "VirtualRouter")]
        parts.append(left.folder(folder, "VirtualDhcpServer"))
        for part in parts:
            part.items = {_NAT.get(name, name): value for name, value in part.items.items()}
        words = self._carry(VhOption, f"SecureNAT of hub `{hub}`", *parts)
        made = _made(VhOption, words)
        if made.UseDhcp and made.DhcpLeaseIPEnd < made.DhcpLeaseIPStart:
            left.note(f"SecureNAT of hub `{hub}` has no address to lease: it leases none")
            words["UseDhcp"] = False
        return words if left.take(folder, "Disabled", True) is False else None

    def _cascade(self, hub: str, folder: Folder) -> None:
        if self._left.take(folder, "Online", True) is False:
            self._left.note(f"a cascade of hub `{escaped(hub, 60)}` is offline")
            return
        self.cascades.append({"hub": hub, **self._policy(folder, "a cascade")})

    def _bridges(self, root: Folder) -> None:
        for _, folder in self._left.each(root, "LocalBridgeList"):
            hub = str(self._left.take(folder, "HubName", ""))
            if hub not in self._places:
                self._left.note(f"a local bridge of hub `{escaped(hub, 60)}`: there is none")
                continue
            limit = self._left.take(folder, "LimitBroadcast", False) is True
            self.bridges.append(
                {"hub": self._places.spelled(hub), **({"limit_broadcast": True} if limit else {})}
            )

    def _switches(self, root: Folder) -> list[Table]:
        left, made = self._left, []
        listed = left.each(root, "VirtualLayer3SwitchList")
        for name, folder in self._named("layer-3 switch", listed):
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
            elif not all(one["hub"] in self._places for one in interfaces):
                left.note(f"layer-3 switch `{escaped(name, 60)}`: a hub of it is not there")
            else:
                switch: Table = {"name": name}
                for part, entries in (("interfaces", interfaces), ("routes", routes)):
                    switch[part] = self._parts(name, part, entries)
                made.append(switch)
        return made

    def _parts(self, name: str, part: str, entries: list[Table]) -> list[Table]:
        """The interfaces or routes of a switch that the simulator takes."""
        shown = f"layer-3 switch `{escaped(name, 60)}`"
        found = []
        for number, one in enumerate(entries, 1):
            try:
                words = msgspec.convert({"name": name, part: [one]}, Layer3Switch)
                switch_of(words, self._places)
            except (UsageError, msgspec.ValidationError):
                self._left.note(
                    f"number {number} of the {part} of {shown}: "
                    "a value that the simulator does not take"
                )
            else:
                found.append(one)
        return self._few(f"{part} of {shown}", found)

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

    def _carry(self, kind: type, whose: str, *parts: Folder) -> Table:
        """The items that the simulator knows by the same names, where they are not the default."""
        items = {
            name: _plain(name, folder.items.pop(name))
            for name in (one.name for one in fields(kind))
            for folder in parts
            if name in folder.items
        }
        made = _made(kind, items)
        if made is None:
            items = self._sound(kind, items, whose)
            made = _made(kind, items)
        ordinary = kind()
        return {
            name: value
            for name, value in items.items()
            if getattr(made, name) != getattr(ordinary, name)
            and not (kind is AccessRule and value in _ANY)
        }

    def _sound(self, kind: type, items: Table, whose: str) -> Table:
        """Those items that can be together, the earlier ones first."""
        sound: Table = {}
        for name, value in items.items():
            if _made(kind, sound | {name: value}) is None:
                self._left.note(f"`{name}` of {whose}: a value that the simulator does not take")
            else:
                sound[name] = value
        return sound

    def _few(self, what: str, entries: list[Table]) -> list[Table]:
        if len(entries) > ENTRIES_MAX:
            self._left.note(f"{len(entries) - ENTRIES_MAX} of {len(entries)} {what}: too many")
        return entries[:ENTRIES_MAX]


def _plain(name: str, value: Value) -> Value:
    """The value as a scenario writes it: the type of VLAN tags is text in the file.

    What follows the address of a page may hold a key.
    """
    if name == "RedirectUrl" and isinstance(value, str):
        page = _TAIL.split(value)[0]
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


def _made(kind: type, items: Mapping[str, Value]) -> Any:
    """What the items make, None where the simulator does not take them."""
    try:
        return product(kind, items, "item")
    except UsageError:
        return None
