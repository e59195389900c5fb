"""What drawn worlds taught the judges: where they saw a law broken and none was."""

from sim.build import build, planned
from sim.laws.invariants import Judges
from sim.laws.law import Invariant, Scene
from sim.observers import Kind, Moment
from sim.probes import ArpConvergence
from sim.run import built
from sim.scenario import decode
from tests.builders import arp_request, packet
from tests.sim.bench import Bench, ip_of
from tests.sim.networks import station_mac
from tests.sim.scenarios import SMALL, done, order
from topologies import load, populate
from virtualtap.units import SECOND
from virtualtap.wire import icmp, ndp
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.ethernet import IPV4, IPV6
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ndp import Redirect

SKEWED = SMALL + "[[timeline]]\nat = '1ms'\nskew = { node = 'tap1', ppm = -100000 }\n"


class Patient(Invariant):
    name, rests = "patient", True

    def __init__(self, scene):
        super().__init__(scene)
        self.looks = 0

    def look(self, now):
        self.looks += 1


def test_a_probe_for_a_host_with_a_mac_of_its_own_is_no_foreign_frame():
    bench = Bench(1)
    bench.tap(11, claim="probed", hosts=(ip_of(77),), host_macs="own")
    assert bench.judged("no-foreign-source", until=5 * SECOND) == []


def test_an_error_comes_back_to_whom_a_host_said_it_was():
    bench = Bench(1)
    host = bench.tap(11, mtu=100)
    forged = Ipv4(ip_of(99), ip_of(1), 17, bytes(200), fragment=0x4000).to_bytes()
    host.call_at(0, lambda: host.stack.transmit(forged))
    assert bench.judged("nothing-misdelivered") == []
    assert host.fates.dropped == {"not-for-us": 1}


def test_payloads_may_be_minutes_apart():
    bench = Bench(1, 2)
    stations = list(bench.built.endpoints.values())
    bench.stream(*stations, every=700 * SECOND, stop=2000 * SECOND)
    assert bench.judged("nothing-invented", until=2000 * SECOND) == []
    assert bench.network.tally.delivered == 3


def test_a_tap_may_hold_what_its_profile_lets_it():
    bench = Bench(1, 2)
    host = bench.tap(11, profile="linux", neighbors_max=1)
    bench.network.crash(bench.built.endpoints["s1"])
    bench.stream(host, bench.built.endpoints["s1"], every=SECOND // 60)
    assert bench.judged("tables-bounded") == []
    assert host.uplink.out.target.node.holding() > 16


def test_a_question_that_is_cut_asks_for_nobody():
    bench = Bench(1)
    (place,) = bench.built.places
    probe = ArpConvergence([place])
    whole = arp_request(station_mac(1), place.ip, ip_of(2))
    probe.see(Moment(0, Kind.SENT, place.lan, whole[:38], ""))
    assert probe.asked == {}
    probe.see(Moment(0, Kind.SENT, place.lan, whole, ""))
    assert list(probe.asked) == [("s1", ip_of(2))]


def test_clocks_that_are_wrong_stretch_and_shorten_what_a_law_allows():
    scene = Scene(decode(SKEWED), Bench(1).built, [])
    assert (scene.longest(9 * SECOND), scene.shortest(SECOND)) == (10 * SECOND, SECOND)
    fast = Scene(decode(SKEWED.replace("-100000", "100000")), Bench(1).built, [])
    assert (fast.longest(SECOND), fast.shortest(11 * SECOND)) == (SECOND, 10 * SECOND)


def test_where_nothing_happens_nobody_looks_again():
    bench = Bench(1)
    law = Patient(Scene(decode(SMALL), bench.built, []))
    judges = Judges(law.scene, [law])
    for instant in judges.instants(SECOND):
        bench.network.run(instant)
        judges.look(instant)
    assert law.looks == 1


def test_a_plan_says_what_endpoints_will_be_called():
    graph = populate(load("star", sites=2), 1, 1, 1)
    built = build(graph, 1, ipv6=True)
    said = {place.name: (place.mac, place.ip, place.ip6) for place in built.places}
    plan = planned(graph, ipv6=True)
    assert {name: (one.mac, one.ip, one.ip6) for name, one in plan.items()} == said


def test_the_broadcast_address_of_old_is_for_everybody():
    bench = Bench(1)
    host = bench.tap(11)
    bench.evil.say_at(0, BROADCAST + station_mac(1) + IPV4 + packet(ip_of(0), ip_of(1)))
    assert bench.judged("nothing-misdelivered") == []
    assert sum(host.fates.dropped.values()) == 1


TWO_LANS = """\
name = "two-lans"
until = "10ms"
ipv6 = true
[topology]
name = "drawn"
nodes = { sw1 = "switch", sw2 = "switch", gw = "gateway", s1 = "station", s2 = "station" }
links = [["sw1", "gw"], ["gw", "sw2"], ["s1", "sw1"], ["s2", "sw2"]]
"""
SAYS = '[[timeline]]\nat = "1ms"\ninject = { from = "s1", frames = ["%s"] }\n'


def test_what_an_attacker_says_too_is_no_flow_s_alone():
    places = {place.lan: place for place in built(order(TWO_LANS)).places}
    own, near = places["s1.eth0"], places["gw.lan1"]
    ping = '[[traffic]]\nkind = "ping"\nfrom = "s1"\nto = "s2"\nsize = 16\n'
    asked = Ipv4(own.ip, near.ip, 1, Icmp(icmp.ECHO_REQUEST, 0, 1 << 16, bytes(16)).summed())
    frame = near.mac + own.mac + IPV4 + asked.to_bytes()  # the first payload is zeros, too
    run = done(f"{TWO_LANS}{ping}{SAYS % frame.hex()}")
    assert (run.verdict, run.failed) == ("pass", [])


def test_a_gateway_passes_a_neighbor_message_on_that_nobody_takes():
    places = {place.lan: place for place in built(order(TWO_LANS)).places}
    own, near, far = (places[name] for name in ("s1.eth0", "gw.lan1", "s2.eth0"))
    message = Redirect(own.ip6[0], near.ip6[0])
    frame = near.mac + own.mac + IPV6 + ndp.packet(message, own.ip6[0], far.ip6[0])
    run = done(TWO_LANS + SAYS % frame.hex())
    assert (run.verdict, run.failed) == ("pass", [])
