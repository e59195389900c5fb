"""A node whose clock is not right: all its timers go by it."""

from sim.actions.timeline import Skew
from tests.sim.troubled import LAN, PINGS, TRANSPORT, at, enacted, network
from virtualtap.units import MS, SECOND


def frames_sent(line: str) -> list[int]:
    """How many frames tap1 has sent into its LAN, each 100 ms, where nobody answers it."""
    pings = PINGS.replace('to = "s2"', 'to = "s1"')
    one = network(LAN + pings + at("0s", 'down = "s1--*"') + line)
    counts = []
    for step in range(1, 60):
        one.network.run(step * 100 * MS)
        counts.append(one.network.nodes["tap1"].lan.out.sent)
    return counts


def test_a_tap_whose_clock_is_fast_asks_sooner():
    right = frames_sent("")
    fast, slow = (
        frames_sent(at("0s", f'skew = {{ node = "tap1", ppm = {ppm} }}'))
        for ppm in (100_000, -100_000)
    )
    second = [counts.index(2) for counts in (fast, right, slow)]
    assert second == [9, 10, 11]  # it asks again a second after, as it believes


def test_what_was_armed_before_a_skew_is_due_by_the_new_clock():
    fast = frames_sent(at("400ms", 'skew = { node = "tap1", ppm = 100000 }'))
    assert fast.index(2) == 9  # 400 ms, and 600 at eleven tenths of the speed


def test_a_station_goes_by_its_own_clock():
    line = 'skew = { node = "s1", ppm = -100000 }'
    (skew,) = enacted(line)
    assert (type(skew), skew.node.name, skew.ppm) == (Skew, "s1", -100_000)
    one = network(LAN + at("1s", line) + at("3s", 'skew = { node = "s1", ppm = 0 }'))
    station = one.network.nodes["s1"]
    fired = []
    one.network.run(2 * SECOND)
    assert station.time == 1900 * MS
    station.call_at(station.time + 100 * MS, lambda: fired.append(one.network.now))
    one.network.run(5 * SECOND)
    assert (station.time, fired) == (4800 * MS, [2_111_111_112])


def test_a_phone_that_wakes_does_what_is_due_by_its_own_clock():
    text = LAN + TRANSPORT + PINGS.replace('to = "s2"', 'to = "s1"') + at("0s", 'down = "s1--*"')
    text += at("100ms", 'skew = { node = "tap1", ppm = 100000 }')
    text += at("500ms", 'sleep = "h1"') + at("2s", 'wake = "h1"')
    one = network(text)
    one.network.run(3 * SECOND)
    assert one.network.ledger() == []
    assert one.network.nodes["tap1"].time == 100 * MS + 2900 * MS * 11 // 10


def test_a_tap_with_a_clock_that_is_not_right_starts_anew_after_a_crash():
    text = LAN + PINGS + at("1s", 'skew = { node = "tap1", ppm = -100000 }')
    one = network(text + at("2s", 'crash = "tap1"') + at("3s", 'restart = "tap1"'))
    one.network.run(8 * SECOND)
    assert one.network.nodes["tap1"].tap.neighbors() != {}
    assert one.network.ledger() == []
