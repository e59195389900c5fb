"""What one address said in a capture is found, trimmed and timed, or refused in words."""

from pathlib import Path
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions import conversation as conversation_module
from sim.actions.conversation import conversation, ip_packet
from sim.capture import Capture
from sim.capture_reader import LINK_TYPES, Record, read_capture
from sim.observers import Kind, Moment
from tests.sim.capture_bytes import pcap_header, pcap_record
from virtualtap.errors import UsageError

CAPTURES = Path(__file__).parents[3] / ".." / "shared" / "captures"
REAL = sorted(CAPTURES.rglob("*.pcap*"))
ME, OTHER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
ME6, OTHER6 = bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("fd" + "00" * 14 + "02")
MACS = bytes(12)
TAG = b"\x81\x00\x00\x07"
SERVICE_TAG = b"\x88\xa8\x00\x08"


def ipv4(
    payload: bytes, sender: bytes = ME, protocol: int = 253, length: int | None = None
) -> bytes:
    length = 20 + len(payload) if length is None else length
    head = pack("!BBHIBBH", 0x45, 0, length, 0, 64, protocol, 0)
    return head + sender + OTHER + payload


def ipv6(
    payload: bytes, sender: bytes = ME6, protocol: int = 253, length: int | None = None
) -> bytes:
    length = len(payload) if length is None else length
    return pack("!IHBB", 6 << 28, length, protocol, 64) + sender + OTHER6 + payload


def ethernet(packet: bytes, tags: bytes = b"") -> bytes:
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return (MACS + tags + kind + packet).ljust(60, b"\0")


def udp(source: int, destination: int) -> bytes:
    return pack("!HHHH", source, destination, 8, 0)


V4, V6 = ipv4(b"four"), ipv6(b"six")
CARRIED = {
    "Ethernet, IPv4": (1, ethernet(V4), V4),
    "Ethernet, IPv6": (1, ethernet(V6), V6),
    "Ethernet, one tag": (1, ethernet(V4, TAG), V4),
    "Ethernet, two tags": (1, ethernet(V6, SERVICE_TAG + TAG), V6),
    "Ethernet, three tags": (1, ethernet(V6, SERVICE_TAG + TAG + TAG), None),
    "Ethernet, ARP": (1, MACS + b"\x08\x06" + bytes(46), None),
    "Ethernet, IPv4 that says it is IPv6": (1, MACS + b"\x08\x00" + V6, None),
    "Ethernet, IPv6 that says it is IPv4": (1, MACS + b"\x86\xdd" + V4.ljust(60), None),
    "Ethernet, only a header": (1, MACS + b"\x08\x00", None),
    "Ethernet, only a tag": (1, MACS + TAG, None),
    "Ethernet, short": (1, MACS, None),
    "Ethernet, nothing": (1, b"", None),
    "raw, IPv4": (101, V4 + b"padding", V4),
    "raw, IPv6": (101, V6 + b"padding", V6),
    "raw, BSD": (12, V4, V4),
    "raw, version 5": (101, b"\x55" + V4[1:], None),
    "raw, nothing": (101, b"", None),
    "IPv4": (228, V4 + b"padding", V4),
    "IPv6": (229, V6 + b"padding", V6),
    "cooked": (113, bytes(14) + b"\x08\x00" + V4, V4),
    "cooked, tagged": (113, bytes(14) + b"\x81\x00\x00\x07\x86\xdd" + V6, V6),
    "cooked 2": (276, b"\x86\xdd" + bytes(18) + V6, V6),
    "cooked 2, ARP": (276, b"\x08\x06" + bytes(18) + V6, None),
    "IPv4, header cut": (101, V4[:19], None),
    "IPv4, shorter than its header": (101, ipv4(b"four", length=19), None),
    "IPv4, longer than it is": (101, ipv4(b"four", length=99), ipv4(b"four", length=99)),
    "IPv4, segmentation offload": (101, ipv4(b"four", length=0), ipv4(b"four", length=0)),
    "IPv6, header cut": (101, V6[:39], None),
    "IPv6, longer than it is": (101, ipv6(b"six", length=99), ipv6(b"six", length=99)),
    "IPv6, jumbogram": (
        101,
        ipv6(b"six", protocol=0, length=0),
        ipv6(b"six", protocol=0, length=0),
    ),
    "IPv6, no next header": (101, ipv6(b"", protocol=59) + b"padding", ipv6(b"", protocol=59)),
}


