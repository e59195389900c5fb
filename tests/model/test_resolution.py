"""The engine against the reference of neighbour resolution, step by step."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.builders import (
    FAR,
    GATEWAY,
    GATEWAY_MAC,
    HUB_POLL,
    NOBODY,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    arp_probe,
    arp_reply,
    arp_request,
    frame,
    packet,
)
from tests.model.reference import Reference
from virtualtap import MS, SECOND, NeighborFailed
from virtualtap.wire.address import ANY4
from virtualtap.wire.ethernet import ARP

pytestmark = pytest.mark.slow

THIRD = bytes((10, 0, 0, 3))
neighbors = st.sampled_from((PEER, NOBODY, THIRD, GATEWAY))
destinations = neighbors | st.sampled_from((FAR, bytes((192, 0, 2, 10))))
macs = st.sampled_from((PEER_MAC, GATEWAY_MAC, STRANGER_MAC))
gaps = st.sampled_from((0, 1, 500 * MS, SECOND - 1, SECOND, 3 * SECOND, 60 * SECOND, 300 * SECOND))


def by_destination(data: bytes) -> tuple[bytes, bytes]:
    """A key that keeps the order of frames for one address, and only that."""
    return (data[12:14], data[38:42] if data[12:14] == ARP else data[30:34])


def as_frame(said: tuple) -> bytes:
    match said:
        case ("request", ip):
            return arp_request(OUR_MAC, OUR_IP, ip)
        case ("answer", ip, mac):
            return arp_reply(OUR_MAC, OUR_IP, mac, ip)
        case (_, _, mac, data):
            return frame(data, mac, OUR_MAC)


class Resolution(RuleBasedStateMachine):
    """Hosts send, neighbours speak, time passes: the engine and the reference never differ."""

    @initialize(entries=st.integers(1, 4), packets=st.integers(1, 3), most=st.integers(30, 200))
    def begin(self, entries: int, packets: int, most: int) -> None:
        self.count = 0
        self.failures: list[NeighborFailed] = []
        self.tap = a_tap(neighbors_max=entries, held_packets_max=packets, held_bytes_max=most)
        chosen = self.tap._core.config
        self.model = Reference(
            entries,
            packets,
            most,
            lifetime=chosen.neighbor_lifetime,
            interval=chosen.arp_interval,
            asks_max=chosen.arp_retries_max,
            stays=GATEWAY,
        )

    @rule(gap=gaps)
    def time_passes(self, gap: int) -> None:
        now = self.model.now + gap
        self.model.pass_time(now)
        self.tap.poll(now)
        self.compare()

    @rule(gap=gaps, to=destinations, size=st.integers(0, 40))
    def the_host_sends(self, gap: int, to: bytes, size: int) -> None:
        self.count += 1
        now, data = self.model.now + gap, packet(to, payload=bytes(size), identification=self.count)
        self.model.pass_time(now)
        self.model.send(to, to if to[:3] == OUR_IP[:3] else GATEWAY, data)
        self.compare(self.tap.ip_to_ethernet(data, now))

    @rule(gap=gaps, ip=neighbors, mac=macs)
    def a_neighbor_asks_for_us(self, gap: int, ip: bytes, mac: bytes) -> None:
        self.hears(gap, arp_request(mac, ip, OUR_IP), (ip, mac, True, True))

    @rule(gap=gaps, ip=neighbors, mac=macs)
    def a_neighbor_replies_to_us(self, gap: int, ip: bytes, mac: bytes) -> None:
        self.hears(gap, arp_reply(mac, ip), (ip, mac, True, False))

    @rule(ip=neighbors, mac=macs)
    def a_neighbor_announces_itself(self, ip: bytes, mac: bytes) -> None:
        self.hears(0, arp_request(mac, ip, ip), (ip, mac, False, True))

    @rule(mac=macs, ip=st.sampled_from((ANY4, HUB_POLL)))
    def a_prober_or_a_hub_asks_for_us(self, mac: bytes, ip: bytes) -> None:
        self.model.said.append(("answer", ip, mac))  # and nothing is learned
        self.tap.ethernet_to_ip(arp_probe(OUR_IP, mac) if ip == ANY4 else arp_request(mac, ip))
        self.compare()

    def hears(self, gap: int, data: bytes, message: tuple[bytes, bytes, bool, bool]) -> None:
        now = self.model.now + gap
        ip, mac, for_us, asks = message
        self.model.pass_time(now)
        self.model.hear(ip, mac, for_us=for_us, asks=asks)
        assert self.tap.ethernet_to_ip(data, now) is None
        self.compare()

    def compare(self, returned: bytes | None = None) -> None:
        expected = [as_frame(said) for said in self.model.said]
        self.model.said.clear()
        actual = self.tap.take_frames() + ([] if returned is None else [returned])
        assert sorted(expected, key=by_destination) == sorted(actual, key=by_destination)
        events = self.tap.take_events()
        self.failures += [event for event in events if isinstance(event, NeighborFailed)]

    @invariant()
    def both_know_and_hold_the_same(self) -> None:
        model, tap = self.model, self.tap
        assert {ip: mac for ip, (mac, _) in model.known.items()} == tap.neighbors()
        assert model.holding() == tap.holding()
        assert model.deadline() == tap.next_deadline()
        assert model.lost == tap.stats.dropped_total
        assert sorted(model.failed) == sorted(failure.ip for failure in self.failures)
        assert model.known.get(GATEWAY, (None,))[0] == tap.gateway_mac


TestResolution = Resolution.TestCase
