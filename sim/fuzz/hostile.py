"""Hostile frames: valid ones with a field that lies, a length that is wrong, options without end.

Where fields stand: RFC 826, 791, 8200, 792, 4443, 4861, 768, 2131, 1035. What one layer says wrong
is mostly summed right, so that the next layer has to deal with it.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sim.capture import ETHERNET
from sim.capture_reader import read_capture
from sim.fuzz.letters import LETTERS, Ends
from sim.rng import Stream
from virtualtap.errors import UsageError
from virtualtap.wire import checksum
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6

FRAME_MAX = 4000  # bytes of what is made here; a capture's may be longer
Span = tuple[int, int]  # where a field begins in a frame, and its length

_ETHERNET = ((0, 6), (6, 6), (12, 2))
_ARP = ((0, 2), (2, 2), (4, 1), (5, 1), (6, 2), (8, 6), (14, 4), (18, 6), (24, 4))
_IPV4 = ((0, 1), (1, 1), (2, 2), (4, 2), (6, 2), (8, 1), (9, 1), (10, 2), (12, 4), (16, 4))
_IPV6 = ((0, 4), (4, 2), (6, 1), (7, 1), (8, 16), (24, 16))
_ICMP = ((0, 1), (1, 1), (2, 2), (4, 4), (8, 4), (8, 16), (24, 1), (25, 1), (26, 1), (27, 1))
_UDP = ((0, 2), (2, 2), (4, 2), (6, 2))
_TCP = ((0, 2), (2, 2), (4, 4), (12, 1), (13, 1), (20, 1), (21, 1), (22, 2))
_DHCP = (
    *((8, 1), (9, 1), (10, 1), (12, 4), (20, 4), (24, 4), (36, 6), (244, 4)),
    *((248, 1), (249, 1), (250, 1), (251, 1), (252, 1), (253, 4), (257, 1), (258, 1)),
)
_DNS = ((8, 2), (10, 2), (12, 2), (14, 2), (16, 2), (20, 1), (21, 1), (28, 1))
_EXTENSION = ((0, 1), (1, 1), (2, 2), (4, 4))
_AFTER4 = {1: _ICMP, 2: ((0, 1), (1, 1), (4, 4), (8, 1), (10, 2)), 6: _TCP, 17: _UDP}
_AFTER6 = {58: _ICMP, 17: _UDP, 44: _EXTENSION, 0: (*_EXTENSION, (8, 1), (10, 2), (12, 4))}
# option bytes that never end, or end nowhere: of IPv4, of DHCP, of neighbour discovery, of IPv6
_ENDLESS = (b"\1", b"\0", b"\7\0", b"\7\1", b"\x35\0", b"\x0c\xff", b"\3\0", b"\1\1" + bytes(6))


def frames(luck: Stream, ends: Ends, count: int) -> list[bytes]:
    """So many hostile frames of the sender of `ends`."""
    names = list(LETTERS)
    found = []
    for _ in range(count):
        frame = LETTERS[luck.choice(names)](ends, luck)
        for _again in range(luck.below(3)):
            frame = luck.choice(_MUTATIONS)(frame, luck)
        found.append(mended(frame) if luck.chance(0.7) else frame)
    return [frame[:FRAME_MAX] or b"\0" for frame in found]


def captured(folder: Path, luck: Stream, count: int) -> list[bytes]:
    """So many Ethernet frames of the captures in `folder`, half of them with a mutation.

    The files in the order of their names; what is no capture is passed over.
    """
    whole: list[bytes] = []
    for path in sorted(folder.rglob("*.pcap*")):
        with suppress(UsageError):
            for record in read_capture(path):
                whole += [record.data] if record.link_type == ETHERNET and record.data else []
    found = []
    for _ in range(count if whole else 0):
        frame = luck.choice(whole)
        found.append(luck.choice(_MUTATIONS)(frame, luck) if luck.chance(0.5) else frame)
    return found


def spans(frame: bytes) -> list[Span]:
    """The fields of a frame, as far as its kinds of header tell."""
    found: list[Span] = list(_ETHERNET)
    kind, at = frame[12:14], HEADER_LEN
    if kind == ARP:
        found += _moved(_ARP, at)
    elif kind == IPV4 and len(frame) > at:
        found += _moved(_IPV4, at)
        inner = at + (frame[at] & 15) * 4
        protocol = frame[at + 9] if len(frame) > at + 9 else 0
        found += _moved((*_AFTER4.get(protocol, ()), *_inside_udp(frame, inner, protocol)), inner)
    elif kind == IPV6:
        found += _moved(_IPV6, at)
        protocol = frame[at + 6] if len(frame) > at + 6 else 0
        found += _moved(_AFTER6.get(protocol, ()), at + 40)
    return [(start, length) for start, length in found if start + length <= len(frame)]


def mended(frame: bytes) -> bytes:
    """The frame with right checksums, as far as its headers let them be found."""
    kind, data = frame[12:14], bytearray(frame)
    if kind == IPV4 and len(frame) >= HEADER_LEN + 20:
        start = HEADER_LEN + (frame[HEADER_LEN] & 15) * 4
        data[24:26] = bytes(2)
        data[24:26] = checksum.internet(bytes(data[HEADER_LEN:start])).to_bytes(2)
        if not data[20] & 0x3F and not data[21]:
            _sum_inside(data, start, data[23], (26, 30, 34))
    elif kind == IPV6 and len(frame) >= HEADER_LEN + 40:
        _sum_inside(data, HEADER_LEN + 40, data[20], (22, 38, 54))
    return bytes(data)


def _sum_inside(data: bytearray, start: int, protocol: int, at: tuple[int, int, int]) -> None:
    """Sum an ICMP, IGMP, UDP or TCP message that begins at `start`; addresses stand at `at`."""
    where = {1: 2, 2: 2, 58: 2, 17: 6, 6: 16}.get(protocol)
    if where is None or len(data) < start + where + 2:
        return
    data[start + where : start + where + 2] = bytes(2)
    message = bytes(data[start:])
    if protocol in (1, 2):
        value = checksum.internet(message)
    else:
        source, destination = bytes(data[at[0] : at[1]]), bytes(data[at[1] : at[2]])
        value = checksum.transport(source, destination, protocol, message)
    data[start + where : start + where + 2] = value.to_bytes(2)


def _lie(frame: bytes, luck: Stream) -> bytes:
    """One field says something else: nothing, everything, one more or less, or anything."""
    known = spans(frame)
    if not known:
        return frame
    start, length = luck.choice(known)
    most, value = (1 << 8 * length) - 1, int.from_bytes(frame[start : start + length])
    lies = (0, 1, most, most - 1, value + 1, value - 1, value << 1, value >> 1, luck.below(most))
    told = (luck.choice(lies) & most).to_bytes(length)
    return frame[:start] + told + frame[start + length :]


def _borrow(frame: bytes, luck: Stream) -> bytes:
    """One field holds what stands in another of its length."""
    known = spans(frame)
    if not known:
        return frame
    start, length = luck.choice(known)
    other, _ = luck.choice([one for one in known if one[1] == length])
    return frame[:start] + frame[other : other + length] + frame[start + length :]


def _cut(frame: bytes, luck: Stream) -> bytes:
    """It ends in the middle, or where a field begins."""
    starts = [start for start, _ in spans(frame)]
    if starts and luck.chance(0.5):
        return frame[: luck.choice(starts)] or frame[:1]
    return frame[: 1 + luck.below(len(frame))]


def _grow(frame: bytes, luck: Stream) -> bytes:
    """More bytes than any length in it says."""
    return frame + bytes(1 + luck.below(luck.choice((4, 64, 2000))))


def _endless(frame: bytes, luck: Stream) -> bytes:
    """Options that go on and on: the headers' own lengths are told of them, or not."""
    at = luck.choice((HEADER_LEN + 20, HEADER_LEN + 40, len(frame), len(frame)))
    more = luck.choice(_ENDLESS) * (1 + luck.below(300))
    longer = bytearray(frame[:at] + more + frame[at:])[:FRAME_MAX]
    if luck.chance(0.7) and len(longer) > HEADER_LEN + 40:
        told = len(longer) - HEADER_LEN
        if frame[12:14] == IPV4:
            longer[16:18] = told.to_bytes(2)
            if at == HEADER_LEN + 20:
                longer[14] = 0x40 | min(15, 5 + len(more) // 4)
        elif frame[12:14] == IPV6:
            longer[18:20] = (told - 40).to_bytes(2)
    return bytes(longer)


def _flip(frame: bytes, luck: Stream) -> bytes:
    """One bit."""
    at = luck.below(len(frame) * 8)
    flipped = bytearray(frame)
    flipped[at >> 3] ^= 0x80 >> (at & 7)
    return bytes(flipped)


_MUTATIONS: tuple[Callable[[bytes, Stream], bytes], ...] = (
    *(_lie, _lie, _lie, _borrow, _cut, _grow, _endless, _flip),
)


def _inside_udp(frame: bytes, inner: int, protocol: int) -> tuple[Span, ...]:
    """The fields of DHCP or DNS, by the ports."""
    ports = (frame[inner : inner + 2], frame[inner + 2 : inner + 4])
    if protocol != 17:
        return ()
    if b"\0\x43" in ports or b"\0\x44" in ports:
        return _DHCP
    return _DNS if b"\0\x35" in ports else ()


def _moved(fields: tuple[Span, ...], at: int) -> list[Span]:
    return [(start + at, length) for start, length in fields]
