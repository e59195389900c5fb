"""How two sides of a bout are compared: what differs is seen."""

from dataclasses import replace

from sim.live import hub_model
from sim.live.bout import Bout, Heard, Played, Say
from sim.live.hub_bouts import TWO, UNKNOWN, paths, plain
from sim.live.nat_bouts import compared
from virtualtap.units import MS, SECOND

ONE_FRAME, OTHER = plain(UNKNOWN), plain(UNKNOWN, length=61)
SCRIPT = [
    Say(0, "A", ONE_FRAME, "first"),
    Say(10 * MS, "A", OTHER),
    Say(20 * MS, "A", b"", "then"),
]
BOUT = Bout(title="a bout", ports="AB", script=SCRIPT, causes={"then": "it is so"})


def verdicts(*heard: Heard) -> list[str]:
    model = Played(SCRIPT, [Heard(1 * MS, "B", ONE_FRAME), Heard(11 * MS, "B", OTHER)])
    return [row.verdict for row in BOUT.rows(model, Played(SCRIPT, heard))]


def test_the_same_frames_out_of_the_same_ports_are_the_same():
    assert verdicts(Heard(2, "B", ONE_FRAME), Heard(12 * MS, "B", OTHER)) == ["same", "same"]


def test_another_order_differs():
    assert verdicts(Heard(2, "B", OTHER), Heard(3, "B", ONE_FRAME)) == ["**differs**", "same"]


def test_another_port_differs():
    heard = Heard(2, "A", ONE_FRAME), Heard(3, "B", OTHER)
    assert verdicts(*heard) == ["**differs**", "same"]


def test_a_byte_less_differs():
    heard = Heard(2, "B", ONE_FRAME), Heard(3, "B", OTHER[:-1])
    assert verdicts(*heard) == ["**differs**", "same"]


def test_what_comes_by_itself_belongs_to_the_row_in_whose_time_it_comes():
    heard = Heard(2, "B", ONE_FRAME), Heard(3, "B", OTHER), Heard(30 * MS, "B", OTHER)
    assert verdicts(*heard) == ["same", "known: it is so"]


def test_all_frames_in_order_are_the_same_however_late():
    heard = Heard(25 * MS, "B", ONE_FRAME), Heard(26 * MS, "B", OTHER)
    assert verdicts(*heard) == ["same", "same"]


def test_where_time_matters_late_frames_differ():
    timed = replace(BOUT, by_time=True)
    model = Played(SCRIPT, [Heard(1 * MS, "B", OTHER)])
    rows = timed.rows(model, Played(SCRIPT, [Heard(25 * MS, "B", OTHER)]))
    assert [row.same for row in rows] == [False, False]


def test_what_the_hub_asks_is_not_compared():
    poll = plain(TWO, b"\x00\xae\x01\x02\x03\x04")
    heard = Heard(2, "B", ONE_FRAME), Heard(3, "B", poll), Heard(4, "B", OTHER)
    assert verdicts(*heard) == ["same", "same"]


def test_the_count_of_a_servers_packets_is_not_compared():
    packet = bytes.fromhex("4500001c000100000001f00dc0a81e01c0a81e0a") + bytes(8)
    frame = plain(TWO)[:12] + b"\x08\x00" + packet
    again = frame[:18] + b"\x00\x02" + frame[20:24] + b"\xf0\x0c" + frame[26:]
    assert compared(frame) == compared(again)
    assert compared(frame) != compared(frame[:-1] + b"\x01")


def test_a_model_agrees_with_itself_on_every_path():
    for bout in paths():
        played = hub_model.play(bout, bout.script, bout.lasts + SECOND)
        assert {row.verdict for row in bout.rows(played, played)} == {"same"}
        assert len(played.heard) > 50
