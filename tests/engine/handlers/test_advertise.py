"""The router's advertisements: when, what, to whom. RFC 4861 6.2."""

from itertools import pairwise

import pytest

from tests.builders import OUR_MAC, PEER6, PEER_MAC, config, dropped, icmp6_frame
from virtualtap import MS, SECOND, DropReason, Serving, VirtualTap, ip
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ALL_ROUTERS6, ANY6, multicast_mac6
from virtualtap.wire.ndp import Redirect, RouterAdvertisement, RouterSolicitation

PREFIX, LINK_LOCAL = ip("fd00:1::"), ip("fe80::1")
SERVE = Serving(prefixes=(PREFIX,))
LINK = (PEER_MAC, multicast_mac6(ALL_ROUTERS6))
SOLICITED = RouterSolicitation(((ndp.SOURCE_MAC, PEER_MAC),))


def a_router(serve=SERVE, **changes):
    alone = {"gateway_ip": None, "gateway_ip6": None, "our_ip6": (LINK_LOCAL,)}
    return VirtualTap(config(**{**alone, "serve": serve, **changes}))


def settled(**changes):
    """A router that has said its first words, at 100 seconds."""
    tap = a_router(**changes)
    tap.poll(0)
    tap.poll(100 * SECOND)
    tap.take_frames()
    return tap


def solicitation(message=SOLICITED, source=PEER6, **wrong):
    return icmp6_frame(message, source, ALL_ROUTERS6, LINK, **wrong)


def test_an_advertisement_begins_with_the_first_instant_that_is_told():
    tap = a_router()
    assert tap.next_deadline() == 0
    tap.poll(5 * SECOND)
    (sent,) = tap.take_frames()
    message = RouterAdvertisement.parse(sent[54:])
    assert (sent[:6], message.hop_limit) == (multicast_mac6(ALL_NODES6), 64)
    assert (message.lifetime, message.mac(ndp.SOURCE_MAC)) == (1800, OUR_MAC)


def test_a_router_whose_address_is_still_probed_waits():
    tap = a_router(dad=True)
    tap.poll(0)
    assert tap.take_frames() == []
    tap.poll(17 * SECOND)
    kinds = [sent[54] for sent in tap.take_frames()]
    assert kinds == [ndp.SOLICITATION, ndp.ROUTER_ADVERTISEMENT]


def test_a_router_without_prefixes_asks_for_no_time():
    tap = a_router(Serving())
    assert tap.next_deadline() is None
    assert tap.ethernet_to_ip(solicitation()) is None
    assert dropped(tap, DropReason.NOT_FOR_US) == 1


def test_an_answer_comes_within_half_a_second_and_teaches_the_neighbor():
    tap = settled()
    tap.ethernet_to_ip(solicitation())
    assert tap.next_deadline() <= 100 * SECOND + 500 * MS
    tap.poll(100 * SECOND + 500 * MS)
    assert len(tap.take_frames()) == 1
    assert tap.neighbors() == {PEER6: PEER_MAC}


def test_an_answer_does_not_delay_what_was_due():
    tap = settled()
    due = tap.next_deadline()
    tap.poll(due - 1)
    tap.ethernet_to_ip(solicitation())
    assert tap.next_deadline() <= due


def test_answers_keep_their_distance():
    tap = settled()
    tap.ethernet_to_ip(solicitation(RouterSolicitation(), ANY6))
    tap.poll(101 * SECOND)
    tap.take_frames()
    tap.ethernet_to_ip(solicitation(RouterSolicitation(), ANY6))
    assert tap.next_deadline() > 102 * SECOND


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (solicitation(hop_limit=254), DropReason.MALFORMED),
        (solicitation(source=ANY6), DropReason.MALFORMED),
        (solicitation(RouterSolicitation(((ndp.SOURCE_MAC, OUR_MAC),))), DropReason.MALFORMED),
        (
            icmp6_frame(RouterAdvertisement(9), ip("fe80::9"), ALL_NODES6, LINK),
            DropReason.NOT_FOR_US,
        ),
        (
            icmp6_frame(Redirect(PEER6, PEER6), ip("fe80::9"), LINK_LOCAL, (PEER_MAC, OUR_MAC)),
            DropReason.NOT_FOR_US,
        ),
    ],
)
def test_what_is_not_answered_is_counted(sent, reason):
    tap = settled()
    due = tap.next_deadline()
    assert tap.ethernet_to_ip(sent) is None
    assert (dropped(tap, reason), tap.next_deadline()) == (1, due)


def test_its_host_half_forms_an_address_from_what_the_router_says():
    router = a_router()
    host = VirtualTap(
        config(
            our_mac=PEER_MAC, our_ip=None, gateway_ip=None, our_ip6=(), gateway_ip6=None, slaac=True
        )
    )
    for tenth in range(100):
        now = tenth * SECOND // 10
        for tap, other in ((router, host), (host, router)):
            tap.poll(now)
            for each in tap.take_frames():
                other.ethernet_to_ip(each)
    assert any(each[:8] == PREFIX[:8] for each in host.our_ip6)


def test_answers_are_spread_over_half_a_second():
    dues = []
    for seed in range(20):
        tap = settled(random_seed=seed)
        tap.ethernet_to_ip(solicitation())
        dues.append(tap.next_deadline() - 100 * SECOND)
    assert 0 < min(dues) < 100 * MS < 400 * MS < max(dues) <= 500 * MS


def test_the_first_advertisements_are_close_and_the_others_from_a_third_of_the_interval_to_all():
    # RFC 4861 6.2.4
    tap, at = a_router(Serving(prefixes=(PREFIX,), advertisement_interval=601 * SECOND)), [0]
    tap.poll(0)
    while len(at) < 200:
        at.append(tap.next_deadline())
        assert type(at[-1]) is int
        tap.poll(at[-1])
        tap.take_frames()
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert gaps[:2] == [16 * SECOND] * 2
    assert 601 * SECOND // 3 <= min(gaps[2:]) < 215 * SECOND
    assert 585 * SECOND < max(gaps[2:]) <= 601 * SECOND


def test_who_asks_before_the_time_is_known_is_answered_by_the_first_words():
    tap = a_router()
    assert tap.ethernet_to_ip(solicitation()) is None
    tap.poll(0)
    assert len(tap.take_frames()) == 1


def test_the_first_answer_keeps_no_distance():
    tap = a_router(dad=True)
    tap.poll(0)
    tap.poll(3 * SECOND)
    tap.take_frames()
    tap.ethernet_to_ip(solicitation())
    assert tap.next_deadline() <= 3 * SECOND + 500 * MS


def test_who_asks_in_the_name_of_a_group_is_not_learned():
    # RFC 4291 2.7
    tap = settled()
    tap.ethernet_to_ip(solicitation(source=ip("ff02::5")))
    assert (tap.neighbors(), tap.stats.dropped) == ({}, {DropReason.BAD_ADDRESS: 1})
