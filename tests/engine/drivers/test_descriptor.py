"""Descriptors of whole packets, and the loop between two of them."""

import errno
import os
import signal
import socket
import threading
from collections import Counter

import pytest

from tests.builders import (
    NOBODY,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_request,
    frame,
    packet,
)
from tests.engine.drivers.platforms import START, TOO_BIG, Clock, JumpingSelector, Wire
from virtualtap import SECOND
from virtualtap.drivers import descriptor
from virtualtap.drivers.descriptor import BATCH_MAX, Descriptor, carry

PATIENCE = 30  # seconds until a test that hangs has failed


@pytest.fixture
def wires():
    pair = (Wire(), Wire())
    yield pair
    for wire in pair:
        wire.close()


@pytest.fixture
def pipe():
    """A pipe that ends what it is given to."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(descriptor, "DefaultSelector", lambda: JumpingSelector(clock))
    return clock


class Recorder:
    """A LAN that notes when what was sent, and ends the run after so many frames."""

    def __init__(self, wire, clock, last, end) -> None:
        self.wire, self.clock, self.last, self.end = wire, clock, last, end
        self.sent: list[tuple[int, bytes]] = []

    def fileno(self):
        return self.wire.side.fileno()

    def read(self):
        return self.wire.side.read()

    def write(self, batch):
        self.sent += [(self.clock.now, data) for data in batch]
        if len(self.sent) == self.last:
            os.write(self.end, b"!")


def test_a_question_is_asked_again_at_each_deadline(wires, clock, pipe):
    host, wire = wires
    until, end = pipe
    lan = Recorder(wire, clock, 3, end)
    host.far.send(packet(NOBODY))

    assert carry(a_tap(), host.side, lan, until=until, clock=clock) == "stopped"

    asked = arp_request(OUR_MAC, OUR_IP, NOBODY)
    assert lan.sent == [(START + seconds * SECOND, asked) for seconds in range(3)]


def test_packets_and_frames_pass_both_ways_until_a_link_goes_down(wires, clock):
    host, lan = wires
    for number in range(3):
        host.far.send(packet(PEER, payload=bytes([number])))
        lan.far.send(frame(packet(OUR_IP, PEER, bytes([number]))))
    host.far.send(TOO_BIG)
    lan.far.shutdown(socket.SHUT_WR)

    assert carry(a_tap_that_knows(PEER), host.side, lan.side, clock=clock) == "lan down"
    *packets, answer = sorted(host.received(), key=lambda data: data[9] == 1)
    assert packets == [packet(OUR_IP, PEER, bytes([number])) for number in range(3)]
    assert answer[20:22] == b"\3\4"
    assert lan.received() == [
        frame(packet(PEER, payload=bytes([number])), PEER_MAC, OUR_MAC) for number in range(3)
    ]


def test_neither_side_waits_until_the_other_is_empty(wires, clock):
    host, lan = wires
    order: list[str] = []
    for wire, word in ((host, "host"), (lan, "lan")):
        wire.side.write = lambda batch, word=word: order.append(f"{len(batch)} to {word}")
    for _ in range(BATCH_MAX + 1):
        host.far.send(packet(PEER))
        lan.far.send(frame(packet(OUR_IP, PEER)))
    lan.far.shutdown(socket.SHUT_WR)

    carry(a_tap_that_knows(PEER), host.side, lan.side, clock=clock)

    first, then = f"{BATCH_MAX} to ", "1 to "
    assert sorted(order[:2]) == [first + "host", first + "lan"]
    assert sorted(order[2:]) == [then + "host", then + "lan"]


def test_a_host_that_goes_away_ends_the_run(wires, clock):
    host, lan = wires
    host.far.shutdown(socket.SHUT_WR)

    assert carry(a_tap(), host.side, lan.side, clock=clock) == "host down"


def test_another_thread_stops_a_loop_that_waits_for_ever(wires, pipe):
    host, lan = wires
    until, end = pipe
    ends: list[str] = []
    thread = threading.Thread(
        target=lambda: ends.append(carry(a_tap(), host.side, lan.side, until=until)), daemon=True
    )
    thread.start()
    lan.far.send(arp_request())
    lan.far.settimeout(PATIENCE)
    assert lan.far.recv(100)  # it runs: it has answered

    os.write(end, b"!")
    thread.join(PATIENCE)

    assert (ends, thread.is_alive()) == (["stopped"], False)


def test_a_signal_handler_stops_the_loop(wires, pipe):
    host, lan = wires
    until, end = pipe
    before = signal.signal(signal.SIGALRM, lambda *_: os.write(end, b"!"))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        assert carry(a_tap(), host.side, lan.side, until=until) == "stopped"
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_batch_is_read_until_nothing_is_left(wires):
    wire, _ = wires
    for number in range(3):
        wire.far.send(bytes([number]))

    assert (wire.side.read(), wire.side.read()) == ([b"\0", b"\1", b"\2"], [])


def test_a_batch_has_a_limit(wires):
    wire, _ = wires
    for _ in range(BATCH_MAX + 1):
        wire.far.send(b"packet")

    assert [len(wire.side.read()), len(wire.side.read())] == [BATCH_MAX, 1]


def test_the_longest_packet_is_read_whole(wires):
    wire, _ = wires
    longest = bytes(0xFFFF)
    wire.far.send(longest)

    assert wire.side.read() == [longest]


def test_what_came_before_the_end_is_given_first(wires):
    wire, _ = wires
    wire.far.send(b"last")
    wire.far.shutdown(socket.SHUT_WR)

    assert (wire.side.read(), wire.side.read()) == ([b"last"], None)


def test_reading_from_an_interface_that_is_down_is_the_end():
    ours, theirs = os.openpty()
    os.close(theirs)  # from now on reading says EIO
    try:
        assert Descriptor(ours).read() is None
    finally:
        os.close(ours)


def test_reading_from_an_interface_that_was_deleted_is_the_end(wires, monkeypatch):
    wire, _ = wires

    def read(*_):
        raise OSError(errno.EBADFD, os.strerror(errno.EBADFD))  # as Linux' TUN says it

    monkeypatch.setattr(os, "read", read)

    assert wire.side.read() is None


def test_another_error_of_reading_is_the_callers(wires):
    wire, _ = wires
    side = wire.side
    wire.near.close()

    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        side.read()


def test_what_is_written_to_an_interface_that_is_down_is_lost_and_counted():
    theirs, ours = os.openpty()
    os.close(theirs)
    try:
        side = Descriptor(ours)
        side.write([b"packet", b"packet"])
        assert side.lost == Counter(EIO=2)
    finally:
        os.close(ours)


def test_what_finds_no_room_is_lost_and_counted(wires):
    wire, _ = wires
    wire.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    wire.side.write([bytes(1_000)] * 1_000)

    lost = wire.side.lost["EAGAIN"]
    assert 0 < lost < 1_000
    assert len(wire.received()) == 1_000 - lost


def test_what_is_taken_in_part_is_lost_and_counted(pipe):
    _, ours = pipe
    side = Descriptor(ours)

    side.write([bytes(1 << 20)])  # more than any pipe holds

    assert side.lost == Counter(short=1)
