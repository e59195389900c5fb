"""Several hosts behind one translator, a generated MAC for each. IEEE 802, RFC 826, RFC 4861."""

from sim.conformance.cases.hosts import LAPTOP, PHONE, PHONE6, hosts
from sim.conformance.frames import (
    advertisement,
    arp_reply,
    arp_request,
    frame,
    our_reply,
    packet,
    packet6,
    solicitation,
)
from sim.conformance.frames6 import ns
from sim.conformance.registry import clause
from sim.conformance.script import NOBODY, OUR_MAC, PEER, PEER6, PEER_MAC, US, Script
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, Ip, Mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN

ADDRESSES = "IEEE 802, 8"
OWN = "virtualtap, host_macs"


def own(tap: Script, **changes: object) -> Script:
    """A phone and a laptop with MACs of their own."""
    return hosts(tap, **{"host_macs": "own", **changes})


def mac_of(tap: Script, host: Ip) -> Mac:
    """Where the LAN finds `host`, asked by ARP."""
    frames = tap.lan(arp_request(host)).frames()
    assert len(frames) == 1, f"expected one ARP reply, saw {len(frames)} frames"
    assert frames[0][12:14] == ARP, f"expected ARP, saw type {frames[0][12:14].hex()}"
    found = Arp.parse(frames[0][HEADER_LEN:]).sender_mac
    tap.lan(arp_request(host)).expect(arp_reply(host, at=found, to=PEER_MAC, to_ip=PEER))
    return found


def mac6_of(tap: Script, host: Ip) -> Mac:
    """Where the LAN finds `host`, asked by solicitation."""
    frames = tap.lan(solicitation(host)).frames()
    assert len(frames) == 1, f"expected one advertisement, saw {len(frames)} frames"
    return frames[0][6:12]


@clause(ADDRESSES, "each host has a unicast MAC of its own that is locally administered")
def each_host_has_a_mac_of_its_own(tap: Script) -> None:
    own(tap)
    macs = [mac_of(tap, host) for host in (PHONE, LAPTOP)]
    assert len({*macs, OUR_MAC}) == 3, f"expected different MACs, saw {[m.hex() for m in macs]}"
    assert {mac[0] & 3 for mac in macs} == {2}, "expected unicast, locally administered"


@clause("SoftEther, Hub.c, Virtual.c, IPC.c", "no generated MAC is one that a hub reads a sense in")
def no_generated_mac_has_a_sense(tap: Script) -> None:
    first = {mac_of(own(tap, random_seed=seed), PHONE)[0] for seed in range(40)}
    assert not first & {0x00, 0x5E, 0x7E, 0xCA, 0xDA}, f"saw {sorted(first)}"


@clause(ADDRESSES, "a host has the same MAC each time")
def mac_is_the_same_each_time(tap: Script) -> None:
    first = mac_of(own(tap), PHONE)
    assert mac_of(own(tap), PHONE) == first, "expected the same MAC"


@clause(ADDRESSES, "with another seed a host has another MAC")
def mac_follows_the_seed(tap: Script) -> None:
    first = mac_of(own(tap), PHONE)
    assert mac_of(own(tap, random_seed=7), PHONE) != first, "expected another MAC"


@clause(OWN, "our own address stays at our MAC")
def our_own_mac_stays_ours(tap: Script) -> None:
    own(tap).lan(arp_request()).expect(our_reply())


@clause(OWN, "a host's packet leaves from its own MAC")
def packet_leaves_from_the_hosts_mac(tap: Script) -> None:
    mac, sent = mac_of(own(tap), PHONE), packet(PEER, source=PHONE)
    tap.host(sent).expect(frame(sent, to=PEER_MAC, source=mac))


@clause(OWN, "our own packet leaves from our MAC, also after a host's")
def packet_of_ours_leaves_from_our_mac(tap: Script) -> None:
    mac_of(own(tap), PHONE)
    tap.host(packet(PEER, source=PHONE)).forget()
    tap.host(packet(PEER)).expect(frame(packet(PEER), to=PEER_MAC, source=OUR_MAC))


@clause("RFC 826, Packet Generation", "a host's request carries its own MAC")
def request_carries_the_hosts_mac(tap: Script) -> None:
    mac = mac_of(own(tap), LAPTOP)
    unknown = bytes((10, 0, 0, 99))
    tap.host(packet(unknown, source=LAPTOP)).expect(arp_request(unknown, by=LAPTOP, at=mac))


