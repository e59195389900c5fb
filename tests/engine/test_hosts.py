"""Several hosts behind one tap: who they are, what they are told, what their limits are."""

import re
from pathlib import Path

import pytest

from tests.builders import (
    NOBODY,
    NOBODY6,
    OUR_IP,
    OUR_IP6,
    OUR_MAC,
    PEER,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_probe,
    arp_request,
    config,
    dropped,
    frame,
    packet,
    packet6,
    solicitation,
)
from virtualtap import (
    SECOND,
    AddressConflict,
    AddressLost,
    DropReason,
    HostAdmitted,
    TapConfig,
    UsageError,
    ip,
)
from virtualtap.handlers.claim import MAX_CONFLICTS
from virtualtap.wire.address import ALL_NODES6 as ALL_NODES
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST, solicited_node

PHONE, LAPTOP, PHONE6, LAPTOP6 = ip("10.0.0.21"), ip("10.0.0.22"), ip("fd00::21"), ip("fd00::22")
HOSTS = (PHONE, LAPTOP, PHONE6, LAPTOP6)


def with_hosts(**changes):
    return a_tap(**{"hosts": HOSTS, **changes})


def test_hosts_share_our_mac_or_have_their_own():
    assert with_hosts().hosts() == dict.fromkeys(HOSTS, OUR_MAC)
    own = with_hosts(host_macs="own").hosts()
    assert list(own) == list(HOSTS)
    assert len({OUR_MAC, *own.values()}) == 5


def test_hosts_that_are_probed_are_not_in_use_yet():
    tap = with_hosts(claim="probed", dad=True)
    assert tap.hosts() == {}
    tap.poll(0)
    tap.poll(20 * SECOND)
    assert sorted(tap.hosts()) == sorted(HOSTS)


def test_what_one_host_says_to_another_is_counted_as_returned():
    tap = with_hosts()
    assert tap.ip_to_ethernet(packet(LAPTOP, PHONE)) is None
    assert tap.ip_to_ethernet(packet6(LAPTOP6, PHONE6)) is None
    assert tap.take_packets() == [packet(LAPTOP, PHONE), packet6(LAPTOP6, PHONE6)]
    assert (tap.stats.returned, tap.stats.to_ethernet, tap.stats.dropped_total) == (2, 0, 0)


def test_what_comes_back_to_a_full_outbox_is_dropped():
    tap = with_hosts(outbox_max=1)
    for _ in range(3):
        tap.ip_to_ethernet(packet(LAPTOP, PHONE))
    assert dropped(tap, DropReason.OUTBOX_FULL) == 2


def test_a_broadcast_of_a_host_that_is_lost_is_not_sent():
    tap = with_hosts()
    for _ in range(2):
        tap.ethernet_to_ip(arp_request(STRANGER_MAC, PHONE, PHONE))
    tap.take_frames()
    assert tap.take_events() == [AddressConflict(PHONE, STRANGER_MAC)] * 2 + [AddressLost(PHONE)]
    assert tap.ip_to_ethernet(packet(LIMITED_BROADCAST, PHONE)) is None
    assert dropped(tap, DropReason.NO_ADDRESS) == 1
    assert PHONE not in tap.hosts() and LAPTOP in tap.hosts()


def test_a_host_that_lost_its_address_probes_for_it_again():
    tap = with_hosts()
    for _ in range(2):
        tap.ethernet_to_ip(arp_request(STRANGER_MAC, PHONE, PHONE))
    tap.take_frames()
    tap.poll(20 * SECOND)
    assert tap.take_frames()[:3] == [arp_probe(PHONE, OUR_MAC)] * 3
    assert PHONE in tap.hosts()


def test_two_who_probe_for_a_hosts_address_both_give_it_up():
    tap = with_hosts(claim="probed")
    tap.poll(0)
    tap.ethernet_to_ip(arp_probe(PHONE, STRANGER_MAC))
    assert tap.take_events() == [AddressConflict(PHONE, STRANGER_MAC)]


def test_our_own_address_is_claimed_and_defended_beside_those_of_hosts():
    tap = with_hosts()
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, OUR_IP, PHONE))
    assert tap.take_events() == [AddressConflict(OUR_IP, STRANGER_MAC)]
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, OUR_IP)]


