"""SecureNAT's TCP in user mode: two connections, spliced. Facts 2.8, 2.9."""

from itertools import pairwise

from sim.nodes.segment import ACK, FIN, PSH, RST, SYN, Segment
from sim.nodes.softether.nat_table import Ports
from sim.nodes.softether.options import HubOptions
from sim.nodes.tcp import Manners, State, TcpEnd
from tests.sim.nodes.softether.nats import (
    FAR,
    ME,
    MY_MAC,
    OTHER,
    SITE,
    Trial,
    arp_of,
    framed,
    is_arp,
    tcp,
)
from virtualtap.units import MS, SECOND
from virtualtap.wire import ipv4
from virtualtap.wire.ipv4 import Ipv4

TURN = 30 * MS


class Talk:
    """A client, SecureNAT, and a server that accepts; everything but time-outs takes no time."""

    def __init__(self, *, client: Manners | None = None, port: int = 80, **settings) -> None:
        self.trial = Trial(**settings)
        self.trial.say(arp_of(ME, MY_MAC))
        self.client = TcpEnd((ME, 40_000), (FAR, port), client or Manners(), 100)
        self.server: TcpEnd | None = None
        self.accepts = True
        self.now = 0
        self.heard: list[tuple[int, Segment]] = []  # by the client, when
        self.left: list[Segment] = []
        self.is_deaf = False  # the client says nothing more

    def open(self) -> "Talk":
        self.client.connect(self.now)
        self.step()
        assert self.client.state is State.OPEN
        return self

    def step(self) -> None:
        """All that happens now."""
        busy = True
        while busy:
            busy = False
            for segment in [] if self.is_deaf else self.client.take_segments():
                self.trial.nat.receive(framed(tcp(Segment.parse(segment))), self.now)
                busy = True
            busy = self._outside() or busy
            for frame in self.trial.said(self.now):
                if is_arp(frame):
                    self.trial.nat.receive(arp_of(ME, MY_MAC, asks=OTHER), self.now)
                    continue
                packet = Ipv4.parse(frame[14:])
                segment = Segment.parse(packet.payload)
                self.heard.append((self.now, segment))
                self.client.receive(segment, self.now)
                busy = True

    def _outside(self) -> bool:
        packets = self.trial.nat.take_outside()
        for data in packets:
            packet = Ipv4.parse(data)
            segment = Segment.parse(packet.payload)
            self.left.append(segment)
            if segment.flags & 0x3F == SYN and self.accepts and self.server is None:
                here = packet.destination, segment.target_port
                self.server = TcpEnd(here, (SITE.ip, segment.source_port), Manners(), 9000)
                self.server.listen(segment)
                self.server.accept(self.now)
            elif self.server is not None:
                self.server.receive(segment, self.now)
        answers = [] if self.server is None else self.server.take_segments()
        for body in answers:
            packet = Ipv4(FAR, SITE.ip, ipv4.TCP, body)
            self.trial.nat.from_outside(packet.to_bytes(), self.now)
        return bool(packets or answers)

    def until(self, until: int) -> None:
        """Time passes in turns of 30 ms."""
        while self.now < until:
            self.now = min(until, self.now + TURN)
            if not self.is_deaf:
                self.client.poll(self.now)
            if self.server is not None:
                self.server.poll(self.now)
            self.step()

    def flags(self) -> list[int]:
        return [segment.flags for _, segment in self.heard]


def refused(segment: Segment) -> Segment:
    """What SecureNAT says to one segment of a client that it knows."""
    trial = Trial()
    trial.say(arp_of(ME, MY_MAC))
    (answer,) = trial.asked(tcp(segment))
    return Segment.parse(Ipv4.parse(answer).payload)


def test_a_syn_is_answered_when_the_connection_outside_is_open():
    talk = Talk()
    talk.accepts = False
    talk.client.connect(0)
    talk.step()
    assert talk.heard == []
    assert [segment.flags for segment in talk.left] == [SYN]
    talk.accepts = True
    talk.until(2 * SECOND)
    assert talk.client.state is State.OPEN
    assert talk.heard[0][1].flags == SYN | ACK


def test_a_syn_that_is_repeated_meanwhile_is_ignored():
    talk = Talk()
    talk.accepts = False
    talk.client.connect(0)
    talk.until(900 * MS)
    before = len(talk.left)
    talk.until(1100 * MS)  # the client's second SYN
    assert len(talk.left) - before == 1  # the server's own second SYN, of its own time
    assert talk.heard == []


