"""One way of a TCP connection: records, segments, what becomes of lost ones."""

from sim.nodes.softether.pipe import Pipe
from virtualtap.units import MS, SECOND


def drained(pipe: Pipe) -> list[tuple[int, int]]:
    """(bytes, frames that are complete) of every segment."""
    found = []
    while pipe.records:
        size = pipe.next_segment()
        found.append((size, len(pipe.passed(size, 0))))
    return found


def test_a_frame_is_complete_with_the_last_byte_of_its_record():
    pipe = Pipe(1, 0)
    pipe.put([bytes(1500), bytes(1500)], 5, encrypted=True)
    assert (pipe.bytes, pipe.frames, pipe.sent_at) == (4 + 3008 + 22, 2, 5)
    assert drained(pipe) == [(1448, 0), (1448, 0), (138, 2)]
    assert (pipe.bytes, pipe.frames) == (0, 0)


def test_a_keep_alive_has_eight_bytes_more_and_no_frame():
    pipe = Pipe(1, 0)
    pipe.put_keep_alive(511, 0, encrypted=True)
    pipe.put_keep_alive(0, 0, encrypted=False)
    assert drained(pipe) == [(541, 0), (8, 0)]


def test_a_frame_across_two_records_is_complete_with_the_second():
    pipe = Pipe(1, 0)
    pipe.put([bytes(10_000), bytes(10_000)], 0, encrypted=False)
    assert [frames for _, frames in drained(pipe) if frames] == [1, 1]
    pipe.put([bytes(40_000)], 0, encrypted=False)
    assert len(pipe.records) == 3
    assert sum(frames for _, frames in drained(pipe)) == 1


def test_it_was_late_as_often_as_a_send_would_have_blocked_since_it_was_empty():
    pipe = Pipe(1, 0)
    for _ in range(5):
        pipe.put([bytes(5000)], 0, encrypted=False)  # 16,384 bytes are the kernel's
    assert pipe.late == 2
    drained(pipe)
    assert pipe.late == 0


def test_a_lost_segment_waits_two_round_trips_and_twice_as_long_each_time():
    pipe = Pipe(1, 0)
    pipe.put([b"x"], 0, encrypted=False)
    assert [pipe.stall(0, 50 * MS) for _ in range(3)] == [100 * MS, 200 * MS, 400 * MS]
    assert not pipe.is_ready(399 * MS)
    assert pipe.is_ready(400 * MS)
    assert pipe.passed(9, 500 * MS) == (b"x",)
    assert (pipe.heard_at, pipe.stall(0, 0)) == (500 * MS, 10 * MS)


def test_it_never_waits_longer_than_a_minute():
    pipe = Pipe(1, 0)
    assert max(pipe.stall(0, 1 * SECOND) for _ in range(40)) == 60 * SECOND


def test_what_gets_there_early_waits_for_what_was_sent_before():
    pipe = Pipe(1, 0)
    pipe.put([b"x"], 0, encrypted=False)
    pipe.put([b"y"], 0, encrypted=False)
    pipe.passed(9, 100)
    pipe.passed(9, 50)
    assert pipe.heard_at == 100


def test_a_connection_that_is_gone_takes_its_frames_along():
    pipe = Pipe(1, 0)
    pipe.put([b"x", b"y"], 0, encrypted=False)
    assert pipe.clear() == [b"x", b"y"]
    assert (pipe.bytes, pipe.frames, list(pipe.records)) == (0, 0, [])
