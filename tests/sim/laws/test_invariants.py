"""Every law is silent on an honest run, and fires on a run built to break it."""

import json

import pytest

from sim.build import Built
from sim.faults import Duplication
from sim.laws import holdings
from sim.laws.invariants import CROSSINGS_MOST, INVARIANTS, KEEP, STORM_MOST, payload_key
from sim.laws.law import Scene, chosen
from sim.network import Network
from sim.nodes.switch import Switch
from sim.scenario import decode
from tests.sim.bench import Bench, ip_of, to_station
from tests.sim.networks import Listener, datagram, echo, station_mac
from tests.sim.scenarios import SMALL, STREAM, called, done, order, refused
from virtualtap import Lease, VirtualTap
from virtualtap.units import MS, SECOND
from virtualtap.wire import arp
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.ethernet import ARP, IPV4

LOOP = 'name = "loop"\nuntil = "8ms"\ntopology = { name = "ring", nodes = 3, loops = true }\n'
PING = '[[traffic]]\nkind = "ping"\nfrom = "h*"\nto = "next"\n'
LEASED = SMALL.replace("300ms", "9s").replace(", gateways = 1", "").replace('"gateway"', '"next"')
DAMAGED = {"nothing-invented", "nothing-misdelivered"}
COPIED = {"no-forwarding-loop", "no-storm", "one-copy", "switched-right", "taken-once"}
HONEST = {
    "small": SMALL + STREAM,
    "two families": SMALL.replace("until", "ipv6 = true\nuntil") + STREAM + "family = 6\n",
    "lossy": f"""{SMALL}{STREAM}
[[links]]
match = "hub1--*"
faults = [
  {{ fault = "loss", probability = 0.1 }}, {{ fault = "jitter", most = "1ms" }},
  {{ fault = "duplication", probability = 0.2 }}, {{ fault = "bit-flip", probability = 0.1 }},
]
""",
    "described": f'{SMALL}{STREAM}[[servers]]\nmatch = "hub*"\n',
    "leased": f"""{LEASED}
[[servers]]
match = "hub1"
secure_nat = {{ }}
[[taps]]
match = "tap*"
dhcp = true
""",
    "crashed": f'{SMALL}[[timeline]]\nat = "50ms"\ncrash = "hub1"\n'
    f'[[timeline]]\nat = "150ms"\nrestart = "hub1"\n',
}


@pytest.mark.parametrize("what", HONEST)
def test_every_law_is_silent_on_an_honest_run(what):
    run = done(HONEST[what])
    assert (run.verdict, run.failed) == ("pass", [])


def test_the_bench_is_honest():
    bench = Bench(1, 2)
    host = bench.tap(11)
    bench.stream(bench.stations[0], host)
    bench.stream(host, bench.stations[1])
    assert bench.judged() == []
    assert bench.network.tally.delivered == 200


def test_a_payload_that_nobody_sent_is_found():
    bench = Bench(1, 2)
    bench.stream(*bench.stations)
    forged = datagram(ip_of(1), ip_of(2), b"nobody ever said this")
    bench.evil.say_at(500 * MS, to_station(2, forged))
    found = bench.judged("nothing-invented")
    assert found == [
        ("invariants.nothing-invented", "a payload s2 took and nobody sent", 0.5),
    ]


def test_a_forged_payload_that_is_refused_is_no_matter():
    bench = Bench(1, 2)
    bench.stream(*bench.stations)
    forged = datagram(ip_of(1), ip_of(2), b"nobody ever said this")
    bench.evil.say_at(500 * MS, to_station(2, forged[:-1] + b"!"))
    assert bench.judged("nothing-invented") == []


def test_what_came_in_pieces_is_not_judged_but_its_parts_are_not_needed():
    packet = datagram(ip_of(1), ip_of(2))
    piece = packet[:6] + b"\x20\x00" + packet[8:]
    assert (payload_key(piece), len(payload_key(packet) or b"")) == (b"", 21)
    assert payload_key(datagram(ip_of(1), ip_of(2), port=53)) is None
    assert payload_key(packet[:9] + b"\x06" + packet[10:]) is None
    assert payload_key(echo(ip_of(1), ip_of(2)))[:1] == b"\x08"


