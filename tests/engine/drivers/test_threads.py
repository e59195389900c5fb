"""Many threads, one tap: the lock, and the thread that waits for the timer.

Whatever may hang runs in a thread of its own, which `within` waits for and no longer.
"""

import queue
import threading
import time

import pytest

from tests.builders import (
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
from tests.engine.drivers.platforms import TOO_BIG, Clock, Insatiable
from virtualtap import MS
from virtualtap.drivers import threads
from virtualtap.drivers.contract import Driver

PATIENCE = 20  # seconds until a test that hangs has failed
ASKING = arp_request(OUR_MAC, OUR_IP, NOBODY)


def within(patience, scene):
    """What `scene` returns; a failure if it does not return."""
    results = []
    thread = threading.Thread(target=lambda: results.append(scene()), daemon=True)
    thread.start()
    thread.join(patience)
    assert not thread.is_alive(), "it hangs"
    assert results, "it failed: its traceback stands above"
    return results[0]


def timers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "virtualtap-timer"]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert timers() == []


def test_a_question_is_asked_again_by_the_thread_that_waits():
    sent = queue.Queue()

    def scene():
        tap = a_tap(arp_interval=1 * MS, arp_retries_max=2)
        with threads.carry(tap, sent.put, sent.put) as driver:
            driver.from_host([packet(NOBODY)])
            return [sent.get(timeout=PATIENCE) for _ in range(2)]

    assert within(2 * PATIENCE, scene) == [[ASKING]] * 2


def test_packets_and_frames_pass_both_ways():
    sent, got = [], []

    def scene():
        tap = a_tap_that_knows(PEER)
        with threads.carry(tap, sent.extend, got.extend, clock=Clock()) as driver:
            driver.from_host([packet(PEER), TOO_BIG])
            driver.from_lan([frame(packet(OUR_IP, PEER))])
        return driver.closed

    assert within(PATIENCE, scene)
    assert sent == [frame(packet(PEER), PEER_MAC, OUR_MAC)]
    assert (got[0][20:22], got[1:]) == (b"\3\4", [packet(OUR_IP, PEER)])


def test_threads_that_call_at_once_lose_nothing():
    sent, got = [], []
    tap = a_tap_that_knows(PEER)
    barrier = threading.Barrier(4)

    def talk(give, data):
        barrier.wait(PATIENCE)
        for _ in range(200):
            give([data])

    def scene():
        with threads.carry(tap, sent.extend, got.extend, clock=Clock()) as driver:
            out, back = (driver.from_host, packet(PEER)), (driver.from_lan, frame(packet(OUR_IP)))
            talks = [threading.Thread(target=talk, args=each, daemon=True) for each in (out, back)]
            talks += [threading.Thread(target=talk, args=each, daemon=True) for each in (out, back)]
            for each in talks:
                each.start()
            for each in talks:
                each.join(PATIENCE)
        return True

    assert within(2 * PATIENCE, scene)
    assert (len(sent), len(got), tap.stats.dropped) == (400, 400, {})


def test_no_second_thread_comes_in_while_the_first_is_inside():
    inside, leave = threading.Event(), threading.Event()
    order: list[bytes] = []

    def slow(frames: list[bytes]) -> None:
        inside.set()
        assert leave.wait(PATIENCE)
        order.extend(frames)

    def scene():
        tap = a_tap_that_knows(PEER)
        with threads.carry(tap, slow, order.extend, clock=Clock()) as driver:
            first = threading.Thread(target=driver.from_host, args=([packet(PEER)],), daemon=True)
            second = threading.Thread(
                target=driver.from_lan, args=([frame(packet(OUR_IP, PEER))],), daemon=True
            )
            first.start()
            assert inside.wait(PATIENCE)
            second.start()
            before = list(order)
            leave.set()
            for each in (first, second):
                each.join(PATIENCE)
        return before

    assert within(2 * PATIENCE, scene) == []
    assert order == [frame(packet(PEER), PEER_MAC, OUR_MAC), packet(OUR_IP, PEER)]


