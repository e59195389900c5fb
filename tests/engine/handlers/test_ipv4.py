"""IPv4: the next hop, who is meant, what lengths must hold. RFC 791, 894, 1112, 1122 3.3."""

import pytest

from tests.builders import (
    FAR,
    GATEWAY,
    GATEWAY_MAC,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_request,
    dropped,
    frame,
    packet,
    padded,
    vector,
)
from virtualtap import SECOND, DropReason, Serving, ip, mac
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.ipv4 import TCP, Ipv4

GROUP_MAC = mac("01:00:5e:00:00:01")


# towards the network


@pytest.mark.parametrize("payload", [b"", b"hello", bytes(1480)], ids=len)
def test_a_packet_for_a_known_neighbor_gets_14_bytes_in_front(payload):
    tap = a_tap_that_knows(PEER)
    for _ in range(2):  # the second time from memory
        sent = tap.ip_to_ethernet(packet(PEER, payload=payload))
        assert sent == PEER_MAC + OUR_MAC + b"\x08\x00" + packet(PEER, payload=payload)


@pytest.mark.parametrize("destination", ["255.255.255.255", "10.0.0.255"])
def test_a_broadcast_goes_to_everyone_without_a_question(tap, destination):
    sent = tap.ip_to_ethernet(packet(ip(destination)))
    assert sent == frame(packet(ip(destination)), BROADCAST, OUR_MAC)
    assert tap.take_frames() == []


@pytest.mark.parametrize("group", ["224.0.0.1", "224.128.0.1", "225.0.0.1"])
def test_a_group_maps_to_its_mac_without_a_question(tap, group):
    # RFC 1112 6.4
    sent = tap.ip_to_ethernet(packet(ip(group)))
    assert sent == frame(packet(ip(group)), GROUP_MAC, OUR_MAC)
    assert tap.take_frames() == []


def asked(tap, destination: str) -> bytes | None:
    """Whom a packet for `destination` asks for."""
    assert tap.ip_to_ethernet(packet(ip(destination))) is None
    frames = tap.take_frames()
    return frames[0][38:42] if frames else None


@pytest.mark.parametrize(
    ("prefix_length", "destination", "next_hop"),
    [
        (24, "10.0.0.2", "10.0.0.2"),
        (24, "10.0.0.0", "10.0.0.0"),
        (24, "10.0.1.2", "10.0.0.254"),
        (24, "10.0.0.254", "10.0.0.254"),
        (16, "10.0.1.2", "10.0.1.2"),
        (16, "10.0.0.255", "10.0.0.255"),
        (0, "192.0.2.9", "192.0.2.9"),
        (31, "10.0.0.0", "10.0.0.0"),
        (31, "10.0.0.2", "10.0.0.254"),
        (31, "10.0.0.255", "10.0.0.254"),
        (32, "10.0.0.2", "10.0.0.254"),
        (32, "10.0.0.254", "10.0.0.254"),
    ],
)
def test_the_next_hop_is_the_destination_on_link_and_else_the_gateway(
    prefix_length, destination, next_hop
):
    # RFC 1122 3.3.1.1; RFC 3021: a network of two has no broadcast
    tap = a_tap(prefix_length=prefix_length)
    assert asked(tap, destination) == ip(next_hop)


def test_a_gateway_off_our_subnet_is_asked_for_itself():
    tap = a_tap(gateway_ip=FAR)
    assert asked(tap, "8.8.8.8") == FAR


def test_without_an_address_all_goes_to_the_gateway():
    tap = a_tap(our_ip=None)
    assert asked(tap, "10.0.0.2") == GATEWAY


def test_without_an_address_and_a_gateway_every_destination_is_on_link():
    tap = a_tap(our_ip=None, gateway_ip=None)
    assert asked(tap, "192.0.2.9") == FAR


def test_two_destinations_behind_the_gateway_wait_for_one_answer(tap):
    assert asked(tap, "192.0.2.9") == GATEWAY
    assert asked(tap, "192.0.2.10") is None
    tap.ethernet_to_ip(arp_request(GATEWAY_MAC, GATEWAY, OUR_IP))
    released = tap.take_frames()[:2]
    assert [sent[:6] for sent in released] == [GATEWAY_MAC] * 2
    assert [sent[30:34] for sent in released] == [FAR, ip("192.0.2.10")]