def test_what_is_put_together_from_pieces_is_not_judged():
    bench = Bench(1, 2)
    law = INVARIANTS["nothing-invented"](Scene(decode(SMALL), bench.built, ()))
    place, packet = bench.built.places[0], datagram(ip_of(1), ip_of(2))
    law.said(0, place, packet[:6] + b"\x20\x00" + packet[8:], b"")
    law.took(1, place, packet, payload_key(packet))
    assert law.failure is None
    law.took(2, place, datagram(ip_of(2), ip_of(1)), payload_key(packet))
    assert law.failure is not None


@pytest.mark.parametrize(("later", "fires"), [(KEEP, False), (2 * KEEP + 2, True)])
def test_a_payload_is_remembered_for_ten_minutes(later, fires):
    bench = Bench(1, 2)
    law = INVARIANTS["nothing-invented"](Scene(decode(SMALL), bench.built, ()))
    place, packet = bench.built.places[0], datagram(ip_of(1), ip_of(2))
    law.said(1, place, packet, payload_key(packet))
    law.said(later, place, packet, b"another key")
    law.took(later, place, packet, payload_key(packet))
    assert (law.failure is not None) is fires


def test_what_another_station_takes_is_found():
    bench = Bench(1, 2)
    bench.stream(*bench.stations, every=100 * MS, stop=5 * SECOND)
    thief = bench.station("thief", 2, mac=77)
    thief.stack.bind_udp(9, lambda packet: True)
    reply = arp.reply(thief.interface.mac, ip_of(2), _asked(1))
    bench.evil.say_at(1 * SECOND, station_mac(1) + station_mac(77) + ARP + reply)
    found = bench.judged("nothing-misdelivered", until=3 * SECOND)
    assert [(name, what) for name, what, _ in found] == [
        ("invariants.nothing-misdelivered", "thief took what was for s2")
    ]


def _asked(number: int):
    return arp.Arp(arp.REQUEST, station_mac(number), ip_of(number), bytes(6), ip_of(2))


class Promiscuous(VirtualTap):
    """Gives its host whatever IP it hears."""

    def ethernet_to_ip(self, frame, now=None):
        return frame[14:] if frame[12:14] == IPV4 else super().ethernet_to_ip(frame, now)


def test_a_tap_that_gives_its_host_what_is_for_others_is_found():
    bench = Bench(1, 2)
    bench.tap(11, Promiscuous)
    bench.evil.say_at(7 * MS, to_station(11, datagram(ip_of(1), ip_of(2))))
    found = bench.judged("nothing-misdelivered")
    assert found == [
        ("invariants.nothing-misdelivered", "a packet for 0a000002 that h11 was given", 0.007)
    ]


def test_a_group_is_for_every_host():
    bench = Bench(1)
    bench.tap(11, Promiscuous)
    for to in (b"\xff" * 4, b"\xe0\0\0\x01", b"\x0a\0\0\xff"):
        bench.evil.say_at(7 * MS, to_station(11, datagram(ip_of(1), to)))
    assert bench.judged("nothing-misdelivered") == []


@pytest.mark.parametrize("name", ["no-forwarding-loop", "no-storm"])
def test_a_topology_with_loops_breaks_what_is_asked_for(name):
    text = LOOP.replace("topology", f'invariants = ["{name}"]\ntopology')
    run = done(f"{text}sites = {{ taps = 1 }}\n{PING}")
    assert run.verdict == "fail"
    (failure,) = run.failed
    assert failure.field == f"invariants.{name}"
    assert 0.005 < failure.at_s < 0.008


def test_a_topology_with_loops_is_not_held_against_laws_that_cannot_hold():
    run = done(f"{LOOP}sites = {{ taps = 1 }}\n{PING}")
    assert (run.verdict, run.failed) == ("pass", [])


def test_copies_by_a_fault_are_no_loop():
    bench = Bench(1, 2)
    for link in bench.network.links:
        link.faults = (Duplication(1.0),)
    bench.stream(*bench.stations)
    assert bench.judged("no-forwarding-loop") == []


