"""SecureNAT's user mode: UDP, ICMP, searches. Facts 2.8, 2.9."""

import pytest

from sim.nodes.segment import SYN, Segment
from sim.nodes.softether.nat_table import Ports
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.vh_option import Ping
from tests.sim.nodes.softether.nats import FAR, HOST, ME, OTHER, SITE, Trial, framed, ping, tcp, udp
from virtualtap.units import SECOND
from virtualtap.wire import icmp, ipv4
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, ip
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

ELSEWHERE = ip("198.51.100.77")


def answer(port: int, own: int = 9, source: bytes = FAR, payload: bytes = b"back") -> bytes:
    body = Udp(own, port, payload).between(source, SITE.ip)
    return Ipv4(source, SITE.ip, ipv4.UDP, body).to_bytes()


def echo(rest: int, source: bytes = FAR, kind: int = icmp.ECHO_REPLY) -> bytes:
    body = Icmp(kind, 0, rest, b"are you there").summed()
    return Ipv4(source, SITE.ip, ipv4.ICMP, body).to_bytes()


def port_of(sent: list[Ipv4]) -> int:
    (one,) = sent
    return Udp.parse(one.payload).source_port


def test_a_datagram_goes_out_from_a_port_of_the_server():
    (sent,) = Trial().left(udp(FAR, 9))
    datagram = Udp.parse(sent.payload)
    assert (sent.source, sent.destination) == (SITE.ip, FAR)
    assert (datagram.source_port, datagram.destination_port) == (32_768, 9)
    assert datagram.payload == b"hello"


def test_the_answer_reaches_the_client_from_whom_it_asked():
    trial = Trial()
    (got,) = trial.came(answer(port_of(trial.left(udp(FAR, 9)))))
    datagram = Udp.parse(got.payload)
    assert (got.source, got.destination, got.ttl) == (FAR, ME, 128)
    assert (datagram.source_port, datagram.destination_port) == (9, 5000)


def test_any_port_of_who_was_asked_may_answer_and_it_seems_the_one_that_was_asked():
    trial = Trial()
    (got,) = trial.came(answer(port_of(trial.left(udp(FAR, 9))), own=1234))
    assert Udp.parse(got.payload).source_port == 9


def test_nobody_else_may_answer():
    trial = Trial()
    port = port_of(trial.left(udp(FAR, 9)))
    assert trial.came(answer(port, source=ELSEWHERE)) == []
    assert trial.came(answer(port + 1)) == []


def test_each_pair_of_both_sides_is_a_mapping():
    trial = Trial()
    ports = [
        port_of(trial.left(packet))
        for packet in (
            udp(FAR, 9),
            udp(FAR, 10),
            udp(ELSEWHERE, 9),
            udp(FAR, 9, own=5001),
            udp(FAR, 9),
        )
    ]
    assert [port - 32_768 for port in ports] == [0, 1, 2, 3, 0]


def test_a_mapping_ends_after_60_s_and_both_directions_prolong_it():
    trial = Trial()
    port = port_of(trial.left(udp(FAR, 9)))
    assert len(trial.came(answer(port), 50 * SECOND)) == 1
    trial.left(udp(FAR, 9), 100 * SECOND)
    trial.said(159 * SECOND)
    assert trial.nat.is_hasty
    trial.said(160 * SECOND)
    assert not trial.nat.is_hasty
    assert trial.came(answer(port), 160 * SECOND) == []


def test_a_ping_goes_out_with_an_identifier_of_the_server_and_one_hop_less():
    trial = Trial()
    (sent,) = trial.left(ping(FAR, ttl=64))
    message = Icmp.parse(sent.payload)
    assert (sent.source, sent.ttl, message.rest) == (SITE.ip, 63, 1 << 16 | 1)
    (got,) = trial.came(echo(message.rest))
    assert (got.source, got.destination) == (FAR, ME)
    assert Icmp.parse(got.payload).rest == 7 << 16 | 1


