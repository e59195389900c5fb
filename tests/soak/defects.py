"""Does a campaign of a minute find each planted defect, and say in a few frames what it is?"""

import json
import tempfile
import time
from contextlib import closing
from statistics import median

import msgspec

from sim.campaigns.campaign import cores
from sim.campaigns.discovery import Wanted, read_discovery
from sim.campaigns.hunt import BAD
from sim.campaigns.workers import Processes, Task
from sim.fuzz.defects import load
from sim.fuzz.judge import Row
from sim.fuzz.judge import Task as World
from tests.soak.report import ROOT, Report

BEGINNINGS = 10  # first seeds
APART = 1_000_000  # from one to the next
MOST_S, MOST_FRAMES = 60.0, 12
SAMPLE = ("loses-the-first-packet", "floods-back", "cuts-long-frames")
KEPT = ROOT / ".venv" / "soak-defects.jsonl"  # what is done stands there; a part cut off goes on


def run(report: Report) -> None:
    """Every defect from ten first seeds; each find is shrunk."""
    done = _done()
    for name in load():
        for beginning in range(BEGINNINGS):
            if (name, beginning) not in done:
                said = hunted(name, beginning)
                done[name, beginning] = said
                with KEPT.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([name, beginning, said]) + "\n")
        _tell(report, name, [done[name, beginning] for beginning in range(BEGINNINGS)])
    found = [said for said in done.values() if said["seconds"] is not None]
    report.figure("defects", len(load()))
    report.figure("campaigns", len(done))
    report.figure("of them found in a minute", len(found))
    report.figure("and shrunk in it", sum(said["shrunk"] <= MOST_S for said in found))
    report.figure(
        f"to at most {MOST_FRAMES} frames", sum(said["frames"] <= MOST_FRAMES for said in found)
    )
    report.note(f"Seconds from the start, {cores()} processes; medians of ten first seeds.")
    KEPT.unlink(missing_ok=True)


def sample() -> None:
    """Three of them, once each, in seconds."""
    for name in SAMPLE:
        said = hunted(name, 0)
        print(f"{name}: found after {said['worlds']} worlds, {said['frames']} frames show it")
        assert said["frames"] <= MOST_FRAMES


def hunted(name: str, beginning: int) -> dict:
    """When a campaign found the defect, None if it did not; how few frames show it, and when."""
    first = beginning * APART
    team = Processes(range(cores()), tuple(0 for _ in range(cores())))
    began, worlds, found = time.monotonic(), 0, None
    tasks = (
        Task(number, msgspec.json.encode(World(seed=first + number, defect=name)).decode(), kind)
        for number in range(APART)
        for kind in (number % cores(),)
    )
    try:
        for one in team.done("judge", tasks):
            if time.monotonic() - began > MOST_S:
                break
            if one is None or one.row is None:
                continue
            worlds += 1
            row = msgspec.json.decode(one.row, type=Row)
            if row.verdict in BAD:
                found = row
                break
        seconds = round(time.monotonic() - began, 1)
    finally:
        team.close()
    said = {"seconds": None, "worlds": worlds, "signature": "", "frames": None, "shrunk": None}
    if found is not None:
        said |= {"seconds": seconds, "signature": found.signature, "frames": _frames(name, found)}
        said["shrunk"] = round(time.monotonic() - began, 1)
    return said


def _frames(name: str, row: Row) -> int:
    """How many frames the shrunk world needs."""
    team = Processes((0,))
    with tempfile.TemporaryDirectory() as place, closing(team):
        wanted = Wanted(World(seed=row.seed, defect=name), row, place, True)
        task = Task(0, msgspec.json.encode(wanted).decode())
        (done,) = filter(None, team.done("discover", [task]))
    assert done.row is not None
    return read_discovery(done.row).frames


def _tell(report: Report, name: str, all_of_it: list[dict]) -> None:
    found = [said for said in all_of_it if said["seconds"] is not None]
    if found:
        times, shrunk, frames = (
            [said[key] for said in found] for key in ("seconds", "shrunk", "frames")
        )
        shown = (
            f"found in {median(times):.1f} s, at most {max(times):.1f} s; shrunk in at most "
            f"{max(shrunk):.1f} s to {median(frames):g} frames, at most {max(frames)}"
        )
    missed = len(all_of_it) - len(found)
    said = ([shown] if found else []) + ([f"not found {missed} times"] if missed else [])
    report.figure(name, "; ".join(said))


def _done() -> dict[tuple[str, int], dict]:
    """What stands in the file; a line that was cut off is done again."""
    found: dict[tuple[str, int], dict] = {}
    for line in KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else ():
        try:
            name, beginning, said = json.loads(line)
        except ValueError:
            continue
        found[name, beginning] = said
    return found


if __name__ == "__main__":
    sample()