@pytest.mark.parametrize(("more", "fires"), [(0, False), (1, True)])
def test_the_same_broadcast_again_and_again_is_a_storm(more, fires):
    bench = Bench(1)
    frame = BROADCAST + station_mac(99) + ARP + arp.request(station_mac(99), ip_of(9), ip_of(8))
    for i in range(STORM_MOST + more):
        bench.evil.say_at(i * 10 * MS, bytes(frame))
    found = bench.judged("no-storm")
    assert [name for name, *_ in found] == ["invariants.no-storm"] * fires


def test_a_frame_that_comes_round_again_is_counted_for_each_link():
    bench = Bench(1)
    frame = to_station(1, datagram(ip_of(9), ip_of(1)))
    for i in range(CROSSINGS_MOST):
        bench.evil.say_at(i * MS, frame)  # the very same bytes
    assert bench.judged("no-forwarding-loop") == []
    bench = Bench(1)
    for i in range(CROSSINGS_MOST + 1):
        bench.evil.say_at(i * MS, frame)
    assert [name for name, *_ in bench.judged("no-forwarding-loop")] == [
        "invariants.no-forwarding-loop"
    ]


class Masked(VirtualTap):
    """Speaks in somebody else's name."""

    def ip_to_ethernet(self, packet, now=None):
        frame = super().ip_to_ethernet(packet, now)
        return frame and frame[:6] + station_mac(55) + frame[12:]


def test_a_source_that_is_not_the_taps_is_found():
    bench = Bench(1)
    host = bench.tap(11, Masked, when_unresolved="broadcast")
    bench.stream(host, bench.stations[0])
    assert bench.judged("no-foreign-source")[0][1] == "source 02:00:00:00:00:37 of t11"


def test_a_host_with_a_mac_of_its_own_is_no_stranger():
    bench = Bench(1)
    host = bench.tap(11, hosts=(ip_of(12),), host_macs="own")
    host.configure(ip_of(12))
    bench.stream(host, bench.stations[0])
    assert bench.judged("no-foreign-source") == []
    assert bench.network.tally.delivered > 0


def test_a_table_above_its_limit_is_found(monkeypatch):
    monkeypatch.setattr(holdings, "SWITCH_ENTRIES", 1)
    bench = Bench(1, 2)
    bench.stream(*bench.stations)
    assert bench.judged("tables-bounded")[0][1] == "2 MACs of sw"


def test_a_queue_above_its_limit_is_found():
    bench = Bench(1, 2)
    link = bench.network.connect(*(bench.network.add(Listener(x)).port for x in "ab"), rate=10**6)
    link.directions[0].free_at = 60 * SECOND
    assert "ns of queue at a.p" in bench.judged("tables-bounded")[0][1]


class Leased(VirtualTap):
    """Has a lease of 10.0.0.50, whoever else has."""

    lease = Lease(ip_of(50), 24, None, (), (), 1500, ip_of(1), None, None, None)


class Expired(VirtualTap):
    """Had one."""

    lease = Lease(ip_of(50), 24, None, (), (), 1500, ip_of(1), None, None, 0)


@pytest.mark.parametrize(
    ("other", "fires"), [(Leased, True), (Expired, False), (VirtualTap, False)]
)
def test_a_lease_with_two_holders_is_found(other, fires):
    bench = Bench()
    bench.tap(11, Leased)
    bench.tap(12, other)
    said = [("invariants.lease-unique", "10.0.0.50 leased to t11 and t12", 0.01)]
    assert bench.judged("lease-unique") == said * fires


@pytest.mark.parametrize("joined", [True, False])
def test_a_lease_is_unique_in_its_broadcast_domain(joined):
    bench = Bench()
    bench.tap(11, Leased)
    other = bench.network.add(Switch("other"))
    if joined:
        bench.network.connect(bench.switch.port(), other.port())
    bench.switch = bench.built.bridges["other"] = other
    bench.tap(12, Leased)
    assert len(bench.judged("lease-unique")) == joined


class Obstinate(VirtualTap):
    """Believes for ever what it was told once."""

    def neighbors(self):
        return {ip_of(1): station_mac(66)}


def test_a_poisoned_entry_that_never_heals_is_found():
    bench = Bench(1)
    bench.tap(11, Obstinate, neighbor_lifetime=SECOND)
    ((name, said, at),) = bench.judged("poison-heals", until=20 * SECOND)
    assert (name, said) == ("invariants.poison-heals", "h11 has 10.0.0.1 at 02:00:00:00:00:42")
    assert at > 5