def test_the_answer_offers_1456_bytes_and_64512_of_window_and_nothing_else():
    talk = Talk().open()
    syn_ack = talk.heard[0][1]
    assert (syn_ack.mss, syn_ack.window, syn_ack.scale) == (1456, 64_512, None)


def test_the_mss_follows_the_mtu():
    talk = Talk(option={"Mtu": 1400}).open()
    assert talk.heard[0][1].mss == 1352


def test_a_refusal_outside_is_a_reset_inside():
    talk = Talk()
    talk.accepts = False
    talk.client.connect(0)
    talk.step()
    refusal = talk.left[0].refusal().between(FAR, SITE.ip)
    talk.trial.nat.from_outside(Ipv4(FAR, SITE.ip, ipv4.TCP, refusal).to_bytes(), 0)
    talk.step()
    assert talk.flags() == [RST | ACK]
    assert talk.client.state is State.RESET
    assert len(talk.trial.nat.tcp) == 0


def test_a_connection_that_nobody_answers_outside_is_reset_when_the_server_gives_up():
    talk = Talk()
    talk.accepts = False
    talk.client.connect(0)
    talk.until(126 * SECOND)
    assert talk.client.state is State.SYN_SENT
    talk.until(128 * SECOND)
    assert talk.flags() == [RST | ACK]
    assert len(talk.trial.nat.tcp) == 0


def test_bytes_go_both_ways():
    talk = Talk().open()
    data = bytes(range(256)) * 600
    sent = got = 0
    back = b""
    while got < len(data) or len(back) < 100_000:
        sent += talk.client.send(data[sent:], talk.now)
        talk.until(talk.now + TURN)
        got += len(talk.server.read())
        talk.server.send(bytes(100_000)[len(back) : len(back) + 20_000], talk.now)
        talk.until(talk.now + TURN)
        back += talk.client.read()
        assert talk.now < 60 * SECOND
    assert got == len(data)


def test_the_first_flight_is_one_segment_and_each_is_one_longer():
    talk = Talk().open()
    talk.server.send(bytes(60_000), talk.now)
    talk.step()
    sizes = [len(segment.payload) for _, segment in talk.heard if segment.payload]
    assert sizes[0] == 1456
    acknowledged = [segment.acknowledges for _, segment in talk.heard]
    assert len(set(acknowledged)) == 1
    trial = talk.trial.nat.tcp
    (splice,) = (one for _, one in trial._splices.items())
    assert splice.inside._cwnd == 1 + len(_flights(len(sizes)))


def _flights(segments: int) -> list[int]:
    """1, 2, 3, … until all have gone."""
    flights: list[int] = []
    while sum(flights) < segments:
        flights.append(len(flights) + 1)
    return flights


def test_an_end_goes_through_both_ways():
    talk = Talk().open()
    talk.client.send(b"last words", talk.now)
    talk.client.close(talk.now)
    talk.step()
    assert talk.server.read() == b"last words"
    assert talk.server.has_ended
    talk.server.send(b"and mine", talk.now)
    talk.server.close(talk.now)
    talk.step()
    assert talk.client.read() == b"and mine"
    assert (talk.client.state, talk.server.state) == (State.CLOSED, State.CLOSED)
    assert len(talk.trial.nat.tcp) == 0
    assert talk.trial.nat.tcp.due is None


def test_the_server_may_end_first():
    talk = Talk().open()
    talk.server.send(b"that is all", talk.now)
    talk.server.close(talk.now)
    talk.step()
    assert talk.client.read() == b"that is all"
    talk.client.close(talk.now)
    talk.step()
    assert (talk.client.state, talk.server.state) == (State.CLOSED, State.CLOSED)


def test_a_reset_goes_through_both_ways():
    talk = Talk().open()
    talk.client.abort()
    talk.step()
    assert talk.server.state is State.RESET
    talk = Talk().open()
    talk.server.abort()
    talk.step()
    assert talk.client.state is State.RESET


def test_a_segment_of_no_connection_is_reset():
    answer = refused(Segment(5000, 80, 7, 99, ACK, 65_535, b"hello"))
    assert (answer.flags, answer.sequence) == (RST, 99)
    assert (answer.source_port, answer.target_port) == (80, 5000)


def test_a_reset_of_no_connection_is_not_answered():
    trial = Trial()
    trial.say(arp_of(ME, MY_MAC))
    assert trial.asked(tcp(Segment(5000, 80, 7, 99, RST))) == []