@clause(OWN, "packets of two hosts that waited leave each from its own MAC")
def held_packets_leave_each_from_its_own_mac(tap: Script) -> None:
    own(tap)
    tap.lan(arp_request(PHONE, by=bytes((10, 0, 0, 88)))).forget()
    sent = [packet(PEER, source=host) for host in (PHONE, LAPTOP, US)]
    for one in sent:
        tap.host(one)
    tap.forget()
    tap.lan(arp_reply())
    seen = tap.frames()
    assert [one[HEADER_LEN:] for one in seen] == sent, "expected the three packets in order"
    macs = [mac_of(tap, PHONE), mac_of(tap, LAPTOP), OUR_MAC]
    assert [one[6:12] for one in seen] == macs, "expected each from its own MAC"


@clause("RFC 919, 7", "a host's broadcast leaves from its own MAC")
def broadcast_leaves_from_the_hosts_mac(tap: Script) -> None:
    mac, sent = mac_of(own(tap), PHONE), packet(LIMITED_BROADCAST, source=PHONE)
    tap.host(sent).expect(frame(sent, to=BROADCAST, source=mac)).expect_host(sent)


@clause("RFC 1122, 3.2.1.3", "a packet for a host at its MAC is received")
def packet_at_the_hosts_mac_is_received(tap: Script) -> None:
    mac, inside = mac_of(own(tap), PHONE), packet(PHONE, source=PEER)
    tap.lan(frame(inside, to=mac)).expect_host(inside)


@clause(OWN, "a packet for one host at the MAC of another is not received")
def packet_at_the_wrong_mac_is_refused(tap: Script) -> None:
    own(tap)
    inside = packet(PHONE, source=PEER)
    tap.lan(frame(inside, to=mac_of(tap, LAPTOP))).lan(frame(inside, to=OUR_MAC)).expect_host()


@clause(OWN, "nor is one after many that came to the right MAC")
def packet_at_the_wrong_mac_is_refused_after_others(tap: Script) -> None:
    mac, inside = mac_of(own(tap), PHONE), packet(PHONE, source=PEER)
    tap.lan(frame(inside, to=mac)).lan(frame(inside, to=mac)).expect_host(inside, inside)
    tap.lan(frame(inside, to=mac_of(tap, LAPTOP))).expect_host()


@clause("IEEE 802.3, 3.2.3", "a frame from a host's own MAC is a loop, and not heard")
def frame_from_the_hosts_mac_is_refused(tap: Script) -> None:
    mac = mac_of(own(tap), PHONE)
    tap.lan(frame(packet(US, source=PEER), source=mac)).expect_host()
    tap.lan(arp_request(by=PEER, at=mac)).expect()


@clause("RFC 4861, 7.2.4", "an advertisement for a host carries its own MAC, and comes from it")
def advertisement_carries_the_hosts_mac(tap: Script) -> None:
    mac = mac6_of(own(tap), PHONE6)
    assert mac != OUR_MAC, "expected a MAC of its own"
    tap.lan(solicitation(PHONE6)).expect(advertisement(PHONE6, at=mac, to=PEER_MAC, to_ip=PEER6))


@clause("RFC 4861, 7.2.2", "a host's solicitation carries its own MAC")
def solicitation_carries_the_hosts_mac(tap: Script) -> None:
    mac = mac6_of(own(tap), PHONE6)
    unknown = bytes.fromhex("fd00") + bytes(13) + b"\x63"
    tap.host(packet6(unknown, source=PHONE6)).expect(ns(unknown, by=PHONE6, at=mac, says=mac))


@clause("RFC 4291, 2.8", "an IPv6 packet for a host is received at its MAC only")
def packet6_at_the_wrong_mac_is_refused(tap: Script) -> None:
    mac = mac6_of(own(tap), PHONE6)
    inside = packet6(PHONE6, source=PEER6)
    tap.lan(frame(inside, to=mac)).expect_host(inside)
    tap.lan(frame(inside, to=OUR_MAC)).expect_host()


@clause("virtualtap, admit_hosts", "a host that was admitted has a MAC of its own")
def admitted_host_has_a_mac_of_its_own(tap: Script) -> None:
    own(tap, hosts=(), admit_hosts=True).host(packet(NOBODY, source=PHONE)).forget()
    mac = mac_of(tap, PHONE)
    assert mac != OUR_MAC, "expected a MAC of its own"
    tap.host(packet(PEER, source=PHONE)).expect(
        frame(packet(PEER, source=PHONE), to=PEER_MAC, source=mac)
    )
