"""Routers beyond the conformance cases: what the host hears, what is reported and counted."""

from dataclasses import replace

import pytest

from sim.conformance.frames6 import FAR6, ROUTER6, ROUTER_MAC, ra, redirect, rs
from sim.conformance.script import CONFIG
from tests.builders import dropped
from virtualtap import DropReason, GatewayLearned, NeighborLearned, VirtualTap
from virtualtap.wire import ndp


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
