"""Same input, same output; and one `poll` to an instant equals many on the way."""

from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import a_tap
from virtualtap import SECOND, VirtualTap

LIFE = {"held_packets_max": 2, "neighbors_max": 4}
runs = st.lists(strategies.happenings, max_size=20)


def outcome(tap: VirtualTap) -> tuple:
    return (
        tap.take_frames(),
        tap.take_packets(),
        tap.take_events(),
        tap.neighbors(),
        tap.holding(),
        tap.gateway_mac,
        tap.next_deadline(),
        tap.stats,
    )


def feed(tap: VirtualTap, from_host: bool, data: bytes, now: int | None) -> bytes | None:
    return (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)


@given(runs)
def test_the_same_input_gives_the_same_output(happenings):
    one, other, now = a_tap(**LIFE), a_tap(**LIFE), 0
    for from_host, data, gap in happenings:
        now += gap
        assert feed(one, from_host, data, now) == feed(other, from_host, data, now)
        assert outcome(one) == outcome(other)


@given(runs, st.integers(0, 2**63 - 1 - 10**14))
def test_only_the_time_that_passes_matters_and_not_the_epoch(happenings, epoch):
    one, other, now = a_tap(**LIFE), a_tap(**LIFE), 0
    other.poll(epoch)
    for from_host, data, gap in happenings:
        now += gap
        assert feed(one, from_host, data, now) == feed(other, from_host, data, epoch + now)
        *same, deadline, stats = outcome(one)
        *others, later, other_stats = outcome(other)
        assert (same, stats) == (others, other_stats)
        assert later == (None if deadline is None else epoch + deadline)


@given(runs, st.lists(st.floats(0, 1), max_size=6))
def test_one_poll_to_an_instant_equals_many_on_the_way(happenings, stops):
    at_once, in_steps, now = a_tap(**LIFE), a_tap(**LIFE), 0
    for from_host, data, gap in happenings:
        for stop in sorted(int(part * gap) for part in stops):
            in_steps.poll(now + stop)
        now += gap
        assert feed(at_once, from_host, data, now) == feed(in_steps, from_host, data, now)
        assert outcome(at_once) == outcome(in_steps)


@given(runs)
def test_a_driver_that_polls_at_every_deadline_equals_one_that_never_does(happenings):
    idle, eager, now = a_tap(**LIFE), a_tap(**LIFE), 0
    for from_host, data, gap in happenings:
        now += gap
        while (deadline := eager.next_deadline()) is not None and deadline <= now:
            eager.poll(deadline)
        assert feed(idle, from_host, data, now) == feed(eager, from_host, data, now)
        assert outcome(idle) == outcome(eager)


@given(runs, st.integers(301, 1000))
def test_all_deadlines_end(happenings, seconds):
    tap, now = a_tap(**LIFE), 0
    for from_host, data, gap in happenings:
        now += gap
        feed(tap, from_host, data, now)
    tap.poll(now + seconds * SECOND)
    assert (tap.next_deadline(), tap.holding(), tap.neighbors()) == (None, 0, {})
