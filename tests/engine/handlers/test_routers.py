"""Routers beyond the conformance cases: what the host hears, what is reported and counted."""

from dataclasses import replace

import pytest

from sim.conformance.frames6 import (
    FAR6,
    LINK_LOCAL,
    ROUTER6,
    ROUTER_MAC,
    O,
    S,
    mtu,
    na,
    ra,
    redirect,
    rs,
)
from sim.conformance.script import CONFIG
from tests.builders import dropped, packet6
from virtualtap import SECOND, DropReason, GatewayLearned, NeighborLearned, VirtualTap
from virtualtap.wire import ndp
from virtualtap.wire.address import BROADCAST, ip, solicited_node


@pytest.fixture
def tap():
    return VirtualTap(CONFIG)


def test_without_slaac_the_host_hears_the_routers_too(tap):
    assert tap.ethernet_to_ip(ra() + bytes(3)) == ra()[14:]
    assert (tap.stats.to_ip, tap.stats.dropped_total) == (1, 0)


def test_with_slaac_the_tap_hears_them_for_the_host():
    tap = VirtualTap(replace(CONFIG, slaac=True))
    assert tap.ethernet_to_ip(ra()) is None
    assert tap.stats.to_ip == 0


def test_a_router_is_a_gateway_learned(tap):
    tap.ethernet_to_ip(ra())
    assert tap.take_events() == [
        NeighborLearned(ROUTER6, ROUTER_MAC),
        GatewayLearned(ROUTER6, ROUTER_MAC),
    ]


def test_one_who_asks_for_routers_is_counted_as_not_for_us(tap):
    tap.ethernet_to_ip(rs())
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


def test_an_invalid_redirect_is_counted_as_malformed(tap):
    tap.ethernet_to_ip(redirect(by=ROUTER6))
    assert dropped(tap, DropReason.MALFORMED) == 1


def test_a_redirect_to_ourselves_is_malformed(tap):
    ours = CONFIG.our_ip6[0]
    tap.ethernet_to_ip(redirect(ours, target=ours))
    assert dropped(tap, DropReason.MALFORMED) == 1


@pytest.mark.parametrize("mac", [b"\xff" * 6, bytes(6), CONFIG.our_mac])
def test_a_mac_that_no_router_can_have_is_not_learned(tap, mac):
    tap.ethernet_to_ip(ra(says=None, options=((ndp.SOURCE_MAC, mac),)))
    assert tap.neighbors() == {}


def test_redirects_are_forgotten_with_their_target(tap):
    interface = tap._core.interface6
    interface.redirect(FAR6, ROUTER6)
    interface.remove_router(ROUTER6)
    assert interface.redirects == {}


@pytest.mark.parametrize("kind", [133, 134, 137])
def test_padding_that_looks_like_a_message_is_malformed(tap, kind):
    empty = ra()[:18] + bytes(2) + ra()[20:54]
    assert tap.ethernet_to_ip(empty + bytes((kind, 0, 0, 0, 0, 0))) is None
    assert dropped(tap, DropReason.MALFORMED) == 1


def test_what_routers_say_to_the_host_is_counted(tap):
    for _ in range(2):
        tap.ethernet_to_ip(ra())
    assert tap.stats.to_ip == 2


def test_routers_are_asked_for_after_a_while_of_luck():
    # RFC 4861 6.3.7
    dues = []
    for seed in range(20):
        tap = VirtualTap(replace(CONFIG, our_ip6=(LINK_LOCAL,), slaac=True, random_seed=seed))
        tap.poll(0)
        dues.append(tap.next_deadline())
    assert 0 < min(dues) < SECOND // 5 < 4 * SECOND // 5 < max(dues) < SECOND


def test_an_mtu_is_four_bytes_long(tap):
    tap.ethernet_to_ip(ra(options=(mtu(1 << 24 | 1400),)))
    assert tap._core.interface6.mtu == CONFIG.mtu


def test_a_router_may_raise_the_mtu_to_the_configured_one_again(tap):
    for value in (1400, CONFIG.mtu):
        tap.ethernet_to_ip(ra(options=(mtu(value),)))
        assert tap._core.interface6.mtu == value


