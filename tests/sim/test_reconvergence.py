"""From a move, a new MAC or a restart to the last frame sent to the old place."""

import pytest

from tests.sim.scenarios import done

CHAIN = """\
name = "moved"
until = "12s"
topology = { name = "drawn", nodes = { a = "KIND", b = "KIND", c = "KIND", s1 = "station", s2 = "station", s3 = "station", tap1 = "tap", h1 = "host" }, links = [["a", "b"], ["b", "c"], ["s1", "a"], ["s2", "b"], ["s3", "c"], ["tap1", "a"], ["h1", "tap1"]] }

[[traffic]]
kind = "stream"
from = "s3"
to = "WHO"
every = "100ms"

[[traffic]]
kind = "ping"
from = "WHO"
to = "s3"
start = "9s"
every = "1s"
"""  # noqa: E501  # one line of TOML


def at(when: str, what: str) -> str:
    return f'[[timeline]]\nat = "{when}"\n{what}\n'


def reconvergence(*happenings: str, kind: str = "switch", who: str = "s1") -> float | None:
    text = CHAIN.replace("KIND", kind).replace("WHO", who) + "".join(happenings)
    return done(text).summary["arp_reconvergence_s"]


def test_where_nothing_moved_there_is_none():
    assert reconvergence() is None
    assert reconvergence(at("5s", 'down = "a--b"')) is None


def test_a_bare_run_measures_none():
    text = CHAIN.replace("KIND", "switch").replace("WHO", "s1")
    moved = text + at("5s", 'move = { node = "s1", to = "c" }')
    assert done(moved, bare=True).summary["arp_reconvergence_s"] is None


def test_frames_go_to_the_old_place_until_the_one_that_moved_speaks():
    """The last datagram before 9 s leaves at 8.9 s, 1.1 µs of wire and 5 µs of link later."""
    found = reconvergence(at("5050ms", 'move = { node = "s1", to = "c" }'))
    assert found == pytest.approx(8.9 - 5.05, abs=20e-6)


def test_a_tap_that_moves_takes_its_host_along():
    found = reconvergence(at("5050ms", 'move = { node = "tap1", to = "c" }'), who="h1")
    assert found == pytest.approx(8.9 - 5.05, abs=0.11)


def test_who_moves_within_reach_of_his_old_switch_is_flooded_to_at_once():
    """Its old switch forgot it with the link, and floods; s2 asks from there."""
    text = (
        CHAIN.replace("KIND", "switch").replace("WHO", "s1").replace('from = "s3"', 'from = "s2"')
    )
    moved = text.replace('["s2", "b"]', '["s2", "a"]')
    run = done(moved + at("5s", 'move = { node = "s1", to = "c" }'))
    assert run.summary["arp_reconvergence_s"] == 0


def test_an_address_that_is_taken_over_is_sent_to_its_old_mac_until_the_last_packet():
    took = at("5050ms", 'duplicate = { node = "s2", of = "s1" }')
    assert reconvergence(took) == pytest.approx(11.9 - 5.05)


def test_another_mac_moves_no_address():
    assert reconvergence(at("5s", 'duplicate = { node = "s2", of = "s1", what = "mac" }')) is None


def test_who_comes_back_where_it_was_has_no_old_place():
    assert reconvergence(at("5s", 'crash = "s1"'), at("6s", 'restart = "s1"')) == 0


def test_a_switch_that_comes_back_knows_no_wrong_place():
    assert reconvergence(at("5s", 'crash = "b"'), at("6s", 'restart = "b"')) == 0


def test_the_worst_of_several_moves_counts():
    there = at("2050ms", 'move = { node = "s1", to = "c" }')
    back = at("10050ms", 'move = { node = "s1", to = "a" }')
    assert reconvergence(there, back) == pytest.approx(8.9 - 2.05, abs=20e-6)


def test_a_hub_that_still_believes_in_the_old_session_sends_there():
    found = reconvergence(at("5050ms", 'move = { node = "s1", to = "c" }'), kind="hub")
    assert found is not None
    assert found > 3.8


def test_it_may_be_expected():
    text = CHAIN.replace("KIND", "switch").replace("WHO", "s1")
    moved = text + at("5050ms", 'move = { node = "s1", to = "c" }')
    run = done(moved + "[expect]\narp_reconvergence_s = { max = 1 }\n")
    (missed,) = run.failed
    assert (missed.field, missed.limit) == ("arp_reconvergence_s", "at most 1")
    assert 6.0 <= missed.at_s <= 6.4


@pytest.mark.parametrize("name", ["move", "restart", "duplicate"])
def test_a_tap_that_is_called_so_may_note_what_it_likes(name: str):
    text = CHAIN.replace("KIND", "switch").replace("WHO", "s1").replace("tap1", name)
    dhcp = f'[[taps]]\nmatch = "{name}"\ndhcp = true\n'
    assert done(text + dhcp).summary["arp_reconvergence_s"] is None
