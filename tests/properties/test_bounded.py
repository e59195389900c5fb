"""Whatever comes in, and if nobody takes what comes out: tables and outboxes keep their limits."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import OUR_IP, PEER_MAC, a_tap, arp_request, packet, solicitation
from virtualtap import VirtualTap

SMALL = {
    "neighbors_max": 3,
    "held_packets_max": 2,
    "held_bytes_max": 200,
    "outbox_max": 4,
    "headers_max": 3,
}


def check_limits(tap: VirtualTap) -> None:
    core, config = tap._core, tap._core.config
    entries = core.neighbors._entries.values()
    held = [len(packet) for entry in entries for packet in entry.held]
    assert len(core.neighbors) <= config.neighbors_max
    assert all(len(entry.held) <= config.held_packets_max for entry in entries)
    assert core.neighbors._held_bytes == sum(held) <= config.held_bytes_max
    assert max(len(core.frames), len(core.packets), len(core.events)) <= config.outbox_max
    assert max(len(core.outward), len(core.inward)) <= config.headers_max
    assert len(core.pace._asked) <= config.arp_burst_max + config.arp_interval // config.arp_spacing
    # one timer for each neighbour at most, one for our address, one for all that comes in pieces,
    # and not many that are cancelled
    assert len(core.timers._live) <= len(core.neighbors) + 2
    assert len(core.timers._heap) <= 2 * config.neighbors_max + 64


strangers = st.builds(
    lambda last, gap: (False, arp_request(PEER_MAC, bytes((10, 0, 0, last)), OUR_IP), gap),
    st.integers(2, 9),
    strategies.gaps,
)


@given(st.lists(strategies.happenings | strangers, max_size=40), st.booleans())
def test_every_table_and_outbox_keeps_its_limit(happenings, internal):
    tap, now = a_tap(**SMALL, handle_arp_internally=internal, prefix_length=0), 0
    for from_host, data, gap in happenings:
        now += gap
        (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)
        check_limits(tap)


def flood(tap: VirtualTap, count: int, first: int = 0) -> None:
    """Strangers who all ask for us, and packets to as many, in both families."""
    for number in range(first, first + count):
        address = b"\x0a" + number.to_bytes(3)
        tap.ethernet_to_ip(arp_request(PEER_MAC, address, OUR_IP))
        tap.ethernet_to_ip(solicitation(PEER_MAC, b"\xfd" + bytes(11) + address))
        tap.ip_to_ethernet(packet(b"\x0a\xff" + number.to_bytes(2)))


@pytest.mark.slow
def test_memory_stays_where_a_flood_of_strangers_took_it():
    tap = a_tap(neighbors_max=64, outbox_max=64, prefix_length=8)
    tracemalloc.start()
    try:
        flood(tap, 500)
        full = tracemalloc.get_traced_memory()[0]
        flood(tap, 2500, first=500)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    check_limits(tap)
    assert after < full + 16 * 1024
