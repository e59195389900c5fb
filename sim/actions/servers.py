"""What a scenario says of its servers becomes hubs, sessions and machines inside. Protocol.c."""

from dataclasses import replace
from fnmatch import fnmatchcase

from sim.build import Built, Servers
from sim.link import Link
from sim.nodes.outside import Outside
from sim.nodes.softether.constants import Strategy, Version
from sim.nodes.softether.hub import Hub
from sim.nodes.softether.nat_table import Site
from sim.nodes.softether.policy import Kind, Policy, may_connect
from sim.nodes.softether.secure_nat import SecureNat
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.rng import stream
from sim.scenario import Scenario
from sim.words.servers import (
    FIRST_HUB,
    OneHub,
    Server,
    Session,
    groups_of,
    numbers,
    options_of,
    policy,
    policy_of_user,
    rules_of,
    secure_nat_of,
    switch_of,
    user_of,
)
from virtualtap.errors import UsageError
from virtualtap.units import MS
from virtualtap.wire.address import mac

_UPLINK_RATE, _UPLINK_DELAY = 1_000_000_000, 5 * MS  # from a server to what is outside


class Described(Servers):
    """The servers of a scenario, and who connects to them."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario

    def words(self, name: str) -> Server | None:
        """What is said of a server: the last entry that fits."""
        fitting = [one for one in self._scenario.servers if fnmatchcase(name, one.match)]
        return fitting[-1] if fitting else None

    def made(self, name: str) -> SoftEtherServer:
        words = self.words(name)
        if words is None:
            return super().made(name)
        server = SoftEtherServer(
            name,
            Strategy(words.strategy),
            options=options_of(words),
            version=Version(words.version),
            overrides=numbers(words.parameters),
            turns=True,
        )
        server.set_rules(server.hub, rules_of(words))
        for hub in words.hubs:
            server.add_hub(hub.name, options_of(hub), rules_of(hub))
        return server

    def session(self, server: str, other: str, ordinary: Terms) -> tuple[Terms, str]:
        """UsageError for who would not be let in."""
        words = self.words(server)
        if words is not None:  # the sessions of a topology have no storm limiter, those of it have
            ordinary = replace(ordinary, policy=Policy())
        names = _names(server, other, is_hub=ordinary.kind is Kind.CASCADE)
        fitting = [
            one
            for one in self._scenario.sessions
            if any(fnmatchcase(name, one.match) for name in names)
        ]
        if not fitting:
            return ordinary, ""
        session = fitting[-1]
        hubs = (words or Server(match=server)).by_name()
        if session.hub and session.hub not in hubs:
            raise UsageError(
                f"server `{server}` has no hub `{session.hub:.60}`",
                f"its hubs are {', '.join(hubs)}",
            )
        try:
            name = hubs.spelled(session.hub or FIRST_HUB)
            return _terms(session, hubs[name], ordinary), session.hub and name
        except UsageError as error:
            raise UsageError(f"session `{session.match}`: {error}", error.hint) from None

    def settle(self, built: Built) -> None:
        """Put the machines inside every server. UsageError where a name fits nothing."""
        servers = {n: s for n, s in built.bridges.items() if isinstance(s, SoftEtherServer)}
        _check_names("server", [one.match for one in self._scenario.servers], list(servers))
        there = [name for link in built.links.values() for name in _sessions(link)]
        _check_names("session", [one.match for one in self._scenario.sessions], there)
        for name, server in servers.items():
            words = self.words(name)
            if words is not None:
                _install(built, server, words)


def _names(server: str, other: str, *, is_hub: bool) -> list[str]:
    """`who--where`; where only one of them is a hub, either way round."""
    return [f"{other}--{server}"] if is_hub else [f"{other}--{server}", f"{server}--{other}"]


def _sessions(link: Link) -> list[str]:
    """The names of the sessions that a link is: none where there is no hub."""
    names = [
        (way.target.node.name, way.source.node.name)
        for way in link.directions
        if isinstance(way.target.node, SoftEtherServer)
    ]
    return [name for pair in names for name in _names(*pair, is_hub=len(names) > 1)]


def _check_names(what: str, patterns: list[str], names: list[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            there = ", ".join(names[:8]) or "none"
            raise UsageError(f"no {what} is named `{pattern:.60}`", f"there are {there}")


def _terms(session: Session, hub: OneHub, ordinary: Terms) -> Terms:
    """Who connects as what: a user, or who asks for something, is a client."""
    asks = bool(session.user) or session.bridge is not None or session.monitor
    kind = Kind.CLIENT if asks and ordinary.kind is not Kind.IPC else ordinary.kind
    for name, is_said in (("limit_broadcast", session.limit_broadcast), ("card", session.card)):
        if is_said and kind is not Kind.BRIDGE:
            raise UsageError(f"`{name}` is for a local bridge", f"leave `{name}` out")
    if session.policy is not None and kind is not Kind.CASCADE:
        raise UsageError("`policy` is for a cascade", "give the policy to a user")
    if kind is Kind.CASCADE:
        own = ordinary.policy if session.policy is None else policy(session.policy)
        return replace(ordinary, policy=own)
    if kind is Kind.BRIDGE:
        card = None if session.card is None else mac(session.card)
        return replace(ordinary, limit_broadcast=session.limit_broadcast, card=card)
    user = user_of(hub, session.user)
    granted = ordinary.policy if user is None else policy_of_user(user, groups_of(hub))
    bridge = ordinary.kind is Kind.CASCADE if session.bridge is None else session.bridge
    if not may_connect(granted, bridge=bridge):
        raise UsageError(
            f"user `{session.user:.60}` is not let in", "his policy denies it: `Access`, `NoBridge`"
        )
    if session.monitor and not granted.MonitorPort:
        raise UsageError(
            f"user `{session.user:.60}` may not monitor", "give him `policy.MonitorPort = true`"
        )
    return Terms(
        kind=kind,
        user="" if user is None else user.name,
        group="" if user is None else user.group,
        note="" if user is None else user.note,
        policy=granted,
        bridge=bridge,
        monitor=session.monitor,
        over_ipv6=session.over_ipv6,
    )


def _install(built: Built, server: SoftEtherServer, words: Server) -> None:
    """The machines inside a server."""
    hubs = words.by_name()
    for name, hub in hubs.items():
        if hub.secure_nat is not None:
            _install_nat(built, server, server.hubs[name], hub)
    for switch in words.switches:
        switch_of(switch, hubs).attach(server)


def _install_nat(built: Built, server: SoftEtherServer, hub: Hub, words: OneHub) -> None:
    """SecureNAT, and what it reaches: a node `outside` of its own."""
    assert words.secure_nat is not None
    option, mode, ping = secure_nat_of(words.secure_nat)
    network, site = built.network, Site()

    def make() -> SecureNat:
        luck = stream(network.seed, "secure-nat", server.name, hub.name)
        return SecureNat(
            option,
            luck,
            mode=mode,
            ping=ping,
            site=site,
            options=hub.options,
            version=hub.version,
        )

    port = server.install_nat(make, hub.name)
    outside = Outside(f"{server.name}-{port.name.partition('.')[2]}", site.resolver)
    network.add(outside)
    link = network.connect(port, outside.port, rate=_UPLINK_RATE, delay=_UPLINK_DELAY)
    built.links[link.name] = link
