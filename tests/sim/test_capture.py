"""What the capture writes, judged by dpkt, scapy and tshark."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.capture import ETHERNET, INBOUND, OUTBOUND, RAW_IP, Capture, PcapngWriter, escaped
from sim.capture_reader import Record, read_capture
from sim.observers import Kind, Moment
from virtualtap.errors import UsageError

MAC_A, MAC_B = bytes.fromhex("02005e000001"), bytes.fromhex("02005e000002")
FRAME = MAC_B + MAC_A + b"\x88\xb5" + bytes(range(47))  # 61 bytes: padding is needed
PACKET = bytes.fromhex("4500001c00010000401166ce0a0000010a000002") + b"\x00\x09\x00\x09\x00\x08\0\0"
EVIL = "one\ntwo\x1b[31m\u202ethree\ud800\0"
TAMED = "one\\ntwo\\x1b[31m\\u202ethree\\ud800\\x00"
PORTS = {"tap1.lan": ETHERNET, "tap1.host": RAW_IP}


def written(path: Path) -> Path:
    """Two interfaces, four frames, one comment of a stranger."""
    with path.open("wb") as stream:
        writer = PcapngWriter(stream)
        lan = writer.interface("tap1.lan", ETHERNET)
        host = writer.interface("tap1.host", RAW_IP)
        writer.frame(lan, 0, FRAME, direction=OUTBOUND)
        writer.frame(host, 1, PACKET, "a remark", INBOUND)
        writer.frame(lan, 1_500_000_001, FRAME[:60], EVIL)
        writer.frame(lan, 5_000_000_000, b"")
        writer.finish(6_000_000_000)
    return path


@pytest.fixture
def path(tmp_path):
    return written(tmp_path / "run.pcapng")


def test_our_reader_reads_what_our_writer_wrote(path):
    assert list(read_capture(path)) == [
        Record(0, ETHERNET, FRAME, 61, "tap1.lan"),
        Record(1, RAW_IP, PACKET, 28, "tap1.host"),
        Record(1_500_000_001, ETHERNET, FRAME[:60], 60, "tap1.lan"),
        Record(5_000_000_000, ETHERNET, b"", 0, "tap1.lan"),
    ]


def test_the_same_frames_make_the_same_bytes(tmp_path):
    one, two = written(tmp_path / "one"), written(tmp_path / "two")
    assert one.read_bytes() == two.read_bytes()


def test_dpkt_reads_what_we_write(path):
    dpkt = pytest.importorskip("dpkt")
    with path.open("rb") as stream:
        reader = dpkt.pcapng.Reader(stream)
        assert reader.datalink() == ETHERNET
        assert [*reader] == [
            (0.0, FRAME),
            (1e-9, PACKET),
            (1_500_000_001 / 1e9, FRAME[:60]),
            (5.0, b""),
        ]


def test_scapy_reads_what_we_write(path):
    scapy = pytest.importorskip("scapy.utils")
    with scapy.RawPcapNgReader(str(path)) as reader:
        read = [
            (
                meta.linktype,
                meta.ifname,
                meta.tsresol,
                meta.tshigh << 32 | meta.tslow,
                meta.wirelen,
                meta.comments,
                meta.direction,
                data,
            )
            for data, meta in reader
        ]
    lan, host = (ETHERNET, b"tap1.lan", 10**9), (RAW_IP, b"tap1.host", 10**9)
    assert read == [
        (*lan, 0, 61, None, OUTBOUND, FRAME),
        (*host, 1, 28, [b"a remark"], INBOUND, PACKET),
        (*lan, 1_500_000_001, 60, [TAMED.encode()], None, FRAME[:60]),
        (*lan, 5_000_000_000, 0, None, None, b""),
    ]


def tshark(path: Path, *fields: str) -> list[list[str]]:
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    wanted = [word for field in fields for word in ("-e", field)]
    command = [program, "-r", str(path), "-T", "fields", "-E", "separator=|", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cut short" not in done.stderr and "damaged" not in done.stderr
    return [line.split("|") for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_tshark_reads_what_we_write(path):
    fields = (
        "frame.time_epoch",
        "frame.interface_name",
        "frame.encap_type",
        "frame.len",
        "frame.comment",
        "frame.packet_flags_direction",
    )
    ethernet, raw_ip = "1", "7"  # tshark's own numbers
    assert tshark(path, *fields) == [
        ["0.000000000", "tap1.lan", ethernet, "61", "", "0x00000002"],
        ["0.000000001", "tap1.host", raw_ip, "28", "a remark", "0x00000001"],
        ["1.500000001", "tap1.lan", ethernet, "60", TAMED, ""],
        ["5.000000000", "tap1.lan", ethernet, "0", "", ""],
    ]


def test_a_full_capture_stops_and_says_so(tmp_path):
    path = tmp_path / "full.pcapng"
    headers, pair, left = 48 + 44 + 48, 96 + 32, 56
    limit = headers + 5 * pair + left + 2 * 52 + 100
    with path.open("wb") as stream:
        writer = PcapngWriter(stream, limit)
        lan = writer.interface("tap1.lan", ETHERNET)
        host = writer.interface("tap1.host", RAW_IP)
        for at in range(20):
            writer.frame(lan, at, FRAME)
            writer.frame(host, at, b"")  # it would still fit, but stopped is stopped
        writer.finish(20)
    data = path.read_bytes()
    assert writer.stopped
    assert (writer.written, writer.refused) == (10, 30)
    assert f"capture stopped at {headers + 5 * pair} bytes, 30 frames not written".encode() in data
    assert data.count(b"capture stopped") == 1
    assert len(data) <= limit
    assert len(list(read_capture(path))) == 10


def test_the_closing_blocks_count_what_each_interface_saw():
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    lan, host = writer.interface("lan", ETHERNET), writer.interface("host", RAW_IP)
    writer.frame(lan, 1, FRAME)
    writer.frame(lan, 2, FRAME)
    writer.finish(7)

    def closing(number: int, seen: int) -> bytes:
        words = (5, 52, number, 0, 7, 8 << 16 | 4, seen, 0, 8 << 16 | 5, 0, 0, 0, 52)
        return b"".join(word.to_bytes(4, "little") for word in words)

    assert stream.getvalue().endswith(closing(lan, 2) + closing(host, 0))


@pytest.mark.slow
def test_tshark_accepts_a_capture_that_stopped(tmp_path):
    path = tmp_path / "full.pcapng"
    with path.open("wb") as stream:
        writer = PcapngWriter(stream, 700)
        lan = writer.interface("tap1.lan", ETHERNET)
        for at in range(20):
            writer.frame(lan, at, FRAME)
        writer.finish(20)
    assert tshark(path, "frame.len") == [["61"]] * writer.written


def test_a_limit_too_small_for_the_headers_is_refused():
    with pytest.raises(UsageError, match="200 bytes are too few"):
        PcapngWriter(io.BytesIO(), 200).interface("tap1.lan", ETHERNET)


@given(limit=st.integers(400, 3000), lengths=st.lists(st.integers(0, 300), max_size=30))
def test_no_capture_outgrows_its_limit(limit, lengths):
    stream = io.BytesIO()
    writer = PcapngWriter(stream, limit)
    lan = writer.interface("tap1.lan", ETHERNET)
    for at, length in enumerate(lengths):
        writer.frame(lan, at, bytes(length))
    writer.finish(len(lengths))
    assert len(stream.getvalue()) <= limit
    assert writer.written + writer.refused == len(lengths)
    assert writer.stopped == (writer.refused > 0)


FRAMES = st.lists(
    st.tuples(st.booleans(), st.integers(0, 2**64 - 1), st.binary(max_size=70), st.text()),
    max_size=20,
)


@pytest.mark.slow
@settings(deadline=None)  # it writes files
@given(frames=FRAMES, name=st.text(max_size=300))
def test_whatever_is_written_is_read_back(tmp_path_factory, frames, name):
    path = tmp_path_factory.getbasetemp() / "round-trip.pcapng"
    with path.open("wb") as stream:
        writer = PcapngWriter(stream)
        numbers = writer.interface(name, ETHERNET), writer.interface("second", RAW_IP)
        for second, at, data, comment in frames:
            writer.frame(numbers[second], at, data, comment)
        writer.finish(0)
    names, links = (escaped(name, 256), "second"), (ETHERNET, RAW_IP)
    assert list(read_capture(path)) == [
        Record(at, links[second], data, len(data), names[second]) for second, at, data, _ in frames
    ]


@given(text=st.text())
def test_escaped_text_is_printable_and_bounded(text):
    assert escaped(text, 100).isprintable()
    assert len(escaped(text, 100)) <= 100


def test_plain_text_is_left_alone():
    assert escaped("Zürich tap [1] <b>", 100) == "Zürich tap [1] <b>"


def test_the_observer_records_what_its_ports_send_and_receive(tmp_path):
    path = tmp_path / "run.pcapng"
    capture = Capture(path, PORTS)
    for moment in (
        Moment(1, Kind.SENT, "tap1.lan", FRAME),
        Moment(2, Kind.ARRIVED, "tap1.host", PACKET),
        Moment(3, Kind.DROPPED, "tap1.lan", FRAME, "not-for-us"),
        Moment(4, Kind.NOTED, "tap1", b"", "lease bound"),
        Moment(5, Kind.ARRIVED, "tap2.lan", FRAME),
    ):
        capture.see(moment)
    capture.finish(9)
    assert capture.writer.written == 2
    assert list(read_capture(path)) == [
        Record(1, ETHERNET, FRAME, 61, "tap1.lan"),
        Record(2, RAW_IP, PACKET, 28, "tap1.host"),
    ]


def test_the_observer_says_which_way_a_frame_went(tmp_path):
    scapy = pytest.importorskip("scapy.utils")
    path = tmp_path / "run.pcapng"
    capture = Capture(path, PORTS)
    capture.see(Moment(1, Kind.SENT, "tap1.lan", FRAME))
    capture.see(Moment(2, Kind.ARRIVED, "tap1.lan", FRAME))
    capture.finish(9)
    with scapy.RawPcapNgReader(str(path)) as reader:
        assert [meta.direction for _, meta in reader] == [OUTBOUND, INBOUND]


def test_a_run_without_frames_is_a_capture_too(tmp_path):
    path = tmp_path / "run.pcapng"
    Capture(path, PORTS).finish(9)
    assert list(read_capture(path)) == []


def test_a_capture_cannot_be_written_where_there_is_no_folder(tmp_path):
    with pytest.raises(UsageError, match=r"no-folder/run\.pcapng`: no such file"):
        Capture(tmp_path / "no-folder" / "run.pcapng", PORTS)


def test_a_limit_too_small_leaves_no_open_file(tmp_path):
    with pytest.raises(UsageError, match="too few"):
        Capture(tmp_path / "run.pcapng", PORTS, limit=300)
