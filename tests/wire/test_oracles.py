"""scapy and dpkt read what we write, and mean the same by it."""

import warnings

import pytest
from hypothesis import given

from sim.conformance.dns_server import answered, learned, start
from sim.conformance.script import Script
from tests import strategies
from tests.builders import (
    OUR_IP,
    OUR_IP6,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    a_tap,
    arp_request,
    packet,
    solicitation,
)
from virtualtap import VirtualTap, ip_text, mac_text
from virtualtap.wire import dns
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.dns import Dns, Question, Record

dpkt = pytest.importorskip("dpkt")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the ciphers that scapy imports
    pytest.importorskip("scapy")
    from scapy.layers.dns import DNS
    from scapy.layers.inet import ICMP, IP, UDP
    from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
    from scapy.layers.l2 import ARP, Ether


def rebuilt(layer):
    """What scapy writes for the fields that it read, checksums and lengths computed anew."""
    for part in layer.iterpayloads():
        for name in ("chksum", "cksum", "len", "plen"):
            if name in part.fields:
                del part.fields[name]
    return bytes(layer)


@given(strategies.arps)
def test_scapy_and_dpkt_read_an_arp_message_alike(message):
    theirs, others = ARP(message.to_bytes()), dpkt.arp.ARP(message.to_bytes())
    assert (message.operation, message.sender_mac, message.sender_ip) == (
        others.op,
        others.sha,
        others.spa,
    )
    assert (message.target_mac, message.target_ip) == (others.tha, others.tpa)
    assert (theirs.op, theirs.hwsrc, theirs.psrc, theirs.hwdst, theirs.pdst) == (
        message.operation,
        mac_text(message.sender_mac),
        ip_text(message.sender_ip),
        mac_text(message.target_mac),
        ip_text(message.target_ip),
    )


@given(strategies.ipv4s)
def test_scapy_and_dpkt_read_an_ipv4_packet_alike(message):
    data = message.to_bytes()
    others = dpkt.ip.IP(data)
    assert (message.source, message.destination, message.ttl, message.protocol) == (
        others.src,
        others.dst,
        others.ttl,
        others.p,
    )
    assert (len(data), message.identification, message.tos, message.options) == (
        others.len,
        others.id,
        others.tos,
        others.opts,
    )
    theirs = IP(data[: len(data) - len(message.payload)])
    assert (theirs.src, theirs.dst) == (ip_text(message.source), ip_text(message.destination))
    assert int(theirs.flags) << 13 | theirs.frag == message.fragment


def test_scapy_computes_the_header_checksum_that_we_computed():
    assert rebuilt(IP(packet())) == packet()


@given(strategies.ipv6s)
def test_scapy_reads_an_ipv6_packet_alike(message):
    theirs = IPv6(message.to_bytes()[:40])
    assert (theirs.tc, theirs.fl, theirs.hlim, theirs.nh, theirs.plen) == (
        message.traffic_class,
        message.flow_label,
        message.hop_limit,
        message.next_header,
        len(message.payload),
    )
    assert (theirs.src, theirs.dst) == (ip_text(message.source), ip_text(message.destination))


@given(strategies.udps)
def test_scapy_computes_the_udp_checksum_that_we_computed(message):
    message.source_port = message.destination_port = 40000  # no protocol that scapy would dissect
    ours = packet(payload=message.between(OUR_IP, PEER))
    ours = ours[:9] + b"\x11" + ours[10:]
    theirs = rebuilt(
        IP(src=ip_text(OUR_IP), dst=ip_text(PEER)) / UDP(message.between(OUR_IP, PEER))
    )
    assert theirs[20:] == ours[20:]


@given(strategies.icmps)
def test_scapy_computes_the_icmp_checksum_that_we_computed(message):
    message.type = 8  # other types are dissected, and some rewritten
    theirs = ICMP(message.summed())
    ours = theirs.chksum
    del theirs.chksum
    computed = int.from_bytes(bytes(theirs)[2:4])
    assert computed % 0xFFFF == ours % 0xFFFF


def test_scapy_reads_our_arp_answer():
    tap = a_tap()
    tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, OUR_IP))
    (answer,) = tap.take_frames()
    theirs = Ether(
        bytes(
            Ether(dst=mac_text(PEER_MAC), src=mac_text(OUR_MAC))
            / ARP(
                op="is-at",
                hwsrc=mac_text(OUR_MAC),
                psrc=ip_text(OUR_IP),
                hwdst=mac_text(PEER_MAC),
                pdst=ip_text(PEER),
            )
        )
    )
    assert bytes(theirs) == answer


def test_scapy_reads_our_arp_question():
    tap = a_tap()
    tap.ip_to_ethernet(packet(PEER))
    (question,) = tap.take_frames()
    theirs = Ether(dst=mac_text(BROADCAST), src=mac_text(OUR_MAC)) / ARP(
        op="who-has", hwsrc=mac_text(OUR_MAC), psrc=ip_text(OUR_IP), pdst=ip_text(PEER)
    )
    assert bytes(theirs) == question


def test_scapy_writes_our_advertisement():
    tap = a_tap()
    tap.ethernet_to_ip(solicitation(PEER_MAC, PEER6, OUR_IP6))
    (answer,) = tap.take_frames()
    theirs = (
        Ether(dst=mac_text(PEER_MAC), src=mac_text(OUR_MAC))
        / IPv6(src=ip_text(OUR_IP6), dst=ip_text(PEER6), hlim=255)
        / ICMPv6ND_NA(tgt=ip_text(OUR_IP6), R=0, S=1, O=1)
        / ICMPv6NDOptDstLLAddr(lladdr=mac_text(OUR_MAC))
    )
    assert bytes(theirs) == answer


NAME = dns.name("www.example")


def comparable(message):
    """A message whose names scapy and dpkt print as they are, in the class that they know."""

    def plain(records):
        return tuple(Record(NAME, 1, 1, each.ttl, OUR_IP) for each in records)

    questions = tuple(Question(NAME, each.type) for each in message.questions)
    sections = map(plain, (message.answers, message.authorities, message.additional))
    return Dns(message.id, message.flags, questions, *sections)


@given(strategies.dnses)
def test_scapy_and_dpkt_read_a_dns_message_alike(message):
    message = comparable(message)
    data = message.to_bytes()
    theirs, others = DNS(data), dpkt.dns.DNS(data)
    assert (theirs.id, others.id, others.op) == (message.id, message.id, message.flags)
    counts = [
        len(message.questions),
        len(message.answers),
        len(message.authorities),
        len(message.additional),
    ]
    assert counts == [theirs.qdcount, theirs.ancount, theirs.nscount, theirs.arcount]
    assert counts == [len(others.qd), len(others.an), len(others.ns), len(others.ar)]
    assert [each.type for each in message.questions] == [each.type for each in others.qd]
    assert [each.ttl for each in message.answers] == [each.ttl for each in others.an]
    assert {each.rdata for each in others.an} <= {OUR_IP}


def test_scapy_reads_what_the_cache_answers():
    tap = Script(VirtualTap)
    learned(start(tap))
    said = answered(tap)
    theirs = IP(said)
    assert rebuilt(IP(said)) == said
    assert (theirs[DNS].id, theirs[DNS].an[0].rdata) == (7, "192.0.2.7")