def test_the_answer_is_repeated_after_250_500_750_ms_and_so_on():
    talk = Talk()
    talk.is_deaf = True
    talk.trial.nat.receive(framed(tcp(Segment(40_000, 80, 100, 0, SYN, 65_535))), 0)
    talk.step()
    talk.until(4 * SECOND)
    times = [at for at, segment in talk.heard if segment.flags == SYN | ACK]
    steps = [later - sooner for sooner, later in pairwise(times)]
    assert len(steps) == 5
    for number, step in enumerate(steps, 1):
        assert 0 <= step - 250 * MS * number < TURN


def test_the_window_of_a_syn_is_scaled_and_no_later_one():
    talk = Talk()
    talk.is_deaf = True
    syn = Segment(40_000, 80, 100, 0, SYN, 100, mss=1460, scale=7)
    talk.trial.nat.receive(framed(tcp(syn)), 0)
    talk.step()
    (splice,) = (one for _, one in talk.trial.nat.tcp._splices.items())
    assert splice.inside._window == 100 << 7
    (_, answer) = talk.heard[0]
    ack = Segment(40_000, 80, 101, answer.sequence + 1, ACK, 100, scale=7)
    talk.trial.nat.receive(framed(tcp(ack)), 0)
    assert splice.inside._window == 100


def test_an_open_connection_is_kept_alive_each_5_s_by_an_old_number():
    talk = Talk().open()
    expected = talk.heard[-1][1].acknowledges
    talk.until(16 * SECOND)
    alive = [segment for at, segment in talk.heard if at > 0]
    assert [segment.acknowledges for segment in alive] == [expected - 1] * 3
    assert {segment.flags for segment in alive} == {ACK}


def test_a_client_that_acknowledges_nothing_for_21_s_is_reset():
    talk = Talk().open()
    talk.is_deaf = True
    talk.server.send(b"are you there", talk.now)
    talk.step()
    talk.until(23 * SECOND)
    resets = [at for at, segment in talk.heard if segment.flags & RST]
    assert len(resets) == 1
    assert 21 * SECOND <= resets[0] < 22 * SECOND
    assert talk.server.state is State.RESET


def test_an_end_that_is_not_acknowledged_is_said_five_times():
    talk = Talk().open()
    talk.is_deaf = True
    talk.server.close(talk.now)
    talk.step()
    talk.until(30 * SECOND)
    ends = [at // SECOND for at, segment in talk.heard if segment.flags & FIN]
    assert ends == [0, 1, 3, 6, 10]
    assert len(talk.trial.nat.tcp) == 0


def test_an_idle_connection_is_reset_after_its_time():
    talk = Talk(option={"NatTcpTimeout": 60}).open()
    talk.until(59 * SECOND)
    assert talk.client.state is State.OPEN
    talk.until(61 * SECOND)
    assert talk.client.state is State.RESET
    assert talk.server.state is State.RESET


def test_a_reader_outside_who_waits_stops_the_client():
    talk = Talk().open()
    sent = 0
    for _ in range(60):
        sent += talk.client.send(bytes(30_000), talk.now)
        talk.until(talk.now + TURN)
    # what waits in the server and in the two ends of SecureNAT, besides the client's own
    assert talk.server.readable == 65_536
    assert sent == 4 * 65_536
    read = 0
    while read < sent:
        read += len(talk.server.read())
        talk.until(talk.now + SECOND)
        assert talk.now < 100 * SECOND


def test_the_hub_may_limit_what_one_client_opens():
    syn = [tcp(Segment(port, 80, 1, 0, SYN, 65_535)) for port in (1, 2, 3)]
    few = Trial(options=HubOptions(SecureNAT_MaxTcpSessionsPerIp=2))
    assert [len(few.left(one)) for one in syn] == [1, 1, 0]
    opening = Trial(options=HubOptions(SecureNAT_MaxTcpSynSentPerIp=1))
    assert [len(opening.left(one)) for one in syn] == [1, 0, 0]


def test_a_server_without_a_port_left_refuses():
    trial = Trial()
    trial.nat.tcp._ports = Ports(range(0))
    assert trial.left(tcp(Segment(1, 80, 1, 0, SYN, 65_535))) == []


def test_only_who_was_connected_to_is_heard():
    talk = Talk().open()
    port = talk.left[0].source_port
    reset = Segment(80, port, 9001, 0, RST | ACK)
    for source, to in ((OTHER, port), (FAR, port + 1)):
        body = Segment(80, to, reset.sequence, 0, RST).between(source, SITE.ip)
        talk.trial.nat.from_outside(Ipv4(source, SITE.ip, ipv4.TCP, body).to_bytes(), 0)
    talk.step()
    assert talk.client.state is State.OPEN
    assert PSH not in talk.flags()
