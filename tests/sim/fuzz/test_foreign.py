"""Somebody else's translator in the taps of a world: judged from outside, whatever it does."""

from dataclasses import replace

from sim.apart import CRASH, Ended
from sim.conformance.verdicts import Unsupported
from sim.fuzz import foreign
from sim.fuzz.foreign import Foreign, maker, signature
from sim.fuzz.judge import Task, judge
from tests.sim.scenarios import SMALL, done, refused
from virtualtap import TapConfig, VirtualTap, mac

STRANGE = "python:tests.sim.strange_taps"
CONFIG = TapConfig(our_mac=mac("02:00:5e:00:00:01"))


def row(name, text=SMALL):
    return judge(Task(seed=1, text=text, target=name))


def test_the_engine_as_a_target_is_the_engine():
    assert maker("engine") is VirtualTap
    assert row("engine").digest == done().digest


def test_the_engine_driven_as_a_stranger_makes_the_same_frames():
    assert row("python:virtualtap:VirtualTap").verdict == "pass"
    assert row("python:virtualtap:VirtualTap").delivered == done().summary["delivered"]


def test_a_target_that_is_none_is_one_line():
    assert "there is no library" in str(refused(maker, "c:/nowhere.so"))
    assert "lives in real time" in str(refused(maker, "kernel"))


def test_what_is_wrong_breaks_a_law():
    assert row(f"{STRANGE}:Impostor").signature == "no-foreign-source/tap"


def test_what_raises_is_an_error_with_a_place():
    found = row(f"{STRANGE}:Thrower")
    assert (found.verdict, found.signature.split(":")[1]) == ("error", "RuntimeError")


def test_what_crashes_says_how():
    assert row(f"{STRANGE}:Crasher").signature == "crash:SIGSEGV"


def test_what_leaves_is_an_exit():
    assert row(f"{STRANGE}:Leaver").signature == "exit"


def test_what_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(foreign, "BOUNDS", replace(foreign.BOUNDS, seconds=0.3))
    assert row(f"{STRANGE}:Sleeper").signature == "hang"


def test_what_takes_all_its_time_hangs_too():
    assert [signature(Ended(CRASH, which)) for which in ("SIGXCPU", "SIGSEGV")] == [
        "hang",
        "crash:SIGSEGV",
    ]


def test_what_is_no_answer_is_an_exit(monkeypatch):
    monkeypatch.setattr(foreign, "apart", lambda do, bounds: b'{"seed": "one"}')
    assert row(f"{STRANGE}:Impostor").signature == "exit"


def test_what_it_cannot_do_stops_the_world():
    assert row(f"{STRANGE}:narrow").verdict == "stopped"


def test_to_one_that_cannot_be_told_the_time_no_time_passes():
    tap = Foreign(Timeless(), CONFIG)
    assert tap.next_deadline() == 5
    assert tap.ip_to_ethernet(b"packet", 7) == b"packet"
    tap.poll(9)
    assert (tap.ethernet_to_ip(b"frame", 9), tap.next_deadline()) == (b"frame", None)
    other = Foreign(Timeless(), CONFIG)
    assert other.ethernet_to_ip(b"frame", 7) == b"frame"


def test_of_what_only_ours_tells_there_is_nothing():
    tap = Foreign(VirtualTap(CONFIG), CONFIG)
    tap.poll(0)
    found = (tap.take_events(), tap.holding(), tap.stats.dropped_total)
    assert (*found, tap.take_frames(), tap.take_packets()) == ([], 0, 0, [], [])


class Timeless:
    """As a library that reads the wall clock inside."""

    def ip_to_ethernet(self, packet, now=None):
        return self._at(now, packet)

    def ethernet_to_ip(self, frame, now=None):
        return self._at(now, frame)

    def poll(self, now):
        self._at(now, b"")

    def next_deadline(self):
        return 5

    @staticmethod
    def _at(now, data):
        if now is not None:
            raise Unsupported("the library reads the wall clock")
        return data
