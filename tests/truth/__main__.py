"""Of 400 sweeps drawn from one seed: how many intervals hold the truth, and the pooled mean."""

import sys
import time
from statistics import mean

from sim import statistics
from sim.rng import stream
from tests.truth.queues import QUEUES, Queue

SEED = 1
SWEEPS, SEEDS = 400, 10
COVERED = (0.93, 0.97)
POOLED = 0.01  # of the truth


def covered(queue: Queue, sweeps: int = SWEEPS) -> tuple[float, float]:
    """The share of intervals that hold the truth, and the pooled mean over the truth."""
    luck, truth = stream(SEED, "sweeps", queue.name), queue.truth
    held, means = 0, []
    for _ in range(sweeps):
        delays = [queue.run(luck.below(2**62)) for _ in range(SEEDS)]
        interval = statistics.mean_interval(delays)
        assert interval is not None
        held += interval.holds(truth)
        means.append(mean(delays))
    return held / sweeps, mean(means) / truth


def main() -> int:
    """0 where all is as it must be."""
    wrong = 0
    for queue in QUEUES:
        began = time.monotonic()
        share, pooled = covered(queue)
        good = COVERED[0] <= share <= COVERED[1] and abs(pooled - 1) <= POOLED
        wrong += not good
        sys.stdout.write(
            f"{queue.name}: {share:.2%} of {SWEEPS} intervals hold {queue.truth / 1e6:.4f} ms, "
            f"pooled mean {pooled - 1:+.3%}, {time.monotonic() - began:.0f} s"
            f"{'' if good else ': WRONG'}\n"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
