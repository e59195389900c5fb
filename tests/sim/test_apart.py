"""What a child process says, and how it ends."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.apart import CRASH, EXIT, HANG, Bounds, Ended, apart

BOUNDS = Bounds(seconds=5.0, cpu_seconds=5)

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # xdist has threads


def ended(do, bounds=BOUNDS):
    with pytest.raises(Ended) as error:
        apart(do, bounds)
    return error.value.how, error.value.which


def test_what_it_returns_is_the_answer():
    assert apart(lambda _: b"some words", BOUNDS) == b"some words"


def test_beats_are_no_part_of_it():
    def beats(beat):
        beat()
        beat()
        return b"words"

    assert apart(beats, BOUNDS) == b"words"


@pytest.mark.slow
def test_each_beat_gives_it_its_time_anew():
    def slow(beat):
        for _ in range(4):
            time.sleep(0.2)
            beat()
        return b"words"

    assert apart(slow, Bounds(seconds=0.5, cpu_seconds=5)) == b"words"
    short = Bounds(seconds=0.1, cpu_seconds=5)
    assert ended(slow, short) == (HANG, "")


@pytest.mark.parametrize(
    ("do", "how"),
    [
        (lambda _: os._exit(7), (EXIT, "7")),
        (lambda _: os._exit(0), (EXIT, "0")),
        (lambda _: 1 // 0, (EXIT, "1")),
        (lambda _: b"", (EXIT, "0")),
        (lambda _: os.abort(), (CRASH, "SIGABRT")),
        (lambda _: bytes(2**33), (EXIT, "1")),
    ],
)
def test_without_an_answer_it_is_told_how_it_ended(do, how):
    assert ended(do) == how


@pytest.mark.slow
def test_what_takes_all_its_processor_time_is_ended():
    def never(_):
        while True:
            pass

    assert ended(never, Bounds(seconds=5.0, cpu_seconds=1)) == (CRASH, "SIGXCPU")


def test_too_long_an_answer_is_none():
    assert ended(lambda _: bytes(100_000), Bounds(5.0, 5, answer=50_000)) == (HANG, "")


def test_what_it_starts_ends_with_it():
    def start(_):
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        return str(child.pid).encode()

    place = Path("/proc") / apart(start, BOUNDS).decode() / "stat"
    if not place.parent.parent.joinpath("self").exists():
        pytest.skip("there is no /proc here")
    deadline = time.monotonic() + 10
    while place.exists() and place.read_text().rpartition(")")[2].split()[0] not in "ZX":
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)
