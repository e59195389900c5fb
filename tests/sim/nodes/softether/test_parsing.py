"""What a hub drops or cuts because of what is inside a frame: one test for each fact."""

import pytest
from hypothesis import given

from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.parsing import key_of, learning_key, parse
from tests import builders as b
from tests import strategies as some
from tests.sim.networks import datagram, echo
from virtualtap.wire.address import BROADCAST, NO_MAC, mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ipv4 import ICMP, TCP, UDP, Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6

HEAD = b.OUR_MAC + b.PEER_MAC
TAG = b"\x81\x00\x20\x05"  # priority 1, VLAN 5
TYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}


def whole(packet: bytes, tag: bytes = b"") -> bytes:
    return HEAD + tag + TYPES[packet[0] >> 4] + packet


def four(protocol: int, payload: bytes, **fields: int) -> bytes:
    return Ipv4(b.PEER, b.OUR_IP, protocol, payload, **fields).to_bytes()


def six(next_header: int, payload: bytes) -> bytes:
    return Ipv6(b.PEER6, b.OUR_IP6, next_header, payload).to_bytes()


def claims(packet: bytes, total: int) -> bytes:
    """The IPv4 packet with another total length; its checksum is not looked at."""
    return packet[:2] + total.to_bytes(2) + packet[4:]


# addresses


@pytest.mark.parametrize("source", [NO_MAC, BROADCAST, b.OUR_MAC])
def test_a_source_of_zeros_or_of_ones_or_equal_to_the_destination_is_dropped(source: bytes):
    assert parse(b.OUR_MAC + source + b"\x88\xb5") is None


@pytest.mark.parametrize("source", [mac("01:00:5e:00:00:01"), mac("33:33:00:00:00:01")])
def test_a_multicast_source_passes(source: bytes):
    frame = b.OUR_MAC + source + b"\x88\xb5"
    assert parse(frame) == frame


def test_a_destination_of_zeros_passes():
    frame = NO_MAC + b.PEER_MAC + b"\x88\xb5"
    assert parse(frame) == frame


# lengths


def test_14_bytes_pass_and_13_do_not():
    assert parse(HEAD + b"\x88\xb5") == HEAD + b"\x88\xb5"
    assert parse(HEAD + b"\x88") is None


@pytest.mark.parametrize("tag", [b"", TAG])
def test_an_arp_below_28_bytes_is_dropped(tag: bytes):
    message = Arp(1, b.PEER_MAC, b.PEER, NO_MAC, b.OUR_IP).to_bytes()
    frame = HEAD + tag + b"\x08\x06" + message
    assert parse(frame) == frame
    assert parse(frame[:-1]) is None


def test_the_padding_of_an_arp_stays():
    frame = b.padded(b.arp_request())
    assert parse(frame) == frame


def test_an_arp_of_another_hardware_type_and_a_reverse_arp_pass():
    frame = b.arp_request()
    for other in (frame[:14] + b"\0\6" + frame[16:], frame[:12] + b"\x80\x35" + frame[14:20]):
        assert parse(other) == other


@pytest.mark.parametrize("tag", [b"", TAG])
def test_an_ipv4_payload_below_20_bytes_is_dropped(tag: bytes):
    frame = whole(b.packet(payload=b""), tag)
    assert parse(frame) == frame
    assert parse(frame[:-1]) is None


@pytest.mark.parametrize(
    ("protocol", "least"), [(ICMP, 4), (UDP, 8), (TCP, 20)], ids=["icmp", "udp", "tcp"]
)
@pytest.mark.parametrize("tag", [b"", TAG])
def test_icmp_below_4_udp_below_8_and_tcp_below_20_bytes_are_dropped(
    protocol: int, least: int, tag: bytes
):
    assert parse(whole(four(protocol, bytes(least)), tag)) is not None
    assert parse(whole(four(protocol, bytes(least - 1)), tag)) is None


def test_options_do_not_count_as_payload():
    options = {"options": bytes(8)}
    assert parse(whole(four(UDP, bytes(8), **options))) is not None
    assert parse(whole(four(UDP, bytes(7), **options))) is None


def test_a_first_fragment_is_judged_and_a_later_one_is_not():
    assert parse(whole(four(TCP, bytes(8), fragment=0x2000))) is None
    later = whole(four(TCP, bytes(8), fragment=0x2001))
    assert parse(later) == later


def test_a_protocol_it_does_not_know_may_be_empty():
    assert parse(whole(four(253, b""))) is not None


@pytest.mark.parametrize("first", [0x41, 0x4F, 0x55])
def test_an_ipv4_header_of_another_length_or_version_passes(first: int):
    frame = whole(four(UDP, bytes(8)))
    other = frame[:14] + bytes([first]) + frame[15:]
    assert parse(other) == other