@pytest.mark.parametrize(
    "destination", ["192.0.2.9", "0.0.0.0", "127.0.0.1", "240.0.0.1", "10.0.0.1"]
)
def test_there_is_no_route_to_far_places_without_a_gateway_nor_to_nobody_nor_to_ourselves(
    destination,
):
    tap = a_tap(gateway_ip=None)
    assert asked(tap, destination) is None
    assert dropped(tap, DropReason.NO_ROUTE) == 1
    assert tap.holding() == 0


@pytest.mark.parametrize("destination", ["0.0.0.0", "127.0.0.1", "10.0.0.1"])
def test_a_caller_who_handles_arp_reaches_nobody_there_either(destination):
    tap = a_tap(handle_arp_internally=False)
    assert asked(tap, destination) is None
    assert dropped(tap, DropReason.NO_ROUTE) == 1


def test_a_packet_as_long_as_the_mtu_is_sent_and_one_byte_more_is_not_where_it_may_not_be_cut():
    tap = a_tap_that_knows(PEER, mtu=1280)
    for _ in range(2):  # the second time from memory
        assert tap.ip_to_ethernet(packet(PEER, payload=bytes(1260), fragment=0x4000)) is not None
    assert tap.ip_to_ethernet(packet(PEER, payload=bytes(1261), fragment=0x4000)) is None
    assert dropped(tap, DropReason.TOO_BIG) == 1


@pytest.mark.parametrize("known", [True, False], ids=["from memory", "first"])
def test_what_stands_behind_a_packet_is_not_sent(known):
    tap = a_tap_that_knows(PEER)
    if known:
        tap.ip_to_ethernet(packet(PEER))
    assert tap.ip_to_ethernet(packet(PEER) + b"behind") == frame(packet(PEER), PEER_MAC, OUR_MAC)


def test_a_packet_with_options_is_sent_whole():
    tap = a_tap_that_knows(PEER)
    with_options = packet(PEER, options=b"\x94\x04\0\0")
    for _ in range(2):
        assert tap.ip_to_ethernet(with_options) == frame(with_options, PEER_MAC, OUR_MAC)


LIES = {
    "empty": b"",
    "no version": b"\x05" + packet()[1:],
    "short": packet()[:19],
    "header of 4 words": b"\x44" + packet()[1:],
    "header beyond the end": b"\x4f" + packet()[1:],
    "longer than given": packet()[:2] + b"\xff\xff" + packet()[4:],
    "shorter than its header": packet()[:2] + b"\x00\x13" + packet()[4:],
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_packet_that_lies_is_malformed(lie):
    tap = a_tap_that_knows(PEER)
    tap.ip_to_ethernet(packet(PEER))
    assert tap.ip_to_ethernet(lie) is None
    assert dropped(tap, DropReason.MALFORMED) == tap.stats.dropped_total == 1


def test_the_memory_of_headers_has_a_limit():
    tap = a_tap_that_knows(GATEWAY, at=GATEWAY_MAC, headers_max=3)
    for last in range(10):
        destination = bytes((192, 0, 2, last))
        expected = frame(packet(destination), GATEWAY_MAC, OUR_MAC)
        assert tap.ip_to_ethernet(packet(destination)) == expected
        assert len(tap._core.outward) <= 3


# towards the host


def to_us(**changes: object) -> bytes:
    return packet(to=OUR_IP, source=PEER, **changes)


def test_a_packet_for_us_comes_out_without_its_14_bytes(tap):
    assert tap.ethernet_to_ip(frame(to_us())) == to_us()
    assert tap.stats.to_ip == 1


def test_padding_is_trimmed(tap):
    assert len(frame(to_us())) < 60
    assert tap.ethernet_to_ip(padded(frame(to_us()))) == to_us()


def test_a_packet_with_options_comes_out_whole(tap):
    with_options = to_us(options=b"\x94\x04\0\0")
    assert tap.ethernet_to_ip(frame(with_options)) == with_options


@pytest.mark.parametrize(
    ("destination", "link"),
    [
        ("255.255.255.255", BROADCAST),
        ("10.0.0.255", BROADCAST),
        ("224.0.0.1", GROUP_MAC),
        ("224.0.0.1", OUR_MAC),
    ],
)
def test_a_broadcast_or_group_packet_comes_out(tap, destination, link):
    sent = packet(ip(destination), source=PEER)
    assert tap.ethernet_to_ip(frame(sent, link)) == sent


def test_a_unicast_packet_inside_a_link_broadcast_is_refused(tap):
    # RFC 1122 3.3.6
    for link in (BROADCAST, GROUP_MAC):
        assert tap.ethernet_to_ip(frame(to_us(), link)) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 2


@pytest.mark.parametrize("destination", ["10.0.0.2", "10.0.1.255", "0.0.0.0"])
def test_a_packet_for_another_is_refused(tap, destination):
    assert tap.ethernet_to_ip(frame(packet(ip(destination), source=PEER))) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


def test_without_an_address_every_packet_to_our_mac_comes_out():
    tap = a_tap(our_ip=None)
    sent = packet(FAR, source=PEER)
    assert tap.ethernet_to_ip(frame(sent)) == sent
    assert tap.ethernet_to_ip(frame(sent, BROADCAST)) is None


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_frame_whose_packet_lies_is_malformed(tap, lie):
    assert tap.ethernet_to_ip(frame(lie, ethertype=b"\x08\x00")) is None
    assert dropped(tap, DropReason.MALFORMED) == tap.stats.dropped_total == 1


def test_a_total_length_beyond_the_frame_is_malformed(tap):
    assert tap.ethernet_to_ip(frame(to_us())[:-1]) is None
    assert dropped(tap, DropReason.MALFORMED) == 1


def test_whoever_did_not_answer_is_asked_for_again_by_the_next_packet():
    tap = a_tap(when_unresolved="broadcast")
    for now in (0, 60 * SECOND):
        assert tap.ip_to_ethernet(packet(PEER), now)[:6] == BROADCAST
        assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, PEER)]
        tap.poll(now + 30 * SECOND)
        tap.take_frames()


