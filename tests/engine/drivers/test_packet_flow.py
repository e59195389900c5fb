"""A packet flow as iOS has it: batches, families, one read at a time."""

import pytest

from tests.builders import (
    NOBODY,
    OUR_IP,
    OUR_IP6,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_reply,
    arp_request,
    frame,
    packet,
    packet6,
)
from tests.engine.drivers.platforms import TOO_BIG, Clock, Flow
from virtualtap import SECOND
from virtualtap.drivers.packet_flow import AF_INET, AF_INET6, carry, family


class Phone:
    """A driver, its flow, its clock, its VPN, its timer."""

    def __init__(self, tap) -> None:
        self.flow, self.clock = Flow(), Clock()
        self.sent: list[list[bytes]] = []
        self.armed: list[float | None] = []
        self.waiting: list[int] = []  # how many reads were open when frames were sent
        self.driver = carry(tap, self.flow, self.send, self.armed.append, clock=self.clock)

    def send(self, frames):
        self.sent.append(frames)
        self.waiting.append(len(self.flow.handlers))


def test_a_batch_of_packets_leaves_as_one_batch_of_frames():
    phone = Phone(a_tap_that_knows(PEER, PEER6))

    phone.flow.give([packet(PEER), packet6(PEER6)], [AF_INET, AF_INET6])

    assert phone.sent == [
        [frame(packet(PEER), PEER_MAC, OUR_MAC), frame(packet6(PEER6), PEER_MAC, OUR_MAC)]
    ]


def test_a_batch_of_frames_arrives_as_one_batch_of_packets_with_their_families():
    phone = Phone(a_tap())
    packets = [packet(OUR_IP, PEER), packet6(OUR_IP6, PEER6)]

    phone.driver.from_lan([frame(each) for each in packets])

    assert phone.flow.written == [(packets, [2, 30])]


def test_each_batch_is_followed_by_one_read():
    phone = Phone(a_tap())

    for _ in range(3):
        phone.flow.give([], [])

    assert len(phone.flow.handlers) == 1


def test_the_next_read_waits_until_the_frames_are_sent():
    phone = Phone(a_tap_that_knows(PEER))

    phone.flow.give([packet(PEER)], [AF_INET])

    assert (phone.waiting, len(phone.flow.handlers)) == ([0], 1)


def test_a_request_is_answered_and_reaches_no_host():
    phone = Phone(a_tap())

    phone.driver.from_lan([arp_request()])

    assert (phone.sent, phone.flow.written) == (
        [[arp_reply(OUR_MAC, OUR_IP, PEER_MAC, PEER)]],
        [],
    )


def test_a_question_is_asked_again_at_its_deadline():
    phone = Phone(a_tap())
    phone.flow.give([packet(NOBODY)], [AF_INET])
    assert phone.armed[-1] == 1.0

    phone.clock.now += SECOND
    phone.driver.poll()

    assert phone.sent == [[arp_request(OUR_MAC, OUR_IP, NOBODY)]] * 2
    assert phone.armed[-1] == 1.0


def test_what_a_tap_begins_with_is_sent_before_the_first_read():
    phone = Phone(a_tap(dhcp=True, our_ip=None, gateway_ip=None, dhcp_delay_max=0))

    assert ([frames[0][:6] for frames in phone.sent], phone.waiting) == ([b"\xff" * 6], [0])


def test_the_host_is_told_what_does_not_fit():
    phone = Phone(a_tap_that_knows(PEER))

    phone.flow.give([TOO_BIG], [AF_INET])

    (((answer,), families),) = phone.flow.written
    assert (phone.sent, families, answer[20:22]) == ([], [AF_INET], b"\3\4")


def test_after_stop_a_late_batch_is_ignored_and_no_other_is_asked_for():
    phone = Phone(a_tap_that_knows(PEER))

    phone.driver.stop()
    phone.flow.give([packet(PEER)], [AF_INET])

    assert (phone.sent, phone.flow.written, phone.flow.handlers) == ([], [], [])
    assert phone.armed[-1] is None


@pytest.mark.parametrize(("data", "expected"), [(packet(), 2), (packet6(), 30), (b"", 2)])
def test_the_family_is_read_off_the_version(data, expected):
    assert family(data) == expected
