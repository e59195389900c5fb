"""What always holds holds under attack, and the laws know who attacked whom."""

from dataclasses import replace

import pytest

from sim.laws.holdings import LeaseUnique, told
from sim.laws.invariants import INVARIANTS
from sim.laws.law import Scene, unwrapped
from sim.run import built
from sim.scenario import decode
from tests.sim.bench import Bench, ip_of
from tests.sim.lan import (
    FRAME,
    GW1,
    IP1,
    IP2,
    IP4,
    LAN,
    LEASING,
    LONG,
    PINGS,
    S1,
    S2,
    SIX1,
    SIX2,
    SIX3,
    SIX4,
    TAP1,
    at,
    sent,
    watched,
)
from tests.sim.networks import datagram, station_mac
from tests.sim.scenarios import SMALL, done, order
from virtualtap import Lease, VirtualTap
from virtualtap.units import MS, SECOND
from virtualtap.wire import arp, ethernet, ndp
from virtualtap.wire.address import ALL_NODES6, BROADCAST
from virtualtap.wire.ethernet import ARP, IPV4, IPV6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage, Redirect

TRIED = {
    "inject": f'inject = {{ from = "*", frames = ["{FRAME}"], times = 100 }}',
    "spoof": 'spoof = { from = "s1", claims = "gw1", to = "all", every = "1ms", times = 500 }',
    "poll": 'spoof = { from = "gw1", claims = "h1", to = "s2", as = "request", times = 3 }',
    "advertise": 'spoof = { from = "s1", claims = "gw1", to = "all", family = 6, times = 3 }',
    "flap": 'flap = { from = "s1", of = "h1", every = "1ms", times = 500 }',
    "repeat": 'repeat-arp = { from = "s1", every = "1ms", times = 500 }',
    "storm": 'storm = { from = "s*", times = 500 }',
    "rogue": 'rogue = { node = "s1", first = "10.0.0.2", last = "10.0.0.9" }',
    "duplicate": 'duplicate = { node = "s1", of = "h1" }',
    "twin": 'duplicate = { node = "s1", of = "h1", what = "mac" }',
}


@pytest.mark.parametrize("kind", ["switch", "hub"])
@pytest.mark.parametrize("what", TRIED)
def test_every_law_holds_under_attack(what, kind):
    text = LONG if what == "rogue" else LAN
    leasing = LEASING if what == "rogue" else ""
    run = done(text.replace("switch", kind) + PINGS + leasing + at("300ms", TRIED[what]))
    assert (run.verdict, run.failed) == ("pass", [])


def test_an_attack_is_the_same_without_observers():
    text = LAN + PINGS + "".join(at("300ms", words) for words in TRIED.values())
    watched_run, bare = done(text), done(text, bare=True)
    assert watched_run.summary["crossings"] == bare.summary["crossings"]


@pytest.mark.parametrize("tag", ["", "81000000", "8100000081000000"])
def test_an_injected_payload_is_no_invention_however_it_is_wrapped(tag):
    packet = datagram(SIX2, SIX3) + b"padding"
    frame = (TAP1 + S2).hex() + tag + (IPV6 + packet).hex()
    text = LAN + '[[traffic]]\nkind = "stream"\nfrom = "s1"\nto = "h1"\nevery = "1s"\nfamily = 6\n'
    run = done(text + at("1s", f'inject = {{ from = "s2", frames = ["{frame}"] }}'))
    assert (run.verdict, run.failed) == ("pass", [])
    assert run.summary["delivered"] >= 3 + (tag == "")


