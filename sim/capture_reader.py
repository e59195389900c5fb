"""The reader of captures: pcap and pcapng, streamed. draft-ietf-opsawg-pcap, -pcapng.

Text and lengths in a capture are a stranger's: whatever is wrong becomes one `UsageError`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from struct import Struct
from typing import BinaryIO, NamedTuple

from sim.capture import (
    BYTE_ORDER_MAGIC,
    ENHANCED,
    ETHERNET,
    INTERFACE,
    NAME_MAX,
    OPTION_END,
    OPTION_NAME,
    OPTION_RESOLUTION,
    RAW_IP,
    SECTION,
    escaped,
)
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, US, Instant

RAW_BSD, LINUX_SLL, IPV4, IPV6, LINUX_SLL2 = 12, 113, 228, 229, 276
LINK_TYPES = (ETHERNET, RAW_BSD, RAW_IP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2)
RECORD_MAX = 256 * 1024  # bytes; libpcap's own bound, three times the longest BIG TCP packet seen
BLOCK_MAX = 1024 * 1024  # bytes of a block that is read whole: a record and its options
INTERFACES_MAX = 4096  # of one section

_SIMPLE, _OBSOLETE = 3, 2  # block types
_OPTION_TIME_OFFSET = 14
_CHUNK = 64 * 1024
_MAGICS = {  # of pcap: byte order, nanoseconds in one unit of the fraction
    bytes.fromhex("d4c3b2a1"): ("<", US),
    bytes.fromhex("a1b2c3d4"): (">", US),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
    bytes.fromhex("a1b23c4d"): (">", 1),
}
_ORDERS = {BYTE_ORDER_MAGIC.to_bytes(4, "little"): "<", BYTE_ORDER_MAGIC.to_bytes(4, "big"): ">"}
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zX": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
}
_SALVAGE = "`editcap` writes the records that are whole to a new file"


class Record(NamedTuple):
    """One frame of a capture. `original_length > len(data)`: the capture's snap length cut it."""

    at: Instant  # since 1970, as the file says it
    link_type: int
    data: bytes
    original_length: int
    interface: str  # its name, escaped; empty where the file has none


def read_capture(path: Path) -> Iterator[Record]:
    """The records of a pcap or pcapng file, in constant memory.

    UsageError names the file, the byte and what is wrong there, after the records before it.
    """
    name = escaped(str(path), 4096)
    try:
        with _open(path, name) as file:
            yield from _recognize(_Source(file, name))
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        hint = "give the path of a pcap or pcapng file"
        raise UsageError(f"cannot read `{name}`: {reason}", hint) from error


def is_capture(path: Path) -> bool:
    """Whether a file begins as a capture does, also as one that is compressed.

    UsageError where it cannot be read.
    """
    name = escaped(str(path), 4096)
    try:
        with _open(path, name) as file:
            magic = file.read(4)
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise UsageError(f"cannot read `{name}`: {reason}", "name a file of yours") from error
    known = (*_MAGICS, SECTION.to_bytes(4), *_COMPRESSED)
    return magic.startswith(known)


def _open(path: Path, name: str) -> BinaryIO:
    if "\0" in str(path):
        raise UsageError(f"`{name}` is not a path: it holds a null character", hint="remove it")
    mode = path.stat().st_mode
    if S_ISDIR(mode):
        raise UsageError(f"`{name}` is a directory", hint="name one capture in it")
    if not S_ISREG(mode):  # opening a FIFO would wait for its writer
        raise UsageError(f"`{name}` is not a regular file", hint="copy it to a file first")
    return path.open("rb", buffering=_CHUNK)