def test_the_router_that_is_known_is_the_one_that_may_redirect(tap):
    # RFC 4861 6.3.6, 8.1
    tap.ethernet_to_ip(ra())
    tap.ethernet_to_ip(redirect(target=FAR6))
    assert (tap._core.interface6.redirects, dropped(tap, DropReason.MALFORMED)) == ({}, 1)
    tap.ethernet_to_ip(redirect(target=FAR6, by=ROUTER6, at=ROUTER_MAC))
    assert tap._core.interface6.redirects == {FAR6: FAR6}


def test_a_router_that_says_so_again_and_then_says_no_more_is_none(tap):
    # RFC 4861 7.2.5
    tap.ethernet_to_ip(ra())
    for flags in (ndp.ROUTER, ndp.ROUTER, 0):
        assert ROUTER6 in tap._core.interface6.routers
        tap.ethernet_to_ip(na(O | flags, of=ROUTER6, says=ROUTER_MAC, at=ROUTER_MAC))
    assert ROUTER6 not in tap._core.interface6.routers


def test_redirects_are_forgotten_where_their_target_was_a_router_and_is_none(tap):
    # RFC 4861 7.2.5
    tap.ethernet_to_ip(redirect(says=None))
    tap.ip_to_ethernet(packet6(FAR6, CONFIG.our_ip6[0]))
    tap.ethernet_to_ip(na(S | O | ndp.ROUTER, of=ROUTER6, says=ROUTER_MAC, at=ROUTER_MAC))
    assert tap._core.interface6.redirects == {FAR6: ROUTER6}
    tap.ethernet_to_ip(na(S | O, of=ROUTER6, says=ROUTER_MAC, at=ROUTER_MAC))
    assert tap._core.interface6.redirects == {}


@pytest.mark.parametrize(
    ("to", "mac", "why"),
    [
        ("fd00::99", CONFIG.our_mac, DropReason.NOT_FOR_US),
        ("fd00::99", BROADCAST, DropReason.NOT_FOR_US),
        ("fe80::99", CONFIG.our_mac, DropReason.NOT_FOR_US),
        ("fd00::2", BROADCAST, DropReason.NOT_FOR_US),
        ("ff02::1:ff00:99", None, DropReason.NOT_FOR_US),
        ("ff01::1", None, DropReason.BAD_ADDRESS),
    ],
)
def test_what_a_router_says_to_another_is_neither_believed_nor_passed_on(tap, to, mac, why):
    # RFC 8200 3, RFC 2464 7, RFC 4291 2.7
    assert tap.ethernet_to_ip(ra(to=ip(to), mac=mac)) is None
    assert (tap.stats.dropped, tap.neighbors()) == ({why: 1}, {})
    assert ROUTER6 not in tap._core.interface6.routers


@pytest.mark.parametrize("to", [CONFIG.our_ip6[0], solicited_node(CONFIG.our_ip6[0])])
def test_what_a_router_says_to_us_is_heard(tap, to):
    mac = CONFIG.our_mac if to in CONFIG.our_ip6 else None
    assert tap.ethernet_to_ip(ra(to=to, mac=mac)) is not None
    assert ROUTER6 in tap._core.interface6.routers


def test_without_addresses_of_its_own_a_tap_hears_every_router():
    tap = VirtualTap(replace(CONFIG, our_ip6=()))
    for to, mac in (("fd00::99", CONFIG.our_mac), ("ff02::1:ff00:99", None)):
        assert tap.ethernet_to_ip(ra(to=ip(to), mac=mac)) is not None
    assert tap.ethernet_to_ip(ra(to=ip("fd00::99"), mac=BROADCAST)) is None


def test_a_redirect_to_another_is_not_for_us(tap):
    tap.ethernet_to_ip(redirect(to=ip("fd00::99")))
    assert tap.stats.dropped == {DropReason.NOT_FOR_US: 1}
    assert tap._core.interface6.redirects == {}
