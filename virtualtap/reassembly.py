"""Fragments until whole, in bounds. RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 8200 4.5.

An overlap spoils a datagram: a MUST of IPv6 (RFC 5722 3), and kept in IPv4 too, for no honest
sender makes one, and bytes that can be read in two ways are how filters are deceived (RFC 1858 4,
RFC 3128 2). What is spoiled keeps its place until its time is over: all that comes of it later is
refused as well. Where there is no room the oldest datagram goes: whoever floods cannot keep others
out for longer than the flood lasts.
"""

from bisect import bisect, insort
from collections.abc import Callable
from dataclasses import dataclass, field

from virtualtap.config import TapConfig
from virtualtap.stats import DropReason
from virtualtap.units import Instant


@dataclass(slots=True)
class Fragment:
    """One piece of a datagram; its payload is not empty."""

    key: bytes  # what all pieces of a datagram share, and no other's
    offset: int  # in bytes
    more: bool  # whether others follow
    head: bytes  # what stood before the payload, as it came
    payload: bytes
    ecn: int  # the two bits of RFC 3168 5

    @property
    def end(self) -> int:
        return self.offset + len(self.payload)


@dataclass(slots=True)
class Datagram:
    """What came of one datagram."""

    expires: Instant
    head: bytes = b""  # of the piece at offset 0
    pieces: dict[int, bytes] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)  # the offsets of the pieces, sorted
    length: int | None = None  # of the whole payload, known from the last piece
    received: int = 0
    marks: set[int] = field(default_factory=set)
    spoiled: DropReason | None = None

    @property
    def size(self) -> int:
        """The bytes that are kept."""
        return len(self.head) + self.received

    @property
    def payload(self) -> bytes:
        return b"".join(self.pieces[start] for start in self.starts)

    @property
    def first(self) -> bytes | None:
        """The piece at offset 0 as it came, or None."""
        return self.head + self.pieces[0] if self.head and not self.spoiled else None

    def has(self, piece: Fragment) -> bool:
        """Whether the very same came before. RFC 8200 4.5 lets such duplicates be."""
        is_last = piece.end == self.length
        return self.pieces.get(piece.offset) == piece.payload and is_last is not piece.more

    def fits(self, piece: Fragment) -> bool:
        """Whether no byte of it came before, and nothing stands behind the last one."""
        starts, at = self.starts, bisect(self.starts, piece.offset)
        if at and starts[at - 1] + len(self.pieces[starts[at - 1]]) > piece.offset:
            return False
        if at < len(starts) and (starts[at] < piece.end or not piece.more):
            return False
        return self.length is None or (piece.more and piece.end <= self.length)

    def take(self, piece: Fragment) -> None:
        insort(self.starts, piece.offset)
        self.pieces[piece.offset] = piece.payload
        self.received += len(piece.payload)
        self.marks.add(piece.ecn)
        if piece.offset == 0:
            self.head = piece.head
        if not piece.more:
            self.length = piece.end

    def spoil(self, why: DropReason) -> None:
        self.spoiled, self.head, self.received = why, b"", 0
        self.pieces.clear()
        self.starts.clear()


class Reassembly:
    """The datagrams that are not whole, the oldest first; `drop` is told what goes."""

    def __init__(self, config: TapConfig, drop: Callable[[DropReason], None]) -> None:
        self._config = config
        self._drop = drop
        self._datagrams: dict[bytes, Datagram] = {}
        self._bytes = 0

    @property
    def deadline(self) -> Instant | None:
        """When the time of the oldest is over."""
        oldest = next(iter(self._datagrams.values()), None)
        return None if oldest is None else oldest.expires

    def add(self, piece: Fragment, now: Instant) -> Datagram | None:
        """The datagram, if it is whole now; its payload is in order."""
        config = self._config
        datagram = self._datagrams.get(piece.key) or self._open(piece.key, now)
        if datagram.spoiled is not None:
            self._drop(datagram.spoiled)
            return None
        if datagram.has(piece):
            return None
        if not datagram.fits(piece):
            self._spoil(datagram, DropReason.OVERLAP)
            return None
        if len(datagram.starts) >= config.reassembly_fragments_max:
            self._spoil(datagram, DropReason.REASSEMBLY_FULL)
            return None
        before = datagram.size
        datagram.take(piece)
        self._bytes += datagram.size - before
        if datagram.received == datagram.length:
            del self._datagrams[piece.key]
            self._bytes -= datagram.size
            return datagram
        while self._bytes > config.reassembly_bytes_max:
            self._evict()
        return None

    def expired(self, now: Instant) -> list[bytes]:
        """Give up what has waited too long: the first pieces, of those whose first piece came."""
        over = [key for key, datagram in self._datagrams.items() if datagram.expires <= now]
        firsts = [self._remove(key, DropReason.REASSEMBLY_TIMEOUT).first for key in over]
        return [first for first in firsts if first is not None]

    def __len__(self) -> int:
        return len(self._datagrams)

    def _open(self, key: bytes, now: Instant) -> Datagram:
        config = self._config
        if len(self._datagrams) >= config.reassembly_datagrams_max:
            self._evict()
        datagram = self._datagrams[key] = Datagram(now + config.reassembly_timeout)
        return datagram

    def _spoil(self, datagram: Datagram, why: DropReason) -> None:
        self._bytes -= datagram.size
        datagram.spoil(why)
        self._drop(why)

    def _evict(self) -> None:
        self._remove(next(iter(self._datagrams)), DropReason.REASSEMBLY_FULL)

    def _remove(self, key: bytes, why: DropReason) -> Datagram:
        datagram = self._datagrams.pop(key)
        self._bytes -= datagram.size
        if datagram.spoiled is None:  # or else it was counted then
            self._drop(why)
        return datagram
