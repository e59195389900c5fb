"""What a server's own network leads to: who answers what."""

import pytest

from sim.network import Network
from sim.node import Medium
from sim.nodes import outside
from sim.nodes.outside import Outside, question, record, resolved, reverse
from sim.nodes.segment import ACK, RST, SYN, Segment
from sim.nodes.tcp import Manners, State, TcpEnd
from tests.sim.networks import Listener, echo
from virtualtap.units import MS, SECOND
from virtualtap.wire import dns, icmp, ipv4
from virtualtap.wire.address import ip
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

ME, FAR, RESOLVER = (ip(f"203.0.113.{i}") for i in (2, 9, 53))
NAMES = {"www.Example.org": FAR}


def a_world() -> tuple[Network, Listener, Outside]:
    network = Network()
    me = network.add(Listener("me", Medium.IP))
    world = network.add(Outside("world", RESOLVER, NAMES))
    network.connect(me.port, world.port, delay=10 * MS)
    return network, me, world


def answers(*packets: bytes) -> list[Ipv4]:
    network, me, _ = a_world()
    me.say_at(0, *packets)
    network.run(SECOND)
    return [Ipv4.parse(one) for one in me.frames()]


def udp(port: int, payload: bytes = b"hello", to: bytes = FAR) -> bytes:
    body = Udp(4000, port, payload).between(ME, to)
    return Ipv4(ME, to, ipv4.UDP, body).to_bytes()


def tcp(segment: Segment, to: bytes = FAR) -> bytes:
    return Ipv4(ME, to, ipv4.TCP, segment.between(ME, to)).to_bytes()


def query(name: str, kind: int = 1) -> bytes:
    return b"\x12\x34\x01\0\0\1" + bytes(6) + dns.name(name) + kind.to_bytes(2) + b"\0\1"


def test_every_address_answers_a_ping():
    for address in (FAR, RESOLVER):
        (one,) = answers(echo(ME, address))
        assert (one.source, Icmp.parse(one.payload).type) == (address, icmp.ECHO_REPLY)


@pytest.mark.parametrize(("port", "said"), [(7, [b"hello"]), (9, []), (13, [outside.TIME])])
def test_echo_discard_and_daytime_are_served(port, said):
    assert [Udp.parse(one.payload).payload for one in answers(udp(port))] == said


def test_every_other_port_is_unreachable():
    packet = udp(99)
    (one,) = answers(packet)
    error = Icmp.parse(one.payload)
    assert (error.type, error.code, error.payload) == (icmp.UNREACHABLE, 3, packet[:28])


@pytest.mark.parametrize(
    "packet",
    [
        b"short",
        Ipv4(ME, FAR, 253, b"what").to_bytes(),
        Ipv4(ME, FAR, ipv4.ICMP, b"\x08\0\x12\x34" + bytes(8)).to_bytes(),
        Ipv4(ME, FAR, ipv4.ICMP, Icmp(icmp.ECHO_REPLY, 0, 0, b"").summed()).to_bytes(),
        Ipv4(ME, FAR, ipv4.UDP, Udp(1, 7, b"", 1).to_bytes()).to_bytes(),
        Ipv4(ME, FAR, ipv4.TCP, bytes(20)).to_bytes(),
        tcp(Segment(1, 99, 1, 0, RST)),
        udp(53, b"no query", to=RESOLVER),
    ],
)
def test_what_is_wrong_or_unasked_is_not_answered(packet):
    assert answers(packet) == []


def test_the_resolver_knows_names_and_addresses():
    (one,) = answers(udp(53, query("WWW.example.org"), to=RESOLVER))
    answer = Udp.parse(one.payload).payload
    assert answer[:12] == b"\x12\x34\x81\x80\0\1\0\1" + bytes(4)
    assert answer.endswith(record(1, FAR, 300))
    reversed_ = resolved(query(reverse(FAR), 12), {"www.example.org": FAR})
    assert reversed_.endswith(record(12, dns.name("www.example.org"), 300))


def test_a_name_that_is_not_there_and_a_type_that_is_not_there():
    names = {"www.example.org": FAR}
    missing, empty = resolved(query("x.org"), names), resolved(query("www.example.org", 28), names)
    assert (missing[3] & 15, missing[7]) == (3, 0)
    assert (empty[3] & 15, empty[7]) == (0, 0)


@pytest.mark.parametrize(
    "data",
    [b"", query("a")[:-1], b"\x12\x34\x81" + query("a")[3:], query("a")[:12] + b"\xc0\x0c\0\1\0\1"],
)
def test_what_is_no_question_is_none(data):
    assert question(data) is None


class Client:
    """A TCP end on the wire, without losses of its own."""

    def __init__(self, port: int) -> None:
        self.network, self.me, self.world = a_world()
        self.end = TcpEnd((ME, 4000), (FAR, port), Manners(), 5)
        self.end.connect(0)
        self._read = 0

    def until(self, until: int) -> None:
        while self.network.now < until:
            for segment in self.end.take_segments():
                packet = Ipv4(ME, FAR, ipv4.TCP, segment).to_bytes()
                self.me.say_at(self.network.now, packet)
            self.network.run(self.network.now + 5 * MS)
            heard = self.me.frames()
            for data in heard[self._read :]:
                self.end.receive(Segment.parse(Ipv4.parse(data).payload), self.network.now)
            self._read = len(heard)
            self.end.poll(self.network.now)


def test_tcp_is_echoed_until_the_client_ends():
    client = Client(7)
    client.until(SECOND)
    client.end.send(bytes(range(200)) * 300, client.network.now)
    client.end.close(client.network.now)
    client.until(5 * SECOND)
    assert client.end.read() == bytes(range(200)) * 300
    assert client.end.state is State.CLOSED


def test_tcp_is_discarded():
    client = Client(9)
    client.until(SECOND)
    client.end.send(bytes(100_000), client.network.now)
    client.until(5 * SECOND)
    assert client.end.readable == 0
    assert client.end.room == 65_536


def test_daytime_says_its_line_and_ends():
    client = Client(13)
    client.until(SECOND)
    assert client.end.read() == outside.TIME
    assert client.end.has_ended
    client.end.close(client.network.now)
    client.until(2 * SECOND)
    assert client.end.state is State.CLOSED


def test_a_port_that_nobody_serves_is_refused():
    client = Client(80)
    client.until(SECOND)
    assert client.end.state is State.RESET


def test_a_segment_of_no_connection_is_refused():
    (one,) = answers(tcp(Segment(4000, 7, 5, 77, ACK, 9)))
    assert Segment.parse(one.payload).flags == RST


def test_what_was_lost_is_repeated():
    network, me, world = a_world()
    me.say_at(0, tcp(Segment(4000, 7, 5, 0, SYN, 9)))
    network.run(4 * SECOND)  # nobody acknowledges: a second, then two
    assert me.times() == [20 * MS, 1020 * MS, 3020 * MS]
    assert world.fates.originated == 3


def test_a_crash_forgets_connections():
    network, me, world = a_world()
    me.say_at(0, tcp(Segment(4000, 7, 5, 0, SYN, 9)))
    network.run(500 * MS)
    world.crash()
    world.restart()
    network.run(5 * SECOND)
    assert me.times() == [20 * MS]


def test_more_connections_than_there_is_room_for_are_refused(monkeypatch):
    monkeypatch.setattr(outside, "CONNECTIONS_MAX", 1)
    one, other = answers(*(tcp(Segment(port, 7, 5, 0, SYN, 9)) for port in (1, 2)))
    assert Segment.parse(one.payload).flags == SYN | ACK
    assert Segment.parse(other.payload).flags == RST | ACK
