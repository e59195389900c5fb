"""Addresses of our own beyond the conformance cases: events, limits, time."""

from dataclasses import replace

from sim.conformance.cases.ndp_learn import HOST6, OTHER_OF_HOST, learned, offer, probes, start
from sim.conformance.cases.ndp_slaac import FORMED
from sim.conformance.frames6 import LINK_LOCAL, O, S, dad, na, ns, of_length, prefix, ra
from sim.conformance.membership import MDNS6, REPORTS6, TO_EX, TO_IN, seen
from sim.conformance.script import CONFIG, OTHER_MAC, PEER_MAC, US6, Script
from tests.builders import dropped, packet6
from virtualtap import SECOND, AddressClaimed, AddressConflict, DropReason, VirtualTap, ip
from virtualtap.wire.address import ALL_NODES6, ANY6, multicast_mac6, solicited_node
from virtualtap.wire.ipv6 import Ipv6

ALONE = replace(CONFIG, our_ip6=(), gateway_ip6=None, slaac=True)


def ready(**changes) -> VirtualTap:
    """A tap whose link-local address is its own, 3 s after its time began."""
    tap = VirtualTap(replace(ALONE, **changes))
    tap.poll(0)
    tap.poll(3 * SECOND)
    tap.take_frames()
    return tap


def hear(tap: VirtualTap, *prefixes: str, after: int = 3) -> None:
    tap.ethernet_to_ip(ra(9000, options=tuple(map(prefix, prefixes))), now=after * SECOND)
    tap.poll((after + 2) * SECOND)


def test_an_address_that_nobody_contests_is_claimed():
    tap = ready()
    assert tap.take_events() == [AddressClaimed(LINK_LOCAL)]
    hear(tap, "2001:db8::")
    assert AddressClaimed(FORMED) in tap.take_events()
    assert tap.our_ip6 == (LINK_LOCAL, FORMED)


def test_a_contested_address_is_a_conflict_and_never_claimed():
    tap = VirtualTap(replace(CONFIG, dad=True))
    tap.poll(SECOND)
    tap.ethernet_to_ip(na(S, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=US6))
    tap.ethernet_to_ip(dad(at=OTHER_MAC))
    tap.ethernet_to_ip(dad(at=OTHER_MAC))
    tap.poll(9 * SECOND)
    assert tap.take_events() == [AddressConflict(US6, OTHER_MAC)]
    assert tap.our_ip6 == ()


def test_nothing_begins_before_the_time_is_known():
    tap = VirtualTap(replace(CONFIG, dad=True))
    assert tap.ethernet_to_ip(ns()) is None
    assert (tap.take_frames(), tap.next_deadline()) == ([], 0)
    start = 10**18
    tap.poll(start)
    assert start <= tap.next_deadline() <= start + SECOND


def test_a_packet_from_an_address_that_is_not_ours_yet_is_counted():
    tap = VirtualTap(replace(CONFIG, dad=True))
    tap.ip_to_ethernet(packet6(source=US6))
    assert dropped(tap, DropReason.NO_ADDRESS) == 1


def test_addresses_have_a_limit():
    tap = ready(addresses6_max=2)
    hear(tap, "2001:db8:1::", "2001:db8:2::")
    assert tap.our_ip6 == (LINK_LOCAL, ip("2001:db8:1::5eff:fe00:2"))


def test_an_address_that_ended_makes_room_and_its_probe_is_not_missed():
    tap = ready(addresses6_max=2)
    brief = prefix(valid=0x1, preferred=1)
    tap.ethernet_to_ip(ra(9000, options=(brief,)), now=3 * SECOND)
    tap.ethernet_to_ip(ra(9000, options=(prefix("2001:db8:1::"),)), now=4 * SECOND)
    tap.poll(9 * SECOND)
    assert tap.our_ip6 == (LINK_LOCAL, ip("2001:db8:1::5eff:fe00:2"))


