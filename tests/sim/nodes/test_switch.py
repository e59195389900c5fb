"""An 802.1D bridge as Linux has it: the facts measured on one, row by row, and its table."""

import pytest

from sim.nodes import switch as limits
from sim.nodes.switch import AGEING_TIME, Switch
from tests import builders as b
from tests.sim.networks import Listener, around, station_mac
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, NO_MAC, mac

ONE, TWO, THREE, UNKNOWN = (station_mac(i) for i in (1, 2, 3, 9))
SOURCE = station_mac(7)


def sent(to: bytes, source: bytes = SOURCE, length: int = 60, head: bytes = b"\x88\xb5") -> bytes:
    return (to + source + head).ljust(length, b"x")


def forwarded(frame: bytes) -> list[bytes]:
    """What comes out at another port when the frame comes in at the first."""
    network, (one, two) = around(Switch("sw"), 2)
    one.say_at(0, frame)
    network.run(1)
    assert (one.heard, network.ledger()) == ([], [])
    return two.frames()


FORWARDED = {
    "unknown unicast": sent(UNKNOWN),
    "broadcast": sent(BROADCAST),
    "multicast": sent(mac("01:00:5e:00:00:fb")),
    "spanning tree, as none runs": sent(mac("01:80:c2:00:00:00")),
    "a group next to the link-local ones": sent(mac("01:80:c2:00:00:10")),
    "a runt of 14 bytes, not padded": sent(BROADCAST, length=14),
    "1514 bytes": sent(BROADCAST, length=1514),
    "1518 bytes": sent(BROADCAST, length=1518),
    "a tag, intact": sent(BROADCAST, head=b"\x81\x00\x00\x05\x08\x00"),
    "a tagged frame of 1518 bytes": sent(BROADCAST, length=1518, head=b"\x81\x00\x00\x05"),
    "an IPv4 packet with bytes behind it": b.frame(b.packet() + bytes(24), BROADCAST),
    "an IPv4 packet with a wrong checksum": b.frame(b"\x45" + bytes(30), BROADCAST),
    "an ARP cut short": b.arp_request()[:30],
}
DROPPED = {
    "PAUSE": (sent(mac("01:80:c2:00:00:01")), "link-local"),
    "LLDP": (sent(mac("01:80:c2:00:00:0e")), "link-local"),
    "the last link-local group": (sent(mac("01:80:c2:00:00:0f")), "link-local"),
    "a broadcast source": (sent(UNKNOWN, BROADCAST), "group-source"),
    "a multicast source": (sent(UNKNOWN, mac("33:33:00:00:00:01")), "group-source"),
    "a source of zeros": (sent(UNKNOWN, NO_MAC), "malformed"),
    "a frame to its own source": (sent(SOURCE), "same-port"),
    "1519 bytes": (sent(BROADCAST, length=1519), "too-long"),
    "2000 bytes": (sent(BROADCAST, length=2000), "too-long"),
    "13 bytes": (sent(BROADCAST)[:13], "malformed"),
}


@pytest.mark.parametrize("what", FORWARDED)
def test_it_forwards_unchanged(what: str):
    assert forwarded(FORWARDED[what]) == [FORWARDED[what]]


@pytest.mark.parametrize("what", DROPPED)
def test_it_drops(what: str):
    frame, why = DROPPED[what]
    switch = Switch("sw")
    network, (one, two) = around(switch, 2)
    one.say_at(0, frame)
    network.run(1)
    assert (two.heard, switch.fates.dropped, network.ledger()) == ([], {why: 1}, [])


def heard(*said: tuple[int, int, bytes], count: int = 3) -> tuple[Switch, list[list[int]]]:
    """Frames as (at, listener from 1, bytes), and when each listener heard one."""
    switch = Switch("sw")
    network, listeners = around(switch, count)
    for at, who, frame in said:
        listeners[who - 1].say_at(at, frame)
    network.run(max(at for at, _, _ in said) + 1)
    assert network.ledger() == []
    return switch, [one.times() for one in listeners]


def test_what_nobody_was_heard_from_goes_to_all_other_ports():
    switch, times = heard((0, 1, sent(UNKNOWN, ONE)), count=4)
    assert times == [[], [0], [0], [0]]
    assert (switch.fates.forwarded, switch.fates.copies) == (1, 3)


