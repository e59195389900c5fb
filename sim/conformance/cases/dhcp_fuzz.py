"""DHCP, what is left to luck once an address is ours: RFC 2131 4.4.5."""

from sim.conformance.dhcp_server import bind, question, seconds
from sim.conformance.registry import clause
from sim.conformance.script import Script
from virtualtap.units import MS, SECOND, Duration
from virtualtap.wire import dhcp
from virtualtap.wire.address import LIMITED_BROADCAST

T1, T2 = 1800 * SECOND, 3150 * SECOND


def waited(tap: Script, until: Duration, seed: int) -> Duration:
    """How long after its REQUEST a client, in the state before `until`, speaks again."""
    asked = bind(tap, random_seed=seed, dhcp_fuzz=SECOND)
    tap.at(asked.at + until - 2 * SECOND).forget()
    tap.until_sent(asked.at + until + 2 * SECOND)
    assert tap.frames(), "it is silent"
    return tap.now - asked.at


@clause("RFC 2131, 4.4.5", "clients that got their leases together do not renew them together")
def renewals_are_spread(tap: Script) -> None:
    waits = {waited(Script(tap.make, tap.profile), T1, seed) for seed in range(4)}
    assert len(waits) == 4, f"four clients waited {sorted(waits)}"
    assert all(abs(wait - T1) <= SECOND for wait in waits)


@clause("RFC 2131, 4.4.5", "nor do they ask everyone together")
def rebindings_are_spread(tap: Script) -> None:
    waits = {waited(Script(tap.make, tap.profile), T2, seed) for seed in range(4)}
    assert len(waits) == 4, f"four clients waited {sorted(waits)}"
    assert all(abs(wait - T2) <= SECOND for wait in waits)


@clause("RFC 2131, 4.4.5", "however short a lease, what is spread keeps its order")
def short_lease_keeps_its_order(tap: Script) -> None:
    for seed in range(8):
        one = Script(tap.make, tap.profile)
        asked = bind(one, {dhcp.LEASE_TIME: seconds(4)}, random_seed=seed, dhcp_fuzz=60 * SECOND)
        one.at(asked.at + SECOND).expect()
        one.at(asked.at + 3250 * MS).forget()  # asks who has its server's address
        one.until_sent(asked.at + 4 * SECOND - 1)
        assert question(one, dhcp.REQUEST).packet.destination == LIMITED_BROADCAST