def test_a_configured_address_is_not_ended_by_a_prefix():
    tap = ready(our_ip6=(FORMED,))
    tap.ethernet_to_ip(ra(options=(prefix(valid=7300, preferred=1),)))
    tap.poll(9000 * SECOND)
    assert FORMED in tap.our_ip6


def test_routers_are_asked_for_by_a_probed_link_local_address():
    tap = VirtualTap(replace(ALONE, our_ip6=(LINK_LOCAL,), dad=True))
    tap.poll(0)
    tap.poll(3 * SECOND)
    assert [sent[54] for sent in tap.take_frames()] == [135, 133]


def test_a_link_local_address_that_is_lost_asks_for_no_routers():
    tap = VirtualTap(replace(ALONE, our_ip6=(LINK_LOCAL,)))
    tap.poll(0)
    tap._core.interface6.addresses[LINK_LOCAL].duplicate = True
    tap.poll(9 * SECOND)
    assert tap.take_frames() == []


# what the host forms itself


def listening(**changes) -> Script:
    """A tap that learns, and heard a router offer 2001:db8::/64."""
    return start(Script(VirtualTap), **changes)


def test_an_address_that_the_host_probed_is_claimed():
    script = listening()
    learned(script)
    assert AddressClaimed(HOST6) in script.tap.take_events()
    assert script.tap.our_ip6 == (HOST6,)


def test_an_address_of_the_host_s_that_another_has_is_a_conflict_until_it_probes_again():
    script = listening()
    for _ in range(2):
        probes(script)
        script.lan(na(O, of=HOST6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6))
        script.at(script.now + SECOND)
        assert AddressConflict(HOST6, OTHER_MAC) in script.tap.take_events()
    learned(script)
    assert script.tap.our_ip6 == (HOST6,)


def test_an_address_that_is_ours_is_not_asked_for_again():
    script = listening()
    learned(script)
    probes(script)
    assert script.tap.our_ip6 == (HOST6,)


def test_the_host_s_other_packets_from_nobody_pass():
    script = listening()
    for kind in (0, 58):
        said = Ipv6(ANY6, ALL_NODES6, kind, b"\x01\0\0\0", hop_limit=255).to_bytes()
        script.host(said)
        assert [frame[14:] for frame in script.frames()] == [said]


def test_a_probe_cut_short_is_malformed():
    script = listening()
    short = of_length(dad(HOST6), 20)[14:]
    script.host(short).expect()
    assert dropped(script.tap, DropReason.MALFORMED) == 1


def test_noted_prefixes_that_ended_make_room():
    script = listening(valid=10, prefixes_max=1)
    script.at(10 * SECOND)
    other = ip("2001:db8:1::1")
    script.lan(ra(9000, options=(prefix("2001:db8:1::"),))).forget()
    learned(script, other)
    assert script.tap.our_ip6 == (other,)


def test_learned_addresses_that_ended_make_room():
    script = listening(valid=10, addresses6_max=1)
    learned(script)
    script.at(10 * SECOND)
    script.lan(ra(9000, options=(prefix("2001:db8:1::"),))).forget()
    learned(script, ip("2001:db8:1::1"))
    assert script.tap.our_ip6 == (ip("2001:db8:1::1"),)


def test_what_is_configured_is_not_ended_by_a_router():
    configured = ip("2001:db8::7")
    script = listening(our_ip6=(configured,))
    offer(script, 10)
    script.at(9000 * SECOND)
    assert script.tap.our_ip6 == (configured,)


def test_addresses_that_end_take_their_probes_with_them():
    tap = ready(addresses6_max=2)
    tap.ethernet_to_ip(ra(9000, retrans=0xFFFFFFFF))
    for second in range(4, 400, 2):
        brief = prefix(f"2001:db8:{second:x}::", valid=1, preferred=1)
        tap.ethernet_to_ip(ra(9000, options=(brief,)), now=second * SECOND)
        tap.poll((second + 1) * SECOND)
    assert len(tap._core.timers._live) < 10