def test_who_was_not_pinged_does_not_answer():
    trial = Trial()
    trial.left(ping(FAR))
    assert trial.came(echo(1 << 16 | 1, source=ELSEWHERE)) == []
    assert trial.came(echo(2 << 16 | 1)) == []
    assert trial.came(echo(1 << 16 | 1, kind=icmp.UNREACHABLE)) == []


@pytest.mark.parametrize(("means", "seconds"), [(Ping.RAW, 10), (Ping.API, 3)])
def test_a_ping_is_remembered_so_long(means, seconds):
    trial = Trial(ping=means)
    trial.left(ping(FAR))
    trial.said(seconds * SECOND - 1)
    assert len(trial.nat.nat) == 1
    trial.said(seconds * SECOND)
    assert len(trial.nat.nat) == 0


@pytest.mark.parametrize("port", [137, 138, 1900, 3702])
def test_searches_for_devices_are_broadcast_outside(port):
    trial = Trial()
    trial.say(framed(udp(ip("239.255.255.250"), port), to=b"\x01\x00\x5e\x7f\xff\xfa"))
    (sent,) = (Ipv4.parse(one) for one in trial.nat.take_outside())
    assert sent.destination == LIMITED_BROADCAST
    assert Udp.parse(sent.payload).destination_port == port


def test_other_datagrams_to_all_are_dropped():
    trial = Trial()
    assert trial.say(framed(udp(LIMITED_BROADCAST, 9999), to=BROADCAST)) == []
    assert trial.nat.take_outside() == []


def test_a_datagram_to_another_on_the_subnet_is_ignored():
    assert Trial().left(udp(OTHER, 9)) == []


def test_4097_mappings_fit_and_one_more_goes_without_a_word():
    trial = Trial()
    for port in range(1, 4098):
        assert trial.left(udp(FAR, port)) != []
    assert trial.left(udp(FAR, 5000)) == []
    assert trial.left(ping(FAR)) == []
    assert trial.left(udp(FAR, 1)) != []  # it has its mapping
    assert trial.said(0) == []


def test_a_full_table_resets_a_tcp_syn():
    trial = Trial()
    for port in range(1, 4098):
        trial.left(udp(FAR, port))
    (reply,) = trial.asked(tcp(Segment(5000, 80, 41, 0, SYN, 65535)))
    assert Segment.parse(Ipv4.parse(reply).payload).flags == 0x14


def test_the_hub_may_limit_what_one_client_has():
    options = HubOptions(
        SecureNAT_MaxUdpSessionsPerIp=2,
        SecureNAT_MaxDnsSessionsPerIp=1,
        SecureNAT_MaxIcmpSessionsPerIp=1,
    )
    trial = Trial(options=options)
    assert [len(trial.left(udp(FAR, port))) for port in (1, 2, 3)] == [1, 1, 0]
    assert [len(trial.left(udp(HOST, 53, own=own))) for own in (1, 2)] == [1, 0]
    assert [len(trial.left(ping(FAR, rest=number << 16))) for number in (1, 2)] == [1, 0]
    assert len(trial.left(udp(FAR, 1, source=OTHER))) == 1


def test_ports_that_are_all_taken_are_none():
    ports = Ports(range(10, 12))
    assert [ports.take() for _ in range(3)] == [10, 11, None]
    assert not ports.free(10)
    assert ports.take() == 10
    ports.free(10)
    assert ports.free(11)


def test_a_port_that_is_taken_is_passed_over():
    ports = Ports(range(10, 13))
    assert [ports.take() for _ in range(2)] == [10, 11]
    ports.free(11)
    assert [ports.take() for _ in range(2)] == [12, 11]


def test_a_mapping_that_found_no_port_is_none():
    trial = Trial()
    trial.nat.nat._udp_ports = Ports(range(0))
    assert trial.left(udp(FAR, 9)) == []
