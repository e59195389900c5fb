"""The segment size that a TCP connection opens with. RFC 9293 3.1, 3.7.1, RFC 6691."""

from virtualtap.wire import checksum

HEADER_LEN = 20
SYN = 0x02
MSS_DEFAULT = 536  # RFC 9293 3.7.1: what the other side takes where nothing is said
_END, _NOTHING, _MSS, _MSS_LEN = 0, 1, 2, 4


def clamped(segment: bytes, most: int) -> bytes:
    """A SYN segment whose MSS option says at most `most`; anything else as it is.

    The checksum is paid by RFC 1624: a segment that came wrong stays wrong.
    """
    at = _mss_at(segment)
    if at is None:
        return segment
    said = int.from_bytes(segment[at : at + 2])
    if said <= most:
        return segment
    old, new = (value << 8 if at & 1 else value for value in (said, most))  # two words, or one
    value = checksum.update(int.from_bytes(segment[16:18]), old, new)
    head = segment[:16] + value.to_bytes(2) + segment[18:at]
    return head + most.to_bytes(2) + segment[at + 2 :]


def _mss_at(segment: bytes) -> int | None:
    """Where the value of a SYN's MSS option stands."""
    if len(segment) < HEADER_LEN or not segment[13] & SYN:
        return None
    at, end = HEADER_LEN, min(len(segment), (segment[12] >> 4) * 4)
    while at + _MSS_LEN <= end and segment[at] != _END:
        if segment[at] == _NOTHING:
            at += 1
            continue
        length = segment[at + 1]
        if segment[at] == _MSS and length == _MSS_LEN:
            return at + 2
        if length < 2:
            return None
        at += length
    return None
