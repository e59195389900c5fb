"""What wakes a phone that is left alone."""

import pytest

from sim.observers import Kind, Moment
from sim.probes import Place
from sim.rest import Rest, carries_user
from tests import builders as b
from tests.sim.networks import datagram
from tests.sim.scenarios import SMALL, done
from virtualtap.units import MS, SECOND
from virtualtap.wire import arp

PHONE = Place("h1", "h1.uplink", "tap1.lan", b.OUR_MAC, b.OUR_IP, 24, (), None, None)
STATION = Place("s1", "s1.p", "s1.p", b.PEER_MAC, b.PEER, 24, (), None, None)
ASKS = b"\xff" * 6 + b.PEER_MAC + b"\x08\x06" + arp.request(b.PEER_MAC, b.PEER, b.OUR_IP)
TO_US = b.OUR_MAC + b.PEER_MAC + b"\x08\x00" + datagram(b.PEER, b.OUR_IP)
TO_ALL = b"\x02\0\0\0\0\x77" + b.PEER_MAC + b"\x08\x00" + datagram(b.PEER, b.NOBODY)


def watched(*seen: tuple[int, Kind, str, bytes]) -> Rest:
    rest = Rest([PHONE, STATION])
    for at, kind, where, data in seen:
        rest.see(Moment(at, kind, where, data))
    return rest


def counts(rest: Rest) -> tuple[int, int, int]:
    phone = rest.phones["h1"]
    return phone.wakeups, phone.frames, phone.timers


def test_a_question_that_comes_to_a_phone_at_rest_wakes_it():
    rest = watched(
        (5 * SECOND, Kind.ARRIVED, "tap1.lan", ASKS),
        (5 * SECOND, Kind.SENT, "tap1.lan", ASKS),  # its answer
        (5 * SECOND + 999 * MS, Kind.ARRIVED, "tap1.lan", ASKS),
        (8 * SECOND, Kind.ARRIVED, "tap1.lan", ASKS),
    )
    assert counts(rest) == (2, 4, 0)


def test_what_follows_the_users_packet_is_his_doing():
    rest = watched(
        (5 * SECOND, Kind.SENT, "h1.uplink", datagram(b.OUR_IP, b.PEER)),
        (5 * SECOND, Kind.SENT, "tap1.lan", ASKS),
        (6 * SECOND - 1, Kind.ARRIVED, "tap1.lan", ASKS),
    )
    rest.timer("h1", 6 * SECOND - 1)
    rest.keep_alive("h1", 6 * SECOND - 1)
    assert counts(rest) == (0, 0, 0)


def test_his_own_packets_wake_it_for_him_and_those_of_others_do_not():
    rest = watched(
        (5 * SECOND, Kind.ARRIVED, "tap1.lan", TO_US),
        (5 * SECOND, Kind.DROPPED, "tap1.lan", TO_US),
        (7 * SECOND, Kind.SENT, "tap1.lan", TO_US),
        (9 * SECOND, Kind.ARRIVED, "tap1.lan", TO_ALL),
    )
    assert counts(rest) == (1, 1, 0)


def test_timers_and_keep_alives_wake_it():
    rest = watched()
    rest.timer("h1", 5 * SECOND)
    rest.keep_alive("h1", 10 * SECOND)
    rest.keep_alive("h1", 10 * SECOND + 10 * MS)
    assert counts(rest) == (2, 0, 1)
    assert rest.hourly("wakeups", 60 * SECOND) == 120.0


def test_who_has_no_tap_is_no_phone():
    rest = watched((5 * SECOND, Kind.ARRIVED, "s1.p", ASKS))
    assert counts(rest) == (0, 0, 0)
    assert Rest([STATION]).hourly("frames", 1) is None
    assert rest.hourly("frames", 0) is None


def dhcp(ports: str) -> bytes:
    return bytes(12) + b"\x08\x00\x45" + bytes(8) + b"\x11" + bytes(10) + bytes.fromhex(ports)


@pytest.mark.parametrize(
    ("frame", "users"),
    [
        (ASKS, False),
        (TO_US, True),
        (dhcp("00440043"), False),
        (dhcp("00430044"), False),
        (dhcp("00440035"), True),
        (bytes(12) + b"\x08\x00\x46" + bytes(8) + b"\x02" + bytes(30), False),  # IGMP
        (bytes(12) + b"\x86\xdd" + bytes(6) + b"\x3a" + bytes(33) + b"\x87" + bytes(20), False),
        (bytes(12) + b"\x86\xdd" + bytes(6) + b"\x3a" + bytes(33) + b"\x80" + bytes(20), True),
        (bytes(12) + b"\x86\xdd" + bytes(6) + b"\x00" + bytes(60), False),  # MLD
        (bytes(12) + b"\x86\xdd" + bytes(30), True),
        (bytes(12) + b"\x88\xb5" + bytes(30), True),
    ],
)
def test_the_users_is_all_but_arp_dhcp_and_what_neighbors_and_routers_say(frame, users):
    assert carries_user(frame) == users


def test_a_run_tells_what_it_measured_by_the_hour():
    run = done(SMALL + 'start = "200ms"\n')
    assert run.summary["timers_per_hour"] == 0.0
    assert run.summary["unprompted_frames_per_hour"] >= 0
    assert done(SMALL, bare=True).summary["wakeups_per_hour"] is None


def test_a_run_without_phones_has_no_such_number():
    text = SMALL.replace("taps = 1", "taps = 0").replace('"h*"', '"s*"')
    assert done(text).summary["wakeups_per_hour"] is None


def test_keep_alives_are_what_wakes_an_idle_phone():
    text = (
        SMALL.replace("300ms", "5min").replace("sites = 2", "sites = 1")
        + 'stop = "1s"\n[[links]]\nmatch = "hub*--tap*"\ntransport = {}\n'
    )
    run = done(text)
    assert 500 < run.summary["wakeups_per_hour"] < 1400
    assert run.summary["unprompted_frames_per_hour"] == 0


def test_the_questions_of_a_hub_wake_an_idle_phone_every_five_seconds():
    text = SMALL.replace("300ms", "5min").replace("sites = 2", "sites = 1")
    polled = text + 'stop = "1s"\n[[servers]]\nmatch = "hub*"\n'
    silent = text + 'stop = "1s"\n'
    assert done(silent).summary["wakeups_per_hour"] == 0
    # each of two hubs asks every 5.1 s for as long as it is answered, and each answer counts too
    assert done(polled).summary["unprompted_frames_per_hour"] > 2 * 3600 / 5.2
