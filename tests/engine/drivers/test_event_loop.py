"""The tap in an asyncio loop whose time jumps."""

import asyncio

import pytest

from tests.builders import (
    NOBODY,
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    a_tap,
    a_tap_that_knows,
    arp_request,
    frame,
    packet,
)
from tests.engine.drivers.platforms import START, TOO_BIG, Clock, JumpingSelector
from virtualtap import MS
from virtualtap.drivers import event_loop


class Loop(asyncio.SelectorEventLoop):
    """Its time passes only while it would wait."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(JumpingSelector(self.clock))

    def time(self) -> float:
        return self.clock.seconds()


def run(tap, packets=(), frames=(), seconds=10, stop=False):
    """What is sent to either side, and when: in milliseconds from the start."""
    loop = Loop()
    sent, got = [], []

    def at() -> int:
        return (loop.clock.now - START) // MS

    async def talk() -> None:
        driver = event_loop.carry(
            tap, lambda each: sent.append((at(), each)), lambda each: got.append((at(), each))
        )
        driver.from_host(packets)
        driver.from_lan(frames)
        if stop:
            driver.stop()
        await asyncio.sleep(seconds)
        driver.stop()

    try:
        loop.run_until_complete(talk())
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
    finally:
        loop.close()
    return sent, got


def test_a_question_is_asked_again_at_each_deadline():
    asked = arp_request(OUR_MAC, OUR_IP, NOBODY)

    sent, _ = run(a_tap(), [packet(NOBODY)])

    assert sent == [(milliseconds, [asked]) for milliseconds in (0, 1_000, 2_000)]


def test_packets_and_frames_pass_both_ways():
    sent, got = run(a_tap_that_knows(PEER), [packet(PEER)], [frame(packet(OUR_IP, PEER))], 1)

    assert sent == [(0, [frame(packet(PEER), PEER_MAC, OUR_MAC)])]
    assert got == [(0, [packet(OUR_IP, PEER)])]


def test_the_host_is_told_what_does_not_fit():
    sent, ((at, (answer,)),) = run(a_tap_that_knows(PEER), [TOO_BIG], seconds=1)

    assert (sent, at, answer[20:22]) == ([], 0, b"\3\4")


def test_a_lease_is_asked_for_at_once():
    sent, _ = run(a_tap(dhcp=True, our_ip=None, gateway_ip=None, dhcp_delay_max=0), seconds=1)

    assert [(at, each[0][:6]) for at, each in sent] == [(0, b"\xff" * 6)]


def test_after_stop_nothing_is_asked_again():
    sent, _ = run(a_tap(), [packet(NOBODY)], stop=True)

    assert len(sent) == 1


def test_without_a_loop_there_is_nothing_to_drive():
    with pytest.raises(RuntimeError, match="no running event loop"):
        event_loop.carry(a_tap(), lambda _: None, lambda _: None)
