"""One way of a TCP connection of a session: batches in records, in order. Connection.c, RFC 8446.

Where a segment is lost the connection stands still until it has been sent again; others go on, so
frames of several connections pass each other.
"""

from collections import deque
from dataclasses import dataclass

from virtualtap.units import MS, SECOND, Duration, Instant

BATCH_OVERHEAD = 4  # Connection.c:ConnectionSend: how many frames follow
FRAME_OVERHEAD = 4  # its size
KEEP_ALIVE_OVERHEAD = 8  # 0xFFFFFFFF and a size
RECORD_MAX, RECORD_OVERHEAD = 16_384, 22  # RFC 8446 5.1, 5.2: header 5, type 1, tag 16
SEGMENT_MAX = 1448  # RFC 6691, and 12 bytes of time stamps
SEND_BUFFER = 16_384  # Linux: the middle of net.ipv4.tcp_wmem; a send blocks with more
SEGMENT_OVERHEAD = 52  # TCP with time stamps (RFC 7323), IPv4
RETRY_LEAST: Duration = 10 * MS
RETRY_MOST: Duration = 60 * SECOND  # RFC 6298 2.5


@dataclass(slots=True)
class Record:
    """What is decrypted at once: bytes that are not on the wire yet, the frames it completes."""

    left: int
    frames: tuple[bytes, ...]


class Pipe:
    """What waits for the wire in one way of one connection, and when the far end heard of it."""

    __slots__ = (
        *("bytes", "frames", "gap", "heard_at", "late", "number", "records"),
        *("sent_at", "stalled_until", "tries"),
    )

    def __init__(self, number: int, now: Instant) -> None:
        self.number = number  # of its connection
        self.records: deque[Record] = deque()
        self.bytes = self.frames = 0  # of all records
        self.late = 0  # how often a send would have blocked since it was empty
        self.sent_at = self.heard_at = now
        self.stalled_until: Instant = 0
        self.tries = 0
        self.gap: Duration = 0  # of its keep-alives

    def put(self, frames: list[bytes], now: Instant, *, encrypted: bool) -> None:
        """One batch of frames, in as many records as it takes."""
        overhead = RECORD_OVERHEAD if encrypted else 0
        size = BATCH_OVERHEAD
        inside: list[bytes] = []
        for frame in frames:
            size += FRAME_OVERHEAD + len(frame)
            while size > RECORD_MAX:
                self._append(RECORD_MAX + overhead, inside)
                size, inside = size - RECORD_MAX, []
            inside.append(frame)
        self._append(size + overhead, inside)
        self.late += self.bytes > SEND_BUFFER
        self.sent_at = now

    def put_keep_alive(self, length: int, now: Instant, *, encrypted: bool) -> None:
        """A message that carries nothing; it waits for its turn as frames do."""
        overhead = RECORD_OVERHEAD if encrypted else 0
        self._append(KEEP_ALIVE_OVERHEAD + length + overhead, [])
        self.sent_at = now

    def is_ready(self, now: Instant) -> bool:
        """Whether it has something for the wire."""
        return bool(self.records) and self.stalled_until <= now

    def next_segment(self) -> int:
        """How many bytes of payload the next segment has."""
        return min(self.records[0].left, SEGMENT_MAX)

    def passed(self, size: int, at: Instant) -> tuple[bytes, ...]:
        """A segment gets there at `at`, or when those before it do: the frames it completes."""
        record = self.records[0]
        record.left -= size
        self.bytes -= size
        self.tries = 0
        self.heard_at = max(self.heard_at, at)
        if record.left:
            return ()
        self.records.popleft()
        self.frames -= len(record.frames)
        if not self.records:
            self.late = 0
        return record.frames

    def stall(self, now: Instant, round_trip: Duration) -> Instant:
        """A segment was lost: when it is sent again. RFC 8985 7.2, doubled as RFC 6298 5.5 says."""
        wait = max(RETRY_LEAST, 2 * round_trip) << min(self.tries, 20)
        self.tries += 1
        self.stalled_until = now + min(wait, RETRY_MOST)
        return self.stalled_until

    def clear(self) -> list[bytes]:
        """The connection is gone: the frames that were in it."""
        lost = [frame for record in self.records for frame in record.frames]
        self.records.clear()
        self.bytes = self.frames = 0
        return lost

    def _append(self, size: int, frames: list[bytes]) -> None:
        self.records.append(Record(size, tuple(frames)))
        self.bytes += size
        self.frames += len(frames)
