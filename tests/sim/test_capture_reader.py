"""Captures of others are read as their writers meant them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.capture_reader import LINK_TYPES, RECORD_MAX, Record, read_capture
from tests.sim.capture_bytes import (
    MICROSECONDS,
    NANOSECONDS,
    block,
    enhanced,
    interface,
    obsolete,
    pcap_header,
    pcap_record,
    section,
    simple,
)

ORDERS = pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
FRAME = bytes(range(61))
SECOND = 1_000_000_000


@pytest.fixture
def read(tmp_path):
    def reader(*parts: bytes) -> list[Record]:
        path = tmp_path / "capture"
        path.write_bytes(b"".join(parts))
        return list(read_capture(path))

    return reader


@ORDERS
@pytest.mark.parametrize(("magic", "unit"), [(MICROSECONDS, 1000), (NANOSECONDS, 1)])
def test_pcap_is_read_in_both_byte_orders_and_both_units(read, order, magic, unit):
    parts = pcap_record(FRAME, order, 3_000_000_000, 7), pcap_record(b"", order, 1, 2)
    assert read(pcap_header(order, magic), *parts) == [
        Record(3_000_000_000 * SECOND + 7 * unit, 1, FRAME, 61, ""),
        Record(SECOND + 2 * unit, 1, b"", 0, ""),
    ]


@ORDERS
@pytest.mark.parametrize("nano", [False, True])
def test_scapys_pcap_is_read(tmp_path, order, nano):
    scapy = pytest.importorskip("scapy.utils")
    path = tmp_path / "scapy.pcap"
    with scapy.RawPcapWriter(str(path), linktype=101, endianness=order, nano=nano) as writer:
        writer.write_header(b"")
        writer.write_packet(FRAME, sec=5, usec=6)
        writer.write_packet(FRAME[:9], sec=5, usec=7, wirelen=1500)
    unit = 1 if nano else 1000
    assert list(read_capture(path)) == [
        Record(5 * SECOND + 6 * unit, 101, FRAME, 61, ""),
        Record(5 * SECOND + 7 * unit, 101, FRAME[:9], 1500, ""),
    ]


@pytest.mark.parametrize("nano", [False, True])
def test_dpkts_pcap_is_read(tmp_path, nano):
    dpkt = pytest.importorskip("dpkt")
    path = tmp_path / "dpkt.pcap"
    with path.open("wb") as stream:
        dpkt.pcap.Writer(stream, linktype=1, nano=nano).writepkt(FRAME, ts=2.5)
    assert list(read_capture(path)) == [Record(2_500_000_000, 1, FRAME, 61, "")]


def test_dpkts_pcapng_is_read(tmp_path):
    dpkt = pytest.importorskip("dpkt")
    path = tmp_path / "dpkt.pcapng"
    with path.open("wb") as stream:
        dpkt.pcapng.Writer(stream, linktype=1).writepkt(FRAME, ts=2.5)
    assert list(read_capture(path)) == [Record(2_500_000_000, 1, FRAME, 61, "")]


@pytest.mark.slow  # scapy needs half a second to load
def test_scapys_pcapng_is_read(tmp_path):
    scapy = pytest.importorskip("scapy.all")
    path = tmp_path / "scapy.pcapng"
    packet = scapy.Ether(FRAME)
    packet.time, packet.sniffed_on = 2.5, "eth0"
    scapy.wrpcapng(str(path), [packet])
    assert list(read_capture(path)) == [Record(2_500_000_000, 1, FRAME, 61, "eth0")]


@pytest.mark.parametrize("link_type", LINK_TYPES)
def test_the_link_type_stands_below_the_length_of_the_check_sequence(read, link_type):
    (record,) = read(pcap_header(link_type=0x54000000 | link_type), pcap_record(FRAME))
    assert record.link_type == link_type


def test_the_fraction_of_a_second_may_be_more_than_one(read):
    (record,) = read(pcap_header(), pcap_record(FRAME, seconds=1, fraction=1_500_000))
    assert record.at == 2_500_000_000


def test_a_record_that_was_cut_says_how_long_it_was(read):
    (record,) = read(pcap_header(), pcap_record(FRAME, original=9000))
    assert (len(record.data), record.original_length) == (61, 9000)


def test_the_longest_record_is_read(read):
    (record,) = read(pcap_header(), pcap_record(bytes(RECORD_MAX)))
    assert len(record.data) == RECORD_MAX


@ORDERS
def test_every_kind_of_packet_block_is_read(read, order):
    assert read(
        section(order, chosen=((4, b"someone"), (1, b"a comment"))),
        interface(order, chosen=((2, b"eth0"), (9, b"\x09"))),
        interface(order, link_type=101, chosen=((2, b"tun0"),)),
        block(0x0BAD, b"nobody knows", order),
        enhanced(FRAME, order, 0, 1 << 33, original=99),
        enhanced(FRAME[:6], order, 1, 4),
        obsolete(FRAME[:7], order, 1, 5),
        simple(FRAME[:8], order),
        block(5, bytes(12), order),
    ) == [
        Record(1 << 33, 1, FRAME, 99, "eth0"),
        Record(4000, 101, FRAME[:6], 6, "tun0"),
        Record(5000, 101, FRAME[:7], 7, "tun0"),
        Record(5000, 1, FRAME[:8], 8, "eth0"),
    ]


@pytest.mark.parametrize(
    ("resolution", "ticks", "at"),
    [
        (b"\x00", 3, 3 * SECOND),
        (b"\x03", 3, 3_000_000),
        (b"\x06", 3, 3_000),
        (b"\x09", 3, 3),
        (b"\x0c", 3_999, 3),  # picoseconds are rounded down
        (b"\x7f", 1 << 63, 0),
        (b"\x80", 3, 3 * SECOND),
        (b"\x81", 3, 1_500_000_000),
        (b"\x8a", 1024, SECOND),
        (b"\xa0", 1 << 31, SECOND // 2),
        (b"\xff", 1 << 63, 0),
    ],
)
def test_the_resolution_of_an_interface_is_a_power_of_ten_or_of_two(read, resolution, ticks, at):
    head = section(), interface(chosen=((9, resolution),))
    assert [record.at for record in read(*head, enhanced(FRAME, ticks=ticks))] == [at]


@ORDERS
def test_an_interface_may_begin_its_time_elsewhere(read, order):
    sign = {"<": "little", ">": "big"}[order]
    start = (-7).to_bytes(8, sign, signed=True)
    head = section(order), interface(order, chosen=((14, start),))
    (record,) = read(*head, enhanced(FRAME, order, ticks=8_000_001))
    assert record.at == SECOND + 1000


def test_a_simple_packet_is_cut_by_the_snap_length_of_the_first_interface(read):
    (record,) = read(section(), interface(snap_length=60), simple(FRAME[:60], original=1500))
    assert (record.data, record.original_length) == (FRAME[:60], 1500)


def test_each_section_has_its_own_byte_order_and_interfaces(read):
    assert read(
        *(section("<"), interface("<", chosen=((2, b"old"),)), enhanced(FRAME, "<", ticks=1)),
        *(section(">"), interface(">", 101, chosen=((2, b"new"),)), enhanced(b"\x45", ">")),
        section("<"),
    ) == [Record(1000, 1, FRAME, 61, "old"), Record(0, 101, b"\x45", 1, "new")]


def test_an_interface_nobody_supports_is_no_matter_until_it_speaks(read):
    head = section(), interface(link_type=147), interface()
    assert len(read(*head, enhanced(FRAME, number=1))) == 1


def test_the_name_of_an_interface_is_tamed(read):
    evil = "\x1b]0;you\x07\u202e".encode() + b"\xff" + b"x" * 1000
    (record,) = read(section(), interface(chosen=((2, evil),)), enhanced(FRAME))
    assert record.interface.startswith("\\x1b]0;you\\x07\\u202e\ufffdxxx")
    assert len(record.interface) == 256


def test_a_long_unknown_block_is_skipped(read):
    parts = section(), block(0x0BAD, bytes(3_000_000)), interface(), enhanced(FRAME)
    assert [record.data for record in read(*parts)] == [FRAME]


def test_records_come_one_by_one(tmp_path):
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap_header() + pcap_record(FRAME) + b"rubbish")
    assert next(read_capture(path)).data == FRAME


RECORDS = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 999_999), st.binary(max_size=40)),
    max_size=10,
)


@settings(deadline=None)  # it writes files
@given(records=RECORDS, order=st.sampled_from("<>"), nanoseconds=st.booleans())
def test_every_pcap_is_read_back(tmp_path_factory, records, order, nanoseconds):
    path = tmp_path_factory.getbasetemp() / "every.pcap"
    magic, unit = (NANOSECONDS, 1) if nanoseconds else (MICROSECONDS, 1000)
    parts = [pcap_record(data, order, sec, fraction) for sec, fraction, data in records]
    path.write_bytes(pcap_header(order, magic) + b"".join(parts))
    assert list(read_capture(path)) == [
        Record(sec * SECOND + fraction * unit, 1, data, len(data), "")
        for sec, fraction, data in records
    ]
