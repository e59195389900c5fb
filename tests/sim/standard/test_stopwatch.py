"""The tester's ports count each frame of their stream once, whole, with its delay."""

import pytest

from sim.observers import Kind, Moment
from sim.standard.stopwatch import Arrivals, Stopwatch

PORT = "s2.eth0"
ETHERNET = bytes(12) + b"\x08\x00"


def packet(number: int, sent: int, stream: int = 1, length: int = 60) -> bytes:
    """An IPv4 packet of UDP with a stamp, as far as the stopwatch reads it."""
    stamp = stream.to_bytes(4) + number.to_bytes(4) + sent.to_bytes(8)
    return (bytes(9) + b"\x11" + bytes(18) + stamp).ljust(length, b"\0")


def watched(*moments: Moment, count: int = 3, tag: int = -1) -> Arrivals:
    watch = Stopwatch([PORT], 1, 60, count, tag)
    for moment in moments:
        watch.see(moment)
    return watch.arrivals[PORT]


def arrived(data: bytes, at: int = 100, kind: Kind = Kind.ARRIVED, where: str = PORT) -> Moment:
    return Moment(at, kind, where, data)


@pytest.mark.parametrize("header", [b"", ETHERNET])
def test_a_frame_that_came_has_its_delay(header: bytes):
    came = watched(arrived(header + packet(0, 40)), count=1)
    assert ([*came.delays], came.lost) == ([60], 0)


def test_delays_are_in_the_order_of_arrival():
    came = watched(arrived(packet(1, 10), 20), arrived(packet(0, 5), 30))
    assert ([*came.delays], came.lost) == ([10, 25], 1)


def test_the_tagged_frame_is_told():
    came = watched(arrived(packet(0, 0), 7), arrived(packet(1, 0), 9), tag=1)
    assert came.tagged == 9


def test_a_frame_counts_once():
    assert watched(arrived(packet(0, 0)), arrived(packet(0, 0), 200)).lost == 2


@pytest.mark.parametrize(
    "moment",
    [
        arrived(packet(0, 0), kind=Kind.SENT),
        arrived(packet(0, 0), where="s3.eth0"),
        arrived(packet(0, 0, stream=2)),
        arrived(packet(3, 0)),
        arrived(packet(0, 0, length=59)),
        arrived(packet(0, 0).replace(b"\x11", b"\x01")),
    ],
    ids=["sent", "elsewhere", "another stream", "no such number", "cut", "no UDP"],
)
def test_what_is_no_frame_of_the_stream_is_none(moment: Moment):
    assert watched(moment).lost == 3