def test_a_sender_may_answer_in_the_same_breath():
    sent: list[bytes] = []

    def answer(frames: list[bytes]) -> None:
        sent.extend(frames)
        if frames == [arp_request(OUR_MAC, OUR_IP, PEER)]:
            drivers[0].from_lan([arp_reply()])

    drivers: list[Driver] = []

    def scene():
        with threads.carry(a_tap(), answer, answer) as driver:
            drivers.append(driver)
            driver.from_host([packet(PEER)])
        return sent[1:]

    assert within(PATIENCE, scene) == [frame(packet(PEER), PEER_MAC, OUR_MAC)]


def test_a_sender_in_the_thread_that_waits_may_stop_the_driver():
    drivers: list[Driver] = []
    begun = threading.Event()
    stopped_in: list[str] = []

    def stop(_frames: list[bytes]) -> None:
        assert begun.wait(PATIENCE)
        drivers[0].stop()
        stopped_in.append(threading.current_thread().name)

    def scene():
        tap = a_tap(dhcp=True, our_ip=None, gateway_ip=None, dhcp_delay_max=0)
        with threads.carry(tap, stop, stop) as driver:  # it begins with a frame, then waits 4 s
            drivers.append(driver)
            begun.set()
            (thread,) = (each for each in threading.enumerate() if each.name == "virtualtap-timer")
            thread.join(1)  # well before the next frame is due
            return thread.is_alive()

    assert not within(2 * PATIENCE, scene)
    assert stopped_in == ["virtualtap-timer"]


def test_after_stop_input_is_ignored():
    sent: list[bytes] = []

    def scene():
        with threads.carry(a_tap(), sent.extend, sent.extend) as driver:
            driver.stop()
            driver.from_host([packet(NOBODY)])
        return timers()

    assert (within(PATIENCE, scene), sent) == ([], [])


def test_a_clock_that_stands_still_while_a_timer_runs_out_stops_nobody():
    """The deadline passed and left no other: a thread that spun on it kept the lock for ever."""
    clock = Clock()

    def scene():
        tap = a_tap(arp_retries_max=1)
        with threads.carry(tap, lambda _: None, lambda _: None, clock=clock) as driver:
            driver.from_host([packet(NOBODY)])
            clock.now += 3_600_000 * MS
            driver.poll()
            driver.from_lan([])
        return timers()

    assert within(PATIENCE, scene) == []


def test_a_translator_that_is_always_due_is_polled_once_a_millisecond():
    polled = threading.Event()
    instants: list[float] = []

    class Watched(Insatiable):
        def poll(self, now: int) -> None:
            super().poll(now)
            instants.append(time.monotonic())
            if len(instants) == 5:
                polled.set()

    def scene():
        with threads.carry(Watched(), list, list, clock=Clock()) as driver:
            driver.from_host([packet(PEER)])  # the lock is to be had
            return polled.wait(PATIENCE)

    assert within(2 * PATIENCE, scene)
    assert instants[4] - instants[0] >= 0.003  # four waits of 1 ms, none of which is quite whole


def test_those_who_crowd_the_lock_cannot_keep_the_driver_from_stopping():
    tap = a_tap_that_knows(PEER)

    def scene():
        with threads.carry(tap, lambda _: None, lambda _: None, clock=Clock()) as driver:

            def crowd():
                while not driver.closed:
                    driver.from_host([packet(PEER)])

            talks = [threading.Thread(target=crowd, daemon=True) for _ in range(3)]
            for each in talks:
                each.start()
        for each in talks:
            each.join(PATIENCE)
        return [each.is_alive() for each in talks]

    assert within(2 * PATIENCE, scene) == [False] * 3


def test_a_sender_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr(threads, "JOIN", 0.01)
    inside, leave = threading.Event(), threading.Event()
    waiting: list[threading.Thread] = []

    def hang(_frames: list[bytes]) -> None:
        if threading.current_thread().name == "virtualtap-timer":
            waiting.append(threading.current_thread())
            inside.set()
            leave.wait(PATIENCE)

    def scene():
        tap = a_tap(arp_interval=1 * MS, arp_retries_max=2)
        with threads.carry(tap, hang, hang) as driver:
            driver.from_host([packet(NOBODY)])
            inside.wait(PATIENCE)
        return timers()

    try:
        assert within(PATIENCE, scene) == ["virtualtap-timer"]
    finally:
        leave.set()
        waiting[0].join(PATIENCE)