def test_who_was_heard_from_gets_his_frames_alone():
    _, times = heard((0, 1, sent(BROADCAST, ONE)), (5, 2, sent(ONE, TWO)))
    assert times == [[5], [0], [0]]


def test_a_frame_for_the_port_it_came_from_is_dropped():
    switch, times = heard((0, 1, sent(BROADCAST, ONE)), (5, 1, sent(ONE, TWO)))
    assert times == [[], [0], [0]]
    assert switch.fates.dropped == {"same-port": 1}


def test_an_address_moves_at_once():
    _, times = heard(
        (0, 1, sent(BROADCAST, ONE)),
        (1, 3, sent(UNKNOWN, ONE)),
        (2, 2, sent(ONE, TWO)),
    )
    assert times[0] == [1]
    assert times[2] == [0, 2]


def test_a_link_local_frame_teaches_its_source_though_it_is_dropped():
    _, times = heard((0, 1, sent(mac("01:80:c2:00:00:0e"), ONE)), (5, 2, sent(ONE, TWO)))
    assert times == [[5], [], []]


@pytest.mark.parametrize(("age", "copies"), [(AGEING_TIME - 1, 1), (AGEING_TIME, 2)])
def test_an_entry_serves_until_it_is_300_seconds_old(age: int, copies: int):
    _, times = heard((0, 1, sent(mac("01:80:c2:00:00:0e"), ONE)), (age, 2, sent(ONE, TWO)))
    assert sum(map(len, times)) == copies


def test_a_frame_of_the_owner_makes_its_entry_young():
    _, times = heard(
        (0, 1, sent(BROADCAST, ONE)),
        (200 * SECOND, 1, sent(TWO, ONE)),
        (400 * SECOND, 2, sent(ONE, TWO)),
    )
    assert times[2] == [0, 200 * SECOND]


def test_the_ageing_time_can_be_chosen():
    switch = Switch("sw", ageing_time=5)
    network, (one, two, three) = around(switch, 3)
    one.say_at(0, sent(BROADCAST, ONE))
    two.say_at(5, sent(ONE, TWO))
    network.run(10)
    assert three.times() == [0, 5]


def test_its_table_tells_whom_it_believes_where_now():
    switch, _ = heard(
        (0, 1, sent(BROADCAST, ONE)),
        (200 * SECOND, 2, sent(BROADCAST, TWO)),
        (AGEING_TIME, 3, sent(BROADCAST, THREE)),
    )
    assert switch.table() == {TWO: "sw.p2", THREE: "sw.p3"}


def test_a_full_table_learns_nobody_new_and_floods(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "ENTRIES_MAX", 2)
    switch, times = heard(
        (0, 1, sent(BROADCAST, ONE)),
        (1, 2, sent(BROADCAST, TWO)),
        (2, 3, sent(BROADCAST, THREE)),
        (3, 1, sent(THREE, ONE)),
        (4, 3, sent(ONE, THREE)),
    )
    assert list(switch.table()) == [ONE, TWO]
    assert (times[1], times[0]) == ([0, 2, 3], [1, 2, 4])


def test_a_full_table_makes_room_of_what_is_too_old(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "ENTRIES_MAX", 2)
    switch, _ = heard(
        (0, 1, sent(BROADCAST, ONE)),
        (SECOND, 2, sent(BROADCAST, TWO)),
        (AGEING_TIME, 3, sent(BROADCAST, THREE)),
    )
    assert switch.table() == {TWO: "sw.p2", THREE: "sw.p3"}


def test_two_switches_pass_on_what_each_learned():
    switch, other = Switch("sw"), Switch("other")
    network, (one, two) = around(switch, 2)
    network.add(other)
    far = network.add(Listener("far"))
    network.connect(switch.port(), other.port())
    network.connect(other.port(), far.port)
    one.say_at(0, sent(BROADCAST, ONE))
    far.say_at(1, sent(ONE, TWO))
    network.run(2)
    assert (one.times(), two.times(), far.times()) == ([1], [0], [0])
    assert other.table() == {ONE: "other.p1", TWO: "other.p2"}