def test_pieces_of_ipv6_are_not_judged():
    whole = datagram(SIX2, SIX3, b"in two pieces, and each is some bytes long")[40:]
    pieces = [
        (TAP1 + S2 + IPV6 + Ipv6(SIX2, SIX3, 44, b"\x11\0" + mark + whole[part]).to_bytes()).hex()
        for mark, part in (
            (b"\0\x01\0\0\0\x07", slice(24)),
            (b"\0\x18\0\0\0\x07", slice(24, None)),
        )
    ]
    text = LAN + '[[traffic]]\nkind = "stream"\nfrom = "s1"\nto = "h1"\nevery = "5s"\nfamily = 6\n'
    words = f'inject = {{ from = "s2", frames = ["{pieces[0]}", "{pieces[1]}"] }}'
    run = done(text + at("1s", words))
    assert (run.verdict, run.failed, run.summary["delivered"]) == ("pass", [], 2)


class Obstinate(VirtualTap):
    """Believes for ever what it was told once, of an IPv6 address."""

    def neighbors(self):
        return {b"\xfd" + bytes(14) + b"\1": b"\x02\0\0\0\0\x42"}


def test_a_poisoned_ipv6_entry_that_never_heals_is_found():
    bench = Bench(1)
    bench.tap(11, Obstinate, neighbor_lifetime=SECOND)
    ((name, said, _),) = bench.judged("poison-heals", until=20 * SECOND)
    assert (name, said) == ("invariants.poison-heals", "h11 has fd00::1 at 02:00:00:00:00:42")


def test_an_advertiser_who_goes_on_gives_nobody_time_to_heal():
    bench = Bench(1)
    bench.tap(11, Obstinate, neighbor_lifetime=SECOND)
    lie = NeighborMessage(ndp.ADVERTISEMENT, 0, bench.stations[0].stack.ip6[0])
    for second in range(20):
        frame = station_mac(11) + station_mac(66) + IPV6 + ndp.packet(lie, SIX2, ALL_NODES6)
        bench.evil.say_at(second * SECOND, frame)
    assert bench.judged("poison-heals", until=20 * SECOND) == []


def test_a_spoofed_tap_heals_in_time():
    taps = '[[taps]]\nmatch = "tap1"\nneighbor_lifetime = "1s"\narp_interval = "100ms"\n'
    spoof = at("1s", 'spoof = { from = "s1", claims = "gw1", to = "h1" }')
    stage, _ = watched(LONG + PINGS + taps + spoof, 3 * SECOND)
    assert stage.network.nodes["tap1"].tap.neighbors()[IP4] == GW1
    assert done(LONG + PINGS + taps + spoof).failed == []


SAID6 = b"\x60" + bytes(5) + b"\x3a\xff" + SIX2 + ALL_NODES6


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (BROADCAST + S1 + ARP + arp.request(S1, IP1, IP2), (IP1, S1)),
        (BROADCAST + S1 + ethernet.tag(7) + ARP + arp.request(S1, IP1, IP2), (IP1, S1)),
        (BROADCAST + S1 + b"\x88\xb5" + bytes(50), None),
        (
            BROADCAST + S1 + IPV6 + SAID6
            + NeighborMessage(135, 0, SIX1, ((1, S2),)).to_bytes(), (SIX2, S2),
        ),
        (BROADCAST + S1 + IPV6 + SAID6 + NeighborMessage(135, 0, SIX1).to_bytes(), None),
        (
            BROADCAST + S1 + IPV6 + SAID6
            + NeighborMessage(136, 0, SIX1, ((2, S2),)).to_bytes(), (SIX1, S2),
        ),
        (BROADCAST + S1 + IPV6 + SAID6 + NeighborMessage(136, 0, SIX1).to_bytes(), (SIX1, b"")),
        (
            BROADCAST + S1 + IPV6 + SAID6 + Redirect(SIX1, SIX4, ((2, S2),)).to_bytes(),
            (SIX1, S2),
        ),
        (BROADCAST + S1 + IPV6 + SAID6 + Redirect(SIX1, SIX4).to_bytes(), None),
        (BROADCAST + S1 + IPV6 + SAID6 + b"\x88 short", None),
        (BROADCAST + S1 + IPV6 + SAID6 + b"\x80 other", None),
        (BROADCAST + S1 + IPV6 + SAID6.replace(b"\x3a", b"\x11"), None),
    ],
)  # fmt: skip
def test_what_a_frame_says_of_who_is_where(frame, says):
    assert told(frame) == says


