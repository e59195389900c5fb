"""Frames from, or to, one address after another."""

from sim.actions.address_series import address
from tests.sim.scenarios import done, refused

LAN = """\
name = "series"
until = "1s"
invariants = []
topology = { name = "drawn", nodes = { sw1 = "switch", s1 = "station", s2 = "station", h1 = "host", tap1 = "tap" }, links = [["s1", "sw1"], ["s2", "sw1"], ["h1", "tap1"], ["tap1", "sw1"]] }

[[traffic]]
kind = "addresses"
from = "s1"
to = "s2"
every = "1ms"
"""  # noqa: E501  # one line of TOML


def nodes(text: str) -> dict[str, int]:
    """How many frames arrived at each node."""
    return {row[0]: row[2] for row in done(text).tables["nodes"]}


def test_each_frame_teaches_one_address():
    run = done(LAN + "count = 5\n")
    learned = {row[1] for row in run.tables["broadcast_learning"]}
    assert run.verdict == "pass"
    assert {f"06:00:00:00:00:{i:02x}" for i in range(5)} <= learned


def test_frames_to_addresses_that_were_learned_come_to_one_port():
    back = '[[traffic]]\nkind = "addresses"\nfrom = "s2"\nto = "s1"\nstart = "500ms"\n'
    back += 'every = "1ms"\nbackward = true\n'
    found = nodes(LAN + "count = 7\n" + back + "count = 9\n")
    assert (found["s1"], found["tap1"]) == (9, 7 + 2)


def test_they_stop_when_told():
    assert nodes(LAN + 'count = 100\nstop = "10ms"\n')["s2"] == 10


def test_a_crashed_station_says_none():
    crash = '[[timeline]]\nat = "4500us"\ncrash = "s1"\n'
    assert nodes(LAN + "count = 100\n" + crash)["s2"] == 5


def test_addresses_are_local_and_each_another():
    found = [address(number) for number in (0, 1, 2**24 - 1)]
    assert found == [b"\6\0\0\0\0\0", b"\6\0\0\0\0\1", b"\6\0\0\xff\xff\xff"]


def test_who_speaks_only_ip_has_no_series():
    text = LAN.replace('from = "s1"', 'from = "h1"') + "count = 1\n"
    assert "`h1` is no station" in str(refused(done, text))


def test_a_series_of_too_many_events_is_refused():
    assert "events" in str(refused(done, LAN + "count = 16777216\n"))