def test_a_packet_as_long_as_the_mtu_is_not_cut():
    tap = a_tap_that_knows(PEER)
    for _ in range(2):
        tap.ip_to_ethernet(packet(PEER, payload=bytes(1480)))
    assert (tap.stats.to_ethernet, tap.stats.fragmented) == (2, 0)
    for _ in range(2):
        tap.ip_to_ethernet(packet(PEER, payload=bytes(1481)))
    assert (tap.stats.to_ethernet, tap.stats.fragmented) == (4, 2)


def test_a_packet_to_ourselves_may_come_from_the_link_alone_where_others_are_passed_on():
    # RFC 3927 7
    tap = a_tap(gateway_ip=None, gateway_ip6=None, serve=Serving())
    said = packet(OUR_IP, ip("169.254.1.1"))
    assert tap.ethernet_to_ip(frame(said)) == said
    assert tap.ethernet_to_ip(frame(packet(FAR, ip("169.254.1.1")))) is None


@pytest.mark.parametrize(
    ("group", "heard"),
    [("224.250.0.1", False), ("224.239.0.1", True), ("224.1.250.1", True), ("224.240.0.1", False)],
)
def test_softethers_client_reads_the_second_byte_of_a_group(group, heard):
    tap = a_tap(profile="softether-ipc")
    said = packet(ip(group), PEER)
    assert (tap.ethernet_to_ip(frame(said, GROUP_MAC)) == said) == heard


def test_softethers_client_reads_no_second_byte_of_another_address():
    ours = ip("10.250.0.1")
    tap = a_tap(profile="softether-ipc", our_ip=ours, prefix_length=8)
    assert tap.ethernet_to_ip(frame(packet(ours, PEER))) == packet(ours, PEER)


def test_packets_to_several_neighbors_are_counted():
    tap = a_tap_that_knows(PEER, GATEWAY)
    for destination in (PEER, FAR):
        tap.ip_to_ethernet(packet(destination))
    assert tap.stats.to_ethernet == 2


def test_what_comes_is_clamped_only_if_asked_for():
    said = Ipv4(PEER, OUR_IP, TCP, vector("tcp_syn")).to_bytes()
    assert a_tap(mtu=576).ethernet_to_ip(frame(said)) == said
    assert a_tap(mtu=576, clamp_mss=True).ethernet_to_ip(frame(said)) not in (None, said)
