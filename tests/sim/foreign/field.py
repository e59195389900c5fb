"""Captures of a small field: A, B and C, each at a MAC, and whoever stands behind C."""

from sim.scenario import decode
from tests import builders as b
from tests.sim.capture_bytes import pcap_header, pcap_record
from tests.sim.scenarios import done
from virtualtap.wire import icmp
from virtualtap.wire.address import ip, mac
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import ICMP, UDP, Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp

A, B, C, FAR = (ip(text) for text in ("192.168.7.1", "192.168.7.2", "192.168.7.3", "198.51.100.9"))
AT_A, AT_B, AT_C = (mac(f"02:00:00:00:07:0{i}") for i in (1, 2, 3))
A6, B6 = ip("fd00:7::1"), ip("fd00:7::2")
OF_ONE_MAC = {A: AT_A, B: AT_B, C: AT_C, A6: AT_A, B6: AT_B}


def datagram(source, to, port=5000, size=100):
    body = Udp(40_000, port, bytes(size)).between(source, to)
    return (
        Ipv4(source, to, UDP, body) if len(source) == 4 else Ipv6(source, to, UDP, body)
    ).to_bytes()


def echo(source, to, kind=icmp.ECHO_REQUEST):
    return Ipv4(source, to, ICMP, Icmp(kind, 0, 1, bytes(56)).summed()).to_bytes()


def other(source, to, protocol=253, **fields):
    return Ipv4(source, to, protocol, b"twenty bytes of some", **fields).to_bytes()


def framed(packet):
    """The frame of a packet between A, B and C; whoever else is meant stands behind C."""
    six = packet[0] >> 4 == 6
    source, to = (packet[8:24], packet[24:40]) if six else (packet[12:16], packet[16:20])
    return b.frame(packet, OF_ONE_MAC.get(to, AT_C), OF_ONE_MAC.get(source, AT_C))


def captured(path, *frames, start=0, link_type=1):
    """The path of a capture of these frames, each with its time in microseconds."""
    records = [
        pcap_record(data, seconds=start + at // 10**6, fraction=at % 10**6) for at, data in frames
    ]
    path.write_bytes(pcap_header(link_type=link_type) + b"".join(records))
    return path


def every(gap, packet, times=10, start=0):
    return [(start + i * gap, framed(packet)) for i in range(times)]


def nodes(made):
    return decode(made.text).topology["nodes"]


def rules(made):
    return decode(made.text).traffic


def run(made, folder):
    return done(made.text, folder=folder)