def test_a_lost_address_of_ours_leaves_the_hosts_in_use():
    tap = with_hosts(defend="never")
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, OUR_IP, OUR_IP))
    tap.take_frames()
    assert tap.ip_to_ethernet(packet(LIMITED_BROADCAST)) is None
    assert tap.ip_to_ethernet(packet(LIMITED_BROADCAST, PHONE)) is not None


def test_an_announcement_ends_with_the_address():
    tap = with_hosts(claim="announced", defend="never")
    tap.poll(0)
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, PHONE, PHONE))
    tap.take_frames()
    tap.poll(SECOND // 2)
    assert all(each[28:32] != PHONE for each in tap.take_frames())


def test_a_frame_from_a_mac_of_a_host_is_our_own():
    tap = with_hosts(host_macs="own")
    mac = tap.hosts()[PHONE]
    tap.ethernet_to_ip(frame(packet(OUR_IP, PEER), source=mac))
    tap.ethernet_to_ip(arp_request(mac, PEER))
    assert dropped(tap, DropReason.OWN_FRAME) == 2


def test_no_neighbor_is_learned_at_a_mac_of_a_host():
    tap = with_hosts(host_macs="own")
    tap.ethernet_to_ip(
        solicitation(tap.hosts()[PHONE], NOBODY6).replace(tap.hosts()[PHONE], PEER_MAC, 1)
    )
    assert tap.neighbors() == {}


@pytest.mark.parametrize(
    ("inside", "of"), [(packet(PHONE, PEER), LAPTOP), (packet6(PHONE6, NOBODY6), LAPTOP6)]
)
def test_a_packet_at_the_mac_of_another_host_is_not_for_us(inside, of):
    tap = with_hosts(host_macs="own")
    assert tap.ethernet_to_ip(frame(inside, to=tap.hosts()[of])) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


def test_a_broadcast_is_received_whatever_the_macs_of_the_hosts():
    tap = with_hosts(host_macs="own")
    inside = packet(LIMITED_BROADCAST, PEER)
    assert tap.ethernet_to_ip(frame(inside, to=b"\xff" * 6)) == inside


def test_the_ordinary_packet_of_a_host_leaves_from_its_mac_each_time():
    tap = a_tap_that_knows(PEER, hosts=(PHONE,), host_macs="own")
    mac = tap.hosts()[PHONE]
    sent = [tap.ip_to_ethernet(packet(PEER, PHONE)) for _ in range(3)]
    assert sent == [frame(packet(PEER, PHONE), to=PEER_MAC, source=mac)] * 3


def test_pieces_of_a_hosts_packet_all_leave_from_its_mac():
    tap = a_tap_that_knows(PEER, hosts=(PHONE,), host_macs="own", mtu=100)
    first = tap.ip_to_ethernet(packet(PEER, PHONE, payload=bytes(200)))
    macs = {each[6:12] for each in (first, *tap.take_frames())}
    assert macs == {tap.hosts()[PHONE]}


def test_whoever_sends_from_behind_is_admitted_once():
    tap = a_tap(admit_hosts=True)
    for _ in range(2):
        tap.ip_to_ethernet(packet(NOBODY, PHONE))
        tap.ip_to_ethernet(packet6(NOBODY6, PHONE6))
    assert tap.hosts() == {PHONE: OUR_MAC, PHONE6: OUR_MAC}
    events = [each for each in tap.take_events() if isinstance(each, HostAdmitted)]
    assert events == [HostAdmitted(PHONE, OUR_MAC), HostAdmitted(PHONE6, OUR_MAC)]


def test_an_admitted_host_may_have_a_mac_of_its_own():
    tap = a_tap(admit_hosts=True, host_macs="own")
    tap.ip_to_ethernet(packet(NOBODY, PHONE))
    assert tap.hosts()[PHONE] != OUR_MAC


@pytest.mark.parametrize(
    "sent",
    [
        packet(LIMITED_BROADCAST, ANY4),
        packet(NOBODY, ip("10.0.0.254")),  # the gateway's
        packet(NOBODY, ip("192.0.2.1")),
        packet(NOBODY),
        packet6(NOBODY6, ip("2001:db8::1")),
        packet6(NOBODY6, ip("fe80::fe")),  # the router's
        packet6(ip("ff02::1"), bytes(16)),
        packet6(NOBODY6),
    ],
)
def test_who_cannot_be_a_host_is_not_admitted(sent):
    tap = a_tap(admit_hosts=True)
    tap.ip_to_ethernet(sent)
    assert tap.hosts() == {}


def test_a_link_local_address_is_admitted():
    tap = a_tap(admit_hosts=True)
    tap.ip_to_ethernet(packet6(NOBODY6, ip("fe80::21")))
    assert list(tap.hosts()) == [ip("fe80::21")]


def test_the_group_in_which_an_admitted_host_is_asked_for_is_joined():
    tap = a_tap(admit_hosts=True, groups=(ip("ff05::123"),))
    tap.poll(0)
    tap.poll(10 * SECOND)
    tap.take_frames()
    tap.ip_to_ethernet(packet6(NOBODY6, PHONE6))
    tap.poll(20 * SECOND)
    assert any(solicited_node(PHONE6) in sent for sent in tap.take_frames())


def test_above_the_limit_nobody_is_admitted():
    tap = a_tap(admit_hosts=True, hosts_max=3)
    for sent in (packet(NOBODY, PHONE), packet(NOBODY, LAPTOP), packet6(NOBODY6, PHONE6)):
        tap.ip_to_ethernet(sent)
    assert list(tap.hosts()) == [PHONE]
    assert dropped(tap, DropReason.HOSTS_FULL) == 2


def test_the_claim_of_an_admitted_host_is_kept():
    tap = a_tap(admit_hosts=True)
    tap.ip_to_ethernet(packet(NOBODY, PHONE))
    for _ in range(2):
        tap.ethernet_to_ip(arp_request(STRANGER_MAC, PHONE, PHONE))
    assert tap.hosts() == {}


def test_an_admitted_host_is_announced_where_addresses_are():
    # RFC 5227 2.3
    tap = a_tap(admit_hosts=True, claim="announced")
    tap.poll(0)
    tap.poll(10 * SECOND)
    tap.take_frames()
    sent = tap.ip_to_ethernet(packet(LIMITED_BROADCAST, PHONE))
    assert (sent[14:], tap.hosts()) == (packet(LIMITED_BROADCAST, PHONE), {PHONE: OUR_MAC})
    tap.poll(20 * SECOND)
    assert tap.take_frames() == [arp_request(OUR_MAC, PHONE, PHONE)] * 2


def test_an_admitted_host_is_probed_for_where_addresses_are():
    # RFC 5227 2.1.1
    tap = a_tap(admit_hosts=True, claim="probed")
    tap.poll(0)
    tap.poll(10 * SECOND)
    tap.take_frames()
    for _ in range(2):
        assert tap.ip_to_ethernet(packet(LIMITED_BROADCAST, PHONE)) is None
    assert (tap.hosts(), dropped(tap, DropReason.NO_ADDRESS)) == ({}, 2)
    tap.poll(20 * SECOND)
    claim = [(ANY4, PHONE)] * 3 + [(PHONE, PHONE)] * 2
    assert tap.take_frames() == [arp_request(OUR_MAC, *each) for each in claim]
    assert tap.hosts() == {PHONE: OUR_MAC}
    assert tap.ip_to_ethernet(packet(LIMITED_BROADCAST, PHONE)) is not None


def test_who_is_admitted_before_the_time_is_known_is_claimed_once_it_is():
    tap = a_tap(admit_hosts=True, claim="announced")
    tap.ip_to_ethernet(packet(LIMITED_BROADCAST, PHONE))
    assert (tap.take_frames(), tap.next_deadline()) == ([], 0)
    tap.poll(5 * SECOND)
    announced = [arp_request(OUR_MAC, each, each) for each in (OUR_IP, PHONE)]
    assert tap.take_frames() == announced


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host_macs": "many"}, "`host_macs` must be one of `shared`, `own`, got 'many'"),
        ({"hosts": (b"\xe0\0\0\1",)}, "`hosts` must hold unicast addresses"),
        ({"hosts": (b"123",)}, "`hosts` must hold unicast addresses"),
        ({"hosts": ("10.0.0.1",)}, "`hosts` must hold unicast addresses"),
        ({"hosts": (OUR_IP,)}, "is there twice, or is ours already"),
        ({"hosts": (OUR_IP6,)}, "is there twice, or is ours already"),
        ({"hosts": (PHONE, PHONE)}, "is there twice, or is ours already"),
        ({"hosts": (PHONE,), "our_ip": None}, "`hosts` without `our_ip`"),
        ({"admit_hosts": True, "our_ip": None}, "`hosts` without `our_ip`"),
        ({"hosts": (PHONE,), "hosts_max": 2}, "more addresses than `hosts_max`, 2"),
        ({"hosts_max": 0}, "`hosts_max` must be from 1"),
    ],
)
def test_wrong_hosts_are_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        config(**changes)


