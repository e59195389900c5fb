"""How many worlds a core judges in a minute, all laws on: `python benchmarks/worlds.py`.

Exit status 1 below 1,000 at a median of 20 nodes or more. Time is the process's own.
"""

import gc
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from sim.fuzz.judge import Task, judge

WORLDS, WARM = 400, 20
WANTED, NODES = 1_000, 20


def main() -> int:
    """Judge them one after another."""
    for seed in range(WARM):
        judge(Task(seed=seed))
    gc.freeze()  # as a worker does
    began = time.process_time()
    rows = [judge(Task(seed=seed)) for seed in range(WARM, WARM + WORLDS)]
    took = time.process_time() - began
    rate, nodes = WORLDS / took * 60, median(row.nodes for row in rows)
    crossings = median(row.crossings for row in rows)
    print(f"{rate:.0f} worlds a minute a core, {took / WORLDS * 1000:.0f} ms each")
    print(f"at the median {nodes:.0f} nodes, {crossings:.0f} crossings")
    return 0 if rate >= WANTED and nodes >= NODES else 1


if __name__ == "__main__":
    sys.exit(main())
