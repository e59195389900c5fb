"""A tap that forms and probes its own addresses, among routers that say anything."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sim.conformance.frames6 import FAR6, OTHER6, dad, mtu, na, ns, prefix, ra, redirect
from sim.conformance.script import CONFIG, OTHER_MAC, OUR_MAC, PEER6, US6
from tests import strategies
from tests.properties.test_deterministic import feed, outcome
from virtualtap import SECOND, VirtualTap
from virtualtap.wire.address import ip, ip_text

SMALL = {
    "addresses6_max": 3,
    "routers_max": 2,
    "prefixes_max": 3,
    "redirects_max": 2,
    "neighbors_max": 3,
    "outbox_max": 8,
}
ALONE = replace(CONFIG, gateway_ip6=None, slaac=True, dad=True, **SMALL)
routers = st.integers(1, 4).map(lambda number: ip(f"fe80::{number}"))
places = st.integers(0, 3).map(lambda number: ip(f"2001:db8:{number}::9"))
lifetimes = st.sampled_from((0, 1, 10, 7200, 0xFFFFFFFF))
offers = st.builds(
    lambda place, length, flags, valid, preferred: prefix(
        ip_text(place), length=length, flags=flags, valid=valid, preferred=preferred
    ),
    *(places, st.sampled_from((0, 48, 64, 128))),
    *(st.sampled_from((0, 0x40, 0x80, 0xC0)), lifetimes, lifetimes),
)
words = st.builds(
    lambda lifetime, router, options, times: ra(
        lifetime, by=router, options=tuple(options), reachable=times, retrans=times
    ),
    *(st.sampled_from((0, 1, 1800)), routers),
    st.lists(offers | st.integers(0, 2000).map(mtu), max_size=3),
    st.sampled_from((0, 1, 5000)),
)
redirects = st.builds(
    lambda place, target, router: redirect(place, target=target, by=router),
    *(places, routers | places, routers),
)
claims = st.sampled_from(
    (dad(at=OTHER_MAC), na(of=US6, says=OTHER_MAC, at=OTHER_MAC), ns(), na(), na(of=OTHER6))
)
seconds = st.sampled_from((0, 1, SECOND // 2, SECOND, 5 * SECOND, 100 * SECOND, 8000 * SECOND))
happenings = st.lists(
    st.tuples(st.just(False), words | redirects | claims, seconds)
    | st.tuples(
        st.just(True),
        st.sampled_from((FAR6, PEER6, OTHER6)).map(lambda to: strategies.b.packet6(to, source=US6)),
        seconds,
    )
    | strategies.happenings,
    max_size=25,
)


@given(happenings)
def test_every_table_keeps_its_limit(happenings):
    tap, now = VirtualTap(ALONE), 0
    for from_host, data, gap in happenings:
        now += gap
        feed(tap, from_host, data, now)
        interface = tap._core.interface6
        assert len(interface.addresses) <= 3
        assert len(interface.routers) <= 2
        assert len(interface.prefixes) <= 3
        assert len(interface.redirects) <= 2
        assert 1280 <= interface.mtu <= 1500


@given(happenings, st.lists(st.floats(0, 1), max_size=6))
def test_one_poll_to_an_instant_equals_many_on_the_way(happenings, stops):
    at_once, in_steps, now = VirtualTap(ALONE), VirtualTap(ALONE), 0
    at_once.poll(0)
    in_steps.poll(0)
    for from_host, data, gap in happenings:
        for stop in sorted(int(part * gap) for part in stops):
            in_steps.poll(now + stop)
        now += gap
        assert feed(at_once, from_host, data, now) == feed(in_steps, from_host, data, now)
        assert outcome(at_once) == outcome(in_steps)
        assert at_once.our_ip6 == in_steps.our_ip6


@given(happenings)
def test_nothing_is_said_in_a_name_that_is_not_ours(happenings):
    tap, now = VirtualTap(ALONE), 0
    tap.poll(0)
    for from_host, data, gap in happenings:
        now += gap
        tap.poll(now)
        tap.take_frames()
        ours = {bytes(16), *tap.our_ip6, *(tap.our_ip6 and (OUR_MAC,))}
        feed(tap, from_host, data, now)
        for sent in tap.take_frames():
            if sent[12:14] == b"\x86\xdd" and sent[20] == 58 and sent[54] in (133, 135, 136):
                assert sent[22:38] in ours
