"""The ordinary packet takes a short way through either verb, and fares as by the long one."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import (
    FAR,
    GATEWAY,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    frame,
    packet,
)
from virtualtap import DropReason, WireError
from virtualtap.wire.address import BROADCAST, NO_MAC

to_us = st.builds(packet, st.just(OUR_IP), strategies.ip4s, strategies.payloads)
from_us = st.builds(packet, st.sampled_from((PEER, FAR)), st.just(OUR_IP), strategies.payloads)
tails = st.just(b"") | st.binary(max_size=20)


@given(
    to_us | strategies.damaged(to_us),
    st.sampled_from((OUR_MAC, OUR_MAC, BROADCAST, PEER_MAC)),
    st.sampled_from((PEER_MAC, OUR_MAC, BROADCAST, NO_MAC)),
    tails,
)
def test_a_frame_comes_out_the_same_by_the_long_way(inside, to, source, tail):
    data = frame(inside, to, source, b"\x08\x00") + tail
    one, other = a_tap(), a_tap()
    try:
        by_the_long_way = other._receive(data)
    except WireError:
        by_the_long_way = None
        other._core.drop(DropReason.MALFORMED)
    assert one.ethernet_to_ip(data) == by_the_long_way
    assert one.stats == other.stats


@given(from_us | strategies.damaged(from_us), tails)
def test_a_packet_from_memory_is_the_one_that_is_not(data, tail):
    new, used = (a_tap_that_knows(PEER, GATEWAY, mtu=68) for _ in range(2))
    for destination in (PEER, FAR):
        used.ip_to_ethernet(packet(destination))
    assert new.ip_to_ethernet(data + tail) == used.ip_to_ethernet(data + tail)
    assert new.stats.dropped == used.stats.dropped


@given(st.lists(from_us, max_size=6), st.integers(1, 3))
def test_the_header_alone_is_what_the_packet_would_get(packets, repeats):
    one, other = (a_tap_that_knows(PEER, GATEWAY, mtu=80) for _ in range(2))
    for data in packets * repeats:
        header, frame_ = one.header_for(data), other.ip_to_ethernet(data)
        sent = [] if header is None else [header + data]
        assert (
            sent + one.take_frames() == ([] if frame_ is None else [frame_]) + other.take_frames()
        )
        assert one.stats == other.stats


def engine_bytes() -> int:
    """What the engine's own lines hold: a thread of the test runner allocates too."""
    engine = tracemalloc.Filter(True, "*/virtualtap/*")
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([engine]).traces)


def test_the_ordinary_packet_leaves_nothing_behind():
    tap = a_tap_that_knows(PEER)
    ours, theirs = packet(PEER), frame(packet(OUR_IP, source=PEER))
    for _ in range(2):
        tap.ip_to_ethernet(ours)
        tap.ethernet_to_ip(theirs)
    tracemalloc.start()
    try:
        before = engine_bytes()
        for _ in range(1000):
            tap.ip_to_ethernet(ours)
            tap.ethernet_to_ip(theirs)
        after = engine_bytes()
    finally:
        tracemalloc.stop()
    assert after - before < 200  # the counters' own numbers
    assert (tap.take_frames(), tap.take_packets()) == ([], [])
