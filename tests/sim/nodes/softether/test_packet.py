"""One look into a frame: what it finds, and that nothing in a frame makes it fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.nodes.softether.packet import L3, L4, Packet
from sim.nodes.softether.parsing import parse
from tests.sim.networks import datagram
from tests.sim.nodes.softether.hubs import ONE, TWO, sent
from virtualtap.wire.address import ip

A, B = ip("fe80::1"), ip("fe80::2")
HEAD6 = TWO + ONE + b"\x86\xdd"


def chained(*extensions: tuple[int, bytes], last: int, body: bytes) -> Packet:
    """An IPv6 packet with these extension headers: their type, their bytes."""
    kinds = [kind for kind, _ in extensions] + [last]
    chain = b"".join(
        bytes((following,)) + data[1:]
        for (_, data), following in zip(extensions, kinds[1:], strict=True)
    )
    load = chain + body
    head = b"\x60\0\0\0" + len(load).to_bytes(2) + bytes((kinds[0], 64)) + A + B
    return Packet(HEAD6 + head + load)


UDP = bytes.fromhex("0222022300080000")  # 546 to 547


def test_ports_are_found_behind_extension_headers():
    hop, destination = bytes(8), b"\0\x01" + bytes(14)
    packet = chained((0, hop), (60, destination), last=17, body=UDP)
    assert (packet.l3, packet.l4, packet.protocol) == (L3.IPV6, L4.UDP, 17)
    assert (packet.source_port, packet.target_port) == (546, 547)
    assert (packet.source, packet.target) == (A, B)


def test_a_first_fragment_has_ports_and_a_later_one_has_none():
    first = chained((44, bytes(8)), last=17, body=UDP)
    later = chained((44, b"\0\0\0\x08" + bytes(4)), last=17, body=UDP)
    assert (first.l4, first.target_port) == (L4.UDP, 547)
    assert (later.l4, later.target_port, later.protocol) == (L4.FRAGMENT, 0, 17)


def test_an_unknown_header_is_the_protocol():
    packet = chained(last=50, body=bytes(8))
    assert (packet.l4, packet.protocol) == (L4.OTHER, 50)


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_what_is_cut_is_unknown(cut: int):
    packet = Packet((HEAD6[:12] + b"\x08\x00" + datagram(ip("10.0.0.1"), ip("10.0.0.2")))[:34])
    assert (packet.l3, packet.l4) == (L3.IPV4, L4.OTHER)
    assert chained(last=6, body=bytes(20 - cut)).l4 is L4.OTHER


def test_inside_one_tag_it_sees_ip_and_of_two_tags_only_the_outer():
    one = Packet(TWO + ONE + b"\x81\x00\xe0\x05\x08\x00" + datagram(ip("10.0.0.1"), ip("10.0.0.2")))
    assert (one.l3, one.vlan, one.at, one.target_port) == (L3.IPV4, 5, 18, 9)
    two = Packet(sent(head=b"\x81\x00\x00\x05\x81\x00\x00\x06\x08\x00"))
    assert (two.l3, two.vlan) == (L3.TAGGED, 5)
    other = Packet(sent(head=b"\x88\xa8\x00\x05\x08\x00"))
    assert (other.l3, other.vlan) == (L3.OTHER, 0)


def test_a_bpdu_is_known_by_its_saps():
    assert Packet(sent(head=b"\x00\x26\x42\x42\x03")).l3 is L3.BPDU
    assert Packet(sent(head=b"\x00\x26\x06\x06\x03")).l3 is L3.OTHER
    assert Packet(sent(head=b"\x06\x00\x42\x42\x03")).l3 is L3.OTHER


def test_a_bpdu_that_is_cut_is_none():
    whole = sent(head=b"\x00\x26\x42\x42\x03", length=52)
    assert Packet(whole).l3 is L3.BPDU
    assert Packet(whole[:51]).l3 is L3.OTHER
    assert Packet(b"".join((whole[:12], b"\x00\x27", whole[14:]))).l3 is L3.OTHER


def test_a_flat_look_sees_only_ethernet():
    ip4 = TWO + ONE + b"\x08\x00" + datagram(ip("10.0.0.1"), ip("10.0.0.2"))
    tagged = ip4[:12] + b"\x81\x00\x00\x05" + ip4[12:]
    assert (Packet(ip4, flat=True).l3, Packet(ip4, flat=True).source) == (L3.OTHER, None)
    assert (Packet(tagged, flat=True).l3, Packet(tagged, flat=True).vlan) == (L3.TAGGED, 5)
    assert Packet(sent(head=b"\x00\x26\x42\x42\x03"), flat=True).l3 is L3.BPDU


def test_every_fragment_is_known_as_one_the_first_too():
    ip4 = TWO + ONE + b"\x08\x00" + datagram(ip("10.0.0.1"), ip("10.0.0.2"))
    for word, expected in ((0, False), (0x4000, False), (0x2000, True), (1, True)):
        assert Packet(ip4[:20] + word.to_bytes(2) + ip4[22:]).is_fragment is expected
    for word, expected in ((0, False), (6, False), (1, True), (8, True)):
        chain = (44, b"\0\0" + word.to_bytes(2) + bytes(4))
        assert chained(chain, last=17, body=UDP).is_fragment is expected


@pytest.mark.parametrize("offset", [0x40, 0x60])
def test_tcp_with_a_header_of_another_length_is_unknown(offset: int):
    body = bytes(12) + bytes((offset, 2)) + bytes(6)
    assert chained(last=6, body=body).l4 is L4.OTHER


@pytest.mark.parametrize(
    ("kind", "least"), [(128, 8), (133, 8), (134, 16), (135, 24), (136, 24), (1, 4)]
)
def test_an_icmp6_message_that_is_too_short_is_unknown(kind: int, least: int):
    body = bytes((kind,)) + bytes(least - 1)
    assert chained(last=58, body=body).flags == kind
    assert chained(last=58, body=body[:-1]).l4 is L4.OTHER


def test_a_broken_chain_leaves_the_addresses():
    packet = chained((0, b"\0\x05" + bytes(6)), last=17, body=UDP)
    assert (packet.source, packet.protocol, packet.l4) == (A, -1, L4.OTHER)
    assert chained(last=58, body=b"").l4 is L4.OTHER


KINDS = st.sampled_from((b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00", b"\x00\x26", b""))
STARTS = st.sampled_from((b"\x45", b"\x60", b"\x00\x05\x08\x00\x46", b"\x00\x05\x86\xdd\x60", b""))


@pytest.mark.slow
@given(kind=KINDS, start=STARTS, rest=st.binary(max_size=120))
def test_no_frame_that_is_let_pass_makes_it_fail(kind: bytes, start: bytes, rest: bytes):
    frame = parse(TWO + ONE + kind + start + rest)
    if frame is None:
        return
    packet = Packet(frame)
    assert packet.source is None or len(packet.source) in (4, 16)
    assert isinstance(packet.dhcp, bytes)
    assert packet.l4 is L4.OTHER or packet.l4_at <= len(frame)


@pytest.mark.slow
@given(head=st.binary(max_size=12), kind=KINDS, start=STARTS, rest=st.binary(max_size=120))
def test_no_bytes_make_it_fail(head: bytes, kind: bytes, start: bytes, rest: bytes):
    packet = Packet(head + kind + start + rest)
    assert packet.source is None or len(packet.source) in (4, 16)
    assert packet.is_group in (True, False)
    assert isinstance(packet.dhcp, bytes)


@pytest.mark.parametrize("tag", [b"", b"\x81\x00\x00\x05"])
@pytest.mark.parametrize(
    "whole",
    [
        HEAD6[12:] + b"\x60\0\0\0\0\x08\x3a" + bytes(33),
        b"\x08\x00" + bytes((0x45,)) + bytes(19),
        b"\x08\x06" + bytes.fromhex("0001080006040001") + bytes(20),
    ],
)
def test_what_ends_in_its_header_is_nothing_above_ethernet(tag: bytes, whole: bytes):
    frame = HEAD6[:12] + tag + whole
    nothing = L3.TAGGED if tag else L3.OTHER
    looks = {Packet(frame[:length]).l3 for length in range(len(HEAD6 + tag), len(frame))}
    assert looks == {nothing}
    assert Packet(frame).l3 is not nothing
