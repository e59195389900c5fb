"""A host behind a tap uses a hub's SecureNAT: lease, gateway, names, UDP, TCP, in both modes."""

from functools import partial
from itertools import pairwise

import pytest

from sim.faults import Loss
from sim.network import Network
from sim.nodes.host import L3Host
from sim.nodes.outside import ECHO, Outside
from sim.nodes.segment import Segment
from sim.nodes.softether.nat_table import Site
from sim.nodes.softether.secure_nat import SecureNat
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.vh_option import Mode, VhOption
from sim.nodes.tcp import Manners, State, TcpEnd
from sim.nodes.virtual_tap import VirtualTapNode
from sim.rng import stream
from tests import builders as b
from tests.sim.networks import Listener, around, echo
from tests.sim.nodes.softether.nats import dhcp_frame, is_arp, message
from virtualtap import TapConfig, ip
from virtualtap.units import MS, SECOND
from virtualtap.wire import dhcp, dns, ipv4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

ME, HOST, FAR = ip("192.168.30.10"), ip("192.168.30.1"), ip("198.51.100.9")
SITE = Site()
START = 30 * SECOND  # a DHCP client waits up to 10 s before it asks: RFC 2131 4.4.1
MODES = pytest.mark.parametrize("mode", [Mode.USER, Mode.KERNEL])


class Scene:
    """host -- tap -- hub with SecureNAT -- outside; the host keeps what nobody else takes."""

    def __init__(self, mode: Mode = Mode.USER, *, connects: bool = True, loss: float = 0.0) -> None:
        self.network = network = Network(5)
        self.host = network.add(L3Host("phone", ME))
        self.tap = network.add(VirtualTapNode("tap", TapConfig(our_mac=b.OUR_MAC, dhcp=True)))
        self.server = network.add(SoftEtherServer("hub"))
        network.connect(self.host.uplink, self.tap.host)
        self.wan = network.connect(self.tap.lan, self.server.session(), delay=5 * MS)
        if loss:
            self.wan.faults = (Loss(loss),)
        self.made = 0
        self.way = self.server.install_nat(partial(self._make, mode))
        self.outside = network.add(Outside("outside", SITE.resolver, {"www.example.org": FAR}))
        if connects:
            network.connect(self.way, self.outside.port, delay=20 * MS)
        self.heard: list[tuple[int, Ipv4]] = []

    def _make(self, mode: Mode) -> SecureNat:
        self.made += 1
        return SecureNat(VhOption(), stream(self.network.seed, "nat"), mode=mode, site=SITE)

    def listen(self, source: bytes) -> None:
        self.host.stack.bind_source(source, self._hear)

    def _hear(self, packet: bytes) -> bool:
        self.heard.append((self.network.now, Ipv4.parse(packet)))
        return True

    def say_at(self, when: int, packet: bytes) -> None:
        self.network.call_at(when, self.host.stack.transmit, packet)

    def answers(self, packet: bytes, source: bytes) -> list[Ipv4]:
        """What comes back from `source` to a packet."""
        self.listen(source)
        self.say_at(START, packet)
        self.network.run(START + 4 * SECOND)
        assert self.network.ledger() == []
        return [one for _, one in self.heard if one.destination == ME]  # no beacon


def udp(to: bytes, port: int, payload: bytes) -> bytes:
    return Ipv4(ME, to, ipv4.UDP, Udp(5000, port, payload).between(ME, to)).to_bytes()


class Application:
    """A TCP connection of the host's to port 7 of who is far."""

    def __init__(self, scene: Scene, port: int = ECHO, to: bytes = FAR) -> None:
        self.scene = scene
        self.end = TcpEnd((ME, 40_000), (to, port), Manners(), 77)
        self.got = b""
        self._left = b""
        scene.host.stack.bind_source(to, self._hear)

    def start(self, data: bytes) -> None:
        self._left = data
        self.end.connect(self.scene.network.now)
        self._step()

    def _hear(self, packet: bytes) -> bool:
        self.end.receive(Segment.parse(Ipv4.parse(packet).payload), self.scene.network.now)
        self._step()
        return True

    def _poll(self) -> None:
        self.end.poll(self.scene.network.now)
        self._step()

    def _step(self) -> None:
        now = self.scene.network.now
        if self.end.state is State.OPEN and self._left:
            self._left = self._left[self.end.send(self._left, now) :]
            if not self._left:
                self.end.close(now)
        self.got += self.end.read()
        for segment in self.end.take_segments():
            packet = Ipv4(ME, self.end.there[0], ipv4.TCP, segment).to_bytes()
            self.scene.host.stack.transmit(packet)
        deadline = self.end.next_deadline()
        if deadline is not None:
            self.scene.network.call_at(max(now, deadline), lambda _: self._poll(), None)


@MODES
def test_the_tap_gets_a_lease(mode):
    scene = Scene(mode)
    scene.network.run(START)
    assert scene.tap.tap.learned_ip == ME


def test_the_gateway_answers_a_ping():
    (answer,) = Scene().answers(echo(ME, HOST), HOST)
    assert Icmp.parse(answer.payload).type == 0


