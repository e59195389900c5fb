"""What a scenario may say of SoftEther servers: hubs, users, policies, in the product's terms.

Names that begin with a capital are the product's own, by its sources and configuration files.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

from msgspec import Meta, field

from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import Strategy, Version, constants
from sim.nodes.softether.layer3_switch import L3If, L3Table
from sim.nodes.softether.layer3_switch import Layer3Switch as Switch
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Policy
from sim.nodes.softether.vh_option import Mode, Ping, VhOption, route
from sim.words.names import Named, folded
from sim.words.tables import Few, Part, Pattern
from virtualtap.errors import UsageError
from virtualtap.wire.address import Ip, Route, ip, mac

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

Terms = dict[str, Any]  # by the product's names
Name = Annotated[str, Meta(min_length=1, max_length=255)]

FIRST_HUB = "DEFAULT"  # what the hub is called that every server has
_UNSIGNED = 2**32  # the product's numbers, exclusive
_MOST = {"VLanId": 4095, "VlanTypeId": 0xFFFF}


class User(Part, frozen=True, kw_only=True):
    """Who may connect. Without a policy of his own, that of his group holds."""

    name: Name
    group: str = ""
    policy: Terms | None = None
    note: str = ""


class Group(Part, frozen=True, kw_only=True):
    """Several users."""

    name: Name
    policy: Terms | None = None


class OneHub(Part, frozen=True, kw_only=True):
    """What can be said of a hub."""

    options: Terms = field(default_factory=dict)
    users: Annotated[tuple[User, ...], Few] = ()
    groups: Annotated[tuple[Group, ...], Few] = ()
    access: Annotated[tuple[Terms, ...], Few] = ()
    secure_nat: Terms | None = None


class NamedHub(OneHub, frozen=True, kw_only=True):
    """One more hub of a server."""

    name: Name


class Interface(Part, frozen=True, kw_only=True):
    """Of a layer-3 switch, in one of the server's hubs."""

    hub: Name
    ip: str
    mask: str


class StaticRoute(Part, frozen=True, kw_only=True):
    """Of a layer-3 switch."""

    network: str
    mask: str
    gateway: str
    metric: Annotated[int, Meta(ge=1, lt=_UNSIGNED)] = 1


class Layer3Switch(Part, frozen=True, kw_only=True):
    """A virtual layer-3 switch between hubs of one server."""

    name: Name
    interfaces: Annotated[tuple[Interface, ...], Few] = ()
    routes: Annotated[tuple[StaticRoute, ...], Few] = ()


class Server(OneHub, frozen=True, kw_only=True):
    """The nodes of kind `hub` whose name matches; what is said of a hub is of their first one."""

    match: Pattern
    version: str = Version.DEVELOPER
    strategy: str = Strategy.PERFORMANCE
    parameters: Terms = field(default_factory=dict)
    hubs: Annotated[tuple[NamedHub, ...], Few] = ()
    switches: Annotated[tuple[Layer3Switch, ...], Few] = ()

    def by_name(self) -> Named[OneHub]:
        """Every hub by its name, the first one first."""
        return Named([(FIRST_HUB, self), *((hub.name, hub) for hub in self.hubs)])


class Session(Part, frozen=True, kw_only=True):
    """Whose session a link is: `match` is `who--where`, where a hub is."""

    match: Pattern
    hub: str = ""
    user: str = ""
    bridge: bool | None = None
    monitor: bool = False
    over_ipv6: bool = False
    limit_broadcast: bool = False
    card: str | None = None
    policy: Terms | None = None


TABLES: Mapping[str, type[Part]] = {
    "servers[...]": Server,
    "servers[...].users[...]": User,
    "servers[...].groups[...]": Group,
    "servers[...].hubs[...]": NamedHub,
    "servers[...].hubs[...].users[...]": User,
    "servers[...].hubs[...].groups[...]": Group,
    "servers[...].switches[...]": Layer3Switch,
    "servers[...].switches[...].interfaces[...]": Interface,
    "servers[...].switches[...].routes[...]": StaticRoute,
    "sessions[...]": Session,
}


def check(servers: tuple[Server, ...]) -> None:
    """UsageError for the first word that no server knows: it lists the right ones."""
    for server in servers:
        try:
            _check(server)
        except UsageError as error:
            raise UsageError(f"server `{server.match}`: {error}", error.hint) from None


def _check(server: Server) -> None:
    chosen(Version, server.version, "version")
    constants(chosen(Strategy, server.strategy, "strategy"), numbers(server.parameters))
    _once([FIRST_HUB, *(hub.name for hub in server.hubs)], "hub")
    _once([switch.name for switch in server.switches], "layer-3 switch")
    hubs = server.by_name()
    for switch in server.switches:
        switch_of(switch, hubs)
    for hub in hubs.values():
        options_of(hub)
        rules_of(hub)
        if hub.secure_nat is not None:
            secure_nat_of(hub.secure_nat)
        _once([group.name for group in hub.groups], "group")
        _once([user.name for user in hub.users], "user")
        groups = groups_of(hub)
        for group in hub.groups:
            policy(group.policy or {})
        for user in hub.users:
            policy_of_user(user, groups)


def options_of(hub: OneHub) -> HubOptions:
    """The options of a hub. UsageError for one that is not known."""
    return product(HubOptions, hub.options, "hub option")


def rules_of(hub: OneHub) -> list[AccessRule]:
    """The rules of a hub's access list. UsageError for an item that is not known."""
    return [product(AccessRule, rule, "item of an access rule") for rule in hub.access]


