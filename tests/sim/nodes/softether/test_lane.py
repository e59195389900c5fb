"""How a session's frames share the wire: batches, several sockets, quality of service, limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.faults import BitFlip, Duplication, Jitter, Loss
from sim.nodes.softether.constants import Strategy
from sim.nodes.softether.lane import is_urgent
from tests import builders as b
from tests.sim.nodes.softether.sessions import FROM_CLIENT, LoseAll, LoseNth, Road
from virtualtap.units import MS, SECOND

X = b"x" * 86  # a frame of 100


def test_a_frame_takes_up_its_batch_its_record_and_its_segment():
    road = Road()
    road.say(1000, X)
    road.run(1 * SECOND)
    assert road.lan.times() == [1000 + 4 + 4 + 100 + 22 + 52]


def test_plain_tcp_has_no_record():
    road = Road(encrypt=False)
    road.say(1000, X)
    road.run(1 * SECOND)
    assert road.lan.times() == [1000 + 4 + 4 + 100 + 52]


def test_frames_of_one_instant_are_one_batch_and_arrive_together():
    road = Road()
    road.say(1000, X, X, X)
    road.run(1 * SECOND)
    assert road.lan.times() == [1000 + 4 + 3 * 104 + 22 + 52] * 3


def test_a_batch_longer_than_a_record_arrives_record_by_record():
    road = Road(encrypt=False)
    road.say(1000, *[b"x" * 1486] * 12)
    road.run(1 * SECOND)
    first = 1000 + 16_384 + 12 * 52
    assert road.lan.times() == [first] * 10 + [first + 4 + 12 * 1504 - 16_384 + 2 * 52] * 2


def test_without_a_rate_only_the_delay_counts():
    road = Road(rate=None, delay=7 * MS)
    road.say(1000, X)
    road.run(1 * SECOND)
    assert road.lan.times() == [1000 + 7 * MS]


# order


def test_within_a_connection_a_lost_segment_holds_back_what_follows():
    road = Road(delay=10 * MS, faults=(LoseNth(0),))
    road.say(1000, b"first")
    road.say(2000, b"second")
    road.run(1 * SECOND)
    assert [frame[14:] for frame in road.lan.frames()] == [b"first", b"second"]
    assert road.lan.times()[0] > 1000 + 4 * 10 * MS + 10 * MS  # two round trips, and the way
    assert road.client.port.out.lost == {}


def test_frames_of_different_connections_pass_each_other():
    road = Road(delay=10 * MS, connections=2, qos=False)
    road.network.run(2 * SECOND)
    road.link.faults = (LoseNth(0),)
    road.say(2 * SECOND + 1000, *[b"first" + bytes(1381)] * 20)  # more than the kernel takes
    road.say(2 * SECOND + 2000, b"second")
    road.run(3 * SECOND)
    assert road.lan.frames()[0][14:] == b"second"
    assert len(road.lan.heard) == 21


def test_what_the_kernel_takes_blocks_no_send_and_stays_in_order():
    road = Road(delay=10 * MS, connections=2, qos=False)
    road.network.run(2 * SECOND)
    road.link.faults = (LoseNth(0),)
    road.say(2 * SECOND + 1000, b"first")
    road.say(2 * SECOND + 2000, b"second")
    road.run(3 * SECOND)
    assert [frame[14:] for frame in road.lan.frames()] == [b"first", b"second"]


def test_while_no_send_blocks_the_last_socket_carries_all_in_order():
    road = Road(connections=8, qos=False)
    road.network.run(10 * SECOND)
    road.link.faults = (LoseNth(0),)  # of another socket it would be overtaken
    for i in range(50):
        road.say(10 * SECOND + 1 + i * MS, bytes([i]))
    road.run(20 * SECOND)
    assert len(road.lan.heard) == 50


def test_tcp_does_not_let_jitter_change_the_order():
    road = Road(faults=(Jitter(20 * MS),))
    for i in range(100):
        road.say(1000 + i * MS, bytes([i]))
    road.run(1 * SECOND)
    assert [frame[14] for frame in road.lan.frames()] == list(range(100))


def test_udp_lets_jitter_change_the_order_and_copies_through():
    road = Road(udp_acceleration=True)
    road.network.run(20 * SECOND)
    road.link.faults = (Duplication(1.0), Jitter(20 * MS))
    for i in range(20):
        road.say(20 * SECOND + 1 + i * MS, bytes([i]))
    road.run(21 * SECOND)
    numbers = [frame[14] for frame in road.lan.frames()]
    assert (sorted(numbers), road.client.port.out.duplicated) == (
        sorted([*range(20), *range(20)]),
        20,
    )
    assert numbers != sorted(numbers)


def test_tcp_delivers_a_duplicated_segment_once():
    road = Road(faults=(Duplication(1.0),))
    road.say(1000, X)
    road.run(1 * SECOND)
    assert len(road.lan.heard) == 1


def test_connections_share_the_wire_in_turn():
    road = Road(connections=2, qos=False)
    road.network.run(2 * SECOND)
    road.say(2 * SECOND, *[b"x" * 1386] * 40)  # by the last one: 40 segments and more
    road.say(2 * SECOND + 10, b"quick")  # by the other, for the last is late
    road.run(3 * SECOND)
    assert road.lan.frames()[0][14:] == b"quick"


@given(
    instants=st.lists(st.integers(0, 200), min_size=1, max_size=40),
    sizes=st.lists(st.integers(1, 1500), min_size=1, max_size=8),
    loss=st.floats(0, 0.6),
    jitter=st.integers(0, 30),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_one_connection_delivers_everything_once_and_in_order(instants, sizes, loss, jitter, seed):
    faults = (Loss(loss), Duplication(0.2), BitFlip(0.05), Jitter(jitter * MS))
    road = Road(delay=5 * MS, rate=10_000_000, faults=faults, seed=seed)
    for number, instant in enumerate(sorted(instants)):
        size = sizes[number % len(sizes)]
        road.say(instant * MS, number.to_bytes(2) + bytes(size))
        road.tell(instant * MS, number.to_bytes(2) + bytes(size))
    road.run(15 * SECOND)
    everything = list(range(len(instants)))
    for end in (road.lan, road.client):
        got = [int.from_bytes(frame[14:16]) for frame in end.frames()]
        assert got == everything[: len(got)]
        assert len(got) == len(everything) or loss > 0.3  # it may still be at it


# limits


@pytest.mark.parametrize(
    ("strategy", "connections", "quota"),
    [
        (Strategy.PERFORMANCE, 1, 2_560_000),
        (Strategy.PERFORMANCE, 32, 320_000),
        (Strategy.LOW_MEMORY, 1, 320_000),
        (Strategy.LOW_MEMORY, 32, 80_000),
    ],
)
def test_a_socket_that_holds_its_quota_loses_the_whole_batch(strategy, connections, quota):
    road = Road(rate=8, strategy=strategy, connections=connections, qos=False)  # a byte a second
    batch = 4 + 10 * 1600 + 22
    fitting = -(-(quota + 1448) // batch)  # one segment is on the wire
    for i in range(fitting + 2):
        road.say(1 + i, *[bytes(1600 - 4 - 14)] * 10)
    road.run(1000)
    assert road.client.port.out.lost == {"socket-queue": 20}


def test_from_the_server_a_slow_reader_presses_nobody():
    road = Road(reads=8_000, overrides={"FIFO_BUDGET": 5000})
    road.tell(1, *[b"x" * 986] * 50)
    road.run(1 * SECOND)
    assert len(road.client.heard) == 50


def test_toward_the_server_a_full_fifo_stops_the_client_until_it_is_read():
    road = Road(reads=800_000, overrides={"FIFO_BUDGET": 5000})  # 100,000 bytes a second
    road.say(1, *[b"x" * 986] * 50)
    road.network.run(1 * MS)
    assert 40_000 < road.transport.up.held_bytes() < 47_000
    road.run(1 * SECOND)
    assert len(road.lan.heard) == 50
    assert 500 * MS < road.lan.times()[-1] < 520 * MS


def test_a_datagram_that_finds_the_queue_full_is_lost():
    road = Road(rate=8_000, queue=1000, udp_acceleration=True)  # a millisecond for a byte
    road.network.run(30 * SECOND)
    assert road.transport.up.accelerates(road.network.now)
    road.say(30 * SECOND, *[b"x" * 486] * 6)
    road.run(60 * SECOND)
    assert road.client.port.out.lost == {"link-queue": 3}


def test_a_keep_alive_that_finds_the_queue_full_is_no_frame():
    road = Road(rate=8_000, queue=1400, udp_acceleration=True)
    road.network.run(30 * SECOND)
    road.link.change(rate=80)
    road.say(30 * SECOND, b"x" * 986, b"x" * 1486)  # one is on the wire, and one waits
    road.run(60 * SECOND)
    assert road.client.port.out.lost == {}


def test_a_keep_alive_that_waits_is_no_frame_when_the_session_goes():
    road = Road(rate=8, udp_acceleration=True)
    road.network.run(60 * SECOND)
    road.transport.roam()
    road.run(61 * SECOND)
    assert (road.client.port.out.sent, road.client.port.out.lost) == (0, {})


def test_what_was_armed_for_the_wire_does_nothing_while_the_client_sleeps():
    road = Road(rate=80)
    road.say(0, b"x", b"y")
    road.say(1, b"z")
    road.network.run(2)
    road.transport.sleep()
    road.network.run(15 * SECOND)
    assert road.transport.waiting(road.client.port.out) == 1  # the first batch was on the wire
    road.transport.wake()
    road.run(60 * SECOND)
    assert len(road.lan.heard) == 3


def test_what_waits_to_go_by_udp_is_lost_with_the_session():
    road = Road(rate=8_000, udp_acceleration=True)
    road.network.run(30 * SECOND)
    road.say(30 * SECOND, *[b"x" * 486] * 6)
    road.network.call_at(30 * SECOND + 1, lambda _: road.transport.roam(), None)
    road.run(31 * SECOND)
    assert road.client.port.out.lost == {"no-connection": 6}


def test_a_frame_too_long_for_udp_goes_by_tcp():
    road = Road(udp_acceleration=True)
    road.network.run(20 * SECOND)
    road.say(20 * SECOND, b"x" * 1600)
    road.run(21 * SECOND)
    # the hub takes none longer than 1600
    assert (road.client.port.out.arrived, road.server.fates.dropped) == (1, {"session-too-long": 1})


def test_what_nobody_hears_any_more_is_not_given_up_twice():
    road = Road(rate=8, faults=(LoseAll(),))
    road.network.run(19 * SECOND)
    road.transport.roam()  # a segment is on the wire, the last that would have been tried
    road.run(1000 * SECOND)
    assert not road.transport.is_connected


# quality of service


def test_with_two_sockets_what_is_urgent_has_one_of_its_own():
    road = Road(connections=2)
    road.say(1 * SECOND, *[b"x" * 1386] * 40)
    icmp = FROM_CLIENT[:12] + b"\x08\x00\x45\x00" + bytes(7) + b"\x01" + bytes(40)
    road.client.say_at(1 * SECOND + 10, icmp)
    road.network.run(2 * SECOND)
    assert road.client.port.out.arrived == 41
    assert road.lan.frames()[0][:24] == icmp[:24]


@pytest.mark.parametrize(
    ("frame", "urgent"),
    [
        (b"\x45\x10" + bytes(7) + b"\x11" + bytes(30), True),  # a type of service
        (b"\x45\x08" + bytes(7) + b"\x11" + bytes(30), False),
        (b"\x45\x00" + bytes(7) + b"\x11" + bytes(30), False),
        (b"\x45\x00" + bytes(7) + b"\x01" + bytes(30), True),  # short ICMP
        (b"\x45\x00" + bytes(7) + b"\x01" + bytes(104), True),
        (b"\x45\x00" + bytes(7) + b"\x01" + bytes(105), False),
        (b"\x45\x00" + bytes(7) + b"\x01" + bytes(9), False),
    ],
)
def test_urgent_is_what_has_a_type_of_service_or_is_a_short_echo(frame: bytes, urgent: bool):
    header = b.PEER_MAC + b.OUR_MAC
    assert is_urgent(header + b"\x08\x00" + frame) == urgent
    assert not is_urgent(header + b"\x86\xdd" + frame)
