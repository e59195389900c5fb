"""Whatever comes in: a tap with hosts and a tap that serves never raise, and keep their limits."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conformance.dhcp_client import said
from tests import strategies
from tests.builders import OUR_MAC, PEER_MAC, a_tap, arp_request, config, packet, packet6
from virtualtap import SECOND, Serving, VirtualTap, ip, memory_bound
from virtualtap.wire import dhcp

POOL = (ip("10.0.0.50"), ip("10.0.0.90"))
SMALL = {"neighbors_max": 4, "outbox_max": 8, "hosts_max": 6, "arp_burst_max": 3}
ROUTER = {
    **SMALL,
    "gateway_ip": None,
    "gateway_ip6": None,
    "our_ip6": (ip("fe80::1"),),
    "serve": Serving(pool=POOL, server_ip=ip("10.0.0.9"), prefixes=(ip("fd00:1::"),), leases_max=4),
}
clients = st.builds(
    lambda kind, last, wish, gap: (
        False,
        said(
            kind,
            by=b"\2\0\0\0\1" + bytes((last,)),
            options=((dhcp.REQUESTED_IP, b"\x0a\0\0" + bytes((wish,))),),
        ),
        gap,
    ),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(45, 60),
    strategies.gaps,
)
guests = st.builds(
    lambda last, to, gap: (
        True,
        packet(b"\x0a\0\0" + bytes((to,)), b"\x0a\0\0" + bytes((last,))),
        gap,
    ),
    st.integers(0, 40),
    st.integers(0, 255),
    strategies.gaps,
)


@pytest.mark.slow
@given(st.lists(strategies.happenings | guests, max_size=30), st.sampled_from(("shared", "own")))
def test_a_tap_with_hosts_keeps_its_limits(happenings, macs):
    tap, now = a_tap(**SMALL, admit_hosts=True, host_macs=macs, hosts=(ip("10.0.0.30"),)), 0
    for from_host, data, gap in happenings:
        now += gap
        (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)
        assert len(tap.hosts()) <= tap._core.config.hosts_max
        assert len(tap._core.macs.ours) <= 1 + tap._core.config.hosts_max
        assert max(len(tap._core.frames), len(tap._core.packets)) <= tap._core.config.outbox_max


@pytest.mark.slow
@given(st.lists(strategies.happenings | clients, max_size=30))
def test_a_tap_that_serves_keeps_its_limits(happenings):
    tap, now = a_tap(**ROUTER), 0
    server = tap._ipv4._udp[dhcp.SERVER_PORT].__self__
    for from_host, data, gap in happenings:
        now += gap
        (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)
        assert len(server.loans) <= 4
        assert len(server.loans._clients) <= len(server.loans)
        assert server.loans.probed() <= 3
        assert max(len(tap._core.frames), len(tap._core.packets)) <= tap._core.config.outbox_max


def held(make: Callable[[], VirtualTap], feed: Callable[[VirtualTap], None]) -> int:
    """The bytes that a tap holds after a flood."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tap = make()
        feed(tap)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def guests_in_dispute(tap: VirtualTap) -> None:
    """A thousand guests, each address claimed by a stranger twice."""
    for number in range(1000):
        guest = b"\x0a\x01" + number.to_bytes(2)
        tap.ip_to_ethernet(packet(b"\x0a\xff\0\1", guest))
        tap.ip_to_ethernet(packet6(b"\xfe\x80" + bytes(14), b"\xfe\x80" + bytes(12) + guest[2:]))
        for _ in range(2):
            tap.ethernet_to_ip(arp_request(PEER_MAC, guest, guest), number)


def clients_with_long_names(tap: VirtualTap) -> None:
    """A thousand clients, each with an identifier of 255 bytes."""
    for number in range(1000):
        name = number.to_bytes(2) + bytes(253)
        options = ((dhcp.CLIENT_ID, name), (dhcp.HOST_NAME, bytes(900)))
        tap.ethernet_to_ip(said(dhcp.DISCOVER, by=b"\2\0\0\1" + name[:2], options=options))
        tap.poll(number * SECOND // 20)


LEAST = {"prefix_length": 8} | dict.fromkeys(
    (
        *("neighbors_max", "held_packets_max", "held_bytes_max", "headers_max", "outbox_max"),
        *("reassembly_datagrams_max", "reassembly_bytes_max", "reassembly_fragments_max"),
        *("redirects_max", "routers_max", "prefixes_max", "addresses6_max", "lease_routes_max"),
    ),
    1,
)
LENDING = {**ROUTER, **LEAST, "serve": Serving(pool=(POOL[0], ip("10.200.0.0")), leases_max=256)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "feed"),
    [
        ({**LEAST, "admit_hosts": True, "host_macs": "own", "hosts_max": 256}, guests_in_dispute),
        (LENDING, clients_with_long_names),
    ],
)
def test_a_flood_behind_or_before_the_tap_stays_under_the_bound(changes, feed):
    def make() -> VirtualTap:
        return a_tap(**changes)

    feed(make())  # what is cached once and for all is not the tap's
    bound = memory_bound(config(**changes))
    assert bound // 8 < held(make, feed) < bound


@given(st.binary(max_size=80))
def test_no_bytes_for_the_server_raise(data):
    tap = a_tap(**ROUTER)
    whole = said(dhcp.DISCOVER, wrong_by=0)
    tap.ethernet_to_ip(whole[:40] + b"\0\0" + data)
    tap.ethernet_to_ip(whole[:40] + b"\0\0" + whole[42:282] + data)
    tap.ethernet_to_ip(OUR_MAC + whole[6:] + data)
    assert len(tap.take_frames()) <= 8