def test_an_address_that_the_host_probed_takes_its_wait_with_it():
    script = listening(valid=10, addresses6_max=1, ndp_interval=100 * SECOND)
    probes(script)
    script.at(10 * SECOND)
    script.lan(ra(9000, options=(prefix("2001:db8:1::"),))).forget()
    probes(script, ip("2001:db8:1::1"))
    assert script.tap.next_deadline() == 110 * SECOND


def test_two_addresses_that_the_host_probes_at_once_are_both_learned():
    script = listening()
    probes(script)
    probes(script, OTHER_OF_HOST)
    script.at(SECOND)
    assert sorted(script.tap.our_ip6) == sorted((HOST6, OTHER_OF_HOST))


def test_an_address_is_not_learned_of_a_prefix_that_ends_now():
    script = listening(valid=10)
    script.at(10 * SECOND)
    script.host(dad(HOST6)[14:]).forget()
    assert HOST6 not in script.tap._core.interface6.addresses


def test_an_address_that_ends_now_is_formed_and_probed_again():
    tap = ready()
    hear(tap, "2001:db8::", after=3)
    hear(tap, "2001:db8::", after=3 + 86_400)
    assert FORMED in tap.our_ip6
    assert tap.take_events().count(AddressClaimed(FORMED)) == 2


def test_the_group_of_a_learned_address_is_joined_and_left_with_it():
    script = listening(valid=10, groups=(MDNS6,))
    script.at(2 * SECOND).forget()
    script.host(dad(HOST6)[14:]).at(5 * SECOND)
    assert {solicited_node(HOST6)} == {
        group for kind, group in seen(reports(script)) if kind == TO_EX
    }
    script.at(11 * SECOND)
    assert seen(reports(script)) == [(TO_IN, solicited_node(HOST6))] * 2


def reports(script):
    """What it said of groups since."""
    return tuple(sent for sent in script.frames() if sent[:6] == multicast_mac6(REPORTS6))


def test_an_address_that_is_no_longer_preferred_comes_after_those_that_are():
    tap = ready()
    tap.ethernet_to_ip(ra(9000, options=(prefix(preferred=1),)), now=3 * SECOND)
    hear(tap, "2001:db8:1::", after=4)
    assert tap.our_ip6 == (LINK_LOCAL, ip("2001:db8:1::5eff:fe00:2"), FORMED)


def test_without_slaac_no_router_is_asked_for():
    tap = VirtualTap(replace(CONFIG, our_ip6=(LINK_LOCAL,), dad=True))
    tap.poll(0)
    tap.poll(9 * SECOND)
    assert [sent[54] for sent in tap.take_frames()] == [135]


def test_a_conflict_names_the_mac_that_is_said():
    tap = VirtualTap(replace(CONFIG, dad=True))
    tap.poll(SECOND)
    tap.ethernet_to_ip(na(O, of=US6, says=OTHER_MAC, at=PEER_MAC, to=ALL_NODES6))
    assert tap.take_events() == [AddressConflict(US6, OTHER_MAC)]


def test_addresses_that_end_before_their_probe_take_it_with_them():
    slow = {"our_ip6": (LINK_LOCAL,), "router_solicitation_delay": 1000 * SECOND}
    tap = ready(addresses6_max=2, **slow)
    for second in range(4, 100, 2):
        brief = prefix(f"2001:db8:{second:x}::", valid=1, preferred=1)
        tap.ethernet_to_ip(ra(9000, options=(brief,)), now=second * SECOND)
    assert len(tap._core.timers._live) < 10


def test_without_slaac_no_router_is_asked_for_however_soon_an_address_is_ours():
    for seed in range(20):
        quick = {"our_ip6": (LINK_LOCAL,), "ndp_interval": SECOND // 1000}
        tap = VirtualTap(replace(CONFIG, dad=True, random_seed=seed, **quick))
        tap.poll(0)
        tap.poll(9 * SECOND)
        assert [sent[54] for sent in tap.take_frames()] == [135]
