"""The observer that records: pcapng, nanoseconds, little-endian. draft-ietf-opsawg-pcapng."""

from collections.abc import Callable, Mapping
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from sim.observers import Kind, Moment, Observer
from virtualtap.errors import UsageError
from virtualtap.units import Instant

ETHERNET, RAW_IP = 1, 101  # link types
INBOUND, OUTBOUND = 1, 2  # the low bits of epb_flags
SECTION, INTERFACE, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 5, 6  # block types
BYTE_ORDER_MAGIC = 0x1A2B3C4D
OPTION_END, OPTION_COMMENT, OPTION_NAME, OPTION_RESOLUTION = 0, 1, 2, 9
LIMIT = 64 * 1024 * 1024
NAME_MAX, COMMENT_MAX = 256, 1024  # characters; an option holds at most 65,535 bytes

_SECTION = Struct("<IHHq")  # magic, version 1.0, section length (-1: not said)
_INTERFACE = Struct("<HHI")  # link type, reserved, snap length (0: none)
_STATISTICS = Struct("<III")  # interface, time (high, low)
_ENHANCED = Struct("<IIIIIII")  # type, length, interface, time (high, low), captured, original
_BLOCK = Struct("<II")  # type, length
_LENGTH = Struct("<I")
_COUNT = Struct("<Q")
_OPTION = Struct("<HH")
_OPTION_USER_APPLICATION, _OPTION_FLAGS, _OPTION_RECEIVED, _OPTION_DROPPED = 4, 2, 4, 5
_PADDING = (b"", b"\0", b"\0\0", b"\0\0\0")
_END = bytes(4)
_DIRECTIONS = (
    b"",
    _OPTION.pack(_OPTION_FLAGS, 4) + _LENGTH.pack(INBOUND) + _END,
    _OPTION.pack(_OPTION_FLAGS, 4) + _LENGTH.pack(OUTBOUND) + _END,
)
_STATISTICS_LEN = 52  # one closing block without a comment
_LAST_WORD_LEN = 4 + 96  # the comment that says why and where the capture stopped


class PcapngWriter:
    """Frames in the order given; at the byte limit it stops for good and `finish` says so.

    The file never exceeds `limit` bytes. `written` and `refused` count frames.
    """

    def __init__(self, stream: BinaryIO, limit: int = LIMIT) -> None:
        self.written = 0
        self.refused = 0
        self.stopped = False
        self._stream = stream
        self._limit = limit
        self._size = 0
        self._room = limit - _LAST_WORD_LEN  # frames may fill the file up to here
        self._seen: list[int] = []  # frames offered, by interface
        self._refused: list[int] = []
        options = _option(_OPTION_USER_APPLICATION, b"virtualtap") + _END
        self._header(SECTION, _SECTION.pack(BYTE_ORDER_MAGIC, 1, 0, -1) + options)

    def interface(self, name: str, link_type: int) -> int:
        """Describe an interface; the number it returns is what `frame` wants.

        UsageError where the limit leaves no room for it.
        """
        self._room -= _STATISTICS_LEN
        options = (
            _option(OPTION_NAME, escaped(name, NAME_MAX).encode())
            + _option(OPTION_RESOLUTION, bytes([9]))  # 10⁻⁹ s
            + _END
        )
        self._header(INTERFACE, _INTERFACE.pack(link_type, 0, 0) + options)
        self._seen.append(0)
        self._refused.append(0)
        return len(self._seen) - 1

    def frame(
        self, interface: int, at: Instant, data: bytes, comment: str = "", direction: int = 0
    ) -> None:
        """One frame (an IP packet on a raw link), with INBOUND or OUTBOUND where known."""
        options = _DIRECTIONS[direction]
        if comment:
            text = escaped(comment, COMMENT_MAX).encode()
            options = _option(OPTION_COMMENT, text) + (options or _END)
        self._seen[interface] += 1
        length = len(data)
        padding = _PADDING[-length % 4]
        total = 32 + length + len(padding) + len(options)
        if self.stopped or self._size + total > self._room:
            self.stopped = True
            self.refused += 1
            self._refused[interface] += 1
            return
        head = _ENHANCED.pack(ENHANCED, total, interface, at >> 32, at & 0xFFFFFFFF, length, length)
        self._stream.write(head + data + padding + options + _LENGTH.pack(total))
        self._size += total
        self.written += 1

    def finish(self, now: Instant) -> None:
        """Close each interface's count, and say on the first if and where the capture stopped."""
        last_word = b""
        if self.stopped:
            words = f"capture stopped at {self._size} bytes, {self.refused} frames not written"
            last_word = _option(OPTION_COMMENT, words.encode())
        for interface, seen in enumerate(self._seen):
            self._block(
                STATISTICS,
                _STATISTICS.pack(interface, now >> 32, now & 0xFFFFFFFF)
                + last_word
                + _option(_OPTION_RECEIVED, _COUNT.pack(seen))
                + _option(_OPTION_DROPPED, _COUNT.pack(self._refused[interface]))
                + _END,
            )
            last_word = b""

    def _header(self, kind: int, body: bytes) -> None:
        if self._size + 12 + len(body) > self._room:
            raise UsageError(
                f"{self._limit} bytes are too few for the headers of a capture",
                hint="raise the limit or capture fewer ports",
            )
        self._block(kind, body)

    def _block(self, kind: int, body: bytes) -> None:
        total = 12 + len(body)
        self._stream.write(_BLOCK.pack(kind, total) + body + _LENGTH.pack(total))
        self._size += total


class Capture(Observer):
    """Records what is sent and what arrives at some ports, one interface for each.

    `ports` maps the name of a port to its link type (ETHERNET or RAW_IP); `remark` gives the
    comment of the frame that the latest moment is about.
    """

    def __init__(
        self,
        path: Path,
        ports: Mapping[str, int],
        limit: int = LIMIT,
        remark: Callable[[], str] = str,
    ) -> None:
        self._remark = remark
        try:
            self._stream = path.open("wb")
        except OSError as error:
            reason = (error.strerror or "no reason given").lower()
            raise UsageError(
                f"cannot write the capture `{escaped(str(path), 4096)}`: {reason}",
                hint="name a folder that exists and can be written",
            ) from error
        try:
            self.writer = PcapngWriter(self._stream, limit)
            self._interfaces = {
                port: self.writer.interface(port, link_type) for port, link_type in ports.items()
            }
        except UsageError:
            self._stream.close()
            raise

    def see(self, moment: Moment) -> None:
        """One frame sent or arrived at a port of ours becomes one record."""
        at, kind, where, data, _ = moment
        interface = self._interfaces.get(where)
        if interface is None:
            return
        if kind is Kind.SENT:
            self.writer.frame(interface, at, data, self._remark(), OUTBOUND)
        elif kind is Kind.ARRIVED:
            self.writer.frame(interface, at, data, self._remark(), INBOUND)

    def finish(self, now: Instant) -> None:
        """Write the counts and close the file."""
        with self._stream:
            self.writer.finish(now)


def escaped(text: str, longest: int) -> str:
    """The text of a stranger, harmless: control, bidirectional and unpaired characters as `\\u…`.

    At most `longest` characters.
    """
    text = text[:longest]
    if text.isprintable():
        return text
    marks = (
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )
    return "".join(marks)[:longest]


def _option(code: int, value: bytes) -> bytes:
    return _OPTION.pack(code, len(value)) + value + _PADDING[-len(value) % 4]
