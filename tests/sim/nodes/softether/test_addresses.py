"""What a hub's IP table learns from frames: senders, and what DHCP servers acknowledge."""

import pytest

from sim.nodes.softether.options import HubOptions
from tests import builders as b
from tests.sim.networks import datagram, echo
from tests.sim.nodes.softether.hubs import (
    ONE,
    THREE,
    TWO,
    UNKNOWN,
    Trial,
    arp,
    client,
    plain_client,
    sent,
    udp,
)
from virtualtap.wire.address import BROADCAST, ip, mac

ANYBODY = client()


def with_options(frame: bytes) -> bytes:
    """The same packet with four bytes of IP options."""
    length = int.from_bytes(frame[16:18]) + 4
    return frame[:14] + b"\x46\0" + length.to_bytes(2) + frame[18:34] + bytes(4) + frame[34:]


def from_ports(ports: bytes, packet: bytes) -> bytes:
    """The frame of a datagram with other ports."""
    return b.frame(packet[:20] + ports + packet[24:], BROADCAST, ONE)


LEARNED = {
    "an ARP request": (arp(), "10.0.0.1"),
    "an IPv4 packet": (udp("10.0.0.2"), "10.0.0.2"),
    "a packet with IP options": (with_options(udp("10.0.0.3")), "10.0.0.3"),
    "a tagged packet": (
        sent(head=b"\x81\x00\x00\x05\x08\x00" + datagram(ip("10.0.0.4"), ip("10.0.0.9"))),
        "10.0.0.4",
    ),
    "a link-local IPv6 packet": (
        b.frame(echo(ip("fe80::5"), ip("ff02::1")), BROADCAST, ONE),
        "fe80::5",
    ),
    "172.16/12": (arp(sender="172.31.255.1"), "172.31.255.1"),
    "192.168/16": (arp(sender="192.168.0.1"), "192.168.0.1"),
    "169.254/16": (arp(sender="169.254.7.7"), "169.254.7.7"),
    "100.64/10": (arp(sender="100.127.0.1"), "100.127.0.1"),
}
NOT_LEARNED = {
    "an ARP probe": arp(sender="0.0.0.0"),
    "a broadcast sender": udp("255.255.255.255"),
    "a public address": udp("8.8.8.8"),
    "172.32/16": arp(sender="172.32.0.1"),
    "a global IPv6 address": b.frame(echo(ip("2001:db8::1"), ip("ff02::1")), BROADCAST, ONE),
    "a unique local IPv6 address": b.frame(echo(ip("fd00::1"), ip("ff02::1")), BROADCAST, ONE),
    "an IPv6 packet of nobody": b.frame(echo(ip("::"), ip("ff02::1")), BROADCAST, ONE),
    "ARP of another hardware": arp()[:14] + b"\x00\x06" + arp()[16:],
    "DHCP": from_ports(b"\x00\x44\x00\x43", datagram(ip("10.0.0.6"), ip("10.0.0.9"), bytes(240))),
    "an IP header that is longer than the packet": b.frame(b"\x4f" + bytes(19), BROADCAST, ONE),
    "a polling identity": arp(mac("00:ae:01:02:03:04"), "172.31.5.5"),
    "one of IPv6": b.frame(
        echo(ip("fe80::2ae:1ff:fe00:ae01"), ip("ff02::1")), BROADCAST, mac("00:ae:01:02:03:04")
    ),
    "something else": sent(),
}


@pytest.mark.parametrize("what", LEARNED)
def test_an_address_is_learned_from(what: str):
    frame, address = LEARNED[what]
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(1, frame)
    assert list(trial.hub.ips.entries) == [ip(address)]


@pytest.mark.parametrize("what", NOT_LEARNED)
def test_no_address_is_learned_from(what: str):
    trial = Trial(ANYBODY, ANYBODY)
    assert trial.say(1, NOT_LEARNED[what]) == [2]
    assert list(trial.hub.ips.entries) == []


def test_a_hub_may_manage_public_and_global_addresses_too():
    options = HubOptions(ManageOnlyPrivateIP=False, ManageOnlyLocalUnicastIPv6=False)
    trial = Trial(ANYBODY, options=options)
    trial.say(1, udp("8.8.8.8"))
    trial.say(1, b.frame(echo(ip("2001:db8::1"), ip("ff02::1")), BROADCAST, ONE))
    assert list(trial.hub.ips.entries) == [ip("8.8.8.8"), ip("2001:db8::1")]


