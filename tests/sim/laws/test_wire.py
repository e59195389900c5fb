"""Laws of what is sent, asked, passed on and switched: which moments break them, which do not."""

import pytest

from sim.laws.invariants import INVARIANTS, Judges
from sim.laws.law import Scene
from sim.nodes.softether.server import SoftEtherServer
from sim.observers import Kind, Moment
from sim.run import built
from sim.scenario import decode
from tests.sim.bench import Bench, ip_of
from tests.sim.laws.test_invariants import Leased
from tests.sim.networks import datagram, echo, station_mac
from tests.sim.scenarios import SMALL, order
from virtualtap import ip
from virtualtap.units import MS, SECOND
from virtualtap.wire import arp, ndp
from virtualtap.wire.address import BROADCAST, multicast_mac4
from virtualtap.wire.ethernet import ARP, IPV4, IPV6
from virtualtap.wire.ndp import NeighborMessage

ME, YOU = station_mac(11), station_mac(1)
PACKET = datagram(ip_of(11), ip_of(1))
WRAPPED = YOU + ME + IPV4 + PACKET
QUESTION = BROADCAST + ME + ARP + arp.request(ME, ip_of(11), ip_of(1))
ASKED = BROADCAST + YOU + ARP + arp.request(YOU, ip_of(1), ip_of(11))
ANSWER = YOU + ME + ARP + arp.reply(ME, ip_of(11), arp.Arp.parse(ASKED[14:]))
TOLD = ME + YOU + ARP + arp.reply(YOU, ip_of(1), arp.Arp.parse(QUESTION[14:]))
LAN, HOST, TAP = "t11.lan", "t11.host", "t11"
S, A, D, N = Kind.SENT, Kind.ARRIVED, Kind.DROPPED, Kind.NOTED
ATTACKED = SMALL + '[[timeline]]\nat = "1ms"\nstorm = { from = "s1", times = 1 }\n'
DHCP_REQUEST = b"\0\x44\0\x43" + bytes(8)  # up to its xid


def solicitation(target, to, **changes):
    message = NeighborMessage(ndp.SOLICITATION, 0, ip(target), ((ndp.SOURCE_MAC, ME),))
    packet = ndp.packet(message, ip("fd00::11"), ip(to))
    for place, value in changes.items():
        at = int(place.removeprefix("byte"))
        packet = packet[:at] + bytes((value,)) + packet[at + 1 :]
    return BROADCAST + ME + IPV6 + packet


def breaks(name, *moments, text=SMALL, looks=(), **choices):
    """What the law says of these moments of a bench with two stations and tap t11; or nothing."""
    bench = Bench(1, 2)
    bench.tap(11, **choices)
    law = INVARIANTS[name](Scene(decode(text), bench.built, ()))
    judges = Judges(law.scene, [law])
    for moment in moments:
        judges.see(Moment(*moment))
    for now in looks:
        law.look(now)
    return law.failure and law.failure.value


@pytest.mark.parametrize(
    ("frame", "wrong"),
    [
        (WRAPPED, None),
        (WRAPPED + bytes(18), None),
        (QUESTION + bytes(18), None),
        (WRAPPED[:12] + b"\x81\x00\x00\x07" + WRAPPED[12:], None),
        (YOU + ME + b"\x88\xb5what it likes", None),
        (solicitation("fd00::1", "ff02::1:ff00:1"), None),
        (solicitation("fd00::1", "fd00::1"), None),
        (b"short", "5 bytes"),
        (WRAPPED + b"secret", "leftovers behind an IP packet"),
        (QUESTION + b"secret", "leftovers behind an ARP message"),
        (QUESTION[:14] + b"\0\7" + QUESTION[16:], "an odd ARP message"),
        (QUESTION[:40], "an odd ARP message"),
        (WRAPPED[:30], "an odd IP header"),
        (WRAPPED[:-1], "an odd IP header"),
        (WRAPPED[:22] + b"\x07" + WRAPPED[23:], "a wrong checksum"),
        (solicitation("ff02::1", "ff02::1:ff00:1"), "a solicitation for a group"),
        (solicitation("fd00::2", "ff02::1:ff00:1"), "a solicitation to another's group"),
        (solicitation("fd00::1", "fd00::1", byte7=64), "a neighbor message that nobody takes"),
        (solicitation("fd00::1", "fd00::1", byte60=9), "a neighbor message that nobody takes"),
    ],
)
def test_what_is_sent_is_as_its_protocol_has_it(frame, wrong):
    said = wrong and f"{wrong} in what {LAN} sent"
    assert breaks("well-formed", (0, S, LAN, frame)) == said
    assert breaks("well-formed", (0, A, LAN, frame)) is None