@pytest.mark.parametrize("frame", [b"", b"\1" * 13, BROADCAST + S1 + b"\x81\0\0", bytes(60)])
def test_what_nobody_takes_stays_as_it_is(frame):
    assert unwrapped(frame) is frame


def test_snap_is_unwrapped():
    packet = datagram(IP1, IP2)
    length = (8 + len(packet)).to_bytes(2)
    frame = S2 + S1 + length + b"\xaa\xaa\x03\0\0\0" + IPV4 + packet + b"pad"
    assert unwrapped(frame) == S2 + S1 + IPV4 + packet


class Leased(VirtualTap):
    """Has a lease of 10.0.0.50 from 10.0.0.1."""

    lease = Lease(ip_of(50), 24, None, (), (), 1500, ip_of(1), None, None, None)


class LeasedElsewhere(VirtualTap):
    """The same address, from 10.0.0.2."""

    lease = replace(Leased.lease, server=ip_of(2))


@pytest.mark.parametrize(
    ("other", "words", "fires"),
    [
        (LeasedElsewhere, at("0s", 'rogue = { node = "s1" }'), False),
        (Leased, at("0s", 'rogue = { node = "s1" }'), True),
        (LeasedElsewhere, "", True),
    ],
)
def test_two_servers_may_lease_the_same_where_one_is_a_rogue(other, words, fires):
    bench = Bench()
    bench.tap(11, Leased)
    bench.tap(12, other)
    law = LeaseUnique(Scene(decode(SMALL + words), bench.built, ()))
    law.look(0)
    assert (law.failure is not None) is fires


def test_a_flood_that_attackers_sent_is_no_storm_and_more_than_that_is_one():
    stage = built(order(LAN))
    law = INVARIANTS["no-storm"](Scene(decode(LAN + at("0s", TRIED["storm"])), stage, ()))
    assert (law._hostile, law.failure) == ({"s1.eth0", "s2.eth0"}, None)
    run = done(LAN + at("0s", f'inject = {{ from = "s1", frames = ["{FRAME}"], times = 400 }}'))
    assert run.failed == []
    loop = LAN.replace(
        '["s2", "sw1"]', '["s2", "sw2"], ["sw1", "sw2"], ["sw2", "sw3"], ["sw3", "sw1"]'
    ).replace("s1 =", 'sw2 = "switch", sw3 = "switch", s1 =')
    loop = loop.replace("links =", "loops = true, links =").replace("3s", "3ms")
    loop = loop.replace("until", 'invariants = ["no-storm"]\nuntil')
    run = done(loop + at("0s", f'inject = {{ from = "s1", frames = ["{FRAME}"], times = 3 }}'))
    assert run.verdict == "fail"


def test_who_took_what_is_for_two_is_not_asked_why():
    rogue = at("0s", 'rogue = { node = "s1", first = "10.0.0.2", last = "10.0.0.2" }')
    stream = '[[traffic]]\nkind = "stream"\nfrom = "gw1"\nto = "s2"\nevery = "10ms"\n'
    stream += '[[traffic]]\nkind = "stream"\nfrom = "s2"\nto = "h1"\nevery = "10ms"\n'
    run = done(LONG + LEASING + stream + rogue)
    assert (run.verdict, run.failed) == ("pass", [])


def test_what_is_said_in_another_name_does_not_say_who_its_receiver_is():
    stream = '[[traffic]]\nkind = "ping"\nfrom = "s2"\nto = "s1"\nevery = "200ms"\n'
    request = sent(LAN + stream, "s2.eth0", 500 * MS)[-1][1]
    assert request[23:24] == b"\x01"
    early = at("300ms", f'inject = {{ from = "s1", frames = ["{request.hex()}"] }}')
    run = done(LAN + stream + early)
    assert (run.verdict, run.failed) == ("pass", [])
