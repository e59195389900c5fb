"""Captures that lie, and real ones: each is read or refused in one line."""

import os
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.capture_reader import BLOCK_MAX, INTERFACES_MAX, RECORD_MAX, Record, read_capture
from tests.sim.capture_bytes import (
    block,
    enhanced,
    interface,
    obsolete,
    pcap_header,
    pcap_record,
    section,
    simple,
)
from virtualtap.errors import UsageError

FRAME = bytes(range(60))
CAPTURES = Path(__file__).parents[2] / ".." / "shared" / "captures"
REAL = sorted(CAPTURES.rglob("*.pcap*"))
PCAP = pcap_header() + pcap_record(FRAME)
PCAPNG = section() + interface() + enhanced(FRAME)


def read(path: Path) -> tuple[list[Record], UsageError | None]:
    """The records that come out, and the refusal that ends them."""
    records = []
    try:
        records.extend(read_capture(path))  # those before the refusal count
    except UsageError as error:
        return records, error
    return records, None


def one_line(error: UsageError) -> bool:
    return str(error).isprintable() and error.hint.isprintable() and error.hint != ""


def lie(kind: int, length: int, trailer: int | None = None) -> bytes:
    """A block of 32 bytes that claims another length."""
    return (
        pack("<II", kind, length) + bytes(20) + pack("<I", length if trailer is None else trailer)
    )


