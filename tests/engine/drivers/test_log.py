"""Events as lines of a log."""

import logging

from tests.builders import (
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    OUR_IP,
    PEER,
    PEER_MAC,
    a_tap,
    arp_request,
    frame,
    packet,
)
from tests.engine.drivers.platforms import TOO_BIG, Clock
from virtualtap import SECOND, ArpReceived, LeaseBound
from virtualtap.drivers.contract import Driver
from virtualtap.drivers.log import LoggedTap, line


def logged(caplog, tap, logger=None):
    caplog.set_level(logging.DEBUG)
    sent: list[bytes] = []
    got: list[bytes] = []
    clock = Clock()
    driver = Driver(LoggedTap(tap, logger), sent.extend, got.extend, lambda _: None, clock=clock)
    return driver, clock, sent, got


def test_what_is_learned_is_written_with_its_addresses(caplog):
    driver, _, sent, _ = logged(caplog, a_tap())

    driver.from_lan([arp_request()])

    assert caplog.record_tuples == [
        ("virtualtap", logging.INFO, "NeighborLearned ip=10.0.0.2 mac=02:00:5e:00:00:02")
    ]
    assert len(sent) == 1


def test_what_went_wrong_is_a_warning(caplog):
    driver, clock, _, _ = logged(caplog, a_tap(arp_retries_max=1))

    driver.from_host([packet(NOBODY)])
    clock.now += SECOND
    driver.poll()

    assert caplog.record_tuples == [("virtualtap", logging.WARNING, "NeighborFailed ip=10.0.0.77")]


def test_a_frame_for_the_caller_is_for_those_who_look_closely(caplog):
    driver, _, _, _ = logged(caplog, a_tap(handle_arp_internally=False))

    driver.from_lan([arp_request()])

    ((_, level, text),) = caplog.record_tuples
    assert (level, text) == (logging.DEBUG, f"ArpReceived frame={arp_request().hex()}")


def test_another_logger_may_be_given(caplog):
    driver, _, _, _ = logged(caplog, a_tap(), logging.getLogger("vpn"))

    driver.from_lan([arp_request(GATEWAY_MAC, GATEWAY)])

    assert {name for name, _, _ in caplog.record_tuples} == {"vpn"}


def test_packets_pass_as_before(caplog):
    driver, _, sent, got = logged(caplog, a_tap())
    driver.from_lan([arp_request()])

    driver.from_host([packet(PEER)])
    driver.from_lan([frame(packet(OUR_IP, PEER))])
    driver.from_host([TOO_BIG])

    assert (sent[1][:6], got[0], got[1][20:22]) == (PEER_MAC, packet(OUR_IP, PEER), b"\3\4")


def test_what_is_not_there_is_said_so():
    expected = "LeaseBound ip=10.0.0.1 gateway=none expires_at=7"
    assert line(LeaseBound(OUR_IP, None, 7)) == expected


def test_a_frame_is_written_in_hexadecimal():
    assert line(ArpReceived(b"\n\xff")) == "ArpReceived frame=0aff"
