"""One end of a TCP connection: opening, carrying, closing, losing, giving up."""

import pytest

from sim.nodes.segment import ACK, FIN, RST, SYN, Segment
from sim.nodes.tcp import Manners, State, TcpEnd
from virtualtap import WireError
from virtualtap.units import MS, SECOND
from virtualtap.wire import checksum
from virtualtap.wire.address import ip

ONE, TWO = (ip("10.0.0.1"), 40_000), (ip("10.0.0.2"), 7)
DELAY = 10 * MS
HOST = Manners()


class Pipe:
    """Two ends and the time that a segment takes between them; `lost` are numbers of segments."""

    def __init__(self, one: Manners = HOST, two: Manners = HOST, lost=()) -> None:
        self.now = 0
        self.one, self.two = TcpEnd(ONE, TWO, one, 2**32 - 5), TcpEnd(TWO, ONE, two, 1000)
        self.lost = set(lost)
        self.seen: list[tuple[int, bool, Segment]] = []  # when sent, whether by `one`, what
        self._flying: list[tuple[int, TcpEnd, Segment]] = []
        self.one.connect(0)
        self.collect()

    def collect(self) -> None:
        for end, other in ((self.one, self.two), (self.two, self.one)):
            for data in end.take_segments():
                assert checksum.transport_is_right(end.here[0], end.there[0], 6, data)
                segment = Segment.parse(data)
                if len(self.seen) not in self.lost:
                    self._flying.append((self.now + DELAY, other, segment))
                self.seen.append((self.now, end is self.one, segment))

    def run(self, until: int) -> None:
        while True:
            deadlines = [end.next_deadline() for end in (self.one, self.two)]
            times = [at for at in deadlines if at is not None] + [one[0] for one in self._flying]
            if not times or min(times) > until:
                break
            self.now = max(self.now, min(times))
            due = [one for one in self._flying if one[0] <= self.now]
            self._flying = [one for one in self._flying if one[0] > self.now]
            for _, end, segment in due:
                if end.state is State.WAITING and end is self.two:
                    end.listen(segment)
                    end.accept(self.now)
                else:
                    end.receive(segment, self.now)
            for end in (self.one, self.two):
                end.poll(self.now)
            self.collect()
        self.now = until

    def send(self, data: bytes) -> None:
        assert self.one.send(data, self.now) == len(data)
        self.collect()

    def flags(self) -> list[int]:
        return [segment.flags for _, _, segment in self.seen]


def opened(**settings) -> Pipe:
    pipe = Pipe(**settings)
    pipe.run(SECOND)
    assert (pipe.one.state, pipe.two.state) == (State.OPEN, State.OPEN)
    return pipe


def test_a_segment_survives_its_bytes():
    segment = Segment(1, 2, 3, 4, SYN, 5, b"data", 1456, 7)
    assert Segment.parse(segment.between(ONE[0], TWO[0])) == segment


@pytest.mark.parametrize(
    "data", [b"", bytes(19), bytes(12) + b"\x40" + bytes(7), bytes(12) + b"\xf0" + bytes(7)]
)
def test_a_segment_that_is_too_short_is_refused(data):
    with pytest.raises(WireError):
        Segment.parse(data)


@pytest.mark.parametrize(
    "options",
    [
        b"\x01\x08\x00\x01\x00\x00\x00\x00",
        b"\x01\x01\x03\x03",
        b"\x01\x01\x02\x04",
        b"\x02\x03\x07\x00",
    ],
)
def test_odd_options_are_passed_over(options):
    head = Segment(1, 2, 3, 4, SYN).between(ONE[0], TWO[0])
    words = (20 + len(options)) // 4
    segment = Segment.parse(head[:12] + bytes((words << 4,)) + head[13:20] + options)
    assert (segment.mss, segment.scale) == (None, None)


def test_a_connection_opens_in_three_segments():
    pipe = opened()
    assert pipe.flags() == [SYN, SYN | ACK, ACK]
    assert [segment.mss for _, _, segment in pipe.seen] == [1460, 1460, None]


def test_bytes_arrive_in_order_and_around_the_end_of_numbers():
    pipe = opened()
    data = bytes(range(256)) * 100
    pipe.send(data)
    pipe.run(5 * SECOND)
    assert pipe.two.read() == data


@pytest.mark.parametrize("number", range(3, 20))
def test_any_lost_segment_is_repeated(number):
    pipe = opened(lost={number})
    data = bytes(range(256)) * 200
    pipe.send(data)
    pipe.one.close(pipe.now)
    pipe.run(30 * SECOND)
    pipe.two.close(pipe.now)
    pipe.collect()
    pipe.run(60 * SECOND)
    assert pipe.two.read() == data
    assert (pipe.one.state, pipe.two.state) == (State.CLOSED, State.CLOSED)


