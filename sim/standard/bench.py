"""The tests by name, and what a bench measured. RFC 2544 26, RFC 2889 5, RFC 4689 3.2.5."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sim.standard import rfc2544, rfc2889, rfc4689
from sim.standard.devices import DEVICES, Device
from sim.standard.rfc2889 import ADDRESSES, table_text
from sim.standard.rig import EVERYBODY, LARGEST, SIZES, SMALLEST, Rig, Row
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Duration

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Test:
    """One test: its clause, and what it measures, of each frame size or of the device."""

    source: str
    sized: Callable[[Rig, int], Row] | None = None
    whole: Callable[[Rig], Row] | None = None

    def rows(self, rig: Rig, sizes: Sequence[int]) -> list[Row]:
        """What it measured: a row for each size, or one."""
        if self.sized is not None:
            return [self.sized(rig, size) for size in sizes]
        assert self.whole is not None
        return [self.whole(rig)]


TESTS = {
    "throughput": Test("RFC 2544 26.1", sized=rfc2544.throughput),
    "latency": Test("RFC 2544 26.2", sized=rfc2544.latency),
    "jitter": Test("RFC 4689 3.2.5", sized=rfc4689.jitter),
    "caching": Test("RFC 2889 5.7", whole=rfc2889.caching),
    "learning": Test("RFC 2889 5.8", whole=rfc2889.learning),
    "broadcast": Test("RFC 2889 5.10", sized=rfc2889.broadcast),
}


def measure(rig: Rig, names: Sequence[str], sizes: Sequence[int]) -> dict[str, Any]:
    """What `vtap bench --json` prints. UsageError for what cannot be tested."""
    return {
        "schema": SCHEMA,
        "on": rig.device.name,
        "seed": rig.seed,
        "trial_s": rig.trial / SECOND,
        "repeat": rig.repeat,
        "changes": [*rig.changes],
        "tests": {
            name: {"source": TESTS[name].source, "rows": TESTS[name].rows(rig, sizes)}
            for name in names
        },
    }


def texts(rig: Rig, names: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """The scenario of the first trial of each of these tests, at what the media allow."""
    found = []
    for name in names:
        if TESTS[name].whole is not None and rig.device.is_bridge:
            found.append(table_text(rig, ADDRESSES, rig.path(SMALLEST).slowest.interval))
        for size in sizes if TESTS[name].sized is not None else ():
            every = rig.path(size).slowest.interval
            length = rig.trial * (2 if name == "latency" else 1)
            to = EVERYBODY if name == "broadcast" else None
            found.append(rig.stream_text(name, size, every, length, to))
    return list(dict.fromkeys(found))


def chosen(names: Sequence[str]) -> list[str]:
    """The tests of these names, or all. UsageError lists them."""
    for name in names:
        if name not in TESTS:
            raise UsageError(f"no test is named `{name:.60}`", f"the tests are {', '.join(TESTS)}")
    return list(dict.fromkeys(names)) or [*TESTS]


def positive(trial: Duration) -> Duration:
    """The length of a trial. UsageError for none."""
    if trial <= 0:
        raise UsageError("a trial takes no time", "RFC 2544 wants `--trial 60s`")
    return trial


def device(name: str) -> Device:
    """The device of this name. UsageError lists them."""
    if name not in DEVICES:
        raise UsageError(f"there is no `{name:.60}` to test", f"choose {', '.join(DEVICES)}")
    return DEVICES[name]


def frame_sizes(text: str) -> list[int]:
    """`64,128` as numbers of bytes, the FCS included; empty: those of RFC 2544 9.1."""
    parts = [part.strip() for part in text.split(",")] if text else [str(size) for size in SIZES]
    found = [int(part) if part.isdecimal() and len(part) < 5 else 0 for part in parts]
    if not all(SMALLEST <= size <= LARGEST for size in found):
        raise UsageError(
            f"`--sizes` is `{text:.60}`",
            f"give bytes of frames from {SMALLEST} to {LARGEST}: `64,512,1518`",
        )
    return list(dict.fromkeys(found))
