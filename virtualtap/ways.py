"""The ways of ordinary packets: what one look settled for all that are alike. RFC 791 3.1, 1071."""

from struct import Struct
from typing import TypeAlias

from virtualtap.wire import ipv4
from virtualtap.wire.ethernet import HEADER_LEN

# What stands before the packets; their most bytes; the sum of the addresses and of bytes 6 to 9
# (flags, time to live, protocol), by the latter as a number: only those seen to be right are there
Way: TypeAlias = tuple[bytes, int, dict[int, int]]

HEADER_MIN, HEADER_MAX = 0x4500, 0x45FF  # version 4, no options; any type of service
_ALIKE_MAX = 4  # TCP, UDP and ICMP, some with "don't fragment"
_FIELDS = "HHHIHQ"  # bytes 0, 2, 4, 6, 10, 12 of an IPv4 header
header = Struct(f"!{_FIELDS}").unpack_from
framed_header = Struct(f"!{HEADER_LEN}s{_FIELDS}").unpack_from


class Ways:
    """Source and destination of IPv4, as one number of 8 bytes → the way. At most `limit` pairs."""

    __slots__ = ("_limit", "known")

    def __init__(self, limit: int) -> None:
        self.known: dict[int, Way] = {}
        self._limit = limit

    def remember(self, front: bytes, packet: bytes, most: int) -> None:
        """`packet` was right and went behind `front`: such ones of up to `most` bytes do again."""
        kind, _, _, alike, _, ends = header(packet)
        if not HEADER_MIN <= kind <= HEADER_MAX or alike >> 16 & _PIECE:
            return
        known = self.known.get(ends)
        if known is None or known[:2] != (front, most):
            if len(self.known) >= self._limit:
                self.known.clear()
            known = self.known[ends] = (front, most, {})
        sums = known[2]
        if len(sums) >= _ALIKE_MAX:
            sums.clear()
        sums[alike] = (alike + ends) % 0xFFFF

    def clear(self) -> None:
        """Look again at every packet."""
        self.known.clear()

    def __len__(self) -> int:
        return len(self.known)


_PIECE = ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK | 0x8000  # the flag that must be zero: RFC 791 3.1
