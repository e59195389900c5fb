"""Every step of the engine's neighbour and DHCP states. RFC 4861 appendix C, RFC 2131 figure 5.

A step is `nud:STALE+sent>DELAY/linux`: family, state, what happened, state, whose profile. The
tables of the engine say most of them; what makes and ends an entry is said here.
"""

from collections.abc import Iterator

from virtualtap.handlers import dhcp
from virtualtap.neighbors import State
from virtualtap.profiles import PROFILES, Profile
from virtualtap.reachability import NEXT, Happening

# a message in a state where RFC 2131, figure 5, says "discard"
DISCARDED = frozenset(
    (
        (dhcp.State.REQUESTING, "offer"),
        (dhcp.State.BOUND, "offer"),
        (dhcp.State.BOUND, "ack"),
        (dhcp.State.BOUND, "nak"),
    )
)
_CONFIRMED = (State.REACHABLE, State.DELAY, State.PROBE)  # each may outlive what was heard
_HEARD = ("asked", "replied", "announced", "overheard")
_UNSOLICITED = (Happening.ADVERTISED, Happening.REPLACED, Happening.CONTRADICTED)


def _nud(family: str, profile: str) -> Iterator[str]:
    """Of neighbours with the states of RFC 4861 7.3.2."""

    def step(before: State, what: str, after: State) -> str:
        return f"{family}:{before.name}+{what}>{after.name}/{profile}"

    for (before, happening), after in NEXT.items():
        yield step(before, happening.name.lower(), after)
    for state in _CONFIRMED:
        yield step(state, "sent", State.INCOMPLETE)  # its lifetime is over before the doubt
    for state in (State.DELAY, State.PROBE):
        yield step(state, "timed_out", State.ABSENT)  # the same, found at the doubt
    for state in (*_CONFIRMED, State.STALE):
        yield step(state, "evicted", State.ABSENT)
    if family == "nud4":
        yield step(State.ABSENT, "configured", State.INCOMPLETE)
        yield step(State.INCOMPLETE, "renamed", State.ABSENT)
        for state in (*_CONFIRMED, State.STALE, State.INCOMPLETE):
            yield step(state, "readdressed", State.ABSENT)
            yield step(state, "forgotten", State.ABSENT)


def _arp(profile: str, manners: Profile) -> Iterator[str]:
    """Of IPv4 neighbours that are not doubted: asked for, or known for their lifetime."""
    for before, what, after in _arp_steps(manners):
        yield f"arp:{before}+{what}>{after}/{profile}"


_ARP_STEPS = (
    ("UNKNOWN", "configured", "KNOWN"),
    ("UNKNOWN", "sent", "ASKED"),
    ("ASKED", "sent", "ASKED"),
    ("ASKED", "timed_out", "ASKED"),
    ("ASKED", "exhausted", "UNKNOWN"),
    ("ASKED", "renamed", "UNKNOWN"),
    ("ASKED", "readdressed", "UNKNOWN"),
    ("ASKED", "forgotten", "UNKNOWN"),
    ("KNOWN", "timed_out", "UNKNOWN"),
    ("KNOWN", "evicted", "UNKNOWN"),
    ("KNOWN", "readdressed", "UNKNOWN"),
    ("KNOWN", "forgotten", "UNKNOWN"),
)


def _arp_steps(manners: Profile) -> Iterator[tuple[str, str, str]]:
    yield from _ARP_STEPS
    for what in _HEARD:
        yield "UNKNOWN", what, "KNOWN" if what in manners.adds else "UNKNOWN"
    if manners.adds_from_packets:
        yield "UNKNOWN", "packet", "KNOWN"
    for what in (*_HEARD, "packet") if manners.adds_from_packets else _HEARD:
        yield "ASKED", what, "KNOWN"
        yield "KNOWN", what, "KNOWN"
        yield "KNOWN", f"{what}-moved", "KNOWN"
    if manners.use_prolongs:
        yield "KNOWN", "sent", "KNOWN"


def _dhcp() -> Iterator[str]:
    for (before, happening), after in dhcp.TRANSITIONS.items():
        yield f"dhcp:{before.name}+{happening.value}>{after.name}"
    for before, what in sorted(DISCARDED):
        yield f"dhcp:{before.name}+{what}>{before.name}"


def _all() -> Iterator[str]:
    for name, manners in PROFILES.items():
        yield from _nud("nud", name)
        yield from _nud("nud4", name) if manners.doubts_ipv4 else _arp(name, manners)
    yield from _dhcp()


def _never() -> Iterator[tuple[str, str]]:
    """(step, why no world can make it)."""
    for name, manners in PROFILES.items():
        yield from _never_absent("nud", name)
        yield from _never_late("nud", name)
        if manners.doubts_ipv4:
            yield from _never_late("nud4", name)
            yield from _never_absent("nud4", name)
            yield from _never_flagged(name)
        if not manners.asks:
            for before, what, after in _arp_steps(manners):
                if "ASKED" in (before, after):
                    yield f"arp:{before}+{what}>{after}/{name}", "this profile never asks"
    release, released = dhcp.Happening.RELEASE.value, dhcp.State.RELEASED.name
    for state in dhcp.State:
        why = "no node gives its lease back: `release` is for programs"
        yield f"dhcp:{state.name}+{release}>{released}", why


def _never_absent(family: str, profile: str) -> Iterator[tuple[str, str]]:
    why = "who has no entry is not looked for in the table (RFC 4861 7.2.5)"
    for happening in (Happening.CONFIRMED, Happening.ADVERTISED):
        yield f"{family}:ABSENT+{happening.name.lower()}>ABSENT/{profile}", why


def _never_late(family: str, profile: str) -> Iterator[tuple[str, str]]:
    why = "REACHABLE ends no later than the lifetime, and timers run before what is sent"
    yield f"{family}:REACHABLE+sent>INCOMPLETE/{profile}", why


def _never_flagged(profile: str) -> Iterator[tuple[str, str]]:
    why = "ARP has no flags: a reply to us alone confirms, all else is heard"
    for (before, happening), after in NEXT.items():
        if happening in _UNSOLICITED:
            yield f"nud4:{before.name}+{happening.name.lower()}>{after.name}/{profile}", why


TRANSITIONS: tuple[str, ...] = tuple(dict.fromkeys(_all()))
_FORGOTTEN = "the tap's own DHCP server forgets, and no topology has peers that a tap serves"
UNREACHABLE: dict[str, str] = {
    **dict(_never()),
    **{step: _FORGOTTEN for step in TRANSITIONS if "+forgotten>" in step},
}
REACHABLE: tuple[str, ...] = tuple(one for one in TRANSITIONS if one not in UNREACHABLE)