@pytest.mark.parametrize("tag", [b"", TAG])
def test_an_ipv6_payload_below_40_bytes_is_dropped(tag: bytes):
    frame = whole(six(59, b""), tag)
    assert parse(frame) == frame
    assert parse(frame[:-1]) is None


def test_an_ipv6_type_with_another_version_is_dropped():
    frame = whole(b.packet6())
    assert parse(frame[:14] + b"\x50" + frame[15:]) is None


@pytest.mark.parametrize(("kind", "least"), [(17, 8), (6, 20)], ids=["udp", "tcp"])
def test_udp_below_8_and_tcp_below_20_bytes_are_dropped_in_ipv6(kind: int, least: int):
    assert parse(whole(six(kind, bytes(least)))) is not None
    assert parse(whole(six(kind, bytes(least - 1)))) is None


def test_a_short_icmpv6_passes():
    assert parse(whole(six(ICMPV6, b"\x80"))) is not None


def test_a_first_fragment_of_ipv6_is_judged_and_a_later_one_is_not():
    for word, expected in ((1, None), (9, True), (8, True)):
        fragment = six(44, b"\x06\0" + word.to_bytes(2) + bytes(4) + bytes(19))
        assert (parse(whole(fragment)) is not None or None) is expected
    assert parse(whole(six(44, bytes(7)))) is None


def test_behind_an_extension_header_that_ends_the_frame_nothing_is_looked_for():
    ends = whole(six(0, b"\x11\0" + bytes(6)))
    assert parse(ends) == ends
    twice = whole(six(0, b"\x3c\0" + bytes(6) + b"\x11\0" + bytes(6)))
    assert parse(twice) is None  # the product takes the last header's type for what follows it


@pytest.mark.parametrize("kind", [0, 43, 60])
def test_extension_headers_are_walked_and_a_broken_one_is_dropped(kind: int):
    udp, options = bytes(8), b"\x11\x00" + bytes(6)  # next header UDP, 8 bytes
    assert parse(whole(six(kind, options + udp))) is not None
    assert parse(whole(six(kind, options + udp[:-1]))) is None
    assert parse(whole(six(kind, b"\x11\x01" + bytes(6)))) is None  # claims 16 bytes
    assert parse(whole(six(kind, options[:7]))) is None


def test_a_tag_cut_short_is_dropped():
    assert parse(HEAD + b"\x81\x00\x00\x05\x08") is None
    assert parse(HEAD + b"\x81\x00\x00\x05\x88\xb5") is not None


def test_a_length_instead_of_a_type_passes_though_nothing_follows():
    frame = HEAD + b"\x00\x26"
    assert parse(frame) == frame


# what is forwarded though it is wrong


def test_a_wrong_checksum_passes_as_it_is():
    frame = bytearray(whole(datagram(b.PEER, b.OUR_IP)))
    frame[24] ^= 1
    frame[-1] ^= 1
    assert parse(bytes(frame)) == bytes(frame)


def test_a_total_length_beyond_the_frame_passes():
    frame = whole(claims(four(UDP, bytes(8)), 1000))
    assert parse(frame) == frame


# a hub that is told not to look


def test_without_ip_parsing_nothing_is_dropped_or_computed_for_its_ip_but_it_is_cut():
    blind = HubOptions(DisableIPParsing=True)
    for frame in (
        *(whole(four(UDP, bytes(7))), whole(six(0, bytes(7))), HEAD + b"\x08\x06\0"),
        *(whole(four(TCP, bytes(20))), whole(four(UDP, bytes(7)), TAG)),
    ):
        assert parse(frame, blind) == frame
    assert parse(whole(b.packet()) + bytes(24), blind) == whole(b.packet())
    assert parse(HEAD + b"\x81\x00\x00\x05\x08", blind) is None


# trailing bytes


@pytest.mark.parametrize(
    "packet", [echo(b.PEER, b.OUR_IP), echo(b.PEER6, b.OUR_IP6)], ids=["v4", "v6"]
)
@pytest.mark.parametrize("tag", [b"", TAG])
def test_bytes_behind_an_ip_packet_are_cut_also_inside_one_tag(packet: bytes, tag: bytes):
    assert parse(whole(packet, tag) + bytes(24)) == whole(packet, tag)


def test_behind_a_second_tag_nothing_is_cut():
    frame = whole(b.packet(), TAG + TAG) + bytes(24)
    assert parse(frame) == frame


