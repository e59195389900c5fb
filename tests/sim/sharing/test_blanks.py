"""Blank frames: what was said is zeros, who it was is pseudonyms, and all else is as it was."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.capture import ETHERNET, RAW_IP
from sim.capture_reader import LINK_TYPES, LINUX_SLL, LINUX_SLL2
from sim.sharing.blanks import Blanks
from sim.sharing.pseudonyms import Pseudonyms
from virtualtap.wire import checksum

logging.getLogger("scapy").setLevel(logging.CRITICAL)
scapy = pytest.importorskip("scapy.all", reason="scapy is the oracle of the bytes")

WHO = Pseudonyms(bytes(range(32)))
BLANKS = Blanks(WHO)
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
ONE, TWO = "10.0.0.1", "10.0.0.2"
ONE6, TWO6 = "fd00::1", "fd00::2"
SECRET = b"a secret that nobody shall read!"


def ether(inside, kind=None):
    """Bytes of a frame from A to B."""
    words = {} if kind is None else {"type": kind}
    return bytes(scapy.Ether(src=A, dst=B, **words) / inside)


def blank(frame):
    """The blank frame as scapy reads it. It is as long, and right in every sum."""
    data = bytes(frame)
    made = BLANKS.frame(data)
    assert len(made) == len(data)
    assert SECRET not in made
    for own in (
        "02000000000a",
        "02000000000b",
        "0a000001",
        "0a000002",
        "fd000000000000000000000000000001",
    ):
        assert bytes.fromhex(own) not in made
    assert _summed(made) == made
    return scapy.Ether(made)


def _summed(data):
    """The same frame with all checksums as scapy reckons them."""
    packet = scapy.Ether(data)
    layer = packet
    while layer:
        for field in ("chksum", "cksum"):
            if field in layer.fields:
                del layer.fields[field]
        layer = layer.payload
    return bytes(packet)


def ip(text):
    return WHO.address(text)


UDP = scapy.UDP(sport=1000, dport=53) / SECRET
TCP = scapy.TCP(
    sport=1,
    dport=2,
    seq=7,
    options=[("MSS", 1460), ("WScale", 7), ("SAckOK", b""), (253, SECRET[:8])],
)


def test_udp_keeps_its_ports_and_its_length():
    made = blank(ether(scapy.IP(src=ONE, dst=TWO) / UDP))
    assert (made.src, made.dst) == (ip(A), ip(B))
    assert (made[scapy.IP].src, made[scapy.IP].dst) == (ip(ONE), ip(TWO))
    assert (made[scapy.UDP].sport, made[scapy.UDP].dport) == (1000, 53)
    assert bytes(made[scapy.UDP].payload) == bytes(len(SECRET)) or made[scapy.UDP].len == 40


def test_udp_without_a_checksum_has_none_afterwards():
    made = scapy.Ether(BLANKS.frame(ether(scapy.IP(src=ONE) / scapy.UDP(chksum=0) / SECRET)))
    assert made[scapy.UDP].chksum == 0


def test_udp_over_ipv6():
    made = blank(ether(scapy.IPv6(src=ONE6, dst=TWO6) / UDP))
    assert (made[scapy.IPv6].src, made[scapy.IPv6].dst) == (ip(ONE6), ip(TWO6))


def test_tcp_keeps_its_header_and_the_options_that_name_nobody():
    made = blank(ether(scapy.IP(src=ONE, dst=TWO) / TCP / SECRET))
    kept = dict(one for one in made[scapy.TCP].options if one[0] in ("MSS", "WScale"))
    assert (kept, made[scapy.TCP].seq) == ({"MSS": 1460, "WScale": 7}, 7)
    blank(ether(scapy.IPv6(src=ONE6, dst=TWO6) / TCP / SECRET))


def test_an_echo_keeps_its_identity():
    made = blank(ether(scapy.IP(src=ONE, dst=TWO) / scapy.ICMP(id=7, seq=9) / SECRET))
    assert (made[scapy.ICMP].id, made[scapy.ICMP].seq) == (7, 9)
    made = blank(ether(scapy.IPv6(src=ONE6, dst=TWO6) / scapy.ICMPv6EchoRequest(id=7, data=SECRET)))
    assert made[scapy.ICMPv6EchoRequest].id == 7


def test_a_packet_that_an_error_quotes_is_blank_too():
    quoted = scapy.IP(src=ONE, dst=TWO) / UDP
    error = scapy.ICMP(type=3, code=4, nexthopmtu=1280)
    made = blank(ether(scapy.IP(src=TWO, dst=ONE) / error / quoted))
    assert made[scapy.ICMP].nexthopmtu == 1280
    assert made[scapy.IPerror].src == ip(ONE)
    quoted6 = scapy.IPv6(src=ONE6, dst=TWO6) / UDP
    made = blank(
        ether(scapy.IPv6(src=TWO6, dst=ONE6) / scapy.ICMPv6PacketTooBig(mtu=1280) / quoted6)
    )
    assert (made[scapy.ICMPv6PacketTooBig].mtu, made[scapy.IPerror6].src) == (1280, ip(ONE6))


def test_a_redirect_names_another_router():
    quoted = scapy.IP(src=ONE, dst=TWO) / UDP
    made = blank(ether(scapy.IP(src=TWO, dst=ONE) / scapy.ICMP(type=5, gw="10.0.0.2") / quoted))
    assert made[scapy.ICMP].gw == ip("10.0.0.2")


def test_arp_is_between_others():
    frame = ether(scapy.ARP(op=2, hwsrc=A, psrc=ONE, hwdst=B, pdst=TWO), 0x0806) + SECRET
    made = blank(frame)[scapy.ARP]
    assert (made.op, made.hwsrc, made.psrc) == (2, ip(A), ip(ONE))
    assert (made.hwdst, made.pdst) == (ip(B), ip(TWO))


def test_neighbors_are_discovered_under_pseudonyms():
    options = scapy.ICMPv6NDOptSrcLLAddr(lladdr=A)
    asked = scapy.ICMPv6ND_NS(tgt=TWO6) / options
    made = blank(ether(scapy.IPv6(src=ONE6, dst="ff02::1:ff00:2") / asked))
    assert made[scapy.ICMPv6ND_NS].tgt == ip(TWO6)
    assert made[scapy.ICMPv6NDOptSrcLLAddr].lladdr == ip(A)
    assert made[scapy.IPv6].dst[-7:] == ip(TWO6)[-7:]
    made = blank(ether(scapy.IPv6(src=ONE6, dst=TWO6) / scapy.ICMPv6ND_NA(tgt=ONE6)))
    assert made[scapy.ICMPv6ND_NA].tgt == ip(ONE6)


def test_a_router_says_another_prefix_of_the_same_length():
    prefix = scapy.ICMPv6NDOptPrefixInfo(prefix="fd00:0:0:1::", prefixlen=64)
    more = scapy.ICMPv6NDOptMTU(mtu=1280) / scapy.ICMPv6NDOptRDNSS(dns=[ONE6])
    said = scapy.ICMPv6ND_RA(routerlifetime=77) / prefix / more
    made = blank(ether(scapy.IPv6(src="fe80::1", dst="ff02::1") / said))
    told = made[scapy.ICMPv6NDOptPrefixInfo]
    host = WHO.address("fd00:0:0:1:a:b:c:d")
    assert (told.prefixlen, told.prefix.split("::")[0]) == (64, ":".join(host.split(":")[:4]))
    assert made[scapy.ICMPv6NDOptMTU].mtu == 1280


def test_groups_are_reported_under_pseudonyms():
    group, source = WHO.ip(b"\xef\1\2\3"), WHO.ip(b"\x0a\0\0\1")
    reports = {
        b"\x16\0\0\0\xef\1\2\3": group,
        b"\x22\0\0\0\0\0\0\1\4\0\0\1\xef\1\2\3\x0a\0\0\1": b"\4\0\0\1" + group + source,
        b"\x99\0\0\0\xef\1\2\3": bytes(4),
    }
    for report, named in reports.items():
        made = BLANKS.frame(ether(scapy.IP(src=ONE, dst=TWO, proto=2) / report))
        header, inside = made[14 : -len(report)], made[-len(report) :]
        assert checksum.is_right(header) and checksum.is_right(inside)
        assert inside[0] == report[0] and inside.endswith(named)


def test_listeners_report_under_pseudonyms():
    group = "ff3e::1234:5678"
    made = blank(ether(scapy.IPv6(src=ONE6, dst=TWO6) / scapy.ICMPv6MLReport(mladdr=group)))
    assert made[scapy.ICMPv6MLReport].mladdr == ip(group)
    record = scapy.ICMPv6MLDMultAddrRec(dst=group, sources=[ONE6])
    made = blank(ether(scapy.IPv6(src=ONE6, dst=TWO6) / scapy.ICMPv6MLReport2(records=[record])))
    assert made[scapy.ICMPv6MLDMultAddrRec].dst == ip(group)


def test_what_stands_before_the_payload_of_ipv6_is_kept_without_what_it_says():
    alert = scapy.IPv6ExtHdrHopByHop(options=[scapy.RouterAlert()])
    made = blank(ether(scapy.IPv6(src=ONE6, dst=TWO6) / alert / scapy.ICMPv6MLQuery()))
    assert bytes(made[scapy.IPv6ExtHdrHopByHop].options[0])[:2] == b"\x05\x02"
    secret = scapy.IPv6ExtHdrDestOpt(options=[scapy.HBHOptUnknown(otype=30, optdata=SECRET[:12])])
    data = BLANKS.frame(ether(scapy.IPv6(src=ONE6, dst=TWO6) / secret / UDP))
    assert SECRET[:12] not in data and scapy.Ether(data)[scapy.UDP].dport == 53


def test_options_of_ipv4_are_nothing_but_the_alert_of_routers():
    route = scapy.IPOption_RR(length=7, routers=[ONE])
    made = scapy.Ether(BLANKS.frame(ether(scapy.IP(src=TWO, dst=TWO, options=[route]) / UDP)))
    assert bytes(made)[34:42] == b"\1" * 8
    alert = scapy.IPOption_Router_Alert()
    made = blank(ether(scapy.IP(src=ONE, dst=TWO, options=[alert]) / UDP))
    assert bytes(made)[34:38] == b"\x94\x04\0\0"


@pytest.mark.parametrize("source", [ONE, ONE6])
def test_what_is_in_pieces_is_blank_in_each_and_whole_again_it_is_right(source):
    if ":" in source:
        whole = (
            scapy.IPv6(src=ONE6, dst=TWO6)
            / scapy.IPv6ExtHdrFragment(id=7)
            / scapy.UDP()
            / (SECRET * 50)
        )
        pieces = scapy.fragment6(whole, 600)
    else:
        pieces = scapy.fragment(scapy.IP(src=ONE, dst=TWO) / scapy.UDP() / (SECRET * 50), 600)
    assert len(pieces) > 2
    made = [BLANKS.frame(ether(piece)) for piece in pieces]
    assert all(SECRET not in one for one in made)
    inside = [scapy.Ether(one).payload for one in made]
    whole = scapy.defragment6(inside) if ":" in source else scapy.defragment(inside)[0]
    whole = scapy.Ether(ether(whole)).payload
    right = bytes(whole)
    del whole[scapy.UDP].chksum
    assert bytes(whole) == right


def test_tags_are_kept():
    frame = scapy.Ether(src=A, dst=B) / scapy.Dot1Q(vlan=7) / scapy.IP(src=ONE, dst=TWO) / UDP
    assert blank(frame)[scapy.Dot1Q].vlan == 7
    ringed = scapy.Ether(src=A, dst=B, type=0x8100) / bytes.fromhex("0001810000028100") / SECRET
    blank(ringed)


def test_what_stands_behind_a_packet_is_zeros():
    data = ether(scapy.IP(src=ONE, dst=TWO) / UDP)
    assert BLANKS.frame(data + SECRET) == BLANKS.frame(data) + bytes(len(SECRET))


@pytest.mark.parametrize("proto", [0, 1, 2, 6, 17, 47, 58, 132, 255])
def test_what_is_not_understood_is_zeros(proto):
    for short in (b"", SECRET[:7], SECRET):
        made = BLANKS.frame(ether(scapy.IP(src=ONE, dst=TWO, proto=proto) / short))
        assert SECRET[20:] not in made and (proto == 6 or SECRET[:7] not in made)
    assert BLANKS.frame(ether(SECRET, 0x88B5))[14:] == bytes(len(SECRET))


def test_cooked_captures_are_blank_too():
    packet = bytes(scapy.IP(src=ONE, dst=TWO) / UDP)
    mac = bytes.fromhex(A.replace(":", ""))
    cooked = bytes.fromhex("000000010006") + mac + b"\1\2\x08\0" + packet
    made = BLANKS.record(LINUX_SLL, cooked)
    assert made == cooked[:6] + WHO.mac(mac) + b"\0\0\x08\0" + BLANKS.packet(packet)
    cooked2 = bytes.fromhex("080000000000000100010006") + mac + b"\1\2" + packet
    made = BLANKS.record(LINUX_SLL2, cooked2)
    assert made == cooked2[:12] + WHO.mac(mac) + b"\0\0" + BLANKS.packet(packet)
    assert BLANKS.record(RAW_IP, packet) == BLANKS.packet(packet)
    assert BLANKS.record(999, packet) == bytes(len(packet))


@given(st.sampled_from(LINK_TYPES), st.binary(max_size=200))
def test_any_bytes_become_as_many(link_type, data):
    assert len(BLANKS.record(link_type, data)) == len(data)


KINDS = [b"\x08\0\x45", b"\x86\xdd\x60", b"\x08\x06\0", b"\x81\0\0"]


@given(st.sampled_from(KINDS), st.binary(min_size=6, max_size=6), st.binary(max_size=160))
def test_any_packet_becomes_as_long_a_one(kind, head, data):
    frame = bytes(12) + kind + head + data
    made = BLANKS.record(ETHERNET, frame)
    assert (len(made), made[12:14]) == (len(frame), frame[12:14])


HEADERS6 = st.sampled_from([bytes([one]) for one in (0, 60, 44, 58, 6, 17, 43, 59)])
TYPES6 = st.sampled_from([*range(1, 5), *range(128, 138), 143])


@given(HEADERS6, TYPES6, st.binary(max_size=120))
def test_any_message_inside_becomes_as_long_a_one(header, kind, data):
    inside = bytes([kind]) + data
    packet = b"\x60\0\0\0" + len(inside).to_bytes(2) + header + b"\x40" + bytes(range(32)) + inside
    assert len(BLANKS.packet(packet)) == len(packet)
    old = b"\x45\0" + (20 + len(inside)).to_bytes(2) + bytes(4) + b"\x40" + header + bytes(10)
    assert len(BLANKS.packet(old + inside)) == 20 + len(inside)