DAMAGED = PACKET[:-1] + b"!"


@pytest.mark.parametrize(
    ("packet", "wrong"),
    [
        (PACKET, None),
        (echo(ip_of(11), ip_of(1)), None),
        (echo(ip("fd00::11"), ip("fd00::1")), None),
        (PACKET[:26] + bytes(2) + PACKET[28:], None),
        (PACKET + bytes(18), "padding behind an IP packet"),
        (PACKET[:10], "an odd IP header"),
        (DAMAGED, "a wrong checksum of a payload"),
        (echo(ip_of(11), ip_of(1))[:-1] + b"!", "a wrong ICMP checksum"),
        (PACKET[:25] + b"\xff" + PACKET[26:], "a wrong length of a datagram"),
    ],
)
def test_what_a_host_is_given_is_whole(packet, wrong):
    said = wrong and f"{wrong} in what {HOST} sent"
    assert breaks("well-formed", (0, S, HOST, packet)) == said
    assert breaks("well-formed", (0, S, HOST, packet), validate="off") is None


def test_the_checksum_of_a_payload_is_judged_where_nobody_lies():
    assert breaks("well-formed", (0, S, HOST, DAMAGED), text=ATTACKED) is None


@pytest.mark.parametrize(("length", "fires"), [(576, False), (577, True)])
def test_no_packet_is_longer_than_the_mtu(length, fires):
    for kind, more in ((IPV4, 0), (IPV6, 1280 - 576)):
        frame = YOU + ME + kind + bytes(length + more)
        assert (breaks("fits-the-mtu", (0, S, LAN, frame), mtu=576) is not None) is fires
    assert breaks("fits-the-mtu", (0, S, LAN, QUESTION + bytes(2000)), mtu=576) is None


GROUP, LIMITED = ip("239.255.255.250"), ip("255.255.255.255")


@pytest.mark.parametrize(
    ("mac", "to", "fires"),
    [
        (multicast_mac4(GROUP), GROUP, False),
        (YOU, GROUP, True),
        (BROADCAST, LIMITED, False),
        (YOU, LIMITED, True),
        (YOU, ip_of(1), False),
        (BROADCAST, ip_of(1), True),
        (BROADCAST, ip_of(99), False),
        (b"\x33\x33\0\0\0\x01", ip("ff02::1"), False),
        (BROADCAST, ip("ff02::1"), True),
    ],
)
def test_what_is_for_a_group_goes_to_its_mac(mac, to, fires):
    packet = echo(ip_of(11) if len(to) == 4 else ip("fd00::11"), to)
    frame = mac + ME + (IPV4 if len(to) == 4 else IPV6) + packet
    assert (breaks("mapped-right", (0, S, LAN, frame)) is not None) is fires


def test_a_tap_that_is_told_to_broadcast_what_it_cannot_resolve_may():
    everyone = BROADCAST + WRAPPED[6:]
    assert breaks("mapped-right", (0, S, LAN, everyone), when_unresolved="broadcast") is None
    assert breaks("mapped-right", (0, S, LAN, everyone), handle_arp_internally=False) is None
    assert breaks("mapped-right", (0, S, LAN, QUESTION)) is None


def test_who_believes_that_somebody_is_at_a_group_s_mac_sends_there():
    sent = (0, S, LAN, b"\x03" + WRAPPED[1:])
    assert breaks("mapped-right", sent) is not None
    assert breaks("mapped-right", sent, profile="linux") is None
    assert breaks("mapped-right", (0, S, "s1.eth0", b"\x03" + TOLD[1:12] + WRAPPED[12:])) is None