def test_a_tag_of_the_hubs_own_type_is_looked_behind_to_cut_but_not_to_drop():
    other = HubOptions(VlanTypeId=0x88A8)
    tag = b"\x88\xa8\x00\x05"
    assert parse(whole(b.packet(), tag) + bytes(24), other) == whole(b.packet(), tag)
    assert parse(whole(b.packet(), tag) + bytes(24)) == whole(b.packet(), tag) + bytes(24)
    assert parse(whole(b.packet(), TAG) + bytes(24), other) == whole(b.packet(), TAG) + bytes(24)
    short = whole(four(UDP, bytes(7)), tag)
    assert parse(short, other) == short


def test_below_24_bytes_nothing_is_cut():
    for frame in (HEAD + TAG + b"\x08\x00", HEAD + b"\x08\x06"):
        assert parse(frame) is None
    frame = HEAD + TYPES[4] + b"\x45\x00\x00\x05"
    assert parse(frame, HubOptions(DisableIPParsing=True)) == frame


def test_a_length_of_zero_means_all_that_follows():
    frame = whole(claims(four(253, bytes(8)), 0))
    assert parse(frame) == frame
    packet = six(59, bytes(8))
    jumbo = whole(packet[:4] + b"\0\0" + packet[6:])
    assert parse(jumbo) == jumbo


def test_it_is_cut_first_and_judged_afterwards():
    assert parse(whole(claims(four(253, bytes(8)), 12))) is None
    assert parse(whole(claims(four(UDP, bytes(8)), 27))) is None
    options = whole(claims(four(253, bytes(8), options=bytes(8)), 22))
    assert parse(options) == options[: 14 + 22]  # a header of 28 bytes, and nothing is known of it


@given(some.hostile_frames)
def test_what_passes_is_a_front_of_what_came(frame: bytes):
    passed = parse(frame)
    assert passed is None or (frame.startswith(passed) and len(passed) >= 14)


@given(some.hostile_frames)
def test_what_passes_teaches_an_address_of_six_bytes(frame: bytes):
    passed = parse(frame)
    if passed is not None:
        mac_learned, vlan = learning_key(passed)
        assert (len(mac_learned), 0 <= vlan < 4096) == (6, True)


# whose place is learned

BRIDGE = mac("02:00:00:00:0b:b1")
LLC = b"\x42\x42\x03"
BPDU = b"\0\0" + b"\0" + b"\0" + b"\0" + bytes(8) + bytes(4) + b"\x80\0" + BRIDGE + b"\x80\1"
STP = mac("01:80:c2:00:00:00") + b.PEER_MAC + (38).to_bytes(2) + LLC + BPDU + bytes(8)


def test_the_source_is_learned():
    assert learning_key(whole(b.packet())) == (b.PEER_MAC, 0)


def test_a_spanning_tree_message_teaches_the_bridge_inside():
    assert learning_key(STP) == (BRIDGE, 0)


def test_a_spanning_tree_message_without_a_bridge_teaches_its_source():
    for length in (16, 17, 36, 41, 51):
        assert learning_key(STP[:length]) == (b.PEER_MAC, 0)


def test_a_spanning_tree_message_longer_than_its_frame_teaches_its_source():
    assert learning_key(STP[:12] + (1500).to_bytes(2) + STP[14:]) == (b.PEER_MAC, 0)


@pytest.mark.parametrize(
    ("options", "of_bpdu", "of_tagged"),
    [
        ({}, BRIDGE, 5),
        ({"NoLookBPDUBridgeId": True}, b.PEER_MAC, 5),
        ({"NoManageVlanId": True}, BRIDGE, 0),
        ({"VlanTypeId": 0x88A8}, BRIDGE, 0),
        ({"NoManageVlanId": True, "NoLookBPDUBridgeId": True}, b.PEER_MAC, 0),
    ],
)
def test_options_say_whose_place_is_learned(
    options: dict[str, int], of_bpdu: bytes, of_tagged: int
):
    key = key_of(HubOptions(**options))  # type: ignore[arg-type]  # as they are
    assert (key(STP), key(whole(b.packet(), TAG))) == ((of_bpdu, 0), (b.PEER_MAC, of_tagged))


def test_other_llc_frames_teach_their_source():
    assert learning_key(STP[:14] + b"\xaa\xaa" + STP[16:]) == (b.PEER_MAC, 0)


def test_a_type_beyond_1500_is_no_length():
    assert learning_key(STP[:12] + b"\x42\x42" + STP[14:]) == (b.PEER_MAC, 0)


def test_the_vlan_id_without_its_priority_is_part_of_the_key():
    assert learning_key(whole(b.packet(), TAG)) == (b.PEER_MAC, 5)
    assert learning_key(whole(b.packet(), b"\x81\x00\xef\xff")) == (b.PEER_MAC, 0xFFF)


def test_another_tag_type_is_no_vlan():
    assert learning_key(whole(b.packet(), b"\x88\xa8\x00\x05")) == (b.PEER_MAC, 0)