@MODES
def test_a_name_is_resolved_by_the_host(mode):
    query = b"\x12\x34\x01\0\0\1" + bytes(6) + dns.name("www.example.org") + b"\0\1\0\1"
    (answer,) = Scene(mode).answers(udp(HOST, 53, query), HOST)
    assert Udp.parse(answer.payload).payload.endswith(FAR)


@MODES
def test_a_ping_goes_outside_and_comes_back(mode):
    scene = Scene(mode)
    (answer,) = scene.answers(echo(ME, FAR), FAR)
    assert Icmp.parse(answer.payload).rest == 7 << 16 | 1
    # the tap asks for its gateway first: 10 ms; then 5 and 20 ms each way, without a turn's wait
    assert scene.heard[0][0] - START == 60 * MS


@MODES
def test_a_datagram_goes_outside_and_comes_back(mode):
    (answer,) = Scene(mode).answers(udp(FAR, ECHO, b"hello"), FAR)
    assert Udp.parse(answer.payload).payload == b"hello"


@MODES
def test_a_connection_opens_carries_both_ways_and_closes(mode):
    scene = Scene(mode)
    application = Application(scene)
    data = bytes(range(256)) * 200
    scene.network.call_at(START, application.start, data)
    scene.network.run(START + 60 * SECOND)
    assert application.got == data
    assert application.end.state is State.CLOSED
    assert scene.network.ledger() == []


def test_the_time_to_connect_has_the_way_outside_in_it():
    scene = Scene()
    application = Application(scene)
    scene.network.call_at(START, application.start, b"")
    scene.network.run(START + 60 * MS)  # 10 to ask for the gateway, 2 x 5, 2 x 20
    assert application.end.state is State.SYN_SENT
    scene.network.run(START + 61 * MS)
    assert application.end.state is State.OPEN


def test_a_connection_through_a_session_that_loses_frames_loses_no_byte():
    scene = Scene(loss=0.05)
    application = Application(scene)
    data = bytes(range(256)) * 100
    scene.network.call_at(START, application.start, data)
    scene.network.run(300 * SECOND)
    assert application.got == data


@MODES
def test_a_connection_that_is_refused_outside_is_reset(mode):
    scene = Scene(mode)
    application = Application(scene, port=80)
    scene.network.call_at(START, application.start, b"hello")
    scene.network.run(START + 4 * SECOND)
    assert application.end.state is State.RESET


def test_a_server_that_leads_nowhere_drops_what_is_to_leave():
    scene = Scene(connects=False)
    assert scene.answers(echo(ME, FAR), FAR) == []
    assert scene.server.fates.dropped["no-route"] == 1


def test_a_crash_makes_a_new_secure_nat_and_the_tap_goes_on_when_its_beacon_comes():
    scene = Scene()
    scene.network.run(START)
    scene.server.crash()
    scene.server.restart()
    assert scene.made == 2
    (answer,) = scene.answers(echo(ME, FAR), FAR)
    assert answer.source == FAR


def test_the_way_outside_may_go_down_and_up():
    scene = Scene()
    scene.network.run(SECOND)
    link = scene.network.links[-1]
    link.up = False
    scene.server.link_changed(scene.way, up=False)
    link.up = True
    scene.server.link_changed(scene.way, up=True)
    assert len(scene.answers(echo(ME, FAR), FAR)) == 1


def test_each_hub_has_a_secure_nat_of_its_own():
    scene = Scene()
    again = scene.server.install_nat(partial(scene._make, Mode.USER))
    assert [scene.way.name, again.name] == ["hub.outside", "hub.outside2"]
    assert scene.server.session().name == "hub.s2"


def a_listener() -> tuple[Network, Listener]:
    """Who hears what the SecureNAT of a server says, and says nothing."""
    network, listeners = around(SoftEtherServer("hub"), 1)
    server = network.nodes["hub"]
    assert isinstance(server, SoftEtherServer)
    server.install_nat(lambda: SecureNat(VhOption(), stream(1, "nat")))
    return network, listeners[0]


def test_beacons_are_late_by_a_turn_of_the_loop_at_most():
    network, listener = a_listener()
    network.run(60 * SECOND)
    times = [at for at, frame in listener.heard if is_arp(frame)]
    gaps = {later - sooner for sooner, later in pairwise(times)}
    assert times[0] == 0
    assert all(5 * SECOND <= gap < 5 * SECOND + 256 * MS for gap in gaps)


def test_questions_are_late_by_a_hasty_turn_at_most():
    network, listener = a_listener()
    inform = dhcp_frame(message(dhcp.INFORM), source=ME)
    listener.say_at(100 * MS, inform)
    network.run(4500 * MS)
    asked = [at - 100 * MS for at, frame in listener.heard if is_arp(frame)][1:]
    for at, due in zip(asked, (0, 1, 2, 4), strict=True):
        assert 0 <= at - due * SECOND <= 60 * MS  # 1.01, 2.01, 4.02 s were seen of a real one