def test_what_the_documentation_shows_works():
    text = (Path(__file__).parents[2] / "docs" / "hosts.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    taps = []
    for block in blocks:
        names: dict = {}
        exec(compile(block, "hosts.md", "exec"), names)
        taps.append(names["tap"])
    assert list(taps[0].hosts()) == [PHONE]
    inside = packet(ip("192.0.2.9"), PEER)
    assert taps[1].ethernet_to_ip(frame(inside, to=taps[1]._our_mac)) == inside


def test_hosts_may_live_beside_a_lease():
    lease = TapConfig(our_mac=OUR_MAC, dhcp=True, hosts=(PHONE,))
    assert lease.hosts == (PHONE,)


def test_whoever_is_admitted_speaks_at_once():
    tap = a_tap(admit_hosts=True)
    for said in (packet(LIMITED_BROADCAST, PHONE), packet6(ALL_NODES, PHONE6)):
        assert tap.ip_to_ethernet(said)[14:] == said


def test_whoever_is_not_admitted_is_not_sent():
    tap = a_tap(admit_hosts=True, hosts_max=2)
    for said in (packet(LIMITED_BROADCAST, PHONE), packet6(ALL_NODES, PHONE6)):
        assert tap.ip_to_ethernet(said) is None
    assert dropped(tap, DropReason.HOSTS_FULL) == 2


@pytest.mark.parametrize("choice", ["drop", "broadcast"])
def test_a_neighbor_is_asked_for_in_the_name_of_the_host_that_does_not_wait(choice):
    tap = with_hosts(when_unresolved=choice)
    tap.ip_to_ethernet(packet(NOBODY, LAPTOP))
    assert tap.take_frames() == [arp_request(OUR_MAC, LAPTOP, NOBODY)]


def test_a_host_with_a_mac_of_its_own_announces_itself_from_there():
    tap = with_hosts(host_macs="own", claim="announced")
    tap.poll(0)
    sent = {each[28:32]: each[6:12] for each in tap.take_frames() if each[12:14] == b"\x08\x06"}
    assert sent == {OUR_IP: OUR_MAC, PHONE: tap.hosts()[PHONE], LAPTOP: tap.hosts()[LAPTOP]}


def test_a_group_is_heard_whatever_the_macs_of_the_hosts():
    tap, said = with_hosts(host_macs="own"), packet6(ALL_NODES, ip("fd00::2"))
    assert tap.ethernet_to_ip(frame(said, b"\x33\x33\0\0\0\1")) == said


def test_a_conflict_between_two_attempts_of_a_host_is_nothing():
    tap = a_tap(hosts=(PHONE,), claim="probed")
    tap.poll(0)
    for _ in range(MAX_CONFLICTS):
        tap.ethernet_to_ip(arp_request(STRANGER_MAC, PHONE, PHONE))
    tap.take_events()
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, PHONE, PHONE))
    assert AddressConflict(PHONE, STRANGER_MAC) not in tap.take_events()


def test_linux_looks_after_a_neighbor_in_the_name_of_the_host_that_speaks_to_it():
    tap = with_hosts(profile="linux")
    tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, OUR_IP), 0)
    tap.ip_to_ethernet(packet(PEER, LAPTOP))
    tap.take_frames()
    tap.poll(5 * SECOND)
    assert [sent[28:32] for sent in tap.take_frames()] == [LAPTOP]


def test_every_mac_that_we_speak_under_is_told_be_its_host_probed_or_in_use():
    probing = with_hosts(claim="probed", host_macs="own")
    assert probing.macs() == with_hosts(host_macs="own").macs()
    assert probing.macs() == {OUR_MAC, *with_hosts(host_macs="own").hosts().values()}