@pytest.mark.parametrize("name", CARRIED)
def test_the_packet_in_a_record_is_found(name):
    link_type, data, packet = CARRIED[name]
    assert packet == ip_packet(Record(0, link_type, data, len(data), ""))


@given(link_type=st.sampled_from(LINK_TYPES), data=st.binary(max_size=80))
def test_no_record_is_too_strange(link_type, data):
    packet = ip_packet(Record(0, link_type, data, len(data), ""))
    assert packet is None or (len(packet) >= 20 and packet in data)


@pytest.fixture
def write(tmp_path):
    """Writes raw IP packets, each at a time in microseconds."""

    def writer(*records: tuple[int, bytes], link_type: int = 101) -> Path:
        path = tmp_path / "talk.pcap"
        parts = [pcap_record(data, seconds=100, fraction=at) for at, data in records]
        path.write_bytes(pcap_header(link_type=link_type) + b"".join(parts))
        return path

    return writer


def test_only_what_the_address_sent_is_told_with_its_time_since_the_first_record(write):
    path = write((5, ipv4(b"", OTHER)), (7, ipv4(b"a")), (8, V6), (9, ipv4(b"b")))
    assert conversation(path, ME) == ([(2_000, ipv4(b"a")), (4_000, ipv4(b"b"))], [])
    assert conversation(path, ME6) == ([(3_000, V6)], [])


def test_time_that_goes_backward_is_said_and_held(write):
    path = write((5, ipv4(b"a")), (9, ipv4(b"b")), (2, ipv4(b"c")), (8, ipv4(b"d")), (10, V4))
    packets, warnings = conversation(path, ME)
    assert [at for at, _ in packets] == [0, 4_000, 4_000, 4_000, 5_000]
    assert warnings == [
        "time goes backward: 2 records are earlier than one before them"
        " (first record 3, by 7000 ns) and take its time"
    ]


CONTROL = {
    "DHCP request": (ipv4(udp(68, 67), protocol=17), ME),
    "DHCP reply": (ipv4(udp(67, 68), protocol=17), ME),
    "router solicitation": (ipv6(b"\x85\0\0\0", protocol=58), ME6),
    "redirect": (ipv6(b"\x89\0\0\0", protocol=58), ME6),
}
ORDINARY = {
    "DNS": (ipv4(udp(5353, 53), protocol=17), ME),
    "TCP to port 67": (ipv4(udp(5353, 67), protocol=6), ME),
    "a later fragment": (
        ipv4(udp(68, 67), protocol=17)[:6] + b"\x00\x01" + ipv4(udp(68, 67), protocol=17)[8:],
        ME,
    ),
    "UDP without ports": (ipv4(b"\0\x44\0", protocol=17), ME),
    "ping": (ipv6(b"\x80\0\0\0", protocol=58), ME6),
    "a listener report": (ipv6(b"\x8f\0\0\0", protocol=58), ME6),
    "ICMPv6 without a type": (ipv6(b"", protocol=58), ME6),
}


@pytest.mark.parametrize("name", CONTROL)
def test_control_is_left_out_unless_asked_for(write, name):
    packet, sender = CONTROL[name]
    plain = ipv4(b"", sender) if len(sender) == 4 else ipv6(b"", sender)
    path = write((0, packet), (1, plain))
    left_out = ["left out 1 DHCP or NDP packets: `speak_control` is false"]
    assert conversation(path, sender) == ([(1_000, plain)], left_out)
    assert conversation(path, sender, speak_control=True) == ([(0, packet), (1_000, plain)], [])


@pytest.mark.parametrize("name", ORDINARY)
def test_what_only_looks_like_control_is_told(write, name):
    packet, sender = ORDINARY[name]
    assert conversation(write((0, packet)), sender) == ([(0, packet)], [])


def test_an_address_that_says_only_control_is_refused(write):
    path = write((0, CONTROL["DHCP request"][0]))
    with pytest.raises(UsageError, match="only DHCP and NDP packets sent by 10") as caught:
        conversation(path, ME)
    assert caught.value.hint == "set `speak_control = true` to replay them"


