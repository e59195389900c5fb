"""SecureNAT's kernel mode: packets with another address and port. Facts 2.8, 2.9."""

import pytest

from sim.nodes.segment import ACK, FIN, RST, SYN, Segment
from sim.nodes.softether.nat_table import Ports
from sim.nodes.softether.vh_option import Mode
from tests.sim.nodes.softether.nats import (
    FAR,
    HOST,
    ME,
    MY_MAC,
    OTHER,
    SITE,
    Trial,
    arp_of,
    ping,
    tcp,
    udp,
)
from virtualtap.units import SECOND
from virtualtap.wire import checksum, icmp, ipv4
from virtualtap.wire.address import ip
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

FIRST = 61_001
ELSEWHERE = ip("198.51.100.77")


def a_kernel() -> Trial:
    trial = Trial(mode=Mode.KERNEL)
    trial.say(arp_of(ME, MY_MAC))
    return trial


def back(protocol: int, body: bytes, source: bytes = FAR) -> bytes:
    return Ipv4(source, SITE.ip, protocol, body).to_bytes()


def from_far(segment: Segment, source: bytes = FAR) -> bytes:
    return back(ipv4.TCP, segment.between(source, SITE.ip), source)


def opened(trial: Trial) -> None:
    """A connection from 5000 to port 80: three segments."""
    trial.left(tcp(Segment(5000, 80, 100, 0, SYN, 65_535)))
    trial.came(from_far(Segment(80, FIRST, 900, 101, SYN | ACK, 65_535)))
    trial.left(tcp(Segment(5000, 80, 101, 901, ACK, 65_535)))


def is_right(packet: Ipv4) -> bool:
    ends = packet.source, packet.destination
    return checksum.transport_is_right(*ends, packet.protocol, packet.payload)


def test_a_datagram_gets_the_servers_address_and_a_port_from_61001():
    (sent,) = a_kernel().left(udp(FAR, 9))
    datagram = Udp.parse(sent.payload)
    assert (sent.source, datagram.source_port, datagram.payload) == (SITE.ip, FIRST, b"hello")
    assert is_right(sent)


def test_one_port_serves_all_whom_a_client_port_talks_to_and_anybody_may_answer():
    trial = a_kernel()
    sent = [*trial.left(udp(FAR, 9)), *trial.left(udp(ELSEWHERE, 10))]
    assert [Udp.parse(one.payload).source_port for one in sent] == [FIRST, FIRST]
    body = Udp(77, FIRST, b"back").between(OTHER, SITE.ip)
    (got,) = trial.came(back(ipv4.UDP, body, OTHER))
    datagram = Udp.parse(got.payload)
    assert (got.source, got.destination) == (OTHER, ME)
    assert (datagram.source_port, datagram.destination_port) == (77, 5000)
    assert is_right(got)


def test_a_ping_is_translated_with_one_hop_less_also_on_the_subnet():
    trial = a_kernel()
    for address in (FAR, OTHER):
        (sent,) = trial.left(ping(address, ttl=9))
        assert (sent.destination, sent.ttl) == (address, 8)
    message = Icmp.parse(sent.payload)
    assert message.rest == FIRST << 16 | 1
    answer = Icmp(icmp.ECHO_REPLY, 0, message.rest, message.payload).summed()
    (got,) = trial.came(back(ipv4.ICMP, answer))
    assert Icmp.parse(got.payload).rest == 7 << 16 | 1
    assert checksum.is_right(got.payload)


def test_what_is_unknown_does_not_come_in():
    trial = a_kernel()
    body = Udp(77, FIRST, b"back").between(FAR, SITE.ip)
    assert trial.came(back(ipv4.UDP, body)) == []
    assert trial.came(back(ipv4.ICMP, Icmp(icmp.UNREACHABLE, 0, 0, b"").summed())) == []
    assert trial.came(from_far(Segment(80, FIRST, 1, 0, ACK))) == []


def test_a_connection_goes_through_with_its_own_numbers():
    trial = a_kernel()
    (syn,) = trial.left(tcp(Segment(5000, 80, 100, 0, SYN, 65_535, mss=1460)))
    segment = Segment.parse(syn.payload)
    assert (segment.source_port, segment.sequence, segment.mss) == (FIRST, 100, 1460)
    (got,) = trial.came(from_far(Segment(80, FIRST, 900, 101, SYN | ACK, 65_535)))
    answer = Segment.parse(got.payload)
    assert (got.source, answer.target_port, answer.acknowledges) == (FAR, 5000, 101)
    assert is_right(syn)
    assert is_right(got)


