"""Several hosts behind one translator, all at its MAC. RFC 826, RFC 919, RFC 4861, RFC 5227."""

from sim.conformance.frames import (
    advertisement,
    arp_probe,
    arp_reply,
    arp_request,
    frame,
    our_reply,
    our_request,
    packet,
    packet6,
    solicitation,
    wrapped,
)
from sim.conformance.packets import meet
from sim.conformance.registry import clause
from sim.conformance.script import (
    NOBODY,
    NOBODY6,
    OTHER_MAC,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    US,
    Script,
)
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import (
    ANY4,
    ANY6,
    BROADCAST,
    LIMITED_BROADCAST,
    Ip,
    ip,
    multicast_mac4,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ndp import NeighborMessage

PHONE, LAPTOP, PHONE6, LAPTOP6 = ip("10.0.0.21"), ip("10.0.0.22"), ip("fd00::21"), ip("fd00::22")
HOSTS = (PHONE, LAPTOP, PHONE6, LAPTOP6)
DIRECTED, GROUP, GROUP6 = ip("10.0.0.255"), ip("239.1.2.3"), ip("ff05::123")
RECEPTION = "RFC 826, Packet Reception"
SWITCH = "virtualtap, hosts"


def hosts(tap: Script, **changes: object) -> Script:
    """A translator with a phone and a laptop behind it."""
    return tap.start(**{"hosts": HOSTS, **changes})


def answers_for(tap: Script, host: Ip) -> None:
    """A request for `host` is answered with our MAC."""
    tap.lan(arp_request(host)).expect(arp_reply(host, at=OUR_MAC, to=PEER_MAC, to_ip=PEER))


@clause(RECEPTION, "a request for any host behind the translator is answered with its MAC")
def each_host_is_answered_for(tap: Script) -> None:
    hosts(tap)
    for host in (PHONE, LAPTOP):
        answers_for(tap, host)


@clause(RECEPTION, "with hosts, our own address is still answered for")
def own_address_is_answered_for_beside_hosts(tap: Script) -> None:
    hosts(tap).lan(arp_request()).expect(our_reply())


@clause(RECEPTION, "with hosts, nobody else is answered for")
def no_stranger_is_answered_for_beside_hosts(tap: Script) -> None:
    hosts(tap).lan(arp_request(NOBODY)).expect()


@clause("RFC 5227, 2.1.1", "a probe for a host's address is answered to the prober")
def probe_for_a_host_is_answered(tap: Script) -> None:
    hosts(tap).lan(arp_probe(PHONE))
    tap.expect(arp_reply(PHONE, at=OUR_MAC, to=PEER_MAC, to_ip=bytes(4)))


@clause("RFC 1122, 3.2.1.3", "a packet for a host behind the translator is received")
def packet_for_a_host_is_received(tap: Script) -> None:
    inside = packet(PHONE, source=PEER)
    hosts(tap).lan(frame(inside)).expect_host(inside)


@clause("RFC 1122, 3.2.1.3", "with hosts, a packet for somebody else at our MAC is not received")
def packet_for_a_stranger_is_refused_beside_hosts(tap: Script) -> None:
    hosts(tap).lan(frame(packet(NOBODY, source=PEER))).expect_host()


@clause(RECEPTION, "who speaks to a host is learned for all of them")
def neighbor_of_one_is_known_to_all(tap: Script) -> None:
    hosts(tap)
    answers_for(tap, PHONE)
    sent = packet(PEER, source=LAPTOP)
    tap.host(sent).expect(wrapped(sent))


@clause("RFC 826, Packet Generation", "a host's packet asks in the host's name")
def request_is_in_the_name_of_the_host(tap: Script) -> None:
    hosts(tap).host(packet(PEER, source=PHONE)).expect(arp_request(PEER, by=PHONE, at=OUR_MAC))


@clause("RFC 826, Packet Generation", "another's packet that passes through asks in our name")
def request_for_a_stranger_is_in_our_name(tap: Script) -> None:
    hosts(tap).host(packet(PEER, source=NOBODY)).expect(our_request(PEER))


@clause(SWITCH, "a packet from one host to another goes up again, and not to the LAN")
def packet_between_hosts_comes_back(tap: Script) -> None:
    sent = packet(LAPTOP, source=PHONE)
    hosts(tap).host(sent).expect().expect_host(sent)


@clause(SWITCH, "a packet from a host to our own address goes up again")
def packet_to_ourselves_comes_back_from_a_host(tap: Script) -> None:
    sent = packet(US, source=PHONE)
    hosts(tap).host(sent).expect().expect_host(sent)


@clause("RFC 919, 7", "a limited broadcast of a host reaches the LAN and the other hosts")
def limited_broadcast_goes_both_ways(tap: Script) -> None:
    sent = packet(LIMITED_BROADCAST, source=PHONE)
    hosts(tap).host(sent).expect(wrapped(sent, BROADCAST)).expect_host(sent)


@clause("RFC 919, 7", "a directed broadcast of a host reaches the LAN and the other hosts")
def directed_broadcast_goes_both_ways(tap: Script) -> None:
    sent = packet(DIRECTED, source=PHONE)
    hosts(tap).host(sent).expect(wrapped(sent, BROADCAST)).expect_host(sent)


@clause("RFC 1112, 6.1", "a multicast of a host reaches the LAN and the other hosts")
def multicast_goes_both_ways(tap: Script) -> None:
    sent = packet(GROUP, source=PHONE)
    hosts(tap).host(sent).expect(wrapped(sent, multicast_mac4(GROUP))).expect_host(sent)


@clause("RFC 1112, 6.1", "without hosts nothing that we send to all comes back to us")
def without_hosts_nothing_comes_back(tap: Script) -> None:
    sent = packet(GROUP)
    tap.host(sent).expect(wrapped(sent, multicast_mac4(GROUP))).expect_host()


@clause("RFC 919, 7", "a broadcast of the LAN comes up once, for all hosts together")
def broadcast_of_the_lan_comes_up_once(tap: Script) -> None:
    inside = packet(LIMITED_BROADCAST, source=PEER)
    hosts(tap).lan(frame(inside, to=BROADCAST)).expect_host(inside)


@clause("RFC 4861, 7.2.4", "a solicitation for a host behind the translator is answered")
def solicitation_for_a_host_is_answered(tap: Script) -> None:
    hosts(tap).lan(solicitation(PHONE6))
    tap.expect(advertisement(PHONE6, at=OUR_MAC, to=PEER_MAC, to_ip=PEER6))


@clause("RFC 4291, 2.8", "an IPv6 packet for a host behind the translator is received")
def packet6_for_a_host_is_received(tap: Script) -> None:
    inside = packet6(PHONE6, source=PEER6)
    hosts(tap).lan(frame(inside)).expect_host(inside)


@clause(SWITCH, "an IPv6 packet from one host to another goes up again, and not to the LAN")
def packet6_between_hosts_comes_back(tap: Script) -> None:
    sent = packet6(LAPTOP6, source=PHONE6)
    hosts(tap).host(sent).expect().expect_host(sent)


@clause("RFC 4291, 2.7", "an IPv6 multicast of a host reaches the LAN and the other hosts")
def multicast6_goes_both_ways(tap: Script) -> None:
    sent = packet6(GROUP6, source=PHONE6)
    hosts(tap).host(sent).expect(wrapped(sent, multicast_mac6(GROUP6))).expect_host(sent)


@clause("RFC 7527, 1", "a host's own probe for its address does not come back to it")
def own_probe_does_not_come_back(tap: Script) -> None:
    group = solicited_node(PHONE6)
    probe = ndp.packet(NeighborMessage(ndp.SOLICITATION, 0, PHONE6), ANY6, group)
    hosts(tap).host(probe).expect(wrapped(probe, multicast_mac6(group))).expect_host()


@clause("RFC 5227, 2.3", "hosts' addresses are announced where ours is")
def hosts_are_announced(tap: Script) -> None:
    hosts(tap, claim="announced").at(0)
    ours = [arp_request(host, by=host, at=OUR_MAC) for host in (PHONE, LAPTOP, US)]
    assert sorted(tap.frames()) == sorted(ours), "expected an announcement of each address"
    tap.at(60 * SECOND).forget()


@clause("RFC 5227, 2.1.1", "while a host's address is probed, it is neither used nor answered for")
def probed_host_is_silent(tap: Script) -> None:
    hosts(tap, claim="probed").at(1 * SECOND).forget()
    tap.host(packet(PEER, source=PHONE)).expect()
    tap.lan(frame(packet(PHONE, source=PEER))).expect_host()


@clause("RFC 5227, 2.1", "each host's address is probed, and then answered for")
def each_host_is_probed(tap: Script) -> None:
    hosts(tap, claim="probed").at(20 * SECOND)
    seen = tap.frames()
    for host in (PHONE, LAPTOP, US):
        probes = seen.count(arp_probe(host, at=OUR_MAC))
        assert probes == 3, f"expected 3 probes for each address, saw {probes}"
    answers_for(tap, LAPTOP)


@clause("RFC 5227, 2.4", "who claims a host's address is told once that it is taken")
def host_is_defended(tap: Script) -> None:
    hosts(tap).at(0).lan(arp_request(PHONE, by=PHONE, at=OTHER_MAC))
    tap.expect(arp_request(PHONE, by=PHONE, at=OUR_MAC))


@clause("RFC 5227, 2.4", "a host that lost its address falls silent, and the others do not")
def lost_host_leaves_the_others(tap: Script) -> None:
    hosts(tap).at(0)
    claimed = arp_request(PHONE, by=PHONE, at=OTHER_MAC)
    tap.lan(claimed).lan(claimed).expect(arp_request(PHONE, by=PHONE, at=OUR_MAC))
    tap.lan(arp_request(PHONE)).expect()
    answers_for(tap, LAPTOP)
    tap.host(packet(PEER, source=PHONE)).expect()


@clause("RFC 5227, 2.1.1", "a host's address in dispute does not silence our own")
def our_own_address_survives_a_host(tap: Script) -> None:
    hosts(tap).at(0)
    claimed = arp_request(PHONE, by=PHONE, at=OTHER_MAC)
    tap.lan(claimed).lan(claimed).forget()
    meet(tap).host(packet(PEER)).expect(wrapped(packet(PEER)))


@clause("virtualtap, admit_hosts", "whoever sends from behind the translator is answered for")
def admitted_host_is_answered_for(tap: Script) -> None:
    tap.start(admit_hosts=True)
    tap.host(packet(NOBODY, source=LAPTOP)).expect(arp_request(NOBODY, by=LAPTOP, at=OUR_MAC))
    answers_for(tap, LAPTOP)
    back = packet(LAPTOP, source=PEER)
    tap.lan(frame(back)).expect_host(back)


@clause("virtualtap, admit_hosts", "who has not been admitted is not answered for")
def stranger_is_not_admitted_unasked(tap: Script) -> None:
    hosts(tap, hosts=(PHONE,)).host(packet(NOBODY, source=LAPTOP)).expect(our_request(NOBODY))
    tap.lan(arp_request(LAPTOP)).expect()


@clause("virtualtap, admit_hosts", "a sender off our subnet is no host of it")
def sender_off_the_subnet_is_not_admitted(tap: Script) -> None:
    far = ip("192.0.2.9")
    tap.start(admit_hosts=True).host(packet(NOBODY, source=far)).expect(our_request(NOBODY))
    tap.lan(arp_request(far)).expect()


@clause("virtualtap, admit_hosts", "a claimed address of an admitted host is defended")
def admitted_host_is_defended(tap: Script) -> None:
    tap.start(admit_hosts=True).at(0).host(packet(NOBODY, source=LAPTOP)).forget()
    tap.lan(arp_request(LAPTOP, by=LAPTOP, at=OTHER_MAC))
    tap.expect(arp_request(LAPTOP, by=LAPTOP, at=OUR_MAC))


@clause("RFC 5227, 2.3", "an admitted host is announced at once, where addresses are")
def admitted_host_is_announced(tap: Script) -> None:
    tap.start(admit_hosts=True, claim="announced").at(20 * SECOND).forget()
    tap.host(packet(NOBODY, source=LAPTOP)).forget()
    tap.at(22 * SECOND)
    announced = arp_request(LAPTOP, by=LAPTOP, at=OUR_MAC)
    assert tap.frames().count(announced) == 1, "the second announcement did not come in 2 s"


@clause("RFC 5227, 2.1.1", "an admitted host has to be claimed first, where addresses are")
def admitted_host_is_probed_for(tap: Script) -> None:
    tap.start(admit_hosts=True, claim="probed").at(20 * SECOND).forget()
    tap.host(packet(NOBODY, source=LAPTOP)).expect()
    tap.lan(arp_request(LAPTOP)).expect()
    probe, announced = (arp_request(LAPTOP, by=by, at=OUR_MAC) for by in (ANY4, LAPTOP))
    tap.at(40 * SECOND).expect(probe, probe, probe, announced, announced)
    answers_for(tap, LAPTOP)


@clause("virtualtap, admit_hosts", "an IPv6 host is admitted, too")
def admitted_host6_is_answered_for(tap: Script) -> None:
    tap.start(admit_hosts=True).host(packet6(NOBODY6, source=PHONE6)).forget()
    tap.lan(solicitation(PHONE6))
    tap.expect(advertisement(PHONE6, at=OUR_MAC, to=PEER_MAC, to_ip=PEER6))


@clause("virtualtap, hosts_max", "above the limit nobody is admitted, and nothing of theirs leaves")
def no_host_above_the_limit(tap: Script) -> None:
    tap.start(admit_hosts=True, hosts_max=3)
    tap.host(packet(NOBODY, source=PHONE)).forget()
    tap.host(packet(NOBODY, source=LAPTOP)).expect()
    tap.lan(arp_request(LAPTOP)).expect()