def policy(terms: Terms) -> Policy:
    """A security policy. UsageError for an item that is not known."""
    return product(Policy, terms, "item of a policy")


def user_of(hub: OneHub, name: str) -> User | None:
    """The user of that name, None without one. UsageError where the hub has no such user."""
    return _named(name, Named((one.name, one) for one in hub.users), "user") if name else None


def groups_of(hub: OneHub) -> Named[Group]:
    """The groups of a hub by name."""
    return Named((one.name, one) for one in hub.groups)


def policy_of_user(user: User, groups: Mapping[str, Group]) -> Policy:
    """His own, or his group's, or the ordinary one. UsageError where there is no such group."""
    group = _named(user.group, groups, "group") if user.group else None
    if user.policy is None and group is not None:
        return policy(group.policy or {})
    return policy(user.policy or {})


def switch_of(words: Layer3Switch, hubs: Named[OneHub]) -> Switch:
    """A layer-3 switch of a server with these hubs. UsageError for what is no address or hub."""
    for one in words.interfaces:
        _named(one.hub, hubs, "hub")
    interfaces = tuple(
        L3If(hubs.spelled(one.hub), ip4(one.ip), ip4(one.mask)) for one in words.interfaces
    )
    routes = tuple(
        L3Table(ip4(one.network), ip4(one.mask), ip4(one.gateway), one.metric)
        for one in words.routes
    )
    return Switch(words.name, interfaces, routes)


def secure_nat_of(terms: Terms) -> tuple[VhOption, Mode, Ping]:
    """SecureNAT as it is set; `mode` and `ping` are words of ours. UsageError for unknown ones."""
    ours = {"mode": Mode.USER.value, "ping": Ping.RAW.value}
    theirs = {name: value for name, value in terms.items() if name not in ours}
    ours |= {name: value for name, value in terms.items() if name in ours}
    option = product(VhOption, theirs, "setting of SecureNAT", more=tuple(ours))
    return option, chosen(Mode, ours["mode"], "mode"), chosen(Ping, ours["ping"], "ping")


def numbers(terms: Terms) -> dict[str, int]:
    """Names with whole numbers. UsageError for anything else."""
    return {name: _number(name, value, _UNSIGNED - 1) for name, value in terms.items()}


def chosen(kind: type[E], value: object, what: str) -> E:
    """The one of a few words. UsageError lists them."""
    for one in kind:
        if value == one.value:
            return one
    raise UsageError(f"`{what}` is `{value!s:.60}`", f"choose one of {', '.join(kind)}")


def product(kind: type[T], terms: Mapping[str, Any], what: str, *, more: tuple[str, ...] = ()) -> T:
    """What the product's terms say, as a dataclass of its names. UsageError lists the right ones.

    Addresses are text; `more` are further names to list.
    """
    known, types = _items(kind)  # type: ignore[arg-type]  # a class is hashable
    for name in terms:
        if name not in known:
            lower = {one.lower(): one for one in known}
            close = get_close_matches(name[:64].lower(), lower, 1)
            meant = f"did you mean `{lower[close[0]]}`? " if close else ""
            there = ", ".join((*known, *more))
            raise UsageError(f"no {what} is named `{name:.60}`", f"{meant}there are {there}")
    return kind(**{name: _value(types[name], known[name], value) for name, value in terms.items()})


@cache
def _items(kind: type) -> tuple[Mapping[str, Field[Any]], Mapping[str, Any]]:
    """The fields of a dataclass, and their types, by name."""
    return {one.name: one for one in fields(kind)}, get_type_hints(kind)


def _value(kind: Any, item: Field[Any], value: object) -> object:
    name = item.name
    if kind is bool:
        if not isinstance(value, bool):
            raise UsageError(f"`{name}` is `{value!s:.60}`", "write `true` or `false`")
        return value
    if kind is int:
        return _number(name, value, _MOST.get(name, _UNSIGNED - 1))
    if not isinstance(value, str):
        raise UsageError(f"`{name}` is `{value!s:.60}`", "write it as text in quotes")
    if kind is str:
        return value
    if kind == tuple[Route, ...]:
        return tuple(_route(one) for one in value.replace(" ", ",").split(",") if one)
    if "Mac" in name:
        return mac(value)
    return ip4(value) if item.default else ip(value)  # without a default it may be of IPv6


def ip4(text: str) -> Ip:
    """`"192.168.30.1"` as 4 bytes. UsageError for anything else."""
    address = ip(text)
    if len(address) != 4:
        raise UsageError(f"`{text:.60}` is no IPv4 address", "write it as `192.168.30.1`")
    return address


def _number(name: str, value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise UsageError(f"`{name}` is `{value!s:.60}`", f"give a whole number from 0 to {most}")
    return value


def _route(text: str) -> Route:
    """`"192.168.5.0/255.255.255.0/192.168.4.254"`: network, mask, router, as the product has it."""
    parts = text.split("/")
    if len(parts) != 3:
        raise UsageError(f"`{text:.60}` is no route", "write it as `network/mask/router`")
    return route(*(ip4(part) for part in parts))


def _named(name: str, there: Mapping[str, T], what: str) -> T:
    if name not in there:
        some = ", ".join(list(there)[:8]) or "none"
        raise UsageError(f"no {what} is named `{name:.60}`", f"there are {some}")
    return there[name]


def _once(names: list[str], what: str) -> None:
    counts = Counter(folded(name) for name in names)
    for name in names:
        count = counts[folded(name)]
        if count > 1:
            raise UsageError(
                f"{count} of them are the {what} `{name:.60}`",
                "name each of its own; capitals are no difference",
            )
