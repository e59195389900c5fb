"""Two taps on a perfect wire: every packet arrives, once, unharmed, in order."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import OUR_IP, OUR_IP6, OUR_MAC, PEER, PEER6, PEER_MAC, packet, packet6
from virtualtap import TapConfig, VirtualTap, ip

ENDS = ((OUR_MAC, OUR_IP, OUR_IP6), (PEER_MAC, PEER, PEER6))
TO_ALL = (ip("255.255.255.255"), ip("10.0.0.255"), ip("224.0.0.251"), ip("ff02::1"))


class Wire:
    """Two taps and the frames between them, none lost; the wire pads if asked to."""

    def __init__(self, padding: int, taps: tuple[VirtualTap, VirtualTap]) -> None:
        self.padding = padding
        self.taps = taps
        self.arrived: tuple[list[bytes], list[bytes]] = ([], [])

    def send(self, end: int, data: bytes) -> None:
        first = self.taps[end].ip_to_ethernet(data)
        on_the_way = deque([] if first is None else [(end, first)])
        self._collect(end, on_the_way)
        while on_the_way:
            end, frame = on_the_way.popleft()
            other = 1 - end
            received = self.taps[other].ethernet_to_ip(frame.ljust(self.padding, b"\0"))
            if received is not None:
                self.arrived[other].append(received)
            self._collect(other, on_the_way)

    def _collect(self, end: int, on_the_way: deque) -> None:
        on_the_way.extend((end, frame) for frame in self.taps[end].take_frames())


def a_wire(padding: int) -> Wire:
    one, other = (
        VirtualTap(TapConfig(our_mac=own_mac, our_ip=own_ip, our_ip6=(own_ip6,)))
        for own_mac, own_ip, own_ip6 in ENDS
    )
    return Wire(padding, (one, other))


def addressed(end: int, kind: int, payload: bytes) -> bytes:
    """A packet from one end to the other, or to all."""
    (_, source, source6), (_, to, to6) = ENDS[end], ENDS[1 - end]
    if kind >= 2:
        to = to6 = TO_ALL[kind - 2]
    if len(to) == 16 or kind == 1:
        return packet6(to6, source6, payload)
    return packet(to, source, payload)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.binary(max_size=80)), max_size=30),
    st.sampled_from((0, 60)),
)
def test_every_packet_arrives_unharmed_and_in_order(said, padding):
    wire = a_wire(padding)
    expected: tuple[list[bytes], list[bytes]] = ([], [])
    for end, kind, payload in said:
        data = addressed(end, kind, payload)
        wire.send(end, data)
        expected[1 - end].append(data)
    assert expected == wire.arrived
    assert [tap.stats.dropped_total for tap in wire.taps] == [0, 0]


def test_one_question_is_enough_for_a_conversation():
    wire = a_wire(60)
    for turn in range(10):
        wire.send(turn % 2, addressed(turn % 2, 0, b"turn"))
    assert [len(arrived) for arrived in wire.arrived] == [5, 5]
    assert [tap.stats.requests_sent for tap in wire.taps] == [1, 0]
