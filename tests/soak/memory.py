"""Ten million hostile frames: does one tap stay under the bound that its limits give?"""

import gc
import tracemalloc

from tests.builders import OUR_MAC, config
from tests.hostile import JOINED4, JOINED6, hostile
from tests.soak.report import Report
from virtualtap import TapConfig, VirtualTap, memory_bound, mobile

FRAMES, POOL = 10_000_000, 100_000
TAPS = {
    "default limits": config(prefix_length=8),
    "a phone's limits": mobile(
        TapConfig(our_mac=OUR_MAC, dhcp=True, slaac=True, groups=(JOINED4, JOINED6))
    ),
}


def run(report: Report) -> None:
    """Half of the frames to each tap; nobody takes what comes out."""
    pool = hostile(seed=1, count=POOL)
    report.figure("hostile frames and packets", FRAMES)
    for name, chosen in TAPS.items():
        most, peak = flooded(chosen, pool, FRAMES // len(TAPS) // POOL)
        bound = memory_bound(chosen)
        report.figure(f"{name}: the most held between two calls, bytes", most)
        report.figure(f"{name}: the most while a call ran, bytes", peak)
        report.figure(f"{name}: the bound, bytes", bound)
        assert most < bound
    assert memory_bound(TAPS["a phone's limits"]) < 1 << 20


def flooded(chosen: TapConfig, pool: list, rounds: int) -> tuple[int, int]:
    """What one tap held at most while the pool went through it so many times."""
    VirtualTap(chosen)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tap, now, most = VirtualTap(chosen), 0, 0
    for _ in range(rounds):
        for number, (from_host, data, gap) in enumerate(pool):
            now += gap
            (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)
            if number % 100 == 0:
                most = max(most, tracemalloc.get_traced_memory()[0] - before)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return most, peak
