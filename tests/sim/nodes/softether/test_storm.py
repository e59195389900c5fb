"""The broadcast storm limiter: what the product's algorithm does, and what follows from it."""

from collections.abc import Iterable

import pytest

from sim.nodes.softether.constants import constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.storm import StormLimiter
from sim.rng import stream
from tests import builders as b
from tests.sim.networks import datagram
from tests.sim.nodes.softether.hubs import ONE, TWO, UNKNOWN, sent
from tests.sim.nodes.softether.test_parsing import BRIDGE, STP
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST, ip

OTHER_IP = ip("10.0.0.7")


class Flooder:
    """A session that says the same frame, or another, at times of its own."""

    def __init__(self, luck: str = "storm", **options: int | bool) -> None:
        self.limiter = StormLimiter(HubOptions(**options), constants(), stream(0, luck))  # type: ignore[arg-type]  # as they are

    def says(self, now: int, frame: bytes | None = None) -> bool:
        return self.limiter.passes(Packet(frame or sent()), now)

    def drops(self, times: Iterable[int]) -> list[int]:
        return [now for now in times if not self.says(now)]


def every(per_second: int, seconds: int, start: int = SECOND) -> list[int]:
    """So many times a second, in whole milliseconds as a client's clock has them."""
    return [start + i * 1000 // per_second * MS for i in range(per_second * seconds)]


def a_burst(count: int, start: int = SECOND) -> list[int]:
    return [start + i * MS for i in range(count)]


# what trips it


@pytest.mark.parametrize("rate", [1, 10, 20, 25, 29])
def test_29_frames_a_second_never_trip_it(rate: int):
    assert Flooder().drops(every(rate, 20)) == []


@pytest.mark.parametrize("rate", [30, 31, 40, 100])
def test_30_frames_a_second_trip_it_after_the_first_window(rate: int):
    first = Flooder().drops(every(rate, 2))[0] - SECOND
    assert 500 * MS < first <= 534 * MS


def test_16_frames_in_a_window_trip_it_and_15_do_not():
    closes = SECOND + 501 * MS  # the first frame began the window, and the last counts
    assert Flooder().drops([*a_burst(1 + 14), closes]) == []
    assert Flooder().drops([*a_burst(1 + 15), closes]) == [closes]


def test_a_window_ends_only_after_more_than_500_ms():
    still = SECOND + 500 * MS
    flooder = Flooder()
    assert flooder.drops([*a_burst(40), still]) == []
    assert flooder.drops([still + 1 * MS]) == [still + 1 * MS]


def test_a_burst_passes_whole_and_one_frame_after_it_is_dropped():
    later = SECOND + 600 * MS
    times = [SECOND + i * SECOND // 5000 for i in range(1000)]
    assert Flooder().drops([*times, later, later + 2 * SECOND]) == [later]


@pytest.mark.parametrize("gap", [600 * MS, 10 * SECOND, 3600 * SECOND])
def test_a_later_frame_after_a_burst_and_an_idle_gap_is_dropped_and_then_all_pass(gap: int):
    times = a_burst(20)
    after = times[-1] + gap
    assert Flooder().drops([*times, after, *every(2, 5, after + SECOND)]) == [after]


@pytest.mark.parametrize(("threshold", "passes", "trips"), [(100, 60, 110), (8, 5, 7)])
def test_a_threshold_of_the_hub_replaces_32(threshold: int, passes: int, trips: int):
    options = {"BroadcastStormDetectionThreshold": threshold}
    assert Flooder(**options).drops(every(passes, 8)) == []
    assert Flooder(**options).drops(every(trips, 2))[0] <= SECOND + 580 * MS


# how much it drops


@pytest.mark.parametrize("rate", [30, 40, 100])
def test_a_steady_storm_is_blocked_whole_after_about_3_6_seconds(rate: int):
    times = every(rate, 20)
    passed = sorted(set(times) - set(Flooder().drops(times)))
    assert 1.5 * SECOND < passed[-1] - SECOND < 3.8 * SECOND


def test_of_a_discard_value_below_128_about_one_frame_of_so_many_passes():
    share = []
    for trial in range(200):
        flooder = Flooder(f"trial {trial}")
        flooder.drops([*a_burst(20), *a_burst(20, 1600 * MS), 2200 * MS])  # D is 4 now
        share.append(flooder.says(2201 * MS))
    assert 30 < sum(share) < 75


@pytest.mark.parametrize(("storms", "some_pass"), [(6, True), (7, False)])
def test_from_a_discard_value_of_128_on_nothing_passes(storms: int, some_pass: bool):
    passed = 0
    for trial in range(20):
        flooder = Flooder(f"trial {trial}")
        starts = [SECOND + i * 600 * MS for i in range(storms + 1)]
        flooder.drops([now for start in starts[:-1] for now in a_burst(20, start)])
        flooder.says(starts[-1])  # the window closes: D is 2 to the power of storms
        passed += sum(flooder.says(starts[-1] + MS) for _ in range(100))
    assert (passed > 0) is some_pass


def test_a_discard_value_of_two_drops_nothing():
    flooder = Flooder()
    closes = SECOND + 600 * MS
    assert flooder.drops([*a_burst(20), closes, *a_burst(10, closes + MS)]) == [closes]


def test_a_blocked_sender_recovers_when_its_windows_stay_below_the_limit():
    flooder = Flooder()
    flooder.drops(every(40, 20))
    slow = every(1, 30, 21 * SECOND)
    dropped = flooder.drops(slow)
    assert slow[3] in dropped
    assert 8 <= (dropped[-1] - slow[0]) // SECOND + 1 <= 10  # halved about nine times


def test_silence_divides_by_the_windows_that_it_lasted():
    flooder = Flooder()
    flooder.drops(every(100, 20))
    assert flooder.drops([21 * SECOND + 600 * SECOND]) == []


def test_dropped_frames_count_too():
    flooder = Flooder()
    times = every(40, 60)
    assert flooder.drops(times)[-1] == times[-1]


# who is who


def test_each_source_mac_counts_for_itself():
    flooder = Flooder()
    for now in every(20, 8):
        assert flooder.says(now, sent(BROADCAST, ONE))
        assert flooder.says(now, sent(BROADCAST, TWO))


def test_each_ip_source_and_destination_counts_for_itself():
    flooder = Flooder()
    frames = [
        b.frame(datagram(source, to), BROADCAST, ONE)
        for source, to in ((b.PEER, b.NOBODY), (b.PEER, b.FAR), (b.OUR_IP, b.FAR))
    ]
    frames.append(b.frame(datagram(b.PEER6, b.FAR6), BROADCAST, ONE))
    frames.append(b.frame(datagram(b.PEER6, b.OUR_IP6), BROADCAST, ONE))
    assert all(flooder.says(now, frame) for now in every(20, 8) for frame in frames)


def test_an_arp_scan_counts_as_one_whatever_it_asks_for():
    flooder = Flooder()
    times = every(40, 2)
    frames = [b.arp_request(ONE, b.PEER, bytes((10, 0, 0, i))) for i in range(80)]
    dropped = [
        now for now, frame in zip(times, frames, strict=True) if not flooder.says(now, frame)
    ]
    assert dropped[0] <= SECOND + 534 * MS


def test_arp_replies_to_the_hub_count_with_the_requests():
    flooder = Flooder()
    request, reply = b.arp_request(ONE, b.PEER), b.arp_reply(ONE, b.PEER)
    frames = [request, reply] * 8
    assert flooder.drops(a_burst(1)) == []
    assert all(flooder.says(SECOND + i, frame) for i, frame in enumerate([request, *frames]))
    assert not flooder.says(SECOND + 600 * MS, request)


def test_unknown_unicast_and_other_types_are_one_sender():
    flooder = Flooder()
    frames = [sent(UNKNOWN, ONE), sent(BROADCAST, ONE, head=b"\x88\xb6")]
    assert all(flooder.says(SECOND + i, frames[i % 2]) for i in range(17))
    assert not flooder.says(SECOND + 600 * MS, sent(BROADCAST, ONE))


def test_a_spanning_tree_message_counts_for_the_bridge_inside():
    flooder = Flooder()
    as_bridge = sent(BROADCAST, BRIDGE)
    assert all(flooder.says(SECOND + i, STP) for i in range(17))
    assert not flooder.says(SECOND + 600 * MS, as_bridge)


# strict mode

A, B, C, D = (ip(f"10.0.0.{i}") for i in (1, 2, 3, 4))


def one(source: bytes, target: bytes, mac: bytes = ONE) -> bytes:
    return b.frame(datagram(source, target), BROADCAST, mac)


@pytest.mark.parametrize("other", [one(A, C), one(C, B)], ids=["source", "destination"])
def test_in_strict_mode_either_ip_is_enough(other: bytes):
    flooder = Flooder(BroadcastLimiterStrictMode=True)
    assert all(flooder.says(SECOND + i, one(A, B)) for i in range(9))
    assert all(flooder.says(SECOND + i, other) for i in range(9))
    assert not flooder.says(SECOND + 600 * MS, one(A, B))


def test_in_strict_mode_others_still_count_for_themselves():
    flooder = Flooder(BroadcastLimiterStrictMode=True)
    frames = [one(A, B), one(C, D), one(A, B, TWO), one(C, B, UNKNOWN)]
    assert all(flooder.says(now, frame) for now in every(20, 8) for frame in frames)


def test_in_strict_mode_who_is_found_depends_on_who_came_before():
    frames = [one(A, B), one(C, D)]
    for first, shared in ((one(C, D), False), (one(A, D), True)):
        flooder = Flooder(BroadcastLimiterStrictMode=True)
        flooder.says(SECOND, first)
        assert all(flooder.says(SECOND + i, frame) for i in range(9) for frame in frames)
        assert flooder.says(SECOND + 600 * MS, one(A, B)) is not shared