LIES = {
    # name: (bytes, whole records before the lie, its place, what is said)
    "empty": (b"", 0, 0, "not a capture: the file is empty"),
    "text": (b"hello, world", 0, 0, "not a capture: starts with `68656c6c`"),
    "three bytes": (PCAP[:3], 0, 0, "not a capture: starts with `d4c3b2`"),
    "gzip": (b"\x1f\x8b\x08\x00", 0, 0, "compressed with gzip"),
    "zstd": (b"\x28\xb5\x2f\xfd", 0, 0, "compressed with zstd"),
    "xz": (b"\xfd7zXZ\x00", 0, 0, "compressed with xz"),
    "bzip2": (b"BZh9", 0, 0, "compressed with bzip2"),
    "lz4": (b"\x04\x22\x4d\x18", 0, 0, "compressed with lz4"),
    "zip": (b"PK\x03\x04", 0, 0, "compressed with zip"),
    "pcap, header cut": (
        PCAP[:23],
        *(0, 0, "truncated after 0 records: the file header needs 20 bytes, got 19"),
    ),
    "pcap, version 2.3": (pcap_header(version=(2, 3)), 0, 0, "pcap version 2.3 is not 2.4"),
    "pcap, magic of the other order": (
        bytes.fromhex("a1b2c3d4") + PCAP[4:],
        *(0, 0, "pcap version 512.1024 is not 2.4"),
    ),
    "pcap, modified": (bytes.fromhex("34cdb2a1") + PCAP[4:], 0, 0, "starts with `34cdb2a1`"),
    "pcap, 802.11": (pcap_header(link_type=105), 0, 0, "link type 105 is not supported"),
    "pcap, link type 0": (pcap_header(link_type=0), 0, 0, "link type 0 is not supported"),
    "pcap, record header cut": (
        PCAP + bytes(15),
        *(1, 100, "truncated after 1 records: a record header needs 16 bytes, got 15"),
    ),
    "pcap, record cut": (
        PCAP + pcap_record(FRAME)[:-1],
        *(1, 100, "truncated after 1 records: a record needs 60 bytes, got 59"),
    ),
    "pcap, record too long": (
        PCAP + pack("<IIII", 0, 0, RECORD_MAX + 1, 0),
        *(1, 100, "a record of 262145 bytes is longer than the limit of 262144"),
    ),
    "pcap, record of 4 GiB": (
        PCAP + pack("<IIII", 0, 0, 0xFFFFFFFF, 0),
        *(1, 100, "a record of 4294967295 bytes is longer than"),
    ),
    "pcapng, section header cut": (
        PCAPNG[:7],
        *(0, 0, "truncated after 0 records: the section header needs 4 bytes, got 3"),
    ),
    "pcapng, no byte order": (
        PCAPNG[:8] + bytes(20),
        *(0, 0, "not a byte-order magic: `00000000`"),
    ),
    "pcapng, version 2": (section(version=(2, 0)), 0, 0, "pcapng version 2.0 is not 1.x"),
    "pcapng, section of 24 bytes": (
        PCAPNG[:4] + pack("<I", 24) + PCAPNG[8:],
        *(0, 0, "bad block length 24: a multiple of 4 and at least 28 is needed"),
    ),
    "pcapng, section of 4 GiB": (
        PCAPNG[:4] + pack("<I", 0xFFFFFFFC) + PCAPNG[8:],
        *(0, 0, "truncated after 0 records: the rest of a block needs 4294967272 bytes"),
    ),
    "pcapng, section ends with another length": (
        PCAPNG[:24] + pack("<I", 99) + PCAPNG[28:],
        *(0, 0, "a block begins with length 28 and ends with 99"),
    ),
    "pcapng, block header cut": (
        PCAPNG + bytes(5),
        *(1, 140, "truncated after 1 records: a block header needs 8 bytes, got 5"),
    ),
    "pcapng, block cut": (
        PCAPNG + enhanced(FRAME)[:-5],
        *(1, 140, "truncated after 1 records: a block needs 92 bytes, got 87"),
    ),
    "pcapng, unknown block cut": (
        PCAPNG + block(77, bytes(40))[:-5],
        *(1, 140, "truncated after 1 records: the rest of a block needs 40 bytes, got 39"),
    ),
    "pcapng, length 0": (PCAPNG + lie(77, 0), 1, 140, "bad block length 0"),
    "pcapng, length 8": (PCAPNG + lie(77, 8), 1, 140, "bad block length 8"),
    "pcapng, odd length": (PCAPNG + lie(77, 31), 1, 140, "bad block length 31"),
    "pcapng, other trailer": (
        PCAPNG + lie(77, 32, 36),
        *(1, 140, "a block begins with length 32 and ends with 36"),
    ),
    "pcapng, enhanced, other trailer": (
        PCAPNG + enhanced(FRAME)[:-4] + bytes(4),
        *(1, 140, "a block begins with length 92 and ends with 0"),
    ),
    "pcapng, enhanced, too short": (PCAPNG + block(6, bytes(16)), 1, 140, "bad block length 28"),
    "pcapng, interface too short": (section() + block(1, bytes(4)), 0, 28, "bad block length 16"),
    "pcapng, block too long": (
        PCAPNG + lie(6, BLOCK_MAX + 4),
        *(1, 140, "a block of 1048580 bytes is longer than the limit of 1048576"),
    ),
    "pcapng, record too long": (
        PCAPNG + enhanced(bytes(RECORD_MAX + 1)),
        *(1, 140, "a record of 262145 bytes is longer than the limit of 262144"),
    ),
    "pcapng, unknown interface": (
        PCAPNG + enhanced(FRAME, number=1),
        *(1, 140, "a record names interface 1, but 1 are described"),
    ),
    "pcapng, interface of an older section": (
        PCAPNG + section() + enhanced(FRAME),
        *(1, 168, "a record names interface 0, but 0 are described"),
    ),
    "pcapng, obsolete, unknown interface": (
        PCAPNG + obsolete(FRAME, number=9),
        *(1, 140, "a record names interface 9, but 1 are described"),
    ),
    "pcapng, simple without interface": (
        section() + simple(FRAME),
        *(0, 28, "a record names interface 0, but 0 are described"),
    ),
    "pcapng, simple longer than its block": (
        PCAPNG + simple(FRAME, original=61),
        *(1, 140, "a record of 61 bytes does not fit into its block"),
    ),
    "pcapng, enhanced longer than its block": (
        PCAPNG + block(6, pack("<IIIII", 0, 0, 0, 61, 61) + FRAME),
        *(1, 140, "a record of 61 bytes does not fit into its block"),
    ),
    "pcapng, unsupported link type": (
        PCAPNG + interface(link_type=147) + enhanced(FRAME, number=1),
        *(1, 160, "link type 147 is not supported"),
    ),
    "pcapng, option longer than its block": (
        section() + block(1, pack("<HHIHH", 1, 0, 0, 2, 400) + bytes(8)),
        *(0, 28, "option 2 of 400 bytes does not fit into its block"),
    ),
    "pcapng, too many interfaces": (
        section() + interface() * (INTERFACES_MAX + 1),
        *(0, 28 + 20 * INTERFACES_MAX, "more than 4096 interfaces in one section"),
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_where_it_stands(tmp_path, name):
    data, whole, place, words = LIES[name]
    path = tmp_path / "lie"
    path.write_bytes(data)
    records, error = read(path)
    assert [FRAME] * whole == [record.data for record in records]
    assert error is not None and one_line(error)
    assert f"`{path}` at byte {place}: " in str(error)
    assert words in str(error)


def test_an_unsupported_link_type_comes_with_those_supported(tmp_path):
    path = tmp_path / "wifi.pcap"
    path.write_bytes(pcap_header(link_type=105))
    _, error = read(path)
    assert "1, 12, 101, 113, 228, 229, 276" in error.hint


def test_a_missing_file_is_refused(tmp_path):
    _, error = read(tmp_path / "none.pcap")
    assert str(error) == f"cannot read `{tmp_path / 'none.pcap'}`: no such file or directory"


def test_a_directory_is_refused(tmp_path):
    _, error = read(tmp_path)
    assert str(error) == f"`{tmp_path}` is a directory"


def test_a_fifo_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    _, error = read(path)
    assert str(error) == f"`{path}` is not a regular file"


def test_an_evil_path_is_said_in_one_line(tmp_path):
    _, error = read(tmp_path / "a\nb\x1b[31m")
    assert one_line(error) and "a\\nb\\x1b[31m" in str(error)


def test_a_path_with_a_null_character_is_refused():
    _, error = read(Path("a\0b"))
    assert str(error) == "`a\\x00b` is not a path: it holds a null character"


def test_a_path_too_long_is_refused(tmp_path):
    _, error = read(tmp_path / ("x" * 5000))
    assert one_line(error) and "file name too long" in str(error)


@pytest.mark.slow
@settings(deadline=None)  # it writes files
@given(cut=st.integers(0, 400), at=st.integers(0, 400), put=st.binary(max_size=8), ng=st.booleans())
def test_no_damage_raises_anything_else(tmp_path_factory, cut, at, put, ng):
    data = (PCAPNG + obsolete(FRAME) + simple(FRAME)) if ng else PCAP + pcap_record(FRAME)
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes((data[:at] + put + data[at + len(put) :])[: len(data) - cut or None])
    _, error = read(path)
    assert error is None or one_line(error)


def test_the_real_captures_are_there():
    if not CAPTURES.is_dir():
        pytest.skip("the shared captures are not on this machine")
    assert len(REAL) > 200


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_capture_is_read_as_scapy_reads_it(path):
    scapy = pytest.importorskip("scapy.utils")
    records, error = read(path)
    assert error is None
    with scapy.RawPcapReader(str(path)) as reader:
        theirs = [
            (data, meta.sec * 10**9 + meta.usec * (1 if reader.nano else 1000), meta.wirelen)
            for data, meta in iter(lambda: scapy_next(reader), None)
        ]
    assert [(record.data, record.at, record.original_length) for record in records] == theirs


def scapy_next(reader):
    try:
        return reader._read_packet(size=RECORD_MAX)
    except EOFError:
        return None


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_capture_is_read_as_dpkt_reads_it(path):
    dpkt = pytest.importorskip("dpkt")
    records, _ = read(path)
    with path.open("rb") as stream:
        theirs = [data for _, data in dpkt.pcap.UniversalReader(stream)]
    assert [record.data for record in records] == theirs


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_capture_without_its_last_byte_loses_its_last_record(path, tmp_path):
    whole, _ = read(path)
    cut = tmp_path / "cut"
    cut.write_bytes(path.read_bytes()[:-1])
    records, error = read(cut)
    assert records == whole[:-1]
    assert error is not None and f"truncated after {len(whole) - 1} records" in str(error)