class _Source:
    """A file read from front to back, and where in it we are."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.read = file.read
        self.name = name
        self.offset = 0  # of the record, block or header being read
        self.records = 0  # whole ones so far

    def take(self, length: int, what: str) -> bytes:
        data = self.read(length)
        if len(data) < length:
            raise self.truncated(what, length, len(data))
        return data

    def truncated(self, what: str, needed: int, got: int) -> UsageError:
        return self.refuse(
            f"truncated after {self.records} records: {what} needs {needed} bytes, got {got}",
            _SALVAGE,
        )

    def refuse(self, message: str, hint: str = "record or export the capture again") -> UsageError:
        return UsageError(f"`{self.name}` at byte {self.offset}: {message}", hint)

    def unsupported(self, link_type: int) -> UsageError:
        known = ", ".join(map(str, LINK_TYPES))
        return self.refuse(
            f"link type {link_type} is not supported",
            f"the supported link types are {known}: Ethernet, raw IP and Linux cooked captures",
        )

    def too_long(self, length: int) -> UsageError:
        return self.refuse(
            f"a record of {length} bytes is longer than the limit of {RECORD_MAX}",
            "the file is damaged, or not what it claims to be",
        )


def _recognize(source: _Source) -> Iterator[Record]:
    magic = source.read(4)
    if magic in _MAGICS:
        return _read_pcap(source, *_MAGICS[magic])
    if magic == SECTION.to_bytes(4, "big"):
        return _read_pcapng(source)
    for mark, packer in _COMPRESSED.items():
        if magic.startswith(mark):
            raise source.refuse(f"compressed with {packer}", "decompress it first")
    what = f"starts with `{magic.hex()}`" if magic else "the file is empty"
    raise source.refuse(f"not a capture: {what}", "pcap and pcapng are read")


# pcap


def _read_pcap(source: _Source, order: str, unit: int) -> Iterator[Record]:
    head = source.take(20, "the file header")
    major, minor, _, _, _, link_type = Struct(f"{order}HHIIII").unpack(head)
    if (major, minor) != (2, 4):
        raise source.refuse(f"pcap version {major}.{minor} is not 2.4", _SALVAGE)
    link_type &= 0xFFFF  # the rest says how long a frame check sequence is
    if link_type not in LINK_TYPES:
        raise source.unsupported(link_type)
    read, unpack = source.read, Struct(f"{order}IIII").unpack
    source.offset = 24
    while head := read(16):
        if len(head) < 16:
            raise source.truncated("a record header", 16, len(head))
        seconds, fraction, length, original = unpack(head)
        if length > RECORD_MAX:
            raise source.too_long(length)
        data = read(length)
        if len(data) < length:
            raise source.truncated("a record", length, len(data))
        yield Record(seconds * SECOND + fraction * unit, link_type, data, original, "")
        source.records += 1
        source.offset += 16 + length


# pcapng


class _Interface(NamedTuple):
    link_type: int
    name: str
    snap_length: int  # 0: none
    numerator: int  # a tick is numerator / denominator nanoseconds
    denominator: int
    start: Instant  # of tick 0


class _Section:
    """What one section header governs: a byte order and a list of interfaces."""

    def __init__(self, source: _Source, order: str) -> None:
        self._source = source
        self._interfaces: list[_Interface] = []
        self._latest: Instant = 0
        self._interface = Struct(f"{order}HHI").unpack_from
        self._option = Struct(f"{order}HH").unpack_from
        self._offset = Struct(f"{order}q").unpack
        self._enhanced = Struct(f"{order}IIIII").unpack_from
        self._obsolete = Struct(f"{order}HHIIII").unpack_from
        self.block = Struct(f"{order}II").unpack
        self.length = Struct(f"{order}I").unpack_from
        # what reads a block's body, and the least it needs
        self.readers: dict[int, tuple[Callable[[bytes], Record | None], int]] = {
            INTERFACE: (self.interface, 8),
            ENHANCED: (self.enhanced, 20),
            _SIMPLE: (self.simple, 4),
            _OBSOLETE: (self.obsolete, 20),
        }

    def enhanced(self, body: bytes) -> Record:
        number, high, low, length, original = self._enhanced(body)
        return self._record(number, high << 32 | low, body[20 : 20 + length], length, original)

    def obsolete(self, body: bytes) -> Record:
        number, _, high, low, length, original = self._obsolete(body)
        return self._record(number, high << 32 | low, body[20 : 20 + length], length, original)

    def simple(self, body: bytes) -> Record:
        """A simple packet has no time of its own: it takes that of the record before it."""
        (original,) = self.length(body)
        length = min(original, self._find(0).snap_length or original)
        return self._record(0, None, body[4 : 4 + length], length, original)

    def interface(self, body: bytes) -> None:
        if len(self._interfaces) == INTERFACES_MAX:
            raise self._source.refuse(f"more than {INTERFACES_MAX} interfaces in one section")
        link_type, _, snap_length = self._interface(body)
        name, resolution, start = "", 6, 0
        for code, value in self._options(body, 8):
            if code == OPTION_NAME:
                name = escaped(value.decode(errors="replace").rstrip("\0"), NAME_MAX)
            elif code == OPTION_RESOLUTION and len(value) == 1:
                resolution = value[0]
            elif code == _OPTION_TIME_OFFSET and len(value) == 8:
                start = self._offset(value)[0] * SECOND
        base, exponent = (2, resolution & 0x7F) if resolution & 0x80 else (10, resolution)
        ticks = int(base**exponent)  # in a second
        numerator, denominator = (SECOND // ticks, 1) if SECOND % ticks == 0 else (SECOND, ticks)
        self._interfaces.append(
            _Interface(link_type, name, snap_length, numerator, denominator, start)
        )

    def _options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        while at + 4 <= len(body):
            code, length = self._option(body, at)
            if code == OPTION_END:
                return
            at += 4
            if at + length > len(body):
                raise self._source.refuse(
                    f"option {code} of {length} bytes does not fit into its block"
                )
            yield code, body[at : at + length]
            at += length + -length % 4

    def _find(self, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise self._source.refuse(
                f"a record names interface {number}, but {len(self._interfaces)} are described"
            )
        return self._interfaces[number]

    def _record(
        self, number: int, ticks: int | None, data: bytes, length: int, original: int
    ) -> Record:
        if length > RECORD_MAX:
            raise self._source.too_long(length)
        if len(data) < length:
            raise self._source.refuse(f"a record of {length} bytes does not fit into its block")
        link_type, name, _, numerator, denominator, start = self._find(number)
        if link_type not in LINK_TYPES:
            raise self._source.unsupported(link_type)
        if ticks is not None:
            self._latest = ticks * numerator // denominator + start
        return Record(self._latest, link_type, data, original, name)


def _read_pcapng(source: _Source) -> Iterator[Record]:
    section, offset = _read_section(source, source.take(4, "the section header"))
    read = source.read
    while head := read(8):
        source.offset = offset
        if len(head) < 8:
            raise source.truncated("a block header", 8, len(head))
        kind, length = section.block(head)
        if kind == SECTION:  # the same in both byte orders
            section, size = _read_section(source, head[4:])
            offset += size
            continue
        _check_length(source, length)
        if kind in section.readers:
            record = _read_block(source, section, kind, length)
            if record is not None:
                yield record
                source.records += 1
        else:
            _skip(source, length - 12)
            _check_trailer(source, section, source.take(4, "a block"), length)
        offset += length


def _read_section(source: _Source, length_bytes: bytes) -> tuple[_Section, int]:
    """The section whose header's type and length were read, and the header's own length."""
    magic = source.take(4, "the section header")
    order = _ORDERS.get(magic)
    if order is None:
        raise source.refuse(f"not a byte-order magic: `{magic.hex()}`")
    section = _Section(source, order)
    (length,) = section.length(length_bytes)
    _check_length(source, length, least=28)
    major, minor = Struct(f"{order}HH").unpack(source.take(4, "the section header"))
    if major != 1:
        raise source.refuse(f"pcapng version {major}.{minor} is not 1.x", _SALVAGE)
    _skip(source, length - 20)
    _check_trailer(source, section, source.take(4, "the section header"), length)
    return section, length


def _read_block(source: _Source, section: _Section, kind: int, length: int) -> Record | None:
    reader, least = section.readers[kind]
    _check_length(source, length, least + 12)
    if length > BLOCK_MAX:
        raise source.refuse(
            f"a block of {length} bytes is longer than the limit of {BLOCK_MAX}",
            "the file is damaged, or not what it claims to be",
        )
    body = source.read(length - 8)
    if len(body) < length - 8:
        raise source.truncated("a block", length, len(body) + 8)
    _check_trailer(source, section, body[-4:], length)
    return reader(body[:-4])


def _check_length(source: _Source, length: int, least: int = 12) -> None:
    if length < least or length % 4:
        raise source.refuse(
            f"bad block length {length}: a multiple of 4 and at least {least} is needed"
        )


def _check_trailer(source: _Source, section: _Section, trailer: bytes, length: int) -> None:
    (again,) = section.length(trailer)
    if again != length:
        raise source.refuse(f"a block begins with length {length} and ends with {again}")


def _skip(source: _Source, length: int) -> None:
    left = length
    while left:
        got = len(source.read(min(left, _CHUNK)))
        if not got:
            raise source.truncated("the rest of a block", length, length - left)
        left -= got
