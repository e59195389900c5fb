"""Archive: files in one zip whose bytes follow from them alone. PKWARE APPNOTE 6.3.10, 4.3.

Members are stored one after another: no compression, no times, no extra fields, no comments. What
is not exactly so is refused, so nothing can hide in an archive or be larger than it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from stat import S_ISREG
from struct import Struct
from typing import BinaryIO, NamedTuple
from zlib import crc32

from sim.capture import escaped
from sim.results import ResultError

SIZE_MAX = 512 * 1024 * 1024  # bytes of an archive
MEMBERS_MAX = 2048
NAME_MAX = 256  # bytes

_CHUNK = 1024 * 1024
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _UNIX = 20, 3  # needed to extract; where made, so that every system makes the same
_NO_DATE = 1 << 5 | 1  # 1980-01-01, the first that there is
_MODE = 0o100644 << 16  # an ordinary file
# version, flags, method, time, date, CRC-32, size, size, length of the name, of the extra field
_ABOUT = Struct("<HHHHHIIIHH")
_LOCAL_LEN = 4 + _ABOUT.size
_PLACE = Struct("<HHHII")  # length of the comment, disk, attributes inside, outside, offset
_LAST = Struct("<4sHHHHIIH")  # disk twice, members twice, size and offset of the table, comment
_ENCRYPTED = 1
_HINT = "ask for it again, or name what `vtap bundle` wrote"


class _Entry(NamedTuple):
    """What an archive says of a member."""

    name: bytes
    crc: int
    size: int
    offset: int

    def about(self) -> bytes:
        """What stands before the member and in the table."""
        sizes = (self.crc, self.size, self.size, len(self.name), 0)
        return _ABOUT.pack(_VERSION, 0, 0, 0, _NO_DATE, *sizes)


def pack(members: Mapping[str, Path], archive: Path) -> None:
    """Write the files under these names, sorted. ResultError where they are too much."""
    with archive.open("wb") as stream:
        entries: list[_Entry] = []
        for name in sorted(members):
            offset = stream.tell()
            stream.write(bytes(_LOCAL_LEN + len(name)))  # it is known when the file was read
            crc, size = _copy(members[name], stream)
            entry = _Entry(name.encode("ascii"), crc, size, offset)
            end = stream.tell()
            if end > SIZE_MAX or len(entries) == MEMBERS_MAX:
                raise ResultError("the run is too large for a bundle", "record less of it")
            stream.seek(offset)
            stream.write(_LOCAL + entry.about() + entry.name)
            stream.seek(end)
            entries.append(entry)
        stream.write(_table(entries, stream.tell()))


def unpack(archive: Path, folder: Path, is_known: Callable[[str], bool]) -> list[str]:
    """Write every member into `folder`, which exists: their names.

    ResultError, one line, for whatever `pack` would not have written: it names the member.
    """
    said = escaped(str(archive), 4096)
    mode = archive.stat().st_mode
    if not S_ISREG(mode) or archive.stat().st_size > SIZE_MAX:
        raise ResultError(f"`{said}` is no bundle: no file, or too large a one", _HINT)
    with archive.open("rb") as stream:
        return _Reader(stream, said).all(folder, is_known)


class _Reader:
    """An archive from front to back."""

    def __init__(self, stream: BinaryIO, said: str) -> None:
        self._stream = stream
        self._said = said

    def all(self, folder: Path, is_known: Callable[[str], bool]) -> list[str]:
        count = self._count()
        entries: dict[str, _Entry] = {}
        for _ in range(count):
            entry = self._entry()
            name = entry.name.decode("latin-1")
            if name in entries:
                raise self._refuse(f"the member `{escaped(name, 100)}` is there twice")
            if not is_known(name):
                raise self._refuse(f"no bundle has a member `{escaped(name, 100)}`")
            entries[name] = entry
            self._write(entry, folder / name, name)
        end = self._stream.tell()
        if self._stream.read() != _table([*entries.values()], end):
            raise self._refuse("its table of contents is not what it was")
        return [*entries]

    def _count(self) -> int:
        size = self._stream.seek(0, 2)
        self._stream.seek(max(0, size - _LAST.size))
        last = self._stream.read()
        self._stream.seek(0)
        if len(last) < _LAST.size or not last.startswith(_END):
            raise self._refuse("it is no zip, or cut short, or something follows it")
        count: int = _LAST.unpack(last)[3]
        if count > MEMBERS_MAX:
            raise self._refuse(f"it has {count} members, more than {MEMBERS_MAX}")
        return count

    def _entry(self) -> _Entry:
        offset = self._stream.tell()
        head = self._stream.read(_LOCAL_LEN)
        if len(head) < _LOCAL_LEN or not head.startswith(_LOCAL):
            raise self._refuse(f"no member begins at byte {offset}")
        _, flags, method, _, _, crc, _, size, length, _ = _ABOUT.unpack(head[4:])
        if length > NAME_MAX:
            raise self._refuse(f"a name of {length} bytes at byte {offset}")
        entry = _Entry(self._stream.read(length), crc, size, offset)
        name = escaped(entry.name.decode("latin-1"), 100)
        if flags & _ENCRYPTED:
            raise self._refuse(f"the member `{name}` is encrypted")
        if method:
            raise self._refuse(f"the member `{name}` is compressed: ours never are")
        if head[4:] != entry.about():
            raise self._refuse(f"what it says of the member `{name}` is not what it was")
        return entry

    def _write(self, entry: _Entry, path: Path, name: str) -> None:
        path.parent.mkdir(exist_ok=True)
        crc, left = 0, entry.size
        with path.open("xb") as file:
            while left and (chunk := self._stream.read(min(left, _CHUNK))):
                crc = crc32(chunk, crc)
                left -= len(chunk)
                file.write(chunk)
        if left:
            raise self._refuse(f"cut short in the member `{name}`: {left} bytes are missing")
        if crc != entry.crc:
            raise self._refuse(f"the member `{name}` is not what it was")

    def _refuse(self, why: str) -> ResultError:
        return ResultError(f"`{self._said}` is no bundle of ours: {why}", _HINT)


def _copy(path: Path, stream: BinaryIO) -> tuple[int, int]:
    """Append a file: the CRC-32 and the number of its bytes."""
    crc = size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            crc, size = crc32(chunk, crc), size + len(chunk)
            stream.write(chunk)
            if size > SIZE_MAX:
                raise ResultError(f"`{path}` is too large for a bundle", "record less of it")
    return crc, size


def _table(entries: list[_Entry], at: int) -> bytes:
    """What stands behind the members: the table of contents from `at` on, and the end."""
    made = _UNIX << 8 | _VERSION
    table = b"".join(
        _CENTRAL
        + made.to_bytes(2, "little")
        + entry.about()
        + _PLACE.pack(0, 0, 0, _MODE, entry.offset)
        + entry.name
        for entry in entries
    )
    count = len(entries)
    return table + _LAST.pack(_END, 0, 0, count, count, len(table), at, 0)
