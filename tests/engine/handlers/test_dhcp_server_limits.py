"""The DHCP server: how long its answers are, and who gets none. RFC 2131 2, 4.3, RFC 2132 9.10."""

from dataclasses import replace

import pytest

from sim.conformance.dhcp_client import asks_for, said
from tests.builders import OUR_IP, dropped
from tests.engine.handlers.test_dhcp_server import SERVE, a_server, hear, lease
from virtualtap import SECOND, DropReason, ip
from virtualtap.wire import dhcp
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP

LONG = (dhcp.CLIENT_ID, b"\1" + bytes(254))
MUCH = replace(
    SERVE,
    dns=tuple(ip(f"10.0.0.{n}") for n in range(1, 9)),
    routes=tuple((ip(f"172.16.{n}.1"), 32, OUR_IP) for n in range(16)),
)


@pytest.mark.parametrize(
    ("size", "mtu", "known"),
    [
        (None, 1500, {dhcp.MASK, dhcp.ROUTER, dhcp.MTU}),
        (68, 1500, {dhcp.MASK, dhcp.ROUTER, dhcp.MTU}),
        (700, 576, {dhcp.MASK, dhcp.ROUTER, dhcp.MTU}),
        (719, 1500, {dhcp.MASK, dhcp.ROUTES, dhcp.ROUTER}),
        (720, 1500, {dhcp.MASK, dhcp.ROUTES, dhcp.ROUTER, dhcp.MTU}),
        (1500, 1500, {dhcp.MASK, dhcp.ROUTES, dhcp.ROUTER, dhcp.DNS, dhcp.MTU}),
    ],
)
def test_an_answer_is_no_longer_than_its_client_takes(size, mtu, known):
    # RFC 2131 2, RFC 2132 9.10
    tap = a_server(MUCH, mtu=mtu)
    sized = () if size is None else ((dhcp.SIZE_MAX, size.to_bytes(2)),)
    tap.ethernet_to_ip(said(dhcp.DISCOVER, options=(LONG, *sized)))
    tap.poll(tap._core.now + SECOND)
    (sent,) = (each for each in tap.take_frames() if each[12:14] != ARP)
    assert len(sent) - 14 <= min(mtu, max(size or 0, 576))
    found = {code for code, _ in Dhcp.parse(sent[42:]).options}
    assert found & {code for code, _ in tap._ipv4._udp[67].__self__._known} == known
    assert Dhcp.parse(sent[42:]).value(dhcp.CLIENT_ID) == LONG[1]


@pytest.mark.parametrize(
    "asks", ["10.0.0.0", "10.0.0.255", "0.0.0.0", "255.255.255.255", "192.0.2.1"]
)
def test_one_who_cannot_be_called_so_is_not_informed(asks):
    tap = a_server()
    assert hear(tap, said(dhcp.INFORM, source=ip(asks))) == []


def test_one_who_says_that_it_has_our_address_is_not_informed():
    tap = a_server(replace(SERVE, server_ip=ip("10.0.0.9")))
    for ours in (OUR_IP, ip("10.0.0.9")):
        assert hear(tap, said(dhcp.INFORM, client_ip=ours)) == []
    assert tap.stats.dropped == {DropReason.NOT_FOR_US: 2}


def test_who_takes_an_offer_has_no_address_yet():
    # RFC 2131 4.3.6, table 4
    tap = a_server()
    (offered,) = hear(tap, said(dhcp.DISCOVER))
    for options in (asks_for(offered.your_ip, OUR_IP), asks_for(offered.your_ip, None)):
        assert hear(tap, said(dhcp.REQUEST, client_ip=ip("10.0.0.77"), options=options)) == []
    assert dropped(tap, DropReason.MALFORMED) == 2


def test_who_renews_may_name_its_address_twice():
    tap = a_server()
    had = lease(tap)
    (again,) = hear(tap, said(dhcp.REQUEST, client_ip=had, options=asks_for(had, None)))
    assert (again.kind, again.your_ip) == (dhcp.ACK, had)
