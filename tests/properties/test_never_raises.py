"""No bytes make either verb raise, and every input has exactly one fate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import a_tap, frames_of
from virtualtap import VirtualTap
from virtualtap.stats import HELD_REASONS, JOINED_REASONS


def refused(tap: VirtualTap) -> int:
    """Inputs refused at once: all drops but those of packets that were taken in before."""
    dropped, before = tap.stats.dropped, (*HELD_REASONS, *JOINED_REASONS)
    return tap.stats.dropped_total - sum(dropped.get(reason, 0) for reason in before)


def check_fate_of_packet(tap: VirtualTap, packet: bytes) -> None:
    """A packet leaves, waits, or is refused; what leaves carries it behind 14 bytes."""
    stats = tap.stats
    before = (stats.to_ethernet, stats.held, refused(tap))
    sent = tap.ip_to_ethernet(packet)
    left, held, dropped = (
        now - then
        for now, then in zip((stats.to_ethernet, stats.held, refused(tap)), before, strict=True)
    )
    assert (left, held, dropped) in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert (sent is not None) == left
    if sent is not None:
        assert packet.startswith(sent[14:]) and len(sent) > 14 + 19
        assert sent[6:12] == tap._our_mac
    check_balance(tap)


def check_fate_of_frame(tap: VirtualTap, frame: bytes) -> None:
    """A frame comes out as the packet in it, or makes one whole, or is refused, or stays inside."""
    stats = tap.stats
    before = (stats.to_ip, refused(tap), stats.requests_answered)
    joined = stats.reassembled
    packet = tap.ethernet_to_ip(frame)
    came_out, dropped, answered = (
        now - then
        for now, then in zip(
            (stats.to_ip, refused(tap), stats.requests_answered), before, strict=True
        )
    )
    assert (came_out, dropped, answered) in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0))
    assert (packet is not None) == came_out
    if packet is not None:
        assert (frame[14:].startswith(packet) or stats.reassembled > joined) and len(packet) > 19
    check_balance(tap)


def check_balance(tap: VirtualTap) -> None:
    """What was held was sent, was dropped for want of an answer or of room, or still waits."""
    stats = tap.stats
    gone = sum(stats.dropped.get(reason, 0) for reason in HELD_REASONS)
    assert stats.held == stats.released + gone + tap.holding()
    assert stats.dropped_total == sum(stats.dropped.values())


@given(st.lists(strategies.happenings, max_size=30))
def test_every_input_has_exactly_one_fate(happenings):
    tap, now = a_tap(held_packets_max=2, neighbors_max=4, outbox_max=8), 0
    for from_host, data, gap in happenings:
        now += gap
        tap.poll(now)
        if from_host:
            check_fate_of_packet(tap, data)
        else:
            check_fate_of_frame(tap, data)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data):
    tap = a_tap()
    check_fate_of_packet(tap, data)
    check_fate_of_frame(tap, data)
    check_fate_of_frame(tap, tap._our_mac + data)
    check_fate_of_frame(tap, b"\xff" * 6 + tap._our_mac[:5] + b"\x77" + data)


@pytest.mark.slow
def test_no_frame_of_any_capture_raises(captures):
    seen = 0
    tap = a_tap()
    for path in sorted(captures.rglob("*.pcap*")):
        for frame in frames_of(path):
            seen += 1
            check_fate_of_frame(tap, frame)
            check_fate_of_frame(tap, tap._our_mac + frame[6:])
            check_fate_of_packet(tap, frame[14:])
            tap.take_frames()
    assert seen > 4000


@pytest.mark.slow
def test_taps_that_own_the_addresses_of_real_captures_do_not_raise(captures):
    for path in sorted((captures / "softether").glob("*.pcap")):
        frames = list(frames_of(path))
        for owner in sorted({frame[:6] for frame in frames if not frame[0] & 1}):
            tap = a_tap(our_mac=owner, our_ip=None, gateway_ip=None)
            for frame in frames:
                check_fate_of_frame(tap, frame)