def test_a_poisoned_entry_that_heals_in_time_is_no_matter():
    bench = Bench(1)
    host = bench.tap(11, neighbor_lifetime=SECOND)
    bench.stream(host, bench.stations[0], stop=9 * SECOND)
    lie = arp.reply(station_mac(66), ip_of(1), _asked(11))
    bench.evil.say_at(3 * SECOND, station_mac(11) + station_mac(66) + ARP + lie)
    assert bench.judged("poison-heals", until=20 * SECOND) == []


def test_a_poisoner_who_goes_on_gives_nobody_time_to_heal():
    bench = Bench(1)
    bench.tap(11, Obstinate, neighbor_lifetime=SECOND)
    for second in range(20):
        lie = arp.reply(station_mac(66), ip_of(1), _asked(11))
        bench.evil.say_at(second * SECOND, station_mac(11) + station_mac(66) + ARP + lie)
    assert bench.judged("poison-heals", until=20 * SECOND) == []


def test_who_sleeps_has_time_to_heal_once_he_is_awake():
    bench = Bench(1)
    host = bench.tap(11, Obstinate, neighbor_lifetime=SECOND)
    host.asleep = True

    def wake(_):
        host.asleep = False

    bench.network.call_at(15 * SECOND, wake, None)
    assert bench.judged("poison-heals", until=20 * SECOND) == []


class Forgetful(Listener):
    """Books nothing."""

    def receive(self, port, data):
        self.heard.append((self.network.now, data))


def test_a_frame_without_a_fate_is_found():
    bench = Bench(1)
    lost = bench.network.add(Forgetful("lost"))
    bench.network.connect(lost.port, bench.switch.port())
    bench.evil.say_at(500 * MS, to_station(3, b"flooded"))
    ((name, said, at),) = bench.judged("ledger")
    assert (name, at) == ("invariants.ledger", 0.51)
    assert said.startswith("lost: received 1 is not ")


# how a scenario says it


@pytest.mark.slow
def test_a_violation_fails_the_run_and_stands_in_its_json(tmp_path, capsys):
    text = LOOP.replace("topology", 'invariants = ["no-storm"]\ntopology') + PING
    path = tmp_path / "loop.toml"
    path.write_text(f"{text}".replace("[[traffic]]", "sites = { taps = 1 }\n[[traffic]]"))
    status, out, _ = called(capsys, "run", path, "--out", tmp_path / "out", "--json")
    assert status == 1
    (failed,) = json.loads(out)["failed"]
    assert (failed["field"], failed["limit"]) == ("invariants.no-storm", "at most 32 in 0.5 s")


def test_a_law_that_nobody_knows_lists_those_there_are():
    error = refused(done, f'invariants = ["no-strom"]\n{SMALL}')
    assert str(error) == "`invariants`: there is no `no-strom`"
    assert error.hint.startswith("did you mean `no-storm`? there are nothing-invented, ")


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        (SMALL, set()),
        (HONEST["lossy"], DAMAGED | COPIED),
        (LOOP, COPIED),
        (
            f'{SMALL}[[timeline]]\nat = "1ms"\n'
            'begin = { link = "*", fault = "truncation", probability = 0.1 }\n',
            DAMAGED,
        ),
        (
            f'{SMALL}[[traffic]]\nkind = "replay"\nfrom = "h1"\nto = "h2"\nfile = "x"\n'
            'address = "10.0.0.1"\n',
            {"no-storm", "taken-once"},
        ),
    ],
)
def test_what_cannot_hold_is_not_judged_unasked(text, left_out):
    laws = chosen(Scene(decode(text), Built(Network()), ()), INVARIANTS)
    assert {law.name for law in laws} == INVARIANTS.keys() - left_out - {"converges"}


def test_a_bare_run_is_not_judged():
    text = LOOP.replace("topology", 'invariants = ["no-storm"]\ntopology')
    run = done(f"{text}sites = {{ taps = 1 }}\n{PING}", bare=True)
    assert run.verdict == "pass"


def test_the_judges_change_no_moment():
    silent = done(HONEST["lossy"], changes=("invariants=[]",))
    assert silent.digest == done(HONEST["lossy"]).digest
    assert order(HONEST["lossy"]).scenario().invariants is None
