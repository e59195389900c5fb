"""A tap that watches names and leases pass fares as any other: nothing raises, all is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conformance.dhcp_host import says
from sim.conformance.dns_server import answer, query, reply
from sim.conformance.frames import frame
from tests import strategies
from tests.builders import OUR_MAC
from tests.properties.test_never_raises import check_balance
from virtualtap import TapConfig, VirtualTap
from virtualtap.wire import dhcp

LEARNING = {"our_mac": OUR_MAC, "learn_ip": True, "dns_cache": True}

asked = st.builds(query, strategies.dnses) | st.builds(says, st.integers(1, 8))
told = strategies.dnses.map(lambda message: frame(reply(answer(message)), to=OUR_MAC))
watched = st.tuples(st.just(True), asked | strategies.damaged(asked), strategies.gaps) | st.tuples(
    st.just(False), told | strategies.damaged(told), strategies.gaps
)


def watchers(tap):
    services = tap._ipv4._services
    return services[53]._watcher, services[67]._watcher


@given(st.lists(strategies.happenings | watched, max_size=30))
def test_no_bytes_raise_and_every_table_keeps_its_limit(happenings):
    tap, now = VirtualTap(TapConfig(**LEARNING, dns_entries_max=2, prefixes_max=2, outbox_max=8)), 0
    names, _ = watchers(tap)
    for from_host, data, gap in happenings:
        now += gap
        (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)
        assert max(len(names._asked), len(names._kept)) <= 2
        assert len(tap._slaac._offered) <= 2
        assert max(len(tap._core.frames), len(tap._core.packets)) <= 8
        check_balance(tap)


@given(st.lists(watched, max_size=12))
def test_the_same_happenings_give_the_same(happenings):
    one, other = (VirtualTap(TapConfig(**LEARNING)) for _ in range(2))
    now = 0
    for from_host, data, gap in happenings:
        now += gap
        outs = [
            (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)
            for tap in (one, other)
        ]
        assert outs[0] == outs[1]
    assert (one.take_frames(), one.take_packets()) == (other.take_frames(), other.take_packets())
    assert one.stats == other.stats


@pytest.mark.parametrize("kind", [dhcp.DISCOVER, dhcp.REQUEST])
def test_a_watched_packet_is_no_longer_nor_shorter(kind):
    tap = VirtualTap(TapConfig(**LEARNING))
    packet = says(kind)
    sent = tap.ip_to_ethernet(packet)
    assert sent is not None and len(sent) == 14 + len(packet)
