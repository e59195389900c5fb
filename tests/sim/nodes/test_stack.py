"""What an endpoint takes and what it refuses, with the reason for each."""

import pytest

from sim.nodes.station import Station
from tests import builders as b
from tests.sim.networks import (
    a_station_and_a_listener,
    datagram,
    echo,
    station_mac,
)
from virtualtap.wire.address import ip
from virtualtap.wire.arp import Arp
from virtualtap.wire.ipv4 import UDP, Ipv4

OURS, OURS6, OUR_MAC = ip("10.0.0.1"), ip("fd00::1"), station_mac(1)
PEER, PEER6, PEER_MAC = b.PEER, b.PEER6, b.PEER_MAC


def hears(*frames: bytes, pause: int = 0) -> tuple[Station, list[bytes]]:
    """What a station says when these frames come to it, `pause` ns apart."""
    network, station, listener = a_station_and_a_listener()
    for i, frame in enumerate(frames):
        listener.say_at(i * pause, frame)
    network.run(100 + len(frames) * pause)
    assert network.ledger() == []
    return station, listener.frames()


def refused(*frames: bytes) -> dict[str, int]:
    station, said = hears(*frames)
    assert said == []
    return station.fates.dropped


TO_US = b.frame(datagram(PEER, OURS), OUR_MAC)


def changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


REFUSED = {
    "a flooded frame": (b.frame(datagram(PEER, OURS), b.STRANGER_MAC), "not-for-us"),
    "a frame for us to another address": (b.frame(datagram(PEER, b.NOBODY), OUR_MAC), "not-for-us"),
    "a v6 frame to another address": (
        b.frame(datagram(PEER6, b.NOBODY6), OUR_MAC),
        "not-for-us",
    ),
    "a port nobody listens at": (TO_US, "no-listener"),
    "a v6 port nobody listens at": (b.frame(datagram(PEER6, OURS6), OUR_MAC), "no-listener"),
    "an echo reply nobody waits for": (
        b.frame(echo(OURS, OURS)[:12] + PEER + OURS + b"\0\0\xff\xff" + bytes(20), OUR_MAC),
        "malformed",
    ),
    "a wrong header checksum": (changed(TO_US, 24, TO_US[24] ^ 1), "malformed"),
    "a wrong echo checksum": (
        b.frame(echo(PEER, OURS)[:-1] + b"!", OUR_MAC),
        "checksum",
    ),
    "a wrong v6 echo checksum": (b.frame(echo(PEER6, OURS6)[:-1] + b"!", OUR_MAC), "checksum"),
    "a packet cut short": (TO_US[:-1], "malformed"),
    "an empty packet": (TO_US[:14], "malformed"),
    "a v6 packet cut short": (b.frame(datagram(PEER6, OURS6), OUR_MAC)[:50], "malformed"),
    "a protocol it does not know": (b.frame(b.packet(OURS, PEER), OUR_MAC), "no-listener"),
    "a fragment": (
        b.frame(Ipv4(PEER, OURS, UDP, bytes(24), fragment=0x2000).to_bytes(), OUR_MAC),
        "no-listener",
    ),
    "an ethertype it does not know": (
        b.frame(b"x" * 46, OUR_MAC, ethertype=b"\x88\xb5"),
        "unsupported",
    ),
    "an ARP cut short": (b.arp_request(asks=OURS)[:41], "malformed"),
    "an ARP operation it does not know": (
        b.arp_frame(Arp(9, PEER_MAC, PEER, bytes(6), OURS)),
        "unsupported",
    ),
    "a solicitation with hop limit 254": (b.solicitation(asks=OURS6, hop_limit=254), "malformed"),
    "a solicitation with code 1": (b.solicitation(asks=OURS6, code=1), "malformed"),
    "a solicitation with a wrong checksum": (
        changed(b.solicitation(asks=OURS6), 57, 0),
        "checksum",
    ),
    "a runt": (bytes(13), "not-for-us"),
    "nothing": (b"", "not-for-us"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses(what: str):
    frame, why = REFUSED[what]
    assert refused(frame) == {why: 1}


def test_padding_behind_a_packet_is_cut():
    network, station, listener = a_station_and_a_listener()
    got: list[bytes] = []
    station.stack.bind_udp(9, lambda packet: bool(got.append(packet)) or True)
    packet = datagram(PEER, OURS, b"short")
    listener.say_at(0, b.padded(b.frame(packet, OUR_MAC)))
    network.run(10)
    assert got == [packet]


def test_a_fragment_is_handed_to_no_port():
    network, station, listener = a_station_and_a_listener()
    station.stack.bind_udp(9, lambda _: True)
    for flags in (0x2000, 0x0001):
        packet = Ipv4.parse(datagram(PEER, OURS))
        packet.fragment = flags
        listener.say_at(0, b.frame(packet.to_bytes(), OUR_MAC))
    network.run(10)
    assert station.fates.dropped == {"no-listener": 2}


def test_what_its_receiver_finds_wrong_counts_as_a_checksum():
    network, station, listener = a_station_and_a_listener()
    station.stack.bind_udp(9, lambda _: False)
    listener.say_at(0, TO_US)
    network.run(10)
    assert station.fates.dropped == {"checksum": 1}


def test_who_is_bound_to_a_source_gets_what_no_port_takes():
    network, station, listener = a_station_and_a_listener()
    got: list[bytes] = []
    station.stack.bind_source(PEER, lambda packet: bool(got.append(packet)) or True)
    listener.say_at(0, TO_US, b.frame(datagram(b.NOBODY, OURS), OUR_MAC))
    network.run(10)
    assert got == [TO_US[14:]]
    assert station.fates.dropped == {"no-listener": 1}