def test_a_hub_without_an_ip_table_learns_and_refuses_no_address():
    trial = Trial(plain_client(), ANYBODY, options=HubOptions(NoIpTable=True))
    assert {str(trial.say(1, arp(sender=f"10.0.0.{i}"))) for i in range(1, 9)} == {"[2]"}
    assert (len(trial.hub.ips), trial.hub.polling) == (0, None)


def test_every_frame_refreshes_the_address_and_its_mac():
    trial = Trial(ANYBODY, ANYBODY)
    for at, frame in enumerate((arp(), udp("10.0.0.1", source=TWO), arp(THREE))):
        trial.say(1, frame, at)
        entry = trial.hub.ips.entries[ip("10.0.0.1")]
        assert (entry.mac, entry.updated) == (frame[6:12], at)


# acknowledgements of DHCP servers


def ack(to: bytes = BROADCAST, client_mac: bytes = ONE, kind: int = 5, yours: str = "") -> bytes:
    message = bytes((2, 1, 6)) + bytes(13) + ip(yours or "10.0.0.50") + bytes(8) + client_mac
    message = message.ljust(236, b"\0") + b"\x63\x82\x53\x63"
    message += b"\x00\x33\x04\0\0\x1c\x20" + bytes((53, 1, kind, 255))
    packet = datagram(ip("10.0.0.2"), ip("255.255.255.255"), message)
    return to + TWO + from_ports(b"\x00\x43\x00\x44", packet)[12:]


def test_an_acknowledgement_of_dhcp_puts_the_clients_address_in():
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(1, sent(BROADCAST, ONE))
    trial.say(2, ack(), 7)
    entry = trial.hub.ips.entries[ip("10.0.0.50")]
    assert (entry.session, entry.dhcp, entry.updated) == (trial.sessions[0], True, 7)
    assert entry.mac == BROADCAST  # where the frame went


def test_an_acknowledged_address_is_stored_though_it_is_public():
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(1, sent(BROADCAST, ONE))
    trial.say(2, ack(yours="8.8.8.8"))
    assert list(trial.hub.ips.entries) == [ip("8.8.8.8")]


@pytest.mark.parametrize(
    "frame",
    [
        ack(kind=2),
        ack(client_mac=UNKNOWN),
        ack(yours="0.0.0.0"),
        ack()[:-4],
        ack().replace(b"\x63\x82\x53\x63", b"\x63\x82\x53\x00"),
        ack().replace(b"\x02\x01\x06", b"\x01\x01\x06"),
    ],
    ids=["an offer", "of nobody known", "of no address", "cut", "no cookie", "a request"],
)
def test_nothing_else_of_dhcp_does(frame: bytes):
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(1, sent(BROADCAST, ONE))
    trial.say(2, frame)
    assert list(trial.hub.ips.entries) == []


def test_a_client_in_a_vlan_is_not_found_by_its_acknowledgement():
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(1, sent(head=b"\x81\x00\x00\x05\x88\xb5"))
    trial.say(2, ack())
    assert list(trial.hub.ips.entries) == []


def test_who_looks_for_a_router_or_for_dhcp_is_not_limited():
    trial = Trial(client(MaxIPv6=5), ANYBODY)
    for last in range(5):
        trial.say(1, b.frame(echo(ip(f"fe80::{last}:1"), ip("ff02::1")), BROADCAST, ONE))
    sixth, everybody = ip("fe80::9"), ip("ff02::1")
    told = [echo(sixth, everybody), datagram(sixth, everybody)]
    asking = datagram(sixth, everybody, port=547)
    soliciting = told[0][:40] + b"\x85" + told[0][41:]
    for packet in told:
        assert trial.say(1, b.frame(packet, BROADCAST, ONE)) == "ip-limit"
    for packet in (asking, soliciting):
        trial.hub.ips.purge(trial.sessions[0])
        for last in range(5):
            trial.say(1, b.frame(echo(ip(f"fe80::{last}:1"), ip("ff02::1")), BROADCAST, ONE))
        assert trial.say(1, b.frame(packet, BROADCAST, ONE)) == [2]


def test_a_lease_given_anew_moves_to_its_new_client():
    trial = Trial(ANYBODY, ANYBODY, ANYBODY)
    trial.say(1, sent(BROADCAST, ONE))
    trial.say(3, sent(BROADCAST, THREE))
    trial.say(2, ack())
    trial.say(2, ack(client_mac=THREE))
    assert trial.hub.ips.entries[ip("10.0.0.50")].session is trial.sessions[2]
