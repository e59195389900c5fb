"""The four lines: what is returned goes first, then the rest, then one timer."""

import pytest

from tests.builders import (
    FAR,
    NOBODY,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_reply,
    arp_request,
    frame,
    packet,
)
from tests.engine.drivers.platforms import START, TOO_BIG, Clock, Insatiable
from virtualtap import SECOND
from virtualtap.drivers.contract import Driver

ASKING = arp_request(OUR_MAC, OUR_IP, NOBODY)


class Log:
    """A driver, its clock, and what it did in order."""

    def __init__(self, tap) -> None:
        self.done: list[tuple[str, object]] = []
        self.clock = Clock()
        self.driver = Driver(
            tap, self.noting("lan"), self.noting("host"), self.noting("arm"), clock=self.clock
        )

    def noting(self, word):
        return lambda what: self.done.append((word, what))

    def take(self):
        done, self.done = self.done, []
        return done


def test_packets_whose_neighbor_is_known_leave_as_frames_together():
    log = Log(a_tap_that_knows(PEER))

    log.driver.from_host([packet(PEER), packet(PEER, payload=b"2")])

    assert log.take()[-1] == (
        "lan",
        [frame(each, PEER_MAC, OUR_MAC) for each in (packet(PEER), packet(PEER, payload=b"2"))],
    )


def test_a_frame_for_the_host_arrives_as_a_packet():
    log = Log(a_tap())

    log.driver.from_lan([frame(packet(OUR_IP, PEER))])

    assert log.take() == [("host", [packet(OUR_IP, PEER)])]


def test_the_pieces_of_one_packet_leave_before_the_next_packet():
    log = Log(a_tap_that_knows(PEER))
    long, short = packet(PEER, payload=bytes(2_000)), packet(PEER)

    log.driver.from_host([long, short])

    (_, sent) = log.take()[-1]
    assert [len(each) > len(short) + 14 for each in sent] == [True, True, False]


def test_a_question_is_asked_again_at_its_deadline_and_the_timer_armed_anew():
    log = Log(a_tap())

    log.driver.from_host([packet(NOBODY)])
    assert log.take() == [("arm", 1.0), ("lan", [ASKING])]
    log.clock.now += SECOND
    assert log.driver.poll() == 1.0
    assert log.take() == [("arm", 1.0), ("lan", [ASKING])]


def test_a_timer_that_fires_too_early_is_armed_anew():
    log = Log(a_tap())
    log.driver.from_host([packet(NOBODY)])
    log.take()

    log.clock.now += SECOND // 2

    assert log.driver.poll() == 0.5
    assert log.take() == [("arm", 0.5)]


def test_a_timer_is_not_armed_twice_for_one_deadline():
    log = Log(a_tap())
    log.driver.from_host([packet(NOBODY)])
    log.take()

    log.clock.now += 1
    log.driver.from_host([packet(NOBODY)])

    assert log.take() == []


def test_where_nothing_is_left_to_wait_for_no_timer_is_armed():
    log = Log(a_tap(arp_retries_max=1))
    log.driver.from_host([packet(NOBODY)])
    log.take()

    log.clock.now += 3_600 * SECOND

    assert log.driver.poll() is None
    assert log.take() == [("arm", None)]


def test_a_deadline_that_stays_due_is_not_waited_for_without_a_pause():
    tap, log = Insatiable(), []
    driver = Driver(tap, log.append, log.append, log.append, clock=Clock())

    assert [driver.poll(), driver.poll()] == [0.001] * 2
    assert (tap.polls, log) == ([START] * 2, [0.001] * 2)


def test_no_wait_is_longer_than_an_hour():
    tap = a_tap_that_knows(PEER, neighbor_lifetime=60 * 24 * 3_600 * SECOND)

    assert Log(tap).driver.poll() == 3_600


def test_a_reply_sends_what_waited():
    log = Log(a_tap())
    log.driver.from_host([packet(PEER)])
    log.take()

    log.driver.from_lan([arp_reply()])

    assert log.take()[-1] == ("lan", [frame(packet(PEER), PEER_MAC, OUR_MAC)])


def test_the_host_is_told_what_does_not_fit():
    log = Log(a_tap_that_knows(PEER))

    log.driver.from_host([TOO_BIG])

    ((word, (answer,)),) = [done for done in log.take() if done[0] != "arm"]
    assert (word, answer[9], answer[16:20], answer[20:22]) == ("host", 1, OUR_IP, b"\3\4")


def test_a_tap_that_wants_a_lease_begins_at_the_first_poll():
    log = Log(a_tap(dhcp=True, our_ip=None, gateway_ip=None, dhcp_delay_max=0))

    log.driver.poll()

    assert [word for word, _ in log.take()] == ["arm", "lan"]


def test_a_batch_of_nothing_is_not_sent():
    log = Log(a_tap())

    log.driver.from_host([])
    log.driver.from_lan([])

    assert log.take() == []


def test_after_stop_nothing_is_sent_and_no_timer_is_left():
    log = Log(a_tap())
    log.driver.from_host([packet(NOBODY)])
    log.take()

    log.driver.stop()
    log.driver.from_host([packet(PEER)])
    log.driver.from_lan([arp_request()])
    log.clock.now += SECOND

    assert log.driver.poll() is None
    assert (log.take(), log.driver.closed) == ([("arm", None)], True)


def test_a_sender_may_stop_the_driver():
    armed: list[float | None] = []
    driver = Driver(
        a_tap(), lambda _: driver.stop(), lambda _: None, armed.append, clock=lambda: START
    )

    driver.from_host([packet(NOBODY)])

    assert (armed, driver.closed) == ([1.0, None], True)


def test_a_sender_that_fails_leaves_the_timer_armed():
    def fail(_frames):
        raise OSError("the VPN is gone")

    armed: list[float | None] = []
    driver = Driver(a_tap(), fail, fail, armed.append, clock=lambda: START)

    with pytest.raises(OSError, match="gone"):
        driver.from_host([packet(FAR)])

    assert armed == [1.0]


def test_the_wait_is_that_after_an_answer_in_the_same_breath():
    armed: list[float | None] = []
    driver = Driver(
        a_tap(claim="announced"),  # at once, and again after two seconds: RFC 5227 2.3
        lambda _: driver.from_host([packet(NOBODY)]),
        lambda _: None,
        armed.append,
        clock=Clock(),
    )

    assert driver.poll() == 1.0
    assert armed == [2.0, 1.0]