def test_nobody_claims_what_is_not_its_own():
    claim = arp.reply(ME, ip_of(3), arp.Arp.parse(ASKED[14:]))
    assert breaks("claims-its-own", (0, S, LAN, YOU + ME + ARP + claim)) is not None
    probe = arp.request(ME, bytes(4), ip_of(3))
    for fine in (ANSWER, WRAPPED, BROADCAST + ME + ARP + probe):
        assert breaks("claims-its-own", (0, S, LAN, fine)) is None
    mine = YOU + ME + ARP + claim
    assert breaks("claims-its-own", (0, S, LAN, mine), hosts=(ip_of(3),)) is None
    assert breaks("claims-its-own", (0, S, "s1.eth0", mine)) is not None
    wakes = (7, N, "wake", b"", "h11")
    assert breaks("claims-its-own", wakes, (7, S, LAN, mine)) is None
    assert breaks("claims-its-own", wakes, (8, S, LAN, mine)) is not None
    assert breaks("claims-its-own", (0, S, "s1.eth0", mine), text=ATTACKED) is None


@pytest.mark.parametrize(("after", "fires"), [(100 * MS, True), (SECOND, False)])
def test_nobody_asks_everyone_again_at_once(after, fires):
    twice = ((0, S, LAN, QUESTION), (after, S, LAN, QUESTION))
    assert (breaks("asks-patiently", *twice) is not None) is fires
    direct = tuple((at, S, LAN, YOU + frame[6:]) for at, _, _, frame in twice)
    assert breaks("asks-patiently", *direct) is None


def test_a_question_is_answered_at_once():
    asked = (1, A, LAN, ASKED)
    assert breaks("asked-is-answered", asked, looks=(2,)) == "h11 does not answer 10.0.0.1"
    assert breaks("asked-is-answered", asked, (2, A, LAN, WRAPPED)) is not None
    assert breaks("asked-is-answered", asked, (1, S, LAN, ANSWER), looks=(2,)) is None
    assert breaks("asked-is-answered", asked, (1, D, LAN, ASKED, "why"), looks=(2,)) is None
    assert breaks("asked-is-answered", asked, (1, S, LAN, WRAPPED), looks=(2,)) is not None


@pytest.mark.parametrize(
    "frame",
    [
        QUESTION,
        ANSWER,
        ASKED[:28] + ip_of(11) + ASKED[32:],
        ASKED[:22] + station_mac(3) + ASKED[28:],
        ASKED[:38] + ip_of(2),
    ],
)
def test_what_is_no_plain_question_may_stay_unanswered(frame):
    assert breaks("asked-is-answered", (1, A, LAN, frame), looks=(2,)) is None


def test_who_lost_its_address_or_has_to_claim_it_need_not_answer():
    lost = (0, N, TAP, b"", "AddressLost(ip=b'')")
    assert breaks("asked-is-answered", lost, (1, A, LAN, ASKED), looks=(2,)) is None
    assert breaks("asked-is-answered", (1, A, LAN, ASKED), looks=(2,), claim="probed") is None


def test_a_packet_goes_where_its_neighbor_was_said_to_be():
    told, sent = (0, A, LAN, TOLD), (SECOND, S, LAN, WRAPPED)
    assert breaks("sent-where-told", told, sent) is None
    assert breaks("sent-where-told", sent) is not None
    astray = (SECOND, S, LAN, station_mac(7) + WRAPPED[6:])
    assert breaks("sent-where-told", told, astray) is not None
    assert breaks("sent-where-told", told, (400 * SECOND, *sent[1:])) is not None
    assert (
        breaks("sent-where-told", told, (400 * SECOND, *sent[1:]), profile="softether-ipc") is None
    )
    assert breaks("sent-where-told", sent, when_unresolved="broadcast") is None
    snap = (0, A, LAN, TOLD[:12] + b"\0\x24\xaa\xaa\x03\0\0\0" + TOLD[12:])
    assert breaks("sent-where-told", snap, sent) is None


def test_what_a_host_says_is_sent_or_accounted_for():
    said = (1, A, HOST, PACKET)
    assert breaks("nothing-vanishes", said, looks=(2,)) is not None
    assert breaks("nothing-vanishes", said, (1, S, LAN, WRAPPED), looks=(2,)) is None
    assert breaks("nothing-vanishes", said, (1, D, HOST, PACKET, "why"), looks=(2,)) is None
    assert breaks("nothing-vanishes", said, (1, D, TAP, b"", "why"), looks=(2,)) is None
    assert breaks("nothing-vanishes", said, (1, S, HOST, PACKET), looks=(2,)) is None