def test_an_address_that_says_nothing_is_refused_with_those_who_speak(write):
    path = write((0, V4), (1, V6), (2, V4))
    with pytest.raises(UsageError, match="holds no IP packet sent by fd00::2") as caught:
        conversation(path, OTHER6)
    assert caught.value.hint == "among the senders are 10.0.0.1, fd00::1"


def test_a_capture_without_ip_is_refused(write):
    with pytest.raises(UsageError, match="no IP packet") as caught:
        conversation(write((0, b"\0")), ME)
    assert caught.value.hint == "it holds no IP packet at all"


def test_a_packet_cut_by_the_snap_length_is_refused(tmp_path):
    path = tmp_path / "cut.pcap"
    cut = pcap_record(ipv4(bytes(80))[:60], original=100)
    path.write_bytes(pcap_header(link_type=101) + pcap_record(V4) + cut)
    with pytest.raises(UsageError, match=r"record 2 was cut .*: 60 of 100 bytes") as caught:
        conversation(path, ME)
    assert caught.value.hint == "record again with `tcpdump -s 0`"


def test_a_cut_packet_of_somebody_else_is_no_matter(tmp_path):
    path = tmp_path / "cut.pcap"
    cut = pcap_record(ipv4(bytes(40), OTHER), original=100)
    path.write_bytes(pcap_header(link_type=101) + pcap_record(V4) + cut)
    assert conversation(path, ME) == ([(0, V4)], [])


def test_more_than_fits_is_refused(write, monkeypatch):
    monkeypatch.setattr(conversation_module, "BYTES_MAX", 1000)
    with pytest.raises(UsageError, match=r"more than 1000 bytes sent by 10\.0\.0\.1"):
        conversation(write(*[(at, V4) for at in range(100)]), ME)


def test_a_packet_heard_at_two_ports_is_said_to_be_sent_twice(tmp_path):
    path = tmp_path / "run.pcapng"
    capture = Capture(path, {"a.up": 101, "b.up": 101})
    capture.see(Moment(3, Kind.SENT, "a.up", V4))
    capture.see(Moment(5, Kind.ARRIVED, "b.up", V4))
    capture.finish(9)
    assert conversation(path, ME) == (
        [(0, V4), (2, V4)],
        ["heard on 2 interfaces (`a.up`, `b.up`): a packet that crossed several is sent as often"],
    )


def test_a_capture_that_ends_early_is_refused(write):
    path = write((0, V4))
    path.write_bytes(path.read_bytes() + b"rubbish")
    with pytest.raises(UsageError, match="truncated after 1 records"):
        conversation(path, ME)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_dpkt_finds_the_same_packets_in_a_real_capture(path):
    dpkt = pytest.importorskip("dpkt")
    for record in read_capture(path):
        packet = ip_packet(record)
        try:
            theirs = dpkt.ethernet.Ethernet(record.data).data
        except Exception:  # it gives up on many of these
            continue
        if packet is not None and isinstance(theirs, dpkt.ip.IP):
            assert (packet[12:16], packet[9]) == (theirs.src, theirs.p)
            assert len(packet) <= theirs.len or theirs.len == 0
        elif packet is not None and isinstance(theirs, dpkt.ip6.IP6):
            assert (packet[8:24], packet[6]) == (theirs.src, theirs.nxt)
        else:
            # it goes by the EtherType alone
            assert not isinstance(theirs, dpkt.ip.IP) or theirs.len < 20 or theirs.v != 4


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_every_sender_in_a_real_capture_has_its_conversation_or_a_refusal(path):
    said, cut = {}, set()
    for record in read_capture(path):
        packet = ip_packet(record)
        if packet is not None:
            sender = packet[12:16] if packet[0] >> 4 == 4 else packet[8:24]
            said.setdefault(sender, []).append(packet)
            if record.original_length > len(record.data):
                cut.add(sender)
    for sender in list(said)[:3]:
        if sender in cut:
            with pytest.raises(UsageError, match="was cut by the snap length"):
                conversation(path, sender)
        else:
            packets, _ = conversation(path, sender, speak_control=True)
            assert said[sender] == [packet for _, packet in packets]
