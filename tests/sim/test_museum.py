"""The bug museum, where hubs, hosts and whole networks went wrong: scenes, as threads tell them.

What a translator alone gets wrong is a conformance case, in `sim/conformance/cases/museum_*.py`.
"""

from collections.abc import Callable

import pytest

from sim.conformance.museum import Exhibit
from tests.sim.scenarios import done

SCENES: list[Exhibit] = []


def scene(thread: str, rule: str) -> Callable:
    """Put a test on the page of the museum: its docstring is the symptom."""

    def register(test: Callable) -> Callable:
        name = test.__name__.removeprefix("test_").replace("_", "-")
        SCENES.append(Exhibit(f"scene/{name}", thread, test.__doc__, rule))
        return test

    return register


def a_scenario(
    *more: str, topology: str = '"chain", nodes = 1', until: str = "3s", **sites: int
) -> str:
    said = ", ".join(f"{kind} = {count}" for kind, count in sites.items())
    head = f'name = "museum"\nuntil = "{until}"\ntopology = {{ name = {topology} }}\n'
    return f"{head}sites = {{ {said} }}\n" + "".join(f"{each}\n" for each in more)


def traffic(kind: str, to: str, **fields: object) -> str:
    said = "".join(
        f"{key} = {value}\n" if isinstance(value, int) else f'{key} = "{value}"\n'
        for key, value in {"from": "h*", **fields}.items()
    )
    return f'[[traffic]]\nkind = "{kind}"\nto = "{to}"\n{said}'


def faults(*said: str) -> str:
    begin = '[[timeline]]\nat = "1ms"\nbegin = {{ link = "*", {} }}\n'
    return "".join(map(begin.format, said))


SERVER = '[[servers]]\nmatch = "*"\n'
ALICE = """
[[servers.users]]
name = "alice"
policy = { NoBroadcastLimiter = true }
[[sessions]]
match = "tap1--*"
user = "alice"
"""
MDNS = traffic("burst", "224.0.0.251", **{"from": "h1", "count": 60, "every": "1s", "size": 100})
ONE_PING = traffic("ping", "gateway", every="10s")


@scene("SoftEtherVPN/SoftEtherVPN#1403", "SoftEther, Hub.c:CheckBroadcastStorm")
@pytest.mark.parametrize(("policy", "is_limited"), [("", True), (ALICE, False)])
def test_a_limiter_of_storms_eats_service_discovery(policy, is_limited):
    """A hub took bursts of mDNS for a storm and threw part of them away, unless told not to."""
    run = done(a_scenario(SERVER, policy, MDNS, taps=2, stations=1))
    assert ("storm" in run.summary["dropped"]) is is_limited


@scene("kytos/kytos#312", "RFC 1122, 2.3.2.2")
def test_the_first_ping_of_everyone_arrives_with_empty_tables():
    """Pings only arrived where all tables had been filled by hand before the first one."""
    run = done(a_scenario(ONE_PING, taps=12, gateways=1))
    assert (run.summary["delivered"], run.summary["arp_unresolved"]) == (24, 0)
    assert run.summary["dropped"] == {}


@scene("mininet/mininet#220", "RFC 826, Motivation")
def test_what_is_asked_grows_with_the_hosts_and_not_with_their_pairs():
    """Entries written by hand were one for each pair: 360,000 commands for 600 hosts."""

    def resolved(taps: int) -> int:
        return len(done(a_scenario(ONE_PING, taps=taps, gateways=1)).tables["arp_convergence"])

    assert [resolved(taps) for taps in (6, 12, 24)] == [12, 24, 48]  # there, and back


@scene("containernet/containernet#134", "RFC 1122, 2.3.2.2")
def test_forty_hosts_lose_nothing():
    """Beyond some thirty hosts packets were lost, and nothing said where."""
    run = done(a_scenario(ONE_PING, taps=40, gateways=1))
    assert (run.summary["delivered"], run.summary["dropped"]) == (80, {})


@scene("mstpd/mstpd#133", "IEEE 802.1D, 17.1")
@pytest.mark.slow
def test_a_ring_is_cut_unless_a_loop_is_asked_for():
    """In a ring of three bridges one request went round for ever, faster and faster."""

    def crossings(loops: str) -> int:
        ring = f'"ring", nodes = 3{loops}'
        text = a_scenario(ONE_PING, topology=ring, until="25ms", taps=1, gateways=1)
        return done(text).summary["crossings"]

    assert crossings("") * 10 < crossings(", loops = true")


@scene("GNS3/dynamips#67", "RFC 1812, 5.2.3")
def test_routers_on_one_hub_leave_what_is_for_others_alone():
    """Three routers on a hub each forwarded what the hub had flooded to all, and so on for ever."""
    one = traffic("ping", "s2", **{"from": "s1", "every": "10s"})
    run = done(a_scenario(one, stations=2, gateways=3))
    assert (run.summary["delivered"], run.failed) == (2, [])
    assert run.summary["crossings"] < 30


@scene("tokio-rs/turmoil#105", "docs/debugging.md, ledger")
def test_frames_that_are_lost_doubled_and_spoiled_are_all_accounted_for():
    """Loss alone could be played: no duplicates, no spoiled or cut frames, no other order."""
    spoiled = faults(
        'fault = "loss", probability = 0.1',
        'fault = "duplication", probability = 0.1',
        'fault = "bit-flip", probability = 0.1',
        'fault = "truncation", probability = 0.1',
        'fault = "reordering", probability = 0.1, hold = "5ms"',
        'fault = "jitter", most = "2ms"',
    )
    pings = traffic("ping", "gateway", every="20ms")
    run = done(a_scenario(pings, spoiled, taps=2, stations=1, gateways=1))
    assert (run.verdict, run.failed) == ("pass", [])
    assert {"link-loss", "malformed", "checksum"} <= set(run.summary["dropped"])


@scene("tokio-rs/turmoil#187", "docs/scenarios.md, toward")
def test_a_partition_may_be_of_one_direction():
    """Two nodes could be parted for both ways only: not so that one hears and is not heard."""
    parted = """
[[timeline]]
at = "1s"
begin = { link = "s1--hub1", fault = "loss", probability = 1.0, toward = "s1" }
"""
    told = traffic("stream", "s2", **{"from": "s1", "every": "100ms"})
    asked = traffic("stream", "s1", **{"from": "s2", "every": "100ms", "port": 10})
    run = done(a_scenario(told, asked, parted, until="2s", stations=2))
    assert run.summary["delivered"] == 20 + 10
    assert run.summary["dropped"] == {"link-loss": 10}


@scene("signetlabdei/lorawan#153", "docs/debugging.md, digest")
def test_a_seed_decides_and_nothing_else_does():
    """Results were the same in every run, or never: nobody could tell what the seed was."""
    lossy = faults('fault = "loss", probability = 0.2')
    text = a_scenario(
        traffic("ping", "gateway", every="20ms"), lossy, until="1s", taps=1, gateways=1
    )
    first, again, other = done(text), done(text), done(text, seed=2)
    assert first.digest == again.digest != other.digest