def test_what_is_for_a_host_is_given_to_it_or_refused():
    packet = datagram(ip_of(1), ip_of(11))
    came = (1, A, LAN, ME + YOU + IPV4 + packet)
    assert breaks("nothing-vanishes", came, looks=(2,)) == "a payload that t11 kept"
    assert breaks("nothing-vanishes", came, (1, S, HOST, packet), looks=(2,)) is None
    assert breaks("nothing-vanishes", came, (1, D, LAN, came[3], "why"), looks=(2,)) is None


def test_a_payload_is_taken_once():
    packet = datagram(ip_of(1), ip_of(11))
    took = [(at, A, "h11.uplink", packet) for at in (1, 2, 3)]  # the last may yet be refused
    assert breaks("taken-once", *took[:2]) is None
    assert breaks("taken-once", *took) == "a payload that h11 took again"


def frames_of(bench):
    law = INVARIANTS["links-are-faithful"](Scene(decode(SMALL), bench.built, ()))
    return law, bench.network.links[0]


@pytest.mark.parametrize(
    ("moments", "fires"),
    [
        (((0, S, "s1.eth0", b"one"), (0, S, "s1.eth0", b"two"), (1, A, "sw.p1", b"two")), True),
        (((0, S, "s1.eth0", b"one"), (1, A, "sw.p1", b"one")), False),
        (((0, S, "s1.eth0", b"one"), (1, A, "sw.p1", b"on")), True),
        (((1, A, "sw.p1", b"one"),), True),
        (
            (
                (0, S, "s1.eth0", b"one"),
                (0, S, "s1.eth0", b"two"),
                (0, D, "s1.eth0", b"one", "link-down"),
                (1, A, "sw.p1", b"two"),
            ),
            False,
        ),
    ],
)
def test_a_link_brings_what_was_sent_in_order(moments, fires):
    law, _ = frames_of(Bench(1, 2))
    for moment in moments:
        law.see(Moment(*moment))
    assert (law.failure is not None) is fires


def test_a_link_brings_nothing_early_and_nothing_while_it_is_down():
    bench = Bench(1, 2)
    bench.network.links[0].change(delay=10)
    law, link = frames_of(bench)
    law.see(Moment(0, S, "s1.eth0", b"one"))
    law.see(Moment(9, A, "sw.p1", b"one"))
    assert law.failure is not None
    law, link = frames_of(bench)
    law.see(Moment(0, S, "s1.eth0", b"one"))
    link.set_up(False)
    law.see(Moment(10, A, "sw.p1", b"one"))
    assert law.failure is not None


def test_a_link_that_changed_is_trusted_no_more():
    law, link = frames_of(Bench(1, 2))
    link.change(delay=10)
    law.see(Moment(0, S, "s1.eth0", b"one"))
    law.see(Moment(1, A, "sw.p1", b"another"))
    assert law.failure is None


def test_a_frame_comes_once_and_never_home():
    sent = (0, S, "s1.eth0", QUESTION)
    there = (1, A, "s2.eth0", QUESTION)
    assert breaks("one-copy", sent, there) is None
    assert breaks("one-copy", sent, there, there) == "2 copies of one frame at s2.eth0"
    assert breaks("one-copy", sent, sent, there, there) is None
    assert breaks("one-copy", sent, (1, A, "s1.eth0", QUESTION)) is not None
    assert breaks("one-copy", (1, A, "s2.eth0", QUESTION)) is None


def test_a_bridge_sends_only_where_it_heard_the_receiver():
    heard, data = (0, A, "sw.p1", TOLD), bytes(WRAPPED)
    came = (1, A, "sw.p4", data)
    assert breaks("switched-right", heard, came, (1, S, "sw.p1", data)) is None
    assert breaks("switched-right", heard, came, (1, S, "sw.p2", data)) is not None
    assert breaks("switched-right", came, (1, S, "sw.p2", data)) is None
    late = 100 * SECOND
    assert breaks("switched-right", heard, (late, *came[1:]), (late, S, "sw.p2", data)) is None
    cut = (0, N, "down", b"", "a--b")
    assert breaks("switched-right", heard, cut, came, (1, S, "sw.p2", data)) is None
    refused = (0, D, "sw.p1", TOLD, "why")
    assert breaks("switched-right", heard, refused, came, (1, S, "sw.p2", data)) is None
    elsewhere = (2, A, "sw.p3", TOLD)
    assert breaks("switched-right", heard, came, elsewhere, (2, S, "sw.p3", data)) is None


