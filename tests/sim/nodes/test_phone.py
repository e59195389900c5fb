"""A phone: host, tap and session in one device."""

from dataclasses import replace

from sim.network import Network
from sim.nodes.host import L3Host
from sim.nodes.interface import Addresses
from sim.nodes.phone import Phone
from sim.nodes.platform import PLATFORMS
from sim.nodes.softether.fifo import Budget
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.server import SILENT, SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.nodes.softether.transport import Transport, Wish
from sim.nodes.station import Station
from sim.nodes.virtual_tap import VirtualTapNode
from tests import builders as b
from tests.sim.networks import datagram
from virtualtap.config import TapConfig
from virtualtap.units import MS, SECOND


class Pocket:
    """A phone on a hub with one station, `PEER`; its tap asks for who is not there for 3 s."""

    def __init__(self, platform: str = "ios", memory: int | None = None, rate: int | None = None):
        self.network = network = Network()
        self.server = network.add(SoftEtherServer("hub", options=SILENT))
        self.host = network.add(L3Host("h1", b.OUR_IP))
        config = TapConfig(our_mac=b.OUR_MAC, our_ip=b.OUR_IP)
        self.tap = network.add(VirtualTapNode("tap1", config))
        self.station = network.add(Station("s1", Addresses(b.PEER_MAC, b.PEER)))
        network.connect(self.host.uplink, self.tap.host)
        link = network.connect(
            self.tap.lan, self.server.session(Terms(kind=Kind.CLIENT)), rate=rate
        )
        beside = self.server.session(Terms(kind=Kind.BRIDGE))
        network.connect(self.station.interface.port, beside)
        self.transport = Transport(link, network, Wish(), Budget(self.server.constants))
        link.carrier = self.transport
        known = PLATFORMS[platform]
        self.host.platform = known if memory is None else replace(known, memory=memory)
        self.phone = Phone(self.host, self.tap, self.transport)
        self.got: list[bytes] = []
        self.station.stack.bind_udp(9, lambda packet: bool(self.got.append(packet)) or True)

    def say_at(self, when: int, *payloads: bytes) -> None:
        for payload in payloads:
            self.network.call_at(
                when, self.host.stack.transmit, datagram(b.OUR_IP, b.PEER, payload)
            )


def test_its_timers_wait_until_it_wakes():
    pocket = Pocket()
    nobody = datagram(b.OUR_IP, b.NOBODY)
    pocket.network.call_at(0, pocket.host.stack.transmit, nobody)
    pocket.network.call_at(100 * MS, lambda _: pocket.phone.sleep(), None)
    pocket.network.run(10 * SECOND)
    asked = pocket.tap.lan.out.sent
    pocket.phone.wake()
    pocket.network.run(30 * SECOND)
    assert asked == 1
    assert pocket.tap.fates.dropped == {"unresolved": 1}
    assert pocket.network.ledger() == []


def test_waking_before_a_timer_is_due_changes_nothing():
    pocket = Pocket()
    pocket.network.call_at(0, pocket.host.stack.transmit, datagram(b.OUR_IP, b.NOBODY))
    pocket.network.call_at(100 * MS, lambda _: pocket.phone.sleep(), None)
    pocket.network.call_at(200 * MS, lambda _: pocket.phone.wake(), None)
    pocket.network.run(30 * SECOND)
    assert pocket.tap.lan.out.sent > 1


def test_asleep_it_says_nothing_and_awake_it_goes_on():
    pocket = Pocket()
    pocket.say_at(1 * SECOND, b"before")
    pocket.network.run(2 * SECOND)
    pocket.phone.sleep()
    assert not pocket.host.stack.up
    pocket.network.run(10 * SECOND)
    pocket.phone.wake()
    pocket.say_at(11 * SECOND, b"after")
    pocket.network.run(12 * SECOND)
    assert [packet[28:] for packet in pocket.got] == [b"before", b"after"]


def test_a_phone_on_a_bare_link_sleeps_and_wakes_too():
    pocket = Pocket()
    phone = Phone(pocket.host, pocket.tap, None)
    phone.sleep()
    assert pocket.tap.asleep
    phone.wake()
    pocket.say_at(1 * SECOND, b"x")
    pocket.network.run(2 * SECOND)
    assert (len(pocket.got), phone.holds()) == (1, 0)


def test_above_its_ceiling_the_system_kills_the_tunnel_and_it_comes_back():
    pocket = Pocket(memory=10_000, rate=80_000)  # 10,000 bytes a second
    pocket.say_at(1 * SECOND, b"hello")
    pocket.say_at(2 * SECOND, *[bytes(1000)] * 20)
    pocket.network.run(2 * SECOND + 1)
    assert (pocket.phone.killed, pocket.tap.up) == (1, False)
    pocket.network.run(3 * SECOND + 1)
    assert (pocket.tap.up, pocket.transport.is_connected) == (True, True)
    pocket.say_at(5 * SECOND, b"again")
    pocket.network.run(6 * SECOND)
    assert [packet[28:] for packet in pocket.got] == [b"hello", b"again"]
    assert pocket.network.ledger() == []


def test_a_killed_tunnel_without_a_transport_comes_back_too():
    pocket = Pocket(memory=1000)
    phone = Phone(pocket.host, pocket.tap, None)
    pocket.network.call_at(0, pocket.host.stack.transmit, datagram(b.OUR_IP, b.NOBODY))
    pocket.network.run(500 * MS)
    assert (phone.killed, pocket.tap.up) == (1, False)
    assert pocket.tap.fates.dropped == {"node-down": 1}  # it waited for a MAC
    pocket.say_at(800 * MS, b"while it is gone")
    pocket.network.run(3 * SECOND)
    assert (phone.killed, pocket.tap.up) == (1, True)


def test_where_nothing_limits_it_nobody_kills_it():
    pocket = Pocket("android", rate=80_000)
    pocket.say_at(1 * SECOND, *[bytes(1000)] * 2000)
    pocket.network.run(2 * SECOND)
    assert pocket.phone.killed == 0


def test_a_phone_that_lost_its_platform_is_not_looked_at():
    pocket = Pocket(memory=1)
    pocket.say_at(1 * SECOND, b"x")
    pocket.network.run(1 * SECOND)
    pocket.host.platform = replace(PLATFORMS["ios"], memory=None)
    pocket.network.run(2 * SECOND)
    assert pocket.phone.killed == 0
