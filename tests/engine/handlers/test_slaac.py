"""Addresses of our own beyond the conformance cases: events, limits, time."""

from dataclasses import replace

from sim.conformance.cases.ndp_learn import HOST6, learned, offer, probes, start
from sim.conformance.cases.ndp_slaac import FORMED
from sim.conformance.frames6 import LINK_LOCAL, O, S, dad, na, ns, of_length, prefix, ra
from sim.conformance.script import CONFIG, OTHER_MAC, US6, Script
from tests.builders import dropped, packet6
from virtualtap import SECOND, AddressClaimed, AddressConflict, DropReason, VirtualTap, ip
from virtualtap.wire.address import ALL_NODES6, ANY6
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