def test_a_connection_is_known_by_both_sides():
    trial = a_kernel()
    opened(trial)
    assert trial.came(from_far(Segment(80, FIRST, 901, 101, ACK), ELSEWHERE)) == []
    assert trial.came(from_far(Segment(81, FIRST, 901, 101, ACK))) == []
    (other,) = trial.left(tcp(Segment(5000, 80, 1, 0, SYN), ELSEWHERE))
    assert Segment.parse(other.payload).source_port == FIRST  # of another side: the same again


def test_a_segment_of_no_connection_is_dropped_without_a_word():
    trial = a_kernel()
    assert trial.asked(tcp(Segment(5000, 80, 100, 1, ACK))) == []
    assert trial.nat.take_outside() == []


def test_a_connection_that_was_not_answered_ends_after_10_s_with_a_reset_to_the_client():
    trial = a_kernel()
    trial.left(tcp(Segment(5000, 80, 100, 0, SYN, 65_535)))
    assert trial.said(10 * SECOND - 1) == []
    (frame,) = trial.said(10 * SECOND)
    packet = Ipv4.parse(frame[14:])
    reset = Segment.parse(packet.payload)
    assert (packet.source, reset.flags) == (FAR, RST | ACK)
    assert (reset.target_port, reset.acknowledges) == (5000, 101)
    assert not trial.nat.is_hasty


def test_an_open_one_ends_after_1800_s():
    trial = a_kernel()
    opened(trial)
    trial.said(1799 * SECOND)
    assert len(trial.nat.kernel) == 1
    trial.said(1800 * SECOND)
    trial.said(1801 * SECOND)
    assert len(trial.nat.kernel) == 0


@pytest.mark.parametrize("by_reset", [True, False])
def test_one_that_both_have_ended_is_kept_for_10_s(by_reset):
    trial = a_kernel()
    opened(trial)
    trial.left(tcp(Segment(5000, 80, 101, 901, RST if by_reset else FIN | ACK)))
    if not by_reset:
        trial.said(11 * SECOND)
        assert len(trial.nat.kernel) == 1  # one side may go on
        trial.came(from_far(Segment(80, FIRST, 901, 102, FIN | ACK)), 11 * SECOND)
    assert trial.said(22 * SECOND) == []  # nobody is told
    assert len(trial.nat.kernel) == 0


def test_a_datagrams_mapping_ends_after_60_s_without_a_word():
    trial = a_kernel()
    trial.left(udp(FAR, 9))
    assert trial.said(60 * SECOND) == []
    assert len(trial.nat.kernel) == 0
    assert trial.nat.kernel.due is None


def test_one_mapping_ends_and_another_stays():
    trial = a_kernel()
    trial.left(udp(FAR, 9))
    trial.left(udp(FAR, 9, own=5001), SECOND)
    trial.said(60 * SECOND)
    assert len(trial.nat.kernel) == 1
    (sent,) = trial.left(udp(FAR, 9, own=5001), 60 * SECOND)
    assert Udp.parse(sent.payload).source_port == FIRST + 1


def test_names_are_asked_by_a_socket_of_the_server():
    trial = a_kernel()
    (sent,) = trial.left(udp(HOST, 53, b"query"))
    assert (sent.destination, Udp.parse(sent.payload).source_port) == (SITE.resolver, 32_768)
    body = Udp(53, 32_768, b"answer").between(SITE.resolver, SITE.ip)
    (got,) = trial.came(back(ipv4.UDP, body, SITE.resolver))
    assert got.source == HOST


def test_a_full_table_and_a_server_without_a_port_are_silent(monkeypatch):
    trial = a_kernel()
    trial.nat.kernel._numbers[ipv4.UDP, None] = Ports(range(0))
    assert trial.left(udp(FAR, 9)) == []
    monkeypatch.setattr("sim.nodes.softether.nat_kernel.NAT_MAX_SESSIONS_KERNEL", 0)
    assert len(trial.left(ping(FAR))) == 1  # looked at whether there are more
    assert trial.left(tcp(Segment(5000, 80, 100, 0, SYN))) == []
    assert trial.said(0) == []
