"""One-line networks: listeners on a wire, on a switch, on a hub; stations on a LAN."""

from typing import Any

from sim.link import Link
from sim.network import Network
from sim.node import Medium, Node, Port
from sim.nodes.host import L3Host
from sim.nodes.interface import Addresses
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.observers import Kind, Moment, Observer
from sim.probes import Place
from tests import builders as b
from virtualtap.units import MS
from virtualtap.wire.address import ip
from virtualtap.wire.icmp import ECHO_REQUEST, ECHO_REQUEST6, Icmp
from virtualtap.wire.ipv4 import ICMP, UDP, Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6
from virtualtap.wire.udp import Udp

GIGABIT = 10**9
NANOBYTE = 8 * 10**9  # bit/s: a byte takes one nanosecond


class Listener(Node):
    """One port: it keeps what arrives, with the time, and says what it is told to."""

    def __init__(self, name: str, medium: Medium = Medium.ETHERNET) -> None:
        super().__init__(name)
        self.port = self.add_port("p", medium)
        self.heard: list[tuple[int, bytes]] = []

    def receive(self, port: Port, data: bytes) -> None:
        self.fates.consumed += 1
        self.heard.append((self.network.now, data))

    def say(self, data: bytes) -> None:
        self.fates.originated += 1
        self.port.send(data)

    def say_at(self, when: int, *data: bytes) -> None:
        for one in data:
            self.network.call_at(when, self.say, one)

    def frames(self) -> list[bytes]:
        return [data for _, data in self.heard]

    def times(self) -> list[int]:
        return [at for at, _ in self.heard]


class Record(Observer):
    """Every moment, kept."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []

    def see(self, moment: Moment) -> None:
        self.moments.append(moment)

    def of(self, kind: Kind, where: str = "") -> list[bytes]:
        return [m.data for m in self.moments if m.kind is kind and where in ("", m.where)]


def a_wire(seed: int = 0, **settings: Any) -> tuple[Network, Listener, Listener, Link]:
    """Two listeners, `a` and `b`, and the link between them."""
    network = Network(seed)
    a, b = network.add(Listener("a")), network.add(Listener("b"))
    return network, a, b, network.connect(a.port, b.port, **settings)


def around(
    middle: Switch | SoftEtherServer, count: int, **settings: Any
) -> tuple[Network, list[Listener]]:
    """Listeners `x1`, `x2`, … on the ports of a switch or hub, in the order of their names."""
    network = Network()
    network.add(middle)
    listeners = [network.add(Listener(f"x{i + 1}")) for i in range(count)]
    for one in listeners:
        port = middle.port() if isinstance(middle, Switch) else middle.session()
        network.connect(one.port, port, **settings)
    return network, listeners


def station_mac(number: int) -> bytes:
    return b"\x02\x00" + number.to_bytes(4)


def addresses(number: int, lan: int = 0, gateway: int | None = None) -> Addresses:
    """10.0.`lan`.`number`/24 and fd00:0:0:`lan`::`number`, led out by `gateway` of the same LAN."""
    return Addresses(
        mac=station_mac(lan << 8 | number),
        ip=ip(f"10.0.{lan}.{number}"),
        gateway=None if gateway is None else ip(f"10.0.{lan}.{gateway}"),
        ip6=(ip(f"fd00:0:0:{lan}::{number}"),),
        gateway6=None if gateway is None else ip(f"fd00:0:0:{lan}::{gateway}"),
    )


def a_lan(count: int, **settings: Any) -> tuple[Network, list[Station]]:
    """Stations `s1`, `s2`, … with addresses of their number, on one switch."""
    network = Network()
    switch = network.add(Switch("sw"))
    stations = [network.add(Station(f"s{i}", addresses(i))) for i in range(1, count + 1)]
    for one in stations:
        network.connect(one.port, switch.port(), **settings)
    return network, stations


def a_station_and_a_listener() -> tuple[Network, Station, Listener]:
    """Station `s1`, 10.0.0.1, and whoever is at the other end of its wire."""
    network = Network()
    station, listener = network.add(Station("s1", addresses(1))), network.add(Listener("x"))
    network.connect(station.port, listener.port)
    return network, station, listener


def two_hosts(seed: int = 0) -> tuple[Network, L3Host, L3Host, Record]:
    """Hosts `me` and `you` at the two ends of an IP link, and an observer."""
    network = Network(seed)
    me = network.add(L3Host("me", b.OUR_IP, 24, (b.OUR_IP6,)))
    you = network.add(L3Host("you", b.PEER, 24, (b.PEER6,)))
    network.connect(me.uplink, you.uplink, delay=1 * MS)
    watch = Record()
    network.observers.append(watch)
    return network, me, you, watch


def place_of(station: Station) -> Place:
    """Where a station of `a_lan` is, for probes."""
    one, port = station.interface, station.port.name
    return Place(station.name, port, port, one.mac, one.ip, 24, one.ip6, one.gateway, one.gateway6)


def echo(source: bytes, to: bytes, payload: bytes = b"are you there", **fields: Any) -> bytes:
    """An echo request of either family, identifier 7, sequence 1."""
    if len(to) == 16:
        body = Icmp(ECHO_REQUEST6, 0, 7 << 16 | 1, payload).between(source, to)
        return Ipv6(source, to, ICMPV6, body, **fields).to_bytes()
    body = Icmp(ECHO_REQUEST, 0, 7 << 16 | 1, payload).summed()
    return Ipv4(source, to, ICMP, body, **fields).to_bytes()


def datagram(
    source: bytes, to: bytes, payload: bytes = b"sixteen bytes and", port: int = 9
) -> bytes:
    """A UDP datagram of either family with right checksums."""
    body = Udp(1024, port, payload).between(source, to)
    if len(to) == 16:
        return Ipv6(source, to, UDP, body).to_bytes()
    return Ipv4(source, to, UDP, body).to_bytes()
