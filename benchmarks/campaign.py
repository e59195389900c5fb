"""What a second worker gains a campaign, beside what a second bare process gains, in one run.

`python benchmarks/campaign.py`: exit status 1 where it is less than 0.85 of it.
"""

import sys
import time
from contextlib import closing
from multiprocessing import get_context
from statistics import median

import msgspec

from sim.campaigns.workers import Processes, Task
from sim.fuzz.judge import Task as World
from sim.fuzz.judge import judge

WORLDS = 64
PAIRS = 5
LEAST = 0.85
SEEDS = range(1000, 1000 + WORLDS)
WARM = range(900, 904)


def bare(seeds: range, begin, done) -> None:
    """A process that does nothing but judge; it says when it is ready and when it is done."""
    for seed in WARM:
        judge(World(seed=seed))
    begin.wait()
    for seed in seeds:
        judge(World(seed=seed))
    done.wait()


def barely(count: int) -> float:
    """Seconds of `count` bare processes for all worlds."""
    context = get_context("spawn")
    begin, done = (context.Barrier(count + 1) for _ in range(2))
    parts = [SEEDS[first::count] for first in range(count)]
    processes = [context.Process(target=bare, args=(part, begin, done)) for part in parts]
    for process in processes:
        process.start()
    begin.wait()
    began = time.perf_counter()
    done.wait()
    took = time.perf_counter() - began
    for process in processes:
        process.join()
    return took


def campaign(count: int) -> float:
    """Seconds of `count` workers for all worlds."""
    with closing(Processes([0] * count)) as team:
        for _ in team.done("judge", tasks(list(WARM) * count)):
            pass
        began = time.perf_counter()
        for _ in team.done("judge", tasks(SEEDS)):
            pass
        return time.perf_counter() - began


def tasks(seeds) -> list[Task]:
    """One for each seed."""
    return [Task(seed, msgspec.json.encode(World(seed=seed)).decode()) for seed in seeds]


def main() -> int:
    """Alternating, so that noise befalls both; the gain is the median of the pairs'."""
    gains: dict[str, list[float]] = {"bare processes": [], "workers": []}
    for _ in range(PAIRS):
        for name, timed in (("bare processes", barely), ("workers", campaign)):
            one, two = timed(1), timed(2)
            gains[name].append(one / two)
            print(f"{name}: {WORLDS / one:.1f} worlds/s with one, {WORLDS / two:.1f} with two")
    ratios = [ours / theirs for theirs, ours in zip(*gains.values(), strict=True)]
    for name, found in gains.items():
        print(f"a second gains {name}: {median(found):.2f} times")
    print(f"workers gain {median(ratios):.2f} of what bare processes gain (at least {LEAST})")
    return 0 if median(ratios) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