def test_both_ends_close_in_order():
    pipe = opened()
    pipe.send(b"bye")
    pipe.one.close(pipe.now)
    pipe.run(2 * SECOND)
    assert pipe.two.has_ended
    assert pipe.one.state is State.OPEN
    assert pipe.two.send(b"bye too", pipe.now) == 7
    pipe.two.close(pipe.now)
    pipe.collect()
    pipe.run(4 * SECOND)
    assert pipe.one.read() == b"bye too"
    assert (pipe.one.state, pipe.two.state) == (State.CLOSED, State.CLOSED)
    assert pipe.one.send(b"more", pipe.now) == 0


def test_a_reader_who_waits_stops_the_sender_and_starts_it_again():
    pipe = opened()
    sent = 0
    for _ in range(40):
        sent += pipe.one.send(bytes(20_000), pipe.now)
        pipe.collect()
        pipe.run(pipe.now + SECOND)
    assert pipe.two.readable == 65_536  # its buffer
    read = len(pipe.two.read())
    pipe.collect()
    pipe.run(pipe.now + 20 * SECOND)
    assert read + pipe.two.readable == sent


def test_nobody_answers_a_syn_and_it_gives_up():
    pipe = Pipe(lost=range(100))
    pipe.run(200 * SECOND)
    assert pipe.one.state is State.RESET
    assert [at // SECOND for at, _, _ in pipe.seen] == [0, 1, 3, 7, 15, 31, 63]
    assert pipe.one.next_deadline() is None


def test_a_refused_connection_is_reset():
    pipe = Pipe()
    pipe.seen[0][2].flags = SYN
    pipe.one.receive(pipe.seen[0][2].refusal(), 0)
    assert pipe.one.state is State.RESET


def test_a_reset_of_another_connection_is_not_believed():
    pipe = opened()
    pipe.one.receive(Segment(7, 40_000, 5, 0, RST), pipe.now)
    assert pipe.one.state is State.OPEN
    other = Pipe()
    other.one.receive(Segment(7, 40_000, 0, 77, RST | ACK), 0)
    assert other.one.state is State.SYN_SENT


def test_abort_resets_the_other_side():
    pipe = opened()
    pipe.one.abort()
    pipe.one.abort()
    pipe.collect()
    pipe.run(2 * SECOND)
    assert (pipe.one.state, pipe.two.state) == (State.RESET, State.RESET)
    assert pipe.flags()[3:] == [RST | ACK]


def test_silence_with_data_under_way_ends_it():
    pipe = opened(one=Manners(give_up=21 * SECOND), lost=range(3, 100))
    pipe.send(b"anybody?")
    pipe.run(60 * SECOND)
    assert pipe.one.state is State.RESET
    assert pipe.seen[-1][2].flags == RST | ACK
    assert pipe.seen[-1][0] == 22 * SECOND  # it was sent in second 1


def test_a_fin_that_nobody_acknowledges_is_sent_so_often():
    manners = Manners(farewell=lambda tries: SECOND * (tries + 1), farewells_max=5)
    pipe = opened(one=manners, lost=range(3, 100))
    pipe.one.close(pipe.now)
    pipe.collect()
    pipe.run(60 * SECOND)
    fins = [at // SECOND for at, mine, segment in pipe.seen if mine and segment.flags & FIN]
    assert fins == [1, 2, 4, 7, 11]
    assert pipe.one.state is State.RESET


def test_a_flight_grows_by_one_when_it_is_acknowledged_and_shrinks_by_one_when_lost():
    pipe = opened(one=Manners(cwnd=1, mss=1000, least_rto=30 * MS), lost={9})
    pipe.send(bytes(60_000))
    pipe.run(20 * SECOND)
    sent = [at for at, mine, segment in pipe.seen if mine and segment.payload]
    flights = [sent.count(at) for at in sorted(set(sent))]
    # segment 9 is the first of the third flight: three went, all go again as two and one
    assert flights[:5] == [1, 2, 3, 2, 3]


def test_an_end_that_heard_nothing_new_says_what_it_expects():
    pipe = opened()
    pipe.send(b"first")
    pipe.run(2 * SECOND)
    again = next(segment for _, mine, segment in pipe.seen if mine and segment.payload)
    pipe.two.receive(again, pipe.now)
    later = Segment(again.source_port, 7, again.sequence + 100, again.acknowledges, ACK, 9, b"x")
    pipe.two.receive(later, pipe.now)
    answers = [Segment.parse(data) for data in pipe.two.take_segments()]
    assert [one.acknowledges for one in answers] == [(again.sequence + 5) & 0xFFFFFFFF] * 2
    assert pipe.two.read() == b"first"


def test_an_answer_to_another_number_opens_nothing():
    pipe = Pipe()
    pipe.one.receive(Segment(7, 40_000, 1, 77, SYN | ACK), 0)
    assert pipe.one.state is State.SYN_SENT
    pipe.two.listen(pipe.seen[0][2])
    pipe.two.accept(0)
    pipe.two.receive(Segment(40_000, 7, 2**32 - 4, 77, ACK), 0)
    assert pipe.two.state is State.SYN_RECEIVED
