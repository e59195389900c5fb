"""What the fuzzer found out, and what the conformance cases say, said to every kind of tap."""

from types import NoneType

import pytest

from sim.conformance.registry import cases
from tests.builders import frames_of
from tests.soak.fuzz import kept
from tests.soak.steps import LIVES, from_case, live, sound, steps
from virtualtap import MS, VirtualTap
from virtualtap.wire import checksum
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6


@pytest.mark.slow
def test_no_life_of_the_corpus_raises():
    corpus = kept()
    assert len({live(life).stats.to_ip for life in corpus}) > 1
    assert {life[0] % len(LIVES) for life in corpus} == set(range(len(LIVES)))


@pytest.mark.slow
@pytest.mark.parametrize("life", range(len(LIVES)), ids=[*LIVES])
def test_no_case_makes_another_tap_raise(life):
    for case in cases()[life :: len(LIVES)]:
        for shift in range(3):
            live(from_case(case, life + shift))


@pytest.mark.slow
@pytest.mark.parametrize("config", LIVES.values(), ids=[*LIVES])
def test_no_frame_of_any_capture_makes_any_tap_raise(captures, config):
    tap, now = VirtualTap(config), 0
    for path in sorted(captures.rglob("*.pcap*")):
        for frame in frames_of(path):
            now += 20 * MS
            for given in (frame, config.our_mac + frame[6:]):
                assert type(tap.ethernet_to_ip(given, now)) in (bytes, NoneType)
            assert type(tap.ip_to_ethernet(frame[14:])) in (bytes, NoneType)
        tap.take_frames()
        tap.take_packets()
    assert tap.stats.dropped_total > 1000


def test_a_case_is_the_same_life_again():
    case = next(case for case in cases("arp") if case.id == "arp/unknown-neighbor-is-asked-for")
    life = from_case(case, 0)
    assert [step.verb for step in steps(life)] == ["packet"]
    assert live(life).stats.requests_sent == 1


def test_a_sound_packet_has_the_right_lengths_and_checksums():
    four = Ipv4(bytes(4), b"\xff" * 4, 17, bytes(12)).to_bytes()
    wrong = four[:2] + b"\1\1" + four[4:10] + b"\7\7" + four[12:]
    mended = sound(wrong)
    assert mended[:20] == four[:20]
    assert checksum.transport_is_right(bytes(4), b"\xff" * 4, 17, mended[20:])
    six = Ipv6(bytes(16), b"\xff" * 16, ICMPV6, b"\x87\0\7\7" + bytes(20)).to_bytes()
    mended = sound(six[:4] + b"\0\0" + six[6:])
    assert mended[:40] == six[:40]
    assert checksum.transport_is_right(bytes(16), b"\xff" * 16, ICMPV6, mended[40:])


def test_what_is_no_packet_stays_as_it_is():
    assert [sound(each) for each in (b"", b"\x45" * 19, bytes(60))] == [
        b"",
        b"\x45" * 19,
        bytes(60),
    ]
