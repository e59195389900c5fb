"""Hostile frames are made of valid ones, and no world breaks on them."""

from pathlib import Path

import pytest

from sim.fuzz import hostile
from sim.fuzz.judge import Task, judge
from sim.fuzz.letters import LETTERS, Ends
from sim.nodes.interface import Addresses
from sim.rng import stream
from virtualtap.wire import arp, ipv6
from virtualtap.wire.ethernet import ARP, IPV4, IPV6
from virtualtap.wire.ipv4 import Ipv4

CAPTURES = Path(__file__).parents[3] / ".." / "shared" / "captures"


def named(number: int) -> Addresses:
    ip6 = b"\xfd" + bytes(14) + bytes((number,))
    return Addresses(mac=b"\2\0\0\0\0" + bytes((number,)), ip=bytes((10, 0, 0, number)), ip6=(ip6,))


ENDS = Ends(named(1), named(2), named(3))


@pytest.mark.parametrize("name", sorted(LETTERS.keys() - {"piece", "tcp"}))  # those have no sum
def test_a_letter_is_summed_right(name):
    frames = [LETTERS[name](ENDS, stream(number, name)) for number in range(20)]
    assert [hostile.mended(frame) for frame in frames] == frames


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_is_valid_and_its_fields_are_known(name):
    for number in range(20):
        frame = LETTERS[name](ENDS, stream(number, name))
        assert frame[6:12] == ENDS.sender.mac
        assert all(start + length <= len(frame) for start, length in hostile.spans(frame))
        readers = {ARP: arp.Arp.parse, IPV4: Ipv4.parse, IPV6: ipv6.Ipv6.parse}
        if frame[12:14] in readers:
            readers[frame[12:14]](frame[14:])


def test_the_same_luck_makes_the_same_frames():
    made = [hostile.frames(stream(1, "x"), ENDS, 50) for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 40
    assert max(map(len, made[0])) <= hostile.FRAME_MAX


def test_what_is_mended_is_summed_right():
    frame = bytearray(LETTERS["udp"](ENDS, stream(1, "x")))
    frame[-1] ^= 1
    frame[22] = 3
    wrong = bytes(frame)
    mended = hostile.mended(wrong)
    assert mended != wrong
    assert Ipv4.parse(mended[14:]).ttl == 3


def test_where_there_is_no_capture_there_is_no_frame(tmp_path):
    (tmp_path / "broken.pcap").write_bytes(b"nothing")
    assert hostile.captured(tmp_path, stream(1, "x"), 5) == []


@pytest.mark.slow
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside the project")
def test_frames_of_captures_break_no_law():
    frames = hostile.captured(CAPTURES, stream(1, "captures"), 200)
    assert len(frames) == 200
    shown = ", ".join(f'"{frame.hex()}"' for frame in frames if len(frame) >= 14)
    text = f"""\
name = "captures"
until = "3s"
ipv6 = true
topology = {{ name = "star", sites = 1 }}
sites = {{ taps = 2, stations = 1, gateways = 1 }}
traffic = [{{ kind = "ping", from = "h*", to = "next", every = "100ms" }}]
timeline = [{{ at = "500ms", inject = {{ from = "s1", frames = [{shown}], every = "10ms" }} }}]
"""
    row = judge(Task(seed=1, text=text))
    assert (row.verdict, row.failed) == ("pass", [])