@pytest.mark.parametrize(("node", "fires"), [("hub1", False), ("gw1", True)])
def test_what_a_server_leased_before_it_crashed_it_may_lease_again(node, fires):
    bench = Bench()
    bench.tap(11, Leased)
    bench.tap(12, Leased)
    bench.network.add(SoftEtherServer("hub1"))
    law = INVARIANTS["lease-unique"](Scene(decode(SMALL), bench.built, ()))
    law.see(Moment(5, N, "crash", b"", node))
    law.see(Moment(6, N, "t12", b"", "LeaseBound(…)"))
    assert (law.failure is not None) is fires
    law.see(Moment(7, N, "t11", b"", "LeaseRenewed(…)"))
    assert law.failure is not None


@pytest.mark.parametrize("tag", [b"", b"\x81\0\0\7"])
@pytest.mark.parametrize(("asked", "fires"), [(4, False), (6, True)])
def test_what_was_asked_for_before_the_crash_and_came_after_it_counts_no_more(asked, fires, tag):
    crash = '[[timeline]]\nat = "5ns"\ncrash = "t11"\n'
    bench = Bench()
    for number in (11, 12):
        bench.tap(number, Leased, dhcp=True)
    bench.network.add(SoftEtherServer("hub1"))
    law = INVARIANTS["lease-unique"](Scene(decode(SMALL + crash), bench.built, ()))
    question = DHCP_REQUEST + b"xid1"
    data = BROADCAST + ME + tag + IPV4 + datagram(ip_of(11), ip_of(1))[:20] + question
    law.see(Moment(asked, S, LAN, data))
    law.see(Moment(asked, S, LAN, WRAPPED))
    law.see(Moment(5, N, "crash", b"", "hub1"))
    law.see(Moment(6, S, LAN, data))  # once more: the same transaction
    for tap in ("t12", "t11"):
        law.see(Moment(7, N, tap, b"", "LeaseBound(…)"))
    assert (law.failure is not None) is fires


@pytest.mark.parametrize(("asked", "fires"), [(4, False), (6, True)])
def test_who_wakes_and_asks_for_more_uses_what_it_was_given_before(asked, fires):
    crash = '[[timeline]]\nat = "5ns"\ncrash = "t11"\n'
    bench = Bench()
    for number in (11, 12):
        bench.tap(number, Leased, dhcp=True)
    bench.network.add(SoftEtherServer("hub1"))
    law = INVARIANTS["lease-unique"](Scene(decode(SMALL + crash), bench.built, ()))
    first = BROADCAST + ME + IPV4 + datagram(ip_of(11), ip_of(1))[:20] + DHCP_REQUEST + b"xid1"
    more = first[:-4] + b"xid2"
    law.see(Moment(asked, S, LAN, first))
    law.see(Moment(5, N, "crash", b"", "hub1"))
    law.see(Moment(7, N, "t12", b"", "LeaseBound(…)"))
    law.see(Moment(8, S, LAN, more))
    law.see(Moment(8, S, LAN, more[:-1] + b"3"))
    law.see(Moment(8, N, "t11", b"", "LeaseBound(…)"))
    assert (law.failure is not None) is fires


@pytest.mark.parametrize(
    ("words", "judged"),
    [
        ("parameters = { MAX_MAC_TABLES = 3 }", False),  # it may forget whom it heard
        ("parameters = { MAX_MAC_TABLES = 65_536 }", True),
        ("access = [{ Delay = 53 }]", False),  # it learns later than it hears
        ("access = [{ Loss = 5 }]", True),
    ],
)
def test_a_server_that_may_not_know_whom_it_heard_is_not_held_to_it(words, judged):
    text = SMALL + f'[[servers]]\nmatch = "hub*"\n{words}\n'
    text = text.replace('{ name = "star", sites = 2 }', '{ name = "cascade", hubs = 2 }')
    law = INVARIANTS["switched-right"](Scene(decode(text), built(order(text)), ()))
    assert any(where.startswith("hub1.") for where in law.where) is judged
