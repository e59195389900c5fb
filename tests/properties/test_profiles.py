"""Whatever a tap's manners: no bytes raise, every input has one fate, every table its limit."""

from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import OUR_IP, PEER_MAC, a_tap, arp_reply, arp_request
from tests.properties.test_bounded import SMALL, check_limits
from tests.properties.test_deterministic import LIFE, feed, outcome
from tests.properties.test_never_raises import check_fate_of_frame, check_fate_of_packet
from virtualtap.profiles import PROFILES

profiles = st.sampled_from([*PROFILES])
last_bytes = st.integers(1, 6)
neighbors = st.builds(
    lambda last, asks, gap: (False, arp_request(PEER_MAC, bytes((10, 0, 0, last)), asks), gap),
    last_bytes,
    st.just(OUR_IP) | last_bytes.map(lambda last: bytes((10, 0, 0, last))),
    strategies.gaps,
) | st.builds(
    lambda last, at, gap: (False, arp_reply(at, bytes((10, 0, 0, last))), gap),
    last_bytes,
    strategies.macs,
    strategies.gaps,
)


@given(profiles, st.lists(strategies.happenings | neighbors, max_size=40))
def test_every_input_has_exactly_one_fate(profile, happenings):
    tap, now = a_tap(**SMALL, profile=profile), 0
    for from_host, data, gap in happenings:
        now += gap
        tap.poll(now)
        (check_fate_of_packet if from_host else check_fate_of_frame)(tap, data)
        check_limits(tap)


@given(profiles, st.lists(strategies.happenings | neighbors, max_size=20))
def test_a_driver_that_polls_at_every_deadline_equals_one_that_never_does(profile, happenings):
    idle, eager, now = a_tap(**LIFE, profile=profile), a_tap(**LIFE, profile=profile), 0
    for from_host, data, gap in happenings:
        now += gap
        while (deadline := eager.next_deadline()) is not None and deadline <= now:
            eager.poll(deadline)
        assert feed(idle, from_host, data, now) == feed(eager, from_host, data, now)
        assert outcome(idle) == outcome(eager)
